"""Where checks and probes put what they show: a notebook's output, a listener, or the terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

Bundle = dict[str, Any]  # One value in several forms: MIME type -> content.

_listeners: list[Callable[[Bundle], None]] = []


@contextlib.contextmanager
def listen(listener: Callable[[Bundle], None]) -> Iterator[None]:
    """Inside, the innermost listener gets each bundle, and nothing is displayed."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def publish(bundle: Bundle) -> None:
    """Display a bundle, which has a `text/plain` form, wherever this code is running."""
    if _listeners:
        _listeners[-1](bundle)
    elif shell() is None:
        print(bundle["text/plain"])
    else:
        from IPython.display import display

        display(bundle, raw=True)


def shell() -> Any:
    """The IPython shell that runs this process, or None."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None
