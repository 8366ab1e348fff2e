import re
import shlex
import shutil
import signal
from pathlib import Path

import pytest

from minitorch.cli.tour import tour
from minitorch.cli.tour.command import OUT, SETTINGS, next_commands, prepare_folder, run_tour
from minitorch.train import Interrupted, Result, RunConfig, load_run, read_rows, train

pytestmark = pytest.mark.costly


@pytest.fixture(scope="module")
def small(text_file):
    """Return the settings of a tour that takes seconds."""
    sizes = dict(layers=1, heads=2, width=64, context=16, batch=4)
    return RunConfig(
        data=str(text_file),
        limit=9000,
        tokenizer="bpe:270",
        **sizes,
        steps=24,
        lr=1e-2,
        eval_every=6,
        checkpoint_every=8,
    )


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("runs") / "tour"


@pytest.fixture(scope="module")
def toured(small, out):
    """Return the folder of a finished tour, which was interrupted at step 3 and continued."""

    class Interrupt:
        def log(self, step, values):
            if step == 3:
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted):
        train(small, out, sinks=[Interrupt()])
    assert run_tour(small, out) == out / "report.html"
    return out


def test_a_tour_stops_halfway_resumes_and_reports(toured):
    assert [row["step"] for row in read_rows(toured / "metrics.jsonl")] == list(range(1, 25))
    assert load_run(toured).step == 24
    report = (toured / "report.html").read_text(encoding="utf-8")
    assert "After step 12 the run was stopped" in report
    assert [heading in report for heading in ("Before training", "After 12 steps", "After all 24 steps")] == [True] * 3
    assert re.findall(r"<td>(original|distilled|int8|int4)</td>", report) == ["original", "distilled", "int8", "int4"]


def test_the_commands_to_try_next_work(toured, small, minitorch, monkeypatch, tmp_path):
    trained = []

    def pretend(config, out, **options):
        trained.append((config.data, config.model, out))
        return Result(out, 0.0, 0.0, 0.0)

    monkeypatch.setattr("minitorch.train.train", pretend)
    monkeypatch.chdir(tmp_path)
    for command in next_commands(small, toured).values():
        program, *arguments = shlex.split(command)
        code, _, err = minitorch(*(argument.replace("500000", "2000") for argument in arguments))
        assert (program, code) == ("minitorch", 0), err
    assert trained == [("stdlib-docstrings", "gpt", Path("runs/prose")), (small.data, "llama", Path("runs/llama"))]


def test_a_finished_tour_is_removed_and_a_stopped_one_is_kept(toured, small, tmp_path):
    out = shutil.copytree(toured, tmp_path / "tour")
    (out / ".notes").touch()
    assert not prepare_folder(out, small)
    assert [path.name for path in out.iterdir()] == [".notes"]
    assert not prepare_folder(out, small)
    assert not prepare_folder(tmp_path / "new", small)
    stopped = shutil.copytree(toured, tmp_path / "stopped", ignore=lambda *_: ["report.html"])
    assert prepare_folder(stopped, small)
    assert len(list(stopped.iterdir())) > 5


def test_folders_that_are_not_tours_are_left_alone(toured, small, tmp_path):
    out = shutil.copytree(toured, tmp_path / "runs" / "tour")
    (tmp_path / "runs" / "thesis.md").touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FileExistsError, match=r"tour holds another run: rename or remove that folder"):
        prepare_folder(out, RunConfig(**SETTINGS))
    with pytest.raises(FileExistsError, match=r"holds thesis.md, which is not part of a tour: move it away, and start"):
        prepare_folder(out.parent, small)
    assert sorted(tmp_path.rglob("*")) == before


def test_ctrl_c_says_how_to_continue(minitorch, monkeypatch):
    def interrupted(config, out):
        raise Interrupted(out, 7, signal.SIGINT)

    monkeypatch.setitem(tour.__globals__, "run_tour", interrupted)  # The package `tour` is shadowed by its function.
    code, _, err = minitorch("tour")
    assert code == 130
    assert err == f"minitorch: stopped after step 7 and saved in {OUT}. Continue it with: minitorch tour\n"
