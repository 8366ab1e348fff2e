"""The course: notebooks from one source, their checks and their grading.

    from minitorch.course import check, draw, once_written, plugged_in, show, yours

are what the cells of a notebook use. What stands behind the commands of `minitorch course` imports its packages when it
needs them.
"""

from .check import check
from .earlier import yours
from .errors import install
from .plug import plugged_in
from .probe import draw, show
from .unfinished import once_written

__all__ = ["check", "draw", "once_written", "plugged_in", "show", "yours"]

install()  # From here on a notebook explains its errors.
