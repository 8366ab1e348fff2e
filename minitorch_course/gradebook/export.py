"""Export of grades to spreadsheets, continuous integration, Canvas, Moodle and Gradescope."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from html import escape
from typing import TYPE_CHECKING, Any

from minitorch._files import atomic_write

from .html import LINE, NAME, PARAGRAPH, STATUS_SIGNS
from .results import Outcome, Results, Student, parse_results
from .sanitize import file_name, visible_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

# The start of a formula: at the start of a cell, or after `;`, which separates cells in some countries
# (https://owasp.org/www-community/attacks/CSV_Injection). Full-width signs count, too.
_FORMULA = re.compile(r"(^|;)(\s*)(?=[=+\-@＝＋－＠])")
BYTE_ORDER_MARK = "\ufeff"


def export(results: Mapping[str, Any], to: str, out: Path) -> Path:
    """Write grades for another program.

    Args:
      results: the content of a `grades.json`.
      to: `csv`, `junit`, `canvas`, `moodle` or `gradescope`.
      out: the file to write. For Moodle, its extension (`.csv` or `.xml`) selects the format. For Gradescope, a folder
        in which every student has a folder with a `results.json`.

    Returns:
      `out`.

    Raises:
      ValueError: `to` is unknown, or `results` is not the content of a `grades.json`.
      OSError: `out` cannot be written.
    """
    if to not in TARGETS:
        raise ValueError(f"Grades cannot be exported to {to!r}: choose one of {', '.join(TARGETS)}.")
    parsed = parse_results(results)
    for file, content in _files(parsed, to, out):
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, content)
    return out


def _files(results: Results, to: str, out: Path) -> Iterator[tuple[Path, str]]:
    if to == "gradescope":
        for student in results.students:
            yield out / file_name(student.student) / "results.json", gradescope(results, student)
    elif to == "moodle" and out.suffix.lower() == ".xml":
        yield out, moodle_xml(results)
    else:
        yield out, ONE_FILE[to](results)


def grades_csv(results: Results) -> str:
    """Return a table with one row for each student, and the points of each exercise (RFC 4180).

    It starts with a byte-order mark, without which Excel reads names in the encoding of the machine.
    """
    exercises = results.exercises()
    header = ["student", "status", "points", "possible", "late", "submitted", "reason", "flags", "sandbox"]
    rows = (_row(student, results, exercises) for student in results.students)
    return BYTE_ORDER_MARK + _table([[*header, *exercises], *rows])


def _row(student: Student, results: Results, exercises: Iterable[str]) -> list[Any]:
    earned: dict[str, float] = dict.fromkeys(exercises, 0)
    for outcome in student.outcomes:
        earned[outcome.test.exercise] += outcome.earned
    return [
        _name(student),
        student.status,
        _points(student),
        results.points,
        "yes" if student.late else "no",
        visible_text(student.submitted or "", NAME),
        visible_text(student.reason or "", PARAGRAPH),
        " | ".join(visible_text(flag, LINE) for flag in student.flags),
        visible_text(results.sandbox or "none", NAME),
        *(earned.values() if student.status == "graded" else [""] * len(earned)),
    ]


def _points(student: Student) -> float | str:
    """Return the points; nothing if the submission was not graded, which is not a zero: spreadsheets keep the gap."""
    return student.points if student.status == "graded" else ""


def canvas(results: Results) -> str:
    """Return a gradebook for Canvas: Grades > Import.

    Canvas finds a student by ID, SIS user ID, SIS login ID or name, in that order, so the name of a submission may be
    any of the last three. The column is the assignment with that title, or a new one. Source: the importer,
    https://github.com/instructure/canvas-lms/blob/master/lib/gradebook_importer.rb
    """
    title = visible_text(results.title, LINE)
    return _table(
        [
            ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title],
            ["    Points Possible", "", "", "", "", results.points],
            *([_canvas(student), "", *[_name(student)] * 2, "", _points(student)] for student in results.students),
        ]
    )


def _canvas(student: Student) -> str:
    """Return the first cell of a row. With the words "Points Possible" the row would set the assignment's points."""
    return _name(student).replace("Points Possible", "Points possible")


def moodle_csv(results: Results) -> str:
    """Return grades with feedback for Moodle: Grades > Import > CSV file, "Map from" ID number.

    Map both columns: Moodle overwrites the other one if only one is mapped (https://docs.moodle.org/en/Grade_import).
    """
    title = visible_text(results.title, LINE)
    rows = ([_name(student), _points(student), _moodle(student)] for student in results.students)
    return _table([["ID number", title, f"Feedback: {title}"], *rows])


