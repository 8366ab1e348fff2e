"""A class graded from its folder to its pages."""

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from minitorch.cli import main
from minitorch_course.author.layout import CourseLayout
from minitorch_course.author.source import read_source
from minitorch_course.grading import grade_class as grade_class_module
from minitorch_course.grading.grade_class import GradingOptions, grade_class, local_engine, most_common_notebook
from minitorch_course.grading.grade_submission import failed
from minitorch_course.grading.late import parse_late_rule
from minitorch_course.grading.roster import read_roster
from minitorch_course.grading.submission import NO_MANIFEST

pytestmark = pytest.mark.costly

OWN = """
def softmax(numbers):
    largest = numbers[0]
    for number in numbers[1:]:
        largest = jnp.where(number > largest, number, largest)
    powers = jnp.stack([jnp.exp(number - largest) for number in numbers])
    total = 0.0
    for power in powers:
        total = total + power
    return jnp.stack([power / total for power in powers])
"""
POINTS = {"s01": 6, "s02": 0, "s03": 3, "s04": 6, "s05": 6, "s06": 0, "with space": 3}


def archive(notebook, submitted):
    manifest = {"notebook": "07_tiny", "sha256": hashlib.sha256(notebook).hexdigest(), "submitted": submitted}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("07_tiny.ipynb", notebook)
        file.writestr("manifest.json", json.dumps(manifest))
    return content.getvalue()


@pytest.fixture(scope="session")
def submissions(tmp_path_factory, answers):
    """A class of seven: right, empty, half right, right but late, the same again, broken, forbidden."""
    empty = {name: f'def {name}(*arguments):\n    raise NotImplementedError("to do")' for name in ("softmax", "scaled")}
    folder = tmp_path_factory.mktemp("submissions")
    files = {
        "s01.zip": archive(answers(), "2026-11-23T10:00:00Z"),
        "s02.ipynb": answers(**empty),
        "s03.zip": archive(answers(scaled="def scaled(a, b):\n    return [a, b]"), "2026-11-23T10:00:00Z"),
        "s04.zip": archive(answers(softmax=OWN), "2026-11-25T10:00:00Z"),
        "s05/07_tiny.ipynb": answers(softmax=OWN.replace("numbers", "xs").replace("power", "e")),
        "s06.zip": b"no archive",
        "with space/any name.zip": archive(answers(softmax="softmax = jax.nn.softmax"), "2026-11-23T10:00:00Z"),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


DUE = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="session")
def graded_folder(sandbox, submissions, tiny_course, tmp_path_factory):
    """The folder with the grades of that class."""
    out = tmp_path_factory.mktemp("grades") / "out"
    grade_class(
        submissions,
        out,
        CourseLayout(tiny_course),
        "07_tiny",
        GradingOptions(seed=7, due=DUE),
        local_engine(2),
        lambda *_: None,
    )
    return out


@pytest.fixture(scope="session")
def grades(graded_folder):
    return json.loads((graded_folder / "grades.json").read_text("utf-8"))


def by_name(grades):
    return {student["student"]: student for student in grades["students"]}


def test_everybody_has_the_points_they_earned(grades):
    assert {name: student["points"] for name, student in by_name(grades).items()} == POINTS
    assert list(by_name(grades)) == sorted(POINTS)


def test_the_grades_say_what_they_are_of(grades):
    about = {key: grades[key] for key in ("format", "notebook", "title", "seed", "points", "sandbox")}
    assert about == {
        "format": 1,
        "notebook": "07_tiny",
        "title": "07 Tiny",
        "seed": 7,
        "points": 6,
        "sandbox": "bubblewrap",
    }
    assert set(grades["versions"]) == {"minitorch", "jax", "python"}
    assert grades["tests"][0] == {
        "name": "softmax-test",
        "exercise": "softmax",
        "points": 2,
        "hint": "The exponentials, divided by their sum.",
    }


