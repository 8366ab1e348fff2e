# %% [markdown]
# # 09 Generation: one token, then the next
#
# A language model does not write. It answers one question: *after this text, how likely is each token?* Somebody must
# choose a token, put it behind the text, and ask again. That somebody is a loop of ten lines, and you write it here.
# How it chooses makes the difference between a parrot and a drunk; how it asks makes the difference between a second
# and a minute.
#
# **When you have finished you can**
#
# - turn logits into a choice: greedy, with a temperature, among the $k$ most likely tokens, among the most likely ones that have
#   probability $p$ together, and say what each does to the bars of a picture;
# - draw from a distribution with one uniform number, and fix the bug that sits at the end of the ruler;
# - write the loop that generates text, and count the work that it wastes;
# - derive the key-value cache from that waste, write it, and prove that it changes nothing but the speed;
# - compute how much memory a cache takes, and say why grouped queries were invented;
# - (stretch) let a small model guess for a large one without changing a single probability.
#
# ```
#   application     a chat window, a completion in an editor    <- you are here: from probabilities to text
#   MLOps           runs, metrics, packages
#   hubs            weights that somebody trained ...
#   frameworks      ... with JAX, PyTorch, minitorch            <- and here: keys and values that are kept
#   clusters        one model, a thousand readers at once
#   hardware        memory that is read for every token
# ```
#
# Time: about 90 minutes. Before: notebook 07 (attention, rotary positions, grouped queries).

# %% name="imports"
import dataclasses
import functools
import time
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import minitorch as mt
from minitorch_course import check, inputs, my_solution, report, setup, skip_if_unfinished

setup()

# %% [markdown]
# ## 1. Eight bars
#
# A model of eight words reads *The cat sat on the*, and gives each word a number, its **logit**. Softmax makes
# probabilities of them: $p_i = e^{z_i} / \sum_j e^{z_j}$. (The numbers are made up, so that you can follow by hand;
# real ones come in section 5.)
#
# | word | roof | sofa | mat | moon | table | keyboard | floor | banana |
# |---|---|---|---|---|---|---|---|---|
# | logit | 0 | 1 | 2 | -1 | 1.5 | -0.5 | 0.5 | -2 |
# | probability | 0.055 | 0.148 | 0.403 | 0.020 | 0.244 | 0.033 | 0.090 | 0.007 |

# %% name="eight-words"
WORDS = ["roof", "sofa", "mat", "moon", "table", "keyboard", "floor", "banana"]
LOGITS = jnp.array([0.0, 1.0, 2.0, -1.0, 1.5, -0.5, 0.5, -2.0])


# %% name="to-try-on"
def only(*ids, logits=LOGITS, otherwise=-jnp.inf):
    """What is left of the logits when all tokens but a few are ruled out: for the checks."""
    return jnp.where(jnp.isin(jnp.arange(logits.shape[-1]), jnp.array(ids)), logits, otherwise)


THREE_ROWS = jnp.stack([LOGITS, LOGITS[::-1], jnp.roll(LOGITS, 2)])

# %% [markdown]
# Who always takes the longest bar is **greedy**, and writes the same text every time, often the same sentence over
# and over. Who draws by the bars writes *banana* once in 135 times; over a page of text that is three bananas. Every
# strategy below changes the bars before the draw. Here are four of them, as the library has them; the dotted outlines
# show what the bars were. Look at each panel: which of them could still write *banana*?

# %% name="strategies" tags=["demo"]
from minitorch_course.figures import caching, sampling

sampling.bars(
    WORDS,
    {"": LOGITS},
    {
        "temperature 0.5": mt.infer.temperature(0.5),
        "temperature 2": mt.infer.temperature(2.0),
        "top-k, k = 3": mt.infer.top_k(3),
        "top-p, p = 0.9": mt.infer.top_p(0.9),
    },
)

# %% [markdown]
# All of them are functions from logits to logits. A word that is ruled out gets the logit $-\infty$, since
# $e^{-\infty} = 0$. So they can be applied one after the other, and softmax comes last.
#
# ## 2. Temperature
#
# Divide all logits by a number $T$. For *mat* and *table*, whose logits are 2 and 1.5:
#
# | $T$ | logits | one is how many times as likely as the other |
# |---|---|---|
# | 2 | 1 and 0.75 | $e^{0.25} = 1.28$ |
# | 1 | 2 and 1.5 | $e^{0.5} = 1.65$ |
# | 0.5 | 4 and 3 | $e^{1} = 2.72$ |
# | 0.1 | 20 and 15 | $e^{5} = 148$ |
#
# Every ratio is raised to the power $1/T$. So a low temperature makes the likely likelier, and a high one makes all
# more alike. The name is physics: at temperature $T$ a system is in a state of energy $E$ with a probability that is
# proportional to $e^{-E/kT}$ (Boltzmann, 1868). Cold matter sits in its lowest state; hot matter is anywhere. Ackley,
# Hinton and Sejnowski (1985) put it into networks.
#
# What is left at $T \to 0$ is only the most likely word: greedy. One cannot divide by 0, so that case is written out.
#
# Predict: two logits are negative, -1 and -2. Does $T = 0.5$ bring the two probabilities closer together, or further
# apart?
#
# ### Exercise 1: temperature


# %% name="temperature" tags=["exercise"] forbids=["minitorch.infer.temperature"]
def temperature(logits, t):
    """Logits at the temperature t.

    Args:
      logits: an array (..., V); each row along the last axis is a distribution of its own.
      t: a number, 0 or more.

    Returns:
      An array (..., V): the logits divided by t. At 0 the most likely token of each row keeps its logit and all others
      get minus infinity; where several are equally likely, the first of them is taken.
    """
    # BEGIN SOLUTION Exercise 1: logits / t; for t = 0, all but the first largest logit of each row become -inf.
    if t == 0:
        best = jnp.argmax(logits, axis=-1, keepdims=True)  # (..., 1)
        return jnp.where(jnp.arange(logits.shape[-1]) == best, logits, -jnp.inf)
    return logits / t
    # END SOLUTION


# %% name="temperature-check" tags=["check"] exercise="temperature"
check(
    "cold, 0.5: the logits are doubled",
    lambda: temperature(LOGITS, 0.5),
    lambda: 2 * LOGITS,
    mistakes={
        "The logits were multiplied by t. Divide: a low temperature makes the differences larger.": lambda: LOGITS / 2,
        "The temperature has no effect.": lambda: LOGITS,
        "These are probabilities. A sampler returns logits, so that another one can follow; softmax comes last.": lambda: (
            jax.nn.softmax(2 * LOGITS)
        ),
        "Probabilities were divided by t, which changes nothing after they are made to sum to 1. Divide the logits.": lambda: (
            2 * jax.nn.softmax(LOGITS)
        ),
    },
)
check(
    "as cold as can be, 0: only the most likely word is left",
    lambda: temperature(LOGITS, 0),
    lambda: only(2),
    mistakes={
        "The logits were divided by 0: infinity and NaN. Write the case t = 0 out.": lambda: LOGITS / 0,
        "The others got the logit 0, which is e^0 = 1 and not nothing. Rule a token out with -jnp.inf.": lambda: only(
            2, otherwise=0.0
        ),
        "This marks the most likely token with 1 and the others with 0. Its logit stays, and the others become -jnp.inf.": lambda: (
            jax.nn.one_hot(2, 8)
        ),
        "The least likely was kept.": lambda: only(7),
    },
)
check(
    "at 0, each row has its own most likely token",
    lambda: temperature(THREE_ROWS, 0),
    lambda: jnp.stack([only(best, logits=row) for best, row in zip((2, 5, 4), THREE_ROWS, strict=True)]),
    mistakes={
        "All rows keep the token that is most likely in the first one. Take the largest along the last axis.": lambda: (
            jnp.stack([only(2, logits=row) for row in THREE_ROWS])
        ),
    },
)
check(
    "at 0, of two that are equally likely the first one",
    lambda: temperature(jnp.array([1.0, 3.0, 2.0, 3.0]), 0),
    np.array([-np.inf, 3.0, -np.inf, -np.inf], np.float32),
    mistakes={
        "Both of two equals were kept, so that the text would still be drawn by lot. Keep the first: argmax.": np.array(
            [-np.inf, 3.0, -np.inf, 3.0], np.float32
        ),
        "The last of two equals was kept. Keep the first, as argmax does.": np.array(
            [-np.inf, -np.inf, -np.inf, 3.0], np.float32
        ),
    },
)

# %% name="temperature-warm" tags=["hidden-test"] exercise="temperature" points=2 hint="Divide the logits, and not the probabilities, by t."
warm = inputs.normal(2, 6)
cold, hot = inputs.uniform(low=0.3, high=0.6).item(), inputs.uniform(low=1.4, high=1.8).item()
for t in (cold, hot):
    report(
        temperature(warm, t),
        mistakes={
            "The logits were multiplied by t. Divide: a low temperature makes the differences larger.": lambda t=t: (
                warm * t
            ),
            "The temperature has no effect.": warm,
            "These are probabilities. A sampler returns logits, so that another one can follow; softmax comes last.": lambda t=t: (
                jax.nn.softmax(warm / t)
            ),
            "Probabilities were divided by t, which changes nothing after they are made to sum to 1. Divide the logits.": lambda t=t: (
                jax.nn.softmax(warm) / t
            ),
        },
    )

# %% name="temperature-zero" tags=["hidden-test"] exercise="temperature" points=2 hint="At 0, each row keeps its first largest logit; all others become minus infinity."
rows = inputs.normal(3, 6)
first, second = jnp.sort(inputs.permutation(6)[:2])
rows = rows.at[1, first].set(4.0).at[1, second].set(4.0)
best = rows.argmax(-1)


def at_zero(kept, otherwise=-jnp.inf):
    return jnp.where(kept, rows, otherwise)


is_best = jnp.arange(6) == best[:, None]
report(
    temperature(rows, 0),
    mistakes={
        "The logits were divided by 0: infinity and NaN. Write the case t = 0 out.": lambda: rows / 0,
        "The others got the logit 0, which is e^0 = 1 and not nothing. Rule a token out with -jnp.inf.": lambda: (
            at_zero(is_best, 0.0)
        ),
        "Both of two equals were kept, so that the text would still be drawn by lot. Keep the first: argmax.": lambda: (
            at_zero(rows == rows.max(-1, keepdims=True))
        ),
        "This marks the most likely token with 1 and the others with 0. Its logit stays, and the others become -jnp.inf.": lambda: (
            is_best.astype(jnp.float32)
        ),
    },
)

# %% [markdown]
# ## 3. The draw
#
# Lay the words side by side on a line from 0 to 1, each as long as it is likely. Throw a dart, a uniform number $u$
# between 0 and 1, and take the word that it hits. Longer words are hit more often, exactly as they should.

# %% name="ruler" tags=["demo"]
sampling.ruler(WORDS, jax.nn.softmax(LOGITS), [0.3, 0.7, 0.97])

# %% [markdown]
# The ends of the words are the sums of the probabilities so far: 0.055, 0.203, 0.605, 0.625, 0.870, 0.903, 0.993, 1.
# The dart 0.7 hits *table*, the first word whose sum **exceeds** it. In general, `jnp.cumsum`, a comparison, and the
# first True (`jnp.argmax` of truth values finds it).
#
# Two darts decide whether the code is right:
#
# - $u = 0$ is possible. If the first word was ruled out, its piece is 0 long, its sum is 0, and $0 \ge 0$ is true:
#   with $\ge$ in place of $>$ the word that was forbidden is written, once in eight million tokens.
# - Numbers in a computer are rounded. The sum of 50,000 probabilities may come out as 0.99998, and a dart at 0.99999
#   hits nothing: no sum exceeds it. So multiply $u$ by the sum that is really there. (Then the numbers need not sum
#   to 1 in the first place, which will be handy.)
#
# ### Exercise 2: hit a word


# %% name="pick" tags=["exercise"] forbids=["jax.random.categorical", "jax.random.choice", "minitorch.infer.sample"]
def pick(weights, u):
    """The token that a dart hits.

    Args:
      weights: an array (..., V), not negative: the lengths of the words, which need not sum to 1.
      u: an array (...) or a number, from 0 up to but without 1.

    Returns:
      An int32 array (...): the first token at which the sum of the weights so far exceeds u times the sum of all.
    """
    # BEGIN SOLUTION Exercise 2: sum the weights up along the last axis, and find the first sum above u times the last.
    ends = jnp.cumsum(weights, axis=-1)
    return jnp.argmax(ends > jnp.asarray(u)[..., None] * ends[..., -1:], axis=-1)
    # END SOLUTION


