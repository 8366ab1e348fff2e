"""Signals: a first Ctrl-C or SIGTERM is a request to stop, which the training loop answers between two dispatches."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Interrupted(KeyboardInterrupt):
    """A signal stopped the run; its state is saved, and it can be resumed."""

    def __init__(self, out: Path, step: int, signal_number: int):
        self.out, self.step, self.signal_number = out, step, signal_number
        super().__init__(f"stopped after step {step} and saved in {out}")


@contextlib.contextmanager
def stop_requests() -> Iterator[list[int]]:
    """Collect the numbers of received stop signals in a list. A second signal of the same kind acts at once, as usual.

    Ignored signals stay ignored, and outside of the main thread, where Python handles none, the list stays empty.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before: dict[int, Any] = {n: signal.getsignal(n) or signal.SIG_DFL for n in (signal.SIGINT, signal.SIGTERM)}
    before = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}

    def note(number: int, frame: object) -> None:
        if number not in received:
            received.append(number)
        elif callable(before[number]):
            before[number](number, frame)
        else:
            signal.signal(number, before[number])
            signal.raise_signal(number)

    for number in before:
        signal.signal(number, note)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
