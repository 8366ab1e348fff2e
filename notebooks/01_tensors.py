# %% [markdown]
# # 01 Tensors: one row of numbers, and many ways to walk it
#
# A picture has two axes, a batch of coloured pictures has four, and attention in a language model multiplies arrays
# that have four axes each. The memory of a computer has one axis: a row of numbers, each with a position. A tensor
# library is the bridge between the two, and it rests on two small ideas. An axis of size 1 is **stretched**. An index
# becomes a position with the help of **strides**. Everything else in this notebook, up to the matrix product and
# einsum, is those two ideas and a loop.
#
# **When you have finished, you can**
#
# - say what shape a line gives before you run it, or that it fails, and why;
# - transpose, slice, reverse and repeat an array without moving a single number;
# - say when a reshape is free, when it must copy, and when it is impossible;
# - sum over any axes, pick by index, and know what `keepdims` is for;
# - read and write einsum, because you have written one: parser, loop and all.
#
# ```
#   application     a chat window, a digit reader
#   MLOps           runs, metrics, packages
#   hubs            files full of arrays, each with a name and a shape
#   frameworks      arrays with axes            <- this notebook
#   clusters        one large array, cut along an axis
#   hardware        one row of numbers          <- and what lies under it
# ```
#
# Time: 60 to 90 minutes. Before: notebook 00. You will write plain Python on lists and tuples at first, then a few
# lines on JAX arrays.

# %% name="imports"
import itertools
import math
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from minitorch_course import check, inputs, report, setup, skip_if_unfinished
from minitorch_course.figures import broadcasting, strides

setup()


def outcome(function):
    """What `function()` returns, or the name of the error with which it refuses."""
    try:
        return function()
    except (IndexError, ValueError) as error:
        return type(error).__name__


def refusal(function):
    """The name of the error with which `function()` refuses, or that it did not."""
    try:
        function()
    except (IndexError, ValueError) as error:
        return type(error).__name__
    return "no error"


# %% [markdown]
# ## 1. Shapes that stretch
#
# Two examples arrive, with three features each: an array of shape `(2, 3)`. A layer adds its bias, one number for each
# feature: shape `(3,)`. There is no separate bias for the second example: the same row is used twice.

# %% name="bias-drawn" tags=["demo"]
broadcasting.stretch([[1, 2, 3], [4, 5, 6]], [10, 20, 30])

# %% [markdown]
# Filled boxes are numbers in memory. Dashed boxes are copies that exist only in our heads: nothing is copied in memory.
# This is **broadcasting**, and it can happen to both sides at once. A column of shape `(3, 1)` and a row of shape
# `(1, 4)` stretch each other into a table:

# %% name="table-drawn" tags=["demo"]
broadcasting.stretch([[0], [10], [20]], [[1, 2, 3, 4]])

# %% [markdown]
# The rule is three lines long. Write one shape below the other, **flush right**:
#
# ```
#   (5, 1, 4)        5  1  4
#      (3, 1)           3  1       a missing axis in front counts as size 1
#   ---------        -------
#                    5  3  4       of 1 and n comes n;  of n and n comes n;  all else is an error
# ```
#
# Predict these four before you go on: `(4, 1)` with `(4,)`; `(2, 3)` with `(2,)`; `()` with `(7, 2)`; and the odd
# one, `(1,)` with `(0,)`, where 0 is an axis with no entries (a batch from which everything was filtered out).
#
# The first of the four is the most expensive line in the history of regression. Predictions come out of a network with
# shape `(n, 1)`, targets lie in a file with shape `(n,)`, and somebody subtracts them:

# %% name="costly-broadcast" tags=["demo"]
predictions = jnp.array([[1.0], [2.0], [3.0], [4.0]])  # (4, 1)
targets = jnp.array([1.0, 2.0, 3.0, 4.0])  # (4,): every prediction is perfect.
error = predictions - targets
print("shape of the error:", error.shape)
print("mean squared error of perfect predictions:", float((error**2).mean()))

# %% [markdown]
# No error is raised, the loss is a number, it even falls during training: the network learns to predict the mean of
# everything. This bug has cost people so much time that PyTorch has warned about it in its losses since 2019 (pull
# request 18349). The rule is the same in NumPy, JAX, PyTorch and minitorch, so it is worth knowing by heart.
#
# ### Exercise 1: the shape of the result
#
# `max` of the two sizes is nearly right. Two cases show that it is not the rule: sizes that clash, and size 0.


# %% name="broadcast_shape" tags=["exercise"] forbids=["jax.numpy.broadcast_shapes", "jax.numpy.broadcast_to", "jax.numpy.broadcast_arrays", "numpy.broadcast_shapes", "numpy.broadcast_to", "numpy.broadcast_arrays", "numpy.broadcast", "jax.lax.broadcast_shapes"]
def broadcast_shape(a, b):
    """The common shape of an array of shape `a` and one of shape `b`.

    Args:
      a, b: tuples of ints, of any lengths.

    Returns:
      A tuple of ints.

    Raises:
      ValueError: two sizes meet that differ, and neither is 1.
    """
    # BEGIN SOLUTION Lay the shapes over each other flush right, and apply the rule to each pair of sizes.
    rank = max(len(a), len(b))
    a, b = ((1,) * (rank - len(shape)) + shape for shape in (a, b))
    for n, m in zip(a, b):  # mutant-ok: the rule treats both alike
        if n != m and 1 not in (n, m):
            raise ValueError(f"{a} and {b} do not broadcast: {n} meets {m}")
    return tuple(m if n == 1 else n for n, m in zip(a, b))  # mutant-ok: the rule treats both alike
    # END SOLUTION


# %% name="broadcast_shape-check" tags=["check"] exercise="broadcast_shape"
check(
    "(3, 1) and (3,): flush right",
    lambda: outcome(lambda: broadcast_shape((3, 1), (3,))),
    (3, 3),
    mistakes={
        "The shapes were laid over each other flush left. Write (3,) below (3, 1) from the right: 3 stands below 1.": (
            3,
            1,
        ),
        "The axes that only the longer shape has are lost. A missing axis counts as size 1: put 1s in front first.": (
            3,
        ),
        "Refused, and it fits. Either of the two may have the 1.": "ValueError",
    },
)
check(
    "(5, 1, 4) and (3, 1): both stretch",
    lambda: outcome(lambda: broadcast_shape((5, 1, 4), (3, 1))),
    (5, 3, 4),
    mistakes={
        "The axes that only the longer shape has are lost. A missing axis counts as size 1: put 1s in front first.": (
            3,
            4,
        ),
        "The result is in reversed order: was it collected from the right, and not turned round again?": (4, 3, 5),
    },
)
check(
    "(1, 3) and (2, 3): the first one stretches",
    lambda: outcome(lambda: broadcast_shape((1, 3), (2, 3))),
    (2, 3),
    mistakes={
        "Only the second shape was allowed to stretch. Either of the two may have the 1.": "ValueError",
        "Where 1 meets n the result is n, whichever side the 1 is on.": (1, 3),
    },
)
check("() and (7, 2): a number with an array", lambda: outcome(lambda: broadcast_shape((), (7, 2))), (7, 2))
check(
    "(2, 3) and (2,): refused",
    lambda: refusal(lambda: broadcast_shape((2, 3), (2,))),
    "ValueError",
    mistakes={
        "Sizes 3 and 2 met, and a shape came out. Sizes that differ fit only if one is 1: raise ValueError.": "no error",
    },
)
check(
    "(1,) and (0,): nothing stays nothing",
    lambda: outcome(lambda: broadcast_shape((1,), (0,))),
    (0,),
    mistakes={
        "An axis of size 0 has no entries, and 1 stretches to 0 as to any n. The maximum of the sizes is not the rule.": (
            1,
        ),
        "1 meets 0: that fits. Of 1 and n comes n, and n may be 0.": "ValueError",
    },
)

# %% name="broadcast_shape-fits" tags=["hidden-test"] exercise="broadcast_shape" points=2 hint="Put 1s in front of the shorter shape; of 1 and n comes n, on either side."
k, m, n, p = (int(size) + 2 for size in inputs.permutation(6)[:4])
report(
    outcome(lambda: broadcast_shape((k, 1), (k,))),
    mistakes={
        "The shapes were laid over each other flush left. They are compared from the right.": lambda: (k, 1),
        "The axes that only the longer shape has are lost. A missing axis counts as size 1.": lambda: (k,),
        "Refused, and it fits. Either of the two may have the 1.": lambda: "ValueError",
    },
)
report(
    outcome(lambda: broadcast_shape((k, 1, m, 1), (n, 1, p))),
    mistakes={
        "The axes that only the longer shape has are lost. A missing axis counts as size 1.": lambda: (n, m, p),
        "The result is in reversed order: was it collected from the right, and not turned round again?": lambda: (
            p,
            m,
            n,
            k,
        ),
    },
)
report(
    outcome(lambda: broadcast_shape((1, m), (n, m))),
    mistakes={
        "Only the second shape was allowed to stretch. Either of the two may have the 1.": lambda: "ValueError",
        "Where 1 meets n the result is n, whichever side the 1 is on.": lambda: (1, m),
    },
)
report(outcome(lambda: broadcast_shape((m,), (p, n, 1))))
report([outcome(lambda: broadcast_shape((), (n, m))), outcome(lambda: broadcast_shape((n, m), (n, m)))])

# %% name="broadcast_shape-refuses" tags=["hidden-test"] exercise="broadcast_shape" points=2 hint="Sizes that differ, none of them 1, are refused; an axis of size 0 fits to 1 and to 0 only."
k, m, n = (int(size) + 2 for size in inputs.permutation(6)[:3])
report(
    outcome(lambda: broadcast_shape((k, m), (k,))),
    mistakes={
        "Two sizes met that differ, none of them 1, and a shape came out: raise ValueError.": lambda: (k, max(k, m)),
        "The shapes were laid over each other flush left. They are compared from the right.": lambda: (k, m),
    },
)
report([outcome(lambda: broadcast_shape((k, m, 1), (n, 1))), outcome(lambda: broadcast_shape((m, 0), (m, n)))])
report(
    [outcome(lambda: broadcast_shape((1, n), (0, n))), outcome(lambda: broadcast_shape((0, n), (1, 1)))],
    mistakes={
        "An axis of size 0 has no entries, and 1 stretches to 0 as to any n. The maximum of the sizes is not the rule.": lambda: [
            (1, n),
            (1, n),
        ],
    },
)

# %% [markdown]
# ## 2. One row of numbers
#
# Twelve numbers lie in memory in a row. To read them as a table with 3 rows of 4, you need to know how far to move for
# the next column (1) and how far for the next row (4). These two steps are the **strides**.
#
# A **view** is a row of numbers with a shape, strides, and the position at which it starts:


# %% name="view"
class View(NamedTuple):
    """A way to walk a row of numbers: the element [i, j, ...] is data[start + i * strides[0] + j * strides[1] + ...]."""

    data: list
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    start: int = 0


def contiguous(data, shape):
    """The view that reads a list from its beginning to its end, the last axis fastest."""
    strides = np.empty(shape, np.int8).strides  # NumPy counts in bytes, and an int8 has one.
    return View(list(data), tuple(shape), strides)


def walk(shape, *strides):
    """For every index into `shape`, the last axis fastest: how far each of several strides leads from the start."""
    for index in itertools.product(*map(range, shape)):
        yield tuple(sum(i * step for i, step in zip(index, steps, strict=True)) for steps in strides)


def numbers(v):
    """What a view reads, as a NumPy array."""
    return np.array([v.data[v.start + position] for (position,) in walk(v.shape, v.strides)]).reshape(v.shape)


def layout(v):
    """How a view walks."""
    return {"shape": v.shape, "strides": v.strides, "start": v.start}


table = contiguous(range(10, 22), (3, 4))

# %% name="table-in-memory" tags=["demo"]
strides.walk(table)