# %% name="pick-check" tags=["check"] exercise="pick"
quarters = jnp.array([0.0, 0.25, 0.5, 0.25, 0.0])
check(
    "the dart 0.7 hits table",
    lambda: pick(jax.nn.softmax(LOGITS), 0.7),
    4,
    mistakes={
        "This is the most likely word, wherever the dart fell.": 2,
        "This is the word before the one that is hit: take the first whose sum exceeds u.": 3,
        "This is the word after the one that is hit: take the first whose sum exceeds u.": 5,
    },
)
check(
    "at the seams: darts at 0, 0.25 and 0.75",
    lambda: pick(jnp.stack([quarters] * 3), jnp.array([0.0, 0.25, 0.75])),
    np.array([1, 2, 3], np.int32),
    mistakes={
        "With u = 0 a word of length 0 was hit. Its sum must exceed the dart: > and not >=.": np.array(
            [0, 1, 2], np.int32
        ),
        "This is the most likely word, wherever the dart fell.": np.array([2, 2, 2], np.int32),
        "This is the word after the one that is hit: take the first whose sum exceeds u.": np.array(
            [2, 3, 4], np.int32
        ),
    },
)
check(
    "a sum that is less than 1: the dart 0.95 still hits the last word",
    lambda: pick(jnp.array([0.3, 0.2, 0.4]), 0.95),
    2,
    mistakes={
        "The dart fell off the end: no sum exceeds it, and argmax of nothing but False is 0. Multiply u by the sum.": 0,
        "The dart fell off the end: this token does not exist. Multiply u by the sum of the weights.": 3,
    },
)
check(
    "a sum that is more than 1: a dart in the middle hits the middle",
    lambda: pick(jnp.array([2.0, 4.0, 2.0]), 0.5),
    1,
    mistakes={"The dart was not multiplied by the sum of the weights, which is 8 here.": 0},
)
check(
    "each row its own dart",
    lambda: pick(jax.nn.softmax(THREE_ROWS, axis=-1), jnp.array([0.7, 0.3, 0.99])),
    np.array([4, 3, 7], np.int32),
    mistakes={
        "The sums run down the rows, and not along the words: axis=-1.": np.array([0, 0, 0], np.int32),
        "This is the most likely word, wherever the dart fell.": np.array([2, 5, 4], np.int32),
    },
)

# %% name="pick-rows" tags=["hidden-test"] exercise="pick" points=2 hint="The first token at which the cumulative sum along the last axis exceeds the row's u."
table = inputs.uniform(12, 7, low=0.1, high=1.0)
table = table / table.sum(-1, keepdims=True)
darts = inputs.uniform(12, low=0.05, high=0.95)
hit = jnp.argmax(jnp.cumsum(table, -1) > darts[:, None], -1)
report(
    pick(table, darts),
    mistakes={
        "This is the most likely word, wherever the dart fell.": lambda: table.argmax(-1),
        "This is the word before the one that is hit: take the first whose sum exceeds u.": lambda: hit - 1,
        "This is the word after the one that is hit: take the first whose sum exceeds u.": lambda: hit + 1,
        "The sums run down the rows, and not along the words: axis=-1.": lambda: jnp.argmax(
            jnp.cumsum(table, 0) > darts[:, None] * jnp.cumsum(table, 0)[:, -1:], -1
        ),
    },
)

# %% name="pick-seams" tags=["hidden-test"] exercise="pick" points=2 hint="Compare with >, and with u times the sum of all weights: they need not sum to 1."
pieces = jnp.concatenate([jnp.zeros(1), 1.0 + inputs.permutation(4), jnp.zeros(1)])  # They sum to 10.
scale = 2.0 ** inputs.integers(low=5, high=7).item()
seams = jnp.cumsum(pieces)[:-2]  # The first is 0: the dart u = 0.
weights = jnp.concatenate([pieces, jnp.array([6.0])]) / scale  # A sum of 16 / scale, which is less than 1; all exact.
edges = jnp.append(seams, 15.5) / 16
each = jnp.tile(weights, (len(edges), 1))
ends = jnp.cumsum(each, -1)
report(
    pick(each, edges),
    mistakes={
        "With u = 0 a word of length 0 was hit. Its sum must exceed the dart: > and not >=.": lambda: jnp.argmax(
            ends >= edges[:, None] * ends[:, -1:], -1
        ),
        "The dart was not multiplied by the sum of the weights.": lambda: jnp.argmax(ends > edges[:, None], -1),
        "The dart fell off the end: this token does not exist. Multiply u by the sum of the weights.": lambda: (
            ends <= edges[:, None]
        ).sum(-1),
        "This is the word before the one that is hit: take the first whose sum exceeds u.": lambda: (
            jnp.argmax(ends > edges[:, None] * ends[:, -1:], -1) - 1
        ),
        "This is the word after the one that is hit: take the first whose sum exceeds u.": lambda: (
            jnp.argmax(ends > edges[:, None] * ends[:, -1:], -1) + 1
        ),
        "This is the most likely word, wherever the dart fell.": lambda: each.argmax(-1),
    },
)

# %% [markdown]
# Ten thousand darts, and the bars come back:

# %% name="ten-thousand" tags=["demo"]
with skip_if_unfinished():
    darts = jax.random.uniform(jax.random.key(0), (10_000,))
    hits = np.bincount(pick(jnp.tile(jax.nn.softmax(LOGITS), (10_000, 1)), darts), minlength=8)
    for word, hit, p in zip(WORDS, hits, jax.nn.softmax(LOGITS), strict=True):
        print(f"{word:9} hit {hit / 100:4.1f} %   likely {100 * p:4.1f} %")

# %% [markdown]
# There is another way, which needs no sum. Give each word a random number $g_i = -\log(-\log u_i)$ of its own and
# take the largest $z_i + g_i$: the winners have exactly the probabilities of softmax (Gumbel, 1954).
# `jax.random.categorical` does that, since a largest is easier to find on many processors than a running sum. In
# PyTorch, gpt-fast takes the largest $p_i / e_i$ with $e_i$ exponentially distributed, which is the same thing
# without the logarithms.
#
# ## 4. The tail
#
# Real vocabularies have 50,000 tokens and more. If 40,000 absurd ones have a hundredth of a thousandth each, together
# they have 40 %: the *tail*. A single slip into it derails the text, since the model goes on from whatever is there.
# Two ways to cut it off, both from 2018 and 2019:
#
# - **top-k** (Fan, Lewis and Dauphin, 2018) keeps the $k$ most likely tokens;
# - **top-p**, or *nucleus* (Holtzman et al., 2019), keeps the smallest number of most likely tokens that have probability $p$ together.
#
# ### Exercise 3: top-k
#
# Exactly $k$, also where logits tie: then the smaller ids stay. Ties are not rare. Numbers of 16 bits (bfloat16) have
# two to three digits, so neighbours in the tail are often equal.
#
# A threshold, "everything not below the $k$-th largest", keeps all that tie with it. Ranks do not. `jnp.argsort` with
# `descending=True` gives the ids from the most likely to the least likely; `argsort` **of that** gives the place of
# each id in that order. With four logits:
#
# | | | | | |
# |---|---|---|---|---|
# | id | 0 | 1 | 2 | 3 |
# | logit | 1 | 7 | 3 | 5 |
# | `order = argsort(logits, descending=True)` | 1 | 3 | 2 | 0 |
# | `rank = argsort(order)` | 3 | 0 | 2 | 1 |
#
# The first place of the order is held by id 1; id 0 has rank 3. They are different things, and confusing them is the
# mistake that everybody makes once.


# %% name="top_k" tags=["exercise"] forbids=["minitorch.infer.top_k"]
def top_k(logits, k):
    """Rule out all but the k most likely tokens of each row.

    Args:
      logits: an array (..., V).
      k: a whole number from 1 up; with V or more nothing is ruled out.

    Returns:
      An array (..., V): the logits of exactly k tokens, and minus infinity for the others. Where two tie for the last
      place, the smaller id stays.
    """
    # BEGIN SOLUTION Exercise 3: find the rank of each id along the last axis; keep the logits with a rank below k.
    order = jnp.argsort(logits, axis=-1, descending=True)
    rank = jnp.argsort(order, axis=-1)
    return jnp.where(rank < k, logits, -jnp.inf)
    # END SOLUTION


# %% name="top_k-check" tags=["check"] exercise="top_k"
check(
    "the three most likely tokens: mat, sofa and table",
    lambda: top_k(LOGITS, 3),
    lambda: only(1, 2, 4),
    mistakes={
        "These are the first three places of the order, taken for ids. Sort the order once more to get ranks.": lambda: (
            jnp.where(jnp.argsort(-LOGITS) < 3, LOGITS, -jnp.inf)
        ),
        "The three least likely were kept.": lambda: only(3, 5, 7),
        "One too many was kept: the ranks begin with 0.": lambda: only(1, 2, 4, 6),
        "One too few was kept: the ranks begin with 0.": lambda: only(2, 4),
        "The others got the logit 0, which is e^0 = 1 and not nothing. Rule a token out with -jnp.inf.": lambda: only(
            1, 2, 4, otherwise=0.0
        ),
        "The logits are sorted, so that nobody knows any more whose they are. Each must stay in its place.": lambda: (
            jnp.where(jnp.arange(8) < 3, -jnp.sort(-LOGITS), -jnp.inf)
        ),
        "These are the first three words, whatever their logits.": lambda: only(0, 1, 2),
    },
)
check(
    "three of four that tie for two places",
    lambda: top_k(jnp.array([2.0, 5.0, 2.0, 0.0, 2.0]), 2),
    np.array([2.0, 5.0, -np.inf, -np.inf, -np.inf], np.float32),
    mistakes={
        "All that tie with the last one were kept, so that there are more than k. Compare ranks, and not logits.": (
            np.array([2.0, 5.0, 2.0, -np.inf, 2.0], np.float32)
        ),
        "Of equals the last one was kept. Sort with `descending=True`, which leaves equals in their order.": (
            np.array([-np.inf, 5.0, -np.inf, -np.inf, 2.0], np.float32)
        ),
        "None of those that tie was kept.": np.array([-np.inf, 5.0, -np.inf, -np.inf, -np.inf], np.float32),
    },
)
check(
    "each row its own",
    lambda: top_k(THREE_ROWS, 2),
    lambda: jnp.stack([only(*ids, logits=row) for ids, row in zip(((2, 4), (5, 3), (4, 6)), THREE_ROWS, strict=True)]),
    mistakes={
        "The ranks run down the columns. Sort along the last axis.": lambda: jnp.where(
            jnp.argsort(jnp.argsort(-THREE_ROWS, axis=0), axis=0) < 2, THREE_ROWS, -jnp.inf
        ),
        "All rows together keep two tokens. Sort each row along the last axis.": lambda: jnp.where(
            jnp.argsort(jnp.argsort(-THREE_ROWS.ravel())).reshape(3, 8) < 2, THREE_ROWS, -jnp.inf
        ),
    },
)
check("k larger than the vocabulary keeps all", lambda: top_k(LOGITS, 100), lambda: LOGITS)

# %% name="top_k-rows" tags=["hidden-test"] exercise="top_k" points=2 hint="The logits of the k most likely tokens of each row stay in their places; all others become minus infinity."
rows = 2.0 + inputs.normal(4, 9)
k = int(inputs.integers(low=3, high=6))
order = jnp.argsort(-rows, -1)
rank = jnp.argsort(order, -1)
report(
    top_k(rows, k),
    mistakes={
        "These are the first places of the order, taken for ids. Sort the order once more to get ranks.": lambda: (
            jnp.where(order < k, rows, -jnp.inf)
        ),
        "The least likely were kept.": lambda: jnp.where(rank >= 9 - k, rows, -jnp.inf),
        "One too many was kept: the ranks begin with 0.": lambda: jnp.where(rank <= k, rows, -jnp.inf),
        "One too few was kept: the ranks begin with 0.": lambda: jnp.where(rank < k - 1, rows, -jnp.inf),
        "The others got the logit 0, which is e^0 = 1 and not nothing. Rule a token out with -jnp.inf.": lambda: (
            jnp.where(rank < k, rows, 0.0)
        ),
        "The logits are sorted, so that nobody knows any more whose they are. Each must stay in its place.": lambda: (
            jnp.where(jnp.arange(9) < k, -jnp.sort(-rows, -1), -jnp.inf)
        ),
        "The ranks run down the columns. Sort along the last axis.": lambda: jnp.where(
            jnp.argsort(jnp.argsort(-rows, 0), 0) < k, rows, -jnp.inf
        ),
    },
)

# %% name="top_k-ties" tags=["hidden-test"] exercise="top_k" points=2 hint="Exactly k, also where logits tie: then the smaller ids stay."
levels = jnp.array([3.0, 2.0, 2.0, 2.0, 2.0, 1.0, 0.5])[jnp.stack([inputs.permutation(7) for _ in range(3)])]
k = int(inputs.integers(low=2, high=5))
rank = jnp.argsort(jnp.argsort(-levels, -1), -1)
report(
    top_k(levels, k),
    mistakes={
        "All that tie with the last one were kept, so that there are more than k. Compare ranks, and not logits.": lambda: (
            jnp.where(levels >= 2.0, levels, -jnp.inf)
        ),
        "Of equals the last one was kept. Sort with `descending=True`, which leaves equals in their order.": lambda: (
            jnp.where(jnp.argsort(jnp.argsort(levels, -1)[:, ::-1], -1) < k, levels, -jnp.inf)
        ),
        "None of those that tie was kept.": lambda: jnp.where(levels > 2.0, levels, -jnp.inf),
        "These are the first places of the order, taken for ids. Sort the order once more to get ranks.": lambda: (
            jnp.where(jnp.argsort(-levels, -1) < k, levels, -jnp.inf)
        ),
        "The least likely were kept.": lambda: jnp.where(
            jnp.argsort(jnp.argsort(levels, -1), -1) < k, levels, -jnp.inf
        ),
        "One too many was kept: the ranks begin with 0.": lambda: jnp.where(rank <= k, levels, -jnp.inf),
        "One too few was kept: the ranks begin with 0.": lambda: jnp.where(rank < k - 1, levels, -jnp.inf),
        "The others got the logit 0, which is e^0 = 1 and not nothing. Rule a token out with -jnp.inf.": lambda: (
            jnp.where(rank < k, levels, 0.0)
        ),
        "The logits are sorted, so that nobody knows any more whose they are. Each must stay in its place.": lambda: (
            jnp.where(jnp.arange(7) < k, -jnp.sort(-levels, -1), -jnp.inf)
        ),
        "The ranks run down the columns. Sort along the last axis.": lambda: jnp.where(
            jnp.argsort(jnp.argsort(-levels, 0), 0) < k, levels, -jnp.inf
        ),
    },
)

