"""The instructor's page about a graded class: points, hard tests, failures, similar submissions. Not for students."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import mean, median
from typing import TYPE_CHECKING

from markupsafe import Markup

from .html import STATUS_SIGNS, render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .results import HiddenTest, Outcome, Results, Student

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BASE = 8, 712, 26, 206  # of the bars, in units of the drawing
MAX_BINS, MAX_HARDEST = 16, 10


def overview_page(results: Results) -> str:
    """Return the page of the class. It contains names, so it stays with the instructor."""
    graded = [student for student in results.students if student.status == "graded"]
    return render(
        "overview.html",
        results=results,
        graded=graded,
        numbers=list(_numbers(results, graded)),
        histogram=histogram([student.points for student in graded], results.points),
        failed=[student for student in results.students if student.status != "graded"],
        remarks=_remarks,
        hardest=_hardest(results, graded),
        similar=_similar(results),
        flagged=[student for student in results.students if student.other_flags],
    )


def _numbers(results: Results, graded: Sequence[Student]) -> Iterator[tuple[str, str]]:
    points = [student.points for student in graded]
    yield "submissions", f"{len(results.students)}"
    yield "not graded", f"{len(results.students) - len(graded)}"
    yield "late", f"{sum(student.late for student in results.students)}"
    yield f"mean of {results.points:g} points", f"{mean(points):.1f}" if points else "–"
    yield "median", f"{median(points):g}" if points else "–"
    yield "full marks", f"{sum(point >= results.points for point in points)}"


@dataclass(frozen=True)
class _Bar:
    """A bar of the histogram, in units of the drawing."""

    x: float
    y: float
    width: float
    count: int
    label: str

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


def histogram(points: Sequence[float], possible: float) -> Markup:
    """Return an SVG drawing of how many students have how many points, in the colours of the page."""
    width = next(w for e in range(9) for w in (10**e, 2 * 10**e, 5 * 10**e) if possible // w < MAX_BINS)
    bins = int(possible // width) + 1
    counts = Counter(min(int(max(point, 0) // width), bins - 1) for point in points)
    scale, step = (BASE - TOP) / max(counts.values(), default=1), (RIGHT - LEFT) / bins
    bars = [
        _Bar(LEFT + i * step + 2, BASE - scale * counts[i], step - 4, counts[i], _label(i * width, width, possible))
        for i in range(bins)
    ]
    # The template escapes what it shows.
    return Markup(render("histogram.svg", bars=bars, width=WIDTH, height=HEIGHT, left=LEFT, right=RIGHT, base=BASE))


def _label(first: float, width: float, possible: float) -> str:
    last = min(first + width - 1, possible)
    return f"{first:g}–{last:g}" if last > first else f"{first:g}"


def _remarks(student: Student) -> list[str]:
    return [
        *(["not graded"] if student.status != "graded" else []),
        *(["late"] if student.late else []),
        *([f"{len(student.flags)} to look at"] if student.flags else []),
    ]


@dataclass(frozen=True)
class _Hardest:
    """A hidden test, how many of the graded students passed it, and the commonest messages of the others."""

    test: HiddenTest
    passed: int
    of: int
    messages: list[tuple[str, int]]


def _hardest(results: Results, graded: Sequence[Student]) -> list[_Hardest]:
    rows = []
    for i, test in enumerate(results.tests):
        lost = [student.outcomes[i] for student in graded if student.outcomes[i].status != "passed"]
        messages = Counter(map(_message, lost)).most_common(3)
        rows.append(_Hardest(test, len(graded) - len(lost), len(graded), messages))
    return sorted((row for row in rows if row.passed < row.of), key=lambda row: row.passed)[:MAX_HARDEST]


def _message(outcome: Outcome) -> str:
    """Return the first line of a message, so that equal causes are counted together."""
    text = outcome.message or outcome.error or ""
    return text.partition("\n")[0] or STATUS_SIGNS.get(outcome.status, ("", outcome.status))[1]


def _similar(results: Results) -> list[tuple[str, str, int]]:
    """Return each pair of similar submissions once, with their similarity in percent, the most similar first."""
    pairs: dict[tuple[str, str], int] = {}
    for student in results.students:
        for other, share in student.similar():
            first, second = sorted((student.student, other))
            pairs[first, second] = max(share, pairs.get((first, second), 0))
    return [(*pair, share) for pair, share in sorted(pairs.items(), key=lambda row: (-row[1], row[0]))]
