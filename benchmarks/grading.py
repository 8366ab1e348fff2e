"""Grading a class of forty: `minitorch course grade`, nbgrader and otter-grader take turns on the same submissions.

    python -m benchmarks.grading [ROUNDS [STUDENTS]]

The students submit notebook 02, most with one of its wrong answers. The peers are installed from PyPI into separate
environments under `build/`. For them, each hidden test becomes a test in their format: the same code and inputs, with
assertions on the reference's results. All must give the same points. Prints a table and writes it to `grading.md`
next to this file.
"""

from __future__ import annotations

import ast
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import nbformat.v4 as v4

from minitorch_course.author.cells import Cell, Notebook, solved, unsolved
from minitorch_course.author.layout import CourseLayout
from minitorch_course.author.source import read_source
from minitorch_course.author.wrong_answers import read_wrong_answers
from minitorch_course.grading.grading_env import GradingConfig, GradingEnv

from .harness import ROOT, describe_rounds, machine, spread, table, verdict, write_page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAME, SEED, JOBS, STUDENTS = "02_autodiff", 7, 2, 40
ENVIRONMENTS = ROOT / "build" / "benchmarks" / "grading"
PEERS = {"nbgrader": "nbgrader==0.9.6", "otter-grader": "otter-grader[grading]==7.0.0"}
MOST_OVERHEAD, LEAST_TIMES = 1.5, 3.0  # seconds per notebook; our throughput divided by that of a peer
PAGE = """# Grading a class: minitorch, nbgrader and otter-grader

Written by `python -m benchmarks.grading`: {students} submissions of notebook 02 on {jobs} cores; {rounds}.
In a round, each program grades the whole class, timed from the start of the command to its end.

{table}

* At least {least:g} times as many notebooks per minute: {times}.
* At most {most:g} s per notebook beyond the execution of its cells: {overhead}, {reached} (median of all notebooks).
* All programs give every student the expected points: {same}.

Each program executes the set-up cells, the exercises and the {tests} hidden tests: nbgrader as autograder tests and
otter-grader as test files, both with the inputs that were sampled here and an assertion for each value. Checks and
pictures are left out for all. `nbgrader autograde` grades the class, one notebook after the other; `otter run` grades
one notebook and is called for each (for a class there is `otter grade`, which requires Docker). Neither has an option
for parallel grading. "Two at a time" is parallel by hand: two nbgrader courses with half of the class each, and two
calls of otter at once. The peers run students' code without a sandbox. minitorch runs it in a sandbox, executes the
reference on new inputs first, and writes a page of feedback for each student; all of this is included in its time. It
starts its kernels ahead of time, and they reuse what JAX compiled for the reference. {machine}.
"""
ASSERTIONS = '''
import json as _json, os as _os
import jax as _jax, numpy as _np
from minitorch_course import inputs
from minitorch_course.answers.serialize import decode as _decode

_os.environ["MINITORCH_SEED"] = "{seed}"


def _expecting(test, expected):
    """`report` for a test: asserts that the next value of the hidden test is the expected one."""
    inputs.begin(test)
    values = iter(_json.loads(expected))

    def report(given, **options):
        wanted = _decode(next(values))
        given, there = _jax.tree.flatten(given)
        wanted, here = _jax.tree.flatten(wanted)
        assert there == here, (there, here)
        for a, b in zip(given, wanted):
            _np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)

    return report, lambda: next(values, None)


def _run(code):
    exec(code, globals())
'''


@dataclass(frozen=True)
class Student:
    """The code of each exercise, and the points that it should earn."""

    name: str
    code: Mapping[str, str]
    points: int


