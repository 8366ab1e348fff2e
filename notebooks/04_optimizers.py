# %% [markdown]
# # 04 Optimizers and the training loop
#
# A gradient says which way is down. It does not say how far to go, what to do when yesterday's gradient said
# otherwise, or when to stop. That is the business of the optimizer, and of the loop around it: about a hundred lines
# that you write here.
#
# **When you have finished you can**
#
# - write SGD, momentum, Nesterov's momentum, Adam and AdamW as pairs of pure functions, and join such pairs into one;
# - say from a picture which optimizer zigzags and which overshoots, and compute from two numbers how fast each can
#   be;
# - clip, decay and schedule, and say what goes wrong when one of them stands in the wrong place;
# - write mini-batches that lose no example, and an evaluation that does not favour the last few;
# - write the training loop, and train a reader of handwritten digits to at least 97 % on digits that it has never
#   seen.
#
# ```
#   application     a chat window, a digit reader
#   MLOps           runs, metrics, packages
#   hubs            weights that somebody trained ...
#   frameworks      ... with JAX, PyTorch, minitorch        <- you are here: gradients in, better weights out
#   clusters        the same step, shared by machines
#   hardware        multiply, add
# ```
#
# Time: about 90 minutes. Before: notebook 02 (where gradients come from) and 03 (layers and losses).

# %% name="imports"
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import minitorch as mt
from minitorch_course import check, inputs, my_solution, report, setup

setup()

# %% [markdown]
# ## 1. A ravine
#
# Take the simplest valley that makes trouble, $f(x, y) = \frac{1}{2}(x^2 + 25 y^2)$. It is 25 times as steep across the
# valley as along it. The gradient is $(x, 25 y)$, so a step with learning rate $\eta$ does this:
#
# $$x \leftarrow x - \eta x = (1 - \eta)\, x \qquad\qquad y \leftarrow (1 - 25 \eta)\, y$$
#
# These are two numbers, and each is multiplied by a constant at every step. Here are fifty steps:
#
# | $\eta$ | $x$ each step | $y$ each step | $x$ after 50 | $y$ after 50 |
# |---|---|---|---|---|
# | 0.01 | × 0.99 | × 0.75 | 0.61 | 0.000001 |
# | 0.07 | × 0.93 | × -0.75 | 0.03 | 0.000001 |
# | 0.081 | × 0.919 | × -1.025 | 0.01 | **3.4** |
#
# Before you run the cell: how do the three paths look from above?

# %% name="ravine" tags=["demo"]
from minitorch_course.figures import optimizers as figures

figures.ravine([0.01, 0.07, 0.081])

# %% [markdown]
# The *steepest* direction sets the limit: as soon as $1 - 25\eta < -1$, that is $\eta > 2/25$, every step overshoots by
# more than it repairs. The *flattest* direction sets the time: it shrinks only by the factor $1 - \eta$ at each step.
# The ratio of the two curvatures, here 25, is called the **condition number**. For networks it is in the millions.
#
# Augustin-Louis Cauchy described this method in 1847, in three pages on solving equations. Everything below is what
# people have done about the ravine since then.
#
# ## 2. An optimizer is two functions
#
# JAX has no objects that change. So everything that an optimizer must remember (a velocity, a count of steps) comes in
# as an argument and goes out as a result. That gives two pure functions:
#
# ```
#   init(params)                       -> state               what to remember before the first step
#   update(updates, state, params)     -> updates, state      gradients in, what to ADD to the parameters out
# ```
#
# Both work on **pytrees**: dicts, lists and models with arrays at their leaves, and `jax.tree.map(f, a, b)` applies `f`
# leaf by leaf. The interface is optax's. Thanks to it, optimizers can be taken apart and put together like pipes, as
# you will do in section 4. Here is the smallest example.


# %% name="two-functions"
class Transform(NamedTuple):
    """An optimizer, or a part of one: two pure functions."""

    init: Callable[[Any], Any]  # params -> state
    update: Callable[..., tuple[Any, Any]]  # (updates, state, params=None) -> (updates, state)


def scale(factor):
    """Multiply every update by a number. There is nothing to remember: the state is empty."""

    def init(params):
        return ()

    def update(updates, state, params=None):
        return jax.tree.map(lambda u: factor * u, updates), state

    return Transform(init, update)


def apply_updates(params, updates):
    """The parameters after a step."""
    return jax.tree.map(lambda p, u: p + u, params, updates)


def run(transform, params, gradients):
    """The updates that a transform makes of several gradients, one after the other. The parameters stay where they are."""
    state, made = transform.init(params), []
    for gradient in gradients:
        updates, state = transform.update(gradient, state, params)
        made.append(updates)
    return made


# %% name="to-try-on"
ones = [jnp.array(1.0)] * 3
tree = {"w": jnp.array([[1.0, -2.0], [3.0, 0.5]]), "b": (jnp.array([7.0]),)}


def has_two_axes(params):
    """A tree like the parameters that says of each leaf whether it is a matrix."""
    return jax.tree.map(lambda p: p.ndim >= 2, params)


# %% name="two-functions-shown" tags=["demo"]
first = {"weight": jnp.array([[1.0, 2.0]]), "bias": jnp.array([3.0])}
(updates,) = run(scale(10.0), first, [first])
print({name: leaf.tolist() for name, leaf in updates.items()})

# %% [markdown]
# ### Exercise 1: downhill
#
# The last part of every optimizer: multiply by **minus** the learning rate. With the rate 0.1 the gradient 3 becomes
# the update -0.3.
#
# The learning rate may change over time (section 8). Then it is a function of the number of steps that are *finished*:
# it is called with 0 for the first step, and with 1 for the second. So there is something to remember after all: that
# count.
#
# All of this will run inside `jax.jit`, where the count is a traced array. Keep it as an int32 array, as
# `jnp.zeros((), jnp.int32)`, and do not turn it into a Python `int`.


# %% name="scale_by_learning_rate" tags=["exercise"] forbids=["minitorch.optim.scale_by_learning_rate"]
def scale_by_learning_rate(learning_rate):
    """Gradients in, steps downhill out.

    Args:
      learning_rate: a number, or a function from the number of finished steps to a number.

    Returns:
      A Transform. Its state is the number of finished steps.
    """

    # BEGIN SOLUTION Exercise 1: write init and update, as in `scale`: multiply by minus the learning rate, and count the steps.
    def init(params):
        return jnp.zeros((), jnp.int32)

    def update(updates, state, params=None):
        rate = learning_rate(state) if callable(learning_rate) else learning_rate
        return jax.tree.map(lambda u: -rate * u, updates), state + 1

    return Transform(init, update)
    # END SOLUTION


# %% name="scale_by_learning_rate-check" tags=["check"] exercise="scale_by_learning_rate"
point = {"w": jnp.array([1.0, 2.0]), "b": [jnp.array(5.0)]}
slope = {"w": jnp.array([4.0, -3.0]), "b": [jnp.array(2.0)]}
check(
    "a step goes against the gradient",
    lambda: run(scale_by_learning_rate(0.1), point, [slope]),
    [{"w": np.array([-0.4, 0.3], np.float32), "b": [np.float32(-0.2)]}],
    mistakes={
        "The step goes uphill. The loss grows along the gradient, so what is added must have the other sign.": lambda: [
            {"w": np.array([0.4, -0.3], np.float32), "b": [np.float32(0.2)]}
        ],
        "These are the new parameters. `update` returns what is to be added to the old ones.": lambda: [
            {"w": np.array([0.6, 2.3], np.float32), "b": [np.float32(4.8)]}
        ],
        "The learning rate has no effect: the updates are minus the gradient.": lambda: [
            {"w": np.array([-4.0, 3.0], np.float32), "b": [np.float32(-2.0)]}
        ],
    },
)
check(
    "a schedule is asked with the number of finished steps",
    lambda: run(scale_by_learning_rate(lambda count: 1.0 + count), jnp.array(0.0), [jnp.array(2.0)] * 3),
    np.array([-2.0, -4.0, -6.0], np.float32).tolist(),
    mistakes={
        "The first step asked the schedule with 1. Before it no step is finished: ask first, then count.": [
            -4.0,
            -6.0,
            -8.0,
        ],
        "Every step asked the schedule with 0. Return the new count as the new state.": [-2.0, -2.0, -2.0],
        "The step goes uphill. The loss grows along the gradient, so what is added must have the other sign.": [
            2.0,
            4.0,
            6.0,
        ],
    },
)
check(
    "the count may be traced by jax.jit",
    lambda: jax.jit(scale_by_learning_rate(lambda count: 0.5 / (1 + count)).update)(jnp.array(8.0), jnp.int32(3))[0],
    -1.0,
)

# %% name="scale_by_learning_rate-number" tags=["hidden-test"] exercise="scale_by_learning_rate" points=1 hint="Every leaf is multiplied by minus the learning rate."
slope = {"w": inputs.normal(2, 3), "deep": [inputs.normal(4), (inputs.normal(1, 2),)]}
rate = inputs.uniform(low=0.2, high=0.8).item()
at = jax.tree.map(lambda g: g + 1.0, slope)
report(
    run(scale_by_learning_rate(rate), at, [slope]),
    mistakes={
        "The step goes uphill. The loss grows along the gradient, so what is added must have the other sign.": lambda: [
            jax.tree.map(lambda g: rate * g, slope)
        ],
        "These are the new parameters. `update` returns what is to be added to the old ones.": lambda: [
            jax.tree.map(lambda p, g: p - rate * g, at, slope)
        ],
        "The learning rate has no effect: the updates are minus the gradient.": lambda: [
            jax.tree.map(lambda g: -g, slope)
        ],
    },
)

# %% name="scale_by_learning_rate-schedule" tags=["hidden-test"] exercise="scale_by_learning_rate" points=2 hint="The schedule is asked with 0 at the first step, then with 1: the state is the number of finished steps."
rates = inputs.uniform(6, low=0.2, high=0.8)
slopes = [inputs.normal(3) for _ in range(4)]
report(
    run(scale_by_learning_rate(lambda count: rates[count]), slopes[0], slopes),
    mistakes={
        "The first step asked the schedule with 1. Before it no step is finished: ask first, then count.": lambda: [
            -rates[i + 1] * g for i, g in enumerate(slopes)
        ],
        "Every step asked the schedule with 0. Return the new count as the new state.": lambda: [
            -rates[0] * g for g in slopes
        ],
        "The step goes uphill. The loss grows along the gradient, so what is added must have the other sign.": lambda: [
            rates[i] * g for i, g in enumerate(slopes)
        ],
        "These are the new parameters. `update` returns what is to be added to the old ones.": lambda: [
            slopes[0] - rates[i] * g for i, g in enumerate(slopes)
        ],
    },
)

# %% [markdown]
# ## 3. Momentum: a ball with weight
#
# In the ravine, the gradient across the valley changes its sign at every step, and the gradient along it never does. So
# add gradients up: what alternates cancels, what agrees grows. Boris Polyak wrote it down in 1964 as a heavy ball that
# rolls with friction:
#
# $$v \leftarrow g + \beta v$$
#
# and $v$ is the update in place of $g$. With $\beta = 0.9$, starting at $v = 0$:
#
# | gradients | $v$ |
# |---|---|
# | 1, 1, 1, 1, ... | 1, 1.9, 2.71, 3.44, ... towards **10** |
# | 1, -1, 1, -1, ... | 1, -0.1, 0.91, -0.18, ... towards **±0.53** |
#
# The limits are $1/(1 - \beta)$ and $\pm 1/(1 + \beta)$: slopes that agree count tenfold, slopes that alternate count
# about half. So with $\beta = 0.9$ the learning rate that was right without momentum is ten times too large along the
# valley. Some libraries mix differently, $v \leftarrow (1 - \beta) g + \beta v$ (HIPS autograd does), and there the
# same number means a tenth of the step. More than one published comparison has confused the two. Read the formula, not
# the name.
#
# **Nesterov** (1983) looks ahead: when the velocity is known, go one step *further* along it, $g + \beta v$ with the
# **new** $v$. The ball brakes before the slope rises, and not after. Only the update changes; the state is the same
# $v$.
#
# Predict: for the gradients 1, 1, 1, what are the three updates of Nesterov's momentum with $\beta = 0.9$?
#
# ### Exercise 2: momentum


# %% name="momentum" tags=["exercise"] forbids=["minitorch.optim.trace"]
def momentum(decay, nesterov=False):
    """Velocities in place of gradients (optax and minitorch call it `trace`).

    Args:
      decay: the share of the velocity that is left after a step, in [0, 1).
      nesterov: look one step ahead along the new velocity.

    Returns:
      A Transform. Its state is the velocity, a tree like the parameters; it begins at zero.
    """

    # BEGIN SOLUTION Exercise 2: remember v = g + decay * v. The update is v, and g + decay * v (with the new v) if nesterov.
    def push(gradient, velocity):
        return jax.tree.map(lambda g, v: g + decay * v, gradient, velocity)

    def init(params):
        return jax.tree.map(jnp.zeros_like, params)

    def update(updates, state, params=None):
        velocity = push(updates, state)
        return push(updates, velocity) if nesterov else velocity, velocity

    return Transform(init, update)
    # END SOLUTION


