# %% [markdown]
# # 05 From tape to graph
#
# In notebook 04 one word, `jax.jit`, made your training step many times faster. The formulas were the same, the numbers
# were the same, the machine was the same. So where had all that time gone? In this notebook you look inside: at the
# program that `jit` makes from your Python, at the price of making it, and at the speed limit that no program can
# break.
#
# **When you have finished you can**
#
# - read the program that `jax.jit` makes from a function, and say how often each of its operations runs;
# - predict when `jit` traces again, and repair functions that it cannot trace;
# - compile a training step that reuses the memory of the old weights, and many steps in one call;
# - count the arithmetic of a step by hand, and agree with the compiler's own count within 5 %;
# - measure the roofline of your machine, draw your step on it, and say what limits its speed.
#
# ```
#   application     a chat window, a digit reader
#   MLOps           runs, metrics, packages
#   hubs            weights that somebody trained ...
#   frameworks      ... with JAX, PyTorch, minitorch        <- you are here: what a framework hands
#   clusters        the same step, shared by machines          to the machine, and when
#   hardware        multiply, add, fetch                    <- and here: what the machine can do at most
# ```
#
# Time: about 90 minutes. Before: notebook 02 (the tape) and 04 (optimizers). It helps if you did the stretch exercise
# of 04 in which you write your own `jit`, but you don't need it.

# %% name="imports"
import functools
import itertools
import math
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np

import minitorch as mt
from minitorch_course import check, inputs, my_solution, report, setup, skip_if_unfinished

setup()

# %% [markdown]
# ## 1. The same step, three ways
#
# Here is one training step on its way through the machine. In the upper half, Python runs each operation as soon as it
# reaches it. In the lower half, Python ran once and wrote down what has to be done, and a compiler turned that into one
# program.

# %% name="lanes" tags=["demo"]
from minitorch_course.figures import roofline, staging

staging.lanes()

# %% [markdown]
# The model is the reader of handwritten digits that you trained in 04: 64 inputs, 128 hidden units, 10 classes, Adam.
# There are three ways to run its step:
#
# | | who differentiates | who runs the operations |
# |---|---|---|
# | taped, eager | the tape of notebook 02 | Python, one after the other |
# | taped, compiled | the same tape, while `jax.jit` watches | one compiled program |
# | `jax.grad`, compiled | JAX itself | one compiled program |
#
# Predict before you run: the order of the three, and the factor between the first and the second. (The cell uses your
# loss from notebook 03 and your Adam from 04, if they are in this folder.)


# %% name="stopwatch"
def seconds(function, *args, repeat=15):
    """The median time of a call in seconds, without the first call, which may trace and compile."""
    jax.block_until_ready(function(*args))
    times = []
    for _ in range(repeat):
        begun = time.perf_counter()
        jax.block_until_ready(function(*args))
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


# %% name="digits" tags=["demo"]
images, labels = mt.data.load_digits()
flat = images.reshape(len(images), 64)
(train_x, train_y), (test_x, test_y) = mt.data.stratified_split(flat, labels, validation=0.2, seed=0)
cross_entropy = my_solution("cross_entropy", otherwise=mt.nn.cross_entropy)
scale_by_adam = my_solution("scale_by_adam", otherwise=mt.optim.scale_by_adam)
scale_by_learning_rate = my_solution("scale_by_learning_rate", otherwise=mt.optim.scale_by_learning_rate)

first_model = mt.models.MLP.init(jax.random.key(0), mt.models.MLPConfig(inputs=64, hidden=(128,), classes=10))
optimizer = mt.optim.chain(scale_by_adam(), scale_by_learning_rate(0.005))
first_state = optimizer.init(first_model)


def digit_loss(model, x, y):
    return cross_entropy(model(x), y)


def step_with(value_and_grad):
    """A training step: (params, state, x, y) -> (params, state, loss)."""

    def step(params, state, x, y):
        loss, gradient = value_and_grad(digit_loss)(params, x, y)
        updates, state = optimizer.update(gradient, state, params)
        return mt.optim.apply_updates(params, updates), state, loss

    return step


taped = step_with(mt.value_and_grad)
WAYS = {
    "taped, eager": taped,
    "taped, compiled": jax.jit(taped),
    "jax.grad, compiled": jax.jit(step_with(jax.value_and_grad)),
}

# %% name="three-ways" tags=["demo", "nbval-ignore-output"]
for name, step in WAYS.items():
    each = seconds(step, first_model, first_state, train_x[:64], train_y[:64])
    print(f"{name:20} {1000 * each:7.3f} ms a step")

# %% [markdown]
# The two compiled ways are about equally fast, and the eager one is far behind. The mathematics is not the reason, and
# the tape is not the reason either. The rest of the notebook takes the difference apart, and at the end you can explain
# all of it.
#
# **A trap in every such table.** A JAX call returns *before* the work is done: it gives you an array that is still
# being computed, so that Python can go on (*asynchronous dispatch*). A stopwatch around the call alone measures how
# fast you can *ask*. `jax.block_until_ready` waits for the answer, and the stopwatch above uses it. Here is a product
# of large matrices, timed until the call returns and until the result is there:

# %% name="asked" tags=["demo", "nbval-ignore-output"]
matrix = jnp.ones((1500, 1500))
jax.block_until_ready(matrix @ matrix)
begun = time.perf_counter()
asked_for = matrix @ matrix
asked = time.perf_counter() - begun
jax.block_until_ready(asked_for)
print(f"requested after {1000 * asked:.2f} ms, answered after {1000 * (time.perf_counter() - begun):.2f} ms")

# %% [markdown]
# ## 2. What `jit` sees
#
# `jax.jit(f)` runs your Python once, on stand-ins (*tracers*) that have a shape and a dtype but no numbers, and writes
# down what your code does to them. This is called *tracing*. (In the second stretch exercise of 04 you can build it.)
# `jax.make_jaxpr` only traces, and shows you the result:


# %% name="layer"
def layer(x, w, b):
    return jnp.tanh(x @ w + b) * 2.0


# %% name="a-jaxpr" tags=["demo", "nbval-ignore-output"]
print(jax.make_jaxpr(layer)(jnp.ones((5, 3)), jnp.ones((3, 4)), jnp.ones(4)))

# %% [markdown]
# This is a **jaxpr**: inputs, a list of equations, outputs. Each equation applies one *primitive* to variables and
# names the result. It is notebook 02's tape, without any numbers yet: **the graph**. As Python objects:
#
# | | |
# |---|---|
# | `program = jax.make_jaxpr(f)(*args)` | the program of `f` for arguments like `args` |
# | `program.eqns` | its equations, a list |
# | `program.in_avals`, `program.out_avals` | what is known about its inputs and outputs: each has `.shape`, `.size`, `.dtype` |
# | `equation.primitive.name` | such as `"dot_general"` (every matrix product), `"tanh"`, `"add"` |
# | `equation.invars[0].aval`, `equation.outvars[0].aval` | the same for an equation's inputs and outputs |
# | `equation.params` | a dict with everything else: axes, or a whole program |
#
# Why a whole program? A function that is itself under `jax.jit` becomes *one* equation named `jit`, which holds the
# program of that function. A loop, `jax.lax.scan(body, first, length=5)`, becomes one equation that holds the program
# of its body, and runs it 5 times. So programs contain programs, as folders contain folders. `inner` opens one such
# folder:


# %% name="inner"
HOLDERS = ("jaxpr", "call_jaxpr", "body_jaxpr")  # The params under which an equation may hold a program.


def inner(equation):
    """The programs that an equation calls: a list of pairs (program, how often it runs). Empty for most equations."""
    times = equation.params.get("length", 1)
    return [(equation.params[key], times) for key in HOLDERS if key in equation.params]


def tally(found):
    """Pairs (equation, times) added up by name: how often each primitive runs."""
    counts = {}
    for equation, times in found:
        counts[equation.primitive.name] = counts.get(equation.primitive.name, 0) + times
    return counts


def looped(x):
    """A loop with two operations inside and one behind it."""

    def body(carry, _):
        return jnp.tanh(carry) * 2.0, None

    last, _ = jax.lax.scan(body, x, length=5)
    return last + x


three = jnp.arange(3.0)


# %% name="inner-shown" tags=["demo"]
for equation in jax.make_jaxpr(looped)(jnp.ones(3)).eqns:
    held = [([inside.primitive.name for inside in program.eqns], times) for program, times in inner(equation)]
    print(f"{equation.primitive.name:8} holds {held}")

# %% [markdown]
# How many operations does `looped` run? Its list has two equations. But the scan itself computes nothing: it runs tanh
# 5 times and the product 5 times. Together with the addition that makes 11.
#
# Predict: a scan of length 3 has a body with one `sin` and another scan, of length 4, over a tanh. How many times does
# tanh run, and how many times does sin?

# %% name="nested-shown" tags=["demo"]
staging.nested()

# %% [markdown]
# ### Exercise 1: what runs, and how often
#
# Walk through the list. Don't count an equation that holds programs. Count the equations inside it instead, as many
# times as they run. You don't know in advance how deep the programs are nested, so let the function call itself.


# %% name="executed" tags=["exercise"]
def executed(program, times=1):
    """Every operation that a program runs, also in programs that it holds.

    Args:
      program: as `jax.make_jaxpr` makes it.
      times: how often the program itself runs.

    Returns:
      A list of pairs (equation, how often it runs), without the equations that hold programs.
    """
    # BEGIN SOLUTION Exercise 1: walk through program.eqns; where `inner` finds programs, go into them, with their times.
    found = []
    for equation in program.eqns:
        held = inner(equation)
        for inside, repeats in held:
            found += executed(inside, times * repeats)
        if not held:
            found.append((equation, times))
    return found
    # END SOLUTION


# %% name="executed-check" tags=["check"] exercise="executed"
def jitted(x):
    """One operation under jit, two outside."""
    return jnp.exp(jax.jit(jnp.sin)(x)) + x


def loop_in_loop(x):
    """sin 3 times, and each time tanh 4 times; exp once."""

    def outer(carry, _):
        carry, _ = jax.lax.scan(lambda c, _: (jnp.tanh(c), None), jnp.sin(carry), length=4)
        return carry, None

    return jnp.exp(jax.lax.scan(outer, x, length=3)[0])


def runs(function, *args):
    """How often each primitive of a function runs, by your count."""
    return tally(executed(jax.make_jaxpr(function)(*args)))


check(
    "a flat list",
    lambda: runs(layer, jnp.ones((5, 3)), jnp.ones((3, 4)), jnp.ones(4)),
    {"dot_general": 1, "broadcast_in_dim": 1, "add": 1, "tanh": 1, "mul": 1},
)
check(
    "a program inside a program",
    lambda: runs(jitted, three),
    {"sin": 1, "exp": 1, "add": 1},
    mistakes={
        "The equation `jit` computes nothing itself: it only holds operations. Go into what `inner` gives.": {
            "jit": 1,
            "exp": 1,
            "add": 1,
        },
        "An equation that holds programs was counted in addition to what it holds. It counts for nothing itself.": {
            "jit": 1,
            "sin": 1,
            "exp": 1,
            "add": 1,
        },
        "Only what stands inside was found. The equations that hold nothing count too.": {"sin": 1},
        "What stands inside is missing. Collect what the function finds when it calls itself.": {"exp": 1, "add": 1},
    },
)
check(
    "a loop",
    lambda: runs(looped, three),
    {"tanh": 5, "mul": 5, "add": 1},
    mistakes={
        "The body of the loop was counted once. It runs as often as `inner` says.": {"tanh": 1, "mul": 1, "add": 1},
        "The equation `scan` computes nothing itself: it only holds operations. Go into what `inner` gives.": {
            "scan": 1,
            "add": 1,
        },
    },
)
check(
    "a loop in a loop",
    lambda: runs(loop_in_loop, three),
    {"sin": 3, "tanh": 12, "exp": 1},
    mistakes={
        "The inner loop runs 4 times in each of 3 rounds of the outer one: multiply.": {"sin": 3, "tanh": 4, "exp": 1},
        "The times were added. A loop of 4 in a loop of 3 runs 12 times: multiply.": {"sin": 4, "tanh": 8, "exp": 1},
        "The body of the loop was counted once. It runs as often as `inner` says.": {"sin": 1, "tanh": 1, "exp": 1},
    },
)
check(
    "a program that runs several times itself",
    lambda: tally(executed(jax.make_jaxpr(looped)(three), 10)),
    {"tanh": 50, "mul": 50, "add": 10},
    mistakes={
        "`times` is how often the whole program runs: it counts for its plain equations too.": {
            "tanh": 50,
            "mul": 50,
            "add": 1,
        },
        "`times` has no effect.": {"tanh": 5, "mul": 5, "add": 1},
    },
)


# %% name="executed-nested" tags=["hidden-test"] exercise="executed" points=2 hint="Go into every program that `inner` gives, with times * repeats; an equation that holds programs counts for nothing itself."
def nested(outer_length, inner_length):
    """A program with a loop in a loop, a jit in it, and plain operations around."""

    def outer(carry, _):
        carry, _ = jax.lax.scan(lambda c, _: (jax.jit(jnp.cos)(c) - 1.0, None), jnp.sin(carry), length=inner_length)
        return jnp.exp(carry), None

    return jax.make_jaxpr(lambda x: jnp.log(jax.lax.scan(outer, x, length=outer_length)[0]) * x)(jnp.ones(3))


m, n = int(inputs.integers(low=3, high=6)), int(inputs.integers(low=7, high=11))
report(
    tally(executed(nested(m, n))),
    mistakes={
        "The equation `jit` computes nothing itself: it only holds operations. Go into what `inner` gives.": lambda: {
            "scan": 1,
            "log": 1,
            "mul": 1,
        },
        "An equation that holds programs was counted in addition to what it holds. It counts for nothing itself.": lambda: (
            {"sin": m, "jit": m * n, "cos": m * n, "sub": m * n, "scan": m + 1, "exp": m, "log": 1, "mul": 1}
        ),
        "The inner loop runs in each of the rounds of the outer one: multiply.": lambda: (
            {"sin": m, "cos": 1, "sub": n, "exp": m, "log": 1, "mul": 1}
        ),
        "The times were added. A loop of 4 in a loop of 3 runs 12 times: multiply.": lambda: (
            {"sin": m + 1, "cos": m + n + 2, "sub": m + n + 1, "exp": m + 1, "log": 1, "mul": 1}
        ),
        "The body of the loop was counted once. It runs as often as `inner` says.": lambda: dict.fromkeys(
            ("sin", "cos", "sub", "exp", "log", "mul"), 1
        ),
        "What stands inside is missing. Collect what the function finds when it calls itself.": lambda: (
            {"log": 1, "mul": 1}
        ),
    },
)

