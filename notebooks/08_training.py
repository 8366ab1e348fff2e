# %% [markdown]
# # 08 Training a language model
#
# You have a gradient, an optimizer, a tokenizer and a transformer. Now you need the *run*: the program that works for
# hours and turns text into a model. Somebody will kill it in the middle, and it must still give the same result, to the
# last bit, as if nobody had killed it. People who train large models spend their days on the things that you write
# here.
#
# **When you have finished you can**
#
# - cut batches out of a text so that you know the batch of step 1,000 without making the 999 batches before it;
# - say what a loss of 1.8 nats means, in perplexity and in bits per byte, and compare two models that cut text into
#   different tokens;
# - evaluate on every token exactly once;
# - write a checkpoint that no kill can damage, and resume a run to the same weights, bit for bit;
# - train a small model of Python code to a loss below a given bound, and predict from three small models how good a
#   fourth one will be.
#
# ```
#   application     a program that completes code
#   MLOps           runs, checkpoints, metrics, tracking    <- you are here
#   hubs            weights that somebody trained ...
#   frameworks      ... with JAX, PyTorch, minitorch        <- and here: batch in, better weights out
#   clusters        machines that fail while the run goes on
#   hardware        multiply, add
# ```
#
# Time: about 90 minutes. Before: notebook 04 (the training loop); 07 helps, but the model here is minitorch's own.

# %% name="imports"
import io
import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import minitorch as mt
from minitorch_course import check, inputs, my_solution, report, setup, skip_if_unfinished
from minitorch_course.notebook.crash_injection import Killed, after_each_kill

setup()

# %% [markdown]
# ## 1. What there is to guess
#
# A language model reads some tokens and says how likely each token of its vocabulary is to come next. Nobody has to
# label anything: the text itself contains the answers, one place to the right. Here tokens are letters, and the model
# reads at most 8 of them, its **context**.

# %% name="windows" tags=["demo"]
from minitorch_course.figures import text_windows as pictures

pictures.window("for i in range(10):", start=4, context=8)

# %% [markdown]
# One window is eight exercises at once: after `i`, guess the space; after `i `, guess `i`; after `i i`, guess `n`.
# Thanks to the causal mask the model solves all eight in one pass. A **batch** is several windows, `inputs` and
# `targets` of shape (B, T), cut out of one long array of tokens.
#
# Predict: a text of 20 tokens, context 8. How many different windows are there? (The last one still needs a target for
# its last token.)
#
# **Which windows?** We sample them at random, but *reproducibly*. If we used a generator that changes its state at each
# step, we would have to save it with the run, and we could reach step 1,000 only through the 999 steps before it. A
# pure function is better: the pair (seed, step) determines the batch. JAX can make a new random key from a key and a
# number: `jax.random.fold_in`.
#
# And why not `jax.random.key(seed + step)`? Because then seed 0 at step 1 would see the same batch as seed 1 at step 0.
# Two runs that should be independent would read the same text, one step apart.
#
# One more trap. In Python an index past the end raises an error. But if a JAX array has length 20, `tokens[1000]`
# silently gives its *last* entry. So JAX will not warn you if your windows reach too far.
#
# ### Exercise 1: batches
#
# Everybody should sample the same windows. So the key of a step is `jax.random.fold_in(jax.random.key(seed), step)`,
# and the starts are `jax.random.randint(key, (batch,), 0, ...)`. The upper end of `randint` is exclusive.


# %% name="get_batch" tags=["exercise"] forbids=["minitorch.data.sample_batch", "minitorch.data.sample_starts", "minitorch.data.windows"]
def cut_windows(tokens, starts, context):
    """The windows of `tokens` (N,) that begin at `starts` (B,).

    Returns:
      inputs and targets, integer arrays (B, context). targets[b, t] is the token after inputs[b, t].
    """
    # BEGIN SOLUTION Exercise 1: look up tokens at starts[:, None] + jnp.arange(...), and the same one place further on.
    cut = tokens[starts[:, None] + jnp.arange(context + 1)]  # (B, T + 1)
    return cut[:, :-1], cut[:, 1:]
    # END SOLUTION


def get_batch(tokens, seed, step, batch, context):
    """The batch of step `step` (a number, or traced by jax.jit): inputs and targets (batch, context).

    Every window of `tokens` that has a target for each of its inputs is equally likely.
    """
    # BEGIN SOLUTION Exercise 1: draw the starts with the key of this seed and step, and cut the windows.
    key = jax.random.fold_in(jax.random.key(seed), step)
    starts = jax.random.randint(key, (batch,), 0, len(tokens) - context)
    return cut_windows(tokens, starts, context)
    # END SOLUTION


# %% name="get_batch-check" tags=["check"] exercise="get_batch"
digits_of_pi = jnp.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8])
check(
    "two windows of pi",
    lambda: cut_windows(digits_of_pi, jnp.array([4, 1]), 3),
    (np.array([[5, 9, 2], [1, 4, 1]]), np.array([[9, 2, 6], [4, 1, 5]])),
    mistakes={
        "The targets are the inputs. Each target is the token *after* its input, one place further on.": lambda: (
            np.array([[5, 9, 2], [1, 4, 1]]),
            np.array([[5, 9, 2], [1, 4, 1]]),
        ),
        "The targets are two places further on, and must be one.": lambda: (
            np.array([[5, 9, 2], [1, 4, 1]]),
            np.array([[2, 6, 5], [1, 5, 9]]),
        ),
        "The targets are the tokens before the inputs. The model is to guess what comes next.": lambda: (
            np.array([[5, 9, 2], [1, 4, 1]]),
            np.array([[1, 5, 9], [3, 1, 4]]),
        ),
    },
)
counting = jnp.arange(100)  # Each token is its own place.


def first_tokens(seed, step, n=100):
    return get_batch(counting[:n], seed, step, 50, 8)[0][:, 0]


check(
    "the same seed and step, the same batch; another step or seed, another batch",
    lambda: [
        bool((first_tokens(*a) == first_tokens(*b)).all())
        for a, b in [((3, 5), (3, 5)), ((3, 5), (3, 6)), ((3, 5), (4, 5))]
    ],
    [True, False, False],
    mistakes={
        "Every step draws the same batch: `step` must go into the key.": [True, True, False],
        "The seed has no effect.": [True, False, True],
        "The batch cannot be repeated: it must follow from seed and step alone.": [False, False, False],
    },
)
check(
    "seed 0's step 1 is not seed 1's step 0",
    lambda: bool((first_tokens(0, 1) == first_tokens(1, 0)).all()),
    False,
    mistakes={
        "Two seeds share their batches, one step apart: seed + step is the same for both. Use fold_in.": True,
    },
)
check(
    "of ten tokens, two windows of eight: they begin at 0 and at 1",
    lambda: sorted({int(start) for start in first_tokens(3, 5, n=10)}),
    [0, 1],
    mistakes={
        "The last window is never drawn. The upper end of randint is exclusive.": [0],
        "Windows reach past the end of the text, where JAX repeats the last token in silence.": [0, 1, 2],
        "Windows reach far past the end of the text, where JAX repeats the last token in silence.": list(range(10)),
    },
)
check(
    "inside of jax.jit, where the step is traced",
    lambda: jax.jit(lambda step: get_batch(counting, 3, step, 4, 8)[1].shape)(jnp.int32(5)),
    (4, 8),
)


# %% name="get_batch-windows" tags=["hidden-test"] exercise="get_batch" points=2 hint="inputs are tokens[starts[:, None] + jnp.arange(context)], targets the same one place further on."
def looked_up(shift):
    return text[begins[:, None] + jnp.arange(5) + shift]


text, begins = inputs.permutation(40), inputs.integers(6, low=1, high=33)
report(
    cut_windows(text, begins, 5),
    mistakes={
        "The targets are the inputs. Each target is the token *after* its input, one place further on.": lambda: (
            looked_up(0),
            looked_up(0),
        ),
        "The targets are two places further on, and must be one.": lambda: (looked_up(0), looked_up(2)),
        "The targets are the tokens before the inputs. The model is to guess what comes next.": lambda: (
            looked_up(0),
            looked_up(-1),
        ),
    },
)


# %% name="get_batch-key" tags=["hidden-test"] exercise="get_batch" points=2 hint="key = fold_in(jax.random.key(seed), step); starts = randint(key, (batch,), 0, len(tokens) - context)."
def drawn(key, high):
    starts = jax.random.randint(key, (7,), 0, high)
    cut = text[starts[:, None] + jnp.arange(6)]
    return cut[:, :-1], cut[:, 1:]


text, seed, step = (
    inputs.permutation(400),
    int(inputs.integers(low=5, high=90)),
    int(inputs.integers(low=100, high=900)),
)
report(
    get_batch(text, seed, step, 7, 5),
    mistakes={
        "Every step draws the same batch: `step` must go into the key.": lambda: drawn(jax.random.key(seed), 395),
        "The seed has no effect.": lambda: drawn(jax.random.key(step), 395),
        "Two seeds share their batches, one step apart: seed + step is the same for both. Use fold_in.": lambda: drawn(
            jax.random.key(seed + step), 395
        ),
        "Seed and step changed places.": lambda: drawn(jax.random.fold_in(jax.random.key(step), seed), 395),
        "Windows reach past the end of the text, where JAX repeats the last token in silence.": lambda: drawn(
            jax.random.fold_in(jax.random.key(seed), step), 396
        ),
        "The last window is never drawn. The upper end of randint is exclusive.": lambda: drawn(
            jax.random.fold_in(jax.random.key(seed), step), 394
        ),
        "Windows reach far past the end of the text, where JAX repeats the last token in silence.": lambda: drawn(
            jax.random.fold_in(jax.random.key(seed), step), 400
        ),
    },
)
batches = jax.jit(jax.vmap(lambda step: get_batch(text, seed, step, 7, 5)[0]))(jnp.arange(3))
report(jnp.sort(batches.reshape(3, -1)))

# %% name="get_batch-ends" tags=["hidden-test"] exercise="get_batch" points=2 hint="The last window begins at len(tokens) - context - 1: its last target is the last token."
sizes = 10, 11, 13
many = [get_batch(jnp.arange(n), seed, 3, 200, 9)[0] for n in sizes]
report(
    [sorted({int(place) for place in inputs[:, 0]}) for inputs in many],
    mistakes={
        "The last window is never drawn. The upper end of randint is exclusive.": [[0], [0], [0, 1, 2]],
        "Windows reach past the end of the text, where JAX repeats the last token in silence.": [
            [0, 1],
            [0, 1, 2],
            [0, 1, 2, 3, 4],
        ],
        "Windows reach far past the end of the text, where JAX repeats the last token in silence.": [
            list(range(n)) for n in sizes
        ],
    },
)

# %% [markdown]
# ## 2. How surprised?
#
# At each token the model gives some probability $p$ to the right answer. Its **loss** is $-\ln p$, in nats: 0 if it
# knew the answer, 0.69 for a coin toss, 5.55 if it has no idea which of 256 bytes comes next. The loss of a text is the
# *mean* over its tokens. There are two ways to make it readable:
#
# **Perplexity** is $e^{\text{loss}}$: the model is as unsure as if it had to choose between that many equally likely
# tokens. A worked example: a text of two tokens. For the first the model gave probability 1/2, for the second 1/8. The
# losses are 0.693 and 2.079, their mean 1.386, the perplexity $e^{1.386} = 4$. It is the geometric mean of 2 and 8. If
# you take the exponential *before* the mean, you get the arithmetic mean, 5, and that is wrong. (Predict which of the
# two is always larger.)
#
# **Bits per byte** is the size of the file that a compressor built on the model would write: the sum of the losses, in
# bits instead of nats (divide by $\ln 2$), divided by the number of *bytes* of the text. In the example, if the two
# tokens stand for the text `größe`, which has 5 letters and 7 bytes in UTF-8, it is $(0.693 + 2.079) / 0.693 / 7 =
# 4/7$.
#
# Why two? Perplexity is per token, so it depends on the tokenizer. A model with a vocabulary of whole words has a
# perplexity in the tens, a model with letters has about 3, and these numbers don't say which model is better. Bytes are
# the same for both.

