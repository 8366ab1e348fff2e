# %% [markdown]
# # 07 Attention and transformers: who looks at whom
#
# Until 2014 a translation network read a sentence word by word and stored everything it had understood in one vector,
# which had the same size for five words or for fifty. Long sentences came out badly. Then Dzmitry Bahdanau, Kyunghyun
# Cho and Yoshua Bengio let the half that writes (the decoder) look back at every word of the input, and choose again
# for each word that it wrote. Three years later eight people at Google threw everything else away: *Attention is all
# you need*. Nearly every large language model since then is that paper with four or five parts replaced. Here you write
# the parts and their replacements, and then you put them into minitorch and watch them learn to read.
#
# **When you have finished you can**
#
# - write attention, and say what each of its axes means;
# - hide the future, and test that it is hidden: you change it and see what happens;
# - walk from GPT-2 (2019) to Llama 2 (2023) one idea at a time (RMSNorm, rotary positions, SwiGLU, grouped queries) and
#   say what each idea buys, with a number;
# - show that your model gives the same logits as the library's, and your attention the same numbers as JAX's and
#   flax's;
# - look into the heads of a model that you trained, and see what they look at.
#
# ```
#   application     a chat window
#   MLOps           runs, metrics, packages
#   hubs            Llama, Mistral, Gemma, Qwen: this notebook with other numbers
#   frameworks      ... in layers                                                 <- this notebook
#   clusters        the heads of one layer, on several machines
#   hardware        multiply, add
# ```
#
# Time: about 90 minutes. Before: notebook 03 (layers, softmax, the factor that stays near 1).

# %% name="imports"
import dataclasses
import functools
import math

import jax
import jax.numpy as jnp

import minitorch as mt
from minitorch import nn, ops
from minitorch_course import check, inputs, my_solution, report, setup, skip_if_unfinished
from minitorch_course.figures import attention as pictures
from minitorch_course.figures import positions as clocks

setup()

# %% [markdown]
# ## 1. A picture
#
# We trained a small Llama for some minutes on the documentation of Python's standard library. Its only teacher was the
# next piece of text. It has four layers with four heads each. The picture shows what one head does while the model
# reads a sentence that it has never seen. Each row is a piece of text (a token) that *looks*, each column is a piece
# that is *looked at*, and every row adds up to 100 %.
#
# Before you read on: what is this head looking for?

# %% name="real-head" tags=["demo"]
pictures.head(pictures.TOKENS, pictures.WEIGHTS)

# %% [markdown]
# It looks for *things*. At every place it gives most of its weight to a noun that came before: `name`, `file`. The
# second `the` gives 97 % to the `file` five pieces earlier, and the next piece is indeed `file`. It is not a clean
# rule: `None` looks at `or`, and `name` at `Return`. Heads seldom do one thing only. (A dot stands for a space.)
#
# Nobody programmed the head to do that. All it got was the rule below, some matrices of random numbers, and gradients.
#
# ## 2. A dict that never says KeyError
#
# Python's dict compares a query with its keys, finds the one that is *equal*, and returns its value. Attention compares
# the query with all keys, measures *how similar* each key is, and returns a weighted mean of all values: the more
# similar the key, the larger the weight of its value. Attention never makes a hard choice, and this makes it
# differentiable: if you change a query a little, the result changes a little.
#
# Queries, keys and values are vectors. Every token computes all three from its own vector $x$, with one learned matrix
# for each: the query $x\,W_q$ says "this is what I look for", the key $x\,W_k$ says "this is how others find me", and
# the value $x\,W_v$ says "this is what you get when you find me". Similar means a large inner product, and softmax
# turns the products into weights.
#
# $$ \text{attention}(q, k, v) \;=\; \text{softmax}\Big(\frac{q\, k^\top}{\sqrt d}\Big)\, v $$
#
# An example with one query $q = (2, 0, 1, 1)$, so $d = 4$ and $\sqrt d = 2$, and three keys:
#
# | key | $q \cdot k$ | $/\ 2$ | weight (softmax) | value | weight × value |
# |---|---|---|---|---|---|
# | (1, 5, 1, 1) | 4 | 2 | 0.665 | 10 | 6.65 |
# | (1, -3, 0, 0) | 2 | 1 | 0.245 | 20 | 4.89 |
# | (0, 7, 1, -1) | 0 | 0 | 0.090 | 30 | 2.70 |
# | | | | 1 | | **14.25** |
#
# The second number of each key is large, but it does not matter at all, because the query has a 0 there. A query says
# which directions it cares about.
#
# ### Why $\sqrt d$?
#
# Take numbers with mean square 1, as notebook 03 taught us to keep them. The inner product of two vectors with $d$ such
# numbers is a sum of $d$ terms of size 1 with random signs, so its size is about $\sqrt d$. For $d = 4$ the scores are
# about 2. For $d = 1024$ they are about 32, and softmax of such numbers gives all the weight to one key. Then its
# slope, $p(1 - p)$, is 0, and the model learns nothing. After division by $\sqrt d$ the scores have size 1 for every
# $d$.
#
# Predict: with 16 keys, how large is the largest weight on average as $d$ grows, with the division and without it?

# %% name="sharpness" tags=["demo"]
pictures.sharpness()

# %% [markdown]
# ### Exercise 1: attention
#
# Rows are tokens: `q` holds $T$ queries of $d$ numbers, `k` and `v` hold $S$ keys and values. There may be any number
# of axes in front (examples, heads); `.mT` exchanges the last two axes and does not touch the axes in front. Use `@`,
# `.mT` and functions of `ops`, and not `jnp`: then minitorch's tape can record your lines, and differentiate them in
# sections 6 and 7.


# %% name="attention" tags=["exercise"] forbids=["minitorch.ops.attention", "minitorch.ops.fused._attention", "jax.nn.dot_product_attention"]
def attention(q, k, v):
    """What every query finds: the mean of the values, weighed by how well their keys fit.

    Args:
      q: (..., T, d).
      k: (..., S, d).
      v: (..., S, e).

    Returns (..., T, e).
    """
    # BEGIN SOLUTION Exercise 1: softmax the scores of each query over the keys, and take the mean of the values with these weights.
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return ops.softmax(scores) @ v
    # END SOLUTION


# %% name="attention-check" tags=["check"] exercise="attention"
q, k = (
    jnp.array([[2.0, 0.0, 1.0, 1.0]]),
    jnp.array([[1.0, 5.0, 1.0, 1.0], [1.0, -3.0, 0.0, 0.0], [0.0, 7.0, 1.0, -1.0]]),
)
v = jnp.array([[10.0, 0.0], [20.0, 1.0], [30.0, 5.0]])
check(
    "the worked example",
    lambda: attention(q, k, v),
    jnp.array([[14.248, 0.6949]]),
    mistakes={
        "The scores are not divided by the root of d.": lambda: jax.nn.softmax(q @ k.T) @ v,
        "The scores are divided by d. Their size grows with the root of d.": lambda: jax.nn.softmax(q @ k.T / 4) @ v,
        "The scores are multiplied by the root of d. They must be divided by it.": (
            lambda: jax.nn.softmax(q @ k.T * 2) @ v
        ),
        "d is the length of a query, its last axis. You divided by the root of another size.": (
            lambda: jax.nn.softmax(q @ k.T / 3**0.5) @ v
        ),
        "Softmax ran over the queries (axis -2). Each query shares its weight out over the keys: the last axis.": (
            lambda: jax.nn.softmax(q @ k.T / 2, axis=0) @ v
        ),
        "Those are the weights. Take the mean of the values with them: weights @ v.": lambda: jax.nn.softmax(
            q @ k.T / 2
        ),
        "The values were weighed with the scores themselves: softmax is missing.": lambda: q @ k.T / 2 @ v,
    },
    rtol=1e-3,
)
q, k = jnp.array([[1.0, 2.0], [-1.0, 0.5], [0.0, 3.0]]), jnp.array([[0.5, 1.0], [2.0, -1.0], [-1.0, 1.5]])
v = jnp.array([[1.0, 0.0, 2.0], [4.0, 1.0, -1.0], [0.0, -2.0, 5.0]])
check(
    "three queries: every one finds something else",
    lambda: attention(q, k, v),
    lambda: jax.nn.softmax(q @ k.T / 2**0.5) @ v,
    mistakes={
        "Softmax ran over the queries (axis -2). Each query shares its weight out over the keys: the last axis.": (
            lambda: jax.nn.softmax(q @ k.T / 2**0.5, axis=0) @ v
        ),
        "The scores are not divided by the root of d.": lambda: jax.nn.softmax(q @ k.T) @ v,
        "d is the length of a query, its last axis. You divided by the root of another size.": (
            lambda: jax.nn.softmax(q @ k.T / 3**0.5) @ v
        ),
        "Queries and keys are exchanged: a row of scores belongs to one query.": (
            lambda: jax.nn.softmax(k @ q.T / 2**0.5) @ v
        ),
    },
)
batched = jnp.stack([q, 2 * q]), jnp.stack([k, k[::-1]]), jnp.stack([v, v - 1])
check(
    "two examples at once: an axis in front",
    lambda: attention(*batched),
    lambda: jnp.stack([jax.nn.softmax(q @ k.T / 2**0.5) @ v for q, k, v in zip(*batched)]),
)
check(
    "the tape can follow: what q receives",
    lambda: mt.grad(lambda q: ops.sum(attention(q, k, v) ** 2))(q),
    lambda: jax.grad(lambda q: ((jax.nn.softmax(q @ k.T / 2**0.5) @ v) ** 2).sum())(q),
)

# %% name="attention-queries" tags=["hidden-test"] exercise="attention" points=2 hint="softmax(q @ k.mT / sqrt(d)) @ v, with the softmax over the last axis."
drawn_q, drawn_k, drawn_v = inputs.normal(3, 3), inputs.normal(3, 3), inputs.normal(3, 3)
report(
    attention(drawn_q, drawn_k, drawn_v),
    mistakes={
        "The scores are not divided by the root of d.": lambda: jax.nn.softmax(drawn_q @ drawn_k.T) @ drawn_v,
        "The scores are divided by d. Their size grows with the root of d.": (
            lambda: jax.nn.softmax(drawn_q @ drawn_k.T / 3) @ drawn_v
        ),
        "The scores are multiplied by the root of d. They must be divided by it.": (
            lambda: jax.nn.softmax(drawn_q @ drawn_k.T * 3**0.5) @ drawn_v
        ),
        "Softmax ran over the queries (axis -2). Each query shares its weight out over the keys: the last axis.": (
            lambda: jax.nn.softmax(drawn_q @ drawn_k.T / 3**0.5, axis=0) @ drawn_v
        ),
        "Queries and keys are exchanged: a row of scores belongs to one query.": (
            lambda: jax.nn.softmax(drawn_k @ drawn_q.T / 3**0.5) @ drawn_v
        ),
        "Those are the weights. Take the mean of the values with them: weights @ v.": (
            lambda: jax.nn.softmax(drawn_q @ drawn_k.T / 3**0.5)
        ),
    },
)

# %% name="attention-batched" tags=["hidden-test"] exercise="attention" points=2 hint="k.mT exchanges the last two axes only; d is q.shape[-1]; use ops.softmax, which the tape can follow."
drawn_q, drawn_k, drawn_v = inputs.normal(2, 2, 5), inputs.normal(2, 3, 5), inputs.normal(2, 3, 4)
report(
    attention(drawn_q, drawn_k, drawn_v),
    mistakes={
        "The scores are not divided by the root of d.": lambda: jax.nn.softmax(drawn_q @ drawn_k.mT) @ drawn_v,
        "The scores are divided by d. Their size grows with the root of d.": (
            lambda: jax.nn.softmax(drawn_q @ drawn_k.mT / 5) @ drawn_v
        ),
        "d is the length of a query, its last axis. You divided by the root of another size.": (
            lambda: jax.nn.softmax(drawn_q @ drawn_k.mT / 3**0.5) @ drawn_v
        ),
    },
)
drawn_g = inputs.normal(2, 2, 4)
report(mt.grad(lambda q: ops.sum(drawn_g * attention(q, drawn_k, drawn_v)))(drawn_q))