# %% name="executed-times" tags=["hidden-test"] exercise="executed" points=1 hint="`times` counts for the plain equations of the program, and is passed on to what it holds."
k = int(inputs.integers(low=5, high=9))
report(
    tally(
        executed(jax.make_jaxpr(lambda x: jax.lax.scan(lambda c, _: (jnp.cos(c), None), x, length=3)[0] + x)(1.0), k)
    ),
    mistakes={
        "`times` is how often the whole program runs: it counts for its plain equations too.": lambda: (
            {"cos": 3 * k, "add": 1}
        ),
        "`times` has no effect.": lambda: {"cos": 3, "add": 1},
        "The equation `jit` computes nothing itself: it only holds operations. Go into what `inner` gives.": lambda: (
            {"scan": k, "add": k}
        ),
        "An equation that holds programs was counted in addition to what it holds. It counts for nothing itself.": lambda: (
            {"scan": k, "cos": 3 * k, "add": k}
        ),
        "The inner loop runs in each of the rounds of the outer one: multiply.": lambda: {"cos": 3, "add": k},
        "The times were added. A loop of 4 in a loop of 3 runs 12 times: multiply.": lambda: {"cos": 3 + k, "add": k},
        "The body of the loop was counted once. It runs as often as `inner` says.": lambda: {"cos": k, "add": k},
        "What stands inside is missing. Collect what the function finds when it calls itself.": lambda: {"add": k},
    },
)
report(tally(executed(jax.make_jaxpr(lambda x: jnp.cos(x) * x)(1.0))))

# %% [markdown]
# Now apply your count to the step of section 1. Guess first: how many operations does one step of a network with two
# layers run, with the gradient, Adam and everything?

# %% name="operations-of-a-step" tags=["demo"]
with skip_if_unfinished():
    counts = runs(taped, first_model, first_state, train_x[:64], train_y[:64])
    print(f"{sum(counts.values())} operations, of which {counts['dot_general']} are products of matrices.")
    print("The most frequent:", dict(sorted(counts.items(), key=lambda item: -item[1])[:5]))

# %% [markdown]
# Nearly all the arithmetic is in five of them. But when the step runs eagerly, each of the others also costs a trip
# from Python through the framework to the machine and back, and the trip takes the same time for 10 numbers and for
# 10,000. Remember this number of operations: section 11 uses it to explain where the time goes.
#
# ## 3. When `jit` looks again
#
# A program has to be traced and compiled before it can run. How much time does that cost?

# %% name="first-call" tags=["demo", "nbval-ignore-output"]
again, batch = jax.jit(step_with(mt.value_and_grad)), (train_x[:64], train_y[:64])
begun = time.perf_counter()
jax.block_until_ready(again(first_model, first_state, *batch))
first_call = time.perf_counter() - begun
print(f"The first call took as long as {first_call / seconds(again, first_model, first_state, *batch):.0f} others.")

# %% [markdown]
# So `jit` keeps the program in a cache, and uses it again when a call *looks the same*. What is "the same"? We can ask
# `jit` itself. The function below returns the number of its own trace. Its Python code runs only during tracing, so the
# number is baked into the program, and the result says *which program ran*:


# %% name="programs"
def programs(calls, **options):
    """For each call, a tuple of arguments, the number of the program with which jax.jit answers it."""
    traces = []

    def numbered(*args):
        traces.append(args)
        return len(traces) - 1

    compiled = jax.jit(numbered, **options)
    return [int(compiled(*args)) for args in calls]


# %% [markdown]
# Before you run the cell, write down nine numbers. Which calls share a program?

# %% name="which-program" tags=["demo"]
CALLS = {
    "x": (jnp.arange(3.0),),
    "x with other numbers": (jnp.arange(3.0) + 7,),
    "four numbers, not three": (jnp.arange(4.0),),
    "integers": (jnp.arange(3),),
    "Python's 2.0": (2.0,),
    "Python's 5.0": (5.0,),
    "a float32 array 2.0": (jnp.float32(2.0),),
    "x in a list": ([jnp.arange(3.0)],),
    "x in a dict": ({"x": jnp.arange(3.0)},),
}
for call, number in zip(CALLS, programs(CALLS.values()), strict=True):
    print(f"{call:24} program {number}")

# %% [markdown]
# The values do not matter, not even those of Python's own numbers. These things matter:
#
# - the **structure** of the arguments: which dicts with which names, which lists and tuples;
# - the **shape** and the **dtype** of each leaf;
# - whether the dtype of each leaf is **weak**. Python's `2.0` has no width of its own: multiplied by a bfloat16 array
#   it is bfloat16, multiplied by a float32 array it is float32. An array `jnp.float32(2.0)` insists on its dtype:
#   multiplied by a bfloat16 array it gives float32. So these are two programs.
#
# `jax.tree.flatten(args)` gives the leaves and the structure. `jax.typeof(leaf)` gives the type of a leaf, for arrays
# and for Python's numbers: `.shape`, `.dtype` and `.weak_type`.
#
# There is a way out: you can declare an argument **static**, `jax.jit(f, static_argnums=(1,))`. A static argument is
# not traced. Your Python sees its value and may use it in an `if` or as a size, and the value itself becomes part of
# the key. Each new value needs a new program. That is right for the number of layers, and a catastrophe for a learning
# rate that changes at each step.
#
# ### Exercise 2: the key
#
# `jit` keeps its programs in a dict. Write its key.


# %% name="cache_key" tags=["exercise"]
def cache_key(args, static_argnums=()):
    """What must be equal for two calls to share a compiled program.

    Args:
      args: the tuple of arguments of a call: trees of arrays and numbers, and whatever is static.
      static_argnums: a tuple of the places of static arguments. These are hashable, and are not traced.

    Returns:
      A value that can be the key of a dict (tuples of tuples, no lists and no arrays). It is equal for two calls where
      jax.jit runs one program for both, and only there.
    """
    # BEGIN SOLUTION Exercise 2: the tree structure and each leaf's shape, dtype and weak_type of what is traced; the values of what is static.
    traced = [arg for i, arg in enumerate(args) if i not in static_argnums]
    leaves, structure = jax.tree.flatten(traced)
    kinds = [jax.typeof(leaf) for leaf in leaves]
    looks = tuple((kind.shape, kind.dtype, kind.weak_type) for kind in kinds)
    static = tuple(args[i] for i in static_argnums)
    return looks, structure, static  # mutant-ok: in a key the parts may stand in any order
    # END SOLUTION


# %% name="numbered"
def numbered(key, calls, **options):
    """For each call the number of the program that a dict with these keys would run."""
    known = {}
    return [known.setdefault(key(args, **options), len(known)) for args in calls]


# %% name="cache_key-check" tags=["check"] exercise="cache_key"
array_calls = [(three,), (three + 7,), (jnp.arange(4.0),), (jnp.arange(3),), (three[None],), (three[:, None],)]
tree_calls = [
    ({"w": three, "b": three},),
    ({"w": three, "c": three},),
    ([three, three],),
    ((three, three),),
    (three, three),
    ([three, [three]],),
    ({"b": three + 1, "w": three - 1},),
]
number_calls = [(three, 2.0), (three, 5.0), (three, jnp.float32(2.0)), (three, 3), (three, jnp.float32(9.0))]
static_calls = [(three, 2), (three + 1, 2), (three, 3), (jnp.arange(4.0), 3), (three, 2)]
check(
    "arrays: shape and dtype count, numbers do not",
    lambda: numbered(cache_key, array_calls),
    lambda: programs(array_calls),
    mistakes={
        "The numbers in an array made another program. They do not count: the program is the same.": [0, 1, 2, 3, 4, 5],
        "float32 and int32 shared a program. The dtype counts.": [0, 0, 1, 0, 2, 3],
        "Arrays of other shapes shared a program. The whole shape counts.": [0, 0, 0, 1, 0, 0],
        "Only the number of axes is compared. The whole shape counts.": [0, 0, 0, 1, 2, 2],
        "Only the number of elements is compared. The whole shape counts.": [0, 0, 1, 2, 0, 0],
        "All calls shared a program.": [0, 0, 0, 0, 0, 0],
    },
)
check(
    "trees: names and nesting count",
    lambda: numbered(cache_key, tree_calls),
    lambda: programs(tree_calls),
    mistakes={
        "The structure does not count yet: a dict, a list and two arguments shared a program.": [0] * 7,
        "The numbers in an array made another program. They do not count: the program is the same.": list(range(7)),
    },
)
check(
    "Python's numbers: the value does not count, a weak dtype does",
    lambda: numbered(cache_key, number_calls),
    lambda: programs(number_calls),
    mistakes={
        "The value of a Python number made another program. It is traced like an array: only its kind counts.": [
            0,
            1,
            2,
            3,
            2,
        ],
        "2.0 and jnp.float32(2.0) shared a program. The dtype of the first is weak, of the second not.": [
            0,
            0,
            0,
            1,
            0,
        ],
        "The numbers in an array made another program. They do not count: the program is the same.": list(range(5)),
        "float32 and int32 shared a program. The dtype counts.": [0, 0, 1, 0, 1],
    },
)
check(
    "static arguments: their values count",
    lambda: numbered(cache_key, static_calls, static_argnums=(1,)),
    lambda: programs(static_calls, static_argnums=(1,)),
    mistakes={
        "The value of a static argument does not count yet: another value is another program.": [0, 0, 0, 1, 0],
        "Only the static argument counts. Those that are traced count too, by their kind.": [0, 0, 1, 1, 0],
        "The numbers in an array made another program. They do not count: the program is the same.": [0, 1, 2, 3, 0],
    },
)


# %% name="cache_key-arrays" tags=["hidden-test"] exercise="cache_key" points=2 hint="Of each leaf: shape, dtype, weak_type, as jax.typeof gives them; never its numbers."
def listed(kind, calls):
    """The number of each call's program, if `kind(args)` were the key."""
    return numbered(lambda args: kind(args), calls)


p, q = int(inputs.integers(low=2, high=5)), int(inputs.integers(low=5, high=8))
shapes = [(p, q), (q, p), (p * q,), (p, q)]
mixed = [(inputs.normal(*shape),) for shape in shapes] + [(inputs.integers(p, q),), (inputs.normal(p, q) > 0,)]
mixed += [(inputs.scalar(),), (inputs.scalar(),), (jnp.float32(inputs.scalar()),), (7,), (8,), (inputs.normal(),)]
report(
    numbered(cache_key, mixed),
    mistakes={
        "The numbers in an array made another program. They do not count: the program is the same.": lambda: list(
            range(12)
        ),
        "The value of a Python number made another program. It is traced like an array: only its kind counts.": lambda: (
            [0, 1, 2, 0, 3, 4, 5, 6, 7, 8, 9, 7]
        ),
        "float32 and int32 shared a program. The dtype counts.": lambda: listed(
            lambda args: (jnp.shape(args[0]), jax.typeof(args[0]).weak_type), mixed
        ),
        "Arrays of other shapes shared a program. The whole shape counts.": lambda: listed(
            lambda args: (jax.typeof(args[0]).dtype, jax.typeof(args[0]).weak_type), mixed
        ),
        "Only the number of elements is compared. The whole shape counts.": lambda: listed(
            lambda args: (jax.typeof(args[0]).dtype, jax.typeof(args[0]).weak_type, jnp.size(args[0])), mixed
        ),
        "2.0 and jnp.float32(2.0) shared a program. The dtype of the first is weak, of the second not.": lambda: listed(
            lambda args: (jnp.shape(args[0]), jax.typeof(args[0]).dtype), mixed
        ),
    },
)

# %% name="cache_key-trees" tags=["hidden-test"] exercise="cache_key" points=2 hint="jax.tree.flatten gives the leaves and the structure; the structure belongs to the key."
leaf, other = inputs.normal(3), inputs.normal(3)
grown = [
    ({"a": leaf, "b": (leaf, other)},),
    ({"a": other, "b": (other, leaf)},),
    ({"a": leaf, "c": (leaf, other)},),
    ({"a": leaf, "b": [leaf, other]},),
    ({"a": (leaf, leaf), "b": other},),
    (leaf, (leaf, other)),
    ([leaf, leaf, other],),
    (leaf, leaf, other),
    (leaf, None, (leaf, other)),
]
report(
    numbered(cache_key, grown),
    mistakes={
        "The structure does not count yet: a dict, a list and two arguments shared a program.": lambda: [0] * 9,
        "The numbers in an array made another program. They do not count: the program is the same.": lambda: list(
            range(9)
        ),
    },
)

# %% name="cache_key-static" tags=["hidden-test"] exercise="cache_key" points=1 hint="Static arguments are left out of the tree; their values are a part of the key."
width = int(inputs.integers(low=3, high=9))
fixed = [(width, leaf, 1.0), (width, other, 2.0), (width + 1, leaf, 1.0), (width, leaf, 1), (width + 1, other, 3.0)]
report(
    [numbered(cache_key, fixed, static_argnums=(0,)), numbered(cache_key, fixed, static_argnums=(0, 2))],
    mistakes={
        "The value of a static argument does not count yet: another value is another program.": lambda: [
            [0, 0, 0, 1, 0],
            [0, 0, 0, 0, 0],
        ],
        "Only the static argument counts. Those that are traced count too, by their kind.": lambda: [
            [0, 0, 1, 0, 1],
            [0, 1, 2, 0, 3],
        ],
        "The numbers in an array made another program. They do not count: the program is the same.": lambda: [
            [0, 1, 2, 3, 4],
            [0, 1, 2, 0, 3],
        ],
        "2.0 and jnp.float32(2.0) shared a program. The dtype of the first is weak, of the second not.": lambda: [
            [0, 0, 1, 2, 1],
            [0, 1, 2, 0, 3],
        ],
        "float32 and int32 shared a program. The dtype counts.": lambda: [[0, 0, 1, 0, 1], [0, 1, 2, 0, 3]],
    },
)

# %% [markdown]
# Now use the key on two real cases: a chat that grows by one token at a time, and an epoch whose last batch is smaller.
# Say how many programs each of them needs, then look.

# %% name="retraces" tags=["demo"]
with skip_if_unfinished():
    chat = [(np.zeros(length, np.int32),) for length in range(1, 101)]
    padded = [(np.zeros(2 ** math.ceil(math.log2(length)), np.int32),) for length in range(1, 101)]
    epoch = [(train_x[i : i + 64], train_y[i : i + 64]) for i in range(0, len(train_x), 64)]
    for name, calls in {"100 lengths": chat, "padded to powers of two": padded, "an epoch": epoch}.items():
        print(f"{name:24} {len(calls):4} calls, {len({cache_key(args) for args in calls}):4} programs")

