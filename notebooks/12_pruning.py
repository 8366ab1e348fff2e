# %% [markdown]
# # 12 Pruning and mixture of experts: who may rest?
#
# When a model has a million weights, does every token need every weight? No, in two senses. Most weights can go *for
# ever*: set nine in ten to zero, train for a moment longer, and a digit reader still reads 97 of 100 digits. That is
# **pruning**. And most weights can rest *for now*: take eight times as many weights, and let a small **router** choose
# which of them work for this token. That is a **mixture of experts**, and many of today's large language models are
# one. Both are a mask over weights. They differ in who chooses the mask, and when.
#
# **When you have finished you can**
#
# - prune by magnitude, within each layer and over all of them, and draw the curve that matters: sparsity against loss;
# - say which zeros make a model smaller and faster, and which only look like it: 2 of 4, and whole neurons;
# - write a router that chooses the top k experts, and say why it must not normalise if k = 1;
# - give each expert a fixed number of seats, so that the compiler knows all shapes;
# - watch a router collapse until a few experts do all the work, and repair it with one term of the loss;
# - show that a mixture beats a dense model that does the same work for a token.
#
# ```
#   application     a chat window, a digit reader
#   MLOps           runs, metrics, packages
#   hubs            weights that somebody trained ...           <- "8x7B", "A3B": you will know what the names mean
#   frameworks      ... with JAX, PyTorch, minitorch            <- you are here: masks and routers
#   clusters        experts on machines of their own
#   hardware        multiply, add                               <- and here: which zeros does it skip?
# ```
#
# Time: about 80 minutes. Before: notebook 04 (the training loop), 07 (transformers) and 08 (your language model).

# %% name="imports"
import dataclasses
import functools
import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import minitorch as mt
from minitorch_course import check, inputs, my_solution, report, setup, skip_if_unfinished

setup()


# %% name="to-try-on"
def grid(rows):
    """A mask from a drawing, for the checks: `grid("10 01")` is [[True, False], [False, True]]."""
    return np.array([[mark == "1" for mark in row] for row in rows.split()])


def without(weight, gone):
    """A mask like `weight` that is False at the flat places `gone`."""
    mask = np.ones(weight.size, bool)
    mask[np.asarray(gone, int)] = False
    return mask.reshape(weight.shape)


TWELVE = jnp.array([[0.9, -0.2, 0.05, -0.7], [-1.5, 0.4, -0.6, 0.1], [0.3, -0.8, 1.1, -1.2]])

# %% [markdown]
# ## 1. Which would you cut?
#
# Here is a reader of handwritten digits, as in notebook 04: 64 pixels, 128 neurons, 10 classes. It has 9,472 weights
# (biases aside), and the next cell trains it. (You can ignore `keep_zeros` for now.)

# %% name="digits" tags=["demo"]
from minitorch.compress import prune
from minitorch_course.figures import pruning as figures

cross_entropy = my_solution("cross_entropy", otherwise=mt.nn.cross_entropy)
scale_by_adam = my_solution("scale_by_adam", otherwise=mt.optim.scale_by_adam)
(train_x, train_y), (test_x, test_y) = mt.data.stratified_split(*mt.data.load_digits(), validation=0.2, seed=0)
train_x, train_y = jnp.asarray(train_x), jnp.asarray(train_y)
first = mt.models.MLP.init(jax.random.key(0), mt.models.MLPConfig(inputs=64, hidden=(128,), classes=10))


def digit_loss(model, x, y):
    return cross_entropy(model(x), y)


@jax.jit
def fit(model, masks):
    """The model after 400 steps; where the masks are False, its weights are zero all the time."""
    rate = mt.optim.warmup_cosine_decay_schedule(0.0, 0.01, 20, 400)
    optimizer = mt.optim.chain(scale_by_adam(), mt.optim.scale_by_learning_rate(rate), prune.keep_zeros(masks))

    def step(carry, i):
        model, state = carry
        rows = jax.random.randint(mt.data.step_key(0, i), (64,), 0, len(train_x))
        grads = mt.grad(digit_loss)(model, train_x[rows], train_y[rows])
        updates, state = optimizer.update(grads, state, model)
        return (mt.optim.apply_updates(model, updates), state), None

    model = prune.apply_masks(model, masks)
    (model, _), _ = jax.lax.scan(step, (model, optimizer.init(model)), jnp.arange(400))
    return model


@jax.jit
def held_out(model):
    """Loss and accuracy on digits that were not trained on."""
    logits = model(test_x)
    return cross_entropy(logits, test_y), mt.nn.accuracy(logits, test_y)


def weights(model):
    """The weights of the two layers by path; a weight of shape (inputs, outputs) multiplies from the right."""
    return {f"layers.{i}.weight": layer.weight for i, layer in enumerate(model.layers)}


trained = fit(first, {path: jnp.ones(w.shape, bool) for path, w in weights(first).items()})
print("it reads at least 96 % of the held-out digits:", float(held_out(trained)[1]) >= 0.96)
figures.spread(trained.layers[0].weight, [0.5, 0.8, 0.95])

# %% [markdown]
# Each bar counts the weights of the first layer that have about that value. Most are near zero, and a weight near zero
# adds almost nothing to its neuron's sum. So take the orange band away. The rule is called **magnitude pruning**: the
# smallest absolute values go first.
#
# It is a crude rule. What we want to know is how much the *loss* rises if a weight goes; Yann LeCun, John Denker and
# Sara Solla wrote down the answer in 1989, with the second derivative (*Optimal brain damage*). Magnitude needs neither
# gradients nor data. It works so well that it has been the rule to beat since Song Han and others pruned AlexNet to a
# ninth of its weights in 2015.
#
# Here is an example with numbers. From these twelve weights
#
# | | | | |
# |---|---|---|---|
# | 0.9 | **-0.2** | **0.05** | -0.7 |
# | -1.5 | 0.4 | -0.6 | **0.1** |
# | **0.3** | -0.8 | 1.1 | -1.2 |
#
# a sparsity of 1/3 removes four: the bold ones. The **mask** is True where a weight stays.
#
# ### Exercise 1: magnitude
#
# There are two traps. First, weights may tie, and a threshold cannot split a tie: all equal weights go, or all stay. So
# count: sort, and take exactly as many as were requested (`jnp.argsort` leaves equal ones in their order). Second, the
# number itself: 29 % of 100 is `0.29 * 100`, which is 28.999999999999996 in a computer. `round` turns it into 29, and
# `int` into 28.


# %% name="magnitude_mask" tags=["exercise"] forbids=["minitorch.compress.prune.magnitude"]
def magnitude_mask(weight, sparsity):
    """Which weights stay when the smallest go.

    Args:
      weight: an array of any shape.
      sparsity: the share of the weights that goes, from 0 up to below 1.

    Returns:
      An array of booleans of the same shape, True where a weight stays. False are exactly round(sparsity * weight.size)
      of them, those of smallest absolute value; of those that tie, the ones that come first.
    """
    # BEGIN SOLUTION Exercise 1: order the weights by size; the first round(sparsity * size) of them get False.
    order = jnp.argsort(jnp.abs(weight).ravel())
    gone = order[: round(sparsity * weight.size)]
    return jnp.ones(weight.size, bool).at[gone].set(False).reshape(weight.shape)
    # END SOLUTION


# %% name="magnitude_mask-check" tags=["check"] exercise="magnitude_mask"
check(
    "a third of twelve weights goes",
    lambda: magnitude_mask(TWELVE, 1 / 3),
    grid("1001 1110 0111"),
    mistakes={
        "The mask is the wrong way round: True is for the weights that stay.": grid("0110 0001 1000"),
        "The most negative weights went. Small means near zero: sort the absolute values.": grid("1110 0111 1010"),
        "The largest weights went. The ones near zero should.": grid("0111 0111 1100"),
        "So much stays as should go. Sparsity is the share that goes.": grid("1000 1000 0011"),
        "Each row lost its smallest. Here all weights of the array are sorted together.": grid("1101 1110 0111"),
        "These are the weights with zeros in them. Return the mask: True or False for each.": lambda: jnp.where(
            grid("1001 1110 0111"), TWELVE, 0
        ),
    },
)
check(
    "of three that tie, one goes",
    lambda: magnitude_mask(jnp.array([[1.0, -2.0, 4.0], [-2.0, 2.0, 3.0]]), 1 / 3),
    grid("001 111"),
    mistakes={
        "All that tie have stayed, so that too few are gone: a threshold cannot part them. Take the first few of the order.": grid(
            "011 111"
        ),
        "All that tie are gone, more than were requested: a threshold cannot part them. Take the first few of the order.": grid(
            "001 001"
        ),
        "Of those that tie, a later one went. jnp.argsort keeps equal ones in their order; take from its beginning.": grid(
            "011 101"
        ),
        "The mask is the wrong way round: True is for the weights that stay.": grid("110 000"),
    },
)
check(
    "29 % of 100 are 29",
    lambda: 100 - int(magnitude_mask(jnp.arange(1.0, 101.0), 0.29).sum()),
    29,
    mistakes={
        "28 went: 0.29 * 100 is a little less than 29, and int cuts the rest off. Use round.": 28,
        "The mask is the wrong way round: True is for the weights that stay.": 71,
        "So much stays as should go. Sparsity is the share that goes.": 71,
    },
)
check(
    "of nothing, nothing: sparsity 0",
    lambda: magnitude_mask(TWELVE, 0.0),
    np.ones((3, 4), bool),
    mistakes={
        "At sparsity 0 everything went: with no weight to take, an index of -1 is the last one.": np.zeros(
            (3, 4), bool
        ),
    },
)

# %% name="magnitude_mask-distinct" tags=["hidden-test"] exercise="magnitude_mask" points=2 hint="Sort by absolute value; the first round(sparsity * size) places get False."
drawn_weight, drawn_share = inputs.normal(3, 5), inputs.choice([0.2, 0.4])
by_size = np.argsort(np.abs(np.asarray(drawn_weight)).ravel())
how_many = round(drawn_share * 15)
report(
    magnitude_mask(drawn_weight, drawn_share),
    mistakes={
        "The mask is the wrong way round: True is for the weights that stay.": lambda: (
            ~without(drawn_weight, by_size[:how_many])
        ),
        "The most negative weights went. Small means near zero: sort the absolute values.": lambda: without(
            drawn_weight, np.argsort(np.asarray(drawn_weight).ravel())[:how_many]
        ),
        "The largest weights went. The ones near zero should.": lambda: without(drawn_weight, by_size[-how_many:]),
        "So much stays as should go. Sparsity is the share that goes.": lambda: without(
            drawn_weight, by_size[: 15 - how_many]
        ),
    },
)

