# %% [markdown]
# # 03 Layers and losses: a signal that arrives
#
# Thirty people stand in a row, and a message is whispered from the first to the last. If each one speaks a tenth more
# softly than the one before, the last hears 4 % of it. If each speaks a tenth louder, the last is shouted at:
# $1.1^{30} = 17$. A deep network is such a row. The signal goes forwards through it, the blame (the gradient) comes
# back, and both are multiplied at every layer. For twenty years this made deep networks "impossible to train". What
# made them possible is a handful of small ideas, each a few lines long, and all about one thing: **a factor that stays
# near 1**. You write them here.
#
# **When you have finished you can**
#
# - write a layer as a value, with its weights drawn from a key and a name;
# - turn scores into a loss that never overflows, and say what its gradient is without looking it up;
# - choose first weights so that neither the signal nor the gradient vanishes, and show it in a plot;
# - derive the gradient of layer normalisation by hand and put it into the library;
# - say why a shortcut around a layer makes depth trainable, and show it;
# - draw the landscape in which your own network was trained.
#
# ```
#   application     a chat window, a digit reader
#   MLOps           runs, metrics, packages
#   hubs            weights that somebody trained ...
#   frameworks      ... in layers, against a loss          <- this notebook
#   clusters        the same layers, cut into pieces
#   hardware        multiply, add
# ```
#
# Time: about 90 minutes. Before: notebook 02 (rules, `grad`).

# %% name="imports"
import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np

import minitorch as mt
from minitorch import nn, ops
from minitorch_course import check, inputs, my_solution, override_rules, report, setup, skip_if_unfinished
from minitorch_course.figures import layers as figures
from minitorch.nn.init import fold_in_name

setup()

# %% [markdown]
# ## 1. A layer is a value
#
# In most frameworks a layer is an object that changes: training writes new numbers into `layer.weight`. Here a layer is
# a value, just as 3 is a value. Nobody changes 3; you compute 4 from it. Training computes the next model from this
# one.
#
# A value needs no machinery: a **module** is a frozen dataclass, and it is registered with JAX as a tree whose branches
# are the fields. That is all that the base class `nn.Module` does. Here is what follows from it:


# %% name="module-shown" tags=["demo"]
class Affine(nn.Module):
    """y = slope * x + offset."""

    slope: jax.Array
    offset: jax.Array

    def __call__(self, x):
        return self.slope * x + self.offset


line = Affine(jnp.array(2.0), jnp.array(1.0))
print("the model:           ", line.slope, line.offset)

gradient = mt.grad(lambda model: (model(3.0) - 5.0) ** 2)(line)
print("its gradient, too:   ", gradient.slope, gradient.offset, "is of type", type(gradient).__name__)

moved = jax.tree.map(lambda w, g: w - 0.01 * g, line, gradient)
print("a step downhill:     ", moved.slope, moved.offset)
print("the old one is still:", line.slope, line.offset)

# %% [markdown]
# The gradient of a model is a model: same type, same fields. A training step is one `tree.map` over two trees. You can
# pass a model straight through `jax.jit`, keep it, compare it and average it, and no function that gets your model can
# change it. If you write `line.slope = 3.0` anyway, the error says what to write instead.
#
# The other question is where the first weights come from. A random number generator that gives a new number at every
# call has a state: if you put a layer in front, every layer after it gets other weights. So each weight is drawn from a
# **key**, which is derived from the key of its layer and from the weight's own **name**:
#
# ```
#   key of the model --"first"--> key of a layer --"weight"--> key of its weight --> numbers
#                    \-"last"---> ...
# ```
#
# `fold_in_name(key, "weight")` makes the child's key. Predict: what would happen if two layers of the same shape got
# the same key? (They would be twins: the same weights. This is the most common bug with keys, and nothing fails.)
#
# ### Exercise 1: Linear
#
# $y = xW + b$. Three inputs, two outputs, one example:
#
# ```
#                        [ 1  0 ]
#   [ 1  2  3 ]   times  [ 0  1 ]   plus  [ 10  20 ]   =   [ 14  25 ]
#     x (3,)             [ 1  1 ]           b (2,)           y (2,)
#                         W (3, 2)
# ```
#
# Examples are rows, so $W$ multiplies from the right and has the shape (inputs, outputs). `x` may have any number of
# axes in front: its shape is (..., inputs), and broadcasting and `@` do the rest.


# %% name="linear" tags=["exercise"] forbids=["minitorch.nn.Linear", "minitorch.nn.linear.Linear"]
class Linear(nn.Module):
    """y = x W + b, for x (..., inputs) and y (..., outputs)."""

    weight: jax.Array  # (inputs, outputs)
    bias: jax.Array  # (outputs,)

    @classmethod
    def init(cls, key, inputs, outputs, weight_init):
        """A layer with its first weights: `weight_init(key, shape)` draws the weight, and the bias is 0.

        The weight is drawn with the key of the child "weight" of this layer: fold_in_name(key, "weight").
        """
        # BEGIN SOLUTION Exercise 1: return cls(weight, bias).
        return cls(weight_init(fold_in_name(key, "weight"), (inputs, outputs)), jnp.zeros(outputs))
        # END SOLUTION

    def __call__(self, x):
        # BEGIN SOLUTION Exercise 1: return x times the weight, plus the bias.
        return x @ self.weight + self.bias
        # END SOLUTION


# %% name="linear-check" tags=["check"] exercise="linear"
key = jax.random.key(0)
check(
    "the first weight",
    lambda: Linear.init(key, 3, 2, jax.random.normal).weight,
    lambda: jax.random.normal(fold_in_name(key, "weight"), (3, 2)),
    mistakes={
        "The weight has the shape (outputs, inputs). A row x multiplies from the left, x @ weight: it is (inputs, outputs).": (
            lambda: jax.random.normal(fold_in_name(key, "weight"), (2, 3))
        ),
        "The weight was drawn with the layer's own key. Its key is that of the child: fold_in_name(key, 'weight').": (
            lambda: jax.random.normal(key, (3, 2))
        ),
    },
)
check(
    "the first bias",
    lambda: Linear.init(key, 3, 2, jax.random.normal).bias,
    jnp.zeros(2),
    mistakes={
        "The bias holds one number for each output, not for each input.": jnp.zeros(3),
        "The bias was drawn at random. It begins at 0: only the weights need to differ from each other.": (
            lambda: jax.random.normal(fold_in_name(key, "bias"), (2,))
        ),
    },
)
W, b, x = jnp.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), jnp.array([10.0, 20.0]), jnp.array([1.0, 2.0, 3.0])
check(
    "the worked example",
    lambda: Linear(W, b)(x),
    jnp.array([14.0, 25.0]),
    mistakes={
        "The bias is missing.": jnp.array([4.0, 5.0]),
        "The bias was multiplied, and must be added.": jnp.array([40.0, 100.0]),
    },
)
W = jnp.array([[1.0, 2.0], [3.0, -1.0]])
rows = jnp.array([[1.0, 0.0], [2.0, 5.0], [-1.0, 1.0]])
check(
    "a square weight, where shapes do not help",
    lambda: Linear(W, b)(rows),
    lambda: rows @ W + b,
    mistakes={
        "The weight was transposed: it is (inputs, outputs) already.": lambda: rows @ W.T + b,
        "The bias is missing.": lambda: rows @ W,
        "The bias was added to x, which it did not multiply with: first the product, then the bias.": lambda: (
            (rows + b) @ W
        ),
    },
)
check("two axes in front", lambda: Linear(W, b)(jnp.stack([rows, -rows])).shape, (2, 3, 2))

# %% name="linear-init" tags=["hidden-test"] exercise="linear" points=2 hint="weight_init(fold_in_name(key, 'weight'), (inputs, outputs)), and zeros of shape (outputs,)."
drawn_key = inputs.key()
drawn_layer = Linear.init(drawn_key, 3, 2, jax.random.normal)
report(
    drawn_layer.weight,
    mistakes={
        "The weight has the shape (outputs, inputs). A row x multiplies from the left, x @ weight: it is (inputs, outputs).": (
            lambda: jax.random.normal(fold_in_name(drawn_key, "weight"), (2, 3))
        ),
        "The weight was drawn with the layer's own key. Its key is that of the child: fold_in_name(key, 'weight').": (
            lambda: jax.random.normal(drawn_key, (3, 2))
        ),
    },
)
report(
    drawn_layer.bias,
    mistakes={
        "The bias holds one number for each output, not for each input.": lambda: jnp.zeros(3),
        "The bias was drawn at random. It begins at 0: only the weights need to differ from each other.": (
            lambda: jax.random.normal(fold_in_name(drawn_key, "bias"), (2,))
        ),
    },
)

# %% name="linear-call" tags=["hidden-test"] exercise="linear" points=2 hint="x @ self.weight + self.bias, for any number of axes in front."
drawn_w, drawn_b, drawn_x = inputs.normal(3, 3), inputs.normal(3), inputs.normal(2, 3)
report(
    Linear(drawn_w, drawn_b)(drawn_x),
    mistakes={
        "The weight was transposed: it is (inputs, outputs) already.": lambda: drawn_x @ drawn_w.T + drawn_b,
        "The bias is missing.": lambda: drawn_x @ drawn_w,
        "The bias was added to x, which it did not multiply with: first the product, then the bias.": (
            lambda: (drawn_x + drawn_b) @ drawn_w
        ),
    },
)
drawn_w, drawn_b, drawn_x = inputs.normal(3, 2), inputs.normal(2), inputs.normal(2, 1, 3)
report(Linear(drawn_w, drawn_b)(drawn_x))
report(Linear(drawn_w, drawn_b)(drawn_x[0, 0]))
report(Linear(drawn_w, drawn_b)(drawn_x[:0, 0]))

# %% [markdown]
# ### A bend
#
# Two linear layers in a row are one linear layer: $(xW_1)W_2 = x(W_1 W_2)$. Depth is useful only if there is a bend
# between them, an **activation function**. The simplest one, ReLU, lets $x$ through where it is positive. Look at it as
# a gate: $\text{relu}(x) = x \cdot [x > 0]$, a gate that is open or shut.
#
# The **GELU** (Gaussian error linear unit, 2016), which GPT-2 and BERT use, has a softer gate. It is open *with a
# probability*: the probability that a standard normal number lies below $x$. GELU is what comes through on average:
#
# $$ \text{gelu}(x) = x \cdot \Phi(x), \qquad \Phi(x) = P(\text{normal number} < x) $$
#
# At $x = 1$ the gate is open with probability 0.841, so 0.841 comes through. At $x = -1$ it is open with probability
# 0.159, so $-0.159$ comes through. At $x = 3$ the probability is 0.999, so GELU is nearly the same as ReLU.
#
# Its slope follows from the product rule, and you need only one more fact: the slope of the probability $\Phi$ is the
# density of the normal distribution, $\varphi(x) = e^{-x^2/2} / \sqrt{2\pi}$. At $x = 1$ you should get $1.083$:
# steeper than ReLU.
#
# ### Exercise 2: GELU and its rule
#
# The two functions of the normal distribution are given. The rule has the form of notebook 02: it gets $g$, the
# result $y$ and the input $x$, and returns what $x$ receives.


# %% name="normal"
def normal_cdf(x):
    """The probability that a standard normal number is below x."""
    return 0.5 * (1.0 + ops.erf(x * math.sqrt(0.5)))


def normal_density(x):
    """The slope of `normal_cdf`: the bell curve."""
    return ops.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))


# %% name="gelu" tags=["exercise"] forbids=["minitorch.ops.gelu", "minitorch.nn.gelu", "jax.nn.gelu", "jax.grad", "jax.vjp", "jax.jvp", "jax.linearize", "jax.value_and_grad", "jax.jacrev", "jax.jacfwd", "minitorch.grad", "minitorch.vjp", "minitorch.jvp", "minitorch.value_and_grad"]
def gelu(x):
    """x (...) times the probability that its gate is open (...)."""
    # BEGIN SOLUTION Exercise 2: return x times its probability.
    return x * normal_cdf(x)
    # END SOLUTION