# %% [markdown]
# Padding wastes some arithmetic and saves 92 compilations. Language model servers do it ("bucketing"). Now think the
# other way round: which arguments would make `jit` compile a new program for *every* training step?
#
# ## 4. What `jit` cannot see
#
# A tracer has no numbers. So nothing that *Python* does may depend on a number. Here are three ordinary functions that
# break this rule, each in a different way (there are only these three):
#
# 1. `length`: an `if` on a value.
# 2. `positive_mean`: a shape that depends on values. How many numbers are positive?
# 3. `square_root`: a loop whose end depends on values. (Heron of Alexandria's method, first century: guess, divide,
#    take the mean of both.)


# %% name="untraceable"
def length(x):
    """The length of a vector, a square root. The root has an infinite slope at 0, so that case is taken out."""
    squares = jnp.sum(x**2)
    return jnp.sqrt(squares) if squares > 0 else 0.0


def positive_mean(x):
    """The mean of the numbers above 0; 0.0 if there are none."""
    positive = x[x > 0]
    return positive.mean() if len(positive) else 0.0


def square_root(a, tolerance, limit):
    """The square root of a, and the number of improvements that it took: at most `limit`."""
    root, count = a, 0
    while abs(root**2 - a) > tolerance * a and count < limit:
        root, count = (root + a / root) / 2, count + 1
    return root, count


# %% name="untraceable-shown" tags=["demo"]
for function, args in ((length, (three,)), (positive_mean, (three,)), (square_root, (2.0, 1e-4, 20))):
    try:
        jax.jit(function)(*args)
    except Exception as error:
        print(f"{function.__name__:14} {type(error).__name__}")

# %% [markdown]
# The cures, in the same order:
#
# 1. Compute both sides and choose: `jnp.where(condition, a, b)`. If a side is expensive or not allowed, use
#    `jax.lax.cond(condition, if_true, if_false, x)`, which runs only one of two functions.
# 2. Keep the shape. A number that does not count becomes a 0 in the sum, and the number of those that count is itself a
#    sum.
# 3. Let the loop be part of the program: `jax.lax.while_loop(unfinished, improve, first)`. Everything that a round
#    changes goes from round to round in a tuple.
#
# **The trap of `where`.** It computes both sides, and its gradient does the same. `jnp.where(s > 0, jnp.sqrt(s), 0.0)`
# has the right value at $s = 0$, and its gradient is NaN: the derivative of the root there is $1/0 = \infty$. It is
# multiplied by 0, because this side was not chosen, and $0 \cdot \infty$ is not a number. One NaN in a gradient is
# enough: the clipping of notebook 04 divides by the norm of all leaves, so all weights become NaN. The cure is to
# choose twice: give the root a harmless number, *then* choose.
#
# ```
#   s = 0:   sqrt(where(s > 0, s, 1))  =  1, slope finite;   where(s > 0, that, 0)  =  0, gradient 0
# ```
#
# ### Exercise 3: three functions, repaired


# %% name="traceable" tags=["exercise"] forbids=["jax.numpy.linalg.norm", "jax.numpy.linalg.vector_norm", "minitorch.optim.global_norm"]
def safe_length(x):
    """The length of a vector, which works under jax.jit and whose gradient at 0 is 0.

    Args:
      x: an array (n,).

    Returns:
      A float32 array ().
    """
    # BEGIN SOLUTION Exercise 3: choose with jnp.where, before the root and after it.
    squares = jnp.sum(x**2)
    some = squares > 0
    harmless = jnp.where(some, squares, 1.0)  # mutant-ok: any positive number is harmless
    return jnp.where(some, jnp.sqrt(harmless), 0.0)
    # END SOLUTION


def masked_mean(x):
    """The mean of the numbers above 0, which works under jax.jit; 0.0 if there are none.

    Args:
      x: an array (n,).

    Returns:
      A float32 array ().
    """
    # BEGIN SOLUTION Exercise 3: divide a sum by a count, both over the numbers above 0, and never by zero.
    positive = x > 0
    return jnp.sum(jnp.where(positive, x, 0.0)) / jnp.maximum(jnp.sum(positive), 1)
    # END SOLUTION


def heron(a, tolerance, limit):
    """The square root of a, and the number of improvements that it took, under jax.jit.

    Args:
      a: a positive number or array ().
      tolerance: improve while |root² - a| is greater than tolerance * a,
      limit: the largest number of rounds.

    Returns:
      The root and the number of improvements, both arrays ().
    """

    # BEGIN SOLUTION Exercise 3: carry (root, count) through jax.lax.while_loop, starting with (a, 0).
    def unfinished(carry):
        root, count = carry
        return (jnp.abs(root**2 - a) > tolerance * a) & (count < limit)  # mutant-ok: abs has no sign

    def improve(carry):
        root, count = carry
        return (root + a / root) / 2, count + 1

    return jax.lax.while_loop(unfinished, improve, (a, 0))
    # END SOLUTION


# %% name="traceable-check" tags=["check"] exercise="traceable"
zeros = jnp.zeros(3)
some_numbers = jnp.array([3.0, -1.0, 2.5, -4.0, 0.0, 1.0])
check(
    "length: under jit",
    lambda: jax.jit(safe_length)(jnp.array([2.0, 3.0, -6.0])),
    7.0,
    mistakes={
        "This is the square of the length: the root is missing.": 49.0,
        "This is the harmless number that was put in: choose the root where the sum of squares is above 0.": 1.0,
        "The two sides are exchanged: this is the 0 for the case without a length.": 0.0,
    },
)
check("length: of nothing", lambda: jax.jit(safe_length)(zeros), 0.0, mistakes={
    "At 0 this is the root of the harmless number. Choose once more, after the root.": 1.0,
})  # fmt: skip
check(
    "length: the gradient is a direction",
    lambda: jax.jit(jax.grad(safe_length))(jnp.array([2.0, 3.0, -6.0])),
    np.array([2 / 7, 3 / 7, -6 / 7], np.float32),
    mistakes={"The gradient is 0 everywhere: no way leads from the result back to x.": np.zeros(3, np.float32)},
)
check(
    "length: the gradient at 0",
    lambda: jax.jit(jax.grad(safe_length))(zeros),
    np.zeros(3, np.float32),
    mistakes={
        "The gradient at 0 is NaN: the root was taken of 0, and `where` only threw its value away. Choose before the root, too.": np.full(
            3, np.nan, np.float32
        ),
    },
)
check(
    "mean: under jit",
    lambda: jax.jit(masked_mean)(some_numbers),
    6.5 / 3,
    mistakes={
        "The sum is divided by all numbers. Divide by the number of those above 0.": 6.5 / 6,
        "This is the mean of all numbers.": 1.5 / 6,
        "This is the sum. Divide it by the number of those above 0.": 6.5,
        "A 0 was counted as positive.": 6.5 / 4,
    },
)
check(
    "mean: where none is above 0",
    lambda: jax.jit(masked_mean)(-jnp.ones(4)),
    0.0,
    mistakes={"With no number above 0 this is 0 / 0. Let the divisor be at least 1.": np.nan},
)
check(
    "Heron: under jit",
    lambda: jax.jit(heron)(2.0, 1e-4, 20),
    (1.4142157, 3),
    mistakes={
        "No round was made: does the loop go on while the error is *greater* than the tolerance?": (2.0, 0),
        "This is one improvement too few.": (1.4166666, 2),
        "This is one improvement too many.": (1.4142135, 4),
        "The count is missing its rounds: carry it along and add 1.": (1.4142157, 0),
        "The loop ran to its limit. It ends too when the error is small enough.": (1.4142135, 20),
    },
)
check(
    "Heron: at most `limit` rounds",
    lambda: jax.jit(heron)(1000.0, 1e-4, 3),
    lambda: square_root(1000.0, 1e-4, 3),
    mistakes={
        "The limit has no effect. A compiled loop cannot be interrupted, so it needs one.": lambda: square_root(
            1000.0, 1e-4, 100
        ),
        "One round too many: `limit` improvements are allowed, counted from 0.": lambda: square_root(1000.0, 1e-4, 4),
    },
)
check(
    "Heron: the tolerance grows with a",
    lambda: jax.jit(heron)(400.0, 1e-2, 20),
    lambda: square_root(400.0, 1e-2, 20),
    mistakes={
        "The error is compared with the tolerance itself. It is relative: tolerance * a.": lambda: square_root(
            400.0, 1e-2 / 400, 20
        ),
    },
)

# %% name="traceable-length" tags=["hidden-test"] exercise="traceable" points=2 hint="where(some, sqrt(where(some, squares, 1)), 0): choose before the root, for the gradient, and after it."
vector = inputs.normal(5)


def slope_of(function, x):
    return jax.jit(jax.value_and_grad(function))(x)


def root_of_squares(x):
    return jnp.sqrt(jnp.sum(x**2))


def three_slopes(function, at_zero):
    """Of a vector, of a short one, and what is claimed for that of zeros."""
    return [slope_of(function, vector), slope_of(function, 0.1 * vector / jnp.max(jnp.abs(vector))), at_zero]


report(
    three_slopes(safe_length, slope_of(safe_length, jnp.zeros(4))),
    mistakes={
        "The gradient at 0 is NaN: the root was taken of 0, and `where` only threw its value away. Choose before the root, too.": lambda: (
            three_slopes(root_of_squares, (0.0, jnp.full(4, jnp.nan)))
        ),
        "At 0 this is the root of the harmless number. Choose once more, after the root.": lambda: three_slopes(
            root_of_squares, (1.0, jnp.zeros(4))
        ),
        "This is the square of the length: the root is missing.": lambda: three_slopes(
            lambda x: jnp.sum(x**2), (0.0, jnp.zeros(4))
        ),
    },
)

# %% name="traceable-mean" tags=["hidden-test"] exercise="traceable" points=2 hint="The sum of where(x > 0, x, 0) over the number of x > 0, which is at least 1."
values = inputs.normal(9) + jnp.array([0.0] * 7 + [5.0, -5.0])
values = jnp.where(jnp.arange(9) == 3, 0.0, values)
rows_of_values = [
    values,
    -jnp.abs(values),
    -jnp.abs(values) + 20.0 * (jnp.arange(9) == 6),
]  # The last has one positive.


def sums_over(count):
    """The sum of the numbers above 0 over what is counted."""
    return [jnp.sum(jnp.maximum(x, 0)) / count(x) for x in rows_of_values]


report(
    [jax.jit(masked_mean)(x) for x in rows_of_values],
    mistakes={
        "The sum is divided by all numbers. Divide by the number of those above 0.": lambda: sums_over(len),
        "This is the mean of all numbers.": lambda: [jnp.mean(x) for x in rows_of_values],
        "A 0 was counted as positive.": lambda: sums_over(lambda x: jnp.sum(x >= 0)),
        "With no number above 0 this is 0 / 0. Let the divisor be at least 1.": lambda: sums_over(
            lambda x: jnp.sum(x > 0)
        ),
        "This is the sum. Divide it by the number of those above 0.": lambda: sums_over(lambda x: 1),
    },
)

# %% name="traceable-loop" tags=["hidden-test"] exercise="traceable" points=2 hint="while_loop goes on while (|root² - a| > tolerance * a) & (count < limit); a round is (root + a / root) / 2, count + 1."
a = float(inputs.integers(low=3, high=8))
found = jax.jit(heron)
report(
    [found(300 * a, 1e-3, 30), found(300 * a, 1e-3, 2), found(a, a - 1, 9), found(a, a - 1.5, 9), found(a, 0.1, 0)],
    mistakes={
        "The limit has no effect. A compiled loop cannot be interrupted, so it needs one.": lambda: [
            square_root(*args)
            for args in ((300 * a, 1e-3, 30), (300 * a, 1e-3, 30), (a, a - 1, 9), (a, a - 1.5, 9), (a, 0.1, 9))
        ],
        "The error is compared with the tolerance itself. It is relative: tolerance * a.": lambda: [
            square_root(n, tolerance / n, limit)
            for n, tolerance, limit in (
                (300 * a, 1e-3, 30),
                (300 * a, 1e-3, 2),
                (a, a - 1, 9),
                (a, a - 1.5, 9),
                (a, 0.1, 0),
            )
        ],
        "The count is missing its rounds: carry it along and add 1.": lambda: [
            (square_root(*args)[0], 0)
            for args in ((300 * a, 1e-3, 30), (300 * a, 1e-3, 30), (a, a - 1, 9), (a, a - 1.5, 9), (a, 0.1, 0))
        ],
        "One round too many: `limit` improvements are allowed, counted from 0.": lambda: [
            square_root(*args)
            for args in ((300 * a, 1e-3, 31), (300 * a, 1e-3, 3), (a, a - 1, 10), (a, a - 1.5, 10), (a, 0.1, 1))
        ],
    },
)

# %% [markdown]
# There is one more thing that `jit` cannot see: *side effects*, which are everything that a function does apart from
# returning its result. A `print`, a counter, an `append` to a list: Python does them once, during tracing, and never
# again (`jax.debug.print` is an operation and prints at each run). If a function has to remember something, make it an
# argument and a result, like the state of an optimizer.
#
# ## 5. One step, compiled
#
# A compiled step takes the old weights and makes new ones. While it runs, both are in memory. Why? Nobody will look at
# the old ones again, but the compiler cannot know that. You can say so: `jax.jit(step, donate_argnums=(0, 1))`
# **donates** the arguments 0 and 1. Their memory may then be used for the results of the same shapes.

# %% name="donation" tags=["demo"]
staging.donation()

# %% [markdown]
# A model of 7 billion weights in float32 is 28 GB; with Adam's two averages 84 GB. Without donation, a step holds the
# old 84 GB and the new 84 GB, and two accelerators of 80 GB are not enough. With donation, it holds 84 GB and whatever
# it needs for its intermediate results.
#
# The price: a donated array is gone. If you touch it afterwards you get an error, and `array.is_deleted()` says True.
# Two rules follow. Continue with what the step *returned*. And donate only what nobody else needs. So don't donate the
# batch: the next epoch uses it again. (The results could not use its memory anyway, because none of them has its
# shape.)
#
# ### Exercise 4: a compiled step
#
# The step does the same as in notebook 04: value and gradient, updates, new parameters. This time compile it, once, and
# donate the parameters and the state.


# %% name="compiled_step" tags=["exercise"] forbids=["minitorch.train.step.Step"]
def compiled_step(loss, optimizer):
    """A training step as one compiled program, which reuses the memory of the parameters and of the state.

    Args:
      loss: a function (params, *batch) -> scalar, written with minitorch's ops.
      optimizer: a pair (init, update): update(gradient, state, params) -> (updates, state).

    Returns:
      A function (params, state, *batch) -> (params, state, loss before the update). It donates params and state.
    """

    # BEGIN SOLUTION Exercise 4: write the step with mt.value_and_grad and mt.optim.apply_updates, and return it under jax.jit with donate_argnums.
    def step(params, state, *batch):
        value, gradient = mt.value_and_grad(loss)(params, *batch)
        updates, state = optimizer.update(gradient, state, params)
        return mt.optim.apply_updates(params, updates), state, value  # mutant-ok: a sum has no order

    return jax.jit(step, donate_argnums=(0, 1))
    # END SOLUTION


