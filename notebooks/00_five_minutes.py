# %% [markdown]
# # 00 Five minutes: run, edit, submit
#
# In this course you build a small deep-learning framework with your own hands, then train a language model with it,
# make it small, package it, and meet the tools of the open-source AI world through something that you made yourself.
# This notebook is the handshake. In five minutes you will have run real code, made a mistake on purpose, fixed it, and
# submitted your notebook.
#
# **When you have finished, you can** run and edit a cell, read what a check says, and submit a notebook.
#
# ```
#   application     a chat window, a digit reader      <- you will run one in a minute
#   MLOps           runs, metrics, packages
#   hubs            models and data for everybody
#   frameworks      JAX, PyTorch, minitorch            <- you will build one
#   clusters        many machines as one
#   hardware        multiply, add
# ```
#
# ## 1. Run a cell
#
# A notebook is a page of text and **cells** of Python. Click into the grey cell below and press **Shift and Enter**.
# It runs, shows its output, and moves on to the next one.

# %% name="imports"
import jax
import jax.numpy as jnp

from minitorch_course import check, inputs, report, setup, skip_if_unfinished
from minitorch_course.figures import digits

setup()

print("Hello. You have run a cell.")

# %% [markdown]
# The next cell trains a neural network to read handwritten digits: 1,438 pictures of 8 by 8 pixels, 20 times over.
# You need not understand it yet: in notebook 04 you will have written every line of it. Run it. It takes some seconds.

# %% name="train" tags=["demo"]
import minitorch as mt

(train_x, train_y), (test_x, test_y) = mt.data.stratified_split(*mt.data.load_digits(), validation=0.2, seed=0)
model = mt.models.MLP.init(jax.random.key(0), mt.models.MLPConfig(inputs=64, hidden=(64,), classes=10))


@jax.jit
def step(model, x, y):
    """The model after one small improvement on the pictures `x`, whose digits are `y`."""
    grads = mt.grad(lambda model: mt.nn.cross_entropy(model(x), y))(model)
    return jax.tree.map(lambda weight, grad: weight - 0.3 * grad, model, grads)


for epoch in range(20):
    for rows in jax.random.permutation(jax.random.key(epoch), len(train_x))[:1408].reshape(22, 64):
        model = step(model, train_x[rows], train_y[rows])

scores = model(test_x)  # (359, 10): for each unseen picture, a score for each of the ten digits.
digits.show(test_x[:10], [f"is a {label}" for label in test_y[:10]])

# %% [markdown]
# Above are ten of the 359 held-out pictures: the network has never seen them. For each picture it gives ten scores, one
# for each digit. Here are the scores of the first picture. Which digit does the network see in it?

# %% name="first-scores" tags=["demo", "nbval-ignore-output"]
for digit, score in enumerate(scores[0]):
    print(digit, "#" * max(0, round(3 * float(score) + 15)))

# %% [markdown]
# ## 2. Be wrong on purpose
#
# The reading is the digit with the longest bar, the largest score. Write that as a function for many pictures at
# once. But first, write it wrongly:
#
# 1. In the cell below, replace the line with `raise` by `return scores.max(axis=-1)`, and run the cell.
#   (`axis=-1` means: along the last axis, in each row.)
# 2. Run the check below it, and read what it says. In your copy a check is folded to three dots, because it names the
#   usual mistakes: Shift and Enter runs it as it is, a click on the dots unfolds it.
# 3. Fix it: you need the *place* of the largest score, not the score itself. `argmax` gives it. Run both cells again.
#
# ### Exercise 1: what was read


# %% name="readings" tags=["exercise"]
def readings(scores):
    """The digit with the largest score, for each picture.

    Args:
      scores: float array (N, 10): a row for each picture, a column for each digit.

    Returns:
      Int array (N,).
    """
    # BEGIN SOLUTION Return the place of the largest score in each row.
    return scores.argmax(axis=-1)
    # END SOLUTION


