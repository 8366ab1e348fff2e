"""A kernel as the grader sees it: started ahead of need, watched, limited in time, output and memory.

nbval runs a notebook's cells through the few methods of its `RunningKernel`. `GradingKernel` has the same ones, in
front of a process in a sandbox. Unlike nbval's, it reads what a cell sends while the cell runs, keeps only what grading
needs, and says in `stop_reason` why it stopped a cell.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Mapping
from functools import cache
from queue import Empty
from typing import Any, cast

import zmq
from jupyter_client.blocking.client import BlockingKernelClient

from minitorch._optional import without_rfc3987

from ..author.verdict import PROCESS_ENDED, Stop, out_of_time
from ..notebook.errors import EXPLAINED
from ..notebook.hidden_test import REPORTED
from .kernel_process import KernelConfig, KernelProcess
from .sandbox import MIB

with without_rfc3987():
    from nbval.kernel import RunningKernel

MAX_MESSAGE = 32 * MIB
MAX_WAITING_MESSAGES = 32
START_SECONDS = 60
GRACE_SECONDS = 3  # between an interrupt and the kill
POLL_SECONDS = 0.25
EXIT_SECONDS = 1.0  # from the end of its sockets to the end of a process


class GradingKernel(RunningKernel):
    """One process for one notebook. The constructor starts the process and does not wait; `ready` does."""

    def __init__(self, config: KernelConfig):
        self.limits = config.limits
        self.process = KernelProcess(config)
        self.kc = BlockingKernelClient(context=_context())
        self.kc.load_connection_info(cast("Any", self.process.connection))
        self.kc.start_channels(stdin=False, hb=False)
        self._shell, self._iopub = self.kc.shell_channel.socket, self.kc.iopub_channel.socket
        self._poller = zmq.Poller()
        for channel in (self._shell, self._iopub):
            self._poller.register(channel, zmq.POLLIN)
        self._disconnected = self._iopub.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self.begin(0)

    def ready(self) -> GradingKernel:
        """Wait until the kernel answers.

        Raises:
          RuntimeError: it does not start.
        """
        until = time.monotonic() + START_SECONDS
        while self.is_alive() and time.monotonic() < until:
            self._request = self.kc.kernel_info()
            for _ in range(20):  # It has no subscriber until the subscription to its output has arrived.
                self._read(0.02)
                if self._idle:
                    return self
        stderr = self.process.stderr_tail()
        self.stop()
        raise RuntimeError(f"The kernel did not start. Its standard error: {stderr or 'empty'}")

    def begin(self, seconds: float) -> None:
        """Forget the last cell, and set the time limit of the next one."""
        self.stop_reason: Stop | None = None
        self._seconds, self._request = seconds, ""
        self._held: deque[dict[str, Any]] = deque()
        self._received, self._replied, self._idle = 0, False, False
        self._until = self._looked = time.monotonic()

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Read what a cell sends until it has ended.

        Raises:
          Empty: the cell has to be stopped; `stop_reason` says why.
        """
        self._request, ends = msg_id, time.monotonic() + self._seconds
        self._until = ends + GRACE_SECONDS
        while not (self._idle and self._replied):
            self.stop_reason = self._reason_to_stop(ends)
            if self.stop_reason:
                self._until = time.monotonic() + GRACE_SECONDS
                raise Empty
            self._read(POLL_SECONDS)

    def run(self, source: str, seconds: float) -> None:
        """Run code, and discard its output."""
        self.begin(seconds)
        with contextlib.suppress(Empty):
            self.await_reply(self.execute_cell_input(source, allow_stdin=False))
            return
        self.interrupt()
        with contextlib.suppress(Empty):
            self.await_idle(self._request, GRACE_SECONDS)
            return
        self.stop()

    def await_idle(self, parent_id: str, timeout: float) -> None:
        while not _is_idle(self.get_message("iopub")):
            pass

    def get_message(self, stream: str, timeout: float | None = None) -> dict[str, Any]:
        """Return the next message of the cell that grading needs.

        Raises:
          Empty: none comes in time.
        """
        while not self._held:
            if time.monotonic() > self._until or not self.is_alive() or self._received > 2 * self.limits.output:
                raise Empty
            self._read(POLL_SECONDS)
        return self._held.popleft()

    def interrupt(self) -> None:
        if self.is_alive():
            self.kc.session.send(self.kc.control_channel.socket, "interrupt_request")

    def is_alive(self) -> bool:
        return self.process.is_running()

    def stop(self) -> None:
        if not self._iopub.closed:
            self._iopub.disable_monitor()
            self._disconnected.close(linger=0)
        self.kc.stop_channels()
        self.process.kill()

    def _reason_to_stop(self, ends: float) -> Stop | None:
        now = time.monotonic()
        cut = self._disconnected.poll(0)  # The process ended, or it sent a message that is too large.
        if not (self.process.is_running(EXIT_SECONDS) if cut else self.is_alive()):
            return PROCESS_ENDED
        if self._received > self.limits.output or cut:
            self.process.kill()
            return Stop("error", f"More than {self.limits.output / MIB:.0f} MB were printed or shown.")
        if now > ends:
            return out_of_time(self._seconds)
        if now - self._looked > POLL_SECONDS:
            self._looked = now
            if self.process.memory() > self.limits.memory:
                self.process.kill()
                return Stop("error", f"More than {self.limits.memory / MIB:.0f} MB of memory were used.")
        return None

    def _read(self, seconds: float) -> None:
        """Read the messages that have arrived; wait for the first one at most `seconds`."""
        for socket, _ in self._poller.poll(int(seconds * 1000)):
            frames = socket.recv_multipart()
            self._received += sum(map(len, frames))
            message = self._message(frames)
            if message is None or message["parent_header"].get("msg_id") != self._request:
                continue
            if socket is self._shell:
                self._replied = self._replied or message["msg_type"] == "execute_reply"
            elif not self._idle and (kept := _kept(message)):
                self._held.append(kept)
                self._idle = _is_idle(kept)

    def _message(self, frames: list[bytes]) -> dict[str, Any] | None:
        """Return the message, or None for other bytes: the kernel is not trusted."""
        try:
            message = self.kc.session.deserialize(self.kc.session.feed_identities(frames)[1])
            return message if isinstance(message["parent_header"], Mapping) else None
        except Exception:
            return None


def _kept(message: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what grading needs of a message, in the form that nbval expects: values, explanations, errors, the end."""
    content, kind = message["content"], message["msg_type"]
    if not isinstance(content, Mapping):
        return None
    if kind == "status":
        content = {"execution_state": str(content.get("execution_state"))}
    elif kind == "error":
        content = {"ename": str(content.get("ename")), "evalue": "", "traceback": []}
    elif kind == "display_data" and isinstance(content.get("data"), Mapping):
        data = {mime: value for mime, value in content["data"].items() if mime in (REPORTED, EXPLAINED)}
        content = {"data": data, "metadata": {}}
    else:
        return None
    return {"msg_type": kind, "parent_header": message["parent_header"], "content": content}


def _is_idle(message: Mapping[str, Any]) -> bool:
    return message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"


@cache
def _context() -> zmq.Context[Any]:
    """Return the context of all sockets to kernels, which limits what a kernel can make this process hold."""
    context = zmq.Context()
    context.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
    context.setsockopt(zmq.RCVHWM, MAX_WAITING_MESSAGES)
    return context