def test_what_cannot_be_graded_has_a_reason(grades):
    failed = [student for student in grades["students"] if student["status"] == "failed"]
    assert [student["student"] for student in failed] == ["s06"]
    assert failed[0]["reason"].startswith("The archive cannot be unpacked")
    assert [test["status"] for test in failed[0]["tests"]] == ["not run"] * 3


def test_who_is_late_is_said(grades):
    assert [student["student"] for student in grades["students"] if student["late"]] == ["s04"]


def test_flags_are_for_people_to_look_at(grades):
    flags = {name: student["flags"] for name, student in by_name(grades).items()}
    assert flags["s01"] == flags["s03"] == []
    assert flags["s04"] == ["same answers as s05 (100 %)"]
    assert flags["s05"] == ["same answers as s04 (100 %)", "no manifest, so no time of submission"]
    assert flags["with space"] == ["softmax calls jax.nn.softmax (line 1)"]


def test_an_empty_notebook_is_told_what_to_do(grades):
    assert {test["error"] for test in by_name(grades)["s02"]["tests"]} == {"Not written yet: to do"}


def test_the_code_of_the_exercises_is_there_and_no_hidden_value(grades, graded_folder):
    assert by_name(grades)["s04"]["exercises"]["softmax"] == OWN
    assert "vnd.minitorch" not in "".join(path.read_text("utf-8") for path in graded_folder.rglob("*.json"))


def test_pages_and_tables_are_made(graded_folder):
    made = {path.relative_to(graded_folder).as_posix() for path in graded_folder.rglob("*") if path.is_file()}
    assert {"overview.html", "grades.csv", "junit.xml", "timing.json", "feedback/s01.html"} <= made


def test_an_interrupted_grading_goes_on_and_ends_with_the_same_bytes(
    graded_folder, submissions, tiny_course, tmp_path, sandbox
):
    def until_three(*arguments):
        yield from islice(local_engine(1)(*arguments), 3)
        raise KeyboardInterrupt

    asked = []

    def the_rest(hands, *arguments):
        asked.extend(hands)
        return local_engine(1)(hands, *arguments)

    def go_on(engine, resume):
        options = GradingOptions(seed=7, due=DUE, resume=resume)
        return grade_class(
            submissions, tmp_path / "out", CourseLayout(tiny_course), "07_tiny", options, engine, lambda *_: None
        )

    with pytest.raises(KeyboardInterrupt):
        go_on(until_three, resume=False)
    assert not (tmp_path / "out" / "grades.json").exists()
    go_on(the_rest, resume=True)
    assert len(asked) == len(POINTS) - 3
    for name in ("grades.json", "grades.csv", "junit.xml", "overview.html", "feedback/s01.html"):
        assert (tmp_path / "out" / name).read_bytes() == (graded_folder / name).read_bytes()


def test_the_recipe_for_gradescope_grades_a_student_with_two_notebooks(tiny_course, tmp_path, answers):
    """The commands of docs/teach.md as they stand there, in folders of this test."""
    text = (Path(__file__).parents[3] / "docs" / "teach.md").read_text("utf-8")
    recipe = text.split("this `run_autograder`:\n\n```\n")[1].split("```")[0].replace("--notebook 02", "--notebook 07")
    recipe = re.sub(r"(?<= )/(?=(autograder|tmp|course)\b)", f"{tmp_path}/", recipe)
    for name, content in {"07_tiny.ipynb": answers(), "notes.ipynb": b"{}", "report.pdf": b""}.items():
        (tmp_path / "autograder/submission").mkdir(parents=True, exist_ok=True)
        (tmp_path / "tmp").mkdir(exist_ok=True)
        (tmp_path / "autograder/submission" / name).write_bytes(content)
    (tmp_path / "autograder/results").mkdir()
    (tmp_path / "course").symlink_to(tiny_course)
    variables = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-e", "-c", f"cd {tiny_course}\n{recipe}"], env=variables, check=True)
    assert json.loads((tmp_path / "autograder/results/results.json").read_text("utf-8"))["score"] == 6


