import dataclasses
import signal

import jax
import numpy as np
import optax
import pytest

from minitorch.nn import paths
from minitorch.train import Interrupted, NonFiniteLossError, load_run, read_rows, train
from minitorch.train.loop import Throughput
from minitorch.train.record import METRICS, WEIGHTS

pytestmark = pytest.mark.slow

FILES = "checkpoints config.json datasheet.md loss.png metrics.jsonl model-card.md model.safetensors tokenizer.json"


class SignalAt:
    """A sink that raises a signal after a step."""

    def __init__(self, step, number=signal.SIGINT):
        self.step, self.number = step, number

    def log(self, step, values):
        if step == self.step:
            signal.raise_signal(self.number)


def without_speed(rows):
    return [{k: v for k, v in row.items() if k != "tokens_per_s"} for row in rows]


def test_a_run_writes_its_files_and_nothing_else(finished):
    assert sorted(path.name for path in finished[0].out.iterdir()) == FILES.split()


def test_metrics_have_every_step_once_and_reach_the_sinks(finished, tiny):
    result, recorder = finished
    rows = read_rows(result.out / METRICS)
    assert [row["step"] for row in rows] == list(range(1, 25))
    assert [row["step"] for row in rows if "val_loss" in row] == [10, 20, 24]
    assert [(row["step"], row) for row in rows] == list(recorder)
    np.testing.assert_allclose([row["learning_rate"] for row in rows], tiny.schedule()(np.arange(24)), rtol=1e-5)
    assert rows[-1]["val_loss"] == result.val_loss
    assert result.tokens_per_s > 0


def test_the_loss_starts_at_that_of_guessing_and_falls(finished):
    rows = read_rows(finished[0].out / METRICS)
    assert rows[0]["loss"] == pytest.approx(np.log(12), abs=0.1)
    assert rows[-1]["loss"] < rows[0]["loss"] - 0.1


def test_a_run_stopped_and_resumed_ends_in_the_same_weights_bit_for_bit(tiny, finished, tmp_path):
    out, whole = tmp_path / "stopped", finished[0]
    with pytest.raises(Interrupted, match=r"stopped after step \d+ and saved in .*stopped") as stopped:
        train(tiny, out, sinks=[SignalAt(11, signal.SIGTERM)])
    assert stopped.value.signal_number == signal.SIGTERM
    assert 11 <= stopped.value.step == load_run(out).step == len(read_rows(out / METRICS)) < 24
    resumed = train(tiny, out, resume=True)
    assert (out / WEIGHTS).read_bytes() == (whole.out / WEIGHTS).read_bytes()
    assert without_speed(read_rows(out / METRICS)) == without_speed(read_rows(whole.out / METRICS))
    assert resumed.val_loss == whole.val_loss


def test_an_optimizer_of_optax_drops_in_and_is_resumed_like_ours(tiny, finished, tmp_path):
    config = dataclasses.replace(tiny, optimizer="custom")
    theirs = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.adamw(tiny.schedule(), 0.9, 0.99, weight_decay=0.1, mask=lambda w: jax.tree.map(lambda p: p.ndim > 1, w)),
    )
    with pytest.raises(Interrupted):
        train(config, tmp_path / "custom", optimizer=theirs, sinks=[SignalAt(5)])
    train(config, tmp_path / "custom", optimizer=theirs, resume=True)
    rows, ours = read_rows(tmp_path / "custom" / METRICS), read_rows(finished[0].out / METRICS)
    assert "learning_rate" not in rows[0]
    np.testing.assert_allclose([r["loss"] for r in rows], [r["loss"] for r in ours], rtol=1e-4)


def test_resuming_a_finished_run_only_rewrites_its_files(tiny, finished, tmp_path):
    out = finished[0].out
    card = (out / "model-card.md").read_text("utf-8")
    (out / WEIGHTS).rename(tmp_path / WEIGHTS)
    (out / "model-card.md").unlink()
    for left_by_a_kill in (".config.json.123.partial", ".tokenizer.json.123.partial", ".model.safetensors.123.partial"):
        (out / left_by_a_kill).touch()
    again = train(tiny, out, resume=True)
    assert sorted(path.name for path in out.iterdir()) == FILES.split()
    assert (again.val_loss, again.tokens_per_s) == (finished[0].val_loss, 0)
    assert (out / WEIGHTS).read_bytes() == (tmp_path / WEIGHTS).read_bytes()
    assert (out / "model-card.md").read_text("utf-8").split("## Intended")[1] == card.split("## Intended")[1]


def test_a_nonfinite_loss_stops_the_run_and_names_step_layer_and_advice(tiny, tmp_path):
    config = dataclasses.replace(tiny, lr=1e30, warmup=0)
    with pytest.raises(
        NonFiniteLossError,
        match=r"step 2 has a loss or gradient that is not finite .*: .*blocks\.0\..* a lower learning rate",
    ):
        train(config, tmp_path / "run")
    assert [row["step"] for row in read_rows(tmp_path / "run" / METRICS)] == [1]
    run = load_run(tmp_path / "run")  # The weights before the step can be inspected.
    assert run.step == 1
    with pytest.raises(NonFiniteLossError, match="step 2 has a loss or gradient"):  # Resuming reaches the same step.
        train(config, tmp_path / "run", resume=True)
    assert all(np.isfinite(x).all() for x in paths.flatten(run.model).values())


@pytest.mark.parametrize("config_says", ["custom", "adamw"])
def test_a_custom_optimizer_is_in_the_settings_and_passed(tiny, tmp_path, config_says):
    given = None if config_says == "custom" else optax.sgd(1.0)
    with pytest.raises(ValueError, match="pass an optimizer if and only if the settings say optimizer='custom'"):
        train(dataclasses.replace(tiny, optimizer=config_says), tmp_path / "run", optimizer=given)  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_a_dispatch_makes_as_many_steps_as_fill_its_time():
    throughput = Throughput(tokens=10)
    assert throughput.update(1, 9.0) == 0  # The first dispatch compiles.
    assert throughput.update(1, 0.001) == 10_000
    assert throughput.steps == 4  # It grows at most fourfold,
    assert throughput.update(4, 0.004) == 10_000
    assert throughput.steps == 16
    throughput.update(16, 24.0)
    assert throughput.steps == 2  # and shrinks at once.
    throughput.update(2, 9.0)
    assert throughput.steps == 1
    assert throughput.tokens_per_s == pytest.approx(23 * 10 / 33.005)


def test_a_new_run_needs_an_empty_folder(tiny, finished, tmp_path):
    with pytest.raises(FileExistsError, match=r"there is a run in .* already: resume it"):
        train(tiny, finished[0].out)
    (tmp_path / "thesis.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(FileExistsError, match="is not an empty folder"):
        train(tiny, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_resuming_needs_a_run_and_the_same_settings(tiny, finished, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no run in"):
        train(tiny, tmp_path, resume=True)
    other = dataclasses.replace(tiny, lr=0.5, steps=99)
    with pytest.raises(
        ValueError, match=r"other settings: steps is 99 and was 24, lr is 0.5 and was 0.01\. Leave these out"
    ):
        train(other, finished[0].out, resume=True)
