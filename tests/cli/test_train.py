import inspect
import json
import re
import signal

import pytest

from minitorch.cli.train import train
from minitorch.train import Interrupted, Result, RunConfig, read_record, read_rows
from minitorch.train.config import CUSTOM, DTYPES, MODELS, OPTIMIZERS
from minitorch.train.tracking import TRACKERS


def test_the_last_line_of_output_can_be_parsed(minitorch, finished):
    code, out, _ = minitorch("train", "--out", finished, "--resume")
    assert code == 0
    assert re.fullmatch(r"final val_loss=\d+\.\d+ tokens_per_s=\d+ seconds=\d+\.\d+", out.splitlines()[-1])
    assert f"val_loss={read_rows(finished / 'metrics.jsonl')[-1]['val_loss']:.4f}" in out


def test_every_option_reaches_the_run(finished, text_file):
    assert read_record(finished).config == RunConfig(
        data=str(text_file), limit=5000, tokenizer="bpe:260", model="llama", layers=1, heads=2, kv_heads=1, width=16,
        context=16, batch=4, steps=12, optimizer="muon", lr=0.02, dtype="bfloat16", eval_every=5, checkpoint_every=4,
    )  # fmt: skip
    assert read_record(finished).provenance.vocab == 260
    assert all("NaN" not in line for line in (finished / "metrics.jsonl").read_text("utf-8").splitlines())


def test_options_and_settings_have_the_same_names_defaults_and_choices():
    def plain(value):
        return json.loads(json.dumps(value))

    options = {name: p.default for name, p in inspect.signature(train).parameters.items()}
    for own in ("ctx", "out", "resume", "track", "data"):
        del options[own]
    settings = inspect.signature(RunConfig).parameters
    assert {name: plain(default) for name, default in options.items()} == {
        name: p.default for name, p in settings.items() if name != "data"
    }
    choices = {name: list(type(options[name])) for name in ("model", "optimizer", "dtype")}
    assert choices == {
        "model": list(MODELS),
        "optimizer": [o for o in OPTIMIZERS if o != CUSTOM],
        "dtype": list(DTYPES),
    }


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_prints_the_exact_command_that_resumes_it(
    minitorch, monkeypatch, finished, text_file, number, code
):
    def stopped(config, out, **options):
        raise Interrupted(out, 7, number)

    monkeypatch.setattr("minitorch.train.train", stopped)
    found, out, err = minitorch("train", "--out", finished, "--resume")
    assert (found, out) == (code, "")
    command = f"minitorch train --out {finished} --resume"
    assert err == f"minitorch: stopped after step 7 and saved in {finished}. Resume it with: {command}\n"


def test_a_run_interrupted_before_its_start_says_so(minitorch, monkeypatch, text_file, tmp_path):
    def stopped(config, out, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("minitorch.train.train", stopped)
    code, _, err = minitorch("train", "--data", text_file, "--out", tmp_path / "run")
    assert (code, err) == (130, "minitorch: interrupted before the run started.\n")


def test_a_tracker_receives_the_settings_every_row_and_the_end(minitorch, monkeypatch, finished, tmp_path):
    received = []

    class Tracker:
        def __init__(self, name, settings):
            received.append((name, settings["width"]))

        def log(self, step, values):
            received.append((step, values["loss"]))

        def __enter__(self):
            return self

        def __exit__(self, *error):
            received.append(error)

    def pretend(config, out, *, resume, sinks):
        for sink in sinks:
            sink.log(12, {"loss": 2.0})
        return Result(out, 1.5, 1234.0, 2.0)

    monkeypatch.setattr("minitorch.train.train", pretend)
    monkeypatch.setitem(TRACKERS, "mlflow", Tracker)
    code, _, err = minitorch("train", "--out", finished, "--resume", "--track", "mlflow")
    assert code == 0, err
    assert received == [("finished", 16), (12, 2.0), (None, None, None)]
    code, _, err = minitorch("train", "--out", finished, "--resume", "--track", "notebook")
    assert code == 2
    assert "'mlflow', 'wandb'" in err


def test_without_a_terminal_progress_is_a_few_lines(minitorch, monkeypatch, text_file, tmp_path):
    def pretend(config, out, *, resume, sinks):
        for step in range(1, 2001):
            sinks[0].log(step, {"loss": 2.0, "tokens_per_s": 1234.0} | ({"val_loss": 1.5} if step % 1000 == 0 else {}))
        return Result(out, 1.5, 1234.0, 2.0)

    monkeypatch.setattr("minitorch.train.train", pretend)
    code, out, err = minitorch("train", "--data", text_file, "--out", tmp_path / "run")
    assert (code, out) == (0, "final val_loss=1.5000 tokens_per_s=1234 seconds=2.0\n")
    lines = err.splitlines()
    assert "step 1000/2000  loss 2.0000  val_loss 1.5000  1,234 tokens/s" in err
    assert lines[-1].startswith("step 2000/2000  loss 2.0000  val_loss 1.5000")
    assert lines[-1].endswith("0 s left")
    assert len(lines) < 10
