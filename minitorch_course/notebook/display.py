"""Output of checks and hidden tests: to the notebook, to a listener, or to the terminal."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Bundle = dict[str, Any]  # One value in several forms: MIME type -> content.

_listeners: list[Callable[[Bundle], None]] = []


@contextlib.contextmanager
def listen(listener: Callable[[Bundle], None]) -> Iterator[None]:
    """Send bundles to `listener` inside the `with` block, and display nothing. The innermost listener gets them."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def publish(bundle: Bundle) -> None:
    """Display a bundle, which must have a `text/plain` form, in the notebook or in the terminal."""
    if _listeners:
        _listeners[-1](bundle)
    elif shell() is None:
        print(bundle["text/plain"])
    else:
        from IPython.display import display

        display(bundle, raw=True)


def shell() -> Any:
    """Return the IPython shell that runs this process, or None."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None