# %% name="surprise" tags=["demo"]
from minitorch_course.figures import runs as figures

figures.surprise()

# %% [markdown]
# In 1950 Claude Shannon let people guess the next letter of a book, his wife Betty among them, counted their tries, and
# concluded that printed English has between 0.6 and 1.3 bits per letter. It was the first evaluation of a language
# model. Perplexity was proposed in 1977, by Frederick Jelinek and his colleagues at IBM, as a measure of how hard a
# speech recogniser's task is.
#
# ### Exercise 2: perplexity and bits per byte


# %% name="perplexity" tags=["exercise"]
def perplexity(losses):
    """Among how many equally likely tokens one would be as unsure.

    Args:
      losses: the loss of each token in nats, an array (N,).
    """
    # BEGIN SOLUTION Exercise 2: the exponential of the mean loss.
    return jnp.exp(jnp.mean(losses))
    # END SOLUTION


def bits_per_byte(losses, text):
    """What a compressor built on the model would need for `text`, in bits for each of its bytes in UTF-8.

    Args:
      losses: the loss of each token of the text in nats, an array (N,).
      text: what the tokens stand for, a str. It may have fewer or more letters, and bytes, than tokens.
    """
    # BEGIN SOLUTION Exercise 2: add the losses up, turn nats into bits, and divide by the bytes of text.encode().
    return jnp.sum(losses) / math.log(2) / len(text.encode())
    # END SOLUTION


# %% name="perplexity-check" tags=["check"] exercise="perplexity"
half_and_eighth = jnp.log(jnp.array([2.0, 8.0]))  # The losses of probabilities 1/2 and 1/8.
check(
    "probabilities 1/2 and 1/8: as unsure as among 4",
    lambda: perplexity(half_and_eighth),
    4.0,
    mistakes={
        "This is the mean of the perplexities of the tokens. Take the mean of the losses first, then the exponential.": 5.0,
        "The losses were added up. Take their mean.": 16.0,
        "The loss is in nats, not in bits: its perplexity is e to the loss, and not 2 to the loss.": 2.0**1.3862944,
        "This is the mean loss itself. Take the exponential.": 1.3862944,
        "This is one divided by the perplexity, the mean probability: is there a minus too many?": 0.25,
    },
)
check(
    "4 bits for the 7 bytes of größe",
    lambda: bits_per_byte(half_and_eighth, "größe"),
    4 / 7,
    mistakes={
        "These are bits per letter. In UTF-8 ö and ß have two bytes each: count the bytes of text.encode().": 4 / 5,
        "These are nats per byte. A bit is ln 2 = 0.693 nats: divide by it.": 4 * math.log(2) / 7,
        "Multiplied by ln 2, and must be divided: 0.693 nats are one bit.": 4 * math.log(2) ** 2 / 7,
        "These are bits per token. A token may stand for several bytes: divide the sum by the bytes.": 2.0,
        "The mean loss was divided by the bytes. Add the losses up first.": 2 / 7,
    },
)

# %% name="perplexity-mean" tags=["hidden-test"] exercise="perplexity" points=2 hint="exp of the mean of the losses"
losses = inputs.uniform(23, low=0.2, high=3.0)
report(
    perplexity(losses),
    mistakes={
        "This is the mean of the perplexities of the tokens. Take the mean of the losses first, then the exponential.": lambda: (
            jnp.exp(losses).mean()
        ),
        "The losses were added up. Take their mean.": lambda: jnp.exp(losses.sum()),
        "The loss is in nats, not in bits: its perplexity is e to the loss, and not 2 to the loss.": lambda: (
            2.0 ** losses.mean()
        ),
        "This is the mean loss itself. Take the exponential.": lambda: losses.mean(),
        "This is one divided by the perplexity, the mean probability: is there a minus too many?": lambda: jnp.exp(
            -losses.mean()
        ),
    },
)

# %% name="perplexity-bytes" tags=["hidden-test"] exercise="perplexity" points=2 hint="sum of the losses, divided by ln 2 and by len(text.encode())"
losses = inputs.uniform(11, low=0.2, high=3.0)
words = " ".join(inputs.choice(["naïve", "Ωμέγα", "straße", "日本", "code"]) for _ in range(4)) + "é"
report(
    bits_per_byte(losses, words),
    mistakes={
        "These are bits per letter. In UTF-8 ö and ß have two bytes each: count the bytes of text.encode().": lambda: (
            losses.sum() / math.log(2) / len(words)
        ),
        "These are nats per byte. A bit is ln 2 = 0.693 nats: divide by it.": lambda: (
            losses.sum() / len(words.encode())
        ),
        "Multiplied by ln 2, and must be divided: 0.693 nats are one bit.": lambda: (
            losses.sum() * math.log(2) / len(words.encode())
        ),
        "These are bits per token. A token may stand for several bytes: divide the sum by the bytes.": lambda: (
            losses.mean() / math.log(2)
        ),
        "The mean loss was divided by the bytes. Add the losses up first.": lambda: (
            losses.mean() / math.log(2) / len(words.encode())
        ),
    },
)

# %% [markdown]
# ### What is a good loss?
#
# A number alone says nothing. So before we train, let us see how well you can guess without a network. The text is
# Python's own standard library, the first million letters of it in a fixed, mixed order; the last part of the modules
# is held out. Tokens are bytes: there are 256 of them, and no tokenizer to train. Here are four guessers. They count in
# the training text:
#
# - one that knows nothing: every byte is as likely as any other;
# - one that knows how frequent each byte is;
# - one that counts what comes after each byte;
# - one that counts what comes after each pair of bytes.
#
# Predict the perplexity of the second guesser. Code has about 90 different characters.

# %% name="data" tags=["demo"]
train_text, validation_text = mt.data.split(mt.data.load_text("stdlib", limit=1_000_000))


def as_bytes(corpus):
    return jnp.array(np.frombuffer(corpus.text.encode(), np.uint8), jnp.int32)


train_bytes, validation_bytes = as_bytes(train_text), as_bytes(validation_text)[:40_000]


def counted(order, extra=0.05):
    """The loss (nats per byte) on the validation text of guessing by counts of what came after each `order` bytes.

    `extra` is added to each count, so that what was never seen is not impossible.
    """

    def contexts(tokens):
        places = np.asarray(tokens, np.int64)
        before = sum(places[i : len(places) - order + i] * 256 ** (order - 1 - i) for i in range(order))
        return before + np.zeros(len(places) - order, np.int64), places[order:]

    counts = np.zeros((256**order, 256), np.float32)
    np.add.at(counts, contexts(train_bytes), 1.0)
    before, after = contexts(validation_bytes)
    share = (counts[before, after] + extra) / (counts.sum(1)[before] + 256 * extra)
    return float(-np.log(share).mean())


BASELINES = {
    "no idea": math.log(256),
    "frequency": counted(0),
    "after a byte": counted(1),
    "after two bytes": counted(2),
}

# %% name="baselines" tags=["demo", "nbval-ignore-output"]
print(f"{len(train_bytes):,} bytes to train, {len(validation_bytes):,} to validate\n")
for name, loss in BASELINES.items():
    print(f"{name:16} {loss:.2f} nats   perplexity {math.exp(loss):6.1f}   {loss / math.log(2):.2f} bits per byte")

# %% [markdown]
# The guesser that counts after pairs has a table of 65,536 contexts, most of them empty. With three bytes the table
# would have 16 million contexts, with eight bytes about as many as there are atoms in a grain of sand. Instead of that
# table we use a network.
#
# ## 3. Every token once
#
# Training gives you a loss for free: each batch has one. But this loss is noisy, and it is about text that the model
# may have seen. So from time to time we evaluate on the held-out text: on all of it, with each token as a target
# exactly once, in windows that lie one after the other.

# %% name="cover" tags=["demo"]
pictures.cover(tokens=24, batch=2, context=4)

# %% [markdown]
# The 24 tokens have 23 targets, since nothing comes before the first token. Two rows of four are 8 targets per call:
# two full calls, and a third with 7. Three things go wrong here, even in well-known programs:
#
# - **The rest is dropped.** The evaluation ignores 7 of 23 targets, always the same ones.
# - **The rest is filled up, and the filling counts.** Zeros are easy to guess, or hard; in both cases the loss is
#   wrong.
# - **The mean of means.** A short call counts as much as a full one. (You met this in notebook 04.)
#
# A fourth problem costs time: `jax.jit` compiles another program for each new shape. So pad the last call to the full
# shape, and leave the padding out of the sum.
#
# ### Exercise 3: evaluate


# %% name="evaluate" tags=["exercise"] forbids=["minitorch.train.mean_loss", "minitorch.data.evaluation_windows"]
def evaluate(token_losses, tokens, batch, context):
    """The mean loss over every token of `tokens` (N,) but the first, in nats: a float.

    Args:
      token_losses: a function of inputs and targets, both (batch, context) and always of that shape. Returns the loss of
        each target, (batch, context).
    """
    # BEGIN SOLUTION Exercise 3: pad the tokens, call token_losses on batch * context targets at a time, and add up the losses of real targets.
    targets, size = len(tokens) - 1, batch * context
    padding = -targets % size  # mutant-ok: more padding would never be read
    padded = np.pad(tokens, (0, padding))
    total = 0.0
    for start in range(0, targets, size):
        rows = padded[start : start + size + 1]
        losses = token_losses(rows[:-1].reshape(batch, context), rows[1:].reshape(batch, context))
        total += float(losses.reshape(-1)[: targets - start].sum())
    return total / targets
    # END SOLUTION


# %% name="evaluate-tools"
def distance(inputs, targets):
    """Stands for a model: its loss is the square of the step from one token to the next."""
    return (jnp.asarray(targets, jnp.float32) - jnp.asarray(inputs)) ** 2


squares = jnp.arange(14) ** 2  # Steps of 1, 3, 5, ... 25: their squares add up to 2925.


def shapes_in(tokens, batch, context, loss):
    """How many different shapes `evaluate` calls with, and the first of them."""
    seen = []

    def noting(inputs, targets):
        seen.append((np.shape(inputs), np.shape(targets)))
        return loss(inputs, targets)

    evaluate(noting, tokens, batch, context)
    return len(set(seen)), seen[0]


# %% name="evaluate-check" tags=["check"] exercise="evaluate"
check(
    "13 targets in calls of 2 x 2",
    lambda: evaluate(distance, squares, 2, 2),
    2925 / 13,
    mistakes={
        "The rest is dropped: only the targets of full calls were looked at.": (2925 - 25**2) / 12,
        "The padding counts: the step from the last token to a zero is not a target.": (2925 + 169**2) / 13,
        "The padding counts as a target in the number that the sum is divided by.": 2925 / 16,
        "This is the mean of the calls' means. The last call has fewer targets and must count less.": (
            (1 + 9 + 25 + 49 + 81 + 121 + 169 + 225 + 289 + 361 + 441 + 529) / 4 + 25**2
        )
        / 4,
        "The sum was divided by the number of tokens. The first one is not a target, so it is one fewer.": 2925 / 14,
        "The losses are added up, and not divided by their number.": 2925.0,
        "A target between two calls is lost: the next call begins with the last target of the one before as its input.": (
            2925 - 9**2 - 19**2
        )
        / 11,
    },
)
check(
    "always the same shape",
    lambda: shapes_in(squares, 2, 2, distance),
    (1, ((2, 2), (2, 2))),
    mistakes={
        "The last call has another shape, for which jax.jit compiles another program: fill it up to (batch, context).": (
            2,
            ((2, 2), (2, 2)),
        ),
    },
)
check(
    "fewer targets than one call holds",
    lambda: evaluate(distance, squares[:4], 3, 5),
    35 / 3,
)