# %% [markdown]
# Find the element `[2, 1]`: start at 0; two rows down is 8, one column right is 1. So it is at position 9, and there
# you find 19. In general
#
# $$\text{position} = \text{start} + \sum_k \text{index}_k \cdot \text{stride}_k .$$
#
# Kirk Sattley described this record (shape, strides, start) in 1961, for an ALGOL 60 compiler. There it was called the
# *dope vector*: the inside information ("the dope") about an array. NumPy, PyTorch and your `View` hold nothing else.
#
# For numbers that lie in order, the strides follow from the shape. The last axis has stride 1. The stride of each axis
# before it is the size of the whole block that comes after it: for shape `(2, 3, 4)` the strides are 12, 4 and 1. Which
# axis moves fastest is a convention. C and the Python world chose the last one (*row-major*). Fortran chose the first
# one in 1957, and matrix libraries suffer from the difference to this day.
#
# ### Exercise 2: from index to position
#
# As everywhere in Python, index -1 means the last entry, and an index beyond either end is an error. (JAX raises no
# error: a compiled function cannot raise one, so JAX takes the nearest entry instead. You will meet that in section 4.)


# %% name="offset" tags=["exercise"] forbids=["numpy.ravel_multi_index", "jax.numpy.ravel_multi_index"]
def strides_of(shape):
    """How far to move in memory for the next entry along each axis, for numbers that lie in order.

    Args:
      shape: a tuple of ints, such as (2, 3, 4).

    Returns:
      A tuple of as many ints: (12, 4, 1).
    """
    # BEGIN SOLUTION From the last axis to the first: note the step, then multiply it by the size of the axis.
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))
    # END SOLUTION


def offset(v, index):
    """The position in `v.data` of the element `index`.

    Args:
      v: a View.
      index: a tuple with an int for each axis; negative ones count from the end.

    Raises:
      IndexError: the view has no such element.
    """
    # BEGIN SOLUTION Start at v.start; for each axis check the index, make it positive, and add index times stride.
    position = v.start
    for i, n, step in zip(index, v.shape, v.strides):
        if not -n <= i < n:
            raise IndexError(f"there is no entry {i} on an axis of size {n}")
        position += i % n * step
    return position
    # END SOLUTION


# %% name="offset-check" tags=["check"] exercise="offset"
check(
    "strides_of: shape (2, 3, 4)",
    lambda: strides_of((2, 3, 4)),
    (12, 4, 1),
    mistakes={
        "The first axis was made the fastest, as in Fortran. Here the last axis moves by 1.": (1, 2, 6),
        "An axis was multiplied by its own size too. Its step is the size of a block of what comes after it.": (
            24,
            12,
            4,
        ),
        "The strides are in reversed order: was the list built from the last axis, and not turned round?": (1, 4, 12),
        "These are bytes. Here positions are counted in numbers.": (48, 16, 4),
        "Each step must be the product of all sizes after it, not only of the next one.": (3, 4, 1),
    },
)
check("strides_of: one axis, and none", lambda: [strides_of((5,)), strides_of(())], [(1,), ()])
check(
    "offset: element [2, 1] of the table",
    lambda: offset(table, (2, 1)),
    9,
    mistakes={
        "The index was multiplied by the shape. The strides say how far to move.": 10,
        "The indices were exchanged: the first index goes with the first stride.": 6,
    },
)
right_half = View(table.data, (3, 2), (4, 1), start=2)
check(
    "offset: a view that starts at 2",
    lambda: offset(right_half, (1, 1)),
    7,
    mistakes={"The start was forgotten: the element [0, 0] of this view lies at position 2.": 5},
)
check(
    "offset: -1 is the last row, -2 the column before the last",
    lambda: offset(table, (-1, -2)),
    10,
    mistakes={
        "A negative index was used as it is. It counts from the end: -1 on an axis of size n is n - 1.": -6,
        "A negative index came out one too early or too late: -1 on an axis of size n is n - 1.": 5,
        "Negative indices were refused. From -n on they are allowed.": "IndexError",
    },
)
check(
    "offset: -3 is the first row, and no row is called -4 or 3",
    lambda: [outcome(lambda index=index: offset(table, index)) for index in [(-3, 0), (-4, 0), (3, 0), (0, 4)]],
    [0, "IndexError", "IndexError", "IndexError"],
    mistakes={
        "An index beyond the end was accepted. On an axis of size n the last one is n - 1: raise IndexError.": [
            0, "IndexError", 12, 4,
        ],
        "Indices beyond the ends were accepted, and led to numbers of other rows. Raise IndexError.": [0, -4, 12, 4],
        "Indices beyond the ends came round again at the other end. Raise IndexError.": [0, 8, 0, 0],
        "Below -n there is nothing either: raise IndexError.": [0, 8, "IndexError", "IndexError"],
    },
)  # fmt: skip

# %% name="offset-strides" tags=["hidden-test"] exercise="offset" points=2 hint="The last stride is 1; each one before it is the product of all sizes after its axis."
k, m, n, p = (int(size) + 2 for size in inputs.permutation(5)[:4])
report(
    strides_of((k, m, n, p)),
    mistakes={
        "The first axis was made the fastest, as in Fortran. Here the last axis moves by 1.": lambda: (1, k, k * m, k * m * n),
        "An axis was multiplied by its own size too. Its step is the size of a block of what comes after it.": lambda: (
            k * m * n * p, m * n * p, n * p, p,
        ),
        "The strides are in reversed order: was the list built from the last axis, and not turned round?": lambda: (
            1, p, n * p, m * n * p,
        ),
        "Each step must be the product of all sizes after it, not only of the next one.": lambda: (m, n, p, 1),
    },
)  # fmt: skip
report([strides_of((n,)), strides_of(()), strides_of((m, 1, n))])

# %% name="offset-positions" tags=["hidden-test"] exercise="offset" points=2 hint="position = start + index times stride over all axes; -1 is n - 1; outside of -n ... n - 1 raise IndexError."
k, m, n = (int(size) + 3 for size in inputs.permutation(4)[:3])
a, b, c, start = (int(step) + 2 for step in inputs.permutation(9)[:4])
odd = View([], (k, m, n), (a, b, c), start)
report(
    [offset(odd, (2, 0, 1)), offset(odd, (0, m - 1, 2))],
    mistakes={
        "The start was forgotten: the element [0, 0, 0] of a view lies at position start.": lambda: [
            2 * a + c, (m - 1) * b + 2 * c,
        ],
        "The index was multiplied by the shape. The strides say how far to move.": lambda: [
            start + 2 * k + n, start + (m - 1) * m + 2 * n,
        ],
    },
)  # fmt: skip
report(
    [offset(odd, (-1, -2, -3)), offset(odd, (-k, 1, -1))],
    mistakes={
        "A negative index was used as it is. It counts from the end: -1 on an axis of size n is n - 1.": lambda: [
            start - a - 2 * b - 3 * c, start - k * a + b - c,
        ],
        "A negative index came out one too early: -1 on an axis of size n is n - 1.": lambda: [
            start + (k - 2) * a + (m - 3) * b + (n - 4) * c, start - a + b + (n - 2) * c,
        ],
    },
)  # fmt: skip
report(
    [outcome(lambda index=index: offset(odd, index)) for index in [(k, 0, 0), (0, -m - 1, 0), (0, 0, n), (k - 1, m - 1, n - 1)]],
    mistakes={
        "An index beyond the end was accepted. On an axis of size n the last one is n - 1: raise IndexError.": lambda: [
            start + k * a, "IndexError", start + n * c, start + (k - 1) * a + (m - 1) * b + (n - 1) * c,
        ],
        "Indices beyond the ends came round again at the other end. Raise IndexError.": lambda: [
            start, start + (m - 1) * b, start, start + (k - 1) * a + (m - 1) * b + (n - 1) * c,
        ],
    },
)  # fmt: skip

# %% [markdown]
# ### Views: other walks through the same row
#
# Swap the two strides of the table, swap its two sizes, and you read its columns as rows. That is the transpose, and no
# number has moved:

# %% name="views-drawn" tags=["demo"]
strides.walk(table, View(table.data, (4, 3), (1, 4), 0), View(table.data, (3, 2), (4, 2), 1))

# %% [markdown]
# The third picture is the slice `table[:, 1:4:2]`, every second column from column 1 on. Three things have changed,
# and each has a reason. The size: as many entries as `range(1, 4, 2)` has, two. The stride of that axis: twice as
# long. The start: one column on.
#
# Predict what a stride of -1 along axis 1 does, and where such a view has to start.
#
# ### Exercise 3: transpose and slice
#
# Neither function changes or copies `data`. `v._replace(shape=..., strides=...)` makes a new view of the same list.


# %% name="views" tags=["exercise"] forbids=["numpy.lib.stride_tricks.as_strided"]
def transposed(v, axes):
    """The view whose axis k is axis `axes[k]` of `v`.

    Args:
      v: a View.
      axes: a tuple with each axis of `v` once, counted from 0.
    """
    # BEGIN SOLUTION Put the sizes and the strides in the order of axes.
    return v._replace(shape=tuple(v.shape[k] for k in axes), strides=tuple(v.strides[k] for k in axes))
    # END SOLUTION


def sliced(v, axis, start, stop, step):
    """The view whose entries along `axis` are those of `v` that `range(start, stop, step)` lists.

    Args:
      v: a View.
      axis: an axis of `v`, counted from 0.
      start, stop, step: as in Python's range, all within the axis; the step may be negative.
    """
    # BEGIN SOLUTION Along the axis: the size is that of the range, the stride is step times as long; and the start moves.
    shape, strides = list(v.shape), list(v.strides)
    shape[axis] = len(range(start, stop, step))
    strides[axis] *= step
    return View(v.data, tuple(shape), tuple(strides), v.start + start * v.strides[axis])
    # END SOLUTION


# %% name="views-check" tags=["check"] exercise="views"
cube = contiguous(range(24), (2, 3, 4))
check(
    "transposed: the table",
    lambda: layout(transposed(table, (1, 0))),
    {"shape": (4, 3), "strides": (1, 4), "start": 0},
    mistakes={
        "The shape was permuted, and the strides were not: they belong to the axes and go with them.": {
            "shape": (4, 3), "strides": (4, 1), "start": 0,
        },
        "Strides were made from the new shape. Then the numbers would have to move: take the old strides along.": {
            "shape": (4, 3), "strides": (3, 1), "start": 0,
        },
    },
)  # fmt: skip
check(
    "transposed: axes (2, 0, 1)",
    lambda: layout(transposed(cube, (2, 0, 1))),
    {"shape": (4, 2, 3), "strides": (1, 12, 4), "start": 0},
    mistakes={
        "That is the opposite permutation: axis k of the result is axis axes[k] of v, not the other way round.": {
            "shape": (3, 4, 2), "strides": (4, 1, 12), "start": 0,
        },
        "The axes were reversed, whatever `axes` says.": {"shape": (4, 3, 2), "strides": (1, 4, 12), "start": 0},
    },
)  # fmt: skip
check(
    "sliced: every second column from 1 on",
    lambda: layout(sliced(table, 1, 1, 4, 2)),
    {"shape": (3, 2), "strides": (4, 2), "start": 1},
    mistakes={
        "The start did not move: the first entry of the slice is not the first of the table.": {
            "shape": (3, 2), "strides": (4, 2), "start": 0,
        },
        "The size was rounded down: from 1 to 4 in steps of 2 there are two entries, 1 and 3.": {
            "shape": (3, 1), "strides": (4, 2), "start": 1,
        },
        "The start moved by the new stride. It moves by `start` old strides.": {
            "shape": (3, 2), "strides": (4, 2), "start": 2,
        },
        "The stride of the axis must become `step` times as long.": {"shape": (3, 2), "strides": (4, 1), "start": 1},
    },
)  # fmt: skip
check(
    "sliced: rows 1 and 2 of that slice",
    lambda: layout(sliced(View(table.data, (3, 2), (4, 2), 1), 0, 1, 3, 1)),
    {"shape": (2, 2), "strides": (4, 2), "start": 5},
    mistakes={
        "The view that is sliced starts at 1 itself: add to its start.": {"shape": (2, 2), "strides": (4, 2), "start": 4},
        "The start moved by one number. It moves by `start` strides of that axis.": {
            "shape": (2, 2), "strides": (4, 2), "start": 2,
        },
        "The stride became the step itself. It is the old stride times the step.": {
            "shape": (2, 2), "strides": (1, 2), "start": 5,
        },
    },
)  # fmt: skip
check(
    "sliced: the columns backwards",
    lambda: layout(sliced(table, 1, 3, -1, -1)),
    {"shape": (3, 4), "strides": (4, -1), "start": 3},
    mistakes={
        "Steps backwards have no size yet: `len(range(start, stop, step))` counts them too.": {
            "shape": (3, 0), "strides": (4, -1), "start": 3,
        },
    },
)  # fmt: skip
check(
    "no number is copied",
    lambda: [transposed(table, (1, 0)).data is table.data, sliced(table, 0, 0, 2, 1).data is table.data],
    [True, True],
    mistakes={
        "A new list was made. A view is a new walk through the same list: v._replace(...) keeps it.": [False, False],
        "transposed made a new list. A view is a new walk through the same one.": [False, True],
        "sliced made a new list. A view is a new walk through the same one.": [True, False],
    },
)

