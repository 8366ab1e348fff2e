"""The annotations of public calls are checked in the tests, and nowhere else."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest
from jaxtyping import TypeCheckError

import minitorch as mt
from minitorch import nn, ops

Q, K = jnp.ones((2, 3, 4, 5)), jnp.ones((2, 6, 2, 5))


def test_a_wrong_shape_is_refused():
    assert ops.attention(Q, K, K).shape == Q.shape
    with pytest.raises(TypeCheckError, match="parameter 'v'"):
        ops.attention(Q, K, K[:, :4])
    with pytest.raises(TypeCheckError, match="parameter 'x'"):
        nn.RMSNorm.init(jax.random.key(0), 5)(jnp.arange(5))


def test_a_wrong_shape_is_refused_under_a_gradient_and_inside_jit():
    with pytest.raises(TypeError, match="parameter 'positions'"):
        jax.jit(mt.grad(lambda q: nn.rope(q[..., :4], jnp.arange(9)).sum()))(Q)


def test_outside_of_the_tests_nothing_is_checked(outside):
    code = "import sys, jax.numpy as jnp; from minitorch import nn; print(nn.relu_squared(jnp.arange(3)), *sys.modules)"
    with pytest.raises(TypeCheckError, match="parameter 'x'"):
        nn.relu_squared(jnp.arange(3))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=outside)
    assert run.stdout.startswith("[0 1 4]")
    assert "beartype" not in run.stdout.split()
