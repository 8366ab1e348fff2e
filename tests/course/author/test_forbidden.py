import pytest

from minitorch_course.author.forbidden import COMPUTED, UNREADABLE, forbidden_calls, reflection

NAMES = ["jax.nn.softmax", "minitorch.ops.softmax"]


@pytest.mark.parametrize(
    "code",
    [
        "import jax\njax.nn.softmax(x)",
        "import jax.nn\njax.nn.softmax(x)",
        "import jax.nn as nn\nnn.softmax(x)",
        "from jax import nn\nnn.softmax(x)",
        "from jax import nn as n\ny = n.softmax",
        "import jax as j; nn = j.nn\nnn.softmax(x)",
        "import jax\nf = jax.nn.softmax",
        "import jax\ngetattr(jax.nn, 'softmax')(x)",
        "x = 1\nmt.ops.softmax(x)",
        "x = 1\nfrom jax.nn import softmax as s",
        "from jax.nn import *\nsoftmax(x)",
        "def f(x):\n    from jax import nn; return nn.softmax(x)",
        "import jax\n[y for y in map(jax.nn.softmax, x)]",
    ],
)
def test_a_forbidden_function_is_found_under_each_of_its_names(code):
    assert (2, "jax.nn.softmax" if "mt." not in code else "minitorch.ops.softmax") in forbidden_calls(code, NAMES)


@pytest.mark.parametrize(
    "code",
    [
        "import jax\njax.nn.log_softmax(x)",
        "def softmax(x):\n    return x\nsoftmax(1)",
        "softmax(x)",
        "from jax.nn import *\ndef softmax(x):\n    return x\nsoftmax(1)",
        "self.jax.nn.softmax(x)",
        "'jax.nn.softmax'  # jax.nn.softmax",
        "import other as jax\njax.nn.softmax(x)",
        "from .nn import softmax",
    ],
)
def test_other_functions_are_not(code):
    assert forbidden_calls(code, NAMES) == []


def test_imports_of_earlier_cells_count():
    assert forbidden_calls("fun.softmax(x)", NAMES) == []
    assert forbidden_calls("fun.softmax(x)", NAMES, ["import jax.nn as fun"]) == [(1, "jax.nn.softmax")]
    assert forbidden_calls("s(x)", NAMES, ["x = (", "from jax.nn import softmax as s"]) == [(1, "jax.nn.softmax")]


def test_each_line_is_reported_once_in_order():
    code = "import jax\ny = jax.nn.softmax(jax.nn.softmax(x))\nz = mt.ops.softmax(y)"
    assert forbidden_calls(code, NAMES) == [(2, "jax.nn.softmax"), (3, "minitorch.ops.softmax")]


def test_code_that_cannot_be_read_is_not_clean():
    for code in ("def (", "jax.nn.softmax\0", "(" * 10_000):
        assert forbidden_calls(code, NAMES) == [(1, UNREADABLE)] == reflection(code)
    assert forbidden_calls("jax.nn.softmax(x)", []) == []


@pytest.mark.parametrize(
    "code",
    [
        "jax.jacrev(f)",
        "jax.jacobian(f)",
        "jax.fwd_and_bwd(f)",
        "mt.from_jax(f)",
        "mt.autodiff.transforms.vjp(f)",
        "import jax._src.api as a\na.vjp(f)",
        "from jax.interpreters import ad",
        "from jax.experimental.jet import jet",
        "import jax.extend",
        "a, b = jax.vjp, jax.jit\na(f)",
        "def g(x, d=jax.vjp): return d(x)",
        "(d := jax.vjp)(f)",
        "match jax:\n    case object(vjp=d): pass",
        "get_ipython().run_line_magic('time', 'd = jax.vjp(f)')",
    ],
)
def test_objects_and_their_families_are_forbidden_and_not_names(code):
    assert forbidden_calls(code, ["jax.grad", "jax.jacrev", "minitorch.vjp"], ["import jax"])


@pytest.mark.parametrize(
    ("code", "means"),
    [
        ("exec('x = 1')", "exec"),
        ("run = eval", "eval"),
        ("import importlib", "importlib"),
        ("import os\nos.execv('/bin/sh', [])", "os.exec"),
        ("from sys import modules", "sys.modules"),
        ("import operator as o\no.attrgetter('a.b')", "operator.attrgetter"),
        ("getattr(jax, name)", "getattr of jax"),
        ("setattr(jax.nn, 'relu', f)", "setattr of jax.nn"),
        ("jax.numpy.exp = f", "jax.numpy.exp = ..."),
        ("vars(jax)['grad']", "vars of jax"),
        ("jax.__dict__", "jax.__dict__"),
        ("look = getattr", "getattr"),
        ("f.__closure__", "__closure__"),
        ("getattr(f, '__globals__')", "__globals__"),
        ("get_ipython().system('ls')", "get_ipython"),
        ("getattr(x, name)", COMPUTED),
    ],
)
def test_means_of_reaching_functions_are_found(code, means):
    assert means in [name for _, name in reflection(code, ["import jax"])]


@pytest.mark.parametrize(
    "code",
    [
        "getattr(x, 'value', None)",
        "import os, sys, re, functools\nos.replace(a, b); sys.setrecursionlimit(10); re.compile('a')",
        "import numpy as np\nnp.random.seed(0)",
        "class A:\n    def __init__(self):\n        self.value = 1\n        super().__init__()",
        "get_ipython().run_line_magic('matplotlib', 'inline')",
        "get_ipython().run_line_magic('timeit', '-n 3 softmax(x)')",
        "setattr(self, 'a', 1)",
    ],
)
def test_usual_code_has_no_such_means(code):
    assert reflection(code, ["import jax"]) == []