# %% name="views-transposed" tags=["hidden-test"] exercise="views" points=2 hint="Axis k of the result has the size and the stride of axis axes[k]; data and start stay."
sizes, steps = (tuple(int(n) + 2 for n in inputs.permutation(9)[:4]) for _ in range(2))
v = View([], sizes, steps, inputs.choice([3, 4, 5]))
for axes in [(1, 2, 3, 0), (2, 0, 3, 1)]:
    w = transposed(v, axes)
    report(
        [w.shape, w.strides, w.start],
        mistakes={
            "The shape was permuted, and the strides were not: they belong to the axes and go with them.": lambda axes=axes: [
                tuple(sizes[k] for k in axes), steps, v.start,
            ],
            "That is the opposite permutation: axis k of the result is axis axes[k] of v.": lambda axes=axes: [
                tuple(sizes[axes.index(k)] for k in range(4)), tuple(steps[axes.index(k)] for k in range(4)), v.start,
            ],
            "The axes were reversed, whatever `axes` says.": lambda: [sizes[::-1], steps[::-1], v.start],
            "Strides were made from the new shape. Then the numbers would have to move: take the old strides along.": lambda axes=axes: [
                tuple(sizes[k] for k in axes),
                tuple(math.prod(sizes[k] for k in axes[i + 1 :]) for i in range(4)),
                v.start,
            ],
        },
    )  # fmt: skip
    report(
        w.data is v.data,
        mistakes={"A new list was made. A view is a new walk through the same one.": lambda: False},
    )

# %% name="views-sliced" tags=["hidden-test"] exercise="views" points=3 hint="Size len(range(start, stop, step)), stride times step, and the view starts `start` old strides later."
a, b, c, begin = (int(n) + 2 for n in inputs.permutation(12)[:4])
v = View([], (9, 8, 7), (a, b, c), begin)
first = inputs.choice([1, 2])
for axis, start, stop, step in [(0, first, 9, 3), (1, 2, first + 5, 1), (2, 5, first, -2), (1, 7, -1, -1)]:
    old, w = v.strides[axis], sliced(v, axis, start, stop, step)
    report(
        [w.shape[axis], w.strides[axis], w.start],
        mistakes={
            "The start did not move: the first entry of the slice is not the first of the view.": lambda o=old, r=range(start, stop, step): [
                len(r), o * r.step, begin,
            ],
            "The size was rounded down: a last entry counts even if the step leads beyond the stop.": lambda o=old, r=range(start, stop, step): [
                (r.stop - r.start) // r.step, o * r.step, begin + r.start * o,
            ],
            "The start moved by the new stride. It moves by `start` old strides.": lambda o=old, r=range(start, stop, step): [
                len(r), o * r.step, begin + r.start * o * r.step,
            ],
            "The stride of the axis must become `step` times as long.": lambda o=old, r=range(start, stop, step): [
                len(r), o, begin + r.start * o,
            ],
            "The view that is sliced has a start itself: add to it.": lambda o=old, r=range(start, stop, step): [
                len(r), o * r.step, r.start * o,
            ],
            "The start moved by one number for each entry. It moves by `start` strides of that axis.": lambda o=old, r=range(start, stop, step): [
                len(r), o * r.step, begin + r.start,
            ],
            "The stride became the step itself. It is the old stride times the step.": lambda o=old, r=range(start, stop, step): [
                len(r), r.step, begin + r.start * o,
            ],
        },
    )  # fmt: skip
    others = [k for k in range(3) if k != axis]
    report([[w.shape[k] for k in others], [w.strides[k] for k in others]])
    report(
        w.data is v.data,
        mistakes={"A new list was made. A view is a new walk through the same one.": lambda: False},
    )

# %% [markdown]
# ### Broadcasting costs nothing
#
# Back to the dashed boxes of section 1. Which stride repeats a row? A stride of 0, which does not move. The bias
# `[10, 20, 30]`, read with shape `(2, 3)` and strides `(0, 1)`, is the stretched bias. A stride of 0 *is* broadcasting:
# a million copies, no memory.

# %% name="stretched-drawn" tags=["demo"]
strides.walk(View([10, 20, 30], (2, 3), (0, 1)))

# %% [markdown]
# ### Exercise 4: stretch a view
#
# This time you know the shape that the view must get. An axis whose size already fits keeps its stride. An axis of size
# 1 gets any size, with stride 0. New axes are added in front, with stride 0. Everything else is an error.


# %% name="stretched" tags=["exercise"] forbids=["jax.numpy.broadcast_to", "numpy.broadcast_to", "numpy.lib.stride_tricks.as_strided", "minitorch.ops.broadcast_to"]
def stretched(v, shape):
    """The view of `v` with the shape `shape`, repeated where it must be.

    Args:
      v: a View.
      shape: a tuple of ints, at least as many as `v` has axes.

    Raises:
      ValueError: an axis of `v` has neither the requested size nor 1.
    """
    # BEGIN SOLUTION Flush right: keep the stride where the sizes agree, 0 where 1 is stretched and on new axes; else refuse.
    new = (1,) * (len(shape) - len(v.shape))
    strides = []
    for n, step, wanted in zip(new + v.shape, new + v.strides, shape):
        if n not in (1, wanted):
            raise ValueError(f"{v.shape} cannot be stretched to {shape}: {n} is not 1 and not {wanted}")
        strides.append(step if n == wanted else 0)
    return v._replace(shape=tuple(shape), strides=tuple(strides))
    # END SOLUTION


# %% name="stretched-check" tags=["check"] exercise="stretched"
bias = contiguous([10, 20, 30], (3,))
column = contiguous([5, 6, 7], (3, 1))
check(
    "stretched: a bias under two rows",
    lambda: outcome(lambda: layout(stretched(bias, (2, 3)))),
    {"shape": (2, 3), "strides": (0, 1), "start": 0},
    mistakes={
        "Refused, and it can be stretched: new axes come in front, for shapes are compared flush right.": "ValueError",
        "The strides are those of six numbers, and only three are there: a new axis has stride 0.": {
            "shape": (2, 3), "strides": (3, 1), "start": 0,
        },
        "The new axis came last. New axes come in front: shapes are compared flush right.": {
            "shape": (2, 3), "strides": (1, 0), "start": 0,
        },
        "All strides are 0: that repeats the first number. An axis whose size agrees keeps its stride.": {
            "shape": (2, 3), "strides": (0, 0), "start": 0,
        },
        "The new axis moves by 1. To repeat, it must not move: stride 0.": {"shape": (2, 3), "strides": (1, 1), "start": 0},
    },
)  # fmt: skip
check(
    "stretched: a column along four columns",
    lambda: layout(stretched(column, (3, 4))),
    {"shape": (3, 4), "strides": (1, 0), "start": 0},
    mistakes={
        "An axis of size 1 kept its stride when it was stretched, so that the view runs on into other numbers: stride 0.": {
            "shape": (3, 4), "strides": (1, 1), "start": 0,
        },
        "The strides are those of twelve numbers, and only three are there.": {"shape": (3, 4), "strides": (4, 1), "start": 0},
    },
)  # fmt: skip
check(
    "stretched: a part of the table, to a new axis",
    lambda: layout(stretched(View(table.data, (3, 1), (4, 1), 2), (2, 3, 5))),
    {"shape": (2, 3, 5), "strides": (0, 4, 0), "start": 2},
    mistakes={"The start is lost.": {"shape": (2, 3, 5), "strides": (0, 4, 0), "start": 0}},
)
check(
    "stretched: 3 does not stretch to 6",
    lambda: refusal(lambda: stretched(bias, (6,))),
    "ValueError",
    mistakes={"Size 3 was accepted where 6 is wanted. Only size 1 stretches: raise ValueError.": "no error"},
)
check(
    "stretched: 3 does not shrink to 1",
    lambda: refusal(lambda: stretched(bias, (3, 1))),
    "ValueError",
    mistakes={"Flush right, size 3 was accepted where 1 is wanted: raise ValueError.": "no error"},
)
check(
    "stretched: no number is copied",
    lambda: stretched(bias, (2, 3)).data is bias.data,
    True,
    mistakes={"A new list was made. The copies exist in thought only: keep v.data.": False},
)

# %% name="stretched-strides" tags=["hidden-test"] exercise="stretched" points=2 hint="The old stride where sizes agree; 0 where 1 is stretched and on new axes in front."
k, m, n, p = (int(size) + 2 for size in inputs.permutation(7)[:4])
a, b, c, start = (int(step) + 2 for step in inputs.permutation(9)[:4])
v = View([4.0], (k, 1, m), (a, b, c), start)
for shape, right, kept in [((k, n, m), (a, 0, c), (a, b, c)), ((n, p, k, p, m), (0, 0, a, 0, c), (0, 0, a, b, c))]:
    report(
        outcome(lambda shape=shape: layout(stretched(v, shape))),
        mistakes={
            "An axis of size 1 kept its stride when it was stretched, so that the view runs on into other numbers: stride 0.": lambda s=shape, kept=kept: {
                "shape": s, "strides": kept, "start": start,
            },
            "The strides are those of as many numbers as the result has, and they are not there: stride 0.": lambda s=shape: {
                "shape": s, "strides": contiguous([], s).strides, "start": start,
            },
            "All strides are 0: that repeats one number. An axis whose size agrees keeps its stride.": lambda s=shape: {
                "shape": s, "strides": (0,) * len(s), "start": start,
            },
            "The start is lost.": lambda s=shape, right=right: {"shape": s, "strides": right, "start": 0},
            "Refused, and it can be stretched: new axes come in front, for shapes are compared flush right.": lambda: "ValueError",
        },
    )  # fmt: skip
report(
    outcome(lambda: layout(stretched(View([4.0], (m,), (c,)), (n, m)))),
    mistakes={
        "The new axis came last. New axes come in front: shapes are compared flush right.": lambda: {
            "shape": (n, m), "strides": (c, 0), "start": 0,
        },
        "The new axis moves by 1. To repeat, it must not move: stride 0.": lambda: {
            "shape": (n, m), "strides": (1, c), "start": 0,
        },
        "The strides are those of as many numbers as the result has, and they are not there: stride 0.": lambda: {
            "shape": (n, m), "strides": (m, 1), "start": 0,
        },
    },
)  # fmt: skip
report(
    stretched(v, (k, n, m)).data is v.data,
    mistakes={"A new list was made. The copies exist in thought only: keep v.data.": lambda: False},
)

# %% name="stretched-refuses" tags=["hidden-test"] exercise="stretched" points=1 hint="Only size 1 stretches; any other size must equal the requested one."
k, m, n = (int(size) + 2 for size in inputs.permutation(6)[:3])
v = contiguous(range(k * m), (k, m))
report(
    [outcome(lambda shape=shape: stretched(v, shape).strides) for shape in [(2 * k, m), (n, k, 1), (k, m + 1)]],
    mistakes={
        "A size other than 1 was stretched with stride 0. Only size 1 stretches: raise ValueError.": lambda: [(0, 1), (0, m, 0), (m, 0)],
        "A size that is neither 1 nor the one that is wanted was accepted: raise ValueError.": lambda: [(m, 1), (0, m, 1), (m, 1)],
    },
)  # fmt: skip
report(
    [outcome(lambda: stretched(v, (n, k, m)).strides), outcome(lambda: stretched(contiguous([7], (1,)), (0,)).shape)]
)

