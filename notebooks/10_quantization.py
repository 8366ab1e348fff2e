# %% [markdown]
# # 10 Quantization: how few bits does a weight need?
#
# A language model with 7 thousand million weights takes 26 GiB as float32. A laptop with 8 GiB cannot even open it.
# With 4 bits per weight, and a few more to say what the 4 bits mean, it takes 3.5 GiB, and runs. In notebook 09 you
# found that every weight is read from memory once for each token: so a smaller model is faster too. The price is that
# each weight is a little wrong. How wrong? You can prove a bound with a pencil, and then measure it on the model that
# you trained.
#
# **When you have finished you can**
#
# - turn numbers into whole numbers of 8 or 4 bits and back: symmetric and affine, with a scale for a matrix, a row, or a
#   group of neighbours;
# - multiply matrices of whole numbers without overflow;
# - put two codes into a byte, signs included;
# - prove how large the error of a product with a rounded matrix can be, and say why it is nearly always much smaller;
# - say how much perplexity you lose with each bit that you save, and choose.
#
# ```
#   application     an assistant on a laptop, on a telephone    <- what it is for
#   MLOps           which of ten variants do we ship?           <- the table at the end
#   hubs            files called Q8_0, Q4_0, GPTQ, AWQ, NF4     <- you will be able to read these names
#   frameworks      layers that compute with codes              <- you are here: from weights to codes
#   clusters        half the bytes, half the machines
#   hardware        units that multiply whole numbers of 8 bits
# ```
#
# Time: about 75 minutes. Before: notebook 03 (linear layers) and 08 (a trained model, perplexity).

# %% name="imports"
import functools
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import minitorch as mt
from minitorch_course import check, inputs, my_solution, report, setup, skip_if_unfinished

setup()

# %% [markdown]
# ## 1. Fifteen marks on a ruler
#
# Here are eight weights, as they come out of training. With 4 bits there are 16 patterns, so 4 bits can say one of 16
# things. Use fifteen of them as marks on a ruler, at equal distances and as many below 0 as above (the sixteenth stays
# unused). Then move each weight to the nearest mark:

# %% name="weights"
WEIGHTS = jnp.array([0.93, -0.35, 0.12, -0.66, 0.54, 0.04, -1.4, 0.26])

# %% name="ruler" tags=["demo"]
from minitorch_course.figures import rounding, scales

rounding.rulers({"4 bits": (WEIGHTS, 0.2 * jnp.arange(-7, 8))})

# %% [markdown]
# We store the **number of the mark**, its *code*, from -7 to 7. And we store the distance between two marks, the
# **scale**, once for all eight weights. How large must it be? The weight farthest from 0 is -1.4. It should get the
# outermost code, -7, so the scale is $1.4 / 7 = 0.2$.
#
# | | | | | | | | | |
# |---|---|---|---|---|---|---|---|---|
# | weight | 0.93 | -0.35 | 0.12 | -0.66 | 0.54 | 0.04 | -1.4 | 0.26 |
# | divided by the scale | 4.65 | -1.75 | 0.6 | -3.3 | 2.7 | 0.2 | -7 | 1.3 |
# | code | 5 | -2 | 1 | -3 | 3 | 0 | -7 | 1 |
# | code times scale | 1.0 | -0.4 | 0.2 | -0.6 | 0.6 | 0 | -1.4 | 0.2 |
# | error | 0.07 | -0.05 | 0.08 | 0.06 | 0.06 | -0.04 | 0 | -0.06 |
#
# This is called **absmax**. With $b$ bits:
#
# $$s = \frac{\max_i |x_i|}{2^{b-1} - 1}, \qquad q_i = \mathrm{round}(x_i / s), \qquad x_i \approx s\,q_i$$
#
# No weight is off by more than half the distance between two marks, $s/2 = 0.1$. Remember that: section 7 builds on it.
#
# Predict: with 8 bits, how large is the scale for these eight weights, and how large can the error be at most?
#
# The idea is older than computers' memories. In 1948 engineers at Bell Laboratories wanted to send telephone calls as
# whole numbers, because noise on the wire does not change whole numbers. Oliver, Pierce and Shannon described the
# system, and Bennett computed the noise that comes from rounding. You will meet his formula again.
#
# ### Exercise 1: absmax
#
# A layer may be all zeros (for example a pruned one). Its largest number is 0, and you cannot divide by 0. Any scale is
# right then, and everyone takes 1.


# %% name="absmax" tags=["exercise"] forbids=["minitorch.compress.scheme.quantize_matrix", "minitorch.compress.scheme.quantize_unchecked"]
def absmax(x, bits):
    """Round numbers to symmetric codes that share one scale.

    Args:
      x: a float array of any shape.
      bits: 2 to 8.

    Returns:
      The codes, int8, in the shape of x, from -(2^(bits-1) - 1) to 2^(bits-1) - 1; and the scale, a float32 array
      without axes: 1 if all of x is 0.
    """
    # BEGIN SOLUTION Exercise 1: the scale takes the number farthest from 0 to the outermost code; divide by it, round, make int8.
    largest = jnp.max(jnp.abs(x))
    scale = jnp.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0)
    return jnp.round(x / scale).astype(jnp.int8), scale
    # END SOLUTION


# %% name="absmax-check" tags=["check"] exercise="absmax"
check(
    "the eight weights, 4 bits: their codes",
    lambda: absmax(WEIGHTS, 4)[0],
    np.array([5, -2, 1, -3, 3, 0, -7, 1], np.int8),
    mistakes={
        "The scale follows from the largest number, sign and all. -1.4 lies farther out than 0.93: take jnp.abs first.": np.array(
            [7, -3, 1, -5, 4, 0, -11, 2], np.int8
        ),
        "The scale is too small: there are 7 steps on each side of 0, and not 8. A number at the upper end would get the"
        " code 8 (in 8 bits 128), which int8 does not have.": np.array([5, -2, 1, -4, 3, 0, -8, 1], np.int8),
        "What stands behind the point was cut off. Round to the nearest with jnp.round before astype.": np.array(
            [4, -1, 0, -3, 2, 0, -7, 1], np.int8
        ),
        "This is what the codes stand for. Return the codes themselves, as int8.": np.array(
            [1.0, -0.4, 0.2, -0.6, 0.6, 0.0, -1.4, 0.2], np.float32
        ),
    },
    dtype=True,
)
check(
    "the eight weights, 4 bits: their scale",
    lambda: absmax(WEIGHTS, 4)[1],
    0.2,
    mistakes={
        "The scale follows from the largest number, sign and all. -1.4 lies farther out than 0.93: take jnp.abs first.": 0.93
        / 7,
        "The scale is too small: there are 7 steps on each side of 0, and not 8. A number at the upper end would get the"
        " code 8 (in 8 bits 128), which int8 does not have.": 1.4 / 8,
        "This is the scale upside down, the number of steps in 1. Return what one step is worth.": 5.0,
        "The distance from -1.4 to 1.4 was divided by all 2^bits - 1 steps. From 0 to the end there are 7.": 2.8 / 15,
    },
)
check(
    "8 bits: the ends get -127 and 127",
    lambda: absmax(jnp.array([2.0, -0.5, -2.0]), 8)[0],
    np.array([127, -32, -127], np.int8),
    mistakes={
        "The scale is too small: there are 127 steps on each side of 0, and not 128. The largest number got the code 128,"
        " which int8 does not have.": np.array([127, -32, -128], np.int8),
        "What stands behind the point was cut off. Round to the nearest with jnp.round before astype.": np.array(
            [127, -31, -127], np.int8
        ),
    },
)
check(
    "nothing but zeros: the scale is 1",
    lambda: absmax(jnp.zeros(3), 4),
    (np.zeros(3, np.int8), 1.0),
    mistakes={
        "Of nothing but zeros the largest is 0, and 0 / 0 is not a number. Take the scale 1 there, with jnp.where.": (
            np.zeros(3, np.int8),
            0.0,
        )
    },
)

# %% name="absmax-codes" tags=["hidden-test"] exercise="absmax" points=3 hint="scale = max(|x|) / (2^(bits-1) - 1), codes = round(x / scale) as int8."
for bits in (4, 8):
    last = 2 ** (bits - 1) - 1
    marks = inputs.integers(4, 6, low=1 - last, high=last) + inputs.uniform(4, 6, low=-0.35, high=0.35)
    lopsided = inputs.uniform(low=0.05, high=0.2) * marks.at[1, 4].set(-float(last))
    positive, all_steps = lopsided.max() / last, -2 * lopsided.min() / (2**bits - 1)
    codes, scale = absmax(lopsided, bits)
    report(
        codes,
        mistakes={
            "The scale follows from the largest number, sign and all. Take jnp.abs first.": lambda: jnp.round(
                lopsided / positive
            ).astype(jnp.int8),
            "The scale is too small: there are 2^(bits-1) - 1 steps on each side of 0. With one more, a number at the upper"
            " end would get a code which int8 does not have.": lambda: jnp.round(
                lopsided / (-lopsided.min() / (last + 1))
            ).astype(jnp.int8),
            "What stands behind the point was cut off. Round to the nearest with jnp.round before astype.": lambda: (
                lopsided / (-lopsided.min() / last)
            ).astype(jnp.int8),
            "This is what the codes stand for. Return the codes themselves, as int8.": lambda: (
                jnp.round(lopsided / (-lopsided.min() / last)) * (-lopsided.min() / last)
            ),
            "The distance from one end to the other was divided by all 2^bits - 1 steps. From 0 to the end there are"
            " 2^(bits-1) - 1.": lambda: jnp.clip(jnp.round(lopsided / all_steps), -last - 1, last).astype(jnp.int8),
        },
        dtype=True,
    )
    report(
        scale,
        mistakes={
            "This is the scale upside down, the number of steps in 1. Return what one step is worth.": lambda: (
                last / -lopsided.min()
            ),
            "The scale follows from the largest number, sign and all. Take jnp.abs first.": positive,
            "The distance from one end to the other was divided by all 2^bits - 1 steps. From 0 to the end there are"
            " 2^(bits-1) - 1.": all_steps,
        },
    )