# %% name="magnitude_mask-exact" tags=["hidden-test"] exercise="magnitude_mask" points=2 hint="Exactly round(sparsity * size) go, also where weights tie: take the first few of jnp.argsort."
sizes_drawn = np.array([1, 1, 2, 2, 2, 2, 2, 3, 3, 4])[np.asarray(inputs.permutation(10))]
tied = jnp.asarray(sizes_drawn * np.where(np.asarray(inputs.uniform(10)) < 0.5, -1.0, 1.0), jnp.float32).reshape(2, 5)
report(
    magnitude_mask(tied, 0.4),
    mistakes={
        "All that tie have stayed, so that too few are gone: a threshold cannot part them. Take the first few of the order.": lambda: (
            np.abs(tied) >= 2
        ),
        "All that tie are gone, more than were requested: a threshold cannot part them. Take the first few of the order.": lambda: (
            np.abs(tied) > 2
        ),
        "The mask is the wrong way round: True is for the weights that stay.": lambda: (
            ~without(tied, np.argsort(sizes_drawn, kind="stable")[:4])
        ),
    },
)
hundred = inputs.normal(10, 10)
report(
    magnitude_mask(hundred, 0.29),
    mistakes={
        "28 went: 0.29 * 100 is a little less than 29, and int cuts the rest off. Use round.": lambda: without(
            hundred, np.argsort(np.abs(np.asarray(hundred)).ravel())[:28]
        ),
    },
)

# %% [markdown]
# ## 2. One threshold for all
#
# A network has layers, and their weights have different sizes. Should each layer lose the same share (**per layer**),
# or should the weights of all layers compete (**global**)? If a layer's weights are all small, perhaps it does little,
# and most of it can go. Or perhaps it does a lot with small numbers. The demo below will measure it.
#
# Ties do not matter among millions of different floats, so a threshold is good enough here. Sort the sizes of all
# layers together. The threshold is the smallest size that stays, and every weight that is at least as large stays.
#
# Predict for these two layers: if 40 % of the weights go (four of ten), how many does each layer lose?
#
# | first | | | second | | |
# |---|---|---|---|---|---|
# | 0.1 | -0.2 | | -1 | 2 | 3 |
# | 0.3 | 0.9 | | 4 | -5 | 0.25 |
#
# ### Exercise 2: global


# %% name="global_masks" tags=["exercise"] forbids=["minitorch.compress.prune.magnitude"]
def global_masks(weights, sparsity):
    """Which weights of several layers stay when the smallest of all go.

    Args:
      weights: a dict from paths to arrays, whose numbers have different sizes.
      sparsity: the share of all their numbers together that goes, from 0 up to below 1.

    Returns:
      A dict from the same paths to arrays of booleans, True where a weight stays.
    """
    # BEGIN SOLUTION Exercise 2: sort the sizes of all weights together; the threshold is the first that stays.
    sizes = jnp.sort(jnp.concatenate([jnp.abs(weight).ravel() for weight in weights.values()]))
    threshold = sizes[round(sparsity * sizes.size)]
    return {path: jnp.abs(weight) >= threshold for path, weight in weights.items()}
    # END SOLUTION


# %% name="global_masks-check" tags=["check"] exercise="global_masks"
two_layers = {
    "first": jnp.array([[0.1, -0.2], [0.3, 0.9]]),
    "second": jnp.array([[-1.0, 2.0, 3.0], [4.0, -5.0, 0.25]]),
}
check(
    "the quiet layer loses three of four",
    lambda: global_masks(two_layers, 0.4),
    {"first": grid("00 01"), "second": grid("111 110")},
    mistakes={
        "Each layer lost its own share. Sort all of them together: there is one threshold.": {
            "first": grid("00 11"),
            "second": grid("011 110"),
        },
        "One too many is gone: the weight at the threshold stays (>=).": {
            "first": grid("00 00"),
            "second": grid("111 110"),
        },
        "The sign counts as size here: take absolute values, for the threshold and for the comparison.": {
            "first": grid("00 11"),
            "second": grid("011 101"),
        },
        "The masks are the wrong way round: True is for the weights that stay.": {
            "first": grid("11 10"),
            "second": grid("000 001"),
        },
        "So much stays as should go. The threshold stands behind the share that goes.": {
            "first": grid("00 00"),
            "second": grid("011 110"),
        },
    },
)
check("sparsity 0 leaves all", lambda: global_masks(two_layers, 0.0), lambda: {k: np.ones(w.shape, bool) for k, w in two_layers.items()})  # fmt: skip

# %% name="global_masks-compete" tags=["hidden-test"] exercise="global_masks" points=4 hint="Sort the absolute values of all layers in one array; the threshold is the one at round(sparsity * size), and it stays."
quiet_and_loud = {"a": 0.2 * inputs.normal(4, 5), "b": inputs.normal(3), "c": 4.0 * inputs.normal(5, 3)}
share_to_go = inputs.choice([0.25, 0.35])


def by_threshold(threshold, size=np.abs, larger=np.greater_equal):
    return {path: larger(size(np.asarray(w)), threshold) for path, w in quiet_and_loud.items()}


every_one = np.concatenate([np.asarray(w).ravel() for w in quiet_and_loud.values()])
at_place = round(share_to_go * every_one.size)
limit = np.sort(np.abs(every_one))[at_place]
report(
    global_masks(quiet_and_loud, share_to_go),
    mistakes={
        "Each layer lost its own share. Sort all of them together: there is one threshold.": lambda: {
            path: np.abs(w) >= np.sort(np.abs(np.asarray(w)).ravel())[round(share_to_go * w.size)]
            for path, w in quiet_and_loud.items()
        },
        "One too many is gone: the weight at the threshold stays (>=).": lambda: by_threshold(limit, larger=np.greater),
        "The sign counts as size here: take absolute values, for the threshold and for the comparison.": lambda: (
            by_threshold(np.sort(every_one)[at_place], size=np.asarray)
        ),
        "The masks are the wrong way round: True is for the weights that stay.": lambda: by_threshold(
            limit, larger=np.less
        ),
        "So much stays as should go. The threshold stands behind the share that goes.": lambda: by_threshold(
            np.sort(np.abs(every_one))[round((1 - share_to_go) * every_one.size)]
        ),
    },
)

# %% [markdown]
# ## 3. Sparsity against loss
#
# Now let's measure. We take one digit network, and make it sparse in four ways. All masks except the first are yours.
#
# - **at random**: any weights;
# - **per layer**: the smallest of each layer, `magnitude_mask`;
# - **global**: the smallest of all, `global_masks`;
# - **global, then trained on**: 400 more steps, in which the zeros stay zero (with `keep_zeros`: the gradient at a
#   pruned weight is seldom zero, and without this lock the first step would bring the weight back).
#
# Predict before you run: at which sparsity does each curve leave the line of the whole model? And which of the two in
# the middle is better?

# %% name="sparsity-against-loss" tags=["demo", "nbval-ignore-output"]
SPARSITIES = [0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98]


def random_masks(weights, sparsity):
    """Masks of that sparsity, by lot."""
    keys = dict(zip(weights, jax.random.split(jax.random.key(1), len(weights))))
    return {path: jax.random.uniform(keys[path], w.shape) >= sparsity for path, w in weights.items()}


def layer_masks(weights, sparsity):
    return {path: magnitude_mask(w, sparsity) for path, w in weights.items()}


def pruned(masks_of):
    """The held-out loss at every sparsity."""
    return [float(held_out(prune.apply_masks(trained, masks_of(weights(trained), s)))[0]) for s in SPARSITIES]


def retrained(sparsity):
    """The network without its smallest weights, trained on for as long as at first."""
    return fit(trained, global_masks(weights(trained), sparsity))


with skip_if_unfinished():
    again = [retrained(s) for s in SPARSITIES]
    figures.against_sparsity(
        SPARSITIES,
        {
            "at random": pruned(random_masks),
            "per layer": pruned(layer_masks),
            "global": pruned(global_masks),
            "global, then trained on": [float(held_out(model)[0]) for model in again],
        },
        "held-out loss (nats a digit)",
        float(held_out(trained)[0]),
    )
    for s, model in zip(SPARSITIES, again):
        cut = prune.apply_masks(trained, global_masks(weights(trained), s))
        before, after = (100 * float(held_out(m)[1]) for m in (cut, model))
        print(f"{100 * s:3.0f} % gone: reads {before:5.1f} % of the digits, and {after:5.1f} % after training on")

# %% name="ninety-percent" tags=["demo"]
with skip_if_unfinished():
    small = again[SPARSITIES.index(0.9)]
    zeros = sum(int((w == 0).sum()) for w in weights(small).values())
    print(f"{zeros:,} of {sum(w.size for w in weights(small).values()):,} weights are zero")
    print("with a tenth of its weights it reads at least 95 %:", float(held_out(small)[1]) >= 0.95)

# %% [markdown]
# At half sparsity the network that lost weights at random is ruined: its loss is more than ten times that of the whole.
# The network pruned by size reads nearly as well as before, and falls apart between 80 and 90 %. The curves for per
# layer and global lie on each other, since the weights of the two layers are about equally large. And after more
# training, the network reads 97 of 100 digits with a tenth of its weights. (It is even gentler to prune a little at a
# time during training: Michael Zhu and Suyog Gupta, 2017; `prune.gradual` in minitorch.) Up to 80 % this network is
# even a bit *better* than the whole one. But that says nothing about sparsity: it has been trained twice as long.
#
# ### Winning tickets
#
# Why train a big network at all, if a tenth of it is enough? Everybody thought that a small network that starts from
# scratch cannot become as good. In 2018 Jonathan Frankle and Michael Carbin tried it again, and changed one thing: they
# gave the sparse network the *same first weights* that its connections had before training. It learned as fast as the
# whole network, or faster. They called the surviving connections a *winning ticket* of the lottery of first weights.
# (In large networks you need the weights from a little later in training; Frankle and others, 2019.)

# %% name="tickets" tags=["demo", "nbval-ignore-output"]
with skip_if_unfinished():
    other_first = mt.models.MLP.init(jax.random.key(9), first.config)
    print("gone    the ticket    its mask, other weights    other mask, its weights")
    for s in (0.9, 0.95, 0.97):
        ticket, lot = global_masks(weights(trained), s), random_masks(weights(trained), s)
        scores = [held_out(fit(*start)) for start in ((first, ticket), (other_first, ticket), (first, lot))]
        print(
            f"{100 * s:3.0f} %"
            + "".join(f"   {100 * float(accuracy):5.1f} % {float(loss):6.2f} nats" for loss, accuracy in scores)
        )