# %% [markdown]
# ### Reshape and its limits
#
# Reshape keeps the order of the numbers and cuts the row differently: 3 rows of 4 become 2 rows of 6. If the numbers
# lie in order in memory (the view is **contiguous**), nothing moves: the new strides are those of the new shape. If
# they do not, as in a transposed table, usually no strides give the new shape, and the numbers must first be copied
# into order. PyTorch has a name for each case: `.view` refuses to copy, `.reshape` copies. NumPy copies silently.
#
# A warning that every teacher gives: reshape is not transpose. The table below is `(2, 3)`; both views under it are
# `(3, 2)`. Predict their rows before you look.

# %% name="reshape-drawn" tags=["demo"]
small = contiguous([1, 2, 3, 4, 5, 6], (2, 3))
strides.walk(small, View(small.data, (3, 2), (1, 3)), View(small.data, (3, 2), (2, 1)))

# %% [markdown]
# The first is the transpose, the second the reshape. If you reshape an image where you should transpose it, it turns
# into stripes. If you do that to a batch of attention heads, you get nonsense that still trains.
#
# When is a view contiguous? When its strides are those of its shape, with one exception: along an axis of size 1 nobody
# ever moves, so its stride may be anything. NumPy needed several versions to settle this exception. It began in 2013
# (version 1.8), became the default in 1.10, and was taken back in 1.10.2.
#
# You may leave one size open: -1 stands for "whatever makes it fit".
#
# ### Exercise 5: reshape without moving a number


# %% name="reshaped" tags=["exercise"] forbids=["jax.numpy.reshape", "numpy.reshape", "minitorch.ops.reshape"]
def is_contiguous(v):
    """Does the view read its numbers in the order in which they lie in memory, without a gap?

    The start does not matter, nor do the strides of axes of size 1.
    """
    # BEGIN SOLUTION Compare the strides with those of the shape, but for axes of size 1.
    in_order = strides_of(v.shape)
    return all(n == 1 or step == wanted for n, step, wanted in zip(v.shape, v.strides, in_order))
    # END SOLUTION


def reshaped(v, shape):
    """The view of the same numbers, in the same order, with another shape.

    Args:
      v: a View.
      shape: a tuple of ints, one of which may be -1.

    Raises:
      ValueError: the view is not contiguous, or the shape has room for another count of numbers.
    """
    # BEGIN SOLUTION Refuse what is not contiguous; fill in the -1; refuse another count; give the strides of the new shape.
    if not is_contiguous(v):
        raise ValueError("the numbers do not lie in order: copy them first")
    count = math.prod(v.shape)
    if -1 in shape:
        known = math.prod(n for n in shape if n != -1)
        shape = tuple(count // known if n == -1 else n for n in shape)
    if math.prod(shape) != count:
        raise ValueError(f"{count} numbers do not fill the shape {shape}")
    return v._replace(shape=tuple(shape), strides=strides_of(shape))
    # END SOLUTION


# %% name="reshaped-check" tags=["check"] exercise="reshaped"
check(
    "is_contiguous: a table, its lower rows, its transpose, every second column, a stretched row",
    lambda: [
        is_contiguous(table),
        is_contiguous(View(table.data, (2, 4), (4, 1), 4)),
        is_contiguous(View(table.data, (4, 3), (1, 4))),
        is_contiguous(View(table.data, (3, 2), (4, 2))),
        is_contiguous(View([1, 2], (3, 2), (0, 1))),
    ],
    [True, True, False, False, False],
    mistakes={
        "Where a view starts does not matter, only that its numbers follow one another.": [True, False, False, False, False],
        "Everything was called contiguous. Compare the strides with those that the shape would have in order.": [
            True, True, True, True, True,
        ],
        "The answer is the wrong way round.": [False, False, True, True, True],
        "The last stride alone does not decide: every axis counts.": [True, True, False, False, True],
        "Strides that fall from axis to axis are not enough: there may be gaps. Compare them with those of the shape.": [
            True, True, False, True, False,
        ],
    },
)  # fmt: skip
check(
    "is_contiguous: a row read as (1, 4) with strides (99, 1), as (4, 1) with strides (1, 99)",
    lambda: [is_contiguous(View(table.data, (1, 4), (99, 1))), is_contiguous(View(table.data, (4, 1), (1, 99)))],
    [True, True],
    mistakes={
        "Along an axis of size 1 nobody moves: its stride does not matter.": [False, False],
        "Along an axis of size 1 nobody moves: its stride does not matter, whichever axis it is.": [True, False],
    },
)
check(
    "reshaped: the lower two rows of the table, as (4, 2)",
    lambda: layout(reshaped(View(table.data, (2, 4), (4, 1), 4), (4, 2))),
    {"shape": (4, 2), "strides": (2, 1), "start": 4},
    mistakes={
        "The start is lost: the view now reads from the beginning of the row.": {"shape": (4, 2), "strides": (2, 1), "start": 0},
        "The strides are those of the old shape. They must be those of the new one.": {
            "shape": (4, 2), "strides": (4, 1), "start": 4,
        },
    },
)  # fmt: skip
check(
    "reshaped: -1 in (2, -1, 3)",
    lambda: layout(reshaped(table, (2, -1, 3))),
    {"shape": (2, 2, 3), "strides": (6, 3, 1), "start": 0},
    mistakes={
        "The -1 was taken for a size. Replace it first by the size that makes it fit.": {
            "shape": (2, -1, 3), "strides": (-3, 3, 1), "start": 0,
        },
    },
)  # fmt: skip
check(
    "reshaped: twelve numbers do not fill (5, 2)",
    lambda: refusal(lambda: reshaped(table, (5, 2))),
    "ValueError",
    mistakes={"Ten places were found for twelve numbers. The count must stay: raise ValueError.": "no error"},
)
check(
    "reshaped: twelve numbers do not make five rows, (5, -1)",
    lambda: refusal(lambda: reshaped(table, (5, -1))),
    "ValueError",
    mistakes={
        "12 cannot be divided into 5 rows, and 12 // 5 hides it: compare the count once the -1 is filled in.": "no error"
    },
)
check(
    "reshaped: the numbers of a transposed table do not lie in order",
    lambda: refusal(lambda: reshaped(View(table.data, (4, 3), (1, 4)), (3, 4))),
    "ValueError",
    mistakes={
        "A transposed table was reshaped as if its numbers lay in order: they come out scrambled. Refuse it.": "no error"
    },
)

# %% name="reshaped-contiguous" tags=["hidden-test"] exercise="reshaped" points=2 hint="Strides equal to those of the shape; where an axis has size 1 its stride does not matter; nor does the start."
k, m, n = (int(size) + 2 for size in inputs.permutation(5)[:3])
start = inputs.choice([1, 2, 3])
report(
    [
        is_contiguous(View([], (k, m, n), (m * n, n, 1), start)),
        is_contiguous(View([], (k, m, n), (m * n + 1, n, 1))),
        is_contiguous(View([], (k, m, n), (m * n, n + 1, 1))),
        is_contiguous(View([], (k, m, n), (2 * m * n, 2 * n, 2))),
        is_contiguous(View([], (k, m, n), (0, n, 1))),
        is_contiguous(View([], (n, m, k), (1, n, m * n))),
    ],
    mistakes={
        "Where a view starts does not matter, only that its numbers follow one another.": lambda: [False] * 6,
        "Everything was called contiguous. Compare the strides with those that the shape would have in order.": lambda: [
            True
        ] * 6,
        "The last stride alone does not decide: every axis counts.": lambda: [True, True, True, False, True, False],
        "Strides that fall from axis to axis are not enough: there may be gaps. Compare them with those of the shape.": lambda: [
            True, True, True, True, False, False,
        ],
    },
)  # fmt: skip
report(
    [
        is_contiguous(View([], (1, m, n), (m * n + 5, n, 1))),
        is_contiguous(View([], (m, 1, n), (n, -3, 1))),
        is_contiguous(View([], (m, n, 1), (n, 1, 7))),
        is_contiguous(View([], (1, m), (m, 2))),
        is_contiguous(View([], (), ())),
    ],
    mistakes={
        "Along an axis of size 1 nobody moves: its stride does not matter.": lambda: [False, False, False, False, True],
    },
)

# %% name="reshaped-layout" tags=["hidden-test"] exercise="reshaped" points=2 hint="Same data, same start, strides of the new shape; -1 becomes the count divided by the other sizes."
k, m, n = (int(size) + 2 for size in inputs.permutation(5)[:3])
start = inputs.choice([1, 2, 3])
v = View([0.5], (k * m, n), (n, 1), start)
w, u = reshaped(v, (k, m, n)), reshaped(v, (m, -1, k))
report(
    [w.shape, w.strides, w.start, w.data is v.data],
    mistakes={
        "The start is lost: the view now reads from the beginning of the row.": lambda: [
            (k, m, n),
            (m * n, n, 1),
            0,
            True,
        ],
    },
)
report([u.shape, u.strides, reshaped(v, (-1,)).shape, reshaped(v, (-1, k * m * n)).shape])

# %% name="reshaped-refuses" tags=["hidden-test"] exercise="reshaped" points=1 hint="Refuse a view that is not contiguous, and a shape that has room for more or fewer numbers."
k, m, n = (int(size) + 2 for size in inputs.permutation(5)[:3])
v = contiguous(range(k * m), (k, m))
report(
    [
        outcome(lambda: reshaped(View(v.data, (m, k), (1, m)), (k, m)).shape),
        outcome(lambda: reshaped(v, (k, m + 1)).shape),
        outcome(lambda: reshaped(v, (k * m - 1, -1)).shape),
        outcome(lambda: reshaped(v, (m, k)).shape),
    ],
    mistakes={
        "A transposed table was reshaped as if its numbers lay in order: they come out scrambled. Refuse it.": lambda: [
            (k, m), "ValueError", "ValueError", (m, k),
        ],
        "The count of numbers must stay: raise ValueError.": lambda: ["ValueError", (k, m + 1), (k * m - 1, 1), (m, k)],
        "Nothing was refused.": lambda: [(k, m), (k, m + 1), (k * m - 1, 1), (m, k)],
        "The division that fills in the -1 leaves a rest, and // hides it: compare the count afterwards.": lambda: [
            "ValueError", "ValueError", (k * m - 1, 1), (m, k),
        ],
    },
)  # fmt: skip

# %% [markdown]
# ## 3. Reductions: the same walk, backwards
#
# A sum over axis 0 takes a table of shape `(3, 4)` and gives 4 numbers: all rows are added into one. Read that sentence
# backwards and you have broadcasting: one row, stretched over three. The code is the same walk, too. Stretch the result
# back to the shape of the input, with stride 0 along the axes that are summed. Then walk through both at once: every
# number of a column arrives at the same place of the result, and is added there.
#
# | | shape of the walk | strides in the input | strides in the result |
# |---|---|---|---|
# | sum over axis 0 of `(3, 4)` | (3, 4) | (4, 1) | (0, 1) |
# | sum over axis 1 | (3, 4) | (4, 1) | (1, 0) |
# | sum over both | (3, 4) | (4, 1) | (0, 0) |
#
# Copying and summing are the same walk in two directions. Remember this: in notebook 02 the derivative of broadcasting
# is a sum.
#
# The summed axis can be dropped from the shape, or kept with size 1 (`keepdims=True`). If you keep it, the result
# broadcasts correctly against the array that it came from. If you drop it, the result may broadcast in the wrong
# direction. Here we want to divide each number by the sum of its *row*:

# %% name="keepdims-dropped" tags=["demo"]
square = np.array([[1, 2, 1], [2, 4, 2], [5, 4, 1]])
print("sums of the rows:", square.sum(axis=1).tolist())
print("rows of the result add up to", (square / square.sum(axis=1)).sum(axis=1).round(2).tolist())
broadcasting.stretch(square, square.sum(axis=1), "÷")

# %% name="keepdims-kept" tags=["demo"]
print("rows of the result add up to", (square / square.sum(axis=1, keepdims=True)).sum(axis=1).round(2).tolist())
broadcasting.stretch(square, square.sum(axis=1, keepdims=True), "÷")

# %% [markdown]
# In the first picture the sums are read as a row (flush right!): all of column 0 is divided by the sum of row 0, all of
# column 1 by the sum of row 1, and so on. The table is square, so you get no error. That is how a softmax can be wrong
# for weeks.
#
# ### Exercise 6: sum over any axes
#
# `walk(shape, strides, other_strides)` gives pairs of positions. Make a result of zeros in the kept shape, set its
# strides to 0 along the summed axes, walk, and add. At the end, drop the summed axes unless `keepdims` is true.


# %% name="summed" tags=["exercise"] forbids=["numpy.sum", "numpy.einsum", "jax.numpy.einsum", "minitorch.ops.einsum"]
def summed(v, axis=None, keepdims=False):
    """The sums of `v` along some axes, as a contiguous View of new numbers.

    Args:
      v: a View.
      axis: None for all axes, an int, or a tuple of ints; negative ones count from the end.
      keepdims: keep the summed axes, with size 1.
    """
    # BEGIN SOLUTION Walk v and a result of zeros, whose strides along the summed axes are 0, and add.
    rank = len(v.shape)
    axes = range(rank) if axis is None else (axis,) if isinstance(axis, int) else axis
    gone = {k % rank for k in axes}
    kept = tuple(1 if k in gone else n for k, n in enumerate(v.shape))
    total = contiguous([0] * math.prod(kept), kept)
    steps = tuple(0 if k in gone else step for k, step in enumerate(total.strides))
    for source, target in walk(v.shape, v.strides, steps):
        total.data[target] += v.data[v.start + source]
    return total if keepdims else contiguous(total.data, [n for k, n in enumerate(v.shape) if k not in gone])
    # END SOLUTION


# %% name="summed-check" tags=["check"] exercise="summed"
grid = np.arange(1, 13).reshape(3, 4) ** 2
squares = contiguous(grid.ravel().tolist(), (3, 4))
check(
    "summed: over axis 0",
    lambda: numbers(summed(squares, axis=0)),
    lambda: grid.sum(0),
    mistakes={
        "That is the sum over all axes. Axis 0 is not None: `if axis` is false for both, `if axis is None` is not.": lambda: (
            grid.sum()
        ),
        "The sum ran over axis 1, along each row. Over axis 0 the rows are poured into one.": lambda: grid.sum(1),
        "Only the last number arrived: add to the result (+=), do not overwrite it.": lambda: grid[-1],
        "That is the mean.": lambda: grid.mean(0),
        "The axis was kept with size 1, and keepdims is False.": lambda: grid.sum(0, keepdims=True),
    },
)
check(
    "summed: over the last axis, kept",
    lambda: numbers(summed(squares, axis=-1, keepdims=True)),
    lambda: grid.sum(1, keepdims=True),
    mistakes={
        "keepdims was not heeded: the summed axis stays, with size 1.": lambda: grid.sum(1),
        "The kept axis stands in the wrong place: it stays where it was.": lambda: grid.sum(1)[None],
        "No axis was summed: -1 is the last one. Make negative axes positive first (`% rank`).": lambda: grid,
        "Axis -1 is the last one, and the sum ran over the first.": lambda: grid.sum(0, keepdims=True),
    },
)
block = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4]).reshape(2, 3, 4)
check(
    "summed: over axes -1 and 0 of (2, 3, 4)",
    lambda: numbers(summed(contiguous(block.ravel().tolist(), block.shape), axis=(-1, 0))),
    lambda: block.sum((0, 2)),
    mistakes={
        "Only the first of the axes was summed.": lambda: block.sum(-1),
        "Only axis 0 was summed: make negative axes positive first (`% rank`).": lambda: block.sum(0),
    },
)
check(
    "summed: everything, to a number with no axes",
    lambda: numbers(summed(squares)),
    lambda: np.array(grid.sum()),
    mistakes={
        "The sum has kept an axis. Without keepdims all axes are gone, and the shape is ().": lambda: grid.sum(
            keepdims=True
        )[0]
    },
)
check(
    "summed: the right half of the table, transposed",
    lambda: numbers(summed(View(squares.data, (2, 3), (1, 4), 2), axis=1)),
    lambda: grid[:, 2:].sum(0),
    mistakes={
        "The view's start was forgotten: its first number lies at v.start.": lambda: grid[:, :2].sum(0),
        "The numbers were read in the order of memory. A view is walked by its own strides.": lambda: np.array(
            [grid.ravel()[2:5].sum(), grid.ravel()[5:8].sum()]
        ),
    },
)

