"""A table from errors of JAX and Python to the mistakes that cause them.

Each row holds the type of the error, a pattern to find in its message, and the cause in the student's terms: a text
with gaps for the pattern's groups, or a function of `error_causes`. JAX's own types need no pattern. If JAX changes the
wording of another message, its row no longer matches and the message itself is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax

from . import error_causes
from .traceback_location import Location, raised_in_minitorch

Cause = str | Callable[[re.Match[str], Any, Location | None], str]


def find_cause(error: BaseException, location: Location | None) -> str:
    """Return the cause of an error in one or two sentences."""
    message = str(error)
    for kind, pattern, cause in TABLE:
        if isinstance(error, kind) and (match := re.search(pattern, message, re.DOTALL)):
            return cause.format(*match.groups()) if isinstance(cause, str) else cause(match, error, location)
    if raised_in_minitorch(error):
        return _sentence(re.sub(r"\s*\b(Wrong|Right):\s*", r" \1: ", message))
    return _sentence(
        f"{type(error).__name__}: {message.strip().splitlines()[0]}" if message.strip() else type(error).__name__
    )


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else text.rstrip(":") + "."


JIT = "inside jax.jit, vmap or scan a value is a placeholder with a shape and a dtype but no numbers"
SCALAR = (
    "Only a function that returns one number has a gradient, and this one returned {0}. Return a sum or a mean; to"
    " return more than the loss, use has_aux=True."
)
OF_SHAPE = SCALAR.replace("{0}", "an array of shape {0}")
FLOATS = (
    "A gradient is taken with respect to real numbers, but this argument is {0}: write 3.0 instead of 3, or"
    " x.astype(jnp.float32)."
)

TABLE: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str, Cause], ...] = (
    (
        NotImplementedError,
        "does not support input requests",
        "`input()` asks a person who types, and nobody does while a notebook is checked or graded: write the value into"
        " the cell.",
    ),
    (
        jax.errors.UnexpectedTracerError,
        "",
        "A value from inside a transformation (jax.jit, grad, vmap, scan) was kept in a list, a global or an attribute,"
        " and used after the transformation had ended, where it has no value. Return it from the function.",
    ),
    (
        jax.errors.TracerBoolConversionError,
        "",
        f"`if`, `while`, `and`, `not` and `assert` need to know whether a value is true, but {JIT}. Choose between two"
        " arrays with jnp.where(condition, a, b), and between two computations with jax.lax.cond.",
    ),
    (
        jax.errors.TracerArrayConversionError,
        "",
        f"A function of NumPy was given a value that JAX is tracing: {JIT}. Use the function of jnp that has the"
        " same name.",
    ),
    (
        jax.errors.TracerIntegerConversionError,
        "",
        "A value that JAX is tracing was used as a Python integer (in range, as a size, as the index of a list):"
        f" {JIT}. Take sizes from x.shape, index arrays and not lists, or make the argument static (static_argnums).",
    ),
    (
        jax.errors.NonConcreteBooleanIndexError,
        "",
        f"The size of x[mask] depends on numbers, and {JIT}. Keep the shape: jnp.where(mask, x, 0).",
    ),
    (
        jax.errors.ConcretizationTypeError,
        "",
        f"A plain number is needed here (by float, int, a size, arange), but {JIT}. Keep it as an array, take sizes"
        " from x.shape, or do this outside of the transformed function.",
    ),
    (
        (TypeError, IndexError),
        "Shapes must be .*Tracer|must be static integers|must have static start",
        f"A size must be known here, but {JIT}. Take sizes from x.shape, or make the argument static (static_argnums).",
    ),
    (
        TypeError,
        "Shapes must be",
        "A shape is a tuple of integers: does it contain a float? (`/` gives a float, `//` an integer.)",
    ),
    (TypeError, "in-place item assignment|does not support item assignment", error_causes.in_place_update),
    (
        ValueError,
        "assignment destination is read-only",
        "This NumPy array is a view of a JAX array, which cannot be changed. Copy it first: np.array(x).",
    ),
    (TypeError, r"scalar-output functions\. Output had shape: (\(.*?\))", OF_SHAPE),
    (TypeError, r"the gradient is .*scalar, but the function returned shape (\(.*?\))", OF_SHAPE),
    (TypeError, r"scalar-output functions\. Output was ", SCALAR.format("several values")),
    (TypeError, r"grad requires real.*but got (\w+)", FLOATS),
    (TypeError, r"cannot differentiate with respect to .* its dtype is (\w+)", FLOATS),
    (TypeError, r"minitorch Tensor, which only minitorch", error_causes.foreign_call),
    (
        TypeError,
        r"contracting dimensions.*got \((\d+),\) and \((\d+),\)",
        "A matrix product needs the last axis of the left array and the second-to-last axis of the right array to have"
        " the same size, but here they have the sizes {0} and {1}. Is a transpose (.T) missing, or is the order"
        " wrong?",
    ),
    (
        ValueError,
        r"Size of label '(\w)'.*\((\d+)\).*\((\d+)\)",
        "In einsum the letter {0} names axes of different sizes, {2} and {1}: compare the letters with the shapes.",
    ),
    ((TypeError, ValueError), r"ncompatible shapes for broadcasting: (.*)", error_causes.broadcast),
    (ValueError, r"could not be broadcast together with.*?shapes (.*)", error_causes.broadcast),
    (
        ValueError,
        r"ncompatible types for broadcasting: input type=\w+\[(.*?)\] and requested type=\w+\[(.*?)\]",
        "An array of shape ({0}) cannot be broadcast to ({1}): only axes of size 1 grow, and new axes come first.",
    ),
    (
        TypeError,
        r"Cannot concatenate arrays with shapes .*dimension (\d+) for shapes (.*?)\.?$",
        "Concatenating along axis {0} needs the same sizes on all other axes, but the shapes are {1}.",
    ),
    (
        TypeError,
        r"Cannot concatenate arrays with different numbers of dimensions: got (.*?)\.?$",
        "Arrays with different numbers of axes cannot be concatenated: {0}. Give the smaller one an axis (`[None,"
        " :]`).",
    ),
    (
        ValueError,
        "Zero-dimensional arrays cannot be concatenated",
        "Single numbers cannot be concatenated: use jnp.stack.",
    ),
    (
        ValueError,
        r"All input arrays must have the same shape\. Got (.*?)\.?$",
        "jnp.stack needs arrays of one shape, and got {0}. To join along an existing axis: jnp.concatenate.",
    ),
    (
        TypeError,
        r"cannot reshape array of shape (\(.*?\)) \(size (\d+)\) into shape (\(.*?\)) \(size (\d+)\)",
        "Reshaping keeps all numbers, but shape {0} has {1}, and {2} would have {3}.",
    ),
    (
        TypeError,
        r"cannot reshape array of shape (\(.*?\)) \(size (\d+)\) into shape (\(.*?\)) because",
        "Reshaping keeps all numbers, but the {1} of shape {0} cannot be divided into {2}.",
    ),
    (
        ValueError,
        r"axis (-?\d+) is out of bounds for array of dimension (\d+)",
        "The array has {1} axes, so it has no axis {0}: count from 0, or from -1 at the end.",
    ),
    (
        ValueError,
        r"squeeze out which has size not equal to one, got shape=(\(.*?\)) and dimensions=\((\d+)",
        "Only an axis of size 1 can be squeezed out, and axis {1} of shape {0} is larger. To add up along an axis,"
        " use sum.",
    ),
    (
        IndexError,
        r"Too many indices: array is (\d+)-dimensional, but (\d+)",
        "{1} indices were given, and the array has only {0} axes.",
    ),
    (TypeError, r"^(\w+) requires ndarray or scalar arguments, got <class '(\w+)'>", error_causes.wrong_argument),
    (
        TypeError,
        r"unsupported operand type.*NoneType|'NoneType' object",
        "A value is None: does the function that should have made it end in `return`?",
    ),
    (
        TypeError,
        r"value is of type <class '(\w+)'>",
        "A function of JAX was given a {0}, and takes arrays and numbers. Under jax.jit, mark such an argument with"
        " static_argnames.",
    ),
    (
        TypeError,
        "Only scalar arrays can be converted|only length-1 arrays",
        "float() and int() take a single number, and this is an array of several: is a sum, a mean or an index"
        " missing?",
    ),
    (
        ValueError,
        "truth value of an array",
        "`if`, `and`, `or` and `not` need one truth value, and this array has several. Choose element by element with"
        " jnp.where(condition, a, b), or reduce with .all() or .any().",
    ),
    (
        TypeError,
        r"^(\w+) does not accept dtype (\w+)",
        "The operation `{0}` is not defined for {1}: convert first, x.astype(...).",
    ),
    (
        TypeError,
        r"Indexer must have integer or boolean type, got indexer with type (\w+)",
        "Indices are integers, and these are {0}: use `//` instead of `/`, or x.astype(int).",
    ),
    (
        TypeError,
        "non-tuple sequence for multidimensional indexing",
        "An array cannot be indexed with a list: convert the list, x[jnp.array(indices)].",
    ),
    (
        TypeError,
        "scan body output must be a pair",
        "The function given to jax.lax.scan must return two things: the new carry and an output (or None).",
    ),
    (
        TypeError,
        "carry input and carry output must have equal types|carry.*equal types",
        "The carry of a loop must keep its shape and dtype from step to step, and here they change. Look at the first"
        " value of the carry: is it float32 or int?",
    ),
    (
        TypeError,
        "branches must have equal output types",
        "Both branches of jax.lax.cond must return the same shapes and dtypes.",
    ),
    (
        ValueError,
        "vmap got inconsistent sizes",
        "jax.vmap maps over one axis of each argument, and here these axes have different sizes. Arguments that are not"
        " mapped have None in in_axes.",
    ),
    (
        ValueError,
        r"vmap was requested to map its argument along axis (\d+).*its shape is (\(.*?\))",
        "jax.vmap cannot map over axis {0}: shape {1} does not have it.",
    ),
    (TypeError, r"PRNG key", "The first argument of the functions of jax.random is a key: jax.random.key(0)."),
    (TypeError, r"(\w+)\(\) got an unexpected keyword argument '(\w+)'", error_causes.unknown_argument),
    (
        TypeError,
        r"(\w+\(\) (?:missing|takes) .*)",
        "{0}: the call does not match the signature. The signature of an exercise must stay as it was given.",
    ),
    (
        UnboundLocalError,
        r"variable '(\w+)'",
        "`{0}` is used before it gets a value. A name that is assigned anywhere in a function is local to it.",
    ),
    (NameError, r"name '(\w+)' is not defined", error_causes.unknown_name),
    (AttributeError, r"has no attribute", error_causes.unknown_attribute),
    (SyntaxError, "", error_causes.not_python),
    (SystemExit, "", "exit() was called: a function ends with `return`, or raises an error."),
    (ZeroDivisionError, "", "A number is divided by 0."),
    (RecursionError, "", "A function calls itself forever: is the case in which it stops missing?"),
    (
        IndexError,
        "list index|tuple index",
        "An index is beyond the end of a list or tuple, or beyond the last axis of an array: counting starts at 0.",
    ),
    (KeyError, "(.*)", "A dict has no key {0}."),
)