# %% [markdown]
# ### Top-p
#
# What is wrong with a fixed $k$? After *The capital of France is* there is one good word; after *My favourite food
# is* there are hundreds. Top-p lets the model say how many. Take $p = 0.7$:
#
# | from the most likely down | mat | table | sofa | floor | roof | ... |
# |---|---|---|---|---|---|---|
# | probability | 0.403 | 0.244 | 0.148 | 0.090 | 0.055 | |
# | sum **before** it | 0 | 0.403 | 0.647 | 0.795 | 0.885 | |
# | sum **with** it | 0.403 | 0.647 | 0.795 | 0.885 | 0.940 | |
# | kept, for $p = 0.7$ | yes | yes | **yes** | no | no | |
#
# *Mat* and *table* have 0.647 together, which is not enough. *Sofa* crosses the line, and is kept. So a word stays if
# the sum **before** it is less than $p$. Using the sum *with* it loses *sofa*; and where the model is sure of one
# word, with 0.9 say, it loses that one too, and with it everything: softmax of nothing but $-\infty$ is NaN.
#
# Predict: how many words are kept for $p = 0.4$, and how many for $p = 0.41$?
#
# ### Exercise 4: top-p
#
# `jnp.take_along_axis(x, order, axis=-1)` puts each row of `x` into an order. With the ranks of exercise 3 in place
# of `order` it brings a row that is in order back to the ids' places.


# %% name="top_p" tags=["exercise"] forbids=["minitorch.infer.top_p"]
def top_p(logits, p):
    """Rule out all but the smallest number of most likely tokens that have probability p together.

    Args:
      logits: an array (..., V).
      p: a number between 0 and 1, without both.

    Returns:
      An array (..., V): in each row, the logits of the most likely tokens up to and with the one whose probability brings
      the sum to p or more, and minus infinity for the others.
    """
    # BEGIN SOLUTION Exercise 4: sort the probabilities, sum up what is before each, keep where that is less than p, undo the sort.
    order = jnp.argsort(logits, axis=-1, descending=True)
    likely = jnp.take_along_axis(jax.nn.softmax(logits, axis=-1), order, axis=-1)
    before = jnp.cumsum(likely, axis=-1) - likely
    kept = jnp.take_along_axis(before < p, jnp.argsort(order, axis=-1), axis=-1)
    return jnp.where(kept, logits, -jnp.inf)
    # END SOLUTION


# %% name="top_p-check" tags=["check"] exercise="top_p"
check(
    "p = 0.7: mat, table, and sofa, which crosses the line",
    lambda: top_p(LOGITS, 0.7),
    lambda: only(1, 2, 4),
    mistakes={
        "The word that crosses the line is lost: mat and table have 0.647 only. Look at the sum before each word.": lambda: (
            only(2, 4)
        ),
        "One word too many was kept. A word stays if those before it have less than p.": lambda: only(1, 2, 4, 6),
        "The sum begins with the least likely words. Sort from the most likely down.": lambda: LOGITS,
        "The words were summed up in their places, and not from the most likely down.": lambda: only(0, 1, 2, 3, 4),
        "The places in the order were taken for ids. Bring the mask back with the ranks.": lambda: only(0, 1, 2),
        "The logits were summed up. Probabilities are what must reach p: softmax first.": lambda: only(2),
        "The others got the logit 0, which is e^0 = 1 and not nothing. Rule a token out with -jnp.inf.": lambda: only(
            1, 2, 4, otherwise=0.0
        ),
        "These are probabilities. A sampler returns logits, so that another one can follow; softmax comes last.": lambda: (
            jax.nn.softmax(only(1, 2, 4))
        ),
    },
)
check(
    "a sure model, p = 0.3: one word is enough, and one must be left",
    lambda: top_p(LOGITS, 0.3),
    lambda: only(2),
    mistakes={
        "Nothing is left. The word that crosses the line, here the first one, must be kept.": lambda: only(),
        "One word too many was kept. A word stays if those before it have less than p.": lambda: only(2, 4),
    },
)
check(
    "four words that are equally likely, p = 0.5: two have exactly that, and are enough",
    lambda: top_p(jnp.full(4, 1.5), 0.5),
    np.array([1.5, 1.5, -np.inf, -np.inf], np.float32),
    mistakes={
        "One word too many was kept: those before it have exactly p, and that is enough.": np.array(
            [1.5, 1.5, 1.5, -np.inf], np.float32
        ),
    },
)
check(
    "each row by itself, p = 0.85: a sure row, a shuffled one, one that hardly knows",
    lambda: top_p(jnp.stack([3 * LOGITS, LOGITS[::-1], LOGITS / 10]), 0.85),
    lambda: jnp.stack(
        [
            only(2, 4, logits=3 * LOGITS),
            only(5, 3, 6, 1, logits=LOGITS[::-1]),
            only(0, 1, 2, 3, 4, 5, 6, logits=LOGITS / 10),
        ]
    ),
    mistakes={
        "The sums run over the wrong axis. Sort and sum along the last one.": lambda: (
            mt.infer.top_p(0.85)(jnp.stack([3 * LOGITS, LOGITS[::-1], LOGITS / 10]).T).T
        ),
    },
)

# %% name="top_p-rows" tags=["hidden-test"] exercise="top_p" points=3 hint="From the most likely down, a token stays if the sum of the probabilities before it is less than p. Each row by itself; logits stay in their places."
rows = 1.5 * inputs.normal(4, 10)
p = inputs.uniform(low=0.6, high=0.85).item()
order = jnp.argsort(-rows, -1)
rank = jnp.argsort(order, -1)
likely = jnp.take_along_axis(jax.nn.softmax(rows), order, -1)
upto = jnp.cumsum(likely, -1)


def in_place(kept):
    """The logits where a mask in the order of likeliness says so."""
    return jnp.where(jnp.take_along_axis(kept, rank, -1), rows, -jnp.inf)


report(
    top_p(rows, p),
    mistakes={
        "The word that crosses the line is lost. Look at the sum before each word.": lambda: in_place(upto < p),
        "One word too many was kept. A word stays if those before it have less than p.": lambda: in_place(
            jnp.roll(upto - likely < p, 1, -1).at[:, 0].set(True)
        ),
        "The sum begins with the least likely words. Sort from the most likely down.": lambda: in_place(1 - upto < p),
        "The logits were summed up. Probabilities are what must reach p: softmax first.": lambda: in_place(
            jnp.cumsum(-jnp.sort(-rows, -1), -1) + jnp.sort(-rows, -1) < p
        ),
        "The words were summed up in their places, and not from the most likely down.": lambda: jnp.where(
            jnp.cumsum(jax.nn.softmax(rows), -1) - jax.nn.softmax(rows) < p, rows, -jnp.inf
        ),
        "The places in the order were taken for ids. Bring the mask back with the ranks.": lambda: jnp.where(
            upto - likely < p, rows, -jnp.inf
        ),
        "The others got the logit 0, which is e^0 = 1 and not nothing. Rule a token out with -jnp.inf.": lambda: (
            jnp.where(jnp.take_along_axis(upto - likely < p, rank, -1), rows, 0.0)
        ),
        "These are probabilities. A sampler returns logits, so that another one can follow; softmax comes last.": lambda: (
            jax.nn.softmax(in_place(upto - likely < p))
        ),
    },
)
even = inputs.uniform(low=0.5, high=2.0).item()
report(
    top_p(jnp.full(8, even), 0.5),
    mistakes={
        "One word too many was kept: those before it have exactly p, and that is enough.": lambda: jnp.where(
            jnp.arange(8) < 5, even, -jnp.inf
        ),
    },
)

# %% name="top_p-sure" tags=["hidden-test"] exercise="top_p" points=2 hint="Where the most likely token alone has p or more, it is the one that is kept."
sure = jnp.stack([jnp.where(jnp.arange(6) == place, 4.0, inputs.normal(6)) for place in inputs.permutation(6)[:3]])
p = inputs.uniform(low=0.1, high=0.2).item()
rank = jnp.argsort(jnp.argsort(-sure, -1), -1)
report(
    top_p(sure, p),
    mistakes={
        "Nothing is left. The word that crosses the line, here the first one, must be kept.": lambda: sure - jnp.inf,
        "The word that crosses the line is lost. Look at the sum before each word.": lambda: sure - jnp.inf,
        "One word too many was kept. A word stays if those before it have less than p.": lambda: jnp.where(
            rank < 2, sure, -jnp.inf
        ),
        "The places in the order were taken for ids. Bring the mask back with the ranks.": lambda: jnp.where(
            jnp.arange(6) == 0, sure, -jnp.inf
        ),
        "The others got the logit 0, which is e^0 = 1 and not nothing. Rule a token out with -jnp.inf.": lambda: (
            jnp.where(rank == 0, sure, 0.0)
        ),
    },
)

# %% [markdown]
# Your samplers on a model that is sure and on one that is not. Count the bars: top-k keeps three in either case,
# top-p two and six.

# %% name="two-moods" tags=["demo"]
with skip_if_unfinished():
    sampling.bars(
        WORDS,
        {"sure": 2 * LOGITS, "not sure": 0.4 * LOGITS},
        {
            "top-k, k = 3": functools.partial(top_k, k=3),
            "top-p, p = 0.85": functools.partial(top_p, p=0.85),
            "T = 0.6, then p = 0.85": lambda logits: top_p(temperature(logits, 0.6), 0.85),
            "p = 0.85, then T = 0.6": lambda logits: temperature(top_p(logits, 0.85), 0.6),
        },
    )

# %% [markdown]
# The last two columns hold the same two samplers in either order, and where the model is not sure they keep five
# words or six. **Temperature first**, and top-p judges the probabilities that will really be drawn with (Hugging Face
# transformers, minitorch). **Temperature last**, and the cut is that of the plain model (llama.cpp's default). The
# same two numbers in two programs do not mean the same. Above a temperature of 1 it matters most: which of the two
# orders lets more of the tail through?

# %% [markdown]
# ## 5. The loop
#
# Read the text, choose a token, put it behind the text, and begin again. Three things to get right:
#
# - **The window.** A model was made for a context of a fixed number of tokens. When the text outgrows it, the model sees the
#   *latest* ones.
# - **The stop.** Most models have a token that means "done". It is drawn like any other, and it ends the loop.
# - **Chance.** Token number $i$ is drawn with the random number that belongs to $i$. Then the same key writes the
#   same text, however it is computed. You will be glad of that in section 9.
#
# ### Exercise 5: generate


# %% name="parrot"
class Parrot:
    """A model of 11 tokens whose next one is (the sum of what it sees + how many it sees) modulo 11. It remembers what it saw."""

    def __init__(self):
        self.seen = []

    def __call__(self, text):
        self.seen.append(list(text))
        return np.eye(11)[(sum(text) + len(text)) % 11]


def greedy(logits, i):
    return logits.argmax()


def shifted(logits, i):
    """The most likely token, plus twice the number of the draw."""
    return (logits.argmax() + 2 * i) % 11


# %% name="generate" tags=["exercise"] forbids=["minitorch.infer.generate.generate", "minitorch.infer.stream", "minitorch.infer.generate_naive"]
def generate(next_logits, ids, count, choose, context, stop=None):
    """Continue a text, and read it from its start for every token.

    Args:
      next_logits: a function from a list of ids, at least one and at most `context`, to the logits (V,) of the next one.
      ids: a list of ids, the prompt. It must not be changed.
      count: how many tokens are drawn at most.
      choose: a function (logits, i) -> token, where i is how many tokens were drawn before.
      context: how many tokens the model can see; of a longer text, it sees the last ones.
      stop: when this token is drawn, nothing more is. None if there is no such token.

    Returns:
      The list of the tokens drawn, as ints, with `stop` and without the prompt.
    """
    # BEGIN SOLUTION Exercise 5: at most `count` times, ask next_logits about the end of the text, choose a token, append it; end at `stop`.
    text = list(ids)
    for i in range(count):
        text.append(int(choose(next_logits(text[-context:]), i)))
        if text[-1] == stop:
            break
    return text[len(ids) :]
    # END SOLUTION


# %% name="generate-check" tags=["check"] exercise="generate"
def seen_by(model, *args, **kwargs):
    """What the model was shown while a text was generated."""
    generate(model, *args, **kwargs)
    return model.seen


def prompt_afterwards():
    """A prompt, after it was continued."""
    prompt = [3, 6]
    generate(Parrot(), prompt, 3, greedy, context=20)
    return prompt


