"""`minitorch tour`: the command, its distilled student, its loss chart and its report."""

from .command import tour

__all__ = ["tour"]