# %% name="momentum-check" tags=["check"] exercise="momentum"
check(
    "slopes that agree add up: 1, 1.9, 2.71",
    lambda: run(momentum(0.9), jnp.array(2.0), ones),
    [1.0, 1.9, 2.71],
    mistakes={
        "The velocity is forgotten after each step. Return it as the new state.": [1.0, 1.0, 1.0],
        "This is an average, with 1 - decay before the gradient. Here the gradient counts in full.": [0.1, 0.19, 0.271],
        "The gradient is multiplied by decay too. Only the old velocity is.": [0.9, 1.71, 2.439],
        "The velocity begins as the parameters. Before the first step nothing moves: zeros.": [2.8, 3.52, 4.168],
        "The velocity never decays: this is the sum of all gradients.": [1.0, 2.0, 3.0],
        "The sign is wrong. `scale_by_learning_rate` puts in the minus; momentum only adds up.": [-1.0, -1.9, -2.71],
        "This looks ahead without being asked: plain momentum updates with the velocity itself.": [1.9, 2.71, 3.439],
    },
)
check(
    "slopes that quarrel cancel: 1, -0.1, 0.91",
    lambda: run(momentum(0.9), jnp.array(2.0), [jnp.array(s) for s in (1.0, -1.0, 1.0)]),
    [1.0, -0.1, 0.91],
)
check(
    "Nesterov looks ahead along the new velocity",
    lambda: run(momentum(0.9, nesterov=True), jnp.array(2.0), ones),
    [1.9, 2.71, 3.439],
    mistakes={
        "`nesterov` changes nothing. Look ahead along the new velocity: with the old one you get plain momentum.": [
            1.0,
            1.9,
            2.71,
        ],
        "What looks ahead was remembered. The state is the velocity; only the update looks ahead.": [
            1.9,
            3.439,
            4.6855,
        ],
        "The look ahead lacks the gradient: it is g + decay * v.": [0.9, 1.71, 2.439],
        "The velocity is added to its own decayed self. Looking ahead is g + decay * v, with g the gradient.": [
            1.9,
            3.61,
            5.149,
        ],
        "The velocity is forgotten after each step. Return it as the new state.": [1.9, 1.9, 1.9],
        "The velocity begins as the parameters. Before the first step nothing moves: zeros.": [3.52, 4.168, 4.7512],
    },
)
check(
    "a tree, as minitorch.optim.trace does it",
    lambda: run(momentum(0.7, nesterov=True), tree, [tree, scale(-3.0).update(tree, ())[0], tree]),
    lambda: run(mt.optim.trace(0.7, nesterov=True), tree, [tree, scale(-3.0).update(tree, ())[0], tree]),
)

# %% name="momentum-plain" tags=["hidden-test"] exercise="momentum" points=2 hint="The update and the new state are both g + decay * v, with v the old velocity, which begins at zero."
decay = inputs.uniform(low=0.3, high=0.8).item()
slopes = [{"w": inputs.normal(2, 2), "b": [inputs.normal(3)]} for _ in range(3)]
at = jax.tree.map(lambda g: g + 2.0, slopes[2])
report(
    run(momentum(decay), at, slopes),
    mistakes={
        "The velocity is forgotten after each step. Return it as the new state.": lambda: slopes,
        "This is an average, with 1 - decay before the gradient. Here the gradient counts in full.": lambda: run(
            mt.optim.trace(decay), at, [jax.tree.map(lambda g: (1 - decay) * g, s) for s in slopes]
        ),
        "The gradient is multiplied by decay too. Only the old velocity is.": lambda: run(
            mt.optim.trace(decay), at, [jax.tree.map(lambda g: decay * g, s) for s in slopes]
        ),
        "The velocity begins as the parameters. Before the first step nothing moves: zeros.": lambda: run(
            mt.optim.trace(decay), at, [jax.tree.map(lambda g, p: g + decay * p, slopes[0], at), *slopes[1:]]
        ),
        "The velocity never decays: this is the sum of all gradients.": lambda: run(
            Transform(lambda p: jax.tree.map(jnp.zeros_like, p), lambda u, s, p: (jax.tree.map(jnp.add, u, s),) * 2),
            at,
            slopes,
        ),
    },
)

# %% name="momentum-nesterov" tags=["hidden-test"] exercise="momentum" points=2 hint="With v the new velocity, the update is g + decay * v and the new state is v."
decay = inputs.uniform(low=0.3, high=0.8).item()
slopes = [{"w": inputs.normal(2, 2), "b": [inputs.normal(3)]} for _ in range(3)]
at = jax.tree.map(lambda g: g + 2.0, slopes[2])
report(
    run(momentum(decay, nesterov=True), at, slopes),
    mistakes={
        "`nesterov` changes nothing. Look ahead along the new velocity: with the old one you get plain momentum.": lambda: (
            run(mt.optim.trace(decay), at, slopes)
        ),
        "What looks ahead was remembered. The state is the velocity; only the update looks ahead.": lambda: run(
            Transform(
                lambda p: jax.tree.map(jnp.zeros_like, p),
                lambda u, s, p: (jax.tree.map(lambda g, v: g + decay * (g + decay * v), u, s),) * 2,
            ),
            at,
            slopes,
        ),
        "The look ahead lacks the gradient: it is g + decay * v.": lambda: [
            jax.tree.map(lambda v: decay * v, v) for v in run(mt.optim.trace(decay), at, slopes)
        ],
        "The velocity is forgotten after each step. Return it as the new state.": lambda: [
            jax.tree.map(lambda g: g + decay * g, s) for s in slopes
        ],
        "The velocity begins as the parameters. Before the first step nothing moves: zeros.": lambda: run(
            mt.optim.trace(decay, nesterov=True),
            at,
            [jax.tree.map(lambda g, p: g + decay * p, slopes[0], at), *slopes[1:]],
        ),
    },
)

# %% [markdown]
# ## 4. Pipes
#
# SGD with momentum is two transforms, one behind the other. What comes out of the first goes into the second:
#
# ```
#   gradients --> momentum(0.9) --> scale_by_learning_rate(0.1) --> updates
#                 state: velocity   state: count
# ```
#
# The state of the whole is the tuple of the parts' states. That is a *fold*: carry the updates from left to right
# through a list. It is the best idea in optax, and six lines.
#
# The order matters. Should the learning rate stand before the momentum or behind it? While the rate is constant it
# makes no difference: everything is linear. When the rate drops, a velocity that was scaled *before* still holds steps
# of the old size, and one that is scaled *after* follows the new rate at once. PyTorch and optax scale after; the
# formula in the paper of Sutskever et al. (2013) scales before.
#
# ### Exercise 3: chain


# %% name="chain" tags=["exercise"] forbids=["minitorch.optim.chain"]
def chain(*transforms):
    """Several transforms as one: each gets the updates that the one before it made.

    Args:
      transforms: Transforms, none or more. All are given the same `params`.

    Returns:
      A Transform. Its state is the tuple of their states.
    """

    # BEGIN SOLUTION Exercise 3: carry the updates through all transforms, each with its own part of the state and with params.
    def init(params):
        return tuple(transform.init(params) for transform in transforms)

    def update(updates, state, params=None):
        new_state = []
        for transform, part in zip(transforms, state):
            updates, part = transform.update(updates, part, params)
            new_state.append(part)
        return updates, tuple(new_state)

    return Transform(init, update)
    # END SOLUTION


# %% name="chain-check" tags=["check"] exercise="chain"
def add_count():
    """Add the number of finished steps to every update: easy to follow by hand."""
    return Transform(lambda params: 0, lambda updates, state, params=None: (updates + state, state + 1))


def add_params():
    """Add the parameters, or -100 where they were not passed on."""
    return Transform(
        lambda params: (), lambda updates, state, params=None: (updates + (-100.0 if params is None else params), state)
    )


check(
    "times ten, then plus the count: 10, 11, 12",
    lambda: run(chain(scale(10.0), add_count()), jnp.array(0.0), ones),
    [10.0, 11.0, 12.0],
    mistakes={
        "The transforms ran from right to left. The first one named is the first to see the gradients.": [
            10.0,
            20.0,
            30.0,
        ],
        "Each transform was given the gradients, and the results were added. Give each what the one before it made.": [
            11.0,
            12.0,
            13.0,
        ],
        "Only the last transform counts: it was given the gradients and not what the one before it made.": [
            1.0,
            2.0,
            3.0,
        ],
        "Only the first transform counts. Go on with what it made.": [10.0, 10.0, 10.0],
        "The states did not move on. Collect the new state of each transform and return them.": [10.0, 10.0, 10.0],
    },
)
check(
    "every transform has a state of its own",
    lambda: run(chain(add_count(), scale(2.0), add_count()), jnp.array(0.0), ones),
    [2.0, 5.0, 8.0],
    mistakes={
        "The states did not move on. Collect the new state of each transform and return them.": [2.0, 2.0, 2.0],
        "All transforms share one state. Give each its own part, and collect the parts.": [3.0, 7.0, 11.0],
    },
)
check(
    "the parameters are passed on",
    lambda: run(chain(scale(10.0), add_params()), jnp.array(7.0), ones),
    [17.0, 17.0, 17.0],
    mistakes={
        "The transforms were not given the parameters. Pass `params` on to each update.": [-90.0, -90.0, -90.0],
    },
)
check("a chain of nothing changes nothing", lambda: run(chain(), jnp.array(7.0), ones), [1.0, 1.0, 1.0])


# %% name="chain-order" tags=["hidden-test"] exercise="chain" points=2 hint="Carry the updates from the first transform to the last, and collect each one's new state."
def remember(factor):
    """The update plus `factor` times all updates so far."""
    return Transform(
        lambda params: jnp.zeros_like(params),
        lambda updates, state, params=None: (updates + factor * state, state + updates),
    )


def square():
    return Transform(lambda params: (), lambda updates, state, params=None: (updates * updates, state))


slopes = [inputs.normal(4) for _ in range(3)]
a, b = inputs.uniform(low=0.3, high=0.9).item(), inputs.uniform(low=1.2, high=2.0).item()
report(
    run(chain(remember(a), square(), remember(b)), slopes[0], slopes),
    mistakes={
        "The transforms ran from right to left. The first one named is the first to see the gradients.": lambda: run(
            mt.optim.chain(remember(b), square(), remember(a)), slopes[0], slopes
        ),
        "Each transform was given the gradients, and the results were added. Give each what the one before it made.": lambda: [
            sum(parts)
            for parts in zip(*(run(t, slopes[0], slopes) for t in (remember(a), square(), remember(b))), strict=True)
        ],
        "Only the last transform counts: it was given the gradients and not what the one before it made.": lambda: run(
            remember(b), slopes[0], slopes
        ),
        "The states did not move on. Collect the new state of each transform and return them.": lambda: [
            g * g for g in slopes
        ],
    },
)
report(run(chain(), slopes[0], slopes[:1]))


# %% name="chain-params" tags=["hidden-test"] exercise="chain" points=1 hint="Each update takes three arguments: the updates, its own state, and the parameters."
def toward(weight):
    """Add `weight` times the parameters, or times 1000 where they were not passed on."""
    return Transform(
        lambda params: (),
        lambda updates, state, params=None: (updates + weight * (1000.0 if params is None else params), state),
    )


at, slope = inputs.normal(3), inputs.normal(3)
report(
    run(chain(toward(2.0), scale(3.0), toward(0.5)), at, [slope]),
    mistakes={
        "The transforms were not given the parameters. Pass `params` on to each update.": lambda: [
            3.0 * (slope + 2000.0) + 500.0
        ],
        "The transforms ran from right to left. The first one named is the first to see the gradients.": lambda: [
            3.0 * (slope + 0.5 * at) + 2.0 * at
        ],
        "Only the last transform counts: it was given the gradients and not what the one before it made.": lambda: [
            slope + 0.5 * at
        ],
    },
)

# %% [markdown]
# Now the ravine again, with your own parts. For curvatures from $\mu = 1$ to $L = 25$ the best constants are known
# (Polyak, 1964), with $\kappa = L / \mu = 25$:
#
# | | learning rate | decay | error at each step |
# |---|---|---|---|
# | gradient descent | $2 / (L + \mu) = 0.077$ | | $\times \frac{\kappa - 1}{\kappa + 1} = 0.92$ |
# | with momentum | $4 / (\sqrt L + \sqrt \mu)^2 = 0.111$ | $\left(\frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}\right)^2 = 0.44$ | $\times \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1} = 0.67$ |
# | Nesterov | $1 / L = 0.04$ | $\frac{\sqrt\kappa - 1}{\sqrt\kappa + 1} = 0.67$ | $\times \left(1 - \frac{1}{\sqrt\kappa}\right) = 0.8$ |
#
# With momentum, only the square root of the condition number counts. To make the error a thousand times smaller, plain
# descent takes 86 steps, and momentum takes 17. With $\kappa = 10{,}000$ they take 34,500 steps and 345 steps. Notice
# that 0.111 is beyond the limit of $2/25$ that made plain descent explode. The heavy ball survives it. Nesterov's
# method is slower here, but it is safe on any convex surface; Polyak's best constants are for parabolas, and on other
# surfaces the ball may never settle.


# %% name="momentum-in-the-ravine" tags=["demo"]
def ravine(point):
    x, y = point
    return (x**2 + 25 * y**2) / 2


