"""The course on minitorch: notebooks built from one source, their checks and their grading.

    from minitorch_course import check, inputs, my_solution, override_rules, report, setup, skip_if_unfinished

The names are what notebooks use. They are imported at first use, so that the command line stays quick.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .notebook.check import check
    from .notebook.errors import setup
    from .notebook.hidden_test import inputs, report
    from .notebook.override_rules import override_rules
    from .notebook.skip_if_unfinished import skip_if_unfinished
    from .student.my_solution import my_solution

__all__ = ["check", "inputs", "my_solution", "override_rules", "report", "setup", "skip_if_unfinished"]

_MODULES = {
    "check": "notebook.check",
    "inputs": "notebook.hidden_test",
    "my_solution": "student.my_solution",
    "override_rules": "notebook.override_rules",
    "report": "notebook.hidden_test",
    "setup": "notebook.errors",
    "skip_if_unfinished": "notebook.skip_if_unfinished",
}


def __getattr__(name: str) -> Any:
    """Import what notebooks use when it is first needed."""
    if name in _MODULES:
        return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module 'minitorch_course' has no attribute {name!r}. It has: {', '.join(__all__)}.")


def __dir__() -> list[str]:
    """Return the names of the module, including those that are not imported yet."""
    return [*globals(), *__all__]
