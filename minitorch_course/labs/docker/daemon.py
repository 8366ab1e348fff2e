"""Docker and Podman, which have the same commands."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

from .builder import BUILD_SECONDS, PORT, STOP_SECONDS, TAG, Container, call

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

KILLED = 137  # exit status of a container that was killed


def works(program: str) -> bool:
    """Return whether a program is installed, has its daemon, and can start a process."""
    if not shutil.which(program):
        return False
    try:
        done = subprocess.run([program, "info"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


class Daemon:
    """A builder that calls `program`, which is docker or podman."""

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
        container = call([self.name, "run", "-d", *limits, "-p", f"127.0.0.1::{PORT}", TAG]).strip()

        def state(field: str) -> str:
            return call([self.name, "inspect", "--format", "{{.State." + field + "}}", container]).strip()

        def stop() -> int | None:
            call([self.name, "stop", "-t", str(STOP_SECONDS), container])
            status = int(state("ExitCode"))
            return None if status == KILLED else status

        def is_healthy(command: Sequence[str]) -> bool:
            done = subprocess.run([self.name, "exec", container, *command], capture_output=True, check=False)
            return done.returncode == 0

        try:
            port = int(call([self.name, "port", container, str(PORT)]).splitlines()[0].rpartition(":")[2])
            yield Container(
                port, lambda: state("Running") == "true", lambda: call([self.name, "logs", container]), is_healthy, stop
            )
        finally:
            call([self.name, "rm", "-f", container])
