"""Ctrl-C in a command: one line and the exit code 130, at every moment.

By default, Python raises KeyboardInterrupt wherever it is: in an import, a callback of the compiler or a destructor,
where that becomes a traceback, a crash, or nothing at all; and while compiled code runs, it does not react. A command
writes whole files only, so it may exit at once, as after a kill. Two places do otherwise: the training loop first saves
its state (`train.signals`), and a plugin's command cleans up after its child processes (`unwind`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

TYPE_CHECKING = False  # as in the package root
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INTERRUPTED = 128 + signal.SIGINT
GRACE = 0.5  # seconds until the watching thread acts in place of the main thread
SHOW_CURSOR = "\x1b[?25h\n"  # A progress bar hides it.

_message: Callable[[], str] = lambda: "interrupted"  # noqa: E731 (a variable)
_exiting: list[int] = []
_installed: list[bool] = []


def install() -> None:
    """Exit at once on SIGINT, even while compiled code runs; unless it is ignored, as in a background job."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    signal.signal(signal.SIGINT, exit_at_once)
    _installed.append(True)
    import threading

    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))
    threading.Thread(target=_watch, args=(reading,), daemon=True).start()


def exit_at_once(number: int, frame: object = None) -> None:
    """Print the line, once, and end the process without running anything else: XLA's threads may still compute."""
    if _exiting:  # A second signal, while this function runs for the first.
        return
    _exiting.append(number)
    try:
        start = SHOW_CURSOR if os.isatty(2) else ""
        os.write(2, f"{start}minitorch: {_message()}\n".encode())
        flush()
    finally:
        os._exit(128 + number)


def flush() -> bool:
    """Write out what was printed; return whether that worked. The disk may be full, or the reader gone."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception:
        return False
    return True


@contextlib.contextmanager
def saying(message: Callable[[], str]) -> Iterator[None]:
    """Print what `message` returns on Ctrl-C inside this context."""
    global _message
    before, _message = _message, message
    try:
        yield
    finally:
        _message = before


def unwind(on: bool = True) -> None:
    """From now on, raise KeyboardInterrupt, for commands that must clean up; or, if not `on`, exit at once again."""
    handlers = exit_at_once, signal.default_int_handler
    if _installed and signal.getsignal(signal.SIGINT) in handlers:
        signal.signal(signal.SIGINT, handlers[on])


def _watch(reading: int) -> None:
    """Exit if the main thread does not: a handler in Python runs only when the main thread returns from compiled code.

    A handler of others, such as that of the training loop, may take its time for the first signal.
    """
    import time

    last, times = None, 0
    while number := os.read(reading, 1):
        if number[0] != signal.SIGINT:
            continue
        handler = signal.getsignal(signal.SIGINT)
        last, times = handler, times + 1 if handler is last else 1
        if handler is exit_at_once or (times > 1 and handler is not signal.default_int_handler):
            time.sleep(GRACE)
            exit_at_once(signal.SIGINT)
            os._exit(INTERRUPTED)  # The main thread does exit, but waits for the reader of its output.