# %% [markdown]
# ## 3. The future is secret
#
# At every place a language model predicts what comes next. So one text of $T$ tokens is $T$ exercises at once, and the
# model does all of them in one pass. This is one of the main reasons why transformers train so fast. But there is a
# catch. At place 3 the right answer is token 4, and token 4 is in the input, one column to the right. If the model may
# look there, it learns to copy the token, reaches a loss of nearly 0, and cannot write a word.
#
# So query $t$ may look at keys up to $t$: itself and the past.

# %% name="mask-drawn" tags=["demo"]
pictures.mask(["the", "cat", "sat", "on", "the", "mat"])

# %% [markdown]
# **Where to hide.** If you set weights to 0 *after* the softmax, the row no longer adds up to 1. Even worse, softmax
# has already divided by a sum that contains the future, so the future leaks into the weights. If you set scores to 0
# *before* the softmax, you hide nothing: $e^0 = 1$ is an ordinary weight. The score that gives the weight 0 is
# $-\infty$.
#
# An example: the scores are $(2, 1, 0)$, and the last one is the future. Then $(2, 1, -\infty)$ gives the weights
# $(0.731, 0.269, 0)$.
#
# **More keys than queries.** When a model writes, it has already computed the keys of the past, and it needs a query
# only for the new token (notebook 09 is built on this). Then `q` holds the *last* $T$ of $S$ tokens: query $t$ belongs
# to place $S - T + t$.
#
# ### Exercise 2: causal attention
#
# `ops.where(condition, x, y)` takes from `x` where the condition is True. The condition is a (T, S) array of booleans.
# It needs no derivative, so you may use `jnp` here: make it with `jnp.arange` and a comparison that broadcasts.


# %% name="causal_attention" tags=["exercise"] forbids=["minitorch.ops.attention", "minitorch.ops.fused._attention", "jax.nn.dot_product_attention"]
def causal_attention(q, k, v):
    """Attention in which no query sees a key that comes after it.

    Args:
      q: (..., T, d), the last T of S tokens.
      k: (..., S, d), with S >= T.
      v: (..., S, e).

    Returns (..., T, e).
    """
    # BEGIN SOLUTION Exercise 2: as attention, with the score -inf where a key stands at a later place than the query.
    T, S = q.shape[-2], k.shape[-2]
    seen = jnp.arange(S) <= jnp.arange(T)[:, None] + (S - T)  # (T, S)
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return ops.softmax(ops.where(seen, scores, -jnp.inf)) @ v
    # END SOLUTION


# %% name="causal_attention-check" tags=["check"] exercise="causal_attention"
q, k = jnp.array([[1.0, 2.0], [-1.0, 0.5], [0.0, 3.0]]), jnp.array([[0.5, 1.0], [2.0, -1.0], [-1.0, 1.5]])
v = jnp.array([[1.0, 0.0], [4.0, 1.0], [0.0, -2.0]])
scores, lower = q @ k.T / 2**0.5, jnp.array([[1, 0, 0], [1, 1, 0], [1, 1, 1]], bool)


def seeing(seen):
    """What comes out where `seen` says for each query which keys it sees."""
    return jax.nn.softmax(scores, where=seen) @ v


check(
    "the first token sees itself only, so it finds its own value",
    lambda: causal_attention(q, k, v)[0],
    v[0],
    mistakes={
        "No key was left for the first token, and 0 / 0 is NaN. A token sees itself: compare with <=, not with <.": (
            jnp.full(2, jnp.nan)
        ),
        "All keys of the first token were hidden, so that they came out equal. A token sees itself: <=, not <.": (
            v.mean(0)
        ),
        "The first token sees the others too: the mask is missing, or it is the wrong way round.": (
            lambda: (jax.nn.softmax(scores) @ v)[0]
        ),
        "The weights of the first token do not add up to 1: hide before the softmax.": (
            lambda: jax.nn.softmax(scores)[0, 0] * v[0]
        ),
        "A score of 0 hides nothing, since e^0 is 1. Hidden is a score of minus infinity.": (
            lambda: jax.nn.softmax(jnp.where(lower, scores, 0.0))[0] @ v
        ),
    },
)
check(
    "three tokens",
    lambda: causal_attention(q, k, v),
    lambda: seeing(lower),
    mistakes={
        "The future is visible: nothing was hidden.": lambda: jax.nn.softmax(scores) @ v,
        "The mask is the wrong way round: every token sees itself and the future.": lambda: seeing(lower.T),
        "The future was hidden after the softmax, so that it was still in the sum that softmax divides by.": (
            lambda: jnp.where(lower, jax.nn.softmax(scores), 0) @ v
        ),
        "A score of 0 hides nothing, since e^0 is 1. Hidden is a score of minus infinity.": (
            lambda: jax.nn.softmax(jnp.where(lower, scores, 0.0)) @ v
        ),
    },
)
check(
    "the last two of three tokens",
    lambda: causal_attention(q[1:], k, v),
    lambda: seeing(lower)[1:],
    mistakes={
        "With more keys than queries, query t stands at place S - T + t: the queries are the last of the tokens.": (
            lambda: jax.nn.softmax(scores[1:], where=lower[:2]) @ v
        ),
        "The queries were put before the first key: the shift S - T is to be added, not subtracted.": (
            jnp.stack([jnp.full(2, jnp.nan), v[0]])
        ),
    },
)
check(
    "change the future: the past does not move",
    lambda: bool(
        jnp.all(causal_attention(q, k.at[2].set(9.0), v.at[2].set(-9.0))[:2] == causal_attention(q, k, v)[:2])
    ),
    True,
    mistakes={"The first two results moved when the third token was changed. They must not have seen it.": False},
)
check(
    "the tape can follow: what the keys receive",
    lambda: mt.grad(lambda k: ops.sum(causal_attention(q, k, v) ** 2))(k),
    lambda: jax.grad(lambda k: ((jax.nn.softmax(q @ k.T / 2**0.5, where=lower) @ v) ** 2).sum())(k),
)

# %% name="causal_attention-all" tags=["hidden-test"] exercise="causal_attention" points=3 hint="ops.where(seen, scores, -jnp.inf) before the softmax; seen[t, s] is s <= t."
drawn_q, drawn_k, drawn_v = inputs.normal(4, 3), inputs.normal(4, 3), inputs.normal(4, 3)
drawn_scores, drawn_lower = drawn_q @ drawn_k.T / 3**0.5, jnp.tri(4, dtype=bool)
report(
    causal_attention(drawn_q, drawn_k, drawn_v),
    mistakes={
        "No key was left for the first token, and 0 / 0 is NaN. A token sees itself: compare with <=, not with <.": (
            lambda: (jax.nn.softmax(drawn_scores, where=jnp.tri(4, k=-1, dtype=bool)) @ drawn_v).at[0].set(jnp.nan)
        ),
        "All keys of the first token were hidden, so that they came out equal. A token sees itself: <=, not <.": (
            lambda: (
                (jax.nn.softmax(drawn_scores, where=jnp.tri(4, k=-1, dtype=bool)) @ drawn_v).at[0].set(drawn_v.mean(0))
            )
        ),
        "The future is visible: nothing was hidden.": lambda: jax.nn.softmax(drawn_scores) @ drawn_v,
        "The mask is the wrong way round: every token sees itself and the future.": (
            lambda: jax.nn.softmax(drawn_scores, where=drawn_lower.T) @ drawn_v
        ),
        "The future was hidden after the softmax, so that it was still in the sum that softmax divides by.": (
            lambda: jnp.where(drawn_lower, jax.nn.softmax(drawn_scores), 0) @ drawn_v
        ),
        "A score of 0 hides nothing, since e^0 is 1. Hidden is a score of minus infinity.": (
            lambda: jax.nn.softmax(jnp.where(drawn_lower, drawn_scores, 0.0)) @ drawn_v
        ),
    },
)
drawn_g = inputs.normal(4, 3)
report(mt.grad(lambda k: ops.sum(drawn_g * causal_attention(drawn_q, k, drawn_v)))(drawn_k))

# %% name="causal_attention-last" tags=["hidden-test"] exercise="causal_attention" points=2 hint="Query t is token S - T + t, so it sees the keys s <= t + (S - T)."
drawn_q, drawn_k, drawn_v = inputs.normal(2, 2, 3), inputs.normal(2, 5, 3), inputs.normal(2, 5, 4)
drawn_scores = drawn_q @ drawn_k.mT / 3**0.5
report(
    causal_attention(drawn_q, drawn_k, drawn_v),
    mistakes={
        "With more keys than queries, query t stands at place S - T + t: the queries are the last of the tokens.": (
            lambda: jax.nn.softmax(drawn_scores, where=jnp.tri(2, 5, dtype=bool)) @ drawn_v
        ),
        "No key was left for the first token, and 0 / 0 is NaN. A token sees itself: compare with <=, not with <.": (
            lambda: jax.nn.softmax(drawn_scores, where=jnp.tri(2, 5, k=2, dtype=bool)) @ drawn_v
        ),
        "The queries were put before the first key: the shift S - T is to be added, not subtracted.": (
            lambda: jnp.full((2, 2, 4), jnp.nan)
        ),
        "The future is visible: nothing was hidden.": lambda: jax.nn.softmax(drawn_scores) @ drawn_v,
        "The future was hidden after the softmax, so that it was still in the sum that softmax divides by.": (
            lambda: jnp.where(jnp.tri(2, 5, k=3, dtype=bool), jax.nn.softmax(drawn_scores), 0) @ drawn_v
        ),
        "A score of 0 hides nothing, since e^0 is 1. Hidden is a score of minus infinity.": (
            lambda: jax.nn.softmax(jnp.where(jnp.tri(2, 5, k=3, dtype=bool), drawn_scores, 0.0)) @ drawn_v
        ),
    },
)

# %% [markdown]
# ### The test of causality
#
# A leak raises no error and makes the loss *better*. To find one, use a test that needs no formula: change one token,
# and see which results change. Below, each column is the token that we changed, and each row is a result; dark means
# that the result changed. Predict both pictures.


# %% name="causality" tags=["demo"]
def moves(function, x):
    """Which results of `function` move with which rows of x (T, D): a (T, T) array of truth values."""
    before = function(x)
    changed = [jnp.any(function(x.at[j].add(1.0)) != before, axis=-1) for j in range(len(x))]
    return jnp.stack(changed, axis=1)


with skip_if_unfinished():
    x = jax.random.normal(jax.random.key(0), (6, 8))
    pictures.influence(
        {
            "attention": moves(lambda x: attention(x, x, x), x),
            "causal attention": moves(lambda x: causal_attention(x, x, x), x),
        }
    )

# %% [markdown]
# Section 6 runs the same test on the whole model. When you write your own model, write this test first.
#
# ## 4. Many heads
#
# One head computes *one* mean. But a word may need several things at once: whom a pronoun means, which verb still needs
# its object, what the last word was. So we cut the width $D$ into $H$ heads of $d = D/H$ numbers each. Every head has
# its own queries, keys and values and attends separately. Then we concatenate the results, and a last matrix mixes
# them.
#
# ```
#   x (B, T, D) --- @ w_qkv ---> (B, T, 3 D):  | queries | keys | values |
#                                               q, k, v (B, T, D) each
#   cut         (B, T, D) -> (B, T, H, d) -> (B, H, T, d)      heads in front, so that attention sees (..., T, d)
#   attend      every head by itself
#   lay back    (B, H, T, d) -> (B, T, H, d) -> (B, T, D)
#   mix         @ w_out (D, D)
# ```
#
# It costs nothing: eight heads need matrices of the same size as one head.
#
# The trap is the cut. The $D$ numbers of a token are its heads, one after the other, so `reshape` may split that axis
# into (H, d). But you can also *reshape* (B, T, D) directly to (B, H, T, d): the number of elements is the same, so you
# get no error. In the picture, which head gets which number?

