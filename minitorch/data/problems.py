"""Problems of data, each with its place (a line or row), so that a person can find it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 3  # problems that an error lists; the rest are counted
ADVICE = {
    "empty": "give data that is not empty",
    "undecodable": "save it as UTF-8 text",
    "format": "give a text, .jsonl, .ndjson, .json or .parquet file; one whose name ends in .txt is read as it is",
    "schema": "correct these rows, or name another field",
    "duplicate": "keep one of each, as deduplicate(corpus) does",
    "leak": "take these out of the validation data",
}


@dataclass(frozen=True)
class Problem:
    """One problem: its `kind` (a key of ADVICE), the line or row `where` it is, and `what` is wrong there."""

    kind: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where} {self.what}"


@dataclass(frozen=True)
class ValidationReport:
    """The number of documents checked, the problems that make the data unusable, and the warnings, which do not."""

    checked: str
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    def __str__(self) -> str:
        verdict = summary(self.problems) if self.problems else "no problems"
        warned = f"; warnings: {summary(self.warnings)}" if self.warnings else ""
        return f"checked {self.checked}: {verdict}{warned}"


class DataError(ValueError):
    """Data must not be trained on. The message is one line with the first problems and advice; `problems` has all."""

    def __init__(self, *problems: Problem):
        advice = "; ".join(ADVICE[kind] for kind in Counter(p.kind for p in problems))
        super().__init__(f"{summary(problems)}: {advice}")
        self.problems = problems


def summary(problems: Sequence[Problem]) -> str:
    """Describe one problem, or count them and list the first: `4 problems (3 duplicate, 1 leak): ...; and 1 more`."""
    if len(problems) == 1:
        return str(problems[0])
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(p.kind for p in problems).items())
    rest = [f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
    return f"{len(problems)} problems ({kinds}): {'; '.join([*map(str, problems[:SHOWN]), *rest])}"