# %% name="absmax-zeros" tags=["hidden-test"] exercise="absmax" points=1 hint="The scale of nothing but zeros is 1."
report(
    absmax(jnp.zeros((2, 3)), 8),
    mistakes={
        "Of nothing but zeros the largest is 0, and 0 / 0 is not a number. Take the scale 1 there, with jnp.where.": (
            np.zeros((2, 3), np.int8),
            0.0,
        )
    },
)

# %% [markdown]
# ## 2. Numbers that lean to one side
#
# Weights are about as often negative as positive. The outputs of an activation function are not: GELU never returns
# less than -0.17. A symmetric ruler wastes half its marks on numbers that never occur. So let the ruler reach from the
# smallest number to the largest:

# %% name="leaning"
LEANING = jnp.array([-0.17, 0.05, 0.91, 2.14, 0.42, 2.83])  # From -0.17 to 2.83: 3.

# %% name="two-rulers" tags=["demo"]
rounding.rulers(
    {
        "symmetric": (LEANING, 2.83 / 7 * jnp.arange(-7, 8)),
        "affine": (LEANING, 0.2 * (jnp.arange(16) - 1)),
    }
)

# %% [markdown]
# Now we use all 16 codes, from 0 to 15, with 15 steps between them. The numbers reach from -0.17 to 2.83, a range of 3,
# so the scale is $3 / 15 = 0.2$, half of what the symmetric ruler needs.
#
# We store one more number, the **zero point** $z$: the code that means 0. Zeros are frequent (padding, masks, the zeros
# of ReLU), and must stay exactly 0. So we shift the ruler a little, until one of its marks is exactly at 0. And the
# range always includes 0, even if all numbers are positive.
#
# $$s = \frac{\mathrm{high} - \mathrm{low}}{2^b - 1}, \qquad z = \mathrm{round}(-\mathrm{low} / s), \qquad
# q_i = \mathrm{round}(x_i / s) + z, \qquad x_i \approx s\,(q_i - z)$$
#
# with $\mathrm{low} = \min(0, \min_i x_i)$ and $\mathrm{high} = \max(0, \max_i x_i)$. Here
# $z = \mathrm{round}(0.85) = 1$:
#
# | | | | | | | |
# |---|---|---|---|---|---|---|
# | number | -0.17 | 0.05 | 0.91 | 2.14 | 0.42 | 2.83 |
# | divided by the scale | -0.85 | 0.25 | 4.55 | 10.7 | 2.1 | 14.15 |
# | rounded | -1 | 0 | 5 | 11 | 2 | 14 |
# | code | 0 | 1 | 6 | 12 | 3 | 15 |
#
# Two things go wrong in real programs:
#
# - **Ties.** Let the range be -1.5 to 13.5 with the scale 1. Python and JAX round halves to the even number, so $z$ is
#   2, and 13.5 becomes 14, with the code 16. But there are only 16 codes, from 0 to **15**. A program that puts two
#   codes into a byte turns 16 into 0, and the largest number becomes the smallest. (In 8 bits the code would be 256;
#   NumPy's astype turns it into 0, and JAX's into 255.) So you must clip the codes at the last one.
# - **Bytes wrap around.** Codes and zero points are stored as uint8, which has no negative numbers: there
#   $3 - 5 = 254$. To dequantize, convert to floats *before* you subtract.
#
# ### Exercise 2: affine, and back


# %% name="affine" tags=["exercise"]
def affine(x, bits):
    """Round numbers to codes from 0 up, of which one means exactly 0.

    Args:
      x: a float array of any shape.
      bits: 2 to 8.

    Returns:
      The codes, uint8, in the shape of x, from 0 to 2^bits - 1; the scale, a float32 array without axes, 1 if all of x is
      0; and the zero point, uint8 without axes.
    """
    # BEGIN SOLUTION Exercise 2: find low and high with 0 between them, the scale and the zero point; then the codes, none above the last.
    low, high, last = jnp.minimum(jnp.min(x), 0), jnp.maximum(jnp.max(x), 0), 2**bits - 1
    scale = jnp.where(high > low, (high - low) / last, 1.0)
    zero = jnp.round(-low / scale)
    codes = jnp.minimum(jnp.round(x / scale) + zero, last)
    return codes.astype(jnp.uint8), scale, zero.astype(jnp.uint8)
    # END SOLUTION


def from_affine(codes, scale, zero):
    """What affine codes stand for: a float32 array in the shape of `codes`. The arguments are what `affine` returns."""
    # BEGIN SOLUTION Exercise 2: make floats of the codes, subtract the zero point, multiply by the scale.
    return scale * (codes.astype(jnp.float32) - zero)
    # END SOLUTION


# %% name="affine-check" tags=["check"] exercise="affine"
check(
    "the six numbers, 4 bits: codes, scale, zero point",
    lambda: affine(LEANING, 4),
    (np.array([0, 1, 6, 12, 3, 15], np.uint8), 0.2, np.uint8(1)),
    mistakes={
        "The range was divided by 16, one for each code. Between 16 codes there are 15 steps: there is always one step less"
        " than there are codes.": (np.array([0, 1, 6, 12, 3, 15], np.uint8), 3 / 16, np.uint8(1)),
        "The codes were measured from the lowest one. Measure from 0, round(x / scale), and add the zero point: only then 0"
        " is exact.": (np.array([0, 1, 5, 12, 3, 15], np.uint8), 0.2, np.uint8(1)),
        "The zero point has the wrong sign. It is round(-low / scale): the lowest number gets the code 0.": (
            np.array([0, 0, 4, 10, 1, 13], np.uint8),
            0.2,
            np.uint8(0),
        ),
    },
)
check(
    "0 is among the codes though all numbers are positive",
    lambda: affine(jnp.array([1.08, 1.62, 3.0]), 4),
    (np.array([5, 8, 15], np.uint8), 0.2, np.uint8(0)),
    mistakes={
        "Here 0 is not between the ends of the range, so that it has no code. The low end is 0 or less.": (
            np.array([0, 5, 15], np.uint8),
            0.128,
            np.uint8(0),
        ),
        "The range was divided by 16, one for each code. Between 16 codes there are 15 steps: there is always one step less"
        " than there are codes.": (np.array([6, 9, 15], np.uint8), 3 / 16, np.uint8(0)),
    },
)
check(
    "a tie at the upper end: 13.5 gets the last code",
    lambda: affine(jnp.array([-1.5, 13.5, 3.2]), 4)[0],
    np.array([0, 15, 5], np.uint8),
    mistakes={
        "The largest number got the code 16, one past the last. Hold the codes at 2^bits - 1, with jnp.minimum or jnp.clip.": np.array(
            [0, 16, 5], np.uint8
        )
    },
)
check(
    "nothing but zeros: the scale is 1 here too",
    lambda: affine(jnp.zeros(2), 8),
    (np.zeros(2, np.uint8), 1.0, np.uint8(0)),
    mistakes={
        "Of nothing but zeros low and high are equal, and 0 / 0 is not a number. Take the scale 1 there, with jnp.where.": (
            np.zeros(2, np.uint8),
            0.0,
            np.uint8(0),
        )
    },
)
check(
    "back: codes below the zero point are negative numbers",
    lambda: from_affine(jnp.array([3, 5, 9], jnp.uint8), jnp.float32(0.2), jnp.uint8(5)),
    np.array([-0.4, 0.0, 0.8], np.float32),
    mistakes={
        "3 - 5 wrapped around to 254: bytes have no negative numbers. Make floats of the codes first, with"
        " astype(jnp.float32).": np.array([50.8, 0.0, 0.8], np.float32),
        "The zero point was added. It was added on the way there; subtract it on the way back.": np.array(
            [1.6, 2.0, 2.8], np.float32
        ),
        "The zero point was subtracted after the scale. It counts steps: subtract it from the codes.": np.array(
            [-4.4, -4.0, -3.2], np.float32
        ),
    },
)

# %% name="affine-codes" tags=["hidden-test"] exercise="affine" points=2 hint="Between 2^bits codes there are 2^bits - 1 steps; the codes are round(x / scale) + zero."
for bits in (4, 7):
    last, place = 2**bits - 1, int(inputs.integers(low=2, high=6))
    offset = inputs.uniform(low=0.25, high=0.4).item()  # Where 0 lies between two marks of a ruler that begins at low.
    steps = inputs.integers(5, 6, low=1, high=last) - place + inputs.uniform(5, 6, low=-0.4, high=0.4)
    ends = steps.at[0, 3].set(-place - offset).at[4, 1].set(last - place - offset)
    x = inputs.uniform(low=0.1, high=0.3) * ends
    low, high = x.min(), x.max()

    def slipped(scale, zero, codes, last=last):
        return [jnp.clip(codes, 0, last).astype(jnp.uint8), scale, zero.astype(jnp.uint8)]

    step, finer = (high - low) / last, (high - low) / (last + 1)
    report(
        affine(x, bits),
        mistakes={
            "There is one step less than there are codes: divide the range by 2^bits - 1.": lambda: slipped(
                finer, jnp.round(-low / finer), jnp.round(x / finer) + jnp.round(-low / finer)
            ),
            "The codes were measured from the lowest one. Measure from 0, round(x / scale), and add the zero point: only"
            " then 0 is exact.": lambda: slipped(step, jnp.round(-low / step), jnp.round((x - low) / step)),
        },
    )