figures.paths(
    ravine,
    {
        "gradient descent": scale_by_learning_rate(2 / 26),
        "momentum": chain(momentum((4 / 6) ** 2), scale_by_learning_rate(4 / 36)),
        "Nesterov": chain(momentum(4 / 6, nesterov=True), scale_by_learning_rate(1 / 25)),
    },
    start=(10.0, 1.0),
    steps=60,
    window=((-3, 11), (-2, 2)),
)

# %% [markdown]
# ## 5. Clipping: one bad batch
#
# A gradient is a *local* statement. At the edge of a cliff it is enormous and true, and worthless a millimetre further
# on. One such batch can throw the weights so far that a week of training is gone. Recurrent networks are full of
# cliffs; Pascanu, Mikolov and Bengio (2013) proposed what everybody does today: if the gradient is longer than some
# limit, shorten it to the limit. The picture shows two ways of making it short. Which of them still points in the
# steepest direction?

# %% name="clipping" tags=["demo"]
figures.clipping()

# %% [markdown]
# What is "the gradient"? **All leaves together**, as one long vector. Take $w = [3, 2]$ and $b = [6]$, with the limit
# 2:
#
# - the length is $\sqrt{3^2 + 2^2 + 6^2} = 7$, so everything is multiplied by $2/7$: $[0.86, 0.57]$ and $[1.71]$. The
#   direction stays.
# - Clipping each leaf on its own gives $[1.66, 1.11]$ and $[2]$: another direction.
# - Clipping each *number* gives $[2, 2]$ and $[2]$: yet another, and no longer the gradient of anything.
#
# A gradient shorter than the limit is left alone. This formula needs no `if`, and cannot divide by zero:
#
# $$u \leftarrow u \cdot \frac{c}{\max(\lVert u \rVert, c)}$$
#
# ### Exercise 4: clipping by the global norm


# %% name="clip_by_global_norm" tags=["exercise"] forbids=["minitorch.optim.clip_by_global_norm", "minitorch.optim.global_norm", "minitorch.optim.clip"]
def clip_by_global_norm(max_norm):
    """Shorten the updates to the length `max_norm` if they are longer, all leaves taken as one vector.

    Args:
      max_norm: a number greater than 0.

    Returns:
      A Transform with an empty state.
    """

    # BEGIN SOLUTION Exercise 4: multiply every leaf by max_norm / max(norm, max_norm), with the norm over all leaves together.
    def init(params):
        return ()

    def update(updates, state, params=None):
        norm = jnp.sqrt(sum(jnp.sum(u**2) for u in jax.tree.leaves(updates)))
        factor = max_norm / jnp.maximum(norm, max_norm)
        return jax.tree.map(lambda u: factor * u, updates), state

    return Transform(init, update)
    # END SOLUTION


# %% name="clip_by_global_norm-check" tags=["check"] exercise="clip_by_global_norm"
long = {"w": jnp.array([3.0, 2.0]), "b": jnp.array([6.0])}  # of length 7


def times(w_factor, b_factor):
    return [{"w": w_factor * long["w"], "b": b_factor * long["b"]}]


check(
    "length 7, limit 2: everything times 2/7",
    lambda: run(clip_by_global_norm(2.0), long, [long]),
    lambda: times(2 / 7, 2 / 7),
    mistakes={
        "Each leaf was clipped on its own. The norm is that of all leaves together.": lambda: times(2 / 13**0.5, 2 / 6),
        "Each number was clipped on its own, so the direction changed. Multiply all by one factor.": lambda: [
            {"w": jnp.array([2.0, 2.0]), "b": jnp.array([2.0])}
        ],
        "The norm lacks its square root: it is 49 here and must be 7.": lambda: times(2 / 49, 2 / 49),
        "The norm is the sum of the absolute values. It must be the root of the sum of squares.": lambda: times(
            2 / 11, 2 / 11
        ),
        "The norm is the largest number. It must be the root of the sum of squares.": lambda: times(2 / 6, 2 / 6),
        "The length became 1, whatever the limit is. It must become max_norm.": lambda: times(1 / 7, 1 / 7),
        "The factor is upside down: the updates grew.": lambda: times(7 / 2, 7 / 2),
        "Nothing was clipped, though the length 7 is above the limit 2.": lambda: times(1, 1),
    },
)
check(
    "length 7, limit 100: nothing changes",
    lambda: run(clip_by_global_norm(100.0), long, [long]),
    lambda: times(1, 1),
    mistakes={
        "A short gradient was made longer. Clipping only ever shortens.": lambda: times(100 / 7, 100 / 7),
    },
)
check(
    "zeros stay zeros, and not NaN",
    lambda: run(clip_by_global_norm(1.0), long, [jax.tree.map(jnp.zeros_like, long)]),
    lambda: times(0, 0),
    mistakes={
        "Zero divided by zero is NaN. Let the larger of norm and max_norm be the denominator.": lambda: times(
            jnp.nan, jnp.nan
        ),
    },
)
check(
    "a tree, as minitorch.optim.clip_by_global_norm does it",
    lambda: run(clip_by_global_norm(0.5), tree, [tree]),
    lambda: run(mt.optim.clip_by_global_norm(0.5), tree, [tree]),
)

# %% name="clip_by_global_norm-long" tags=["hidden-test"] exercise="clip_by_global_norm" points=2 hint="One factor for all leaves: max_norm divided by the root of the sum of all squares."
slope = {"w": 3.0 * inputs.normal(3, 2), "deep": [inputs.normal(4), 5.0 * inputs.normal()]}
limit = inputs.uniform(low=0.3, high=0.8).item()
leaves = jax.tree.leaves(slope)
norm = sum((g**2).sum() for g in leaves) ** 0.5
report(
    run(clip_by_global_norm(limit), slope, [slope]),
    mistakes={
        "Each leaf was clipped on its own. The norm is that of all leaves together.": lambda: [
            jax.tree.map(lambda g: g * limit / jnp.maximum(jnp.linalg.norm(g), limit), slope)
        ],
        "Each number was clipped on its own, so the direction changed. Multiply all by one factor.": lambda: [
            jax.tree.map(lambda g: jnp.clip(g, -limit, limit), slope)
        ],
        "The norm lacks its square root.": lambda: [jax.tree.map(lambda g: g * limit / norm**2, slope)],
        "The norm is the sum of the absolute values. It must be the root of the sum of squares.": lambda: [
            jax.tree.map(lambda g: g * limit / sum(abs(leaf).sum() for leaf in leaves), slope)
        ],
        "The length became 1, whatever the limit is. It must become max_norm.": lambda: [
            jax.tree.map(lambda g: g / norm, slope)
        ],
    },
)

# %% name="clip_by_global_norm-short" tags=["hidden-test"] exercise="clip_by_global_norm" points=2 hint="A gradient shorter than the limit, and one of zeros, come out as they went in."
slope = [inputs.normal(3), {"b": inputs.normal(2, 2)}]
report(
    run(clip_by_global_norm(50.0), slope, [slope]),
    mistakes={
        "A short gradient was made longer. Clipping only ever shortens.": lambda: [
            jax.tree.map(lambda g: g * 50.0 / sum((leaf**2).sum() for leaf in jax.tree.leaves(slope)) ** 0.5, slope)
        ],
        "The length became 1, whatever the limit is. It must become max_norm.": lambda: [
            jax.tree.map(lambda g: g / sum((leaf**2).sum() for leaf in jax.tree.leaves(slope)) ** 0.5, slope)
        ],
    },
)
report(
    run(clip_by_global_norm(2.0), slope, [jax.tree.map(jnp.zeros_like, slope)]),
    mistakes={
        "Zero divided by zero is NaN. Let the larger of norm and max_norm be the denominator.": lambda: [
            jax.tree.map(lambda g: g * jnp.nan, slope)
        ],
    },
)

# %% [markdown]
# ## 6. Adam: a learning rate for each number
#
# Momentum helps in one ravine that all weights share. But the rows of an embedding for rare words get a gradient once
# in a thousand batches, and the gradients of the first layer are a hundred times smaller than those of the last. One
# learning rate cannot fit all of them.
#
# So divide each number's step by the usual *size* of its own gradients. AdaGrad (2011) summed all squares since the
# beginning, so its steps shrink for ever. RMSProp took a running average instead; it was never published, and is cited
# as slide 29 of a lecture by Geoffrey Hinton (2012). **Adam** (Kingma and Ba, 2015) averages the gradient as well, and
# corrects both averages at the beginning:
#
# $$\mu \leftarrow \beta_1 \mu + (1 - \beta_1)\, g \qquad \nu \leftarrow \beta_2 \nu + (1 - \beta_2)\, g^2 \qquad
# u = \frac{\mu / (1 - \beta_1^t)}{\sqrt{\nu / (1 - \beta_2^t)} + \epsilon}$$
#
# Why the divisions by $1 - \beta^t$? Both averages (the first and the second **moment**) begin at zero, and so they are
# too small at first. The divisions are the **bias correction**. Suppose that the gradient is always 4. With
# $\beta_1 = 0.9$ and $\beta_2 = 0.999$:
#
# | step $t$ | $\mu$ | $\nu$ | $\mu / \sqrt\nu$ | $\mu / (1 - 0.9^t)$ | $\nu / (1 - 0.999^t)$ | their $u$ |
# |---|---|---|---|---|---|---|
# | 1 | 0.4 | 0.016 | 3.16 | 4 | 16 | 1 |
# | 2 | 0.76 | 0.032 | 4.25 | 4 | 16 | 1 |
# | 10 | 2.61 | 0.159 | 6.53 | 4 | 16 | 1 |
# | 1000 | 4.00 | 10.12 | 1.26 | 4 | 16 | 1 |
#
# Most people guess that uncorrected steps are too *small*. They are up to 6.6 times too *large*, since $\nu$ lags more
# than $\mu$, and this takes over a thousand steps to disappear.
#
# The last column says what Adam is: where gradients agree, the step is $\pm$ the learning rate, however large or small
# the gradient is. Multiply your loss by 1000, and nothing changes. ($\epsilon$ stands *outside* of the root. Inside,
# its meaning changes: $10^{-8}$ would act like $10^{-4}$.)
#
# The paper's proof that it converges was wrong. Reddi, Kale and Kumar found the gap in 2018, and a problem in one
# dimension on which Adam walks to the worst point of all. Their repair (AMSGrad) is rarely used. Adam is used
# everywhere.
#
# ### Exercise 5: Adam
#
# Both averages and the count are the state. Count first, then correct: at the first update $t$ is 1.


# %% name="scale_by_adam" tags=["exercise"] forbids=["minitorch.optim.scale_by_adam"]
def scale_by_adam(b1=0.9, b2=0.999, eps=1e-8):
    """Adam's direction, before the learning rate.

    Args:
      b1: the share of its past that the average of the gradient keeps, in [0, 1).
      b2: the same for the average of the gradient's square.
      eps: what is added to the root.

    Returns:
      A Transform. Its state is (finished steps, mu, nu), with mu and nu like the parameters; they begin at zero.
    """

    # BEGIN SOLUTION Exercise 5: update count, mu and nu; correct both averages for their beginning; return mu / (sqrt(nu) + eps).
    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return jnp.zeros((), jnp.int32), zeros, zeros

    def update(updates, state, params=None):
        count, mu, nu = state
        count = count + 1
        mu = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, mu, updates)
        nu = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g**2, nu, updates)
        mu_scale, nu_scale = 1 - b1**count, 1 - b2**count
        steps = jax.tree.map(lambda m, v: (m / mu_scale) / (jnp.sqrt(v / nu_scale) + eps), mu, nu)
        return steps, (count, mu, nu)

    return Transform(init, update)
    # END SOLUTION


# %% name="scale_by_adam-check" tags=["check"] exercise="scale_by_adam"
first = {"w": jnp.array([4.0, -0.01]), "b": jnp.array(100.0)}


def signs(size):
    return [{"w": size * np.array([1.0, -1.0], np.float32), "b": np.float32(size)}]


check(
    "the first step is plus or minus 1, however large the gradient",
    lambda: run(scale_by_adam(), first, [first]),
    lambda: signs(1.0),
    mistakes={
        "The averages are not corrected for their beginning at zero: the first step is 0.1 / sqrt(0.001) = 3.16.": lambda: (
            signs(10**0.5)
        ),
        "Only the average of the gradient is corrected. That of the square needs it too, with b2.": lambda: signs(
            1000**0.5
        ),
        "Only the average of the square is corrected. That of the gradient needs it too, with b1.": lambda: signs(0.1),
        "NaN: 1 - b1**0 is zero. Count the step before you correct, so that the first has count 1.": lambda: signs(
            np.nan
        ),
        "The sign is wrong. `scale_by_learning_rate` puts in the minus.": lambda: signs(-1.0),
    },
)
check(  # b1 = 0.5, b2 = 0.75, eps = 0.5: at the second step mu is 1.75 and nu is 2.4375, before their correction
    "gradients 1 and 3, worked by hand",
    lambda: run(scale_by_adam(0.5, 0.75, 0.5), jnp.array(7.0), [jnp.array(1.0), jnp.array(3.0)]),
    [0.66667, 0.81574],
    mistakes={
        "b1 and b2 changed places: b1 belongs to the gradient, b2 to its square.": [0.66667, 0.71035],
        "eps stands inside the root. It is added to the root.": [0.8165, 0.94696],
        "The corrected averages were remembered. Correct what you use, and remember what you averaged.": [
            0.66667,
            0.85508,
        ],
        "nu is the average of the gradient, or its square. It must be the average of the squares.": [0.66667, 1.18814],
        "nu is the square of the average. It must be the average of the squares.": [0.66667, 0.74174],
        "The square root is missing.": [0.66667, 0.38431],
        "The averages are not corrected for their beginning at zero: divide by 1 - b1**t and 1 - b2**t.": [0.5, 0.849],
        "The step uses the gradient and not its average mu.": [0.66667, 1.04881],
        "NaN: 1 - b1**0 is zero. Count the step before you correct, so that the first has count 1.": [np.nan, 0.96618],
    },
)
check(
    "five steps, as minitorch.optim.scale_by_adam makes them",
    lambda: run(scale_by_adam(0.8, 0.9, 1e-3), tree, [jax.tree.map(lambda p: p**k, tree) for k in (1, 2, 0, 3, 1)]),
    lambda: run(
        mt.optim.scale_by_adam(0.8, 0.9, 1e-3), tree, [jax.tree.map(lambda p: p**k, tree) for k in (1, 2, 0, 3, 1)]
    ),
)