# %% name="summed-one-axis" tags=["hidden-test"] exercise="summed" points=2 hint="Stride 0 in the result along the summed axis; negative axes count from the end; start at v.start."
x = np.asarray(inputs.integers(3, 4, 2, low=-9, high=99))
v = contiguous(x.ravel().tolist(), x.shape)
report(
    numbers(summed(v, axis=0)),
    mistakes={
        "That is the sum over all axes. Axis 0 is not None: `if axis` is false for both, `if axis is None` is not.": lambda: (
            x.sum()
        ),
        "Only the last number arrived: add to the result (+=), do not overwrite it.": lambda: x[-1],
        "That is the mean.": lambda: x.mean(0),
        "The axis was kept with size 1, and keepdims is False.": lambda: x.sum(0, keepdims=True),
    },
)
report(
    numbers(summed(v, axis=-2)),
    mistakes={"No axis was summed: make negative axes positive first (`% rank`).": lambda: x},
)
report(
    numbers(summed(View(v.data, (4, 2), (2, 1), 8), axis=1)),
    mistakes={"The view's start was forgotten: its first number lies at v.start.": lambda: x[0].sum(1)},
)
report(
    numbers(summed(View(v.data, (2, 3), (1, 8)), axis=1)),
    mistakes={
        "The numbers were read in the order of memory. A view is walked by its own strides.": lambda: (
            x.ravel()[:6].reshape(2, 3).sum(1)
        ),
    },
)

# %% name="summed-axes" tags=["hidden-test"] exercise="summed" points=2 hint="None means all axes; a tuple may mix positive and negative ones; keepdims keeps size 1 in place."
x = np.asarray(inputs.integers(2, 3, 4, low=-9, high=99))
v = contiguous(x.ravel().tolist(), x.shape)
report(
    numbers(summed(v, axis=(-1, 0))),
    mistakes={
        "Only the first of the axes was summed.": lambda: x.sum(-1),
        "Only axis 0 was summed: make negative axes positive first (`% rank`).": lambda: x.sum(0),
    },
)
report(
    numbers(summed(v, axis=1, keepdims=True)),
    mistakes={
        "keepdims was not heeded: the summed axis stays, with size 1.": lambda: x.sum(1),
        "The kept axis stands in the wrong place: it stays where it was.": lambda: x.sum(1)[None],
    },
)
report([numbers(summed(v)), numbers(summed(v, keepdims=True)), numbers(summed(v, axis=()))])

# %% [markdown]
# ## 4. Picking by index
#
# Some of the most important lines of a language model pick by index: row 17 of the embedding table, or the logit of the
# right token. A slice was only arithmetic: new strides, and no number moved. With a list of indices such as `[2, 0, 2]`
# this does not work. No stride leads from row 2 to row 0 and back to row 2, so the numbers must be **gathered** into a
# new row. That is the price of "fancy" indexing, in every library: slices are views, lists of indices are copies.
#
# When several axes are indexed by arrays at once, the index arrays **broadcast against each other**, by the rule of
# exercise 1, and are read in step. For a table `x`,
#
# * `x[[0, 1], [3, 2]]` is two numbers, `x[0, 3]` and `x[1, 2]`: pairs, not a block;
# * `x[[[0], [1]], [3, 2]]` is four, a block: indices of shape `(2, 1)` and `(2,)` stretch to `(2, 2)`.
#
# And here is the promised trap of JAX: an index beyond the end does not raise an error.

# %% name="out-of-bounds" tags=["demo"]
print("NumPy:", outcome(lambda: np.arange(5.0)[7]))
print("JAX:  ", jnp.arange(5.0)[jnp.array(7)])

# %% [markdown]
# JAX took the last entry, because 7 is beyond the end and compiled code cannot raise an error. So a label that is off
# by one silently becomes another label. Check the range of your labels where you load the data.
#
# ### Exercise 7: gather
#
# First write `gathered`, which works on your views: your `offset` finds each number, and raises an error if the index
# is beyond the end. Then write `picked`, which works on JAX arrays: for every position in every text of a batch, it
# picks the logit of the right token, with three index arrays that broadcast. Notebook 03 will need it for the loss of a
# language model.


# %% name="gather" tags=["exercise"] forbids=["numpy.take", "jax.numpy.take", "numpy.take_along_axis", "jax.numpy.take_along_axis", "minitorch.ops.take", "minitorch.ops.take_along_axis"]
def gathered(v, indices, axis):
    """The entries of `v` along `axis` that `indices` names, in that order, as a contiguous View of new numbers.

    Args:
      v: a View.
      indices: a list of ints, which may repeat, and be negative.
      axis: an axis of `v`, counted from 0.

    Raises:
      IndexError: there is no such entry.
    """
    # BEGIN SOLUTION For each index of the result: exchange its entry along the axis for the one that indices names, and read.
    shape = (*v.shape[:axis], len(indices), *v.shape[axis + 1 :])
    data = []
    for index in itertools.product(*map(range, shape)):
        source = (*index[:axis], indices[index[axis]], *index[axis + 1 :])
        data.append(v.data[offset(v, source)])
    return contiguous(data, shape)
    # END SOLUTION


def picked(logits, tokens):
    """The logit of the given token, for every text and every place in it.

    Args:
      logits: float array (B, T, V): B texts, T places, V possible tokens.
      tokens: int array (B, T), each from 0 to V - 1.

    Returns:
      Float array (B, T).
    """
    # BEGIN SOLUTION Index with three arrays that broadcast to (B, T): the texts as a column, the places as a row, the tokens.
    texts, places, _ = logits.shape
    return logits[jnp.arange(texts)[:, None], jnp.arange(places), tokens]
    # END SOLUTION


# %% name="gather-check" tags=["check"] exercise="gather"
check(
    "gathered: rows 2, 0, 2, -1 of the table",
    lambda: numbers(gathered(table, [2, 0, 2, -1], 0)),
    lambda: numbers(table)[[2, 0, 2, -1]],
    mistakes={
        "The rows came in their old order, or once only. `indices` says which, in which order, and how often.": lambda: (
            numbers(table)[[0, 2]]
        ),
        "That is one number for each index. A whole row is to come for each.": lambda: numbers(table)[[2, 0, 2, -1], 0],
        "Columns were gathered, and the axis is 0.": lambda: numbers(table)[:, [2, 0, 2, -1]],
    },
)
check(
    "gathered: columns 3 and 1 of every second row",
    lambda: numbers(gathered(View(table.data, (2, 4), (8, 1), 0), [3, 1], 1)),
    lambda: numbers(table)[::2, [3, 1]],
    mistakes={
        "Rows were gathered, and the axis is 1.": "IndexError",
        "The numbers were read in the order of memory. A view is walked by its own strides.": lambda: numbers(table)[
            :2, [3, 1]
        ],
        "The indices were used in sorted order.": lambda: numbers(table)[::2, [1, 3]],
    },
)
check(
    "gathered: row 3 does not exist",
    lambda: refusal(lambda: gathered(table, [0, 3], 0)),
    "IndexError",
    mistakes={
        "Row 3 was taken for the last row, as JAX does, or for another. Here it is refused: IndexError.": "no error",
    },
)
logits = jnp.arange(24.0).reshape(2, 3, 4) ** 2
tokens = jnp.array([[3, 0, 1], [2, 2, 0]])
right = jnp.array([[9.0, 16.0, 81.0], [196.0, 324.0, 400.0]])
check(
    "picked: 2 texts of 3 tokens",
    lambda: picked(logits, tokens),
    right,
    mistakes={
        "That is, for every place, the logits of all tokens of the batch. A slice does not move in step with an index: give indices for all three axes.": lambda: (
            logits[:, :, tokens]
        ),
        "The largest logits were picked. It must be those of the given tokens.": lambda: logits.max(-1),
        "The tokens were looked up along another axis.": lambda: logits[tokens % 2, jnp.arange(3), jnp.arange(3)],
        "The logits of the first text were taken for all texts: the texts need an index of their own.": lambda: logits[
            0, jnp.arange(3), tokens
        ],
        "The logits at the first place were taken for all places: the places need an index of their own.": lambda: (
            logits[jnp.arange(2)[:, None], 0, tokens]
        ),
        "The tokens are off by one: they count from 0.": lambda: logits[
            jnp.arange(2)[:, None], jnp.arange(3), tokens - 1
        ],
    },
)
check(
    "picked: 3 texts of 3 tokens, where pairs and blocks look alike",
    lambda: picked(jnp.arange(36.0).reshape(3, 3, 4), jnp.array([[3, 0, 1], [2, 2, 0], [1, 3, 3]])),
    jnp.array([[3.0, 4.0, 9.0], [14.0, 18.0, 20.0], [25.0, 31.0, 35.0]]),
    mistakes={
        "Texts and places were paired: text 0 with place 0, text 1 with place 1. Make the texts a column, so that the two broadcast.": jnp.array(
            [[3.0, 16.0, 33.0], [2.0, 18.0, 32.0], [1.0, 19.0, 35.0]]
        ),
        "Texts and places are exchanged: the texts are the column, the places the row.": jnp.array(
            [[3.0, 12.0, 25.0], [6.0, 18.0, 28.0], [9.0, 23.0, 35.0]]
        ),
    },
)