# %% name="evaluate-mean" tags=["hidden-test"] exercise="evaluate" points=3 hint="Pad to a multiple of batch * context targets, cut the padding off the losses, divide their sum by len(tokens) - 1."
n = 6 * int(inputs.integers(low=3, high=6)) + int(inputs.integers(low=3, high=6))
held_out, shift = inputs.integers(n, low=1, high=60), inputs.uniform(low=0.2, high=0.8)


def crooked(inputs, targets):
    return jnp.abs(jnp.asarray(targets, jnp.float32) - shift * jnp.asarray(inputs))


def called(tokens, stride):
    """The losses of each call, the last one without padding; a call begins `stride` after the one before."""
    losses = crooked(tokens[:-1], tokens[1:])
    return [losses[start : start + 6] for start in range(0, len(losses), stride)]


report(
    evaluate(crooked, held_out, 2, 3),
    mistakes={
        "The rest is dropped: only the targets of full calls were looked at.": lambda: (
            jnp.concatenate([c for c in called(held_out, 6) if len(c) == 6]).mean().item()
        ),
        "The padding counts as a target in the number that the sum is divided by.": lambda: (
            crooked(held_out[:-1], held_out[1:]).sum().item() / (6 * len(called(held_out, 6)))
        ),
        "This is the mean of the calls' means. The last call has fewer targets and must count less.": lambda: (
            sum(c.mean().item() for c in called(held_out, 6)) / len(called(held_out, 6))
        ),
        "The sum was divided by the number of tokens. The first one is not a target, so it is one fewer.": lambda: (
            crooked(held_out[:-1], held_out[1:]).sum().item() / n
        ),
        "The losses are added up, and not divided by their number.": lambda: (
            crooked(held_out[:-1], held_out[1:]).sum().item()
        ),
        "A target between two calls is lost: the next call begins with the last target of the one before as its input.": lambda: (
            jnp.concatenate(called(held_out, 7)).mean().item()
        ),
        "The padding counts: the step from the last token to a zero is not a target.": lambda: (
            crooked(jnp.pad(held_out, (0, -(n - 1) % 6))[:-1], jnp.pad(held_out, (0, -(n - 1) % 6))[1:]).sum().item()
            / (n - 1)
        ),
    },
)

# %% name="evaluate-shapes" tags=["hidden-test"] exercise="evaluate" points=2 hint="Every call gets inputs and targets of shape (batch, context)."
report(
    shapes_in(held_out[:15], 2, 3, crooked),
    mistakes={
        "The last call has another shape, for which jax.jit compiles another program: fill it up to (batch, context).": (
            2,
            ((2, 3), (2, 3)),
        ),
    },
)
report([evaluate(crooked, held_out[:k], 2, 3) for k in (4, 7, 15, 2)])

# %% [markdown]
# ## 4. A step is a function of the state
#
# Suppose a run stops between two steps. What do you have to know to make all the remaining steps? The parameters; the
# state of the optimizer; and the number of completed steps, because it determines the batch and the learning rate.
# Nothing else: no generator, no iterator over files, no global counter. These three things are the **state** of the
# run, and a step is a pure function from one state to the next.


# %% name="state"
class State(NamedTuple):
    """What a run is between two steps."""

    step: Any  # int32 (): the number of steps made
    params: Any
    optimizer: Any  # the optimizer's state


def first_state(params, optimizer):
    """The state before the first step."""
    return State(jnp.int32(0), params, optimizer.init(params))


# %% [markdown]
# An example by hand: the loss is $(w - x)^2$, the "text" is 5, 2, 8, and the batch of step $i$ is its entry $i$. The
# learning rate is 0.25, and we begin with $w = 1$:
#
# | step made | batch | loss | gradient | $w$ after |
# |---|---|---|---|---|
# | 1st | 5 | 16 | -8 | 3 |
# | 2nd | 2 | 1 | 2 | 2.5 |
# | 3rd | 8 | 30.25 | -11 | 5.25 |
#
# A state with `step` 2 and $w = 2.5$ must give the third line, even if another process made the first two steps. Here
# is the classic bug: a Python variable `i` that the loop counts up and the step reads. `jax.jit` traces the step once,
# with $i = 0$ (notebook 04's second stretch exercise shows why), so the step sees the first batch for ever. Without
# `jit` it works until the day when you resume the run, and $i$ is 0 again.
#
# ### Exercise 4: the step
#
# As in notebook 04: the loss and its gradient by `mt.value_and_grad`, the updates by `optimizer.update(gradient, state,
# params)`, the new parameters by `mt.optim.apply_updates(params, updates)`. The new part: the step samples its own
# batch. The tokens are an argument, because arrays that a jitted function closes over are copied into the program.


# %% name="make_step" tags=["exercise"] forbids=["minitorch.train.Step"]
def make_step(loss, optimizer, draw_batch):
    """The compiled training step of a run.

    Args:
      loss: a function (params, inputs, targets) -> scalar, written with minitorch's ops.
      optimizer: an (init, update) pair.
      draw_batch: a function (tokens, step) -> (inputs, targets), where `step` is the number of steps made before.

    Returns:
      A function (State, tokens) -> (State, loss of its batch before the update), under jax.jit.
    """

    # BEGIN SOLUTION Exercise 4: write a jitted function of state and tokens: draw the batch of state.step, differentiate, update, count.
    @jax.jit
    def step(state, tokens):
        batch = draw_batch(tokens, state.step)
        value, gradient = mt.value_and_grad(loss)(state.params, *batch)
        updates, memory = optimizer.update(gradient, state.optimizer, state.params)
        params = mt.optim.apply_updates(state.params, updates)  # mutant-ok: a sum has no order
        return State(state.step + 1, params, memory), value

    return step
    # END SOLUTION


# %% name="make_step-tools"
def decaying(rate=0.25, decay=0.125):
    """Steps downhill, and of the parameters a share less: unless they are not passed on."""

    def update(updates, state, params=None):
        pull = params if params is not None else jax.tree.map(jnp.zeros_like, updates)
        return jax.tree.map(lambda g, p: -rate * g - decay * p, updates, pull), state

    return mt.optim.Transform(lambda params: (), update)


# %% name="make_step-check" tags=["check"] exercise="make_step"
def square_loss(w, x, y):
    return mt.ops.mean((w - x) ** 2)


def entry(tokens, step):
    """The batch of a step: one entry of the tokens, twice."""
    return tokens[step], tokens[step]


def steps_by_hand(optimizer, state, count=3):
    """The losses of `count` steps on 5, 2, 8, and w and the number of steps made in the end."""
    step, losses = make_step(square_loss, optimizer, entry), []
    for _ in range(count):
        state, loss = step(state, jnp.array([5.0, 2.0, 8.0]))
        losses.append(float(loss))
    return losses, state.params, state.step


check(
    "three steps by hand",
    lambda: steps_by_hand(mt.optim.sgd(0.25), first_state(jnp.array(1.0), mt.optim.sgd(0.25))),
    ([16.0, 1.0, 30.25], 5.25, 3),
    mistakes={
        "Every step saw the first batch. The batch belongs to state.step, which is one more in the new state.": lambda: (
            [16.0, 4.0, 1.0],
            4.5,
            0,
        ),
        "Every step saw the first batch, though the steps were counted. The batch belongs to state.step.": lambda: (
            [16.0, 4.0, 1.0],
            4.5,
            3,
        ),
        "The first step saw the second batch. Before it 0 steps are made: draw first, then count.": lambda: (
            [1.0, 42.25, 10.5625],
            6.375,
            3,
        ),
        "The losses are those after the update. Return the one that the gradient belongs to.": lambda: (
            [4.0, 0.25, 7.5625],
            5.25,
            3,
        ),
        "The updates were subtracted. They already point downhill: add them.": lambda: ([16.0, 9.0, 12.25], -5.25, 3),
    },
)
check(
    "from a state in the middle of a run",
    lambda: steps_by_hand(mt.optim.sgd(0.25), State(jnp.int32(2), jnp.array(2.5), mt.optim.sgd(0.25).init(0.0)), 1),
    ([30.25], 5.25, 3),
    mistakes={
        "A resumed run begins with the first batch again. The batch belongs to state.step, not to a counter of yours.": (
            lambda: ([6.25], 3.75, 3)
        ),
        "A resumed run begins with the first batch again, and the steps made before are forgotten.": lambda: (
            [6.25],
            3.75,
            1,
        ),
    },
)
check(
    "momentum is carried on",
    lambda: steps_by_hand(mt.optim.sgd(0.25, 0.5), first_state(jnp.array(1.0), mt.optim.sgd(0.25, 0.5)))[1],
    6.0,
    mistakes={
        "The optimizer forgets: put the state that `update` returns into the new State.": 5.25,
    },
)
check(
    "the optimizer is given the parameters",
    lambda: steps_by_hand(decaying(), first_state(jnp.array(1.0), decaying()), 1)[1],
    2.875,
    mistakes={
        "The weights do not decay: pass the parameters to the optimizer's update.": 3.0,
    },
)
traces = []
check(
    "Python runs once, and the compiled program from then on",
    lambda: (
        traces.clear(),
        [
            step(first_state(jnp.array(1.0), mt.optim.sgd(0.1)), jnp.array([5.0, 2.0]))
            for step in [make_step(square_loss, mt.optim.sgd(0.1), lambda *a: (traces.append(1), entry(*a))[1])]
            for _ in range(3)
        ],
        len(traces),
    )[2],
    1,
    mistakes={
        "Python ran at every step: put the step under jax.jit, once, in make_step.": 3,
    },
)


# %% name="make_step-steps" tags=["hidden-test"] exercise="make_step" points=3 hint="batch = draw_batch(tokens, state.step); the new State has state.step + 1, the updated parameters and the optimizer's new state."
def line_loss(params, x, y):
    return mt.ops.mean((params["w"] * x + params["b"] - y) ** 2)


def three_of(tokens, step):
    cut = jax.lax.dynamic_slice(tokens, (step,), (4,))
    return cut[:-1], cut[1:]


def went(steps=3, decay=0.1, momentum=0.6, begin=2, stride=1, sign=1.0, keep=True, after=False):
    """Losses, parameters and count of some steps; the other arguments make the slips of `mistakes`."""
    optimizer = mt.optim.chain(mt.optim.trace(momentum), decaying(0.05, decay))
    params, memory, losses = where, optimizer.init(where), []
    for i in range(steps):
        batch = three_of(words, begin + stride * i)
        value, slope = mt.value_and_grad(line_loss)(params, *batch)
        updates, fresh = optimizer.update(slope, memory, params)
        memory = fresh if keep else memory
        params = jax.tree.map(lambda p, u: p + sign * u, params, updates)
        losses.append(line_loss(params, *batch) if after else value)
    return jnp.stack(losses), params, 2 + steps


def made():
    optimizer = mt.optim.chain(mt.optim.trace(0.6), decaying(0.05, 0.1))
    state, losses = State(jnp.int32(2), where, optimizer.init(where)), []
    step = make_step(line_loss, optimizer, three_of)
    for _ in range(3):
        state, value = step(state, words)
        losses.append(value)
    return jnp.stack(losses), state.params, state.step


words, where = inputs.normal(12), {"w": inputs.normal(), "b": inputs.normal()}
report(
    made(),
    mistakes={
        "The first step saw the second batch. Before it 0 steps are made: draw first, then count.": lambda: went(
            begin=3
        ),
        "The losses are those after the update. Return the one that the gradient belongs to.": lambda: went(after=True),
        "The updates were subtracted. They already point downhill: add them.": lambda: went(sign=-1.0),
        "The optimizer forgets: put the state that `update` returns into the new State.": lambda: went(keep=False),
        "The weights do not decay: pass the parameters to the optimizer's update.": lambda: went(decay=0.0),
        "Every step saw the first batch. The batch belongs to state.step, which is one more in the new state.": lambda: (
            *went(stride=0)[:2],
            2,
        ),
        "A resumed run begins with the first batch again. The batch belongs to state.step, not to a counter of yours.": lambda: (
            went(begin=0, stride=0)
        ),
    },
)