def gelu_rule(g, y, x):
    """What x receives, given what y = gelu(x) has received: all (...)."""
    # BEGIN SOLUTION Exercise 2: return g times the slope, by the product rule.
    return g * (normal_cdf(x) + x * normal_density(x))
    # END SOLUTION


# %% name="gelu-check" tags=["check"] exercise="gelu"
x, g = jnp.array([-3.0, -1.0, 0.0, 0.5, 1.0, 20.0]), jnp.array([1.0, 2.0, -1.0, 0.5, 3.0, 1.5])
check(
    "GELU at six places",
    lambda: gelu(x),
    lambda: jax.nn.gelu(x, approximate=False),
    mistakes={
        "That is the gate alone: x itself is missing.": lambda: normal_cdf(x),
        "The gate is the probability, normal_cdf. You took the density, which is its slope.": lambda: (
            x * normal_density(x)
        ),
        "That is x times the logistic function, a cousin called SiLU. The gate is normal_cdf.": lambda: jax.nn.silu(x),
        "That is the tanh approximation, right to three digits. Write the exact one, with normal_cdf.": (
            lambda: jax.nn.gelu(x, approximate=True)
        ),
    },
)
check(
    "the rule, with g",
    lambda: gelu_rule(g, jax.nn.gelu(x, approximate=False), x),
    lambda: jax.vjp(lambda x: jax.nn.gelu(x, approximate=False), x)[1](g)[0],
    mistakes={
        "That is the slope without g. A rule returns g times the slope.": lambda: normal_cdf(x) + x * normal_density(x),
        "That is right as if the gate were constant. x also opens the gate: the product rule has a second term.": (
            lambda: g * normal_cdf(x)
        ),
        "The second term of the product rule is the slope of the gate times x.": (
            lambda: g * (normal_cdf(x) + normal_density(x))
        ),
        "The gate depends on the input x, and you gave it the result y.": (
            lambda: g * (normal_cdf(gelu(x)) + gelu(x) * normal_density(gelu(x)))
        ),
        "The signs do not fit: both terms of the product rule are added.": (
            lambda: g * (normal_cdf(x) - x * normal_density(x))
        ),
    },
)

# %% name="gelu-value" tags=["hidden-test"] exercise="gelu" points=1 hint="x * normal_cdf(x)"
gelu_x = inputs.normal(2, 3)
report(
    gelu(gelu_x),
    mistakes={
        "That is the gate alone: x itself is missing.": lambda: normal_cdf(gelu_x),
        "The gate is the probability, normal_cdf. You took the density, which is its slope.": (
            lambda: gelu_x * normal_density(gelu_x)
        ),
    },
)

# %% name="gelu-slope" tags=["hidden-test"] exercise="gelu" points=2 hint="g times (the gate, plus x times the slope of the gate)."
gelu_x, gelu_g = inputs.normal(2, 3), inputs.normal(2, 3)
gelu_y = gelu_x * normal_cdf(gelu_x)
report(
    gelu_rule(gelu_g, gelu_y, gelu_x),
    mistakes={
        "That is the slope without g. A rule returns g times the slope.": (
            lambda: normal_cdf(gelu_x) + gelu_x * normal_density(gelu_x)
        ),
        "That is right as if the gate were constant. x also opens the gate: the product rule has a second term.": (
            lambda: gelu_g * normal_cdf(gelu_x)
        ),
        "The second term of the product rule is the slope of the gate times x.": (
            lambda: gelu_g * (normal_cdf(gelu_x) + normal_density(gelu_x))
        ),
        "The gate depends on the input x, and you gave it the result y.": (
            lambda: gelu_g * (normal_cdf(gelu_y) + gelu_y * normal_density(gelu_y))
        ),
    },
)

# %% [markdown]
# A function with a rule is a **primitive**: something that the library's tape can record. One line turns your function
# into a primitive.

# %% name="gelu-primitive" tags=["demo"]
from minitorch.autodiff import Primitive


def measures_right(primitive, args):
    """Do the rules of a primitive agree with finite differences, to the second order?"""
    try:
        mt.check_grads(primitive, args)
    except AssertionError:
        return False
    return True


own_gelu = Primitive(gelu, gelu_rule)
with skip_if_unfinished():
    print("your rule agrees with finite differences:", measures_right(own_gelu, [jnp.array([-2.0, -0.5, 0.3, 1.7])]))
    figures.activations({"ReLU": ops.relu, "GELU": own_gelu})

# %% [markdown]
# On the left you see the functions, on the right their slopes. A ReLU unit that is negative for every example receives
# no gradient and never comes back: it is dead. GELU still has a slope there. And GELU is not monotone: below $-0.75$ it
# *rises* towards the left.
#
# ## 2. How wrong?
#
# The last layer gives a score for each class, any real number: the **logits**. Softmax (notebook 02) turns them into
# probabilities, and the loss of an example says how surprised the model is at the right answer:
#
# $$ \ell = -\ln p_\text{right} $$
#
# Scores $(2, 1, 0)$ give the probabilities $(0.665, 0.245, 0.090)$. If class 0 is right, the loss is $-\ln 0.665 =
# 0.408$; if class 2 is right, it is $2.408$. A model that is sure and right pays 0; one that is sure and wrong pays
# without limit. The unit is the **nat**, from the natural logarithm (with $\log_2$ it would be the bit). A model that
# knows nothing of ten classes pays $\ln 10 = 2.303$ nats: remember this number. It is what a good first loss looks like
# on digits. If yours begins at 35, your first weights are wrong.
#
# ### What goes wrong when it is written down as it stands
#
# float32 ends at about $3 \cdot 10^{38}$, which is $e^{88.7}$. Scores of 100 are not rare in a young network. Predict
# the three lines:


# %% name="overflow" tags=["demo"]
def naive(logits):
    """-ln softmax of the first score, as the formula says."""
    p = jnp.exp(logits) / jnp.exp(logits).sum()
    return -jnp.log(p[0])


for scores in ([2.0, 1.0, 0.0], [100.0, 99.0, 98.0], [0.0, 200.0, 0.0]):
    print(f"scores {scores}: {float(naive(jnp.array(scores))):.3f}")

# %% [markdown]
# The first is right. The second has the same differences, so it has the same probabilities, but the program divides
# infinity by infinity. In the third the true loss is 200, but the probability underflowed to 0, and $\ln 0 = -\infty$.
# One such example among a million spoils the mean, and after the next step every weight is spoiled too.
#
# **The way out** is to take the logarithm on paper, before the program computes anything:
#
# $$ -\ln \frac{e^{z_t}}{\sum_j e^{z_j}} \;=\; \ln \sum_j e^{z_j} - z_t $$
#
# and, in the first term, to take out the largest score $m$:
#
# $$ \ln \sum_j e^{z_j} \;=\; m + \ln \sum_j e^{z_j - m} $$
#
# All exponents are now at most 0, so nothing overflows; one of them *is* 0, so the sum is at least 1 and its
# logarithm is harmless. For $(100, 99, 98)$: $100 + \ln(1 + 0.368 + 0.135) = 100.408$. This is the **log-sum-exp
# trick**. It costs one maximum.
#
# ```
#            a smooth maximum: it is never below the largest score, and at most ln C above it
#    z:  100  99  98   ->  100.408          z: 0 0 0 0  ->  ln 4 = 1.386           z: 5 -inf  ->  5
# ```
#
# ### Exercise 3: log-sum-exp and cross entropy
#
# Use `ops.max`, `ops.exp`, `ops.log`, `ops.sum` and `ops.mean`, with `axis=-1`; they accept arrays, and also tensors of
# a tape. To pick one score in each row, use `ops.take_along_axis(logits, targets[..., None], axis=-1)`, which has the
# shape (..., 1).


# %% name="cross_entropy" tags=["exercise"] forbids=["minitorch.ops.cross_entropy", "minitorch.nn.cross_entropy", "minitorch.ops.log_softmax", "minitorch.ops.logsumexp", "jax.nn.log_softmax", "jax.nn.logsumexp", "jax.scipy.special.logsumexp"]
def log_sum_exp(x):
    """ln of the sum of exp(x) over the last axis: x (..., C) to (...). Does not overflow."""
    # BEGIN SOLUTION Exercise 3: take the maximum of each row out of the exponents, and put it back in the end.
    m = ops.max(x, axis=-1)
    return ops.log(ops.sum(ops.exp(x - m[..., None]), axis=-1)) + m
    # END SOLUTION


def cross_entropy(logits, targets):
    """The mean of -ln p[target], in nats: logits (..., C) and integer targets (...) to one number.

    The mean is over all targets.
    """
    # BEGIN SOLUTION Exercise 3: return the mean of log_sum_exp minus the score of the target.
    at_target = ops.take_along_axis(logits, targets[..., None], axis=-1)
    return ops.mean(log_sum_exp(logits)) - ops.mean(at_target)
    # END SOLUTION


# %% name="cross_entropy-check" tags=["check"] exercise="cross_entropy"
logits = jnp.array([[2.0, 1.0, 0.0], [0.0, 3.0, -1.0]])
z = np.asarray(logits)
check(
    "log-sum-exp of two rows",
    lambda: log_sum_exp(logits),
    np.log(np.exp(z).sum(-1)),
    mistakes={
        "The maximum was subtracted before the exponential and must be added again after the logarithm.": (
            lambda: np.log(np.exp(z).sum(-1)) - z.max(-1)
        ),
        "The sum went over all axes: each row has a result of its own.": lambda: np.log(np.exp(z).sum()),
        "The sum went over axis 0. The scores of one example lie along the last axis.": lambda: np.log(
            np.exp(z).sum(0)
        ),
        "That is the maximum itself: the logarithm of the sum is missing.": lambda: z.max(-1),
    },
)
large = jnp.array([[100.0, 99.0, 98.0], [-500.0, -501.0, -500.0]])
check(
    "log-sum-exp of large scores",
    lambda: log_sum_exp(large),
    lambda: jax.nn.logsumexp(large, axis=-1),
    mistakes={
        "Each row has a maximum of its own. One maximum for all rows makes the sum of a lower row underflow to 0.": (
            lambda: jnp.log(jnp.exp(large - large.max()).sum(-1)) + large.max()
        ),
    },
)
check(
    "scores far apart",
    lambda: log_sum_exp(jnp.array([200.0, 0.0, -200.0])),
    jnp.array(200.0),
    mistakes={
        "The minimum was subtracted: then the largest exponent is 400. Take out the maximum.": jnp.array(jnp.inf)
    },
)
check("a class that is ruled out, by -infinity", lambda: log_sum_exp(jnp.array([5.0, -jnp.inf])), jnp.array(5.0))
targets = jnp.array([2, 0])
lost = np.log(np.exp(z).sum(-1)) - z[[0, 1], [2, 0]]  # The loss of each example.
check(
    "cross entropy of two examples",
    lambda: cross_entropy(logits, targets),
    lost.mean(),
    mistakes={
        "That is the sum of the losses. Return their mean, which does not depend on how many examples there are.": (
            lambda: lost.sum()
        ),
        "A loss is not negative: it is log-sum-exp minus the score of the target.": lambda: -lost.mean(),
        "That is in bits, with the logarithm of base 2. Leave it in nats.": lambda: lost.mean() / math.log(2),
        "That is the logarithm of the mean probability. Take the logarithm of each example first, then the mean.": (
            lambda: -np.log(np.exp(-lost).mean())
        ),
        "That is the mean over all classes. Only the target's score counts.": (
            lambda: (np.log(np.exp(z).sum(-1, keepdims=True)) - z).mean()
        ),
    },
)
three_axes, words = jnp.arange(24.0).reshape(2, 3, 4) % 7, jnp.array([[0, 3, 1], [2, 2, 0]])
check(
    "a loss for each word of two texts: logits (2, 3, 4)",
    lambda: cross_entropy(three_axes, words),
    lambda: nn.cross_entropy(three_axes, words),
)