# %% name="scale_by_adam-first" tags=["hidden-test"] exercise="scale_by_adam" points=2 hint="At the first step both corrections cancel the averaging: the step is the sign of the gradient."
slope = {"w": inputs.uniform(2, 3, low=0.5, high=90.0), "b": [-inputs.uniform(2, low=0.1, high=0.2)]}
b1, b2 = inputs.uniform(low=0.4, high=0.6).item(), inputs.uniform(low=0.7, high=0.9).item()


def sign_times(size):
    return [jax.tree.map(lambda g: size * jnp.sign(g), slope)]


report(
    run(scale_by_adam(b1, b2), slope, [slope]),
    mistakes={
        "The averages are not corrected for their beginning at zero: divide by 1 - b1**t and 1 - b2**t.": lambda: (
            sign_times((1 - b1) / (1 - b2) ** 0.5)
        ),
        "Only the average of the gradient is corrected. That of the square needs it too, with b2.": lambda: sign_times(
            1 / (1 - b2) ** 0.5
        ),
        "Only the average of the square is corrected. That of the gradient needs it too, with b1.": lambda: sign_times(
            1 - b1
        ),
        "NaN: 1 - b1**0 is zero. Count the step before you correct, so that the first has count 1.": lambda: sign_times(
            jnp.nan
        ),
        "The sign is wrong. `scale_by_learning_rate` puts in the minus.": lambda: sign_times(-1.0),
    },
)

# %% name="scale_by_adam-steps" tags=["hidden-test"] exercise="scale_by_adam" points=3 hint="Compare with the formula: b1 with the gradient, b2 with its square, t from 1, eps outside of the root, uncorrected averages in the state."
slopes = [{"w": inputs.normal(2, 2), "b": (inputs.normal(3),)} for _ in range(4)]
b1, b2, eps = (inputs.uniform(low=low, high=low + 0.2).item() for low in (0.4, 0.7, 0.2))


def moments(g, state):
    """Adam's two averages after the gradient g, and their count."""
    count, mu, nu = state
    return count + 1, b1 * mu + (1 - b1) * g, b2 * nu + (1 - b2) * g**2


def variant(step):
    """The updates that `step(g, state) -> (update, state)` makes, leaf by leaf."""
    made = {}
    for name, leaves in (("w", [s["w"] for s in slopes]), ("b", [s["b"][0] for s in slopes])):
        state = (0, jnp.zeros_like(leaves[0]), jnp.zeros_like(leaves[0]))
        made[name] = []
        for g in leaves:
            u, state = step(g, state)
            made[name].append(u)
    return [{"w": w, "b": (b,)} for w, b in zip(made["w"], made["b"], strict=True)]


def eps_inside(g, state):
    t, mu, nu = moments(g, state)
    return mu / (1 - b1**t) / jnp.sqrt(nu / (1 - b2**t) + eps), (t, mu, nu)


def corrected_kept(g, state):
    t, mu, nu = moments(g, state)
    mu, nu = mu / (1 - b1**t), nu / (1 - b2**t)
    return mu / (jnp.sqrt(nu) + eps), (t, mu, nu)


def uncorrected(g, state):
    t, mu, nu = moments(g, state)
    return mu / (jnp.sqrt(nu) + eps), (t, mu, nu)


def late(g, state):
    t, mu, nu = moments(g, state)
    return mu / (1 - b1 ** (t - 1)) / (jnp.sqrt(nu / (1 - b2 ** (t - 1))) + eps), (t, mu, nu)


report(
    run(scale_by_adam(b1, b2, eps), slopes[0], slopes),
    mistakes={
        "b1 and b2 changed places: b1 belongs to the gradient, b2 to its square.": lambda: run(
            mt.optim.scale_by_adam(b2, b1, eps), slopes[0], slopes
        ),
        "eps stands inside the root. It is added to the root.": lambda: variant(eps_inside),
        "The corrected averages were remembered. Correct what you use, and remember what you averaged.": lambda: (
            variant(corrected_kept)
        ),
        "The averages are not corrected for their beginning at zero: divide by 1 - b1**t and 1 - b2**t.": lambda: (
            variant(uncorrected)
        ),
        "NaN: 1 - b1**0 is zero. Count the step before you correct, so that the first has count 1.": lambda: variant(
            late
        ),
    },
)

# %% [markdown]
# The figure shows what the bias correction does over time, for a gradient that is always 4. The orange line is what
# Adam would do without it.

# %% name="bias-correction" tags=["demo"]
figures.first_steps(scale_by_adam())

# %% [markdown]
# ## 7. Weight decay, and where it belongs
#
# Small weights generalise better, so people pull all weights a little towards zero. The old way adds
# $\frac{\lambda}{2} \lVert p \rVert^2$ to the loss, and so $\lambda p$ to the gradient. With SGD that is the same as
# shrinking every weight by $\eta\lambda$ of itself at each step, and for decades the two names meant one thing.
#
# With Adam they are not the same. The term goes *through the division*. If a weight has large gradients, its decay is
# divided by something large, and the weight hardly shrinks. If a weight has tiny gradients, it is decayed by a whole
# step of size $\eta$. Loshchilov and Hutter noticed it in 2017 and proposed to add the decay **behind** Adam, where
# nothing divides it:
#
# $$u \leftarrow u + \lambda p$$
#
# In your design this is one more transform, and "L2 or decoupled?" becomes a simpler question: on which side of
# `scale_by_adam` does it stand? The argument `weight_decay` of PyTorch's `torch.optim.Adam` is still the old one, so
# that old results can be repeated; `AdamW` is the new one.
#
# Not everything should decay: biases and the scales of norms do not make a network overfit. A `mask` says which leaves
# do.
#
# ### Exercise 6: decoupled weight decay


# %% name="add_decayed_weights" tags=["exercise"] forbids=["minitorch.optim.add_decayed_weights"]
def add_decayed_weights(weight_decay, mask=None):
    """Add a share of the parameters to the updates.

    Args:
      weight_decay: that share.
      mask: a function from the parameters to a tree of True and False like them; where it says False, the updates stay
        as they are. None means True everywhere.

    Returns:
      A Transform with an empty state.
    """

    # BEGIN SOLUTION Exercise 6: where the mask says True, u + weight_decay * p; elsewhere u.
    def init(params):
        return ()

    def update(updates, state, params=None):
        decays = mask(params) if mask else jax.tree.map(lambda p: True, params)
        return jax.tree.map(lambda u, p, d: u + weight_decay * p * d, updates, params, decays), state

    return Transform(init, update)
    # END SOLUTION


# %% name="add_decayed_weights-check" tags=["check"] exercise="add_decayed_weights"
weights = {"w": jnp.array([[10.0, -20.0]]), "b": jnp.array([30.0])}
slope = {"w": jnp.array([[1.0, 2.0]]), "b": jnp.array([3.0])}


def result(w, b):
    return [{"w": np.array([w], np.float32), "b": np.array([b], np.float32)}]


check(
    "a tenth of the weights is added",
    lambda: run(add_decayed_weights(0.1), weights, [slope]),
    lambda: result([2.0, 0.0], 6.0),
    mistakes={
        "The sign is wrong. The updates are still to be multiplied by minus the learning rate, so decay is added here.": lambda: (
            result([0.0, 4.0], 0.0)
        ),
        "The updates are lost: only the decay is left. Add it to them.": lambda: result([1.0, -2.0], 3.0),
        "A share of the updates was added. It must be a share of the parameters.": lambda: result([1.1, 2.2], 3.3),
        "The updates were multiplied by the parameters' decay. Add it.": lambda: result([1.0, -4.0], 9.0),
        "Nothing decays: without a mask, everything does.": lambda: result([1.0, 2.0], 3.0),
        "The parameters shrank here and now. Return updates: update + weight_decay * parameter.": lambda: result(
            [9.0, -18.0], 27.0
        ),
    },
)
check(
    "where the mask says False, the updates stay as they are",
    lambda: run(add_decayed_weights(0.1, has_two_axes), weights, [slope]),
    lambda: result([2.0, 0.0], 3.0),
    mistakes={
        "The mask has no effect.": lambda: result([2.0, 0.0], 6.0),
        "The mask is used the wrong way round: True means that the leaf decays.": lambda: result([1.0, 2.0], 6.0),
        "Where the mask says False, the update is gone. It must come out as it went in.": lambda: result(
            [2.0, 0.0], 0.0
        ),
        "The sign is wrong. The updates are still to be multiplied by minus the learning rate, so decay is added here.": lambda: (
            result([0.0, 4.0], 3.0)
        ),
    },
)
check(
    "a tree, as minitorch.optim.add_decayed_weights does it",
    lambda: run(add_decayed_weights(0.3, has_two_axes), tree, [tree]),
    lambda: run(mt.optim.add_decayed_weights(0.3, has_two_axes), tree, [tree]),
)

# %% name="add_decayed_weights-all" tags=["hidden-test"] exercise="add_decayed_weights" points=1 hint="Without a mask: update + weight_decay * parameter, for every leaf."
at = {"w": inputs.normal(2, 3), "b": [inputs.normal(3)]}
slope = {"w": inputs.normal(2, 3), "b": [inputs.normal(3)]}
share = inputs.uniform(low=0.2, high=0.6).item()
report(
    run(add_decayed_weights(share), at, [slope]),
    mistakes={
        "The sign is wrong. The updates are still to be multiplied by minus the learning rate, so decay is added here.": lambda: [
            jax.tree.map(lambda u, p: u - share * p, slope, at)
        ],
        "The updates are lost: only the decay is left. Add it to them.": lambda: [
            jax.tree.map(lambda p: share * p, at)
        ],
        "A share of the updates was added. It must be a share of the parameters.": lambda: [
            jax.tree.map(lambda u: u + share * u, slope)
        ],
    },
)

# %% name="add_decayed_weights-mask" tags=["hidden-test"] exercise="add_decayed_weights" points=2 hint="The mask is a function of the parameters; where it gives False, the update comes out as it went in."
at = {"w": inputs.normal(2, 3), "b": [inputs.normal(3), inputs.normal(2, 2)]}
slope = {"w": inputs.normal(2, 3), "b": [inputs.normal(3), inputs.normal(2, 2)]}
share = inputs.uniform(low=0.2, high=0.6).item()


def positive_corner(params):
    """Which leaves decay depends on the parameters' values: those whose shape is not (2, 2)."""
    return jax.tree.map(lambda p: p.shape != (2, 2), params)


def masked(yes, no):
    return [{"w": yes(slope["w"], at["w"]), "b": [yes(slope["b"][0], at["b"][0]), no(slope["b"][1], at["b"][1])]}]


report(
    run(add_decayed_weights(share, positive_corner), at, [slope]),
    mistakes={
        "The mask has no effect.": lambda: masked(lambda u, p: u + share * p, lambda u, p: u + share * p),
        "The mask is used the wrong way round: True means that the leaf decays.": lambda: masked(
            lambda u, p: u, lambda u, p: u + share * p
        ),
        "Where the mask says False, the update is gone. It must come out as it went in.": lambda: masked(
            lambda u, p: u + share * p, lambda u, p: 0 * u
        ),
        "The sign is wrong. The updates are still to be multiplied by minus the learning rate, so decay is added here.": lambda: (
            masked(lambda u, p: u - share * p, lambda u, p: u)
        ),
        "The updates are lost: only the decay is left. Add it to them.": lambda: masked(
            lambda u, p: share * p, lambda u, p: 0 * u
        ),
    },
)

# %% [markdown]
# Now AdamW is one line, and so is the old way. Two weights begin at 1. The first has gradients of $\pm 10$, the second
# of $\pm 0.01$; they cancel, so only decay moves the weights. Both take 200 steps with the same $\lambda = 0.1$.
# Predict for each of the two orders: which weight shrinks more?


# %% name="adamw"
def adamw(learning_rate, weight_decay=1e-2, mask=None):
    """Adam with decoupled weight decay."""
    return chain(scale_by_adam(), add_decayed_weights(weight_decay, mask), scale_by_learning_rate(learning_rate))