# %% name="steps-tried"
def parabola(w, x, y):
    return mt.ops.mean((w * x - y) ** 2)


def walked(make, optimizer, start, batches):
    """The last parameters and the loss of each step, from copies of `start` and of the optimizer's first state."""
    step, params = make(parabola, optimizer), jnp.copy(start)
    state, losses = jax.tree.map(jnp.copy, optimizer.init(params)), []
    for batch in batches:
        params, state, value = step(params, state, *batch)
        losses.append(float(value))
    return params, losses


def python_runs(make):
    """How often Python has run the loss after each of five calls; the batch of the last two is smaller."""
    counted = []

    def counting(w, x, y):
        counted.append(1)
        return parabola(w, x, y)

    step, sizes, seen = make(counting, mt.optim.sgd(0.1)), (4, 4, 4, 2, 2), []
    for size in sizes:
        step(jnp.ones(()), mt.optim.sgd(0.1).init(jnp.ones(())), jnp.arange(size) + 1.0, jnp.ones(size))
        seen.append(len(counted))
    return seen


def given_away(make):
    """Whether the parameters, the state and the batch are gone after a step."""
    optimizer, w = mt.optim.sgd(0.1, momentum=0.5), jnp.ones(4)
    parts = {"params": w, "state": optimizer.init(w), "batch": (jnp.arange(4.0), jnp.arange(4.0) + 3)}
    make(parabola, optimizer)(w, parts["state"], *parts["batch"])
    return {name: all(leaf.is_deleted() for leaf in jax.tree.leaves(part)) for name, part in parts.items()}


def decaying(rate, decay):
    """Steps downhill, and a share of the parameters less; without the parameters it fails loudly."""
    return mt.optim.Transform(
        lambda params: (), lambda updates, state, params=None: (-rate * updates - decay * params, state)
    )


# %% name="compiled_step-check" tags=["check"] exercise="compiled_step"
one_batch = jnp.array([1.0]), jnp.array([2.0])
check(
    "three steps by hand",
    lambda: walked(compiled_step, mt.optim.sgd(0.1), jnp.array(0.0), [one_batch] * 3),
    (0.976, [4.0, 2.56, 1.6384]),
    mistakes={
        "The loss is that after the update. Return the one whose gradient was used.": (0.976, [2.56, 1.6384, 1.048576]),
        "The parameters do not move: return what apply_updates gives.": (0.0, [4.0, 4.0, 4.0]),
        "The updates were subtracted. They already point downhill: add them.": (-1.456, [4.0, 5.76, 8.2944]),
    },
)
check(
    "the optimizer remembers",
    lambda: walked(compiled_step, mt.optim.sgd(0.1, momentum=0.5), jnp.array(0.0), [one_batch] * 3)[1],
    [4.0, 2.56, 1.1664],
    mistakes={
        "The optimizer forgets: return the state that `update` returned, and not the one that came in.": [
            4.0,
            2.56,
            1.6384,
        ],
    },
)
check(
    "the optimizer is given the parameters",
    lambda: walked(compiled_step, decaying(0.1, 0.1), jnp.array(0.0), [one_batch] * 3)[1],
    [4.0, 2.56, 1.7424],
)
check(
    "Python runs once for each shape",
    lambda: python_runs(compiled_step),
    [1, 1, 1, 2, 2],
    mistakes={
        "Python ran the loss at every call. Compile the step once, where you return it, and not inside of it.": [
            1,
            2,
            3,
            4,
            5,
        ],
    },
)
check(
    "parameters and state are donated, the batch is not",
    lambda: given_away(compiled_step),
    {"params": True, "state": True, "batch": False},
    mistakes={
        "Nothing was donated: donate_argnums names the places of the arguments whose memory may be used again.": {
            "params": False,
            "state": False,
            "batch": False,
        },
        "Only the parameters were donated. The state of Adam is twice as large.": {
            "params": True,
            "state": False,
            "batch": False,
        },
        "Only the state was donated, and the old parameters stayed.": {"params": False, "state": True, "batch": False},
        "The batch was donated. It is needed again in the next epoch.": {
            "params": False,
            "state": False,
            "batch": True,
        },
    },
)

# %% name="compiled_step-values" tags=["hidden-test"] exercise="compiled_step" points=2 hint="value_and_grad, update(gradient, state, params), apply_updates; return parameters, state, loss."
begin = inputs.normal(3)
lessons = [(inputs.normal(3), inputs.normal(3)) for _ in range(3)]


def momentum_and_decay(factor=1.0, remember=1.0, minus=-1.0, decay=0.05):
    """Momentum of 0.5 with weight decay, and ways to spoil it."""

    def update(updates, state, params=None):
        velocity = updates + 0.5 * remember * state
        return minus * 0.2 * factor * velocity - decay * params, velocity

    return mt.optim.Transform(jnp.zeros_like, update)


def after_steps(**spoiled):
    return walked(compiled_step, momentum_and_decay(**spoiled), begin, lessons)


report(
    after_steps(),
    mistakes={
        "The parameters do not move: return what apply_updates gives.": lambda: after_steps(factor=0.0, decay=0.0),
        "The optimizer forgets: return the state that `update` returned, and not the one that came in.": lambda: (
            after_steps(remember=0.0)
        ),
        "The updates were subtracted. They already point downhill: add them.": lambda: after_steps(
            minus=1.0, decay=-0.05
        ),
        "The loss is that after the update. Return the one whose gradient was used.": lambda: (
            after_steps()[0],
            [
                float(parabola(walked(compiled_step, momentum_and_decay(), begin, lessons[: i + 1])[0], *lesson))
                for i, lesson in enumerate(lessons)
            ],
        ),
    },
)

# %% name="compiled_step-compiled" tags=["hidden-test"] exercise="compiled_step" points=2 hint="Return jax.jit(step, ...): made once, so that Python runs once for each shape of the batch."
report(
    python_runs(compiled_step),
    mistakes={
        "Python ran the loss at every call. Compile the step once, where you return it, and not inside of it.": [
            1,
            2,
            3,
            4,
            5,
        ],
    },
)

# %% name="compiled_step-donated" tags=["hidden-test"] exercise="compiled_step" points=2 hint="donate_argnums=(0, 1): the parameters and the state, not the batch."
report(
    given_away(compiled_step),
    mistakes={
        "Nothing was donated: donate_argnums names the places of the arguments whose memory may be used again.": {
            "params": False,
            "state": False,
            "batch": False,
        },
        "Only the parameters were donated. The state of Adam is twice as large.": {
            "params": True,
            "state": False,
            "batch": False,
        },
        "Only the state was donated, and the old parameters stayed.": {"params": False, "state": True, "batch": False},
        "The batch was donated. It is needed again in the next epoch.": {
            "params": False,
            "state": False,
            "batch": True,
        },
    },
)

# %% [markdown]
# Here is what XLA says about the memory of your step, and what happens to an old array:

# %% name="donation-measured" tags=["demo"]
with skip_if_unfinished():
    weights = sum(leaf.nbytes for leaf in jax.tree.leaves((first_model, first_state)))
    for name, step in {"not donated": jax.jit(taped), "yours": compiled_step(digit_loss, optimizer)}.items():
        memory = step.lower(first_model, first_state, train_x[:64], train_y[:64]).compile().memory_analysis()
        print(f"{name:12} of {weights:,} bytes of weights and state {memory.alias_size_in_bytes:,} are reused")

# %% [markdown]
# **A trap.** `f(donate(a), donate(a))` is an error, since the same memory cannot be given away twice. You get there
# faster than you think: for example with an Adam that starts both averages with *the same* array of zeros. (Does yours?
# The cells below copy the first state, leaf by leaf, so that it does not matter.)
#
# ## 6. Many steps in one call
#
# The compiled step of a small model is so short that most of its time is the call itself, from Python and back. So put
# more work into the program. A Python loop of 100 steps inside `jit` would work, but it would be unrolled: the program
# would have 100 copies of the step, and all of them have to be compiled. `jax.lax.scan` stays a loop:
#
# ```
#   carry, results = jax.lax.scan(body, first, inputs)
#
#   body(carry, input) -> carry, result       what goes on to the next round, and what is written down
#   inputs    trees of arrays: round i gets slice i along the first axis
#   results   what the rounds wrote down, stacked along a new first axis
# ```
#
# By hand: `scan(lambda c, x: (c + x, c * x), 10, [1, 2, 3])` carries 10, 11, 13, 16 and writes down 10, 22, 39.
#
# ### Exercise 5: an epoch as one program


# %% name="compiled_epoch" tags=["exercise"]
def compiled_epoch(step):
    """Many training steps as one compiled program.

    Args:
      step: a function (params, state, *batch) -> (params, state, loss).

    Returns:
      A function (params, state, *batches) -> (params, state, losses), which donates params and state. Each of `batches`
      has one more axis in front than the step wants, over the n steps; losses are (n,).
    """

    # BEGIN SOLUTION Exercise 5: write a body that carries (params, state) and writes down the loss, scan it over the batches, and return that under jax.jit.
    def body(carry, batch):
        params, state, value = step(*carry, *batch)
        return (params, state), value

    def epoch(params, state, *batches):
        (params, state), losses = jax.lax.scan(body, (params, state), batches)
        return params, state, losses

    return jax.jit(epoch, donate_argnums=(0, 1))
    # END SOLUTION


# %% name="epochs-tried"
def times_plus(params, state, x, y):
    """A step that is easy to follow: params * x + y; the state counts in tens."""
    return params * x + y, state + 10.0, params + state


def one_epoch(make, step, n=3):
    return make(step)(jnp.array(1.0), jnp.array(0.0), 2.0 + jnp.arange(n), 1.0 + jnp.arange(n) ** 2)


def looped_or_not(make, n=7):
    """Whether Python ran the step at most twice, in two epochs of n steps each."""
    counted = []

    def counting(*args):
        counted.append(1)
        return times_plus(*args)

    epoch = make(counting)
    for _ in range(2):
        epoch(jnp.array(1.0), jnp.array(0.0), jnp.arange(n) + 1.0, jnp.ones(n))
    return len(counted) <= 2


def epoch_gives_away(make):
    """Whether the parameters, the state and the batches are gone after an epoch."""
    args = {"params": jnp.ones(3), "state": jnp.ones(3), "batches": jnp.ones((2, 3))}
    make(lambda params, state, x: (params + x, state - x, jnp.sum(x)))(*args.values())
    return {name: array.is_deleted() for name, array in args.items()}


# %% name="compiled_epoch-check" tags=["check"] exercise="compiled_epoch"
check(
    "three rounds by hand",
    lambda: one_epoch(compiled_epoch, times_plus),
    (49.0, 30.0, np.array([1.0, 13.0, 31.0], np.float32)),
    mistakes={
        "Only the last loss came back. Write one down in each round: scan stacks them.": (49.0, 30.0, 31.0),
        "Every step began at the first parameters. Return the new ones in the carry.": (
            1.0,
            0.0,
            np.array([1.0, 1.0, 1.0], np.float32),
        ),
        "The state did not move on. Return the new one in the carry.": (
            49.0,
            0.0,
            np.array([1.0, 3.0, 11.0], np.float32),
        ),
        "The batches came in the reverse order.": (59.0, 30.0, np.array([49.0, 19.0, 1.0], np.float32)),
        "The losses were summed. Return one for each step.": (49.0, 30.0, 45.0),
    },
)
check(
    "a loop in the program, and not copies of the step",
    lambda: looped_or_not(compiled_epoch),
    True,
    mistakes={
        "Python ran the step for every batch: the loop is Python's. Let jax.lax.scan loop, inside jax.jit.": False,
    },
)
check(
    "parameters and state are donated",
    lambda: epoch_gives_away(compiled_epoch),
    {"params": True, "state": True, "batches": False},
    mistakes={
        "Nothing was donated: jax.jit(..., donate_argnums=...), around the whole epoch.": {
            "params": False,
            "state": False,
            "batches": False,
        },
    },
)

# %% name="compiled_epoch-steps" tags=["hidden-test"] exercise="compiled_epoch" points=2 hint="body(carry, batch) -> (params, state), loss; scan stacks the losses."
tree_of_two = {"w": inputs.normal(3), "b": inputs.normal()}
factors, offsets, count_of_steps = inputs.uniform(5, 3, low=0.5, high=1.5), inputs.normal(5), 5


def tree_step(params, state, factor, offset):
    moved = {"w": params["w"] * factor, "b": params["b"] + offset + state[1]}
    return moved, (state[0] + 1, state[1] * 0.5 + offset), jnp.sum(moved["w"]) - moved["b"] + state[0]


def by_hand(order=1, carry_params=True, carry_state=True):
    """What a Python loop gives, spoilt or not."""
    params, state, losses = tree_of_two, (0, jnp.array(1.0)), []
    for factor, offset in list(zip(factors, offsets, strict=True))[::order]:
        new_params, new_state, value = tree_step(params, state, factor, offset)
        params, state = new_params if carry_params else params, new_state if carry_state else state
        losses.append(value)
    return params, state, jnp.stack(losses[::order])


def in_one_call():
    first = jax.tree.map(jnp.copy, tree_of_two)
    return compiled_epoch(tree_step)(first, (0, jnp.array(1.0)), factors, offsets)


report(
    in_one_call(),
    mistakes={
        "Only the last loss came back. Write one down in each round: scan stacks them.": lambda: (
            *by_hand()[:2],
            by_hand()[2][-1],
        ),
        "Every step began at the first parameters. Return the new ones in the carry.": lambda: by_hand(
            carry_params=False, carry_state=False
        ),
        "The state did not move on. Return the new one in the carry.": lambda: by_hand(carry_state=False),
        "The batches came in the reverse order.": lambda: by_hand(order=-1),
        "The losses were summed. Return one for each step.": lambda: (*by_hand()[:2], jnp.sum(by_hand()[2])),
    },
)

# %% name="compiled_epoch-one-program" tags=["hidden-test"] exercise="compiled_epoch" points=1 hint="jax.lax.scan, not a Python loop, inside a function that is compiled once."
report(
    looped_or_not(compiled_epoch),
    mistakes={
        "Python ran the step for every batch: the loop is Python's. Let jax.lax.scan loop, inside jax.jit.": False
    },
)