# %% name="cross_entropy-log_sum_exp" tags=["hidden-test"] exercise="cross_entropy" points=1 hint="m + log(sum(exp(x - m))), with m the maximum along the last axis."
lse_x = inputs.normal(2, 3)
report(
    log_sum_exp(lse_x),
    mistakes={
        "The maximum was subtracted before the exponential and must be added again after the logarithm.": (
            lambda: jax.nn.logsumexp(lse_x - lse_x.max(-1, keepdims=True), axis=-1)
        ),
        "The sum went over all axes: each row has a result of its own.": lambda: jax.nn.logsumexp(lse_x),
        "The sum went over axis 0. The scores of one example lie along the last axis.": lambda: jax.nn.logsumexp(
            lse_x, 0
        ),
    },
)
report(log_sum_exp(inputs.normal(2, 1, 3)))

# %% name="cross_entropy-large" tags=["hidden-test"] exercise="cross_entropy" points=2 hint="Subtract each row's own maximum before the exponential."
lse_x = inputs.normal(2, 3) + jnp.array([[300.0], [-300.0]])
report(
    log_sum_exp(lse_x),
    mistakes={
        "Each row has a maximum of its own. One maximum for all rows makes the sum of a lower row underflow to 0.": (
            lambda: jnp.log(jnp.exp(lse_x - lse_x.max()).sum(-1)) + lse_x.max()
        ),
        "The sum went over all axes: each row has a result of its own.": lambda: jax.nn.logsumexp(lse_x),
        "The maximum was subtracted before the exponential and must be added again after the logarithm.": (
            lambda: jax.nn.logsumexp(lse_x - lse_x.max(-1, keepdims=True), axis=-1)
        ),
    },
)
report(log_sum_exp(inputs.normal(2, 3) + jnp.array([200.0, 0.0, -200.0])))

# %% name="cross_entropy-mean" tags=["hidden-test"] exercise="cross_entropy" points=2 hint="The mean over all targets of log_sum_exp(logits) minus the score of the target."
ce_x, ce_t = inputs.normal(4, 3) + 200.0, inputs.integers(4, low=0, high=3)
report(
    cross_entropy(ce_x, ce_t),
    mistakes={
        "That is the sum of the losses. Return their mean, which does not depend on how many examples there are.": (
            lambda: -jax.nn.log_softmax(ce_x)[jnp.arange(4), ce_t].sum()
        ),
        "A loss is not negative: it is log-sum-exp minus the score of the target.": (
            lambda: jax.nn.log_softmax(ce_x)[jnp.arange(4), ce_t].mean()
        ),
        "That is in bits, with the logarithm of base 2. Leave it in nats.": (
            lambda: -jax.nn.log_softmax(ce_x)[jnp.arange(4), ce_t].mean() / math.log(2)
        ),
        "That is the logarithm of the mean probability. Take the logarithm of each example first, then the mean.": (
            lambda: -jnp.log(jax.nn.softmax(ce_x)[jnp.arange(4), ce_t].mean())
        ),
        "The maximum was subtracted before the exponential and must be added again after the logarithm.": (
            lambda: -jax.nn.log_softmax(ce_x)[jnp.arange(4), ce_t].mean() - ce_x.max(-1).mean()
        ),
    },
    rtol=1e-3,
)
report(cross_entropy(inputs.normal(2, 3, 4), inputs.integers(2, 3, low=0, high=4)))

# %% [markdown]
# ### The most useful gradient in this course
#
# What does a score receive? For one example, $\ell = \ln \sum_j e^{z_j} - z_t$. The slope of the first term by $z_i$
# is $e^{z_i} / \sum_j e^{z_j}$, which is the probability $p_i$. The slope of the second is 1 at the target and 0
# elsewhere:
#
# $$ \frac{\partial \ell}{\partial z_i} = p_i - [i = t] $$
#
# **What was predicted, minus what was right.** Scores $(2, 1, 0)$ and target 2: $(0.665, 0.245, 0.090 - 1)$. The
# numbers add up to 0: what one score gains the others lose. None is larger than 1, however large the scores are. And
# the gradient is 0 only where the prediction is perfect. The two hard parts, softmax and logarithm, have cancelled each
# other.
#
# It was not always done like this. In the 1980s people measured the *squared* difference between probability and truth.
# Then the gradient passes through the slope of the softmax, which is $p(1-p)$. That slope is nearly 0 where the model
# is sure, even where it is sure and **wrong**. The worst mistakes taught the least, and training sat on a plateau for
# hours.

# %% name="squared-error" tags=["demo"]
figures.loss_gradients()

# %% [markdown]
# ### Exercise 4: the rule of cross entropy
#
# The loss is a mean over $N$ targets, so each example receives a share of $1/N$. `g` is one number: what the loss has
# received. For the probabilities take `ops.softmax(logits)`, whose rule you wrote in notebook 02;
# `ops.one_hot(targets, C)` has a 1 at each target.


# %% name="cross_entropy_rule" tags=["exercise"] forbids=["jax.grad", "jax.vjp", "jax.jvp", "jax.linearize", "jax.value_and_grad", "jax.jacrev", "jax.jacfwd", "minitorch.grad", "minitorch.vjp", "minitorch.jvp", "minitorch.value_and_grad"]
def cross_entropy_rule(g, y, logits, targets):
    """What the logits receive, given what y = cross_entropy(logits, targets) has received.

    Args:
      g, y: one number each.
      logits: (..., C).
      targets: integers (...).

    Returns an array like `logits`.
    """
    # BEGIN SOLUTION Exercise 4: return g times (probability minus one-hot target), shared among the targets.
    right = ops.one_hot(targets, logits.shape[-1])
    return g * (ops.softmax(logits) - right) / targets.size
    # END SOLUTION


# %% name="cross_entropy_rule-check" tags=["check"] exercise="cross_entropy_rule"
@jax.jit
def library_rule(g, logits, targets):
    """What JAX says that the logits receive."""
    return g * jax.grad(nn.cross_entropy)(logits, targets)


logits, targets = jnp.array([[2.0, 1.0, 0.0], [0.0, 3.0, -1.0]]), jnp.array([2, 0])
p, right = np.asarray(jax.nn.softmax(logits)), np.eye(3, dtype=np.float32)[[2, 0]]
check(
    "one example, the worked numbers",
    lambda: cross_entropy_rule(1.0, 2.408, logits[:1], targets[:1]),
    lambda: library_rule(1.0, logits[:1], targets[:1]),
    mistakes={
        "The sign is wrong: predicted minus right. A score that is too high must get a positive number, and go down.": (
            lambda: (right - p)[:1]
        ),
        "That is the probability alone: 1 must be subtracted at the target.": lambda: p[:1],
        "The probabilities were computed over the wrong axis: the scores of one example lie along the last.": (
            lambda: 1 - right[:1]
        ),
    },
)
check(
    "two examples, and g = 5",
    lambda: cross_entropy_rule(5.0, 2.7, logits, targets),
    lambda: library_rule(5.0, logits, targets),
    mistakes={
        "The loss is a mean over N targets: each example receives one part in N.": lambda: 5 * (p - right),
        "That is the slope without g.": lambda: (p - right) / 2,
        "Divide by the number of targets, not by the number of scores.": lambda: 5 * (p - right) / 6,
        "That is the probability alone: 1 must be subtracted at the target.": lambda: 5 * p / 2,
        "The sign is wrong: predicted minus right. A score that is too high must get a positive number, and go down.": (
            lambda: 5 * (right - p) / 2
        ),
        "The probabilities were computed over the wrong axis: the scores of one example lie along the last.": (
            lambda: 5 * (jax.nn.softmax(logits, 0) - right) / 2
        ),
    },
)
three_axes, words = jnp.arange(24.0).reshape(2, 3, 4) % 5, jnp.array([[0, 3, 1], [2, 2, 0]])
check(
    "a loss for each word of two texts: logits (2, 3, 4), six targets",
    lambda: cross_entropy_rule(1.0, 2.0, three_axes, words),
    lambda: library_rule(1.0, three_axes, words),
    mistakes={
        "The mean is over the number of targets, which is targets.size; len(targets) counts the first axis only.": (
            lambda: 3 * library_rule(1.0, three_axes, words)
        ),
    },
)
check(
    "scores of 1000",
    lambda: cross_entropy_rule(1.0, 0.4, jnp.array([[1000.0, 999.0, 0.0]]), jnp.array([0])),
    lambda: library_rule(1.0, jnp.array([[1000.0, 999.0, 0.0]]), jnp.array([0])),
)

# %% name="cross_entropy_rule-batch" tags=["hidden-test"] exercise="cross_entropy_rule" points=2 hint="g * (softmax(logits) - one_hot(targets, C)) / N"
rule_x, rule_t, rule_g = inputs.normal(4, 3), inputs.integers(4, low=0, high=3), inputs.uniform(low=2.0, high=3.0)
rule_p, rule_right = jnp.exp(rule_x) / jnp.exp(rule_x).sum(-1, keepdims=True), (rule_t[:, None] == jnp.arange(3)) * 1.0
rule_y = -jnp.log((rule_p * rule_right).sum(-1)).mean()
report(
    cross_entropy_rule(rule_g, rule_y, rule_x, rule_t),
    mistakes={
        "The loss is a mean over N targets: each example receives one part in N.": lambda: (
            rule_g * (rule_p - rule_right)
        ),
        "That is the slope without g.": lambda: (rule_p - rule_right) / 4,
        "Divide by the number of targets, not by the number of scores.": lambda: rule_g * (rule_p - rule_right) / 12,
        "That is the probability alone: 1 must be subtracted at the target.": lambda: rule_g * rule_p / 4,
        "The sign is wrong: predicted minus right. A score that is too high must get a positive number, and go down.": (
            lambda: rule_g * (rule_right - rule_p) / 4
        ),
        "The probabilities were computed over the wrong axis: the scores of one example lie along the last.": (
            lambda: rule_g * (jax.nn.softmax(rule_x, 0) - rule_right) / 4
        ),
    },
)

# %% name="cross_entropy_rule-more-axes" tags=["hidden-test"] exercise="cross_entropy_rule" points=1 hint="The mean is over all targets: targets.size of them."
rule_x, rule_t, rule_g = inputs.normal(2, 3, 4), inputs.integers(2, 3, low=0, high=4), inputs.uniform(low=2.0, high=3.0)
rule_p, rule_right = (
    jnp.exp(rule_x) / jnp.exp(rule_x).sum(-1, keepdims=True),
    (rule_t[..., None] == jnp.arange(4)) * 1.0,
)
rule_y = -jnp.log((rule_p * rule_right).sum(-1)).mean()
report(
    cross_entropy_rule(rule_g, rule_y, rule_x, rule_t),
    mistakes={
        "The mean is over the number of targets, which is targets.size; len(targets) counts the first axis only.": (
            lambda: rule_g * (rule_p - rule_right) / 2
        ),
    },
)

