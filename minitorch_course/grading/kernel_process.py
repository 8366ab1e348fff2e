"""The process of a grading kernel: its files, its sockets, its command line, its end.

Jupyter's kernel manager is not used: it can neither pass open sockets to a kernel nor kill it at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from .._packages import LIBRARY, PACKAGES
from .._ports import free_ports
from .sandbox import HOME, Bind, Limits, command, seccomp_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHANNELS = ("shell", "stdin", "control", "iopub")  # in the order in which a kernel binds them
PORTS = [f"{channel}_port" for channel in (*CHANNELS, "hb")]
INSIDE = Path("/run/grading")
# Without the garbage collector, which `main` enables again, imports take a sixth less time.
PROGRAM = [
    sys.executable,
    "-P",
    "-c",
    "import gc; gc.disable(); from minitorch_course.grading.kernel_main import main; main()",
]


@dataclass(frozen=True)
class KernelConfig:
    """The configuration that the kernels of a class share.

    Attributes:
      environment: variables for the kernel, besides those that any Python needs.
      library: folder with both packages as students' code may see them.
      hidden_functions: functions of other libraries to remove (see `hide_functions`).
      cache: folder for compiled programs. A `trusted` kernel adds to it, the others read it.
      hidden_folders: folders that are empty in the sandbox.
      folder: where kernels have their own files; by default where temporary files are.
    """

    environment: Mapping[str, str]
    limits: Limits = field(default_factory=Limits)
    sandboxed: bool = True
    library: Path = LIBRARY.parent
    hidden_functions: Sequence[str] = ()
    cache: Path | None = None
    trusted: bool = False
    hidden_folders: Sequence[Path] = ()
    folder: Path | None = None


class KernelProcess:
    """The process of a kernel. `connection` is the content of its Jupyter connection file, as seen from outside."""

    def __init__(self, config: KernelConfig):
        self._temporary = tempfile.TemporaryDirectory(
            prefix="mt-", dir=config.folder or short_folder(), ignore_cleanup_errors=True
        )
        self._folder = Path(self._temporary.name)
        start = _start_in_sandbox if config.sandboxed else _start_unsandboxed
        # The kernel ends when the writing end of this pipe is closed: however this process ends, that happens.
        self._alive: int | None
        reading, self._alive = os.pipe()
        with (self._folder / "stderr.txt").open("wb") as stderr:
            self.connection, self._process = start(config, self._folder, stderr, reading)
        os.close(reading)

    def is_running(self, seconds: float = 0) -> bool:
        """Return whether the process still runs after waiting for its end for `seconds`."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is None

    def stderr_tail(self) -> str:
        """Return the end of what the process wrote to its standard error."""
        with contextlib.suppress(OSError):
            return (self._folder / "stderr.txt").read_text(encoding="utf-8", errors="replace").strip()[-2000:]
        return ""

    def memory(self) -> int:
        """Return the bytes of memory that the process and its descendants occupy."""
        total = 0
        for process in self._process_tree():
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def kill(self) -> None:
        """Kill the process and its descendants, and remove its files. May be called again."""
        for process in self._process_tree():
            with contextlib.suppress(psutil.Error):
                process.kill()
        self._process.wait()
        if self._alive is not None:
            os.close(self._alive)
            self._alive = None
        self._temporary.cleanup()

    def _process_tree(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            if self.is_running():
                process = psutil.Process(self._process.pid)
                return [process, *process.children(recursive=True)]
        return []


def _start_in_sandbox(
    config: KernelConfig, folder: Path, stderr: Any, alive: int
) -> tuple[dict[str, Any], subprocess.Popen[bytes]]:
    """Start the kernel with inherited sockets, which listen in `folder`. The kernel does not see the folder."""
    sockets = [_listening(folder / f"socket-{number}") for number in range(1, len(CHANNELS) + 1)]
    descriptors = [s.fileno() for s in sockets]
    connection = {"transport": "ipc", "ip": "/tmp/kernel", **_secret(), **dict(zip(PORTS, range(1, 6), strict=True))}
    limits = {name: getattr(config.limits, name) for name in ("memory", "processes", "file")}
    files = _write(folder, _settings(config, descriptors, alive, limits), connection)
    binds = [Bind(file, INSIDE / file.name) for file in files]
    binds += [Bind(config.library / package.name, package) for package in PACKAGES]
    if config.cache:
        binds.append(Bind(config.cache, INSIDE / "cache", writable=config.trusted))
    program = [*PROGRAM, *(str(bind.inside) for bind in binds[:2])]
    variables = _variables(config, INSIDE / "cache", Path(HOME), "/usr/bin:/bin")
    with seccomp_file() as seccomp:
        line = command(program, binds, variables, config.limits, config.hidden_folders, seccomp=seccomp)
        inherited = [*descriptors, alive, *([seccomp] if seccomp is not None else [])]
        process = _popen(line, {}, Path("/"), stderr, pass_fds=inherited)
    for s in sockets:
        s.close()
    return connection | {"ip": str(folder / "socket")}, process


def _start_unsandboxed(
    config: KernelConfig, folder: Path, stderr: Any, alive: int
) -> tuple[dict[str, Any], subprocess.Popen[bytes]]:
    """Start the kernel without a sandbox, on any system: over TCP on this machine, without limits of its own."""
    connection = {
        "transport": "tcp",
        "ip": "127.0.0.1",
        **_secret(),
        **dict(zip(PORTS, free_ports(len(PORTS)), strict=True)),
    }
    home = folder / "home"
    home.mkdir()
    files = _write(folder, _settings(config, [], None, None), connection)
    variables = _variables(config, config.cache or folder, home, os.environ.get("PATH", os.defpath))
    variables |= {"PYTHONPATH": str(config.library), "JPY_PARENT_PID": str(os.getpid())}
    variables |= {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
    return connection, _popen([*PROGRAM, *map(str, files)], variables, home, stderr)


def _popen(line: list[str], variables: Mapping[str, str], folder: Path, stderr: Any, **options: Any) -> Any:
    silent = subprocess.DEVNULL
    return subprocess.Popen(
        line, env=variables, cwd=folder, stdin=silent, stdout=silent, stderr=stderr, start_new_session=True, **options
    )


def _settings(
    config: KernelConfig, sockets: list[int], alive: int | None, limits: dict[str, int] | None
) -> dict[str, Any]:
    names = list(config.hidden_functions)
    return {"hidden_functions": names, "sockets": sockets, "alive": alive, "limits": limits}


def _write(folder: Path, *contents: dict[str, Any]) -> list[Path]:
    files = [folder / name for name in ("settings.json", "connection.json")]
    for file, content in zip(files, contents, strict=True):
        file.write_text(json.dumps(content), encoding="utf-8")
    return files


def _secret() -> dict[str, str]:
    return {"key": secrets.token_hex(32), "signature_scheme": "hmac-sha256"}


def _variables(config: KernelConfig, cache: Path, home: Path, path: str) -> dict[str, str]:
    """Return the environment of a kernel, which holds nothing of the grader's own."""
    variables = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{path}",
        "HOME": str(home),
        "USERPROFILE": str(home),
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONHASHSEED": "0",  # One order of sets, so that two gradings agree.
        "PYTHONDONTWRITEBYTECODE": "1",
        "JAX_PLATFORMS": "cpu",
        "MPLBACKEND": "agg",
    }
    if config.cache:
        seconds = "0" if config.trusted else "1e9"  # the compile time from which on a program is kept
        variables |= {
            "JAX_COMPILATION_CACHE_DIR": str(cache / "jax"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": seconds,
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
            "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES": "none",  # Otherwise the folder's name is in every program's.
        }
    return variables | dict(config.environment)


def _listening(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen(16)
    return listening


def short_folder() -> str | None:
    """Return a folder for sockets, whose paths may have about a hundred characters; None for the usual one."""
    return "/tmp" if len(tempfile.gettempdir()) > 60 and os.path.isdir("/tmp") else None