check(
    "three tokens after 3, 6: (9 + 2) is 0, (9 + 3) is 1, (10 + 4) is 3",
    lambda: generate(Parrot(), [3, 6], 3, greedy, context=20),
    [0, 1, 3],
    mistakes={
        "The prompt is part of the result. Return only what was drawn.": [3, 6, 0, 1, 3],
        "The model never sees what was drawn: it answers the same question each time. Append each token.": [0, 0, 0],
        "The model sees only the last token of the text. Show it all that fits into the context.": [7, 8, 9],
        "One token too few: draw `count` of them.": [0, 1],
        "One token too many: draw `count` of them.": [0, 1, 3, 7],
        "The result is empty: the prompt itself was made longer. Begin with a copy, list(ids).": [],
    },
)
check(
    "the prompt is still what it was",
    prompt_afterwards,
    [3, 6],
    mistakes={
        "The prompt itself was made longer, and belongs to whoever called. Begin with a copy, list(ids).": [
            3,
            6,
            0,
            1,
            3,
        ],
    },
)
check(
    "a context of 3: the model sees the latest three",
    lambda: seen_by(Parrot(), [3, 6, 1, 4], 3, greedy, context=3),
    [[6, 1, 4], [1, 4, 3], [4, 3, 0]],
    mistakes={
        "The model sees the first tokens of the text, and none of the new ones. Take the last: text[-context:].": [
            [3, 6, 1],
            [3, 6, 1],
            [3, 6, 1],
        ],
        "The model sees more than its context. Cut the text: text[-context:].": [
            [3, 6, 1, 4],
            [3, 6, 1, 4, 7],
            [3, 6, 1, 4, 7, 4],
        ],
        "The model sees only the last token of the text. Show it all that fits into the context.": [[4], [5], [6]],
        "The model never sees what was drawn: it answers the same question each time. Append each token.": [
            [6, 1, 4],
            [6, 1, 4],
            [6, 1, 4],
        ],
    },
)
check(
    "the token 1 ends it, and is the last of the result",
    lambda: generate(Parrot(), [3, 6], 9, greedy, context=20, stop=1),
    [0, 1],
    mistakes={
        "The stop token is missing. It is drawn, so it belongs to the result; then nothing more is.": [0],
        "The stop token stops nothing.": [0, 1, 3, 7, 4, 9, 8, 6, 2],
        "One token was drawn after the stop token.": [0, 1, 3],
    },
)
check(
    "`choose` gets the number of the draw: 0, 1, 2",
    lambda: generate(Parrot(), [3, 6], 3, shifted, context=20),
    [0, 3, 9],
    mistakes={
        "`choose` got 0 each time, so that every token would be drawn with the same random number.": [0, 1, 3],
        "The numbers of the draws begin with 1. Before the first one, 0 tokens were drawn.": [2, 7, 6],
    },
)

# %% name="generate-window" tags=["hidden-test"] exercise="generate" points=3 hint="The model is shown the last `context` tokens of prompt and new tokens together; only new tokens are returned."
V = 13
numbers = inputs.integers(4, V, low=1, high=50)


class Owl:
    """Its next token depends on the first and last of what it sees, and on how many they are."""

    def __call__(self, text):
        at = int(numbers[0, text[0]] + numbers[1, text[-1]] + numbers[2, sum(text) % V] + 3 * len(text))
        return np.eye(V)[at % V]


prompt, context = [int(i) for i in inputs.integers(7, low=0, high=V)], int(inputs.integers(low=4, high=6))


def expected(view=lambda text, made: (text + made)[-context:], number=lambda i: i, count=8, stop=None):
    made = []
    for i in range(count):
        made.append((int(Owl()(view(prompt, made)).argmax()) + 5 * number(i)) % V)
        if made[-1] == stop:
            break
    return made


def by_number(logits, i):
    return (logits.argmax() + 5 * i) % V


report(
    generate(Owl(), list(prompt), 8, by_number, context),
    mistakes={
        "The prompt is part of the result. Return only what was drawn.": lambda: prompt + expected(),
        "The model never sees what was drawn: it answers the same question each time. Append each token.": lambda: (
            expected(lambda text, made: text[-context:])
        ),
        "The model sees only the last token of the text. Show it all that fits into the context.": lambda: expected(
            lambda text, made: (text + made)[-1:]
        ),
        "The model sees the first tokens of the text, and none of the new ones. Take the last: text[-context:].": lambda: (
            expected(lambda text, made: text[:context])
        ),
        "The model sees more than its context. Cut the text: text[-context:].": lambda: expected(
            lambda text, made: text + made
        ),
        "`choose` got 0 each time, so that every token would be drawn with the same random number.": lambda: expected(
            number=lambda i: 0
        ),
        "The numbers of the draws begin with 1. Before the first one, 0 tokens were drawn.": lambda: expected(
            number=lambda i: i + 1
        ),
        "The result is empty: the prompt itself was made longer. Begin with a copy, list(ids).": [],
    },
)

# %% name="generate-stop" tags=["hidden-test"] exercise="generate" points=2 hint="The stop token is the last of the result, and nothing is drawn after it."
V = 13
jump = int(inputs.integers(low=2, high=6))
start = int(inputs.integers(low=1, high=8))


def frog(text):
    """Jumps on by the same distance each time, so that all 13 tokens come."""
    return np.eye(V)[(text[-1] + jump) % V]


path = [(start + jump * (i + 1)) % V for i in range(12)]
last = path[5]
report(
    generate(frog, [last, start], 12, lambda logits, i: logits.argmax(), 20, stop=last),
    mistakes={
        "The stop token is missing. It is drawn, so it belongs to the result; then nothing more is.": path[:5],
        "The stop token stops nothing.": path,
        "One token was drawn after the stop token.": path[:7],
        "The prompt is part of the result. Return only what was drawn.": [last, start, *path[:6]],
        "The model never sees what was drawn: it answers the same question each time. Append each token.": path[:1]
        * 12,
        "The result is empty: the prompt itself was made longer. Begin with a copy, list(ids).": [],
    },
)

# %% [markdown]
# ### Let it talk
#
# The pieces together: samplers one after the other, softmax, a dart. The dart's number belongs to the number of the
# draw.


# %% name="chooser"
def chooser(key, *samplers):
    """The function `choose` for `generate`: the samplers in this order, then a draw with random number i of the key."""

    @jax.jit
    def uniform(i):
        return jax.random.uniform(jax.random.fold_in(key, i))

    def choose(logits, i):
        for sampler in samplers:
            logits = sampler(logits)
        return pick(jax.nn.softmax(logits), uniform(i))

    return choose


def reader(model):
    """The function `next_logits` of a model. Texts are padded to the context, so that one compiled program reads all
    lengths: what stands behind a token changes nothing for it (notebook 07)."""
    forward = jax.jit(lambda model, ids, last: model(ids)[0, last])

    def next_logits(text):
        padding = [0] * (model.config.context - len(text))
        return forward(model, jnp.array([list(text) + padding]), len(text) - 1)

    return next_logits


# %% [markdown]
# And a model: the one that you trained in notebook 08, if its run lies next to this notebook, in `runs/08`; otherwise
# a small one, trained in the next cell on the docstrings of Python's library, a character at a time. It takes about
# 20 seconds, and will be no poet.


# %% name="talker" tags=["demo", "nbval-ignore-output"]
@functools.cache
def talker():
    """A trained model and its tokenizer, and where they are from."""
    if Path("runs/08/config.json").is_file():
        trained = mt.train.load_run("runs/08")
        return trained.model, trained.tokenizer, "notebook 08"
    import tempfile

    settings = mt.train.RunConfig(
        data="stdlib-docstrings", limit=400_000, model="llama", kv_heads=2, layers=3, heads=4, width=96, context=96,
        batch=12, steps=400, lr=3e-3, eval_every=400, checkpoint_every=400,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        mt.train.train(settings, folder)
        trained = mt.train.load_run(folder)
    return trained.model, trained.tokenizer, "just now"


model, tokenizer, when = talker()
print(
    f"trained {when}: {mt.nn.paths.count(model):,} numbers, {tokenizer.vocab_size} tokens, context {model.config.context}"
)

# %% name="talk" tags=["demo", "nbval-ignore-output"]
with skip_if_unfinished():
    ways = {
        "greedy": [functools.partial(temperature, t=0)],
        "as the model says": [],
        "T = 0.7": [functools.partial(temperature, t=0.7)],
        "T = 1.5": [functools.partial(temperature, t=1.5)],
        "T = 0.8, then p = 0.9": [functools.partial(temperature, t=0.8), functools.partial(top_p, p=0.9)],
    }
    prompt = tokenizer.encode("Return the")
    texts = {}
    for name, samplers in ways.items():
        choose = chooser(jax.random.key(1), *samplers)
        texts[name] = generate(reader(model), prompt, 160, choose, model.config.context)
        print(f"--- {name}\nReturn the{mt.infer.printable(tokenizer.decode(texts[name]))}\n")

# %% [markdown]
# Holtzman et al. (2019) measured what you see: the text with the highest probability is not good text. It falls into
# a loop, since each repetition makes the next one likelier, and people do not write like that: what they say is
# surprising every now and then. How much of each text above repeats four tokens that were there before?


# %% name="repeats" tags=["demo", "nbval-ignore-output"]
def repeated(ids, n=4):
    """The share of the runs of n tokens that occurred earlier in the text."""
    runs = [tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)]
    return sum(run in runs[:i] for i, run in enumerate(runs)) / len(runs)


with skip_if_unfinished():
    for name, text in texts.items():
        print(f"{name:22} {100 * repeated(text):3.0f} % repeated")

# %% [markdown]
# ## 6. The waste
#
# Look at what the loop reads. To draw the fourth word of *the mat and slept*, it reads *the cat sat on the mat and*,
# and has read the first six before.

# %% name="triangle" tags=["demo"]
caching.triangle(["the", "cat", "sat", "on"], ["the", "mat", "and", "slept"])

# %% [markdown]
# The orange triangle is work that was done before, with the same result: a causal model computes the same numbers for
# *cat* in every row, since nothing behind *cat* can change them. With 4 words of prompt and 4 new ones, 22 words are
# read where 7 would do. The last word drawn, *slept*, is read by nobody: nobody asks what comes after it.
#
# ### Exercise 6: how much is read?
#
# Predict first: if the text becomes twice as long, by what factor does the waste grow?


# %% name="tokens_read" tags=["exercise"]
def tokens_read(prompt, count):
    """How many tokens the model reads to draw `count` tokens after a prompt of `prompt` tokens, all within its context.

    Returns:
      Two ints: without a cache, where it reads the text from its start for every token, and with a cache, where it reads
      every token once.
    """
    # BEGIN SOLUTION Exercise 6: return both counts. The last token is drawn, and not read.
    return sum(prompt + i for i in range(count)), prompt + count - 1
    # END SOLUTION


# %% name="tokens_read-check" tags=["check"] exercise="tokens_read"
check(
    "the picture: 4 words, and 4 new ones",
    lambda: tokens_read(4, 4),
    (22, 7),
    mistakes={
        "With a cache, the last token is not read: nobody asks what comes after it.": (22, 8),
        "Without a cache, the last token is not read either: the longest text read is one shorter than the result.": (
            30,
            7,
        ),
        "Without a cache, the text is not at its full length from the beginning: it grows with each token.": (28, 7),
        "Without a cache, the prompt is read for every token, and what was drawn is read too.": (16, 7),
        "The last token is not read, neither without a cache nor with one: nobody asks what comes after it.": (26, 8),
    },
)
check("a single token: the prompt is read, and that is all", lambda: tokens_read(5, 1), (5, 5))
check("a book: 1,000 tokens and 3,000 new ones", lambda: tokens_read(1000, 3000), (7_498_500, 3_999))

# %% name="tokens_read-counts" tags=["hidden-test"] exercise="tokens_read" points=2 hint="Without a cache the text read grows by one each time, beginning with the prompt. The last token drawn is never read."
p, n = int(inputs.integers(low=5, high=30)), int(inputs.integers(low=31, high=60))
total = sum(range(p, p + n))
report(
    tokens_read(p, n),
    mistakes={
        "With a cache, the last token is not read: nobody asks what comes after it.": (total, p + n),
        "Without a cache, the last token is not read either: the longest text read is one shorter than the result.": (
            total + p + n,
            p + n - 1,
        ),
        "Without a cache, the text is not at its full length from the beginning: it grows with each token.": (
            n * (p + n - 1),
            p + n - 1,
        ),
        "Without a cache, the prompt is read for every token, and what was drawn is read too.": (n * p, p + n - 1),
        "The last token is not read, neither without a cache nor with one: nobody asks what comes after it.": (
            total + n,
            p + n,
        ),
    },
)

# %% [markdown]
# By your formula, for a prompt of 16 tokens. Both axes are logarithmic, so a square is a line twice as steep.

# %% name="reading" tags=["demo"]
with skip_if_unfinished():
    counts = [2**n for n in range(4, 14)]
    caching.reading(counts, [tokens_read(16, count) for count in counts])

# %% [markdown]
# ## 7. What to keep
#
# What would have to be kept of *cat*, so that the model need not read it again? Go through a block with the last
# token in mind, the only one whose logits are wanted:
#
# - norms, projections, the feed-forward layer: each token by itself. Nothing of *cat* is needed.
# - attention: the last token's **query** meets the **keys** of all tokens, and mixes their **values**. So keys and
#   values of *cat* are needed, in every layer.
# - the query of *cat*? It was used when *cat* was the last token, and never again.
#
# So: keys and values, in each layer. That is the **KV cache**. The array has a fixed length, with room to grow, since
# a compiled program wants fixed shapes; a number says how far it is filled.

# %% name="slots" tags=["demo"]
caching.slots(["the", "cat", "sat", "on"], ["the", "mat"], room=9)


# %% name="cache"
rope = my_solution("rope", otherwise=mt.nn.rope)


class Cache(NamedTuple):
    """Keys and values of the tokens so far, of one layer."""

    k: jax.Array  # (B, S, K, d): room for S tokens
    v: jax.Array  # (B, S, K, d)
    position: Any  # () int32: how many tokens are in it, and the place of the next one


def empty_cache(layer, batch, room):
    """A cache for an attention layer, with room for `size` tokens."""
    d = layer.qkv.weight.shape[1] // (layer.heads + 2 * layer.kv_heads)
    return Cache(*jnp.zeros((2, batch, room, layer.kv_heads, d)), position=jnp.int32(0))


def project(layer, x):
    """Queries (B, T, H, d), keys (B, T, K, d) and values (B, T, K, d) of x (B, T, D), not yet turned."""
    parts = layer.qkv(x).reshape(*x.shape[:2], layer.heads + 2 * layer.kv_heads, -1)
    return jnp.split(parts, [layer.heads, layer.heads + layer.kv_heads], axis=2)


def turn(layer, x, positions):
    """Queries or keys x (B, T, ...) turned by their positions (T,) in the text, if the layer has rotary positions."""
    return x if layer.rope_base is None else rope(x, positions, layer.rope_base)


