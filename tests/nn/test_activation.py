import numpy as np
import pytest
from flax import nnx

from minitorch import nn

# No zero: there JAX and PyTorch choose the slopes of the kinks.
X = np.array([-200.0, -3.0, -0.7, 0.2, 1.0, 2.5, 200.0], np.float32)
PAIRS = {
    "relu": (nn.relu, nnx.relu),
    "leaky_relu": (nn.leaky_relu, nnx.leaky_relu),
    "elu": (nn.elu, nnx.elu),
    "relu_squared": (nn.relu_squared, lambda x: nnx.relu(x) ** 2),
    "gelu": (nn.gelu, nnx.gelu),
    "exact gelu": (lambda x: nn.gelu(x, False), lambda x: nnx.gelu(x, False)),
    "silu": (nn.silu, nnx.silu),
    "sigmoid": (nn.sigmoid, nnx.sigmoid),
    "softplus": (nn.softplus, nnx.softplus),
    "tanh": (nn.tanh, nnx.tanh),
}


@pytest.mark.parametrize("name", PAIRS)
def test_activations_equal_flax(name, assert_same):
    assert_same(*PAIRS[name], X)
