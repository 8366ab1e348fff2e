"""Fixtures and settings that several folders of tests share."""

import json
import os
import random
import runpy
from importlib.metadata import version
from pathlib import Path

# Most of the time here is compilation. Unoptimized code gives the same results. So do the older loop emitters of jaxlib
# 0.10, which compile in less than half the time. Set before JAX is imported.
os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"
if version("jaxlib").startswith("0.10."):
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_use_fusion_emitters=false".strip()

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

# The types and shapes in the annotations of these modules are checked, in tests only. Set before they are imported.
jaxtyping.install_import_hook(
    [
        "minitorch.nn",
        "minitorch.ops.fused",
        *(f"minitorch.models.{family}" for family in ("mlp", "convnet", "transformer", "gpt", "llama", "moe")),
        "minitorch.infer",
    ],
    "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))",  # An int is a float, too.
)

from minitorch import ops
from minitorch.autodiff import value_and_grad
from minitorch.models import GPT, GPTConfig, Llama, LlamaConfig

ROOT = Path(__file__).parents[1]
COVERAGE = ROOT / "coverage.json"  # written by `make test`


@pytest.hookimpl(trylast=True)  # after pytest-randomly has shuffled
def pytest_collection_modifyitems(config, items):
    """Run slow tests first, so that no worker waits for one at the end, and measure coverage of the others only.

    The tests of a notebook stay together, in whatever order: a worker that changes notebooks starts a new process.
    """
    positions = {}
    for item in items:
        item.group = item.callspec.params["name"] if "runner_of" in item.fixturenames else item.nodeid
        positions.setdefault(item.group, len(positions))
    quick = {item for item in items if not (item.get_closest_marker("slow") or item.get_closest_marker("costly"))}
    items.sort(key=lambda item: (item in quick, positions[item.group]))
    if config.pluginmanager.hasplugin("_cov"):
        for item in items:
            if item not in quick:
                item.add_marker("no_cover")


def pytest_terminal_summary(terminalreporter, config):
    """Print the coverage of the library and of the course, if it was measured."""
    if config.pluginmanager.hasplugin("_cov") and COVERAGE.exists():
        totals = runpy.run_path(str(ROOT / "docs" / "hooks" / "coverage_page.py"))["totals"]
        for package, covered in totals(json.loads(COVERAGE.read_text(encoding="utf-8"))).items():
            terminalreporter.write_line(
                f"{package}: {covered.lines:.1f} % of lines, {covered.branches:.1f} % of branches"
            )


@pytest.fixture
def without_type_checks():
    """Turn off the checks of annotations, for tests of the library's own errors about shapes."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="session")
def outside():
    """The environment of a process that computes as a user's does: it trains, or its numbers are compared."""
    ours = ("JAX_DISABLE_MOST_OPTIMIZATIONS", "XLA_FLAGS", "PYTHONPATH", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("PYTEST_")}


@pytest.fixture(scope="session")
def filled():
    """`filled(build)` is the pytree of `build()` with arrays sampled by NumPy, which compiles nothing."""

    def fill(build):
        rng = np.random.default_rng(0)
        return jax.tree.map(lambda x: rng.normal(scale=0.4, size=x.shape).astype(x.dtype), jax.eval_shape(build))

    return fill


@pytest.fixture(scope="session")
def gpt(filled):
    """A small GPT with biases, its weights NumPy arrays that no test changes."""
    config = GPTConfig(vocab=11, context=8, layers=2, heads=2, width=8, bias=True)
    return filled(lambda: GPT.init(jax.random.key(0), config))


@pytest.fixture(scope="session")
def llama(filled):
    """A small Llama whose four heads share two key heads."""
    config = LlamaConfig(vocab=11, context=8, layers=2, heads=4, kv_heads=2, width=8, feedforward=12)
    return filled(lambda: Llama.init(jax.random.key(0), config))


@pytest.fixture(scope="session")
def text_file(tmp_path_factory):
    """A text of invented words: no passage is repeated, so that data validation passes."""
    rng = random.Random(0)
    words = ["".join(rng.choices("abcdefghij", k=rng.randint(2, 7))) for _ in range(200)]
    path = tmp_path_factory.mktemp("data") / "words.txt"
    path.write_text("\n".join(" ".join(rng.choices(words, k=10)) for _ in range(150)) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def minitorch(capsys):
    """`minitorch(*arguments)` runs a command in this process: exit code, standard output and standard error."""

    def call(*arguments):
        from minitorch.cli import main

        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(a) for a in arguments])
        return stop.value.code, *capsys.readouterr()

    return call


@pytest.fixture
def assert_same():
    """Assert that two functions of the same arguments agree in value and gradient, ours by our tape, the twin by JAX.

    The gradient is that of a sum of sines, with respect to all arguments that are not integers.
    """

    def check(ours, twin, *args, rtol=1e-4, atol=1e-5):
        argnums = [i for i, a in enumerate(args) if i == 0 or jnp.issubdtype(a.dtype, jnp.floating)]

        def evaluate(fun, value_and_grad):
            def loss(*args):
                y = fun(*args)
                return ops.sum(ops.sin(y)), y

            (_, y), gradients = jax.jit(value_and_grad(loss, argnums, has_aux=True))(*args)
            return y, *gradients

        mine, theirs = evaluate(ours, value_and_grad), evaluate(twin, jax.value_and_grad)
        assert jax.tree.structure(mine) == jax.tree.structure(theirs)
        for a, b in zip(jax.tree.leaves(mine), jax.tree.leaves(theirs), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)

    return check
