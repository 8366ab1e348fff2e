"""Optional packages: import one, or raise an error with the install command."""

from __future__ import annotations

import contextlib
import importlib
import sys
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

# If it is installed, jsonschema (a dependency of nbformat) imports it, which takes three seconds.
UNWANTED = "rfc3987_syntax"


def require(module: str, purpose: str, install: str) -> ModuleType:
    """Import and return `module`.

    Raises:
      ImportError: it is not installed; the message has the `purpose` and the `install` command.
    """
    try:
        with without_rfc3987():
            return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(f"{purpose} needs the package {package}, which is not installed: {install}") from error


@contextlib.contextmanager
def without_rfc3987() -> Iterator[None]:
    """Hide the package `UNWANTED` from the imports of other packages in this context: no notebook's schema needs it."""
    modules = cast("dict[str, Any]", sys.modules)
    absent = UNWANTED not in modules
    if absent:
        modules[UNWANTED] = None  # An import of it then fails, which jsonschema handles.
    try:
        yield
    finally:
        if absent:
            del modules[UNWANTED]
