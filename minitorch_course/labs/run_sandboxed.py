"""Run a student's Python program with limits, in the sandbox of grading if there is one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..grading.sandbox import MIB, Bind, Limits, command, why_unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INSIDE = Path("/run/lab")
MAX_OUTPUT = 20_000  # bytes of a program's output that are kept
LIMITS = Limits(memory=8192 * MIB, scratch=256 * MIB)
# The first process inside sets limits, and then becomes the program. It is Python, so that it is the same everywhere.
LIMITED = """
import os, resource, sys
size, memory, processes, folder, *program = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
resource.setrlimit(resource.RLIMIT_NPROC, (int(processes), int(processes)))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
os.chdir(folder)
os.execvpe(program[0], program, os.environ)
"""


@dataclass(frozen=True)
class Completed:
    """A program that ended.

    Attributes:
      exit_code: None if the program was killed because it took too long.
      output: the end of its standard output and error.
    """

    exit_code: int | None
    output: str

    @property
    def succeeded(self) -> bool:
        """Whether the exit code is 0."""
        return self.exit_code == 0

    def tail(self, lines: int = 3) -> str:
        """Return the last lines of the output, for a comment."""
        if self.exit_code is None:
            return "it took too long"
        return " | ".join(line.strip() for line in self.output.strip().splitlines()[-lines:]) or (
            f"exit {self.exit_code}"
        )


def run_python(
    tree: Path, arguments: Sequence[str], seconds: float, variables: Mapping[str, str] | None = None
) -> Completed:
    """Run Python with `arguments` in the folder `tree`, which is read-only in the sandbox.

    Args:
      tree: folder that any user can read.
      arguments: command line after `python`.
      seconds: time limit.
      variables: environment variables besides the usual ones.
    """
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
        return _run_unsandboxed(tree, [sys.executable, *arguments], environment, seconds)
    limits = [str(LIMITS.file), str(LIMITS.memory), str(LIMITS.processes), str(INSIDE)]
    program = [sys.executable, "-c", LIMITED, *limits, sys.executable, *arguments]
    inside = {"HOME": "/home/student", **environment}
    return _wait(command(program, [Bind(tree, INSIDE)], inside, LIMITS), {}, Path("/"), seconds)


def sandbox_note() -> list[str]:
    """Return a note for the review if the sandbox is unavailable."""
    why = why_unavailable()
    return [f"The code ran without a sandbox, with your own rights: {why}."] if why else []


def _run_unsandboxed(tree: Path, program: list[str], variables: dict[str, str], seconds: float) -> Completed:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        needed = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
        return _wait(program, {"HOME": home, "USERPROFILE": home, **needed, **variables}, tree, seconds)


def _wait(line: list[str], environment: dict[str, str], folder: Path, seconds: float) -> Completed:
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(
                line,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                start_new_session=True,
                check=False,
            )
            code = done.returncode
        except subprocess.TimeoutExpired:
            code = None
        output.seek(max(0, output.tell() - MAX_OUTPUT))
        return Completed(code, output.read().decode("utf-8", "replace"))