# %% [markdown]
# In each row the ticket reads best. The same mask with other first weights is worse, and the same first weights with
# another mask are worst: at 95 % sparsity the ticket reads about 92 of 100 digits, and the last one about 67. So what
# makes a sparse network hard to train is not how few weights it has, but which ones.
#
# ## 4. Zeros that a machine can use
#
# Nine in ten weights are zero. Is the network ten times as fast? Not at all: it is as fast as before. A zero takes four
# bytes, like any number, and the machine multiplies by it. To leave zeros out, you must store where the other weights
# are. If each remaining weight of four bytes needs a column number of two bytes, the array takes 6/4 times the share
# that stays: three quarters of the bytes at half sparsity, 15 % at 90 % sparsity. And on most machines, a product that
# jumps around in memory is slower than one that runs straight through, until very few weights are left. So if you want
# speed, give the zeros a pattern.
#
# | pattern | who chooses | what it buys |
# |---|---|---|
# | any weights | freely | bytes on disk, above half |
# | **n of m**: 2 in every 4 neighbours stay | among neighbours | NVIDIA's sparse tensor cores (since 2020) skip the zeros: up to twice the speed in products |
# | whole **neurons**, heads, layers | in large pieces | a smaller dense network, faster everywhere |

# %% name="patterns" tags=["demo"]
figures.patterns(jax.random.normal(jax.random.key(3), (8, 8)))

# %% [markdown]
# Each of the three has half of its 64 squares. The freer the choice, the less accuracy we lose, and the less speed the
# machine gains.
#
# ### Exercise 3: n of m
#
# A weight of shape (inputs, outputs) multiplies from the right, so the numbers that are summed up for one output are in
# one column. The m neighbours are m inputs, one below the other: rows 0 to m - 1, then m to 2 m - 1, and so on.
# `reshape` gives them an axis of their own.
#
# To know whether a number is among the n largest of its group you need its **rank**. `argsort` does not return the
# rank: it says which position comes first, second, third. Sort *that*, and you have the rank:
#
# | | | | | |
# |---|---|---|---|---|
# | sizes | 0.1 | 0.8 | 0.3 | 0.5 |
# | argsort | 0 | 2 | 3 | 1 |
# | argsort of argsort | 0 | 3 | 1 | 2 |


# %% name="n_of_m" tags=["exercise"] forbids=["minitorch.compress.prune.n_of_m"]
def n_of_m(weight, n, m):
    """Which weights stay when of every m neighbouring inputs of an output the n largest do.

    Args:
      weight: an array (inputs, outputs); m divides the inputs.
      n, m: whole numbers, n < m.

    Returns:
      An array of booleans (inputs, outputs); of those that tie, the ones that come first go.
    """
    # BEGIN SOLUTION Exercise 3: reshape to (groups, m, outputs), rank along the middle axis, keep the ranks from m - n on.
    groups = jnp.abs(weight).reshape(-1, m, weight.shape[1])
    rank = jnp.argsort(jnp.argsort(groups, axis=1), axis=1)
    return (rank >= m - n).reshape(weight.shape)
    # END SOLUTION


# %% name="n_of_m-check" tags=["check"] exercise="n_of_m"
SIXTEEN = jnp.array([[0.1, -0.9, 0.5, 0.3], [-0.8, 0.2, 0.7, -0.6], [0.3, 0.4, -0.2, 0.1], [-0.5, -0.3, 0.6, 1.0]])
check(
    "2 of 4, in each column",
    lambda: n_of_m(SIXTEEN, 2, 4),
    grid("0100 1011 0100 1011"),
    mistakes={
        "The groups run along the outputs (the rows). What is summed up for one output is a column.": grid(
            "0110 1010 1100 0011"
        ),
        "argsort gives the order, not the rank. Sort once more: argsort of argsort.": grid("0011 1100 1110 0001"),
        "The smallest of each group have stayed.": grid("1011 0100 1011 0100"),
        "The sign counts as size here: take absolute values.": grid("1001 0110 1100 0011"),
    },
)
check(
    "groups are neighbours: inputs 0 to 3, then 4 to 7",
    lambda: n_of_m(jnp.array([[8.0, -1], [7, 2], [6, -3], [5, 4], [4, 5], [3, -6], [2, 7], [1, -8]]), 2, 4),
    grid("10 10 01 01 10 10 01 01"),
    mistakes={
        "These groups are not neighbours: reshape to (groups, m, outputs), with the groups first.": grid(
            "10 10 10 10 01 01 01 01"
        ),
        "argsort gives the order, not the rank. Sort once more: argsort of argsort.": grid("01 01 11 11 01 01 10 10"),
    },
)
check(
    "1 of 4",
    lambda: n_of_m(jnp.array([[8.0, -1], [7, 2], [6, -3], [5, 4]]), 1, 4),
    grid("10 00 00 01"),
    mistakes={
        "m - n stay, and should go: the ranks from m - n on are the n largest.": grid("10 11 11 01"),
    },
)

# %% name="n_of_m-two-of-four" tags=["hidden-test"] exercise="n_of_m" points=3 hint="Group along the inputs: reshape to (groups, m, outputs); the rank is argsort of argsort along the middle axis."
eight = inputs.normal(8, 4)


def ranked(sizes, axis, keep=lambda rank: rank >= 2):
    return np.asarray(keep(np.argsort(np.argsort(np.asarray(sizes), axis=axis), axis=axis))).reshape(8, 4)


report(
    n_of_m(eight, 2, 4),
    mistakes={
        "The groups run along the outputs (the rows). What is summed up for one output is a column.": lambda: ranked(
            jnp.abs(eight), 1
        ),
        "argsort gives the order, not the rank. Sort once more: argsort of argsort.": lambda: (
            np.argsort(np.abs(eight).reshape(2, 4, 4), axis=1).reshape(8, 4) >= 2
        ),
        "The smallest of each group have stayed.": lambda: ranked(
            jnp.abs(eight).reshape(2, 4, 4), 1, lambda rank: rank < 2
        ),
        "The sign counts as size here: take absolute values.": lambda: ranked(eight.reshape(2, 4, 4), 1),
        "These groups are not neighbours: reshape to (groups, m, outputs), with the groups first.": lambda: ranked(
            jnp.abs(eight).reshape(4, 2, 4), 0
        ),
    },
)

# %% name="n_of_m-one-of-three" tags=["hidden-test"] exercise="n_of_m" points=1 hint="Of m ranks, those from m - n on are the n largest."
six = inputs.normal(6, 5)
report(
    n_of_m(six, 1, 3),
    mistakes={
        "m - n stay, and should go: the ranks from m - n on are the n largest.": lambda: (
            np.argsort(np.argsort(np.abs(six).reshape(2, 3, 5), axis=1), axis=1).reshape(6, 5) >= 1
        ),
    },
)

# %% [markdown]
# ### Which neuron is needed?
#
# A neuron of a feed-forward layer has a column of incoming weights, a bias, and a row of outgoing weights:
# $y = \mathrm{bend}(x U + b)\, W$, where bend is the activation function. Remove all three, and the network computes
# the same as if the neuron's output were 0. (The digit network is such a layer too.)
#
# Which neuron should go? Put a factor $m$ in front of neuron $i$'s output, like a volume knob that is set to 1. Then
# compute $\partial L / \partial m$: how fast would the loss change if you turned the knob? The factor multiplies the
# row $W_{i:}$, so by the chain rule
#
# $$ \text{importance}_i \;=\; \Bigl|\, \sum_j W_{ij} \, \frac{\partial L}{\partial W_{ij}} \Bigr| $$
#
# One gradient gives it for all neurons. Sum first, then the absolute value: if the effects of two outgoing weights
# cancel, nobody misses the neuron. (Pavlo Molchanov and others, 2016; for attention heads Paul Michel and others,
# 2019.)
#
# For example, the row (2, -2) with the gradients (-0.4, 0.3) has the importance $|-0.8 - 0.6| = 1.4$.
#
# ### Exercise 4: cut neurons


# %% name="cut_neurons" tags=["exercise"] forbids=["minitorch.compress.structured_prune.top_scores", "minitorch.compress.structured_prune.keep_neurons"]
def cut_neurons(up, bias, down, gradient, share):
    """A feed-forward layer without the least important share of its F neurons.

    Args:
      up: what comes in, an array (inputs, F).
      bias: an array (F,).
      down: what goes out, an array (F, outputs).
      gradient: of the loss with respect to `down`, an array (F, outputs).
      share: how many of the neurons go: round(share * F), but one always stays.

    Returns:
      up, bias and down of the neurons that stay, in the order in which they stood.
    """
    # BEGIN SOLUTION Exercise 4: importance; how many go; the places that stay, in order; and up, bias and down there.
    effects = down * gradient
    importance = jnp.abs(effects.sum(axis=1))  # mutant-ok: a mean has the same order
    gone = min(round(share * len(importance)), len(importance) - 1)
    keep = jnp.sort(jnp.argsort(importance)[gone:])
    return up[:, keep], bias[keep], down[keep]
    # END SOLUTION


