import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch import compress
from minitorch.compress import gptq
from minitorch.compress.scheme import NF4_LEVELS, Scheme, dequantize, quantize_matrix

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 32)) @ RNG.normal(size=(32, 32))  # Correlated inputs, as in models.
W, H = RNG.normal(size=(10, 32)).astype(np.float32), X.T @ X
SCHEMES = [
    Scheme(bits=4),
    Scheme(bits=4, group=32, symmetric=False),
    Scheme(bits=4, levels="nf4"),
    Scheme(group="tensor"),
]


forward = jax.jit(lambda model, ids: model(ids))


def by_definition(weight, hessian, scheme):
    """Run algorithm 1 with blocks of one column: invert H, quantize, and update both with Gaussian elimination."""
    start = quantize_matrix(weight, scheme)
    scale = np.broadcast_to(np.asarray(start.scale, np.float64), (len(weight), 1))[:, 0]
    zero = 0 if start.zero is None else np.asarray(start.zero, np.float64)[:, 0]
    w = weight.astype(np.float64)
    inverse = np.linalg.inv(hessian + 0.01 * np.diag(hessian).mean() * np.eye(len(hessian)))
    values = np.zeros_like(w)
    for i in range(w.shape[1]):
        if scheme.levels == "nf4":
            values[:, i] = scale * NF4_LEVELS[np.abs(w[:, i, None] / scale[:, None] - NF4_LEVELS).argmin(axis=1)]
        else:
            codes = np.clip(np.round(w[:, i] / scale) + zero, scheme.lowest, scheme.highest)
            values[:, i] = scale * (codes - zero)
        w -= np.outer((w[:, i] - values[:, i]) / inverse[i, i], inverse[i])
        inverse -= np.outer(inverse[:, i], inverse[i]) / inverse[i, i]
    return values


@pytest.mark.parametrize("scheme", SCHEMES)
def test_gptq_equals_the_algorithm_of_its_paper(scheme):
    ours = dequantize(gptq.gptq(W, H, scheme), scheme)
    np.testing.assert_allclose(ours, by_definition(W, H, scheme), atol=1e-6)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_outputs_have_smaller_errors_than_with_the_nearest_codes(scheme):
    def error(quantized):
        return np.square(X @ (np.asarray(dequantize(quantized, scheme)) - W).T).sum()

    assert error(gptq.gptq(W, H, scheme)) < 0.6 * error(quantize_matrix(W, scheme))


def test_a_calibrated_model_has_smaller_errors_on_its_text(llama):
    ids = [RNG.integers(0, 11, (16, 8)) for _ in range(2)]
    recipe, text, progress = compress.QuantRecipe({"*": Scheme(bits=4)}), jnp.asarray(np.concatenate(ids)), []
    before = forward(llama, text)
    errors = [
        float(jnp.square(forward(small, text) - before).mean())
        for small in (
            compress.quantize_gptq(llama, recipe, ids, lambda *done: progress.append(done)),
            compress.quantize(llama, recipe),
        )
    ]
    assert errors[0] < errors[1]
    assert progress == [(i, len(progress)) for i in range(1, len(progress) + 1)]


def test_a_hessian_is_the_sum_of_outer_products_of_the_inputs(llama):
    ids = [np.arange(8)[None], np.arange(3, 11)[None]]
    (h,) = gptq.hessians(llama, ids, ["blocks.0.attention.qkv"]).values()
    block = llama.blocks[0]
    x = np.concatenate([block.attention_norm(llama.token(jnp.asarray(i)))[0] for i in ids])
    np.testing.assert_allclose(h, x.T @ x, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("ids", [[], [np.zeros((0, 8), int)]])
def test_calibration_without_text_raises(llama, ids):
    with pytest.raises(ValueError, match="was given no text"):
        compress.quantize_gptq(llama, compress.RECIPES["int8"], ids)


def test_hessians_that_do_not_fit_raise():
    for hessian in (H[:4, :4], np.full_like(H, np.nan)):
        with pytest.raises(ValueError, match="must be finite and 32 x 32"):
            gptq.gptq(W, hessian, Scheme())