def small_layer():
    """Attention with fixed weights: 4 wide, 2 heads that share one head of keys and values, rotary positions."""
    numbers = jnp.sin(jnp.arange(48.0) ** 2)
    weights = mt.nn.Linear(2 * numbers[:32].reshape(4, 8)), mt.nn.Linear(numbers[32:].reshape(4, 4))
    return mt.nn.Attention(*weights, heads=2, kv_heads=1, rope_base=10.0)


FOUR_TOKENS = jnp.cos(jnp.arange(16.0) ** 2).reshape(1, 4, 4)


# %% [markdown]
# Three details. Whoever misses one gets no error, only a worse text:
#
# 1. **Positions go on.** The token after 4 others stands at position 4, also if it comes alone. Rotary positions of a
#    call are `cache.position + 0, 1, 2, ...` Keys are kept *turned*: a token's place does not change any more.
# 2. **The rest of the array is not empty.** Slots beyond the position hold zeros, or what an older text left there.
#    Softmax does not know, and gives a score of 0 a weight of $e^0$. They must be masked.
# 3. **A prompt is read in one call.** Then there are T new tokens at once, and the first must not see the second. One
#    comparison settles 2 and 3: a query at position $q$ sees the slots $s \le q$.
#
# ### Exercise 7: attention with a cache
#
# `jax.lax.dynamic_update_slice_in_dim(array, piece, start, axis=1)` returns `array` with `piece` written into it from
# `start` on; `start` may be traced by `jax.jit`, which a slice `[start:stop]` does not allow. `mt.ops.attention(q, k,
# v, mask=mask)` takes q (B, T, H, d), k and v (B, S, K, d) and a mask of truth values (1, 1, T, S); it scales the
# scores, shares key heads among queries, and returns (B, T, H, d). `layer.out` is the last projection, of (B, T, D).


# %% name="cached_attention" tags=["exercise"] forbids=["minitorch.nn.KVCache.append"]
def append(cache, k, v):
    """The cache with the keys and values (B, T, K, d) of the next T tokens, and its position moved on by T."""
    # BEGIN SOLUTION Exercise 7: write k and v at cache.position along axis 1, and return a new Cache.
    write = jax.lax.dynamic_update_slice_in_dim
    keys = write(cache.k, k, cache.position, axis=1)
    values = write(cache.v, v, cache.position, axis=1)
    return Cache(keys, values, cache.position + k.shape[1])
    # END SOLUTION


def cached_attention(layer, x, cache):
    """Attention of T tokens x (B, T, D) to themselves and to those in the cache, which they follow.

    Args:
      layer: an `mt.nn.Attention`, for `project` and `turn`; its `out` is the last projection.

    Returns:
      The result (B, T, D), and the cache with the T tokens in it.
    """
    # BEGIN SOLUTION Exercise 7: find the positions, turn queries and keys, append, mask the slots behind each query, attend, project.
    positions = cache.position + jnp.arange(x.shape[1])  # (T,)
    q, k, v = project(layer, x)
    cache = append(cache, turn(layer, k, positions), v)
    seen = jnp.arange(cache.k.shape[1]) <= positions[:, None]  # (T, S)
    y = mt.ops.attention(turn(layer, q, positions), cache.k, cache.v, mask=seen[None, None])  # (B, T, H, d)
    return layer.out(y.reshape(x.shape)), cache
    # END SOLUTION


# %% name="cached_attention-check" tags=["check"] exercise="cached_attention"
def contents(cache):
    """The first number of each key and value of the first text, and the position."""
    return [np.asarray(array)[0, :, 0, 0].astype(int).tolist() for array in (cache.k, cache.v)] + [int(cache.position)]


def appended():
    """A cache with room for 5 and one token in it, after two more tokens."""
    begun = Cache(jnp.zeros((1, 5, 1, 2)).at[0, 0].set(9.0), jnp.zeros((1, 5, 1, 2)).at[0, 0].set(8.0), jnp.int32(1))
    return append(
        begun, jnp.array([1.0, 2.0]).reshape(1, 2, 1, 1) * jnp.ones(2), 3 + jnp.arange(4.0).reshape(1, 2, 1, 2)
    )


def in_pieces(layer, x, *lengths):
    """What the layer gives for a text that is read in pieces of these lengths, one call each."""
    cache, results = empty_cache(layer, len(x), 8), []
    for end, length in zip(np.cumsum(lengths), lengths, strict=True):
        y, cache = cached_attention(layer, x[:, end - length : end], cache)
        results.append(y)
    return jnp.concatenate(results, axis=1)


check(
    "append: two tokens behind one",
    lambda: contents(appended()),
    [[9, 1, 2, 0, 0], [8, 3, 5, 0, 0], 3],
    mistakes={
        "The tokens were written at the beginning, over the one that was there. Write at cache.position.": [
            [1, 2, 0, 0, 0],
            [3, 5, 0, 0, 0],
            3,
        ],
        "The position did not move on. Two tokens came, so the next one goes two places further.": [
            [9, 1, 2, 0, 0],
            [8, 3, 5, 0, 0],
            1,
        ],
        "The position moved on by 1, but two tokens came.": [[9, 1, 2, 0, 0], [8, 3, 5, 0, 0], 2],
        "Keys and values changed places.": [[9, 3, 5, 0, 0], [8, 1, 2, 0, 0], 3],
        "The array became longer, so that each step would be compiled again. Write into the room that is there.": [
            [9, 0, 0, 0, 0, 1, 2],
            [8, 0, 0, 0, 0, 3, 5],
            3,
        ],
        "The tokens were written at the end of the room. Write at cache.position.": [
            [9, 0, 0, 1, 2],
            [8, 0, 0, 3, 5],
            3,
        ],
    },
)
check(
    "a prompt of 4, read in one call: the second token's result",
    lambda: in_pieces(small_layer(), FOUR_TOKENS, 4)[0, 1],
    lambda: small_layer()(FOUR_TOKENS)[0][0, 1],
    mistakes={
        "Nothing is masked: the queries see all slots, also those behind them and those without a token.": jnp.array(
            [-3.13078, 1.69529, 2.69903, -1.02085]
        ),
        "A token sees those that come after it in the same call. A query at position q sees the slots up to q.": jnp.array(
            [-4.71125, 0.03247, 3.75340, 0.21344]
        ),
        "A token does not see itself. The slots up to q are those with s <= q.": jnp.array(
            [-3.11288, -3.07303, 10.09424, -2.35552]
        ),
        "All tokens of a call were given one position. They stand at cache.position + 0, 1, 2, ...": jnp.array(
            [-3.33770, -1.45123, 6.78918, -1.15920]
        ),
        "The keys were kept as they are. Turn them by their positions before they are appended.": jnp.array(
            [-5.84037, -2.16931, 2.40421, 1.96358]
        ),
        "The values were turned too. Only queries and keys are: what they have to say does not depend on the place.": jnp.array(
            [-2.07871, -0.36884, 2.84278, -0.80221]
        ),
    },
)
check(
    "a fourth token after a prompt of 3: the result of the last row of the whole",
    lambda: in_pieces(small_layer(), FOUR_TOKENS, 3, 1)[0, 3],
    lambda: small_layer()(FOUR_TOKENS)[0][0, 3],
    mistakes={
        "The positions begin at 0 in every call. They go on: cache.position + 0, 1, 2, ...": jnp.array(
            [-4.58432, -1.23595, 3.98802, 0.84593]
        ),
        "The new token sees only itself. It sees all keys in the cache; and the new cache must be returned.": jnp.array(
            [-5.26855, -0.40235, 4.49331, 0.46703]
        ),
        "Nothing is masked: the queries see all slots, also those behind them and those without a token.": jnp.array(
            [-2.49268, -0.19129, 0.42721, 1.14048]
        ),
        "A token does not see itself. The slots up to q are those with s <= q.": jnp.array(
            [-2.94725, 0.60984, 0.63549, 0.84951]
        ),
        "All tokens of a call were given one position. They stand at cache.position + 0, 1, 2, ...": jnp.array(
            [-2.37538, -0.26244, 5.99197, -1.33807]
        ),
        "The keys were kept as they are. Turn them by their positions before they are appended.": jnp.array(
            [-2.35935, -0.20710, 6.98694, -1.93183]
        ),
        "The values were turned too. Only queries and keys are: what they have to say does not depend on the place.": jnp.array(
            [1.51162, 0.46223, -2.31381, 0.25262]
        ),
    },
)
check(
    "in pieces of 2, 1 and 1: every row",
    lambda: in_pieces(small_layer(), FOUR_TOKENS, 2, 1, 1),
    lambda: small_layer()(FOUR_TOKENS)[0],
)
check(
    "what older texts left in the room does not matter",
    lambda: cached_attention(small_layer(), FOUR_TOKENS, Cache(*jnp.full((2, 1, 8, 1, 2), 3.0), jnp.int32(0)))[0][0, 1],
    lambda: small_layer()(FOUR_TOKENS)[0][0, 1],
    mistakes={
        "Nothing is masked: the queries see all slots, also those behind them and those without a token.": jnp.array(
            [0.94975, 2.29049, -6.59045, 1.94360]
        ),
    },
)
check(
    "it can be compiled: the position is traced",
    lambda: jax.jit(cached_attention)(small_layer(), FOUR_TOKENS, empty_cache(small_layer(), 1, 8))[0],
    lambda: small_layer()(FOUR_TOKENS)[0],
)

# %% name="cached_attention-append" tags=["hidden-test"] exercise="cached_attention" points=2 hint="Keys and values are written from the position on, along axis 1; the position moves on by the number of tokens."
B, S, K, d, T = 2, 9, 3, 4, 2
place = int(inputs.integers(low=2, high=6))
old_k, old_v, new_k, new_v = (
    inputs.normal(B, S, K, d),
    inputs.normal(B, S, K, d),
    inputs.normal(B, T, K, d),
    inputs.normal(B, T, K, d),
)


def put(array, piece, start):
    return array.at[:, start : start + T].set(piece)


report(
    tuple(append(Cache(old_k, old_v, jnp.int32(place)), new_k, new_v)),
    mistakes={
        "The tokens were written at the beginning, over the one that was there. Write at cache.position.": lambda: (
            put(old_k, new_k, 0),
            put(old_v, new_v, 0),
            place + T,
        ),
        "The position did not move on. Two tokens came, so the next one goes two places further.": lambda: (
            put(old_k, new_k, place),
            put(old_v, new_v, place),
            place,
        ),
        "The position moved on by 1, but two tokens came.": lambda: (
            put(old_k, new_k, place),
            put(old_v, new_v, place),
            place + 1,
        ),
        "Keys and values changed places.": lambda: (put(old_k, new_v, place), put(old_v, new_k, place), place + T),
        "The array became longer, so that each step would be compiled again. Write into the room that is there.": lambda: (
            jnp.concatenate([old_k, new_k], 1),
            jnp.concatenate([old_v, new_v], 1),
            place + T,
        ),
    },
)

# %% name="cached_attention-prompt" tags=["hidden-test"] exercise="cached_attention" points=2 hint="Each query sees the slots up to and with its own position: neither those behind it in the same call nor what else the array holds."
B, S, H, K, d = 2, 9, 4, 2, 4
wide = mt.nn.Attention(
    mt.nn.Linear(0.5 * inputs.normal(H * d, (H + 2 * K) * d)),
    mt.nn.Linear(0.5 * inputs.normal(H * d, H * d)),
    H,
    K,
    rope_base=20.0,
)
words = inputs.normal(B, 6, H * d)
room = inputs.normal(2, B, S, K, d)  # What older texts left there.


def slip(lengths, place=None, sees=None, stored=None, mixed=lambda v, at: v, forget=False):
    """A text read in pieces, with a mistake."""
    (keys, values), position, results = room, 0, []
    for end, T in zip(np.cumsum(lengths), lengths, strict=True):
        at = position + jnp.arange(T)
        turned = at if place is None else place(position, T)
        q, k, v = project(wide, words[:, end - T : end])
        k = turn(wide, k, turned) if stored is None else stored(k, turned)
        keys = keys.at[:, position : position + T].set(k)
        values = values.at[:, position : position + T].set(mixed(v, turned))
        s, query = jnp.arange(S), at[:, None]
        mask = s <= query if sees is None else sees(s, query, position, T)
        y = mt.ops.attention(turn(wide, q, turned), keys, values, mask=jnp.broadcast_to(mask, (T, S))[None, None])
        results.append(wide.out(y.reshape(B, T, H * d)))
        position = 0 if forget else position + T
        keys, values = room if forget else (keys, values)
    return results


report(
    cached_attention(wide, words[:, :5], Cache(*room, jnp.int32(0)))[0],
    mistakes={
        "Nothing is masked: the queries see all slots, also those behind them and those without a token.": lambda: slip(
            [5], sees=lambda s, q, p, T: s >= 0
        )[0],
        "A token sees those that come after it in the same call. A query at position q sees the slots up to q.": lambda: (
            slip([5], sees=lambda s, q, p, T: s < p + T)[0]
        ),
        "A token does not see itself. The slots up to q are those with s <= q.": lambda: slip(
            [5], sees=lambda s, q, p, T: s < q
        )[0],
        "All tokens of a call were given one position. They stand at cache.position + 0, 1, 2, ...": lambda: slip(
            [5], place=lambda p, T: p + jnp.zeros(T)
        )[0],
        "The keys were kept as they are. Turn them by their positions before they are appended.": lambda: slip(
            [5], stored=lambda k, at: k
        )[0],
        "The values were turned too. Only queries and keys are: what they have to say does not depend on the place.": lambda: (
            slip([5], mixed=lambda v, at: turn(wide, v, at))[0]
        ),
    },
)