# %% name="cut_neurons-check" tags=["check"] exercise="cut_neurons"
UP = jnp.array([[1.0, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])
BIAS = jnp.array([0.1, 0.2, 0.3, 0.4])
DOWN = jnp.array([[2.0, -2], [3, 2], [-4, -3], [1, -2]])
GRADIENT = jnp.array([[-0.4, 0.3], [-0.4, 0.2], [-0.1, -0.2], [-0.4, -0.4]])  # Importances: 1.4, 0.8, 1.0, 0.4


def staying(*places):
    """UP, BIAS and DOWN of some neurons, for the checks."""
    keep = np.array(places)
    return UP[:, keep], BIAS[keep], DOWN[keep]


check(
    "the half that matters least goes",
    lambda: cut_neurons(UP, BIAS, DOWN, GRADIENT, 0.5),
    lambda: staying(0, 2),
    mistakes={
        "The most important neurons went.": lambda: staying(1, 3),
        "An importance of -1.4 counts as little here: take the absolute value of the sum.": lambda: staying(2, 3),
        "The absolute value stands inside of the sum. Sum first: effects that cancel do not matter.": lambda: staying(
            0, 1
        ),
        "The size of the outgoing weights decides here. Multiply them by the gradient.": lambda: staying(1, 2),
        "The gradient alone decides here. Multiply it by the weights.": lambda: staying(0, 3),
        "These are the right neurons in the order of their importance. Sort the places: they stay in order.": lambda: (
            staying(2, 0)
        ),
        "Only `down` has become smaller. Whoever is cut out loses its column of `up` and its bias too.": lambda: (
            UP,
            BIAS,
            staying(0, 2)[2],
        ),
    },
)
check(
    "a quarter goes",
    lambda: cut_neurons(UP, BIAS, DOWN, GRADIENT, 0.25),
    lambda: staying(0, 1, 2),
    mistakes={
        "These are the right neurons in the order of their importance. Sort the places: they stay in order.": lambda: (
            staying(1, 2, 0)
        ),
        "So much stays as should go.": lambda: staying(0),
    },
)
check(
    "one always stays",
    lambda: cut_neurons(UP, BIAS, DOWN, GRADIENT, 0.99),
    lambda: staying(0),
    mistakes={
        "No neuron is left: at most all but one may go.": lambda: tuple(
            jnp.zeros(shape) for shape in ((3, 0), (0,), (0, 2))
        ),
    },
)

# %% name="cut_neurons-cut" tags=["hidden-test"] exercise="cut_neurons" points=3 hint="The importance is the absolute value of the sum of down * gradient over the outputs; cut columns of up, and rows of down."
drawn_up, drawn_bias, turn = inputs.normal(3, 4), inputs.normal(4), inputs.choice([0, 1])
drawn_down = jnp.roll(jnp.array([[2.0, -2], [3, 2], [-4, -3], [1, -2]]), turn, 0) * inputs.uniform(
    4, 2, low=1.0, high=1.02
)
drawn_gradient = jnp.roll(jnp.array([[-0.4, 0.3], [-0.4, 0.2], [-0.1, -0.2], [-0.4, -0.4]]), turn, 0)


def left_of(importance, places=np.sort):
    keep = places(np.argsort(np.asarray(importance))[2:])
    return drawn_up[:, keep], drawn_bias[keep], drawn_down[keep]


effects = drawn_down * drawn_gradient
report(
    cut_neurons(drawn_up, drawn_bias, drawn_down, drawn_gradient, 0.5),
    mistakes={
        "The most important neurons went.": lambda: left_of(-abs(effects.sum(1))),
        "An importance of -1.4 counts as little here: take the absolute value of the sum.": lambda: left_of(
            effects.sum(1)
        ),
        "The absolute value stands inside of the sum. Sum first: effects that cancel do not matter.": lambda: left_of(
            abs(effects).sum(1)
        ),
        "The size of the outgoing weights decides here. Multiply them by the gradient.": lambda: left_of(
            abs(drawn_down).sum(1)
        ),
        "The gradient alone decides here. Multiply it by the weights.": lambda: left_of(abs(drawn_gradient).sum(1)),
        "These are the right neurons in the order of their importance. Sort the places: they stay in order.": lambda: (
            left_of(abs(effects.sum(1)), np.asarray)
        ),
        "Only `down` has become smaller. Whoever is cut out loses its column of `up` and its bias too.": lambda: (
            drawn_up,
            drawn_bias,
            left_of(abs(effects.sum(1)))[2],
        ),
    },
)

# %% name="cut_neurons-one-stays" tags=["hidden-test"] exercise="cut_neurons" points=1 hint="At most all but one may go."
drawn_down, drawn_gradient = inputs.normal(3, 2), inputs.normal(3, 2)
report(
    cut_neurons(inputs.normal(4, 3), inputs.normal(3), drawn_down, drawn_gradient, inputs.choice([0.9, 0.95])),
    mistakes={
        "No neuron is left: at most all but one may go.": lambda: tuple(
            jnp.zeros(shape) for shape in ((4, 0), (0,), (0, 2))
        ),
    },
)

# %% [markdown]
# Let's test the formula: cut the digit network's 128 neurons by importance, by the size of their outgoing weights, and
# by lot (at random). The network is not trained afterwards. The fourth curve computes the gradient for each digit
# separately, and takes the mean of the absolute values. Predict before you run: which of the four is best, and which is
# worst?

# %% name="neurons" tags=["demo", "nbval-ignore-output"]
from minitorch.nn import Linear

CUTS = [0.25, 0.5, 0.625, 0.75, 0.875]


def smaller(model, gradient, share):
    """A digit network without the least important share of its neurons."""
    first_layer, last = model.layers
    up, bias, down = cut_neurons(first_layer.weight, first_layer.bias, last.weight, gradient, share)
    return dataclasses.replace(model, layers=[Linear(up, bias), Linear(down, last.bias)])


def last_gradient(x, y):
    """The gradient of the loss of some digits with respect to the outgoing weights (128, 10)."""
    return jax.grad(digit_loss)(trained, x, y).layers[1].weight


with skip_if_unfinished():
    down = trained.layers[1].weight
    each = jax.jit(jax.vmap(lambda x, y: last_gradient(x[None], y[None])))(train_x[:512], train_y[:512])
    one_by_one = jnp.abs((down * each).sum(axis=2)).mean(axis=0)  # (128,)
    rules = {  # `cut_neurons` multiplies by `down` and sums: so a score is handed over divided by it.
        "by lot": jax.random.uniform(jax.random.key(2), (128, 1)) / down,
        "by the size of outgoing weights": jnp.sign(down),
        "by importance": last_gradient(train_x, train_y),
        "by importance, digit by digit": one_by_one[:, None] / down,
    }
    figures.against_sparsity(
        CUTS,
        {name: [float(held_out(smaller(trained, g, s))[0]) for s in CUTS] for name, g in rules.items()},
        "held-out loss (nats a digit)",
        float(held_out(trained)[0]),
        "neurons that are gone (%)",
    )

# %% name="neurons-counted" tags=["demo"]
with skip_if_unfinished():
    half = smaller(trained, jnp.sign(down), 0.5)
    for name, model in (("whole", trained), ("without half of its neurons", half)):
        shapes = [layer.weight.shape for layer in model.layers]
        print(
            f"{name}: {shapes}, {mt.nn.paths.count(model):,} numbers, {sum(a * b for a, b in shapes):,} products a digit"
        )

# %% [markdown]
# Importance comes last, even behind random choice. This is not a bug in your code; it is a lesson about derivatives.
# The network is at a minimum: the gradient over its training digits is nearly zero, and the little that is left comes
# from a few digits that disagree. A *first* derivative measures a slope where there is none, and that is why LeCun used
# the second. Michel and others take the absolute value for each digit before they average, so that digits that pull in
# opposite directions do not cancel. This is the fourth curve, and it is better than random choice until three in four
# neurons are gone. And plain size still wins here. A rule that costs nothing is the one to beat: measure before you
# believe a formula.
#
# With every rule, half of the neurons means half of the numbers and half of the products, in dense arrays that every
# machine likes.
#
# ## 5. A language model
#
# Now the same with text. We use the model that you trained in notebook 08, if its run is next to this notebook in
# `runs/08`; otherwise we train a small Llama here, in some seconds. We prune its blocks, but not its embedding.


# %% name="language" tags=["demo"]
def windows_of(tokenizer, text, context, count=256):
    """Held-out pieces of text: what goes in and what should come out, (1, count, context) each."""
    ids = mt.data.token_array(tokenizer.encode(text), tokenizer.vocab_size)
    return mt.data.evaluation_windows(ids[: count * context + 1], count, context)[:2]


@jax.jit
def perplexity(model, pieces):
    """exp of the mean loss of a token."""
    return jnp.exp(jax.lax.map(lambda batch: cross_entropy(model(batch[0]), batch[1]), pieces).mean())


@functools.partial(jax.jit, static_argnames="steps")
def taught(model, ids, steps=300):
    """The model after some steps on a text."""
    optimizer = mt.optim.chain(
        mt.optim.clip_by_global_norm(1.0),
        scale_by_adam(),
        mt.optim.scale_by_learning_rate(mt.optim.warmup_cosine_decay_schedule(0.0, 0.01, 25, steps)),
    )

    def step(carry, i):
        model, state = carry
        inputs, targets = mt.data.sample_batch(mt.data.step_key(0, i), ids, 16, model.config.context)
        grads = mt.grad(lambda model: cross_entropy(model(inputs), targets))(model)
        updates, state = optimizer.update(grads, state, model)
        return (mt.optim.apply_updates(model, updates), state), None

    (model, _), _ = jax.lax.scan(step, (model, optimizer.init(model)), jnp.arange(steps))
    return model


def small_llama():
    """A model and held-out pieces of its text: the docstrings of Python's library."""
    train_part, held_out_part = mt.data.split(mt.data.load_text("stdlib-docstrings", limit=400_000))
    tokenizer = mt.text.train_tokenizer("bpe:512", train_part.text)
    sizes = dict(vocab=512, context=32, layers=2, heads=4, width=64, feedforward=64, tied=True)
    model = mt.models.Llama.init(jax.random.key(0), mt.models.LlamaConfig(**sizes))
    # The library's first weights are as small as suits a width of 768, where sums are longer.
    model = jax.tree.map(lambda w: w * math.sqrt(768 / 64) if w.ndim == 2 else w, model)
    ids = mt.data.token_array(tokenizer.encode(train_part.text), 512)
    return taught(model, ids), windows_of(tokenizer, held_out_part.text, 32)


@functools.cache
def language_model():
    """A trained language model, held-out pieces of its text, and where it is from."""
    if not Path("runs/08/config.json").is_file():
        return *small_llama(), "trained just now"
    run, settings = mt.train.load_run("runs/08"), mt.train.read_record("runs/08").config
    text = mt.data.split(mt.data.load_text(settings.data, limit=settings.limit))[1].text
    return run.model, windows_of(run.tokenizer, text[:100_000], settings.context), "of notebook 08"


# %% name="language-pruned" tags=["demo", "nbval-ignore-output"]
LANGUAGE_SPARSITIES = [0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]


def perplexity_without(masks_of):
    """The perplexity of the language model with these masks on the weights of its blocks."""
    model, texts, _ = language_model()
    return float(perplexity(prune.apply_masks(model, masks_of(prune.linear_weights(model, "blocks.*"))), texts))


with skip_if_unfinished():
    model, texts, when = language_model()
    print(f"a model {when}: {mt.nn.paths.count(model):,} numbers")
    two_of_four = perplexity_without(lambda layers: {path: n_of_m(w, 2, 4) for path, w in layers.items()})
    figures.against_sparsity(
        LANGUAGE_SPARSITIES,
        {
            name: [perplexity_without(lambda layers, s=s: masks_of(layers, s)) for s in LANGUAGE_SPARSITIES]
            for name, masks_of in (("global", global_masks), ("per layer", layer_masks))
        }
        | {"2 of 4": [two_of_four if s == 0.5 else math.nan for s in LANGUAGE_SPARSITIES]},
        "perplexity on held-out text",
        float(perplexity(model, texts)),
    )

# %% [markdown]
# With the model of notebook 08 we saw a perplexity of 44 for the whole model, of 45 with half of the blocks' weights
# gone, and of about 50 with 80 % gone. Up to there per layer was better, and beyond it global: neither rule is always
# right. And 2 of 4 costs a little more than a free choice of half. One caution: this model was trained for a few
# minutes, and much of what it knows is in its embedding, which we did not prune. A model that was trained longer will
# probably get worse at a lower sparsity.

# %% [markdown]
# ## 6. Rest for now
#
# A pruned weight is gone for every text. Now the other idea: *more* weights than before, but each token uses only a few
# of them. In a transformer, two thirds of the weights are in the feed-forward layers. Put several such layers side by
# side, the **experts**, and in front of them a **router**: one matrix (width, experts) that gives each token a score
# for each expert. The few experts with the best scores answer. Robert Jacobs, Michael Jordan, Steven Nowlan and
# Geoffrey Hinton had the idea in 1991; Noam Shazeer and others made it large in 2017.
#
# Here are four words and four experts; the thicker the line, the more the answer counts. (The numbers are made up.)
# With top 1, and with top 2:

# %% name="routed" tags=["demo"]
from minitorch_course.figures import experts as pictures

WORDS = ["the", "cat", "sat", "on"]
SCORES = jnp.log(
    jnp.array([[0.5, 0.3, 0.15, 0.05], [0.1, 0.2, 0.3, 0.4], [0.25, 0.05, 0.6, 0.1], [0.05, 0.15, 0.1, 0.7]])
)
pictures.routed(
    WORDS,
    {
        "top 1: gates as probable as the expert": [[0.5, 0, 0, 0], [0, 0, 0, 0.4], [0, 0, 0.6, 0], [0, 0, 0, 0.7]],
        "top 2: gates that sum to 1": [
            [0.5 / 0.8, 0.3 / 0.8, 0, 0],
            [0, 0, 0.3 / 0.7, 0.4 / 0.7],
            [0.25 / 0.85, 0, 0.6 / 0.85, 0],
            [0, 0.15 / 0.85, 0, 0.7 / 0.85],
        ],
    },
)

# %% [markdown]
# What is it good for? Let's count. A feed-forward layer as in Llama, of width $D$ with $F$ neurons, has $3 D F$
# weights, and needs as many multiplications for a token. Eight experts have $8 \cdot 3 D F$ weights, and with top 2
# each token uses two of the experts. In Mixtral 8x7B (Mistral AI, 2023) $D = 4096$, $F = 14336$, 32 layers:
#
# | | in all | working for a token |
# |---|---|---|
# | feed-forward, 32 · 3 D F = 5.6 · 10⁹ an expert | 8 · 5.6 = 45.1 · 10⁹ | 2 · 5.6 = 11.3 · 10⁹ |
# | all the rest (attention, embeddings) | 1.6 · 10⁹ | 1.6 · 10⁹ |
# | together | **46.7 · 10⁹** | **12.9 · 10⁹** |
#
# So "8x7B" is not 56 billion, since the attention weights exist only once. It runs at the cost of a model with 13
# billion weights, but it needs the *memory* of one with 47 billion: every expert has to be in memory, because the next
# token may need it. That is the bargain: you pay with memory, and get knowledge.
#
# ### Exercise 5: the router
#
# Softmax turns the scores into probabilities. The `top` largest scores are chosen, and their probabilities are the
# **gates**: each answer is multiplied by its gate. The row for *the* is 0.5, 0.3, 0.15, 0.05:
#
# - **top 2**: the first two are chosen, and their gates are scaled to sum to 1: 0.625 and 0.375.
# - **top 1**: the gate stays 0.5. If we scaled it to sum to 1, it would be 0.5 / 0.5 = 1, and the router's scores would
#   not matter. A constant has no gradient, so the router would never learn. With the gate 0.5, a router that is not
#   sure makes the answer smaller, and the loss can say whether that was right.
#
# Be careful with ties: with a threshold, a token whose scores tie could get three experts. `jax.lax.top_k(logits, top)`
# gives the largest numbers of each row and their positions. If numbers are equal, it takes the first ones.


# %% name="route" tags=["exercise"] forbids=["minitorch.models.moe.Router.__call__"]
def route(logits, top):
    """Which experts each token asks, and how much their answers count.

    Args:
      logits: the router's scores, an array (N, E) for N tokens and E experts.
      top: how many experts answer a token, from 1 to E.

    Returns:
      probabilities: (N, E), each row sums to 1.
      chosen: (N, E) booleans, `top` of each row, those of the largest scores; of equal ones the first.
      gates: (N, E), 0 where not chosen; else the probability, and if top > 1 divided by the sum over the chosen ones.
    """
    # BEGIN SOLUTION Exercise 5: softmax over the experts; the places of the top scores; probabilities there, which sum to 1 if top > 1.
    probabilities = jax.nn.softmax(logits, axis=-1)
    _, best = jax.lax.top_k(logits, top)  # (N, top)
    chosen = jax.nn.one_hot(best, logits.shape[-1], dtype=bool).any(axis=1)
    gates = jnp.where(chosen, probabilities, 0)
    if top > 1:
        gates = gates / gates.sum(axis=-1, keepdims=True)
    return probabilities, chosen, gates
    # END SOLUTION


# %% name="route-check" tags=["check"] exercise="route"
THREE = jnp.array([[0.5, 0.3, 0.15, 0.05], [0.1, 0.2, 0.3, 0.4], [0.25, 0.05, 0.6, 0.1]])
TOP_TWO = grid("1100 0011 1010")
check(
    "top 2: gates sum to 1",
    lambda: route(jnp.log(THREE) + 3, 2),
    lambda: (THREE, TOP_TWO, jnp.array([[5 / 8, 3 / 8, 0, 0], [0, 0, 3 / 7, 4 / 7], [5 / 17, 0, 12 / 17, 0]])),
    mistakes={
        "The gates of two experts do not sum to 1: divide each row by its sum.": lambda: (
            THREE,
            TOP_TWO,
            jnp.where(TOP_TWO, THREE, 0),
        ),
        "The experts with the smallest scores were chosen.": lambda: (
            THREE,
            ~TOP_TWO,
            jnp.where(~TOP_TWO, THREE, 0) / jnp.where(~TOP_TWO, THREE, 0).sum(1, keepdims=True),
        ),
        "Softmax runs over the tokens: each row, the experts of one token, must sum to 1. Take axis=-1.": lambda: (
            THREE / THREE.sum(0),
            TOP_TWO,
            jnp.where(TOP_TWO, THREE / THREE.sum(0), 0)
            / jnp.where(TOP_TWO, THREE / THREE.sum(0), 0).sum(1, keepdims=True),
        ),
        "Only the best expert of each token was chosen: `top` of them should be.": lambda: (
            THREE,
            grid("1000 0001 0010"),
            jnp.array([[1.0, 0, 0, 0], [0, 0, 0, 1.0], [0, 0, 1.0, 0]]),
        ),
        "Experts that were not chosen have gates too: theirs are 0.": lambda: (
            THREE,
            TOP_TWO,
            THREE / jnp.where(TOP_TWO, THREE, 0).sum(1, keepdims=True),
        ),
    },
)
check(
    "top 1: the gate is the probability",
    lambda: route(jnp.log(THREE) + 3, 1)[2],
    lambda: jnp.array([[0.5, 0, 0, 0], [0, 0, 0, 0.4], [0, 0, 0.6, 0]]),
    mistakes={
        "With top 1 a gate divided by itself is always 1: the router has no gradient and never learns. Keep the probability.": lambda: (
            grid("1000 0001 0010").astype(np.float32)
        ),
        "Experts that were not chosen have gates too: theirs are 0.": lambda: THREE,
        "The experts with the smallest scores were chosen.": lambda: jnp.array(
            [[0, 0, 0, 0.05], [0.1, 0, 0, 0], [0, 0.05, 0, 0]]
        ),
    },
)
check(
    "scores that tie: two are chosen, the first",
    lambda: route(jnp.array([[1.0, 2.0, 2.0, 2.0], [0.0, 0.0, 0.0, 0.0]]), 2)[1],
    grid("0110 1100"),
    mistakes={
        "Where scores tie, more than two are chosen. A threshold cannot part equals: take the places that top_k gives.": grid(
            "0111 1111"
        ),
        "The experts with the smallest scores were chosen.": grid("1100 1100"),
        "Of scores that tie, the last were taken. jax.lax.top_k takes the first.": grid("0011 0011"),
    },
)

# %% name="route-two" tags=["hidden-test"] exercise="route" points=2 hint="Softmax over the experts, the probabilities of the top scores, divided by their sum in each row."
drawn_logits = inputs.normal(5, 4)
drawn_odds = jax.nn.softmax(drawn_logits)
is_best = np.argsort(np.argsort(-np.asarray(drawn_logits), axis=1), axis=1) < 2


def shared(odds, which):
    kept = jnp.where(which, odds, 0)
    return odds, which, kept / kept.sum(1, keepdims=True)


report(
    route(drawn_logits, 2),
    mistakes={
        "The gates of two experts do not sum to 1: divide each row by its sum.": lambda: (
            drawn_odds,
            is_best,
            jnp.where(is_best, drawn_odds, 0),
        ),
        "The experts with the smallest scores were chosen.": lambda: shared(drawn_odds, ~is_best),
        "Softmax runs over the tokens: each row, the experts of one token, must sum to 1. Take axis=-1.": lambda: (
            shared(jax.nn.softmax(drawn_logits, axis=0), is_best)
        ),
        "Experts that were not chosen have gates too: theirs are 0.": lambda: (
            drawn_odds,
            is_best,
            drawn_odds / jnp.where(is_best, drawn_odds, 0).sum(1, keepdims=True),
        ),
    },
)

# %% name="route-one" tags=["hidden-test"] exercise="route" points=2 hint="With top 1 the gate is the probability of the best expert, and is not divided by anything."
drawn_logits = inputs.normal(6, 5)
the_best = drawn_logits == drawn_logits.max(1, keepdims=True)
report(
    route(drawn_logits, 1),
    mistakes={
        "With top 1 a gate divided by itself is always 1: the router has no gradient and never learns. Keep the probability.": lambda: (
            jax.nn.softmax(drawn_logits),
            the_best,
            the_best.astype(jnp.float32),
        ),
    },
)

# %% name="route-ties" tags=["hidden-test"] exercise="route" points=1 hint="Take the places that jax.lax.top_k gives, and no threshold: exactly `top` are chosen."
level = inputs.normal(3, 1) + jnp.array([[0.0, 1, 1, 1, 0], [2, 1, 1, 1, 0], [0, 0, 0, 0, 0]])
report(
    route(level, 2)[1],
    mistakes={
        "Where scores tie, more than two are chosen. A threshold cannot part equals: take the places that top_k gives.": lambda: (
            grid("01110 11110 11111")
        ),
    },
)

# %% [markdown]
# ## 7. Seats
#
# Now the experts must answer, and each expert should compute only for the tokens that chose it. How many tokens is
# that? It depends on the tokens, but a compiled program must know every shape in advance (notebook 05). So each expert
# gets a fixed number of **seats**, its **capacity** $C$. The first $C$ tokens that chose it get a seat; tokens that
# come later get nothing from it. This does little harm if few tokens come too late, because a feed-forward layer only
# *adds* to the residual stream (notebook 07): such a token passes through unchanged. The computation for empty seats is
# wasted.
#
# With $N$ tokens, $E$ experts and top $k$, an even load is $N k / E$ tokens per expert, and a usual capacity is about
# 1.25 times as much. For example, take six tokens, two experts, top 1 and $C = 3$. Tokens 0, 1, 3 and 4 choose expert
# 0, and tokens 2 and 5 choose expert 1. Then token 4 comes too late, and one seat of expert 1 is empty.
#
# `jnp.nonzero(mask, size=C, fill_value=v)[0]` gives the first $C$ positions where a mask is True, and fills up with $v$
# if there are fewer. The default fill value is 0, and 0 is a token! Take a value that is not the position of a token,
# such as $N$: `y.at[rows].add(...)` ignores rows that are out of range.
#
# ### Exercise 6: serve


# %% name="serve" tags=["exercise"] forbids=["minitorch.models.moe.MoE.combine_with_capacity", "minitorch.models.moe.MoE.combine"]
def serve(x, gates, experts, capacity):
    """The answers of the experts to their tokens, weighted and summed up.

    Args:
      x: the tokens, an array (N, D).
      gates: an array (N, E), above 0 where a token has chosen an expert.
      experts: E functions, each from an array (C, D) to an array (C, D).
      capacity: C, a Python int: each expert is called once, with the first C tokens that chose it. Where fewer did, it
        does not matter what the other rows hold.

    Returns:
      An array (N, D): for each token the sum of gate times answer over the experts that served it; 0 if none did.
    """
    # BEGIN SOLUTION Exercise 6: for each expert, the places of its first tokens; add gate times answer there.
    y = jnp.zeros_like(x)
    for e, expert in enumerate(experts):
        (rows,) = jnp.nonzero(gates[:, e] > 0, size=capacity, fill_value=len(x))  # (C,)
        y = y.at[rows].add(gates[rows, e][:, None] * expert(x[rows]))
    return y
    # END SOLUTION


# %% name="serve-check" tags=["check"] exercise="serve"
SIX = jnp.array([[1.0, 2], [3, 4], [5, 6], [7, 8], [9, 10], [11, 12]])
CHOICES = jnp.array([[0.5, 0], [0.5, 0], [0, 0.8], [0.5, 0], [0.5, 0], [0, 0.8]])


def doubled(x):
    return 2 * x


def negated(x):
    return -x


def served(*weights):
    """SIX with a factor for each token, for the checks."""
    return SIX * np.array(weights, np.float32)[:, None]


check(
    "three seats: token 4 comes too late",
    lambda: serve(SIX, CHOICES, [doubled, negated], 3),
    lambda: served(1, 1, -0.8, 1, 0, -0.8),
    mistakes={
        "The fifth token was served too: an expert has `capacity` seats and no more.": lambda: served(
            1, 1, -0.8, 1, 1, -0.8
        ),
        "The last tokens were served. The first that chose an expert take the seats.": lambda: served(
            0, 1, -0.8, 1, 1, -0.8
        ),
        "The answers are not weighted: multiply each by its gate.": lambda: served(2, 2, -1, 2, 0, -1),
        "The answers of the last expert have replaced the others. Add them up.": lambda: served(0, 0, -0.8, 0, 0, -0.8),
    },
)
check(
    "five seats: one of the first expert's stays empty",
    lambda: serve(SIX, CHOICES, [doubled, negated], 5),
    lambda: served(1, 1, -0.8, 1, 1, -0.8),
    mistakes={
        "The first token has been served by every empty seat: nonzero fills up with 0. Set fill_value to len(x).": lambda: (
            served(2, 1, -0.8, 1, 1, -0.8)
        ),
        "The last token has been served by empty seats too: an index of -1 is the last one. Set fill_value to len(x).": lambda: (
            served(1, 1, -0.8, 1, 1, -3.2)
        ),
        "The answers are not weighted: multiply each by its gate.": lambda: served(2, 2, -1, 2, 2, -1),
    },
)
check(
    "two experts answer each token: the sum counts",
    lambda: serve(SIX[:2], jnp.array([[0.75, 0.25], [0.25, 0.75]]), [doubled, negated], 2),
    lambda: jnp.array([[1.25, 2.5], [-0.75, -1.0]]),
    mistakes={
        "The second answer has replaced the first (`set`). The answers to a token are added.": lambda: jnp.array(
            [[-0.25, -0.5], [-2.25, -3.0]]
        ),
        "The answers are not weighted: multiply each by its gate.": lambda: jnp.array([[1.0, 2.0], [3.0, 4.0]]),
    },
)
check(
    "each expert is called once, with as many rows as it has seats; jax.jit can compile it",
    lambda: jax.jit(lambda x, gates: serve(x, gates, [lambda rows: rows * rows.shape[0], doubled], 4))(SIX, CHOICES),
    lambda: served(2, 2, 1.6, 2, 2, 1.6),
    mistakes={
        "The expert was given all tokens, and not only those in its seats.": lambda: served(3, 3, 1.6, 3, 3, 1.6),
    },
)

# %% name="serve-seats" tags=["hidden-test"] exercise="serve" points=3 hint="The first `capacity` tokens whose gate is above 0 are served, weighted by their gates; others get 0."
drawn_tokens, drawn_gates = inputs.normal(7, 3), inputs.uniform(7, low=0.3, high=0.7)
chooses = jnp.array([0, 1, 0, 0, 1, 0, 0])[:, None] == jnp.arange(2)
one_gate = jnp.where(chooses, drawn_gates[:, None], 0)
rows_given = []


def tripled(rows):
    rows_given.append(rows.shape)
    return 3 * rows


def shifted(rows):
    return rows + 1.0


def answered(which, gate=drawn_gates):
    """Answers to the tokens marked 1, by each one's expert."""
    both = jnp.where(chooses[:, :1], 3 * drawn_tokens, drawn_tokens + 1.0)
    return jnp.asarray(which)[:, None] * jnp.broadcast_to(gate, (7,))[:, None] * both


report(
    (serve(drawn_tokens, one_gate, [tripled, shifted], 3), rows_given),
    mistakes={
        "The fifth token was served too: an expert has `capacity` seats and no more.": lambda: (
            answered([1, 1, 1, 1, 1, 1, 1]),
            [(7, 3)],
        ),
        "The last tokens were served. The first that chose an expert take the seats.": lambda: (
            answered([0, 1, 0, 1, 1, 1, 1]),
            [(3, 3)],
        ),
        "The answers are not weighted: multiply each by its gate.": lambda: (
            answered([1, 1, 1, 1, 1, 0, 0], 1.0),
            [(3, 3)],
        ),
    },
)

# %% name="serve-empty" tags=["hidden-test"] exercise="serve" points=2 hint="Empty seats serve nobody (fill_value=len(x)), and the answers of several experts to a token are added."
drawn_tokens = inputs.normal(4, 3)
both_gates = jnp.array([[0.6, 0.4], [0.3, 0.7], [0.0, 1.0], [1.0, 0.0]]) * inputs.uniform(4, 1, low=0.8, high=1.0)
report(
    serve(drawn_tokens, both_gates, [lambda rows: 3 * rows, lambda rows: rows - 2.0], 4),
    mistakes={
        "The first token has been served by every empty seat: nonzero fills up with 0. Set fill_value to len(x).": lambda: (
            (both_gates[:, :1] * 3 * drawn_tokens + both_gates[:, 1:] * (drawn_tokens - 2.0))
            * jnp.array([[2.0], [1], [1], [1]])
        ),
        "The second answer has replaced the first (`set`). The answers to a token are added.": lambda: jnp.where(
            both_gates[:, 1:] > 0, both_gates[:, 1:] * (drawn_tokens - 2.0), both_gates[:, :1] * 3 * drawn_tokens
        ),
        "The answers are not weighted: multiply each by its gate.": lambda: (
            jnp.sign(both_gates[:, :1]) * 3 * drawn_tokens + jnp.sign(both_gates[:, 1:]) * (drawn_tokens - 2.0)
        ),
    },
)

# %% [markdown]
# ## 8. A router that collapses
#
# Time to train a mixture, on the smallest task that shows everything: to learn a page by heart. The page has sixteen
# scanned digits, 32 by 32 pixels. The model gets the position of a pixel, as 31 numbers (a 1, its coordinates, and sine
# waves of them), and must say how dark the pixel is. There are no other pages, and nothing is held out: we test how
# much a network can *know*, and that is what experts are for.
#
# Both models have one residual layer and a head. The dense one has 20 neurons, 1,323 numbers. The mixture has a router
# and 8 experts of 16 neurons, top 1: 8,592 numbers, of which 1,319 work for a pixel. So the dense one may do a little
# more work.

# %% name="painters" tags=["demo"]
WIDTH, EXPERTS, STEPS = 31, 8, 1000
page = mt.data.load_digits()[0][:16].reshape(4, 4, 8, 8).transpose(0, 2, 1, 3).reshape(32, 32)
places = np.stack(np.meshgrid(np.linspace(-1, 1, 32), np.linspace(-1, 1, 32)), -1).reshape(-1, 2)
waves = places @ (4 * jax.random.normal(jax.random.key(0), (2, 14)))
pixels = jnp.concatenate([jnp.ones((1024, 1)), places, jnp.sin(waves), jnp.cos(waves)], axis=1)  # (1024, 31)
darkness = jnp.asarray(page.reshape(-1))


class Neurons(mt.nn.Module):
    """A feed-forward layer with ReLU."""

    up: Linear
    down: Linear

    @classmethod
    def init(cls, key, hidden):
        keys = jax.random.split(key)
        into = jax.random.normal(keys[0], (WIDTH, hidden)) * (2 / WIDTH) ** 0.5
        out = jax.random.normal(keys[1], (hidden, WIDTH)) * (1 / hidden) ** 0.5
        return cls(Linear(into, jnp.zeros(hidden)), Linear(out, jnp.zeros(WIDTH)))

    def __call__(self, x):
        return self.down(jax.nn.relu(self.up(x)))


class Dense(mt.nn.Module):
    """Every pixel asks the same neurons."""

    neurons: Neurons
    head: Linear

    def __call__(self, x):
        return self.head(x + self.neurons(x))[:, 0], None


class Experts(mt.nn.Module):
    """Every pixel asks the expert that the router chooses for it: your `route` and `serve`."""

    router: Linear
    experts: list[Neurons]
    head: Linear

    def __call__(self, x):
        probabilities, chosen, gates = route(self.router(x), top=1)
        seats = math.ceil(1.25 * len(x) / len(self.experts))
        return self.head(x + serve(x, gates, self.experts, seats))[:, 0], (probabilities, chosen)


def new_head(key):
    return Linear(jax.random.normal(key, (WIDTH, 1)) * (1 / WIDTH) ** 0.5, jnp.zeros(1))


def dense_painter(hidden=20, seed=14):
    keys = jax.random.split(jax.random.key(seed), 2)
    return Dense(Neurons.init(keys[0], hidden), new_head(keys[1]))


def expert_painter(seed=14):
    keys = jax.random.split(jax.random.key(seed), EXPERTS + 2)
    router = Linear(0.5 * jax.random.normal(keys[0], (WIDTH, EXPERTS)))
    return Experts(router, [Neurons.init(key, 16) for key in keys[2:]], new_head(keys[1]))


def page_loss(model, balance):
    """The mean squared error on the page, plus a balance loss if one is given; and who was asked."""
    painted, asked = model(pixels)
    error = jnp.mean((painted - darkness) ** 2)
    if asked is None:
        return error, (error, jnp.ones(1))
    probabilities, chosen = asked
    penalty = balance(probabilities, chosen) if balance else 0.0
    return error + 0.03 * penalty, (error, chosen.mean(axis=0))


@functools.partial(jax.jit, static_argnames="balance")
def paint(model, balance=None):
    """The model after 1,000 steps on the whole page; the error of each step, and the use of each expert (STEPS, E)."""
    optimizer = mt.optim.chain(
        mt.optim.scale_by_adam(),
        mt.optim.scale_by_learning_rate(mt.optim.warmup_cosine_decay_schedule(0.0, 0.01, 50, STEPS)),
    )

    def step(carry, _):
        model, state = carry
        grads, seen = jax.grad(page_loss, has_aux=True)(model, balance)
        updates, state = optimizer.update(grads, state, model)
        return (mt.optim.apply_updates(model, updates), state), seen

    (model, _), seen = jax.lax.scan(step, (model, optimizer.init(model)), None, STEPS)
    return model, seen


def painted(model):
    return np.asarray(model(pixels)[0]).reshape(32, 32)


def asked(model):
    """The expert that each pixel asks."""
    return np.asarray(model.router(pixels).argmax(axis=1)).reshape(32, 32)


# %% [markdown]
# Nobody programs what the router does; it learns from the error, like everything else. Predict: which share of the
# pixels will each of the eight experts get?

# %% name="collapse" tags=["demo", "nbval-ignore-output"]
dense, (dense_errors, _) = paint(dense_painter())
with skip_if_unfinished():
    alone, (alone_errors, alone_use) = paint(expert_painter())
    print(f"error of the dense model {dense_errors[-1]:.4f}, of the mixture {alone_errors[-1]:.4f}")
    print("pixels that ask each expert (%):", *(f"{100 * share:.0f}" for share in alone_use[-1]))
    pictures.use({"nobody says how to share": alone_use})

# %% [markdown]
# With even use, we would see eight bands of the same height. The router has other ideas, and it is a loop that feeds
# itself: an expert that happens to be a little better is chosen more often, gets more gradient, and becomes even
# better. An expert that is never chosen gets no gradient, and keeps its first weights. Crowding costs us twice: there
# are not enough seats for all tokens (here an expert takes up to 16 % of the pixels), and the weights of the idle
# experts are useless. This mixture, with 8,592 numbers, paints worse than the dense model with 1,323.
#
# ### One term of the loss
#
# How can we write "share the work" as a loss? Let $f_e$ be the share of all choices that go to expert $e$, and $P_e$
# its mean probability over the tokens. The **balance loss** of the Switch transformer (William Fedus, Barret Zoph and
# Noam Shazeer, 2021) is
#
# $$ L_\text{balance} \;=\; E \sum_{e} f_e \, P_e $$
#
# An example with four tokens and three experts; the best of each row is bold:
#
# | token | expert 0 | expert 1 | expert 2 |
# |---|---|---|---|
# | 0 | **0.7** | 0.2 | 0.1 |
# | 1 | **0.5** | 0.3 | 0.2 |
# | 2 | 0.2 | 0.3 | **0.5** |
# | 3 | **0.6** | 0.3 | 0.1 |
# | $f$ | 0.75 | 0 | 0.25 |
# | $P$ | 0.5 | 0.275 | 0.225 |
#
# $3 \cdot (0.75 \cdot 0.5 + 0 \cdot 0.275 + 0.25 \cdot 0.225) = 1.29$. If all experts are used equally, it is
# $E \cdot E \cdot \frac1E \cdot \frac1E = 1$, for any number of experts: that is what the factor $E$ is for.
#
# Why a product, and why not simply $\sum f_e^2$? Because $f$ is a count. If the router's weights change a little, no
# choice changes, so the gradient of $f$ is 0 almost everywhere. $P$ has a gradient. In the product $f_e$ says how
# strongly to push, and $P_e$ is what is pushed: the probability of a crowded expert goes down. (DeepSeek-V3, 2024,
# hardly needs such a loss: each expert has a bias that is raised while the expert is chosen too seldom. The bias counts
# in the choice, but not in the gate.)
#
# ### Exercise 7: the balance loss


# %% name="balance_loss" tags=["exercise"] forbids=["minitorch.models.moe.balance_loss"]
def balance_loss(probabilities, chosen):
    """How unevenly experts are used: 1 if all are asked alike.

    Args:
      probabilities: of the router, an array (N, E).
      chosen: (N, E) booleans, equally many in each row, one or more.

    Returns:
      E times the sum over the experts of f * P: the share of all choices that fall on it, times its mean probability.
    """
    # BEGIN SOLUTION Exercise 7: E times the sum over experts of (share of the choices) times (mean probability).
    shares = chosen.sum(axis=0) / chosen.sum()
    return chosen.shape[1] * jnp.sum(shares * probabilities.mean(axis=0))
    # END SOLUTION


# %% name="balance_loss-check" tags=["check"] exercise="balance_loss"
FOUR = jnp.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
check(
    "the table above: 1.29",
    lambda: balance_loss(FOUR, grid("100 100 001 100")),
    1.29375,
    mistakes={
        "The factor E is missing, or a mean stands where the sum over the experts should.": 0.43125,
        "This is the sum of f times f: it has no gradient. One of the two is the mean probability.": 1.875,
        "This is the sum of P times P: the choices are missing. One of the two is the share of the choices.": 1.12875,
        "Divided by E, and must be multiplied by it: an even load should give 1.": 0.14375,
        "The factor is the number of tokens, and should be the number of experts.": 1.725,
    },
)
check(
    "top 2: shares are of all choices, of which there are two a token",
    lambda: balance_loss(FOUR, grid("110 110 011 110")),
    lambda: 3 * (0.375 * 0.5 + 0.5 * 0.275 + 0.125 * 0.225),
    mistakes={
        "The shares sum to 2: with top 2 there are twice as many choices as tokens. Divide by the number of choices.": lambda: (
            6 * (0.375 * 0.5 + 0.5 * 0.275 + 0.125 * 0.225)
        ),
        "The factor E is missing, or a mean stands where the sum over the experts should.": lambda: (
            0.375 * 0.5 + 0.5 * 0.275 + 0.125 * 0.225
        ),
    },
)
check(
    "its gradient pushes the crowded expert down",
    lambda: jax.grad(lambda scores: balance_loss(jax.nn.softmax(scores), grid("100 100 001 100")))(jnp.log(FOUR)).sum(
        0
    ),
    lambda: jax.grad(lambda scores: 3 * jnp.sum(jnp.array([0.75, 0, 0.25]) * jax.nn.softmax(scores).mean(0)))(
        jnp.log(FOUR)
    ).sum(0),
    mistakes={
        "This is the sum of f times f: it has no gradient. One of the two is the mean probability.": np.zeros(
            3, np.float32
        ),
    },
)

# %% name="balance_loss-one" tags=["hidden-test"] exercise="balance_loss" points=2 hint="E times the sum over the experts of the share of the choices times the mean probability."
odds = jax.nn.softmax(2 * inputs.normal(7, 4))
most_likely = odds == odds.max(1, keepdims=True)
fractions, means = most_likely.mean(0), odds.mean(0)
report(
    balance_loss(odds, most_likely),
    mistakes={
        "The factor E is missing, or a mean stands where the sum over the experts should.": lambda: jnp.sum(
            fractions * means
        ),
        "This is the sum of f times f: it has no gradient. One of the two is the mean probability.": lambda: (
            4 * jnp.sum(fractions**2)
        ),
        "This is the sum of P times P: the choices are missing. One of the two is the share of the choices.": lambda: (
            4 * jnp.sum(means**2)
        ),
        "Divided by E, and must be multiplied by it: an even load should give 1.": lambda: (
            jnp.sum(fractions * means) / 4
        ),
        "The factor is the number of tokens, and should be the number of experts.": lambda: (
            7 * jnp.sum(fractions * means)
        ),
    },
)

# %% name="balance_loss-two" tags=["hidden-test"] exercise="balance_loss" points=2 hint="Shares are of all choices and sum to 1, also where each token chooses two; the gradient comes through the mean probability."
scores = inputs.normal(6, 5)
two_likeliest = np.argsort(np.argsort(-np.asarray(scores), axis=1), axis=1) < 2
report(
    jax.value_and_grad(lambda s: balance_loss(jax.nn.softmax(s), two_likeliest))(scores),
    mistakes={
        "The shares sum to 2: with top 2 there are twice as many choices as tokens. Divide by the number of choices.": lambda: (
            jax.value_and_grad(lambda s: 5 * jnp.sum(two_likeliest.mean(0) * jax.nn.softmax(s).mean(0)))(scores)
        ),
        "The factor E is missing, or a mean stands where the sum over the experts should.": lambda: jax.value_and_grad(
            lambda s: jnp.sum(two_likeliest.mean(0) / 2 * jax.nn.softmax(s).mean(0))
        )(scores),
        "This is the sum of f times f: it has no gradient. One of the two is the mean probability.": lambda: (
            5 * jnp.sum((two_likeliest.mean(0) / 2) ** 2),
            jnp.zeros((6, 5)),
        ),
    },
)

# %% [markdown]
# ### Balanced
#
# We take the same first weights and the same steps, and add 0.03 times your balance loss to the error.

# %% name="balanced" tags=["demo"]
with skip_if_unfinished():
    balanced, (balanced_errors, balanced_use) = paint(expert_painter(), balance_loss)
    even = 1 / EXPERTS
    for name, shares in (("without", alone_use[-1]), ("with", balanced_use[-1])):
        within = bool((shares > even / 2).all() and (shares < 2 * even).all())
        print(f"{name} the balance loss every expert is used within a factor of 2 of evenly: {within}")
    pictures.use({"without the balance loss": alone_use, "with it": balanced_use})

# %% [markdown]
# ## 9. The proof: more knowledge for the same work
#
# We compare three models, and, to be honest, a fourth: a dense one with as many numbers *in all* as the mixture. It
# does more than six times the work for a pixel.

# %% name="proof" tags=["demo"]
with skip_if_unfinished():
    wide, (wide_errors, _) = paint(dense_painter(136))
    count = mt.nn.paths.count
    idle = (EXPERTS - 1) * count(balanced.experts[0])
    print(
        f"dense: {count(dense):,} numbers work for a pixel; mixture: {count(balanced) - idle:,} of {count(balanced):,}"
    )
    print(
        "the mixture's error is less than a third of the dense model's:",
        bool(balanced_errors[-1] < dense_errors[-1] / 3),
    )
    print("and less than the collapsed mixture's:", bool(balanced_errors[-1] < alone_errors[-1]))
    pictures.pages(
        {
            "the page": page,
            "dense": painted(dense),
            "collapsed mixture": painted(alone),
            "balanced mixture": painted(balanced),
        },
        {"who answers: collapsed": asked(alone), "who answers: balanced": asked(balanced)},
    )

# %% name="proof-numbers" tags=["demo", "nbval-ignore-output"]
with skip_if_unfinished():
    rows = {
        "dense": (count(dense), count(dense), dense_errors[-1]),
        "collapsed": (count(alone) - idle, count(alone), alone_errors[-1]),
        "mixture": (count(balanced) - idle, count(balanced), balanced_errors[-1]),
        "wide dense": (count(wide), count(wide), wide_errors[-1]),
    }
    for name, (active, total, error) in rows.items():
        print(f"{name:10} {active:6,} numbers at work, {total:6,} in all, error {error:.4f}")
    pictures.bought(rows, "mean squared error of a pixel")

# %% [markdown]
# One run proves little. Over seven seeds the mean error was 0.028 for the dense model, 0.024 for the mixture without
# the balance loss (from 0.013 to 0.036) and 0.005 for the balanced one (0.003 to 0.006).
#
# Read the last plot twice. **At equal work** (one above the other) the mixture beats the dense model by far, if its
# router balances the load. **At equal memory** (the same size of circle) the dense model is at least as good, but does
# more than six times the work for each pixel. Which comparison matters depends on what is scarce. A service with many
# users has enough memory for one copy of the weights, and pays for work: it should use a mixture. A telephone has
# little memory: it should use a small dense model, pruned and quantized.
#
# Now look at the pages. The gray smears of the collapsed mixture are pixels that came too late for a seat: only the
# residual stream and the head painted them. Then look at the maps. Nobody programmed how to divide the page: the router
# is one matrix, and with the balance loss it gave each expert its part. (In language models, an expert seldom gets a
# topic. The makers of Mixtral looked, and found syntax: the spaces that indent code go to the same experts, and so does
# `self`.)
#
# ### In a real model
#
# minitorch has mixtures too (`minitorch.models.moe`). The two classes below are a router that calls your `route`, and a
# mixture that calls your `serve`. In the language model of section 5, we replace each feed-forward layer by a mixture:
# four copies of that layer, top 2. That is **upcycling** (Aran Komatsuzaki and others, 2022), a way to start a mixture
# from what a dense model already knows. Since your two gates sum to 1 and all copies give the same answer, the new
# model must be the same function. (With more training, the copies would become different.) Is it the same function?

# %% name="upcycled" tags=["demo"]
from minitorch.compress.moe import upcycle
from minitorch.models import moe


class YourRouter(moe.Router):
    """A router of the library that calls your `route`."""

    def __call__(self, x):
        logits = self.logits(x)
        return moe.Routing(logits, *route(logits, self.top_k))


class YourMoE(moe.MoE):
    """A mixture of the library with your seats."""

    def combine_with_capacity(self, x, routing, capacity, rows):
        seats = min(len(x), math.ceil(capacity * len(x) * self.router.top_k / len(self.experts)))
        return serve(x, routing.gates, self.experts, seats)


@jax.jit
def logits_within(model, ids):
    """The logits of a model of mixtures that serves all, and the balance loss of each layer."""
    logits, routings = moe.forward_with_routing(model, ids, capacity=2.0)
    return logits, [balance_loss(r.probabilities, r.chosen) for r in routings]


with skip_if_unfinished():
    model, (texts, _), _ = language_model()
    ids = texts[0][:8]
    sparse = upcycle(model, jax.random.key(0), experts=4, top_k=2)
    mixtures = mt.nn.paths.find(sparse, kind=moe.MoE)
    yours_inside = {
        path: YourMoE(YourRouter(m.router.weight, m.router.top_k), m.experts) for path, m in mixtures.items()
    }
    logits, balances = logits_within(mt.nn.paths.replace(sparse, yours_inside), ids)
    print("with your mixtures inside the logits are the same:", bool(abs(logits - model(ids)).max() < 1e-2))
    print("a new router is nearly even, balance losses below 1.2:", all(float(b) < 1.2 for b in balances))

# %% [markdown]
# Why don't we *train* a mixture on text here? We tried: after 300 steps, a small Llama with 8 experts of 16 neurons
# reached 3.96 nats per token, and one with a dense layer of 19 neurons reached 3.95. Each expert sees an eighth of the
# tokens, and 150,000 tokens are few. Our page, in contrast, was shown a thousand times. A mixture pays off if there is
# more to learn than a dense model of the same work can hold, and enough data for every expert.
#
# ## 10. Stretch: Wanda
#
# A small weight on a large input can do more than a large weight on a small input. Mingjie Sun and others (2023)
# multiply the two, $|W_{ij}| \cdot \lVert x_i \rVert$, with the norm of input $i$ over some text, and compare only the
# weights of one output. No gradient, no training, one pass: this is **Wanda**, for *weights and activations*. With half
# of its weights gone, the perplexity of Llama 7B rose from 5.7 to 7.3; with magnitude pruning it rose to 17.3.
#
# ### Stretch exercise: weights and activations


# %% name="wanda_mask" tags=["exercise", "stretch"] forbids=["minitorch.compress.prune.wanda"]
def wanda_mask(weight, inputs, sparsity):
    """Which weights stay when of each output those go whose size times that of their input is smallest.

    Args:
      weight: an array (D, outputs).
      inputs: what the layer is given, an array (N, D).
      sparsity: the share of the D weights of each output that goes: round(sparsity * D) of them.

    Returns:
      An array of booleans (D, outputs).
    """
    # BEGIN SOLUTION Stretch exercise: scores are sizes times norms of inputs; rank them in each column.
    scores = jnp.abs(weight) * jnp.linalg.norm(inputs, axis=0)[:, None]
    rank = jnp.argsort(jnp.argsort(scores, axis=0), axis=0)
    return rank >= round(sparsity * len(weight))
    # END SOLUTION


# %% name="wanda_mask-check" tags=["check", "stretch"] exercise="wanda_mask"
LOUD = jnp.array([[0.0, 3, 1, 0.1], [0, 4, 1, 0.1], [0.2, 0, 1, 0.1]])  # Norms: 0.2, 5, 1.7, 0.17
check(
    "a loud input saves a small weight",
    lambda: wanda_mask(jnp.array([[0.9, 10.0], [0.1, -2.0], [0.4, 1.0], [-0.8, 20.0]]), LOUD, 0.5),
    grid("00 11 10 01"),
    mistakes={
        "The inputs have no effect: these are the largest weights.": grid("11 00 00 11"),
        "All outputs compete with each other. Each column loses its own half.": grid("01 01 01 01"),
    },
)

# %% name="wanda-measured" tags=["demo", "nbval-ignore-output"]
from minitorch.compress.find_linear import linear_layers
from minitorch.nn.hooks import layer_inputs

with skip_if_unfinished():
    model, (texts, targets), _ = language_model()
    inputs = layer_inputs(model, linear_layers(model, "blocks.*"), texts[0][:64])
    for s in (0.5, 0.8):
        by_inputs = {
            path: wanda_mask(w, inputs[path.removesuffix(".weight")].reshape(-1, w.shape[0]), s)
            for path, w in prune.linear_weights(model, "blocks.*").items()
        }
        found = {"per layer": lambda layers, s=s: layer_masks(layers, s), "Wanda": lambda _, masks=by_inputs: masks}
        print(
            f"{100 * s:.0f} % gone: perplexity", *(f"{name} {perplexity_without(m):.1f}  " for name, m in found.items())
        )

# %% [markdown]
# In models as small as these, Wanda gains little. With the model of notebook 08 we saw a perplexity of 44.7 instead of
# 44.9 with half of the weights gone, and of 49.4 instead of 50.1 with 80 % gone.
#
# ## In the wild
#
# | what you wrote | where it lives |
# |---|---|
# | magnitude, within layers and global | PyTorch: `torch/nn/utils/prune.py` (`L1Unstructured`, `global_unstructured`); TensorFlow: `tensorflow_model_optimization/python/core/sparsity/keras/pruning_impl.py`; minitorch: `compress/prune.py` |
# | 2 of 4 | PyTorch: `torch/sparse/semi_structured.py`; NVIDIA/apex: `apex/contrib/sparsity/sparse_masklib.py` |
# | neurons by a gradient | VainF/Torch-Pruning: `torch_pruning/pruner/importance.py`; minitorch: `compress/structured_prune.py` |
# | the router | Hugging Face transformers: `src/transformers/models/mixtral/modeling_mixtral.py` (`MixtralTopKRouter`, earlier inside `MixtralSparseMoeBlock`); llama.cpp: `src/llama-graph.cpp` (`build_moe_ffn`) |
# | seats | google/flaxformer: `flaxformer/architectures/moe/routing.py`; deepspeedai/DeepSpeed: `deepspeed/moe/sharded_moe.py` (`top1gating`, with capacity) |
# | the balance loss | transformers: the same file (`load_balancing_loss_func`); DeepSpeed: the same file (`l_aux`) |
# | dropless | databricks/megablocks: `megablocks/layers/dmoe.py`; vLLM: `vllm/model_executor/layers/fused_moe/fused_moe.py` |
# | Wanda | locuslab/wanda: `lib/prune.py` |
#
# ## References
#
# - Y. LeCun, J. Denker, S. Solla, *Optimal brain damage*, 1989.
# - R. Jacobs, M. Jordan, S. Nowlan, G. Hinton, *Adaptive mixtures of local experts*, 1991.
# - S. Han, J. Pool, J. Tran, W. Dally, *Learning both weights and connections for efficient neural networks*, 2015.
# - P. Molchanov et al., *Pruning convolutional neural networks for resource efficient inference*, 2016.
# - N. Shazeer et al., *Outrageously large neural networks: the sparsely-gated mixture-of-experts layer*, 2017.
# - M. Zhu, S. Gupta, *To prune, or not to prune: exploring the efficacy of pruning for model compression*, 2017.
# - J. Frankle, M. Carbin, *The lottery ticket hypothesis: finding sparse, trainable neural networks*, 2018.
# - P. Michel, O. Levy, G. Neubig, *Are sixteen heads really better than one?*, 2019.
# - J. Frankle, G. Dziugaite, D. Roy, M. Carbin, *Stabilizing the lottery ticket hypothesis*, 2019.
# - W. Fedus, B. Zoph, N. Shazeer, *Switch transformers: scaling to trillion parameter models with simple and efficient
#   sparsity*, 2021.
# - A. Mishra et al., *Accelerating sparse deep neural networks*, 2021 (2 of 4).
# - A. Komatsuzaki et al., *Sparse upcycling: training mixture-of-experts from dense checkpoints*, 2022.
# - M. Sun, Z. Liu, A. Bair, J. Z. Kolter, *A simple and effective pruning approach for large language models*, 2023.
# - A. Jiang et al., *Mixtral of experts*, 2024.
# - DeepSeek-AI, *DeepSeek-V3 technical report*, 2024 (balance nearly without a loss).