# %% name="make_step-compiled" tags=["hidden-test"] exercise="make_step" points=2 hint="Put @jax.jit on the function of state and tokens that make_step returns."
tracings = []


def noted(tokens, step):
    tracings.append(1)
    return three_of(tokens, step)


sgd = mt.optim.sgd(0.05)
stepping = make_step(line_loss, sgd, noted)
at = State(jnp.int32(0), where, sgd.init(where))
for _ in range(3):
    at, _ = stepping(at, words)
report(
    len(tracings),
    mistakes={"Python ran at every step: put the step under jax.jit, once, in make_step.": 3},
)

# %% [markdown]
# ## 5. Killed
#
# If a run takes weeks on thousands of machines, it is killed all the time. Meta's team counted 419 unexpected
# interruptions in 54 days while it trained Llama 3 on 16,384 GPUs: one every three hours. The logbook of OPT-175B
# (2022), which anybody can read, has at least 35 restarts by hand in two months. In your own work the reason will be
# the battery, the cluster's time limit, or `kill -9`.
#
# So from time to time we save a checkpoint: we write the state to disk. How often? Saving costs time, and repeating the
# lost steps costs time too. John Young (1974) showed that you lose the least time if you save every $\sqrt{2 \cdot
# \text{cost of saving} \cdot \text{time between failures}}$; with one minute and 186 minutes, that is every 19 minutes.
# And the next kill comes *while you are writing the checkpoint*.

# %% name="kills" tags=["demo"]
from minitorch_course.figures import files

files.writing()

# %% [markdown]
# If you write the file in place, it is empty for a moment, then it is half written, and the old content is already
# gone: the kill costs you not an hour but the whole run. The solution, an **atomic write**, is as old as Unix. Write
# the new content into a file *next to* the old one, close it, and then rename it to the old one's name. Renaming is one
# operation of the file system, and it is atomic: every reader sees either the old file or the new one, and nothing in
# between. In Python: `os.replace(source, destination)`.
#
# Here are three ways to get it nearly right. For each of them, predict what is on the disk after a kill:
#
# 1. remove the old file, then rename the new one;
# 2. rename inside the `with open(...)` block;
# 3. write the new file into `/tmp` and move it from there.
#
# (1: nothing at all, if the kill comes between the two operations. 2: some of the data may still be in the process's
# own memory, because Python gives them to the operating system only when you flush or close the file; then the *new
# name* has half a file. 3: `/tmp` may be another file system. You cannot rename a file from one file system to another,
# so moving means copying, and you are back at the start.)
#
# A kill ends the process, not the machine: the data that the operating system already has are safe. To be safe from a
# power cut as well, you need `os.fsync(file.fileno())` before the rename. Otherwise the rename may reach the disk
# before the data do. In 2009 users of the ext4 file system found empty files after crashes for exactly this reason.
#
# ### Exercise 5: whole or not at all
#
# Give the temporary file a name that is always the same for the same `path`. Then the next write overwrites the file
# that a kill left behind, and such files do not pile up.
#
# The check kills your function at every possible moment: before its first operation on a file, in the middle of it,
# before the second operation, and so on. Each time it looks at the files that are left in the folder. People test file
# systems and databases like this; Pillai and colleagues (2014) tested eleven well-known programs in this way, and found
# 60 ways to lose data.


# %% name="write_whole" tags=["exercise"] forbids=["minitorch._files.atomic_write"]
def write_whole(path, data):
    """Write a file so that it holds its old content or all of the new, whenever the process is killed.

    Args:
      path: a Path. There may be a file already.
      data: bytes.
    """
    # BEGIN SOLUTION Exercise 5: write a temporary file, of another name in the same folder; close it; os.replace it.
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(data)
    os.replace(partial, path)
    # END SOLUTION