# %% name="cached_attention-step" tags=["hidden-test"] exercise="cached_attention" points=4 hint="Positions of a call begin at cache.position, and the new token sees all those before it. Compare one token after three with the last row of four."
B, S, H, K, d = 2, 9, 4, 2, 4
wide = mt.nn.Attention(
    mt.nn.Linear(0.5 * inputs.normal(H * d, (H + 2 * K) * d)),
    mt.nn.Linear(0.5 * inputs.normal(H * d, H * d)),
    H,
    K,
    rope_base=20.0,
)
words = inputs.normal(B, 6, H * d)
room = inputs.normal(2, B, S, K, d)
cache, results = Cache(*room, jnp.int32(0)), []
for begin, end in ((0, 3), (3, 4), (4, 6)):
    y, cache = cached_attention(wide, words[:, begin:end], cache)
    results.append(y)
report(
    results[1:],
    mistakes={
        "The positions begin at 0 in every call. They go on: cache.position + 0, 1, 2, ...": lambda: slip(
            [3, 1, 2], place=lambda p, T: jnp.arange(T)
        )[1:],
        "The new token sees only itself. It sees all keys in the cache; and the new cache must be returned.": lambda: (
            slip([3, 1, 2], sees=lambda s, q, p, T: (s >= p) & (s <= q))[1:]
        ),
        "The new token sees only itself. It sees all keys in the cache; and the new cache must be returned. ": lambda: (
            slip([3, 1, 2], forget=True)[1:]
        ),
        "Nothing is masked: the queries see all slots, also those behind them and those without a token.": lambda: slip(
            [3, 1, 2], sees=lambda s, q, p, T: s >= 0
        )[1:],
        "A token sees those that come after it in the same call. A query at position q sees the slots up to q.": lambda: (
            slip([3, 1, 2], sees=lambda s, q, p, T: s < p + T)[1:]
        ),
        "A token does not see itself. The slots up to q are those with s <= q.": lambda: slip(
            [3, 1, 2], sees=lambda s, q, p, T: s < q
        )[1:],
        "The keys were kept as they are. Turn them by their positions before they are appended.": lambda: slip(
            [3, 1, 2], stored=lambda k, at: k
        )[1:],
        "The values were turned too. Only queries and keys are: what they have to say does not depend on the place.": lambda: (
            slip([3, 1, 2], mixed=lambda v, at: turn(wide, v, at))[1:]
        ),
        "All tokens of a call were given one position. They stand at cache.position + 0, 1, 2, ...": lambda: slip(
            [3, 1, 2], place=lambda p, T: p + jnp.zeros(T)
        )[1:],
    },
)

# %% [markdown]
# ## 8. Read once
#
# The loop with a cache: read the prompt in one call (the **prefill**), choose a token; read *that token alone*,
# choose the next one (the **decode** steps). Of a call's logits only the last row is wanted.
#
# | call | is given | gives the logits after | cache afterwards |
# |---|---|---|---|
# | 1 | *the cat sat on* | *on* | 4 tokens |
# | 2 | *the* | *the* | 5 tokens |
# | 3 | *mat* | *mat* | 6 tokens |
# | 4 | *and* | *and* | 7 tokens |
#
# Four new words, four calls, and *slept* is never read. A common slip is to read the whole prompt and then to begin
# the loop with its last token: it is then in the cache twice, and the text goes on from *the cat sat on on*. No
# error, only a worse text.
#
# ### Exercise 8: generate, with a cache


# %% name="generate_cached" tags=["exercise"] forbids=["minitorch.infer.generate.generate", "minitorch.infer.stream", "minitorch.infer.generate_naive"]
def generate_cached(decode, cache, ids, count, choose, stop=None):
    """Continue a text, and read each token once.

    Args:
      decode: a function (tokens, cache) -> (logits, cache). Given an int array (T,) of tokens that follow those in the cache,
        it returns the logits (T, V) after each of them, and the cache with them in it.
      cache: an empty cache, with room for the prompt and `count` - 1 tokens.
      ids, count, choose, stop: as in `generate`.

    Returns:
      The list of the tokens drawn, as ints, with `stop` and without the prompt.
    """
    # BEGIN SOLUTION Exercise 8: decode the prompt, then each drawn token alone; choose from the last row of the logits; do not read the last token.
    new, unread = [], list(ids)
    for i in range(count):
        logits, cache = decode(jnp.array(unread), cache)
        unread = [int(choose(logits[-1], i))]
        new += unread
        if unread == [stop]:
            break
    return new
    # END SOLUTION


# %% name="generate_cached-check" tags=["check"] exercise="generate_cached"
class CachedParrot:
    """The parrot of exercise 5 with a cache, which is a tuple of the tokens read. It remembers what each call was given."""

    def __init__(self):
        self.calls = []

    def __call__(self, tokens, cache):
        self.calls.append([int(token) for token in tokens])
        texts = [cache + tuple(self.calls[-1][: t + 1]) for t in range(len(tokens))]
        return np.stack([np.eye(11)[(sum(text) + len(text)) % 11] for text in texts]), texts[-1]


def calls_of(model, *args, **kwargs):
    """What the model was given, call by call."""
    generate_cached(model, (), *args, **kwargs)
    return model.calls


check(
    "the same three tokens as in exercise 5",
    lambda: generate_cached(CachedParrot(), (), [3, 6], 3, greedy),
    [0, 1, 3],
    mistakes={
        "The cache was given tokens that it has: the whole text was read into it again. Read only what is new.": [
            0,
            1,
            4,
        ],
        "The prompt's last token was read twice: once with the prompt, and once more by itself. After the prompt, the next"
        " token read is the one that was drawn.": [7, 4, 9],
        "What was read is forgotten: go on with the cache that `decode` returned.": [0, 1, 2],
        "The logits are those after the first token of the prompt. The last row is wanted.": [4, 5, 0],
        "The prompt is part of the result. Return only what was drawn.": [3, 6, 0, 1, 3],
        "One token too few: draw `count` of them.": [0, 1],
        "One token too many: draw `count` of them.": [0, 1, 3, 7],
    },
)
check(
    "what is read: the prompt, then two tokens, one by one",
    lambda: calls_of(CachedParrot(), [3, 6], 3, greedy),
    [[3, 6], [0], [1]],
    mistakes={
        "The last token was read, and nobody asked what comes after it. Read a token only when the next one is wanted.": [
            [3, 6],
            [0],
            [1],
            [3],
        ],
        "The prompt was read token by token. One call reads it all, and is much faster.": [[3], [6], [0], [1]],
        "The cache was given tokens that it has: the whole text was read into it again. Read only what is new.": [
            [3, 6],
            [3, 6, 0],
            [3, 6, 0, 1],
        ],
    },
)
check(
    "the token 1 ends it, and is not read",
    lambda: [
        generate_cached(CachedParrot(), (), [3, 6], 9, greedy, stop=1),
        calls_of(CachedParrot(), [3, 6], 9, greedy, stop=1),
    ],
    [[0, 1], [[3, 6], [0]]],
    mistakes={
        "The stop token is missing. It is drawn, so it belongs to the result; then nothing more is.": [
            [0],
            [[3, 6], [0]],
        ],
        "The stop token stops nothing.": [
            [0, 1, 3, 7, 4, 9, 8, 6, 2],
            [[3, 6], [0], [1], [3], [7], [4], [9], [8], [6]],
        ],
        "The stop token was read, and nobody asked what comes after it.": [[0, 1], [[3, 6], [0], [1]]],
    },
)
check(
    "`choose` gets the number of the draw here too",
    lambda: generate_cached(CachedParrot(), (), [3, 6], 3, shifted),
    [0, 3, 9],
    mistakes={
        "`choose` got 0 each time, so that every token would be drawn with the same random number.": [0, 1, 3],
        "The numbers of the draws begin with 1. Before the first one, 0 tokens were drawn.": [2, 7, 6],
    },
)

# %% name="generate_cached-tokens" tags=["hidden-test"] exercise="generate_cached" points=3 hint="The tokens are those of `generate`. Check what is in the cache when each token is drawn: the text up to it, each token once."
V = 13
numbers = inputs.integers(4, V, low=1, high=50)
begin = [int(i) for i in inputs.integers(5, low=0, high=V)]


def owl(tokens, cache):
    """The owl of exercise 5, with a cache that is a tuple of the tokens read."""
    texts = [cache + tuple(int(token) for token in tokens[: t + 1]) for t in range(len(tokens))]
    at = [int(numbers[0, x[0]] + numbers[1, x[-1]] + numbers[2, sum(x) % V] + 3 * len(x)) for x in texts]
    return np.eye(V)[np.array(at) % V], texts[-1]


def hoot(reads=lambda made: [made[-1]], row=-1, number=lambda i: i, first=(), keep=True):
    """What is drawn with a mistake: `reads` is what a call is given, `first` is read in advance."""
    made, stored = [], ()
    if first:
        stored = owl(first, stored)[1]
    for i in range(8):
        logits, longer = owl(reads(made) if made else (begin[-1:] if first else begin), stored)
        stored = longer if keep else stored
        made.append((int(logits[row if len(logits) > 1 else -1].argmax()) + 5 * number(i)) % V)
    return made


report(
    generate_cached(owl, (), list(begin), 8, lambda logits, i: (logits.argmax() + 5 * i) % V),
    mistakes={
        "The cache was given tokens that it has: the whole text was read into it again. Read only what is new.": lambda: (
            hoot(lambda made: begin + made)
        ),
        "The prompt's last token was read twice: once with the prompt, and once more by itself. After the prompt, the next"
        " token read is the one that was drawn.": lambda: hoot(first=begin),
        "What was read is forgotten: go on with the cache that `decode` returned.": lambda: hoot(keep=False),
        "The logits are those after the first token of the prompt. The last row is wanted.": lambda: hoot(row=0),
        "The prompt is part of the result. Return only what was drawn.": lambda: begin + hoot(),
        "`choose` got 0 each time, so that every token would be drawn with the same random number.": lambda: hoot(
            number=lambda i: 0
        ),
        "The numbers of the draws begin with 1. Before the first one, 0 tokens were drawn.": lambda: hoot(
            number=lambda i: i + 1
        ),
    },
)

# %% name="generate_cached-reads" tags=["hidden-test"] exercise="generate_cached" points=2 hint="The prompt is read in one call, then every token drawn but the last, each once and alone."
V = 13
jump, start = int(inputs.integers(low=2, high=6)), int(inputs.integers(low=1, high=8))
path = [(start + jump * (i + 1)) % V for i in range(12)]
given = []


def toad(tokens, cache):
    """Jumps on by the same distance each time. It notes what it was given."""
    given.append([int(token) for token in tokens])
    return np.eye(V)[(np.array(given[-1]) + jump) % V], cache


begin = [path[4], path[8], start]
drawn = generate_cached(toad, (), list(begin), 12, lambda logits, i: logits.argmax(), stop=path[4])
alone = [[token] for token in path]
report(
    [drawn, given],
    mistakes={
        "The last token was read, and nobody asked what comes after it. Read a token only when the next one is wanted.": [
            path[:5],
            [begin, *alone[:5]],
        ],
        "The prompt was read token by token. One call reads it all, and is much faster.": [
            path[:5],
            [[token] for token in begin] + alone[:4],
        ],
        "The stop token stops nothing.": [path, [begin, *alone[:11]]],
        "The stop token is missing. It is drawn, so it belongs to the result; then nothing more is.": [
            path[:4],
            [begin, *alone[:4]],
        ],
        "The cache was given tokens that it has: the whole text was read into it again. Read only what is new.": [
            path[:5],
            [begin + path[:i] for i in range(5)],
        ],
        "The prompt's last token was read twice: once with the prompt, and once more by itself. After the prompt, the next"
        " token read is the one that was drawn.": [path[:5], [begin, begin[-1:], *alone[:4]]],
        "The prompt is part of the result. Return only what was drawn.": [begin + path[:5], [begin, *alone[:4]]],
    },
)
report(generate_cached(toad, (), [start], 1, lambda logits, i: logits.argmax()))

# %% [markdown]
# ## 9. The proof: cached equals uncached
#
# Now your attention goes into a real model. A `Transformer` of minitorch asks its blocks for attention, and each
# block calls `attention(x, cache)`. So a module with this one method, which calls yours, can take its place.


# %% name="plug"
class Cached(mt.nn.Module):
    """Your attention in the place of the library's."""

    layer: mt.nn.Attention

    def __call__(self, x, cache):
        return cached_attention(self.layer, x, cache)


def with_your_attention(model):
    """The model with your attention in each block."""
    blocks = [dataclasses.replace(block, attention=Cached(block.attention)) for block in model.blocks]
    return dataclasses.replace(model, blocks=blocks)


def empty_caches(model, batch=1, room=None):
    """A cache for each block of a model."""
    return [empty_cache(block.attention, batch, room or model.config.context) for block in model.blocks]


def decoder(model):
    """The function `decode` of a model with your attention, compiled; the old cache's memory is used for the new one."""
    plugged = with_your_attention(model)
    step = jax.jit(lambda model, ids, caches: model.decode(ids, caches), donate_argnames="caches")

    def decode(tokens, caches):
        logits, caches = step(plugged, tokens[None], caches)
        return logits[0], caches

    return decode


def untrained(seed=0):
    """A small Llama whose weights are so large that each token depends on those before it."""
    config = mt.models.LlamaConfig(vocab=50, context=48, layers=2, heads=4, kv_heads=2, width=32)
    return jax.tree.map(lambda weight: 8 * weight, mt.models.Llama.init(jax.random.key(seed), config))


# %% [markdown]
# Forty tokens, by four ways of computing: the whole text at once by the library, without any cache; by yours all at
# once; 25 and then one by one; one by one from the beginning. The logits must be the same, but for the last digits:
# sums in another order round differently.