def moodle_xml(results: Results) -> str:
    """Return the same for Grades > Import > XML file. The activity's ID number must be the notebook's name.

    Moodle imports nothing if it does not know one of the ID numbers. Source: the importer,
    https://github.com/moodle/moodle/blob/main/public/grade/import/xml/lib.php
    """
    root = ElementTree.Element("results")
    for student in results.students:
        result = ElementTree.SubElement(root, "result")
        _add(result, "assignment", results.notebook)
        _add(result, "student", _name(student))
        if student.status == "graded":
            _add(result, "score", f"{student.points:g}")
        _add(result, "feedback", _moodle(student))
    return _xml(root)


def _moodle(student: Student) -> str:
    """Return the feedback as HTML, which is how Moodle shows it."""
    return escape(_feedback(student), quote=False)


def _feedback(student: Student) -> str:
    """Return a line for each remark on the whole submission, and for each lost hidden test of a graded one."""
    lost = [outcome for outcome in student.outcomes if outcome.status != "passed" and student.status == "graded"]
    return "\n".join([*_remarks(student), *(f"{outcome.test.name}: {_message(outcome)}" for outcome in lost)])


def _remarks(student: Student) -> list[str]:
    """Return the remarks on the whole submission that do not name other students."""
    failure = [] if student.status == "graded" else [f"Not graded: {visible_text(student.reason, PARAGRAPH)}"]
    return failure + [visible_text(flag, LINE) for flag in student.own_flags]


def _message(outcome: Outcome) -> str:
    message = outcome.message or outcome.error or STATUS_SIGNS.get(outcome.status, ("", outcome.status))[1]
    hint = f" Hint: {outcome.hint}" if outcome.hint else ""
    return visible_text(message, PARAGRAPH) + hint


def gradescope(results: Results, student: Student) -> str:
    """Return the `results.json` of one student (https://gradescope-autograders.readthedocs.io/en/latest/specs/)."""
    tests = [
        {
            "name": f"{outcome.test.exercise}: {outcome.test.name}",
            "score": outcome.earned,
            "max_score": outcome.test.points,
            "status": "passed" if outcome.status == "passed" else "failed",
            "output": "" if outcome.status == "passed" else _message(outcome),
        }
        for outcome in student.outcomes
    ]
    points = [f"{results.title}: {student.points:g} of {results.points:g} points."]
    output = [*(points if student.status == "graded" else []), *_remarks(student)]
    content = {"score": student.points, "output": "\n".join(output), "tests": tests}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def junit(results: Results) -> str:
    """Return a test suite for each student, with a case for each hidden test, and no times.

    Elements and attributes are those of junit-10.xsd in https://github.com/jenkinsci/xunit-plugin.
    """
    root = ElementTree.Element("testsuites", name=visible_text(results.notebook, NAME))
    for student in results.students:
        cases = [_case(results, outcome) for outcome in student.outcomes]
        if student.status != "graded":
            cases.insert(0, _submission(results, student))
        counts = {f"{kind}s" if kind != "skipped" else kind: _count(cases, kind) for kind in KINDS}
        counts["tests"] = str(len(cases))
        ElementTree.SubElement(root, "testsuite", {"name": _name(student), **counts}).extend(cases)
    return _xml(root)


KINDS = ("failure", "error", "skipped")


def _count(cases: Sequence[ElementTree.Element], kind: str) -> str:
    return str(sum(case.find(kind) is not None for case in cases))


def _case(results: Results, outcome: Outcome) -> ElementTree.Element:
    where = f"{results.notebook}.{outcome.test.exercise}"
    case = ElementTree.Element("testcase", classname=where, name=outcome.test.name)
    kind = {"passed": None, "wrong": "failure", "not run": "skipped"}.get(outcome.status, "error")
    if kind:
        ElementTree.SubElement(case, kind, message=visible_text(_message(outcome), LINE)).text = _message(outcome)
    return case


def _submission(results: Results, student: Student) -> ElementTree.Element:
    """Return a case with the reason why a submission was not graded."""
    case = ElementTree.Element("testcase", classname=results.notebook, name="submission")
    error = ElementTree.SubElement(case, "error", message=visible_text(student.reason, LINE))
    error.text = visible_text(student.reason, PARAGRAPH)
    return case


def _name(student: Student) -> str:
    """Return the student's name on one line. A name of ordinary length is not cut, so that other programs find it."""
    return " ".join(visible_text(student.student, LINE).split())


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text


def _xml(root: ElementTree.Element) -> str:
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _table(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as RFC 4180. A text that a spreadsheet would read as a formula gets an apostrophe in front."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    return _FORMULA.sub(r"\1\2'", value) if isinstance(value, str) else value


ONE_FILE: dict[str, Callable[[Results], str]] = {
    "csv": grades_csv,
    "junit": junit,
    "canvas": canvas,
    "moodle": moodle_csv,
}
TARGETS = (*ONE_FILE, "gradescope")