# %% name="write_whole-tools"
def left_by_kills(write, old=b"the old content", new=b"new, and somewhat longer"):
    """What stands in the file when `write(path, new)` is killed at one moment after another, and in the end."""
    names = {old: "old", new: "new", b"": "empty", None: "no file"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        if old is not None:
            path.write_bytes(old)

        def look():
            content = path.read_bytes() if path.exists() else None
            return names.get(content, "half")

        found = after_each_kill(path.parent, lambda: write(path, new), look)
    return list(dict.fromkeys(found))


def left_over(write):
    """The number of files after three kills that left one behind, if any did, and a fourth try that succeeds."""

    def files():
        return {file.name: file.read_bytes() for file in path.parent.iterdir()}

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        for _ in range(3):
            count = len(files())
            left = after_each_kill(path.parent, lambda: write(path, b"content"), files)
            path.unlink(missing_ok=True)
            for name, content in next((found for found in left if len(found) > count), {}).items():
                path.with_name(name).write_bytes(content)
        write(path, b"content")
        return len(files())


IN_PLACE = "A kill can leave an empty or half-written file: write into a temporary file in the same folder, close that, then rename it."


REMOVED = (
    "A kill can leave no file at all: do not remove the old one. os.replace puts the new one in its place at once."
)


NEVER = "The new content never arrives under the file's own name: rename the temporary file that you wrote, with os.replace."


# %% name="write_whole-check" tags=["check"] exercise="write_whole"
check(
    "killed at every moment: the old content or the new",
    lambda: left_by_kills(write_whole),
    ["old", "new"],
    mistakes={
        IN_PLACE: ["old", "empty", "half", "new"],
        REMOVED: ["old", "no file", "new"],
        NEVER: ["old"],
        "Something other than `data` was written.": ["old", "half"],
    },
)
check(
    "where there is no file yet",
    lambda: left_by_kills(write_whole, old=None),
    ["no file", "new"],
    mistakes={
        IN_PLACE: ["no file", "empty", "half", "new"],
        NEVER: ["no file"],
    },
)
check(
    "what kills leave next to it does not pile up",
    lambda: left_over(write_whole),
    1,
    mistakes={
        "After three kills there are three files too many: give the temporary file a name that does not change.": 4,
    },
)


# %% name="write_whole-kills" tags=["hidden-test"] exercise="write_whole" points=2 hint="Write a temporary file next to it, close it, then os.replace(temporary, path)."
fresh = bytes(inputs.integers(90, low=0, high=256).astype(jnp.uint8))
report(
    left_by_kills(write_whole, fresh[:40], fresh),
    mistakes={
        IN_PLACE: ["old", "empty", "half", "new"],
        REMOVED: ["old", "no file", "new"],
        NEVER: ["old"],
    },
)
report(
    left_by_kills(write_whole, None, fresh),
    mistakes={IN_PLACE: ["no file", "empty", "half", "new"], NEVER: ["no file"]},
)

# %% name="write_whole-tidy" tags=["hidden-test"] exercise="write_whole" points=1 hint="The temporary file has a name that follows from path.name."
report(
    left_over(write_whole),
    mistakes={
        "After three kills there are three files too many: give the temporary file a name that does not change.": 4,
    },
)

# %% [markdown]
# ### What goes into a checkpoint
#
# The whole State, and nothing but the State. Its leaves are arrays; `jax.tree.leaves(state)` lists them in an order
# that depends only on the structure, and `jax.tree.unflatten(jax.tree.structure(like), leaves)` builds the state from
# these leaves. NumPy's format for several arrays is a zip file: `np.savez(file, *arrays)` names them `arr_0`, `arr_1`,
# ... and `np.load(file)` gives an archive with their names in `archive.files` and the arrays by name. A zip file has a
# checksum for each of its parts, so a flipped bit is an error and not a slightly different model.
#
# Be careful: if you sort the names, `arr_10` comes before `arr_2`.
#
# And a checkpoint belongs to a model. If you load the weights of another model and you are lucky, something crashes. If
# you are not lucky, the shapes fit by chance. So `restore` takes `like`, a state of the expected form, and compares as
# much as it can.
#
# ### Exercise 6: save and restore


# %% name="save_checkpoint" tags=["exercise"] forbids=["minitorch.train.checkpoint.save", "minitorch.train.checkpoint.restore", "minitorch.nn.paths.save_safetensors"]
def save_checkpoint(path, state):
    """Write all leaves of a State into the file `path` (a Path), whole or not at all.

    The file is what `np.savez` makes of the leaves, in their order.
    """
    # BEGIN SOLUTION Exercise 6: np.savez the leaves into an io.BytesIO, and give its getvalue() to write_whole.
    buffer = io.BytesIO()
    np.savez(buffer, *jax.tree.leaves(state))
    write_whole(path, buffer.getvalue())
    # END SOLUTION


def restore(path, like):
    """The State in the file `path`, or None if there is no such file.

    Args:
      like: a State of the same structure, with arrays of the same shapes and dtypes.

    Raises:
      ValueError: the file holds another number of arrays, or arrays of other shapes.
    """
    # BEGIN SOLUTION Exercise 6: load the arrays in the order of archive.files, compare their shapes with those of `like`, unflatten.
    if not path.exists():
        return None
    with np.load(path) as archive:
        leaves = [archive[name] for name in archive.files]
    shapes = [leaf.shape for leaf in leaves], [leaf.shape for leaf in jax.tree.leaves(like)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"{path.name} holds arrays of shapes {shapes[0]}, and this run needs {shapes[1]}.")
    return jax.tree.unflatten(jax.tree.structure(like), leaves)
    # END SOLUTION


# %% name="save_checkpoint-tools"
def some_state(seed=0, widths=(3,) * 11):
    """A state of a dozen and a half arrays: more than ten, as every model has."""
    keys = jax.random.split(jax.random.key(seed), len(widths))
    params = {f"layer {i}": jax.random.normal(key, (2, n)) for i, (key, n) in enumerate(zip(keys, widths, strict=True))}
    return State(jnp.int32(7), params, (jnp.int32(7), {"trace": jnp.arange(4.0), "b": [jnp.ones(2), jnp.float32(0.5)]}))


def in_a_file(act):
    """What `act` gives for the path of a file that is not there yet, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        return act(Path(folder) / "checkpoint.npz")


def arrays_in(path):
    with np.load(io.BytesIO(path.read_bytes())) as archive:
        return {name: archive[name] for name in archive.files}


def saved_arrays(state):
    return in_a_file(lambda path: (save_checkpoint(path, state), arrays_in(path))[1])


def from_file(state, like, **others):
    """What `restore` makes of the arrays of a state, which are put into the file without your save_checkpoint."""

    def act(path):
        np.savez(path, *jax.tree.leaves(state), **others)
        return restore(path, like)

    return in_a_file(act)


def refuses(state, like):
    """How `restore` refuses a file: the kind of error, or what it returned."""
    try:
        return f"no error, but a {type(from_file(state, like)).__name__}"
    except ValueError:
        return "ValueError"


seventh = some_state()


# %% name="save_checkpoint-check" tags=["check"] exercise="save_checkpoint"
check(
    "all leaves are in the file",
    lambda: saved_arrays(seventh),
    lambda: {f"arr_{i}": leaf for i, leaf in enumerate(jax.tree.leaves(seventh))},
    mistakes={
        "Only the parameters were saved. Without the optimizer's state and the step a run cannot go on as it was.": lambda: {
            f"arr_{i}": leaf for i, leaf in enumerate(jax.tree.leaves(seventh.params))
        },
        "The parameters were saved and the optimizer's state, but not the step.": lambda: {
            f"arr_{i}": leaf for i, leaf in enumerate(jax.tree.leaves(seventh[1:]))
        },
        "The step and the parameters were saved, but not the optimizer's state.": lambda: {
            f"arr_{i}": leaf for i, leaf in enumerate(jax.tree.leaves(seventh[:2]))
        },
    },
    dtype=True,
)
twelve = State(jnp.int32(12), [jnp.full(3, 10.0 * i) for i in range(12)], jnp.arange(3.0))
check(
    "what was in the file comes back as a State",
    lambda: from_file(twelve, jax.tree.map(jnp.ones_like, twelve)),
    lambda: twelve,
    mistakes={
        "This is the state `like` itself. Only its structure is wanted; the arrays come from the file.": lambda: (
            jax.tree.map(jnp.ones_like, twelve)
        ),
        "The arrays are in the wrong order: sorted by name, arr_10 comes before arr_2. Take archive.files as it is.": lambda: (
            jax.tree.unflatten(
                jax.tree.structure(twelve),
                [jax.tree.leaves(twelve)[int(i)] for i in sorted(map(str, range(len(jax.tree.leaves(twelve)))))],
            )
        ),
        "This is the list of arrays. Build a State of it: jax.tree.unflatten(jax.tree.structure(like), leaves).": lambda: (
            jax.tree.leaves(twelve)
        ),
    },
    dtype=True,
)
check("no file yet: None", lambda: in_a_file(lambda path: restore(path, seventh) is None), True)
check(
    "another model's file is refused: an array of another shape",
    lambda: refuses(some_state(widths=(3,) * 10 + (5,)), seventh),
    "ValueError",
    mistakes={
        "A file with an array of another shape was taken. Compare the shapes with those of `like`.": "no error, but a State",
    },
)
check(
    "and one with an array fewer",
    lambda: refuses(some_state(widths=(3,) * 10), seventh),
    "ValueError",
)


# %% name="save_checkpoint-saved" tags=["hidden-test"] exercise="save_checkpoint" points=2 hint="np.savez(buffer, *jax.tree.leaves(state)), then write_whole(path, buffer.getvalue())."
layered = State(
    jnp.int32(inputs.integers(low=3, high=99)),
    [inputs.normal(2, 3), {"b": inputs.normal(4), "a": inputs.normal()}],
    (jnp.int32(inputs.integers(low=3, high=99)), inputs.normal(5)),
)


def numbered(tree):
    return {f"arr_{i}": leaf for i, leaf in enumerate(jax.tree.leaves(tree))}


report(
    saved_arrays(layered),
    mistakes={
        "Only the parameters were saved. Without the optimizer's state and the step a run cannot go on as it was.": lambda: (
            numbered(layered.params)
        ),
        "The parameters were saved and the optimizer's state, but not the step.": lambda: numbered(layered[1:]),
        "The step and the parameters were saved, but not the optimizer's state.": lambda: numbered(layered[:2]),
    },
    dtype=True,
)

# %% name="save_checkpoint-restored" tags=["hidden-test"] exercise="save_checkpoint" points=2 hint="[archive[name] for name in archive.files], unflattened with the structure of `like`; None if the path does not exist."
deep = State(jnp.int32(inputs.integers(low=3, high=99)), [inputs.normal(3) for _ in range(12)], inputs.normal(3))
blank = jax.tree.map(jnp.zeros_like, deep)
report(
    from_file(deep, blank),
    mistakes={
        "This is the state `like` itself. Only its structure is wanted; the arrays come from the file.": lambda: blank,
        "The arrays are in the wrong order: sorted by name, arr_10 comes before arr_2. Take archive.files as it is.": lambda: (
            jax.tree.unflatten(
                jax.tree.structure(deep), [jax.tree.leaves(deep)[int(i)] for i in sorted(map(str, range(14)))]
            )
        ),
        "This is the list of arrays. Build a State of it: jax.tree.unflatten(jax.tree.structure(like), leaves).": lambda: (
            jax.tree.leaves(deep)
        ),
    },
    dtype=True,
)
report(in_a_file(lambda path: restore(path, deep) is None))

# %% name="save_checkpoint-refused" tags=["hidden-test"] exercise="save_checkpoint" points=1 hint="Raise ValueError if the list of shapes in the file is not that of jax.tree.leaves(like)."
taken = "A file with an array of another shape was taken. Compare the shapes with those of `like`."
wider = State(deep.step, [*deep.params[:11], inputs.normal(4)], deep.optimizer)
longer = State(deep.step, [*deep.params, inputs.normal(3)], deep.optimizer)
report(refuses(wider, deep), mistakes={taken: "no error, but a State"})
report([refuses(longer, deep), refuses(deep, longer), refuses(deep, deep)])

# %% [markdown]
# ## 6. What a run says about itself
#
# A run logs a row for each step: its number, its loss, and sometimes the validation loss. A very robust format for this
# is one JSON object per line in a file that only grows, `metrics.jsonl`:
#
# ```
# {"step": 1, "loss": 5.54}
# {"step": 2, "loss": 5.31, "val_loss": 5.28}
# {"step": 3, "lo
# ```
#
# Any program can read it while the run goes on, and a kill costs at most its last line. The third line above is such a
# line: **a line counts only if its line end is there**. A broken line in the *middle* is a different problem: somebody
# has edited the file, or a disk is failing. If you skip that line silently, you hide the problem.
#
# ### Exercise 7: a log


# %% name="read_rows" tags=["exercise"] forbids=["minitorch.train.read_rows", "minitorch.train.tracking.JsonLines"]
def log_row(path, row):
    """Add a row (a dict of numbers) to the file `path` (a Path) as one line of JSON. The file need not be there yet."""
    # BEGIN SOLUTION Exercise 7: open the file to append to it, and write json.dumps(row) and a line end.
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(row)}\n")
    # END SOLUTION


def read_rows(path):
    """The rows of a file that log_row wrote: a list of dicts, empty if there is no file.

    What stands behind the last line end was cut short by a kill, and is left out.

    Raises:
      ValueError: another line is not JSON. (`json.loads` raises it.)
    """
    # BEGIN SOLUTION Exercise 7: cut the text at its line ends, leave out what stands behind the last one, and read each line.
    if not path.exists():
        return []
    *lines, _ = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines]
    # END SOLUTION


# %% name="read_rows-tools"
def logged(*rows):
    """The file after some rows were logged."""
    return in_a_file(lambda path: ([log_row(path, row) for row in rows], path.read_text(encoding="utf-8"))[1])


def rows_of(text):
    """What read_rows makes of a file with that text."""
    return in_a_file(lambda path: (path.write_text(text, encoding="utf-8"), read_rows(path))[1])


def rows_or_error(text):
    try:
        return rows_of(text)
    except ValueError:
        return "ValueError"


# %% name="read_rows-check" tags=["check"] exercise="read_rows"
check(
    "a line for each row",
    lambda: logged({"step": 1, "loss": 5.5}, {"step": 2, "loss": 5.25, "val_loss": 5.5}),
    '{"step": 1, "loss": 5.5}\n{"step": 2, "loss": 5.25, "val_loss": 5.5}\n',
    mistakes={
        "The second row replaced the first: open the file to append (mode a), not to overwrite it (mode w).": (
            '{"step": 2, "loss": 5.25, "val_loss": 5.5}\n'
        ),
        "The line ends are missing: all rows stand on one line.": (
            '{"step": 1, "loss": 5.5}{"step": 2, "loss": 5.25, "val_loss": 5.5}'
        ),
        "A row is a Python dict here. JSON has double quotes: json.dumps(row).": (
            "{'step': 1, 'loss': 5.5}\n{'step': 2, 'loss': 5.25, 'val_loss': 5.5}\n"
        ),
        "The line end comes before the row: a kill then leaves a last line of which nobody knows whether it is whole.": (
            '\n{"step": 1, "loss": 5.5}\n{"step": 2, "loss": 5.25, "val_loss": 5.5}'
        ),
    },
)
check(
    "what was written can be read",
    lambda: rows_of('{"step": 1, "loss": 5.5}\n{"step": 2, "loss": 5.25, "val_loss": 5.5}\n'),
    [{"step": 1, "loss": 5.5}, {"step": 2, "loss": 5.25, "val_loss": 5.5}],
    mistakes={
        "The last line is left out though its line end is there.": [{"step": 1, "loss": 5.5}],
    },
)
check(
    "a last line cut short is left out",
    lambda: rows_or_error('{"step": 1, "loss": 5.5}\n{"step": 2, "lo'),
    [{"step": 1, "loss": 5.5}],
    mistakes={
        "A kill in the middle of a line makes the whole file unreadable: leave out what stands behind the last line end.": (
            "ValueError"
        ),
    },
)
check(
    "even if by chance it can be read",
    lambda: rows_of('{"step": 1, "loss": 5.5}\n{"step": 2, "loss": 5.25}'),
    [{"step": 1, "loss": 5.5}],
    mistakes={
        "The last line has no line end, so it does not count: the next row would be written behind it on the same line.": [
            {"step": 1, "loss": 5.5},
            {"step": 2, "loss": 5.25},
        ],
    },
)
check(
    "a broken line in the middle is an error",
    lambda: rows_or_error('{"step": 1, "lo\n{"step": 2, "loss": 5.25}\n'),
    "ValueError",
    mistakes={
        "A broken line in the middle was skipped in silence. Only the last line can be a kill's: let json.loads raise.": [
            {"step": 2, "loss": 5.25}
        ],
    },
)
check("no file, no rows", lambda: in_a_file(read_rows), [])


# %% name="read_rows-written" tags=["hidden-test"] exercise="read_rows" points=1 hint="path.open('a'), then write json.dumps(row) and \n."
counts = [int(n) for n in inputs.integers(3, low=1, high=500)]
report(
    logged(*({"step": n, "loss": n / 8} for n in counts)),
    mistakes={
        "The second row replaced the first: open the file to append (mode a), not to overwrite it (mode w).": lambda: (
            json.dumps({"step": counts[-1], "loss": counts[-1] / 8}) + "\n"
        ),
        "The line ends are missing: all rows stand on one line.": lambda: "".join(
            json.dumps({"step": n, "loss": n / 8}) for n in counts
        ),
        "A row is a Python dict here. JSON has double quotes: json.dumps(row).": lambda: "".join(
            f"{ {'step': n, 'loss': n / 8} }\n" for n in counts
        ),
        "The line end comes before the row: a kill then leaves a last line of which nobody knows whether it is whole.": lambda: (
            "".join("\n" + json.dumps({"step": n, "loss": n / 8}) for n in counts)
        ),
    },
)

# %% name="read_rows-read" tags=["hidden-test"] exercise="read_rows" points=3 hint="Leave out what stands behind the last line end; read every other line with json.loads, and let it raise."
lines = [json.dumps({"step": n, "loss": n / 16}) for n in counts]
report(
    rows_of("\n".join(lines) + "\n"),
    mistakes={
        "The last line is left out though its line end is there.": lambda: [json.loads(line) for line in lines[:-1]]
    },
)
report(
    rows_or_error("\n".join(lines) + "\n" + lines[0][:9]),
    mistakes={
        "A kill in the middle of a line makes the whole file unreadable: leave out what stands behind the last line end.": (
            "ValueError"
        ),
    },
)
report(
    rows_of("\n".join(lines)),
    mistakes={
        "The last line has no line end, so it does not count: the next row would be written behind it on the same line.": lambda: [
            json.loads(line) for line in lines
        ],
    },
)
report(
    rows_or_error("\n".join([lines[0], lines[1][:7], lines[2]]) + "\n"),
    mistakes={
        "A broken line in the middle was skipped in silence. Only the last line can be a kill's: let json.loads raise.": lambda: [
            json.loads(line) for line in (lines[0], lines[2])
        ],
    },
)
report(in_a_file(read_rows))

# %% [markdown]
# ## 7. The run
#
# Now put everything together, so that starting and resuming are the same: a program that looks at the saved files and
# makes the missing steps. Again, the order is important. Predict what goes wrong in each of these programs if a kill
# comes at the worst moment:
#
# 1. It saves the state first and logs the row after that.
# 2. When it resumes a run, it keeps all the rows of the log.
# 3. It saves every 100 steps, and the run has 250.
#
# (1: after a kill between the two, the run believes that it has logged this step, and the row is missing for ever. So
# log first. 2: if the run is killed at step 137 and resumed from 100, it logs the steps 101 to 137 again, and they are
# in the log twice. So the first thing when you resume is to remove the rows of later steps. 3: the last 50 steps are
# made, but never saved.)


# %% name="folder"
class Folder:
    """A run's folder on disk: `checkpoint.npz` and `metrics.jsonl`."""

    def __init__(self, path):
        self.path = Path(path)
        self.path.mkdir(parents=True, exist_ok=True)
        self.checkpoint, self.metrics = self.path / "checkpoint.npz", self.path / "metrics.jsonl"

    def restore(self, like):
        """The State saved last, or None."""
        return restore(self.checkpoint, like)

    def save(self, state):
        save_checkpoint(self.checkpoint, state)

    def log(self, row):
        log_row(self.metrics, row)

    def drop_rows(self, after):
        """Remove the rows of steps after `after`, and what a kill left of a line."""
        rows = [row for row in read_rows(self.metrics) if row["step"] <= after]
        write_whole(self.metrics, "".join(json.dumps(row) + "\n" for row in rows).encode())


class Memory:
    """A run's folder for tests: it keeps everything in memory, and can be set to die after `left` operations."""

    def __init__(self):
        self.saved, self.rows, self.events, self.left = [], [], [], math.inf

    def happens(self, what):
        if self.left == 0:
            raise Killed
        self.left -= 1
        self.events.append(what)

    def restore(self, like):
        return self.saved[-1] if self.saved else None

    def save(self, state):
        self.happens(f"save {int(state.step)}")
        self.saved.append(state)

    def log(self, row):
        self.happens(f"log {row['step']}")
        self.rows.append(dict(row))

    def drop_rows(self, after):
        self.happens(f"drop rows after {after}")
        self.rows = [row for row in self.rows if row["step"] <= after]


# %% [markdown]
# ### Exercise 8: a run that cannot be killed
#
# `first` has two uses: `run.restore` compares the checkpoint with it, and the run begins with it if nothing is saved
# yet.


# %% name="train_run" tags=["exercise"]
def train_run(run, step, first, tokens, steps, every, evaluation):
    """Make those of `steps` steps that are not made yet.

    Every step logs a row with the number of steps made, it included, and its loss: {"step": 7, "loss": 2.5}. After each
    `every` steps, and after the last, the parameters are evaluated, which the row of that step holds as "val_loss", and
    then the state is saved. A resumed run begins by dropping the rows of steps that its state has not made.

    Args:
      run: has `restore(like)`, `save(state)`, `log(row)` and `drop_rows(after)`, as Folder has.
      step: a function (State, tokens) -> (State, loss), as make_step gives.
      first: the State before the first step.
      evaluation: a function params -> float.

    Returns:
      The State after the last step.
    """
    # BEGIN SOLUTION Exercise 8: take the saved state or `first`, drop later rows; for each missing step: step, evaluate if due, log, save if due.
    state = run.restore(first) or first
    run.drop_rows(after=int(state.step))
    for made in range(int(state.step) + 1, steps + 1):
        state, loss = step(state, tokens)
        due = made % every == 0 or made == steps
        run.log({"step": made, "loss": float(loss)} | ({"val_loss": evaluation(state.params)} if due else {}))
        if due:
            run.save(state)
    return state
    # END SOLUTION


# %% name="train_run-tools"
def toy_step(state, tokens):
    """Stands for a training step: quick, and no two of them alike."""
    made, params = int(state.step), 0.5 * state.params + tokens[int(state.step)]
    return State(np.int32(made + 1), params, state.optimizer + params), params / 4


TOY = State(np.int32(0), np.float32(8.0), np.float32(0.0)), np.arange(1, 30, dtype=np.float32) ** 2


def toy_run(run, steps=5, every=2, toy=TOY, evaluation=lambda params: float(-params)):
    """What is left by train_run on the toy: parameters, and the rows of the log."""

    def step(state, tokens):
        run.happens(f"step {int(state.step) + 1}")
        return toy_step(state, tokens)

    state = train_run(run, step, toy[0], toy[1], steps, every, evaluation)
    return float(state.params), run.rows


def events(run, **options):
    """What happened, in order."""
    toy_run(run, **options)
    return ", ".join(run.events)


def ends_after_kills(train, **options):
    """How a run ends that is killed and then resumed, for every moment of the kill: parameters, steps in the log, and
    which steps were made after the kill. Equal ends stand there once."""
    ends = []
    for moment in range(60):
        run = Memory()
        run.left = moment
        try:
            train(run, **options)
            return ends
        except Killed:
            begin, run.left = (int(run.saved[-1].step) if run.saved else 0), math.inf
        before = len(run.events)
        params, rows = train(run, **options)
        again = [int(event.split()[1]) - begin for event in run.events[before:] if event.startswith("step")]
        end = params, [row["step"] for row in rows], again[:1]
        ends += [end] if end not in ends else []
    return ends


def in_words(ends):
    """What can be said of such ends."""
    wanted, words = toy_run(Memory())[0], set()
    for params, logged, again in ends:
        words.add(
            "other weights"
            if params != wanted
            else "a row is there twice"
            if len(logged) > len(set(logged))
            else "a row is missing"
            if len(logged) < 5
            else "it begins elsewhere"
            if again not in ([1], [])
            else "as if nothing had happened"
        )
    return sorted(words)


def second_half():
    """What happens in the second call of a run that had made three steps of six."""
    run = Memory()
    toy_run(run, steps=3, every=3)
    run.events.clear()
    return events(run, steps=6, every=3)


# %% name="train_run-check" tags=["check"] exercise="train_run"
check(
    "five steps, saved after every second and after the last",
    lambda: events(Memory()),
    "drop rows after 0, step 1, log 1, step 2, log 2, save 2, step 3, log 3, step 4, log 4, save 4, step 5, log 5, save 5",
    mistakes={
        "The last step is not saved: the run has 5 steps, and 5 is not a multiple of 2.": (
            "drop rows after 0, step 1, log 1, step 2, log 2, save 2, step 3, log 3, step 4, log 4, save 4, step 5, log 5"
        ),
        "The state is saved before the row is logged: a kill between the two loses the row. Log first.": (
            "drop rows after 0, step 1, log 1, step 2, save 2, log 2, step 3, log 3, step 4, save 4, log 4, step 5, save 5,"
            " log 5"
        ),
        "The rows count from 0: a row has the number of steps made, with its own.": (
            "drop rows after 0, step 1, log 0, step 2, log 1, save 2, step 3, log 2, step 4, log 3, save 4, step 5, log 4,"
            " save 5"
        ),
        "Rows are never dropped: what a kill left behind the last checkpoint will be there twice.": (
            "step 1, log 1, step 2, log 2, save 2, step 3, log 3, step 4, log 4, save 4, step 5, log 5, save 5"
        ),
    },
)
check(
    "the rows hold losses, and validation losses where it is evaluated",
    lambda: toy_run(Memory(), steps=3),
    (
        12.25,
        [
            {"step": 1, "loss": 1.25},
            {"step": 2, "loss": 1.625, "val_loss": -6.5},
            {"step": 3, "loss": 3.0625, "val_loss": -12.25},
        ],
    ),
    mistakes={
        "It was evaluated before the step. Evaluate the parameters that the step made.": lambda: (
            12.25,
            [
                {"step": 1, "loss": 1.25},
                {"step": 2, "loss": 1.625, "val_loss": -5.0},
                {"step": 3, "loss": 3.0625, "val_loss": -6.5},
            ],
        ),
    },
)
check(
    "a run that is resumed makes the missing steps, and no other",
    second_half,
    "drop rows after 3, step 4, log 4, step 5, log 5, step 6, log 6, save 6",
    mistakes={
        "The resumed run begins again at the first step: take what run.restore gives, where it gives something.": (
            "drop rows after 0, step 1, log 1, step 2, log 2, step 3, log 3, save 3, step 4, log 4, step 5, log 5, step 6,"
            " log 6, save 6"
        ),
        "The resumed run makes `steps` more steps. `steps` counts those made before as well.": (
            "drop rows after 3, step 4, log 4, step 5, log 5, step 6, log 6, save 6, step 7, log 7, step 8, log 8, step 9,"
            " log 9, save 9"
        ),
        "Rows are never dropped: what a kill left behind the last checkpoint will be there twice.": (
            "step 4, log 4, step 5, log 5, step 6, log 6, save 6"
        ),
    },
)
check(
    "killed at every moment, then resumed",
    lambda: in_words(ends_after_kills(toy_run)),
    ["as if nothing had happened"],
    mistakes={
        "The state is saved before the row is logged: a kill between the two loses the row. Log first.": [
            "a row is missing",
            "as if nothing had happened",
        ],
        "Rows are never dropped: what a kill left behind the last checkpoint will be there twice.": [
            "a row is there twice",
            "as if nothing had happened",
        ],
        "The resumed run begins again at the first step: take what run.restore gives, where it gives something.": [
            "as if nothing had happened",
            "it begins elsewhere",
        ],
        "The resumed run makes `steps` more steps. `steps` counts those made before as well.": [
            "as if nothing had happened",
            "other weights",
        ],
    },
)


# %% name="train_run-rows" tags=["hidden-test"] exercise="train_run" points=3 hint="For each missing step: step, evaluate if due, log the row, save if due. The row has the number of steps made."
def slipping(run, steps=7, every=3, toy=None, evaluation=None, *, slip=None):
    """A run with one slip, for `mistakes`."""
    state = (run.restore(None) or toy[0]) if slip != "fresh" else toy[0]
    if slip != "keeps rows":
        run.drop_rows(after=int(state.step))
    last = steps + int(state.step) if slip == "more" else steps
    for made in range(int(state.step) + 1, last + 1):
        run.happens(f"step {made}")
        before = state
        state, loss = toy_step(state, toy[1])
        due = made % every == 0 or (made == last and slip != "last")
        value = float(-(before if slip == "early" else state).params)
        row = {"step": made - (slip == "from 0"), "loss": float(loss)} | ({"val_loss": value} if due else {})
        for act, what in (
            [(run.save, state), (run.log, row)] if slip == "saves first" else [(run.log, row), (run.save, state)]
        ):
            if act == run.log or due:
                act(what)
    return float(state.params), run.rows


def history(train, **options):
    run = Memory()
    return [train(run, 7, 3, toy, **options), ", ".join(run.events)]


toy = State(np.int32(0), np.float32(inputs.scalar()), np.float32(0.0)), np.asarray(inputs.normal(20))
report(
    history(toy_run),
    mistakes={
        "The last step is not saved: the run has 5 steps, and 5 is not a multiple of 2.": lambda: history(
            slipping, slip="last"
        ),
        "The state is saved before the row is logged: a kill between the two loses the row. Log first.": lambda: (
            history(slipping, slip="saves first")
        ),
        "The rows count from 0: a row has the number of steps made, with its own.": lambda: history(
            slipping, slip="from 0"
        ),
        "Rows are never dropped: what a kill left behind the last checkpoint will be there twice.": lambda: history(
            slipping, slip="keeps rows"
        ),
        "It was evaluated before the step. Evaluate the parameters that the step made.": lambda: history(
            slipping, slip="early"
        ),
    },
)


# %% name="train_run-killed" tags=["hidden-test"] exercise="train_run" points=3 hint="Begin with run.restore(first) or first, drop the rows after its step, and log each row before the state is saved."
def ends(train, **options):
    return ends_after_kills(lambda run: train(run, 7, 3, toy, **options))


report(
    ends(toy_run),
    mistakes={
        "The state is saved before the row is logged: a kill between the two loses the row. Log first.": lambda: ends(
            slipping, slip="saves first"
        ),
        "Rows are never dropped: what a kill left behind the last checkpoint will be there twice.": lambda: ends(
            slipping, slip="keeps rows"
        ),
        "The resumed run begins again at the first step: take what run.restore gives, where it gives something.": lambda: (
            ends(slipping, slip="fresh")
        ),
        "The resumed run makes `steps` more steps. `steps` counts those made before as well.": lambda: ends(
            slipping, slip="more"
        ),
    },
)

# %% [markdown]
# ## 8. The proof
#
# ### A model of Python code
#
# Everything comes together. The text is the standard library, in bytes; the model is minitorch's GPT; the optimizer is
# the recipe of notebook 04, with your own parts if you wrote them. Batches, step, evaluation, checkpoints, log and run
# are yours.

# %% name="recipe" tags=["demo"]
warmup_cosine = my_solution(
    "warmup_cosine",
    otherwise=lambda peak, warmup, total, end=0.0: mt.optim.warmup_cosine_decay_schedule(0.0, peak, warmup, total, end),
)
clip_by_global_norm = my_solution("clip_by_global_norm", otherwise=mt.optim.clip_by_global_norm)
scale_by_adam = my_solution("scale_by_adam", otherwise=mt.optim.scale_by_adam)

BATCH, CONTEXT, STEPS = 12, 64, 400


def is_matrix(params):
    return jax.tree.map(lambda p: p.ndim > 1, params)


def recipe(peak, steps=STEPS):
    """Adam with clipping, decay of matrices, warm-up and a cosine down to a tenth."""
    return mt.optim.chain(
        clip_by_global_norm(1.0),
        scale_by_adam(0.9, 0.99),
        mt.optim.add_decayed_weights(0.1, is_matrix),
        mt.optim.scale_by_learning_rate(warmup_cosine(peak, 40, steps, peak / 10)),
    )


def gpt(width, seed=0):
    """Four layers of that width, with the first weights of a seed."""
    sizes = dict(vocab=256, context=CONTEXT, layers=4, heads=max(2, width // 32), width=width)
    return mt.models.GPT.init(jax.random.key(seed), mt.models.GPTConfig(**sizes))


def language_loss(model, inputs, targets):
    return mt.nn.cross_entropy(model(inputs), targets)


@jax.jit
def token_losses(model, inputs, targets):
    """The loss of each target, (B, T): the log of all scores' sum, minus the score of the target."""
    logits = model(inputs)
    right = jnp.take_along_axis(logits, targets[..., None], -1)[..., 0]
    return jax.nn.logsumexp(logits, -1) - right


def validation_loss(model, tokens=validation_bytes):
    return evaluate(lambda x, y: token_losses(model, x, y), tokens, 48, CONTEXT)


def run_in(run, width, peak, steps=STEPS, every=100, seed=0, evaluation=validation_loss):
    """Make the steps that are missing from a run in a Folder. Returns the last State."""
    optimizer = recipe(peak, steps)
    step = make_step(language_loss, optimizer, lambda tokens, step: get_batch(tokens, seed, step, BATCH, CONTEXT))
    first = first_state(gpt(width, seed), optimizer)
    return train_run(run, step, first, train_bytes, steps, every, evaluation)


# %% [markdown]
# ### Resume is exact
#
# First on a small model, 16 wide. One run makes 60 steps without a stop. We kill another one in the middle of step 47:
# we don't stop it politely, we cut it off when its row is half written. Then we call it again, with the same arguments
# and nothing else. Predict the step at which it continues.


# %% name="resume" tags=["demo"]
class Dying(Folder):
    """A folder whose run is killed while it writes the row of step 47."""

    def log(self, row):
        if row["step"] == 47:
            with self.metrics.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row)[:12])
            raise Killed
        super().log(row)


def bits(state):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(state)]


