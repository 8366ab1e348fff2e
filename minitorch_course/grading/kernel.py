"""A kernel as grading sees it from outside: started ahead of need, watched, bounded in time, output and memory.

nbval runs a notebook's cells through the few methods of its `RunningKernel`; `Kernel` has the same ones, in front of a
process in a sandbox. Unlike nbval's it reads what a cell sends while the cell runs, keeps only what grading looks at,
and says in `stopped` why a cell was cut short.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Mapping
from functools import cache
from queue import Empty
from typing import Any, NamedTuple, cast

import zmq
from jupyter_client.blocking.client import BlockingKernelClient

from ..notebook.errors import EXPLAINED
from ..notebook.hidden_test import SHOWN
from .jupyter import RunningKernel
from .kernel_process import KernelConfig, KernelProcess
from .sandbox import MIB

LARGEST_MESSAGE = 32 * MIB
MESSAGES_WAITING = 32
START_SECONDS = 60
GRACE_SECONDS = 3  # between an interrupt and the end
LOOK_SECONDS = 0.25
ENDING_SECONDS = 1.0  # from the end of its sockets to the end of a process


class Stopped(NamedTuple):
    """Why a cell was cut short: `status` as in a probe's result, and a sentence."""

    status: str
    message: str


class Kernel(RunningKernel):
    """One process for one notebook. Making one starts the process and does not wait; `ready` does."""

    def __init__(self, setting: KernelConfig):
        self.limits = setting.limits
        self.launched = KernelProcess(setting)
        self.kc = BlockingKernelClient(context=_context())
        self.kc.load_connection_info(cast(Any, self.launched.connection))
        self.kc.start_channels(stdin=False, hb=False)
        self._shell, self._iopub = self.kc.shell_channel.socket, self.kc.iopub_channel.socket
        self._poller = zmq.Poller()
        for channel in (self._shell, self._iopub):
            self._poller.register(channel, zmq.POLLIN)
        self._cut = self._iopub.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self.begin(0)

    def ready(self) -> Kernel:
        """Wait until the kernel answers. Raises RuntimeError if it does not start."""
        until = time.monotonic() + START_SECONDS
        while self.is_alive() and time.monotonic() < until:
            self._asked = self.kc.kernel_info()
            for _ in range(20):  # Until the subscription to its output has arrived, it answers to nobody.
                self._read(0.02)
                if self._idle:
                    return self
        said = self.launched.said()
        self.stop()
        raise RuntimeError(f"The kernel did not start. It said: {said or 'nothing'}")

    def begin(self, seconds: float) -> None:
        """Forget the last cell. The next one may take so long."""
        self.stopped: Stopped | None = None
        self._seconds, self._asked = seconds, ""
        self._held: deque[dict[str, Any]] = deque()
        self._received, self._replied, self._idle = 0, False, False
        self._until = self._looked = time.monotonic()

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Read what a cell sends until it has ended. If it has to be stopped, raises Empty and sets `stopped`."""
        self._asked, ends = msg_id, time.monotonic() + self._seconds
        self._until = ends + GRACE_SECONDS
        while not (self._idle and self._replied):
            self.stopped = self._look(ends)
            if self.stopped:
                self._until = time.monotonic() + GRACE_SECONDS
                raise Empty
            self._read(LOOK_SECONDS)

    def run(self, source: str, seconds: float) -> None:
        """Run code, and look at nothing that comes of it but `stopped`."""
        self.begin(seconds)
        with contextlib.suppress(Empty):
            self.await_reply(self.execute_cell_input(source, allow_stdin=False))
            return
        self.interrupt()
        with contextlib.suppress(Empty):
            self.await_idle(self._asked, GRACE_SECONDS)
            return
        self.stop()

    def await_idle(self, parent_id: str, timeout: float) -> None:
        while not _is_idle(self.get_message("iopub")):
            pass

    def get_message(self, stream: str, timeout: float | None = None) -> dict[str, Any]:
        """The next message that belongs to the cell, of what grading looks at. Raises Empty when none comes in time."""
        while not self._held:
            if time.monotonic() > self._until or not self.is_alive() or self._received > 2 * self.limits.output:
                raise Empty
            self._read(LOOK_SECONDS)
        return self._held.popleft()

    def interrupt(self) -> None:
        if self.is_alive():
            self.kc.session.send(self.kc.control_channel.socket, "interrupt_request")

    def is_alive(self) -> bool:
        return self.launched.runs()

    def stop(self) -> None:
        if not self._iopub.closed:
            self._iopub.disable_monitor()
            self._cut.close(linger=0)
        self.kc.stop_channels()
        self.launched.end()

    def _look(self, ends: float) -> Stopped | None:
        """Is there a reason to stop the cell?"""
        now = time.monotonic()
        cut = self._cut.poll(0)  # By its end, or because a message is larger than any may be.
        if not (self.launched.runs(ENDING_SECONDS) if cut else self.is_alive()):
            return Stopped("error", "Python itself ended here: was it told to exit, or did it crash?")
        if self._received > self.limits.output or cut:
            self.launched.end()
            return Stopped("error", f"More than {self.limits.output / MIB:.0f} MB were printed or shown.")
        if now > ends:
            return Stopped("timeout", f"No end after {self._seconds:.0f} seconds: does a loop never end?")
        if now - self._looked > LOOK_SECONDS:
            self._looked = now
            if self.launched.memory() > self.limits.memory:
                self.launched.end()
                return Stopped("error", f"More than {self.limits.memory / MIB:.0f} MB of memory were used.")
        return None

    def _read(self, seconds: float) -> None:
        """Take in what has arrived, or the first that arrives."""
        for socket, _ in self._poller.poll(int(seconds * 1000)):
            frames = socket.recv_multipart()
            self._received += sum(map(len, frames))
            message = self._message(frames)
            if message is None or message["parent_header"].get("msg_id") != self._asked:
                continue
            if socket is self._shell:
                self._replied = self._replied or message["msg_type"] == "execute_reply"
            elif not self._idle and (kept := _kept(message)):
                self._held.append(kept)
                self._idle = _is_idle(kept)

    def _message(self, frames: list[bytes]) -> dict[str, Any] | None:
        """A message, or None for what is none: the other side may send anything."""
        try:
            message = self.kc.session.deserialize(self.kc.session.feed_identities(frames)[1])
            return message if isinstance(message["parent_header"], Mapping) else None
        except Exception:
            return None


def _kept(message: Mapping[str, Any]) -> dict[str, Any] | None:
    """What grading looks at, made sure to be what nbval expects: values, explanations, errors, and the end."""
    content, kind = message["content"], message["msg_type"]
    if not isinstance(content, Mapping):
        return None
    if kind == "status":
        content = {"execution_state": str(content.get("execution_state"))}
    elif kind == "error":
        content = {"ename": str(content.get("ename")), "evalue": "", "traceback": []}
    elif kind == "display_data" and isinstance(content.get("data"), Mapping):
        data = {mime: value for mime, value in content["data"].items() if mime in (SHOWN, EXPLAINED)}
        content = {"data": data, "metadata": {}}
    else:
        return None
    return {"msg_type": kind, "parent_header": message["parent_header"], "content": content}


def _is_idle(message: Mapping[str, Any]) -> bool:
    return message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"


@cache
def _context() -> zmq.Context[Any]:
    """Of all sockets to kernels: what a kernel sends must not fill this process."""
    context = zmq.Context()
    context.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
    context.setsockopt(zmq.RCVHWM, MESSAGES_WAITING)
    return context