# %% name="cuts" tags=["demo"]
pictures.cuts()

# %% [markdown]
# On the right a "head" holds all numbers of some tokens: the text has been cut into pieces, and the mask hides the
# wrong things too. Only `transpose` exchanges axes.
#
# ### Exercise 3: multi-head attention
#
# `attend` is a function such as your `causal_attention`. `z.reshape(...)`, `z.transpose(...)` and `ops.split(z, n,
# axis=-1)` (n equal pieces) are recorded on the tape.


# %% name="multi_head" tags=["exercise"]
def multi_head(x, w_qkv, w_out, heads, attend):
    """Attention of a text with itself, with several heads.

    Args:
      x: (B, T, D).
      w_qkv: (D, 3 D): the columns of the queries of all heads, then those of all keys, then of all values.
      w_out: (D, D).
      heads: H, which divides D.
      attend: a function of q, k and v, each (B, H, T, D / H), with a result of that shape.

    Returns (B, T, D).
    """
    # BEGIN SOLUTION Exercise 3: make q, k, v; cut them into heads; attend; lay the heads side by side; multiply by w_out.
    B, T, D = x.shape

    def cut(z):
        return z.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)  # (B, H, T, d)

    q, k, v = (cut(z) for z in ops.split(x @ w_qkv, 3, axis=-1))
    y = attend(q, k, v).transpose(0, 2, 1, 3)  # (B, T, H, d)
    return y.reshape(B, T, D) @ w_out
    # END SOLUTION


# %% name="multi_head-check" tags=["check"] exercise="multi_head"
key_x, key_qkv, key_out = jax.random.split(jax.random.key(3), 3)
x, w_qkv = jax.random.normal(key_x, (2, 3, 8)), jax.random.normal(key_qkv, (8, 24))
w_out = jax.random.normal(key_out, (8, 8))


def plain_attend(q, k, v):
    """An attention without scale and mask."""
    return jax.nn.softmax(q @ k.mT) @ v


def one_head(h, d=4):
    """Head h by itself, from its columns of w_qkv: (2, 3, 4)."""
    first = h * d
    q, k, v = (x @ w_qkv[:, part + first : part + first + d] for part in (0, 8, 16))
    return plain_attend(q, k, v)


def otherwise(cut, lay_back=lambda y: y.transpose(0, 2, 1, 3).reshape(2, 3, 8), order=(0, 1, 2), w_out=w_out):
    """What comes out with another way to cut or to lay back."""
    pieces = jnp.split(x @ w_qkv, 3, axis=-1)
    return lay_back(plain_attend(*(cut(pieces[i]) for i in order))) @ w_out


def rightly(z):
    return jnp.stack([z[..., :4], z[..., 4:]], axis=1)


check(
    "two heads, each computed by itself",
    lambda: multi_head(x, w_qkv, w_out, 2, plain_attend),
    lambda: jnp.concatenate([one_head(0), one_head(1)], axis=-1) @ w_out,
    mistakes={
        "reshape alone cannot bring the heads to the front: it cut the text into pieces. First (B, T, H, d), then transpose.": (
            lambda: otherwise(lambda z: z.reshape(2, 2, 3, 4))
        ),
        "The heads were cut rightly, but not laid back: transpose to (B, T, H, d) before the last reshape.": (
            lambda: otherwise(rightly, lambda y: y.reshape(2, 3, 8))
        ),
        "The heads were neither cut nor laid back with transpose: reshape alone mixes up tokens and heads.": (
            lambda: otherwise(lambda z: z.reshape(2, 2, 3, 4), lambda y: y.reshape(2, 3, 8))
        ),
        "w_out is missing: the heads lie side by side, unmixed.": lambda: otherwise(rightly, w_out=jnp.eye(8)),
        "The numbers of one head are neighbours: cut D into (H, d), not into (d, H).": (
            lambda: otherwise(lambda z: z.reshape(2, 3, 4, 2).transpose(0, 3, 1, 2))
        ),
        "Queries, keys and values stand in this order in the columns of w_qkv. Yours are exchanged.": (
            lambda: otherwise(rightly, order=(1, 0, 2))
        ),
        "There is one head only: `heads` has no effect.": lambda: otherwise(lambda z: z[:, None]),
        "w_qkv holds the queries of all heads first. You cut it into heads first, and then into q, k and v.": (
            lambda: (
                jnp.concatenate(
                    [plain_attend(*jnp.split(x @ w, 3, axis=-1)) for w in (w_qkv[:, :12], w_qkv[:, 12:])], axis=-1
                )
                @ w_out
            )
        ),
    },
)
check(
    "the tape can follow: what w_qkv receives",
    lambda: mt.grad(lambda w: ops.sum(multi_head(x, w, w_out, 2, lambda q, k, v: q * k + v) ** 2))(w_qkv),
    lambda: jax.grad(
        lambda w: ((jnp.multiply(*jnp.split(x @ w[:, :16], 2, axis=-1)) + x @ w[:, 16:]) @ w_out).__pow__(2).sum()
    )(w_qkv),
)


# %% name="multi_head-heads" tags=["hidden-test"] exercise="multi_head" points=4 hint="(B, T, D) -> reshape (B, T, H, d) -> transpose (B, H, T, d); after attending the same way back; then @ w_out."
def drawn_attend(q, k, v):
    return ops.softmax(q @ k.mT) @ v


def drawn_laid(y):
    return y.transpose(0, 2, 1, 3).reshape(2, 4, 6)


def drawn_otherwise(cut, lay_back=drawn_laid, order=(0, 1, 2), w_out=None):
    pieces = jnp.split(drawn_x @ drawn_qkv, 3, axis=-1)
    return lay_back(drawn_attend(*(cut(pieces[i]) for i in order))) @ (drawn_out if w_out is None else w_out)


def drawn_cut(z):
    return jnp.stack(jnp.split(z, 3, axis=-1), axis=1)


drawn_x, drawn_qkv, drawn_out = inputs.normal(2, 4, 6), inputs.normal(6, 18), inputs.normal(6, 6)
report(
    multi_head(drawn_x, drawn_qkv, drawn_out, 3, drawn_attend),
    mistakes={
        "reshape alone cannot bring the heads to the front: it cut the text into pieces. First (B, T, H, d), then transpose.": (
            lambda: drawn_otherwise(lambda z: z.reshape(2, 3, 4, 2))
        ),
        "The heads were cut rightly, but not laid back: transpose to (B, T, H, d) before the last reshape.": (
            lambda: drawn_otherwise(drawn_cut, lambda y: y.reshape(2, 4, 6))
        ),
        "The heads were neither cut nor laid back with transpose: reshape alone mixes up tokens and heads.": (
            lambda: drawn_otherwise(lambda z: z.reshape(2, 3, 4, 2), lambda y: y.reshape(2, 4, 6))
        ),
        "w_out is missing: the heads lie side by side, unmixed.": (
            lambda: drawn_otherwise(drawn_cut, w_out=jnp.eye(6))
        ),
        "The numbers of one head are neighbours: cut D into (H, d), not into (d, H).": (
            lambda: drawn_otherwise(lambda z: z.reshape(2, 4, 2, 3).transpose(0, 3, 1, 2))
        ),
        "Queries, keys and values stand in this order in the columns of w_qkv. Yours are exchanged.": (
            lambda: drawn_otherwise(drawn_cut, order=(1, 0, 2))
        ),
        "There is one head only: `heads` has no effect.": lambda: drawn_otherwise(lambda z: z[:, None]),
        "w_qkv holds the queries of all heads first. You cut it into heads first, and then into q, k and v.": (
            lambda: (
                jnp.concatenate(
                    [drawn_attend(*jnp.split(drawn_x @ w, 3, axis=-1)) for w in jnp.split(drawn_qkv, 3, axis=1)],
                    axis=-1,
                )
                @ drawn_out
            )
        ),
    },
)

# %% name="multi_head-tape" tags=["hidden-test"] exercise="multi_head" points=2 hint="Use reshape, transpose and ops.split, which the tape can follow."
drawn_x, drawn_qkv, drawn_out = inputs.normal(1, 3, 4), inputs.normal(4, 12), inputs.normal(4, 4)
drawn_g = inputs.normal(1, 3, 4)
report(mt.grad(lambda w: ops.sum(drawn_g * multi_head(drawn_x, w, drawn_out, 2, lambda q, k, v: q * k - v)))(drawn_qkv))
report(
    multi_head(drawn_x, drawn_qkv, drawn_out, 2, lambda q, k, v: ops.softmax(q @ k.mT) @ v),
    mistakes={
        "w_out is missing: the heads lie side by side, unmixed.": (
            lambda: multi_head(drawn_x, drawn_qkv, jnp.eye(4), 2, lambda q, k, v: ops.softmax(q @ k.mT) @ v)
        ),
    },
)

# %% [markdown]
# ### Attention is blind to order
#
# Nothing in the formula knows the place of a key. If you shuffle the tokens before a token, its result stays exactly
# the same. For attention, "the dog bit the man" and "the man bit the dog" are the same bag of words.

# %% name="order" tags=["demo"]
with skip_if_unfinished():
    x = jax.random.normal(jax.random.key(1), (6, 8))
    past = jnp.array([3, 0, 4, 1, 2, 5])  # The last token stays the last.
    difference = jnp.abs(attention(x[-1:], x, x) - attention(x[-1:], x[past], x[past])).max()
    print("the last token finds the same in a shuffled past:", bool(difference < 1e-5))

# %% [markdown]
# The mask helps a little (a token can count how many others it sees), and GPT-2 solves it by brute force: it learns a
# vector for place 0, one for place 1, up to place 1023, and adds them to the tokens. Place 1024 does not exist. There
# is a better way, and it comes after the next exercise.
#
# ## 5. From GPT-2 to Llama 2, one idea at a time
#
# | | GPT-2, 2019 | Llama 2, 2023 | what it buys |
# |---|---|---|---|
# | norm | LayerNorm | **RMSNorm** | the same loss with half of the work |
# | place | a learned vector for each | **rotary**: turn queries and keys | a lower loss, and no maximum length |
# | feed-forward | GELU | **SwiGLU** | a lower loss for as many weights, in large models |
# | heads | keys and values for every head | **grouped queries** (the 34 and 70 billion models) | an eighth of the memory while writing |
#
# The last column is a claim. Section 7 measures it on five models of yours.
#
# ### RMSNorm
#
# LayerNorm does two things to a row: it subtracts the mean, and it scales the rest to mean square 1. In 2019 Biao Zhang
# and Rico Sennrich asked which of the two a model needs, and left the first one out:
#
# $$ \text{rms}(x) = \sqrt{\text{mean}(x^2) + \epsilon} \qquad\qquad y = \frac{x}{\text{rms}(x)} \cdot \text{scale} $$
#
# For $x = (3, 4)$: the mean square is $12.5$, its root $3.54$, and $y = (0.849, 1.131)$. LayerNorm turns it into $(-1,
# 1)$. Predict: what do the two norms make from $(3, 3)$?
#
# ### Exercise 4: RMSNorm


# %% name="rms_norm" tags=["exercise"] forbids=["minitorch.ops.rms_norm"]
def rms_norm(x, scale, epsilon=1e-6):
    """Rows brought to mean square 1, then scaled: x (..., D) and scale (D,) to (..., D)."""
    # BEGIN SOLUTION Exercise 4: divide every row by the root of its mean square plus epsilon, and multiply by scale.
    return x / ops.sqrt(ops.mean(x * x, axis=-1, keepdims=True) + epsilon) * scale
    # END SOLUTION


