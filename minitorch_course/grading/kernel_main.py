"""A grading kernel's first code, before any student's: `main`, with two arguments on the command line.

It imports what notebooks import, takes away what exercises ask for, gives up what a student's code may not have, and
becomes a Jupyter kernel. The arguments are a file of JSON with settings (see `launch.py`), and Jupyter's connection
file.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from ipykernel.kernelapp import IPKernelApp

from ..notebook.errors import install
from .hide_functions import hide


def main() -> None:
    settings_file, connection_file = sys.argv[1:]
    settings = json.loads(Path(settings_file).read_text(encoding="utf-8"))
    hide(settings["withheld"])
    application = Kernel.instance(inherited=list(settings["sockets"]))
    application.initialize(["-f", connection_file, "--HistoryManager.enabled=False", "--log-level=50"])
    cast(Any, application.shell).ask_exit = lambda: None  # quit() must not end what comes after its cell.
    install()
    _limit(settings["limits"])
    gc.freeze()  # What was imported stays: there is no need to look through it again and again.
    gc.enable()
    application.start()


class Kernel(IPKernelApp):
    """A kernel whose sockets were opened by whoever started it: each is a file descriptor that listens already."""

    def __init__(self, inherited: Sequence[int] = (), **options: Any):
        super().__init__(**options)
        self.inherited = list(inherited)

    def _try_bind_socket(self, s: Any, port: int) -> int:
        import zmq

        if self.inherited:
            s.setsockopt(zmq.USE_FD, self.inherited.pop(0))
        return super()._try_bind_socket(s, port)

    def init_heartbeat(self) -> None:
        """None: the process is watched from outside."""


def _limit(limits: dict[str, int] | None) -> None:
    """Bounds that cannot be raised again. Linux, in the sandbox; elsewhere `limits` is None."""
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