# %% name="affine-positive" tags=["hidden-test"] exercise="affine" points=1 hint="The range reaches to 0, even if all numbers are positive, or all are negative."
far = inputs.integers(9, low=4, high=15) + inputs.uniform(9, low=-0.35, high=0.35)
far = inputs.uniform(low=0.1, high=0.3) * far.at[2].set(15.0)
for x in (far, -far):
    low, high = x.min(), x.max()
    step = (high - low) / 15
    report(
        affine(x, 4),
        mistakes={
            "Here 0 is not between the ends of the range, so that it has no code. low is 0 or less, and high 0 or more.": lambda: [
                jnp.minimum(jnp.round(x / step) + jnp.round(-low / step), 15).astype(jnp.uint8),
                step,
                jnp.round(-low / step).astype(jnp.uint8),
            ]
        },
    )

# %% name="affine-edges" tags=["hidden-test"] exercise="affine" points=1 hint="No code is above 2^bits - 1, even where halves are rounded up; the scale of nothing but zeros is 1."
odd = inputs.choice([1, 3, 5])
for bits in (4, 6):
    last = 2**bits - 1
    inner = inputs.integers(4, low=0, high=6) + inputs.uniform(4, low=0.1, high=0.4)
    x = jnp.concatenate([inner, jnp.array([last - odd - 0.5, -odd - 0.5])]) / 8
    raw = jnp.round(x * 8) + odd + 1
    report(
        affine(x, bits),
        mistakes={
            "The largest number got the code 2^bits, one past the last. Hold the codes at 2^bits - 1, with jnp.minimum or"
            " jnp.clip.": lambda: [raw.astype(jnp.uint8), 1 / 8, np.uint8(odd + 1)]
        },
    )
report(
    affine(jnp.zeros(4), 4),
    mistakes={
        "Of nothing but zeros low and high are equal, and 0 / 0 is not a number. Take the scale 1 there, with jnp.where.": [
            np.zeros(4, np.uint8),
            0.0,
            np.uint8(0),
        ]
    },
)

# %% name="affine-back" tags=["hidden-test"] exercise="affine" points=2 hint="scale * (codes - zero), with floats."
some = inputs.integers(3, 5, low=0, high=256).at[1, 2].set(7).astype(jnp.uint8)
step, middle = inputs.uniform(low=0.01, high=0.1), inputs.integers(low=90, high=160).astype(jnp.uint8)
report(
    from_affine(some, step, middle),
    mistakes={
        "Negative numbers wrapped around: bytes have none. Make floats of the codes first, with astype(jnp.float32).": lambda: (
            step * (some - middle)
        ),
        "The zero point was added. It was added on the way there; subtract it on the way back.": lambda: (
            step * (some.astype(jnp.float32) + middle)
        ),
        "The zero point was subtracted after the scale. It counts steps: subtract it from the codes.": lambda: (
            step * some.astype(jnp.float32) - middle
        ),
    },
)

# %% [markdown]
# ## 3. Who shares a scale?
#
# A single outlier makes the scale large for all weights that share it. Below you see a weight matrix with one outlier.
# Weights that share a scale have the same colour, and the scale is next to them. Follow the number 4: which weights
# does it hurt in each of the three pictures?

# %% name="shares" tags=["demo"]
MATRIX = [
    [0.2, -0.1, 0.3, -0.2, 0.1, 0.3, -0.3, 0.2],
    [0.1, 0.3, 4.0, -0.3, 0.2, -0.1, 0.1, 0.3],
    [-0.3, 0.1, 0.2, 0.2, -0.2, 0.3, 0.1, -0.1],
]
scales.shares(
    MATRIX, [("one scale for the matrix", None), ("a scale for each row", 8), ("a scale for each group of 4", 4)]
)

# %% [markdown]
# In 4 bits the scale is $4 / 7 = 0.57$. Every 0.1 and 0.2 becomes 0, and every 0.3 becomes 0.57: only one number of the
# matrix survives. With a scale for each row, we lose one row. With groups of four, we lose three numbers.
#
# Large models nearly always have outliers. So it is worth storing more scales. The first step costs almost nothing: a
# scale **per channel**, that is, one for each *output* of the layer.
#
# From now on a matrix is (R, I), with a row for each output, and $y_r = \sum_i w_{ri}\,x_i$. (minitorch's `Linear`
# stores it the other way round, so we transpose.) Why a scale for each row, and not for each column? Because we can
# take it out of the sum, so it costs one multiplication for a whole row:
#
# $$y_r \approx \sum_i s_r\,q_{ri}\,x_i = s_r \sum_i q_{ri}\,x_i$$
#
# A scale for each column stays inside the sum: $\sum_i s_i\,q_{ri}\,x_i$.
#
# Predict: a matrix of 4096 x 4096 in 8 bits takes 16 MiB. How much do you add if you store a scale of 16 bits for each
# row?
#
# ### Exercise 3: a scale for each row


# %% name="per_channel" tags=["exercise"] forbids=["minitorch.compress.packed.quantize_rows"]
def per_channel(w, bits):
    """Round a matrix (R, I) to symmetric codes, each row by its own largest number.

    Returns:
      The codes, int8 (R, I), and the scales, float32 (R, 1): 1 for a row of nothing but zeros.
    """
    # BEGIN SOLUTION Exercise 3: as absmax, with the largest of each row and keepdims.
    largest = jnp.max(jnp.abs(w), axis=1, keepdims=True)  # (R, 1)
    scale = jnp.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0)
    return jnp.round(w / scale).astype(jnp.int8), scale
    # END SOLUTION


# %% name="per_channel-check" tags=["check"] exercise="per_channel"
two_rows = jnp.array([[0.14, -0.06, 0.02, 0.1], [-3.5, 1.4, 2.2, 0.4]])
check(
    "two rows, one 25 times as large as the other",
    lambda: per_channel(two_rows, 4),
    (np.array([[7, -3, 1, 5], [-7, 3, 4, 1]], np.int8), np.array([[0.02], [0.5]], np.float32)),
    mistakes={
        "There is a scale for each column. A row is an output: take the largest along axis 1.": lambda: (
            np.array([[0, 0, 0, 2], [-7, 7, 7, 7]], np.int8),
            np.array([[0.5, 0.2, 2.2 / 7, 0.4 / 7]], np.float32),
        ),
        "This is the same scale for all rows. Each row has its own largest number: axis=1, keepdims=True.": lambda: (
            np.array([[0, 0, 0, 0], [-7, 3, 4, 1]], np.int8),
            np.array([[0.5], [0.5]], np.float32),
        ),
        "The scale follows from the largest number of a row, sign and all: take jnp.abs first.": lambda: (
            np.array([[7, -3, 1, 5], [-11, 4, 7, 1]], np.int8),
            np.array([[0.02], [2.2 / 7]], np.float32),
        ),
    },
)
check(
    "a row of nothing but zeros",
    lambda: per_channel(jnp.array([[0.7, -0.3, 0.0], [0.0, 0.0, 0.0]]), 4),
    (np.array([[7, -3, 0], [0, 0, 0]], np.int8), np.array([[0.1], [1.0]], np.float32)),
    mistakes={
        "Of a row of nothing but zeros the largest is 0. Take the scale 1 there, with jnp.where.": (
            np.array([[7, -3, 0], [0, 0, 0]], np.int8),
            np.array([[0.1], [0.0]], np.float32),
        )
    },
)

# %% name="per_channel-rows" tags=["hidden-test"] exercise="per_channel" points=3 hint="Each row by its own largest absolute number; the scales have shape (R, 1)."
marks = inputs.integers(4, 7, low=-6, high=7) + inputs.uniform(4, 7, low=-0.35, high=0.35)
marks = marks.at[jnp.arange(4), inputs.integers(4, low=0, high=7)].set(jnp.array([7.0, -7.0, 7.0, -7.0]))
units = inputs.uniform(4, 1, low=0.5, high=1.5) * jnp.array([[0.01], [0.1], [1.0], [0.03]])
w = units * marks


def by(largest):
    """Codes with another idea of what the largest is."""
    return jnp.round(w / (largest / 7)).astype(jnp.int8)


codes, scale = per_channel(w, 4)
report(
    codes,
    mistakes={
        "There is a scale for each column. A row is an output: take the largest along axis 1.": lambda: by(
            jnp.abs(w).max(0)
        ),
        "This is the same scale for all rows. Each row has its own largest number: axis=1, keepdims=True.": lambda: by(
            jnp.abs(w).max()
        ),
        "The scale follows from the largest number of a row, sign and all: take jnp.abs first.": lambda: by(
            w.max(1, keepdims=True)
        ),
    },
    dtype=True,
)
report(scale)

# %% name="per_channel-zeros" tags=["hidden-test"] exercise="per_channel" points=1 hint="The scale of a row of nothing but zeros is 1."
holed = 0.02 * (inputs.integers(3, 5, low=-120, high=121) + inputs.uniform(3, 5, low=-0.35, high=0.35))
holed = holed.at[0, 2].set(-2.54).at[1].set(0.0).at[2, 4].set(-2.54)
codes, scale = per_channel(holed, 8)
report(
    [codes, scale],
    mistakes={
        "Of a row of nothing but zeros the largest is 0. Take the scale 1 there, with jnp.where.": lambda: [
            jnp.round(holed / 0.02).astype(jnp.int8),
            jnp.array([[0.02], [0.0], [0.02]]),
        ]
    },
)