# %% name="rms_norm-check" tags=["check"] exercise="rms_norm"
x, scale = jnp.array([[3.0, 4.0], [1.0, -2.0]]), jnp.array([1.0, 10.0])
check(
    "two rows, with a scale",
    lambda: rms_norm(x, scale, 0.0),
    jnp.array([[0.84853, 11.3137], [0.63246, -12.6491]]),
    mistakes={
        "The mean was taken away first: that is LayerNorm. RMSNorm only divides.": jnp.array(
            [[-1.0, 10.0], [1.0, -10.0]]
        ),
        "scale is missing.": jnp.array([[0.84853, 1.13137], [0.63246, -1.26491]]),
        "The sum of squares was taken. It is their mean.": jnp.array([[0.6, 8.0], [0.44721, -8.94427]]),
        "You divided by the mean square. Its root is missing.": jnp.array([[0.24, 3.2], [0.4, -8.0]]),
        "The mean ran over all numbers. Every row has its own: axis=-1.": (
            lambda: x / jnp.sqrt((x * x).mean()) * scale
        ),
        "The mean ran over the rows (axis 0). Every row has its own: axis=-1.": (
            lambda: x / jnp.sqrt((x * x).mean(0)) * scale
        ),
        "The rows were multiplied by their size, and must be divided by it.": (
            lambda: x * jnp.sqrt((x * x).mean(-1, keepdims=True)) * scale
        ),
    },
)
check(
    "a row of zeros stays one",
    lambda: rms_norm(jnp.zeros((1, 3)), jnp.ones(3)),
    jnp.zeros((1, 3)),
    mistakes={"0 / 0 is NaN: epsilon is missing.": jnp.full((1, 3), jnp.nan)},
)
check(
    "epsilon stands under the root",
    lambda: rms_norm(jnp.array([0.3, -0.4]), jnp.ones(2), 0.1),
    lambda: jnp.array([0.3, -0.4]) / jnp.sqrt(0.125 + 0.1),
    mistakes={
        "epsilon was added to the root. It is added to the mean square, under the root.": (
            lambda: jnp.array([0.3, -0.4]) / (jnp.sqrt(0.125) + 0.1)
        ),
        "epsilon has no effect.": lambda: jnp.array([0.3, -0.4]) / jnp.sqrt(0.125),
    },
)
check(
    "two axes in front: what x receives",
    lambda: mt.grad(lambda x: ops.sum(rms_norm(x, scale) ** 3))(jnp.stack([x, x + 1])),
    lambda: mt.grad(lambda x: ops.sum(ops.rms_norm(x, scale) ** 3))(jnp.stack([x, x + 1])),
)

# %% name="rms_norm-rows" tags=["hidden-test"] exercise="rms_norm" points=2 hint="x / sqrt(mean(x * x, axis=-1, keepdims=True) + epsilon) * scale"
drawn_x, drawn_scale = inputs.normal(3, 3), inputs.uniform(3, low=0.5, high=2.0)
report(
    rms_norm(drawn_x, drawn_scale),
    mistakes={
        "The mean was taken away first: that is LayerNorm. RMSNorm only divides.": (
            lambda: (drawn_x - drawn_x.mean(-1, keepdims=True)) / drawn_x.std(-1, keepdims=True) * drawn_scale
        ),
        "scale is missing.": lambda: drawn_x / jnp.sqrt((drawn_x**2).mean(-1, keepdims=True)),
        "The sum of squares was taken. It is their mean.": (
            lambda: drawn_x / jnp.sqrt((drawn_x**2).sum(-1, keepdims=True)) * drawn_scale
        ),
        "You divided by the mean square. Its root is missing.": (
            lambda: drawn_x / (drawn_x**2).mean(-1, keepdims=True) * drawn_scale
        ),
        "The mean ran over all numbers. Every row has its own: axis=-1.": (
            lambda: drawn_x / jnp.sqrt((drawn_x**2).mean()) * drawn_scale
        ),
        "The mean ran over the rows (axis 0). Every row has its own: axis=-1.": (
            lambda: drawn_x / jnp.sqrt((drawn_x**2).mean(0)) * drawn_scale
        ),
    },
)
drawn_x, drawn_g = inputs.normal(2, 2, 3), inputs.normal(2, 2, 3)
report(mt.grad(lambda x: ops.sum(drawn_g * rms_norm(x, drawn_scale)))(drawn_x))

# %% name="rms_norm-epsilon" tags=["hidden-test"] exercise="rms_norm" points=1 hint="epsilon is added to the mean square, under the root."
drawn_x, drawn_epsilon = inputs.normal(2, 3), inputs.uniform(low=0.5, high=1.5)
report(
    rms_norm(drawn_x, jnp.ones(3), drawn_epsilon),
    mistakes={
        "epsilon was added to the root. It is added to the mean square, under the root.": (
            lambda: drawn_x / (jnp.sqrt((drawn_x**2).mean(-1, keepdims=True)) + drawn_epsilon)
        ),
        "epsilon has no effect.": lambda: drawn_x / jnp.sqrt((drawn_x**2).mean(-1, keepdims=True)),
        "The mean was taken away first: that is LayerNorm. RMSNorm only divides.": (
            lambda: (
                (drawn_x - drawn_x.mean(-1, keepdims=True)) / jnp.sqrt(drawn_x.var(-1, keepdims=True) + drawn_epsilon)
            )
        ),
        "The sum of squares was taken. It is their mean.": (
            lambda: drawn_x / jnp.sqrt((drawn_x**2).sum(-1, keepdims=True) + drawn_epsilon)
        ),
        "You divided by the mean square. Its root is missing.": (
            lambda: drawn_x / ((drawn_x**2).mean(-1, keepdims=True) + drawn_epsilon)
        ),
        "The mean ran over all numbers. Every row has its own: axis=-1.": (
            lambda: drawn_x / jnp.sqrt((drawn_x**2).mean() + drawn_epsilon)
        ),
        "The mean ran over the rows (axis 0). Every row has its own: axis=-1.": (
            lambda: drawn_x / jnp.sqrt((drawn_x**2).mean(0) + drawn_epsilon)
        ),
    },
)
report(rms_norm(jnp.zeros((1, 3)), jnp.ones(3)))

# %% [markdown]
# What does it buy? Let us count the operations that XLA, JAX's compiler, needs for each number of the input.


# %% name="norm-cost" tags=["demo", "nbval-ignore-output"]
def operations(function, *args):
    """Arithmetic operations of the compiled function for each number of its first argument."""
    cost = jax.jit(function).lower(*args).compile().cost_analysis()
    return (cost[0] if isinstance(cost, list) else cost)["flops"] / args[0].size


with skip_if_unfinished():
    rows, ones = jnp.ones((64, 512)), jnp.ones(512)
    print(f"LayerNorm: {operations(ops.layer_norm, rows, ones, ones):.1f} operations a number")
    print(f"RMSNorm:   {operations(rms_norm, rows, ones):.1f}")

# %% [markdown]
# ### Rotary positions
#
# Take two numbers of a query as a point in the plane, and *turn* the point by an angle that is proportional to the
# token's place. Do the same with the keys. What happens to the inner product? If you turn both by the same angle, it
# does not change. So the product of a query at place $m$ and a key at place $n$ depends only on the *difference* of the
# angles, and so only on $m - n$: the distance matters, and not the places themselves. Language works like this too:
# "the word before me" means the same on page 1 and on page 300.
#
# One pair that turns at one speed is like a clock with one hand: after a full turn it shows the same time again. So the
# $d/2$ pairs of a head turn at different speeds, like the hands for seconds, minutes and hours. The fast ones
# distinguish neighbouring tokens, the slow ones distinguish paragraphs. Pair $i$ turns by
#
# $$ \theta_i = \text{base}^{-2i/d} \text{ radians per token}, \qquad i = 0, \ldots, d/2 - 1 $$
#
# With base 10,000 and $d = 64$ the first pair turns by 1 radian per token and needs about six tokens for a full turn;
# the last pair needs 47,000 tokens. Turning $(a, b)$ by an angle $\varphi$ gives
#
# $$ (a \cos\varphi - b \sin\varphi, \;\; b \cos\varphi + a \sin\varphi) $$
#
# **Numbers.** $d = 4$, base 100: the speeds are $1$ and $0.1$. Take the vector $(1, 2, 3, 4)$ at place 2: the first
# pair is $(1, 3)$ and turns by 2 radians to $(-3.144, -0.339)$; the second is $(2, 4)$ and turns by 0.2 to $(1.165,
# 4.318)$. The result is $(-3.144,\ 1.165,\ -0.339,\ 4.318)$.
#
# **Which numbers form a pair?** Number $i$ and number $i + d/2$: halves, not neighbours. The paper and Meta's own code
# pair neighbours; GPT-NeoX and Hugging Face pair halves, and the Llama weights that everybody loads have been permuted
# for this. Both are right, as long as you do not mix them. When somebody did mix them, the converted model wrote
# nonsense, and this has happened many times.
#
# ### Exercise 5: rotary positions


# %% name="rope" tags=["exercise"] forbids=["minitorch.nn.rope.rope", "minitorch.nn.rope.rotate"]
def rope(x, positions, base=10_000.0):
    """Queries or keys with each pair of numbers turned by an angle that grows with the place of the token.

    Args:
      x: (B, T, H, d), with d even.
      positions: (T,), the places of the tokens, as integers.
      base: pair i, the numbers i and i + d/2, turns by base^(-2i/d) radians a token.

    Returns (B, T, H, d).
    """
    # BEGIN SOLUTION Exercise 5: compute the angle of every place and pair, and turn the pairs.
    d = x.shape[-1]
    speeds = base ** (-jnp.arange(0, d, 2) / d)  # (d/2,)
    angles = positions[:, None, None] * speeds  # (T, 1, d/2): the same for all heads
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    a, b = ops.split(x, 2, axis=-1)  # (B, T, H, d/2) each
    return ops.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)
    # END SOLUTION


# %% name="rope-check" tags=["check"] exercise="rope"
x = jnp.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 1, 4)
check(
    "the worked example: place 2, base 100",
    lambda: rope(x, jnp.array([2]), 100.0)[0, 0, 0],
    jnp.array([-3.1440, 1.1655, -0.3391, 4.3176]),
    mistakes={
        "Neighbours were paired, as in the paper. Here number i makes a pair with number i + d/2.": jnp.array(
            [-2.2347, 0.0770, 2.1455, 4.5163]
        ),
        "The pairs turn the wrong way: a cos - b sin, and b cos + a sin.": jnp.array([2.3117, 2.7548, -2.1577, 3.5229]),
        "That is not a rotation: of the two products with sin, one is subtracted and one added.": jnp.array(
            [-3.1440, 1.1655, -2.1577, 3.5229]
        ),
        "The hands slow down too little from pair to pair: the exponent is -2i/d, not -i/d.": jnp.array(
            [-3.1440, -0.7514, -0.3391, 4.4086]
        ),
        "The slow hands became fast ones: the exponent is negative, base^(-2i/d).": jnp.array(
            [-3.1440, -2.8356, -0.3391, 3.4582]
        ),
        "All pairs turn at the same speed. Pair i turns by base^(-2i/d) radians a token.": jnp.array(
            [-3.1440, -4.4695, -0.3391, 0.1540]
        ),
        "The places were counted from 1: use `positions` as they are.": jnp.array([-1.4133, 0.7286, -2.8289, 4.4124]),
    },
    rtol=1e-3,
)
x = jax.random.normal(jax.random.key(5), (2, 3, 3, 8))
places = jnp.array([0, 5, 300])
check(
    "three heads at three places, as minitorch does it",
    lambda: rope(x, places),
    lambda: nn.rope(x, places),
    mistakes={
        "The angle grew along the heads. Axis 1 of x is time, axis 2 the heads: angles (T, 1, d/2).": (
            lambda: nn.rope(x.swapaxes(1, 2), places).swapaxes(1, 2)
        ),
        "The places were taken as 0, 1, 2, ...: use `positions`.": lambda: nn.rope(x, jnp.arange(3)),
    },
)
check("place 0 turns nothing", lambda: rope(x, jnp.array([0, 0, 0])), x)
check(
    "only the distance counts",
    lambda: ops.einsum("thd,shd->hts", rope(x, places)[0], rope(x, places)[1]),
    lambda: ops.einsum("thd,shd->hts", nn.rope(x, places + 7)[0], nn.rope(x, places + 7)[1]),
    rtol=1e-3,
    atol=1e-3,
)
check(
    "the tape can follow",
    lambda: mt.grad(lambda x: ops.sum(rope(x, places, 100.0) ** 3))(x),
    lambda: mt.grad(lambda x: ops.sum(nn.rope(x, places, 100.0) ** 3))(x),
)