with skip_if_unfinished(), tempfile.TemporaryDirectory() as folder:
    small = dict(width=16, peak=0.01, steps=60, every=20)
    small["evaluation"] = lambda model: validation_loss(model, validation_bytes[:3000])
    whole, killed = Folder(f"{folder}/whole"), Folder(f"{folder}/killed")
    straight = run_in(whole, **small)
    try:
        run_in(Dying(killed.path), **small)
    except Killed:
        rows, end = read_rows(killed.metrics), killed.metrics.read_text(encoding="utf-8").split("\n")[-1]
    saved = int(np.load(killed.checkpoint)["arr_0"])
    print(f"killed: {len(rows)} rows and the line {end!r}; the state on disk has made {saved} steps")
    resumed = run_in(killed, **small)
    print("resumed: the same state, bit for bit:", bits(resumed) == bits(straight))
    print("         the same log, byte for byte:", killed.metrics.read_bytes() == whole.metrics.read_bytes())
    figures.resumed(read_rows(whole.metrics), rows, saved)

# %% [markdown]
# Every bit of 17,552 weights and of both of Adam's averages is the same, and so is every byte of the log. There are
# three reasons: the state contains everything that the run needs, the step determines the batch, and the same compiled
# program runs before and after the kill. (Another program may add in another order, and floating-point sums depend on
# the order: on another version of JAX, or another kind of processor, the last bits may differ. So a careful run writes
# down its versions, as minitorch's `config.json` does.)
#
# ### Under the bound
#
# Now four sizes, each for the same 400 steps on the same batches: 307,200 bytes, a third of the training text. Width
# 16, 32, 64, 128; each has between three and four times the weights of the one before. The last one is the proof: **its
# validation loss has to be below 2.33 nats per byte.** Before you run it, write down your guess for the four losses.
# For comparison: the guesser that counts after one byte reached 2.42, and after two bytes 1.78.