# %% name="decay-in-two-places" tags=["demo"]
def after(optimizer, steps=200):
    """Two weights that begin at 1, after steps with gradients that cancel."""
    weights, update = jnp.ones(2), jax.jit(optimizer.update)
    state = optimizer.init(weights)
    for i in range(steps):
        gradient = jnp.array([10.0, 0.01]) * (-1) ** (i + 1)
        updates, state = update(gradient, state, weights)
        weights = apply_updates(weights, updates)
    return " ".join(f"{w:.2f}" for w in weights)


print(
    "decay before Adam (L2):       ",
    after(chain(add_decayed_weights(0.1), scale_by_adam(), scale_by_learning_rate(0.01))),
)
print("decay behind Adam (decoupled):", after(adamw(0.01, weight_decay=0.1)))

# %% [markdown]
# Before Adam, the weight with large gradients keeps its size and the other one vanishes. Behind Adam, both lose the
# same share.
#
# ### A race
#
# The surface is Rosenbrock's banana (1960), a test for optimizers ever since: a curved ravine whose floor hardly falls.
# Each optimizer uses the best of four rates that we tried. Which one will take the bend best, and which will arrive
# first? These may be two different ones.


# %% name="race" tags=["demo"]
def banana(point):
    x, y = point
    return (1 - x) ** 2 + 20 * (y - x**2) ** 2


figures.paths(
    banana,
    {
        "gradient descent": scale_by_learning_rate(0.005),
        "momentum": chain(momentum(0.9), scale_by_learning_rate(0.002)),
        "Nesterov": chain(momentum(0.9, nesterov=True), scale_by_learning_rate(0.003)),
        "Adam": chain(scale_by_adam(0.9, 0.99), scale_by_learning_rate(0.4)),
    },
    start=(-1.6, 1.4),
    steps=150,
    window=((-2, 2), (-1, 3)),
    goal=(1.0, 1.0),
)

# %% [markdown]
# A picture in two dimensions flatters some methods: real losses have no bend that you can see, and their gradients are
# noisy. The picture shows characters, not ranks. The ranking comes at the end, on real data.
#
# ## 8. Schedules
#
# Large steps travel, small steps settle, and at the very beginning large steps do damage: Adam's averages rest on a
# handful of gradients, and the weights are random. So: **warm up** in a straight line from 0 to the peak (Goyal et
# al., 2017), then come down along half a **cosine** (Loshchilov and Hutter, 2017). With peak 1, 4 steps of warm-up,
# 12 in total and 0.2 at the end:
#
# | finished steps | 0 | 2 | 4 | 6 | 8 | 12 | 20 |
# |---|---|---|---|---|---|---|---|
# | rate | 0 | 0.5 | 1 | 0.88 | 0.6 | 0.2 | 0.2 |
#
# At step 8, half of the way from 4 to 12 is done, and $(1 + \cos(\pi/2))/2 = 0.5$: half-way between 0.2 and 1. After
# the end, the rate stays where it is; a cosine that is not stopped comes up again.
#
# The count may be a traced array, so there is no `if`: `jnp.minimum`, `jnp.clip` and `jnp.where` choose. The classic
# mistake is off by one, and it is a quiet one. Until version 1.1 (2019), PyTorch's schedulers had to be called *before*
# the optimizer, and since then *after* it. Scripts that were not changed skipped the first value, and trained nearly as
# well.
#
# ### Exercise 7: warm-up and cosine


# %% name="warmup_cosine" tags=["exercise"] forbids=["minitorch.optim.warmup_cosine_decay_schedule", "minitorch.optim.cosine_decay_schedule", "minitorch.optim.linear_schedule", "minitorch.optim.warmup_constant_schedule", "minitorch.optim.join_schedules"]
def warmup_cosine(peak, warmup, total, end=0.0):
    """The learning rate over time: up in a straight line, down along half a cosine, then flat.

    Args:
      peak: the rate after `warmup` steps.
      warmup: the number of steps from 0 to the peak, at least 1.
      total: the number of steps, warm-up included, after which the rate is `end`.
      end: the rate from there on.

    Returns:
      A function from the number of finished steps (an int, or an integer array of any shape) to the rate.
    """

    # BEGIN SOLUTION Exercise 7: return a function of the finished steps, without `if`, that works on arrays of them too.
    def schedule(step):
        rise = jnp.minimum(step / warmup, 1)
        done = jnp.clip((step - warmup) / (total - warmup), 0, 1)
        return rise * (end + (peak - end) * (1 + jnp.cos(jnp.pi * done)) / 2)

    return schedule
    # END SOLUTION


# %% name="warmup_cosine-check" tags=["check"] exercise="warmup_cosine"
when = jnp.array([0, 2, 4, 6, 8, 12, 20])
check(
    "the table above",
    lambda: warmup_cosine(1.0, 4, 12, 0.2)(when),
    lambda: jnp.array([0.0, 0.5, 1.0, 0.88284, 0.6, 0.2, 0.2]),
    mistakes={
        "After the end the rate rises again: the cosine is not stopped at `total`.": lambda: jnp.array(
            [0.0, 0.5, 1.0, 0.88284, 0.6, 0.2, 1.0]
        ),
        "The way down takes `total` steps. The warm-up is part of `total`: total - warmup are left.": lambda: jnp.array(
            [0.0, 0.5, 1.0, 0.94641, 0.8, 0.4, 0.2]
        ),
        "The way down is counted from step 0, so that the peak is never reached. Count from the end of the warm-up.": lambda: (
            jnp.array([0.0, 0.5, 0.8, 0.6, 0.4, 0.2, 0.2])
        ),
        "The rate goes down to 0 and not to `end`.": lambda: jnp.array([0.0, 0.5, 1.0, 0.85355, 0.5, 0.0, 0.0]),
        "The warm-up is one step early: before the first step 0 steps are finished, and the rate is 0.": lambda: (
            jnp.array([0.25, 0.75, 1.0, 0.88284, 0.6, 0.2, 0.2])
        ),
        "The way down is a straight line.": lambda: jnp.array([0.0, 0.5, 1.0, 0.8, 0.6, 0.2, 0.2]),
        "There is no warm-up: the rate begins at the peak.": lambda: jnp.array([1.0, 1.0, 1.0, 0.88284, 0.6, 0.2, 0.2]),
        "`end` was added to the cosine. It replaces the lowest value: the height is peak - end.": lambda: jnp.array(
            [0.0, 0.6, 1.2, 1.05355, 0.7, 0.2, 0.2]
        ),
    },
)
check(
    "it works on a traced count",
    lambda: jax.jit(warmup_cosine(0.01, 10, 110))(jnp.int32(60)),
    0.005,
)
check(
    "as minitorch.optim.warmup_cosine_decay_schedule does it",
    lambda: warmup_cosine(0.3, 5, 33, 0.03)(jnp.arange(40)),
    lambda: mt.optim.warmup_cosine_decay_schedule(0.0, 0.3, 5, 33, 0.03)(jnp.arange(40)),
)

# %% name="warmup_cosine-shape" tags=["hidden-test"] exercise="warmup_cosine" points=2 hint="From 0 to the peak in `warmup` steps, then half a cosine to `end` at `total`, then flat."
peak, end = inputs.uniform(low=0.6, high=0.9).item(), inputs.uniform(low=0.1, high=0.3).item()
warmup, length = int(inputs.integers(low=3, high=8)), int(inputs.integers(low=20, high=30))
when = jnp.arange(45)


def curve(rise, done, low=end, high=peak):
    return rise * (low + (high - low) * (1 + jnp.cos(jnp.pi * done)) / 2)


rise, done = jnp.minimum(when / warmup, 1), jnp.clip((when - warmup) / (length - warmup), 0, 1)
report(
    warmup_cosine(peak, warmup, length, end)(when),
    mistakes={
        "After the end the rate rises again: the cosine is not stopped at `total`.": lambda: curve(
            rise, jnp.maximum(when - warmup, 0) / (length - warmup)
        ),
        "The way down takes `total` steps. The warm-up is part of `total`: total - warmup are left.": lambda: curve(
            rise, jnp.clip((when - warmup) / length, 0, 1)
        ),
        "The rate goes down to 0 and not to `end`.": lambda: curve(rise, done, low=0.0),
        "The warm-up is one step early: before the first step 0 steps are finished, and the rate is 0.": lambda: curve(
            jnp.minimum((when + 1) / warmup, 1), done
        ),
        "There is no warm-up: the rate begins at the peak.": lambda: curve(1.0, done),
    },
)

# %% name="warmup_cosine-traced" tags=["hidden-test"] exercise="warmup_cosine" points=2 hint="The count of steps is an array that jax.jit traces: choose with jnp.minimum, jnp.clip or jnp.where, and not with `if`."
peak, warmup = inputs.uniform(low=0.6, high=0.9).item(), int(inputs.integers(low=3, high=8))
traced = jax.jit(warmup_cosine(peak, warmup, 40))
when = [0, 1, warmup - 1, warmup, warmup + 1, 20, 39, 40, 60]
report(
    jnp.stack([traced(jnp.int32(step)) for step in when]),
    mistakes={
        "After the end the rate rises again: the cosine is not stopped at `total`.": lambda: jnp.array(
            [min(s / warmup, 1) * peak * (1 + np.cos(np.pi * max(s - warmup, 0) / (40 - warmup))) / 2 for s in when]
        ),
        "The way down takes `total` steps. The warm-up is part of `total`: total - warmup are left.": lambda: jnp.array(
            [min(s / warmup, 1) * peak * (1 + np.cos(np.pi * min(max(s - warmup, 0) / 40, 1))) / 2 for s in when]
        ),
        "The warm-up is one step early: before the first step 0 steps are finished, and the rate is 0.": lambda: (
            jnp.array(
                [
                    min((s + 1) / warmup, 1)
                    * peak
                    * (1 + np.cos(np.pi * min(max(s - warmup, 0) / (40 - warmup), 1)))
                    / 2
                    for s in when
                ]
            )
        ),
    },
)

# %% name="schedules" tags=["demo"]
figures.schedules(
    {
        "yours: warm-up and cosine": warmup_cosine(3e-3, 100, 1000, 3e-4),
        "warm-up, stable, decay": mt.optim.warmup_stable_decay_schedule(0.0, 3e-3, 100, 600, 300, 3e-4),
        "constant": lambda step: 1.5e-3 + 0 * step,
    },
    total=1100,
)

# %% [markdown]
# The second curve, in the middle, is younger (Hu et al., 2024). Its flat part can go on as long as you like: you do not
# need to know the length of the training beforehand.
#
# ## 9. Every example once
#
# The gradient of the loss over all examples is exact but expensive. A handful of examples gives an estimate of it for a
# fraction of the price, and the noise even helps. How should you choose the handfuls (the **mini-batches**)?
#
# Drawing at random *with* replacement is what the theory likes (Robbins and Monro, 1951), and it is a little wasteful:
# after $n$ draws from $n$ examples, $(1 - 1/n)^n \approx 37\,\%$ have never been seen. It is better to shuffle, deal
# out the whole deck, and shuffle again: each round is one **epoch**. Three things to get right:
#
# - **No example is lost.** 10 examples in handfuls of 4 are 4, 4 and 2. Notebook 02's loop left 30 of its 1,438
#   digits out of every epoch.
# - **Each epoch has an order of its own**, or the last batch is always the same few.
# - **The seed decides it all.** A run that cannot be repeated cannot be debugged. And the second epoch of seed 0 must
#   not be the first epoch of seed 1. With `seed + epoch` it would be.
#
# Evaluation has the same small batch at its end. If three batches of 4, 4 and 2 score 100 %, 50 % and 0 %, then
# $4 + 2 + 0$ of 10 are right, **60 %**. The mean of the three scores is 50 %: the two examples of the last batch
# counted double.
#
# ### Exercise 8: mini-batches and evaluation
#
# The order is fixed here, so that anybody can repeat it: `np.random.default_rng((seed, epoch)).permutation(n)`.


# %% name="batches" tags=["exercise"] forbids=["minitorch.data.epochs"]
def batches(n, size, seed, epoch):
    """The rows of each mini-batch of one epoch.

    Args:
      n: the number of examples.
      size: of a mini-batch; the last one is smaller if `size` does not divide `n`.
      seed, epoch: whole numbers from 0; each pair has an order of its own.

    Returns:
      A list of integer arrays, which together hold 0 ... n - 1 once each.
    """
    # BEGIN SOLUTION Exercise 8: cut np.random.default_rng((seed, epoch)).permutation(n) into pieces of `size`.
    order = np.random.default_rng((seed, epoch)).permutation(n)
    return [order[start : start + size] for start in range(0, n, size)]
    # END SOLUTION


def evaluate(measure, params, x, y, size):
    """The mean of a measure over all examples, a batch at a time.

    Args:
      measure: a function (params, x, y) -> mean over the examples given, such as an accuracy.
      x, y: arrays (n, ...) and (n, ...).
      size: of a batch; the last one is smaller if `size` does not divide `n`.

    Returns:
      The mean over the n examples.
    """
    # BEGIN SOLUTION Exercise 8: weigh each batch's mean by its number of examples.
    total = 0.0
    for start in range(0, len(x), size):
        rows = slice(start, start + size)
        total += len(x[rows]) * measure(params, x[rows], y[rows])
    return total / len(x)
    # END SOLUTION


# %% name="batches-check" tags=["check"] exercise="batches"
def all_rows(*args):
    return [int(row) for rows in batches(*args) for row in rows]


def agreement(params, x, y):
    return jnp.mean(params * x == y)


