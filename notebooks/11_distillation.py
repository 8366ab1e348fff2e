# %% [markdown]
# # 11 Distillation: what a teacher knows and does not say
#
# A large model looks at a picture and answers "seven". That is one word. But it has computed ten numbers: a seven,
# nearly certainly; if not, a nine; hardly a four; never a zero. A small model that wants to learn can learn more from
# the ten numbers than from the word. Geoffrey Hinton called the information in the other nine *dark knowledge*.
#
# **When you have finished you can**
#
# - make a teacher's doubts visible with a temperature, and draw which classes it finds similar;
# - compute how far apart two distributions are, forward and reverse, and say from a picture what each divergence does
#   to a student that is too small;
# - derive the gradient of distillation on paper, and say where the factor $T^2$ comes from;
# - match the hidden states of two models of different width and depth;
# - store a teacher's answers in a small part of the space that they would need;
# - show that a student with a teacher beats the same student alone, and show it over many students, not just one.
#
# ```
#   application     an assistant that runs on a phone
#   MLOps           runs, metrics, packages
#   hubs            large models, and the small ones made from them   <- you are here: one model learns from another
#   frameworks      ... with JAX, PyTorch, minitorch
#   clusters        where the large one was trained
#   hardware        where the small one has to fit
# ```
#
# Time: about 80 minutes. Before: notebook 03 (cross entropy) and 04 (training).

# %% name="imports"

import jax
import jax.numpy as jnp
import numpy as np

import minitorch as mt
from minitorch_course import check, inputs, my_solution, report, setup, skip_if_unfinished

setup()

cross_entropy = my_solution("cross_entropy", otherwise=mt.nn.cross_entropy)

# %% [markdown]
# ## 1. Ten numbers instead of a word
#
# Here is the teacher: a convolutional network of 21,386 numbers that learns scikit-learn's digits. `train_x` has only
# 1,437 pictures. To show the network more than that, each picture is shifted by up to a pixel every time it is used.
# The 360 pictures of `test_x` are held out.
#
# `learn` is the loop of notebook 04, compiled as one function. It minimises `loss(params, *batch(key))`, with your own
# Adam and schedule if you wrote them.


# %% name="learning" tags=["demo"]
from minitorch_course.figures import distillation as figures

scale_by_adam = my_solution("scale_by_adam", otherwise=mt.optim.scale_by_adam)
warmup_cosine = my_solution(
    "warmup_cosine",
    otherwise=lambda peak, warmup, total, end=0.0: mt.optim.warmup_cosine_decay_schedule(0.0, peak, warmup, total, end),
)
(train_x, train_y), (test_x, test_y) = (
    (jnp.asarray(x), jnp.asarray(y))
    for x, y in mt.data.stratified_split(*mt.data.load_digits(), validation=0.2, seed=0)
)


