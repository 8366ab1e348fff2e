"""A class graded from its folder to its pages."""

import hashlib
import io
import json
import os
import subprocess
import sys
import textwrap
import zipfile
from datetime import UTC, datetime
from itertools import islice

import pytest

from minitorch.cli import main
from minitorch_course.author.layout import CourseLayout
from minitorch_course.grading import grade_class as grade_class_module
from minitorch_course.grading.grade_class import GradingOptions, grade_class, local_engine, most_common_notebook

pytestmark = pytest.mark.slow

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