# %% [markdown]
# **A cousin: label smoothing.** With a one-hot target, the loss is 0 only if the right score is infinitely far above
# the others, and the weights grow for ever to get there. Now give the right class 0.9 and share the rest among all
# classes: $q = (0.933, 0.033, 0.033)$ for three classes. Then the gradient is $p - q$. It is 0 at a gap of $\ln(0.933 /
# 0.033) = 3.3$, and there the scores stay. This is one line in your rule; distillation (notebook 11) replaces $q$ by
# what another model thinks.
#
# ## 3. First weights
#
# One output of a linear layer is a sum of $n$ products. If inputs and weights are independent and have mean 0, then the
# squares add up on average:
#
# $$ \overline{y^2} \;=\; n \,\sigma^2 \; \overline{x^2} $$
#
# with $\sigma$ the standard deviation of a weight. A layer with $n = 128$ inputs and $\sigma = 0.01$, the choice of
# many old programs, multiplies the mean square by $128 \cdot 0.0001 = 0.0128$. After ten layers, $10^{-19}$ of it is
# left. With $\sigma = 1$ the factor is 128, and ten layers make $10^{21}$. There is exactly one $\sigma$ for which the
# size stays the same: $\sigma^2 = 1/n$ (LeCun and others, 1998).
#
# On the way back, the gradient is multiplied by the transpose of the weights, so now the number of outputs counts. A
# layer from 256 to 64 cannot have both $256\,\sigma^2 = 1$ and $64\,\sigma^2 = 1$. Glorot and Bengio (2010) took the
# mean of the two numbers, and shared the damage. And a ReLU sets half of the numbers to 0, which halves the mean
# square; He and others (2015) doubled the variance to compensate. All of these are one formula:
#
# | name | made for | scale | fan |
# |---|---|---|---|
# | LeCun | no bend, tanh near 0 | 1 | inputs |
# | Glorot ("Xavier") | tanh, both ways | 1 | mean of inputs and outputs |
# | He ("Kaiming") | ReLU | 2 | inputs |
#
# $$ \sigma^2 = \frac{\text{scale}}{\text{fan}} $$
#
# Why random at all? If you give all weights of a layer the same value, say 0, then all of its units compute the same
# number, receive the same gradient and take the same step. They stay the same unit for ever. Only randomness makes them
# differ.
#
# ### Exercise 5: variance scaling
#
# It returns an initialiser, which is a function of a key and a shape. For the random numbers take
# `jax.random.normal(key, shape)`, whose standard deviation is 1. Note that the formula gives the *variance*.


# %% name="variance_scaling" tags=["exercise"] forbids=["jax.nn.initializers.variance_scaling", "jax.nn.initializers.lecun_normal", "jax.nn.initializers.glorot_normal", "jax.nn.initializers.he_normal"]
def variance_scaling(scale, mode):
    """An initialiser `init(key, shape)`: normal numbers with mean 0 and variance scale / fan.

    Args:
      scale: a positive float.
      mode: the fan is, of a shape (inputs, outputs), the inputs for "fan_in", the outputs for "fan_out", and the mean of
        the two for "fan_avg".
    """

    # BEGIN SOLUTION Exercise 5: define init(key, shape), and return it.
    def init(key, shape):
        inputs, outputs = shape
        fan = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}[mode]
        return math.sqrt(scale / fan) * jax.random.normal(key, shape)

    return init
    # END SOLUTION


# %% name="variance_scaling-check" tags=["check"] exercise="variance_scaling"
key, shape = jax.random.key(3), (3, 12)
noise = jax.random.normal(key, shape)
check(
    "He: scale 2, three inputs",
    lambda: variance_scaling(2.0, "fan_in")(key, shape),
    lambda: noise * math.sqrt(2 / 3),
    mistakes={
        "scale / fan is the variance. Multiply by its square root, the standard deviation.": lambda: noise * (2 / 3),
        "Inputs and outputs are exchanged: a shape is (inputs, outputs).": lambda: noise * math.sqrt(2 / 12),
        "`scale` stands under the root too: it is a factor of the variance.": lambda: noise * (2 / math.sqrt(3)),
        "The fraction is upside down: the more summands, the smaller each must be.": lambda: noise * math.sqrt(3 / 2),
        "The scale is missing.": lambda: noise * math.sqrt(1 / 3),
    },
)
check(
    "scale 1, by the outputs",
    lambda: variance_scaling(1.0, "fan_out")(key, shape),
    lambda: noise * math.sqrt(1 / 12),
    mistakes={"Inputs and outputs are exchanged: a shape is (inputs, outputs).": lambda: noise * math.sqrt(1 / 3)},
)
check(
    "Glorot: scale 1, the mean of 3 and 12",
    lambda: variance_scaling(1.0, "fan_avg")(key, shape),
    lambda: noise * math.sqrt(1 / 7.5),
    mistakes={
        "For fan_avg the fan is the mean of the two numbers, not their sum.": lambda: noise * math.sqrt(1 / 15),
        "That is the geometric mean of the two numbers. Take the arithmetic one.": lambda: noise * math.sqrt(1 / 6),
    },
)

# %% name="variance_scaling-fan_in" tags=["hidden-test"] exercise="variance_scaling" points=1 hint="normal numbers times sqrt(scale / inputs)"
init_key, init_scale = inputs.key(), inputs.uniform(low=2.0, high=3.0).item()
init_noise = jax.random.normal(init_key, (2, 6))
report(
    variance_scaling(init_scale, "fan_in")(init_key, (2, 6)),
    mistakes={
        "scale / fan is the variance. Multiply by its square root, the standard deviation.": (
            lambda: init_noise * (init_scale / 2)
        ),
        "Inputs and outputs are exchanged: a shape is (inputs, outputs).": lambda: (
            init_noise * math.sqrt(init_scale / 6)
        ),
        "`scale` stands under the root too: it is a factor of the variance.": (
            lambda: init_noise * (init_scale / math.sqrt(2))
        ),
        "The fraction is upside down: the more summands, the smaller each must be.": (
            lambda: init_noise * math.sqrt(2 / init_scale)
        ),
    },
)

# %% name="variance_scaling-other-fans" tags=["hidden-test"] exercise="variance_scaling" points=2 hint="The fan is the outputs for fan_out, and (inputs + outputs) / 2 for fan_avg."
init_key, init_scale = inputs.key(), inputs.uniform(low=2.0, high=3.0).item()
init_noise = jax.random.normal(init_key, (2, 6))
report(
    variance_scaling(init_scale, "fan_out")(init_key, (2, 6)),
    mistakes={
        "Inputs and outputs are exchanged: a shape is (inputs, outputs).": lambda: (
            init_noise * math.sqrt(init_scale / 2)
        ),
    },
)
report(
    variance_scaling(init_scale, "fan_avg")(init_key, (2, 6)),
    mistakes={
        "For fan_avg the fan is the mean of the two numbers, not their sum.": (
            lambda: init_noise * math.sqrt(init_scale / 8)
        ),
    },
)

# %% [markdown]
# ### Look at it
#
# We send real digits forwards through thirty layers of 128 units, and random gradients back. We do this for five
# initialisations, each with tanh and with ReLU. For each layer we measure the mean square of the signal that leaves it,
# and of the gradient that comes back to it. The walk back is the one of notebook 02: a list of pullbacks, from the last
# to the first.
#
# Predict first: which one survives with ReLU? With tanh, can a signal explode at all? And where will LeCun and Glorot
# differ?

# %% name="digits" tags=["demo"]
(train_images, train_y), (test_images, test_y) = mt.data.stratified_split(
    *mt.data.load_digits(), validation=0.2, seed=0
)


def standard(images):
    """Pictures (N, 8, 8) as rows (N, 64), with the mean 0 and the deviation 1 over all training pixels."""
    return jnp.asarray((images - train_images.mean()) / train_images.std()).reshape(-1, 64)


train_x, test_x, train_y, test_y = (
    standard(train_images),
    standard(test_images),
    jnp.asarray(train_y),
    jnp.asarray(test_y),
)
print(f"{len(train_x)} digits to learn from, {len(test_x)} held out, {train_x.shape[1]} pixels each")


# %% name="through-depth" tags=["demo"]
def stack(key, widths, weight_init):
    """Linear layers from each width to the next."""
    return [
        Linear.init(fold_in_name(key, f"layers.{i}"), inputs, outputs, weight_init)
        for i, (inputs, outputs) in enumerate(itertools.pairwise(widths))
    ]


@functools.partial(jax.jit, static_argnums=1)
def mean_squares(layers, activation, x):
    """The mean square of the signal after every layer, and of the gradient there, both from the first to the last."""
    forward, pullbacks = [], []
    for layer in layers:
        x, pullback = mt.vjp(lambda layer, x: activation(layer(x)), layer, x)
        forward.append(jnp.mean(x * x))
        pullbacks.append(pullback)
    g, backward = jax.random.normal(jax.random.key(9), x.shape), []
    for pullback in reversed(pullbacks):
        backward.append(jnp.mean(g * g))
        _, g = pullback(g)
    return jnp.stack(forward), jnp.stack(backward[::-1])


with skip_if_unfinished():
    first_weights = {
        "too small, 0.01": lambda key, shape: 0.01 * jax.random.normal(key, shape),
        "too large, 1": jax.random.normal,
        "LeCun": variance_scaling(1.0, "fan_in"),
        "Glorot": variance_scaling(1.0, "fan_avg"),
        "He": variance_scaling(2.0, "fan_in"),
    }
    measured = {
        (bend, name): mean_squares(stack(jax.random.key(1), [64] + 30 * [128], init), activation, train_x[:256])
        for bend, activation in (("tanh", ops.tanh), ("ReLU", ops.relu))
        for name, init in first_weights.items()
    }
    figures.through_depth(measured)
    print("ReLU: one layer multiplies the mean square of")
    for name in first_weights:
        signal, gradient = measured["ReLU", name]
        ratio = (signal[13] / signal[3]) ** 0.1, (gradient[-14] / gradient[-4]) ** 0.1
        print(f"  {name:16} the signal by {ratio[0]:6.2f}, of the gradient by {ratio[1]:6.2f}")

# %% [markdown]
# Read the figure from the bottom. With **ReLU** the factors are what the formula says: LeCun loses one half at each
# layer, so $10^{-9}$ is left after thirty, and He's line is flat, in both directions. (It wanders a little: 128 units
# are a small sample.) With **tanh** nothing can explode forwards, since tanh is never larger than 1. So in the upper
# left picture "too large" looks like the healthiest of all. Its gradient shows the truth: in the backward pass it grows
# a million times in eight layers. Always look both ways. The lines of LeCun and Glorot are the same, because each layer
# has as many inputs as outputs. With tanh their signal sinks slowly (tanh bends everything towards 0), not
# exponentially.
#
# They differ in a funnel, here from 512 units down to 16, without bends:


# %% name="funnel" tags=["demo"]
def straight(x):
    """No bend."""
    return x


with skip_if_unfinished():
    modes = {"by inputs (LeCun)": "fan_in", "by the mean (Glorot)": "fan_avg", "by outputs": "fan_out"}
    widths, noise = [512, 256, 128, 64, 32, 16], jax.random.normal(jax.random.key(0), (256, 512))
    shared = {
        name: mean_squares(stack(jax.random.key(2), widths, variance_scaling(1.0, mode)), straight, noise)
        for name, mode in modes.items()
    }
    figures.funnel(widths, shared)

# %% [markdown]
# If you scale by the inputs, you keep the signal and lose the gradient; if you scale by the outputs, it is the other
# way round; the mean shares the factor between the two.
#
# **Why it took until 2010.** The usual choice was uniform between $-1/\sqrt n$ and $1/\sqrt n$, which sounds like
# LeCun's. But its variance is $1/(3n)$: two thirds of the mean square are lost at every layer, and with ReLU five
# sixths. So deep networks did not learn. People looked for the reason in local minima and in a lack of data, and first
# trained their networks layer by layer, without labels. Then somebody plotted what you have just plotted.

# %% [markdown]
# ## 4. Layer normalisation
#
# First weights are right for the first step only. Then the weights move, and so do the factors. **Normalise**
# instead: before each layer, bring every example's row of numbers to mean 0 and mean square 1. Then the size of what
# came in does not matter at all.
#
# The row $(1, 2, 6)$ has mean 3. Subtract it: $(-2, -1, 3)$. The mean square of that is $14/3 = 4.667$, the *variance*,
# and its root $2.160$ is the *deviation*. Divide by it: $(-0.926, -0.463, 1.389)$. If you take $(10, 20, 60)$ or $(101,
# 102, 106)$, you get the same result.
#
# $$ n = \frac{x - \bar x}{\sqrt{\overline{(x - \bar x)^2} + \epsilon}}, \qquad y = n \cdot \text{scale} + \text{bias} $$
#
# The small $\epsilon$ keeps a row of equal numbers from being divided by 0. `scale` and `bias`, of shape (D,), are
# learned; they begin at 1 and 0.
#
# Every example is normalised by itself, along the last axis. Batch normalisation is a year older (Ioffe and Szegedy,
# 2015). It normalises every unit along the batch, so the result for one example depends on the company it is in, and on
# the batch size; for text it never became popular. The explanation was that it keeps the distribution of each layer's
# inputs from shifting. Three years later somebody measured that, and it was not true (Santurkar and others, 2018):
# batch normalisation makes the loss smoother.
#
# ### Exercise 6: LayerNorm