# %% name="readings-check" tags=["check"] exercise="readings"
bars = jnp.array([[0.1, 2.5, 0.3, -1.0], [4.0, 0.2, 1.0, 3.0], [-3.0, -2.0, -0.5, -1.0]])
check(
    "three pictures, four digits to choose from",
    lambda: readings(bars),
    jnp.array([1, 0, 2]),
    mistakes={
        "These are the largest scores themselves. Wanted is their place in the row: the digit.": lambda: bars.max(-1),
        "That is one place in the whole table. A reading is wanted for each row: axis=-1.": lambda: bars.argmax(),
        "That is a reading for each column. Each row is a picture: go along the last axis.": lambda: bars.argmax(0),
        "These are the places of the smallest scores. Wanted are those of the largest.": lambda: bars.argmin(-1),
        "Every reading is one too large: digits are counted from 0.": lambda: bars.argmax(-1) + 1,
        "Right for the first row only: a reading is wanted for every row.": lambda: bars[0].argmax(),
    },
)

# %% name="readings-rows" tags=["hidden-test"] exercise="readings" points=2 hint="scores.argmax along the last axis: the place of the largest score in each row."
x = inputs.normal(8, 10) - inputs.choice([0.0, 3.0])
report(
    readings(x),
    mistakes={
        "These are the largest scores themselves. Wanted is their place in the row: the digit.": lambda: x.max(-1),
        "That is one place in the whole table. A reading is wanted for each row: axis=-1.": lambda: x.argmax(),
        "That is a reading for each column. Each row is a picture: go along the last axis.": lambda: x.argmax(0),
        "These are the places of the smallest scores. Wanted are those of the largest.": lambda: x.argmin(-1),
        "Every reading is one too large: digits are counted from 0.": lambda: x.argmax(-1) + 1,
        "Right for the first row only: a reading is wanted for every row.": lambda: x[0].argmax(),
    },
)
report(readings(-(jnp.abs(inputs.normal(3, 4)))))

# %% [markdown]
# Now your function reads for the network:

# %% name="read" tags=["demo"]
with skip_if_unfinished():
    digits.show(test_x[:10], [f"read as {digit}" for digit in readings(scores)[:10]])

# %% [markdown]
# ## 3. How often is it right?
#
# `read == labels` compares two rows of numbers place by place and gives `True` or `False` for each. `True` counts as
# 1 and `False` as 0, so their *mean* is the share that is `True`. If 3 of 4 are right, that is 0.75.
#
# ### Exercise 2: the accuracy


# %% name="accuracy" tags=["exercise"]
def accuracy(read, labels):
    """Return the share of pictures that were read correctly.

    Args:
      read: int array (N,), the digits that were read.
      labels: int array (N,), the right digits.

    Returns:
      A number from 0.0 to 1.0.
    """
    # BEGIN SOLUTION Return the mean of the comparison.
    return (read == labels).mean()
    # END SOLUTION


# %% name="accuracy-check" tags=["check"] exercise="accuracy"
guessed, truth = jnp.array([7, 2, 1, 0, 4]), jnp.array([7, 2, 9, 0, 1])
check(
    "three of five are right",
    lambda: accuracy(guessed, truth),
    0.6,
    mistakes={
        "That is how many are right. Wanted is the share: divided by how many there are.": 3,
        "That is the share of the wrong ones.": 0.4,
        "That is the share in percent. Wanted is a number from 0 to 1.": 60.0,
        "These are the comparisons, one for each picture. Wanted is one number: their mean.": lambda: guessed == truth,
        "That is how far off the digits are. A digit is right or wrong: compare with ==.": lambda: jnp.abs(
            guessed - truth
        ).mean(),
    },
)

