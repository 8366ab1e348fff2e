"""The interface of a builder: a program that builds an image, inspects it and runs it.

Each builder runs a container as it should be run everywhere: a read-only root file system, a small `/tmp`, and no
capabilities.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Sequence
    from pathlib import Path

TAG = "localhost/minitorch-lab"
BUILD_SECONDS, STOP_SECONDS, PORT = 1800, 10, 8000


class BuildError(ValueError):
    """A builder failed; the message holds its error output."""


@dataclass(frozen=True)
class Container:
    """A running container that answers at `port` of this machine.

    Attributes:
      is_running: whether its first process is alive.
      logs: its output so far.
      is_healthy: whether the image's own health check passes, run inside the container.
      stop: sends SIGTERM and waits; returns the exit status, or None if the container had to be killed.
    """

    port: int
    is_running: Callable[[], bool]
    logs: Callable[[], str]
    is_healthy: Callable[[Sequence[str]], bool]
    stop: Callable[[], int | None]


class Builder(Protocol):
    """A program that builds, inspects and runs the image."""

    name: str

    def build(self, folder: Path) -> None:
        """Build the Dockerfile in `folder`. Raises BuildError."""
        ...

    def config(self) -> dict[str, Any]:
        """Return the settings of the image: User, Entrypoint, Labels and so on, as Docker names them."""
        ...

    def files(self) -> list[str]:
        """Return the paths of all files in the image, without the leading slash."""
        ...

    def run(self) -> contextlib.AbstractContextManager[Container]:
        """Run a container of the image, and remove it afterwards."""
        ...


def call(arguments: Sequence[str], seconds: float = 120) -> str:
    """Run a program and return its output. Raises BuildError with the end of its error output if it fails."""
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, errors="replace", timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{' '.join(arguments[:2])} took more than {seconds:.0f} s") from error
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise BuildError(f"{arguments[0]} says: {' | '.join(line.strip() for line in lines[-3:])}")
    return done.stdout