# %% name="layer_norm" tags=["exercise"] forbids=["minitorch.ops.layer_norm", "minitorch.nn.LayerNorm", "minitorch.ops.rms_norm", "jax.nn.standardize"]
def standardized(x, epsilon):
    """Each row of x (..., D) with mean 0, divided by its deviation: returns (normal, deviation).

    `normal` is (..., D), `deviation` (..., 1). The variance is the mean of the squares, and epsilon is added to it
    before the square root.
    """
    # BEGIN SOLUTION Exercise 6: subtract the mean of each row, then divide by the root of (variance + epsilon).
    centered = x - ops.mean(x, axis=-1, keepdims=True)
    deviation = ops.sqrt(ops.mean(centered * centered, axis=-1, keepdims=True) + epsilon)
    return centered / deviation, deviation
    # END SOLUTION


def layer_norm(x, scale, bias, epsilon=1e-5):
    """normal * scale + bias: x (..., D), scale and bias (D,)."""
    # BEGIN SOLUTION Exercise 6: scale and shift the standardized rows.
    normal, _ = standardized(x, epsilon)
    return normal * scale + bias
    # END SOLUTION


# %% name="layer_norm-check" tags=["check"] exercise="layer_norm"
def by_numpy(x, epsilon, axis=-1, ddof=0):
    """The two results of `standardized`, by other means."""
    x = np.asarray(x)
    deviation = np.sqrt(x.var(axis, ddof=ddof, keepdims=True) + np.float32(epsilon))
    return [(x - x.mean(axis, keepdims=True)) / deviation, deviation]


x = jnp.array([[1.0, 2.0, 6.0], [4.0, 4.5, -1.0], [0.0, 0.5, 0.1]])
check(
    "three rows, with epsilon 0.1",
    lambda: standardized(x, 0.1),
    lambda: by_numpy(x, 0.1),
    mistakes={
        "Mean and variance go along axis 0: that is batch normalisation. Each example is normalised by the numbers of its own row.": (
            lambda: by_numpy(x, 0.1, axis=0)
        ),
        "That is divided by the variance: a square root is missing.": (
            lambda: [(x - x.mean(-1, keepdims=True)) / (d := x.var(-1, keepdims=True) + 0.1), d]
        ),
        "epsilon was added to the deviation. It belongs under the root, to the variance.": (
            lambda: [(x - x.mean(-1, keepdims=True)) / (d := x.std(-1, keepdims=True) + 0.1), d]
        ),
        "The variance was divided by D - 1, as statisticians do for a sample. Here it is the plain mean of the squares.": (
            lambda: by_numpy(x, 0.1, ddof=1)
        ),
        "epsilon is missing.": lambda: by_numpy(x, 0.0),
        "The mean was not subtracted from the result.": lambda: [x / (d := by_numpy(x, 0.1)[1]), d],
    },
)
scale, bias = jnp.array([1.0, 2.0, -1.0]), jnp.array([0.5, -0.5, 3.0])
check(
    "scale and bias",
    lambda: layer_norm(x, scale, bias),
    lambda: by_numpy(x, 1e-5)[0] * scale + bias,
    mistakes={
        "The bias was added before the scale. First the scale, then the bias.": (
            lambda: (by_numpy(x, 1e-5)[0] + bias) * scale
        ),
        "scale and bias were applied before normalising, which takes them out again.": (
            lambda: by_numpy(x * scale + bias, 1e-5)[0]
        ),
        "scale and bias are exchanged.": lambda: by_numpy(x, 1e-5)[0] * bias + scale,
    },
)
check(
    "a row of equal numbers becomes the bias", lambda: layer_norm(jnp.array([[7.0, 7.0, 7.0]]), scale, bias), bias[None]
)
far = 3000.0 + x
check(
    "a row far from 0",
    lambda: layer_norm(far, scale, bias),
    lambda: by_numpy(far, 1e-5)[0] * scale + bias,
    mistakes={
        "The variance was computed as mean(x²) - mean(x)², two large numbers whose difference loses its digits. Centre first, then square.": (
            lambda: (
                (far - far.mean(-1, keepdims=True))
                / jnp.sqrt((far * far).mean(-1, keepdims=True) - far.mean(-1, keepdims=True) ** 2 + 1e-5)
                * scale
                + bias
            )
        ),
    },
    rtol=1e-2,
    atol=1e-2,
)
check("one row, no batch", lambda: layer_norm(x[0], scale, bias).shape, (3,))

# %% name="layer_norm-standardized" tags=["hidden-test"] exercise="layer_norm" points=2 hint="Centre each row along the last axis, with keepdims; deviation = sqrt(mean square + epsilon)."
norm_x, norm_epsilon = inputs.normal(3, 3), inputs.uniform(low=0.2, high=0.5).item()


def right_parts(x, epsilon, axis=-1, ddof=0):
    """The two results of `standardized`, by other means."""
    deviation = jnp.sqrt(x.var(axis, ddof=ddof, keepdims=True) + epsilon)
    return [(x - x.mean(axis, keepdims=True)) / deviation, deviation]


report(
    standardized(norm_x, norm_epsilon),
    mistakes={
        "Mean and variance go along axis 0: that is batch normalisation. Each example is normalised by the numbers of its own row.": (
            lambda: right_parts(norm_x, norm_epsilon, axis=0)
        ),
        "That is divided by the variance: a square root is missing.": (
            lambda: [(norm_x - norm_x.mean(-1, keepdims=True)) / (d := norm_x.var(-1, keepdims=True) + norm_epsilon), d]
        ),
        "epsilon was added to the deviation. It belongs under the root, to the variance.": (
            lambda: [(norm_x - norm_x.mean(-1, keepdims=True)) / (d := norm_x.std(-1, keepdims=True) + norm_epsilon), d]
        ),
        "The variance was divided by D - 1, as statisticians do for a sample. Here it is the plain mean of the squares.": (
            lambda: right_parts(norm_x, norm_epsilon, ddof=1)
        ),
    },
)
report(standardized(inputs.normal(2, 1, 4), norm_epsilon))

# %% name="layer_norm-rows" tags=["hidden-test"] exercise="layer_norm" points=1 hint="normal * scale + bias"
norm_x, norm_scale, norm_bias = inputs.normal(3, 3), inputs.uniform(3, low=0.5, high=2.0), inputs.normal(3)
report(
    layer_norm(norm_x, norm_scale, norm_bias, 0.25),
    mistakes={
        "The bias was added before the scale. First the scale, then the bias.": (
            lambda: (
                ((norm_x - norm_x.mean(-1, keepdims=True)) / jnp.sqrt(norm_x.var(-1, keepdims=True) + 0.25) + norm_bias)
                * norm_scale
            )
        ),
    },
)

# %% name="layer_norm-edges" tags=["hidden-test"] exercise="layer_norm" points=1 hint="A row of equal numbers becomes the bias; a row far from 0 is as good as any other."
norm_x, norm_scale, norm_bias = inputs.normal(2, 4), inputs.uniform(4, low=0.5, high=2.0), inputs.normal(4)
report(layer_norm(jnp.full((2, 4), 5.0), norm_scale, norm_bias))
norm_far = 3000.0 + norm_x
report(
    layer_norm(norm_far, norm_scale, norm_bias),
    mistakes={
        "The variance was computed as mean(x²) - mean(x)², two large numbers whose difference loses its digits. Centre first, then square.": (
            lambda: (
                (norm_far - norm_far.mean(-1, keepdims=True))
                / jnp.sqrt((norm_far * norm_far).mean(-1, keepdims=True) - norm_far.mean(-1, keepdims=True) ** 2 + 1e-5)
                * norm_scale
                + norm_bias
            )
        ),
    },
    rtol=1e-2,
    atol=1e-2,
)

# %% [markdown]
# ### Its gradient, by hand
#
# With rows of three numbers you can see everything. Centred rows add up to 0, so they lie in a plane; normalised ones
# have mean square 1, so they lie on a circle in that plane. Layer normalisation pushes every point straight out, or in,
# onto the circle.

# %% name="circle" tags=["demo"]
with skip_if_unfinished():
    figures.circle(lambda x: standardized(x, 1e-5)[0])

# %% [markdown]
# Now think backwards. A gradient arrives at a point of the circle: an arrow $g$. Which part of it can reach $x$? Moving
# $x$ along its own ray does not move the point: the part of $g$ **along the ray is lost**. Adding a number to all of
# $x$ does not move it either: the part of $g$ **along $(1, 1, 1)$ is lost**. What is left is the part along the circle,
# the tangent. And if $x$ is far from the centre, a step of $x$ moves the point less: so this part is **divided by the
# deviation**. That is the whole rule, read off the picture:
#
# $$ \text{x receives} \quad \frac{1}{d} \Big( h \;-\; \overline{h} \;-\; n \; \overline{h n} \Big), \qquad h = g \cdot \text{scale} $$
#
# with $d$ the deviation, $n$ the normalised row, and bars for means along the row. ($\overline{h n}$ is how much of
# $h$ points along $n$, since $n$ has mean square 1.)
#
# The chain rule gives the same: $n_j = (x_j - \bar x)/d$. Raise $x_i$ by 1: the centred number $j$ moves by $[i = j] -
# 1/D$, and $d$ moves by $n_i / D$. So
#
# $$ \frac{\partial n_j}{\partial x_i} = \frac{1}{d}\Big( [i = j] - \frac{1}{D} - \frac{n_i n_j}{D} \Big) $$
#
# and the sum over all places $j$ that $x_i$ went to, $\sum_j h_j\, \partial n_j / \partial x_i$, is the line above.
#
# Numbers: for $x = (1, 2, 6)$ and $h = (1, 0, 0)$: $\overline h = 0.333$ and $\overline{h n} = -0.309$; $x$ receives
# $(0.176, -0.220, 0.044)$. Add them: 0. Times $n$: 0. As it must be.
#
# Every row used `scale` and `bias`, so what they receive adds up over the rows: `scale` receives $g \cdot n$ and `bias`
# receives $g$, both summed down to their shape. That sum is the `unbroadcast` of notebook 02. If yours passed its check
# there, yours is used now.

# %% name="unbroadcast-yours"
from minitorch.ops.shapes import unbroadcast as sum_to_shape

unbroadcast = my_solution("unbroadcast", otherwise=lambda g, shape: sum_to_shape(g, jnp.zeros(shape, g.dtype)))

# %% [markdown]
# ### Exercise 7: the pullback of LayerNorm
#
# You get what `standardized` returned. `unbroadcast(g, shape)` sums `g` down to a shape.


# %% name="layer_norm_pullback" tags=["exercise"] forbids=["jax.grad", "jax.vjp", "jax.jvp", "jax.linearize", "jax.value_and_grad", "jax.jacrev", "jax.jacfwd", "minitorch.grad", "minitorch.vjp", "minitorch.jvp", "minitorch.value_and_grad"]
def layer_norm_pullback(g, normal, deviation, scale):
    """What x, scale and bias of a layer norm receive, given what its result has received.

    Args:
      g, normal: (..., D).
      deviation: (..., 1).
      scale: (D,).

    Returns a tuple of three arrays: for x (..., D), for scale (D,) and for bias (D,).
    """
    # BEGIN SOLUTION Exercise 7: return (g_x, g_scale, g_bias).
    h = g * scale
    along = normal * ops.mean(h * normal, axis=-1, keepdims=True)
    g_x = (h - ops.mean(h, axis=-1, keepdims=True) - along) / deviation
    return g_x, unbroadcast(g * normal, scale.shape), unbroadcast(g, scale.shape)
    # END SOLUTION