# %% name="four-sizes" tags=["demo"]
BOUND = 2.33
SIZES = {16: 0.01, 32: 0.01, 64: 0.003, 128: 0.0022}  # Width -> peak learning rate, the best of a few that were tried.
logs, counts = {}, {}
with skip_if_unfinished(), tempfile.TemporaryDirectory() as folder:
    for width, peak in SIZES.items():
        run = Folder(f"{folder}/{width}")
        state = run_in(run, width, peak)
        logs[width] = read_rows(run.metrics)
        counts[width] = mt.nn.paths.count(state.params)
    figures.curves({f"width {width}": rows for width, rows in logs.items()}, BASELINES, BOUND)

# %% name="bound" tags=["demo"]
check(
    f"the width 128 model is below {BOUND} nats per byte after {STEPS} steps",
    lambda: logs[128][-1]["val_loss"] < BOUND,
    True,
    mistakes={
        "The loss is above the bound. Do the checks of exercises 1 and 4 pass? A wrong batch or a forgotten state trains, badly.": (
            False
        )
    },
)

# %% name="losses" tags=["demo", "nbval-ignore-output"]
for width, rows in logs.items():
    loss = rows[-1]["val_loss"]
    print(
        f"width {width:3}  {counts[width]:7,} weights   {loss:.3f} nats   perplexity {perplexity(jnp.array([loss])):5.2f}"
        f"   {loss / math.log(2):.2f} bits per byte"
    )

# %% [markdown]
# The horizontal lines are the guessers of section 2. All models except the smallest are better than the guesser that
# counts after one byte; none is as good as the guesser that counts after two. Don't be too disappointed in them: that
# guesser has read all 870,112 bytes, and the models have seen only a third of that. (In section 10 a model of the same
# size does pass it.)
#
# **How the bound was chosen.** Width 128 was trained with the seeds 0 to 4, and ended at 2.08, 2.12, 2.07, 2.08 and
# 2.11. The bound is 10 % above the largest of these, which leaves room for another seed, another version of Python's
# library and other rounding. It is a bound after a number of steps, not seconds, so a slow computer passes as well as a
# fast one. And it is below the loss of the guesser that counts after one byte. A run with wrong batches or a forgotten
# state will hardly get there.
#
# ## 9. Does size pay?
#
# Four models, the same text, the same number of steps. The larger model is better each time. But by how much, and will
# this continue? In 2017 Joel Hestness and colleagues, and in 2020 Jared Kaplan and colleagues, plotted the losses of
# many models against their sizes, both on logarithmic axes, and found lines, over many powers of ten. A line on such
# axes is a power law:
#
# $$ L(N) = a\,N^{-\alpha} \qquad\Longleftrightarrow\qquad \ln L = \ln a - \alpha \ln N $$
#
# A worked example. A model with 10,000 weights has the loss 4, and one with 1,000,000 weights has the loss 2. On
# logarithmic axes the slope is $\ln(2/4) / \ln(100) = -0.693 / 4.605 = -0.15$. So $\alpha = 0.15$: each factor of a
# hundred halves the loss. And $a = 4 \cdot 10{,}000^{0.15} = 15.9$. Predict the loss of a model of 100 million weights.
#
# More than two points do not lie exactly on a line, because there is noise. So we take the line with the smallest sum
# of squared errors *of the logarithms*. `np.polyfit(x, y, 1)` gives the slope and the intercept of such a line.
#
# ### Exercise 9: a power law


# %% name="fit_power_law" tags=["exercise"]
def fit_power_law(sizes, losses):
    """Fit losses = a * sizes ** -alpha by least squares on the logarithms.

    Args:
      sizes, losses: positive numbers, arrays (n,) or lists of them.

    Returns:
      a and alpha, two floats.
    """
    # BEGIN SOLUTION Exercise 9: fit a line to the logarithms, and turn its slope and intercept into alpha and a.
    slope, intercept = np.polyfit(np.log(sizes), np.log(losses), 1)
    return math.exp(intercept), -slope
    # END SOLUTION


# %% name="fit_power_law-check" tags=["check"] exercise="fit_power_law"
check(
    "three points on the curve 8 N^-0.15",
    lambda: fit_power_law([1e3, 1e4, 1e6], [8 * n**-0.15 for n in (1e3, 1e4, 1e6)]),
    (8.0, 0.15),
    mistakes={
        "alpha has the wrong sign: the loss falls as N grows, so the slope is -alpha.": (8.0, -0.15),
        "The intercept is ln a. Take the exponential.": (math.log(8), 0.15),
        "The two results changed places: first a, then alpha.": (0.15, 8.0),
        "The logarithms are to base 10, but the exponential is to base e.": (math.exp(math.log10(8)), 0.15),
        "The slope is that of the sizes by the losses: which of the two goes along x?": lambda: (
            math.exp(-math.log(8) / -0.15),
            1 / 0.15,
        ),
    },
)
check(
    "points off the line: least squares on the logarithms",
    lambda: fit_power_law([1e3, 1e4, 1e5, 1e6], [3.1, 2.2, 1.9, 1.3]),
    (6.9950, 0.11959),
    mistakes={
        "The line goes through the first point and the last, whatever the others say. Use all of them.": lambda: (
            3.1 * 1e3 ** (math.log(3.1 / 1.3) / math.log(1e3)),
            math.log(3.1 / 1.3) / math.log(1e3),
        ),
    },
    rtol=1e-3,
)

