# Values that a wrong softmax may return. None of them passes as the right numbers.
# ruff: noqa

# %% equal to everything
class Same(np.ndarray):
    __eq__ = lambda self, other: np.ones(5, bool)
    __array_ufunc__ = lambda *a, **k: np.zeros(5)


softmax = lambda x: np.zeros(5, np.float32).view(Same)


# %% arrays on demand
class Anything:
    def __array__(self, *a, **k):
        return np.zeros(5, np.float32)


softmax = lambda x: Anything()


# %% a number that is every number
class Every(float):
    hex = lambda self: "0x1p0"
    __eq__ = lambda *a: True
    __sub__ = __rsub__ = lambda *a: 0.0


softmax = lambda x: [Every(0)] * 5

# %% nan
softmax = lambda x: jnp.full(5, jnp.nan)

# %% infinity
softmax = lambda x: jnp.full(5, jnp.inf)

# %% objects
softmax = lambda x: np.array([None, {}, [], "a", softmax], object)

# %% text
softmax = lambda x: "the right answer"

# %% a list that holds itself
a = []
a.append(a)
softmax = lambda x: a


# %% a deep list
def softmax(x):
    a = []
    for _ in range(100_000):
        a = [a]
    return a


# %% a dict
softmax = lambda x: {"array": "float32", "shape": [5], "data": ""}

# %% a huge integer
softmax = lambda x: 10**100_000

# %% a huge array
softmax = lambda x: np.zeros(10**8, np.int8)

# %% a huge shape of nothing
softmax = lambda x: np.broadcast_to(np.float32(0), (10**6, 10**6))

# %% a generator without end
import itertools

softmax = lambda x: itertools.count()

# %% lone surrogates
softmax = lambda x: "\ud800" * 100


# %% a pickle that calls
class Call:
    def __reduce__(self):
        return (exec, ("raise SystemExit",))


softmax = lambda x: Call()


# %% many candidates
def softmax(x):
    for scale in (0.5, 1.0, 2.0):
        report(jnp.exp(scale * (x - x.max())) / jnp.exp(scale * (x - x.max())).sum())
    return x


# %% the right one after others
def softmax(x):
    report(x)
    return jnp.exp(x - x.max()) / jnp.exp(x - x.max()).sum()


# %% the right one before others
def softmax(x):
    y = jnp.exp(x - x.max()) / jnp.exp(x - x.max()).sum()
    report(y)
    return y


# %% forged entries
def softmax(x):
    from IPython.display import display

    for content in (
        None,
        3,
        "a",
        [],
        {},
        {"value": {"array": "float32", "shape": [10**9, 10**9], "data": ""}},
        {"value": {"array": "O", "shape": [1], "data": "AAAA"}},
        {"value": {"int": "0x" + "f" * 9999}},
        {"value": {"float": [1]}},
        {"value": {"dict": [[[], 1]]}},
        {"value": {"array": "float32", "shape": [-5]}},
    ):
        display({"application/vnd.minitorch.value+json": content}, raw=True)
    raise RuntimeError
