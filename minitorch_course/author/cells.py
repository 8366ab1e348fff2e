"""The cells of a notebook's source, and the solutions between their markers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

KINDS = ("exercise", "check", "hidden-test", "demo")
BEGIN, END = re.compile(r"^\s*# BEGIN SOLUTION\b:?(.*)$"), re.compile(r"^\s*# END SOLUTION\s*$")
MUTANT_OK = re.compile(r"\s*# mutant-ok:.*$")
FORMATTER = re.compile(r"\s*# fmt: ?(skip|off|on)\s*$")


@dataclass(frozen=True)
class Region:
    """A solution: `first` and `last` are the line numbers of its markers in the cell, from 0."""

    first: int
    last: int
    task: str


@dataclass(frozen=True)
class Cell:
    """One cell. `kind` is markdown, setup or one of `KINDS`; `line` is where its text begins in the file."""

    kind: str
    name: str
    tags: tuple[str, ...]
    options: dict[str, Any]
    source: str
    line: int

    @property
    def exercise(self) -> str | None:
        """The exercise that the cell belongs to."""
        return self.name if self.kind == "exercise" else self.options.get("exercise")

    @property
    def points(self) -> int:
        return self.options.get("points", 0)

    @property
    def forbids(self) -> list[str]:
        return self.options.get("forbids", [])

    @property
    def stretch(self) -> bool:
        return "stretch" in self.tags

    @property
    def regions(self) -> list[Region]:
        """The solutions in the cell, in order; only well-formed pairs of markers."""
        found, begun = [], None
        for number, line in enumerate(self.source.splitlines()):
            if match := BEGIN.match(line):
                begun = number, match[1].strip()
            elif END.match(line) and begun:
                found.append(Region(begun[0], number, begun[1]))
                begun = None
        return found


@dataclass(frozen=True)
class Notebook:
    """The parsed source of a notebook."""

    name: str
    title: str
    cells: tuple[Cell, ...]
    path: Path = field(compare=False)

    def of(self, *kinds: str) -> list[Cell]:
        """Return the cells of some kinds, in order."""
        return [cell for cell in self.cells if cell.kind in kinds]

    def exercise(self, name: str) -> Cell:
        return next(cell for cell in self.of("exercise") if cell.name == name)

    @property
    def points(self) -> int:
        return sum(cell.points for cell in self.of("hidden-test"))

    @property
    def forbids(self) -> list[str]:
        """The library functions that at least one exercise forbids."""
        return sorted({name for cell in self.cells for name in cell.forbids})


def title_of(cells: Iterable[Cell]) -> str:
    """Return the first heading, or an empty string."""
    for cell in cells:
        if match := re.match(r"# +(.+)", cell.source):
            return match[1].strip() if cell.kind == "markdown" else ""
    return ""


def solved(source: str) -> str:
    """Return the cell as the reference shows it: the solution without its markers and without remarks for tools."""
    return "\n".join(
        _for_readers(line for line in source.splitlines() if not BEGIN.match(line) and not END.match(line))
    )


def unsolved(cell: Cell) -> str:
    """Return the cell as it is released: each solution becomes `raise NotImplementedError` with the task's words."""
    lines = cell.source.splitlines()
    for region in reversed(cell.regions):
        indent = re.match(r"\s*", lines[region.first])
        task = region.task.replace("\\", "\\\\").replace('"', '\\"')
        lines[region.first : region.last + 1] = [f'{indent[0] if indent else ""}raise NotImplementedError("{task}")']
    return "\n".join(_for_readers(lines))


def _for_readers(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines without remarks for `mutate` and the formatter. A line that holds only a remark is dropped."""
    for line in lines:
        left = FORMATTER.sub("", MUTANT_OK.sub("", line))
        if left or not line:
            yield left
