"""The result of a check: items with points, and comments with a place, a reason and a remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

DONE, MISSING, UNVERIFIED = "done", "missing", "unverified"


@dataclass(frozen=True)
class Comment:
    """One comment of a reviewer. `where` is a file, usually with its line (`Dockerfile:12`), or a commit."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


@dataclass(frozen=True)
class Item:
    """A requirement of a lab. It earns its points if it has no comments and could be verified.

    Attributes:
      unverified: why it could not be checked; empty if it was.
    """

    name: str
    title: str
    points: int
    comments: Sequence[Comment] = ()
    unverified: str = ""

    @property
    def status(self) -> str:
        """`done`, `missing` or `unverified`."""
        return MISSING if self.comments else UNVERIFIED if self.unverified else DONE

    @property
    def earned(self) -> int:
        """The points of an item that is done, else 0."""
        return self.points if self.status == DONE else 0


@dataclass(frozen=True)
class Review:
    """The review of a lab. `notes` do not cost points."""

    lab: str
    items: Sequence[Item]
    notes: Sequence[str] = field(default=())

    @property
    def earned(self) -> int:
        """The sum of the earned points."""
        return sum(item.earned for item in self.items)

    @property
    def points(self) -> int:
        """The sum of all points."""
        return sum(item.points for item in self.items)

    @property
    def done(self) -> bool:
        """Whether every item is done."""
        return all(item.status == DONE for item in self.items)

    def as_dict(self) -> dict[str, Any]:
        """Return the review as JSON data."""
        items = [asdict(item) | {"status": item.status, "earned": item.earned} for item in self.items]
        return {"lab": self.lab, "points": self.points, "earned": self.earned, "done": self.done} | {
            "items": items,
            "notes": list(self.notes),
        }
