"""The course: notebooks from one source, their checks and their grading.

    from minitorch.course import check, draw, once_written, plugged_in, show, yours

are what the cells of a notebook use. What stands behind the commands of `minitorch course` imports its packages when it
needs them.
"""

from .notebook.check import check
from .notebook.errors import install
from .notebook.plug import plugged_in
from .notebook.probe import draw, show
from .notebook.unfinished import once_written
from .student.earlier import yours

__all__ = ["check", "draw", "once_written", "plugged_in", "show", "yours"]

install()  # From here on a notebook explains its errors.