# %% name="fit_power_law-fit" tags=["hidden-test"] exercise="fit_power_law" points=3 hint="slope, intercept = np.polyfit(np.log(sizes), np.log(losses), 1); a = exp(intercept), alpha = -slope"
amounts = np.exp(np.sort(np.asarray(inputs.uniform(6, low=1.0, high=11.0), np.float64)))
measured = 9.0 * amounts**-0.2 * np.exp(0.1 * np.asarray(inputs.normal(6), np.float64))
logs_of = np.log(amounts), np.log(measured)
report(
    fit_power_law(amounts, measured),
    mistakes={
        "alpha has the wrong sign: the loss falls as N grows, so the slope is -alpha.": lambda: (
            math.exp(np.polyfit(*logs_of, 1)[1]),
            np.polyfit(*logs_of, 1)[0],
        ),
        "The intercept is ln a. Take the exponential.": lambda: (
            np.polyfit(*logs_of, 1)[1],
            -np.polyfit(*logs_of, 1)[0],
        ),
        "The two results changed places: first a, then alpha.": lambda: (
            -np.polyfit(*logs_of, 1)[0],
            math.exp(np.polyfit(*logs_of, 1)[1]),
        ),
        "The logarithms are to base 10, but the exponential is to base e.": lambda: (
            math.exp(np.polyfit(*logs_of, 1)[1] / math.log(10)),
            -np.polyfit(*logs_of, 1)[0],
        ),
        "The line goes through the first point and the last, whatever the others say. Use all of them.": lambda: (
            measured[0] * (amounts[0] ** (np.log(measured[0] / measured[-1]) / np.log(amounts[-1] / amounts[0]))),
            np.log(measured[0] / measured[-1]) / np.log(amounts[-1] / amounts[0]),
        ),
        "The slope is that of the sizes by the losses: which of the two goes along x?": lambda: (
            math.exp(np.polyfit(*logs_of[::-1], 1)[1]),
            -np.polyfit(*logs_of[::-1], 1)[0],
        ),
    },
    rtol=1e-4,
)

# %% [markdown]
# This is the purpose of scaling laws: train small models, and predict how good a large one will be *before* you pay for
# it. So fit only the three smaller models, and let the line predict the fourth.

# %% name="scaling" tags=["demo"]
with skip_if_unfinished():
    weights, ends = [counts[w] for w in SIZES], [logs[w][-1]["val_loss"] for w in SIZES]
    a, alpha = fit_power_law(weights[:3], ends[:3])
    figures.scaling(weights, ends, a, alpha, fitted=3)

# %% name="prediction" tags=["demo", "nbval-ignore-output"]
with skip_if_unfinished():
    predicted = a * weights[3] ** -alpha
    print(f"L(N) = {a:.2f} N^-{alpha:.3f}: predicted {predicted:.3f}, measured {ends[3]:.3f} nats per byte")

# %% [markdown]
# How good is that? Look back at the five seeds: the same model came out at losses that were up to 0.05 nats apart. So a
# prediction that is off by a few hundredths is as good as this experiment allows, and the third digit of $\alpha$ is
# noise. And we chose the learning rate for each size with a handful of tries: at width 128, with 0.006 instead of
# 0.0022, the loss was a third of a nat higher, and so even higher than at width 32. If you compare sizes at one
# learning rate, you really compare learning rates.
#
# Kaplan and colleagues found $\alpha = 0.076$ over models from a thousand to over a billion weights.
#
# ## 10. The same in the library
#
# minitorch's own `train` has the parts that you wrote, in a run's folder with its settings, tokenizer, model card and
# plot; notebook 09 lets this model talk. A `Task`, a record of a few functions, defines what its steps do. The next
# cell makes such a folder with **your** `get_batch` and `evaluate` instead of the library's. It stops the run once,
# soon after step 150, as Ctrl-C would, and resumes it.
#
# Its tokens are pieces of words, 512 different ones, so you cannot compare its loss per token with the losses above.
# But you can compare its bits per byte. Predict: with the same layers and width, and 300 steps instead of 400, is it
# better or worse than 3.0 bits?

# %% name="library" tags=["demo"]
import dataclasses
import shutil
import signal

from minitorch.train import Interrupted, RunConfig, language_modelling, load_run, read_record, train

RUN = Path("runs", "08")
CONFIG = RunConfig(
    data="stdlib",
    limit=1_000_000,
    tokenizer="bpe:512",
    layers=4,
    heads=4,
    width=128,
    context=64,
    batch=12,
    steps=300,
    lr=2e-3,
    eval_every=100,
    checkpoint_every=100,
)


def your_mean_loss(model, tokens):
    return evaluate(lambda x, y: token_losses(model, x, y), tokens, CONFIG.batch, CONFIG.context)


def your_task(config, out):
    task = language_modelling(config, out)

    def batch(tokens, step):
        inputs, targets = get_batch(tokens, config.seed, step, config.batch, config.context)
        return inputs.astype(jnp.int32), targets.astype(jnp.int32)

    def validate(model, mesh, at_most):
        return your_mean_loss(model, task.prepared.validation[:at_most])

    return dataclasses.replace(task, get_batch=batch, evaluate=validate)


class CtrlC:
    """A listener that presses Ctrl-C after a given number of steps."""

    def __init__(self, step):
        self.step = step

    def log(self, step, values):
        if step == self.step:
            signal.raise_signal(signal.SIGINT)


if (RUN / "config.json").is_file() and read_record(RUN).config != CONFIG:
    shutil.rmtree(RUN)  # Left by another version of this notebook.
with skip_if_unfinished():
    begun = (RUN / "config.json").is_file()
    try:
        train(CONFIG, RUN, resume=begun, sinks=[] if begun else [CtrlC(150)], task=your_task)
    except Interrupted:
        train(CONFIG, RUN, resume=True, task=your_task)
    print("a run of", load_run(RUN).step, "steps in", RUN.as_posix(), "with", *sorted(p.name for p in RUN.iterdir()))

# %% name="library-loss" tags=["demo", "nbval-ignore-output"]
with skip_if_unfinished():
    loaded = load_run(RUN)
    text = bytes(np.asarray(validation_bytes, np.uint8)).decode(errors="ignore")
    ids = jnp.array(loaded.tokenizer.encode(text))
    loss = your_mean_loss(loaded.model, ids)
    bits = bits_per_byte(loss * jnp.ones(len(ids) - 1), text)
    print(f"{len(text.encode()) / len(ids):.2f} bytes per token, {loss:.3f} nats per token, {bits:.2f} bits per byte")
    cool = [mt.infer.temperature(0.7)]
    print(
        "def"
        + "".join(mt.infer.stream_text(loaded.model, loaded.tokenizer, "def", 60, key=jax.random.key(0), samplers=cool))
    )

# %% [markdown]
# Better by more than half a bit, and better than counting what comes after two bytes (2.57). Here a token stands for
# more than two bytes. So 64 tokens are nearly 150 bytes of context, and a step reads more than twice as much text.
#
# ### Tracking
#
# `train` reports every row to its *sinks*. A sink is any object with a method `log(step, values)`. `metrics.jsonl` is
# one of them, and it is always there. Teams want to compare their runs, with plots and search, so they use a tracking
# server: **MLflow** (open source, 2018) or **Weights & Biases** (a service, with an open-source client, 2018).
# `minitorch.train.tracking` has a sink for each of them, and you need only one more line:
#
# ```python
# with MLflowSink("my run", settings) as sink:         # or WandbSink
#     train(config, out, sinks=[sink])
# ```
#
# or `minitorch train --track mlflow ...` in a terminal. Both keep the data on this machine unless you configure where
# to send them. If MLflow is installed here (`pip install 'minitorch-course[tracking]'`), the next cell writes one of
# your logs into a separate store and then reads it from MLflow.

# %% name="mlflow" tags=["demo", "nbval-ignore-output"]
import warnings

from minitorch.train.tracking import MLflowSink

with skip_if_unfinished(), tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
    warnings.simplefilter("ignore")  # MLflow's own, about what else could be installed.
    try:
        with MLflowSink("width 16", {"width": 16, "steps": STEPS}, f"sqlite:///{folder}/mlflow.db") as sink:
            for row in logs[16]:
                sink.log(row["step"], row)
        history = sink.client.get_metric_history(sink.run_id, "val_loss")
        print("MLflow has the validation losses", [(point.step, round(point.value, 3)) for point in history])
    except ImportError as error:
        print(error)

# %% [markdown]
# ## 11. Stretch: the floor
#
# A power law goes to zero as the model grows. The loss on text cannot go to zero: the text so far does not fully
# determine what comes next, so even the best possible model cannot predict everything. The loss that remains is the
# **entropy** of the text. Jordan Hoffmann and colleagues (2022, the "Chinchilla" paper) fit
#
# $$ L(N) = E + a\,N^{-\alpha} $$
#
# For a given floor $E$ this is a power law for $L - E$, which you can fit. So try many floors, from 0 to just below the
# smallest loss, and keep the one whose curve has the smallest sum of squared errors of $\ln L$.
#
# ### Stretch exercise: fit with a floor


# %% name="fit_with_floor" tags=["exercise", "stretch"]
def fit_with_floor(sizes, losses, tries=200):
    """Fit losses = floor + a * sizes ** -alpha; the floor is one of `tries` from 0 on, evenly spaced, below min(losses).

    Returns:
      floor, a and alpha: those that leave the smallest sum of squared errors of the logarithms of the losses.
    """
    # BEGIN SOLUTION Stretch exercise: for each floor fit a power law to losses - floor; compare the logarithms of the fitted losses.
    sizes, losses = np.asarray(sizes), np.asarray(losses)

    def fitted(floor):
        a, alpha = fit_power_law(sizes, losses - floor)
        error = np.sum((np.log(floor + a * sizes**-alpha) - np.log(losses)) ** 2)
        return error, floor, a, alpha

    return min(map(fitted, np.linspace(0, losses.min(), tries, endpoint=False)))[1:]
    # END SOLUTION


# %% name="fit_with_floor-check" tags=["check", "stretch"] exercise="fit_with_floor"
many = np.array([1e3, 1e4, 1e5, 1e6, 1e7])
check(
    "a floor of 1.2 below 6 N^-0.2",
    lambda: fit_with_floor(many, 1.2 + 6 * many**-0.2, tries=400),
    (1.2, 6.0, 0.2),
    mistakes={
        "The floor is 0: was it subtracted from the losses before the fit?": lambda: (
            0.0,
            *fit_power_law(many, 1.2 + 6 * many**-0.2),
        ),
    },
    rtol=0.02,
)
check(
    "no floor: a pure power law",
    lambda: fit_with_floor(many, 6 * many**-0.2)[0],
    0.0,
)

# %% [markdown]
# Fit it to your four models, and look at the floor: a curve with three constants can hardly miss four points, so the
# floor means little. Chinchilla's fit has over 400 models, and E = 1.69 nats per token.
#
# ## In the wild
#
# | what you wrote | where it lives |
# |---|---|
# | `get_batch` | karpathy/nanoGPT: `train.py`; as a function of seed and index: NVIDIA/Megatron-LM, `megatron/core/datasets/gpt_dataset.py` |
# | perplexity, bits per byte | EleutherAI/lm-evaluation-harness: `lm_eval/api/metrics.py` |
# | `make_step`, with a state that contains everything | Flax: `flax/training/train_state.py` (`TrainState`) |
# | an atomic write | orbax: `checkpoint/orbax/checkpoint/_src/path/atomicity.py`; SQLite explains all of it in its document *Atomic commit in SQLite* |
# | save, restore, resume | stanford-crfm/levanter: `src/levanter/checkpoint.py`; Hugging Face transformers: `src/transformers/trainer.py` |
# | a log, and its sinks | MLflow: `mlflow/tracking/fluent.py`; Weights & Biases: `wandb/sdk/wandb_run.py` |
#
# ## References
#
# - C. Shannon, *Prediction and entropy of printed English*, 1951.
# - J. Young, *A first order approximation to the optimum checkpoint interval*, 1974.
# - F. Jelinek, R. Mercer, L. Bahl, J. Baker, *Perplexity: a measure of the difficulty of speech recognition tasks*, 1977.
# - T. Pillai et al., *All file systems are not created equal: on the complexity of crafting crash-consistent
#   applications*, 2014.
# - J. Hestness et al., *Deep learning scaling is predictable, empirically*, 2017.
# - M. Zaharia et al., *Accelerating the machine learning lifecycle with MLflow*, 2018.
# - J. Kaplan et al., *Scaling laws for neural language models*, 2020.
# - J. Hoffmann et al., *Training compute-optimal large language models*, 2022.
# - S. Zhang et al., *OPT: open pre-trained transformer language models*, 2022, with the logbook of its training.
# - Llama team, Meta, *The Llama 3 herd of models*, 2024 (section 3.3.4: reliability).
