"""The figures of notebook 07 on who looks at whom."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from minitorch_course.figures import attention


def drawn():
    """The panels of the figure."""
    return plt.gcf().axes


def labels(ticks):
    return [tick.get_text() for tick in ticks]


def test_the_real_head_is_causal_and_its_rows_add_up():
    weights = np.array(attention.WEIGHTS)
    assert weights.shape == (len(attention.TOKENS),) * 2
    assert not np.triu(weights, k=1).any()
    assert weights.sum(axis=1) == pytest.approx(1, abs=0.05)  # Two digits were kept of each.


def test_heavy_weights_are_written_into_their_boxes():
    attention.head(["a", " b"], [[1.0, 0.0], [0.07, 0.93]])
    (axes,) = drawn()
    assert [text.get_text() for text in axes.texts] == ["100", "93"]
    assert labels(axes.get_yticklabels()) == ["a", "·b"]


def test_every_head_has_a_panel():
    attention.heads(["a", "\n"], np.full((2, 3, 2, 2), 0.5))
    assert [axes.get_title() for axes in drawn()] == [f"layer {i}, head {j}" for i in range(2) for j in range(3)]
    assert labels(drawn()[3].get_yticklabels()) == ["a", "↵"]


def test_without_scaling_the_heaviest_key_dominates():
    attention.sharpness(widths=(4, 1024))
    plain, divided = (line.get_ydata() for line in drawn()[0].lines[:2])
    assert plain[1] > 90
    assert divided[1] < 40
    assert plain[0] > divided[0]


def test_the_mask_hides_what_comes_later():
    picture = attention.mask(["a", "b", "c"])
    assert picture.count("−∞") == 3
    assert picture.count('fill="#cfe3f1"') == 6


def test_reshape_and_transpose_give_each_head_numbers_of_every_token():
    picture = attention.cuts(tokens=("a", "b", "c"), heads=3, head_size=2)
    assert [picture.count(f">h{head}<") for head in range(3)] == [12, 12, 12]
    rows = picture.split(">h")
    right, wrong = [part[0] for part in rows[1:19]], [part[0] for part in rows[19:]]
    assert "".join(right) == "001122" * 3
    assert "".join(wrong) == "000000111111222222"


def test_influence_shows_what_moved():
    moved = np.array([[True, False], [True, True]])
    attention.influence({"causal": moved})
    assert drawn()[0].images[0].get_array().tolist() == moved.tolist()


def test_llama_2_of_70_billion_keeps_10_gigabytes_for_4096_tokens_without_groups():
    attention.cache_memory()
    every, groups, one = (line.get_ydata() for line in drawn()[0].lines[:3])
    assert every[4] == pytest.approx(10.74, abs=0.01)
    assert every / groups == pytest.approx(8)
    assert every / one == pytest.approx(64)


def test_the_ladder_ends_with_the_mean_of_the_last_steps():
    attention.ladder({"one": np.arange(40.0), "two": np.full(40, 3.0)}, window=10)
    left, right = drawn()
    assert left.lines[0].get_ydata()[0] == pytest.approx(4.5)
    assert right.lines[0].get_ydata().tolist() == pytest.approx([34.5, 3.0])
    assert labels(right.get_xticklabels()) == ["one", "two"]
