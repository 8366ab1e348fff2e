"""The process of a grading kernel: its files, its sockets, its command line, its end.

Jupyter's kernel manager is not used: it can neither hand over sockets nor end a kernel at once.
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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from .._packages import LIBRARY, PACKAGES
from .sandbox import HOME, Bind, Limits, command

CHANNELS = ("shell", "stdin", "control", "iopub")  # in the order in which a kernel binds them
PORTS = [f"{channel}_port" for channel in (*CHANNELS, "hb")]
INSIDE = Path("/run/grading")
# Without the garbage collector, which `main` turns on again, imports take a sixth less time.
BOOT = [
    sys.executable,
    "-P",
    "-c",
    "import gc; gc.disable(); from minitorch_course.grading.kernel_main import main; main()",
]


@dataclass(frozen=True)
class KernelConfig:
    """What the kernels of a class share.

    Attributes:
      environment: variables for the kernel, beside those that any Python needs.
      library: folder with the package as students' code may see it.
      withheld: functions of other libraries that are taken away (see `withhold`).
      cache: folder for compiled programs and the like. A `trusted` kernel adds to it, the others read it.
      hidden: folders of which a sandbox shows nothing.
      folder: where kernels have their own files, if not where temporary files are.
    """

    environment: Mapping[str, str]
    limits: Limits = field(default_factory=Limits)
    sandboxed: bool = True
    library: Path = LIBRARY.parent
    withheld: Sequence[str] = ()
    cache: Path | None = None
    trusted: bool = False
    hidden: Sequence[Path] = ()
    folder: Path | None = None


class KernelProcess:
    """A kernel's process, from its start to its end. `connection` is how to reach it."""

    def __init__(self, setting: KernelConfig):
        self._temporary = tempfile.TemporaryDirectory(
            prefix="mt-", dir=setting.folder or short_folder(), ignore_cleanup_errors=True
        )
        self._folder = Path(self._temporary.name)
        start = _start_in_sandbox if setting.sandboxed else _start_unsandboxed
        with (self._folder / "said.txt").open("wb") as said:
            self.connection, self._process = start(setting, self._folder, said)

    def runs(self, seconds: float = 0) -> bool:
        """Does it run, and still after so many seconds?"""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is None

    def said(self) -> str:
        """The end of what it wrote to its standard error."""
        with contextlib.suppress(OSError):
            return (self._folder / "said.txt").read_text(encoding="utf-8", errors="replace").strip()[-2000:]
        return ""

    def memory(self) -> int:
        """Bytes of memory that it and all that it started occupy."""
        total = 0
        for process in self._family():
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def end(self) -> None:
        """Kill it and all that it started, and remove its files. May be called again."""
        for process in self._family():
            with contextlib.suppress(psutil.Error):
                process.kill()
        self._process.wait()
        self._temporary.cleanup()

    def _family(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            if self.runs():
                process = psutil.Process(self._process.pid)
                return [process, *process.children(recursive=True)]
        return []


def _start_in_sandbox(setting: KernelConfig, folder: Path, said: Any) -> tuple[dict[str, Any], subprocess.Popen[bytes]]:
    """The kernel inherits sockets that listen in `folder`, which it does not see."""
    sockets = [_listening(folder / f"socket-{number}") for number in range(1, len(CHANNELS) + 1)]
    descriptors = [s.fileno() for s in sockets]
    connection = {"transport": "ipc", "ip": "/tmp/kernel", **_secret(), **dict(zip(PORTS, range(1, 6), strict=True))}
    limits = {name: getattr(setting.limits, name) for name in ("memory", "processes", "file")}
    files = _write(folder, _settings(setting, descriptors, limits), connection)
    binds = [Bind(file, INSIDE / file.name) for file in files]
    binds += [Bind(setting.library / package.name, package) for package in PACKAGES]
    if setting.cache:
        binds.append(Bind(setting.cache, INSIDE / "cache", writable=setting.trusted))
    program = [*BOOT, *(str(bind.inside) for bind in binds[:2])]
    variables = _variables(setting, INSIDE / "cache", Path(HOME), "/usr/bin:/bin")
    line = command(program, binds, variables, setting.limits, setting.hidden)
    process = _run(line, {}, Path("/"), said, pass_fds=descriptors)
    for s in sockets:
        s.close()
    return connection | {"ip": str(folder / "socket")}, process


def _start_unsandboxed(
    setting: KernelConfig, folder: Path, said: Any
) -> tuple[dict[str, Any], subprocess.Popen[bytes]]:
    """Without a sandbox, on any system: over TCP on this machine, bounded only by whoever watches."""
    connection = {"transport": "tcp", "ip": "127.0.0.1", **_secret(), **dict(zip(PORTS, _free_ports(), strict=True))}
    home = folder / "home"
    home.mkdir()
    files = _write(folder, _settings(setting, [], None), connection)
    variables = _variables(setting, setting.cache or folder, home, os.environ.get("PATH", os.defpath))
    variables |= {"PYTHONPATH": str(setting.library), "JPY_PARENT_PID": str(os.getpid())}
    variables |= {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
    return connection, _run([*BOOT, *map(str, files)], variables, home, said)


def _run(line: list[str], variables: Mapping[str, str], folder: Path, said: Any, **more: Any) -> Any:
    silent = subprocess.DEVNULL
    return subprocess.Popen(
        line, env=variables, cwd=folder, stdin=silent, stdout=silent, stderr=said, start_new_session=True, **more
    )


def _settings(setting: KernelConfig, sockets: list[int], limits: dict[str, int] | None) -> dict[str, Any]:
    return {"withheld": list(setting.withheld), "sockets": sockets, "limits": limits}


def _write(folder: Path, *contents: dict[str, Any]) -> list[Path]:
    files = [folder / name for name in ("settings.json", "connection.json")]
    for file, content in zip(files, contents, strict=True):
        file.write_text(json.dumps(content), encoding="utf-8")
    return files


def _secret() -> dict[str, str]:
    return {"key": secrets.token_hex(32), "signature_scheme": "hmac-sha256"}


def _variables(setting: KernelConfig, cache: Path, home: Path, path: str) -> dict[str, str]:
    """The environment of a kernel: nothing of the grader's own."""
    variables = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{path}",
        "HOME": str(home),
        "USERPROFILE": str(home),
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONHASHSEED": "0",  # Sets then come in one order, and two gradings agree.
        "PYTHONDONTWRITEBYTECODE": "1",
        "JAX_PLATFORMS": "cpu",
        "MPLBACKEND": "agg",
    }
    if setting.cache:
        seconds = "0" if setting.trusted else "1e9"  # of compiling, from which on a program is kept
        variables |= {
            "JAX_COMPILATION_CACHE_DIR": str(cache / "jax"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": seconds,
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
            "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES": "none",  # or the folder's name would be in every program's
        }
    return variables | dict(setting.environment)


def _listening(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    made.listen(16)
    return made


def _free_ports() -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in PORTS]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


def short_folder() -> str | None:
    """A folder for sockets, whose names may have about a hundred characters."""
    return "/tmp" if len(tempfile.gettempdir()) > 60 and os.path.isdir("/tmp") else None