# %% name="accuracy-share" tags=["hidden-test"] exercise="accuracy" points=2 hint="The mean of `read == labels`."
r, t = inputs.integers(21, low=0, high=3), inputs.integers(21, low=0, high=3)
report(
    accuracy(r, t),
    mistakes={
        "That is how many are right. Wanted is the share: divided by how many there are.": lambda: (r == t).sum(),
        "That is the share of the wrong ones.": lambda: (r != t).mean(),
        "That is the share in percent. Wanted is a number from 0 to 1.": lambda: 100 * (r == t).mean(),
        "These are the comparisons, one for each picture. Wanted is one number: their mean.": lambda: r == t,
        "That is how far off the digits are. A digit is right or wrong: compare with ==.": lambda: jnp.abs(
            r - t
        ).mean(),
    },
)
report(accuracy(t, t))

# %% name="accuracy-measured" tags=["demo"]
with skip_if_unfinished():
    print("held-out digits read correctly, at least 95 %:", bool(accuracy(readings(scores), test_y) >= 0.95))

# %% [markdown]
# ## Stretch: the surest mistake
#
# An exercise called *stretch* is for those who want more; it carries no points. Of all pictures that were read
# wrongly, which one got the largest score? `jnp.where(condition, a, b)` takes from `a` where the condition is true
# and from `b` elsewhere, and `-jnp.inf` is smaller than any score.


# %% name="surest_mistake" tags=["exercise", "stretch"]
def surest_mistake(scores, labels):
    """The number of the picture that was read wrongly with the largest score: an int from 0 to N - 1."""
    # BEGIN SOLUTION Take the largest score of each picture, -inf where the reading is right, and find the place of the largest.
    wrong = readings(scores) != labels
    return jnp.where(wrong, scores.max(axis=-1), -jnp.inf).argmax()
    # END SOLUTION


# %% name="surest_mistake-check" tags=["check", "stretch"] exercise="surest_mistake"
check(
    "pictures 0 and 2 are wrong, and 0 is surer",
    lambda: surest_mistake(bars, jnp.array([3, 0, 1])),
    0,
    mistakes={"Picture 1 got the largest score, but it was read rightly.": 1},
)
check("only picture 2 is wrong", lambda: surest_mistake(bars, jnp.array([1, 0, 1])), 2)

# %% name="surest-shown" tags=["demo"]
with skip_if_unfinished():
    place = int(surest_mistake(scores, test_y))
    digits.show(test_x[place : place + 1], [f"{test_y[place]}, not {readings(scores)[place]}"], columns=1)

# %% [markdown]
# ## 4. Submit it
#
# Save (Ctrl and S, or Cmd and S). In JupyterLab choose *File, New, Terminal* (or take the terminal that you started
# from), and type
#
# ```
# minitorch course check 00
# minitorch course submit 00
# ```
#
# The first command runs your notebook from top to bottom, as it is saved on disk, and lists what is right. The second
# one packs it into an archive and prints a receipt; your instructor says where to submit the file. (If `minitorch` is
# not found, write `.venv/bin/minitorch`, on Windows `.venv\Scripts\minitorch`, in the folder of the course.)
#
# **What happens then.** Your two functions are called on new numbers that nobody has seen before, and their results are
# compared with the right ones. This notebook has 4 points. You get a feedback page with your code, the reason for every
# point that was lost, and a hint. Read it even if everything is right: it will look the same for harder notebooks.
#
# **How to work from here.** Predict before you run. Run the check early; a wrong answer costs nothing, and the
# message is written for it. Nothing blocks you: if you skip an exercise, later cells say in one line that they wait for
# it.
#
# ## In the wild
#
# | what you met | where it stands |
# |---|---|
# | the network | minitorch: `minitorch/models/mlp.py` |
# | a score for each class, and `argmax` | every classifier; in PyTorch's own first example: `mnist/main.py` in the repository `pytorch/examples` |
# | the digits | scikit-learn: `sklearn/datasets/_base.py` (`load_digits`) |
# | notebooks | Jupyter: the format is described in the repository `jupyter/nbformat` |
#
# ## References
#
# - E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository (1998): the
#   pictures.
# - T. Kluyver and others, "Jupyter Notebooks: a publishing format for reproducible computational workflows", *ELPUB*
#   (2016).
#
# Next: 01 Tensors.
