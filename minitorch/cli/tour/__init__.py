"""`minitorch tour`: its guide, its small student, its report."""

from .command import tour

__all__ = ["tour"]
