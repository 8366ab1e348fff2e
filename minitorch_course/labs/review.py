"""What a check says: items with points, and comments that say where, why and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

DONE, MISSING, UNVERIFIED = "done", "missing", "unverified"


@dataclass(frozen=True)
class Comment:
    """One remark. `where` is a file, mostly with its line (`Dockerfile:12`), or a commit."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


@dataclass(frozen=True)
class Item:
    """Something that is asked for. Its points are given if there is no comment, and it could be verified.

    Attributes:
      unverified: why it could not be looked at, if so.
    """

    name: str
    title: str
    points: int
    comments: Sequence[Comment] = ()
    unverified: str = ""

    @property
    def status(self) -> str:
        return MISSING if self.comments else UNVERIFIED if self.unverified else DONE

    @property
    def earned(self) -> int:
        return self.points if self.status == DONE else 0


@dataclass(frozen=True)
class Report:
    """The answer to a lab as it is now. `notes` are no fault of the student's."""

    lab: str
    items: Sequence[Item]
    notes: Sequence[str] = field(default=())

    @property
    def earned(self) -> int:
        return sum(item.earned for item in self.items)

    @property
    def points(self) -> int:
        return sum(item.points for item in self.items)

    @property
    def done(self) -> bool:
        return all(item.status == DONE for item in self.items)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        items = [asdict(item) | {"status": item.status, "earned": item.earned} for item in self.items]
        return {"lab": self.lab, "points": self.points, "earned": self.earned, "done": self.done} | {
            "items": items,
            "notes": list(self.notes),
        }
