import pytest

from minitorch_course.author.forbidden import forbidden_calls

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


def test_code_that_cannot_be_read_uses_nothing():
    assert forbidden_calls("def (", NAMES) == []
    assert forbidden_calls("jax.nn.softmax\0", NAMES) == []
    assert forbidden_calls("(" * 10_000, NAMES) == []
    assert forbidden_calls("jax.nn.softmax(x)", []) == []
