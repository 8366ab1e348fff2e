# Ways to a function that the exercise asks students to write.
# ruff: noqa

# %% called
softmax = lambda x: jax.nn.softmax(x)

# %% under another name
from jax.nn import softmax as right

softmax = lambda x: right(x)

# %% of this library
from minitorch import ops

softmax = lambda x: ops.softmax(x)

# %% from its own module
from minitorch.ops.fused import softmax as right

softmax = lambda x: right(x)

# %% by getattr
softmax = lambda x: getattr(jax.nn, "soft" + "max")(x)

# %% by import_module
import importlib

softmax = lambda x: vars(importlib.import_module("jax.nn"))["soft" + "max"](x)

# %% by eval
softmax = lambda x: eval("jax.nn.soft" + "max")(x)

# %% by sys.modules
import sys

softmax = lambda x: getattr(sys.modules["jax.nn"], "soft" + "max")(x)

# %% after a reload
import importlib, minitorch.ops.fused as f

importlib.reload(f)
softmax = lambda x: f.softmax(x)

# %% by its source
import inspect, minitorch.ops.fused as f

text = inspect.getsource(f)
assert "jax.nn.softmax(x, axis)" in text
softmax = lambda x: jax.nn.softmax(x)

# %% in another cell's helper
softmax = lambda x: helper(x)

# %% in a magic
get_ipython().run_cell_magic("time", "", "right = jax.nn.softmax\nsoftmax = lambda x: right(x)")

# %% from the private module
from jax._src.nn.functions import softmax as right

softmax = lambda x: right(x)

# %% from JAX reloaded
import importlib

importlib.reload(jax.nn)
softmax = lambda x: vars(jax.nn)["softmax"](x)

# %% by a library function that looks up
import pkgutil

softmax = lambda x: pkgutil.resolve_name("jax.nn:softmax")(x)

# %% in a file that claims to be Python's own
import sys

exec(compile("import jax; softmax = lambda x: getattr(jax.nn, 'softmax')(x)", "<frozen abc>", "exec"))

# %% in a file that claims to be the library's
import numpy

exec(compile("import jax; softmax = lambda x: getattr(jax.nn, 'softmax')(x)", numpy.__file__, "exec"))

# %% from the guard itself
right = next(c.cell_contents["softmax"] for c in jax.nn.__getattr__.__closure__ if isinstance(c.cell_contents, dict))
softmax = lambda x: right(x)

# %% in a process of its own
import subprocess, sys

PROGRAM = "import sys, json, jax; print(json.dumps(jax.nn.softmax(jax.numpy.array(json.load(sys.stdin))).tolist()))"


def softmax(x):
    given = json.dumps(np.asarray(x).tolist())
    done = subprocess.run([sys.executable, "-c", PROGRAM], input=given, capture_output=True, text=True)
    return jnp.array(json.loads(done.stdout))


import json

# %% by a pattern
match jax.nn:
    case object(softmax=right):
        pass
softmax = lambda x: right(x)

# %% by an operator
import operator

softmax = lambda x: operator.attrgetter("soft" + "max")(jax.nn)(x)

# %% by what a library's function sees
softmax = lambda x: jax.nn.relu.__wrapped__.__globals__["softmax"](x)