# %% [markdown]
# ## 4. Whole numbers, multiplied
#
# If we round the *inputs* of a layer too, we multiply only whole numbers, and both scales come out of the sum:
#
# $$y_{nr} \approx \sum_i (t_n\,p_{ni})(s_r\,q_{ri}) = t_n\,s_r \sum_i p_{ni}\,q_{ri}$$
#
# for inputs with codes $p$ and a scale $t_n$ for each token. (The inputs are rounded at run time, each token with its
# own largest number. This is called *dynamic* quantization.) Hardware likes this. The first Tensor Processing Unit, of
# 2015, was a grid of 65,536 units that each multiply two whole numbers of 8 bits and add to a sum of 32; today's
# processors and graphics cards have such an instruction too.
#
# Why 32? $127 \cdot 127 = 16{,}129$: a single product is already too long for 8 bits, and the sum of 4,096 products
# needs 27. In NumPy and JAX a product of two int8 arrays **is int8**, and the bits that do not fit are silently thrown
# away: $127 \cdot 127$ gives 1.
#
# Predict: with the row $q = (100, -50)$ and the input $p = (2, 3)$, the sum is 50. What do $200$ and $-150$ become in
# int8 on the way? Is the sum wrong?
#
# ### Exercise 4: a product of codes


# %% name="int8_product" tags=["exercise"]
def int8_product(a, a_scale, b, b_scale):
    """What `(a_scale * a) @ (b_scale * b).T` stands for, with all products and sums in whole numbers.

    Args:
      a: the codes of N inputs, int8 (N, I), with a_scale, float32 (N, 1).
      b: the codes of a matrix, int8 (R, I), with b_scale, float32 (R, 1).

    Returns:
      float32 (N, R).
    """
    # BEGIN SOLUTION Exercise 4: make int32 of both, multiply; then the scale of each row of `a` and of each row of `b`.
    sums = a.astype(jnp.int32) @ b.T.astype(jnp.int32)  # (N, R)
    return sums * a_scale * b_scale.T
    # END SOLUTION


# %% name="int8_product-check" tags=["check"] exercise="int8_product"
p = jnp.array([[100, 50, -3], [7, -9, 127]], jnp.int8)
q = jnp.array([[90, -20, 11], [1, 127, 64]], jnp.int8)
check(
    "two inputs, two rows, sums of thousands",
    lambda: int8_product(p, jnp.array([[0.1], [0.2]]), q, jnp.array([[1.0], [0.5]])),
    np.array([[796.7, 312.9], [441.4, 699.2]], np.float32),
    mistakes={
        "The sums wrapped around in 8 bits: the product of two int8 arrays is int8. Make int32 of both first.": np.array(
            [[3.1, 5.7], [-19.4, 8.0]], np.float32
        ),
        "The scales of `a` are missing: row n of the result is multiplied with the scale of input n.": np.array(
            [[7967.0, 3129.0], [2207.0, 3496.0]], np.float32
        ),
        "The scales of `b` were multiplied down the rows. They belong to the columns of the result: b_scale.T.": np.array(
            [[796.7, 625.8], [220.7, 699.2]], np.float32
        ),
        "The scales of `b` are missing: column r of the result is multiplied with the scale of row r.": np.array(
            [[796.7, 625.8], [441.4, 1398.4]], np.float32
        ),
        "The sums were not multiplied with any scale.": np.array([[7967.0, 6258.0], [2207.0, 6992.0]], np.float32),
        "The two scales were added. A product of two scaled numbers has the product of the scales.": np.array(
            [[8763.7, 3754.8], [2648.4, 4894.4]], np.float32
        ),
        "The sums were held back at 127. They need 32 bits, and nothing to hold them: make int32 of both first.": np.array(
            [[12.7, 6.35], [25.4, 12.7]], np.float32
        ),
    },
)
check(
    "one input, three rows",
    lambda: int8_product(p[:1], jnp.array([[0.1]]), jnp.stack([q[0], q[1], q[0]]), jnp.array([[1.0], [0.5], [2.0]])),
    np.array([[796.7, 312.9, 1593.4]], np.float32),
)

# %% name="int8_product-sums" tags=["hidden-test"] exercise="int8_product" points=4 hint="int32 sums, times a_scale, which goes down the rows, and b_scale.T, which goes along them."
for n, r in ((4, 4), (2, 5)):
    left = inputs.integers(n, 33, low=-127, high=128).astype(jnp.int8)
    right = inputs.integers(r, 33, low=-127, high=128).astype(jnp.int8)
    t, s = inputs.uniform(n, 1, low=0.01, high=0.1), inputs.uniform(r, 1, low=0.01, high=0.1)
    whole = left.astype(jnp.int32) @ right.T.astype(jnp.int32)
    report(
        int8_product(left, t, right, s),
        mistakes={
            "The sums wrapped around in 8 bits: the product of two int8 arrays is int8. Make int32 of both first.": lambda: (
                whole.astype(jnp.int8) * t * s.T
            ),
            "The scales of `a` are missing: row n of the result is multiplied with the scale of input n.": lambda: (
                whole * s.T
            ),
            "The scales of `b` are missing: column r of the result is multiplied with the scale of row r.": lambda: (
                whole * t
            ),
            "The scales of `b` were multiplied down the rows. They belong to the columns of the result: b_scale.T.": lambda: (
                whole * t * jnp.resize(s, (n, 1))
            ),
            "The sums were not multiplied with any scale.": lambda: whole.astype(jnp.float32),
            "The two scales were added. A product of two scaled numbers has the product of the scales.": lambda: (
                whole * (t + s.T)
            ),
            "The sums were held back at 127. They need 32 bits, and nothing to hold them: make int32 of both first.": lambda: (
                jnp.clip(whole, -128, 127) * t * s.T
            ),
        },
    )

# %% [markdown]
# (The puzzle: 200 becomes -56 and -150 becomes 106, and $-56 + 106 = 50$. Numbers that wrap around stay the same
# modulo 256. So if the *final* sum fits, it is correct. That is why such a bug passes the first small test.)
#
# In 2022 Dettmers et al. found why this fails in models of more than 6 thousand million weights: a few of a layer's
# thousands of *inputs*, always the same ones, become about twenty times as large as the others. They make the scale of
# a token so large that almost nothing is left of the other inputs. The solution of the paper, LLM.int8(), keeps those
# few inputs in 16 bits. Many programs keep all inputs as floats and round only the weights, since the weights take most
# of the bytes. From here on we do the same.

# %% [markdown]
# ## 5. Smaller groups
#
# For 8 bits a scale for each row is nearly always enough. For 4 bits it is not: with only 7 steps on each side, one
# outlier takes half the steps away from all other numbers in its row. So let only 32, 64 or 128 neighbours share a
# scale. We can still take it out of a sum, one sum for each group:
#
# $$y_r \approx \sum_g s_{rg} \sum_{i \in g} q_{ri}\,x_i$$
#
# We must also store the scales. With 16 bits for each scale, a weight takes
#
# | | bits per weight |
# |---|---|
# | 4 bits, a scale for a row of 4,096 | $4 + 16 / 4096 = 4.004$ |
# | 4 bits, groups of 64 | $4 + 16 / 64 = 4.25$ |
# | 4 bits, groups of 32 (llama.cpp's Q4_0) | $4 + 16 / 32 = 4.5$ |
# | 8 bits, groups of 32 (llama.cpp's Q8_0) | $8 + 16/32 = 8.5$ |
#
# Predict: in which direction must neighbours lie, along a row or down a column?
#
# ### Exercise 5: groups, and back
#
# A reshape gives the groups an axis of their own: a row of 6 with groups of 2 becomes 3 groups of 2.


# %% name="group_wise" tags=["exercise"]
def group_wise(w, bits, group):
    """Round a matrix (R, I) to symmetric codes, each group of neighbours in a row by its own largest number.

    Args:
      w: a float array (R, I).
      bits: 2 to 8.
      group: how many neighbours share a scale; divides I.

    Returns:
      The codes, int8 (R, I), and the scales, float32 (R, I / group): 1 for a group of nothing but zeros.
    """
    # BEGIN SOLUTION Exercise 5: reshape to (R, I / group, group), and go on as in per_channel along the last axis.
    parts = w.reshape(len(w), -1, group)  # (R, G, g)
    largest = jnp.max(jnp.abs(parts), axis=2, keepdims=True)
    scale = jnp.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0)
    return jnp.round(parts / scale).astype(jnp.int8).reshape(w.shape), scale.squeeze(2)
    # END SOLUTION


