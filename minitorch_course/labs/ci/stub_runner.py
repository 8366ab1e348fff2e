"""Run the steps of a job as GitHub would: with a gate that accepts, and twice with one that rejects.

The third run differs from the second: all commands that need a network, or are not installed here, fail. This is a
program of its own that runs in the sandbox, next to `job.json` and `repository`. It prints one line of JSON: for each
of these runs, for each step, the exit status (null if it did not end or could not be started), the calls of the gate,
the commands that are not installed here, and the end of the output.
"""

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BASE = Path("/tmp/runner")  # the same in all runs
WORK, BIN, CALLS, STUB = BASE / "work", BASE / "bin", BASE / "calls", BASE / "gate.py"
TAIL = 100  # characters, because only the end of what this program prints is kept

GATE = """#!/usr/bin/env python3
import os, sys

def main(folder="", *more):
    judged = any(os.path.realpath(name) in {projects!r} for name in (folder, *more) if name)
    with open({calls!r}, "a") as file:
        print("main" if judged else "other", file=file)
    return {status} if judged else 0

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
"""
# There is no network, so commands that need it do nothing. `outside` is their status.
PYTHON = """#!/bin/sh
case "$1:$2" in
  -m:gate) ;;
  -m:venv) [ {outside} = 0 ] && mkdir -p "$3/bin" && cp {bin}/* "$3/bin/" && : > "$3/bin/activate"; exit ;;
  -m:*) exit {outside} ;;
esac
exec {python} "$@"
"""
LAUNCHER = """#!/bin/sh
[ "$1" = run ] || exit {outside}
while [ $# -gt 0 ]; do
  case "$1" in
    *.py) exec {bin}/python "$@" ;;
    python*|*/python*) exec "$@" ;;
  esac
  shift
done
"""
STUBS = {
    PYTHON: ("python", "python3", *(f"python3.{minor}" for minor in range(9, 16))),
    LAUNCHER: ("uv", "poetry", "pdm", "pipenv", "hatch", "conda", "mamba", "micromamba"),
    '#!/bin/sh\nexec "$@"\n': ("sudo",),
    '#!/bin/sh\ncase "$*" in show*:gate.py) cat {gate} ;; esac\nexit {outside}\n': ("git",),
    "#!/bin/sh\nexit {outside}\n": ("pip", "pip3", "pipx", "apt", "apt-get", "gh", "curl", "wget", "npm", "pytest"),
}
MISSING = BASE / "missing"
NOT_FOUND = "BASH_FUNC_command_not_found_handle%%"  # bash calls it, and takes its status


def main() -> None:
    """Read the job, and print what the runs gave."""
    job = json.loads((HERE / "job.json").read_text(encoding="utf-8"))
    print(json.dumps([_run(job, status, outside) for status, outside in ((0, 0), (1, 0), (1, 1))]))


def _run(job: dict, status: int, outside: int) -> list[dict]:
    shutil.rmtree(BASE, ignore_errors=True)
    for folder in (WORK, BIN):
        folder.mkdir(parents=True)
    for text, names in STUBS.items():
        for name in names:
            for word, path in (("{bin}", BIN), ("{gate}", STUB), ("{python}", sys.executable), ("{outside}", outside)):
                text = text.replace(word, str(path))
            _write(BIN / name, text, 0o755)
    projects = {os.path.realpath(WORK / path / "main") for path, is_change in job["checkouts"] if is_change}
    stub = GATE.format(projects=projects, calls=str(CALLS), status=status)
    _write(STUB, stub, 0o644)
    for path, _ in job["checkouts"]:
        shutil.copytree(HERE / "repository", WORK / path, dirs_exist_ok=True)
        gate = WORK / path / "gate.py"
        _write(gate, stub, (gate.stat().st_mode & 0o755 if gate.exists() else 0o755) | 0o600)
    variables = {NOT_FOUND: f'() {{ echo "$1" >> {MISSING}; return {outside}; }}'}  # and those that earlier steps set
    return [_step(step, variables, job["seconds"]) for step in job["steps"]]


def _write(path: Path, text: str, mode: int) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _step(step: dict, variables: dict[str, str], seconds: float) -> dict:
    script, output, setting = BASE / "script", BASE / "output", BASE / "env"
    for path, text in ((script, step["script"] + "\n"), (setting, ""), (CALLS, ""), (MISSING, "")):
        _write(path, text, 0o644)
    files = {name: str(BASE / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")}
    own = {"HOME": str(Path.home()), "RUNNER_TEMP": "/tmp", "GITHUB_WORKSPACE": str(WORK), "GITHUB_ENV": str(setting)}
    path = f"{BIN}:{os.defpath}"
    env = {"PATH": path, **own, **files, **variables, **step["env"]}
    folder = WORK / step["folder"]
    if not folder.is_dir():
        return _result(1, f"the folder {step['folder']!r} does not exist")
    try:
        name, *rest = [word.replace("{0}", str(script)) for word in shlex.split(step["shell"])]
    except ValueError:
        return _result(None, f"{step['shell']!r} is not a command")
    program = shutil.which(name, path=path)
    if not program:
        return _result(None, f"{name} is not installed here")
    with output.open("wb") as file:
        done = subprocess.Popen(
            [program, *rest],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
        try:
            status = done.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(done.pid, signal.SIGKILL)  # GitHub, too, ends what a step left behind.
    for assignment in setting.read_text(encoding="utf-8", errors="replace").splitlines():
        name, equals, value = assignment.partition("=")
        if equals:
            variables[name] = value
    if status is None:
        return _result(None, f"it did not end within {seconds} seconds")
    tail = output.read_bytes()[-TAIL:].decode("utf-8", "replace")
    return _result(status, " ".join(tail.split()), sorted({*_lines(CALLS)}), _lines(MISSING)[:1])


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def _result(status: int | None, output: str, calls: list[str] | None = None, missing: list[str] | None = None) -> dict:
    return {"status": status, "output": output, "calls": calls or [], "missing": missing or []}


if __name__ == "__main__":
    main()