# %% name="rope-turn" tags=["hidden-test"] exercise="rope" points=4 hint="speeds = base ** (-arange(0, d, 2) / d); angles = positions times speeds; pairs are the two halves of the last axis."
def turned(x, angles, sign=1.0):
    a, b = jnp.split(x, 2, axis=-1)
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    return jnp.concatenate([a * cos - sign * b * sin, b * cos + sign * a * sin], axis=-1)


drawn_x, drawn_base, drawn_places = inputs.normal(1, 3, 3, 6), inputs.uniform(low=20.0, high=60.0), jnp.array([0, 1, 3])
drawn_angles = drawn_places[:, None, None] * drawn_base ** (-jnp.arange(3) / 3)
report(
    rope(drawn_x, drawn_places, drawn_base),
    mistakes={
        "Neighbours were paired, as in the paper. Here number i makes a pair with number i + d/2.": (
            lambda: (
                turned(jnp.concatenate([drawn_x[..., ::2], drawn_x[..., 1::2]], -1), drawn_angles)
                .reshape(1, 3, 3, 2, 3)
                .swapaxes(-1, -2)
                .reshape(1, 3, 3, 6)
            )
        ),
        "The pairs turn the wrong way: a cos - b sin, and b cos + a sin.": lambda: turned(drawn_x, drawn_angles, -1.0),
        "That is not a rotation: of the two products with sin, one is subtracted and one added.": (
            lambda: jnp.concatenate(
                [turned(drawn_x, drawn_angles)[..., :3], turned(drawn_x, drawn_angles, -1.0)[..., 3:]], axis=-1
            )
        ),
        "The hands slow down too little from pair to pair: the exponent is -2i/d, not -i/d.": (
            lambda: turned(drawn_x, drawn_places[:, None, None] * drawn_base ** (-jnp.arange(3) / 6))
        ),
        "The slow hands became fast ones: the exponent is negative, base^(-2i/d).": (
            lambda: turned(drawn_x, drawn_places[:, None, None] * drawn_base ** (jnp.arange(3) / 3))
        ),
        "All pairs turn at the same speed. Pair i turns by base^(-2i/d) radians a token.": (
            lambda: turned(drawn_x, drawn_places[:, None, None] * jnp.ones(3))
        ),
        "The places were counted from 1: use `positions` as they are.": (
            lambda: turned(drawn_x, drawn_angles + drawn_base ** (-jnp.arange(3) / 3))
        ),
        "The angle grew along the heads. Axis 1 of x is time, axis 2 the heads: angles (T, 1, d/2).": (
            lambda: turned(drawn_x, drawn_angles[:, 0])
        ),
    },
)
report(rope(drawn_x, jnp.zeros(3, jnp.int32), drawn_base))

# %% name="rope-places" tags=["hidden-test"] exercise="rope" points=2 hint="Turn by the places that are given, which need not begin at 0, at speeds that base says (10,000 where nothing is)."
drawn_x, drawn_g = inputs.normal(2, 4, 1, 4), inputs.normal(2, 4, 1, 4)
drawn_places = 5 + inputs.permutation(40)[:4]
drawn_angles = drawn_places[:, None, None] * 10_000.0 ** (-jnp.arange(2) / 2)
report(
    rope(drawn_x, drawn_places),
    mistakes={
        "The places were taken as 0, 1, 2, ...: use `positions`.": lambda: turned(
            drawn_x, jnp.arange(4)[:, None, None] * 10_000.0 ** (-jnp.arange(2) / 2)
        ),
        "The pairs turn the wrong way: a cos - b sin, and b cos + a sin.": lambda: turned(drawn_x, drawn_angles, -1.0),
    },
)
report(mt.grad(lambda x: ops.sum(drawn_g * rope(x, drawn_places)))(drawn_x))

# %% name="hands" tags=["demo"]
with skip_if_unfinished():
    clocks.hands(rope)

# %% [markdown]
# Each column is a place in the text, each row is one of the pairs of a head with 8 numbers. Read a column from top to
# bottom: no two places show the same time, and this stays true for thousands of places.
#
# Now take one query and one key, and put them at all places. On the left we added a vector for the place, as in GPT-2
# (but random vectors instead of learned ones). On the right we turned them. What do you expect to see along the
# diagonals?

# %% name="distance" tags=["demo"]
with skip_if_unfinished():
    clocks.by_distance(rope)
    x = jax.random.normal(jax.random.key(6), (2, 10, 1, 16))

    def scores_at(first):
        q, k = rope(x, first + jnp.arange(10))
        return ops.einsum("thd,shd->hts", q, k)

    print("the same scores 1,000 tokens later:", bool(jnp.allclose(scores_at(0), scores_at(1000), atol=1e-2)))

# %% [markdown]
# ### SwiGLU
#
# Between two attention layers every token thinks on its own: GPT-2 expands its vector to $4D$ numbers, applies GELU,
# and brings it back to $D$ numbers. In 2020 Noam Shazeer replaced the activation function by a **gate**: one matrix
# computes what to say, a second one computes how far to open the door for it.
#
# $$ y = \big(\text{silu}(x\,G) \cdot (x\,U)\big)\, D, \qquad \text{silu}(z) = z \cdot \sigma(z) $$
#
# where $\sigma$ is the logistic function. An example with one number: the gate's $z = 2$ gives $\text{silu}(2) = 2
# \cdot 0.881 = 1.762$; if the other matrix says 3, then $5.285$ passes. And if the gate's $z$ is $-20$, (almost)
# nothing passes, for any number from the other matrix.
#
# Now there are three matrices instead of two, so we make them narrower to keep the number of weights: $3 D F = 8 D^2$
# gives $F = \frac{8}{3} D$. Llama with 7 billion weights has $D = 4096$ and $F = 11008$, which is $\frac 8 3 \cdot
# 4096$, rounded up to the next multiple of 256. Nobody knows why gates help. Shazeer's paper attributes it, literally,
# to divine benevolence.
#
# ### Exercise 6: SwiGLU


# %% name="swiglu" tags=["exercise"] forbids=["minitorch.ops.silu", "minitorch.nn.silu", "jax.nn.silu", "jax.nn.swish", "minitorch.models.llama.SwiGLU"]
def swiglu(x, gate, up, down):
    """A feed-forward layer with a gate.

    Args:
      x: (..., D).
      gate, up: (D, F).
      down: (F, D).

    Returns (..., D).
    """
    # BEGIN SOLUTION Exercise 6: return (silu(x gate) * (x up)) down; ops.sigmoid is the logistic function.
    z = x @ gate
    return (z * ops.sigmoid(z) * (x @ up)) @ down
    # END SOLUTION


# %% name="swiglu-check" tags=["check"] exercise="swiglu"
x, gate, up = jnp.array([[2.0, 1.0]]), jnp.array([[1.0, -1.0], [0.0, 1.0]]), jnp.array([[1.0, 2.0], [1.0, -1.0]])
down = jnp.array([[1.0, 0.5], [2.0, -3.0]])


def feed(opening, said):
    """What comes down of a gate (1, F) and of what is said (1, F)."""
    return (opening * said) @ down


opening, said = x @ gate, x @ up
check(
    "two numbers in, two inside, two out",
    lambda: swiglu(x, gate, up, down),
    lambda: feed(jax.nn.silu(opening), said),
    mistakes={
        "The gate is the logistic function alone. silu(z) is z times it.": lambda: feed(jax.nn.sigmoid(opening), said),
        "gate and up are exchanged: the silu belongs to x @ gate.": lambda: feed(opening, jax.nn.silu(said)),
        "Both sides went through silu. What is said, x @ up, is not bent.": (
            lambda: feed(jax.nn.silu(opening), jax.nn.silu(said))
        ),
        "The bend is a ReLU: that is ReGLU, a cousin. silu(z) is z times the logistic function of z.": (
            lambda: feed(jax.nn.relu(opening), said)
        ),
        "The bend is missing: silu(z) is z times the logistic function of z.": lambda: feed(opening, said),
        "The two were added. The gate multiplies.": lambda: (jax.nn.silu(opening) + said) @ down,
        "down is missing.": lambda: jax.nn.silu(opening) * said,
    },
)
x, gate, up, down = (jax.random.normal(jax.random.key(i), s) for i, s in enumerate([(2, 3, 4), (4, 5), (4, 5), (5, 4)]))
check(
    "two axes in front: what gate receives",
    lambda: mt.grad(lambda gate: ops.sum(swiglu(x, gate, up, down) ** 2))(gate),
    lambda: jax.grad(lambda gate: (((jax.nn.silu(x @ gate) * (x @ up)) @ down) ** 2).sum())(gate),
)

# %% name="swiglu-rows" tags=["hidden-test"] exercise="swiglu" points=3 hint="z = x @ gate; then (z * sigmoid(z) * (x @ up)) @ down"
drawn_x, drawn_gate, drawn_up, drawn_down = (
    inputs.normal(2, 3),
    inputs.normal(3, 3),
    inputs.normal(3, 3),
    inputs.normal(3, 3),
)
drawn_z, drawn_said = drawn_x @ drawn_gate, drawn_x @ drawn_up
report(
    swiglu(drawn_x, drawn_gate, drawn_up, drawn_down),
    mistakes={
        "The gate is the logistic function alone. silu(z) is z times it.": (
            lambda: (jax.nn.sigmoid(drawn_z) * drawn_said) @ drawn_down
        ),
        "gate and up are exchanged: the silu belongs to x @ gate.": (
            lambda: (drawn_z * jax.nn.silu(drawn_said)) @ drawn_down
        ),
        "Both sides went through silu. What is said, x @ up, is not bent.": (
            lambda: (jax.nn.silu(drawn_z) * jax.nn.silu(drawn_said)) @ drawn_down
        ),
        "The bend is a ReLU: that is ReGLU, a cousin. silu(z) is z times the logistic function of z.": (
            lambda: (jax.nn.relu(drawn_z) * drawn_said) @ drawn_down
        ),
        "The bend is missing: silu(z) is z times the logistic function of z.": (
            lambda: (drawn_z * drawn_said) @ drawn_down
        ),
        "The two were added. The gate multiplies.": lambda: (jax.nn.silu(drawn_z) + drawn_said) @ drawn_down,
        "down is missing.": lambda: jax.nn.silu(drawn_z) * drawn_said,
    },
)
drawn_x, drawn_up, drawn_down = inputs.normal(2, 1, 3), inputs.normal(3, 2), inputs.normal(2, 3)
drawn_gate, drawn_g = inputs.normal(3, 2), inputs.normal(2, 1, 3)
report(mt.grad(lambda gate: ops.sum(drawn_g * swiglu(drawn_x, gate, drawn_up, drawn_down)))(drawn_gate))