def from_groups(codes, scale):
    """What codes (R, I) with scales (R, G) stand for: float32 (R, I)."""
    # BEGIN SOLUTION Exercise 5: multiply each code with the scale of its group (jnp.repeat along axis 1).
    return codes * jnp.repeat(scale, codes.shape[1] // scale.shape[1], axis=1)
    # END SOLUTION


# %% name="group_wise-check" tags=["check"] exercise="group_wise"
one_row = jnp.array([[0.7, 0.22, -0.31, 0.1, 0.02, -0.14]])
check(
    "a row of six in groups of two",
    lambda: group_wise(one_row, 4, 2),
    (np.array([[7, 2, -7, 2, 1, -7]], np.int8), np.array([[0.1, 0.31 / 7, 0.02]], np.float32)),
    mistakes={
        "The number of groups was taken for their size: these are 2 groups of three. Reshape to (R, -1, group).": (
            np.array([[7, 2, -3, 5, 1, -7]], np.int8),
            np.array([[0.1, 0.02]], np.float32),
        ),
        "One scale for the whole row. Each group has its own largest number.": (
            np.array([[7, 2, -3, 1, 0, -1]], np.int8),
            np.array([[0.1, 0.1, 0.1]], np.float32),
        ),
        "Numbers that share a scale lie apart here, each with the third one after it. Neighbours share one: reshape to"
        " (R, -1, group).": (
            np.array([[7, 7, -7, 1, 1, -3]], np.int8),
            np.array([[0.1, 0.22 / 7, 0.31 / 7]], np.float32),
        ),
    },
)
check(
    "a group of nothing but zeros",
    lambda: group_wise(jnp.array([[0.0, 0.0, 0.7, -0.2]]), 4, 2),
    (np.array([[0, 0, 7, -2]], np.int8), np.array([[1.0, 0.1]], np.float32)),
    mistakes={
        "Of a group of nothing but zeros the largest is 0. Take the scale 1 there, with jnp.where.": (
            np.array([[0, 0, 7, -2]], np.int8),
            np.array([[0.0, 0.1]], np.float32),
        ),
    },
)
check(
    "back: each code times the scale of its group",
    lambda: from_groups(jnp.array([[7, 2, -7, 2], [1, 3, 5, -7]], jnp.int8), jnp.array([[0.1, 0.2], [1.0, 3.0]])),
    np.array([[0.7, 0.2, -1.4, 0.4], [1, 3, 15, -21]], np.float32),
    mistakes={
        "The scales take turns: first, second, first, second. Neighbours share one: jnp.repeat, and not jnp.tile.": np.array(
            [[0.7, 0.4, -0.7, 0.4], [1, 9, 5, -21]], np.float32
        ),
    },
)

# %% name="group_wise-codes" tags=["hidden-test"] exercise="group_wise" points=3 hint="parts = w.reshape(R, -1, group); each part by its own largest absolute number; scales (R, I / group)."
marks = inputs.integers(3, 4, 3, low=-6, high=7) + inputs.uniform(3, 4, 3, low=-0.35, high=0.35)
marks = marks.at[:, jnp.arange(4), inputs.integers(4, low=0, high=3)].set(jnp.array([7.0, -7.0, -7.0, 7.0]))
units = inputs.uniform(3, 4, 1, low=0.01, high=0.05) * jnp.array([1.0, 8.0, 2.0, 4.0])[:, None]
w = (units * marks).at[1, 2].set(0.0).reshape(3, 12)


def shared(parts, axis, empty=1.0):
    """Codes and scales with another idea of who shares one."""
    largest = jnp.abs(parts).max(axis, keepdims=True)
    scale = jnp.where(largest > 0, largest / 7, empty)
    return [jnp.round(parts / scale).astype(jnp.int8).reshape(3, 12), scale.squeeze(axis)]


codes, scale = group_wise(w, 4, 3)
report(
    [codes, scale],
    mistakes={
        "The number of groups was taken for their size. Reshape to (R, -1, group).": lambda: shared(
            w.reshape(3, 3, 4), 2
        ),
        "One scale for the whole row. Each group has its own largest number.": lambda: [
            shared(w.reshape(3, 1, 12), 2)[0],
            jnp.repeat(shared(w.reshape(3, 1, 12), 2)[1], 4, axis=1),
        ],
        "Numbers that share a scale lie apart. Neighbours share one: reshape to (R, -1, group).": lambda: shared(
            w.reshape(3, 3, 4), 1
        ),
        "Of a group of nothing but zeros the largest is 0. Take the scale 1 there, with jnp.where.": lambda: shared(
            w.reshape(3, 4, 3), 2, 0.0
        ),
    },
)

# %% name="group_wise-back" tags=["hidden-test"] exercise="group_wise" points=2 hint="codes * jnp.repeat(scale, I // G, axis=1)"
some, units = inputs.integers(2, 12, low=-7, high=8).astype(jnp.int8), inputs.uniform(2, 3, low=0.1, high=2.0)
report(
    from_groups(some, units),
    mistakes={
        "The scales take turns. Neighbours share one: jnp.repeat, and not jnp.tile.": lambda: some * jnp.tile(units, 4)
    },
)

# %% [markdown]
# ## 6. Two codes in a byte
#
# Computers cannot store an array of 4-bit numbers directly: the smallest unit with an address is a byte. As int8, your
# 4-bit codes take as much memory as 8-bit codes. So put two of them into one byte, one in its low half and one in its
# high half:

# %% name="nibbles" tags=["demo"]
scales.nibbles([5, -3])

# %% [markdown]
# Negative numbers are stored modulo a power of two: in 4 bits -3 is $16 - 3 = 13$, `1101`, and in 8 bits
# $256 - 3 = 253$, `11111101`. So:
#
# - **pack:** `code & 15` keeps the low half and removes the ones in front. Without it, a negative code in the low half
#   fills the high half with ones, and the other code is lost;
# - **unpack:** `byte & 15` and `byte >> 4` give numbers from 0 to 15. Those above 7 were negative: subtract 16.
#
# Which two codes share a byte? Neighbours, you might think. But llama.cpp and minitorch combine the first code of a
# group with the first code of its *second half*. Then the low halves of the bytes, in order, are the first half of the
# group, and the high halves are the second half. So nothing has to be reordered when we unpack.
#
# ### Exercise 6: pack, unpack


# %% name="pack" tags=["exercise"] forbids=["minitorch.compress.packed.PackedMatrix.pack", "minitorch.compress.packed.PackedMatrix.unpack"]
def pack(codes):
    """Codes of 4 bits, two in a byte.

    Args:
      codes: int8 (..., 2n), from -8 to 7.

    Returns:
      uint8 (..., n): byte i holds code i in its low half and code i + n in its high half.
    """
    # BEGIN SOLUTION Exercise 6: split the last axis in two; keep 4 bits of the first half, shift the second by 4, join them with |.
    low, high = jnp.split(codes, 2, axis=-1)
    return (low & 15 | high << 4).astype(jnp.uint8)
    # END SOLUTION


def unpack(packed):
    """The codes in bytes: uint8 (..., n) to int8 (..., 2n)."""
    # BEGIN SOLUTION Exercise 6: the low halves, then the high halves; subtract 16 from what is above 7.
    codes = jnp.concatenate([packed & 15, packed >> 4], axis=-1).astype(jnp.int8)
    return jnp.where(codes > 7, codes - 16, codes)
    # END SOLUTION


# %% name="pack-check" tags=["check"] exercise="pack"
four_codes = jnp.array([5, -7, -3, 6], jnp.int8)
check(
    "5, -7, -3 and 6: 5 with -3, and -7 with 6",
    lambda: pack(four_codes),
    np.array([0xD5, 0x69], np.uint8),
    mistakes={
        "The negative code -7 overwrote the high half with ones. Keep 4 bits of it: & 15.": np.array(
            [0xD5, 0xF9], np.uint8
        ),
        "The halves are exchanged: the first half of the codes belongs in the low halves of the bytes.": np.array(
            [0x5D, 0x96], np.uint8
        ),
        "Neighbours were put into one byte. The first code goes with the first one of the second half.": np.array(
            [0x95, 0x6D], np.uint8
        ),
        "8 was added to the codes. Some formats do that; here a negative code is its remainder for 16.": np.array(
            [0x5D, 0xE1], np.uint8
        ),
    },
    dtype=True,
)
check(
    "back: the bytes D5 and 69",
    lambda: unpack(jnp.array([0xD5, 0x69], jnp.uint8)),
    np.array([5, -7, -3, 6], np.int8),
    mistakes={
        "The sign is lost: 13 is -3, and 9 is -7. Subtract 16 from what is above 7.": np.array([5, 9, 13, 6], np.int8),
        "The halves are exchanged: the low halves come first.": np.array([-3, 6, 5, -7], np.int8),
        "Low and high halves take turns. First come all low halves, then all high ones: jnp.concatenate.": np.array(
            [5, -3, -7, 6], np.int8
        ),
        "8 was subtracted from all. Some formats do that; here only what is above 7 was negative: subtract 16 from it.": np.array(
            [-3, 1, 5, -2], np.int8
        ),
    },
    dtype=True,
)
check(
    "there and back, in two rows: all sixteen codes",
    lambda: unpack(pack(jnp.arange(-8, 8, dtype=jnp.int8).reshape(2, 8)[:, ::-1])),
    lambda: np.arange(-8, 8, dtype=np.int8).reshape(2, 8)[:, ::-1],
)

# %% name="pack-bytes" tags=["hidden-test"] exercise="pack" points=2 hint="low & 15 | high << 4, with the two halves of the last axis; uint8."
some = inputs.integers(3, 10, low=-8, high=8).at[0, 0].set(-8).at[1, 3].set(-1).astype(jnp.int8)
halves = some[:, :5], some[:, 5:]


def joined(low, high):
    return (low & 15 | high << 4).astype(jnp.uint8)


report(
    pack(some),
    mistakes={
        "A negative code overwrote the high half with ones. Keep 4 bits of it: & 15.": lambda: (
            halves[0] | halves[1] << 4
        ).astype(jnp.uint8),
        "The halves are exchanged: the first half of the codes belongs in the low halves of the bytes.": lambda: joined(
            halves[1], halves[0]
        ),
        "Neighbours were put into one byte. The first code goes with the first one of the second half.": lambda: joined(
            some[:, 0::2], some[:, 1::2]
        ),
        "8 was added to the codes. Some formats do that; here a negative code is its remainder for 16.": lambda: joined(
            halves[0] + 8, halves[1] + 8
        ),
    },
    dtype=True,
)

# %% name="pack-unpacked" tags=["hidden-test"] exercise="pack" points=3 hint="All low halves, then all high halves; what is above 7 was negative: subtract 16."
some = inputs.integers(2, 7, low=0, high=256).at[0, 0].set(0x87).at[1, 2].set(0x78).astype(jnp.uint8)
lows, highs = (some & 15).astype(jnp.int8), (some >> 4).astype(jnp.int8)


def signed(codes):
    return jnp.where(codes > 7, codes - 16, codes)


report(
    unpack(some),
    mistakes={
        "The sign is lost. Subtract 16 from what is above 7.": lambda: jnp.concatenate([lows, highs], -1),
        "The halves are exchanged: the low halves come first.": lambda: signed(jnp.concatenate([highs, lows], -1)),
        "Low and high halves take turns. First come all low halves, then all high ones: jnp.concatenate.": lambda: (
            signed(jnp.stack([lows, highs], -1).reshape(2, 14))
        ),
        "Neighbours were put into one byte. The first code goes with the first one of the second half.": lambda: signed(
            jnp.stack([lows, highs], -1).reshape(2, 14)
        ),
        "8 was subtracted from all, as if 8 was added before. Only what is above 7 was negative: subtract 16 from it.": lambda: (
            jnp.concatenate([lows, highs], -1) - 8
        ),
    },
    dtype=True,
)

# %% [markdown]
# ## 7. How wrong can it be?
#
# First one number. Below you see the rounded number for each input, and the difference.

# %% name="staircase" tags=["demo"]
rounding.staircase(0.2, 7)

# %% [markdown]
# **One weight.** $|\mathrm{round}(t) - t| \le 1/2$ for each $t$. And no number is beyond the last mark, since we chose
# the scale for the largest number. So
#
# $$|x - s\,q| = s\,|x/s - \mathrm{round}(x/s)| \le s/2.$$
#
# **A product, in the worst case.** Let $e_i$ be the errors of the weights of one row. The error of the output is
# $\sum_i x_i e_i$, and
#
# $$\Big|\sum_i x_i\,e_i\Big| \;\le\; \sum_i |x_i|\,|e_i| \;\le\; \sum_i |x_i|\,\frac{s_i}{2}$$
#
# where $s_i$ is the scale of the group that contains weight $i$. This bound cannot be improved: if all errors were
# $s_i/2$ with the signs of the $x_i$, both sides would be equal.
#
# **A product, as a rule.** But why should all errors conspire against us? Bennett looked at the picture above: the
# error goes back and forth evenly between $-s/2$ and $s/2$. So treat it as a random number that is uniform between
# them. Its mean is 0, and its variance is
#
# $$\frac{1}{s} \int_{-s/2}^{s/2} e^2\,de = \frac{s^2}{12}.$$
#
# Variances of independent numbers add up. So the output's error has the standard deviation
#
# $$\sqrt{\sum_i x_i^2\,\frac{s_i^2}{12}}$$
#
# For $I$ inputs of the same size the worst case is $\sqrt{3 I}$ times as large as this: 55 times for 1,024 inputs. That
# is why rounding works better than any proof can promise: errors cancel.
#
# A worked example: one row, $x = (3, -4, 1, 2)$, groups of two with the scales 0.2 and 0.6. In the worst case the error
# is $(3 + 4) \cdot 0.1 + (1 + 2) \cdot 0.3 = 1.6$. As a rule it is
# $\sqrt{(25 \cdot 0.04 + 5 \cdot 0.36)/12} = \sqrt{2.8/12} = 0.483$.
#
# ### Exercise 7: the two bounds


# %% name="error_bounds" tags=["exercise"]
def error_bounds(x, scale):
    """How far `x @ w.T` can be off if w (R, I) is rounded with scales (R, G), each of I / G neighbours.

    Args:
      x: inputs, float32 (N, I).
      scale: float32 (R, G).

    Returns:
      Two arrays (N, R): the largest error that is possible, and the standard deviation of an error that is uniform.
    """
    # BEGIN SOLUTION Exercise 7: reshape x to (N, G, I / G); sum |x| s / 2 for the first; the root of the sum of x^2 s^2 / 12 for the second.
    parts = jnp.abs(x).reshape(len(x), scale.shape[1], -1)  # (N, G, g)
    worst = jnp.einsum("ngi,rg->nr", parts, scale) / 2
    typical = jnp.sqrt(jnp.einsum("ngi,rg->nr", parts**2, scale**2) / 12)
    return worst, typical
    # END SOLUTION


# %% name="error_bounds-check" tags=["check"] exercise="error_bounds"
four_inputs, two_scales = jnp.array([[3.0, -4.0, 1.0, 2.0]]), jnp.array([[0.2, 0.6]])
check(
    "the worked example: in the worst case",
    lambda: error_bounds(four_inputs, two_scales)[0],
    np.array([[1.6]], np.float32),
    mistakes={
        "Positive and negative inputs do not cancel in the worst case, for the errors can have their signs. Take |x|.": np.array(
            [[0.8]], np.float32
        ),
        "A whole step for each weight. None is off by more than half of one.": np.array([[3.2]], np.float32),
        "One scale for all. Give each group its own scale.": np.array([[3.0]], np.float32),
    },
)
check(
    "the worked example: as a rule",
    lambda: error_bounds(four_inputs, two_scales)[1],
    np.array([[0.48305]], np.float32),
    mistakes={
        "Deviations were added. Variances add up: square before the sum, and take the root after it.": np.array(
            [[3.2 / 12**0.5]], np.float32
        ),
        "This is the variance. Take its root.": np.array([[2.8 / 12]], np.float32),
        "Here the largest error was taken for the usual one: the variance is s^2 / 12, and not (s / 2)^2.": np.array(
            [[0.83666]], np.float32
        ),
        "One scale for all. Give each group its own scale.": np.array([[(30 * 0.36 / 12) ** 0.5]], np.float32),
        "The root is missing a 12: a uniform number between -s/2 and s/2 has the variance s^2 / 12.": np.array(
            [[2.8**0.5]], np.float32
        ),
    },
)
check(
    "two inputs, three rows",
    lambda: [bound.shape for bound in error_bounds(jnp.ones((2, 8)), jnp.ones((3, 2)))],
    [(2, 3), (2, 3)],
    mistakes={"Rows and inputs are exchanged: the result is (N, R).": [(3, 2), (3, 2)]},
)

# %% name="error_bounds-worst" tags=["hidden-test"] exercise="error_bounds" points=2 hint="The sum of |x| times half the scale of its group."
x, s = inputs.normal(5, 12), inputs.uniform(4, 3, low=0.1, high=0.9)
parts, widest = x.reshape(5, 3, 4), s.max(1)
worst, _ = error_bounds(x, s)
report(
    worst,
    mistakes={
        "Positive and negative inputs do not cancel in the worst case, for the errors can have their signs. Take |x|.": lambda: (
            jnp.einsum("ngi,rg->nr", parts, s) / 2
        ),
        "A whole step for each weight. None is off by more than half of one.": lambda: jnp.einsum(
            "ngi,rg->nr", jnp.abs(parts), s
        ),
        "One scale for all. Give each group its own scale.": lambda: jnp.abs(x).sum(1)[:, None] * widest / 2,
    },
)

# %% name="error_bounds-typical" tags=["hidden-test"] exercise="error_bounds" points=3 hint="The root of the sum of x^2 s^2 / 12, s the scale of the weight's group."
x, s = inputs.normal(5, 12), inputs.uniform(4, 3, low=0.1, high=0.9)
parts, widest = jnp.abs(x).reshape(5, 3, 4), s.max(1)
variance = jnp.einsum("ngi,rg->nr", parts**2, s**2)
_, typical = error_bounds(x, s)
report(
    typical,
    mistakes={
        "Deviations were added. Variances add up: square before the sum, and take the root after it.": lambda: (
            jnp.einsum("ngi,rg->nr", parts, s) / 12**0.5
        ),
        "This is the variance. Take its root.": lambda: variance / 12,
        "Here the largest error was taken for the usual one: the variance is s^2 / 12, and not (s / 2)^2.": lambda: (
            jnp.sqrt(variance / 4)
        ),
        "One scale for all. Give each group its own scale.": lambda: jnp.sqrt((x**2).sum(1)[:, None] / 12) * widest,
    },
)

# %% [markdown]
# ### The bound is held
#
# We have proven it; now let's measure it. We take 256 rows of 1,024 weights in 4 bits, with groups of 64, and 100
# inputs, which gives 25,600 outputs. Predict: how many errors are beyond the worst case? How many are within two
# standard deviations?

# %% name="bound-held" tags=["demo"]
with skip_if_unfinished():
    rng = np.random.default_rng(4)
    w = jnp.array(rng.normal(0, 0.05, (256, 1024)), jnp.float32)
    x = jnp.array(rng.normal(0, 1, (100, 1024)), jnp.float32)
    codes, scale = group_wise(w, 4, 64)
    errors = x @ (from_groups(codes, scale) - w).T  # (100, 256)
    worst, typical = error_bounds(x, scale)
    print(f"{errors.size:,} outputs, beyond the worst case: {int((jnp.abs(errors) > worst).sum())}")
    print(f"the largest error has {100 * float(jnp.max(jnp.abs(errors) / worst)):.0f} % of its worst case")
    print(f"within two standard deviations: {100 * float((jnp.abs(errors) < 2 * typical).mean()):.0f} %")
    print(f"the mean square of error / deviation: {float(jnp.mean((errors / typical) ** 2)):.2f}")
    rounding.errors(errors / typical, float(jnp.median(worst / typical)))

# %% [markdown]
# None are beyond the worst case, and 95 % or a little more are within two standard deviations. This is what a normal
# distribution gives, since a sum of a thousand small independent numbers is nearly normal. (The mean square is a little
# less than 1: one weight in 64, the largest of its group, has an error of exactly 0.) The bound protects; Bennett's
# formula predicts.
#
# Which scale is best, then? The one with a small deviation. **Each bit that you remove doubles the scale** (a little
# more than that: 127 steps, then 63, 31, 15, 7, 3) and so doubles the error of each output.
#
# ## 8. The proof: perplexity against bits
#
# And what happens to the model as a whole? We use the one that you trained in notebook 08, if its run is next to this
# notebook, in `runs/08`. Otherwise the next cell trains a small model for some seconds on Python's library. We measure
# its perplexity, with your own function if you wrote it in notebook 08, on text that the model was not trained on.

# %% name="model" tags=["demo", "nbval-ignore-output"]
perplexity = my_solution("perplexity", otherwise=lambda losses: jnp.exp(jnp.mean(losses)))


@functools.cache
def trained():
    """A trained run, and where it is from."""
    if Path("runs/08/config.json").is_file():
        return mt.train.load_run("runs/08"), "in notebook 08"
    import tempfile

    settings = mt.train.RunConfig(
        data="stdlib", limit=400_000, tokenizer="byte", layers=2, heads=4, width=128, context=64, batch=12,
        steps=250, lr=3e-3, eval_every=250, checkpoint_every=250,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        mt.train.train(settings, folder)
        return mt.train.load_run(folder), "just now"


run, when = trained()
model, tokenizer = run.model, run.tokenizer
held_out = mt.data.split(mt.data.load_text(run.config.data, limit=run.config.limit))[1].text[:40_000]
ids = jnp.array(tokenizer.encode(held_out))
rows = ids[: min(len(ids) - 1, 8192) // 64 * 64 + 1]
windows, targets = rows[:-1].reshape(-1, 64), rows[1:].reshape(-1, 64)


@jax.jit
def log_probabilities(model):
    """What a model says at each place of the text, (rows, 64, V)."""
    return jax.nn.log_softmax(model(windows))


@jax.jit
def losses_and_distances(p, q):
    """The loss of each token under q, and the KL divergence of q from p: (rows, 64) both."""
    return -jnp.take_along_axis(q, targets[..., None], axis=-1)[..., 0], jnp.sum(jnp.exp(p) * (p - q), axis=-1)


said = log_probabilities(model)


def judge(small):
    """The perplexity of a model on the text, and its mean KL divergence from the model that it was created from, in nats."""
    losses, distances = losses_and_distances(said, log_probabilities(small))
    return float(perplexity(losses.ravel())), float(jnp.mean(distances))


whole = judge(model)[0]
print(f"a model trained {when}: {mt.nn.paths.count(model):,} numbers, perplexity {whole:.2f}")

# %% [markdown]
# **Your** functions quantize every matrix of the model, and dequantize it again; so the loss is what it would be with
# codes. We go from 8 bits down to 2, with three choices of the weights that share a scale.
#
# Perplexity is a noisy measure of small changes: with luck, the rounded weights may predict *this* text better than
# before. A finer measure is how far the probabilities $q$ of the rounded model are from the probabilities $p$ of the
# original model:
#
# $$\mathrm{KL}(p \,\|\, q) = \sum_v p_v \ln \frac{p_v}{q_v}$$
#
# This is the *Kullback-Leibler divergence* (1951), averaged over the positions of the text. It is 0 if $q = p$ and
# positive otherwise. So the point without any change is the floor of a valley, where the ground is exactly level: the
# gradient is 0. (Notebook 11 is all about this divergence. Here we only measure with it.)
#
# Predict the shape of both curves before you look. The errors of the weights double with each bit that you remove. Near
# the floor of a valley, the height grows with the *square* of the distance. So each bit that you remove should make the
# divergence **four times** as large, until the steps are no longer small.


# %% name="perplexity-bits" tags=["demo", "nbval-ignore-output"]
def matrices(model):
    """Each matrix of a model as (R, I), by the path of its layer."""
    layers = mt.nn.paths.find(model, kind=mt.nn.Linear | mt.nn.Embedding)
    return {path: x.weight.T if isinstance(x, mt.nn.Linear) else x.weight for path, x in layers.items()}


def rounded(model, round_matrix):
    """The model with every matrix rounded, as floats again."""
    linear = mt.nn.paths.find(model, kind=mt.nn.Linear)
    new = {path: round_matrix(matrix) for path, matrix in matrices(model).items()}
    return mt.nn.paths.replace(model, {f"{path}.weight": w.T if path in linear else w for path, w in new.items()})


def product_of(pair):
    codes, scale = pair
    return codes * scale


WAYS = {
    "one scale for a matrix": lambda w, bits: product_of(absmax(w, bits)),
    "a scale for each row": lambda w, bits: product_of(per_channel(w, bits)),
    "a scale for 32 neighbours": lambda w, bits: from_groups(*group_wise(w, bits, 32)),
}
BITS = [8, 7, 6, 5, 4, 3, 2]
with skip_if_unfinished():
    table = {
        name: [judge(rounded(model, functools.partial(way, bits=bits))) for bits in BITS] for name, way in WAYS.items()
    }
    for i, title in enumerate(("perplexity", "KL divergence in thousandths of a nat")):
        print(f"{title}\n{'bits':28}" + "".join(f"{bits:9}" for bits in BITS))
        for name, pairs in table.items():
            print(f"{name:28}" + "".join(f"{pair[i] * (1, 1000)[i]:9.2f}" for pair in pairs))
    rounding.perplexity(BITS, table, whole)

# %% [markdown]
# On the left you see the perplexity, which people usually quote: nothing happens for a long time, and then comes a
# cliff. On the right you see the divergence on a logarithmic axis: instead of a cliff there is nearly the straight line
# that you predicted. It is parallel to the dotted one, which grows four times for each bit.
#
# Smaller groups shift the line. How many bits do groups of 32 save at the same divergence? Read it off the picture, and
# compare it with their price of half a bit.
#
# ## 9. Size, speed, perplexity
#
# So far the codes were turned back into floats. Now they stay codes: your functions compute them, your `pack` packs
# them, and minitorch's `QuantizedLinear` computes with them. It dequantizes them only in the processor's registers,
# inside the matrix product.


# %% name="with-your-codes" tags=["demo"]
from minitorch import compress


def packed(matrix, bits, group):
    """A matrix (R, I) in the library's storage, with codes and scales that your functions found."""
    if bits == 8:
        codes, scale = per_channel(matrix, 8)
        return compress.PackedMatrix(codes, scale.astype(jnp.bfloat16), None, compress.Scheme(bits=8))
    codes, scale = group_wise(matrix, 4, group)
    halves = pack(codes.reshape(*scale.shape, group)).reshape(len(matrix), -1)  # each group by itself
    scheme = compress.Scheme(bits=4, group="channel" if group == matrix.shape[1] else group)
    return compress.PackedMatrix(halves.view(jnp.int8), scale.astype(jnp.bfloat16), None, scheme)


def with_your_codes(model, bits, group=None):
    """A model that computes with your codes: its linear layers in `bits` bits, its embeddings in 8."""
    layers = mt.nn.paths.find(model, kind=mt.nn.Linear | mt.nn.Embedding)
    new = {}
    for path, matrix in matrices(model).items():
        if isinstance(layers[path], mt.nn.Embedding):
            new[path] = compress.QuantizedEmbedding(packed(matrix, 8, None))
        else:
            new[path] = compress.QuantizedLinear(packed(matrix, bits, group or matrix.shape[1]), layers[path].bias)
    return mt.nn.paths.replace(model, new)


# %% [markdown]
# Does it compute the same as your code above? We compare two small layers, each with the weights as codes, and with the
# dequantized numbers. (Scales are stored in 16 bits, as bfloat16, so both sides use these. This changes each number by
# one part in 256 at most, in addition to half a step.)

# %% name="same-product" tags=["demo"]
with skip_if_unfinished():
    rng = np.random.default_rng(1)
    w = jnp.array(rng.normal(0, 0.1, (96, 128)), jnp.float32)
    x = jnp.array(rng.normal(0, 1, (3, 128)), jnp.float32)
    for bits, group in ((8, 128), (4, 64)):
        codes, scale = group_wise(w, bits, group)
        numbers = from_groups(codes, scale.astype(jnp.bfloat16).astype(jnp.float32))
        stored = packed(w, bits, group)
        close = bool(jnp.allclose(compress.QuantizedLinear(stored)(x), x @ numbers.T, atol=1e-4))
        size = compress.bytes_in_memory(stored) / w.nbytes
        print(f"{bits} bits, groups of {group:3}: the same outputs: {close}; {size:.3f} of the bytes of float32")

# %% [markdown]
# Now the table. **Size:** the bytes of all arrays of the model. **Perplexity** and **KL:** as above. **Speed:** tokens
# per second of a larger Llama with untrained weights. The model above is so small that it fits into the processor's
# cache in any form, and the speed does not depend on the values of the weights. It is measured on *your* machine, one
# text at a time.
#
# Predict: a quarter of the bytes, four times the speed? (Remember the roofline of notebook 05, and what section 10 of
# notebook 09 said about reading weights.)


# %% name="size-speed-perplexity" tags=["demo", "nbval-ignore-output"]
CONFIG = mt.models.LlamaConfig(vocab=4096, context=128, layers=2, heads=8, width=1024, tied=True)
step = jax.jit(lambda model, token, caches: model.decode(token, caches)[0])


def tokens_per_second(model, seconds=1.0):
    """One token of one text, again and again for about `seconds` seconds: the median."""
    caches = jax.jit(lambda model: model.init_cache(1))(model)
    token, times = jnp.ones((1, 1), int), []
    jax.block_until_ready(step(model, token, caches))  # compiles it
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        began = time.perf_counter()
        jax.block_until_ready(step(model, token, caches))
        times.append(time.perf_counter() - began)
    return 1 / float(np.median(times))


with skip_if_unfinished():
    large = mt.models.Llama.init(jax.random.key(0), CONFIG)
    forms = {
        "float32": lambda model: model,
        "8 bits, a scale a row": lambda model: with_your_codes(model, 8),
        "4 bits, a scale a row": lambda model: with_your_codes(model, 4),
        "4 bits, groups of 64": lambda model: with_your_codes(model, 4, 64),
    }
    results = {}
    for name, form in forms.items():
        small = form(model)
        results[name] = (compress.bytes_in_memory(small) / 1e6, *judge(small), tokens_per_second(form(large)))
    print(f"{'':24}{'MB':>8}{'of float32':>12}{'perplexity':>12}{'KL / 1000':>12}{'tokens/s':>10}")
    for name, (size, value, distance, speed) in results.items():
        share = size / results["float32"][0]
        print(f"{name:24}{size:8.2f}{share:12.2f}{value:12.2f}{1000 * distance:12.2f}{speed:10.0f}")
    rounding.tradeoff({name: (result[0], result[2]) for name, result in results.items()})

# %% [markdown]
# The sizes are as computed, a little more than 8/32 and 4/32. The divergence of 4 bits with a scale for a row is
# smaller than in section 8: there the embeddings were in 4 bits too, and here they keep 8. An embedding is looked up,
# not summed, so its errors do not cancel.
#
# Speed is another matter. Fewer bytes save time only if memory is the bottleneck. Dequantizing is work, and whether
# this work is hidden behind the memory reads depends on who wrote the product and for which processor. Here XLA
# compiles it from a few lines of Python, and not every form becomes fast code. llama.cpp has such products written by
# hand, for dozens of formats, in the instructions of each processor.
#
# Can the model still talk? Here are two samples with the same random numbers, one from float32 and one from your 4-bit
# codes:

# %% name="talk" tags=["demo", "nbval-ignore-output"]
with skip_if_unfinished():
    for name in ("float32", "4 bits, groups of 64"):
        text = mt.infer.stream_text(
            forms[name](model), tokenizer, "def ", 60, key=jax.random.key(1), samplers=[mt.infer.temperature(0.7)]
        )
        print(f"--- {name}\ndef {mt.infer.printable(''.join(text))}\n")

# %% [markdown]
# ## 10. Lose less
#
# Rounding to the nearest mark is the first idea. Better ideas use the same bits more carefully:
#
# - **Levels that are not evenly spaced.** Weights are dense around 0, so put more marks there. NF4 (Dettmers et
#   al., 2023) has 16 marks, placed so that each gets the same share of a normal distribution.
# - **Compensate.** What counts is the *output*. After you round a weight up, you can change the weights that are not
#   rounded yet to compensate for it, if you know which inputs occur together. GPTQ (Frantar et al., 2022) does this
#   with some thousand tokens of text.
# - **Train with it.** Round in the forward pass, and let the gradient pass through as if nothing had happened (Bengio
#   et al., 2013, call this a *straight-through* estimator). The weights learn to live on the marks. Ma et al. (2024)
#   train models whose weights are all -1, 0 or 1 from the beginning: 1.58 bits.
#
# minitorch has all three: `compress.RECIPES["nf4"]`, `compress.quantize_gptq`, `compress.prepare_qat`. Here we compare
# the first two with your codes, all in 4 bits with groups of 64. GPTQ reads 64 rows of the text that the model was
# trained on.

# %% name="lose-less" tags=["demo", "nbval-ignore-output"]
with skip_if_unfinished():
    read = mt.data.split(mt.data.load_text(run.config.data, limit=run.config.limit))[0].text[:40_000]
    calibration = jnp.array(tokenizer.encode(read))[: 64 * 64].reshape(64, 64)
    better = {
        "to the nearest (yours)": with_your_codes(model, 4, 64),
        "NF4": compress.quantize(model, compress.RECIPES["nf4"]),
        "GPTQ": compress.quantize_gptq(model, compress.RECIPES["int4"], [calibration]),
    }
    for name, small in better.items():
        value, distance = judge(small)
        print(f"{name:24} perplexity {value:6.2f}, KL {1000 * distance:5.2f} thousandths of a nat")

# %% [markdown]
# ## 11. Stretch: cut off what lies far out
#
# You write the last idea yourself. Must the largest number determine the scale? Let the scale be smaller, for example
# 80 %. Then a few numbers are clipped at the last mark, with a large error, and all others get finer marks. The
# smallest sum of squared errors is somewhere in between. We have no formula for it: try some scales, and keep the best.
# (Lloyd, at Bell Laboratories in 1957, and Max in 1960 looked for the best marks of all, and let them move freely.)
#
# ### Stretch exercise: the best of some scales


# %% name="best_scale" tags=["exercise", "stretch"]
def best_scale(x, bits, shrinks):
    """Of the scale of `absmax` times each of `shrinks`, the one with the least sum of squared errors.

    Args:
      x: a float array (n,).
      bits: 2 to 8.
      shrinks: a float array (m,), factors from 0 to 1. The first of several that are equally good is taken.

    Returns:
      The scale, a float32 array without axes. Codes beyond the ends, -(2^(bits-1) - 1) and 2^(bits-1) - 1, are moved there.
    """
    # BEGIN SOLUTION Stretch exercise: for each scale round, clip the codes to the ends, and sum the squared errors; return the scale with the least.
    last = 2 ** (bits - 1) - 1
    scales = absmax(x, bits)[1] * shrinks  # (m,)
    codes = jnp.clip(jnp.round(x / scales[:, None]), -last, last)
    errors = jnp.sum((codes * scales[:, None] - x) ** 2, axis=1)
    return scales[jnp.argmin(errors)]
    # END SOLUTION


# %% name="best_scale-check" tags=["check", "stretch"] exercise="best_scale"
far_out = jnp.concatenate([jnp.linspace(-0.9, 0.9, 200), jnp.array([1.4])])
check(
    "two hundred numbers up to 0.9, and one 1.4",
    lambda: best_scale(far_out, 4, jnp.array([1.0, 0.8, 0.6, 0.4])),
    0.16,
    mistakes={
        "This is the scale of absmax, with which nothing was cut off. A smaller one errs less here.": 0.2,
        "The codes were not clipped, so that the smallest scale always wins. There are only 7 steps on each side.": 0.08,
    },
)

# %% name="best_scale-rows" tags=["hidden-test", "stretch"] exercise="best_scale" points=0 hint="Clip the codes to the ends before the errors are summed; return the scale with the least sum."
tries = jnp.linspace(1.0, 0.3, 15)
for bits in (4, 3):
    x = inputs.normal(200).at[17].set(4.5)
    ruler = 4.5 / (2 ** (bits - 1) - 1)
    report(
        best_scale(x, bits, tries),
        mistakes={
            "This is the scale of absmax, with which nothing was cut off. A smaller one errs less here.": ruler,
            "The codes were not clipped, so that the smallest scale always wins.": 0.3 * ruler,
        },
    )

# %% [markdown]
# ## In the wild
#
# | what you wrote | where it lives |
# |---|---|
# | absmax and affine | PyTorch: `torch/ao/quantization/observer.py` (`MinMaxObserver`, `PerChannelMinMaxObserver`, `HistogramObserver` tries scales); ONNX Runtime: `onnxruntime/python/tools/quantization/quant_utils.py` |
# | a scale for each group | llama.cpp: `ggml/src/ggml-quants.c` (`quantize_row_q8_0_ref`, `quantize_row_q4_0_ref`); MLX: `mlx/ops.cpp` (`quantize`); gpt-fast: `quantize.py` (`group_quantize_tensor`) |
# | whole numbers, multiplied | bitsandbytes: `bitsandbytes/autograd/_functions.py` (LLM.int8()); gemmlowp: `doc/quantization.md` |
# | two codes in a byte | llama.cpp: `ggml/src/ggml-common.h` (`block_q4_0`); minitorch: `compress/packed.py`, `compress/gguf.py` (Q8_0 and Q4_0, to the bit) |
# | NF4 | bitsandbytes: `bitsandbytes/functional.py`; minitorch: `compress/scheme.py` |
# | compensation | IST-DASLab/gptq: `gptq.py`; minitorch: `compress/gptq.py` |
# | perplexity and divergence | llama.cpp: `tools/perplexity/perplexity.cpp` (`--kl-divergence`) |
#
# ## References
#
# - W. Bennett, *Spectra of quantized signals*, 1948 (the variance $s^2/12$).
# - B. Oliver, J. Pierce, C. Shannon, *The philosophy of PCM*, 1948.
# - S. Kullback, R. Leibler, *On information and sufficiency*, 1951.
# - S. Lloyd, *Least squares quantization in PCM*, written in 1957, printed in 1982; J. Max, *Quantizing for minimum distortion*, 1960.
# - V. Vanhoucke, A. Senior, M. Mao, *Improving the speed of neural networks on CPUs*, 2011 (8 bits for speech).
# - Y. Bengio, N. Léonard, A. Courville, *Estimating or propagating gradients through stochastic neurons for conditional computation*, 2013.
# - N. Jouppi et al., *In-datacenter performance analysis of a tensor processing unit*, 2017.
# - B. Jacob et al., *Quantization and training of neural networks for efficient integer-arithmetic-only inference*, 2017.
# - T. Dettmers, M. Lewis, Y. Belkada, L. Zettlemoyer, *LLM.int8(): 8-bit matrix multiplication for transformers at scale*, 2022.
# - E. Frantar, S. Ashkboos, T. Hoefler, D. Alistarh, *GPTQ: accurate post-training quantization for generative pre-trained transformers*, 2022.
# - T. Dettmers, A. Pagnoni, A. Holtzman, L. Zettlemoyer, *QLoRA: efficient finetuning of quantized LLMs*, 2023.
# - J. Lin et al., *AWQ: activation-aware weight quantization for LLM compression and acceleration*, 2023.
# - S. Ma et al., *The era of 1-bit LLMs: all large language models are in 1.58 bits*, 2024.
