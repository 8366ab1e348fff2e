"""Examples in docstrings: each indented block of Python runs, given small values for the names that it leaves open."""

import ast
import importlib
import re
import textwrap
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minitorch as mt

ROOT = Path(__file__).parents[1]
FILES = sorted(path for package in ("minitorch", "minitorch_course") for path in (ROOT / package).rglob("*.py"))

# What the text around an example takes for granted.
SETUP = {
    "minitorch/autodiff/scalar.py": "from minitorch.autodiff.scalar import Scalar",
    "minitorch/compress/qat.py": "recipe = compress.RECIPES['int8']",
    "minitorch/infer/sample.py": "logits = jnp.zeros((2, 5))",
    "minitorch/nn/module.py": "from jax import Array",
    "minitorch/optim/ema.py": "averager = mt.optim.ema(0.9)\nema_state = averager.init(params)",
    "minitorch/train/tracking.py": (
        "import pytest; pytest.importorskip('mlflow')\ntrain = lambda config, out, sinks: None\nconfig = out = None"
    ),
    "minitorch_course/notebook/override_rules.py": (
        "rule_x, rule_y = mt.ops.multiply.rules\nwalk = mt.autodiff.tape.Tape.backward\n"
        "loss_fn = lambda params: mt.ops.sum(params['w'] * params['w'])"
    ),
}


def examples(path):
    """Yield the line and the code of each example: indented by four, between blank lines, and valid Python."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            continue
        for block in re.split(r"\n\s*\n", ast.get_docstring(node) or "")[1:]:
            lines = block.splitlines()
            code = textwrap.dedent(block)
            if all(line.startswith("    ") for line in lines) and is_python(code):
                yield getattr(node, "lineno", 1), code


def is_python(code):
    try:
        return bool(ast.parse(code.replace(">>> ", "").replace("... ", "")).body)
    except SyntaxError:
        return False


EXAMPLES = {path.relative_to(ROOT).as_posix(): found for path in FILES if (found := list(examples(path)))}


@pytest.fixture
def names(tmp_path, monkeypatch):
    """The names that examples use without a definition."""
    monkeypatch.chdir(tmp_path)
    config = mt.models.GPTConfig(vocab=65, context=64, layers=1, heads=2, width=64)
    model = mt.models.GPT.init(jax.random.key(0), config)
    ids = jnp.arange(8)[None] % 65
    params = {"w": jnp.ones(3)}
    return {
        "mt": mt, "jax": jax, "jnp": jnp, "np": np, "nn": mt.nn, "compress": mt.compress,
        "key": jax.random.key(0), "model": model, "ids": ids, "targets": ids, "params": params,
    }  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_examples_of_a_file_run(name, names):
    module = importlib.import_module(name.removesuffix("/__init__.py").removesuffix(".py").replace("/", "."))
    scope = {**vars(module), **names}
    exec(SETUP.get(name, ""), scope)
    for line, code in EXAMPLES[name]:
        try:
            exec(compile(code.replace(">>> ", ""), f"{name}:{line}", "exec"), scope)
        except Exception as error:
            pytest.fail(f"{name}:{line}: {type(error).__name__}: {error}\n{code}", pytrace=False)


def test_examples_are_found_and_every_setup_is_needed():
    assert {"minitorch/__init__.py", "minitorch/nn/module.py", *SETUP} <= set(EXAMPLES)
