"""The sandbox itself; what students' code may try in it stands in `test_attacks`."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from minitorch_course.grading import sandbox as sandbox_module
from minitorch_course.grading.sandbox import HOME, Bind, Limits, command, why_unavailable

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


def run(script, binds=(), **options):
    """What a shell in the sandbox prints."""
    line = command(["/bin/sh", "-c", script], binds, ENVIRONMENT, Limits(), **options)
    done = subprocess.run(line, capture_output=True, text=True, env={}, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def closed(tmp_path):
    """A folder that others may not enter, with a file for everybody in it."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    (folder / "file.txt").write_text("to be seen")
    (folder / "file.txt").chmod(0o644)
    (folder / "other.txt").write_text("not to be seen")
    return folder


def test_only_what_is_bound_is_seen(sandbox, closed):
    assert run("cat /inside.txt", [Bind(closed / "file.txt", Path("/inside.txt"))]) == "to be seen"
    assert run(f"ls {closed} 2>/dev/null | wc -l") == "0\n"


def test_binds_are_read_only_unless_they_are_said_to_be_writable(sandbox, closed):
    closed.joinpath("cache").mkdir()
    closed.joinpath("cache").chmod(0o777)
    write = "echo x > /cache/new && echo written || echo refused"
    assert run(write, [Bind(closed / "cache", Path("/cache"))]) == "refused\n"
    assert run(write, [Bind(closed / "cache", Path("/cache"), writable=True)]) == "written\n"
    assert (closed / "cache" / "new").read_text() == "x\n"


def test_home_and_tmp_are_empty_and_small(sandbox):
    """But for what Python needs, should it be installed in `/tmp`."""
    size = "df -B1 --output=size . /tmp | tail -n2"
    assert run(f"pwd; ls -A .; find /tmp -xdev -type f; {size}") == f"{HOME}\n" + 2 * f"{Limits().scratch}\n"


def test_the_environment_is_the_one_given(sandbox, monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    names = {line.partition("=")[0] for line in run("env; cat /proc/1/environ | tr '\\0' '\\n'").splitlines()}
    assert names <= {"PATH", "LANG", "PWD", "SHLVL", "_", "OLDPWD"}


def test_hidden_folders_are_empty(sandbox, monkeypatch, tmp_path):
    """Such as submissions that lie in the folder of the virtual environment."""
    (tmp_path / "site-packages" / "submissions").mkdir(parents=True)
    (tmp_path / "site-packages" / "submissions" / "s01.ipynb").touch()
    (tmp_path / "site-packages" / "package.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
    look = f"ls {tmp_path}/site-packages {tmp_path}/site-packages/submissions"
    assert "s01.ipynb" in run(look)
    shown = run(look, hidden=[tmp_path / "site-packages" / "submissions"])
    assert "package.py" in shown
    assert "s01.ipynb" not in shown


def in_the_sandbox(*program):
    """The processes of a sandbox that sleeps, outermost first."""
    line = command([*program, "/bin/sleep", "60"], [], ENVIRONMENT, Limits())
    process = psutil.Popen(line, env={}, cwd="/", start_new_session=True)
    while not any(child.name() == "sleep" for child in process.children(recursive=True)):
        assert process.poll() is None
    return process, [process, *process.children(recursive=True)]


def test_for_the_host_it_is_an_ordinary_user(sandbox):
    process, family = in_the_sandbox()
    try:
        assert family[-1].uids().real != 0
    finally:
        process.kill()
        process.wait()


def test_it_ends_with_its_first_process(sandbox):
    process, family = in_the_sandbox()
    process.kill()
    process.wait()
    assert psutil.wait_procs(family[1:], timeout=20)[1] == []


def test_it_ends_with_whoever_started_it(sandbox):
    code = """
        import subprocess, sys
        from minitorch_course.grading.sandbox import Limits, command
        program = ["/bin/sh", "-c", "echo started; exec sleep 60"]
        subprocess.Popen(command(program, [], {}, Limits()), env={}, start_new_session=True)
        sys.stdin.read()
        """
    starter = psutil.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout.readline() == "started\n"
    family = starter.children(recursive=True)
    os.kill(starter.pid, signal.SIGKILL)
    starter.communicate()
    assert psutil.wait_procs(family, timeout=20)[1] == []


@pytest.fixture
def asked_anew():
    why_unavailable.cache_clear()
    yield
    why_unavailable.cache_clear()


def test_it_says_why_there_is_none(asked_anew, monkeypatch):
    monkeypatch.setattr(sandbox_module.sys, "platform", "darwin")
    assert why_unavailable() == "bubblewrap runs on Linux only"


def test_it_says_how_to_install_it(asked_anew, monkeypatch):
    monkeypatch.setattr(sandbox_module.sys, "platform", "linux")
    monkeypatch.setattr(sandbox_module.shutil, "which", lambda name: None)
    assert why_unavailable() == "bubblewrap is not installed (apt install bubblewrap)"


def test_it_says_why_bubblewrap_fails(sandbox, asked_anew, monkeypatch):
    monkeypatch.setattr(sandbox_module, "_isolation", lambda: ["--no-such-option"])
    assert why_unavailable() == "bubblewrap does not work here: bwrap: Unknown option --no-such-option"


GRADER = """
import sys, time
from pathlib import Path
from minitorch_course.grading.kernel_process import KernelConfig, KernelProcess
print("ready", flush=True)
kernel = KernelProcess(KernelConfig({}, folder=Path(sys.argv[1])))
time.sleep(60)
"""


def processes_of(folder):
    """The processes with the folder on their command line, other than graders, and all that they started."""
    found = set()
    for process in psutil.process_iter(["cmdline"]):
        if any(str(folder) in part for part in process.info["cmdline"] or []) and GRADER not in process.info["cmdline"]:
            found |= {process, *process.children(recursive=True)}
    return found


@pytest.mark.slow
def test_a_kernel_ends_with_its_grader_at_every_moment_of_its_start(sandbox, tmp_path):
    """The grader is killed at 20 moments, from before bubblewrap runs until after the kernel does."""
    tmp_path.chmod(0o755)
    begun = 0
    for moment in range(20):
        grader = subprocess.Popen([sys.executable, "-c", GRADER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert grader.stdout.readline() == "ready\n"
        time.sleep(0.001 * 1.5**moment)  # up to two seconds
        begun += bool(processes_of(tmp_path))
        grader.kill()
        grader.communicate()
    assert begun >= 5
    until = time.monotonic() + 10
    while processes_of(tmp_path) and time.monotonic() < until:
        time.sleep(0.1)
    assert processes_of(tmp_path) == set()