# %% name="compiled_epoch-donated" tags=["hidden-test"] exercise="compiled_epoch" points=1 hint="donate_argnums=(0, 1) at the jax.jit around the epoch."
report(
    epoch_gives_away(compiled_epoch),
    mistakes={
        "Nothing was donated: jax.jit(..., donate_argnums=...), around the whole epoch.": {
            "params": False,
            "state": False,
            "batches": False,
        },
    },
)

# %% [markdown]
# How long is the program of an epoch? Compare a Python loop under `jit` with your `scan`. Predict both columns.


# %% name="unrolled" tags=["demo"]
def batches_of(size, count):
    """The first `count` batches of the digits, one more axis in front."""
    return train_x[: size * count].reshape(count, size, 64), train_y[: size * count].reshape(count, size)


def unrolled(params, state, xs, ys):
    for x, y in zip(xs, ys, strict=True):
        params, state, value = taped(params, state, x, y)
    return params, state, value


def every_equation(program):
    """How many equations are written in a program and in those that it holds."""
    held = [inside for equation in program.eqns for inside, _ in inner(equation)]
    return len(program.eqns) + sum(map(every_equation, held))


with skip_if_unfinished():
    print("steps   Python's loop   scan")
    for count in (1, 2, 10, 20):
        sizes = [
            every_equation(jax.make_jaxpr(function)(first_model, first_state, *batches_of(64, count)))
            for function in (unrolled, compiled_epoch(taped))
        ]
        print(f"{count:5} {sizes[0]:15,} {sizes[1]:6,}")

# %% [markdown]
# ## 7. Define by run, or define, then run?
#
# The two halves of the picture at the top are the two sides of a quarrel that split the field for years. By now you
# have seen both.

# %% name="history" tags=["demo"]
staging.history()

# %% [markdown]
# **Define, then run.** In Theano (2010) and TensorFlow (2015) you first built the graph, out of placeholders, and ran
# it later in a session. Here is a program from 2015, written in the JAX of today. Only the names have changed:

# %% name="as-in-2015" tags=["demo"]
x = jax.ShapeDtypeStruct((64, 64), jnp.float32)  #       x = tf.placeholder(tf.float32, [64, 64])
graph = jax.jit(lambda model, x: model(x)).trace(first_model, x)  # y = ...
session = graph.lower().compile()  #                     session = tf.Session()
print(session(first_model, train_x[:64]).shape)  #       session.run(y, feed_dict={x: ...})
try:
    session(first_model, train_x[:32])
except TypeError as error:
    print(type(error).__name__, str(error).splitlines()[-1])

# %% [markdown]
# **Define by run.** Chainer (2015) gave the other side its name, HIPS autograd (2015) showed how little it takes, and
# PyTorch (2016) made it the standard in research: the graph is recorded *while* the program runs. It is the tape of
# notebook 02.
#
# | what you saw | define by run | define, then run |
# |---|---|---|
# | an `if` on a number (section 4) | just works | `tf.cond`, `jax.lax.cond` |
# | `print` in the middle, a debugger | shows numbers | shows `Tensor("add:0", shape=(64, 10))` |
# | an error | points at your line | came out of `session.run`, far from your line |
# | 120 operations (section 2) | 120 trips from Python | one call |
# | fusing, reusing memory (sections 5 and 9) | nobody sees the next operation | the compiler sees all of them |
# | sending the program elsewhere | there is no program to send | it is a file |
#
# **Both.** In the end nobody had to choose. You write code as if it ran directly, and the framework *traces* it into a
# graph: JAX (2018), `tf.function` (TensorFlow 2, 2019), `torch.compile` (PyTorch 2, 2023). The tape of minitorch under
# `jax.jit` makes the same peace on a small scale: the tape is dynamic, and the program that comes out has no tape in
# it. The price is the same everywhere. You paid it in sections 3 and 4: retracing, and values that Python cannot see.
# In PyTorch the cache key is called *guards*, and a place that cannot be traced is called a *graph break*.
#
# ## 8. How much arithmetic is it?
#
# Before you ask whether a program is fast, you should know how much it has to do. The unit is a **FLOP**, one operation
# on floating-point numbers. (FLOP/s, with a slash, is the speed.)
#
# A product $C = AB$, with $A$ of shape (3, 4) and $B$ of (4, 5): each of the 15 numbers of $C$ is a sum of 4 products.
# That makes 4 multiplications and 4 additions for each number, counted as $2 \cdot 4$, and 120 in all. (The first
# addition adds to 0. Everybody counts it, because the machine does it.)
#
# In general: **2 × the size of the result × the sizes of the axes that were summed over.** In a jaxpr these axes are
# called *contracted* axes. You find them in `equation.params["dimension_numbers"]`, which is a pair of pairs:
# `((contracted axes of the left, of the right), (batch axes of the left, of the right))`.
#
# For everything else we count one FLOP per number: per number of the *result* for elementwise operations, and per
# number of the *input* for reductions. Moving numbers (reshape, transpose, broadcast) is not arithmetic and counts 0.
#
# Predict: does a tanh over (3, 4) take more FLOPs than the product above, or fewer?
#
# ### Exercise 6: FLOPs of an operation


# %% name="kinds"
ELEMENTWISE = {"add", "add_any", "sub", "mul", "div", "neg", "sign", "abs", "max", "min", "exp", "log", "tanh", "sqrt"}
ELEMENTWISE |= {"rsqrt", "square", "pow", "integer_pow", "sin", "cos", "eq", "gt", "ge", "lt", "le", "select_n"}
REDUCTIONS = {"reduce_sum", "reduce_max", "reduce_min"}


# %% name="flops" tags=["exercise"]
def flops(equation):
    """The floating-point operations of one equation that holds no program.

    Args:
      equation: of a jaxpr. Its name is "dot_general", in ELEMENTWISE, in REDUCTIONS, or else it only moves numbers.

    Returns:
      An int.
    """
    # BEGIN SOLUTION Exercise 6: distinguish the four kinds by equation.primitive.name.
    name = equation.primitive.name
    first = equation.invars[0].aval if equation.invars else None
    result = equation.outvars[0].aval  # mutant-ok: what computes has one result
    if name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        return 2 * result.size * math.prod(first.shape[axis] for axis in contracted)
    if name in REDUCTIONS:
        return first.size
    return result.size if name in ELEMENTWISE else 0
    # END SOLUTION


def total(cost, function, *args):
    """A cost, such as `flops`, added up over all operations that a function runs."""
    return sum(times * cost(equation) for equation, times in executed(jax.make_jaxpr(function)(*args)))


# %% name="products-tried"
def each(cost, function, *shapes, dtype=jnp.float32):
    """The cost of each equation of a function without programs inside, by its name; of the last one of that name."""
    program = jax.make_jaxpr(function)(*(jnp.ones(shape, dtype) for shape in shapes))
    return {equation.primitive.name: cost(equation) for equation in program.eqns}


def contract(left, right, left_batch=(), right_batch=()):
    """A product that sums over these axes."""
    return lambda x, y: jax.lax.dot_general(x, y, ((left, right), (left_batch, right_batch)))


# %% name="flops-check" tags=["check"] exercise="flops"
check(
    "a product of matrices",
    lambda: each(flops, jnp.matmul, (3, 4), (4, 5)),
    {"dot_general": 120},
    mistakes={
        "Each number of the result is a sum of 4 products: 4 multiplications and 4 additions. The factor 2 is missing.": {
            "dot_general": 60
        },
        "The axis that is summed over is missing: 2 for each number of the result are not enough.": {"dot_general": 30},
        "A product of matrices is counted like an addition: one operation for each number of the result.": {
            "dot_general": 15
        },
        "That is 2 times the sizes of both inputs. It is 2 times the result's size times the axis summed over.": {
            "dot_general": 480
        },
        "A product of matrices counts nothing yet: its name is `dot_general`.": {"dot_general": 0},
    },
)
check(
    "the gradient of a weight sums over the batch, axis 0",
    lambda: each(flops, contract((0,), (0,)), (8, 3), (8, 5)),
    {"dot_general": 240},
    mistakes={
        "The last axis of the left side was taken. Which axes are summed over stands in dimension_numbers.": {
            "dot_general": 90
        },
        "The numbers of the axes were multiplied, and not their sizes.": {"dot_general": 0},
        "The factor 2 is missing: multiplications and additions.": {"dot_general": 120},
    },
)
check(
    "two axes summed over, and a batch axis",
    lambda: (
        each(flops, contract((0, 2), (1, 0)), (4, 2, 7), (7, 4, 3)),
        each(flops, contract((2,), (1,), (0,), (0,)), (6, 3, 4), (6, 4, 5)),
    ),
    ({"dot_general": 336}, {"dot_general": 720}),
    mistakes={
        "Only the first of the axes that are summed over was taken. Multiply the sizes of all.": (
            {"dot_general": 48},
            {"dot_general": 720},
        ),
        "The last axis of the left side was taken. Which axes are summed over stands in dimension_numbers.": (
            {"dot_general": 84},
            {"dot_general": 720},
        ),
        "The factor 2 is missing: multiplications and additions.": ({"dot_general": 168}, {"dot_general": 360}),
    },
)
check(
    "number by number: the size of the result",
    lambda: each(flops, lambda x: jnp.tanh(2.0 * x), (3, 4)),
    {"mul": 12, "tanh": 12},
    mistakes={
        "All inputs were counted. It is one operation for each number of the *result*.": {"mul": 13, "tanh": 12},
        "The size of the first input was taken, which here is the number 2.0. Take that of the result.": {
            "mul": 1,
            "tanh": 12,
        },
        "What goes number by number counts nothing yet: its names stand in ELEMENTWISE.": {"mul": 0, "tanh": 0},
    },
)
check(
    "a sum takes as many operations as it has inputs",
    lambda: each(flops, lambda x: jnp.sum(x, axis=1), (6, 7)),
    {"reduce_sum": 42},
    mistakes={
        "The size of the result was taken: 6 numbers, each of which is a sum of 7.": {"reduce_sum": 6},
        "A sum counts nothing yet: its name stands in REDUCTIONS.": {"reduce_sum": 0},
    },
)
check(
    "moving is free",
    lambda: each(flops, lambda x: jnp.broadcast_to(x.T.reshape(2, 6), (5, 2, 6)), (3, 4)),
    {"transpose": 0, "reshape": 0, "broadcast_in_dim": 0},
    mistakes={
        "Moving numbers was counted as arithmetic.": {"transpose": 12, "reshape": 12, "broadcast_in_dim": 60},
    },
)

# %% name="flops-products" tags=["hidden-test"] exercise="flops" points=2 hint="2 * size of the result * product of the contracted axes' sizes, which stand in params['dimension_numbers'][0][0]."
i, j, k, b = (int(inputs.integers(low=low, high=low + 3)) for low in (2, 5, 8, 11))
products = [
    (contract((1,), (0,)), (i, j), (j, k)),
    (contract((0,), (1,)), (j, i), (k, j)),
    (contract((0, 3), (2, 1), (1,), (0,)), (j, b, i, k), (b, k, j)),
]


def counted_as(cost):
    return [each(cost, function, *shapes) for function, *shapes in products]


def of_sizes(axes, factor=2):
    """The cost by `axes`: a function from an equation to the axes of its left side."""

    def cost(equation):
        left, result = equation.invars[0].aval, equation.outvars[0].aval
        return factor * result.size * math.prod(left.shape[axis] for axis in axes(equation))

    return cost


def contracted_axes(equation):
    return equation.params["dimension_numbers"][0][0]


report(
    counted_as(flops),
    mistakes={
        "The factor 2 is missing: multiplications and additions.": lambda: counted_as(of_sizes(contracted_axes, 1)),
        "Each number of the result is a sum of 4 products: 4 multiplications and 4 additions. The factor 2 is missing.": lambda: (
            counted_as(of_sizes(contracted_axes, 1))
        ),
        "The last axis of the left side was taken. Which axes are summed over stands in dimension_numbers.": lambda: (
            counted_as(of_sizes(lambda equation: [-1]))
        ),
        "Only the first of the axes that are summed over was taken. Multiply the sizes of all.": lambda: counted_as(
            of_sizes(lambda equation: contracted_axes(equation)[:1])
        ),
        "The axis that is summed over is missing: 2 for each number of the result are not enough.": lambda: counted_as(
            of_sizes(lambda equation: [])
        ),
        "A product of matrices is counted like an addition: one operation for each number of the result.": lambda: (
            counted_as(of_sizes(lambda equation: [], 1))
        ),
    },
)

# %% name="flops-others" tags=["hidden-test"] exercise="flops" points=2 hint="Number by number: the result's size. Reductions: the input's size. Everything else moves numbers: 0."
rows, columns = int(inputs.integers(low=3, high=6)), int(inputs.integers(low=7, high=11))


def all_sorts(x, y):
    spread = jnp.broadcast_to(y, x.shape)
    return jnp.max(jnp.where(x > 0.5, 3.0 * x, spread).T, axis=0) + jnp.sum(jnp.exp(x) - spread, axis=1)


def sorts_counted(cost):
    return each(cost, all_sorts, (rows, columns), (columns,))


def sizes_of(elementwise, reduction, other):
    """The costs of the three kinds, each a function of the equation's first input and result."""

    def cost(equation):
        name = equation.primitive.name
        kind = elementwise if name in ELEMENTWISE else reduction if name in REDUCTIONS else other
        return kind([variable.aval.size for variable in equation.invars], equation.outvars[0].aval.size)

    return cost


report(
    sorts_counted(flops),
    mistakes={
        "The size of the result was taken: 6 numbers, each of which is a sum of 7.": lambda: sorts_counted(
            sizes_of(lambda x, y: y, lambda x, y: y, lambda x, y: 0)
        ),
        "All inputs were counted. It is one operation for each number of the *result*.": lambda: sorts_counted(
            sizes_of(lambda x, y: sum(x), lambda x, y: x[0], lambda x, y: 0)
        ),
        "The size of the first input was taken, which here is the number 2.0. Take that of the result.": lambda: (
            sorts_counted(sizes_of(lambda x, y: x[0], lambda x, y: x[0], lambda x, y: 0))
        ),
        "Moving numbers was counted as arithmetic.": lambda: sorts_counted(
            sizes_of(lambda x, y: y, lambda x, y: x[0], lambda x, y: y)
        ),
        "What goes number by number counts nothing yet: its names stand in ELEMENTWISE.": lambda: sorts_counted(
            sizes_of(lambda x, y: 0, lambda x, y: x[0], lambda x, y: 0)
        ),
        "A sum counts nothing yet: its name stands in REDUCTIONS.": lambda: sorts_counted(
            sizes_of(lambda x, y: y, lambda x, y: 0, lambda x, y: 0)
        ),
    },
)

