"""The labs by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .ci import check as ci
from .docker import check as docker
from .lab_dir import WHERE, find
from .pull_request import check as pull_request
from .pull_request import upstream
from .review import Report


@dataclass(frozen=True)
class Lab:
    """How a lab is begun and checked. `check` takes the folder, and whether the lab may answer by changing it."""

    start: Callable[[Path], None]
    check: Callable[[Path, bool], Report]


LABS = {
    "ci": Lab(ci.start, ci.check),
    "docker": Lab(docker.start, docker.check),
    "pull-request": Lab(upstream.start, pull_request.check),
}


def start(name: str, folder: Path | None) -> Path:
    """Lay a lab down, and say where. Raises ValueError for an unknown lab, or a folder that is in use."""
    place = folder or WHERE / name
    _named(name).start(place)
    return place


def check(name: str, folder: Path | None, answer: bool) -> Report:
    """Look at a lab. Raises ValueError for an unknown lab, or one that has not been started."""
    return _named(name).check(find(name, folder), answer)


def _named(name: str) -> Lab:
    if name not in LABS:
        raise ValueError(f"There is no lab {name!r}. There are: {', '.join(LABS)}.")
    return LABS[name]
