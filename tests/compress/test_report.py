import io
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch import compress, train
from minitorch.compress.report import compare, pareto_front
from minitorch.nn import paths

pytestmark = pytest.mark.slow

DATA = np.random.default_rng(0).integers(0, 11, 60)


@pytest.fixture(scope="module")
def result(gpt):
    return compare(gpt, {"int8": compress.quantize(gpt, compress.RECIPES["int8"])}, DATA, batch=2, tokens=4)


def test_a_comparison_measures_size_perplexity_and_speed(result, gpt, tmp_path):
    original, small = result.variants
    paths.save_safetensors(gpt, tmp_path / "x")
    assert (original.name, original.disk) == ("original", (tmp_path / "x").stat().st_size)
    assert original.memory == sum(leaf.nbytes for leaf in jax.tree.leaves(gpt)) > small.memory
    assert original.perplexity == pytest.approx(np.exp(train.mean_loss(gpt, jnp.asarray(DATA), 2)))
    assert small.perplexity == pytest.approx(original.perplexity, rel=0.05)
    assert small.tokens_per_s > 0


def test_the_table_has_a_row_for_each_model(result):
    head, _, original, small = result.table().splitlines()
    assert head == "| model | on disk | in memory | perplexity | tokens/s |"
    assert re.fullmatch(
        r"\| original \| 0.\d\d MB \(100%\) \| 0.\d\d MB \(100%\) \| [\d.]+ \| [\d,]+ \(1.00x\) \|", original
    )
    assert small.startswith("| int8 | ")


def test_the_plot_is_a_png_of_its_size(result):
    from matplotlib.image import imread

    pixels = imread(io.BytesIO(result.plot()))
    assert pixels.shape[:2] == (675, 1500)
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 20


def test_the_pareto_front_holds_the_points_that_no_other_dominates():
    assert pareto_front([1, 2, 3, 3], [5, 4, 4, 1]) == [0, 1, 3]
    assert pareto_front([1, 1], [2, 2]) == [0, 1]
    assert pareto_front([1, 2, 3], [5, float("nan"), 1]) == [0, 2]


def test_a_variant_with_the_name_of_the_original_raises(gpt):
    with pytest.raises(ValueError, match="no variant can be called 'original'"):
        compare(gpt, {"original": gpt}, DATA)