# %% [markdown]
# ### The same on the back of an envelope
#
# Suppose you want to order a thousand machines. There is no program yet that you could walk through. You only have the
# sizes of the layers, and a pencil. Take a layer from $n$ to $m$ numbers, with a batch of $B$:
#
# | | product | shapes | FLOPs |
# |---|---|---|---|
# | forwards | $y = x W$ | (B, n) (n, m) | $2Bnm$ |
# | backwards, for the weights | $x^\top g$ | (n, B) (B, m) | $2Bnm$ |
# | backwards, for the input | $g\, W^\top$ | (B, m) (m, n) | $2Bnm$ |
#
# So the backward pass costs twice as much as the forward pass, and a training step costs three times as much as a
# prediction. One of the products is never needed. Which one? (Is there an input whose gradient nobody uses?)
#
# By hand, for 64 → 128 → 10 and a batch of 64. First layer: $2 \cdot 64 \cdot 64 \cdot 128 = 1{,}048{,}576$, twice.
# Second layer: $2 \cdot 64 \cdot 128 \cdot 10 = 163{,}840$, three times. Together 2,588,672. Biases, activation
# functions and Adam are left out.
#
# ### Exercise 7: FLOPs of a training step


# %% name="mlp_step_flops" tags=["exercise"]
def mlp_step_flops(sizes, batch):
    """The FLOPs of all products of matrices in a training step of a multi-layer perceptron.

    Args:
      sizes: of the layers, from the inputs to the classes, such as (64, 128, 10).
      batch: the number of examples.

    Returns:
      An int.
    """
    # BEGIN SOLUTION Exercise 7: three products for each layer, but for the input of the first, whose gradient nobody wants.
    forwards = [2 * batch * n * m for n, m in itertools.pairwise(sizes)]
    return 3 * sum(forwards) - forwards[0]
    # END SOLUTION


# %% name="slips"
def pencil(layers, first_input=True, biases=0):
    """Other ways to count: how many products a layer has, whether that for the first input is left out."""

    def count(sizes, batch):
        forwards = [2 * batch * (n + biases) * m for n, m in itertools.pairwise(sizes)]
        return layers * sum(forwards) - first_input * forwards[0]

    return count


SLIPS = {
    "These are the products of the way forwards. Backwards there are two more for each layer.": pencil(1, False),
    "The products for the input of the first layer are counted. Nobody wants the gradient of the digits.": pencil(
        3, False
    ),
    "Each layer has one product forwards and two backwards: three, and not two.": pencil(2, False),
    "These are the products of the way back. The way forwards is missing.": pencil(2),
    "The factor 2 is missing: multiplications and additions.": lambda sizes, batch: pencil(3)(sizes, batch) // 2,
    "The batch is missing: every example goes through all layers.": lambda sizes, batch: pencil(3)(sizes, 1),
    "The last layer was left out of the account. It is the *first* layer's input that needs no gradient.": lambda s, b: (
        3 * sum(2 * b * n * m for n, m in itertools.pairwise(s)) - 2 * b * s[-2] * s[-1]
    ),
}


# %% name="mlp_step_flops-check" tags=["check"] exercise="mlp_step_flops"
check(
    "64, 128, 10 with a batch of 64",
    lambda: mlp_step_flops((64, 128, 10), 64),
    2_588_672,
    mistakes={message: count((64, 128, 10), 64) for message, count in SLIPS.items()},
)
check(
    "three layers",
    lambda: mlp_step_flops((784, 256, 128, 10), 32),
    32 * 2 * (2 * 784 * 256 + 3 * 256 * 128 + 3 * 128 * 10),
    mistakes={message: count((784, 256, 128, 10), 32) for message, count in SLIPS.items()},
)
check(
    "a single layer: forwards, and the gradient of its weights",
    lambda: mlp_step_flops([5, 3], 7),
    420,
    mistakes={message: count((5, 3), 7) for message, count in SLIPS.items()},
)

# %% name="mlp_step_flops-pencil" tags=["hidden-test"] exercise="mlp_step_flops" points=3 hint="For each layer 2 * batch * n * m: three times, for the first layer twice."
drawn_sizes = [int(inputs.integers(low=2**n, high=3 * 2**n)) for n in (6, 5, 4, 3)]
examples = int(inputs.integers(low=11, high=99))
report(
    [mlp_step_flops(tuple(drawn_sizes), examples), mlp_step_flops(drawn_sizes[:2], examples)],
    mistakes={
        message: lambda count=count: [count(drawn_sizes, examples), count(drawn_sizes[:2], examples)]
        for message, count in SLIPS.items()
    },
)

# %% [markdown]
# ### Three counts of one step
#
# We count with the pencil, with your walk through the program, and with XLA, which counts in the program that it has
# compiled. Where should the three differ, and how does the difference change with the batch? Predict before you run.

# %% name="three-counts" tags=["demo"]
SIZES = (64, 128, 10)


def xla_flops(function, *args):
    return jax.jit(function).lower(*args).compile().cost_analysis()["flops"]


def first_rows(size):
    """A batch of the digits."""
    return train_x[:size], train_y[:size]


with skip_if_unfinished():
    print("batch    by pencil         walk   within 5 % of XLA?")
    for size in (64, 256, 1024):
        args = (first_model, first_state, *first_rows(size))
        xla = xla_flops(taped, *args)
        by_pencil, walk = mlp_step_flops(SIZES, size), total(flops, taped, *args)
        near = [abs(count / xla - 1) < 0.05 for count in (by_pencil, walk)]
        print(f"{size:5} {by_pencil:12,} {walk:12,}   pencil: {near[0]}, walk: {near[1]}")

# %% [markdown]
# The pencil counts only the products. Adam costs the same for every batch size, so its share shrinks as the batch
# grows. From a batch of 256 on, the pencil alone is close enough.
#
# **Where XLA is wrong, and you are right.** XLA counts the body of a loop once, because in general it cannot know how
# often the body runs. Your walk knows:


# %% name="loops-counted" tags=["demo"]
def ten_products(w, x):
    return jax.lax.scan(lambda carry, _: (carry @ w, None), x, length=10)[0]


with skip_if_unfinished():
    square = jnp.ones((64, 64))
    ratio = total(flops, ten_products, square, square) / xla_flops(ten_products, square, square)
    print(f"your count is {ratio:.1f} times XLA's")

# %% [markdown]
# And here is a model that you have not written yet: a GPT, taped and differentiated by minitorch. Your function counts
# its products. Next to your count stands the number that minitorch prints during training: `minitorch/train/flops.py`
# computes it from the sizes of the layers, like the pencil.

# %% name="a-gpt-counted" tags=["demo"]
gpt = mt.models.GPT.init(jax.random.key(0), mt.models.GPTConfig(vocab=65, context=64, layers=4, heads=4, width=128))
ids = jnp.zeros((2, 64), jnp.int32)


def gpt_loss(model, ids):
    return mt.nn.cross_entropy(model(ids), ids)


def of_products(equation):
    return flops(equation) if equation.primitive.name == "dot_general" else 0


with skip_if_unfinished():
    walked_through = total(of_products, mt.value_and_grad(gpt_loss), gpt, ids)
    by_pencil = ids.size * mt.train.flops_per_token(gpt)
    print(f"{walked_through / 1e6:.0f} million by your walk, {by_pencil / 1e6:.0f} million by pencil")

# %% [markdown]
# ## 9. How much has to be carried?
#
# A machine computes in its registers, but its data are far away, in memory. Computing takes time and carrying data
# takes time. Both happen at the same time, so the slower one decides. So counting FLOPs is only half of the work. The
# other half is counting the **bytes** that a program carries to and from memory.
#
# Take $y = 2 \cdot \tanh(x)$ on a million float32 numbers. Eagerly: tanh reads 4 MB and writes 4 MB; the product reads
# 4 MB and writes 4 MB. That makes 16 MB for 2 million FLOPs. But nobody needs the numbers in between. A compiler that
# sees both operations turns them into **one** loop: read a number, tanh, double, write. That makes 8 MB. This is called
# *fusion*, and it is most of what a compiler does for elementwise operations.

# %% name="fusion" tags=["demo"]
staging.fusion()

# %% [markdown]
# ### Exercise 8: bytes
#
# A dtype knows its width: `aval.dtype.itemsize` is 4 for float32 and 2 for bfloat16. Count every input each time it
# appears in the equation. Count constants like `2.0` too.


# %% name="moved" tags=["exercise"]
def moved(equation):
    """The bytes that one operation by itself reads and writes: all its inputs and all its outputs."""
    # BEGIN SOLUTION Exercise 8: for each variable in invars and outvars, size times itemsize.
    variables = [*equation.invars, *equation.outvars]
    return sum(variable.aval.size * variable.aval.dtype.itemsize for variable in variables)
    # END SOLUTION


def moved_fused(program):
    """The bytes that a program must read and write at least: its own inputs and outputs, and nothing in between."""
    # BEGIN SOLUTION Exercise 8: the same for what the program takes and gives, program.in_avals and program.out_avals.
    return sum(aval.size * aval.dtype.itemsize for aval in [*program.in_avals, *program.out_avals])
    # END SOLUTION


# %% name="bytes-tried"
def doubled_tanh(x):
    return jnp.tanh(x) * 2.0


def scaled_sum(x, y):
    return jnp.sum(x * y, axis=0)


def fused_bytes(function, *shapes, dtype=jnp.float32):
    return moved_fused(jax.make_jaxpr(function)(*(jnp.ones(shape, dtype) for shape in shapes)))


# %% name="moved-check" tags=["check"] exercise="moved"
check(
    "operation by operation: a thousand numbers in and out",
    lambda: each(moved, doubled_tanh, (1000,)),
    {"tanh": 8000, "mul": 8004},
    mistakes={
        "These are numbers. A float32 is 4 bytes: multiply by dtype.itemsize.": {"tanh": 2000, "mul": 2001},
        "Only what is read was counted. The result is written, too.": {"tanh": 4000, "mul": 4004},
        "Only what is written was counted. The inputs are read, too.": {"tanh": 4000, "mul": 4000},
        "The constant 2.0 is an input as well: 4 bytes.": {"tanh": 8000, "mul": 8000},
    },
)
check(
    "two inputs, and a dtype of two bytes",
    lambda: each(moved, jnp.multiply, (10, 7), (10, 7), dtype=jnp.bfloat16),
    {"mul": 420},
    mistakes={
        "The numbers were taken as 4 bytes wide. bfloat16 is 2: ask the dtype.": {"mul": 840},
        "Only the first input was counted.": {"mul": 280},
        "These are numbers. Multiply by dtype.itemsize.": {"mul": 210},
        "Only what is read was counted. The result is written, too.": {"mul": 280},
    },
)
check(
    "fused: in at the beginning, out at the end",
    lambda: [fused_bytes(doubled_tanh, (1000,)), fused_bytes(scaled_sum, (5, 6), (6,))],
    [8000, 168],
    mistakes={
        "What passes from one operation to the next was counted. In one loop it never goes to memory.": [16004, 456],
        "These are numbers. A float32 is 4 bytes: multiply by dtype.itemsize.": [2000, 42],
        "Only what is read was counted. The result is written, too.": [4000, 144],
        "Only what is written was counted. The inputs are read, too.": [4000, 24],
    },
)

# %% name="moved-bytes" tags=["hidden-test"] exercise="moved" points=2 hint="size * dtype.itemsize, summed over all invars and outvars of the equation."
wide = int(inputs.integers(low=20, high=40))


def bytes_of(kinds, width):
    """The equations of a function of bfloat16 numbers, counted wrongly."""
    return each(
        lambda equation: sum(
            v.aval.size * (width or v.aval.dtype.itemsize) for kind in kinds for v in getattr(equation, kind)
        ),
        mixed_widths,
        (wide, 3),
        (3,),
        dtype=jnp.bfloat16,
    )


def mixed_widths(x, y):
    return jnp.sum((x.astype(jnp.float32) + 0.5).T @ x.astype(jnp.float32), axis=1) * y


report(
    each(moved, mixed_widths, (wide, 3), (3,), dtype=jnp.bfloat16),
    mistakes={
        "These are numbers. A float32 is 4 bytes: multiply by dtype.itemsize.": lambda: bytes_of(
            ("invars", "outvars"), 1
        ),
        "The numbers were taken as 4 bytes wide. bfloat16 is 2: ask the dtype.": lambda: bytes_of(
            ("invars", "outvars"), 4
        ),
        "Only what is read was counted. The result is written, too.": lambda: bytes_of(("invars",), None),
        "Only what is written was counted. The inputs are read, too.": lambda: bytes_of(("outvars",), None),
    },
)


# %% name="moved-fused" tags=["hidden-test"] exercise="moved" points=2 hint="size * dtype.itemsize, summed over program.in_avals and program.out_avals."
def fused_by(count):
    """What a way of counting gives for three programs."""
    half = jnp.ones((wide, 3), jnp.bfloat16)
    tried = (
        (doubled_tanh, jnp.ones(wide + 1)),
        (scaled_sum, jnp.ones((wide, 4)), jnp.ones(4)),
        (mixed_widths, half, half[0]),
    )
    return [count(jax.make_jaxpr(function)(*args)) for function, *args in tried]


def bytes_in(*kinds, width=None):
    """Counts the inputs, the outputs or both, with numbers of that width or of their own."""

    def count(program):
        return sum((width or aval.dtype.itemsize) * aval.size for kind in kinds for aval in getattr(program, kind))

    return count


def in_between(program):
    variables = [v for equation in program.eqns for v in (*equation.invars, *equation.outvars)]
    return sum(v.aval.size * v.aval.dtype.itemsize for v in variables)


report(
    fused_by(moved_fused),
    mistakes={
        "These are numbers. A float32 is 4 bytes: multiply by dtype.itemsize.": lambda: fused_by(
            bytes_in("in_avals", "out_avals", width=1)
        ),
        "The numbers were taken as 4 bytes wide. bfloat16 is 2: ask the dtype.": lambda: fused_by(
            bytes_in("in_avals", "out_avals", width=4)
        ),
        "Only what is read was counted. The result is written, too.": lambda: fused_by(bytes_in("in_avals")),
        "Only what is written was counted. The inputs are read, too.": lambda: fused_by(bytes_in("out_avals")),
        "What passes from one operation to the next was counted. In one loop it never goes to memory.": lambda: (
            fused_by(in_between)
        ),
    },
)

# %% [markdown]
# How much does fusion gain here? Take a polynomial of degree 8 on eight million numbers, once operation by operation
# and once as one program. By which factor do the bytes differ, according to your count? If carrying takes most of the
# time, the times should differ by about the same factor.


