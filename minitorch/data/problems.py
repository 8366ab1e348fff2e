"""What can be wrong with data, and how it is told: with the place, so that a person can go and look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

SHOWN = 3  # problems spelled out in an error; the rest are counted
ADVICE = {
    "empty": "give data that holds something",
    "undecodable": "save it as UTF-8 text",
    "schema": "correct these rows, or name another field",
    "duplicate": "keep one of each, as deduplicate(corpus) does",
    "leak": "take these out of the validation data",
}


@dataclass(frozen=True)
class Problem:
    """One defect: its `kind` (a key of ADVICE), the line or row `where` it is, and `what` is wrong there."""

    kind: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where} {self.what}"


@dataclass(frozen=True)
class ValidationReport:
    """What was looked at, the problems that refuse the data, and the warnings that do not."""

    checked: str
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    def __str__(self) -> str:
        verdict = summary(self.problems) if self.problems else "no problems"
        warned = f"; warnings: {summary(self.warnings)}" if self.warnings else ""
        return f"checked {self.checked}: {verdict}{warned}"


class DataError(ValueError):
    """Data that must not be trained on: one line with the first few problems and what to do; `problems` has all."""

    def __init__(self, *problems: Problem):
        advice = "; ".join(ADVICE[kind] for kind in Counter(p.kind for p in problems))
        super().__init__(f"{summary(problems)}: {advice}")
        self.problems = problems


def summary(problems: Sequence[Problem]) -> str:
    """The one problem, or counts by kind and the first few: `4 problems (3 duplicate, 1 leak): ...; and 1 more`."""
    if len(problems) == 1:
        return str(problems[0])
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(p.kind for p in problems).items())
    rest = [f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
    return f"{len(problems)} problems ({kinds}): {'; '.join([*map(str, problems[:SHOWN]), *rest])}"