# %% name="gather-gathered" tags=["hidden-test"] exercise="gather" points=2 hint="The result has len(indices) entries along the axis; read each number of v at its own offset."
x = np.asarray(inputs.integers(4, 3, 5, low=10, high=99))
v = contiguous(x.ravel().tolist(), x.shape)
a, b, c = (int(i) for i in inputs.permutation(4)[:3])
wanted = [a, b, a, -1, -4, c, b]
report(
    numbers(gathered(v, wanted, 0)),
    mistakes={
        "The rows came in their old order, or once only. `indices` says which, in which order, and how often.": lambda: (
            x[sorted({i % 4 for i in wanted})]
        ),
        "That is one number for each index. A whole slice is to come for each.": lambda: x[wanted, 0, 0],
    },
)
report(
    numbers(gathered(View(v.data, (5, 3, 2), (1, 5, 30), 15), [2, 0], 1)),
    mistakes={
        "The numbers were read in the order of memory. A view is walked by its own strides.": lambda: x.ravel()[
            15:45
        ].reshape(5, 3, 2)[:, [2, 0]],
        "The indices were used in sorted order.": lambda: x[1::2].transpose(2, 1, 0)[:, [0, 2]],
    },
)
report(numbers(gathered(v, [4, a], 2)))
report(
    [outcome(lambda: numbers(gathered(v, [a, 4], 0))), outcome(lambda: numbers(gathered(v, [-4], 1)))],
    mistakes={
        "An index beyond the end was taken for the last one, as JAX does. Here it is refused: IndexError.": lambda: [
            x[[a, 3]],
            x[:, [0]],
        ],
        "An index beyond the end came round again.": lambda: [x[[a, 0]], x[:, [2]]],
    },
)

# %% name="gather-picked" tags=["hidden-test"] exercise="gather" points=2 hint="Three index arrays that broadcast to (B, T): texts as a column, places as a row, tokens."
x, t = inputs.normal(3, 3, 6), inputs.integers(3, 3, low=0, high=6)
report(
    picked(x, t),
    mistakes={
        "That is, for every place, the logits of all tokens of the batch. A slice does not move in step with an index: give indices for all three axes.": lambda: (
            x[:, :, t]
        ),
        "Texts and places were paired. Make the texts a column, so that the two broadcast.": lambda: x[
            jnp.arange(3), jnp.arange(3), t
        ],
        "Texts and places are exchanged: the texts are the column, the places the row.": lambda: x[
            jnp.arange(3), jnp.arange(3)[:, None], t
        ],
        "The logits of the first text were taken for all texts: the texts need an index of their own.": lambda: x[
            0, jnp.arange(3), t
        ],
        "The logits at the first place were taken for all places: the places need an index of their own.": lambda: x[
            jnp.arange(3)[:, None], 0, t
        ],
        "The largest logits were picked. It must be those of the given tokens.": lambda: x.max(-1),
        "The tokens are off by one: they count from 0.": lambda: x[jnp.arange(3)[:, None], jnp.arange(3), t - 1],
    },
)
y, u = inputs.normal(2, 5, 4), inputs.integers(2, 5, low=0, high=4)
report(picked(y, u))

# %% [markdown]
# ## 5. The matrix product, taken apart
#
# In a matrix product, number $[i, j]$ is row $i$ of the left matrix times column $j$ of the right one, summed:
#
# $$y_{ij} = \sum_k a_{ik}\, b_{kj}.$$
#
# Look at it as in section 1. There are three indices, so lay everything out in a cube with three axes. `a` has no $j$:
# stretch it along the last axis. `b` has no $i$: stretch it along the first. Multiply number by number, and sum along
# $k$. That is broadcasting plus a reduction, and you have written both.

# %% name="product-drawn" tags=["demo"]
broadcasting.product([[1, 2, 3], [4, 5, 6]], [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]])

# %% [markdown]
# (The sheet in front is $i = 0$. Check one number: $32 = 1 \cdot 0 + 2 \cdot 4 + 3 \cdot 8$.)
#
# Now that the product is in parts, you can exchange the parts. Nothing says that the two steps must be *times* and
# *plus*. Kenneth Iverson saw that in 1962: his language APL writes the product as `+.×`, and you may write any two
# operations there.
#
# | in the cube | along k | gives |
# |---|---|---|
# | times | sum | matrix product |
# | plus | min | shortest paths, with one more stop |
# | equal | all | which rows are the same |
# | squared difference | sum | squared distances between all points |
#
# ### Exercise 8: the inner product of two operations
#
# This is one line if the axes are right. Leading axes are batches: they broadcast, like everything else.
# `x[..., :, None]` puts a new axis at the end, however many axes there are in front.


# %% name="inner" tags=["exercise"] forbids=["jax.numpy.matmul", "jax.numpy.dot", "jax.numpy.einsum", "jax.numpy.tensordot", "jax.numpy.inner", "jax.numpy.vecdot", "jax.numpy.matvec", "jax.numpy.vecmat", "jax.lax.dot", "jax.lax.dot_general", "jax.lax.batch_matmul", "numpy.matmul", "numpy.dot", "numpy.einsum", "numpy.tensordot", "numpy.inner", "numpy.vecdot", "minitorch.ops.matmul", "minitorch.ops.einsum", "minitorch.ops.tensordot"]
def inner(a, b, times, plus):
    """Like a matrix product, with `times` for the multiplication and `plus` for the sum.

    Args:
      a: array (..., M, K).
      b: array (..., K, N); the axes in front broadcast against those of `a`.
      times: a function of two arrays that broadcasts, such as jnp.multiply.
      plus: a function `plus(x, axis=...)` that reduces along an axis, such as jnp.sum.

    Returns:
      Array (..., M, N): [i, j] is plus over k of times(a[i, k], b[k, j]).
    """
    # BEGIN SOLUTION Give a an axis for j at its end and b one for i before k; combine; reduce along k.
    return plus(times(a[..., :, :, None], b[..., None, :, :]), axis=-2)
    # END SOLUTION


# %% name="inner-check" tags=["check"] exercise="inner"
a, b = jnp.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), jnp.arange(12.0).reshape(3, 4)
check(
    "inner: times and sum, the matrix product",
    lambda: inner(a, b, jnp.multiply, jnp.sum),
    lambda: a @ b,
    mistakes={
        "The cube (M, K, N) is right, but the reduction is missing.": lambda: a[:, :, None] * b,
        "The last axis of the cube was reduced: that is j. The axis to go is k, in the middle.": lambda: (
            a[:, :, None] * b
        ).sum(-1),
        "The first axis of the cube was reduced: that is i. The axis to go is k, in the middle.": lambda: (
            a[:, :, None] * b
        ).sum(0),
        "The axis that was summed is kept with size 1.": lambda: (a[:, :, None] * b).sum(1, keepdims=True),
        "The result is transposed: i comes first, j last.": lambda: (a @ b).T,
    },
)
legs = jnp.array([[0.0, 5.0, 2.0], [9.0, 0.0, 7.0], [1.0, 2.0, 0.0]])  # legs[i, k]: the way from i to k in minutes.
check(
    "inner: plus and min, the shortest ways over one stop",
    lambda: inner(legs, legs, jnp.add, jnp.min),
    jnp.array([[0.0, 4.0, 2.0], [8.0, 0.0, 7.0], [1.0, 2.0, 0.0]]),
    mistakes={
        "The numbers were multiplied and summed, whatever `times` and `plus` say.": lambda: legs @ legs,
        "`plus` was not used: the numbers were summed. It is `plus` that reduces.": lambda: (
            legs[:, :, None] + legs
        ).sum(1),
        "`times` was not used: the numbers were multiplied.": lambda: (legs[:, :, None] * legs).min(1),
    },
)
check(
    "inner: with minus for times, the order counts",
    lambda: inner(a, b, jnp.subtract, jnp.max),
    lambda: (a[:, :, None] - b).max(1),
    mistakes={
        "`times` was called with b first: times(a[i, k], b[k, j]).": lambda: (b - a[:, :, None]).max(1),
    },
)
stack, others = jnp.stack([a, a**2]), jnp.arange(24.0).reshape(2, 3, 4) % 7
check(
    "inner: a batch of two with a batch of two",
    lambda: inner(stack, others, jnp.multiply, jnp.sum),
    lambda: stack @ others,
    mistakes={
        "Works for two matrices, but axes were counted from the front: with a batch in front, -2 is k and 1 is not.": lambda: (
            (stack[..., None] * others[:, None]).sum(1)
        ),
        "The batch of b met the rows of a: b needs an axis of its own for i (`[..., None, :, :]`) before batches can line up.": lambda: (
            jnp.einsum("bik,ikj->bij", stack, others)
        ),
    },
)
check(
    "inner: a batch of two with one matrix",
    lambda: inner(stack, b, jnp.multiply, jnp.sum),
    lambda: stack @ b,
)

# %% name="inner-matrices" tags=["hidden-test"] exercise="inner" points=2 hint="times on (M, K, 1) and (1, K, N), in this order, then plus along the middle axis."
x, y = inputs.normal(3, 4), inputs.normal(4, 5)
report(
    inner(x, y, jnp.multiply, jnp.sum),
    mistakes={
        "The cube (M, K, N) is right, but the reduction is missing.": lambda: x[:, :, None] * y,
        "The last axis of the cube was reduced: that is j. The axis to go is k, in the middle.": lambda: (
            x[:, :, None] * y
        ).sum(-1),
        "The first axis of the cube was reduced: that is i. The axis to go is k, in the middle.": lambda: (
            x[:, :, None] * y
        ).sum(0),
        "The axis that was summed is kept with size 1.": lambda: (x[:, :, None] * y).sum(1, keepdims=True),
    },
)
report(
    inner(x, y, jnp.subtract, jnp.max),
    mistakes={
        "`times` was called with b first: times(a[i, k], b[k, j]).": lambda: (y - x[:, :, None]).max(1),
        "The numbers were multiplied and summed, whatever `times` and `plus` say.": lambda: x @ y,
        "`plus` was not used: the numbers were summed. It is `plus` that reduces.": lambda: (x[:, :, None] - y).sum(1),
        "`times` was not used: the numbers were multiplied.": lambda: (x[:, :, None] * y).max(1),
    },
)

