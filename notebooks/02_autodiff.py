# %% [markdown]
# # 02 Autodiff: a list, walked backwards
#
# A network has a million weights and one loss. Training asks one question a million times: *if this weight grew a
# little, what would the loss do?* If you answer it for one weight at a time, you need a million runs of the network.
# Reverse-mode differentiation answers all million questions for the price of a few runs. It is the reason why deep
# learning is possible, and it fits on one page of Python. In this notebook you write that page, all of it.
#
# **When you have finished, you can**
#
# - say what the chain rule does on a graph, and why we walk from the end to the beginning;
# - write the derivative rule of an operation on arrays, and of broadcasting, by asking one question;
# - build `grad` from a list and a loop, so that `grad(grad(f))` works;
# - find out by measuring whether a gradient is right;
# - train a classifier of handwritten digits with your own `value_and_grad`, and with your rules inside minitorch.
#
# ```
#   application     a chat window, a digit reader
#   MLOps           runs, metrics, packages
#   hubs            weights that somebody trained ...
#   frameworks      ... with JAX, PyTorch, minitorch        <- their core is this notebook
#   clusters        the same gradient, summed over machines
#   hardware        multiply, add
# ```
#
# Time: about 90 minutes. Before: notebook 01 (broadcasting, axes).

# %% name="imports"
import itertools
import math
import operator
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from minitorch_course import check, inputs, override_rules, report, setup, skip_if_unfinished

setup()

# %% [markdown]
# ## 1. One neuron, one number at a time
#
# A neuron gets $x = 2$, multiplies it by the weight $w = -0.5$, adds the bias $b = 1.5$ and bends the result with tanh.
# The answer should have been $t = 1$. The loss is the squared error.
#
# | row | what | from rows | value |
# |---|---|---|---|
# | 0 | `w` | | -0.5 |
# | 1 | `x` | | 2.0 |
# | 2 | `b` | | 1.5 |
# | 3 | `t` | | 1.0 |
# | 4 | multiply | 0, 1 | -1.0 |
# | 5 | add | 4, 2 | 0.5 |
# | 6 | tanh | 5 | 0.462 |
# | 7 | subtract | 6, 3 | -0.538 |
# | 8 | multiply | 7, 7 | 0.289 |
#
# This table is the **tape**: a list of rows in the order in which they happened. R. E. Wengert published it in 1964,
# and it still bears his name (the *Wengert list*). Every row depends only on rows above it.
#
# A row has only local knowledge. Row 4 knows that it is a product; it knows nothing about tanh or the loss. The idea of
# this notebook is that local knowledge is enough.
#
# The cell below makes the tape. A `Number` is a row number that knows its tape; arithmetic on it appends a row.


# %% name="scalar-tape"
class Row(NamedTuple):
    """One line of the tape: `value` was made by `op` from the rows that `args` numbers. An input has no args."""

    op: str
    args: tuple[int, ...]
    value: float


class Number:
    """A float on a tape. What is computed from it is written down there."""

    def __init__(self, tape, row):
        self.tape = tape
        self.row = row

    def apply(self, op, *others):
        rows = (self.row, *(other.row for other in others))
        values = [self.tape[row].value for row in rows]
        return write(self.tape, op, FUNCTIONS[op](*values), rows)

    def __add__(self, other):
        return self.apply("add", other)

    def __sub__(self, other):
        return self.apply("subtract", other)

    def __mul__(self, other):
        return self.apply("multiply", other)

    def tanh(self):
        return self.apply("tanh")


FUNCTIONS = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "tanh": math.tanh}


def write(tape, op, value, args=()):
    """Append a row; an input is written under its own name: `write(tape, "w", -0.5)`."""
    tape.append(Row(op, args, value))
    return Number(tape, len(tape) - 1)


def neuron():
    """The tape of the table above."""
    tape = []
    w, x, b, t = (write(tape, *given) for given in [("w", -0.5), ("x", 2.0), ("b", 1.5), ("t", 1.0)])
    error = (w * x + b).tanh() - t
    error * error  # The last row is the loss.
    return tape


# %% name="scalar-tape-shown" tags=["demo"]
for i, row in enumerate(neuron()):
    print(i, row)

# %% [markdown]
# ### What a row knows
#
# Let $g$ be the derivative of the loss with respect to the row's value $y$: how much the loss changes for each unit
# that $y$ changes. The row was computed from $a$ (and $b$). If $a$ moves by a little, $y$ moves by the slope $\partial
# y/\partial a$ times as much, and the loss by $g \cdot \partial y/\partial a$. That product is what the row passes to
# $a$.
#
# An example: row 4 is $y = w x = -0.5 \cdot 2$. Say that $g = 3$. Moving $w$ by 0.01 moves $y$ by $0.01 \cdot 2$, and
# so the loss by $3 \cdot 0.02 = 0.06$. So $w$ receives $3 \cdot 2 = 6$: **$g$ times the other factor**.
#
# A **rule** is that computation as a function: `rule(g, y, a, b)` returns what its argument receives. There is one rule
# for each argument. A rule also gets $y$, because some slopes are easiest to write with the result: $\tanh' = 1 -
# \tanh^2$.
#
# ### Exercise 1: the rules of four operations
#
# | op | $y$ | slope by $a$ | slope by $b$ |
# |---|---|---|---|
# | add | $a + b$ | 1 | 1 |
# | subtract | $a - b$ | 1 | ? |
# | multiply | $ab$ | $b$ | ? |
# | tanh | $\tanh a$ | $1 - y^2$ | |


# %% name="rules_of"
def rules_of(table, op):
    """The rules of `op` in a dict of yours."""
    rules = table.get(op) if isinstance(table, dict) else None
    if isinstance(rules, tuple | list):
        return rules
    raise ValueError(f"{op!r} needs a tuple of rules in your dict. A tuple of one is written (rule,), with a comma.")


def received(table, op, g, y, *args, **params):
    """What each argument of `op` receives by the rules in `table`."""
    return [rule(g, y, *args, **params) for rule in rules_of(table, op)]


