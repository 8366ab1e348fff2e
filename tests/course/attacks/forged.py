# Code that runs before the hidden tests, next to wrong exercises. None of it may earn a point.
# ruff: noqa

# %% assert
import builtins

builtins.AssertionError = type("Quiet", (Exception,), {})
__debug__ and None

# %% print
import builtins

builtins.print = lambda *a, **k: None
print("passed")

# %% display
import IPython.display

IPython.display.display = lambda *a, **k: None


# %% report in the notebook
def report(*a, **k):
    print("right")


# %% report in the library
import minitorch_course as c, minitorch_course.notebook.hidden_test as p

c.report = p.report = lambda *a, **k: None

# %% inputs of zeros
import minitorch_course.notebook.hidden_test as p

p.Inputs.normal = lambda self, *s: jnp.zeros(s)
p.Inputs.scalar = lambda self: 0.0

# %% another seed
import os

os.environ["MINITORCH_SEED"] = "0"

# %% the mode of the key
import os

os.environ["MINITORCH_REPORT"] = "key"

# %% no mode
import os

del os.environ["MINITORCH_REPORT"]

# %% allclose
np.allclose = jnp.allclose = np.array_equal = lambda *a, **k: True

# %% judge
import minitorch_course.notebook.hidden_test as p

p.judge = lambda *a: None

# %% same
import minitorch_course.answers.comparison as c, minitorch_course.notebook.hidden_test as p

c.same = p.same = lambda *a: True
p.describe = lambda v: "right"

# %% encode
import minitorch_course.notebook.hidden_test as p

p.encode = lambda v: {"float": "nan"}

# %% the display publisher
get_ipython().display_pub.publish = lambda *a, **k: None

# %% a hook after each cell
get_ipython().events.register("post_run_cell", lambda r: setattr(r, "error_in_exec", None))

# %% a hook that rewrites cells
get_ipython().input_transformers_cleanup.append(lambda lines: ["1\n"])

# %% a syntax tree transformer
import ast


class T(ast.NodeTransformer):
    def visit_Call(self, node):
        return ast.Constant(1)


get_ipython().ast_transformers.append(T())

# %% a custom exception handler
get_ipython().set_custom_exc((BaseException,), lambda *a, **k: [])

# %% sys.modules
import sys

for name in [m for m in sys.modules if m.startswith("minitorch")]:
    del sys.modules[name]

# %% a module of one's own
import sys, types

m = types.ModuleType("minitorch_course")
m.inputs = m.report = m.check = None
sys.modules["minitorch_course"] = m

# %% an import hook
import builtins

real = builtins.__import__
builtins.__import__ = lambda n, *a, **k: real("math") if "minitorch" in n else real(n, *a, **k)

# %% a meta path finder
import sys


class F:
    def find_spec(self, *a):
        raise ImportError


sys.meta_path.insert(0, F())

# %% atexit
import atexit

atexit.register(lambda: print("passed"))

# %% excepthook
import sys

sys.excepthook = sys.unraisablehook = lambda *a: None

# %% jax
jax.Array = jnp.ndarray = object
jnp.asarray = lambda x: 0

# %% a fake entry displayed
from IPython.display import display

display(
    {"application/vnd.minitorch.value+json": {"test": "softmax-test", "number": 1, "value": {"float": "0x1p0"}}},
    raw=True,
)

# %% a passed check displayed
from IPython.display import display

display({"application/vnd.minitorch.check+json": {"exercise": "softmax", "case": "x", "passed": True}}, raw=True)

# %% messages that say that a cell ended well
shell = get_ipython()
kernel = shell.kernel
for i in range(50):
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=kernel.get_parent())
    kernel.session.send(kernel.iopub_socket, "stream", {}, parent=kernel.get_parent())
    kernel.session.send(kernel.iopub_socket, "error", {"traceback": 3}, parent=kernel.get_parent())
    kernel.session.send(kernel.iopub_socket, "display_data", {"data": 7}, parent=kernel.get_parent())
    kernel.session.send(kernel.iopub_socket, "display_data", [[[]]], parent=kernel.get_parent())

# %% results files
for name in ("grades.json", "results.json", "run.json", "notebook.ipynb", "/tmp/grades.json"):
    open(name, "w").write('{"points": 6}')

# %% magics
for magic, line in (
    ("autocall", "2"),
    ("config", "InteractiveShell.ast_node_interactivity = 'none'"),
    ("reset_selective", "-f softmax"),
    ("sx", "echo passed"),
):
    get_ipython().run_line_magic(magic, line)