# %% [markdown]
# ### Grouped queries
#
# When a model writes, it keeps the keys and values of all tokens so far: the **KV cache**. For each token and layer the
# cache holds two vectors per head. Llama 2 with 70 billion weights has 80 layers and 64 heads of 128 numbers. With keys
# and values for every head, in 16 bits, that would be
#
# $$ 2 \cdot 80 \cdot 64 \cdot 128 \cdot 2 \text{ bytes} = 2.6 \text{ MB per token}, \qquad 10.7 \text{ GB for a text of } 4096 $$
#
# for *each* user who is served at the same time. The model compares every new token with the whole cache, and most of
# the time goes into reading it from memory. In 2019 Noam Shazeer proposed to keep keys and values for only one head and
# to let all queries use them (multi-query attention). That saves too much: the model gets worse. In 2023 Joshua Ainslie
# and colleagues found the middle: $K$ heads of keys and values, each shared by a **group** of $H/K$ query heads. Llama
# 2 has $H = 64$ and $K = 8$, so the 10.7 GB become 1.3 GB.
#
# ```
#   query heads    0   1   2   3   4   5          H = 6
#                   \  |  /     \  |  /
#   key heads          0           1              K = 2: heads 0, 1, 2 use the first
# ```

# %% name="memory" tags=["demo"]
pictures.cache_memory()

# %% [markdown]
# ### Exercise 7: grouped queries
#
# From here on the axes have the same order as in minitorch and in JAX: heads after time, (B, T, H, d). Copy each key
# head for the queries of its group, bring the heads to the front, and attend as before. (Libraries do not really copy;
# yours may.)
#
# `ops.repeat(z, n, axis=...)` repeats each entry $n$ times in a row, 0 0 0 1 1 1; `ops.tile` repeats the whole
# sequence, 0 1 0 1 0 1. Which one do you need?


# %% name="grouped_attention" tags=["exercise"] forbids=["minitorch.ops.attention", "minitorch.ops.fused._attention", "jax.nn.dot_product_attention"]
def grouped_attention(q, k, v, attend=causal_attention):
    """Attention in which several query heads share one head of keys and values.

    Args:
      q: (B, T, H, d).
      k, v: (B, S, K, d). K divides H: query heads 0 ... H/K - 1 use key head 0, the next H/K use key head 1, and so on.
      attend: a function of q (B, H, T, d) and of k and v (B, H, S, d), with a result (B, H, T, d).

    Returns (B, T, H, d).
    """
    # BEGIN SOLUTION Exercise 7: repeat the key heads for their groups, bring the heads to the front, attend, and bring them back.
    copies = q.shape[2] // k.shape[2]
    k, v = (ops.repeat(z, copies, axis=2) for z in (k, v))
    q, k, v = (z.transpose(0, 2, 1, 3) for z in (q, k, v))
    return attend(q, k, v).transpose(0, 2, 1, 3)
    # END SOLUTION


# %% name="grouped_attention-check" tags=["check"] exercise="grouped_attention"
key_q, key_k, key_v = jax.random.split(jax.random.key(7), 3)
q, k, v = (jax.random.normal(a, (2, 3, heads, 4)) for a, heads in ((key_q, 6), (key_k, 2), (key_v, 2)))


def no_mask(q, k, v):
    """An attention in which everybody sees everybody."""
    return ops.softmax(q @ k.mT / math.sqrt(q.shape[-1])) @ v


def with_heads(key_heads, value_heads=None):
    """What comes out if query head i uses key head key_heads[i]."""
    return ops.attention(q, k[:, :, key_heads], v[:, :, value_heads or key_heads])


check(
    "six heads in two groups, as minitorch does it",
    lambda: grouped_attention(q, k, v, no_mask),
    lambda: ops.attention(q, k, v),
    mistakes={
        "The groups are dealt like cards (0 1 0 1 0 1). Neighbours belong together: 0 0 0 1 1 1, which is repeat and not tile.": (
            lambda: with_heads([0, 1, 0, 1, 0, 1])
        ),
        "All queries use the first key head. Every group has its own.": lambda: with_heads([0] * 6),
        "The keys and the values of a group are not those of one head.": (
            lambda: with_heads([0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 0, 1])
        ),
        "Attention ran over the heads and not over time: bring the heads to the front first.": (
            lambda: no_mask(q, jnp.repeat(k, 3, axis=2), jnp.repeat(v, 3, axis=2))
        ),
        "The result still has the heads in front. Bring them back behind time.": (
            lambda: ops.attention(q, k, v).swapaxes(1, 2)
        ),
    },
)
check(
    "as many key heads as heads: plain attention",
    lambda: grouped_attention(q[:, :, :2], k, v, no_mask),
    lambda: ops.attention(q[:, :, :2], k, v),
)
check(
    "with your causal attention, when it is written",
    lambda: grouped_attention(q, k, v),
    lambda: ops.attention(q, k, v, is_causal=True),
)
check(
    "the tape can follow: what a shared key head receives",
    lambda: mt.grad(lambda k: ops.sum(grouped_attention(q, k, v, no_mask) ** 2))(k),
    lambda: mt.grad(lambda k: ops.sum(ops.attention(q, k, v) ** 2))(k),
)


# %% name="grouped_attention-groups" tags=["hidden-test"] exercise="grouped_attention" points=4 hint="ops.repeat(k, H // K, axis=2), the same for v; then transpose to (B, H, T, d), attend, transpose back."
def drawn_no_mask(q, k, v):
    return ops.softmax(q @ k.mT) @ v


def drawn_with_heads(key_heads, value_heads=None):
    picked = drawn_q, drawn_k[:, :, key_heads], drawn_v[:, :, value_heads or key_heads]
    return drawn_no_mask(*(z.swapaxes(1, 2) for z in picked)).swapaxes(1, 2)


drawn_q, drawn_k, drawn_v = inputs.normal(2, 4, 4, 3), inputs.normal(2, 4, 2, 3), inputs.normal(2, 4, 2, 3)
report(
    grouped_attention(drawn_q, drawn_k, drawn_v, drawn_no_mask),
    mistakes={
        "The groups are dealt like cards (0 1 0 1 0 1). Neighbours belong together: 0 0 0 1 1 1, which is repeat and not tile.": (
            lambda: drawn_with_heads([0, 1, 0, 1])
        ),
        "All queries use the first key head. Every group has its own.": lambda: drawn_with_heads([0] * 4),
        "The keys and the values of a group are not those of one head.": (
            lambda: drawn_with_heads([0, 0, 1, 1], [0, 1, 0, 1])
        ),
        "Attention ran over the heads and not over time: bring the heads to the front first.": (
            lambda: drawn_no_mask(drawn_q, jnp.repeat(drawn_k, 2, axis=2), jnp.repeat(drawn_v, 2, axis=2))
        ),
        "The result still has the heads in front. Bring them back behind time.": (
            lambda: drawn_with_heads([0, 0, 1, 1]).swapaxes(1, 2)
        ),
    },
)

# %% name="grouped_attention-tape" tags=["hidden-test"] exercise="grouped_attention" points=1 hint="What a key head receives is the sum over its group: ops.repeat sees to it."
drawn_q, drawn_k, drawn_v = inputs.normal(1, 2, 6, 2), inputs.normal(1, 3, 2, 2), inputs.normal(1, 3, 2, 2)
drawn_g = inputs.normal(1, 2, 6, 2)
report(mt.grad(lambda k: ops.sum(drawn_g * grouped_attention(drawn_q, k, drawn_v, drawn_no_mask)))(drawn_k))

# %% [markdown]
# ### Exercise 8: the block
#
# Now put the parts together. A transformer has a *residual stream*: one vector for each token, which runs from the
# embedding to the logits. Every block *adds* to the stream twice: first the output of attention, then the output of the
# feed-forward layer. Each of the two parts normalises its own input, and the stream itself is not normalised.
#
# ```
#   x ----------------------(+)---------------------------(+)----> x
#     \-- norm -- attention --/ \-- norm -- feed-forward --/
# ```
#
# In 2017 the norm was *on* the stream, after each sum. Then the shortcut is not a shortcut any more: every layer
# divides everything, and deep models could not train at all without a slow warm-up (Xiong and others, 2020). GPT-2
# moved the norm off the stream, and hardly anybody has moved it back. The plain sum gives you the factor of 1 from
# notebook 03.


# %% name="block" tags=["exercise"] forbids=["minitorch.models.transformer.Block"]
def block(x, attention_norm, attention, mlp_norm, mlp):
    """One layer of a transformer on the stream x (B, T, D).

    Args:
      attention_norm, attention, mlp_norm, mlp: functions (B, T, D) -> (B, T, D).

    Returns (B, T, D).
    """
    # BEGIN SOLUTION Exercise 8: add to x the attention of its norm, then to that sum the feed-forward of its norm.
    x = x + attention(attention_norm(x))
    return x + mlp(mlp_norm(x))
    # END SOLUTION


# %% name="block-check" tags=["check"] exercise="block"
number = jnp.array([[[5.0]]])
check(
    "5 in the stream; norms 2x and x + 1; attention x², feed-forward x / 4",
    lambda: block(number, lambda x: 2 * x, lambda x: x * x, lambda x: x + 1, lambda x: x / 4),
    jnp.array([[[131.5]]]),  # 5 + 10² = 105, and 105 + 106 / 4
    mistakes={
        "The norm stands on the stream, behind the sum, as in 2017. It belongs on the way into each part: x + part(norm(x)).": (
            jnp.array([[[76.0]]])
        ),
        "The shortcut around attention is missing: what it finds is added to x.": jnp.array([[[125.25]]]),
        "The shortcut around the feed-forward layer is missing: what it makes is added to the stream.": (
            jnp.array([[[26.5]]])
        ),
        "Both shortcuts are missing: each part adds to the stream.": jnp.array([[[25.25]]]),
        "Both parts read the same x. The feed-forward layer reads the stream after attention has added to it.": (
            jnp.array([[[106.5]]])
        ),
        "The shortcuts start behind the norms. The stream itself is never normalised inside a block.": (
            jnp.array([[[138.75]]])
        ),
        "The two norms are exchanged.": jnp.array([[[61.5]]]),
        "The feed-forward layer came first. Attention is the first part.": jnp.array([[[79.75]]]),
        "The feed-forward layer's result was added to the x of the beginning: what attention found is lost.": (
            jnp.array([[[31.5]]])
        ),
        "The norm before the feed-forward layer is missing.": jnp.array([[[131.25]]]),
        "The norm before attention is missing.": jnp.array([[[37.75]]]),
    },
)
check(
    "parts that have nothing to say leave the stream as it is",
    lambda: block(number, lambda x: 2 * x, lambda x: 0 * x, lambda x: x + 1, lambda x: 0 * x),
    number,
    mistakes={
        "Even silent parts change the stream: a norm stands on it, or a shortcut is missing.": jnp.array([[[11.0]]]),
        "Nothing arrives when the parts are silent: the shortcuts are missing.": jnp.array([[[0.0]]]),
    },
)

# %% name="block-order" tags=["hidden-test"] exercise="block" points=3 hint="x = x + attention(attention_norm(x)), and then x + mlp(mlp_norm(x))."
drawn_x, drawn_a, drawn_b = inputs.normal(1, 2, 3), inputs.uniform(low=1.5, high=2.5), inputs.uniform(low=0.5, high=1.5)


def drawn_parts(x):
    """Two norms and two parts of numbers that were drawn."""
    return (lambda x: drawn_a * x, lambda x: x * x, lambda x: x + drawn_b, lambda x: x / 4 + 1)