# %% name="layer_norm_pullback-check" tags=["check"] exercise="layer_norm_pullback"
def parts(x, epsilon):
    """The normalised rows and the deviations of `x`, as `standardized` gives them."""
    deviation = jnp.sqrt(x.var(-1, keepdims=True) + epsilon)
    return (x - x.mean(-1, keepdims=True)) / deviation, deviation


def received(g, x, scale, epsilon):
    """What JAX says that x, scale and bias receive."""

    def norm(x, scale, bias):
        return parts(x, epsilon)[0] * scale + bias

    return list(jax.vjp(norm, x, scale, jnp.zeros_like(scale))[1](g))


x, h = jnp.array([[1.0, 2.0, 6.0]]), jnp.array([[1.0, 0.0, 0.0]])
normal, deviation = parts(x, 0.0)
along, right = normal * (h * normal).mean(-1, keepdims=True) / deviation, received(h, x, jnp.ones(3), 0.0)[0]
check(
    "the worked numbers: what x receives",
    lambda: layer_norm_pullback(h, normal, deviation, jnp.ones(3))[0],
    right,
    mistakes={
        "The mean of g is missing: the part along (1, 1, 1) does not reach x.": lambda: right + h.mean() / deviation,
        "The part of g along the normalised row is missing: normal * mean(h * normal) is to be subtracted.": (
            lambda: right + along
        ),
        "The result must be divided by the deviation: the larger x was, the less a step of it moves the result.": (
            lambda: right * deviation
        ),
        "The part along the row is a mean of h * normal, and you took a sum over the row.": lambda: right - 2 * along,
        "The part along the row was added, and must be subtracted.": lambda: right + 2 * along,
        "That is divided by the variance. Divide by the deviation once.": lambda: right / deviation,
    },
)
x = jnp.array([[[1.0, 2.0, 6.0, 0.0], [4.0, 4.5, -1.0, 0.5]], [[0.0, 0.5, 0.1, 0.2], [3.0, -2.0, 1.0, 1.0]]])
g, scale = jnp.cos(jnp.arange(16.0)).reshape(2, 2, 4), jnp.array([1.0, -2.0, 0.5, 3.0])
(normal, deviation), right = parts(x, 0.1), received(g, x, scale, 0.1)
check(
    "two batches of two rows, with a scale: what x receives",
    lambda: layer_norm_pullback(g, normal, deviation, scale)[0],
    right[0],
    mistakes={
        "g passed `scale` on its way to the result, so on the way back it is multiplied by scale first.": (
            lambda: received(g / scale, x, scale, 0.1)[0]
        ),
    },
)
check(
    "what scale and bias receive",
    lambda: list(layer_norm_pullback(g, normal, deviation, scale)[1:]),
    right[1:],
    mistakes={
        "scale and bias were used by every row: what they receive is summed over the rows, to (D,), with unbroadcast.": (
            lambda: [g * normal, g]
        ),
        "`scale` and `bias` are exchanged: the bias was only added, so it receives g itself.": lambda: right[:0:-1],
        "What scale receives is g times the normalised row. The scale itself has no part in it.": (
            lambda: [right[1] * scale, right[2]]
        ),
        "That is the mean over the rows. Every use returns a share, and shares add up.": (
            lambda: [right[1] / 4, right[2] / 4]
        ),
    },
)


# %% name="layer_norm_pullback-x" tags=["hidden-test"] exercise="layer_norm_pullback" points=3 hint="(h - mean(h) - normal * mean(h * normal)) / deviation, with h = g * scale and means along the last axis."
def right_rows(g, normal, deviation, scale, mean=1.0, along=1.0):
    """What x receives; with another weight, an answer in which a part is missing."""
    h = g * scale
    part = normal * (h * normal).mean(-1, keepdims=True)
    return (h - mean * h.mean(-1, keepdims=True) - along * part) / deviation


pulled_g, pulled_x, pulled_scale = inputs.normal(3, 3), inputs.normal(3, 3), inputs.uniform(3, low=0.5, high=2.0)
pulled_d = jnp.sqrt(pulled_x.var(-1, keepdims=True) + 0.3)
pulled_n = (pulled_x - pulled_x.mean(-1, keepdims=True)) / pulled_d
pulled = pulled_g, pulled_n, pulled_d, pulled_scale
report(
    layer_norm_pullback(*pulled)[0],
    mistakes={
        "The mean of g is missing: the part along (1, 1, 1) does not reach x.": lambda: right_rows(*pulled, mean=0),
        "The part of g along the normalised row is missing: normal * mean(h * normal) is to be subtracted.": (
            lambda: right_rows(*pulled, along=0)
        ),
        "The result must be divided by the deviation: the larger x was, the less a step of it moves the result.": (
            lambda: right_rows(*pulled) * pulled_d
        ),
        "The part along the row is a mean of h * normal, and you took a sum over the row.": (
            lambda: right_rows(*pulled, along=3)
        ),
        "g passed `scale` on its way to the result, so on the way back it is multiplied by scale first.": (
            lambda: right_rows(*pulled[:3], jnp.ones(3))
        ),
    },
)

# %% name="layer_norm_pullback-parameters" tags=["hidden-test"] exercise="layer_norm_pullback" points=2 hint="unbroadcast(g * normal, scale.shape) for scale, unbroadcast(g, scale.shape) for bias."
pulled_g, pulled_n, pulled_scale = inputs.normal(2, 2, 3), inputs.normal(2, 2, 3), inputs.uniform(3, low=0.5, high=2.0)
pulled_d = inputs.uniform(2, 2, 1, low=0.5, high=2.0)
report(
    list(layer_norm_pullback(pulled_g, pulled_n, pulled_d, pulled_scale)[1:]),
    mistakes={
        "scale and bias were used by every row: what they receive is summed over the rows, to (D,), with unbroadcast.": (
            lambda: [pulled_g * pulled_n, pulled_g]
        ),
        "`scale` and `bias` are exchanged: the bias was only added, so it receives g itself.": (
            lambda: [pulled_g.sum((0, 1)), (pulled_g * pulled_n).sum((0, 1))]
        ),
        "What scale receives is g times the normalised row. The scale itself has no part in it.": (
            lambda: [(pulled_g * pulled_scale * pulled_n).sum((0, 1)), pulled_g.sum((0, 1))]
        ),
    },
)

# %% [markdown]
# ### Into the library
#
# `mt.ops.layer_norm` is a primitive with rules of its own. `override_rules` puts yours in their place while the `with`
# block lasts, and everything in the library that normalises, up to a GPT, is then differentiated by your lines. The
# library's own gradient, finite differences, and the chain rule through the steps of your `layer_norm` must agree with
# it.


# %% name="plugged-in" tags=["demo"]
def own_rule(g, y, x, scale, bias, epsilon):
    """Your pullback in the form in which the library calls a rule for all arguments at once."""
    return layer_norm_pullback(g, *standardized(x, epsilon), scale)


def wave(normalize):
    """A loss that goes through a layer norm."""
    return lambda rows, scale, bias: ops.sum(ops.sin(3 * normalize(rows, scale, bias)))


def agree(a, b):
    """Do two trees of gradients hold the same numbers?"""
    return all(bool(jnp.allclose(x, y, rtol=1e-3, atol=1e-4)) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b)))


with skip_if_unfinished():
    given = jax.random.normal(jax.random.key(5), (4, 3)), jnp.array([1.0, 2.0, 0.5]), jnp.array([0.0, 1.0, -1.0])
    library = mt.grad(wave(ops.layer_norm), (0, 1, 2))(*given)
    with override_rules({ops.layer_norm: own_rule}):
        mine = mt.grad(wave(ops.layer_norm), (0, 1, 2))(*given)
        measured_right = measures_right(ops.layer_norm, given)
    print("your rule against the library's own:         ", agree(mine, library))
    print("your rule against the chain rule, by steps:  ", agree(mine, mt.grad(wave(layer_norm), (0, 1, 2))(*given)))
    print("your rule against finite differences, twice: ", measured_right)

# %% [markdown]
# ## 5. Dropout
#
# A network that has seen 1,400 digits knows them by heart. One remedy: at every step of training, switch off a random
# share of the units, so that no unit can rely on one particular other unit (Srivastava and others, 2014).
#
# With a rate of 0.25, three of four numbers are kept. On average, the next layer then receives three quarters of the
# full sum; and in evaluation, when nothing is dropped, it suddenly receives all of it. So the numbers that are kept are
# **divided by the share that is kept**: 3 becomes 4.
#
# ```
#   x              2   8   4   6        sum 20
#   kept?          1   0   1   1
#   x / 0.75     2.7   0  5.3  8        sum 16, on average over many draws 20
# ```
#
# The paper did it the other way round, and multiplied by 0.75 in evaluation. On average the result is the same, but
# then a deployed model must remember how it was trained. Dividing in training is called *inverted* dropout, and today
# everybody does it this way.
#
# ### Exercise 8: dropout
#
# Draw with `jax.random.bernoulli(key, share, x.shape)`, which is True with probability `share`: keep a number where it
# is True. Without a key (None), as in evaluation, return x as it is.


# %% name="dropout" tags=["exercise"] forbids=["minitorch.nn.Dropout", "minitorch.nn.dropout.Dropout"]
def dropout(x, key, rate):
    """x (...) with a share `rate` of its numbers, drawn by `key`, set to 0, and the others larger in return.

    Args:
      key: a random key, or None: then nothing is dropped.
      rate: a float in [0, 1), the share that is dropped.
    """
    # BEGIN SOLUTION Exercise 8: without a key return x; else keep numbers with probability 1 - rate, and scale them.
    if key is None:
        return x
    kept = 1 - rate
    return ops.where(jax.random.bernoulli(key, kept, x.shape), x / kept, 0.0)
    # END SOLUTION


# %% name="dropout-check" tags=["check"] exercise="dropout"
key, x = jax.random.key(4), jnp.array([2.0, 8.0, -4.0, 6.0, 1.0, -3.0])
keep, drop = jax.random.bernoulli(key, 0.75, (6,)), jax.random.bernoulli(key, 0.25, (6,))
check(
    "a quarter is dropped",
    lambda: dropout(x, key, 0.25),
    lambda: jnp.where(keep, x / 0.75, 0),
    mistakes={
        "The numbers are kept with probability `rate`; that is the share to drop.": lambda: jnp.where(
            drop, x / 0.75, 0
        ),
        "What is kept must grow, so that the mean stays: divide it by the share that is kept.": lambda: jnp.where(
            keep, x, 0
        ),
        "What is kept was multiplied by the share that is kept. To make up for what is dropped, divide.": (
            lambda: jnp.where(keep, x * 0.75, 0)
        ),
        "What is kept was divided by the share that is dropped. Divide by the share that is kept.": (
            lambda: jnp.where(keep, x / 0.25, 0)
        ),
        "The mask is the wrong way round: keep a number where bernoulli gives True.": lambda: jnp.where(
            keep, 0, x / 0.75
        ),
        "Nothing was dropped.": lambda: x / 0.75,
    },
)
check(
    "no key: evaluation",
    lambda: dropout(x, None, 0.25),
    lambda: x,
    mistakes={
        "In evaluation, without a key, nothing is scaled: training has made up for what was dropped.": lambda: x * 0.75,
        "In evaluation, without a key, nothing is scaled; x passes as it is.": lambda: x / 0.75,
    },
)
check("rate 0", lambda: dropout(x, key, 0.0), lambda: x)

