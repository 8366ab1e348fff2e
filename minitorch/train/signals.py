"""Stop where it is safe: a first Ctrl-C or SIGTERM is a request, which the loop answers between two steps."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Interrupted(KeyboardInterrupt):
    """A run was asked to stop; its state is saved, and it can be resumed."""

    def __init__(self, out: Path, step: int, signal_number: int):
        self.out, self.step, self.signal_number = out, step, signal_number
        super().__init__(f"stopped after step {step} and saved in {out}")


@contextlib.contextmanager
def stop_requests() -> Iterator[list[int]]:
    """Collects the numbers of signals that ask to stop. A second one of the same kind acts at once, as always.

    Outside of the main thread, where Python cannot listen to signals, the list stays empty.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before: dict[int, Any] = {n: signal.getsignal(n) or signal.SIG_DFL for n in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: object) -> None:
        received.append(number)
        signal.signal(number, before[number])

    for number in before:
        signal.signal(number, note)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