check(
    "ten examples in handfuls of four",
    lambda: [len(rows) for rows in batches(10, 4, seed=0, epoch=0)],
    [4, 4, 2],
    mistakes={
        "The last two examples are lost. The last batch may be smaller.": [4, 4],
        "The last batch was filled up, so that some examples come twice.": [4, 4, 4],
        "There are `size` batches. `size` is the number of examples in each.": [3, 3, 2, 2],
        "The batches overlap: the next one begins `size` further on.": [4] * 7 + [3, 2, 1],
    },
)
check(
    "every example once",
    lambda: sorted(all_rows(10, 4, 3, 1)) == list(range(10)),
    True,
    mistakes={
        "Some examples come twice, or not at all. Cut a permutation of 0 ... n - 1 into pieces.": False,
    },
)
check(
    "each epoch has its own order",
    lambda: all_rows(100, 7, 3, 0) != all_rows(100, 7, 3, 1) != list(range(100)),
    True,
    mistakes={
        "The order is the same in every epoch, or not shuffled at all. `epoch` must be part of the random seed.": lambda: (
            False
        ),
    },
)
check(
    "the same seed and epoch, the same order",
    lambda: (all_rows(100, 7, 3, 1) == all_rows(100, 7, 3, 1), all_rows(100, 7, 4, 1) == all_rows(100, 7, 3, 1)),
    (True, False),
    mistakes={
        "The order cannot be repeated. Make a new generator from seed and epoch in each call.": (False, False),
        "The seed has no effect.": (True, True),
    },
)
check(
    "seed 0's second epoch is not seed 1's first",
    lambda: all_rows(100, 7, 0, 1) == all_rows(100, 7, 1, 0),
    False,
    mistakes={
        "Two runs share their orders, one epoch later: seed + epoch is the same number for both. Seed with the pair.": lambda: (
            True
        ),
    },
)
check(
    "scores of 100 %, 50 % and 0 % on 4, 4 and 2 examples",
    lambda: evaluate(agreement, 2.0, jnp.ones(10), jnp.array([2.0] * 6 + [0.0] * 4), 4),
    0.6,
    mistakes={
        "This is the mean of the three batches' scores. The last batch has fewer examples and must count less.": lambda: (
            0.5
        ),
        "The last two examples are left out.": 0.75,
        "The scores are summed, and not divided by the number of examples.": 6.0,
        "This is the score of the first batch alone.": 1.0,
        "This is the score of the last batch alone.": 0.0,
        "The scores of the batches are summed. Weigh each by its examples, and divide by all.": 1.5,
    },
)

# %% name="batches-order" tags=["hidden-test"] exercise="batches" points=2 hint="Cut np.random.default_rng((seed, epoch)).permutation(n) into pieces of `size`, in order; keep the short last one."
n, seed, epoch = (
    int(inputs.integers(low=21, high=27)),
    int(inputs.integers(low=2, high=9)),
    int(inputs.integers(low=2, high=9)),
)


def cut(generator, stop=None):
    order = generator.permutation(n)
    return [order[start : start + 4] for start in range(0, stop or n, 4)]


report(
    batches(n, 4, seed, epoch),
    mistakes={
        "The last examples are lost. The last batch may be smaller.": lambda: cut(
            np.random.default_rng((seed, epoch)), n - n % 4
        ),
        "The order is the same in every epoch. `epoch` must be part of the random seed.": lambda: cut(
            np.random.default_rng(seed)
        ),
        "Two runs share their orders, one epoch later: seed + epoch is the same number for both. Seed with the pair.": lambda: (
            cut(np.random.default_rng(seed + epoch))
        ),
        "seed and epoch changed places.": lambda: cut(np.random.default_rng((epoch, seed))),
        "Some examples come twice, or not at all. Cut a permutation of 0 ... n - 1 into pieces.": lambda: (
            lambda order: [order[start : start + 4] for start in range(0, n, 4)]
        )(np.random.default_rng((seed, epoch)).integers(0, n, n)),
    },
)

# %% name="batches-sizes" tags=["hidden-test"] exercise="batches" points=1 hint="One batch if `size` is n or more; n batches if it is 1; no empty batch at the end."
n, seed = int(inputs.integers(low=5, high=9)), int(inputs.integers(low=0, high=9))
report([[len(rows) for rows in batches(n, size, seed, 0)] for size in (1, n, n + 3)])
report(sorted(int(row) for rows in batches(3 * n, 4, seed, 1) for row in rows))
report([len(rows) for rows in batches(3 * n, n, seed, 1)])

# %% name="batches-evaluate" tags=["hidden-test"] exercise="batches" points=2 hint="Weigh each batch's mean by the number of its examples, and divide by the number of all."
n = 4 * int(inputs.integers(low=3, high=6)) + int(inputs.integers(low=1, high=4))
x, y, factor = inputs.normal(n, 2), inputs.normal(n), inputs.uniform(low=0.5, high=1.5).item()


def squared(params, x, y):
    return jnp.mean((params * x.sum(1) - y) ** 2)


def batch_scores():
    return [squared(factor, x[i : i + 4], y[i : i + 4]) for i in range(0, n, 4)]


report(
    evaluate(squared, factor, x, y, 4),
    mistakes={
        "This is the mean of the batches' scores. The last batch has fewer examples and must count less.": lambda: (
            sum(batch_scores()) / len(batch_scores())
        ),
        "The last examples are left out.": lambda: squared(factor, x[: n - n % 4], y[: n - n % 4]),
        "The scores are summed, and not divided by the number of examples.": lambda: n * squared(factor, x, y),
        "The scores of the batches are summed. Weigh each by its examples, and divide by all.": lambda: sum(
            batch_scores()
        ),
    },
)
report(evaluate(squared, factor, x, y, n + 5))

# %% [markdown]
# ## 10. The loop
#
# Everything comes together here. For each batch:
#
# 1. the loss and its gradient at the present parameters: `mt.value_and_grad(loss)(params, *batch)`;
# 2. the optimizer's updates, from the gradient, its state and the parameters;
# 3. the parameters after the updates, and the new state.
#
# After each epoch: evaluate. That is all that a training loop is; every trainer of a hundred thousand lines has these
# steps in the middle.
#
# By hand, with $f(w) = (w x - y)^2$, $x = 1$, $y = 2$, learning rate 0.1 and $w = 0$: the loss is 4, the gradient
# $2 (0 - 2) = -4$, the update +0.4. At $w = 0.4$ the loss is 2.56, the gradient -3.2, and $w$ becomes 0.72. Then 1.6384
# and 0.976. The loss that you write down is the loss *before* the update, since the gradient belongs to that one.
#
# Put steps 1 to 3 into a function under `jax.jit`: it is traced once and runs about fifty times faster afterwards. (It
# is traced twice if the last batch is smaller: another shape is another program. What `jit` does there is the second
# stretch exercise.)
#
# ### Exercise 9: the training loop


# %% name="train" tags=["exercise"] forbids=["minitorch.train.step.Step"]
def train(loss, optimizer, params, epochs, evaluation):
    """Train, and evaluate after each epoch.

    Args:
      loss: a function (params, *batch) -> scalar, the mean over the batch, written with minitorch's ops.
      optimizer: a Transform.
      params: the first parameters, a pytree.
      epochs: for each epoch its batches: an iterable of iterables of tuples of arrays.
      evaluation: a function params -> number.

    Returns:
      The last parameters, the loss of every batch before its update (a list of floats), and what the evaluation gave after
      each epoch (a list).
    """

    # BEGIN SOLUTION Exercise 9: write a jitted step (gradient, updates, new parameters and state), and loop over epochs and batches.
    @jax.jit
    def step(params, state, *batch):
        value, gradient = mt.value_and_grad(loss)(params, *batch)
        updates, state = optimizer.update(gradient, state, params)
        return apply_updates(params, updates), state, value  # mutant-ok: a sum has no order

    state, losses, scores = optimizer.init(params), [], []
    for epoch in epochs:
        for batch in epoch:
            params, state, value = step(params, state, *batch)
            losses.append(float(value))
        scores.append(evaluation(params))
    return params, losses, scores
    # END SOLUTION


# %% name="train-check" tags=["check"] exercise="train"
def parabola(w, x, y):
    return mt.ops.mean((w * x - y) ** 2)


def trained(optimizer):
    """What your loop gives for two batches, then one: w, losses, scores."""
    batch = jnp.array([1.0]), jnp.array([2.0])
    w, losses, scores = train(parabola, optimizer, jnp.array(0.0), [[batch, batch], [batch]], lambda w: w)
    return w, [float(value) for value in losses], [float(score) for score in scores]


def decaying():
    """Steps of 0.1, and a tenth of the parameters less: unless they are not passed on."""
    return Transform(
        lambda params: (),
        lambda updates, state, params=None: (-0.1 * updates - 0.1 * (0.0 if params is None else params), state),
    )


check(
    "three steps by hand",
    lambda: trained(scale(-0.1)),
    (0.976, [4.0, 2.56, 1.6384], [0.72, 0.976]),
    mistakes={
        "The updates were subtracted. They already point downhill: add them.": lambda: (
            -1.456,
            [4.0, 5.76, 8.2944],
            [-0.88, -1.456],
        ),
        "The evaluation came before the epoch's training. Evaluate after its last batch.": lambda: (
            0.976,
            [4.0, 2.56, 1.6384],
            [0.0, 0.72],
        ),
        "The evaluation ran after every batch. It belongs behind the loop over the batches.": lambda: (
            0.976,
            [4.0, 2.56, 1.6384],
            [0.4, 0.72, 0.976],
        ),
        "The losses are those after the update. Write down the one whose gradient was used.": lambda: (
            0.976,
            [2.56, 1.6384, 1.048576],
            [0.72, 0.976],
        ),
        "There is one loss for each epoch. Write down one for each batch.": lambda: (
            0.976,
            [2.56, 1.6384],
            [0.72, 0.976],
        ),
        "Each epoch stopped after its first batch: is a `return` or `break` inside the loop?": lambda: (
            0.64,
            [4.0, 2.56],
            [0.4, 0.64],
        ),
        "Every step began at the first parameters. Go on with the new ones.": lambda: (
            0.4,
            [4.0, 4.0, 4.0],
            [0.4, 0.4],
        ),
        "The parameters that came in were returned. Return those of the last step.": lambda: (
            0.0,
            [4.0, 2.56, 1.6384],
            [0.72, 0.976],
        ),
    },
)
check(
    "the optimizer's state is carried on",
    lambda: trained(mt.optim.sgd(0.1, momentum=0.5))[1],
    [4.0, 2.56, 1.1664],
    mistakes={
        "The optimizer forgets: its state is created again, or not kept, at each step. `init` is called once.": [
            4.0,
            2.56,
            1.6384,
        ],
    },
)
check(
    "the optimizer is given the parameters",
    lambda: trained(decaying())[1],
    [4.0, 2.56, 1.7424],
    mistakes={
        "The weights do not decay: pass the parameters to the optimizer's update.": [4.0, 2.56, 1.6384],
    },
)


# %% name="train-steps" tags=["hidden-test"] exercise="train" points=2 hint="For each batch: value and gradient, updates, add them to the parameters; write down the loss before the update."
def squared_error(params, x, y):
    return mt.ops.mean((mt.ops.matmul(x, params["w"]) + params["b"] - y) ** 2)


def fitted(optimizer, evaluation=lambda params: params["b"]):
    params, losses, scores = train(squared_error, optimizer, start, data, evaluation)
    return params, [float(value) for value in losses], [jnp.asarray(score) for score in scores]


start = {"w": inputs.normal(3), "b": inputs.normal()}
data = [[(inputs.normal(size, 3), inputs.normal(size)) for size in (4, 4, 2)] for _ in range(2)]
report(
    fitted(scale(-0.1))[:2],
    mistakes={
        "The updates were subtracted. They already point downhill: add them.": lambda: fitted(scale(0.1))[:2],
        "There is one loss for each epoch. Write down one for each batch.": lambda: (
            fitted(scale(-0.1))[0],
            fitted(scale(-0.1))[1][2::3],
        ),
        "The losses are those after the update. Write down the one whose gradient was used.": lambda: (
            fitted(scale(-0.1))[0],
            [
                float(squared_error(train(squared_error, scale(-0.1), start, [sum(data, [])[: i + 1]], id)[0], *batch))
                for i, batch in enumerate(sum(data, []))
            ],
        ),
    },
)


# %% name="train-state" tags=["hidden-test"] exercise="train" points=2 hint="`init` is called once; each update gets the state that the one before it returned, and the parameters."
def slowing(rate, decay, counting=1):
    """Steps that become shorter, with weight decay."""

    def update(updates, state, params=None):
        pull = params if params is not None else jax.tree.map(jnp.zeros_like, updates)
        return jax.tree.map(lambda g, p: -rate / (1 + state) * g - decay * p, updates, pull), state + counting

    return Transform(lambda params: jnp.zeros(()), update)


def regression(params, x, y):
    return mt.ops.mean((mt.ops.matmul(x, params["w"]) - y) ** 2)


begin = {"w": inputs.normal(3)}
lessons = [[(inputs.normal(4, 3), inputs.normal(4)) for _ in range(3)]]


def learned(optimizer):
    return train(regression, optimizer, begin, lessons, lambda params: 0.0)[0]


