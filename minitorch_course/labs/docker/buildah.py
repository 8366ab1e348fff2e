"""Buildah, which builds without a daemon, and bubblewrap, which runs the image.

For machines without Docker and Podman. The steps of a Dockerfile are isolated by chroot only, so this needs root. If no
registry can be reached, images are built on the local base of `make-base.sh`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._ports import free_ports
from .builder import BUILD_SECONDS, STOP_SECONDS, TAG, BuildError, Container, call
from .dockerfile import FILE, Dockerfile, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LOCAL_BASE = "localhost/minitorch-base"
COMMAND = ("buildah", "--storage-driver", "vfs")
SETTINGS = ("/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt")  # of this machine, visible during a build


def why_unavailable() -> str:
    """Return why Buildah cannot be used here, or an empty string if it can."""
    if not hasattr(os, "geteuid") or not shutil.which("buildah"):
        return "neither Docker nor Podman works here, and Buildah is not installed"
    if os.geteuid() != 0:
        return "neither Docker nor Podman works here, and Buildah needs root"
    return "" if shutil.which("bwrap") else "Buildah needs bubblewrap to run the image (apt install bubblewrap)"


class Buildah:
    """A builder that needs neither a daemon nor a registry."""

    name = "buildah"

    def build(self, folder: Path) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            used = Path(temporary) / FILE
            used.write_text(self._on_local_base(folder / FILE), encoding="utf-8")
            volumes = [f"--volume={path}:{path}:ro" for path in SETTINGS if os.path.exists(path)]
            options = ["--isolation=chroot", "--format=docker", f"--file={used}", f"--tag={TAG}", *volumes]
            call([*COMMAND, "build", *options, str(folder)], BUILD_SECONDS)

    def _on_local_base(self, path: Path) -> str:
        """Return the Dockerfile, with the local base instead of external images if there is one."""
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
        config, (port,) = self.config(), free_ports(1)
        with self._mounted() as root, tempfile.TemporaryFile() as output:
            line = _line(config, root, port)
            reader, writer = os.pipe()
            start = [*line, "--as-pid-1", "--info-fd", str(writer), "--", *_program(config)]
            process = subprocess.Popen(start, env={}, stdout=output, stderr=output, pass_fds=[writer])
            os.close(writer)

            def logs() -> str:
                output.seek(0)
                return output.read().decode("utf-8", "replace")

            def is_healthy(command: Sequence[str]) -> bool:
                return subprocess.run([*line, "--", *command], env={}, capture_output=True, check=False).returncode == 0

            try:
                first = _first_process(reader)
                yield Container(port, lambda: process.poll() is None, logs, is_healthy, lambda: _stop(process, first))
            finally:
                process.kill()
                process.wait()


def has_local_base() -> bool:
    """Return whether `make-base.sh` has been run."""
    return bool(call([*COMMAND, "images", "--quiet", "--filter", f"reference={LOCAL_BASE}"]).strip())


def on_base(text: str, file: Dockerfile) -> str:
    """Return a Dockerfile with the local base instead of every external image."""
    lines = text.split("\n")
    for stage in file.external():
        lines[stage.line - 1] = f"FROM {LOCAL_BASE}" + (f" AS {stage.name}" if stage.name else "")
        lines[stage.line : stage.end] = [""] * (stage.end - stage.line)  # of a FROM that goes on in the next line
    return "\n".join(lines)


def _line(config: dict[str, Any], root: str, port: int) -> list[str]:
    """Return the command line of bubblewrap: the image as a read-only root, the image's user, no capabilities."""
    user, _, group = (config.get("User") or "0").partition(":")
    if not user.isdigit():
        raise BuildError(f"the user {user!r} of the image is not a number, and Buildah cannot look up names")
    line = ["bwrap", "--ro-bind", root, "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
    line += ["--unshare-all", "--share-net", "--unshare-user", "--uid", user, "--gid", group or user]
    line += ["--cap-drop", "ALL", "--die-with-parent", "--new-session", "--chdir", config.get("WorkingDir") or "/"]
    variables = dict(pair.partition("=")[::2] for pair in config.get("Env") or []) | {"PORT": str(port)}
    return line + [word for name, value in variables.items() for word in ("--setenv", name, value)]


def _program(config: dict[str, Any]) -> list[str]:
    return [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]


def _first_process(reader: int) -> int:
    """Return the process id of the container's first process on this machine. Raises BuildError if there was none."""
    with os.fdopen(reader, encoding="utf-8") as file:
        text = file.read()
    if not text:
        raise BuildError("bubblewrap could not start the image's program")
    return json.loads(text)["child-pid"]


def _stop(process: subprocess.Popen[bytes], first: int) -> int | None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(first, signal.SIGTERM)
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        return None
