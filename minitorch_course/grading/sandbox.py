"""The sandbox: bubblewrap around a kernel that runs untrusted code.

The sandbox has new namespaces of every kind, no network, no capabilities and no way to gain any, an ordinary user,
Python's installation and this package to read, and a small empty `/tmp` and home to write. Nothing of the host is
writable: the kernel's sockets are opened outside and inherited as file descriptors, so that not even a folder for them
is shared. System calls that no namespace covers are refused (`system_calls`).

Root stays root, whatever a user namespace calls it: limits on processes do not apply to it. So where grading runs as
root, a first bubblewrap only makes root's private folders readable, an ordinary user takes over, and that user starts
the sandbox.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from .system_calls import seccomp_filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MIB = 2**20
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/etc/ld.so.cache", "/etc/alternatives")
HOME = "/home/student"
INSTALL = "apt install bubblewrap"
FIRST_USER = 200_000  # Beyond the ids that distributions give to people and services.


@dataclass(frozen=True)
class Limits:
    """Limits of a student's code. Sizes in bytes, times in seconds; `memory` counts all processes together."""

    cell_seconds: float = 60
    notebook_seconds: float = 600
    memory: int = 4096 * MIB
    processes: int = 256  # and threads, of which JAX starts some for each core
    file: int = 64 * MIB
    scratch: int = 128 * MIB  # of /tmp, and of the home folder
    output: int = 16 * MIB  # of one cell


@dataclass(frozen=True)
class Bind:
    """A path of the host that is visible inside, read-only unless `writable`."""

    source: Path
    inside: Path
    writable: bool = False

    def arguments(self) -> list[str]:
        return ["--bind" if self.writable else "--ro-bind", str(self.source), str(self.inside)]


@cache
def why_unavailable() -> str | None:
    """Return one line on why there is no sandbox on this machine; None if it works."""
    if not sys.platform.startswith("linux"):
        return "bubblewrap runs on Linux only"
    if not shutil.which("bwrap"):
        return f"bubblewrap is not installed ({INSTALL})"
    with seccomp_file() as seccomp:
        done = subprocess.run(
            command(["/bin/true"], [], {}, Limits(), user=FIRST_USER, seccomp=seccomp),
            capture_output=True,
            text=True,
            env={},
            check=False,
            pass_fds=[seccomp] if seccomp is not None else [],
        )
    stderr = done.stderr.strip().rstrip(".")
    return None if done.returncode == 0 else f"bubblewrap does not work here: {stderr}{_advice()}"


def _advice() -> str:
    """Return what allows it on Ubuntu, which from 24.04 on forbids it to ordinary users."""
    setting = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    if os.geteuid() == 0 or not setting.exists() or setting.read_text(encoding="ascii").strip() != "1":
        return ""
    return f" (sudo sysctl -w kernel.{setting.name}=0 allows it)"


def command(
    program: Sequence[str],
    binds: Sequence[Bind],
    environment: Mapping[str, str],
    limits: Limits,
    hidden: Iterable[Path] = (),
    user: int | None = None,
    seccomp: int | None = None,
) -> list[str]:
    """Return the command line that runs `program` in the sandbox.

    Start it with an empty environment: the first process of the sandbox keeps the one that it gets.

    `hidden` folders are empty inside, even if they lie in a folder that Python needs. Where this process is root, the
    sandbox runs as the user with the id `user`, by default a different one for each process. `seccomp` is an inherited
    file descriptor from which the filter of system calls is read (`seccomp_file`).
    """
    binds = [*_readable(), *binds]
    inner = [_bwrap(), *_isolation(), *_filesystem(binds, hidden, limits), *_variables(environment)]
    inner += ["--seccomp", str(seccomp)] if seccomp is not None else []
    inner += ["--", *program]
    if os.geteuid() != 0:
        return inner
    return [*_as_ordinary_user(binds, user or FIRST_USER + os.getpid()), *inner]


@contextlib.contextmanager
def seccomp_file() -> Iterator[int | None]:
    """Open a file descriptor with the filter of system calls, to be inherited; None if this processor has none."""
    program = seccomp_filter()
    if not program:
        yield None
        return
    with tempfile.TemporaryFile() as file:
        file.write(program)
        file.seek(0)
        yield file.fileno()


def _bwrap() -> str:
    return shutil.which("bwrap") or "bwrap"


def _isolation() -> list[str]:
    unshare = ["--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL"]
    return [*unshare, "--uid", "1000", "--gid", "1000", "--hostname", "grading", "--die-with-parent", "--new-session"]


def _readable() -> list[Bind]:
    """Return what Python needs: the system's libraries, its installation, its environment, its packages."""
    packages = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    wanted = dict.fromkeys([*SYSTEM, sys.base_prefix, sys.base_exec_prefix, sys.prefix, *packages])
    found = [Path(path) for path in wanted if os.path.exists(path)]
    return [Bind(path, path) for path in found if not any(other in path.parents for other in found)]


def _filesystem(binds: Sequence[Bind], hidden: Iterable[Path], limits: Limits) -> Iterator[str]:
    """Yield an empty root with small writable folders, then the binds, as some may lie in `/tmp`."""
    yield from ("--proc", "/proc", "--dev", "/dev")
    for path in ("/dev/shm", "/tmp", HOME):
        yield from ("--size", str(limits.scratch), "--tmpfs", path)
    for bind in binds:
        if bind.source.is_symlink() and bind.source.parent == Path("/"):  # /lib -> usr/lib
            yield from ("--symlink", os.readlink(bind.source), str(bind.inside))
        else:
            yield from bind.arguments()
    for path in hidden:
        if any(bind.source in path.resolve().parents for bind in binds):
            yield from ("--tmpfs", str(path.resolve()), "--remount-ro", str(path.resolve()))
    yield from ("--remount-ro", "/dev", "--chdir", HOME, "--remount-ro", "/")


def _variables(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        yield from ("--setenv", name, value)


def _as_ordinary_user(binds: Sequence[Bind], user: int) -> list[str]:
    """Return root's part: bind what lies in closed folders for a user who may not enter them, and become that user."""
    closed = list(dict.fromkeys(folder for bind in binds if (folder := _closed_above(bind.source))))
    outermost = [folder for folder in closed if not any(other in folder.parents for other in closed)]
    arguments = [_bwrap(), "--dev-bind", "/", "/"]
    for folder in outermost:
        inside = [bind.source for bind in binds if folder in bind.source.parents]
        arguments += ["--perms", "0755", "--tmpfs", str(folder)]
        between = {parent for path in inside for parent in path.parents if folder in parent.parents}
        for parent in sorted(between, key=lambda path: len(path.parts)):
            arguments += ["--perms", "0755", "--dir", str(parent)]
        for path in inside:
            arguments += ["--bind", str(path), str(path)]
    # Its own process namespace: when its first process ends, which only root may be able to kill, all others end, too.
    arguments += ["--unshare-pid", "--die-with-parent", "--", shutil.which("setpriv") or "setpriv"]
    return [*arguments, f"--reuid={user}", f"--regid={user}", "--clear-groups", "--inh-caps=-all", "--"]


def _closed_above(path: Path) -> Path | None:
    """Return the outermost folder around `path` that other users may not enter."""
    return next((folder for folder in reversed(path.parents) if not folder.stat().st_mode & 0o001), None)
