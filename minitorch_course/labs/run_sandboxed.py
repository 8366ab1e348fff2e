"""A student's program run with limits: in the sandbox that grading uses, where there is one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..grading.sandbox import MIB, Bind, Limits, command, why_unavailable

INSIDE = Path("/run/lab")
SAID = 20_000  # characters that are kept of what a program prints
LIMITS = Limits(memory=8192 * MIB, scratch=256 * MIB)
# The first process inside: limits for the one that it becomes. Python's own, so that it is the same everywhere.
LIMITED = """
import os, resource, sys
size, memory, folder, *program = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
os.chdir(folder)
os.execvpe(program[0], program, os.environ)
"""


@dataclass(frozen=True)
class Ended:
    """How a program ended: its exit status (None if it took too long) and the end of what it printed."""

    code: int | None
    said: str

    @property
    def well(self) -> bool:
        return self.code == 0

    def last_words(self, lines: int = 3) -> str:
        """Its last lines, for a comment."""
        if self.code is None:
            return "it took too long"
        return " | ".join(line.strip() for line in self.said.strip().splitlines()[-lines:]) or f"exit {self.code}"


def run(tree: Path, arguments: Sequence[str], seconds: float, variables: Mapping[str, str] | None = None) -> Ended:
    """Run Python with `arguments` in `tree`, a folder that anybody may enter and, in the sandbox, nobody may change."""
    environment = {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "PYTHONHASHSEED": "0",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "OPENBLAS_NUM_THREADS": "1",  # The tables are small, and several programs run at once.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
        **(variables or {}),
    }
    if why_unavailable():
        return _run_openly(tree, [sys.executable, *arguments], environment, seconds)
    limits = [str(LIMITS.file), str(LIMITS.memory), str(INSIDE)]
    program = [sys.executable, "-c", LIMITED, *limits, sys.executable, *arguments]
    inside = {"HOME": "/home/student", **environment}
    return _wait(command(program, [Bind(tree, INSIDE)], inside, LIMITS), {}, Path("/"), seconds)


def sandbox_note() -> list[str]:
    """For a report: a line if there is no sandbox."""
    why = why_unavailable()
    return [f"There is no sandbox here, so the code ran as you: {why}."] if why else []


def _run_openly(tree: Path, program: list[str], variables: dict[str, str], seconds: float) -> Ended:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        needed = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
        return _wait(program, {"HOME": home, "USERPROFILE": home, **needed, **variables}, tree, seconds)


def _wait(line: list[str], environment: dict[str, str], folder: Path, seconds: float) -> Ended:
    with tempfile.TemporaryFile() as said:
        try:
            done = subprocess.run(
                line,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                start_new_session=True,
                check=False,
            )
            code = done.returncode
        except subprocess.TimeoutExpired:
            code = None
        said.seek(max(0, said.tell() - SAID))
        return Ended(code, said.read().decode("utf-8", "replace"))
