"""What several folders of tests share."""

import os
import re
from importlib.metadata import version
from pathlib import Path

# Compiling is most of the work here. Unoptimized code computes the same, and so does that of the older of XLA's two
# ways to write a loop for the CPU, in less than half the time, as long as there are two. Set before JAX is imported.
os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"
if version("jaxlib").startswith("0.10."):
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_use_fusion_emitters=false".strip()

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch import ops
from minitorch.autodiff import value_and_grad

# What trains models, executes notebooks, builds the site or grades. Single tests elsewhere say so themselves.
SLOW = re.compile(
    r"cli/test_(kill|quantize|small_models|tour)|compress/test_(?!gguf|packed|scheme)|finetune/|course/cli/test_student"
    r"|course/(test_attacks|labs|student/test_progress|grading/test_(class|nbval_runner|grade_class|hide_functions|workers))"
    r"|docs/test_(browser|five_minutes|site)|infer/test_generate|train/test_(loop|step|tracking)"
)


@pytest.hookimpl(tryfirst=True)  # before `-m "not slow"` is looked at
def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if SLOW.match(item.path.relative_to(here).as_posix()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def outside():
    """The environment for a process that computes as a user's does: one that trains, or whose numbers are compared."""
    ours = ("JAX_DISABLE_MOST_OPTIMIZATIONS", "XLA_FLAGS", "PYTHONPATH", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("PYTEST_")}


@pytest.fixture
def filled():
    """`filled(build)` is what `build()` returns, its arrays drawn by NumPy: to draw with JAX is to compile."""

    def fill(build):
        rng = np.random.default_rng(0)
        return jax.tree.map(lambda x: rng.normal(scale=0.4, size=x.shape).astype(x.dtype), jax.eval_shape(build))

    return fill


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
    """A check that two functions of the same arguments agree in value and in gradient, ours by our tape and the twin's
    by JAX. The gradient is that of a sum of sines, with respect to all arguments but integers."""

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
