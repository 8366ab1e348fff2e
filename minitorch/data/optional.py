"""Import of a package that the base install does not bring, or one line that says how to get it."""

from __future__ import annotations

import importlib
from types import ModuleType


def require(module: str, purpose: str, install: str) -> ModuleType:
    """The imported `module`; raises ImportError naming `purpose` and the `install` command if it is not there."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(f"{purpose} needs the package {package}, which is not installed: {install}") from error