norm_1, part_1, norm_2, part_2 = drawn_parts(None)
found = drawn_x + part_1(norm_1(drawn_x))
report(
    block(drawn_x, norm_1, part_1, norm_2, part_2),
    mistakes={
        "The norm stands on the stream, behind the sum, as in 2017. It belongs on the way into each part: x + part(norm(x)).": (
            lambda: norm_2(norm_1(drawn_x + part_1(drawn_x)) + part_2(norm_1(drawn_x + part_1(drawn_x))))
        ),
        "The shortcut around attention is missing: what it finds is added to x.": (
            lambda: part_1(norm_1(drawn_x)) + part_2(norm_2(part_1(norm_1(drawn_x))))
        ),
        "The shortcut around the feed-forward layer is missing: what it makes is added to the stream.": (
            lambda: part_2(norm_2(found))
        ),
        "Both shortcuts are missing: each part adds to the stream.": lambda: part_2(norm_2(part_1(norm_1(drawn_x)))),
        "Both parts read the same x. The feed-forward layer reads the stream after attention has added to it.": (
            lambda: found + part_2(norm_2(drawn_x))
        ),
        "The shortcuts start behind the norms. The stream itself is never normalised inside a block.": (
            lambda: (
                norm_2(norm_1(drawn_x) + part_1(norm_1(drawn_x)))
                + part_2(norm_2(norm_1(drawn_x) + part_1(norm_1(drawn_x))))
            )
        ),
        "The two norms are exchanged.": (
            lambda: drawn_x + part_1(norm_2(drawn_x)) + part_2(norm_1(drawn_x + part_1(norm_2(drawn_x))))
        ),
        "The feed-forward layer's result was added to the x of the beginning: what attention found is lost.": (
            lambda: drawn_x + part_2(norm_2(found))
        ),
    },
)

# %% name="block-shortcut" tags=["hidden-test"] exercise="block" points=1 hint="x + attention(...) and x + mlp(...): where both are 0, x comes out."
drawn_x = inputs.normal(1, 2, 3)
report(
    block(drawn_x, lambda x: 2 * x, lambda x: 0 * x, lambda x: x + 1, lambda x: 0 * x),
    mistakes={
        "Even silent parts change the stream: a norm stands on it, or a shortcut is missing.": lambda: 2 * drawn_x + 1,
        "Nothing arrives when the parts are silent: the shortcuts are missing.": lambda: 0 * drawn_x,
    },
)

# %% [markdown]
# ## 6. Into the library
#
# minitorch's `Transformer` goes through a list of blocks and only needs to call each of them. So your block can be in
# that list. The cell below wraps your functions into modules that hold the library's weights; it computes nothing
# itself. (The second argument of a block is the cache of notebook 09, which your block passes on unused. The third is a
# key for dropout.)


# %% name="own-modules"
class OwnNorm(nn.Module):
    scale: jax.Array
    epsilon: float = nn.static(default=1e-5)

    def __call__(self, x):
        return rms_norm(x, self.scale, self.epsilon)


class OwnAttention(nn.Module):
    qkv: nn.Linear  # (D, (H + 2K) d): the columns of all queries, then all keys, then all values
    out: nn.Linear
    heads: int = nn.static()
    kv_heads: int = nn.static()
    rope_base: float | None = nn.static(default=None)

    def __call__(self, x):
        B, T, D = x.shape
        H, K, d = self.heads, self.kv_heads, D // self.heads
        q, k, v = ops.split(self.qkv(x).reshape(B, T, H + 2 * K, d), [H, H + K], axis=2)
        if self.rope_base is not None:
            q, k = (rope(z, jnp.arange(T), self.rope_base) for z in (q, k))
        return self.out(grouped_attention(q, k, v).reshape(B, T, D))


class OwnHeads(nn.Module):
    qkv: nn.Linear
    out: nn.Linear
    heads: int = nn.static()

    def __call__(self, x):
        return multi_head(x, self.qkv.weight, self.out.weight, self.heads, causal_attention)


class OwnFeedForward(nn.Module):
    gate_up: nn.Linear  # (D, 2 F): the columns of gate, then those of up
    down: nn.Linear

    def __call__(self, x):
        gate, up = ops.split(self.gate_up.weight, 2, axis=-1)
        return swiglu(x, gate, up, self.down.weight)


class OwnBlock(nn.Module):
    attention_norm: nn.Module
    attention: nn.Module
    mlp_norm: nn.Module
    mlp: nn.Module

    def __call__(self, x, cache=None, key=None):
        return block(x, self.attention_norm, self.attention, self.mlp_norm, self.mlp), cache


def own_norm(norm):
    return OwnNorm(norm.scale, norm.epsilon)


def own_block(theirs):
    """Your block with the weights of a block of the library's Llama."""
    a, mlp = theirs.attention, theirs.mlp
    return OwnBlock(
        own_norm(theirs.attention_norm),
        OwnAttention(a.qkv, a.out, a.heads, a.kv_heads, a.rope_base),
        own_norm(theirs.mlp_norm),
        OwnFeedForward(mlp.gate_up, mlp.down),
    )


def own_llama(theirs):
    """A Llama of the library with every block and norm replaced by yours. The weights are the same arrays."""
    blocks = [own_block(b) for b in theirs.blocks]
    return dataclasses.replace(theirs, blocks=blocks, norm=own_norm(theirs.norm))


# %% [markdown]
# Now come three proofs. First: a Llama with random weights, once with the library's code and once with yours. The
# logits must be the same, and the gradients of all weights must be the same too.

# %% name="same-llama" tags=["demo"]
config = mt.models.LlamaConfig(vocab=50, context=32, layers=2, heads=6, kv_heads=2, width=48)
theirs = mt.models.Llama.init(jax.random.key(0), config)
theirs = jax.tree.map(lambda w: 4 * w, theirs)  # Larger first weights, so that a difference would show.
ids = jax.random.randint(jax.random.key(1), (2, 20), 0, 50)


@jax.jit
def logits(model, ids):
    return model(ids)


def mean_square(model):
    return ops.mean(model(ids) ** 2)


def all_close(a, b):
    return all(bool(jnp.allclose(x, y, rtol=1e-3, atol=1e-4)) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b)))


with skip_if_unfinished():
    mine = own_llama(theirs)
    print("logits as the library's Llama:   ", all_close(logits(mine, ids), logits(theirs, ids)))
    by_tape, by_jax = jax.jit(mt.grad(mean_square)), jax.jit(jax.grad(mean_square))
    print("gradients of all weights, too:   ", all_close(by_tape(mine), by_tape(theirs)))
    print("and as JAX differentiates yours: ", all_close(by_tape(mine), by_jax(mine)))

# %% [markdown]
# Second: the causality test, on the whole model. We change token 12 of 20.

# %% name="causal-llama" tags=["demo"]
with skip_if_unfinished():
    before, after = logits(mine, ids), logits(mine, ids.at[:, 12].set((ids[:, 12] + 1) % 50))
    moved = jnp.any(before != after, axis=(0, 2))
    print("places whose logits moved:", jnp.flatnonzero(moved).tolist())

# %% [markdown]
# Third: your attention gives the same numbers as the attention in JAX, with groups and with the mask, and the same
# numbers as the one in flax.

# %% name="same-as-jax" tags=["demo"]
with skip_if_unfinished():
    keys = jax.random.split(jax.random.key(2), 3)
    q, k, v = (jax.random.normal(key, (2, 10, heads, 16)) for key, heads in zip(keys, (6, 2, 2)))
    jax_finds = jax.nn.dot_product_attention(q, k, v, is_causal=True)
    print("as jax.nn.dot_product_attention:", all_close(grouped_attention(q, k, v), jax_finds))

# %% name="same-as-flax" tags=["demo", "nbval-ignore-output"]
try:
    from flax import nnx
except ImportError:
    print("flax is not installed here, so this comparison is left out: pip install flax")
else:
    with skip_if_unfinished():
        mask = nnx.make_causal_mask(jnp.ones((2, 10)))
        finds = nnx.dot_product_attention(q, jnp.repeat(k, 3, axis=2), jnp.repeat(v, 3, axis=2), mask=mask)
        print("as flax.nnx.dot_product_attention:", all_close(grouped_attention(q, k, v), finds))
        x, layer = (
            jax.random.normal(keys[0], (2, 10, 24)),
            nnx.MultiHeadAttention(num_heads=4, in_features=24, use_bias=False, decode=False, rngs=nnx.Rngs(0)),
        )
        kernels = [getattr(layer, name).kernel[...].reshape(24, 24) for name in ("query", "key", "value", "out")]
        mine_finds = multi_head(x, jnp.concatenate(kernels[:3], axis=1), kernels[3], 4, causal_attention)
        print("as flax.nnx.MultiHeadAttention:   ", all_close(mine_finds, layer(x, mask=mask)))

# %% [markdown]
# ## 7. What each idea buys
#
# We train five small models, each with one more idea. They all see the same batches from the same seed. The text is the
# docstrings of Python's standard library, cut into pieces by a tokenizer with 512 entries (notebook 06). The models use
# all the parts that you have written. LayerNorm and GELU of the GPT come from the library. The loss and the optimizer
# are yours from notebooks 03 and 04 if they pass their checks, and otherwise the library's.
#
# Predict before you run. Which step lowers the loss most? Which steps are more than luck?

# %% name="text" tags=["demo"]
cross_entropy = my_solution("cross_entropy", otherwise=nn.cross_entropy)
scale_by_adam = my_solution("scale_by_adam", otherwise=mt.optim.scale_by_adam)
warmup_cosine = my_solution(
    "warmup_cosine",
    otherwise=lambda peak, warmup, total: mt.optim.warmup_cosine_decay_schedule(0.0, peak, warmup, total),
)

corpus = mt.data.load_text("stdlib-docstrings", limit=400_000)
train_part, held_out = mt.data.split(corpus)
tokenizer = mt.text.train_tokenizer("bpe:512", train_part.text)
train_ids, held_out_ids = (mt.data.token_array(tokenizer.encode(part.text), 512) for part in (train_part, held_out))


# %% name="ladder" tags=["demo"]
CONTEXT = 64


def small_model(rms=False, rotary=False, gated=False, kv_heads=4, seed=0):
    """A transformer of two layers, 64 wide, with some of Llama's ideas."""
    sizes = dict(vocab=512, context=CONTEXT, layers=2, heads=4, width=64)
    llama = mt.models.Llama.init(
        jax.random.key(seed), mt.models.LlamaConfig(**sizes, kv_heads=kv_heads, feedforward=168, tied=True)
    )
    gpt = mt.models.GPT.init(jax.random.key(seed), mt.models.GPTConfig(**sizes))

    def layer(theirs, g):
        a = theirs.attention
        heads = OwnAttention(a.qkv, a.out, 4, kv_heads, 10_000.0 if rotary else None)
        return OwnBlock(
            own_norm(theirs.attention_norm) if rms else g.attention_norm,
            heads if rotary or kv_heads < 4 else OwnHeads(a.qkv, a.out, 4),
            own_norm(theirs.mlp_norm) if rms else g.mlp_norm,
            OwnFeedForward(theirs.mlp.gate_up, theirs.mlp.down) if gated else g.mlp,
        )

    model = dataclasses.replace(
        llama,
        blocks=[layer(theirs, g) for theirs, g in zip(llama.blocks, gpt.blocks)],
        norm=own_norm(llama.norm) if rms else gpt.norm,
        position=None if rotary else gpt.position,
    )
    # The library's first weights are as small as suits a width of 768, where sums are longer.
    return jax.tree.map(lambda w: w * math.sqrt(768 / 64) if w.ndim == 2 else w, model)


def language_loss(model, inputs, targets):
    return cross_entropy(model(inputs), targets)


@functools.partial(jax.jit, static_argnames="steps")
def train(model, seed=0, steps=250):
    """The trained model, and the loss of every step."""
    optimizer = mt.optim.chain(
        mt.optim.clip_by_global_norm(1.0),
        scale_by_adam(),
        mt.optim.scale_by_learning_rate(warmup_cosine(1e-2, 25, steps)),
    )

    def step(carry, i):
        model, state = carry
        batch = mt.data.sample_batch(mt.data.step_key(seed, i), train_ids, 16, CONTEXT)
        loss, grads = mt.value_and_grad(language_loss)(model, *batch)
        updates, state = optimizer.update(grads, state, model)
        return (mt.optim.apply_updates(model, updates), state), loss

    (model, _), losses = jax.lax.scan(step, (model, optimizer.init(model)), jnp.arange(steps))
    return model, losses


held_out_batches = mt.data.evaluation_windows(held_out_ids[: 16 * 16 * CONTEXT + 1], 16, CONTEXT)[:2]


