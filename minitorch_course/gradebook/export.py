"""Grades in the forms that other programs read: spreadsheets, continuous integration, Canvas, Moodle, Gradescope."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from minitorch._files import atomic_write

from .html import LINE, MARKS, NAME, PARAGRAPH
from .results import Outcome, Results, Student, parse_results
from .sanitize import file_name, plain

# What makes a spreadsheet calculate, at the start of a cell, or of what it takes for one where `;` separates cells
# (https://owasp.org/www-community/attacks/CSV_Injection); full-width signs count too.
_FORMULA = re.compile(r"(^|;)(\s*)(?=[=+\-@＝＋－＠])")


def export(results: Mapping[str, Any], to: str, out: Path) -> Path:
    """Write the content of a `grades.json` for `to`: `csv`, `junit`, `canvas`, `moodle` or `gradescope`.

    Args:
      out: the file to write; for Moodle its ending, `.csv` or `.xml`, says which of the two forms. For Gradescope a
        folder, in which every student has a folder with a `results.json`.

    Returns `out`. Raises ValueError for another `to` and for `results` that are none, OSError if it cannot be written.
    """
    if to not in TARGETS:
        raise ValueError(f"There is no export to {to!r}: choose one of {', '.join(TARGETS)}.")
    read = parse_results(results)
    for file, content in _files(read, to, out):
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
    """One row a student, with the points of each exercise (RFC 4180)."""
    exercises = results.exercises()
    header = ["student", "status", "points", "possible", "late", "submitted", "reason", "flags", "sandbox"]
    return _table([[*header, *exercises], *(_row(student, results, exercises) for student in results.students)])


def _row(student: Student, results: Results, exercises: Iterable[str]) -> list[Any]:
    earned: dict[str, float] = dict.fromkeys(exercises, 0)
    for outcome in student.outcomes:
        earned[outcome.test.exercise] += outcome.earned
    return [
        _name(student),
        student.status,
        student.points,
        results.points,
        "yes" if student.late else "no",
        plain(student.submitted or "", NAME),
        plain(student.reason or "", PARAGRAPH),
        " | ".join(plain(flag, LINE) for flag in student.flags),
        plain(results.sandbox or "none", NAME),
        *earned.values(),
    ]


def canvas(results: Results) -> str:
    """A gradebook for Canvas: Grades > Import.

    Canvas looks for a student by ID, then SIS user ID, then SIS login ID, then name; so the name of the submission
    may be any of the last three. The column is an assignment of that title, or a new one. Form and order of search: the
    importer itself, https://github.com/instructure/canvas-lms/blob/master/lib/gradebook_importer.rb
    """
    title = plain(results.title, LINE)
    return _table(
        [
            ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title],
            ["    Points Possible", "", "", "", "", results.points],
            *([_canvas(student), "", *[_name(student)] * 2, "", student.points] for student in results.students),
        ]
    )


def _canvas(student: Student) -> str:
    """The first cell of a row. With these words in it, the row would set the points of the assignment."""
    return _name(student).replace("Points Possible", "Points possible")


def moodle_csv(results: Results) -> str:
    """Grades with feedback for Moodle: Grades > Import > CSV file, "Map from" ID number.

    Map both columns, since Moodle overwrites what is mapped alone (https://docs.moodle.org/en/Grade_import).
    """
    title = plain(results.title, LINE)
    rows = ([_name(student), student.points, _moodle(student)] for student in results.students)
    return _table([["ID number", title, f"Feedback: {title}"], *rows])


def moodle_xml(results: Results) -> str:
    """The same for Grades > Import > XML file, where the activity has the notebook's name as its ID number.

    Moodle takes all of it or, if it knows one ID number not, nothing. Elements as in the importer,
    https://github.com/moodle/moodle/blob/main/public/grade/import/xml/lib.php
    """
    root = ElementTree.Element("results")
    for student in results.students:
        result = ElementTree.SubElement(root, "result")
        _add(result, "assignment", results.notebook)
        _add(result, "student", _name(student))
        _add(result, "score", f"{student.points:g}")
        _add(result, "feedback", _moodle(student))
    return _xml(root)


def _moodle(student: Student) -> str:
    """Moodle shows feedback as HTML."""
    return escape(_in_words(student), quote=False)


def _in_words(student: Student) -> str:
    """A line for each hidden test that was lost, after what concerns the whole submission, which is all where that failed."""
    lost = [outcome for outcome in student.outcomes if outcome.status != "passed" and student.status == "graded"]
    return "\n".join([*_whole(student), *(f"{outcome.test.name}: {_said(outcome)}" for outcome in lost)])


def _whole(student: Student) -> list[str]:
    """What concerns the whole submission, and nobody else."""
    failure = [] if student.status == "graded" else [f"Not graded: {plain(student.reason, PARAGRAPH)}"]
    return failure + [plain(flag, LINE) for flag in student.own_flags]


def _said(outcome: Outcome) -> str:
    message = outcome.message or outcome.error or MARKS.get(outcome.status, ("", outcome.status))[1]
    hint = f" Hint: {outcome.hint}" if outcome.hint else ""
    return plain(message, PARAGRAPH) + hint


def gradescope(results: Results, student: Student) -> str:
    """The `results.json` of one student, as https://gradescope-autograders.readthedocs.io/en/latest/specs/ says."""
    tests = [
        {
            "name": f"{outcome.test.exercise}: {outcome.test.name}",
            "score": outcome.earned,
            "max_score": outcome.test.points,
            "status": "passed" if outcome.status == "passed" else "failed",
            "output": "" if outcome.status == "passed" else _said(outcome),
        }
        for outcome in student.outcomes
    ]
    output = [f"{results.title}: {student.points:g} of {results.points:g} points.", *_whole(student)]
    content = {"score": student.points, "output": "\n".join(output), "tests": tests}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def junit(results: Results) -> str:
    """One suite a student, one case a hidden test, without any times.

    Elements and attributes as in https://github.com/jenkinsci/xunit-plugin (junit-10.xsd), which others read too.
    """
    root = ElementTree.Element("testsuites", name=plain(results.notebook, NAME))
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
        ElementTree.SubElement(case, kind, message=plain(_said(outcome), LINE)).text = _said(outcome)
    return case


def _submission(results: Results, student: Student) -> ElementTree.Element:
    """A case that tells why a submission could not be graded."""
    case = ElementTree.Element("testcase", classname=results.notebook, name="submission")
    ElementTree.SubElement(case, "error", message=plain(student.reason, LINE)).text = plain(student.reason, PARAGRAPH)
    return case


def _name(student: Student) -> str:
    """On one line. Nothing of it is cut that a teacher would give: it has to be found again."""
    return " ".join(plain(student.student, LINE).split())


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text


def _xml(root: ElementTree.Element) -> str:
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _table(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as RFC 4180 has them. A text that a spreadsheet would take for a formula gets an apostrophe in front."""
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