# %% name="dropout-training" tags=["hidden-test"] exercise="dropout" points=2 hint="where(bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)"
drop_x, drop_key, drop_rate = inputs.normal(6, 5), inputs.key(), inputs.uniform(low=0.2, high=0.4).item()
kept_mask = jax.random.bernoulli(drop_key, 1 - drop_rate, (6, 5))
report(
    dropout(drop_x, drop_key, drop_rate),
    mistakes={
        "The numbers are kept with probability `rate`; that is the share to drop.": (
            lambda: jnp.where(jax.random.bernoulli(drop_key, drop_rate, (6, 5)), drop_x / (1 - drop_rate), 0)
        ),
        "What is kept must grow, so that the mean stays: divide it by the share that is kept.": (
            lambda: jnp.where(kept_mask, drop_x, 0)
        ),
        "What is kept was multiplied by the share that is kept. To make up for what is dropped, divide.": (
            lambda: jnp.where(kept_mask, drop_x * (1 - drop_rate), 0)
        ),
        "What is kept was divided by the share that is dropped. Divide by the share that is kept.": (
            lambda: jnp.where(kept_mask, drop_x / drop_rate, 0)
        ),
    },
)

# %% name="dropout-evaluation" tags=["hidden-test"] exercise="dropout" points=1 hint="Without a key, return x as it is."
drop_x, drop_rate = inputs.normal(2, 3), inputs.uniform(low=0.2, high=0.4).item()
report(
    dropout(drop_x, None, drop_rate),
    mistakes={
        "In evaluation, without a key, nothing is scaled: training has made up for what was dropped.": (
            lambda: drop_x * (1 - drop_rate)
        ),
        "In evaluation, without a key, nothing is scaled; x passes as it is.": lambda: drop_x / (1 - drop_rate),
    },
)

# %% [markdown]
# ## 6. A shortcut
#
# In 2015 a plain network of 56 layers did worse on pictures than one of 20. The obvious explanation, that it learned
# the data by heart, was wrong: it was worse on the *training* data. A network of 56 layers can do everything that one
# of 20 can: the other 36 layers only have to do nothing. But training did not find that solution. Doing nothing is hard
# for a layer with a bend: it must learn to be the identity.
#
# So make doing nothing easy (He and others, 2015): let a layer compute what to **add**.
#
# ```
#            +--------------- shortcut ----------------+
#            |                                         v
#   x  ------+-->  LayerNorm --> Linear --> bend -->   +   -->  x + f(x)
# ```
#
# Backwards, a plain layer multiplies the gradient by its slope $J$; this one multiplies by $1 + J$. Say that the slopes
# of ten layers are $0.5, -0.3, 0.5, -0.3, \dots$ In the plain network, $-0.000076$ is left after ten layers. With
# shortcuts it is $(1.5 \cdot 0.7)^5 = 1.28$. Multiply out $(1 + J_1)(1 + J_2) \cdots$: there is a path through every
# subset of the layers. One path passes through no layer, and along it the gradient arrives unchanged.
#
# But be careful: adding makes the signal grow. If each of $L$ layers adds as much as is already there, the mean square
# is $2^L$ in the end. So a layer adds only its share, $f(x)/\sqrt L$. (Transformers put this factor into the first
# weights.)
#
# Now train four networks of 24 layers on the digits for 250 steps, with your `Linear`, `layer_norm` and He's first
# weights. Predict which of them learn: normalisation alone, the shortcut alone, both, neither?


# %% name="deep" tags=["demo"]
def deep_network(key, depth=24, width=48):
    """First weights: 64 pixels to `width` units, `depth` layers of those, 10 logits."""
    lecun, he = variance_scaling(1.0, "fan_in"), variance_scaling(2.0, "fan_in")
    return {
        "first": Linear.init(fold_in_name(key, "first"), 64, width, lecun),
        "layers": [Linear.init(fold_in_name(key, f"layers.{i}"), width, width, he) for i in range(depth)],
        "last": Linear.init(fold_in_name(key, "last"), width, 10, lecun),
    }


def deep_logits(model, x, normalise, shortcut):
    """x (B, 64) to logits (B, 10), with LayerNorm before each layer, and a shortcut around it, where those are True."""
    x = model["first"](x)
    share = ops.where(shortcut, 1 / math.sqrt(len(model["layers"])), 1.0)
    for layer in model["layers"]:
        change = ops.relu(layer(ops.where(normalise, layer_norm(x, 1.0, 0.0), x)))
        x = ops.where(shortcut, x, 0.0) + share * change
    return model["last"](ops.where(normalise, layer_norm(x, 1.0, 0.0), x))


def deep_loss(model, x, y, key=None, normalise=False, shortcut=False):
    return cross_entropy(deep_logits(model, x, normalise, shortcut), y)


@functools.partial(jax.jit, static_argnames=("loss", "steps"))
def train(loss, model, steps, rate, **options):
    """Gradient descent on random batches of 64: the last model, and the loss of each step."""

    def step(model, key):
        rows = jax.random.randint(key, (64,), 0, len(train_x))
        value, gradient = mt.value_and_grad(loss)(model, train_x[rows], train_y[rows], key, **options)
        return jax.tree.map(lambda w, g: w - rate * g, model, gradient), value

    return jax.lax.scan(step, model, jax.random.split(jax.random.key(0), steps))


with skip_if_unfinished():
    races = {}
    for name, options in {
        "neither": dict(normalise=False, shortcut=False),
        "LayerNorm": dict(normalise=True, shortcut=False),
        "shortcut": dict(normalise=False, shortcut=True),
        "both": dict(normalise=True, shortcut=True),
    }.items():
        _, races[name] = train(deep_loss, deep_network(jax.random.key(1)), steps=250, rate=0.03, **options)
        print(f"{name:10} learned:", bool(races[name][-25:].mean() < 0.3))
    figures.races(races)

# %% [markdown]
# The shortcut is what counts. He's weights and normalisation both keep the *size* of the signal, but not what is in it.
# In the plain network, with neither shortcut nor normalisation, the rows of two different digits point nearly the same
# way after 24 layers (centred, the cosine between them is 0.83 on average; after the first layer it was 0.44). With
# normalisation alone you get the other extreme, 0.07: every digit has a direction of its own, so what the network
# learns from one 3 does not help with the next. With the shortcut the pixels are still there at the end.
#
# What does normalisation add? The shortcut alone begins at a loss of 21 nats and not at 2.3. Train it ten times as
# fast (`rate=0.3`) and it overflows; with both you may go up to `rate=1.0`. Try it. This pair, normalise first and
# then add, is in every layer of a GPT.
#
# ## 7. The proof: your layers learn to read
#
# Everything together: your `Linear`, your `gelu` with its rule, your `layer_norm` with its pullback, your `dropout`,
# your `cross_entropy` with its rule, your first weights. Six layers with shortcuts. If the rules that you wrote in
# notebook 02 are found, they replace the library's rules too.


# %% name="classifier" tags=["demo"]
class Block(nn.Module):
    """x + dropout(gelu(linear(layer_norm(x)))) / sqrt(depth)."""

    scale: jax.Array  # (D,)
    bias: jax.Array  # (D,)
    linear: Linear

    @classmethod
    def init(cls, key, width):
        linear = Linear.init(fold_in_name(key, "linear"), width, width, variance_scaling(2.0, "fan_in"))
        return cls(jnp.ones(width), jnp.zeros(width), linear)

    def __call__(self, x, key, depth):
        change = own_gelu(self.linear(own_layer_norm(x, self.scale, self.bias)))
        return x + dropout(change, fold_in_name(key, "dropout"), 0.1) / math.sqrt(depth)


class Classifier(nn.Module):
    """Pictures x (B, 64) to logits (B, 10). With a key, as in training, units are dropped."""

    first: Linear
    blocks: list[Block]
    last: Linear

    @classmethod
    def init(cls, key, width=64, depth=6):
        lecun = variance_scaling(1.0, "fan_in")
        blocks = [Block.init(fold_in_name(key, f"blocks.{i}"), width) for i in range(depth)]
        last = Linear.init(
            fold_in_name(key, "last"), width, 10, variance_scaling(0.01, "fan_in")
        )  # Small: begin by guessing.
        return cls(Linear.init(fold_in_name(key, "first"), 64, width, lecun), blocks, last)

    def __call__(self, x, key=None):
        x = self.first(x)
        for i, block in enumerate(self.blocks):
            x = block(x, fold_in_name(key, f"blocks.{i}"), len(self.blocks))
        return self.last(x)


own_layer_norm = Primitive(layer_norm, joint=own_rule, arrays=3)
own_cross_entropy = Primitive(cross_entropy, cross_entropy_rule)
rules_of_02 = {
    mt.ops.matmul: my_solution("matrix_rules", otherwise=lambda: {"matmul": mt.ops.matmul.rules})()["matmul"],
    mt.ops.relu: my_solution("elementwise_rules", otherwise=lambda: {"relu": mt.ops.relu.rules})()["relu"],
}


def digit_loss(model, x, y, key=None):
    return own_cross_entropy(model(x, key), y)


@functools.cache
def trained():
    """Your network after 500 steps, and the loss of each."""
    with override_rules(rules_of_02):
        return train(digit_loss, Classifier.init(jax.random.key(0)), steps=500, rate=0.1)


with skip_if_unfinished():
    model, losses = trained()
    logits = model(test_x)
    print(f"{nn.paths.count(model):,} weights")
    print(f"first loss: {losses[0]:.1f} nats; guessing: ln 10 = {math.log(10):.1f}")
    print("at least 95 % of the held-out digits are read rightly:", bool((logits.argmax(-1) == test_y).mean() >= 0.95))
    figures.training(losses, logits, test_images, test_y)

# %% [markdown]
# On the right are digits that your network misread. Would you have read them?
#
# ## 8. The landscape
#
# The loss is a function of 30,000 weights. A picture has two axes, so take two random directions $u$ and $v$ from the
# trained weights $w$, and draw the loss at $w + \alpha u + \beta v$. Is it a fair picture?
#
# Take a unit with ReLU. Multiply its incoming weights by 10 and divide what goes out by 10: the same network, the same
# loss. But a step of a fixed length is now small for the incoming weights and huge for the outgoing ones: you can make
# the same valley look as wide or as narrow as you like. For years, papers compared how "flat" minima were in such
# pictures. Then it was shown that any minimum can be made as sharp as you wish in this way (Dinh and others, 2017).
#
# The remedy (Li and others, 2018): a step is measured **relative to the weights**. Scale each unit's part of the
# direction to the length of that unit's weights. Our weights have the shape (inputs, outputs), so the weights into one
# unit are a **column**.
#
# ```
#   weight    3  0   columns of length 5 and 2       direction  0  3   columns of length 1 and 5
#             4  2                                              1  4
#
#                                                    normalised 0  1.2   lengths 5 and 2
#                                                               5  1.6
# ```
#
# Biases and the scales of norms (arrays with one axis) are left out: their directions are 0.
#
# ### Exercise 9: a fair direction


# %% name="filter_normalized" tags=["exercise"]
def filter_normalized(direction, weight):
    """`direction` with each column as long as that column of `weight`: both (inputs, outputs).

    Of arrays with fewer than two axes it is 0.
    """
    # BEGIN SOLUTION Exercise 9: return zeros for one axis; else give each column of direction the length of weight's.
    if weight.ndim < 2:
        return jnp.zeros_like(direction)
    return direction * jnp.linalg.norm(weight, axis=0) / jnp.linalg.norm(direction, axis=0)
    # END SOLUTION


