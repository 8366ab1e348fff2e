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