def test_pages_of_students_whose_submission_is_gone_are_removed(submissions, tiny_course, tmp_path):
    def nothing(readers, *_):
        return iter([failed(read(), read_source(tiny_course / "notebooks/07_tiny.py"), "no") for read in readers])

    def grade_those(*names, resume):
        (tmp_path / "in").mkdir()
        for name in names:
            (tmp_path / "in" / name).write_bytes((submissions / name).read_bytes())
        options = GradingOptions(seed=7, resume=resume, sandboxed=False)
        arguments = tmp_path / "in", tmp_path / "out", CourseLayout(tiny_course), "07_tiny", options, nothing
        grade_class(*arguments, lambda *_: None)
        shutil.rmtree(tmp_path / "in")
        return sorted(path.name for path in (tmp_path / "out/feedback").iterdir())

    assert grade_those("s01.zip", "s03.zip", resume=False) == ["s01.html", "s03.html"]
    (tmp_path / "out/feedback/.s09.html.7.partial").touch()
    (tmp_path / "out/.grades.json.7.partial").touch()
    assert grade_those("s01.zip", resume=True) == ["s01.html"]
    assert not list((tmp_path / "out").glob(".*"))


@pytest.mark.parametrize(("without", "students"), [(2, 5), (3, 5), (5, 5)])
def test_what_most_lack_is_said_once(without, students, answers, tiny_course, tmp_path):
    def graded_now(readers, *_):
        notebook = read_source(tiny_course / "notebooks/07_tiny.py")
        for i, read in enumerate(readers):
            one = failed(read(), notebook, "no")
            yield replace(one, row=one.row | {"flags": [NO_MANIFEST] if i < without else []})

    (tmp_path / "in").mkdir()
    for i in range(students):
        (tmp_path / "in" / f"s{i}.ipynb").write_bytes(answers())
    options = GradingOptions(seed=7, sandboxed=False)
    arguments = tmp_path / "in", tmp_path / "out", CourseLayout(tiny_course), "07_tiny", options, graded_now
    grades = grade_class(*arguments, lambda *_: None)
    flags = [flag for student in grades["students"] for flag in student["flags"]]
    if without > students / 2:
        assert (grades["notes"], flags) == ([f"{without} of {students} submissions: {NO_MANIFEST}"], [])
    else:
        assert (grades["notes"], flags) == ([], [NO_MANIFEST] * without)
    page = (tmp_path / "out/overview.html").read_text("utf-8")
    assert page.count(NO_MANIFEST) == (1 if without > students / 2 else without)


def test_the_roster_gives_rows_extensions_and_penalties(answers, tiny_course, tmp_path):
    """Late by 25 hours: with 10 % a day two days count. s02 has an extension; only Canvas says that s04 is late."""
    submitted = "2026-11-25T01:00:00Z"

    def engine(readers, *_):
        notebook = read_source(tiny_course / "notebooks/07_tiny.py")
        for read in readers:
            one = failed(files := read(), notebook, files.reason)
            if files.reason is None:
                about = {"status": "graded", "points": 6, "submitted": None if "doe" in files.student else submitted}
                one = replace(one, row=one.row | about)
            yield one

    (tmp_path / "in").mkdir()
    for name in ("s01.ipynb", "s02.ipynb", "doe_LATE_4_5_x.ipynb"):
        (tmp_path / "in" / name).write_bytes(answers())
    (tmp_path / "class.csv").write_text("login,id,due\ns01,1,\ns02,2,2026-11-26T00:00+00:00\ns03,3,\ns04-doe,4,\n")
    options = GradingOptions(
        seed=7, due=DUE, sandboxed=False, roster=read_roster(tmp_path / "class.csv"), late=parse_late_rule("10%/day")
    )
    arguments = tmp_path / "in", tmp_path / "out", CourseLayout(tiny_course), "07_tiny", options, engine
    rows = by_name(grade_class(*arguments, lambda *_: None))
    assert {name: (row["status"], row["points"], row["late"]) for name, row in rows.items()} == {
        "s01": ("graded", 4.8, True),
        "s02": ("graded", 6, False),
        "s03": ("failed", 0, False),
        "s04-doe": ("graded", 6, True),
    }
    assert rows["s01"]["flags"] == ["1 day 1 h late: 6 points become 4.8"]
    assert rows["s03"]["reason"] == "Nothing was submitted."
    assert "it is not known how late" in rows["s04-doe"]["flags"][0]