# %% name="cached-equals-uncached" tags=["demo"]
with skip_if_unfinished():
    small = untrained()
    text = jax.random.randint(jax.random.key(1), (40,), 0, 50)
    whole = small(text[None])[0]  # (40, 50)
    print("logits lie between", *(f"{extreme:.0f}" for extreme in (whole.min(), whole.max())))
    for lengths in ([40], [25] + [1] * 15, [1] * 40):
        decode, caches, rows = decoder(small), empty_caches(small), []
        for end, length in zip(np.cumsum(lengths), lengths, strict=True):
            logits, caches = decode(text[end - length : end], caches)
            rows.append(logits)
        close = bool(abs(jnp.concatenate(rows) - whole).max() < 1e-3)
        print(f"in {len(lengths):2} calls, the first of {lengths[0]:2} tokens: all logits equal within 0.001: {close}")

# %% [markdown]
# And so the tokens are the same too: greedy or drawn, since number $i$ belongs to token $i$ in either loop. The last
# line compares with the library's `mt.infer.generate`, with *your* samplers handed to it.

# %% name="same-tokens" tags=["demo"]
with skip_if_unfinished():
    begin = [7, 3, 11, 19]
    warm = [functools.partial(temperature, t=3.0), functools.partial(top_k, k=20), functools.partial(top_p, p=0.9)]
    for name, samplers in (("greedy", [functools.partial(temperature, t=0)]), ("drawn", warm)):
        choose = chooser(jax.random.key(5), *samplers)
        slow = generate(reader(small), begin, 40, choose, small.config.context)
        fast = generate_cached(decoder(small), empty_caches(small), begin, 40, choose)
        print(f"{name}: {len(set(slow))} different tokens of 40; cached equals uncached: {slow == fast}")
    library = [mt.infer.temperature(3.0), mt.infer.top_k(20), mt.infer.top_p(0.9)]
    same = [mt.infer.generate(small, [begin], 40, key=jax.random.key(2), samplers=s).tolist() for s in (warm, library)]
    print("mt.infer.generate draws the same with your samplers as with its own:", same[0] == same[1])

# %% [markdown]
# ## 10. Tokens per second
#
# How much is it worth? The cell below measures, on your machine, how long one more token takes after texts of several
# lengths. The model is larger than the one above, and untrained: speed does not ask what the numbers are.
#
# Predict both curves before you look: one more token *without* a cache costs reading the whole text. What does it
# cost *with* one, at 64 tokens and at 1,024?


# %% name="tokens-per-second" tags=["demo", "nbval-ignore-output"]
def seconds(call, repeats=7):
    """The median time of a call, compiled before."""
    jax.block_until_ready(call())
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        jax.block_until_ready(call())
        times.append(time.perf_counter() - began)
    return float(np.median(times))


with skip_if_unfinished():
    config = mt.models.LlamaConfig(vocab=512, context=1024, layers=4, heads=8, kv_heads=2, width=256)
    large = mt.models.Llama.init(jax.random.key(0), config)
    plugged = with_your_attention(large)
    step = jax.jit(lambda model, ids, caches: model.decode(ids, caches))
    forward = jax.jit(lambda model, ids: model(ids)[:, -1])

    lengths = [16, 64, 256, 1024]
    naive = [1 / seconds(lambda n=n: forward(large, jnp.ones((1, n), int))) for n in lengths]
    caches = empty_caches(large)
    filled = {n: [c._replace(position=jnp.int32(n - 1)) for c in caches] for n in lengths}
    cached = [1 / seconds(lambda n=n: step(plugged, jnp.ones((1, 1), int), filled[n])) for n in lengths]

    batches = [1, 4, 16, 64]
    several = {n: empty_caches(large, n, 64) for n in batches}
    totals = [n / seconds(lambda n=n: step(plugged, jnp.ones((n, 1), int), several[n])) for n in batches]

    caching.speed(lengths, {"without a cache": naive, "with your cache": cached}, batches, totals)
    for n, slow, fast in zip(lengths, naive, cached, strict=True):
        print(
            f"after {n:5,} tokens: {slow:7,.0f} tokens/s without a cache, {fast:7,.0f} with, {fast / slow:5.1f} times as many"
        )

# %% [markdown]
# Without a cache the speed falls as the text grows: ten times the text, a tenth of the speed, and the whole text
# costs the square of its length. With a cache of fixed length it is flat. (The masked slots are computed as well.
# What they cost is small until the cache is as large as the weights.)
#
# The right-hand picture explains why anybody can afford a chat. To draw one token, *every weight* of the model is
# fetched from memory, and used for one multiplication and one addition: that is half an operation a byte, and on the
# roofline of notebook 05 that is far down the slope. So the processor waits for memory. A second text at the same
# time uses the same weights while they are there. Servers therefore collect dozens of readers into one batch, and
# throughput grows almost in proportion, until arithmetic or the caches set the limit.
#
# ## 11. What it costs
#
# The cache trades work for memory. For each token, each layer keeps one key and one value for each *key* head, of $d$
# numbers each. Llama 2 with 7 thousand million weights has 32 layers with 32 heads of 128 numbers:
#
# $$2 \cdot 32 \cdot 32 \cdot 128 = 262{,}144 \text{ numbers a token}$$
#
# In 16 bits that is half a megabyte **for each token**, and 2 GiB for its context of 4,096. Seven such texts need
# more memory than the weights.
#
# The 70-thousand-million model would need 2.5 MiB a token with its 64 heads. So it has 8 key heads, each shared by 8
# query heads: grouped queries (Ainslie et al., 2023). They save some weights as well, but the cache is what they are
# for.
#
# ### Exercise 9: bytes


# %% name="llamas"
LLAMA_2_7B = mt.models.LlamaConfig(vocab=32000, context=4096, layers=32, heads=32, width=4096)
LLAMA_2_70B = mt.models.LlamaConfig(vocab=32000, context=4096, layers=80, heads=64, kv_heads=8, width=8192)


