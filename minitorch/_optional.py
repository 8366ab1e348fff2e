"""Import of a package that the base install does not bring, or one line that says how to get it."""

from __future__ import annotations

import contextlib
import importlib
import sys
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

# jsonschema, on which nbformat stands, takes this if it is there, and builds a grammar of web addresses: three seconds.
UNWANTED = "rfc3987_syntax"


def require(module: str, purpose: str, install: str) -> ModuleType:
    """The imported `module`; raises ImportError naming `purpose` and the `install` command if it is not there."""
    try:
        with without_rfc3987():
            return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(f"{purpose} needs the package {package}, which is not installed: {install}") from error


@contextlib.contextmanager
def without_rfc3987() -> Iterator[None]:
    """Hide the package `UNWANTED` from imports inside, which then take less time. No notebook's schema needs it."""
    modules = cast("dict[str, Any]", sys.modules)
    absent = UNWANTED not in modules
    if absent:
        modules[UNWANTED] = None  # Importing it then fails, for which jsonschema is prepared.
    try:
        yield
    finally:
        if absent:
            del modules[UNWANTED]
