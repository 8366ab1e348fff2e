"""The first code of a grading kernel, before any student's.

`main` imports what notebooks import, removes the functions that exercises ask for, sets limits, and becomes a Jupyter
kernel. Its two arguments on the command line are a JSON file with settings (see `kernel_process`), and Jupyter's
connection file.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ipykernel.kernelapp import IPKernelApp

import minitorch_course

from ..notebook.errors import setup
from .hide_functions import hide
from .system_calls import refuse_new_programs

if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> None:
    """Run the kernel until it is killed."""
    settings_file, connection_file = sys.argv[1:]
    settings = json.loads(Path(settings_file).read_text(encoding="utf-8"))
    if settings["alive"] is not None:
        threading.Thread(target=_end_with_grader, args=[settings["alive"]], daemon=True).start()
    for name in minitorch_course.__all__:
        getattr(minitorch_course, name)  # Import it now, not in a student's cell.
    hide(settings["hidden_functions"])
    application = InheritingKernelApp.instance(inherited=list(settings["sockets"]))
    application.initialize(["-f", connection_file, "--HistoryManager.enabled=False", "--log-level=50"])
    cast("Any", application.shell).ask_exit = lambda: None  # quit() must not end the cells after its own.
    setup()
    _limit(settings["limits"])
    if settings["limits"] is not None and settings["hidden_functions"]:
        refuse_new_programs()
    gc.freeze()  # Imported modules stay: the collector need not scan them again and again.
    gc.enable()
    application.start()


def _end_with_grader(pipe: int) -> None:
    """End this process when the grader's end of a pipe is closed.

    bubblewrap's `--die-with-parent` does not hold while bubblewrap itself starts.
    """
    os.read(pipe, 1)
    os._exit(1)


class InheritingKernelApp(IPKernelApp):
    """A kernel that inherits open sockets: file descriptors that listen already."""

    def __init__(self, inherited: Sequence[int] = (), **options: Any):
        super().__init__(**options)
        self.inherited = list(inherited)

    def _try_bind_socket(self, s: Any, port: int) -> int:
        import zmq

        if self.inherited:
            s.setsockopt(zmq.USE_FD, self.inherited.pop(0))
        return super()._try_bind_socket(s, port)

    def init_heartbeat(self) -> None:
        """Do nothing: the process is watched from outside."""


def _limit(limits: dict[str, int] | None) -> None:
    """Set hard limits, which cannot be raised again. Outside of the sandbox `limits` is None."""
    if limits is None:
        return
    import resource

    bounds = {
        resource.RLIMIT_DATA: limits["memory"],
        resource.RLIMIT_NPROC: limits["processes"],
        resource.RLIMIT_FSIZE: limits["file"],
        resource.RLIMIT_CORE: 0,
    }
    for which, bound in bounds.items():
        resource.setrlimit(which, (bound, bound))