report(
    learned(slowing(0.2, 0.05)),
    mistakes={
        "The optimizer forgets: its state is created again, or not kept, at each step. `init` is called once.": lambda: (
            learned(slowing(0.2, 0.05, counting=0))
        ),
        "The weights do not decay: pass the parameters to the optimizer's update.": lambda: learned(slowing(0.2, 0.0)),
    },
)


# %% name="train-scores" tags=["hidden-test"] exercise="train" points=1 hint="The evaluation is called with the parameters after each epoch's last batch."
def parallel(params, x):
    return mt.ops.mean((params * x - 1.0) ** 2)


here = inputs.normal(3)
rounds = [[(inputs.normal(2, 3),) for _ in range(count)] for count in (2, 1, 3)]


def rated(rounds):
    return jnp.stack([jnp.sum(s) for s in train(parallel, scale(-0.2), here, rounds, jnp.sum)[2]])


report(
    rated(rounds),
    mistakes={
        "The evaluation came before the epoch's training. Evaluate after its last batch.": lambda: jnp.stack(
            [jnp.sum(here), *rated(rounds)[:2]]
        ),
        "The evaluation ran after every batch. It belongs behind the loop over the batches.": lambda: rated(
            [[batch] for epoch in rounds for batch in epoch]
        ),
    },
)

# %% [markdown]
# ## 11. The proof
#
# ### Step by step like optax
#
# First the optimizers. Below are the points that optax 0.2.8 reached on the banana after 25 steps from (-1.6, -0.4).
# They were computed once and written down, so you do not need to install optax. minitorch's tests also compare
# minitorch.optim with optax, for a longer list of optimizers.

# %% name="like-optax" tags=["demo"]
OPTAX = {  # optax 0.2.8: the point after 25 steps, float32
    "sgd(0.001)": (-0.450684, 0.133393),
    "sgd(0.0005, momentum=0.9)": (1.056659, 1.423538),
    "sgd(0.0005, momentum=0.9, nesterov=True)": (0.927143, 1.013651),
    "adam(0.1)": (-0.357109, 0.709850),
    "clip 1, adamw(cosine, decay 0.1)": (0.254544, -0.070193),
}
MINE = {
    "sgd(0.001)": scale_by_learning_rate(0.001),
    "sgd(0.0005, momentum=0.9)": chain(momentum(0.9), scale_by_learning_rate(0.0005)),
    "sgd(0.0005, momentum=0.9, nesterov=True)": chain(momentum(0.9, nesterov=True), scale_by_learning_rate(0.0005)),
    "adam(0.1)": chain(scale_by_adam(), scale_by_learning_rate(0.1)),
    "clip 1, adamw(cosine, decay 0.1)": chain(
        clip_by_global_norm(1.0), adamw(warmup_cosine(0.2, 5, 25, 0.02), weight_decay=0.1)
    ),
}
for name, optimizer in MINE.items():
    point, _, _ = train(banana, optimizer, jnp.array([-1.6, -0.4]), [[()] * 25], lambda point: None)
    verdict = "equal to 4 digits" if np.allclose(point, OPTAX[name], rtol=1e-4) else f"DIFFERENT: {point.tolist()}"
    print(f"{name:40} {verdict}")

# %% [markdown]
# If optax is installed, the next cell goes through 100 steps with it on random trees.

# %% name="against-optax" tags=["demo", "nbval-ignore-output"]
try:
    import optax
except ImportError:
    print("optax is not installed here: the table above must do.")
else:
    theirs = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.adamw(optax.warmup_cosine_decay_schedule(0.0, 0.1, 10, 90, 0.01), weight_decay=0.1, mask=has_two_axes),
    )
    mine = chain(clip_by_global_norm(1.0), adamw(warmup_cosine(0.1, 10, 90, 0.01), weight_decay=0.1, mask=has_two_axes))
    at = {"w": jnp.ones((3, 4)), "b": jnp.ones(4)}
    slopes = [jax.tree.map(lambda p: jax.random.normal(jax.random.key(i), p.shape), at) for i in range(100)]
    mine, theirs = (Transform(t.init, jax.jit(t.update)) for t in (mine, theirs))
    pairs = zip(run(mine, at, slopes), run(theirs, at, slopes), strict=True)
    worst = max(float(jnp.abs(a - b).max()) for pair in pairs for a, b in zip(*map(jax.tree.leaves, pair), strict=True))
    print(f"optax {optax.__version__}: largest difference of an update in 100 steps: {worst:.0e}")

# %% [markdown]
# ### 97 % of the digits that it has never seen
#
# scikit-learn's 1,797 digits were written on paper forms by 13 people. A fifth of the digits is held out. (The same
# people are in both parts, so this says nothing yet about a fourteenth person.) The network is minitorch's MLP with one
# hidden layer of 128: 9,610 numbers to be found. The loss is your cross entropy of notebook 03, if you wrote it;
# everything that moves is yours.
#
# Four optimizers start from the same weights and see the same batches for 20 epochs. Predict the order in which the
# training losses fall, and how many points lie between the best and the worst on held-out digits.

# %% name="digits" tags=["demo"]
(train_x, train_y), (test_x, test_y) = mt.data.stratified_split(*mt.data.load_digits(), validation=0.2, seed=0)
cross_entropy = my_solution("cross_entropy", otherwise=mt.nn.cross_entropy)
first_model = mt.models.MLP.init(jax.random.key(0), mt.models.MLPConfig(inputs=64, hidden=(128,), classes=10))


def digit_loss(model, x, y):
    return cross_entropy(model(x), y)


@jax.jit
def accuracy(model, x, y):
    return mt.nn.accuracy(model(x), y)


def fit(optimizer, count=20, seed=0):
    """The loss of every step, and the model before training and after each epoch."""
    epochs = (
        [(train_x[rows], train_y[rows]) for rows in batches(len(train_x), 64, seed, epoch)] for epoch in range(count)
    )
    _, losses, models = train(digit_loss, optimizer, first_model, epochs, lambda model: model)
    return losses, [first_model, *models]


@functools.cache
def fits():
    """Four optimizers by name: what `fit` gives for each."""
    rate = warmup_cosine(0.01, 46, 20 * 23)
    optimizers = {
        "SGD": scale_by_learning_rate(0.1),
        "momentum": chain(momentum(0.9), scale_by_learning_rate(0.1)),
        "Adam": chain(scale_by_adam(), scale_by_learning_rate(0.01)),
        "the recipe": chain(clip_by_global_norm(1.0), adamw(rate, weight_decay=0.01, mask=has_two_axes)),
    }
    return {name: fit(optimizer) for name, optimizer in optimizers.items()}


def scores(models):
    """The share of held-out digits that each model reads rightly."""
    return [float(evaluate(accuracy, model, test_x, test_y, 100)) for model in models]


figures.training(
    {name: losses for name, (losses, _) in fits().items()},
    {name: scores(models) for name, (_, models) in fits().items()},
)
_, best = fits()["the recipe"]
print("the recipe reads at least 97 % of the held-out digits:", scores(best)[-1] >= 0.97)

# %% name="digits-scores" tags=["demo", "nbval-ignore-output"]
for name, (_, models) in fits().items():
    print(f"{name:12} {100 * scores(models)[-1]:.1f} % of {len(test_x)} held-out digits")
figures.misread(fits()["the recipe"][1][-1], test_x, test_y)

# %% [markdown]
# Look twice before you rank the optimizers by the second picture: 359 digits were held out, so one digit is 0.28 %, and
# the standard error of 98 % is $\sqrt{0.98 \cdot 0.02 / 359} = 0.7$ points. Differences of a digit or three are luck.
# The training loss says more: Adam's is some 25 times lower than SGD's. But a low training loss is not the aim: plain
# Adam ends lower than the recipe, and it does not read better. The recipe buys you a calm end of the curve: when the
# rate falls to zero, it no longer matters at which epoch you stop.
#
# And a warning that belongs to every such table. The rates were chosen by trying. If you try twenty settings on the
# held-out digits and report the best one, you report luck as well: then the digits are no longer held out. Choose on a
# third part of the data, and open the last part only once.
#
# ### The landscape that you crossed
#
# The network has 9,610 numbers, so its loss is a surface over 9,610 dimensions. Three points make a plane: the start,
# the end of SGD and the end of the recipe. Here is the loss over that plane, with the paths of the epochs projected
# onto it.

# %% name="landscape" tags=["demo"]
figures.landscape(
    jax.jit(lambda model: mt.nn.cross_entropy(model(train_x), train_y)),
    {name: fits()[name][1] for name in ("SGD", "the recipe")},
)

# %% [markdown]
# No local minima in sight, no bumps: a broad slope that both come down, and they do not end in the same place. A plane
# shows little of 9,610 dimensions, and what is not in it may be rough. In the 1990s people feared that training would
# get stuck in poor local minima, but this is not what happens to large networks (Goodfellow, Vinyals and Saxe, 2015,
# looked along lines like these).
#
# ## 12. Stretch: Muon
#
# Adam sees a matrix of weights as a bag of numbers. But a matrix is a *map*, and its gradient, too, is a few strong
# directions and many weak ones: a few large singular values, and a long tail of small ones. The large ones decide the
# step; the information in the tail is lost.
#
# **Muon** (Keller Jordan, 2024) takes the momentum $M = U S V^\top$ of a matrix and replaces $S$ by ones: every
# direction gets a step of the same size. In 2024 it broke the speed record of training a small GPT, and large
# language models have been trained with it since.
#
# A singular value decomposition at each step would be far too slow. Instead, a polynomial in $X$, starting with
# $X = M / \lVert M \rVert_F$, a few times over:
#
# $$X \leftarrow a X + b (X X^\top) X + c (X X^\top)^2 X \qquad a, b, c = 3.4445,\ -4.7750,\ 2.0315$$
#
# It leaves $U$ and $V$ alone and maps each singular value $s$ to $a s + b s^3 + c s^5$. Take a tiny one, 0.01: it
# becomes 0.034, 0.118, 0.40, 1.09, 0.70: five steps, and it has grown seventyfold. All from 0.01 to 1 end between 0.68
# and 1.14. They do not need to be exactly 1, and giving that up buys the speed.
#
# ### Stretch exercise: orthogonalise


# %% name="orthogonalize" tags=["exercise", "stretch"] forbids=["minitorch.optim.newton_schulz"]
def newton_schulz(matrix, steps=5):
    """A matrix with the singular vectors of `matrix` (m, n) and singular values near 1."""
    # BEGIN SOLUTION Stretch exercise: divide by the Frobenius norm (plus 1e-8), then apply the polynomial `steps` times.
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix / (jnp.linalg.norm(matrix) + 1e-8)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x
    # END SOLUTION


def orthogonalize():
    """Make every update nearly orthogonal; each leaf is a matrix (inputs, outputs).

    A matrix that widens is scaled up by sqrt(outputs / inputs), so that the outputs move as much as the inputs do.
    """

    # BEGIN SOLUTION Stretch exercise: a Transform without a state: newton_schulz of each leaf, times sqrt(max(1, outputs / inputs)).
    def update(updates, state, params=None):
        return jax.tree.map(lambda u: max(1, u.shape[1] / u.shape[0]) ** 0.5 * newton_schulz(u), updates), state

    return Transform(lambda params: (), update)
    # END SOLUTION


# %% name="orthogonalize-check" tags=["check", "stretch"] exercise="orthogonalize"
matrix = jax.random.normal(jax.random.key(1), (4, 7))
check(
    "as minitorch.optim.newton_schulz does it, wide",
    lambda: newton_schulz(matrix),
    lambda: mt.optim.newton_schulz(matrix),
    mistakes={
        "The matrix was not divided by its norm first. Only singular values up to about 1 stay in bounds.": lambda: (
            mt.optim.newton_schulz(matrix) * jnp.nan
        ),
        "This is the matrix divided by its norm: the polynomial was never applied.": lambda: (
            matrix / jnp.linalg.norm(matrix)
        ),
    },
    rtol=1e-3,
)
check(
    "and tall",
    lambda: newton_schulz(matrix.T),
    lambda: mt.optim.newton_schulz(matrix.T),
    rtol=1e-3,
    atol=1e-3,
)
check(
    "all singular values near 1",
    lambda: bool(jnp.all(jnp.abs(jnp.linalg.svd(newton_schulz(matrix), compute_uv=False) - 0.95) < 0.3)),
    True,
)
check(
    "a transform on a tree: 4 inputs, 7 outputs",
    lambda: run(orthogonalize(), {"w": matrix}, [{"w": matrix}]),
    lambda: [{"w": (7 / 4) ** 0.5 * mt.optim.newton_schulz(matrix)}],
    mistakes={
        "The matrix widens from 4 to 7, so it is scaled by sqrt(7 / 4).": lambda: [
            {"w": mt.optim.newton_schulz(matrix)}
        ],
    },
    rtol=1e-3,
)

# %% name="muon-seen" tags=["demo"]
gradient = mt.grad(digit_loss)(first_model, train_x, train_y).layers[0].weight
figures.singular_values(gradient, newton_schulz(gradient))

# %% [markdown]
# Two thirds of the 64 directions in the gradient of your first layer are over a hundred times weaker than the
# strongest, and three are zero: those pixels are never inked. Muon lifts nearly all directions that are not zero to the
# same height. Adam's signs lie in between.
#
# Only matrices can be orthogonalised, so biases go to AdamW: `partition` sends the leaves where a mask is True through
# one transform and the rest through another. Both sides train for ten epochs, each with the best of four peak rates for
# the training loss.


