"""The labs by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from minitorch._suggest import did_you_mean

from .ci import check as ci
from .docker import check as docker
from .lab_dir import PARENT, find
from .pull_request import check as pull_request
from .pull_request import upstream

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .review import Review


@dataclass(frozen=True)
class Lab:
    """The two functions of a lab.

    Attributes:
      start: creates the given folder.
      check: reviews a folder; the second argument says whether the lab may respond by changing it.
    """

    start: Callable[[Path], None]
    check: Callable[[Path, bool], Review]


LABS = {
    "ci": Lab(ci.start, ci.check),
    "docker": Lab(docker.start, docker.check),
    "pull-request": Lab(upstream.start, pull_request.check),
}


def start(name: str, folder: Path | None) -> Path:
    """Create the folder of a lab, and return it. Raises ValueError for an unknown lab, or a folder that is in use."""
    place = folder or PARENT / name
    _lab(name).start(place)
    return place


def check(name: str, folder: Path | None, respond: bool) -> Review:
    """Review a lab. Raises ValueError for an unknown lab, or one that has not been started."""
    return _lab(name).check(find(name, folder), respond)


def _lab(name: str) -> Lab:
    if name not in LABS:
        raise ValueError(f"Unknown lab {name!r}. There are: {', '.join(LABS)}.{did_you_mean(name, LABS)}")
    return LABS[name]