# %% name="polynomial" tags=["demo"]
def polynomial(x):
    """1 + x/2 + x²/3 + ..., by Horner's rule: a product and a sum for each degree."""
    y = 1.0 / 9
    for n in range(8, 0, -1):
        y = y * x + 1.0 / n
    return y


def polynomial_bytes():
    """One by one, and fused."""
    return total(moved, polynomial, many), moved_fused(jax.make_jaxpr(polynomial)(many))


many = jnp.linspace(-1.0, 1.0, 2**23)
with skip_if_unfinished():
    bytes_each, bytes_fused = polynomial_bytes()
    print(
        f"one by one {bytes_each / 1e6:.0f} MB, fused {bytes_fused / 1e6:.0f} MB: {bytes_each / bytes_fused:.0f} times as much"
    )


# %% name="polynomial-timed" tags=["demo", "nbval-ignore-output"]
def seconds_in_place(function, x, repeat=9):
    """The median time of a function that donates x, given its own result again and again."""
    times = []
    for _ in range(repeat + 1):
        begun = time.perf_counter()
        x = jax.block_until_ready(function(x))
        times.append(time.perf_counter() - begun)
    return statistics.median(times[1:])


polynomial_times = {
    "one by one": seconds(polynomial, many, repeat=5),
    "fused": seconds(jax.jit(polynomial), many),
    "fused, donated": seconds_in_place(jax.jit(polynomial, donate_argnums=0), jnp.copy(many)),
}
for name, time_taken in polynomial_times.items():
    print(f"{name:16} {1000 * time_taken:7.1f} ms   {polynomial_times['one by one'] / time_taken:5.1f} times as fast")

# %% [markdown]
# The third line is section 5 once more. A result of 32 MB needs memory, and the operating system gives it out page by
# page, cleared to zero. Clearing is carrying too, although a count of reads and writes does not show it. If you donate
# an array, you save this cost. So fusion gives about the factor of the bytes, and the rest comes from reusing memory.
#
# ## 10. The roofline
#
# A machine has a **peak**, the most FLOP/s that it can compute, and a **bandwidth**, the most bytes per second that it
# can carry. A program has an **intensity**: FLOPs for each byte that it carries. Take a machine with 200 GFLOP/s and 20
# GB/s:
#
# | | FLOP | bytes | intensity | speed if only the 20 GB/s limited it | so it reaches |
# |---|---|---|---|---|---|
# | $2 \tanh x$, one by one | 2 | 16 | 0.125 | 2.5 GFLOP/s | 2.5 GFLOP/s |
# | $2 \tanh x$, fused | 2 | 8 | 0.25 | 5 GFLOP/s | 5 GFLOP/s |
# | a product, 1024 × 1024 | $2 \cdot 1024^3$ | $3 \cdot 4 \cdot 1024^2$ | 171 | 3,413 GFLOP/s | **200 GFLOP/s** |
#
# $$\text{attainable} = \min(\text{peak},\ \text{bandwidth} \times \text{intensity})$$
#
# Plot this against the intensity, on logarithmic axes, and you see a slope and then a flat line: the **roofline** of
# Williams, Waterman and Patterson (2009). The corner is the **ridge**, at peak / bandwidth, which is 10 FLOP per byte
# here. To the left of the ridge a program is *memory-bound*, and faster arithmetic changes nothing. To the right of the
# ridge a program is *compute-bound*.
#
# **Why servers put you into a batch.** A layer from $n$ to $m$ with a batch of $B$ has $2Bnm$ FLOPs. It carries the
# inputs, the weights and the results. With $s$ bytes per number these are $s\,(Bn + nm + Bm)$ bytes. The weights are
# read once for the whole batch. The layer is compute-bound as soon as computing takes as long as carrying:
#
# $$\frac{2Bnm}{\text{peak}} \;\ge\; \frac{s\,(Bn + nm + Bm)}{\text{bandwidth}}$$
#
# With $n = m = 1024$, $s = 4$ and a ridge of 10: $2{,}097{,}152\,B \ge 40\,(2{,}048\,B + 1{,}048{,}576)$, so it is
# compute-bound from $B = 20.8$ on. With $n = 64$, $m = 10$: $1{,}280\,B \ge 40\,(74\,B + 640)$, which is not true for
# any batch, since $1{,}280 < 40 \cdot 74 = 2{,}960$.
#
# ### Exercise 9: the roof, and the batch that reaches it


# %% name="attainable" tags=["exercise"]
def attainable(intensity, peak, bandwidth):
    """The FLOP/s that a program can reach at most.

    Args:
      intensity: FLOPs for each byte carried; a number or an array.
      peak: of the machine, FLOP/s.
      bandwidth: of the machine, bytes a second.

    Returns:
      FLOP/s, of the shape of `intensity`.
    """
    # BEGIN SOLUTION Exercise 9: the smaller of the two limits; jnp.minimum works on arrays.
    return jnp.minimum(peak, bandwidth * intensity)
    # END SOLUTION


def smallest_batch(inputs, outputs, peak, bandwidth, itemsize=4):
    """The batch from which on a layer is compute-bound.

    Args:
      inputs, outputs: the sizes of the layer.
      peak, bandwidth: of the machine, FLOP/s and bytes a second.
      itemsize: bytes of a number.

    Returns:
      The B at which both sides of the inequality are equal, not rounded; math.inf if there is none.
    """
    # BEGIN SOLUTION Exercise 9: solve the inequality above for B. What if the factor of B is not above 0?
    carried = peak / bandwidth * itemsize
    factor = 2 * inputs * outputs - carried * (inputs + outputs)
    return carried * inputs * outputs / factor if factor > 0 else math.inf
    # END SOLUTION


# %% name="attainable-check" tags=["check"] exercise="attainable"
intensities = jnp.array([0.125, 0.25, 10.0, 171.0])
check(
    "the table above, in GFLOP/s",
    lambda: attainable(intensities, 200.0, 20.0),
    np.array([2.5, 5.0, 200.0, 200.0], np.float32),
    mistakes={
        "This is the larger limit. Both hold, so the smaller one counts.": np.array([200, 200, 200, 3420], np.float32),
        "The peak is missing: no program computes faster than the machine.": np.array([2.5, 5, 200, 3420], np.float32),
        "Everything reaches the peak. What carries many bytes for each FLOP waits for them.": 200.0,
        "Bytes a second times FLOP for each byte gives FLOP a second: multiply.": np.array(
            [160, 80, 2, 20 / 171], np.float32
        ),
    },
)
check(
    "1024 to 1024 at a ridge of 10",
    lambda: smallest_batch(1024, 1024, 200e9, 20e9),
    20.8130081,
    mistakes={
        "The factor 2 is missing: a product has 2Bnm FLOPs.": 43.3898305,
        "The bytes of the results and of the inputs are missing: they grow with the batch.": 20.0,
        "The width of a number is missing: bytes, not numbers.": 5.0493097,
        "The ridge is upside down: it is peak / bandwidth.": 0.2000781,
        "The weights are missing among the bytes: without them the batch would not matter.": 0.0,
    },
)
check(
    "64 to 10: never",
    lambda: smallest_batch(64, 10, 200e9, 20e9),
    math.inf,
    mistakes={
        "A batch cannot be negative: with inputs and results alone the layer is memory-bound already, whatever B is.": -25600
        / 1680,
    },
)
check(
    "4096 to 4096 in bfloat16",
    lambda: smallest_batch(4096, 4096, 989e12, 3.35e12, itemsize=2),
    344.9491,
    mistakes={
        "The width of a number is `itemsize`, and not always 4.": 829.6355,
        "The width of a number is missing: bytes, not numbers.": 159.0776,
    },
    rtol=1e-4,
)

# %% name="attainable-roof" tags=["hidden-test"] exercise="attainable" points=1 hint="min(peak, bandwidth * intensity), with jnp.minimum."
top, carry = inputs.uniform(low=100, high=300).item(), inputs.uniform(low=5, high=9).item()
where_on = jnp.sort(inputs.uniform(4, low=0.3, high=9)) * jnp.array([1.0, 1.0, 1.0, 90.0])
report(
    attainable(where_on, top, carry),
    mistakes={
        "This is the larger limit. Both hold, so the smaller one counts.": lambda: jnp.maximum(top, carry * where_on),
        "The peak is missing: no program computes faster than the machine.": lambda: carry * where_on,
        "Everything reaches the peak. What carries many bytes for each FLOP waits for them.": lambda: top,
        "Bytes a second times FLOP for each byte gives FLOP a second: multiply.": lambda: jnp.minimum(
            top, carry / where_on
        ),
    },
)


# %% name="attainable-batch" tags=["hidden-test"] exercise="attainable" points=2 hint="With r = itemsize * peak / bandwidth: B = r n m / (2 n m - r (n + m)), if the divisor is above 0."
def solved_for_batch(n, m, peak, bandwidth, itemsize=4, two=2.0, grows=1.0, weights=1.0, never=math.inf):
    r = itemsize * peak / bandwidth
    divisor = two * n * m - grows * r * (n + m)
    return weights * r * n * m / divisor if divisor > 0 or (never is None and divisor) else math.inf


n, m = int(inputs.integers(low=700, high=900)), int(inputs.integers(low=300, high=500))
machine = float(inputs.integers(low=150, high=250)) * 1e9, float(inputs.integers(low=20, high=30)) * 1e9
layers = [(n, m, *machine), (n, m, *machine, 2), (n, 7, *machine), (40, 40, 10.0, 1.0), (40, 40, 9.9975, 1.0)]
report(
    [smallest_batch(*layer) for layer in layers],
    mistakes={
        "The factor 2 is missing: a product has 2Bnm FLOPs.": lambda: [solved_for_batch(*x, two=1.0) for x in layers],
        "The bytes of the results and of the inputs are missing: they grow with the batch.": lambda: [
            solved_for_batch(*x, grows=0.0) for x in layers
        ],
        "The width of a number is missing: bytes, not numbers.": lambda: [
            solved_for_batch(*x[:4], itemsize=1) for x in layers
        ],
        "The width of a number is `itemsize`, and not always 4.": lambda: [solved_for_batch(*x[:4]) for x in layers],
        "A batch cannot be negative: with inputs and results alone the layer is memory-bound already, whatever B is.": lambda: [
            solved_for_batch(*x, never=None) for x in layers
        ],
    },
)

# %% [markdown]
# Take the machine of the table again, with 200 GFLOP/s and 20 GB/s. How much of its peak can a layer reach as the batch
# grows?

# %% name="batching" tags=["demo"]
with skip_if_unfinished():
    print(f"1024 to 1024 is compute-bound from {math.ceil(smallest_batch(1024, 1024, 200e9, 20e9))} examples on.")
    LAYERS = {"1024 to 1024": (1024, 1024), "64 to 128": (64, 128), "64 to 10": (64, 10)}
    roofline.batching(200e9, 20e9, attainable, LAYERS)

# %% [markdown]
# The last check was a layer from 4096 to 4096, as in language models of 7 billion weights, on an accelerator with 989
# TFLOP/s and 3.35 TB/s (the data sheet of NVIDIA's H100). If a server answers fewer than 345 users at once, its
# arithmetic units spend time waiting for weights.
#
# ### Your machine
#
# We measure the peak with large products. We measure the bandwidth with an in-place addition on 128 MB, which is too
# much for any cache. The plot shows products of several sizes and the polynomial of section 9. Predict which of them
# touch the roof.

# %% name="machine" tags=["demo", "nbval-ignore-output"]
product, add_one = jax.jit(jnp.matmul), jax.jit(lambda x: x + 1.0, donate_argnums=0)


def product_speed(n):
    """FLOP/s of a product of n × n."""
    return 2 * n**3 / seconds(product, jnp.ones((n, n)), jnp.ones((n, n)))


def machine_limits():
    """The peak in FLOP/s and the bandwidth in bytes a second of this machine, as measured."""
    numbers = 2**25
    return max(map(product_speed, (512, 1024, 2048))), 8 * numbers / seconds_in_place(add_one, jnp.ones(numbers))


PEAK, BANDWIDTH = machine_limits()
print(f"peak {PEAK / 1e9:.0f} GFLOP/s, bandwidth {BANDWIDTH / 1e9:.1f} GB/s, ridge {PEAK / BANDWIDTH:.0f} FLOP a byte")

# %% name="roof" tags=["demo", "nbval-ignore-output"]
with skip_if_unfinished():
    arithmetic, (bytes_each, bytes_fused) = total(flops, polynomial, many), polynomial_bytes()
    points = {
        "products, n = 16 ... 1024": [(n / 6, product_speed(n)) for n in (16, 64, 256, 1024)],
        "polynomial, one by one": [(arithmetic / bytes_each, arithmetic / polynomial_times["one by one"])],
        "polynomial, fused": [(arithmetic / bytes_fused, arithmetic / polynomial_times["fused"])],
        "polynomial, fused, donated": [(arithmetic / bytes_fused, arithmetic / polynomial_times["fused, donated"])],
    }
    roofline.roofline(PEAK, BANDWIDTH, attainable, points)

# %% [markdown]
# Small products are far below the roof: they spend their time in the call, not in the arithmetic. Fusion moves the
# polynomial to the right, because the same FLOPs need fewer bytes, and up, along the slope. (A point *above* the slope
# is not a miracle: its data were in a cache, which has a larger bandwidth. A machine has one slope for each of its
# caches. The plot shows only the slope of the memory.)
#
# ## 11. The proof: eager against compiled
#
# First we check that all ways compute the same. We run an epoch of 22 steps in four ways: eagerly with the tape, with
# your compiled step, with your epoch in one program, and with `jax.grad`.


# %% name="same-losses" tags=["demo"]
xs, ys = batches_of(64, 22)


def fresh():
    """A copy of the first model and state, to be given away."""
    return jax.tree.map(jnp.copy, (first_model, first_state))


def stepwise(step):
    """An epoch, one call a step: (params, state, losses)."""
    params, state = fresh()
    losses = []
    for x, y in zip(xs, ys, strict=True):
        params, state, loss = step(params, state, x, y)
        losses.append(loss)
    return params, state, jnp.stack(losses)


@functools.cache
def my_step():
    """Your compiled step of the digits."""
    return compiled_step(digit_loss, optimizer)


@functools.cache
def my_epoch():
    return compiled_epoch(my_step())


with skip_if_unfinished():
    *_, eager_losses = stepwise(taped)
    for name, losses in {
        "your compiled step": stepwise(my_step())[2],
        "your epoch": my_epoch()(*fresh(), xs, ys)[2],
        "jax.grad, compiled": stepwise(WAYS["jax.grad, compiled"])[2],
    }.items():
        same = np.allclose(losses, eager_losses, rtol=1e-3)
        print(f"{name:20} every loss equal to the eager tape's to 3 digits: {same}")

