import jax
import numpy as np
import pytest
from flax import nnx

from minitorch.nn import Conv

KEY = jax.random.key(0)
IMAGES = np.random.default_rng(1).normal(size=(2, 7, 6, 4)).astype("float32")
SIGNALS = IMAGES[:, :, 0]


@pytest.mark.parametrize("settings", [{}, {"stride": 2, "padding": "VALID"}, {"dilation": 2, "groups": 2}])
@pytest.mark.parametrize(("x", "window"), [(IMAGES, (3, 2)), (SIGNALS, (3,))], ids=["2-D", "1-D"])
def test_convolution_equals_flax(x, window, settings, filled, assert_same):
    names = {"stride": "strides", "padding": "padding", "dilation": "kernel_dilation", "groups": "feature_group_count"}

    def flax(layer, x):
        options = {names[name]: value for name, value in settings.items()}
        theirs = nnx.eval_shape(lambda: nnx.Conv(4, 6, window, **options, rngs=nnx.Rngs(0)))
        theirs.kernel, theirs.bias = nnx.Param(layer.weight), nnx.Param(layer.bias)
        return theirs(x)

    assert_same(lambda layer, x: layer(x), flax, filled(lambda: Conv.init(KEY, 4, 6, window, **settings)), x)


def test_without_a_bias_the_map_is_linear(filled):
    layer = filled(lambda: Conv.init(KEY, 4, 6, (3,), bias=False))
    assert layer.bias is None
    assert not np.any(layer(0 * SIGNALS))


def test_wrong_shapes_are_explained():
    layer = Conv(np.ones((3, 3, 1, 6)))
    with pytest.raises(ValueError, match=r"needs x with 4 axes, the last of 1 channels, but got shape \(2, 7, 6\)"):
        layer(IMAGES[..., 0])
    with pytest.raises(ValueError, match=r"3 groups must divide the 4 inputs and the 6 outputs"):
        Conv.init(KEY, 4, 6, (3,), groups=3)
