"""What a student reads after grading: one HTML file that needs nothing else, neither network nor script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from minitorch._files import atomic_write

from .html import CODE, FEEDBACK, LINE, MARKS, NAME, OVERVIEW, PARAGRAPH, bar, fill
from .overview import overview_page
from .results import Outcome, Results, Student, parse_results
from .sanitize import file_name, html, plain

ABOUT = """<footer>Each hidden test called the code above with inputs drawn for this grading, and compared what it gave with
what the reference gives. What was expected is shown by shape and kind only. A line number counts from the start of the
exercise's cell.</footer>"""


def write_pages(results: Mapping[str, Any], out: Path) -> Path:
    """Write `out`/feedback/<student>.html for every student, and `out`/overview.html for the instructor alone.

    Args:
      results: the content of a `grades.json`. The same content makes the same bytes.

    Returns the overview. Raises ValueError if `results` are none, OSError if the folder cannot be written.
    """
    read = parse_results(results)
    (out / FEEDBACK).mkdir(parents=True, exist_ok=True)
    for student in read.students:
        atomic_write(out / FEEDBACK / f"{file_name(student.student)}.html", feedback_page(read, student))
    atomic_write(out / OVERVIEW, overview_page(read))
    return out / OVERVIEW


def feedback_page(results: Results, student: Student) -> str:
    """The page of one student, who learns from it nothing about any other and no hidden value.

    Where nothing was graded it says why, and nothing else.
    """
    exercises = [*_by_exercise(student)] if student.status == "graded" else []
    return fill(
        "feedback.html",
        title=html(results.title, LINE),
        notebook=html(results.notebook, NAME),
        student=html(student.student, NAME),
        points=f"{student.points:g}",
        possible=f"{results.points:g}",
        bar=bar(student.points, results.points),
        facts=" · ".join(_facts(results, student)),
        notes=_notes(student),
        summary="".join(_summary(number, name, group) for number, (name, group) in exercises),
        exercises="".join(_exercise(number, name, group, student) for number, (name, group) in exercises),
        rest=_rest(results, student) if exercises else "",
        about=ABOUT if exercises else "",
    )


def _facts(results: Results, student: Student) -> Iterator[str]:
    if student.submitted:
        yield f"submitted {html(student.submitted, LINE).replace('T', ' ').replace('Z', ' UTC')}"
    if student.late:
        yield '<strong class="warn">late</strong>'
    yield f"graded with minitorch {html(results.versions.get('minitorch', '?'), NAME)}"


def _notes(student: Student) -> str:
    """What concerns the submission as a whole."""
    notes = [html(flag, LINE) for flag in student.own_flags[:20]]
    if student.status != "graded":
        notes.insert(0, f"<strong>Not graded.</strong> {html(student.reason or 'No reason known.', PARAGRAPH)}")
    return f'<ul class="notes">{"".join(f"<li>{note}</li>" for note in notes)}</ul>' if notes else ""


def _by_exercise(student: Student) -> Iterator[tuple[int, tuple[str, list[Outcome]]]]:
    groups = groupby(student.outcomes, lambda outcome: outcome.test.exercise)
    return enumerate(((name, list(group)) for name, group in groups), 1)


def _points(outcomes: list[Outcome]) -> tuple[float, float]:
    return sum(outcome.earned for outcome in outcomes), sum(outcome.test.points for outcome in outcomes)


def _summary(number: int, name: str, outcomes: list[Outcome]) -> str:
    earned, possible = _points(outcomes)
    return (
        f'<li><a href="#exercise-{number}">{html(name, NAME)}</a>{bar(earned, possible)}'
        f"<span>{earned:g} / {possible:g}</span></li>"
    )


def _exercise(number: int, name: str, outcomes: list[Outcome], student: Student) -> str:
    earned, possible = _points(outcomes)
    tests, code = "".join(map(_hidden_test, outcomes)), _code(student.exercises.get(name), number)
    return (
        f'<section class="exercise" id="exercise-{number}">'
        f'<h2>{html(name, NAME)} <span class="score">{earned:g} / {possible:g}</span></h2>'
        f'<ul class="tests">{tests}</ul>{code}</section>'
    )


def _hidden_test(outcome: Outcome) -> str:
    sign, word = MARKS.get(outcome.status, ("–", html(outcome.status, NAME)))
    kind = "passed" if outcome.status == "passed" else "lost"
    return (
        f'<li class="{kind}"><p class="test"><span class="sign" aria-hidden="true">{sign}</span>'
        f"<span><code>{html(outcome.test.name, NAME)}</code> {word}</span>"
        f'<span class="score">{outcome.earned:g} / {outcome.test.points:g}</span></p>'
        f"{''.join(_explanation(outcome)) if kind == 'lost' else ''}</li>"
    )


def _explanation(outcome: Outcome) -> Iterator[str]:
    if outcome.message:
        yield f'<p class="message">{html(outcome.message, PARAGRAPH)}</p>'
    if outcome.error and outcome.error != outcome.message:
        yield f'<p class="error">{html(outcome.error, PARAGRAPH)}</p>'
    if outcome.given or outcome.expected:
        given, expected = html(outcome.given or "nothing", LINE), html(outcome.expected or "nothing", LINE)
        yield f"<dl><dt>given</dt><dd>{given}</dd><dt>expected</dt><dd>{expected}</dd></dl>"
    if outcome.hint:
        yield f'<p class="hint"><strong>Hint.</strong> {html(outcome.hint, PARAGRAPH)}</p>'


def _rest(results: Results, student: Student) -> str:
    """Exercises that carry no points."""
    rest = [name for name in student.exercises if name not in results.exercises()]
    return "".join(
        f'<section class="exercise"><h2>{html(name, NAME)} <span class="score">no points</span></h2>'
        f"{_code(student.exercises[name], len(results.exercises()) + number)}</section>"
        for number, name in enumerate(rest, 1)
    )


def _code(code: str | None, number: int) -> str:
    """The student's code, with colours and line numbers."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    if not code or not code.strip():
        return '<p class="quiet">The submission holds no code for this exercise.</p>'
    coloured = HtmlFormatter(cssclass="code", linespans=f"code-{number}")
    return highlight(plain(code, CODE), PythonLexer(stripnl=False), coloured)