def learn(loss, params, batch, steps, peak, key):
    """The parameters after some steps of Adam, each on a fresh batch."""
    optimizer = mt.optim.chain(
        mt.optim.clip_by_global_norm(1.0),
        scale_by_adam(0.9, 0.99),
        mt.optim.scale_by_learning_rate(warmup_cosine(peak, steps // 10, steps)),
    )

    def step(carry, i):
        params, state = carry
        gradient = mt.grad(loss)(params, *batch(jax.random.fold_in(key, i)))
        updates, state = optimizer.update(gradient, state, params)
        return (mt.optim.apply_updates(params, updates), state), None

    (params, _), _ = jax.lax.scan(step, (params, optimizer.init(params)), jnp.arange(steps))
    return params


def moved(images, key):
    """Each picture moved by up to one pixel."""
    padded = jnp.pad(images, ((0, 0), (1, 1), (1, 1)))
    corners = jax.random.randint(key, (len(images), 2), 0, 3)
    return jax.vmap(lambda image, corner: jax.lax.dynamic_slice(image, corner, (8, 8)))(padded, corners)


def moved_digits(key):
    """64 pictures, moved, and their labels."""
    rows = jax.random.randint(key, (64,), 0, len(train_x))
    return moved(train_x[rows], jax.random.fold_in(key, 1)), train_y[rows]


@jax.jit
def taught_by_labels(key):
    config = mt.models.ConvNetConfig(size=8, hidden=(32, 64))
    start = mt.models.ConvNet.init(key, config)
    return learn(lambda model, x, y: cross_entropy(model(x), y), start, moved_digits, 200, 6e-3, key)


@jax.jit
def ask(model, x):
    return model(x)


@jax.jit
def accuracy(model, x, y):
    return mt.nn.accuracy(model(x), y)


teacher = taught_by_labels(jax.random.key(0))
print("the teacher reads at least 98 % of the held-out digits:", bool(accuracy(teacher, test_x, test_y) >= 0.98))

# %% [markdown]
# Here are two held-out pictures where the teacher has doubts and two where it is sure, each with the teacher's
# probabilities; the label is orange. On the right its logits are divided by 4 before the softmax. Look at the middle
# column, and then at the right one: which of the two would you rather learn from?


# %% name="opinions" tags=["demo"]
def first_of_digits(rows, count):
    """The first pictures among `rows` that are of different digits."""
    return rows[np.sort(np.unique(np.asarray(test_y)[rows], return_index=True)[1])][:count]


logits = np.asarray(ask(teacher, test_x))
second = np.sort(jax.nn.softmax(logits), axis=1)[:, -2]
read = np.flatnonzero(logits.argmax(1) == test_y)
by_doubt = read[np.argsort(-second[read])]  # Rightly read, the most doubtful first.
chosen = np.concatenate([first_of_digits(by_doubt, 2), first_of_digits(by_doubt[len(by_doubt) // 3 :], 2)])
seen = logits[chosen]
figures.opinions(
    test_x[chosen], test_y[chosen].tolist(), {"T = 1": jax.nn.softmax(seen), "T = 4": jax.nn.softmax(seen / 4)}
)

# %% [markdown]
# ## 2. Temperature makes doubts visible
#
# Let's take numbers that we can follow by hand. A teacher sees the picture of a cat, and its logits are
#
# | | cat | lynx | dog | truck | carrot |
# |---|---|---|---|---|---|
# | logit | 10 | 6 | 4 | -2 | -4 |
# | $T = 1$ | 0.980 | 0.018 | 0.002 | 0.000006 | 0.0000008 |
# | $T = 4$ | 0.598 | 0.220 | 0.134 | 0.030 | 0.018 |
#
# At $T = 1$ the teacher says "cat", and almost nothing else: the student's loss is nearly the same whether its second
# choice is the lynx or the carrot. Yet the teacher does know the difference: it finds the lynx 22,000 times as likely
# as the carrot. Divide all logits by $T$ before the softmax, and every ratio is raised to the power $1/T$:
#
# $$p_i = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}}$$
#
# These are the **soft targets** of Hinton, Vinyals and Dean (2015). The *order* of the classes stays. What changes is
# how much weight the small ones get. (You met the same formula in notebook 09, where it made sampled text more daring.)
#
# Predict: what do the five numbers become as $T$ grows without bound?
#
# ### Exercise 1: soft targets


# %% name="made-up"
ANIMALS = ["cat", "lynx", "dog", "truck", "carrot"]
TEACHER = jnp.array([10.0, 6.0, 4.0, -2.0, -4.0])
TWO_ROWS = jnp.stack([TEACHER, jnp.array([1.0, 3.0, 7.0, 2.0, 0.0])])
STUDENT = jnp.array([[6.0, 1.0, 5.0, 0.0, 2.0], [2.0, 5.0, 3.0, 1.0, -1.0]])


# %% name="soft_targets" tags=["exercise"]
def soft_targets(logits, t):
    """Probabilities at a temperature.

    Args:
      logits: an array (..., C); each row along the last axis is one example.
      t: a number above 0. The logits are divided by it.

    Returns:
      An array (..., C); each row sums to 1.
    """
    # BEGIN SOLUTION Exercise 1: softmax along the last axis of logits / t (jax.nn.softmax is at hand).
    return jax.nn.softmax(logits / t, axis=-1)
    # END SOLUTION


# %% name="soft_targets-check" tags=["check"] exercise="soft_targets"
check(
    "the cat at T = 4",
    lambda: soft_targets(TEACHER, 4.0),
    np.array([0.59845, 0.22016, 0.13353, 0.02979, 0.01807], np.float32),
    rtol=1e-3,
    mistakes={
        "The logits were multiplied by t, which hides the doubts still better. Divide.": lambda: jax.nn.softmax(
            4 * TEACHER
        ),
        "The temperature has no effect.": lambda: jax.nn.softmax(TEACHER),
        "Probabilities were divided by t, so that they no longer sum to 1. Divide the logits, before the softmax.": (
            lambda: jax.nn.softmax(TEACHER) / 4
        ),
        "These are the divided logits. Softmax makes probabilities of them.": lambda: TEACHER / 4,
        "The softmax came first, and one of its results. Divide the logits, and take the softmax once.": lambda: (
            jax.nn.softmax(jax.nn.softmax(TEACHER) / 4)
        ),
    },
)
check(
    "each row is an example of its own",
    lambda: soft_targets(TWO_ROWS, 2.0),
    lambda: jax.nn.softmax(TWO_ROWS / 2),
    mistakes={
        "Columns sum to 1. Each row is one example: take the softmax along the last axis.": lambda: jax.nn.softmax(
            TWO_ROWS / 2, axis=0
        ),
        "All rows together sum to 1. Take the softmax along the last axis.": lambda: jax.nn.softmax(
            TWO_ROWS / 2, axis=None
        ),
    },
)

# %% name="soft_targets-rows" tags=["hidden-test"] exercise="soft_targets" points=3 hint="Divide the logits by t, then take the softmax along the last axis."
warm, t = 3.0 * inputs.normal(2, 3, 5), inputs.uniform(low=2.2, high=3.8).item()
report(
    soft_targets(warm, t),
    mistakes={
        "The logits were multiplied by t, which hides the doubts still better. Divide.": lambda: jax.nn.softmax(
            warm * t
        ),
        "The temperature has no effect.": lambda: jax.nn.softmax(warm),
        "Probabilities were divided by t, so that they no longer sum to 1. Divide the logits, before the softmax.": (
            lambda: jax.nn.softmax(warm) / t
        ),
        "The softmax came first, and one of its results. Divide the logits, and take the softmax once.": lambda: (
            jax.nn.softmax(jax.nn.softmax(warm) / t)
        ),
        "Columns sum to 1. Each row is one example: take the softmax along the last axis.": lambda: jax.nn.softmax(
            warm / t, axis=0
        ),
        "All rows together sum to 1. Take the softmax along the last axis.": lambda: jax.nn.softmax(
            warm / t, axis=None
        ),
    },
)

# %% [markdown]
# ## 3. What a teacher finds alike
#
# Take all pictures of a seven. On average, how much probability does the teacher give to each *other* digit? Remove
# what it gives to seven itself, and scale the rest to sum to 1. Here is an example with three classes:
#
# | three pictures of class 0 | 0 | 1 | 2 |
# |---|---|---|---|
# | first | 0.90 | 0.06 | 0.04 |
# | second | 0.60 | 0.38 | 0.02 |
# | third | 0.80 | 0.16 | 0.04 |
# | sum | 2.30 | 0.60 | 0.10 |
# | its own struck out | - | 0.60 | 0.10 |
# | made to sum to 1 | 0 | **0.857** | **0.143** |
#
# One such row for each class makes a table. Nobody taught the teacher what is in this table: the labels that it learned
# from say nothing about it.
#
# Predict before you look at the picture: is a table like this symmetric? If an eight looks like a one to the teacher,
# does a one look like an eight?
#
# ### Exercise 2: kinship
#
# `jax.nn.one_hot(labels, C)` is a matrix (N, C) with a 1 in the column of each example's class. Its transpose times the
# probabilities adds up the rows of each class.


# %% name="kinship" tags=["exercise"]
def kinship(probabilities, labels):
    """What a teacher finds alike.

    Args:
      probabilities: (N, C), what the teacher says of N pictures.
      labels: (N,), the true class of each, integers from 0 to C - 1.

    Returns:
      An array (C, C). Row i belongs to the pictures whose true class is i: the probability that they give to each other
      class, over all that they give to other classes. The diagonal is 0, and each row sums to 1; the row of a class
      without a picture is all 0.
    """
    # BEGIN SOLUTION Exercise 2: sum the probabilities of each true class, strike out the diagonal, divide each row by its sum.
    C = probabilities.shape[1]
    sums = jax.nn.one_hot(labels, C).T @ probabilities  # (C, C)
    others = sums * (1 - jnp.eye(C))
    total = others.sum(axis=1, keepdims=True)
    return jnp.where(total > 0, others / total, 0.0)
    # END SOLUTION


# %% name="kinship-check" tags=["check"] exercise="kinship"
SAID = jnp.array([[0.9, 0.06, 0.04], [0.6, 0.38, 0.02], [0.1, 0.7, 0.2], [0.8, 0.16, 0.04], [0.3, 0.5, 0.2]])
TRUE = jnp.array([0, 0, 1, 0, 1])


def each_first(said, true):
    """The table if each picture's other classes are made to sum to 1 at first."""
    belongs = jax.nn.one_hot(true, said.shape[1])
    others = said * (1 - belongs)
    others = belongs.T @ (others / others.sum(1, keepdims=True))
    return others / jnp.maximum(others.sum(1, keepdims=True), 1e-9)


check(
    "the table above, with two pictures of class 1 and none of class 2",
    lambda: kinship(SAID, TRUE),
    np.array([[0.0, 0.6 / 0.7, 0.1 / 0.7], [0.5, 0.0, 0.5], [0.0, 0.0, 0.0]], np.float32),
    mistakes={
        "The class itself is still there, and it drowns the others. Set the diagonal to 0 before you divide.": (
            np.array([[2.3 / 3, 0.2, 0.1 / 3], [0.2, 0.6, 0.2], [0.0, 0.0, 0.0]], np.float32)
        ),
        "Rows and columns are exchanged: row i belongs to the pictures whose true class is i.": np.array(
            [[0.0, 0.5, 0.0], [0.6 / 0.7, 0.0, 0.0], [0.1 / 0.7, 0.5, 0.0]], np.float32
        ),
        "The rows do not sum to 1. Divide each by its sum.": np.array(
            [[0.0, 0.6, 0.1], [0.4, 0.0, 0.4], [0.0, 0.0, 0.0]], np.float32
        ),
        "These are means, and the rows do not sum to 1. Divide each row by its sum.": np.array(
            [[0.0, 0.2, 0.1 / 3], [0.2, 0.0, 0.2], [0.0, 0.0, 0.0]], np.float32
        ),
        "The row of a class without a picture is NaN: 0 / 0. Let it be 0.": np.array(
            [[0.0, 0.6 / 0.7, 0.1 / 0.7], [0.5, 0.0, 0.5], [np.nan] * 3], np.float32
        ),
        "Each column was divided by its sum. The rows are to sum to 1.": np.array(
            [[0.0, 1.0, 0.2], [1.0, 0.0, 0.8], [0.0, 0.0, 0.0]], np.float32
        ),
        "Each picture was made to sum to 1 before they were added. Add first: a picture that leaves no doubt says"
        " little.": lambda: each_first(SAID, TRUE),
    },
)


check(
    "the second best of each picture is not all that counts",
    lambda: kinship(
        jnp.array([[0.5, 0.3, 0.2], [0.6, 0.25, 0.15], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8]]), jnp.array([0, 0, 1, 2])
    ),
    np.array([[0.0, 0.55 / 0.9, 0.35 / 0.9], [2 / 3, 0.0, 1 / 3], [0.5, 0.5, 0.0]], np.float32),
    mistakes={
        "Only the most likely other class of each picture was counted. Add up the probabilities.": np.array(
            [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], np.float32
        ),
        "Each picture was made to sum to 1 before they were added. Add first: a picture that leaves no doubt says"
        " little.": lambda: each_first(
            jnp.array([[0.5, 0.3, 0.2], [0.6, 0.25, 0.15], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8]]), jnp.array([0, 0, 1, 2])
        ),
    },
)

# %% name="kinship-table" tags=["hidden-test"] exercise="kinship" points=4 hint="Row i adds up the pictures of class i; its own class is struck out; then each row is divided by its sum."
said = jax.nn.softmax(2.0 * inputs.normal(12, 4))
true = jnp.concatenate([jnp.arange(4), inputs.integers(8, low=0, high=4)])
belongs = jax.nn.one_hot(true, 4)
added = belongs.T @ said
struck = added * (1 - jnp.eye(4))
counted = belongs.T @ jax.nn.one_hot(jnp.argmax(said * (1 - belongs), axis=1), 4)
alone = said * (1 - belongs)
alone = belongs.T @ (alone / alone.sum(1, keepdims=True))
report(
    kinship(said, true),
    mistakes={
        "The class itself is still there, and it drowns the others. Set the diagonal to 0 before you divide.": lambda: (
            added / added.sum(1, keepdims=True)
        ),
        "Rows and columns are exchanged: row i belongs to the pictures whose true class is i.": lambda: (
            (struck / struck.sum(1, keepdims=True)).T
        ),
        "The rows do not sum to 1. Divide each by its sum.": lambda: struck,
        "These are means, and the rows do not sum to 1. Divide each row by its sum.": lambda: (
            struck / belongs.sum(0)[:, None]
        ),
        "Each column was divided by its sum. The rows are to sum to 1.": lambda: struck / struck.sum(0),
        "Only the most likely other class of each picture was counted. Add up the probabilities.": lambda: (
            counted / counted.sum(1, keepdims=True)
        ),
        "Each picture was made to sum to 1 before they were added. Add first: a picture that leaves no doubt says"
        " little.": lambda: alone / alone.sum(1, keepdims=True),
    },
)

# %% name="kinship-missing" tags=["hidden-test"] exercise="kinship" points=1 hint="Divide only where the sum of a row is above 0."
few = jax.nn.softmax(inputs.normal(6, 5))
seen = inputs.permutation(5)[:3]
kin = few * (1 - jax.nn.one_hot(jnp.tile(seen, 2), 5))
kin = jnp.zeros((5, 5)).at[jnp.tile(seen, 2)].add(kin)
report(
    kinship(few, jnp.tile(seen, 2)),
    mistakes={
        "The row of a class without a picture is NaN: 0 / 0. Let it be 0.": lambda: kin / kin.sum(1, keepdims=True),
    },
)

# %% name="kinship-seen" tags=["demo"]
with skip_if_unfinished():
    figures.kinship(kinship(soft_targets(ask(teacher, train_x), 4.0), train_y))

# %% [markdown]
# For a five, the largest share of the rest goes to the three. A two also gives most to the three, and a six gives most
# to the four. (They are 8 by 8 pixels.) And the table is not symmetric: a one gives the eight about twice as much as an
# eight gives the one. The labels say none of this. For the labels, a one is as far from an eight as from a seven.

# %% [markdown]
# ## 4. How far apart are two opinions?
#
# The student's probabilities should come near the teacher's. "Near" is measured by the **Kullback-Leibler divergence**
# (1951):
#
# $$\mathrm{KL}(p \,\Vert\, q) = \sum_i p_i \,(\log p_i - \log q_i)$$
#
# It is 0 when the two agree everywhere, and above 0 otherwise. It also has a direction: the first distribution decides
# how much each class counts. Take
#
# | | a | b | c |
# |---|---|---|---|
# | teacher $p$ | 0.49 | 0.49 | 0.02 |
# | student $q$ | 0.90 | 0.05 | 0.05 |
#
# - **Forward**, $\mathrm{KL}(p \Vert q)$: $0.49 \log\frac{0.49}{0.9} + 0.49 \log\frac{0.49}{0.05} + 0.02
#   \log\frac{0.02}{0.05} = -0.298 + 1.118 - 0.018 = 0.802$ nats. The teacher often says b, and the student almost rules
#   b out: that is expensive.
# - **Reverse**, $\mathrm{KL}(q \Vert p)$: $0.547 - 0.114 + 0.046 = 0.479$ nats. What the student says, the teacher
#   would have said too. The student hardly ever says b, but that costs little.
#
# So forward wants the student to **cover** all that the teacher might say, and reverse wants it to say **nothing that
# the teacher would not**. When the student is large enough to agree with the teacher, the direction makes no
# difference. When the student is too small, the direction decides what it learns. Predict before you look at the
# picture below the exercise: the teacher has two hills, and the student can only be one hill. Where does the student go
# with forward, and where with reverse?
#
# ### Exercise 3: divergence
#
# Work with logarithms all the way: `mt.ops.log_softmax(x)` gives $\log p$ along the last axis. The logarithm of a
# probability that has been rounded to 0 is $-\infty$, and $0 \cdot (-\infty)$ is NaN. Use the operations of `mt.ops`
# (`exp`, `sum`), so that gradients can flow through.


# %% name="divergence" tags=["exercise"] forbids=["minitorch.compress.distill.kl_divergence"]
def divergence(student, teacher, t, reverse=False):
    """KL divergence of what two models say.

    Args:
      student, teacher: logits (..., C).
      t: the temperature that both are divided by.
      reverse: False for KL(teacher || student), True for KL(student || teacher).

    Returns:
      An array (...), in nats: one number for each row.
    """
    # BEGIN SOLUTION Exercise 3: the logs of both distributions at t; exchange them if reverse; sum exp(log p) * (log p - log q) over the classes.
    p, q = mt.ops.log_softmax(teacher / t), mt.ops.log_softmax(student / t)
    if reverse:
        p, q = q, p
    return mt.ops.sum(mt.ops.exp(p) * (p - q), axis=-1)
    # END SOLUTION


# %% name="divergence-check" tags=["check"] exercise="divergence"
P, Q = jnp.log(jnp.array([0.49, 0.49, 0.02])), jnp.log(jnp.array([0.9, 0.05, 0.05]))


def slip(student, teacher, name):
    """The divergence at temperature 1, with a mistake."""
    p, q = jax.nn.log_softmax(teacher), jax.nn.log_softmax(student)
    return {
        "forward": (jnp.exp(p) * (p - q)).sum(-1),
        "reverse": (jnp.exp(q) * (q - p)).sum(-1),
        "entropy": -(jnp.exp(p) * q).sum(-1),
        "negative": (jnp.exp(p) * (q - p)).sum(-1),
        "mean": (jnp.exp(p) * (p - q)).mean(-1),
        "terms": jnp.exp(p) * (p - q),
        "mixed": (jnp.exp(q) * (p - q)).sum(-1),
    }[name]


check(
    "forward, by hand: 0.802",
    lambda: divergence(Q, P, 1.0),
    0.8023,
    rtol=1e-3,
    mistakes={
        "This is the reverse one. Without `reverse` the teacher stands in front: KL(teacher || student).": lambda: slip(
            Q, P, "reverse"
        ),
        "This is the cross entropy: the teacher's own entropy is to be taken off, p * log p as well as p * log q.": (
            lambda: slip(Q, P, "entropy")
        ),
        "The sign: a divergence is never negative. It is log p - log q.": lambda: slip(Q, P, "negative"),
        "The classes were averaged. Sum over them: p is what makes a mean of it already.": lambda: slip(Q, P, "mean"),
        "The terms are not added up: sum over the last axis.": lambda: slip(Q, P, "terms"),
        "The wrong one weighs: p stands in front of log p - log q, and not q.": lambda: slip(Q, P, "mixed"),
    },
)
check(
    "reverse, by hand: 0.479",
    lambda: divergence(Q, P, 1.0, reverse=True),
    0.4790,
    rtol=1e-3,
    mistakes={
        "`reverse` changes nothing.": lambda: slip(Q, P, "forward"),
        "Only the weights were exchanged: with q in front it is log q - log p.": lambda: slip(Q, P, "mixed"),
        "The classes were averaged. Sum over them: p is what makes a mean of it already.": lambda: (
            slip(Q, P, "reverse") / 3
        ),
        "This is the cross entropy: the teacher's own entropy is to be taken off, p * log p as well as p * log q.": (
            lambda: slip(P, Q, "entropy")
        ),
    },
)
check(
    "two rows at T = 2, one number each",
    lambda: divergence(STUDENT, TWO_ROWS, 2.0),
    lambda: slip(STUDENT / 2, TWO_ROWS / 2, "forward"),
    mistakes={
        "The temperature has no effect.": lambda: slip(STUDENT, TWO_ROWS, "forward"),
        "Only the teacher was divided by t. Both are.": lambda: slip(STUDENT, TWO_ROWS / 2, "forward"),
        "Only the student was divided by t. Both are.": lambda: slip(STUDENT / 2, TWO_ROWS, "forward"),
        "All rows were added up. Sum over the classes alone, the last axis.": lambda: slip(
            STUDENT / 2, TWO_ROWS / 2, "forward"
        ).sum(),
        "The result is multiplied by t squared. That belongs to the loss, in exercise 5.": lambda: (
            4 * slip(STUDENT / 2, TWO_ROWS / 2, "forward")
        ),
    },
)
check(
    "a class that a model has ruled out: 200 nats apart, and no NaN",
    lambda: [divergence(a, b, 1.0) for a, b in ((jnp.array([0.0, 200.0]), jnp.array([200.0, 0.0])),)],
    [200.0],
    mistakes={
        "A probability was rounded to 0 before its logarithm was taken. Take log_softmax of the logits.": [
            np.float32(np.nan)
        ],
        "The logarithm of a rounded 0 is infinite. Take log_softmax of the logits.": [np.float32(np.inf)],
    },
)

# %% name="divergence-forward" tags=["hidden-test"] exercise="divergence" points=3 hint="KL(teacher || student): exp(log p) * (log p - log q), summed over the last axis, with p the teacher's."
ours, theirs = 2.0 * inputs.normal(2, 3, 4), 2.0 * inputs.normal(2, 3, 4)
t = inputs.uniform(low=1.6, high=2.4).item()


def slipped(name, student=None, teacher=None):
    """A mistake at the temperature t."""
    p = jax.nn.log_softmax(theirs / t if teacher is None else teacher)
    q = jax.nn.log_softmax(ours / t if student is None else student)
    return {
        "reverse": (jnp.exp(q) * (q - p)).sum(-1),
        "entropy": -(jnp.exp(p) * q).sum(-1),
        "negative": (jnp.exp(p) * (q - p)).sum(-1),
        "mixed": (jnp.exp(q) * (p - q)).sum(-1),
        "forward": (jnp.exp(p) * (p - q)).sum(-1),
    }[name]


report(
    divergence(ours, theirs, t),
    mistakes={
        "This is the reverse one. Without `reverse` the teacher stands in front: KL(teacher || student).": lambda: (
            slipped("reverse")
        ),
        "This is the cross entropy: the teacher's own entropy is to be taken off, p * log p as well as p * log q.": (
            lambda: slipped("entropy")
        ),
        "The sign: a divergence is never negative. It is log p - log q.": lambda: slipped("negative"),
        "The wrong one weighs: p stands in front of log p - log q, and not q.": lambda: slipped("mixed"),
        "The classes were averaged. Sum over them: p is what makes a mean of it already.": lambda: (
            slipped("forward") / 4
        ),
        "All rows were added up. Sum over the classes alone, the last axis.": lambda: slipped("forward").sum(),
        "The temperature has no effect.": lambda: slipped("forward", ours, theirs),
        "Only the teacher was divided by t. Both are.": lambda: slipped("forward", ours),
        "Only the student was divided by t. Both are.": lambda: slipped("forward", None, theirs),
        "The result is multiplied by t squared. That belongs to the loss, in exercise 5.": lambda: (
            t * t * slipped("forward")
        ),
    },
)

# %% name="divergence-reverse" tags=["hidden-test"] exercise="divergence" points=2 hint="KL(student || teacher): the same sum with the two exchanged."
mine, yonder = 2.0 * inputs.normal(4, 3), 2.0 * inputs.normal(4, 3)
by_mine, by_yonder = jax.nn.log_softmax(mine / 1.5), jax.nn.log_softmax(yonder / 1.5)
report(
    divergence(mine, yonder, 1.5, reverse=True),
    mistakes={
        "`reverse` changes nothing.": lambda: (jnp.exp(by_yonder) * (by_yonder - by_mine)).sum(-1),
        "Only the weights were exchanged: with q in front it is log q - log p.": lambda: (
            jnp.exp(by_mine) * (by_yonder - by_mine)
        ).sum(-1),
        "This is the cross entropy: the teacher's own entropy is to be taken off, p * log p as well as p * log q.": (
            lambda: -(jnp.exp(by_mine) * by_yonder).sum(-1)
        ),
    },
)

# %% name="divergence-sure" tags=["hidden-test"] exercise="divergence" points=1 hint="Take log_softmax of the logits, and never the logarithm of a probability."
far = inputs.uniform(low=150.0, high=250.0).item()
report(
    divergence(jnp.array([[0.0, far, far]]), jnp.array([[far, far - 1.0, 0.0]]), 1.0),
    mistakes={
        "A probability was rounded to 0 before its logarithm was taken. Take log_softmax of the logits.": np.array(
            [np.nan], np.float32
        ),
        "The logarithm of a rounded 0 is infinite. Take log_softmax of the logits.": np.array([np.inf], np.float32),
    },
)

# %% name="hills" tags=["demo"]
positions = jnp.linspace(-6.0, 6.0, 61)
two_hills = jnp.logaddexp(jnp.log(0.6) - (positions + 2.5) ** 2 / 1.3, jnp.log(0.4) - (positions - 2.5) ** 2 / 1.3)
means, widths = jnp.meshgrid(jnp.linspace(-4.0, 4.0, 81), jnp.linspace(0.4, 4.0, 37))
one_hill = -((positions - means.reshape(-1, 1)) ** 2) / (2 * widths.reshape(-1, 1) ** 2)  # (2997, 61): all students

with skip_if_unfinished():
    best = {
        name: jax.nn.softmax(one_hill[jnp.argmin(divergence(one_hill, two_hills, 1.0, reverse))])
        for name, reverse in (("forward", False), ("reverse", True))
    }
    figures.hills(positions, jax.nn.softmax(two_hills), best)

# %% [markdown]
# Forward covers both hills, and its own peak is in the valley, where the teacher has almost no probability. Reverse
# sits on the higher hill and forgets the other. Neither is right; the student is too small. A language model that
# generates text should not generate what is in the valley. This is why small ones are often trained with the reverse
# divergence, or with a mixture (MiniLLM and GKD, both 2023). But if people will use a classifier's probabilities,
# reverse makes it too sure of itself.

# %% [markdown]
# ## 5. The gradient, on paper
#
# Which gradient does the student get? Let $z$ be its logits for one example, $q = \mathrm{softmax}(z / T)$, and $p$ the
# teacher's probabilities at the same temperature. In $\mathrm{KL}(p \Vert q)$ only $-\sum_i p_i \log q_i$ depends on
# $z$. With $\log q_i = z_i/T - \log \sum_j e^{z_j/T}$:
#
# $$\frac{\partial\, \mathrm{KL}}{\partial z_i} = \frac{1}{T}\,(q_i - p_i)$$
#
# It is the gradient of cross entropy, with the teacher's probabilities in place of the one-hot label. The sum over $i$
# is 0: what one class gains, the others lose.
#
# Now let $T$ grow. Then $q_i$ and $p_i$ both go to $1/C$, and their difference shrinks like $1/T$ as well:
# $e^{z/T} \approx 1 + z/T$ gives
#
# $$\frac{\partial\, \mathrm{KL}}{\partial z_i} \approx \frac{1}{T^2}\,\frac{1}{C}\,
# \big((z_i - \bar z) - (v_i - \bar v)\big)$$
#
# where $v$ are the teacher's logits, and a bar means the mean over classes. This line says two things.
#
# - The gradient shrinks as **$1/T^2$**. Multiply the loss by $T^2$, and the size of the gradient no longer depends on
#   $T$. If you forget the factor, the learning rate of the soft part is 16 times too small at $T = 4$, and you will
#   blame distillation.
# - At high temperature distillation is **least squares between logits** (the gradient of
#   $\frac{1}{2C} \sum_i (z_i - v_i)^2$, apart from the means). Ba and Caruana (2014) had trained students in just this
#   way. Low temperatures ignore the logits of classes that are far behind; high temperatures want all logits right,
#   noise included.
#
# Predict: for one example with $q = (0.5, 0.3, 0.2)$, $p = (0.7, 0.2, 0.1)$ and $T = 2$, what is the gradient of
# $T^2\,\mathrm{KL}$?
#
# ### Exercise 4: the gradient by hand


# %% name="soft_gradient" tags=["exercise"]
def soft_gradient(student, teacher, t):
    """The gradient of distillation, without an automatic derivative.

    Args:
      student, teacher: logits (N, C) of N examples.
      t: the temperature.

    Returns:
      An array (N, C): the derivative, with respect to the student's logits, of t squared times the mean over the N
      examples of KL(teacher || student) at the temperature t.
    """
    # BEGIN SOLUTION Exercise 4: from (q - p) / t for one example's divergence; mind the factor t squared and the mean over N.
    q, p = jax.nn.softmax(student / t), jax.nn.softmax(teacher / t)
    return t * (q - p) / len(student)
    # END SOLUTION


# %% name="soft_gradient-check" tags=["check"] exercise="soft_gradient"
def log(*probabilities):
    """Logits (1, C) that stand for these probabilities at temperature 2."""
    return 2 * jnp.log(jnp.array([probabilities]))


check(
    "one example at T = 2: 2 (q - p)",
    lambda: soft_gradient(log(0.5, 0.3, 0.2), log(0.7, 0.2, 0.1), 2.0),
    np.array([[-0.4, 0.2, 0.2]], np.float32),
    mistakes={
        "The sign: where the student says too little, q < p, its logit must grow, so the gradient is negative.": np.array(
            [[0.4, -0.2, -0.2]], np.float32
        ),
        "This is the gradient of the divergence without the factor t squared.": np.array(
            [[-0.1, 0.05, 0.05]], np.float32
        ),
        "A factor 1 / t is missing: the logits were divided by t on their way into the softmax, and the chain rule asks"
        " for it.": np.array([[-0.8, 0.4, 0.4]], np.float32),
        "The temperature's factors are missing: t squared of the loss, times 1 / t of the chain rule, leave t.": np.array(
            [[-0.2, 0.1, 0.1]], np.float32
        ),
    },
)
check(
    "two examples: what mt.grad says of your divergence",
    lambda: soft_gradient(STUDENT, TWO_ROWS, 3.0),
    lambda: mt.grad(lambda s: 9.0 * mt.ops.mean(divergence(s, TWO_ROWS, 3.0)))(STUDENT),
    mistakes={
        "The loss is a mean over examples: divide by their number.": lambda: (
            3 * (jax.nn.softmax(STUDENT / 3) - jax.nn.softmax(TWO_ROWS / 3))
        ),
        "It was divided by the number of all logits. The divergence sums over classes: divide by the examples.": lambda: (
            3 * (jax.nn.softmax(STUDENT / 3) - jax.nn.softmax(TWO_ROWS / 3)) / 10
        ),
        "It was divided by the number of classes. Divide by the number of examples.": lambda: (
            3 * (jax.nn.softmax(STUDENT / 3) - jax.nn.softmax(TWO_ROWS / 3)) / 5
        ),
        "The probabilities are those at temperature 1: divide the logits by t first.": lambda: (
            3 * (jax.nn.softmax(STUDENT) - jax.nn.softmax(TWO_ROWS)) / 2
        ),
    },
)

# %% name="soft_gradient-rows" tags=["hidden-test"] exercise="soft_gradient" points=4 hint="t * (q - p) / N, with q and p at the temperature t."
z, v, t = 2.0 * inputs.normal(3, 4), 2.0 * inputs.normal(3, 4), inputs.uniform(low=2.5, high=3.5).item()
difference = jax.nn.softmax(z / t) - jax.nn.softmax(v / t)
report(
    soft_gradient(z, v, t),
    mistakes={
        "The sign: where the student says too little, q < p, its logit must grow, so the gradient is negative.": lambda: (
            -t * difference / 3
        ),
        "This is the gradient of the divergence without the factor t squared.": lambda: difference / t / 3,
        "A factor 1 / t is missing: the logits were divided by t on their way into the softmax, and the chain rule asks"
        " for it.": lambda: t**2 * difference / 3,
        "The temperature's factors are missing: t squared of the loss, times 1 / t of the chain rule, leave t.": lambda: (
            difference / 3
        ),
        "The loss is a mean over examples: divide by their number.": lambda: t * difference,
        "It was divided by the number of all logits. The divergence sums over classes: divide by the examples.": lambda: (
            t * difference / 12
        ),
        "It was divided by the number of classes. Divide by the number of examples.": lambda: t * difference / 4,
        "The probabilities are those at temperature 1: divide the logits by t first.": lambda: (
            t * (jax.nn.softmax(z) - jax.nn.softmax(v)) / 3
        ),
    },
)

# %% [markdown]
# How large is the gradient with and without the factor, for a student and a teacher with a hundred classes?

# %% name="sizes" tags=["demo"]
with skip_if_unfinished():
    z, v = 3.0 * jax.random.normal(jax.random.key(0), (2, 64, 100))
    temperatures = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    with_factor = np.array([jnp.linalg.norm(soft_gradient(z, v, float(t))) for t in temperatures])
    figures.sizes(temperatures, {"T² KL": with_factor, "KL alone": with_factor / temperatures**2})

# %% [markdown]
# The upper line is flat from $T = 8$ on. Before that it falls, and for a good reason: at a low temperature the student
# and the teacher are sure of different classes, so their probabilities differ a lot.
#
# ## 6. Two teachers: the label and the model
#
# If you have a label, you need not throw it away. The usual loss mixes the two:
#
# $$L = \alpha\; T^2\, \mathrm{KL}\big(p^{(T)} \,\Vert\, q^{(T)}\big) \;+\;
# (1 - \alpha)\; \mathrm{CE}\big(q^{(1)}, y\big)$$
#
# People forget these three details so often that each has its own message below:
#
# - $T^2$ multiplies **only** the soft part;
# - the hard part is at temperature **1**, because the student will be used at temperature 1;
# - both parts are means over the examples.
#
# Some papers write $\alpha$ before the hard part. Read the formula, not the letter.
#
# ### Exercise 5: the loss


# %% name="distillation_loss" tags=["exercise"] forbids=["minitorch.compress.distill.logits_loss"]
def distillation_loss(student, teacher, labels, t, soft):
    """What a student with a teacher and labels minimises.

    Args:
      student, teacher: logits (..., C).
      labels: integers (...), the true classes.
      t: the temperature of the soft part.
      soft: the share of the soft part, from 0 to 1.

    Returns:
      A scalar: soft * t^2 * (the mean of KL(teacher || student) at t) + (1 - soft) * (the mean cross entropy at 1).
    """
    # BEGIN SOLUTION Exercise 5: use your divergence, mt.ops.mean, and cross_entropy(logits, labels), which is a mean already.
    followed = t**2 * mt.ops.mean(divergence(student, teacher, t))
    return soft * followed + (1 - soft) * cross_entropy(student, labels)
    # END SOLUTION


# %% name="distillation_loss-check" tags=["check"] exercise="distillation_loss"
LABELS = jnp.array([1, 2])


def parts(student, teacher, labels, t, hard_t=1.0):
    """The mean divergence at t, and the mean cross entropy."""
    p, q = jax.nn.log_softmax(teacher / t), jax.nn.log_softmax(student / t)
    hard = jax.nn.log_softmax(student / hard_t)
    return (jnp.exp(p) * (p - q)).sum(-1).mean(), -jnp.take_along_axis(hard, labels[..., None], -1).mean()


def mixed(soft, factor=1.0, hard_factor=1.0, hard_t=1.0, at=None):
    """The loss of the check at T = 3, with other factors."""
    kl, hard = parts(*(at or (STUDENT, TWO_ROWS)), LABELS, 3.0, hard_t)
    return soft * factor * kl + (1 - soft) * hard_factor * hard


check(
    "soft = 1: the teacher alone, times t squared",
    lambda: distillation_loss(STUDENT, TWO_ROWS, LABELS, 3.0, 1.0),
    lambda: mixed(1.0, 9.0),
    mistakes={
        "The factor t squared is missing.": lambda: mixed(1.0),
        "The factor is t, and should be t squared.": lambda: mixed(1.0, 3.0),
        "The two shares are exchanged: `soft` is the teacher's.": lambda: mixed(0.0),
        "The two models are exchanged: divergence(student, teacher, t).": lambda: mixed(
            1.0, 9.0, at=(TWO_ROWS, STUDENT)
        ),
        "The examples were added up. Take their mean.": lambda: mixed(1.0, 18.0),
        "The mean over classes was taken too. The divergence of a row is a sum; take the mean over rows.": lambda: (
            mixed(1.0, 9.0 / 5)
        ),
    },
)
check(
    "soft = 0: the labels alone, at temperature 1",
    lambda: distillation_loss(STUDENT, TWO_ROWS, LABELS, 3.0, 0.0),
    lambda: mixed(0.0),
    mistakes={
        "The hard part is at temperature t. The student will be used at 1: give it the logits as they are.": lambda: (
            mixed(0.0, hard_t=3.0)
        ),
        "The factor t squared stands before both parts. It belongs to the soft one.": lambda: mixed(
            0.0, hard_factor=9.0
        ),
        "The two shares are exchanged: `soft` is the teacher's.": lambda: mixed(1.0, 9.0),
        "The teacher's part is there in full. Its share is `soft`, which is 0 here.": (
            lambda: mixed(0.0) + mixed(1.0, 9.0)
        ),
    },
)
check(
    "a mixture of the two",
    lambda: distillation_loss(STUDENT, TWO_ROWS, LABELS, 3.0, 0.25),
    lambda: mixed(0.25, 9.0),
    mistakes={
        "The hard part counts in full. Its share is 1 - soft.": lambda: mixed(0.25, 9.0) + 0.25 * mixed(0.0),
    },
)


# %% name="distillation_loss-soft" tags=["hidden-test"] exercise="distillation_loss" points=3 hint="With soft = 1 it is t squared times the mean of your divergence."
def two_parts(student, teacher, labels, t, hard_t=1.0):
    """The mean divergence at t, and the mean cross entropy at hard_t."""
    p, q = jax.nn.log_softmax(teacher / t), jax.nn.log_softmax(student / t)
    hard = jax.nn.log_softmax(student / hard_t)
    return (jnp.exp(p) * (p - q)).sum(-1).mean(), -jnp.take_along_axis(hard, labels[..., None], -1).mean()


here, there, right = 2.0 * inputs.normal(2, 2, 4), 2.0 * inputs.normal(2, 2, 4), inputs.integers(2, 2, low=0, high=4)
t = inputs.uniform(low=2.5, high=3.5).item()
kl, hard = two_parts(here, there, right, t)
report(
    distillation_loss(here, there, right, t, 1.0),
    mistakes={
        "The factor t squared is missing.": lambda: kl,
        "The factor is t, and should be t squared.": lambda: t * kl,
        "The two shares are exchanged: `soft` is the teacher's.": lambda: hard,
        "The two models are exchanged: divergence(student, teacher, t).": lambda: (
            t**2 * two_parts(there, here, right, t)[0]
        ),
        "The examples were added up. Take their mean.": lambda: 4 * t**2 * kl,
        "The mean over classes was taken too. The divergence of a row is a sum; take the mean over rows.": lambda: (
            t**2 * kl / 4
        ),
    },
)

# %% name="distillation_loss-mixed" tags=["hidden-test"] exercise="distillation_loss" points=2 hint="soft times the soft part, plus 1 - soft times the cross entropy of the logits as they are."
here, there, right = 2.0 * inputs.normal(3, 4), 2.0 * inputs.normal(3, 4), inputs.integers(3, low=0, high=4)
t, soft = inputs.uniform(low=2.5, high=3.5).item(), inputs.uniform(low=0.2, high=0.4).item()
kl, hard = two_parts(here, there, right, t)
report(
    distillation_loss(here, there, right, t, soft),
    mistakes={
        "The hard part is at temperature t. The student will be used at 1: give it the logits as they are.": lambda: (
            soft * t**2 * kl + (1 - soft) * two_parts(here, there, right, t, t)[1]
        ),
        "The factor t squared stands before both parts. It belongs to the soft one.": lambda: (
            t**2 * (soft * kl + (1 - soft) * hard)
        ),
        "The factor t squared is missing.": lambda: soft * kl + (1 - soft) * hard,
        "The factor is t, and should be t squared.": lambda: soft * t * kl + (1 - soft) * hard,
        "The two shares are exchanged: `soft` is the teacher's.": lambda: (1 - soft) * t**2 * kl + soft * hard,
        "The hard part counts in full. Its share is 1 - soft.": lambda: soft * t**2 * kl + hard,
        "The two models are exchanged: divergence(student, teacher, t).": lambda: (
            soft * t**2 * two_parts(there, here, right, t)[0] + (1 - soft) * hard
        ),
        "The mean over classes was taken too. The divergence of a row is a sum; take the mean over rows.": lambda: (
            soft * t**2 * kl / 4 + (1 - soft) * hard
        ),
    },
)

# %% [markdown]
# ## 7. Thoughts, and not only answers
#
# A teacher with many layers computes a lot before it answers, and the student can learn from these **hidden states**
# too. Romero et al. (2015) gave their students such *hints*, and TinyBERT (Jiao et al., 2019) and its relatives are
# trained in this way. But two things do not fit.
#
# - **The widths.** The teacher's hidden states have 96 numbers, and the student's have 32. So we put a matrix between
#   them. It is trained together with the student, and thrown away afterwards:
#
# ```
#   teacher   x -> [96] -> [96] -> [96] -> [96] -> [96] -> [96] -> answer
#                            |               |               |
#                        compare         compare         compare
#                            |               |               |
#                           P1              P2              P3        (32, 96) each, learned, not part of the student
#                            |               |               |
#   student   x ----------> [32] ---------> [32] ---------> [32] ---> answer
# ```
#
# - **The depths.** The teacher has six layers and the student three. The student's first layer is compared with the
#   teacher's second, its second with the fourth, and its last with the last.
#
# There is also a trap. Hidden states grow from layer to layer, so the last layer would outweigh all the others. So we
# first normalise each row to mean 0 and variance 1, on both sides. (This also leaves the student free to have hidden
# states of any size.)
#
# Predict: why must the matrix be on the student's side? How could a student cheat if a learned matrix mapped the
# teacher's 96 numbers to 32?
#
# ### Exercise 6: matching states


# %% name="normalized"
def normalized(x):
    """Each row (..., D) with mean 0 and variance 1."""
    return mt.ops.layer_norm(x, jnp.ones(x.shape[-1]))


# %% name="hidden_loss" tags=["exercise"] forbids=["minitorch.compress.distill.hidden_loss", "minitorch.compress.distill.matched_states"]
def matched(states, n):
    """Of a list of states, one after each layer, n that are evenly spaced, the last one among them.

    n divides the length of the list. Of six states and n = 3: the second, the fourth and the sixth.
    """
    # BEGIN SOLUTION Exercise 6: every (length / n)-th state, counted so that the last is one of them.
    every = len(states) // n
    return states[every - 1 :: every]
    # END SOLUTION


def hidden_loss(projections, ours, theirs):
    """How far a student's states are from a teacher's.

    Args:
      projections: for each layer of the student a matrix (D, E).
      ours: the student's states after each of its layers, arrays (..., D).
      theirs: the teacher's states after each of its layers, arrays (..., E); as many, or a multiple of it.

    Returns:
      A scalar: the mean over the student's layers of the mean squared difference between `normalized(state) @ projection`
      and the normalized state of the teacher that it is matched with.
    """
    # BEGIN SOLUTION Exercise 6: for each layer mt.nn.mse of the projected student's state and the teacher's; then their mean.
    losses = []
    for projection, mine, wanted in zip(projections, ours, matched(theirs, len(ours))):
        mapped, wanted = normalized(mine) @ projection, normalized(wanted)
        losses.append(mt.nn.mse(mapped, wanted))  # mutant-ok: a distance is the same from either end
    return sum(losses) / len(losses)
    # END SOLUTION


# %% name="hidden_loss-check" tags=["check"] exercise="hidden_loss"
def states(seed, layers, width, rows=4):
    """States of a network that grow from layer to layer."""
    keys = jax.random.split(jax.random.key(seed), layers)
    return [(i + 1.0) * jax.random.normal(key, (rows, width)) + 0.5 for i, key in enumerate(keys)]


def matrices(seed, layers, inputs, outputs):
    return [jax.random.normal(key, (inputs, outputs)) / 2 for key in jax.random.split(jax.random.key(seed), layers)]


def compared(projections, ours, theirs, left=normalized, right=normalized, distance=jnp.square):
    """The loss of layers that are matched already, with other ways to prepare and to compare them."""
    triples = zip(projections, ours, theirs, strict=True)
    return jnp.stack([distance(left(a) @ matrix - right(b)).mean() for matrix, a, b in triples]).mean()


def as_is(x):
    return x


MATRICES, OURS, THEIRS = matrices(1, 2, 3, 5), states(2, 2, 3), states(3, 4, 5)

check(
    "of six layers, three",
    lambda: matched(list("abcdef"), 3),
    ["b", "d", "f"],
    mistakes={
        "The last is missing, and the first is there: begin one step further in.": ["a", "c", "e"],
        "These are the first three. Spread them evenly.": ["a", "b", "c"],
        "These are the last three. Spread them evenly.": ["d", "e", "f"],
        "The order is reversed.": ["f", "d", "b"],
    },
)
check(
    "of four layers, all four and the last one",
    lambda: [matched(list("abcd"), n) for n in (4, 1)],
    [list("abcd"), ["d"]],
)
check(
    "the same number of layers",
    lambda: hidden_loss(MATRICES, OURS, THEIRS[:2]),
    lambda: compared(MATRICES, OURS, THEIRS[:2]),
    mistakes={
        "The states were compared as they are. Normalize each row of both at first.": lambda: compared(
            MATRICES, OURS, THEIRS[:2], as_is, as_is
        ),
        "Only the teacher's states were normalized.": lambda: compared(MATRICES, OURS, THEIRS[:2], as_is),
        "Only the student's states were normalized.": lambda: compared(MATRICES, OURS, THEIRS[:2], right=as_is),
        "The student's states were normalized after the projection. Normalize, then project.": lambda: jnp.stack(
            [mt.nn.mse(normalized(a @ m), normalized(b)) for m, a, b in zip(MATRICES, OURS, THEIRS)]
        ).mean(),
        "The layers were added up. Take their mean.": lambda: 2 * compared(MATRICES, OURS, THEIRS[:2]),
        "The differences were not squared.": lambda: compared(MATRICES, OURS, THEIRS[:2], distance=jnp.abs),
        "The squares were added up. Take their mean.": lambda: 20 * compared(MATRICES, OURS, THEIRS[:2]),
        "Only the last layer counts. Take the mean over all of the student's.": lambda: compared(
            MATRICES[1:], OURS[1:], THEIRS[1:2]
        ),
    },
)
check(
    "a teacher of twice as many layers",
    lambda: hidden_loss(MATRICES, OURS, THEIRS),
    lambda: compared(MATRICES, OURS, THEIRS[1::2]),
    mistakes={
        "The student's layers were compared with the teacher's first ones: use `matched`.": lambda: compared(
            MATRICES, OURS, THEIRS[:2]
        ),
        "The last is missing, and the first is there: begin one step further in.": lambda: compared(
            MATRICES, OURS, THEIRS[::2]
        ),
        "These are the last three. Spread them evenly.": lambda: compared(MATRICES, OURS, THEIRS[2:]),
    },
)

# %% name="hidden_loss-layers" tags=["hidden-test"] exercise="hidden_loss" points=2 hint="Every (length / n)-th state; the last of the teacher's is always among them."
letters = [int(i) for i in inputs.permutation(12)]
report(
    [matched(letters, n) for n in (1, 3, 4, 12)],
    mistakes={
        "The last is missing, and the first is there: begin one step further in.": lambda: [
            letters[:: 12 // n] for n in (1, 3, 4, 12)
        ],
        "These are the first three. Spread them evenly.": lambda: [letters[:n] for n in (1, 3, 4, 12)],
        "These are the last three. Spread them evenly.": lambda: [letters[12 - n :] for n in (1, 3, 4, 12)],
    },
)

# %% name="hidden_loss-value" tags=["hidden-test"] exercise="hidden_loss" points=4 hint="Normalize both, project the student's, mean squared difference; the mean over the student's layers."
maps = [inputs.normal(3, 4) for _ in range(3)]
own = [float(i + 1) * inputs.normal(2, 2, 3) + 0.5 for i in range(3)]
wanted = [float(i + 1) * inputs.normal(2, 2, 4) - 0.5 for i in range(6)]


def nearness(theirs, left=normalized, right=normalized, distance=jnp.square, layers=slice(None)):
    """The loss of layers that are matched already, with other ways to prepare and to compare them."""
    triples = list(zip(maps, own, theirs))[layers]
    return jnp.stack([distance(left(a) @ matrix - right(b)).mean() for matrix, a, b in triples]).mean()


def unchanged(x):
    return x


report(
    hidden_loss(maps, own, wanted),
    mistakes={
        "The states were compared as they are. Normalize each row of both at first.": lambda: nearness(
            wanted[1::2], unchanged, unchanged
        ),
        "Only the teacher's states were normalized.": lambda: nearness(wanted[1::2], unchanged),
        "Only the student's states were normalized.": lambda: nearness(wanted[1::2], right=unchanged),
        "The student's states were normalized after the projection. Normalize, then project.": lambda: jnp.stack(
            [mt.nn.mse(normalized(a @ m), normalized(b)) for m, a, b in zip(maps, own, wanted[1::2])]
        ).mean(),
        "The layers were added up. Take their mean.": lambda: 3 * nearness(wanted[1::2]),
        "The differences were not squared.": lambda: nearness(wanted[1::2], distance=jnp.abs),
        "The student's layers were compared with the teacher's first ones: use `matched`.": lambda: nearness(
            wanted[:3]
        ),
        "The last is missing, and the first is there: begin one step further in.": lambda: nearness(wanted[::2]),
        "These are the last three. Spread them evenly.": lambda: nearness(wanted[3:]),
        "Only the last layer counts. Take the mean over all of the student's.": lambda: nearness(
            wanted[1::2], layers=slice(2, 3)
        ),
    },
)

# %% [markdown]
# ## 8. A teacher on disk
#
# The teacher is large, and running it at every step may cost more than training the student. So should we run it once
# and store the answers? For each token of a text, a language model answers with a probability for each of, say, 128,000
# tokens. In 16 bits, a billion tokens of text need $10^9 \cdot 128{,}000 \cdot 2$ bytes, **256 terabytes**.
#
# But nearly all of these probabilities are almost 0. Keep the $k$ most likely tokens with their ids, and treat
# everything else as *one* more outcome, "something else". Its probability is what is missing from 1. With $k = 3$ and
# five tokens:
#
# | | a | b | c | d | e | something else |
# |---|---|---|---|---|---|---|
# | teacher | 0.50 | 0.02 | 0.30 | 0.08 | 0.10 | |
# | kept | 0.50 | | 0.30 | | 0.10 | 0.10 |
#
# The student's probabilities are added up in the same way, and the divergence is taken over these four outcomes. It is
# never larger than the full divergence (merging outcomes hides differences). The two are equal if the student divides
# the rest as the teacher does.
#
# It is tempting to scale the kept probabilities so that they sum to 1. But this teaches the student that everything
# else is impossible, and the student becomes surer than its teacher.
#
# ### Exercise 7: the most likely tokens, and the rest


# %% name="kept_divergence" tags=["exercise"]
def keep(logits, k):
    """The k most likely tokens of a teacher (at temperature 1): ids (..., k), and their probabilities (..., k), both from
    the most likely down. `logits` is (..., C); `jax.lax.top_k(x, k)` gives the k largest along the last axis, and where
    they stand."""
    # BEGIN SOLUTION Exercise 7: top_k of the teacher's probabilities; the ids come first in the result.
    kept, ids = jax.lax.top_k(jax.nn.softmax(logits), k)
    return ids, kept  # mutant-ok: the check recognizes a pair in the other order
    # END SOLUTION


def kept_divergence(student, ids, kept):
    """KL(teacher || student) over k + 1 outcomes: the k tokens that were kept, and one for all others together.

    Args:
      student: logits (..., C).
      ids, kept: the tokens (..., k) and their probabilities (..., k), from `keep`.

    Returns:
      An array (...), in nats. The probability of "all others" counts as 1e-6 where it is less, on both sides.
    """
    # BEGIN SOLUTION Exercise 7: gather the student's log-probabilities with mt.ops.take_along_axis(..., ids, axis=-1); one more term for the rest.
    log_q = mt.ops.take_along_axis(mt.ops.log_softmax(student), ids, axis=-1)  # (..., k)
    others = jnp.maximum(1 - jnp.sum(kept, axis=-1), 1e-6)
    our_others = mt.ops.maximum(1 - mt.ops.sum(mt.ops.exp(log_q), axis=-1), 1e-6)
    named = mt.ops.sum(kept * (jnp.log(kept) - log_q), axis=-1)
    return named + others * (jnp.log(others) - mt.ops.log(our_others))
    # END SOLUTION


# %% name="kept_divergence-check" tags=["check"] exercise="kept_divergence"
ABCDE = jnp.array([0.50, 0.02, 0.30, 0.08, 0.10])
LEARNER = jnp.array([0.40, 0.10, 0.20, 0.25, 0.05])


def outcomes(student, teacher, k):
    """Probabilities (..., k + 1) of both: the teacher's k most_likely, then the rest."""
    order = jnp.argsort(-teacher, axis=-1, stable=True)[..., :k]
    chosen = [jnp.take_along_axis(x, order, -1) for x in (student, teacher)]
    rest = [jnp.maximum(1 - x.sum(-1, keepdims=True), 1e-6) for x in chosen]
    return [jnp.concatenate(pair, -1) for pair in zip(chosen, rest, strict=True)]


def kept_kl(student, teacher, k, name="right"):
    """The divergence over the outcomes, with a mistake."""
    q, p = outcomes(student, teacher, k)
    terms = p * (jnp.log(p) - jnp.log(q))
    scaled = p[..., :-1] / p[..., :-1].sum(-1, keepdims=True)
    both = q[..., :-1] / q[..., :-1].sum(-1, keepdims=True)
    return {
        "right": terms.sum(-1),
        "no rest": terms[..., :-1].sum(-1),
        "scaled": (scaled * (jnp.log(scaled) - jnp.log(q[..., :-1]))).sum(-1),
        "both": (scaled * (jnp.log(scaled) - jnp.log(both))).sum(-1),
        "full": (teacher * (jnp.log(teacher) - jnp.log(student))).sum(-1),
        "first": (p[..., :-1] * (jnp.log(p[..., :-1]) - jnp.log(student[..., :k]))).sum(-1)
        + p[..., -1] * (jnp.log(p[..., -1]) - jnp.log(1 - student[..., :k].sum(-1))),
    }[name]


check(
    "the three most likely tokens of the table",
    lambda: keep(jnp.log(ABCDE), 3),
    (np.array([0, 2, 4]), np.array([0.5, 0.3, 0.1], np.float32)),
    mistakes={
        "The kept probabilities were made to sum to 1. Keep them as they are: what is missing is the rest's.": (
            np.array([0, 2, 4]),
            np.array([5 / 9, 3 / 9, 1 / 9], np.float32),
        ),
        "These are logits. Keep probabilities.": (np.array([0, 2, 4]), np.log(np.array([0.5, 0.3, 0.1], np.float32))),
        "The least likely were kept.": (np.array([1, 3, 4]), np.array([0.02, 0.08, 0.1], np.float32)),
    },
)
check(
    "four outcomes: three tokens and the rest",
    lambda: kept_divergence(jnp.log(LEARNER), jnp.array([0, 2, 4]), jnp.array([0.5, 0.3, 0.1])),
    lambda: kept_kl(LEARNER, ABCDE, 3),
    mistakes={
        'The outcome "something else" is missing: the student loses nothing by saying what the teacher never would.': (
            lambda: kept_kl(LEARNER, ABCDE, 3, "no rest")
        ),
        "The teacher's kept probabilities were made to sum to 1, which teaches the student that all else is impossible.": (
            lambda: kept_kl(LEARNER, ABCDE, 3, "scaled")
        ),
        "Both were made to sum to 1 over the kept tokens, so that the rest does not count.": lambda: kept_kl(
            LEARNER, ABCDE, 3, "both"
        ),
        "The student's first tokens were taken, and not those at `ids`.": lambda: kept_kl(LEARNER, ABCDE, 3, "first"),
        "The sign: log of the teacher's probability minus log of the student's.": lambda: -kept_kl(LEARNER, ABCDE, 3),
    },
)
check(
    "the student divides the rest as the teacher does: nothing is lost by keeping two",
    lambda: kept_divergence(
        jnp.log(jnp.array([0.25, 0.5, 0.15, 0.1])), *keep(jnp.log(jnp.array([0.6, 0.2, 0.12, 0.08])), 2)
    ),
    0.2974,
    rtol=1e-3,
)
check(
    "a teacher that is quite sure: the rest counts as 1e-6",
    lambda: kept_divergence(jnp.zeros((1, 4)), jnp.array([[2]]), jnp.array([[1.0]])),
    np.array([np.log(4.0) + 1e-6 * np.log(1e-6 / 0.75)], np.float32),
    mistakes={
        "The rest has the probability 0, and its logarithm is infinite: let it be 1e-6 at least.": np.array(
            [np.nan], np.float32
        ),
    },
)

# %% name="kept_divergence-keep" tags=["hidden-test"] exercise="kept_divergence" points=2 hint="The k largest probabilities, and where they stand; not scaled."
said = 2.0 * inputs.normal(2, 3, 7)
most_likely = jnp.argsort(-said, axis=-1)[..., :3]
probable = jnp.take_along_axis(jax.nn.softmax(said), most_likely, -1)
report(
    keep(said, 3),
    mistakes={
        "The kept probabilities were made to sum to 1. Keep them as they are: what is missing is the rest's.": lambda: (
            most_likely,
            probable / probable.sum(-1, keepdims=True),
        ),
        "These are logits. Keep probabilities.": lambda: (most_likely, jnp.take_along_axis(said, most_likely, -1)),
    },
)

# %% name="kept_divergence-value" tags=["hidden-test"] exercise="kept_divergence" points=3 hint="A term for each kept token, and one for the rest, whose probability is 1 minus the kept ones' sum."
learner, master = inputs.normal(3, 6), inputs.normal(3, 6)
q, p = jax.nn.softmax(learner), jax.nn.softmax(master)
ids = jnp.argsort(-p, axis=-1)[..., :2]


def over_outcomes(name):
    """The divergence over two tokens and the rest, with a mistake."""
    ours, theirs = jnp.take_along_axis(q, ids, -1), jnp.take_along_axis(p, ids, -1)
    if name == "first":
        ours = q[..., :2]
    if name in ("scaled", "both"):
        theirs = theirs / theirs.sum(-1, keepdims=True)
    if name == "both":
        ours = ours / ours.sum(-1, keepdims=True)
    named = (theirs * (jnp.log(theirs) - jnp.log(ours))).sum(-1)
    rest, our_rest = 1 - theirs.sum(-1), 1 - ours.sum(-1)
    return named if name in ("no rest", "scaled", "both") else named + rest * (jnp.log(rest) - jnp.log(our_rest))


report(
    kept_divergence(learner, ids, jnp.take_along_axis(p, ids, -1)),
    mistakes={
        'The outcome "something else" is missing: the student loses nothing by saying what the teacher never would.': (
            lambda: over_outcomes("no rest")
        ),
        "The teacher's kept probabilities were made to sum to 1, which teaches the student that all else is impossible.": (
            lambda: over_outcomes("scaled")
        ),
        "Both were made to sum to 1 over the kept tokens, so that the rest does not count.": lambda: over_outcomes(
            "both"
        ),
        "The student's first tokens were taken, and not those at `ids`.": lambda: over_outcomes("first"),
        "The sign: log of the teacher's probability minus log of the student's.": lambda: -over_outcomes("right"),
    },
)

# %% name="kept_divergence-sure" tags=["hidden-test"] exercise="kept_divergence" points=1 hint="The rest counts as 1e-6 where it is less, for the teacher and for the student."
unsure, sharp = inputs.normal(2, 5), 60.0 * jax.nn.one_hot(inputs.permutation(5)[:2], 5) + inputs.normal(2, 5)
surest = jnp.argmax(sharp, axis=-1)[:, None]


def unfloored():
    """Without the 1e-6: 0 times the logarithm of 0, and a rest of which the student says 0."""
    return [np.array([np.nan, np.nan], np.float32), np.array([np.inf, np.inf], np.float32)]


report(
    [
        kept_divergence(unsure, jnp.array([[3], [1]]), jnp.array([[1.0], [1.0]])),
        kept_divergence(sharp, surest, jnp.array([[0.6], [0.7]])),
    ],
    mistakes={
        "The rest has the probability 0, and its logarithm is infinite: let it be 1e-6 at least.": unfloored,
    },
)

# %% [markdown]
# ## 9. The proof: alone, and with a teacher
#
# The student is a network of one hidden layer of **32**: 2,410 numbers, a ninth of the teacher's. The teacher runs once
# on all pictures, and its answers are stored. Then we train 16 students, each with its own first weights and its own
# batches. Each student is trained three times for 600 steps, from the same start and on the same batches:
#
# - **alone**, on the labels;
# - **with answers**: your `distillation_loss` at $T = 2$, with nine tenths from the teacher and one tenth from the
#   labels;
# - **with answers and thoughts**: the same plus 0.1 times your `hidden_loss`, between the student's hidden layer and
#   the teacher's last one, with a learned matrix (32, 256).
#
# Why sixteen, and not one? One of 360 held-out pictures is 0.28 %, and two students that differ only in their first
# weights are often a whole per cent apart. You cannot conclude anything from a single pair.
#
# And how much data do they get? We train everything with the first 50 pictures of the training set, with 100, with 200,
# and with all 1,437. Predict: where does a teacher help most?


# %% name="students" tags=["demo"]
def thoughts(model, x):
    """What the student's hidden units say (B, 32), and its logits (B, 10)."""
    hidden = mt.nn.relu(model.layers[0](mt.ops.reshape(x, (len(x), -1))))
    return hidden, model.layers[1](hidden)


def last_features(model, x):
    """What stands before the teacher's last layer (B, 256)."""
    x = x[..., None]
    for conv in model.convs:
        x = mt.ops.max_pool(mt.nn.relu(conv(x)), (2, 2), (2, 2))
    return x.reshape(len(x), -1)


said, thought = ask(teacher, train_x), jax.jit(last_features)(teacher, train_x)


def objective(params, rows, t, soft, hidden):
    """What a student and its matrix minimise on some of the training pictures."""
    model, matrix = params
    states, logits = thoughts(model, train_x[rows])
    loss = distillation_loss(logits, said[rows], train_y[rows], t, soft)
    return loss + hidden * hidden_loss([matrix], [states], [thought[rows]])


def student(key):
    """First weights of a student, and of the matrix between its states and its teacher's."""
    config = mt.models.MLPConfig(inputs=64, hidden=(32,), classes=10)
    return mt.models.MLP.init(key, config), 0.1 * jax.random.normal(key, (32, 256))


@jax.jit
def school(pictures, count, recipe):
    """16 students that learn from the first `count` of the training pictures, in the order `pictures` of their numbers, by
    a recipe (t, soft, hidden)."""

    def one(key):
        def batch(key):
            return pictures[jax.random.randint(key, (64,), 0, count)], *recipe

        return learn(objective, student(key), batch, 600, 1e-2, key)[0]

    return jax.vmap(one)(jax.random.split(jax.random.key(1), 16))


def marked(models):
    """The share of held-out digits that each student reads rightly, in per cent."""
    return 100 * jax.vmap(lambda model: accuracy(model, test_x, test_y))(models)


RECIPES = {"alone": (1.0, 0.0, 0.0), "answers": (2.0, 0.9, 0.0), "answers and thoughts": (2.0, 0.9, 0.1)}
scores = {}
with skip_if_unfinished():
    scores = {
        (count, name): marked(school(jnp.arange(len(train_x)), count, recipe))
        for count in (50, 100, 200, 1437)
        for name, recipe in RECIPES.items()
    }
    figures.accuracies(scores, 100 * float(accuracy(teacher, test_x, test_y)))

# %% name="proof" tags=["demo"]
check(
    "with 100 pictures, a student with a teacher reads more digits than the same student alone",
    lambda: [
        bool((scores[100, name] - scores[100, "alone"]).mean() > 2.0) for name in ("answers", "answers and thoughts")
    ],
    [True, True],
)

# %% name="marks" tags=["demo", "nbval-ignore-output"]
with skip_if_unfinished():
    for count in dict.fromkeys(count for count, _ in scores):
        print(f"{count:5} pictures ", *(f"  {name}: {scores[count, name].mean():.1f} %" for name in RECIPES))
        gain = scores[count, "answers"] - scores[count, "alone"]
        print(f"      answers against alone: {gain.mean():+.1f} points, standard error {gain.std(ddof=1) / 4:.1f}")

# %% [markdown]
# When this was written, the teacher's answers were worth 9 points with 50 pictures, 7.5 with 100, and 5 with 200, each
# with a standard error of about half a point. With all 1,437 pictures they were worth **nothing**: there the labels say
# enough, and the student cannot do much better. A teacher replaces data. That is also how people use it: labelled
# pictures are expensive, and a teacher's doubts are cheap.
#
# The hidden states ("thoughts") added nothing. That is a result too: this student has a single layer, and 32 numbers
# cannot hold the teacher's 256. Hints were invented for students that are thin and *deep*.

# %% [markdown]
# ### The same for a language model
#
# Nothing changes: the classes are the tokens of the vocabulary, and each position of a text is an example. minitorch
# has a command for this. To use the model that you trained in notebook 08 as the teacher, run in a terminal:
#
# ```sh
# minitorch distill --teacher runs/08 --out runs/11 --width 64 --temperature 2
# ```
#
# `python -m benchmarks.distill`, in minitorch's repository, compares recipes for a student that is a quarter of the
# teacher's size.
#
# ## 10. Stretch: the digit that nobody showed
#
# This is the most surprising experiment in the paper of Hinton, Vinyals and Dean. Leave out all threes: the student
# never sees one. It sees fives, eights and nines, and learns from its teacher that some of them look a little like a
# three. Predict: how many of the held-out threes will it read?
#
# One more thing is needed. No picture that the student has seen was a three. So its bias for "three" is far too low,
# and this makes the logit too low for every picture. But the bias is a single number. If you know that a tenth of all
# digits are threes, you can raise it until the student reads a tenth of the pictures as threes. You don't need labels
# for this.
#
# ### Stretch exercise: raise one bias
#
# Let $c$ be the column of a class in the logits. We add a number $b$ to that column. A row is then read as $c$ if
# $z_c + b$ is at least as large as its largest other logit $m$, that is, if $b \ge m - z_c$. So each row has a
# threshold: from this $b$ on, the row is read as $c$. To read 30 % of 10 rows as $c$, choose the third smallest of
# these thresholds.


# %% name="raise_bias" tags=["exercise", "stretch"]
def raise_bias(logits, c, share):
    """The smallest number that, added to column c of logits (N, C), makes at least `share` of the rows have their largest
    logit there (a tie counts). `share` is above 0 and at most 1."""
    # BEGIN SOLUTION Stretch exercise: sort what each row needs; take the one at place ceil(share * N), counted from 1.
    others = jnp.delete(logits, c, axis=1).max(axis=1)
    needed = jnp.sort(others - logits[:, c])
    return needed[int(np.ceil(round(share * len(logits), 6))) - 1]
    # END SOLUTION


# %% name="raise_bias-check" tags=["check", "stretch"] exercise="raise_bias"
FOUR = jnp.array([[2.0, 1.0, 0.5], [0.0, 3.0, 1.0], [1.0, -2.0, 4.0], [2.0, 0.0, 1.0]])
check(
    "class 0 of four rows needs -1, 3, 3 and -1: for three quarters, 3",
    lambda: [raise_bias(FOUR, 0, share) for share in (0.25, 0.5, 0.75, 1.0)],
    [-1.0, -1.0, 3.0, 3.0],
    mistakes={
        "The sign: a row needs its largest other logit minus the one in column c.": [-3.0, -3.0, 1.0, 1.0],
        "One too far: of n rows, a share of 1/n is had with the smallest number.": [-1.0, 3.0, 3.0, 3.0],
        "The sorting is from the largest down.": [3.0, 3.0, -1.0, -1.0],
        "The largest of all logits was taken, column c among them. It competes with the others only.": [
            0.0,
            0.0,
            3.0,
            3.0,
        ],
    },
)

# %% name="raise_bias-any" tags=["hidden-test", "stretch"] exercise="raise_bias" points=0 hint="The k-th smallest of (largest other logit - logit of c), with k the share times N, rounded up."
rows, column = inputs.normal(20, 4), int(inputs.integers(low=0, high=4))
margin = jnp.sort(jnp.delete(rows, column, axis=1).max(axis=1) - rows[:, column])
report(
    [raise_bias(rows, column, share) for share in (0.1, 0.37, 0.9)],
    mistakes={
        "The sign: a row needs its largest other logit minus the one in column c.": lambda: [
            -margin[::-1][k - 1] for k in (2, 8, 18)
        ],
        "One too far: of n rows, a share of 1/n is had with the smallest number.": lambda: [
            margin[k] for k in (2, 8, 18)
        ],
        "The sorting is from the largest down.": lambda: [margin[::-1][k - 1] for k in (2, 8, 18)],
    },
)

# %% [markdown]
# Now for real: 16 students that never see a three, alone and with their teacher's answers at $T = 2$.

# %% name="unseen" tags=["demo"]
with skip_if_unfinished():
    threes_last = jnp.argsort(train_y == 3, stable=True)

    def read_rightly(models, c=3, raised=False):
        """The share of each digit's held-out pictures that are read rightly, over all students."""
        logits = np.array(jax.vmap(lambda model: model(test_x))(models))
        for model_logits, seen in zip(logits, jax.vmap(lambda model: model(train_x))(models)):
            model_logits[:, c] += raise_bias(seen, c, 0.1) if raised else 0.0
        return [np.mean(logits[:, np.asarray(test_y) == digit].argmax(-1) == digit) for digit in range(10)]

    by_labels, by_answers = (
        school(threes_last, int(jnp.sum(train_y != 3)), recipe) for recipe in ((1.0, 0.0, 0.0), (2.0, 1.0, 0.0))
    )
    unseen = {
        "alone": read_rightly(by_labels),
        "answers": read_rightly(by_answers),
        "alone, bias raised": read_rightly(by_labels, raised=True),
        "answers, bias raised": read_rightly(by_answers, raised=True),
    }
    figures.by_digit(unseen, marked=3)

# %% [markdown]
# The student that learned from labels knows nothing about threes, and reads none; with the bias raised it reads many of
# the ones and eights as threes. The student with a teacher has not seen a three either, but it reads a fifth of them at
# once. With the bias raised it reads nearly nine tenths, at little cost to the other digits. The information about what
# a three looks like was in the small bars of the other digits.

# %% [markdown]
# ## When it does not work
#
# - **The teacher is too sure.** If the teacher of section 1 is trained four times as long, it reads 99.7 % of the
#   held-out digits instead of 99.2 %. But its students gain less: 6, 5 and 3 points instead of 9, 7.5 and 5. It has
#   fewer doubts to pass on.
# - **The teacher is too far away.** A better model is not always a better teacher: a much smaller student may learn
#   less from it than from a model of medium size (Cho and Hariharan, 2019; Mirzadeh et al., 2020, put an assistant
#   between them).
# - **The two see different pictures.** If pictures are cropped or shifted at random, the teacher must see exactly the
#   same crop. Answers that were computed once, on another crop, are wrong answers (Beyer et al., 2022, who also show
#   that distillation needs patience: far more epochs than usual).
# - **The vocabulary differs.** Probabilities of different tokens cannot be compared.
# - **Agreement is not accuracy.** Students often agree with their teachers less than you would expect, even when they
#   do well (Stanton et al., 2021).
# - **It is not allowed.** The terms of several closed models forbid you to train other models on their output, and some
#   licences for weights require that the student's name contains the teacher's name. Read them before you choose a
#   teacher.
#
# ## In the wild
#
# | what you wrote | where it lives |
# |---|---|
# | the loss with $T^2$ and labels | Hugging Face transformers: `examples/research_projects/distillation/distiller.py` (DistilBERT; older releases); PyTorch's tutorial `beginner_source/knowledge_distillation_tutorial.py`; minitorch: `compress/distill.py` (`logits_loss`) |
# | the divergence, and its trap | PyTorch: `torch/nn/functional.py` (`kl_div`): takes logarithms first and the *student* first, and with `reduction="mean"` it also divides by the number of classes; `"batchmean"` is the mean over examples |
# | forward, reverse and mixtures of them | TRL: `trl/trainer/gkd_trainer.py` (`generalized_jsd_loss`), on what the student itself wrote; minitorch: `compress/distill.py` (`distill_on_policy`) |
# | states through a learned projection | huawei-noah/Pretrained-Language-Model: `TinyBERT/transformer/modeling.py` (`fit_dense`); minitorch: `compress/distill.py` (`hidden_loss`) |
# | a teacher's most likely tokens, and what is missing | arcee-ai/DistillKit: `distillkit/missing_probability.py`, `distillkit/signals/offline.py` |
# | a teacher that only writes | the text that a large model generates is the training text of the small one, with plain cross entropy (Kim and Rush, 2016): DeepSeek-R1's distilled models are trained in this way, on 800,000 samples; minitorch: `compress/distill.py` (`distill_on_samples`) |
#
# ## References
#
# - S. Kullback, R. Leibler, *On information and sufficiency*, 1951.
# - C. Bucilă, R. Caruana, A. Niculescu-Mizil, *Model compression*, 2006.
# - J. Ba, R. Caruana, *Do deep nets really need to be deep?*, 2014.
# - G. Hinton, O. Vinyals, J. Dean, *Distilling the knowledge in a neural network*, 2015.
# - A. Romero et al., *FitNets: hints for thin deep nets*, 2015.
# - Y. Kim, A. Rush, *Sequence-level knowledge distillation*, 2016.
# - J. Cho, B. Hariharan, *On the efficacy of knowledge distillation*, 2019.
# - V. Sanh et al., *DistilBERT, a distilled version of BERT: smaller, faster, cheaper and lighter*, 2019.
# - X. Jiao et al., *TinyBERT: distilling BERT for natural language understanding*, 2019.
# - S. Mirzadeh et al., *Improved knowledge distillation via teacher assistant*, 2020.
# - S. Stanton et al., *Does knowledge distillation really work?*, 2021.
# - L. Beyer et al., *Knowledge distillation: a good teacher is patient and consistent*, 2022.
# - R. Agarwal et al., *On-policy distillation of language models: learning from self-generated mistakes*, 2023.
# - Y. Gu et al., *MiniLLM: knowledge distillation of large language models*, 2023 (reverse KL).
# - DeepSeek-AI, *DeepSeek-R1: incentivizing reasoning capability in LLMs via reinforcement learning*, 2025.
