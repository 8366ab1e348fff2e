"""Buildah, which builds without a daemon, and bubblewrap, which runs what it built: for machines that have no more.

Steps of a Dockerfile are isolated by chroot only, so this needs root. Where no registry can be reached, images stand on
the local base that `make-base.sh` makes.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .builders import BUILD_SECONDS, STOPS_WITHIN, TAG, BuildError, Container, call
from .dockerfile import FILE, Dockerfile, read

LOCAL_BASE = "localhost/minitorch-base"
COMMAND = ("buildah", "--storage-driver", "vfs")
SETTINGS = ("/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt")  # of this machine, seen while an image is built


def why_not() -> str:
    """One line on why this cannot be done here, or nothing."""
    if not hasattr(os, "geteuid") or not shutil.which("buildah"):
        return "neither Docker nor Podman works here, and Buildah is not installed"
    if os.geteuid() != 0:
        return "neither Docker nor Podman works here, and Buildah needs root"
    return "" if shutil.which("bwrap") else "Buildah needs bubblewrap to run what it built (apt install bubblewrap)"


class Buildah:
    """See the top of this file."""

    name = "buildah"

    def build(self, folder: Path) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            used = Path(temporary) / FILE
            used.write_text(self._on_local_base(folder / FILE), encoding="utf-8")
            volumes = [f"--volume={path}:{path}:ro" for path in SETTINGS if os.path.exists(path)]
            options = ["--isolation=chroot", "--format=docker", f"--file={used}", f"--tag={TAG}", *volumes]
            call([*COMMAND, "build", *options, str(folder)], BUILD_SECONDS)

    def _on_local_base(self, path: Path) -> str:
        """The Dockerfile; where there is a local base, it stands in for images from elsewhere."""
        text = path.read_text(encoding="utf-8")
        return text if not has_local_base() else on_base(text, read(path))

    def config(self) -> dict[str, Any]:
        return json.loads(call([*COMMAND, "inspect", "--type", "image", TAG]))["Docker"]["config"]

    def files(self) -> list[str]:
        with self._mounted() as root:
            return [
                os.path.relpath(os.path.join(folder, name), root)
                for folder, _, names in os.walk(root)
                for name in names
            ]

    @contextlib.contextmanager
    def _mounted(self) -> Iterator[str]:
        container = call([*COMMAND, "from", "--pull-never", TAG]).strip()
        try:
            yield call([*COMMAND, "mount", container]).strip()
        finally:
            call([*COMMAND, "rm", container])

    @contextlib.contextmanager
    def run(self) -> Iterator[Container]:
        config, port = self.config(), _free_port()
        with self._mounted() as root, tempfile.TemporaryFile() as said:
            line = _line(config, root, port)
            reader, writer = os.pipe()
            start = [*line, "--as-pid-1", "--info-fd", str(writer), "--", *_program(config)]
            process = subprocess.Popen(start, env={}, stdout=said, stderr=said, pass_fds=[writer])
            os.close(writer)

            def text() -> str:
                said.seek(0)
                return said.read().decode("utf-8", "replace")

            def health(command: Sequence[str]) -> bool:
                return subprocess.run([*line, "--", *command], env={}, capture_output=True, check=False).returncode == 0

            try:
                first = _first_process(reader)
                yield Container(port, lambda: process.poll() is None, text, health, lambda: _stop(process, first))
            finally:
                process.kill()
                process.wait()


def has_local_base() -> bool:
    """Has make-base.sh been run?"""
    return bool(call([*COMMAND, "images", "--quiet", "--filter", f"reference={LOCAL_BASE}"]).strip())


def on_base(text: str, file: Dockerfile) -> str:
    """A Dockerfile with the local base in place of every image from elsewhere."""
    lines = text.splitlines()
    for stage in file.external():
        lines[stage.line - 1] = f"FROM {LOCAL_BASE}" + (f" AS {stage.name}" if stage.name else "")
    return "\n".join(lines) + "\n"


def _line(config: dict[str, Any], root: str, port: int) -> list[str]:
    """Bubblewrap with the image as its root, which nobody can write to, as the image's user."""
    user, _, group = (config.get("User") or "0").partition(":")
    if not user.isdigit():
        raise BuildError(f"the user {user!r} of the image is no number, and without Docker nobody can look it up")
    line = ["bwrap", "--ro-bind", root, "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
    line += ["--unshare-all", "--share-net", "--unshare-user", "--uid", user, "--gid", group or user]
    line += ["--cap-drop", "ALL", "--die-with-parent", "--new-session", "--chdir", config.get("WorkingDir") or "/"]
    variables = dict(pair.partition("=")[::2] for pair in config.get("Env") or []) | {"PORT": str(port)}
    return line + [word for name, value in variables.items() for word in ("--setenv", name, value)]


def _program(config: dict[str, Any]) -> list[str]:
    return [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]


def _first_process(reader: int) -> int:
    """The number that the container's first process has out here. Raises BuildError if there was none."""
    with os.fdopen(reader, encoding="utf-8") as file:
        text = file.read()
    if not text:
        raise BuildError("bubblewrap could not start the image's program")
    return json.loads(text)["child-pid"]


def _stop(process: subprocess.Popen[bytes], first: int) -> int | None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(first, signal.SIGTERM)
    try:
        return process.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        return None


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