# %% name="scalar_rules" tags=["exercise"] forbids=["jax.grad", "jax.value_and_grad", "jax.vjp", "jax.jvp", "jax.linearize", "jax.linear_transpose", "jax.jacrev", "jax.jacfwd", "jax.hessian", "minitorch.grad", "minitorch.value_and_grad", "minitorch.vjp", "minitorch.jvp", "minitorch.ops.add", "minitorch.ops.subtract", "minitorch.ops.multiply", "minitorch.ops.tanh"]
def scalar_rules():
    """The derivative rules of the operations on numbers.

    Returns:
      A dict from "add", "subtract", "multiply" and "tanh" to a tuple with one function for each argument:
      `rule(g, y, a, b)`, for tanh `rule(g, y, a)`, returns what that argument receives, given `g`, what the result
      `y` has received.
    """
    # BEGIN SOLUTION Exercise 1: return a dict with a tuple of rules for each op.
    return {
        "add": (lambda g, y, a, b: g, lambda g, y, a, b: g),
        "subtract": (lambda g, y, a, b: g, lambda g, y, a, b: -g),
        "multiply": (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
        "tanh": (lambda g, y, a: g * (1 - y * y),),
    }
    # END SOLUTION


# %% name="scalar_rules-check" tags=["check"] exercise="scalar_rules"
check(
    "add: both numbers receive g",
    lambda: received(scalar_rules(), "add", 0.7, 5.0, 2.0, 3.0),
    [0.7, 0.7],
    mistakes={
        "add: the rule returns the slope without g.": [1.0, 1.0],
        "add: g is not shared out: whatever b is, the sum grows as much as a does.": [0.35, 0.35],
        "add: the slope of a + b does not depend on how large a and b are.": [1.4, 2.1],
    },
)
check(
    "subtract: what b receives has the other sign",
    lambda: received(scalar_rules(), "subtract", 0.7, -1.0, 2.0, 3.0),
    [0.7, -0.7],
    mistakes={
        "subtract: when b grows, a - b shrinks. Look at the sign of the second rule.": [0.7, 0.7],
        "subtract: the signs are exchanged. When a grows, a - b grows.": [-0.7, 0.7],
        "subtract: the rule returns the slope without g.": [1.0, -1.0],
    },
)
check(
    "multiply: g times the other factor",
    lambda: received(scalar_rules(), "multiply", 0.5, 6.0, 2.0, 3.0),
    [1.5, 1.0],
    mistakes={
        "multiply: each factor received g times itself. It must be g times the *other* one.": [1.0, 1.5],
        "multiply: the rule returns the slope without g.": [3.0, 2.0],
        "multiply: both received g times the result. Which factor is left if a is taken away?": [3.0, 3.0],
        "multiply: g was added, and must be multiplied.": [3.5, 2.5],
    },
)
check(
    "tanh: flat where the result is near 1",
    lambda: received(scalar_rules(), "tanh", 2.0, 0.6, 0.6931),
    [1.28],
    mistakes={
        "tanh: the slope is 1 - y * y, with y the result. You squared the input.": [2.0 * (1 - 0.6931**2)],
        "tanh: y must be squared: the slope is 1 - y * y.": [0.8],
        "tanh: the rule returns the slope without g.": [0.64],
        "tanh: the sign of y * y is wrong. tanh is steepest, with slope 1, where y is 0.": [2.72],
    },
)

# %% name="scalar_rules-arithmetic" tags=["hidden-test"] exercise="scalar_rules" points=2 hint="Each rule returns g times the slope by its own argument: 1, 1 or -1, or the other factor."
for op in ("add", "subtract", "multiply"):
    g, y, a, b = (inputs.uniform(low=0.3, high=3.0).item() for _ in range(4))
    report(
        received(scalar_rules(), op, g, y, a, b),
        mistakes={
            f"{op}: the rule returns the slope without g.": lambda op=op, a=a, b=b: (
                [1.0, -1.0] if op == "subtract" else [b, a] if op == "multiply" else [1.0, 1.0]
            ),
            "subtract: when b grows, a - b shrinks. Look at the sign of the second rule.": lambda g=g: [g, g],
            "multiply: each factor received g times itself. It must be g times the *other* one.": lambda g=g, a=a, b=b: [
                g * a,
                g * b,
            ],
        },
    )

# %% name="scalar_rules-tanh" tags=["hidden-test"] exercise="scalar_rules" points=1 hint="The slope of tanh is 1 - y * y, with y the result."
g, y, a = (inputs.uniform(low=0.2, high=0.9).item() for _ in range(3))
report(
    received(scalar_rules(), "tanh", g, y, a),
    mistakes={
        "tanh: the slope is 1 - y * y, with y the result. You squared the input.": lambda: [g * (1 - a * a)],
        "tanh: y must be squared: the slope is 1 - y * y.": lambda: [g * (1 - y)],
        "tanh: the rule returns the slope without g.": lambda: [1 - y * y],
    },
)

# %% [markdown]
# ### From the last row to the first
#
# The loss itself has the gradient 1: move it by 0.01 and it moves by 0.01. Now go **up** the table. When we reach a
# row, it has already received everything that it will ever receive, because only rows below it use it. So it can pass
# its gradient on. This is why the walk goes backwards, and why nothing needs sorting: the list is already in order.
#
# A row that was used twice receives twice, and the two **add up**: row 8 is row 7 times row 7, so row 7 receives $1
# \cdot (-0.538)$ as its left factor and $1 \cdot (-0.538)$ as its right factor.
#
# Predict before you go on: what does row 7 have in the end, and what does row 3 ($t$) receive from it?
#
# ### Exercise 2: the walk backwards
#
# Give every row a gradient of 0.0, and the last row 1.0. Then go from the last row to the first: use the rules of the
# row's op to compute what each of its args receives, and add it to that arg's gradient. An input has no args and passes
# nothing on.


# %% name="scalar_backward" tags=["exercise"] forbids=["jax.grad", "jax.value_and_grad", "jax.vjp", "jax.jvp", "jax.linearize", "jax.linear_transpose", "jax.jacrev", "jax.jacfwd", "jax.hessian", "minitorch.grad", "minitorch.value_and_grad", "minitorch.vjp", "minitorch.jvp"]
def scalar_backward(tape, rules):
    """The gradient of the last row's value with respect to every row's.

    Args:
      tape: a list of Rows; those that `args` numbers stand above.
      rules: a dict from op to its rules, as in exercise 1.

    Returns:
      A list of floats, one for each row; the last is 1.0.
    """
    # BEGIN SOLUTION Exercise 2: walk the tape from its last row to its first, and return the gradients.
    grads = [0.0] * len(tape)
    grads[-1] = 1.0
    for i in reversed(range(len(tape))):
        op, args, y = tape[i]
        values = [tape[arg].value for arg in args]
        for k, arg in enumerate(args):
            grads[arg] += rules[op][k](grads[i], y, *values)
    return grads
    # END SOLUTION


# %% name="scalar_backward-check" tags=["check"] exercise="scalar_backward"
PLAIN_RULES = {  # Easy to follow by hand: "double" has slope 2, "mix" has slopes 3 and 5.
    "double": (lambda g, y, a: 2 * g,),
    "mix": (lambda g, y, a, b: 3 * g, lambda g, y, a, b: 5 * g),
    "cube": (lambda g, y, a: 3 * a * a * g,),
}
chain = [Row("x", (), 1.0), Row("double", (0,), 2.0), Row("double", (1,), 4.0)]
check(
    "a chain: slopes multiply",
    lambda: scalar_backward(chain, PLAIN_RULES),
    [4.0, 2.0, 1.0],
    mistakes={
        "A row can pass on only after it has received: go backwards.": [0.0, 2.0, 1.0],
        "All gradients are 0: nothing was put in. The last row starts with 1.0.": [0.0, 0.0, 0.0],
        "The last row started with its own value: its gradient is 1.0, whatever it holds.": [16.0, 8.0, 4.0],
    },
)
twice = [
    Row("a", (), 2.0),
    Row("b", (), 7.0),
    Row("mix", (0, 1), 41.0),
    Row("mix", (2, 0), 133.0),
    Row("double", (3,), 266.0),
]
check(
    "used twice: what arrives adds up",
    lambda: scalar_backward(twice, PLAIN_RULES),
    [28.0, 30.0, 6.0, 2.0, 1.0],
    mistakes={
        "A row that is used twice receives twice: add (+=), do not overwrite (=).": [18.0, 30.0, 6.0, 2.0, 1.0],
        "Only the first argument of a row received. There is a rule for each argument.": [18.0, 0.0, 6.0, 2.0, 1.0],
    },
)
same = [Row("a", (), 2.0), Row("cube", (0,), 8.0), Row("mix", (1, 1), 64.0)]
check(
    "the same row as both arguments",
    lambda: scalar_backward(same, PLAIN_RULES),
    [96.0, 8.0, 1.0],
    mistakes={
        "A row that is used twice receives twice: add (+=), do not overwrite (=).": [60.0, 5.0, 1.0],
        "The rules want the values of the args, not their gradients: rule(g, y, *values).": [0.0, 8.0, 1.0],
    },
)

# %% name="scalar_backward-walk" tags=["hidden-test"] exercise="scalar_backward" points=2 hint="Start with 1.0 at the last row, walk from the last row to the first, and call rule(g, y, *values)."
a, b = (inputs.uniform(low=0.5, high=1.5).item() for _ in range(2))
walked = [
    Row("a", (), a),
    Row("b", (), b),
    Row("ratio", (0, 1), a / b),
    Row("unused", (1,), 9.0),
    Row("cube", (2,), (a / b) ** 3),
]
walk_rules = {
    "ratio": (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
    "cube": (lambda g, y, a: 3 * g * y / a,),
    "unused": (lambda g, y, a: 100 * g,),
}
report(
    scalar_backward(walked, walk_rules),
    mistakes={
        "A row can pass on only after it has received: go backwards.": (lambda: [0.0, 0.0, 3 * (a / b) ** 2, 0.0, 1.0]),
        "All gradients are 0: nothing was put in. The last row starts with 1.0.": lambda: [0.0] * 5,
        "The last row started with its own value: its gradient is 1.0, whatever it holds.": lambda: (
            [3 * (a / b) ** 5 / b, -3 * (a / b) ** 6 / b, 3 * (a / b) ** 5, 0.0, (a / b) ** 3]
        ),
        "Only the first argument of a row received. There is a rule for each argument.": lambda: (
            [3 * (a / b) ** 2 / b, 0.0, 3 * (a / b) ** 2, 0.0, 1.0]
        ),
    },
)

# %% name="scalar_backward-adds-up" tags=["hidden-test"] exercise="scalar_backward" points=2 hint="A row that is used several times receives several times: the sum counts."
a = inputs.uniform(low=0.5, high=1.5).item()
powers = [Row("a", (), a), Row("times", (0, 0), a**2), Row("times", (1, 0), a**3), Row("times", (2, 1), a**5)]
times = {"times": (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)}
report(
    scalar_backward(powers, times),
    mistakes={
        "A row that is used twice receives twice: add (+=), do not overwrite (=).": lambda: [a**4, a**3, a**2, 1.0]
    },
)

# %% name="scalar-picture" tags=["demo"]
from IPython.display import display

from minitorch_course.figures.tape import scalar_tape

with skip_if_unfinished():
    tape = neuron()
    display(scalar_tape(tape, scalar_backward(tape, scalar_rules()), scalar_rules()))

# %% [markdown]
# Blue is the value on its way to the right, and orange is what comes back along the same edge. Under each circle you
# see the sum of everything that came back to it. Read it off the picture: by how much would the loss fall if $w$ grew
# by 0.1?
#
# (The slope at $w$ is $-1.69$, so by about 0.169.) And which of the four inputs would you change to make the loss fall
# fastest?
#
# **Why it took so long.** The obvious way is the other one: start at an *input* and carry "how much do I move if $w$
# moves" down the table. It is just as exact, and it is called forward mode. But one walk gives the answer for one input
# only. Seppo Linnainmaa walked the list backwards in his master's thesis of 1970, to study rounding errors. Paul Werbos
# proposed it for networks in 1974 and 1982; Rumelhart, Hinton and Williams made it famous in 1986. The method was there
# for sixteen years, and hardly anybody used it.
#
# The other trap is the order. If you follow the arrows back from the loss by recursion, and each visit passes its
# gradient on at once, you walk every *path* separately. Predict the number of paths from the first row to the last in
# the tape below.

# %% name="paths" tags=["demo"]
from minitorch_course.figures import chain_rule

tape = []
x = write(tape, "x", 1.0)
for _ in range(30):
    x = x + x
with skip_if_unfinished():
    print(f"{len(tape)} rows; gradient of the first: {scalar_backward(tape, scalar_rules())[0]:.0f}")

chain_rule.paths()

# %% [markdown]
# Two ways at each of 30 steps: the gradient *is* the number of paths, $2^{30}$. Your loop took 30 steps to add up a
# thousand million of them.
#
# ### How would you know?
#
# A wrong rule raises no error. Training just goes badly, and you blame the learning rate. So measure: take a small step
# to both sides, and compute the slope of the line between the two points.
#
# $$ f'(x)\,v \;\approx\; \frac{f(x + h v) - f(x - h v)}{2h} $$
#
# With $f(x) = x^3$ at $x = 2$ and $h = 0.1$: $(9.261 - 6.859) / 0.2 = 12.01$, and the truth is $12$. A step to one side
# only gives $(9.261 - 8) / 0.1 = 12.61$. The two-sided error shrinks with $h^2$, the one-sided error only with $h$.
#
# $v$ is a direction. For a number it is 1.0. For an array it is an array of the same shape, and the result is the slope
# in that direction.
#
# ### Exercise 3: central difference


# %% name="central_difference" tags=["exercise"] forbids=["jax.grad", "jax.value_and_grad", "jax.vjp", "jax.jvp", "jax.linearize", "jax.linear_transpose", "jax.jacrev", "jax.jacfwd", "jax.hessian", "minitorch.grad", "minitorch.value_and_grad", "minitorch.vjp", "minitorch.jvp"]
def central_difference(f, x, v, h):
    """The slope of `f` at `x` along `v`, measured by a step of `h * v` to either side.

    Args:
      f: a function of a float or an array; its value too may be either.
      x, v: floats, or arrays of one shape.
      h: a small positive float.
    """
    # BEGIN SOLUTION Exercise 3: measure the slope from a point behind x to one ahead.
    return (f(x + h * v) - f(x - h * v)) / (2 * h)
    # END SOLUTION


# %% name="central_difference-check" tags=["check"] exercise="central_difference"
check(
    "x³ at 2, step 0.1",
    lambda: central_difference(lambda x: x**3, 2.0, 1.0, 0.1),
    12.01,
    mistakes={
        "That is a step to one side only, whose error is larger. Step to both sides.": 12.61,
        "The two points are 2 h apart, not h.": 24.02,
        "That is the difference itself. Divide by the distance between the two points.": 2.402,
        "The sign is wrong: ahead minus behind.": -12.01,
    },
)
check(
    "along a direction",
    lambda: central_difference(lambda x: (x * x).sum(), jnp.array([1.0, 2.0]), jnp.array([3.0, -1.0]), 0.5),
    2.0,
    mistakes={
        "The direction v is missing: the step is h * v.": 6.0,
        "The step was taken to one side only.": 7.0,
        "The two points are 2 h v apart: divide by 2 h only, for the slope along v.": 1.0,
    },
)

# %% name="central_difference-measured" tags=["hidden-test"] exercise="central_difference" points=2 hint="(f(x + h v) - f(x - h v)) / (2 h)"
x, v, h = (inputs.uniform(low=0.5, high=1.5).item() for _ in range(3))
report(
    central_difference(lambda x: x**4 - x, x, v, h),
    mistakes={
        "That is a step to one side only, whose error is larger. Step to both sides.": lambda: (
            ((x + h * v) ** 4 - h * v - x**4) / h
        ),
        "The two points are 2 h apart, not h.": lambda: ((x + h * v) ** 4 - (x - h * v) ** 4) / h - 2 * v,
        "That is the difference itself. Divide by the distance between the two points.": lambda: (
            (x + h * v) ** 4 - (x - h * v) ** 4 - 2 * h * v
        ),
        "The direction v is missing: the step is h * v.": lambda: ((x + h) ** 4 - (x - h) ** 4) / (2 * h) - 1,
    },
)

# %% [markdown]
# ## 2. Rules for arrays
#
# With one row for each number, even a small network would need a billion rows. So let a row be an operation on whole
# arrays: then a few dozen rows are enough. Nothing changes about the walk. `g` becomes an array of the shape of `y`,
# and a rule returns an array of the shape of its argument. There is one question to ask for every rule, and it is the
# same as before:
#
# > **Where did this number of the argument go, and what came back from there?**
#
# For operations that treat each number by itself, you already have the rules: `g * b` is right for floats and for
# arrays. Arrays need some more rules.
#
# ### Exercise 4: more elementwise rules
#
# | op | $y$ | note |
# |---|---|---|
# | divide | $a / b$ | for $b$: write $a b^{-1}$, then use that $a/b = y$ |
# | exp | $e^a$ | its own slope |
# | log | $\ln a$ | |
# | relu | $\max(a, 0)$ | slope 1 where $a > 0$, else 0; at 0 take 0, as everybody does |
#
# Write rules with `+ - * / @`, comparisons, and the methods `.sum(axis=, keepdims=)`, `.reshape(shape)`, `.mT`. JAX
# arrays have all of these and, soon, your own tensors will have them too: this is what will make second derivatives
# work.


# %% name="elementwise_rules" tags=["exercise"] forbids=["jax.grad", "jax.value_and_grad", "jax.vjp", "jax.jvp", "jax.linearize", "jax.linear_transpose", "jax.jacrev", "jax.jacfwd", "jax.hessian", "minitorch.grad", "minitorch.value_and_grad", "minitorch.vjp", "minitorch.jvp", "minitorch.ops.divide", "minitorch.ops.exp", "minitorch.ops.log", "minitorch.ops.relu"]
def elementwise_rules():
    """The rules of "divide" (for a and for b), "exp", "log" and "relu", in the form of exercise 1.

    `g`, `y` and the arguments are arrays of one shape.
    """
    # BEGIN SOLUTION Exercise 4: return a dict with the rules of divide, exp, log and relu.
    return {
        "divide": (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
        "exp": (lambda g, y, a: g * y,),
        "log": (lambda g, y, a: g / a,),
        "relu": (lambda g, y, a: g * (a > 0),),
    }
    # END SOLUTION


# %% name="elementwise_rules-check" tags=["check"] exercise="elementwise_rules"
g, a, b = jnp.array([0.5, -1.0, 2.0]), jnp.array([3.0, -2.0, 0.0]), jnp.array([2.0, -4.0, 0.8])
check(
    "divide",
    lambda: received(elementwise_rules(), "divide", g, a / b, a, b),
    lambda: list(jax.vjp(jnp.divide, a, b)[1](g)),
    mistakes={
        "divide: the second rule has the wrong sign. When b grows, a / b shrinks.": lambda: [g / b, g * a / b**2],
        "divide: in the second rule one division by b is missing.": lambda: [g / b, -g * a / b],
        "divide: g is missing in the second rule.": lambda: [g / b, -a / b**2],
        "divide: a and b are exchanged.": lambda: [-g * a / b**2, g / b],
        "divide: the first rule multiplies by b. When b is large, does a matter more?": lambda: [g * b, -g * a / b**2],
    },
)
check(
    "exp",
    lambda: received(elementwise_rules(), "exp", g, jnp.exp(a), a),
    lambda: list(jax.vjp(jnp.exp, a)[1](g)),
    mistakes={
        "exp: the slope is the result y, not the input.": lambda: [g * a],
        "exp: the rule returns the slope without g.": lambda: [jnp.exp(a)],
    },
)
check(
    "log",
    lambda: received(elementwise_rules(), "log", g, jnp.log(jnp.abs(b)), jnp.abs(b)),
    lambda: list(jax.vjp(jnp.log, jnp.abs(b))[1](g)),
    mistakes={
        "log: the slope is 1 / a: divide by a, do not multiply.": lambda: [g * jnp.abs(b)],
        "log: you divided by the result y. The slope is 1 / a, with a the input.": lambda: [g / jnp.log(jnp.abs(b))],
        "log: the rule returns the slope without g.": lambda: [1 / jnp.abs(b)],
    },
)
check(
    "relu, also at 0",
    lambda: received(elementwise_rules(), "relu", g, jnp.maximum(a, 0), a),
    [jnp.array([0.5, 0.0, 0.0])],
    mistakes={
        "relu: at exactly 0 the slope is taken as 0: compare with > and not with >=.": [jnp.array([0.5, 0.0, 2.0])],
        "relu: the rule returns the slope without g.": [jnp.array([1.0, 0.0, 0.0])],
        "relu: the slope is 1 where a > 0, however large a is.": [jnp.array([1.5, 0.0, 0.0])],
        "relu: what decides is the sign of the input, not that of g.": [jnp.array([0.5, 0.0, 2.0])],
        "relu: g came through where the input is negative.": [jnp.array([0.0, -1.0, 2.0])],
    },
)

# %% name="elementwise_rules-divide" tags=["hidden-test"] exercise="elementwise_rules" points=2 hint="divide: g / b, and for b: minus g y / b."
g, a, b = inputs.normal(2, 3), inputs.normal(2, 3), inputs.uniform(2, 3, low=0.5, high=3.0)
report(
    received(elementwise_rules(), "divide", g, a / b, a, b),
    mistakes={
        "divide: the second rule has the wrong sign. When b grows, a / b shrinks.": lambda: [g / b, g * a / b**2],
        "divide: in the second rule one division by b is missing.": lambda: [g / b, -g * a / b],
        "divide: g is missing in the second rule.": lambda: [g / b, -a / b**2],
    },
)

# %% name="elementwise_rules-one-argument" tags=["hidden-test"] exercise="elementwise_rules" points=2 hint="exp: g y. log: g / a. relu: g where the input is above 0, else 0."
g, a = inputs.normal(2, 3), inputs.uniform(2, 3, low=0.5, high=3.0)
report(
    received(elementwise_rules(), "exp", g, jnp.exp(a), a),
    mistakes={"exp: the slope is the result y, not the input.": lambda: [g * a]},
)
report(
    received(elementwise_rules(), "log", g, jnp.log(a), a),
    mistakes={
        "log: the slope is 1 / a: divide by a, do not multiply.": lambda: [g * a],
        "log: you divided by the result y. The slope is 1 / a, with a the input.": lambda: [g / jnp.log(a)],
    },
)
a = (a - 1.5) * jnp.array([[1.0, 1.0, 0.0], [-1.0, -1.0, 1.0]])
report(
    received(elementwise_rules(), "relu", g, jnp.maximum(a, 0), a),
    mistakes={
        "relu: at exactly 0 the slope is taken as 0: compare with > and not with >=.": lambda: [g * (a >= 0)],
        "relu: the slope is 1 where a > 0, however large a is.": lambda: [g * jnp.maximum(a, 0)],
        "relu: the rule returns the slope without g.": lambda: [(a > 0) * 1.0],
    },
)

# %% [markdown]
# ### Broadcasting, backwards
#
# In notebook 01 a bias of shape `(3,)` was stretched over two rows of a matrix. Ask the question: where did `b[0]`
# go? Into both rows of the first column. So it was *used twice*, and what comes back from two uses adds up. With sum
# it is the other way round.

# %% name="copying-and-summing" tags=["demo"]
from minitorch_course.figures import chain_rule

chain_rule.copying_and_summing()

# %% [markdown]
# **Copying forwards is summing backwards.** The shapes show which axes to sum over. Read them from the right, as in
# broadcasting:
#
# | g | x | summed |
# |---|---|---|
# | (2, 3) | (3,) | axis 0, which x does not have |
# | (2, 3) | (2, 1) | axis 1, where x has length 1; the result keeps it |
# | (4, 2, 3) | (2, 1) | axes 0 and 2 |
# | (2, 3) | () | all |
#
# Forgetting this is the classic error of a first autodiff: the weights are right, but the bias receives a gradient with
# the shape of the batch.
#
# ### Exercise 5: unbroadcast


# %% name="unbroadcast" tags=["exercise"] forbids=["jax.grad", "jax.value_and_grad", "jax.vjp", "jax.jvp", "jax.linearize", "jax.linear_transpose", "jax.jacrev", "jax.jacfwd", "jax.hessian", "minitorch.grad", "minitorch.value_and_grad", "minitorch.vjp", "minitorch.jvp", "minitorch.ops.shapes.unbroadcast"]
def unbroadcast(g, shape):
    """`g` summed over the axes along which an array of `shape` was repeated to the shape of `g`.

    Returns an array of `shape`. Use `.sum(axis=...)`, whose axis may be a tuple, and `.reshape(...)`.
    """
    # BEGIN SOLUTION Exercise 5: find the axes along which something was repeated, and sum over them.
    new = g.ndim - len(shape)
    axes = tuple(i for i, n in enumerate(g.shape) if i < new or n != shape[i - new])
    return g.sum(axis=axes).reshape(shape)
    # END SOLUTION


# %% name="unbroadcast-check" tags=["check"] exercise="unbroadcast"
g = jnp.arange(1.0, 7.0).reshape(2, 3)
check(
    "a bias: (2, 3) to (3,)",
    lambda: unbroadcast(g, (3,)),
    jnp.array([5.0, 7.0, 9.0]),
    mistakes={
        "That is the mean. What comes back from several uses adds up.": jnp.array([2.5, 3.5, 4.5]),
        "Only the first row arrived. All copies were used: add them.": jnp.array([1.0, 2.0, 3.0]),
        "That is the sum over the other axis: x lacks axis 0 of g.": jnp.array([6.0, 15.0]),
    },
)
check(
    "a column: (2, 3) to (2, 1)",
    lambda: unbroadcast(g, (2, 1)),
    jnp.array([[6.0], [15.0]]),
    mistakes={
        "The numbers are right, the shape is not: keep the axis of length 1.": jnp.array([6.0, 15.0]),
        "An axis of length 1 was stretched too: sum over it.": g,
        "Only the first column arrived. All copies were used: add them.": g[:, :1],
    },
)
h = jnp.arange(24.0).reshape(4, 2, 3)
check(
    "both at once: (4, 2, 3) to (2, 1)",
    lambda: unbroadcast(h, (2, 1)),
    lambda: h.sum(axis=(0, 2)).reshape(2, 1),
    mistakes={"An axis of length 1 was stretched too: sum over it.": lambda: h.sum(axis=0)},
)
q = jnp.arange(9.0).reshape(3, 3)
check(
    "a bias under a square: (3, 3) to (3,)",
    lambda: unbroadcast(q, (3,)),
    jnp.array([9.0, 12.0, 15.0]),
    mistakes={
        "Shapes are compared from the right: the first axes are the ones that x lacks.": jnp.array([3.0, 12.0, 21.0])
    },
)
check("a number: (2, 3) to ()", lambda: unbroadcast(g, ()), jnp.array(21.0))
check("nothing was stretched: (2, 3) to (2, 3)", lambda: unbroadcast(g, (2, 3)), g)

# %% name="unbroadcast-missing-axes" tags=["hidden-test"] exercise="unbroadcast" points=2 hint="Shapes are compared from the right; the axes of g that x lacks are summed."
g, h = inputs.normal(2, 3), inputs.normal(3, 3, 3)
report(
    unbroadcast(h, (3,)),
    mistakes={
        "Shapes are compared from the right: the first axes are the ones that x lacks.": lambda: h.sum(axis=(1, 2)),
        "That is the mean. What comes back from several uses adds up.": lambda: h.mean(axis=(0, 1)),
        "Only the first row arrived. All copies were used: add them.": lambda: h[0, 0],
    },
)
report(
    unbroadcast(g, (3,)),
    mistakes={
        "That is the mean. What comes back from several uses adds up.": lambda: g.mean(axis=0),
        "Only the first row arrived. All copies were used: add them.": lambda: g[0],
    },
)
report(unbroadcast(g, ()), mistakes={"That is the mean. What comes back from several uses adds up.": lambda: g.mean()})
report(unbroadcast(g, (2, 3)))

# %% name="unbroadcast-length-one" tags=["hidden-test"] exercise="unbroadcast" points=2 hint="An axis where x has length 1 and g has more is summed, and stays with length 1."
g, h = inputs.normal(2, 3), inputs.normal(3, 1, 2)
report(
    unbroadcast(g, (2, 1)),
    mistakes={
        "The numbers are right, the shape is not: keep the axis of length 1.": lambda: g.sum(axis=1),
        "An axis of length 1 was stretched too: sum over it.": lambda: g,
        "Only the first column arrived. All copies were used: add them.": lambda: g[:, :1],
    },
)
report(unbroadcast(h, (1, 1)))
report(unbroadcast(h, (1, 1, 2)))

# %% [markdown]
# ### Sum and matrix product
#
# **Sum.** Where did `a[i, j]` go? Into the sum of its row, with slope 1. So it receives the `g` of that row, and so
# do all numbers of the row: **summing forwards is copying backwards** (the second line of the drawing). The only work
# is to put the lost axis back where it was, so that `g` can be stretched to the shape of `a`.
#
# **Matrix product.** $y_{ik} = \sum_j a_{ij} b_{jk}$. Where did $a_{ij}$ go? Into all $y_{ik}$ of its row, each time
# with slope $b_{jk}$. So it receives $\sum_k g_{ik} b_{jk}$, which is a matrix product again: with $b$ transposed. You
# need not memorise this: with $a$ (M, K), $b$ (K, N) and $g$ (M, N), there is only one way to get (M, K) out of $g$ and
# $b$.
#
# Stacks of matrices `(..., M, K) @ (..., K, N)` work in the same way. Only the last two axes change places, so use
# `.mT`, and not `.T`, which reverses all axes. If a stack met a single matrix, that was broadcasting, and your
# `unbroadcast` is applied to what the rule returns.
#
# ### Exercise 6: sum and matmul
#
# `axes_of` and `broadcast_to`, given below, take care of the shapes.


# %% name="axes_of"
def axes_of(axis, ndim):
    """`axis` (None for all, a number, or several) as a tuple of numbers from 0 to ndim - 1: axes_of(-1, 3) is (2,)."""
    axes = range(ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return tuple(i % ndim for i in axes)


def broadcast_to(x, shape):
    """`x` repeated to `shape`, on arrays and on tensors."""
    return x + jnp.zeros(shape, x.dtype)


# %% name="matrix_rules" tags=["exercise"] forbids=["jax.grad", "jax.value_and_grad", "jax.vjp", "jax.jvp", "jax.linearize", "jax.linear_transpose", "jax.jacrev", "jax.jacfwd", "jax.hessian", "minitorch.grad", "minitorch.value_and_grad", "minitorch.vjp", "minitorch.jvp", "minitorch.ops.sum", "minitorch.ops.matmul", "minitorch.ops.shapes.expand_reduced"]
def matrix_rules():
    """The rules of "sum" and of "matmul" (for a and for b).

    The rule of sum is called as `rule(g, y, a, axis=..., keepdims=...)`: axis is None, a number or a tuple, and may be
    negative; `g` has the shape of the sum. It returns an array of the shape of `a`.
    The rules of matmul get a (..., M, K), b (..., K, N) and g (..., M, N).
    """

    # BEGIN SOLUTION Exercise 6: return a dict with the rules of sum and matmul.
    def sum_rule(g, y, a, axis, keepdims):
        summed = axes_of(axis, a.ndim)
        kept = tuple(1 if i in summed else n for i, n in enumerate(a.shape))
        return broadcast_to(g.reshape(kept), a.shape)

    return {"sum": (sum_rule,), "matmul": (lambda g, y, a, b: g @ b.mT, lambda g, y, a, b: a.mT @ g)}
    # END SOLUTION


# %% name="matrix_rules-check" tags=["check"] exercise="matrix_rules"
def sum_received(g, a, axis, keepdims):
    """What `a` receives by your rule of sum."""
    y = jnp.sum(a, axis=axis, keepdims=keepdims)
    return received(matrix_rules(), "sum", g, y, a, axis=axis, keepdims=keepdims)[0]


a = jnp.arange(1.0, 10.0).reshape(3, 3)
g = jnp.array([10.0, 20.0, 30.0])
rows, columns = jnp.array([[10.0], [20.0], [30.0]]) * jnp.ones(3), g * jnp.ones((3, 1))
check(
    "sum over axis 1, keepdims=False",
    lambda: sum_received(g, a, 1, False),
    rows,
    mistakes={
        "sum: the lost axis must come back at its own place, 1. It came back as axis 0.": columns,
        "sum: g was multiplied by a. Each number goes into the sum with slope 1.": rows * a,
        "sum: g was divided by the number of summands. That is the rule of the mean.": rows / 3,
    },
)
check(
    "sum over axis -1",
    lambda: sum_received(g, a, -1, False),
    rows,
    mistakes={"sum: a negative axis counts from the end: use axes_of.": columns},
)
check(
    "sum over axis 0",
    lambda: sum_received(g, a, 0, False),
    columns,
    mistakes={"sum: the lost axis must come back at its own place, 0.": rows},
)
check("sum with keepdims=True", lambda: sum_received(g.reshape(3, 1), a, 1, True), rows)
check("sum over all axes", lambda: sum_received(jnp.array(5.0), a, None, False), 5 * jnp.ones((3, 3)))

a, b, g = jnp.arange(4.0).reshape(2, 2), jnp.array([[2.0, -1.0], [5.0, 3.0]]), jnp.array([[1.0, 2.0], [-3.0, 4.0]])
check(
    "matmul of square matrices, where shapes do not help",
    lambda: received(matrix_rules(), "matmul", g, a @ b, a, b),
    lambda: list(jax.vjp(jnp.matmul, a, b)[1](g)),
    mistakes={
        "matmul: a factor is not transposed. Try the shapes (M, K) @ (K, N).": lambda: [g @ b, a @ g],
        "matmul: the order of the factors is wrong. Which of them has M rows?": lambda: [b.T @ g, g @ a.T],
        "matmul: the two rules are exchanged: the first is for a.": lambda: [a.T @ g, g @ b.T],
        "matmul: * multiplies number by number. Here it takes a matrix product.": lambda: [g * b.T, a.T * g],
    },
)
a, b, g = (
    jnp.arange(12.0).reshape(2, 2, 3) - 5,
    jnp.arange(24.0).reshape(2, 3, 4) / 7,
    jnp.arange(16.0).reshape(2, 2, 4),
)
check(
    "matmul of stacks",
    lambda: received(matrix_rules(), "matmul", g, a @ b, a, b),
    lambda: list(jax.vjp(jnp.matmul, a, b)[1](g)),
)

# %% name="matrix_rules-sum" tags=["hidden-test"] exercise="matrix_rules" points=3 hint="sum: put the lost axis back with length 1 where it was, then stretch g to the shape of a."
a, g = inputs.normal(3, 3), inputs.normal(3)
summed = np.asarray(a).sum
sum_rule = rules_of(matrix_rules(), "sum")[0]
report(
    sum_rule(g, summed(axis=1), a, axis=1, keepdims=False),
    mistakes={
        "sum: the lost axis must come back at its own place, 1. It came back as axis 0.": lambda: g + 0 * a,
        "sum: g was multiplied by a. Each number goes into the sum with slope 1.": lambda: g.reshape(3, 1) * a,
        "sum: g was divided by the number of summands. That is the rule of the mean.": lambda: (
            g.reshape(3, 1) / 3 + 0 * a
        ),
    },
)
report(sum_rule(g, summed(axis=0), a, axis=0, keepdims=False))
report(
    sum_rule(g, summed(axis=-1), a, axis=-1, keepdims=False),
    mistakes={"sum: a negative axis counts from the end: use axes_of.": lambda: g + 0 * a},
)
report(sum_rule(g.reshape(3, 1), summed(axis=1, keepdims=True), a, axis=(1,), keepdims=True))
report(sum_rule(inputs.normal(), summed(), a, axis=None, keepdims=False))

# %% name="matrix_rules-matmul" tags=["hidden-test"] exercise="matrix_rules" points=2 hint="matmul: g @ b.mT and a.mT @ g."
a, b, g = inputs.normal(3, 3), inputs.normal(3, 3), inputs.normal(3, 3)
report(
    received(matrix_rules(), "matmul", g, a @ b, a, b),
    mistakes={
        "matmul: a factor is not transposed. Try the shapes (M, K) @ (K, N).": lambda: [g @ b, a @ g],
        "matmul: the order of the factors is wrong. Which of them has M rows?": lambda: [b.T @ g, g @ a.T],
        "matmul: the two rules are exchanged: the first is for a.": lambda: [a.T @ g, g @ b.T],
    },
)
a, b, g = inputs.normal(2, 1, 3), inputs.normal(2, 3, 2), inputs.normal(2, 1, 2)
report(received(matrix_rules(), "matmul", g, a @ b, a, b))

# %% [markdown]
# ## 3. The machine: record, walk, differentiate
#
# You have rules. Now comes the tape for arrays. Read the cell below; it contains these parts:
#
# - a **Tensor** is an array `value` and the `tape` that watches it. Nothing else; no `.grad`, nothing to set to zero.
# - a **Tape** holds a list of **entries**. `box(value)` makes a Tensor of this tape. `unbox(x)` gives back the value
#   of a Tensor *of this tape* and leaves everything else as it is.
# - a **Primitive** is a function of arrays with its rules. Called with arrays only, it just computes. Called with a
#   Tensor, it asks the tape of that Tensor to record.
#
# Tapes **nest**, and this is all there is to second derivatives: the value inside a Tensor may be a Tensor of an older
# tape. Unbox one layer, compute, and the older tape sees that computation too. That is why `unbox` peels off only one
# layer.

# %% name="nested" tags=["demo"]
from minitorch_course.figures import chain_rule

chain_rule.nested()


# %% name="tensor"
class Tensor:
    """An array that a tape watches. `value` is a jax.Array, or a Tensor of an older tape."""

    __array_ufunc__ = None  # NumPy's operators then leave a Tensor to those below.

    def __init__(self, value, tape):
        self.value = value
        self.tape = tape

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    ndim = property(lambda self: len(self.shape))
    mT = property(lambda self: ops.mT(self))

    def __repr__(self):
        return f"Tensor({self.value!r})"

    def __add__(self, other):
        return ops.add(self, other)

    def __radd__(self, other):
        return ops.add(other, self)

    def __sub__(self, other):
        return ops.subtract(self, other)

    def __rsub__(self, other):
        return ops.subtract(other, self)

    def __mul__(self, other):
        return ops.multiply(self, other)

    def __rmul__(self, other):
        return ops.multiply(other, self)

    def __truediv__(self, other):
        return ops.divide(self, other)

    def __rtruediv__(self, other):
        return ops.divide(other, self)

    def __matmul__(self, other):
        return ops.matmul(self, other)

    def __rmatmul__(self, other):
        return ops.matmul(other, self)

    def __neg__(self):
        return ops.multiply(-1.0, self)

    def __gt__(self, other):
        return ops.greater(self, other)

    def sum(self, axis=None, keepdims=False):
        return ops.sum(self, axis=axis, keepdims=keepdims)

    def reshape(self, shape):
        return ops.reshape(self, shape=shape)


class Entry(NamedTuple):
    """What happened once: the primitive, what went in, its parameters (such as axis), what came out."""

    primitive: Any
    args: tuple[Any, ...]
    params: dict[str, Any]
    y: Any


class Tape:
    """A list of entries. Of two tapes, the one made later is the inner one."""

    made = itertools.count()

    def __init__(self):
        self.entries = []
        self.number = next(Tape.made)

    def box(self, value):
        """A new Tensor of this tape. Integers and truth values have no gradient: they stay what they are."""
        return Tensor(value, self) if jnp.issubdtype(value.dtype, jnp.inexact) else value

    def unbox(self, x):
        """The value of a Tensor of this tape; anything else as it is."""
        return x.value if watches(self, x) else x

    def record(self, primitive, args, params):
        return record(self, primitive, args, params)  # Exercise 7.


def watches(tape, x):
    """Is `x` a Tensor of this tape?"""
    return getattr(x, "tape", None) is tape


class Primitive:
    """A function of arrays with its rules, which are looked up at every use: a corrected cell counts at once."""

    def __init__(self, name, fun, table, **defaults):
        self.name = name
        self.fun = fun
        self.table = table
        self.defaults = defaults

    def __call__(self, *args, **params):
        params = {**self.defaults, **params}
        tapes = [a.tape for a in args if isinstance(a, Tensor)]
        if not tapes:
            return self.fun(*args, **params)
        return max(tapes, key=lambda tape: tape.number).record(self, args, params)

    def vjp(self, g, y, args, params, needed):
        """What each argument receives, in its shape; None for those that are not needed."""
        rules = rules_of(globals()[self.table](), self.name)
        pulled = [rule(g, y, *args, **params) if need else None for rule, need in zip(rules, needed)]
        return [fitted(received, a) for received, a in zip(pulled, args)]


def fitted(g, x):
    """`g` in the shape of `x`, by your `unbroadcast`."""
    return g if g is None or g.shape == x.shape else unbroadcast(g, x.shape)


def shape_rules():
    """The rules of what moves numbers, and of what has no derivative. Given."""
    return {"reshape": (lambda g, y, x, shape: g.reshape(x.shape),), "mT": (lambda g, y, x: g.mT,), "greater": ()}


ops = SimpleNamespace(
    add=Primitive("add", jnp.add, "scalar_rules"),
    subtract=Primitive("subtract", jnp.subtract, "scalar_rules"),
    multiply=Primitive("multiply", jnp.multiply, "scalar_rules"),
    tanh=Primitive("tanh", jnp.tanh, "scalar_rules"),
    divide=Primitive("divide", jnp.divide, "elementwise_rules"),
    exp=Primitive("exp", jnp.exp, "elementwise_rules"),
    log=Primitive("log", jnp.log, "elementwise_rules"),
    relu=Primitive("relu", jax.nn.relu, "elementwise_rules"),
    sum=Primitive("sum", jnp.sum, "matrix_rules", axis=None, keepdims=False),
    matmul=Primitive("matmul", jnp.matmul, "matrix_rules"),
    softmax=Primitive("softmax", jax.nn.softmax, "softmax_rules", axis=-1),
    log_softmax=Primitive("log_softmax", jax.nn.log_softmax, "softmax_rules", axis=-1),
    reshape=Primitive("reshape", jnp.reshape, "shape_rules"),
    mT=Primitive("mT", jnp.matrix_transpose, "shape_rules"),
    greater=Primitive("greater", jnp.greater, "shape_rules"),
)

# %% [markdown]
# The rules that you wrote for floats (`add`, `multiply`, `tanh`) work for arrays without any change: `g * b` does not
# care.
#
# ### Exercise 7: record
#
# Do three things: compute on the unboxed arguments, append the entry, return the result. The entry holds `args` **as
# they came**, boxed: on the way back, their identity decides which Tensor receives. And its `y` is the same Tensor
# object that you return.


# %% name="record" tags=["exercise"] forbids=["jax.grad", "jax.value_and_grad", "jax.vjp", "jax.jvp", "jax.linearize", "jax.linear_transpose", "jax.jacrev", "jax.jacfwd", "jax.hessian", "minitorch.grad", "minitorch.value_and_grad", "minitorch.vjp", "minitorch.jvp"]
def record(tape, primitive, args, params):
    """Apply `primitive` and write it down.

    Args:
      tape: the innermost Tape that watches one of `args`.
      args: a tuple of Tensors, arrays and numbers.
      params: a dict of further keyword arguments of the primitive, such as axis.

    Returns:
      A Tensor of `tape` with the result.
    """
    # BEGIN SOLUTION Exercise 7: compute on unboxed args, append an Entry, return the boxed result.
    y = tape.box(primitive(*map(tape.unbox, args), **params))
    tape.entries.append(Entry(primitive, args, params, y))
    return y
    # END SOLUTION


# %% name="record-check" tags=["check"] exercise="record"
def mixed(a, b, shift=0.0):
    return a * b + shift


def recorded():
    """A tape, its one Tensor of value 3, and what `record` makes of 3 * 5 + 100."""
    tape = Tape()
    x = tape.box(jnp.float32(3))
    return tape, x, record(tape, Primitive("mixed", mixed, "none"), (x, 5.0), {"shift": 100.0})


def described_result():
    tape, _, y = recorded()
    if not isinstance(y, Tensor):
        return f"a {type(y).__name__}"
    return "a Tensor of this tape" if y.tape is tape else "a Tensor of another tape"


def described_entry():
    tape, x, y = recorded()
    if not tape.entries:
        return "no entry"
    entry = tape.entries[-1]
    if not any(arg is x for arg in entry.args):
        return "args are not those that came in"
    return "y is what was returned" if entry.y is y else "y is another object than what was returned"


check(
    "what the recorded primitive gives",
    lambda: getattr(recorded()[2], "value", recorded()[2]),
    jnp.float32(115),
    mistakes={"The parameters were not handed on: primitive(*..., **params).": jnp.float32(15)},
)
check(
    "the result is watched",
    described_result,
    "a Tensor of this tape",
    mistakes={
        "The result is a plain array, and what is computed from it will not be recorded.": "a ArrayImpl",
        "Nothing was returned.": "a NoneType",
    },
)
check(
    "the entry",
    described_entry,
    "y is what was returned",
    mistakes={
        "Nothing was appended to tape.entries.": "no entry",
        "The entry holds values. The walk must know who is to receive: keep args as they came.": (
            "args are not those that came in"
        ),
        "The entry's y and the returned Tensor are two objects. Box once, use it for both.": (
            "y is another object than what was returned"
        ),
    },
)


def nested_lengths():
    """The lengths of two tapes, one inside the other, after one multiplication of the inner Tensor."""
    outer, inner = Tape(), Tape()
    x = inner.box(outer.box(jnp.float32(3)))
    record(inner, ops.multiply, (x, x), {})
    return [len(inner.entries), len(outer.entries)]


check(
    "tapes nest",
    nested_lengths,
    [1, 1],
    mistakes={
        "The outer tape saw nothing. tape.unbox peels one layer only: call the primitive on that.": [1, 0],
        "Two entries were appended for one operation.": [2, 2],
    },
)

# %% name="record-entry" tags=["hidden-test"] exercise="record" points=2 hint="The entry holds the primitive, the args as they came, the params, and the very Tensor that is returned."
tape, a = Tape(), inputs.normal()
x = tape.box(a)
shifted = Primitive("shifted", lambda a, b, shift=0.0: a * b + shift, "none")
args = (x, inputs.normal())
y = record(tape, shifted, args, {"shift": 2.0})
report(len(tape.entries), mistakes={"Nothing was appended to tape.entries.": lambda: 0})
report(
    [isinstance(y, Tensor) and y.tape is tape, not isinstance(getattr(y, "value", None), Tensor)],
    mistakes={"The result is a plain array, and what is computed from it will not be recorded.": lambda: [False, True]},
)
report(
    getattr(y, "value", None),
    mistakes={"The parameters were not handed on: primitive(*..., **params).": lambda: a * args[1]},
)
entry = tape.entries[0]
report(
    [entry.primitive is shifted, entry.args[0] is x and entry.args[1] is args[1], entry.params, entry.y is y],
    mistakes={
        "The entry holds values. The walk must know who is to receive: keep args as they came.": lambda: (
            [True, False, {"shift": 2.0}, True]
        ),
        "The entry's y and the returned Tensor are two objects. Box once, use it for both.": lambda: (
            [True, True, {"shift": 2.0}, False]
        ),
    },
)

# %% name="record-nested" tags=["hidden-test"] exercise="record" points=1 hint="Unbox one layer with tape.unbox: an older tape then records the same call."
outer, inner = Tape(), Tape()
x = inner.box(outer.box(inputs.normal()))
y = record(inner, ops.multiply, (x, x), {})
report(
    [len(inner.entries), len(outer.entries), y.value.tape is outer if isinstance(y.value, Tensor) else False],
    mistakes={
        "The outer tape saw nothing. tape.unbox peels one layer only: call the primitive on that.": lambda: (
            [1, 0, False]
        )
    },
)

# %% [markdown]
# Look at one of your tapes. It holds a layer and a loss, for a batch of 32 examples: thousands of numbers, but only
# these rows.

# %% name="tape-shown" tags=["demo"]
tape = Tape()
w, b = tape.box(jnp.ones((64, 10))), tape.box(jnp.zeros(10))
with skip_if_unfinished():
    probabilities = ops.softmax(jnp.ones((32, 64)) @ w + b)
    loss = -(ops.log(probabilities) * jnp.ones((32, 10))).sum() / 32
    for i, entry in enumerate(tape.entries):
        shapes = " ".join(str(getattr(arg, "shape", arg)) for arg in entry.args)
        print(f"{i}  {entry.primitive.name:9} {shapes:18} -> {entry.y.shape}")

# %% [markdown]
# ### Exercise 8: the walk backwards, on arrays
#
# It is exercise 2 again. Three things differ.
#
# - Gradients are kept in a dict whose keys are the identities of the Tensors, `id(tensor)`: two Tensors with equal
#   values are still two Tensors. The dict that you get holds the gradient of the result; the dict that you return holds
#   the gradients of everything on the way.
# - Skip an entry whose `y` has received nothing: the result does not depend on it.
# - Only Tensors of this tape receive: `watches(tape, x)` says which. `primitive.vjp(g, y, args, params, needed)`
#   applies the rules: give it `y` and the args, all unboxed, and `needed`, a list with True or False for each arg. It
#   returns a list, with None where `needed` is False.
#
# Add gradients with `+`, which makes a new array. Never use `+=` on an array that others hold.


# %% name="walk"
def walk(tape, cotangents):
    """Your `backward`, for checks: says what a KeyError means."""
    try:
        return backward(tape, cotangents)
    except KeyError:
        raise ValueError(
            "cotangents has no item for a Tensor that has received nothing: look before you read."
        ) from None


# %% name="backward" tags=["exercise"] forbids=["jax.grad", "jax.value_and_grad", "jax.vjp", "jax.jvp", "jax.linearize", "jax.linear_transpose", "jax.jacrev", "jax.jacfwd", "jax.hessian", "minitorch.grad", "minitorch.value_and_grad", "minitorch.vjp", "minitorch.jvp"]
def backward(tape, cotangents):
    """Walk `tape.entries` from the last to the first, and add up what each Tensor of the tape receives.

    Args:
      cotangents: a dict from `id(tensor)` to its gradient, with that of the result.

    Returns:
      The dict, with an item for every Tensor of the tape that has received something.
    """
    # BEGIN SOLUTION Exercise 8: walk the entries in reverse, pull back, and add to what the args have received.
    for primitive, args, params, y in reversed(tape.entries):
        if id(y) not in cotangents:
            continue
        needed = [watches(tape, a) for a in args]
        plain = [tape.unbox(a) for a in args]
        pulled = primitive.vjp(cotangents[id(y)], tape.unbox(y), plain, params, needed)
        for a, g, need in zip(args, pulled, needed):
            if need:
                cotangents[id(a)] = cotangents[id(a)] + g if id(a) in cotangents else g
    return cotangents
    # END SOLUTION


# %% name="backward-check" tags=["check"] exercise="backward"
class Fixed:
    """A primitive for these checks: its args receive g times fixed slopes."""

    def __init__(self, *slopes):
        self.slopes = slopes

    def vjp(self, g, y, args, params, needed):
        return [g * slope if need else None for slope, need in zip(self.slopes, needed)]


def walked_back(*steps):
    """Build a tape by hand: each step is (primitive, names of args, name of y); returns what each name received."""
    tape, tensors = Tape(), {}
    for primitive, args, y in steps:
        boxed = tuple(a if isinstance(a, float) else tensors.setdefault(a, tape.box(jnp.float32(1))) for a in args)
        tensors[y] = tape.box(jnp.float32(1))
        tape.entries.append(Entry(primitive, boxed, {}, tensors[y]))
    cotangents = walk(tape, {id(tensors[y]): jnp.float32(1)})
    return {name: float(cotangents[id(t)]) for name, t in tensors.items() if id(t) in cotangents}


check(
    "a chain",
    lambda: walked_back((Fixed(2.0), ["x"], "h"), (Fixed(3.0), ["h"], "y")),
    {"x": 6.0, "h": 3.0, "y": 1.0},
    mistakes={"The walk goes from the first entry to the last. Reverse it.": {"h": 3.0, "y": 1.0}},
)
check(
    "used twice",
    lambda: walked_back((Fixed(2.0), ["x"], "h"), (Fixed(3.0, 5.0), ["h", "x"], "y")),
    {"x": 11.0, "h": 3.0, "y": 1.0},
    mistakes={
        "A Tensor that is used twice kept only what it received last. Add it up.": {"x": 6.0, "h": 3.0, "y": 1.0},
        "A Tensor that is used twice kept only what it received first. Add it up.": {"x": 5.0, "h": 3.0, "y": 1.0},
        "Only the first argument of each entry received something.": {"x": 6.0, "h": 3.0, "y": 1.0, "": 0.0},
    },
)
check(
    "a dead end on the way, and a constant",
    lambda: walked_back((Fixed(2.0), ["x"], "h"), (Fixed(7.0), ["x"], "dead"), (Fixed(3.0, 5.0), ["h", 4.0], "y")),
    {"x": 6.0, "h": 3.0, "y": 1.0},
    mistakes={"The walk ended at an entry whose y has received nothing. Skip it and go on.": {"h": 3.0, "y": 1.0}},
)


# %% name="backward-walk" tags=["hidden-test"] exercise="backward" points=2 hint="Reversed; skip an entry whose y has received nothing; give to every arg that the tape watches."
class Slopes:
    """What each arg receives depends on g, y and the args, so that all must arrive as they should."""

    def vjp(self, g, y, args, params, needed):
        slopes = [params["scale"] * y + k * a for k, a in enumerate(args)]
        return [g * slope if need else None for slope, need in zip(slopes, needed)]


def entry_of(tape, args, scale):
    """Append an entry with a drawn result; returns its y."""
    y = tape.box(inputs.normal())
    tape.entries.append(Entry(Slopes(), args, {"scale": scale}, y))
    return y


tape = Tape()
x, w, g = tape.box(inputs.normal()), tape.box(inputs.normal()), inputs.normal()
h = entry_of(tape, (x, w), 2.0)
y = entry_of(tape, (h, inputs.normal()), 5.0)
cotangents = walk(tape, {id(y): g})
report(
    [cotangents.get(id(t)) for t in (x, w, h, y)],
    mistakes={"The walk goes from the first entry to the last. Reverse it.": lambda: [None, None, g * 5 * y.value, g]},
)
dead = entry_of(tape, (x,), 3.0)
last = entry_of(tape, (y, inputs.normal()), 4.0)
cotangents = walk(tape, {id(last): g})
report(
    [cotangents.get(id(t)) for t in (x, w, h, y, dead)],
    mistakes={
        "The walk ended at an entry whose y has received nothing. Skip it and go on.": lambda: [
            None,
            None,
            None,
            g * 4 * last.value,
            None,
        ]
    },
)

# %% name="backward-adds-up" tags=["hidden-test"] exercise="backward" points=2 hint="A Tensor that is used several times adds up what it receives."
tape = Tape()
x, g = tape.box(inputs.normal()), inputs.normal()
h = entry_of(tape, (x, x), 1.0)
y = entry_of(tape, (h, x, h), 2.0)
cotangents = walk(tape, {id(y): g})


def overwritten():
    """What x and h hold where each keeps the last thing that it received."""
    kept = g * (2 * y.value + 2 * h.value)
    return [kept * (h.value + x.value), kept]


report(
    [cotangents.get(id(t)) for t in (x, h)],
    mistakes={
        "A Tensor that is used twice kept only what it received last. Add it up.": overwritten,
        "A Tensor that is used twice kept only what it received first. Add it up.": lambda: [
            g * (2 * y.value + x.value),
            g * 2 * y.value,
        ],
    },
)

# %% [markdown]
# ### Exercise 9: vjp
#
# Put the two together: open a tape, box the inputs, run the function on them, and return a function that walks. In
# the literature that function is the **pullback**; what it computes is a *vector-Jacobian product*,
# $g \mapsto g^\top J$, without ever making the matrix $J$.
#
# For the function of the first section, $J$ is one row of four numbers. For a layer with a million weights and a
# thousand outputs it has a thousand million entries, and the product with one $g$ costs about as much as the layer
# itself.
#
# If the result does not depend on an input, that input receives zeros. Make them with `jnp.zeros(x.shape, x.dtype)`,
# which needs only the shape and the dtype, and so also works for a Tensor of an outer tape.


# %% name="vjp" tags=["exercise"] forbids=["jax.grad", "jax.value_and_grad", "jax.vjp", "jax.jvp", "jax.linearize", "jax.linear_transpose", "jax.jacrev", "jax.jacfwd", "jax.hessian", "minitorch.grad", "minitorch.value_and_grad", "minitorch.vjp", "minitorch.jvp"]
def vjp(fun, *primals):
    """Evaluate `fun(*primals)` and get ready to walk back.

    Args:
      fun: a function of arrays, written with `ops` and operators, to one array.
      primals: arrays (or Tensors of an outer tape).

    Returns:
      `(y, pullback)`: `y` unboxed, and a function from `g`, of the shape of `y`, to a tuple of gradients, one for each
      of `primals`.
    """
    # BEGIN SOLUTION Exercise 9: box the primals on a new tape, call fun, return its value and a pullback.
    tape = Tape()
    inputs = [tape.box(x) for x in primals]
    y = fun(*inputs)

    def pullback(g):
        cotangents = backward(tape, {id(y): g})
        return tuple(cotangents.get(id(x), jnp.zeros(x.shape, x.dtype)) for x in inputs)

    return tape.unbox(y), pullback
    # END SOLUTION


# %% name="vjp-check" tags=["check"] exercise="vjp"
def layer(x, w, unused):
    return ops.tanh(x * w)


x, w, unused, g = jnp.array([0.5, -1.0]), jnp.array([2.0, 0.3]), jnp.array([7.0, 7.0]), jnp.array([1.0, -2.0])
check("what fun gives", lambda: vjp(layer, x, w, unused)[0], lambda: jnp.tanh(x * w))
check(
    "the pullback",
    lambda: vjp(layer, x, w, unused)[1](g),
    lambda: jax.vjp(layer, x, w, unused)[1](g),
    mistakes={
        "All gradients are zero: nothing was recorded. What was fun called on?": lambda: (0 * x, 0 * x, 0 * x),
        "g was ignored: the walk started with ones. It starts with g at the result.": lambda: jax.vjp(
            layer, x, w, unused
        )[1](jnp.ones(2)),
        "Only the first gradient came back. Return a tuple with one for each of primals.": lambda: jax.vjp(
            layer, x, w, unused
        )[1](g)[0],
        "An input that is not used receives zeros of its shape, not None.": lambda: (
            *jax.vjp(layer, x, w, unused)[1](g)[:2],
            None,
        ),
        "An input that is not used is missing. It receives zeros.": lambda: jax.vjp(layer, x, w, unused)[1](g)[:2],
    },
)


def pulled_twice():
    pullback = vjp(layer, x, w, unused)[1]
    pullback(g)
    return pullback(g)


check("the pullback can be called again", pulled_twice, lambda: jax.vjp(layer, x, w, unused)[1](g))

# %% name="vjp-pullback" tags=["hidden-test"] exercise="vjp" points=3 hint="Box the primals on a new tape, call fun on the boxes, start the walk with g at the result, zeros for unused inputs."
x, w, unused, g = (inputs.normal(3) for _ in range(4))
y, pullback = vjp(lambda x, w, unused: ops.multiply(ops.add(x, w), x), x, w, unused)
report(y)
report(
    pullback(g),
    mistakes={
        "All gradients are zero: nothing was recorded. What was fun called on?": lambda: (0 * x, 0 * x, 0 * x),
        "g was ignored: the walk started with ones. It starts with g at the result.": lambda: (2 * x + w, x, 0 * x),
        "Only the first gradient came back. Return a tuple with one for each of primals.": lambda: g * (2 * x + w),
        "An input that is not used receives zeros of its shape, not None.": lambda: (g * (2 * x + w), g * x, None),
        "An input that is not used is missing. It receives zeros.": lambda: (g * (2 * x + w), g * x),
    },
)
report(pullback(2 * g))

# %% [markdown]
# ### Exercise 10: value_and_grad
#
# A loss is one number, so its $g$ is 1. The weights of a model are many arrays in dicts and lists: a **pytree**.
# `jax.tree.flatten(params)` gives its leaves as a list, and a `treedef` whose `unflatten(leaves)` builds the same
# structure from new leaves. So the gradient comes back in the shape of the model: `grads["hidden"]["w"]` belongs to
# `params["hidden"]["w"]`.
#
# For a second derivative `y` may be a Tensor of an outer tape. `jnp.ones(y.shape, y.dtype)` needs only its shape and
# dtype, so it works there too.
#
# A system can confuse two tapes that record at the same time. What is $\frac{d}{dx}\big(x \cdot \frac{d}{dy}(x +
# y)\big)$? The inner derivative is 1, whatever $x$ is, so the outer one is 1 too. A system that marks a number as
# "being differentiated", without saying by which derivative, mistakes the inner $x$ for a $y$ and answers 2. Siskind
# and Pearlmutter found several systems that did this, and named it *perturbation confusion* (2005). Yours cannot do it:
# each `vjp` has a tape of its own, and `unbox` touches only the Tensors of its own tape.


# %% name="value_and_grad" tags=["exercise"] forbids=["jax.grad", "jax.value_and_grad", "jax.vjp", "jax.jvp", "jax.linearize", "jax.linear_transpose", "jax.jacrev", "jax.jacfwd", "jax.hessian", "minitorch.grad", "minitorch.value_and_grad", "minitorch.vjp", "minitorch.jvp"]
def value_and_grad(fun):
    """The function that returns the value of `fun` and its gradient by the first argument.

    Args:
      fun: `fun(params, *rest)`, with `params` a pytree of arrays, to a scalar.

    Returns:
      A function of `(params, *rest)` to `(value, grads)`, with `grads` a pytree like `params`.
    """

    def value_and_grad_fun(params, *rest):
        # BEGIN SOLUTION Exercise 10: take the vjp of fun as a function of the leaves of params, and pull back 1.
        leaves, treedef = jax.tree.flatten(params)
        y, pullback = vjp(lambda *leaves: fun(treedef.unflatten(leaves), *rest), *leaves)
        return y, treedef.unflatten(pullback(jnp.ones(y.shape, y.dtype)))
        # END SOLUTION

    return value_and_grad_fun


def grad(fun):
    """The function that returns the gradient of `fun` by its first argument."""
    return lambda *args: value_and_grad(fun)(*args)[1]


# %% name="value_and_grad-check" tags=["check"] exercise="value_and_grad"
def error(params, x, target):
    """The squared error of a line."""
    difference = params["w"] * x + params["b"] - target
    return (difference * difference).sum()


params, x, target = {"w": jnp.array([2.0, -1.0]), "b": jnp.array(0.5)}, jnp.array([1.0, 3.0]), jnp.array([0.0, 1.0])
right = {"w": jnp.array([5.0, -21.0]), "b": jnp.array(-2.0)}
check(
    "the value and the gradient of a dict",
    lambda: value_and_grad(error)(params, x, target),
    (jnp.array(18.5), right),
    mistakes={
        "The order is (value, grads).": (right, jnp.array(18.5)),
        "The value is missing: return (value, grads).": right,
        "The gradient must have the structure of params, which here is a dict.": (
            jnp.array(18.5),
            [right["b"], right["w"]],
        ),
        "The walk must start with 1, and not with the value of the loss.": (
            jnp.array(18.5),
            jax.tree.map(lambda g: 18.5 * g, right),
        ),
    },
)


def confusing(x):
    return x * grad(lambda y: x + y)(jnp.float32(1))


check("second order: (x³)'' = 6 x", lambda: grad(grad(lambda x: x * x * x))(jnp.float32(2)), jnp.float32(12))
check(
    "perturbation confusion: d/dx of x * (d/dy (x + y)) is 1",
    lambda: grad(confusing)(jnp.float32(3)),
    jnp.float32(1),
    mistakes={"The two derivatives were mixed up: each vjp needs a tape of its own.": jnp.float32(2)},
)

# %% name="value_and_grad-tree" tags=["hidden-test"] exercise="value_and_grad" points=2 hint="Return (value, grads), the walk started with 1, and grads in the structure of params."
params = {"w": inputs.normal(3), "b": [inputs.normal()]}
data = inputs.normal(3)


def loss(params, data):
    difference = ops.add(ops.multiply(params["w"], data), params["b"][0])
    return ops.sum(ops.multiply(difference, difference))


value = jnp.sum((params["w"] * data + params["b"][0]) ** 2)
slope = 2 * (params["w"] * data + params["b"][0])
tree = {"w": slope * data, "b": [slope.sum()]}
report(
    value_and_grad(loss)(params, data),
    mistakes={
        "The order is (value, grads).": lambda: (tree, value),
        "The value is missing: return (value, grads).": lambda: tree,
        "The gradient must have the structure of params, which here is a dict.": lambda: (
            value,
            [tree["b"][0], tree["w"]],
        ),
        "The walk must start with 1, and not with the value of the loss.": lambda: (
            value,
            {"w": value * tree["w"], "b": [value * tree["b"][0]]},
        ),
    },
)

# %% name="value_and_grad-second-order" tags=["hidden-test"] exercise="value_and_grad" points=3 hint="Ask only for shape and dtype of y, which may be a Tensor of an outer tape; each vjp has its own tape."
x, v = inputs.normal(3), inputs.normal(3)


def wavy(x):
    return ops.sum(ops.multiply(ops.tanh(x), ops.multiply(x, x)))


report(grad(lambda x: ops.sum(ops.multiply(grad(wavy)(x), v)))(x))
report(
    grad(lambda x: ops.multiply(x, grad(lambda y: ops.add(ops.multiply(x, x), y))(x)))(inputs.normal()),
    mistakes={"The two derivatives were mixed up: each vjp needs a tape of its own.": lambda: jnp.float32(2)},
)

# %% [markdown]
# That is the engine: a list, a loop and a table. It can differentiate even its own work, as often as you like:

# %% name="derivatives" tags=["demo"]
from minitorch_course.figures import autodiff as figures


def derivative(f):
    """f' of a function of single numbers, at many of them at once: in a sum each number has the slope of its own summand."""
    return grad(lambda x: f(x).sum())


x = jnp.linspace(-3, 3, 121)
curves = {"tanh": ops.tanh}
for name in ("first", "second", "third"):
    curves[f"{name} derivative"] = derivative(list(curves.values())[-1])
with skip_if_unfinished():
    figures.curves(x, {name: f(x) for name, f in curves.items()})

# %% [markdown]
# ### Softmax, by hand
#
# Softmax turns scores into probabilities: $y_i = e^{x_i} / \sum_j e^{x_j}$. You could compose it from exp, sum and
# divide, which have rules by now. A rule by hand is shorter, and it is the best exercise in the chain rule that there
# is, because **every output depends on every input**.
#
# Scores $(2, 1, 0)$ give $y = (0.665, 0.245, 0.090)$. Raise the first score by 0.01. Then $y_1$ grows by $0.01 \cdot
# y_1 (1 - y_1) = 0.0022$. The others must pay, since the sum stays 1: $y_2$ loses $0.01 \cdot y_1 y_2 = 0.0016$ and
# $y_3$ loses $0.0006$. In one formula, where $\delta_{ij}$ is 1 if $i = j$ and 0 otherwise:
#
# $$ \frac{\partial y_j}{\partial x_i} = y_i (\delta_{ij} - y_j) $$
#
# Rows and columns of these slopes sum to zero:

# %% name="softmax-slopes" tags=["demo"]
from minitorch_course.figures import chain_rule

chain_rule.softmax_slopes()

# %% [markdown]
# What does $x_i$ receive? The sum over all places $j$ that it went to:
#
# $$ \sum_j g_j\, y_i (\delta_{ij} - y_j) \;=\; y_i \Big( g_i - \sum_j g_j y_j \Big) $$
#
# Read it: $\sum_j g_j y_j$ is the mean of $g$ under the probabilities. A score is pushed up if its $g$ is above that
# mean. Add 7 to all of $g$ and nothing changes: you cannot move all probabilities at once.
#
# **Log-softmax**, $y_i = x_i - \ln \sum_j e^{x_j}$, is what losses need: if a softmax underflows to 0, its logarithm is
# $-\infty$, while log-softmax stays exact. Derive its rule in the same way (the slope of $\ln \sum_j e^{x_j}$ by $x_i$
# is the softmax, which is `exp(y)`).
#
# ### Exercise 11: softmax and log-softmax
#
# Both rules are called as `rule(g, y, x, axis=...)`. For the exponential write `ops.exp`, your own op, so that the
# rule can be differentiated again.


# %% name="softmax_rules" tags=["exercise"] forbids=["jax.grad", "jax.value_and_grad", "jax.vjp", "jax.jvp", "jax.linearize", "jax.linear_transpose", "jax.jacrev", "jax.jacfwd", "jax.hessian", "minitorch.grad", "minitorch.value_and_grad", "minitorch.vjp", "minitorch.jvp", "minitorch.ops.softmax", "minitorch.ops.log_softmax"]
def softmax_rules():
    """The rules of "softmax" and "log_softmax", `rule(g, y, x, axis)`: along `axis`, the numbers `y` are one distribution."""
    # BEGIN SOLUTION Exercise 11: return a dict with the rules of softmax and log_softmax.
    return {
        "softmax": (lambda g, y, x, axis: y * (g - (g * y).sum(axis=axis, keepdims=True)),),
        "log_softmax": (lambda g, y, x, axis: g - ops.exp(y) * g.sum(axis=axis, keepdims=True),),
    }
    # END SOLUTION


# %% name="softmax_rules-check" tags=["check"] exercise="softmax_rules"
x = jnp.array([[2.0, 1.0, 0.0], [-1.0, 0.5, 3.0]])
g = jnp.array([[1.0, -2.0, 0.5], [4.0, 1.0, -1.0]])
p = jax.nn.softmax(x)
check(
    "softmax along the last axis",
    lambda: received(softmax_rules(), "softmax", g, jax.nn.softmax(x, -1), x, axis=-1),
    lambda: list(jax.vjp(jax.nn.softmax, x)[1](g)),
    mistakes={
        "softmax: here a score moves its own probability only. It moves all of them.": lambda: [g * p * (1 - p)],
        "softmax: the difference must still be multiplied by y.": lambda: [g - (g * p).sum(-1, keepdims=True)],
        "softmax: the mean of g must be weighted by the probabilities.": lambda: [p * (g - g.sum(-1, keepdims=True))],
        "softmax: the sum runs over all numbers. Each row is a distribution of its own.": lambda: [
            p * (g - (g * p).sum())
        ],
        "softmax: the sign of the sum is wrong: what one gains the others lose.": lambda: [
            p * (g + (g * p).sum(-1, keepdims=True))
        ],
    },
)
check(
    "softmax along axis 0",
    lambda: received(softmax_rules(), "softmax", g, jax.nn.softmax(x, 0), x, axis=0),
    lambda: list(jax.vjp(lambda x: jax.nn.softmax(x, 0), x)[1](g)),
    mistakes={
        "softmax: the sum runs along the last axis. It must run along `axis`.": lambda: [
            jax.nn.softmax(x, 0) * (g - (g * jax.nn.softmax(x, 0)).sum(-1, keepdims=True))
        ]
    },
)
check(
    "log_softmax",
    lambda: received(softmax_rules(), "log_softmax", g, jax.nn.log_softmax(x, -1), x, axis=-1),
    lambda: list(jax.vjp(jax.nn.log_softmax, x)[1](g)),
    mistakes={
        "log_softmax: y is not a probability here, but its logarithm.": lambda: [
            g - jnp.log(p) * g.sum(-1, keepdims=True)
        ],
        "log_softmax: a score lowers every output of its row: sum g along `axis`.": lambda: [g - p * g],
        "log_softmax: g is summed as it is, without weights.": lambda: [g - p * (g * p).sum(-1, keepdims=True)],
        "log_softmax: the sign is wrong: the normaliser is subtracted.": lambda: [g + p * g.sum(-1, keepdims=True)],
    },
)

# %% name="softmax_rules-softmax" tags=["hidden-test"] exercise="softmax_rules" points=2 hint="y (g - sum of g y along the axis, with keepdims)."
x, g = inputs.normal(3, 3), inputs.normal(3, 3)
for axis in (-1, 0):
    e = np.exp(x)
    p = jnp.asarray(e / e.sum(axis, keepdims=True))
    report(
        received(softmax_rules(), "softmax", g, p, x, axis=axis)[0],
        mistakes={
            "softmax: here a score moves its own probability only. It moves all of them.": (
                lambda p=p: g * p * (1 - p)
            ),
            "softmax: the mean of g must be weighted by the probabilities.": lambda p=p, axis=axis: (
                p * (g - g.sum(axis, keepdims=True))
            ),
            "softmax: the difference must still be multiplied by y.": lambda p=p, axis=axis: (
                g - (g * p).sum(axis, keepdims=True)
            ),
            "softmax: the sum runs along the last axis. It must run along `axis`.": lambda p=p: (
                p * (g - (g * p).sum(-1, keepdims=True))
            ),
            "softmax: the sum runs over all numbers. Each row is a distribution of its own.": lambda p=p: (
                p * (g - (g * p).sum())
            ),
        },
    )

# %% name="softmax_rules-log_softmax" tags=["hidden-test"] exercise="softmax_rules" points=2 hint="g - exp(y) times the sum of g along the axis, with keepdims."
x, g = inputs.normal(3, 3), inputs.normal(3, 3)
for axis in (-1, 0):
    e = np.exp(x)
    p = jnp.asarray(e / e.sum(axis, keepdims=True))
    report(
        received(softmax_rules(), "log_softmax", g, jnp.asarray(np.log(p)), x, axis=axis)[0],
        mistakes={
            "log_softmax: y is not a probability here, but its logarithm.": lambda p=p, axis=axis: (
                g - jnp.log(p) * g.sum(axis, keepdims=True)
            ),
            "log_softmax: a score lowers every output of its row: sum g along `axis`.": lambda p=p: g - p * g,
            "log_softmax: the sum runs along the last axis. It must run along `axis`.": lambda p=p: (
                g - p * g.sum(-1, keepdims=True)
            ),
        },
    )

# %% [markdown]
# A rule derived by hand has a slow twin: the same function composed of smaller operations. Your engine differentiates
# both, and they must agree. JAX must agree too, for the gradient and for the gradient's gradient.


# %% name="order-two" tags=["demo"]
WEIGHTS, x, v = (jax.random.normal(jax.random.key(i), shape) for i, shape in enumerate([(3, 3), (2, 3), (2, 3)]))


def network(x, softmax=ops.softmax, bend=ops.relu):
    """x (2, 3) to a number, through a bit of everything."""
    hidden = bend(x @ WEIGHTS + 0.1) - ops.tanh(x / 3.0)
    return (softmax(hidden) * hidden).sum() + ops.log(1.5 + hidden * hidden).sum()


def composed_softmax(x):
    e = ops.exp(x)
    return e / e.sum(axis=-1, keepdims=True)


def close(a, b):
    return bool(jnp.allclose(a, b, rtol=1e-4, atol=1e-5))


def by_jax(x):
    return (jax.grad(network)(x) * v).sum()


with skip_if_unfinished():
    first, twin = grad(network)(x), grad(lambda x: network(x, composed_softmax))(x)
    second = grad(lambda x: (grad(network)(x) * v).sum())(x)
    print("first order, as jax.grad: ", close(first, jax.jit(jax.grad(network))(x)))
    print("second order, as jax.grad:", close(second, jax.jit(jax.grad(by_jax))(x)))
    print("softmax by hand, as softmax composed:", close(first, twin))

# %% [markdown]
# `jax.grad` can differentiate the very same `network`: when your ops get JAX's arrays, they are just JAX functions. So
# JAX is a free oracle for everything you write.
#
# ### The gradient check
#
# If there is no oracle, measure. Below, your gradient is compared with your central difference and with the one-sided
# one, for steps $h$ of many sizes. The relu is replaced by tanh, since relu has a kink at 0, and across a kink there is
# no slope to measure. The third curve is for a softmax rule with a bug, the $g\, y\, (1 - y)$ that everybody writes
# first.
#
# Predict the picture: how does the difference depend on $h$, with and without the bug?

# %% name="gradient-check" tags=["demo"]
from minitorch_course.figures import autodiff as figures


def wrong_rules():
    return {"softmax": (lambda g, y, x, axis: g * y * (1 - y),)}


def smooth(x, softmax=ops.softmax):
    return network(x, softmax, bend=ops.tanh)


def claimed(softmax):
    """The slope along v by your tape."""
    return (grad(lambda x: smooth(x, softmax))(x) * v).sum()


def one_sided(h):
    return (smooth(x + h * v) - smooth(x)) / h


def central(h):
    return central_difference(smooth, x, v, h)


wrong_softmax = Primitive("softmax", jax.nn.softmax, "wrong_rules", axis=-1)
with skip_if_unfinished():
    figures.gradient_check(
        {
            "one-sided": (one_sided, claimed(ops.softmax)),
            "central": (central, claimed(ops.softmax)),
            "central, with the bug": (central, claimed(wrong_softmax)),
        }
    )

# %% [markdown]
# Read the picture from right to left. The error of the central difference falls with the square of the step, that of
# the one-sided difference only in proportion to the step. Then both rise again as $1/h$: float32 has seven digits, and
# the difference of two nearly equal numbers loses most of them. The best step for the central difference is about the
# cube root of the precision, a few thousandths. The bug is flat: no step makes it go away. That is how you recognise a
# wrong rule: rounding looks different.

# %% [markdown]
# ## 4. Your tape learns to read
#
# 1,797 handwritten digits, 8 by 8 pixels, written by 13 people in the 1990s; a fifth of them is held out.

# %% name="digits" tags=["demo"]
import minitorch as mt
from minitorch_course.figures import autodiff as figures

(train_x, train_y), (test_x, test_y) = mt.data.stratified_split(*mt.data.load_digits(), validation=0.2, seed=0)
train_x, test_x = train_x.reshape(-1, 64), test_x.reshape(-1, 64)
print(f"{len(train_x)} digits to train on, {len(test_x)} held out")
figures.digits(train_x, train_y)

# %% [markdown]
# The network has two layers. It is a function of a dict of weights, written with your ops. A training step moves the
# weights a little way against the gradient.
#
# `jax.jit` compiles the step. It goes *around* your gradient: your tape runs once, on JAX's stand-ins for arrays, and
# what it does is compiled. Your engine is ordinary Python that calls JAX functions, so JAX does not need to know that
# it exists.


# %% name="classifier" tags=["demo"]
def logits_of(params, x):
    """x (B, 64) to logits (B, 10)."""
    hidden = ops.relu(x @ params["hidden"]["w"] + params["hidden"]["b"])  # (B, 128)
    return hidden @ params["out"]["w"] + params["out"]["b"]


def digit_loss(params, x, one_hot):
    """The mean of -log(probability of the right digit)."""
    return -(ops.log_softmax(logits_of(params, x)) * one_hot).sum() / x.shape[0]


def first_weights(key):
    a, b = jax.random.split(key)
    return {
        "hidden": {"w": jax.random.normal(a, (64, 128)) * 0.1, "b": jnp.zeros(128)},
        "out": {"w": jax.random.normal(b, (128, 10)) * 0.1, "b": jnp.zeros(10)},
    }


@jax.jit
def step(params, x, one_hot):
    loss, grads = value_and_grad(digit_loss)(params, x, one_hot)
    return loss, jax.tree.map(lambda p, g: p - 0.7 * g, params, grads)


def batches(epochs, size=64):
    """For each epoch, the row numbers of its batches."""
    for epoch in range(epochs):
        order = np.random.default_rng(epoch).permutation(len(train_x))
        yield order[: len(order) // size * size].reshape(-1, size)


with skip_if_unfinished():
    params, losses, accuracies = first_weights(jax.random.key(0)), [], []
    for epoch in batches(30):
        for rows in epoch:
            loss, params = step(params, train_x[rows], np.eye(10, dtype=np.float32)[train_y[rows]])
            losses.append(float(loss))
        accuracies.append(float((logits_of(params, test_x).argmax(-1) == test_y).mean()))
    print("held-out digits read rightly: at least 95 %:", accuracies[-1] >= 0.95)
    figures.training(losses, accuracies)
    figures.read(test_x, test_y, ops.softmax(logits_of(params, test_x)))
    figures.weights(params["hidden"]["w"])

# %% [markdown]
# The figure shows the run, some held-out digits (misread ones above, correctly read ones below), and the weights. Each
# tile shows what one hidden unit looks for: orange where it wants ink, and purple where it wants none. Nobody wrote
# these patterns. They came out of a list, walked backwards a few hundred times.
#
# ### Your rules inside minitorch
#
# minitorch's own tape has the same parts, so yours fit in: `override_rules` puts your rules and your walk in place of
# the library's own while its `with` block runs. `mt.models.MLP` and `mt.nn.cross_entropy` do not notice. A counter
# shows that your code is really the code that is called.

# %% name="plugged-in" tags=["demo"]
calls = {}


def counted(name, function):
    """`function`, which counts its calls under `name`."""

    def wrapper(*args, **params):
        calls[name] = calls.get(name, 0) + 1
        return function(*args, **params)

    return wrapper


def for_library(name, table):
    """Your rules of an op as the library calls them: what each returns has the shape of its argument."""

    def one(i, rule):
        return counted(name, lambda g, y, *args, **params: fitted(rule(g, y, *args, **params), args[i]))

    return tuple(one(i, rule) for i, rule in enumerate(rules_of(table, name)))


def walk(tape, cotangents):
    """Your walk on the library's tape, whose entries hold a tuple of outputs, since some ops have several."""
    tape.entries = [Entry(entry.primitive, entry.args, entry.params, *entry.outputs) for entry in tape.entries]
    return backward(tape, cotangents)


def mine():
    """Return the parts of the library that yours replace."""
    return {
        mt.ops.add: for_library("add", scalar_rules()),
        mt.ops.matmul: for_library("matmul", matrix_rules()),
        mt.ops.relu: for_library("relu", elementwise_rules()),
        "Tape.backward": counted("walk", walk),
    }


def library_loss(model, x, y):
    return mt.nn.cross_entropy(model(x), y)


@jax.jit
def library_step(model, x, y):
    _, grads = mt.value_and_grad(library_loss)(model, x, y)
    return jax.tree.map(lambda p, g: p - 0.7 * g, model, grads)


with skip_if_unfinished():
    model = mt.models.MLP.init(jax.random.key(0), mt.models.MLPConfig(inputs=64, hidden=(128,), classes=10))
    batch = train_x[:64], train_y[:64]
    theirs = mt.value_and_grad(library_loss)(model, *batch)
    with override_rules(mine()):
        ours = mt.value_and_grad(library_loss)(model, *batch)
    print("your calls in one gradient:", calls)
    same = jax.tree.map(lambda a, b: bool(jnp.allclose(a, b, rtol=1e-4, atol=1e-6)), theirs, ours)
    print("the same gradient as with the library's own rules:", all(jax.tree.leaves(same)))

    with override_rules(mine()):
        for epoch in batches(20):
            for rows in epoch:
                model = library_step(model, train_x[rows], train_y[rows])
    accuracy = float(mt.nn.accuracy(model(test_x), test_y))
    print("minitorch's own MLP, trained by your rules: at least 95 %:", accuracy >= 0.95)

# %% [markdown]
# ## Stretch 1: forward mode from two reverse modes
#
# `vjp` answers "if the output is pulled by $g$, how are the inputs pulled?": $g \mapsto J^\top g$. Forward mode asks
# the other question: "if the inputs move by $t$, how does the output move?": $t \mapsto J t$. You might think that it
# needs a second rule for each op. It does not. The pullback is a *linear* function of $g$, and the derivative of a
# linear function is the function itself, transposed. So pull back through the pullback. Concretely: the number $s(g) =
# \sum_i (J^\top g)_i \, t_i$ is $g \cdot (J t)$. Its gradient with respect to $g$ is $J t$, and it is the same at every
# $g$, so take zeros. Jamie Townsend pointed it out in 2017; autograd had kept two tables of rules until then.
#
# The **Hessian-vector product** $H v$ says how the gradient changes if you step along $v$. It costs about as much as
# two gradients, while the whole Hessian $H$ of a network with a million weights has a million million entries. You get
# $H v$ as the gradient of $\nabla f(x) \cdot v$ (Pearlmutter, 1994).


# %% name="jvp" tags=["exercise", "stretch"] forbids=["jax.grad", "jax.value_and_grad", "jax.vjp", "jax.jvp", "jax.linearize", "jax.linear_transpose", "jax.jacrev", "jax.jacfwd", "jax.hessian", "minitorch.grad", "minitorch.value_and_grad", "minitorch.vjp", "minitorch.jvp"]
def jvp(fun, primals, tangents):
    """Evaluate `fun(*primals)` and the derivative along `tangents`, which are shaped like `primals`.

    Returns:
      `(y, J t)`, two arrays of one shape.
    """
    # BEGIN SOLUTION Stretch 1: take the gradient by g of the sum of products of pullback(g) and tangents.
    y, pullback = vjp(fun, *primals)

    def along(g):
        return sum((received * t).sum() for received, t in zip(pullback(g), tangents))

    return y, grad(along)(jnp.zeros(y.shape, y.dtype))
    # END SOLUTION


def hvp(fun, x, v):
    """The Hessian of the scalar function `fun` at `x`, times `v`."""
    # BEGIN SOLUTION Stretch 1: return the Hessian-vector product, by grad of grad.
    return grad(lambda x: (grad(fun)(x) * v).sum())(x)
    # END SOLUTION


# %% name="jvp-check" tags=["check", "stretch"] exercise="jvp"
def wave(x, w):
    return ops.tanh(x @ w) * 3.0


def bowl(x):
    return (x * x * x).sum() + ops.exp(x).sum()


x, w, t, u = (jax.random.normal(jax.random.key(i), shape) for i, shape in enumerate([(2, 3), (3, 2), (2, 3), (3, 2)]))
check(
    "jvp, as jax.jvp",
    lambda: jvp(wave, (x, w), (t, u)),
    lambda: jax.jvp(wave, (x, w), (t, u)),
    mistakes={"Only the first input moved: sum over all of primals.": lambda: jax.jvp(wave, (x, w), (t, 0 * u))},
)
check(
    "hvp, as by JAX",
    lambda: hvp(bowl, x, t),
    lambda: jax.jvp(jax.grad(bowl), (x,), (t,))[1],
    mistakes={
        "That is the gradient along v, one number. Differentiate it once more.": lambda: (jax.grad(bowl)(x) * t).sum()
    },
)

# %% [markdown]
# ## Stretch 2: a vmap of your own
#
# `grad` watches what a function does and writes it down. If you watch and do something else instead, you have another
# transformation. `vmap` turns a function of one example into a function of many, without a loop: whenever it sees an
# operation on one example, it applies the operation to all of them at once.
#
# An `Example` is a Tensor whose value has one more axis in front, the batch axis, but its `shape` does not show that
# axis. The function sees a (3,) while you hold a (B, 3). A `Batch` takes the tape's place; its `record` computes and
# writes nothing down. All you need is to translate the call:
#
# | one example | all examples |
# |---|---|
# | `x + b`: (2, 3) + (3,), both are examples | `b` must become (B, 1, 3): put axes of length 1 after the batch axis |
# | `x.sum(axis=0)` | `axis=(1,)`: every axis has moved by one |
# | `x.sum(axis=None)` | all axes but the batch |
# | `x.reshape((6,))` | `reshape((B, 6))` |
# | `x @ w`, two matrices | as it is: `@` multiplies the last two axes |
#
# Since tapes nest, you get `vmap(grad(f))` for free: the gradient of *each example*. Frameworks without `vmap` need a
# loop for that.


# %% name="vmap-parts"
class Example(Tensor):
    """All examples of a batch at once: `value` has the batch axis in front, `shape` is that of one example."""

    shape = property(lambda self: self.value.shape[1:])


class Batch(Tape):
    """Stands where a tape stands, and applies each primitive to all examples."""

    def record(self, primitive, args, params):
        return Example(batched(self, primitive, args, params), self)


def vmap(fun):
    """The function that applies `fun` to each example of its arguments, along their first axis."""

    def vmap_fun(*arrays):
        batch, size = Batch(), arrays[0].shape[0]
        return jax.tree.map(lambda y: all_of(batch, y, size), fun(*(Example(x, batch) for x in arrays)))

    return vmap_fun


def all_of(batch, y, size):
    """The results of all examples; a result that is the same for each is repeated."""
    return batch.unbox(y) if watches(batch, y) else y + jnp.zeros((size, *y.shape), y.dtype)


# %% name="batched" tags=["exercise", "stretch"] forbids=["jax.vmap", "jax.lax.map"]
def batched(batch, primitive, args, params):
    """Apply `primitive` to all examples at once.

    Args:
      batch: the Batch. `watches(batch, a)` says whether an argument is an Example of it, `batch.unbox(a)` gives its value
        (B, ...).
      args: Examples, arrays and numbers. `params`: may hold "axis" (None, a number or a tuple) or "shape".

    Returns:
      The results of all examples, (B, ...).
    """
    # BEGIN SOLUTION Stretch 2: translate the call as the table says, and call the primitive.
    ndim = max(getattr(a, "ndim", 0) for a in args)

    def aligned(a):
        if not watches(batch, a):
            return a
        size, *shape = a.value.shape
        return a.value.reshape((size, *[1] * (ndim - a.ndim), *shape))

    if "axis" in params:
        params = params | {"axis": tuple(i + 1 for i in axes_of(params["axis"], ndim))}
    if "shape" in params:
        params = params | {"shape": (args[0].value.shape[0], *params["shape"])}
    return primitive(*map(aligned, args), **params)
    # END SOLUTION


# %% name="batched-check" tags=["check", "stretch"] exercise="batched"
x, b, w = (jax.random.normal(jax.random.key(i), shape) for i, shape in enumerate([(4, 2, 3), (4, 3), (3, 3)]))


def score(x, b):
    """x (2, 3) and b (3,) to a number."""
    return (ops.softmax(ops.relu(x @ w + b), axis=0) * x.reshape((3, 2)).mT).sum()


check("examples of different ranks", lambda: vmap(lambda x, b: x + b)(x, b), lambda: jax.vmap(lambda x, b: x + b)(x, b))
check("a sum over one axis", lambda: vmap(lambda x: x.sum(axis=0))(x), lambda: jax.vmap(lambda x: x.sum(axis=0))(x))
check("a sum over all axes", lambda: vmap(lambda x: x.sum())(x), lambda: jax.vmap(lambda x: x.sum())(x))
check("everything together", lambda: vmap(score)(x, b), lambda: jax.vmap(score)(x, b))
check("the gradient of each example", lambda: vmap(grad(score))(x, b), lambda: jax.vmap(jax.grad(score))(x, b))
check(
    "the gradient of a vmap",
    lambda: grad(lambda x: vmap(score)(x, b).sum())(x),
    lambda: jax.grad(lambda x: jax.vmap(score)(x, b).sum())(x),
)

# %% [markdown]
# ## In the wild
#
# You can now read the following, and will recognise what you see.
#
# | project | file | what you wrote |
# |---|---|---|
# | minitorch | `minitorch/autodiff/tape.py` | `Tensor`, `Entry`, `record`, the walk: the same names, plus error messages and several outputs |
# | minitorch | `minitorch/ops/elementwise.py`, `shapes.py`, `fused.py` | the table of rules; `unbroadcast`; softmax by hand |
# | HIPS/autograd | `autograd/core.py`, `autograd/tracer.py` | `backward_pass` is your loop; boxes nest as yours do. An early version kept a list, `CalculationTape` |
# | HIPS/autograd | `autograd/numpy/numpy_vjps.py` | the table, and `unbroadcast` under that very name |
# | mattjj/autodidact | `autograd/core.py` | a teaching version of it by one of its authors |
# | jax-ml/jax | `jax/_src/interpreters/ad.py` | forward mode first; reverse mode is its transpose, walked in `backward_pass` |
# | jax-ml/jax | `jax/_src/interpreters/batching.py`, `jax/_src/lax/lax.py` | `vmap`; `_unbroadcast`, whose comment names autograd's |
# | pytorch/pytorch | `tools/autograd/derivatives.yaml` | the table: one entry an op, in terms of `grad` and `result` |
# | pytorch/pytorch | `torch/csrc/autograd/engine.cpp`, `aten/src/ATen/ExpandUtils.h` | the walk, in C++ on several threads; `sum_to` is `unbroadcast` |
# | karpathy/micrograd | `micrograd/engine.py` | section 1, with a recursive sort in place of the list |
#
# What differs between them is mostly *where the list lives*: PyTorch stores it on the tensors (`grad_fn`) and therefore
# needs `no_grad` and `zero_grad`; JAX and minitorch keep it inside the transformation, and nothing is left behind.
# Notebook 03 builds layers on top of your gradient, 04 decides what to do with it, and in 05 the tape becomes a graph.
#
# ## References
#
# - R. E. Wengert, *A simple automatic derivative evaluation program*, Communications of the ACM, 1964.
# - S. Linnainmaa, *Taylor expansion of the accumulated rounding error*, BIT, 1976 (from his thesis of 1970).
# - B. Speelpenning, *Compiling fast partial derivatives of functions given by algorithms*, PhD thesis, Illinois,
#   1980.
# - D. Rumelhart, G. Hinton, R. Williams, *Learning representations by back-propagating errors*, Nature, 1986.
# - B. Pearlmutter, *Fast exact multiplication by the Hessian*, Neural Computation, 1994.
# - J. Siskind, B. Pearlmutter, *Perturbation confusion and referential transparency*, IFL, 2005.
# - A. Griewank, *Who invented the reverse mode of differentiation?*, Documenta Mathematica, 2012.
# - J. Townsend, *A new trick for calculating Jacobian vector products*, 2017.
# - A. Baydin, B. Pearlmutter, A. Radul, J. Siskind, *Automatic differentiation in machine learning: a survey*, JMLR,
#   2018.
# - R. Frostig, M. Johnson, C. Leary, *Compiling machine learning programs via high-level tracing*, SysML, 2018 (JAX).
