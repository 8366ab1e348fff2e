"""What builds and runs images on this machine: Docker or Podman, else Buildah.

Each runs a container as it should be run everywhere: its root file system read-only, a small `/tmp`, no capabilities.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

TAG = "localhost/minitorch-lab"
BUILD_SECONDS, STOPS_WITHIN, PORT = 1800, 10, 8000


class BuildError(ValueError):
    """What a builder said when it failed."""


@dataclass(frozen=True)
class Container:
    """A container that runs. It answers at `port` of this machine.

    Attributes:
      health: runs the image's own health check in it, and says whether that was content.
      stop: sends SIGTERM and waits; gives the exit status, or None if it had to be killed.
    """

    port: int
    alive: Callable[[], bool]
    said: Callable[[], str]
    health: Callable[[Sequence[str]], bool]
    stop: Callable[[], int | None]


class Builder(Protocol):
    """What the check needs of a builder: it makes the image, shows it, and runs it."""

    name: str

    def build(self, folder: Path) -> None:
        """Build the Dockerfile in `folder`. Raises BuildError."""
        ...

    def config(self) -> dict[str, Any]:
        """The settings of the image: User, Entrypoint, Labels and so on, in Docker's words."""
        ...

    def files(self) -> list[str]:
        """The paths of all files in the image, without the first slash."""
        ...

    def run(self) -> contextlib.AbstractContextManager[Container]:
        """A container of the image, gone afterwards."""
        ...


def detect() -> tuple[Builder | None, str]:
    """The first builder that works here, or None and why there is none.

    Buildah comes before Podman only where a local base says that no registry is in reach.
    """
    from .buildah import Buildah, has_local_base, why_not

    why = why_not()
    for program in ("docker", "podman"):
        if program == "podman" and not why and has_local_base():
            break
        if shutil.which(program) and _works(program):
            return Daemon(program), ""
    return (None, why) if why else (Buildah(), "")


def _works(program: str) -> bool:
    """Has it a daemon, if it needs one, and can it start a process? Podman may be there and not be able to."""
    try:
        done = subprocess.run([program, "info"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def call(arguments: Sequence[str], seconds: float = 120) -> str:
    """What a builder prints. Raises BuildError with its last words if it fails."""
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, errors="replace", timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{' '.join(arguments[:2])} took more than {seconds:.0f} s") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise BuildError(f"{arguments[0]} says: {' | '.join(line.strip() for line in said[-3:])}")
    return done.stdout


class Daemon:
    """Docker or Podman, which take the same commands."""

    def __init__(self, program: str):
        self.name = program

    def build(self, folder: Path) -> None:
        call([self.name, "build", "-t", TAG, str(folder)], BUILD_SECONDS)

    def config(self) -> dict[str, Any]:
        return json.loads(call([self.name, "image", "inspect", "--format", "{{json .Config}}", TAG]))

    def files(self) -> list[str]:
        container = call([self.name, "create", TAG]).strip()
        try:
            with (
                subprocess.Popen([self.name, "export", container], stdout=subprocess.PIPE) as exported,
                tarfile.open(fileobj=exported.stdout, mode="r|") as archive,
            ):
                return [member.name.removeprefix("./") for member in archive if not member.isdir()]
        finally:
            call([self.name, "rm", "-f", container])

    @contextlib.contextmanager
    def run(self) -> Iterator[Container]:
        limits = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
        started = [self.name, "run", "-d", *limits, "-p", f"127.0.0.1::{PORT}", TAG]
        container = call(started).strip()

        def state(field: str) -> str:
            return call([self.name, "inspect", "--format", "{{.State." + field + "}}", container]).strip()

        def stop() -> int | None:
            call([self.name, "stop", "-t", str(STOPS_WITHIN), container])
            status = int(state("ExitCode"))
            return None if status == 137 else status  # Killed.

        def health(command: Sequence[str]) -> bool:
            done = subprocess.run([self.name, "exec", container, *command], capture_output=True, check=False)
            return done.returncode == 0

        try:
            port = int(call([self.name, "port", container, str(PORT)]).splitlines()[0].rpartition(":")[2])
            yield Container(
                port, lambda: state("Running") == "true", lambda: call([self.name, "logs", container]), health, stop
            )
        finally:
            call([self.name, "rm", "-f", container])