# %% name="muon-digits" tags=["demo"]
def ten_epochs(peak):
    return warmup_cosine(peak, 23, 10 * 23)


muon = mt.optim.partition(
    has_two_axes,
    chain(momentum(0.95, nesterov=True), orthogonalize(), scale_by_learning_rate(ten_epochs(0.05))),
    adamw(ten_epochs(0.01), weight_decay=0.0),
)
adam = chain(clip_by_global_norm(1.0), adamw(ten_epochs(0.06), weight_decay=0.0))
figures.race({name: fit(optimizer, count=10)[0] for name, optimizer in (("Adam", adam), ("Muon", muon))})

# %% [markdown]
# Muon ends a factor of four lower, and on the held-out digits the two do not differ by more than luck. If Adam had kept
# the usual starting rate of 0.01, the factor would have been sixty: a comparison is only as good as the tuning of its
# weaker side.
#
# Each of Muon's steps costs more: fifteen products of matrices. For a layer of 64 by 128 that is absurd; for one of
# 4,096 by 4,096 and a batch of a million tokens it is about 2 % of the work.
#
# ## 13. Stretch: a `jit` of your own
#
# `jax.jit(step)` runs your Python *once*, on stand-ins for arrays (JAX calls them *tracers*), which have a shape and a
# dtype but no numbers. Each operation on a stand-in is written down. The list of operations is the program; afterwards
# the program runs, and your Python does not. That is called **staging**, and you know half of it: notebook 02's tape
# was the same list.
#
# The stand-in is given: it is called `Slot`. `op` turns a function of `jax.numpy` into one that can be staged: if an
# argument is a `Slot`, the call is written down; otherwise it is computed.


# %% name="slots"
class Slot:
    """Stands for an array that has no numbers yet. `lines` is the program that is being written."""

    def __init__(self, lines, shape, dtype):
        self.lines, self.shape, self.dtype = lines, shape, dtype

    def __bool__(self):
        raise TypeError("A Slot has no value yet, so Python's `if` and `while` cannot look at it.")


class Line(NamedTuple):
    """One operation: `result` is to hold function(*args). Some args are Slots, the others are constants."""

    function: Callable
    args: tuple
    result: Slot


class Program(NamedTuple):
    """What a function does to arrays of certain shapes and dtypes. `output` is a Slot, or a constant."""

    inputs: list
    lines: list
    output: Any


def op(function):
    """`function`, which is written down where an argument is a Slot."""

    def call(*args):
        slots = [arg for arg in args if isinstance(arg, Slot)]
        return record(slots[0].lines, function, args) if slots else function(*args)

    return call


add, subtract, multiply, divide, matmul = map(op, (jnp.add, jnp.subtract, jnp.multiply, jnp.divide, jnp.matmul))
tanh, exp, total, greater, negative = map(op, (jnp.tanh, jnp.exp, jnp.sum, jnp.greater, jnp.negative))

for name, function in [("add", add), ("sub", subtract), ("mul", multiply), ("truediv", divide), ("matmul", matmul)]:
    setattr(Slot, f"__{name}__", lambda x, y, function=function: function(x, y))
    setattr(Slot, f"__r{name}__", lambda x, y, function=function: function(y, x))
Slot.__gt__, Slot.__neg__ = greater, negative


def listing(program):
    """A program in words."""
    names = {slot: f"in{i}" for i, slot in enumerate(program.inputs)}
    names |= {line.result: f"v{i}" for i, line in enumerate(program.lines)}
    rows = [
        f"{names[r]} {r.dtype}{list(r.shape)} = {f.__name__}({', '.join(names.get(a, repr(a)) for a in args)})"
        for f, args, r in program.lines
    ]
    return "\n".join([*rows, f"return {names.get(program.output, program.output)}"])


def layer(x, w, b):
    return tanh(x @ w + b) * 2.0 - 1.0


def arrays(rows, dtype=jnp.float32):
    keys = jax.random.split(jax.random.key(rows), 3)
    shapes = (rows, 3), (3, 4), (4,)
    return [(3 * jax.random.normal(key, shape)).astype(dtype) for key, shape in zip(keys, shapes, strict=True)]


# %% [markdown]
# ### Stretch exercise: record, trace, replay, jit
#
# `jax.eval_shape(function, *args)` gives the shape and dtype that a result would have, without computing it. It takes
# anything that has a `.shape` and a `.dtype`, so it takes Slots too. A `Slot` can be the key of a dict: each is equal
# only to itself.


# %% name="staged_jit" tags=["exercise", "stretch"]
def record(lines, function, args):
    """Write down `function(*args)` as one more Line; return the Slot of its result."""
    # BEGIN SOLUTION Stretch exercise: make a Slot of the shape and dtype that jax.eval_shape says, append a Line, return the Slot.
    array = jax.eval_shape(function, *args)
    result = Slot(lines, array.shape, array.dtype)
    lines.append(Line(function, args, result))
    return result
    # END SOLUTION


def trace(function, *args):
    """Run a Python function once on Slots like `args` (arrays); return the Program."""
    # BEGIN SOLUTION Stretch exercise: call the function on one Slot for each argument, all with the same new list of lines.
    lines = []
    inputs = [Slot(lines, arg.shape, arg.dtype) for arg in args]
    return Program(inputs, lines, function(*inputs))
    # END SOLUTION


def replay(program, *args):
    """What the traced function gives for the arrays `args`, without running its Python."""
    # BEGIN SOLUTION Stretch exercise: keep a dict from Slot to array; go through the lines; look the output up.
    values = dict(zip(program.inputs, args, strict=True))

    def value(x):
        return values[x] if isinstance(x, Slot) else x

    for line in program.lines:
        values[line.result] = line.function(*map(value, line.args))
    return value(program.output)
    # END SOLUTION


def staged_jit(function):
    """`function` of arrays, traced once for each combination of shapes and dtypes and replayed from then on."""
    # BEGIN SOLUTION Stretch exercise: keep the programs in a dict by the shapes and dtypes of the arguments.
    programs = {}

    def call(*args):
        key = tuple((arg.shape, arg.dtype) for arg in args)
        if key not in programs:
            programs[key] = trace(function, *args)
        return replay(programs[key], *args)

    return call
    # END SOLUTION


# %% name="staged_jit-check" tags=["check", "stretch"] exercise="staged_jit"
def python_runs(jit):
    """How often Python has run the function after each of six calls."""
    runs = []

    def counted(*args):
        runs.append(1)
        return layer(*args)

    compiled, counts = jit(counted), []
    for args in (arrays(2), arrays(2), arrays(5), arrays(2), arrays(2, jnp.int32), arrays(5)):
        compiled(*args)
        counts.append(len(runs))
    return counts


def baked_in(jit):
    """What becomes of a Python number that changes after the first call."""
    factor = [2.0]
    compiled = jit(lambda x: x * factor[0])
    before = compiled(jnp.array(3.0))
    factor[0] = 10.0
    return before, compiled(jnp.array(3.0)), compiled(jnp.array([3.0]))


check(
    "a trace is a list of operations",
    lambda: [(line.function.__name__, line.result.shape) for line in trace(layer, *arrays(2)).lines],
    [(name, (2, 4)) for name in ("matmul", "add", "tanh", "multiply", "subtract")],
)
check(
    "replay gives the function's value", lambda: replay(trace(layer, *arrays(2)), *arrays(2)), lambda: layer(*arrays(2))
)
check(
    "replay takes new arrays",
    lambda: replay(trace(layer, *arrays(2)), *(2 * a for a in arrays(2))),
    lambda: layer(*(2 * a for a in arrays(2))),
    mistakes={
        "The result is that of the arrays it was traced with. Replay looks each Slot up among the new ones.": (
            lambda: layer(*arrays(2))
        ),
    },
)
check("values like jax.jit", lambda: staged_jit(layer)(*arrays(5)), lambda: jax.jit(layer)(*arrays(5)))
check(
    "as many traces as jax.jit: one for each combination of shapes and dtypes",
    lambda: python_runs(staged_jit),
    lambda: python_runs(jax.jit),
    mistakes={
        "Python ran at every call. Keep the program, and look whether there is one before you trace.": [
            1,
            2,
            3,
            4,
            5,
            6,
        ],
        "Python ran only once, whatever the shapes. A program fits the shapes and dtypes it was traced with.": [1] * 6,
        "Another dtype is another program, as another shape is.": [1, 1, 2, 2, 2, 2],
        "The same shapes were traced again: keep all programs, and not only the last one.": [1, 1, 2, 3, 4, 5],
    },
)
check(
    "a Python number is baked in, like in jax.jit",
    lambda: baked_in(staged_jit),
    lambda: baked_in(jax.jit),
    mistakes={"The function ran again: after the first call only its program should.": lambda: (6.0, 30.0, [30.0])},
)
check(
    "an output that is an input, or no Slot at all",
    lambda: (staged_jit(lambda x, y: y)(*arrays(2)[:2]), staged_jit(lambda x: 5.0)(jnp.ones(2))),
    lambda: (arrays(2)[1], 5.0),
)

# %% name="staged-listing" tags=["demo"]
print(listing(trace(layer, *arrays(2))))
try:
    staged_jit(lambda x: x if x > 0 else -x)(jnp.array(1.0))
except TypeError as error:
    print("\nTypeError:", error)

# %% name="jaxpr" tags=["demo", "nbval-ignore-output"]
print(jax.make_jaxpr(layer)(*arrays(2)))

# %% [markdown]
# This is the same program as JAX sees it (JAX calls it a *jaxpr*). Now everything that puzzles people about `jax.jit`
# explains itself: `print` runs once; an `if` on a value is an error, since there is no value; a global is frozen as it
# was; another shape costs another trace. What your version lacks is the compiler: JAX gives the list to XLA, which
# fuses and schedules it. Notebook 05 measures what that is worth.
#
# ## In the wild
#
# | what you wrote | where it lives |
# |---|---|
# | `Transform`, `chain` | optax: `optax/_src/base.py`, `optax/transforms/_combining.py` |
# | momentum, Adam, weight decay | optax: `optax/transforms/_accumulation.py` (`trace`), `optax/_src/transform.py`, `optax/transforms/_adding.py`, and the names people know in `optax/_src/alias.py` |
# | the same with state inside objects | PyTorch: `torch/optim/sgd.py`, `torch/optim/adam.py`, `torch/optim/adamw.py` |
# | all of it on one page | HIPS autograd: `autograd/misc/optimizers.py`; JAX: `jax/example_libraries/optimizers.py` |
# | clipping | PyTorch: `torch/nn/utils/clip_grad.py`; optax: `optax/transforms/_clipping.py` |
# | warm-up and cosine | optax: `optax/schedules/_schedule.py`; PyTorch: `torch/optim/lr_scheduler.py`; karpathy/nanoGPT: `train.py` (`get_lr`) |
# | decay for matrices only | karpathy/nanoGPT: `model.py` (`configure_optimizers`) |
# | a permutation per epoch | PyTorch: `torch/utils/data/sampler.py` (`RandomSampler`, `BatchSampler`) |
# | Muon | KellerJordan/Muon: `muon.py`; optax: `optax/contrib/_muon.py`; PyTorch: `torch/optim/_muon.py` |
# | a staging `jit` | JAX: `jax/_src/interpreters/partial_eval.py` (`trace_to_jaxpr_dynamic`), `jax/_src/core.py` (`eval_jaxpr`), built up slowly in `docs/autodidax.ipynb`; PyTorch: `torch/fx/_symbolic_trace.py` |
#
# ## References
#
# - A. Cauchy, *Méthode générale pour la résolution des systèmes d'équations simultanées*, 1847.
# - H. Robbins, S. Monro, *A stochastic approximation method*, 1951.
# - B. Polyak, *Some methods of speeding up the convergence of iteration methods*, 1964.
# - Y. Nesterov, *A method of solving a convex programming problem with convergence rate O(1/k²)*, 1983.
# - J. Duchi, E. Hazan, Y. Singer, *Adaptive subgradient methods for online learning and stochastic optimization*,
#   2011.
# - T. Tieleman, G. Hinton, *Lecture 6.5: RMSProp*, Neural Networks for Machine Learning, 2012.
# - R. Pascanu, T. Mikolov, Y. Bengio, *On the difficulty of training recurrent neural networks*, 2013.
# - I. Sutskever, J. Martens, G. Dahl, G. Hinton, *On the importance of initialization and momentum in deep learning*,
#   2013.
# - I. Goodfellow, O. Vinyals, A. Saxe, *Qualitatively characterizing neural network optimization problems*, 2015.
# - D. Kingma, J. Ba, *Adam: a method for stochastic optimization*, 2015.
# - P. Goyal et al., *Accurate, large minibatch SGD: training ImageNet in 1 hour*, 2017.
# - I. Loshchilov, F. Hutter, *SGDR: stochastic gradient descent with warm restarts*, 2017; *Decoupled weight decay
#   regularization*, 2019.
# - S. Reddi, S. Kale, S. Kumar, *On the convergence of Adam and beyond*, 2018.
# - S. Hu et al., *MiniCPM: unveiling the potential of small language models with scalable training strategies*, 2024.
# - K. Jordan, *Muon: an optimizer for hidden layers in neural networks*, 2024.