def make_class(notebook: Notebook, size: int) -> list[Student]:
    """Return students of whom one in ten is right, one in ten half done, and all others have one wrong answer."""
    right = {cell.name: solved(cell.source) for cell in notebook.of("exercise")}
    points = {cell.name: cell.points for cell in notebook.of("hidden-test")}
    half = {cell.name: unsolved(cell) for cell in notebook.of("exercise")[6:]}
    lost_by_half = [cell.name for cell in notebook.of("hidden-test") if cell.exercise in half]
    wrong_answers = read_wrong_answers(notebook, CourseLayout(ROOT).wrong_answers(notebook.name))
    students = []
    for number in range(size):
        wrong = wrong_answers[number * len(wrong_answers) // size]
        code, lost = {wrong.exercise: wrong.source}, wrong.loses
        if number % 10 in (3, 7):
            code, lost = ({}, ()) if number % 10 == 3 else (half, lost_by_half)
        worth = notebook.points - sum(points[name] for name in lost)
        students.append(Student(f"s{number + 1:02}", {**right, **code}, worth))
    return students


def test_code(cell: Cell, key: Sequence[Mapping[str, Any]]) -> str:
    """Return a hidden test as a plain test: its code without `mistakes`, and the expected values."""
    tree = ast.parse(cell.source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "report":
            node.args, node.keywords = node.args[:1], []
    expected = json.dumps([value["value"] for value in key])
    last = "assert _rest() is None, 'too few values'"
    return f"report, _rest = _expecting({cell.name!r}, {expected!r})\n{ast.unparse(tree)}\n{last}"


class Contestant:
    """A grading program; it prepares the submissions once, and grades them in each round."""

    def __init__(self, notebook: Notebook, students: Sequence[Student], tests: Mapping[str, str], folder: Path):
        self.notebook, self.students, self.tests, self.folder = notebook, students, tests, folder
        self.prepare()

    def prepare(self) -> None:
        raise NotImplementedError

    def grade(self, out: Path) -> dict[str, float]:
        """Grade the class into an empty folder; return the points of each student."""
        raise NotImplementedError


def run(command: Sequence[str | Path], folder: Path, **variables: str) -> None:
    """Run a command in `folder`; raise RuntimeError with its output if it fails."""
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", **variables}
    done = subprocess.run(list(map(str, command)), cwd=folder, env=environment, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")


def save(cells: Sequence[Any], path: Path, **metadata: Any) -> None:
    """Write a notebook with `cells`."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(v4.writes(v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, **metadata})), "utf-8")


class Minitorch(Contestant):
    """`minitorch course grade`."""

    def prepare(self) -> None:
        for student in self.students:
            cells = [
                v4.new_code_cell(student.code.get(cell.name, solved(cell.source)), id=cell.name)
                for cell in self.notebook.of("setup", "exercise")
            ]
            save(cells, self.folder / "submissions" / f"{student.name}.ipynb")

    def grade(self, out: Path) -> dict[str, float]:
        command = [sys.executable, "-c", "from minitorch.cli import main; main()", "course", "grade"]
        options = ["--out", out, "--notebook", NAME, "--seed", SEED, "--jobs", JOBS, "--root", ROOT]
        run([*command, self.folder / "submissions", *options], self.folder)
        students = json.loads((out / "grades.json").read_text("utf-8"))["students"]
        return {student["student"]: student["points"] for student in students}


class Peer(Contestant):
    """Another program, with `jobs` processes at a time: 1 is its default, 2 is an instructor with two terminals."""

    name = ""
    jobs = 1

    @property
    def bin(self) -> Path:
        return ENVIRONMENTS / self.name / "bin"

    def install(self) -> None:
        """Create an environment with the peer, JAX and minitorch, in the versions of constraints.txt; keep it."""
        done = self.bin.parent / "installed"
        if done.is_file() and done.read_text("utf-8") == PEERS[self.name]:
            return
        run([sys.executable, "-m", "venv", "--clear", self.bin.parent], ROOT)
        packages = [PEERS[self.name], "ipykernel", "-e", ROOT, "-c", ROOT / "constraints.txt"]
        run([self.bin / "python", "-m", "pip", "install", "-q", *packages], ROOT)
        run([self.bin / "python", "-m", "ipykernel", "install", "--sys-prefix"], ROOT)
        done.write_text(PEERS[self.name], "utf-8")

    def run(self, command: Sequence[str | Path], folder: Path) -> None:
        """Run a command of the environment as if it were activated."""
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        run([self.bin / command[0], *command[1:]], folder, PATH=path, VIRTUAL_ENV=str(self.bin.parent))

    @property
    def shares(self) -> list[Sequence[Student]]:
        return [self.students[number :: self.jobs] for number in range(self.jobs)]

    def tasks(self) -> list[Cell]:
        """Return the cells to execute, in order; assertions follow the first cell, which has the imports."""
        first, *others = self.notebook.of("setup", "exercise", "hidden-test")
        return [first, Cell("setup", "assertions", (), {}, ASSERTIONS.format(seed=SEED).strip(), 0), *others]


class Nbgrader(Peer):
    """`nbgrader autograde`."""

    name = "nbgrader"

    def prepare(self) -> None:
        self.install()
        for number, students in enumerate(self.shares):
            course = self.folder / f"course-{number}"
            save(self._cells({}), course / "source" / "ps1" / f"{NAME}.ipynb")
            config = (
                f"c = get_config()\nc.CourseDirectory.root = {str(course)!r}\nc.CourseDirectory.course_id = 'course'\n"
            )
            (course / "nbgrader_config.py").write_text(config, "utf-8")
            for student in students:
                cells = self._cells(student.code)
                save(cells, course / "submitted" / student.name / "ps1" / f"{NAME}.ipynb")
            self.run(["nbgrader", "generate_assignment", "ps1", "--create", "--force"], course)

    def _cells(self, code: Mapping[str, str]) -> list[Any]:
        cells = []
        for cell in self.tasks():
            about: dict[str, Any] = {
                "schema_version": 3,
                "grade": False,
                "solution": False,
                "locked": True,
                "task": False,
            }
            about |= {"grade_id": cell.name, "cell_type": "code"}
            source = cell.source
            if cell.kind == "exercise":
                about |= {"solution": True, "locked": False}
                source = code.get(cell.name, unsolved(cell))
            elif cell.kind == "hidden-test":
                about |= {"grade": True, "points": cell.points}
                source = self.tests[cell.name]
            cells.append(v4.new_code_cell(source, id=cell.name, metadata={"nbgrader": about}))
        return cells

    def grade(self, out: Path) -> dict[str, float]:
        courses = [self.folder / f"course-{number}" for number in range(self.jobs)]
        with ThreadPoolExecutor(self.jobs) as pool:
            list(pool.map(self._autograde, courses))
        points = {}
        for course in courses:
            self.run(["nbgrader", "export", "--to", course / "grades.csv"], course)
            with (course / "grades.csv").open(encoding="utf-8") as file:
                points |= {row["student_id"]: float(row["raw_score"]) for row in csv.DictReader(file)}
        return points

    def _autograde(self, course: Path) -> None:
        self.run(["nbgrader", "autograde", "ps1", "--force"], course)


class Otter(Peer):
    """`otter run`, once per notebook."""

    name = "otter-grader"

    def prepare(self) -> None:
        self.install()
        tests = self.notebook.of("hidden-test")
        with zipfile.ZipFile(self.folder / "autograder.zip", "w") as archive:
            for cell in tests:
                archive.writestr(f"tests/{_word(cell.name)}.py", _test_file(cell, self.tests[cell.name]))
            archive.writestr("otter_config.json", json.dumps({"logo": False, "print_summary": False}))
        for student in self.students:
            cells: list[Any] = []
            for cell in self.tasks():
                if cell.kind == "hidden-test":
                    cells[-1].metadata.setdefault("otter", {"tests": []})["tests"].append(_word(cell.name))
                else:
                    source = student.code.get(cell.name, solved(cell.source))
                    cells.append(v4.new_code_cell(source, id=cell.name))
            save(cells, self.folder / f"{student.name}.ipynb")

    def grade(self, out: Path) -> dict[str, float]:
        out.mkdir()
        with ThreadPoolExecutor(self.jobs) as pool:
            return dict(pool.map(lambda student: (student.name, self._run(student, out)), self.students))

    def _run(self, student: Student, out: Path) -> float:
        folder = out / student.name
        folder.mkdir()
        notebook, archive = self.folder / f"{student.name}.ipynb", self.folder / "autograder.zip"
        self.run(["otter", "run", notebook, "-a", archive, "-o", folder], folder)
        tests = json.loads((folder / "results.json").read_text("utf-8"))["tests"]
        return sum(test.get("score", 0) for test in tests)


def _word(name: str) -> str:
    return name.replace("-", "_")


def _test_file(cell: Cell, code: str) -> str:
    """Return a test in the OK format: one case, a doctest of one line."""
    case = {"code": f">>> _run({code!r})", "hidden": True, "locked": False, "points": cell.points}
    suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    return f"OK_FORMAT = True\n\ntest = { ({'name': _word(cell.name), 'points': None, 'suites': [suite]})!r}\n"


class NbgraderTwice(Nbgrader):
    """Two nbgrader courses at a time."""

    jobs = 2


class OtterTwice(Otter):
    """Two calls of otter at a time."""

    jobs = 2


CONTESTANTS: dict[str, type[Contestant]] = {
    "minitorch": Minitorch,
    "nbgrader": Nbgrader,
    "otter-grader": Otter,
    "nbgrader, two at a time": NbgraderTwice,
    "otter-grader, two at a time": OtterTwice,
}


def overheads(out: Path) -> list[float]:
    """Return the seconds of each notebook outside of its cells, as `minitorch course grade` recorded them."""
    timing = json.loads((out / "timing.json").read_text("utf-8"))
    return [row["seconds"] - row["in_cells"] for row in timing.values()]


def main(rounds: int, size: int) -> None:
    """Measure, and write the page."""
    notebook = read_source(CourseLayout(ROOT).source(NAME))
    students = make_class(notebook, size)
    with GradingEnv(GradingConfig(notebook, SEED, sandboxed=False)) as grading_env:
        key = grading_env.key()
    tests = {cell.name: test_code(cell, key[cell.name]) for cell in notebook.of("hidden-test")}
    seconds: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    beyond: list[float] = []
    different: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="mt-") as temporary:
        contestants = {}
        for name, kind in CONTESTANTS.items():
            (Path(temporary) / name).mkdir()
            contestants[name] = kind(notebook, students, tests, Path(temporary) / name)
        for number in range(rounds):
            for name, contestant in contestants.items():
                print(f"\rround {number + 1} of {rounds}: {name}    ", end="", file=sys.stderr, flush=True)
                out = Path(temporary) / name / f"out-{number}"
                began = time.perf_counter()
                points = contestant.grade(out)
                seconds[name].append(time.perf_counter() - began)
                print(f"{seconds[name][-1]:.1f} s", end="", file=sys.stderr, flush=True)
                different |= {
                    f"{student.name} has {points.get(student.name)} of {student.points} by {name}"
                    for student in students
                    if points.get(student.name) != student.points
                }
                if name == "minitorch":
                    beyond += overheads(out)
    print("\r", end="", file=sys.stderr)
    write_page(__file__, report(notebook, students, seconds, beyond, different))


def report(
    notebook: Notebook,
    students: Sequence[Student],
    seconds: Mapping[str, Sequence[float]],
    beyond: Sequence[float],
    different: set[str],
) -> str:
    """Return the page."""
    ours = seconds["minitorch"]
    rows = [["", "seconds for the class", "notebooks per minute", "minitorch is faster by"]]
    for name, taken in seconds.items():
        a_minute = [60 * len(students) / s for s in taken]
        times = [theirs / mine for theirs, mine in zip(taken, ours, strict=True)]
        rows.append([name, spread(taken), spread(a_minute), "" if taken is ours else f"{spread(times)} x"])
    least = {name: median([t / m for t, m in zip(seconds[name], ours, strict=True)]) for name in PEERS}
    return PAGE.format(
        students=len(students),
        jobs=JOBS,
        rounds=describe_rounds(len(ours)),
        table=table(rows),
        least=LEAST_TIMES,
        most=MOST_OVERHEAD,
        times=", ".join(f"{name} {times:.1f}x, {verdict(times >= LEAST_TIMES)}" for name, times in least.items()),
        overhead=f"{median(beyond):.2f} s",
        reached=verdict(median(beyond) <= MOST_OVERHEAD),
        same="yes" if not different else "; ".join(sorted(different)),
        tests=len(notebook.of("hidden-test")),
        machine=machine("jax", "nbval") + f"; {', '.join(PEERS.values())}",
    )


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    main(*arguments, *(5, STUDENTS)[len(arguments) :])