# %% name="inner-batches" tags=["hidden-test"] exercise="inner" points=2 hint="Count axes from the end, and give b its axis for i before k, so that batches line up."
x, y, z = inputs.normal(3, 3, 4), inputs.normal(3, 4, 2), inputs.normal(2, 1, 4, 3)
report(
    inner(x, y, jnp.multiply, jnp.sum),
    mistakes={
        "Works for two matrices, but axes were counted from the front: with a batch in front, -2 is k and 1 is not.": lambda: (
            (x[..., None] * y[:, None]).sum(1)
        ),
        "The batch of b met the rows of a: b needs an axis of its own for i (`[..., None, :, :]`) before batches can line up.": lambda: (
            jnp.einsum("bik,ikj->bij", x, y)
        ),
    },
)
report(inner(x, z, jnp.add, jnp.min))
report(inner(x[0], y, jnp.multiply, jnp.max))

# %% [markdown]
# ## 6. Einsum: name the axes
#
# `[..., None, :, :]` is not a pretty way to say "b has no i". In 1916 Albert Einstein noticed that in his formulas for
# general relativity every index that occurred twice was summed. So he could leave out the sum signs: $y_{ij} = a_{ik}
# b_{kj}$. Einsum is that, typed:
#
# ```
#   "ik,kj->ij"       left of the arrow a letter for each axis of each operand, right of it the axes of the result.
#                     The same letter is the same index. A letter that is missing on the right is summed.
# ```
#
# | formula | is |
# |---|---|
# | `"ik,kj->ij"` | matrix product |
# | `"bik,bkj->bij"` | the same, for a batch |
# | `"i,j->ij"` | every product of two rows of numbers |
# | `"i,i->"` | dot product |
# | `"ij,j->ij"` | each column times a number: broadcasting |
# | `"ii,->"` | the trace, times a number: twice the same letter walks the diagonal |
# | `"bthd,bshd->bhts"` | the scores of attention (notebook 07) |
#
# You have everything that you need to write it. Each letter is a loop. For each letter, every array has a stride: how
# far to move when this letter goes up by one. If the letter names one of the array's axes, it is the stride of that
# axis. If it names none of them, the stride is 0, and the walk stays where it is (broadcasting). If it names two of
# them, both move at once, and the stride is their sum (the diagonal). So for `"ik,kj->ij"` with shapes `(2, 3)` and
# `(3, 4)`:
#
# | | i | k | j |
# |---|---|---|---|
# | size | 2 | 3 | 4 |
# | stride in a `(2, 3)` | 3 | 1 | 0 |
# | stride in b `(3, 4)` | 0 | 4 | 1 |
# | stride in y `(2, 4)` | 4 | 0 | 1 |
#
# Three rows of strides, and one walk: at every step, multiply the numbers at the first two positions, and add the
# product at the third.
#
# ### Exercise 9: an einsum of your own
#
# First write the parser, then the walk. Spaces in a formula mean nothing. `parsed` raises an error if a formula is not
# valid.


