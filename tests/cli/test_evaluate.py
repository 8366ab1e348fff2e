import re

import pytest

from minitorch.train import read_rows


def test_evaluate_prints_the_loss_in_every_unit(minitorch, finished, text_file, tmp_path):
    text = text_file.read_text("utf-8")[:5000]
    (tmp_path / "validation.txt").write_text(text[int(0.9 * len(text[: text.rfind("\n") + 1])) :], encoding="utf-8")
    code, out, err = minitorch("evaluate", "--run", finished, "--data", tmp_path / "validation.txt")
    assert (code, err) == (0, "")
    names = ["loss", "perplexity", "bits_per_byte", "bits_per_character", "tokens"]
    assert re.findall(r"(\w+)=[\d.]+", out) == names
    loss = float(re.match(r"loss=([\d.]+)", out)[1])
    assert loss == pytest.approx(read_rows(finished / "metrics.jsonl")[-1]["val_loss"], abs=0.02)
