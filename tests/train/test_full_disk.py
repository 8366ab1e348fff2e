"""A write that fails, wherever: one line that names the file and the safe step, and nothing that is saved is lost."""

import contextlib
import dataclasses
import errno
import logging
import os
import resource
import signal
import subprocess
import sys

import pytest

from minitorch.nn import paths
from minitorch.train import checkpoint, language_modelling, load_run, save_run, train
from minitorch.train.record import CONFIG, WEIGHTS

pytestmark = pytest.mark.costly


@contextlib.contextmanager
def no_file_longer_than(size, at_once=False):
    """Let writes beyond `size` bytes fail, as on a full disk, but with another reason: file too large."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as in every Python process

    def fill():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))

    try:
        if at_once:
            fill()
        yield fill
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


class FullAfter:
    """A sink: from `step` on, the disk is full."""

    def __init__(self, step, fill):
        self.step, self.fill = step, fill

    def log(self, step, values):
        if step == self.step:
            self.fill()


@pytest.mark.parametrize(
    ("step", "size", "file", "safe"),
    [
        (9, 2500, r"checkpoints/00000016", 8),
        (17, 1700, r"metrics\.jsonl", 16),
        (24, 100, r"checkpoints/00000024", 16),
    ],
)
def test_a_full_disk_is_one_line_with_the_safe_step_and_the_run_resumes(
    tiny, finished, tmp_path, caplog, capfd, step, size, file, safe
):
    out = tmp_path / "run"
    with no_file_longer_than(size) as fill, pytest.raises(OSError, match=file) as error:
        train(tiny, out, sinks=[FullAfter(step, fill)])
    message = str(error.value)
    assert "\n" not in message
    assert os.strerror(errno.EFBIG) in message
    assert f"It is safe up to step {safe}: remove the cause, and resume it." in message
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []
    assert capfd.readouterr().err == ""
    assert checkpoint.steps(out / "checkpoints")[-1] == load_run(out).step == safe
    if safe == 8:
        train(tiny, out, resume=True)
        assert (out / WEIGHTS).read_bytes() == (finished[0].out / WEIGHTS).read_bytes()


def test_a_disk_that_is_full_at_the_end_keeps_the_last_checkpoint(tiny, finished, tmp_path):
    def save(model, out):
        fill()
        paths.save_safetensors(model, out / WEIGHTS)

    def task(config, out):
        return dataclasses.replace(language_modelling(config, out), save=save)

    with no_file_longer_than(5000) as fill, pytest.raises(OSError, match=r"model\.safetensors.* safe up to step 24"):
        train(tiny, tmp_path / "run", task=task)
    assert not (tmp_path / "run" / WEIGHTS).exists()
    train(tiny, tmp_path / "run", resume=True)
    assert (tmp_path / "run" / WEIGHTS).read_bytes() == (finished[0].out / WEIGHTS).read_bytes()


def test_a_run_that_saved_nothing_leaves_nothing(tiny, tmp_path):
    with no_file_longer_than(1500) as fill, pytest.raises(OSError, match=r"checkpoints/00000008.* Nothing is saved\."):
        train(tiny, tmp_path / "run", sinks=[FullAfter(1, fill)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [TypeError, KeyboardInterrupt, FloatingPointError, MemoryError])
@pytest.mark.parametrize("existed", [False, True])
def test_a_run_that_fails_while_it_is_traced_leaves_the_folder_free_for_the_retry(tiny, tmp_path, error, existed):
    def loss(*args):
        raise error("a mistake in the loss")

    def task(config, out):
        return dataclasses.replace(language_modelling(config, out), loss=loss)

    if existed:
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / ".keep").touch()
    with pytest.raises(error, match="a mistake in the loss"):
        train(tiny, tmp_path / "run", task=task)
    assert [path.name for path in tmp_path.rglob("*")] == (["run", ".keep"] if existed else [])
    train(dataclasses.replace(tiny, steps=1), tmp_path / "run")


def test_a_resumed_run_that_fails_keeps_what_it_had(tiny, tmp_path):
    class Stop:
        def log(self, step, values):
            raise RuntimeError("a sink")

    def task(config, out):
        return dataclasses.replace(language_modelling(config, out), save=lambda *args: 1 / 0)

    with pytest.raises(RuntimeError):
        train(tiny, tmp_path / "new", sinks=[Stop()])
    assert not (tmp_path / "new").exists()
    train(dataclasses.replace(tiny, steps=8), tmp_path / "run")
    (tmp_path / "run" / WEIGHTS).unlink()
    before = sorted(path.name for path in (tmp_path / "run").iterdir())
    with pytest.raises(ZeroDivisionError):
        train(dataclasses.replace(tiny, steps=8), tmp_path / "run", resume=True, task=task)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == before


@pytest.mark.parametrize("existed", [False, True])
def test_a_derived_run_appears_whole_or_not_at_all(finished, tmp_path, existed):
    run, new = load_run(finished[0].out), tmp_path / "new"
    if existed:
        new.mkdir()
    with no_file_longer_than(5000, at_once=True), pytest.raises(OSError, match=r"new/\.unfinished/"):
        save_run(new, finished[0].out, run.model, run.tokenizer, origin="Copied")
    assert list(tmp_path.rglob("*")) == ([new] if existed else [])
    save_run(new, finished[0].out, run.model, run.tokenizer, origin="Copied")
    assert (new / CONFIG).is_file()
    assert load_run(new).step == 24


@pytest.mark.parametrize("command", ["--help", "info --run RUN"])
def test_a_full_standard_output_is_one_line(finished, command, outside):
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    words = command.replace("RUN", str(finished[0].out)).split()
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "minitorch", *words], stdout=full, stderr=subprocess.PIPE, text=True, env=outside
        )
    assert ended.returncode == 1
    assert [line for line in ended.stderr.splitlines() if line] == ["minitorch: [Errno 28] No space left on device"]
