import json

import pytest

from minitorch.train import read_rows
from minitorch.train.tracking import JsonLines


def test_rows_are_json_lines_on_disk_as_soon_as_they_are_logged(tmp_path):
    path = tmp_path / "metrics.jsonl"
    with JsonLines(path) as file:
        file.log(1, {"loss": 2.5})
        assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == [{"step": 1, "loss": 2.5}]
        file.log(2, {"loss": 2.25})
    assert read_rows(path) == [{"step": 1, "loss": 2.5}, {"step": 2, "loss": 2.25}]


def test_resuming_drops_the_rows_after_the_checkpoint_and_a_line_cut_short(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(
        "".join(f'{{"step": {i}, "loss": 1.0}}\n' for i in range(1, 6)) + '{"step": 6, "lo', encoding="utf-8"
    )
    with JsonLines(path, after=3) as file:
        file.log(4, {"loss": 0.5})
    assert [(row["step"], row["loss"]) for row in read_rows(path)] == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 0.5)]
    assert [p.name for p in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_a_missing_file_has_no_rows_and_a_bad_line_is_named(tmp_path):
    assert read_rows(tmp_path / "none.jsonl") == []
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"step": 1}\nnonsense\n{"step": 3}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"bad\.jsonl, line 2 is not JSON .*delete that line"):
        read_rows(bad)
