"""Ctrl-C at every moment: one line, the exit code 130, and nothing that is saved is lost.

A moment is an event of the process and not a time: the process reports it through a pipe and runs on, and the signal
arrives while it does whatever comes next, in Python or in compiled code.
"""

import os
import re
import signal
import subprocess
import sys

import pytest

from minitorch.train import checkpoint, read_record

pytestmark = pytest.mark.slow

# Report the n-th audit event whose name and arguments match, and run on.
SCRIPT = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # also if the tests run in the background
import minitorch._interrupt  # the first module of the program
pipe, event, pattern, number = int(sys.argv.pop(1)), sys.argv.pop(1), sys.argv.pop(1), int(sys.argv.pop(1))
def hook(name, args):
    global number
    if name == event or not event:
        if not pattern or pattern in " ".join(map(str, args)):
            number -= 1
            if number == 0:
                os.write(pipe, b"!")
import minitorch.__main__
sys.addaudithook(hook)
minitorch.__main__.main()
"""

TRAIN = "--layers 1 --heads 2 --width 16 --context 16 --batch 4 --steps 400 --eval-every 40 --checkpoint-every 40"
MOMENTS = {
    "the first event": ("", "", 1),
    "the command line's imports": ("import", "typer", 1),
    "after them": ("import", "minitorch.train", 1),
    "an import of NumPy": ("import", "numpy.linalg", 1),
    "an import of JAX": ("import", "jax._src.core", 1),
    "an import of compiled code": ("import", "jaxlib._jax", 1),
    "late in the imports": ("import", "minitorch.train.loop", 1),
    "2,000 events": ("", "", 2000),
    "6,000 events": ("", "", 6000),
    "20,000 events": ("", "", 20000),
    "the text is read": ("open", "words.txt", 1),
    "the record is written": ("os.rename", "config.json", 1),
    "the tokenizer is written": ("os.rename", "tokenizer.json", 1),
    "the first step is compiled": ("open", "metrics.jsonl", 2),
    "Orbax is imported": ("import", "orbax.checkpoint", 1),
    "a checkpoint is begun": ("os.mkdir", "unfinished", 1),
    "a checkpoint is published": ("os.rename", "checkpoints/00000040", 1),
    "a later checkpoint is begun": ("os.mkdir", "unfinished", 5),
    "the weights are written": ("os.rename", "model.safetensors", 1),
    "the plot is drawn": ("import", "matplotlib", 1),
}


@pytest.fixture
def interrupted(outside):
    """`interrupted(moment, *arguments)` runs a command and sends SIGINT at a moment: code, stdout and stderr."""

    def run(moment, *arguments, signals=1):
        reading, writing = os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(writing), moment[0], moment[1], str(moment[2]), *map(str, arguments)],
            pass_fds=[writing],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=outside,
            start_new_session=True,
        )
        os.close(writing)
        reached = os.read(reading, 1)  # b"" if the process ends before
        os.close(reading)
        assert reached, process.communicate()
        for _ in range(signals):
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
        with pytest.raises(ProcessLookupError):  # Its children have ended, too.
            os.killpg(process.pid, 0)
        return process.returncode, out, err

    return run


def assert_one_line(ended, pattern):
    code, out, err = ended
    assert code == 130, (code, out, err)
    ours = [line for line in err.splitlines() if not re.match(r"step \d+/", line)]
    assert len(ours) == 1, err
    assert re.fullmatch(rf"minitorch: {pattern}", ours[0]), err


@pytest.mark.costly
@pytest.mark.parametrize("moment", MOMENTS)
def test_training_stops_with_one_line_and_can_go_on(interrupted, moment, text_file, tmp_path):
    run = tmp_path / "run"
    arguments = ["train", "--data", text_file, "--out", run, *TRAIN.split()]
    result = interrupted(MOMENTS[moment], *arguments)
    assert_one_line(
        result,
        r"(interrupted|interrupted before the run started\.|(interrupted|stopped after step \d+ and saved in \S+)\. "
        r"Resume it with: minitorch train --out \S+ --resume)",
    )
    if (run / "config.json").exists():
        assert read_record(run).config.steps == 400
        assert all((run / "checkpoints" / f"{step:08d}").is_dir() for step in checkpoint.steps(run / "checkpoints"))
    if found := re.search(r"after step (\d+)", result[2]):
        assert checkpoint.steps(run / "checkpoints")[-1] == int(found[1])


@pytest.mark.parametrize("command", ["generate", "tour", "course"])
def test_other_commands_stop_with_one_line(interrupted, command, finished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    jax = ("import", "jax._src.core", 1)
    arguments, events = {
        "generate": (["--run", finished, "--tokens", 100000], [jax, ("open", "safetensors", 1)]),
        "tour": ([], [("os.rename", "config.json", 1)]),
        "course": (["--help"], [("import", "minitorch_course", 1), ("import", "minitorch_course.cli.student", 1)]),
    }[command]
    for event in events:
        assert_one_line(interrupted(event, command, *arguments), r"interrupted(\. .*| before .*)?")


def test_an_ignored_signal_stays_ignored(outside):
    code = "import signal, minitorch._interrupt as i; i.install(); print(signal.getsignal(2) == signal.SIG_IGN)"
    shell = 'trap "" INT; exec "$@"'
    command = ["sh", "-c", shell, "sh", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=outside, check=True)
    assert done.stdout == "True\n"
