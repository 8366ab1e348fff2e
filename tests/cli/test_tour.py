import shlex

import pytest

from minitorch.cli import app, tour
from minitorch.cli.tour import SETTINGS, guide, make_room, next_commands
from minitorch.train import Interrupted, RunConfig, load_run, read_rows, train


@pytest.fixture(scope="module")
def small(text_file):
    """Settings of a tour of seconds."""
    sizes = dict(layers=1, heads=2, width=16, context=16, batch=4)
    return RunConfig(data=str(text_file), tokenizer="bpe:270", **sizes, steps=24, lr=1e-2, eval_every=6, checkpoint_every=8)


@pytest.fixture(scope="module")
def toured(small, tmp_path_factory):
    """A folder after a tour."""
    out = tmp_path_factory.mktemp("runs") / "tour"
    assert guide(small, out) == out / "report.html"
    return out


def test_it_stops_halfway_and_ends_in_the_weights_of_a_run_that_was_not_stopped(toured, small, tmp_path):
    assert [row["step"] for row in read_rows(toured / "metrics.jsonl")] == list(range(1, 25))
    train(small, tmp_path / "straight")
    one, other = (path / "model.safetensors" for path in (toured, tmp_path / "straight"))
    assert one.read_bytes() == other.read_bytes()
    report = (toured / "report.html").read_text(encoding="utf-8")
    assert "After step 12 the run was stopped" in report
    for heading in ("Before training", "After 12 steps", "After all 24 steps"):
        assert f"<h3>{heading}</h3>" in report
