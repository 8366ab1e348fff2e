"""Killed at any moment and resumed, a run ends in the same weights, bit for bit, as one that nothing stopped."""

import re
import signal
import subprocess
import sys

import pytest

from minitorch.train import checkpoint, read_rows

pytestmark = pytest.mark.slow

# A process that kills itself, without any cleanup, at the first audit event whose arguments match.
SCRIPT = """
import os, re, signal, sys
event, pattern, *arguments = sys.argv[1:]
def hook(name, args):
    if name == event and re.search(pattern, " ".join(map(str, args))):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
from minitorch.cli import main
main(arguments)
"""


@pytest.fixture
def start(outside):
    """Start `minitorch train` with all compiler optimizations, because they reorder sums."""

    def start(*arguments, kill_at=("never", "")):
        command = [sys.executable, "-c", SCRIPT, *kill_at, "train", *map(str, arguments)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, encoding="utf-8", env=outside)

    return start


def finish(process):
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert out.splitlines()[-1].startswith("final val_loss=")


def kill_when_it_says(process, pattern):
    for line in process.stderr:
        if re.match(pattern, line):
            process.kill()
            break
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def without_speed(rows):
    return [{k: v for k, v in row.items() if k != "tokens_per_s"} for row in rows]


def test_a_run_killed_three_times_ends_in_the_weights_of_one_never_stopped(start, text_file, tmp_path):
    sizes = "--layers 1 --heads 2 --width 16 --context 16 --batch 4 --steps 60 --eval-every 5 --checkpoint-every 20"
    settings = ("--data", text_file, *sizes.split())
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(start("--out", whole, *settings))

    # At an arbitrary moment, before or after the first checkpoint.
    kill_when_it_says(start("--out", killed, *settings), r"step 5/")

    # While Orbax writes the second checkpoint, before it creates its temporary folder.
    writing = start("--out", killed, "--resume", kill_at=("os.mkdir", "unfinished.00000040.*tmp"))
    writing.communicate()
    assert writing.returncode == -signal.SIGKILL
    assert (killed / "checkpoints" / checkpoint.UNFINISHED).is_dir()
    assert checkpoint.steps(killed / "checkpoints") == [20]

    # After all files are written, before the rename that publishes the checkpoint.
    written = start("--out", killed, "--resume", kill_at=("os.rename", "unfinished.00000040 .*checkpoints.00000040"))
    written.communicate()
    assert written.returncode == -signal.SIGKILL
    assert checkpoint.steps(killed / "checkpoints") == [20]

    finish(start("--out", killed, "--resume"))
    for name in ("model.safetensors", "tokenizer.json", "datasheet.md"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    rows = read_rows(killed / "metrics.jsonl")
    assert [row["step"] for row in rows] == list(range(1, 61))
    assert without_speed(rows) == without_speed(read_rows(whole / "metrics.jsonl"))
    assert not (killed / "checkpoints" / checkpoint.UNFINISHED).exists()
