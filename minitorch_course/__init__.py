"""The course: notebooks from one source, their checks and their grading.

    from minitorch_course import check, draw, once_written, plugged_in, show, yours

are what the cells of a notebook use. What stands behind the commands of `minitorch course` imports its packages when it
needs them.
"""

from .notebook.check import check
from .notebook.errors import install
from .notebook.hidden_test import draw, show
from .notebook.override_rules import plugged_in
from .notebook.skip_if_unfinished import once_written
from .student.earlier import yours

__all__ = ["check", "draw", "once_written", "plugged_in", "show", "yours"]

install()  # From here on a notebook explains its errors.