# %% name="filter_normalized-check" tags=["check"] exercise="filter_normalized"
W, d = jnp.array([[3.0, 0.0], [4.0, 2.0]]), jnp.array([[0.0, 3.0], [1.0, 4.0]])
length = jnp.linalg.norm
check(
    "the worked example of two columns",
    lambda: filter_normalized(d, W),
    jnp.array([[0.0, 1.2], [5.0, 1.6]]),
    mistakes={
        "The lengths were taken for each input (a row). The weights of one unit are a column: axis 0.": (
            lambda: d * length(W, axis=1, keepdims=True) / length(d, axis=1, keepdims=True)
        ),
        "The lengths are those of the whole matrix. Each column has its own: axis=0.": lambda: (
            d * length(W) / length(d)
        ),
        "The ratio is upside down: times the length of the weight's column, divided by that of the direction's.": (
            lambda: d * length(d, axis=0) / length(W, axis=0)
        ),
        "The columns have length 1 now. Give them the length of the weight's columns.": lambda: d / length(d, axis=0),
        "The direction was not divided by its own lengths first.": lambda: d * length(W, axis=0),
        "The weight itself was returned: the direction must stay a direction of its own.": lambda: W,
    },
)
check(
    "a bias stays where it is",
    lambda: filter_normalized(jnp.array([1.0, 2.0]), jnp.array([3.0, 4.0])),
    jnp.zeros(2),
    mistakes={
        "Biases stay where they are: for arrays with one axis the direction is 0.": jnp.array([1.0, 2.0]),
        "An array with one axis was treated as a matrix. For biases the direction is 0.": (
            lambda: jnp.array([1.0, 2.0]) * math.sqrt(5)
        ),
    },
)

# %% name="filter_normalized-columns" tags=["hidden-test"] exercise="filter_normalized" points=2 hint="direction * norm(weight, axis=0) / norm(direction, axis=0)"
fair_d, fair_w = inputs.normal(3, 3), inputs.normal(3, 3)
report(
    filter_normalized(fair_d, fair_w),
    mistakes={
        "The lengths were taken for each input (a row). The weights of one unit are a column: axis 0.": (
            lambda: (
                fair_d * jnp.linalg.norm(fair_w, axis=1, keepdims=True) / jnp.linalg.norm(fair_d, axis=1, keepdims=True)
            )
        ),
        "The lengths are those of the whole matrix. Each column has its own: axis=0.": (
            lambda: fair_d * jnp.linalg.norm(fair_w) / jnp.linalg.norm(fair_d)
        ),
        "The ratio is upside down: times the length of the weight's column, divided by that of the direction's.": (
            lambda: fair_d * jnp.linalg.norm(fair_d, axis=0) / jnp.linalg.norm(fair_w, axis=0)
        ),
        "The columns have length 1 now. Give them the length of the weight's columns.": (
            lambda: fair_d / jnp.linalg.norm(fair_d, axis=0)
        ),
        "The direction was not divided by its own lengths first.": lambda: fair_d * jnp.linalg.norm(fair_w, axis=0),
    },
)
report(filter_normalized(inputs.normal(4, 2), inputs.normal(4, 2)))

# %% name="filter_normalized-biases" tags=["hidden-test"] exercise="filter_normalized" points=1 hint="Zeros for arrays with fewer than two axes."
fair_d, fair_w = inputs.normal(3), inputs.normal(3)
report(
    filter_normalized(fair_d, fair_w),
    mistakes={"Biases stay where they are: for arrays with one axis the direction is 0.": lambda: fair_d},
)

# %% [markdown]
# On the left is the network that you trained. On the right is one of the same size, trained in the same way, but
# without shortcuts and norms. Both pictures use the same steps and the same scale.


# %% name="landscape" tags=["demo"]
def fair_direction(model, key):
    """A random direction in the space of the weights, filter-normalised: a tree like `model`."""
    return nn.paths.map_with_path(
        lambda path, w: filter_normalized(jax.random.normal(fold_in_name(key, path), w.shape), w), model
    )


def slice_through(loss, model, size=31):
    """The loss on a square around `model`, from -1 to 1 in two fair directions: steps (size,) and losses (size, size)."""
    u, v = fair_direction(model, jax.random.key(7)), fair_direction(model, jax.random.key(8))
    steps = jnp.linspace(-1, 1, size)

    def at(point):
        a, b = point
        moved = jax.tree.map(lambda w, u, v: w + a * u + b * v, model, u, v)
        return loss(moved, train_x[:500], train_y[:500])

    grid = jnp.stack(jnp.meshgrid(steps, steps), -1).reshape(-1, 2)  # rows: the second direction
    return steps, jax.jit(lambda grid: jax.lax.map(at, grid))(grid).reshape(size, size)


with skip_if_unfinished():
    plain, _ = train(deep_loss, deep_network(jax.random.key(0), depth=6, width=64), steps=500, rate=0.05)
    figures.landscapes(
        {
            "yours: shortcuts and LayerNorm": slice_through(digit_loss, trained()[0]),
            "without": slice_through(deep_loss, plain),
        }
    )

# %% [markdown]
# The lines mark the same losses in both pictures. In yours, a step as long as the weights themselves costs a nat or
# two. In the other the walls rise a hundred times as high, and the valley is narrow: the slope at one place says little
# about the slope a little further on, and the slope is all that gradient descent goes by. This is what the factors of
# section 3 look like from above.
#
# The picture does not show the other 30,000 directions. Two random directions will hardly ever point along the steepest
# one.
#
# ## Stretch: how sharp is it really?
#
# The curvature in a direction $v$ of length 1 is $v^T H v$, with $H$ the matrix of second derivatives. For 30,000
# weights $H$ has 900 million numbers, and nobody writes it down. But its product with one vector is cheap: it is the
# gradient of a slope.
#
# $$ H v \;=\; \nabla_w \big( \nabla_w L(w) \cdot v \big) $$
#
# A gradient of a gradient: you built it in notebook 02 (Pearlmutter, 1994). And products alone are enough to find the
# largest curvature: take any $v$, multiply by $H$, make it length 1, repeat. Each time the steepest direction gains on
# the others (power iteration).
#
# `grad` is an argument: the library's `mt.grad` or JAX's. Parameters and directions are trees.


# %% name="largest_curvature" tags=["exercise", "stretch"]
def dot(a, b):
    """The inner product of two trees of one structure."""
    return sum(ops.sum(x * y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b)))


def unit(v):
    """The tree `v`, made length 1."""
    length = ops.sqrt(dot(v, v))
    return jax.tree.map(lambda x: x / length, v)


def hessian_vector(grad, loss, params, v):
    """H v, a tree like `params`: the gradient, by `grad`, of the slope of `loss` along the tree `v`."""
    # BEGIN SOLUTION Stretch: return the gradient of (gradient of the loss, dot v), at params.
    return grad(lambda params: dot(grad(loss)(params), v))(params)
    # END SOLUTION


def largest_curvature(product, v, steps):
    """Power iteration with `product(v)` = H v, from a tree `v`: the curvature along the last direction, and that direction.

    The direction has length 1.
    """
    # BEGIN SOLUTION Stretch: as often as `steps` says, multiply by H and make the length 1; then return (v . H v, v).
    for _ in range(steps):
        v = unit(product(v))
    return dot(v, product(v)), v
    # END SOLUTION


# %% name="largest_curvature-check" tags=["check", "stretch"] exercise="largest_curvature"
A = jnp.array([[3.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, -1.0]])


def bowl(p):
    """A quadratic with the curvatures of A, and a cube."""
    return 0.5 * ops.sum(p["w"] * (A @ p["w"])) + ops.sum(p["b"] ** 3)


params, v = (
    {"b": jnp.array([2.0]), "w": jnp.array([1.0, -1.0, 2.0])},
    {"b": jnp.array([0.5]), "w": jnp.array([1.0, 0.0, 2.0])},
)
check(
    "H v of a quadratic and a cube",
    lambda: hessian_vector(mt.grad, bowl, params, v),
    lambda: {"b": 6 * params["b"] * v["b"], "w": A @ v["w"]},
    mistakes={
        "That is the gradient itself. Take the gradient of its inner product with v.": (
            lambda: jax.grad(lambda p: 0.5 * p["w"] @ A @ p["w"] + (p["b"] ** 3).sum())(params)
        ),
    },
)
check(
    "the largest curvature of the quadratic",
    lambda: largest_curvature(lambda v: A @ v, jnp.ones(3), 60)[0],
    lambda: jnp.linalg.eigvalsh(A)[-1],
    mistakes={
        "That is the square of the curvature: is one H too many in v . H v?": lambda: jnp.linalg.eigvalsh(A)[-1] ** 2
    },
)
check(
    "its direction has length 1",
    lambda: jnp.linalg.norm(largest_curvature(lambda v: A @ v, jnp.ones(3), 60)[1]),
    1.0,
)

# %% name="sharpest" tags=["demo"]
with skip_if_unfinished():
    model, _ = trained()

    def at_end(model):
        return digit_loss(model, train_x[:500], train_y[:500])

    product = jax.jit(lambda v: hessian_vector(mt.grad, at_end, model, v))
    curvature, sharpest = largest_curvature(product, fair_direction(model, jax.random.key(7)), 20)
    some = unit(fair_direction(model, jax.random.key(8)))
    print("ten times as curved as a random direction:", bool(curvature > 10 * dot(some, product(some))))
    figures.valley(at_end, model, {"steepest": sharpest, "random": some}, curvature)

# %% [markdown]
# The dashed line is the parabola with the curvature that you found: it fits near the bottom, but no further. Gradient
# descent with rate $\eta$ multiplies the distance from the bottom of a parabola of curvature $\lambda$ by $1 - \eta
# \lambda$: if $\eta$ is above $2/\lambda$, it climbs out instead of down. In full-batch training the largest curvature
# rises by itself until it reaches about $2/\eta$, and stays there (Cohen and others, 2021). Compare your curvature with
# $2/\eta$ for the rate of 0.1 above. (Here the curvature is smaller, and it falls while the loss falls.)
#
# ## In the wild
#
# | what you wrote | where it is in famous code |
# |---|---|
# | `Module`, a frozen dataclass that is a tree | equinox: `equinox/_module/_module.py` |
# | `Linear`, `dropout`, `layer_norm` | flax: `flax/nnx/nn/linear.py`, `stochastic.py`, `normalization.py` |
# | `variance_scaling` | jax: `jax/_src/nn/initializers.py`; PyTorch: `torch/nn/init.py` |
# | `gelu`, `log_sum_exp` | jax: `jax/_src/nn/functions.py`; autograd: `autograd/scipy/special.py`, with their rules |
# | `cross_entropy`, and label smoothing | optax: `optax/losses/_classification.py`, `_smoothing.py` |
# | the pullback of LayerNorm, in C and in CUDA | llm.c: `train_gpt2.c`; PyTorch: `aten/src/ATen/native/cuda/layer_norm_kernel.cu` |
# | all of it: gelu, norm, softmax without overflow, normalise then add | GPT-2: `src/model.py`, one file |
# | the fair direction | loss-landscape: `net_plotter.py` |
# | the largest curvature | PyHessian: `pyhessian/hessian.py` |
#
# A riddle: `torch/nn/modules/linear.py` initialises with `kaiming_uniform_(a=sqrt(5))`. Work out the variance (it is
# in section 3), and put `variance_scaling(1 / 3, "fan_in")` into your plot.
#
# ## References
#
# - S. Solla, E. Levin, M. Fleisher, "Accelerated learning in layered neural networks", 1988 (cross entropy against
#   squared error).
# - Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, "Efficient BackProp", 1998.
# - X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
# - K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers", 2015; "Deep residual learning for image
#   recognition", 2015.
# - S. Hochreiter, diploma thesis, 1991 (gradients that vanish).
# - J. Bridle, "Probabilistic interpretation of feedforward classification network outputs", 1990 (softmax and its
#   loss).
# - S. Ioffe, C. Szegedy, "Batch normalization", 2015; J. Ba, J. Kiros, G. Hinton, "Layer normalization", 2016; S.
#   Santurkar and others, "How does batch normalization help optimization?", 2018.
# - D. Hendrycks, K. Gimpel, "Gaussian error linear units", 2016.
# - N. Srivastava and others, "Dropout", 2014.
# - C. Szegedy and others, "Rethinking the Inception architecture", 2015 (label smoothing).
# - H. Li and others, "Visualizing the loss landscape of neural nets", 2018; L. Dinh and others, "Sharp minima can
#   generalize for deep nets", 2017.
# - B. Pearlmutter, "Fast exact multiplication by the Hessian", 1994; J. Cohen and others, "Gradient descent on neural
#   networks typically occurs at the edge of stability", 2021.