def test_names_reach_the_terminal_as_one_line_in_any_encoding(submissions, tiny_course, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a\x1b[2Jb", "a\nnot graded: b", "Юлия", "a\udcff"):
        (folder / f"{name}.zip").write_bytes(b"?")
    command = [sys.executable, "-m", "minitorch", "course", "grade", folder, "--out", tmp_path / "out"]
    command += ["--notebook", "07", "--root", tiny_course, "--no-sandbox"]
    for encoding in ("ascii", "utf-8"):
        variables = {**os.environ, "PYTHONIOENCODING": encoding, "NO_COLOR": "1"}
        done = subprocess.run([*command, "--resume"], env=variables, capture_output=True)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.decode(encoding).splitlines()
        assert len(lines) == 5
        assert all(line.isprintable() for line in lines)


def test_with_all_done_nothing_runs_again(graded_folder, submissions, tiny_course):
    def nothing(*_):
        raise AssertionError("nothing is left to grade")

    before = (graded_folder / "grades.json").read_bytes()
    options = GradingOptions(due=DUE, resume=True)
    grade_class(submissions, graded_folder, CourseLayout(tiny_course), "07_tiny", options, nothing, nothing)
    assert (graded_folder / "grades.json").read_bytes() == before


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["course", "grade", *map(str, arguments)])
    return ended.value.code


def test_the_command_grades_a_class(sandbox, submissions, tiny_course, tmp_path, capsys):
    only = tmp_path / "submissions"
    only.mkdir()
    for name in ("s02.ipynb", "s06.zip"):
        (only / name).write_bytes((submissions / name).read_bytes())
    out = tmp_path / "out"
    assert (
        run(only, "--out", out, "--notebook", "07", "--jobs", 1, "--due", "2026-11-30T18:00", "--root", tiny_course)
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("not graded: s06: The archive cannot be unpacked")
    assert lines[1] == f"1 of 2 graded. Read {out / 'overview.html'} first."


def test_no_sandbox_no_grades_unless_it_is_said(submissions, tiny_course, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(grade_class_module, "why_unavailable", lambda: "bubblewrap runs on Linux only")
    assert run(submissions, "--out", tmp_path / "out", "--notebook", "07", "--root", tiny_course) == 1
    assert "there is none: bubblewrap runs on Linux only" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_a_sandbox_the_grades_say_so(submissions, tiny_course, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "s03.zip").write_bytes((submissions / "s03.zip").read_bytes())
    options = GradingOptions(seed=7, sandboxed=False)
    made = grade_class(
        tmp_path / "in",
        tmp_path / "out",
        CourseLayout(tiny_course),
        "07_tiny",
        options,
        local_engine(1),
        lambda *_: None,
    )
    assert (made["sandbox"], made["students"][0]["points"]) == (None, 3)


def test_nothing_handed_in_is_an_error(tiny_course, tmp_path, capsys):
    assert run(tmp_path, "--out", tmp_path / "out", "--notebook", "07", "--root", tiny_course, "--no-sandbox") == 1
    assert "holds no submission" in capsys.readouterr().err


def test_what_is_no_time_is_wrong_usage(submissions, tmp_path, capsys):
    assert run(submissions, "--out", tmp_path / "out", "--due", "yesterday") == 2
    assert "'yesterday' is not a time: write it as 2026-11-30T18:00+01:00." in capsys.readouterr().err


def test_the_notebook_is_the_one_that_most_handed_in(submissions, tmp_path):
    assert most_common_notebook(submissions, ["02_autodiff", "07_tiny"]) == "07_tiny"
    (tmp_path / "s01.ipynb").write_bytes(b"{}")
    with pytest.raises(ValueError, match=r"It is not clear which notebook .* holds: name it, as in --notebook 02"):
        most_common_notebook(tmp_path, ["07_tiny"])


BROKEN = {
    "a cell of the reference fails": (
        "SCALE = 3.0",
        "SCALE = 1 / 0",
        r"the cell 'imports' fails: A number is divided by 0",
    ),
    "a solution needs what it forbids": (
        "    e = jnp.exp(x - x.max())\n    return e / e.sum()",
        '    return getattr(jax.nn, "soft" + "max")(x)',
        r"the cell 'softmax-test' loses points for the reference itself: jax.nn.softmax is missing",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), BROKEN.values(), ids=BROKEN)
def test_a_reference_that_does_not_earn_everything_is_an_error(
    sandbox, submissions, tiny_course, tmp_path, old, new, message
):
    (tmp_path / "notebooks").mkdir()
    source = (tiny_course / "notebooks" / "07_tiny.py").read_text("utf-8")
    (tmp_path / "notebooks" / "07_tiny.py").write_text(source.replace(old, new), "utf-8")
    with pytest.raises(ValueError, match=message):
        grade_class(
            submissions,
            tmp_path / "out",
            CourseLayout(tmp_path),
            "07_tiny",
            GradingOptions(seed=7),
            local_engine(1),
            lambda *_: None,
        )


def test_a_cluster_of_ray_makes_the_same_grades(sandbox, grades, submissions, tiny_course, tmp_path):
    """Two workers of Ray on this machine, in a process of their own: Ray leaves threads and warnings behind."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'minitorch-course[ray]'")
    few, out = tmp_path / "submissions", tmp_path / "out"
    few.mkdir()
    for name in ("s01.zip", "s03.zip", "s06.zip"):
        (few / name).write_bytes((submissions / name).read_bytes())
    command = ["course", "grade", few, "--out", out, "--notebook", "07", "--seed", 7, "--engine", "ray"]
    command += ["--due", "2026-11-24T00:00+00:00", "--root", tiny_course]
    program = f"""
        import ray
        from minitorch.cli import main

        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        main({[str(part) for part in command]})
        """
    variables = {**os.environ, "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], env=variables, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert "2 of 3 graded." in done.stdout
    rows = by_name(json.loads((out / "grades.json").read_text("utf-8")))
    assert rows == {name: by_name(grades)[name] for name in ("s01", "s03", "s06")}


def test_a_changed_submission_gets_other_inputs_than_those_that_its_student_may_have_seen(
    tiny_course, tmp_path, answers
):
    """G5: an error that shows the seed or the inputs, read on the page, is worth nothing at the next --resume."""

    def show_inputs(round_):
        leak = "def scaled(a, b):\n    import os\n    raise ValueError(f\"{os.environ['MINITORCH_SEED']} {a}\")"
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / "s01.ipynb").write_bytes(answers(scaled=f"{leak}  # {round_}"))
        options = GradingOptions(seed=7, resume=bool(round_), sandboxed=False)
        arguments = tmp_path / "in", tmp_path / "out", CourseLayout(tiny_course), "07_tiny", options, local_engine(1)
        row = grade_class(*arguments, lambda *_: None)["students"][0]
        return next(test["error"] for test in row["tests"] if test["name"] == "scaled-test")

    first, second = show_inputs(0), show_inputs(1)
    assert re.search(r"\d{8,} ", first)
    assert first != second