# %% name="einsum" tags=["exercise"] forbids=["jax.numpy.einsum", "jax.numpy.tensordot", "jax.numpy.matmul", "jax.numpy.dot", "jax.numpy.einsum_path", "numpy.einsum", "numpy.tensordot", "numpy.matmul", "numpy.dot", "numpy.einsum_path", "minitorch.ops.einsum", "minitorch.ops.tensordot", "minitorch.ops.matmul"]
def parsed(formula, *shapes):
    """Read a formula such as "ik,kj->ij".

    Args:
      formula: the operands' letters, separated by commas, an arrow, the result's letters; spaces mean nothing.
      shapes: the shape of each operand.

    Returns:
      `(terms, output, sizes)`: a list with the letters of each operand, the letters of the result, and a dict from
      each letter, in order of first appearance, to its size.

    Raises:
      ValueError: a shape has not as many axes as its operand has letters; there are more or fewer shapes than operands;
        one letter stands for two sizes; or a letter of the result is in no operand.
    """
    # BEGIN SOLUTION Split at the arrow and the commas; collect the size of each letter; refuse what does not fit.
    inputs, output = formula.replace(" ", "").split("->")
    terms, sizes = inputs.split(","), {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            if sizes.setdefault(letter, n) != n:
                raise ValueError(f"{letter!r} stands for axes of sizes {sizes[letter]} and {n}")
    if not set(output) <= set(sizes):
        raise ValueError(f"the result {output!r} has a letter that no operand has")
    return terms, output, sizes
    # END SOLUTION


def einsum(formula, a, b):
    """The sum of products of two views that `formula` describes, as a contiguous View of new numbers.

    Args:
      formula: such as "ik,kj->ij"; a letter may repeat within an operand (the diagonal), not within the result.
      a, b: Views.
    """

    # BEGIN SOLUTION Give a, b and a result of zeros a stride for each letter, walk all letters, and add the products.
    (first, second), output, sizes = parsed(formula, a.shape, b.shape)
    shape = [sizes[letter] for letter in output]
    y = contiguous([0] * math.prod(shape), shape)

    def steps(term, v):
        return [sum(step for c, step in zip(term, v.strides) if c == letter) for letter in sizes]

    for p, q, r in walk(sizes.values(), steps(first, a), steps(second, b), steps(output, y)):
        y.data[r] += a.data[a.start + p] * b.data[b.start + q]
    return y
    # END SOLUTION


# %% name="einsum-check" tags=["check"] exercise="einsum"
check(
    "parsed: a matrix product",
    lambda: parsed("ik, kj -> ij", (2, 3), (3, 4)),
    (["ik", "kj"], "ij", {"i": 2, "k": 3, "j": 4}),
    mistakes={
        "The spaces are still there: remove them first.": (["ik", " kj "], " ij", {"i": 2, "k": 3, "j": 4}),
        "Only letters of the result were given a size. The summed ones are walked as well.": (["ik", "kj"], "ij", {"i": 2, "j": 4}),
    },
)  # fmt: skip
check("parsed: the order of the letters", lambda: list(parsed("ba,ac->cb", (2, 3), (3, 4))[2]), ["b", "a", "c"])
check(
    "parsed: one letter, two sizes",
    lambda: refusal(lambda: parsed("ik,kj->ij", (2, 3), (4, 5))),
    "ValueError",
    mistakes={"One letter stood for sizes 3 and 4, and that was accepted: raise ValueError.": "no error"},
)
check(
    "parsed: three axes, two letters",
    lambda: refusal(lambda: parsed("ik,kj->ij", (2, 3, 1), (3, 4))),
    "ValueError",
    mistakes={
        "An axis without a letter was accepted: zip stops at the shorter of two; strict=True does not.": "no error"
    },
)
check(
    "parsed: two operands, one shape",
    lambda: refusal(lambda: parsed("i,i->", (3,))),
    "ValueError",
    mistakes={"An operand without a shape was accepted: zip stops at the shorter; strict=True does not.": "no error"},
)
check(
    "parsed: a letter that comes from nowhere",
    lambda: refusal(lambda: parsed("i,i->j", (3,), (3,))),
    "ValueError",
    mistakes={"The result may only have letters that some operand has: raise ValueError.": "no error"},
)
p, q = np.arange(1, 7).reshape(2, 3), np.arange(12).reshape(3, 4) ** 2
left, right_side = contiguous(p.ravel().tolist(), (2, 3)), contiguous(q.ravel().tolist(), (3, 4))
check(
    "einsum: a matrix product, and the same transposed",
    lambda: [numbers(einsum("ik,kj->ij", left, right_side)), numbers(einsum("ik,kj->ji", left, right_side))],
    lambda: [p @ q, (p @ q).T],
    mistakes={
        "Only the last product along the summed letter arrived: add (+=), do not overwrite.": lambda: [
            p[:, -1:] * q[-1], (p[:, -1:] * q[-1]).T,
        ],
        "The axes of the result must come in the order in which the formula names them, here j first.": lambda: [p @ q, p @ q],
        "The result has the right shape, but was filled in the order of the loops: give it a stride for each letter too.": lambda: [
            p @ q, (p @ q).reshape(4, 2),
        ],
    },
)  # fmt: skip
check(
    "einsum: nothing summed, and everything summed",
    lambda: [
        numbers(einsum("i,j->ij", contiguous([1, 2], (2,)), contiguous([3, 4, 5], (3,)))),
        numbers(einsum("ij,ij->", left, left)),
        numbers(einsum("ij,j->i", left, contiguous([1, 0, 2], (3,)))),
        numbers(einsum("ij,->j", left, contiguous([10], ()))),
    ],
    lambda: [np.array([[3, 4, 5], [6, 8, 10]]), (p * p).sum(), p @ [1, 0, 2], 10 * p.sum(0)],
    mistakes={
        "The sums were multiplied. It is the products that are summed.": lambda: [
            np.array([[3, 4, 5], [6, 8, 10]]), p.sum() ** 2, p.sum(1) * 3, 10 * p.sum(0),
        ],
    },
)  # fmt: skip
check(
    "einsum: a letter twice in one operand is the diagonal",
    lambda: numbers(einsum("ii,i->i", contiguous(q[:, :3].ravel().tolist(), (3, 3)), contiguous([1, 1, 2], (3,)))),
    lambda: np.diagonal(q) * [1, 1, 2],
    mistakes={
        "The letter moved along the first of its two axes only. Both move: add their strides.": lambda: (
            q[:3, 0] * [1, 1, 2]
        ),
        "The letter moved along the last of its two axes only. Both move: add their strides.": lambda: (
            q[0, :3] * [1, 1, 2]
        ),
    },
)
check(
    "einsum: a transposed view that starts at 1",
    lambda: numbers(einsum("ik,kj->ij", View(right_side.data, (2, 3), (1, 4), 1), right_side)),
    lambda: q.T[1:3] @ q,
    mistakes={
        "The view's start was forgotten: its first number lies at a.start.": lambda: q.T[:2] @ q,
        "The strides were made from the shape. A view has its own.": lambda: q.ravel()[1:7].reshape(2, 3) @ q,
    },
)

# %% name="einsum-parsed" tags=["hidden-test"] exercise="einsum" points=2 hint="Split at the arrow, then at the commas; one size for each letter; refuse what does not fit."
k, m, n = (int(size) + 2 for size in inputs.permutation(6)[:3])
report(
    list(parsed(" bki,k jb ->bij", (k, m, n), (m, n + 1, k))),
    mistakes={
        "Only letters of the result were given a size. The summed ones are walked as well.": lambda: [
            ["bki", "kjb"], "bij", {"b": k, "i": n, "j": n + 1},
        ],
    },
)  # fmt: skip
report(list(parsed("zya,ab,->bz", (k, m, n), (n, m), ())[2].items()))
report(
    [
        outcome(lambda: parsed("ik,kj->ij", (m, k), (k + 1, n))[1]),
        outcome(lambda: parsed("ii,i->i", (n, n + 2), (n,))[1]),
        outcome(lambda: parsed("ik,kj->ij", (m, k), (k,))[1]),
        outcome(lambda: parsed("ik,kj->ij", (m, k, n), (k, n))[1]),
        outcome(lambda: parsed("i,i->", (k,))[1]),
        outcome(lambda: parsed("i,i->ij", (k,), (k,))[1]),
        outcome(lambda: parsed("i,i->", (k,), (k,))[1]),
    ],
    mistakes={
        "One letter stood for two sizes, and that was accepted: raise ValueError.": lambda: ["ij", "i", *["ValueError"] * 4, ""],
        "Axes without letters, and operands without shapes, were accepted: zip stops at the shorter; strict=True does not.": lambda: [
            "ValueError", "ValueError", "ValueError", "ij", "", "ValueError", "",
        ],
        "The result may only have letters that some operand has: raise ValueError.": lambda: [*["ValueError"] * 5, "ij", ""],
    },
)  # fmt: skip

# %% name="einsum-products" tags=["hidden-test"] exercise="einsum" points=3 hint="A stride for each letter in a, b and the result; walk all letters; add the product at each step."
x, y = np.asarray(inputs.integers(3, 4, low=-9, high=10)), np.asarray(inputs.integers(4, 2, low=-9, high=10))
v, w = contiguous(x.ravel().tolist(), x.shape), contiguous(y.ravel().tolist(), y.shape)
report(
    numbers(einsum("ik,kj->ji", v, w)),
    mistakes={
        "Only the last product along the summed letter arrived: add (+=), do not overwrite.": lambda: (
            (x[:, -1:] * y[-1]).T
        ),
        "The axes of the result must come in the order in which the formula names them.": lambda: x @ y,
        "The result has the right shape, but was filled in the order of the loops: give it a stride for each letter too.": lambda: (
            (x @ y).reshape(2, 3)
        ),
    },
)
report([numbers(einsum("i,j->ij", *(contiguous(z, (len(z),)) for z in (x[0].tolist(), y[:, 0].tolist()))))])
report(
    numbers(einsum("ij,ij->", v, v)),
    mistakes={"The sums were multiplied. It is the products that are summed.": lambda: x.sum() ** 2},
)

# %% name="einsum-views" tags=["hidden-test"] exercise="einsum" points=2 hint="Use each view's own strides and start; a letter that stands for two axes moves along both."
x = np.asarray(inputs.integers(4, 4, low=-9, high=10))
v = contiguous(x.ravel().tolist(), x.shape)
z = contiguous(np.asarray(inputs.integers(4, low=1, high=10)).tolist(), (4,))
report(
    numbers(einsum("ii,i->i", v, z)),
    mistakes={
        "The letter moved along the first of its two axes only. Both move: add their strides.": lambda: (
            x[:, 0] * numbers(z)
        ),
        "The letter moved along the last of its two axes only. Both move: add their strides.": lambda: (
            x[0] * numbers(z)
        ),
    },
)
report(
    numbers(einsum("ik,kj->ij", View(v.data, (3, 2), (1, 4), 5), View(v.data, (2, 4), (4, 1), 8))),
    mistakes={
        "The view's start was forgotten: its first number lies at start.": lambda: x[:2, :3].T @ x[:2],
        "The strides were made from the shape. A view has its own.": lambda: x.ravel()[5:11].reshape(3, 2) @ x[2:],
    },
)
a = np.asarray(inputs.integers(2, 3, 4, low=-5, high=6))
report(numbers(einsum("bij,jb->bi", contiguous(a.ravel().tolist(), a.shape), View(v.data, (4, 2), (4, 1), 1))))

# %% [markdown]
# ## 7. The proof
#
# We run your functions against NumPy and JAX on random shapes, a hundred cases each.

# %% name="proof" tags=["demo"]
rng = np.random.default_rng(0)


def drawn_shape(axes):
    return tuple(int(n) for n in rng.integers(1, 5, axes))


def drawn_view(shape):
    """A view of random whole numbers with gaps and its axes out of order, and what it reads."""
    order = rng.permutation(len(shape)).tolist()
    x = rng.integers(-9, 10, [2 * shape[k] for k in order])
    strides = contiguous([], x.shape).strides
    v = View(x.ravel().tolist(), shape, tuple(2 * strides[order.index(k)] for k in range(len(shape))))
    return v, numbers(v)


def broadcast_case():
    a, b = drawn_shape(rng.integers(4)), drawn_shape(rng.integers(4))
    return outcome(lambda: broadcast_shape(a, b)), outcome(lambda: np.broadcast_shapes(a, b))


def slice_case():
    v, x = drawn_view(drawn_shape(3))
    n = x.shape[1]
    start, step = int(rng.integers(n)), int(rng.choice([1, 2, -1]))
    return numbers(sliced(v, 1, start, n if step > 0 else -1, step)), x[:, start::step]


def stretch_case():
    v, x = drawn_view((1, 3, 1))
    shape = (*drawn_shape(2), 3, *drawn_shape(1))
    return numbers(stretched(v, shape)), jnp.broadcast_to(x, shape)


def sum_case():
    v, x = drawn_view(drawn_shape(3))
    axis = tuple(rng.permutation(3)[: rng.integers(4)].tolist())
    return numbers(summed(v, axis, keepdims=True)), x.sum(axis, keepdims=True)


def inner_case():
    m, k, n = drawn_shape(3)
    a, b = rng.integers(-9, 10, (2, m, k)), rng.integers(-9, 10, (k, n))
    return inner(jnp.array(a), jnp.array(b), jnp.multiply, jnp.sum), a @ b


def einsum_case():
    sizes = dict(zip("abcd", drawn_shape(4), strict=True))
    first, second, output = ("".join(rng.choice(list("abcd"), n, replace=False)) for n in (2, 3, 2))
    if not set(output) <= set(first + second):
        return einsum_case()
    formula = f"{first},{second}->{output}"
    (v, x), (w, z) = (drawn_view(tuple(sizes[c] for c in term)) for term in (first, second))
    return numbers(einsum(formula, v, w)), jnp.einsum(formula, x, z)


def agrees(case):
    try:
        return np.array_equal(*case())
    except (IndexError, TypeError, ValueError):
        return False


for case in (broadcast_case, slice_case, stretch_case, sum_case, inner_case, einsum_case):
    with skip_if_unfinished():
        agreed = sum(agrees(case) for _ in range(100))
        print(f"{case.__name__:<15} {agreed} of 100 agree")

# %% [markdown]
# ### Your einsum reads digits
#
# Here is a classifier without any training: compute the *mean picture* of each digit, and give a new picture the digit
# of the nearest mean. Every step of it is in this notebook. The mean pictures are an einsum of the labels (as ones and
# zeros) with the pictures, `"nc,nd->cd"`, divided by the count of each digit, which is a reduction. The distances are
# an `inner` of squared differences.

# %% name="digits" tags=["demo"]
from minitorch_course.figures import digits
from minitorch.data import load_digits, stratified_split

(images, labels), (test_images, test_labels) = stratified_split(*load_digits(), validation=0.2, seed=0)
some = np.random.default_rng(0).permutation(len(images))[:500]
pictures, labels = images[some].reshape(500, 64), labels[some]


def as_view(x):
    return contiguous(x.ravel().tolist(), x.shape)


with skip_if_unfinished():
    one_hot = (labels[:, None] == np.arange(10)).astype(float)  # (500, 10): a column of labels against a row.
    totals = numbers(einsum("nc,nd->cd", as_view(one_hot), as_view(pictures)))
    counts = numbers(summed(as_view(one_hot), axis=0, keepdims=True)).T  # (10, 1), to stretch over 64 pixels.
    means = totals / counts
    unseen = jnp.array(test_images.reshape(-1, 64))
    distances = inner(unseen, jnp.array(means.T), lambda a, b: (a - b) ** 2, jnp.sum)  # (pictures, 10)
    read = np.asarray(distances.argmin(axis=-1))
    print("held-out digits read rightly, at least 88 %:", bool((read == test_labels).mean() >= 0.88))
    digits.show(means.reshape(10, 8, 8), [f"mean {digit}" for digit in range(10)])

# %% [markdown]
# The 320,000 multiplications of that einsum take your loop about a second. NumPy's einsum is the same walk, written in
# C, and needs less than a thousandth of that time. The strides are the same.
#
# ## Stretch: any number of operands
#
# Formulas may have more than two operands: `"ij,jk,kl->il"`. One walk over all letters would be right, but slow: if all
# sizes are 10, it takes $10^4$ steps, while two products one after the other take $2 \cdot 10^3$. So contract **pair by
# pair**. After each pair, keep the letters that a later operand or the result still needs, and sum over the others at
# once. If you sum too early, the answer is wrong; if you sum too late, it is slow.
#
# Which order is best? For five matrices this is a textbook problem; for the tensor networks of physics, with hundreds
# of operands, it is an active research field (Smith and Gray, 2018). Here, left to right is good enough.


# %% name="einsum_of_many" tags=["exercise", "stretch"] forbids=["jax.numpy.einsum", "numpy.einsum", "minitorch.ops.einsum"]
def einsum_of_many(formula, *views):
    """Like `einsum`, for one operand or more, contracted from left to right by `einsum`."""
    # BEGIN SOLUTION Begin with the number 1 and no letters; take in one operand after the other, keeping the letters still needed.
    terms, output, _ = parsed(formula, *(v.shape for v in views))
    letters, result = "", contiguous([1], ())
    for i, (term, v) in enumerate(zip(terms, views)):
        later = set(output).union(*terms[i + 1 :])
        last = i == len(terms) - 1
        kept = output if last else "".join(c for c in dict.fromkeys(letters + term) if c in later)
        letters, result = kept, einsum(f"{letters},{term}->{kept}", result, v)
    return result
    # END SOLUTION


# %% name="einsum_of_many-check" tags=["check", "stretch"] exercise="einsum_of_many"
s = np.arange(1, 10).reshape(3, 3) % 5
check("one operand: the transpose", lambda: numbers(einsum_of_many("ij->ji", left)), lambda: p.T)
check(
    "three matrices",
    lambda: numbers(einsum_of_many("ij,jk,kl->il", left, contiguous(s.ravel().tolist(), (3, 3)), right_side)),
    lambda: p @ s @ q,
    mistakes={
        "A letter was summed before an operand that needs it had come.": lambda: (p.sum(1)[:, None] * s.sum(0)) @ q
    },
)
check(
    "a letter in all three, and in the result",
    lambda: numbers(einsum_of_many("ij,ij,ij->i", left, left, left)),
    lambda: (p**3).sum(1),
    mistakes={"j was summed after two operands, and then once more.": lambda: (p**2).sum(1) * p.sum(1)},
)
check(
    "four operands, one of them a number",
    lambda: numbers(
        einsum_of_many("i,,ij,j->", contiguous([1, 2], (2,)), contiguous([3], ()), left, contiguous([1, 0, 1], (3,)))
    ),
    lambda: 3 * np.array([1, 2]) @ p @ [1, 0, 1],
)

# %% [markdown]
# ## In the wild
#
# | what you wrote | where it stands |
# |---|---|
# | `broadcast_shape` | JAX: `jax/_src/lax/lax.py` (`broadcast_shapes`); PyTorch: `aten/src/ATen/ExpandUtils.cpp` (`infer_size`) |
# | `stretched`, stride 0 | PyTorch: `inferExpandGeometry` in the same file; NumPy: `numpy/lib/_stride_tricks_impl.py` |
# | `reshaped`, when no copy is needed | PyTorch: `aten/src/ATen/TensorUtils.cpp` (`computeStride`) |
# | views as a data structure | tinygrad: `tinygrad/shape/view.py`, in Python and close to yours |
# | `gathered` | JAX: `jax/_src/numpy/indexing.py`, and what happens beyond the end: `GatherScatterMode` in `jax/_src/lax/slicing.py` |
# | `einsum` as one walk | NumPy: `numpy/_core/src/multiarray/einsum.cpp` |
# | `einsum` as matrix products | JAX: `jax/_src/numpy/einsum.py` |
# | pair by pair, in a good order | opt_einsum: `opt_einsum/paths.py`, `opt_einsum/contract.py`; JAX calls it |
# | summing what was stretched | HIPS autograd: `unbroadcast` in `autograd/numpy/numpy_vjps.py`; minitorch: `unbroadcast` in `minitorch/ops/shapes.py`; you, in notebook 02 |
#
# One honest difference: a JAX array does not show its strides. XLA chooses the layout of every array in a compiled
# program, fuses transposes into the operations that read them, and keeps all that to itself. The walk is still a walk.
#
# ## References
#
# - A. Einstein, "Die Grundlage der allgemeinen Relativitätstheorie", *Annalen der Physik* 49 (1916): the summation
#   convention.
# - K. Sattley, "Allocation of storage for arrays in ALGOL 60", *Communications of the ACM* 4 (1961): the dope vector.
# - K. E. Iverson, *A Programming Language* (1962): reductions along an axis, the inner product of any two operations.
# - S. van der Walt, S. C. Colbert, G. Varoquaux, "The NumPy array: a structure for efficient numerical computation",
#   *Computing in Science and Engineering* 13 (2011): strides and broadcasting.
# - D. G. A. Smith, J. Gray, "opt_einsum: a Python package for optimizing contraction order for einsum-like
#   expressions", *Journal of Open Source Software* 3 (2018).
# - C. R. Harris and others, "Array programming with NumPy", *Nature* 585 (2020).
# - A. Rogozhnikov, "Einops: clear and reliable tensor manipulations with Einstein-like notation", *ICLR* (2022):
#   einsum's letters for reshape and transpose.
# - D. Chiang, A. M. Rush, B. Barak, "Named tensor notation", *Transactions on Machine Learning Research* (2023).
#
# Next: 02 Autodiff, where every operation learns to walk back.