@jax.jit
def held_out_loss(model):
    """The mean loss, in nats a token, on text that was not trained on."""
    return jax.lax.map(lambda batch: language_loss(model, *batch), held_out_batches).mean()


LADDER = {
    "GPT": {},
    "+ RMSNorm": dict(rms=True),
    "+ rotary": dict(rms=True, rotary=True),
    "+ SwiGLU": dict(rms=True, rotary=True, gated=True),
    "+ grouped queries": dict(rms=True, rotary=True, gated=True, kv_heads=2),
}


@functools.cache
def ladder():
    """Of each rung: the trained model, the losses of its steps, and its held-out loss."""
    climbed = {}
    for name, ideas in LADDER.items():
        model, losses = train(small_model(**ideas))
        climbed[name] = model, losses, float(held_out_loss(model))
    return climbed


# %% name="ladder-climbed" tags=["demo", "nbval-ignore-output"]
def weights_in(model):
    return sum(w.size for w in jax.tree.leaves(model))


with skip_if_unfinished():
    for name, (model, _, loss) in ladder().items():
        kept = 2 * sum(getattr(b.attention, "kv_heads", 4) for b in model.blocks) * 16
        print(f"{name:18} {weights_in(model):7,} weights   {kept:4} numbers kept a token   held-out loss {loss:.3f}")
    pictures.ladder({name: losses for name, (_, losses, _) in ladder().items()})

# %% [markdown]
# **Which differences are real?** The same model with another seed ends up to 0.05 nats higher or lower. The means over
# three seeds are 3.93, 3.93, 3.74, 3.76 and 3.78 nats on held-out text. So only one step is far larger than luck:
# rotary positions, with 0.19 nats. A model with learned vectors has to learn separately for every place what "the one
# before me" means, and here it has only 250 steps to do so.
#
# **What do the others buy?** RMSNorm: the same loss for half of the arithmetic. Grouped queries: half of the memory,
# and the loss rises by no more than the luck of the seed. SwiGLU: nothing, in this experiment. Shazeer measured about
# 0.04 nats, on models that were 1,700 times as large and were trained for 65,000 steps. "It helped in the paper" and
# "it helps in my model" are two different sentences, and you can check only one of them yourself.
#
# **What mattered more?** The last line of `small_model`. With the initial weights of GPT-2, which fit a width of 768,
# the small GPT ends 0.7 nats higher. That is more than all four ideas gain together. Notebook 03 showed why.
#
# ## 8. Look inside
#
# The last of the five models is a small Llama, and every line of its forward pass except the embedding is yours. What
# do its heads look at? Your function returns a mean of values, but we want the weights. Here is a trick: use the rows
# of the identity matrix as values. Then their weighted mean *is* the vector of weights.


# %% name="heads-seen" tags=["demo", "nbval-ignore-output"]
def head_weights(model, ids):
    """The attention weights of every layer and head for one text ids (T,): (layers, heads, T, T)."""
    x, found = model.token(ids[None]), []
    for layer in model.blocks:
        a, (B, T, _) = layer.attention, x.shape
        q, k, _ = ops.split(
            a.qkv(layer.attention_norm(x)).reshape(B, T, a.heads + 2 * a.kv_heads, -1),
            [a.heads, a.heads + a.kv_heads],
            axis=2,
        )
        q, k = (rope(z, jnp.arange(T), a.rope_base) for z in (q, k))
        identity = jnp.broadcast_to(jnp.eye(T)[None, :, None], (B, T, a.kv_heads, T))
        found.append(grouped_attention(q, k, identity)[0].swapaxes(0, 1))  # (H, T, T)
        x, _ = layer(x)
    return jnp.stack(found)


with skip_if_unfinished():
    model, _, _ = ladder()["+ grouped queries"]
    sentence = "Return the value of the object, or the name of the type if the object is not a type."
    pieces = tokenizer.encode(sentence)
    pictures.heads([tokenizer.decode([i]) for i in pieces], head_weights(model, jnp.array(pieces)))

# %% [markdown]
# The code is the same for every head, and yet the heads have divided the work. In the run that is printed here the
# first two heads of layer 0 look at everything a little: they see a bag of words. Others look a step or two back, and
# have learned where words begin: in layer 1, head 2, the piece `e` gives nearly all of its weight to the `·t` at the
# beginning of its word.
#
# And does it talk? `generate_naive` reads the whole text again for every piece that it writes. Notebook 09 makes this
# much faster.

# %% name="talks" tags=["demo", "nbval-ignore-output"]
with skip_if_unfinished():
    model, _, _ = ladder()["+ grouped queries"]
    prompt = tokenizer.encode("Return the")
    written = mt.infer.generate_naive(model, [prompt], 50, key=jax.random.key(0), samplers=[mt.infer.temperature(0.7)])
    print("Return the" + mt.infer.printable(tokenizer.decode(written[0].tolist())))

# %% [markdown]
# Half of the words are invented, but the text has the rhythm of a manual. This is what you get for 250 steps and
# 256,000 pieces of text. The model needs more size, more data and more time: notebook 08 gives it a little of each.
#
# ## 9. Stretch: attention that never sees its table
#
# The scores are a table of $T \times S$ numbers for every head. For a text of 100,000 tokens that is 40 GB per head. On
# a GPU most of the time goes into writing and reading this table, and not into the multiplications. Yet the result is
# small. Can we compute it without the table?
#
# The problem is softmax: it needs the sum over *all* keys before it knows the first weight. But remember how notebook
# 03 computed it: subtract the largest score. Walk through the keys block by block and keep three things for each query:
# the largest score so far $m$, the sum of exponentials $Z = \sum e^{s - m}$, and the weighted sum of values $y = \sum
# e^{s - m} v$. When a block has a larger maximum $m'$, multiply both sums by the same factor $e^{m - m'}$. At the end
# the answer is $y / Z$.
#
# Maxim Milakov and Natalia Gimelshein published the running softmax in 2018; in 2022 Tri Dao and others turned it into
# the fastest attention of its time and called it FlashAttention. It is exact, not an approximation. Today it runs in
# nearly every large language model.
#
# ### Stretch exercise: streaming attention


# %% name="streaming_attention" tags=["exercise", "stretch"]
def streaming_attention(q, k, v, size):
    """What `attention` returns, without ever holding more than `size` columns of the table of scores.

    Args:
      q: (T, d).
      k: (S, d).
      v: (S, e).
      size: keys in a block; the last block may be shorter.

    Returns (T, e).
    """
    # BEGIN SOLUTION Stretch exercise: go through blocks of keys with a running maximum, a running sum and a running mean.
    top = jnp.full((len(q), 1), -jnp.inf)
    total, y = jnp.zeros((len(q), 1)), jnp.zeros((len(q), v.shape[1]))
    for start in range(0, len(k), size):
        scores = q @ k[start : start + size].T / math.sqrt(q.shape[1])
        new_top = jnp.maximum(top, scores.max(axis=1, keepdims=True))
        shrunk, weights = jnp.exp(top - new_top), jnp.exp(scores - new_top)
        total = total * shrunk + weights.sum(axis=1, keepdims=True)
        y = y * shrunk + weights @ v[start : start + size]
        top = new_top
    return y / total
    # END SOLUTION


# %% name="streaming_attention-check" tags=["check", "stretch"] exercise="streaming_attention"
key_q, key_k, key_v = jax.random.split(jax.random.key(9), 3)
q, k, v = 3 * jax.random.normal(key_q, (4, 8)), jax.random.normal(key_k, (10, 8)), jax.random.normal(key_v, (10, 5))


def exactly(q, k, v):
    return jax.nn.softmax(q @ k.T / 8**0.5) @ v


def largest_table(function):
    """The most numbers that any intermediate result holds."""
    jaxpr = jax.make_jaxpr(function)(jnp.zeros((100, 4)), jnp.zeros((1000, 4)), jnp.zeros((1000, 4)))
    return max(x.aval.size for line in jaxpr.eqns for x in line.outvars)


scores = q @ k.T / 8**0.5
tops = jax.lax.cummax(scores, axis=1)[:, jnp.array([2, 2, 2, 5, 5, 5, 8, 8, 8, 9])]  # up to the end of each block
check(
    "blocks of three",
    lambda: streaming_attention(q, k, v, 3),
    lambda: exactly(q, k, v),
    mistakes={
        "What was summed so far did not shrink when the maximum grew: multiply it by exp(old - new), both sums.": (
            lambda: jax.nn.softmax(scores - tops) @ v
        ),
        "Each block was softmaxed by itself, and the means were averaged.": (
            lambda: sum(exactly(q, k[i : i + 3], v[i : i + 3]) for i in (0, 3, 6, 9)) / 4
        ),
        "The last, shorter block is missing.": lambda: exactly(q, k[:9], v[:9]),
    },
)
check("scores that would overflow", lambda: streaming_attention(100 * q, k, v, 4), lambda: exactly(100 * q, k, v))
check(
    "no table of 100 by 1000",
    lambda: largest_table(lambda q, k, v: streaming_attention(q, k, v, 10)) <= 10_000,
    True,
    mistakes={"Somewhere all the scores are there at once: make them block by block.": False},
)

# %% [markdown]
# ## In the wild
#
# | what you wrote | where it lives |
# |---|---|
# | attention with a mask, heads, the block, on one page | karpathy/nanoGPT: `model.py`; openai/gpt-2: `src/model.py` |
# | attention as a function | JAX: `jax/_src/nn/functions.py` (`dot_product_attention`); flax: `flax/nnx/nn/attention.py`; PyTorch: `aten/src/ATen/native/transformers/attention.cpp` |
# | the paper's own code | tensorflow/tensor2tensor: `tensor2tensor/layers/common_attention.py` |
# | RMSNorm, rotary positions (neighbours), SwiGLU, repeated key heads | meta-llama/llama: `llama/model.py` |
# | the same (halves), and the permutation between the two | huggingface/transformers: `src/transformers/models/llama/modeling_llama.py`, `convert_llama_weights_to_hf.py` |
# | rotary positions at their origin | ZhuiyiTechnology/roformer: `train.py`; EleutherAI/gpt-neox: `megatron/model/positional_embeddings.py` (halves) |
# | grouped queries while writing | vllm-project/vllm: `vllm/model_executor/models/llama.py`; ggml-org/llama.cpp: `src/models/llama.cpp` |
# | streaming attention | Dao-AILab/flash-attention: `csrc/flash_attn/src/flash_fwd_kernel.h`; JAX: `jax/experimental/pallas/ops/tpu/flash_attention.py` |
# | all of it, with rules by hand | minitorch: `minitorch/ops/fused.py`, `minitorch/nn/attention.py`, `minitorch/models/transformer.py` |
#
# ## References
#
# - D. Bahdanau, K. Cho, Y. Bengio, *Neural machine translation by jointly learning to align and translate*, 2014.
# - A. Vaswani and others, *Attention is all you need*, 2017.
# - M. Milakov, N. Gimelshein, *Online normalizer calculation for softmax*, 2018.
# - A. Radford and others, *Language models are unsupervised multitask learners*, 2019 (GPT-2).
# - B. Zhang, R. Sennrich, *Root mean square layer normalization*, 2019.
# - N. Shazeer, *Fast transformer decoding: one write-head is all you need*, 2019; *GLU variants improve transformer*,
#   2020.
# - R. Xiong and others, *On layer normalization in the transformer architecture*, 2020.
# - J. Su and others, *RoFormer: enhanced transformer with rotary position embedding*, 2021.
# - C. Olsson and others, *In-context learning and induction heads*, 2022.
# - T. Dao and others, *FlashAttention: fast and memory-efficient exact attention with IO-awareness*, 2022.
# - H. Touvron and others, *LLaMA: open and efficient foundation language models*, 2023; *Llama 2: open foundation and
#   fine-tuned chat models*, 2023.
# - J. Ainslie and others, *GQA: training generalized multi-query transformer models from multi-head checkpoints*, 2023.