# %% name="cache_bytes" tags=["exercise"]
def cache_bytes(config, tokens, batch=1, bytes_per_number=2):
    """The size of a cache in bytes.

    Args:
      config: has `layers`, `heads`, `kv_heads` and `width`, the model's width, of which each head has an equal share.
        `kv_heads` may be None: as many as heads.
      tokens: of each text.
      batch: how many texts.

    Returns:
      An int.
    """
    # BEGIN SOLUTION Exercise 9: keys and values, of each layer, key head, number of a head, token and text, times the bytes of a number.
    numbers = 2 * config.layers * (config.kv_heads or config.heads) * (config.width // config.heads)
    return numbers * tokens * batch * bytes_per_number
    # END SOLUTION


# %% name="cache_bytes-check" tags=["check"] exercise="cache_bytes"
check(
    "Llama 2 7B, its whole context in 16 bits: 2 GiB",
    lambda: cache_bytes(LLAMA_2_7B, 4096),
    2 * 2**30,
    mistakes={
        "A factor of 2 is missing: both keys and values are kept, and a number has 2 bytes.": 2**30,
        "The layers are missing: each keeps its own.": 2**26,
        "This counts bits.": 16 * 2**30,
    },
)
check(
    "Llama 2 70B, with 8 key heads for 64: 320 KiB a token",
    lambda: cache_bytes(LLAMA_2_70B, 1),
    320 * 2**10,
    mistakes={
        "Every query head was counted. Keys and values are kept once for each of the kv_heads, width / heads numbers each.": 8
        * 320
        * 2**10,
    },
)
check(
    "five texts of 100 tokens, numbers of 8 bytes",
    lambda: cache_bytes(LLAMA_2_70B, 100, batch=5, bytes_per_number=8),
    160 * 2**10 * 100 * 5 * 8,
    mistakes={
        "The batch is missing: each text has its own keys and values.": 160 * 2**10 * 100 * 8,
        "A number does not always have 2 bytes. Use bytes_per_number.": 160 * 2**10 * 100 * 5 * 2,
        "These are numbers, and not yet bytes.": 160 * 2**10 * 100 * 5,
        "Keys or values are missing: both are kept.": 160 * 2**10 * 100 * 5 * 4,
        "This counts bits.": 160 * 2**10 * 100 * 5 * 64,
    },
)

# %% name="cache_bytes-sizes" tags=["hidden-test"] exercise="cache_bytes" points=2 hint="Two arrays a layer, each of kv_heads heads of width / heads numbers, for every token of every text."
layers, groups, queries = (int(inputs.integers(low=low, high=low + 4)) for low in (5, 3, 3))
size, length, texts_at_once = 2 * int(inputs.integers(low=11, high=16)), int(inputs.integers(low=50, high=90)), 11
heads = groups * queries
for kv_heads, times in ((groups, queries), (None, 1)):
    asked = mt.models.LlamaConfig(vocab=9, context=9, layers=layers, heads=heads, kv_heads=kv_heads, width=heads * size)
    right = 2 * layers * (kv_heads or heads) * size * length * texts_at_once * 8
    report(
        cache_bytes(asked, length, texts_at_once, 8),
        mistakes={
            "Keys or values are missing: both are kept.": right // 2,
            "Every query head was counted. Keys and values are kept once for each of the kv_heads, width / heads numbers each.": right
            * times,
            "The layers are missing: each keeps its own.": right // layers,
            "The batch is missing: each text has its own keys and values.": right // texts_at_once,
            "These are numbers, and not yet bytes.": right // 8,
            "A number does not always have 2 bytes. Use bytes_per_number.": right // 4,
            "This counts bits.": right * 8,
        },
    )

# %% name="memory" tags=["demo"]
with skip_if_unfinished():
    tokens = [2**n for n in range(9, 18, 2)]
    models = {
        "Llama 2 70B, if it had 64 key heads": dataclasses.replace(LLAMA_2_70B, kv_heads=64),
        "Llama 2 7B: 32 of 32": LLAMA_2_7B,
        "Llama 2 70B: 8 of 64": LLAMA_2_70B,
        "Llama 3.1 8B: 8 of 32": dataclasses.replace(LLAMA_2_7B, kv_heads=8),
        "TinyLlama 1.1B: 4 of 32": mt.models.LlamaConfig.preset("1.1b"),
    }
    caching.memory(
        tokens,
        {name: [cache_bytes(config, n) for n in tokens] for name, config in models.items()},
        {
            "weights of Llama 2 7B, 16 bits": 2 * 6_738_415_616,
            "a server card's 80 GiB": 80 * 2**30,
        },
    )

# %% [markdown]
# At 131,072 tokens, the context of Llama 3.1 8B, one text takes as much memory as the weights: 16 GiB and 15 GiB.
# Much of what was invented since is about this picture: fewer key heads, keys in 8 or 4 bits (notebook 10), a
# compressed latent in place of keys and values (DeepSeek-V2, 2024), windows, and *paged* caches, which cut the room
# into pages like an operating system does, so that a short text does not reserve a long one's (vLLM, 2023).
#
# ## 12. Stretch: min-p
#
# At a high temperature top-p lets much of the tail through. **Min-p** (Nguyen et al., 2024) asks another question: is
# the token at least $p$ times as likely as the most likely one? With $p = 0.1$ and a largest probability of 0.4, everything below
# 0.04 goes. In logits there is no need for a softmax: $z_i \ge z_{\max} + \log p$.
#
# ### Stretch exercise: min-p


# %% name="min_p" tags=["exercise", "stretch"] forbids=["minitorch.infer.min_p"]
def min_p(logits, p):
    """Rule out the tokens that are less than p times as likely as the most likely one of their row; p is between 0 and 1."""
    # BEGIN SOLUTION Stretch exercise: compare each logit with the row's largest plus log p.
    return jnp.where(logits >= logits.max(axis=-1, keepdims=True) + jnp.log(p), logits, -jnp.inf)
    # END SOLUTION


# %% name="min_p-check" tags=["check", "stretch"] exercise="min_p"
check(
    "a tenth as likely as mat: above 0.040, so roof stays",
    lambda: min_p(LOGITS, 0.1),
    lambda: only(0, 1, 2, 4, 6),
    mistakes={
        "Everything below the probability 0.1 is gone. It is 0.1 times the largest probability that counts: 0.040.": lambda: (
            only(1, 2, 4)
        ),
        "A logit was compared with a share of the largest logit. Ratios of probabilities are differences of logits.": (
            lambda: only(1, 2, 4, 6)
        ),
        "The sign of the logarithm: log p is negative, and is added to the largest logit.": lambda: only(),
    },
)
check(
    "each row its own most likely token",
    lambda: min_p(jnp.stack([3 * LOGITS, LOGITS / 3]), 0.3),
    lambda: mt.infer.min_p(0.3)(jnp.stack([3 * LOGITS, LOGITS / 3])),
    mistakes={
        "All rows were compared with one number. Take the largest along the last axis, with keepdims=True.": lambda: (
            jnp.where(
                jnp.stack([3 * LOGITS, LOGITS / 3]) >= 6 + jnp.log(0.3), jnp.stack([3 * LOGITS, LOGITS / 3]), -jnp.inf
            )
        ),
        "A logit was compared with a share of the largest logit. Ratios of probabilities are differences of logits.": lambda: (
            jnp.where(
                jnp.stack([3 * LOGITS, LOGITS / 3]) >= 0.3 * jnp.array([[6.0], [2 / 3]]),
                jnp.stack([3 * LOGITS, LOGITS / 3]),
                -jnp.inf,
            )
        ),
    },
)

# %% name="min_p-rows" tags=["hidden-test", "stretch"] exercise="min_p" points=0 hint="A token stays if its logit is at least the row's largest plus log p."
rows = 2.0 * inputs.normal(4, 9)
p = inputs.uniform(low=0.05, high=0.2).item()
report(
    min_p(rows, p),
    mistakes={
        "The sign of the logarithm: log p is negative, and is added to the largest logit.": lambda: rows - jnp.inf,
        "All rows were compared with one number. Take the largest along the last axis, with keepdims=True.": lambda: (
            jnp.where(rows >= rows.max() + jnp.log(p), rows, -jnp.inf)
        ),
        "A logit was compared with a share of the largest logit. Ratios of probabilities are differences of logits.": lambda: (
            jnp.where(rows >= p * rows.max(-1, keepdims=True), rows, -jnp.inf)
        ),
    },
)

# %% [markdown]
# ## 13. Stretch: guess, then check
#
# Section 10 said that a processor waits for the weights. Reading *five* tokens in one call costs hardly more than
# reading one. But which five, if each depends on the one before?
#
# Let somebody guess: a small **draft** model, which writes four tokens quickly. The large **target** model reads all
# four in one call, and so learns what it would have said at each place. Where they agree, four tokens were had for
# the price of one. And where they do not? Leviathan, Kalman and Matias (2022) and, independently, Chen et al. (2023)
# found a rule of acceptance after which the text is distributed *exactly* as if the target had written it alone.
#
# At one place, let the draft say $q$ and the target $p$:

# %% name="overlap" tags=["demo"]
DRAFT, TARGET = np.array([0.5, 0.3, 0.1, 0.1]), np.array([0.3, 0.3, 0.35, 0.05])
sampling.overlap(["a", "b", "c", "d"], DRAFT, TARGET)

# %% [markdown]
# The draft draws $x$ from $q$.
#
# - If the target finds $x$ at least as likely, $p_x \ge q_x$: accept.
# - If not, the draft says $x$ too often. Accept with probability $p_x / q_x$, so that $x$ is accepted with $q_x \cdot
#   p_x/q_x = p_x$ in all. In either case that is $\min(p_x, q_x)$, the green area: 75 %.
# - After a rejection draw from what is still missing, the blue area: $\max(p - q, 0)$, made to sum to 1. It has
#   exactly the area that was rejected, so green and blue together are $p$.
#
# With several tokens, go through them from the first; after a rejection the rest is void, as it was guessed behind a
# token that is not there. If all are accepted, one more comes for free: the target has read them all and says what is
# next.
#
# ### Stretch exercise: accept or reject
#
# A token $x$ is accepted if $u \cdot q_x < p_x$, with $u$ uniform. Draw with your `pick`, whose weights need not sum
# to 1.


# %% name="speculate" tags=["exercise", "stretch"]
def speculate(target, draft, tokens, accepts, last):
    """What is kept of n drafted tokens, and one token more.

    Args:
      target: (n + 1, V), what the target says at the places of the n tokens and after them.
      draft: (n, V), what the draft said at their places.
      tokens: a list of n ids, each drawn from its row of `draft`.
      accepts: n uniform numbers, one for each token.
      last: a uniform number for the token that is drawn at the end.

    Returns:
      A list of 1 to n + 1 ids.
    """
    # BEGIN SOLUTION Stretch exercise: find the first rejected token, and draw in its place from what the draft lacks; else one more from the target.
    for i, token in enumerate(tokens):
        if accepts[i] * draft[i, token] >= target[i, token]:
            return [*tokens[:i], int(pick(jnp.maximum(target[i] - draft[i], 0), last))]
    return [*tokens, int(pick(target[len(tokens)], last))]
    # END SOLUTION


# %% name="speculate-check" tags=["check", "stretch"] exercise="speculate"
def distribution(fineness=10):
    """How often each token comes first, over drafts as often as they are drafted and a grid of uniform numbers."""
    shares, grid = np.zeros(4), (np.arange(fineness) + 0.5) / fineness
    for token, q in enumerate([0.5, 0.3, 0.1, 0.1]):
        for u in grid:
            for v in grid:
                target, draft = jnp.array([[0.3, 0.3, 0.35, 0.05]] * 2), jnp.array([[0.5, 0.3, 0.1, 0.1]])
                shares[speculate(target, draft, [token], [u], v)[0]] += q / fineness**2
    return shares


check(
    "one drafted token: the first token is distributed as the target says",
    distribution,
    np.array([0.3, 0.3, 0.35, 0.05]),
    mistakes={
        "Everything is accepted, so that the draft writes alone.": np.array([0.5, 0.3, 0.1, 0.1]),
        "After a rejection a token is drawn from the target. That gives the draft's favourites a second chance: draw"
        " from max(target - draft, 0).": np.array([0.375, 0.375, 0.1875, 0.0625]),
        "After a rejection a token is drawn from the draft. Draw from what the draft lacks, max(target - draft, 0).": np.array(
            [0.425, 0.375, 0.125, 0.075]
        ),
        "Everything is rejected.": np.array([0.0, 0.0, 1.0, 0.0]),
    },
    atol=0.03,
)
two_places = jnp.array([[0.6, 0.4, 0.0], [0.1, 0.1, 0.8], [0.0, 1.0, 0.0]])
guessed = jnp.array([[0.5, 0.5, 0.0], [0.8, 0.1, 0.1]])
check(
    "both accepted: one more from the target's last row",
    lambda: speculate(two_places, guessed, [0, 0], [0.9, 0.1], 0.5),
    [0, 0, 1],
    mistakes={
        "The token that comes for free is missing: the target has read all drafted ones, and says what is next.": [
            0,
            0,
        ],
    },
)
check(
    "the second rejected: the first stays, and one token takes the second's place",
    lambda: speculate(two_places, guessed, [0, 0], [0.9, 0.2], 0.5),
    [0, 2],
    mistakes={
        "The rejected token is still there.": [0, 0, 2],
        "A rejection makes everything void. What was accepted before it stays.": [2],
    },
)
check(
    "the first rejected: what was guessed behind it is void",
    lambda: speculate(two_places, guessed, [1, 2], [0.9, 0.0], 0.5),
    [0],
    mistakes={
        "What was guessed behind a rejected token was kept. It followed a token that is not there.": [0, 2],
    },
)

# %% name="speculate-tokens" tags=["hidden-test", "stretch"] exercise="speculate" points=0 hint="Accept while u * draft < target; then one token from max(target - draft, 0), or from the target's last row."
n, V = 4, 5
says = inputs.uniform(6, n + 1, V, low=0.1, high=1.0)
says = says / says.sum(-1, keepdims=True)
guesses = inputs.uniform(6, n, V, low=0.1, high=1.0)
guesses = guesses / guesses.sum(-1, keepdims=True)
chosen = [[int(i) for i in row] for row in inputs.integers(6, n, low=0, high=V)]
chances, ends = inputs.uniform(6, n, low=0.3, high=0.9), inputs.uniform(6, low=0.1, high=0.9)


def variant(i, instead=None, free=True, onward=False):
    """What is kept of the drafted tokens, with a mistake."""
    kept = []
    for at, token in enumerate(chosen[i]):
        if chances[i, at] * guesses[i, at, token] < says[i, at, token]:
            kept.append(token)
            continue
        kept.append(
            int(pick(jnp.maximum(says[i, at] - guesses[i, at], 0) if instead is None else instead[i, at], ends[i]))
        )
        if not onward:
            return kept
    return [*kept, int(pick(says[i, n], ends[i]))] if free and kept == chosen[i] else kept


report(
    [speculate(says[i], guesses[i], chosen[i], chances[i], ends[i]) for i in range(6)],
    mistakes={
        "After a rejection a token is drawn from the target. That gives the draft's favourites a second chance: draw"
        " from max(target - draft, 0).": lambda: [variant(i, instead=says) for i in range(6)],
        "After a rejection a token is drawn from the draft. Draw from what the draft lacks, max(target - draft, 0).": (
            lambda: [variant(i, instead=guesses) for i in range(6)]
        ),
        "The token that comes for free is missing: the target has read all drafted ones, and says what is next.": (
            lambda: [variant(i, free=False) for i in range(6)]
        ),
        "What was guessed behind a rejected token was kept. It followed a token that is not there.": lambda: [
            variant(i, onward=True) for i in range(6)
        ],
    },
)

# %% [markdown]
# Now for real. The target is the model of section 5, with your cache. The draft is the plainest language model there
# is: a table of how often one token follows another (Shannon did it by hand in 1948). It is wrong most of the time,
# and costs nothing.
#
# A rejected token is already in the cache. To forget it is one line, thanks to the mask: **move the position back**.


# %% name="speculative" tags=["demo", "nbval-ignore-output"]
def bigrams(tokenizer, text):
    """The probabilities (V, V) that one token follows another, counted in a text."""
    ids = np.array(tokenizer.encode(text))
    counts = np.full((tokenizer.vocab_size, tokenizer.vocab_size), 0.01)
    np.add.at(counts, (ids[:-1], ids[1:]), 1)
    return jnp.array(counts / counts.sum(-1, keepdims=True))


def speculative(decode, caches, follows, ids, count, seed, n=4):
    """At least `count` tokens after a text, and how many calls of the target they took."""
    uniform = np.random.default_rng(seed).random
    _, caches = decode(jnp.array(ids[:-1]), caches)
    new, calls = [ids[-1]], 0
    while len(new) <= count:
        drafted = []
        for _ in range(n):
            drafted.append(int(pick(follows[(new + drafted)[-1]], uniform())))
        position = int(caches[0].position)
        logits, caches = decode(jnp.array(new[-1:] + drafted), caches)  # n + 1 tokens in one call
        says, guesses = jax.nn.softmax(logits), follows[jnp.array(new[-1:] + drafted[:-1])]
        kept = speculate(says, guesses, drafted, uniform(n), uniform())
        new, calls = new + kept, calls + 1
        caches = [c._replace(position=jnp.int32(position + len(kept))) for c in caches]  # Forget what was rejected.
    return new[1 : count + 1], calls


with skip_if_unfinished():
    known = set(tokenizer.decode([i]) for i in range(tokenizer.vocab_size))
    sample = "".join(c for c in mt.data.load_text("stdlib-docstrings", limit=200_000).text if c in known)
    prompt = tokenizer.encode("Return the")
    count = model.config.context - len(prompt) - 8
    written, calls = speculative(decoder(model), empty_caches(model), bigrams(tokenizer, sample), prompt, count, seed=3)
    print(f"Return the{mt.infer.printable(tokenizer.decode(written))}")
    print(f"\n{count} tokens in {calls} calls of the target: {count / calls:.2f} a call")

# %% [markdown]
# If each guess is accepted with probability $a$, a call brings $1 + a + a^2 + \dots + a^n$ tokens on average. With a
# small network as the draft, Leviathan et al. measured $a$ around 0.6 to 0.8, and texts written two to three times as
# fast, with not one probability changed.
#
# ## In the wild
#
# | what you wrote | where it lives |
# |---|---|
# | temperature, top-k, top-p, min-p | Hugging Face transformers: `src/transformers/generation/logits_process.py` (its top-k keeps all that tie); llama.cpp: `src/llama-sampling.cpp` (lately `llama-sampler.cpp`), in the order that `common/common.h` lists; mlx-lm: `mlx_lm/sample_utils.py`; vLLM: `vllm/v1/sample/ops/topk_topp_sampler.py` |
# | the draw | JAX: `jax/_src/random.py` (`categorical`, Gumbel); gpt-fast: `generate.py` (`multinomial_sample_one_no_sync`) |
# | the loop without a cache | karpathy/nanoGPT: `model.py` (`generate`); minitorch: `infer/naive.py` |
# | the cache | gpt-fast: `model.py` (`KVCache`); transformers: `src/transformers/cache_utils.py` (`DynamicCache` grows, `StaticCache` is yours); llama.cpp: `src/llama-kv-cache.cpp`; minitorch: `nn/attention.py` |
# | the loop with a cache | minitorch: `infer/generate.py`, which draws 16 tokens in one compiled call; karpathy/nanochat: `nanochat/engine.py` |
# | pages in place of one long array | vLLM: `vllm/v1/core/kv_cache_manager.py` |
# | guess, then check | vLLM: `vllm/v1/sample/rejection_sampler.py`; llama.cpp: `common/speculative.cpp`; transformers: `src/transformers/generation/utils.py` (`_speculative_sampling`) |
#
# ## References
#
# - L. Boltzmann, *Studien über das Gleichgewicht der lebendigen Kraft zwischen bewegten materiellen Punkten*, 1868.
# - C. Shannon, *A mathematical theory of communication*, 1948.
# - E. Gumbel, *Statistical theory of extreme values and some practical applications*, 1954.
# - D. Ackley, G. Hinton, T. Sejnowski, *A learning algorithm for Boltzmann machines*, 1985.
# - A. Fan, M. Lewis, Y. Dauphin, *Hierarchical neural story generation*, 2018 (top-k).
# - A. Holtzman, J. Buys, L. Du, M. Forbes, Y. Choi, *The curious case of neural text degeneration*, 2019 (top-p).
# - N. Shazeer, *Fast transformer decoding: one write-head is all you need*, 2019 (one key head for all queries).
# - Y. Leviathan, M. Kalman, Y. Matias, *Fast inference from transformers via speculative decoding*, 2022.
# - R. Pope et al., *Efficiently scaling transformer inference*, 2022.
# - C. Chen et al., *Accelerating large language model decoding with speculative sampling*, 2023.
# - J. Ainslie et al., *GQA: training generalized multi-query transformer models from multi-head checkpoints*, 2023.
# - W. Kwon et al., *Efficient memory management for large language model serving with PagedAttention*, 2023.
# - DeepSeek-AI, *DeepSeek-V2: a strong, economical, and efficient mixture-of-experts language model*, 2024.
# - M. Nguyen et al., *Turning up the heat: min-p sampling for creative and coherent LLM outputs*, 2024.