# %% [markdown]
# Then we train for ten epochs, with ten calls from Python. It is your loss, your optimizer, your compiled epoch:

# %% name="ten-epochs" tags=["demo"]
with skip_if_unfinished():
    params, state = fresh()
    for _ in range(10):
        params, state, losses = my_epoch()(params, state, xs, ys)
    right = float(mt.nn.accuracy(params(test_x), test_y))
    print("at least 95 % of the held-out digits read rightly:", right >= 0.95)

# %% [markdown]
# Now the clock. Section 1 had three ways; there are five now.


# %% name="measured" tags=["demo", "nbval-ignore-output"]
def seconds_of_steps(step, x, y, repeat=30):
    """The median time of a step that is given what the one before it returned."""
    params, state = fresh()
    times = []
    for _ in range(repeat + 1):
        begun = time.perf_counter()
        params, state, _ = jax.block_until_ready(step(params, state, x, y))
        times.append(time.perf_counter() - begun)
    return statistics.median(times[1:])


@functools.cache
def measured():
    """Seconds a step, in five ways."""
    return {
        "taped, eager": seconds_of_steps(taped, xs[0], ys[0]),
        "jax.grad, eager": seconds_of_steps(step_with(jax.value_and_grad), xs[0], ys[0]),
        "jax.grad, compiled": seconds_of_steps(WAYS["jax.grad, compiled"], xs[0], ys[0]),
        "your compiled step": seconds_of_steps(my_step(), xs[0], ys[0]),
        "your epoch, a step": seconds_of_steps(my_epoch(), xs, ys) / len(xs),
    }


with skip_if_unfinished():
    roofline.step_times(measured())

# %% name="faster" tags=["demo"]
with skip_if_unfinished():
    factor = measured()["taped, eager"] / measured()["your compiled step"]
    print("your compiled step is at least five times as fast as the eager tape:", factor > 5)

# %% [markdown]
# **Where the eager time goes.** Now we can answer the question from the top. `jax.core.eval_jaxpr` runs the same 120
# operations one by one from the list: no tape, no library, only the trips. Predict: how much of the eager time is that?

# %% name="accounted" tags=["demo", "nbval-ignore-output"]
with skip_if_unfinished():
    args = (first_model, first_state, xs[0], ys[0])
    program = jax.make_jaxpr(taped)(*args)
    account = {
        "the eager tape": seconds(
            taped, *args
        ),  # once more, next to the list, in case the machine is busy now and then
        "its operations, one by one from the list": seconds(
            lambda *leaves: jax.core.eval_jaxpr(program.jaxpr, program.consts, *leaves), *jax.tree.leaves(args)
        ),
        "your compiled step": measured()["your compiled step"],
        "a step of your epoch": measured()["your epoch, a step"],
        "its arithmetic, at the peak of this machine": total(flops, taped, *args) / PEAK,
    }
    for what, time_taken in account.items():
        print(f"{1000 * time_taken:8.3f} ms  {what}")

# %% [markdown]
# Read it from bottom to top. The arithmetic takes hardly any time. A step in the epoch adds the part of the step that
# is not arithmetic: loops over small arrays, a little carrying. The compiled step adds one call. The list adds a trip
# for each operation, and that is nearly all of the eager time. The eager tape adds its own Python: functions that look
# at their arguments and convert them, the optimizer's walks through trees, the tape's list. That part runs under `jit`
# too, but only **once**.
#
# So compiling pays most where steps are *short*. What about large batches?

# %% name="batches-timed" tags=["demo", "nbval-ignore-output"]
BATCHES = (16, 64, 256, 1024, 4096)
plenty = jnp.tile(train_x, (3, 1)), jnp.tile(train_y, 3)
rows_of = {size: [part[:size] for part in plenty] for size in BATCHES}


@functools.cache
def by_batch():
    """Seconds a step for each batch size, in two ways."""
    ways = {"taped, eager": taped, "your compiled step": my_step()}
    return {
        name: [seconds_of_steps(step, *rows_of[size], repeat=10) for size in BATCHES] for name, step in ways.items()
    }


with skip_if_unfinished():
    roofline.against_batch(BATCHES, by_batch())

# %% [markdown]
# From left to right the trips matter less, and the lines come closer. They do not meet: eager code carries a large
# batch through memory once for every operation, and compiled code carries it only once for every fused loop.
#
# Finally, here is your step on the roofline, for the same batches. The bytes are your counts. For the eager tape we
# count the bytes of all its operations. For your step we count the least possible: what must come in and what must go
# out.

# %% name="step-on-the-roof" tags=["demo", "nbval-ignore-output"]
with skip_if_unfinished():
    stands = {name: [] for name in by_batch()}
    for i, size in enumerate(BATCHES):
        args = (first_model, first_state, *rows_of[size])
        work, least = total(flops, taped, *args), moved_fused(jax.make_jaxpr(taped)(*args))
        for name, carried in (("taped, eager", total(moved, taped, *args)), ("your compiled step", least)):
            stands[name].append((work / carried, work / by_batch()[name][i]))
    roofline.roofline(PEAK, BANDWIDTH, attainable, stands)

# %% [markdown]
# Each point is a batch size, from 16 on the left to 4,096 on the right. Read it as a doctor would. Points far below the
# slope suffer from the call: put more steps into one program, or more examples into a batch. Points just under the
# slope suffer from carrying: fuse, or use narrower numbers. Points just under the flat line suffer from arithmetic: you
# need a better matrix product, or a larger machine. Before you optimize anything, find out which of the three you have.
#
# ## 12. Stretch: two passes of a compiler
#
# What happens between the jaxpr and the machine? Dozens of *passes*, each of which takes a program and returns a better
# one. Two of the oldest passes need only a few lines each, if they work on a list of equations like the ones you know:
#
# - **dead code**: drop an equation whose results nobody uses. If you go from the last equation to the first, you know
#   at each equation which variables will still be needed.
# - **common subexpressions**: drop an equation that has the same primitive, the same inputs and the same params as an
#   earlier one, and use the result of the earlier one in its place. Dropping one equation can make others equal.
#
# Python could do neither: a function might print, or return something else the second time. The equations are *pure*,
# and this is why we needed the rules of section 4.
#
# A variable is equal only to itself, so it can be the key of a dict. Some inputs of an equation are constants and not
# variables: `is_variable` says whether an input is a variable.


# %% name="listings"
class Listing:
    """A flat program: `inputs` and `outputs` are variables (outputs may be constants), `equations` a list."""

    def __init__(self, inputs, equations, outputs):
        self.inputs, self.equations, self.outputs = inputs, equations, outputs


def listing_of(function, *args):
    """The program of a function whose equations hold no programs."""
    jaxpr = jax.make_jaxpr(function)(*args).jaxpr
    return Listing(jaxpr.invars, jaxpr.eqns, jaxpr.outvars)


def is_variable(x):
    return not hasattr(x, "val")


def evaluate(listing, *args):
    """Run the equations one after the other; the list of the outputs' values."""
    values = dict(zip(listing.inputs, args, strict=True))

    def value(x):
        return values[x] if is_variable(x) else x.val

    for equation in listing.equations:
        results = equation.primitive.bind(*map(value, equation.invars), **equation.params)
        results = results if equation.primitive.multiple_results else [results]
        values |= dict(zip(equation.outvars, results, strict=True))
    return [value(x) for x in listing.outputs]


def names(listing):
    return [equation.primitive.name for equation in listing.equations]


# %% [markdown]
# ### Stretch exercise: dead code, and common subexpressions
#
# `equation.replace(invars=[...])` returns the equation with other inputs. For an input `x` that is a variable, `str(x)`
# is a different text for each variable; for a constant it is the number. `str(equation.params)` is a text too. So it is
# easy to make a key for a dict.


# %% name="passes" tags=["exercise", "stretch"]
def without_dead(listing):
    """A Listing without the equations whose results nobody needs."""
    # BEGIN SOLUTION Stretch exercise: from the last equation to the first, keep those that make something needed; their inputs are needed, too.
    needed, kept = {x for x in listing.outputs if is_variable(x)}, []
    for equation in reversed(listing.equations):
        if needed & set(equation.outvars):
            kept.append(equation)
            needed |= {x for x in equation.invars if is_variable(x)}
    return Listing(listing.inputs, kept[::-1], listing.outputs)
    # END SOLUTION


def without_repeats(listing):
    """A Listing in which nothing is computed twice from the same inputs."""
    # BEGIN SOLUTION Stretch exercise: keep a dict from (primitive, inputs, params) to the first results, and another from dropped variables to those.
    known, instead, kept = {}, {}, []

    def renamed(xs):
        return [instead.get(x, x) if is_variable(x) else x for x in xs]

    for equation in listing.equations:
        equation = equation.replace(invars=renamed(equation.invars))
        key = equation.primitive, tuple(map(str, equation.invars)), str(equation.params)
        if key in known:
            instead |= dict(zip(equation.outvars, known[key], strict=True))
        else:
            known[key] = equation.outvars
            kept.append(equation)
    return Listing(listing.inputs, kept, renamed(listing.outputs))
    # END SOLUTION


# %% name="passes-check" tags=["check", "stretch"] exercise="passes"
def wasteful(x, y):
    """Computes much twice, and something for nothing."""
    for_nothing = jnp.exp(x) + 1.0
    del for_nothing
    a, b = jnp.sin(x) * y, jnp.sin(x) * y
    return jnp.tanh(a) + jnp.tanh(b), a * 2.0 + a * 3.0


pair = jnp.array([0.3, -1.2, 2.0]), jnp.array([1.5, 0.7, -0.4])
check(
    "dead code is gone",
    lambda: names(without_dead(listing_of(wasteful, *pair))),
    ["sin", "mul", "sin", "mul", "tanh", "tanh", "add", "mul", "mul", "add"],
    mistakes={
        "What is needed only by dead code is dead too: go from the last equation to the first.": [
            "exp",
            "sin",
            "mul",
            "sin",
            "mul",
            "tanh",
            "tanh",
            "add",
            "mul",
            "mul",
            "add",
        ],
        "The equations are in the reverse order.": [
            "add",
            "mul",
            "mul",
            "add",
            "tanh",
            "tanh",
            "mul",
            "sin",
            "mul",
            "sin",
        ],
    },
)
check(
    "repeats are gone",
    lambda: names(without_repeats(listing_of(wasteful, *pair))),
    ["exp", "add", "sin", "mul", "tanh", "add", "mul", "mul", "add"],
    mistakes={
        "One repeat makes others: look an equation up with its inputs already renamed.": [
            "exp",
            "add",
            "sin",
            "mul",
            "mul",
            "tanh",
            "tanh",
            "add",
            "mul",
            "mul",
            "add",
        ],
        "a * 2.0 and a * 3.0 are not the same: constants are inputs.": [
            "exp",
            "add",
            "sin",
            "mul",
            "tanh",
            "add",
            "mul",
            "add",
        ],
    },
)
check(
    "the values stay the same",
    lambda: [evaluate(p(listing_of(wasteful, *pair)), *pair) for p in (without_dead, without_repeats)],
    lambda: [list(wasteful(*pair))] * 2,
)
check(
    "params count: sums over two axes are two sums",
    lambda: evaluate(
        without_repeats(listing_of(lambda x: (jnp.sum(x, axis=0), jnp.sum(x, axis=1)), jnp.arange(4.0).reshape(2, 2))),
        jnp.arange(4.0).reshape(2, 2),
    ),
    [np.array([2.0, 4.0], np.float32), np.array([1.0, 5.0], np.float32)],
)


# %% name="passes-on-a-gradient" tags=["demo"]
def small_network(w, v, x):
    return mt.ops.mean(mt.ops.tanh(mt.ops.matmul(mt.ops.tanh(mt.ops.matmul(x, w)), v)) ** 2)


with skip_if_unfinished():
    some = jnp.ones((3, 4)), jnp.ones((4, 2)), jnp.ones((5, 3))
    both = listing_of(mt.grad(lambda params, x: small_network(*params, x)), some[:2], some[2])
    better = without_dead(without_repeats(both))
    print(
        f"the gradient of a small network: {len(both.equations)} equations, {len(better.equations)} after your passes"
    )

# %% [markdown]
# XLA does the same (`hlo_dce`, `hlo_cse`), and fuses, chooses layouts, and plans the memory. That is why you can write
# derivative rules in the simplest way: if they compute something that nobody needs, the compiler removes it before the
# program runs.
#
# ## In the wild
#
# | what you saw or wrote | where it lives |
# |---|---|
# | tracing to a jaxpr | JAX: `jax/_src/interpreters/partial_eval.py`, `jax/_src/core.py` |
# | `jit`, its cache and its key | JAX: `jax/_src/pjit.py`, `jaxlib/pjit.cc`; PyTorch: `torch/_dynamo/guards.py`; TensorFlow: `tensorflow/python/eager/polymorphic_function/polymorphic_function.py` |
# | `scan`, `while_loop` | JAX: `jax/_src/lax/control_flow/loops.py` |
# | a compiled step that donates; several steps per call | minitorch: `minitorch/train/step.py` |
# | counting FLOPs | XLA: `xla/service/hlo_cost_analysis.cc`; PyTorch: `torch/utils/flop_counter.py`; karpathy/nanoGPT: `model.py` (`estimate_mfu`); minitorch: `minitorch/train/flops.py` |
# | fusion, common subexpressions | XLA: `xla/service/instruction_fusion.cc`, `xla/service/hlo_cse.cc` |
# | define by run | Chainer: `chainer/function_node.py`; minitorch: `minitorch/autodiff/tape.py` |
#
# ## References
#
# - J. Bergstra et al., *Theano: a CPU and GPU math expression compiler*, 2010.
# - S. Williams, A. Waterman, D. Patterson, *Roofline: an insightful visual performance model for multicore architectures*,
#   2009.
# - S. Tokui, K. Oono, S. Hido, J. Clayton, *Chainer: a next-generation open source framework for deep learning*, 2015.
# - D. Maclaurin, D. Duvenaud, R. Adams, *Autograd: effortless gradients in NumPy*, 2015.
# - M. Abadi et al., *TensorFlow: a system for large-scale machine learning*, 2016.
# - R. Frostig, M. Johnson, C. Leary, *Compiling machine learning programs via high-level tracing*, 2018.
# - A. Agrawal et al., *TensorFlow Eager: a multi-stage, Python-embedded DSL for machine learning*, 2019.
# - A. Paszke et al., *PyTorch: an imperative style, high-performance deep learning library*, 2019.
# - J. Ansel et al., *PyTorch 2: faster machine learning through dynamic Python bytecode transformation and graph
#   compilation*, 2024.
# - NVIDIA, *H100 tensor core GPU data sheet*, 2023.
