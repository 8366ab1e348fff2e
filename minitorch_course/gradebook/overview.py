"""What an instructor reads after grading a class: points, hard tests, failures, similar answers. Not for students."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import mean, median

from .html import FEEDBACK, LINE, MARKS, NAME, PARAGRAPH, bar, fill
from .results import HiddenTest, Outcome, Results, Student
from .sanitize import file_name, html

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 8, 712, 26, 206  # of the bars, in the drawing's own units
BINS, HARDEST = 16, 10  # at most


def overview_page(results: Results) -> str:
    """The page of the class. It holds names, so it stays with the instructor."""
    graded = [student for student in results.students if student.status == "graded"]
    return fill(
        "overview.html",
        title=html(results.title, LINE),
        notebook=html(results.notebook, NAME),
        sandbox=_sandbox(results),
        numbers="".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in _numbers(results, graded)),
        histogram=histogram([student.points for student in graded], results.points),
        possible=f"{results.points:g}",
        count=f"{len(graded)}",
        failures=_failures(results),
        students="".join(_student(student, results) for student in results.students),
        hardest="".join(_hidden_test(*row) for row in _hardest(results, graded)) or "<li>Nobody lost a point.</li>",
        similar=_similar(results),
        flags=_flags(results),
        versions=" · ".join(f"{html(name, NAME)} {html(version, NAME)}" for name, version in results.versions.items()),
        seed=html(results.seed, NAME),
    )


def _sandbox(results: Results) -> str:
    if results.sandbox:
        return f'<p class="quiet">Students\' code ran in a sandbox ({html(results.sandbox, NAME)}).</p>'
    return (
        '<p class="alarm"><strong>Graded without a sandbox.</strong> Students\' code ran with the rights of whoever'
        " graded: it could read and change their files, the expected values among them. Trust the points less.</p>"
    )


def _numbers(results: Results, graded: Sequence[Student]) -> Iterator[tuple[str, str]]:
    points = [student.points for student in graded]
    yield "submissions", f"{len(results.students)}"
    yield "not graded", f"{len(results.students) - len(graded)}"
    yield "late", f"{sum(student.late for student in results.students)}"
    yield f"mean of {results.points:g} points", f"{mean(points):.1f}" if points else "–"
    yield "median", f"{median(points):g}" if points else "–"
    yield "full marks", f"{sum(point >= results.points for point in points)}"


def histogram(points: Sequence[float], possible: float) -> str:
    """How many students have how many points, as SVG that takes its colours from the page."""
    width = next(w for e in range(9) for w in (10**e, 2 * 10**e, 5 * 10**e) if possible // w < BINS)
    bins = int(possible // width) + 1
    counts = Counter(min(int(max(point, 0) // width), bins - 1) for point in points)
    bars = "".join(_bin(i, bins, width, possible, counts[i], max(counts.values(), default=1)) for i in range(bins))
    return (
        f'<svg class="histogram" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Number of students by points">'
        f'{bars}<line x1="{LEFT}" x2="{RIGHT}" y1="{BOTTOM}" y2="{BOTTOM}"/></svg>'
    )


def _bin(i: int, bins: int, width: float, possible: float, count: int, tallest: int) -> str:
    """The bar of those with `i * width` points up to the next bar, with their number above it and the points below."""
    step, first = (RIGHT - LEFT) / bins, i * width
    last = min(first + width - 1, possible)
    x, height = LEFT + i * step, (BOTTOM - TOP) * count / tallest
    middle = f"{x + step / 2:.1f}"
    return (
        f'<rect x="{x + 2:.1f}" y="{BOTTOM - height:.1f}" width="{step - 4:.1f}" height="{height:.1f}"/>'
        + (f'<text x="{middle}" y="{BOTTOM - height - 7:.1f}">{count}</text>' if count else "")
        + f'<text class="edge{" odd" if (bins - i) % 2 == 0 else ""}" x="{middle}" y="{BOTTOM + 22}">'
        f"{first:g}{f'–{last:g}' if last > first else ''}</text>"
    )


def _link(student: str) -> str:
    return f'<a href="{FEEDBACK}/{file_name(student)}.html"><bdi>{html(student, NAME)}</bdi></a>'


def _student(student: Student, results: Results) -> str:
    remarks = [
        *(["not graded"] if student.status != "graded" else []),
        *(["late"] if student.late else []),
        *([f"{len(student.flags)} to look at"] if student.flags else []),
    ]
    return (
        f'<tr><td class="name">{_link(student.student)}</td>'
        f'<td class="number">{student.points:g}</td><td class="meter">{bar(student.points, results.points)}</td>'
        f'<td class="strip">{_strip(student.outcomes)}</td><td class="remark">{", ".join(remarks)}</td></tr>'
    )


def _strip(outcomes: Sequence[Outcome]) -> str:
    """A sign for each hidden test, in the notebook's order; those of an exercise stand together."""
    groups = groupby(outcomes, lambda outcome: outcome.test.exercise)
    return " ".join(f"<span>{''.join(map(_sign, group))}</span>" for _, group in groups)


