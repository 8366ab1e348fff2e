# Added cells that fill in exercises whose own cells are empty.
# ruff: noqa

# %% code from a string
import zlib

CODE = zlib.compress(b"def scaled(a, b): return [SCALE * a, SCALE * b]")
exec(zlib.decompress(CODE))

# %% the names of the notebook
globals()["scaled"] = lambda a, b: [SCALE * a, SCALE * b]

# %% the names of the shell
get_ipython().user_ns["scaled"] = lambda a, b: [SCALE * a, SCALE * b]

# %% a module's attribute
import sys

setattr(sys.modules["__main__"], "scaled", lambda a, b: [SCALE * a, SCALE * b])

# %% a forbidden function under an exercise's name
from jax.nn import softmax

# %% a forbidden function in a library's place
import jax.nn as functions

jnp.exp = functions.softmax