def _sign(outcome: Outcome) -> str:
    return (
        f'<i class="{"passed" if outcome.status == "passed" else "lost"}" title="{html(outcome.test.name, NAME)}">'
        f"{MARKS.get(outcome.status, ('–', ''))[0]}</i>"
    )


def _failures(results: Results) -> str:
    failed = [student for student in results.students if student.status != "graded"]
    if not failed:
        return ""
    rows = (f"<dt>{_link(s.student)}</dt><dd>{html(s.reason or 'No reason known.', PARAGRAPH)}</dd>" for s in failed)
    return (
        "<section><h2>Not graded</h2><p>They have no points. Put what they hand in again in its place, and grade with"
        " <code>--resume</code>.</p>"
        f'<dl class="rows">{"".join(rows)}</dl></section>'
    )


def _hardest(results: Results, graded: Sequence[Student]) -> list[tuple[HiddenTest, int, int, list[tuple[str, int]]]]:
    """The hidden tests that most failed: how many passed, of how many, and the commonest messages."""
    rows = []
    for i, test in enumerate(results.tests):
        outcomes = [student.outcomes[i] for student in graded]
        lost = [outcome for outcome in outcomes if outcome.status != "passed"]
        messages = Counter(_reason(outcome) for outcome in lost)
        rows.append((test, len(outcomes) - len(lost), len(outcomes), messages.most_common(3)))
    return sorted((row for row in rows if row[1] < row[2]), key=lambda row: row[1])[:HARDEST]


def _reason(outcome: Outcome) -> str:
    """In one line, so that what is the same to a reader counts as the same."""
    said = outcome.message or outcome.error or ""
    return said.partition("\n")[0] or MARKS.get(outcome.status, ("", outcome.status))[1]


def _hidden_test(test: HiddenTest, passed: int, of: int, messages: Sequence[tuple[str, int]]) -> str:
    said = "".join(f"<li><b>{count} ×</b> {html(message, LINE)}</li>" for message, count in messages)
    worth = f"{test.points:g} point{'s' if test.points != 1 else ''}"
    return (
        f'<li class="hard"><p class="test"><span><code>{html(test.name, NAME)}</code> {html(test.exercise, NAME)},'
        f' {worth}</span><span class="score">{passed} of {of} passed</span></p>'
        f"{bar(passed, of)}<ul>{said}</ul></li>"
    )


def _similar(results: Results) -> str:
    pairs: dict[tuple[str, str], int] = {}
    for student in results.students:
        for other, share in student.similar():
            first, second = sorted((student.student, other))
            pairs[first, second] = max(share, pairs.get((first, second), 0))
    if not pairs:
        return "<p>No two submissions are nearly the same.</p>"
    rows = sorted(pairs.items(), key=lambda row: (-row[1], row[0]))
    items = "".join(f"<li>{_link(a)} and {_link(b)} <span>{share} %</span></li>" for (a, b), share in rows)
    return f'<ul class="pairs">{items}</ul>'


def _flags(results: Results) -> str:
    rows = "".join(
        f"<dt>{_link(student.student)}</dt><dd>{'<br>'.join(html(flag, LINE) for flag in student.own_flags[:20])}</dd>"
        for student in results.students
        if student.own_flags
    )
    return f'<dl class="rows">{rows}</dl>' if rows else "<p>Nothing.</p>"
