import pytest

from minitorch_course.author.layout import CourseLayout
from minitorch_course.author.scaffold import new
from minitorch_course.author.source import reference


@pytest.fixture
def places(tmp_path):
    places = CourseLayout(tmp_path)
    new(places, "15_sample")
    return places


def test_new_lays_down_a_source_and_wrong_answers_and_says_what_is_next(minitorch, tmp_path):
    places = CourseLayout(tmp_path)
    code, out, err = minitorch("course", "new", "15_sample", "--root", tmp_path)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"wrote {places.source('15_sample')}",
        f"wrote {places.wrong('15_sample')}",
        "Next: minitorch course build 15, then minitorch course verify 15",
    ]
    code, out, err = minitorch("course", "new", "15_other", "--root", tmp_path)
    assert (code, out) == (1, "")
    assert err == "minitorch: The number 15 is taken by 15_sample: give another.\n"


def test_build_says_what_it_made(minitorch, places, monkeypatch):
    monkeypatch.setattr("minitorch_course.author.build.executed", lambda notebook, done: reference(notebook))
    code, out, err = minitorch("course", "build", "15", "--root", places.root)
    assert (code, err) == (0, "")
    assert out == f"built {places.reference('15_sample')} and {places.released('15_sample')}\n"


def test_verify_uses_the_processes_that_it_is_given_and_says_that_all_is_well(minitorch, places, monkeypatch):
    calls = []
    monkeypatch.setattr("minitorch_course.author.verify.verify", lambda *arguments: calls.append(arguments[:3]) or [])
    assert minitorch("course", "verify", "--root", places.root, "--jobs", 3) == (0, "15_sample: ok\n", "")
    assert calls == [(places, "15_sample", 3)]


def test_an_authors_mistakes_are_told_one_a_line(minitorch, places):
    path = places.source("15_sample")
    text = path.read_text("utf-8").replace(' name="imports"', "").replace('tags=["demo"]', 'tags=["dmeo"]')
    path.write_text(text, "utf-8")
    for command in (["build"], ["release", "--out", places.root / "out"]):
        code, out, err = minitorch("course", *command, "--root", places.root)
        assert (code, err) == (1, "")
        assert [line.split(":")[0] for line in out.splitlines()] == [str(path)] * 2
    code, out, err = minitorch("course", "verify", "--root", places.root)
    assert (code, err) == (1, "")
    assert [line.split(":")[0] for line in out.splitlines()] == [str(path)] * 2 + ["15_sample"]
    assert out.endswith("15_sample: 2 to mend\n")


def test_verify_says_what_to_build(minitorch, places):
    code, out, _ = minitorch("course", "verify", "15", "--jobs", 1, "--root", places.root)
    assert code == 1
    advice = "missing: run `minitorch course build 15_sample`."
    assert out.splitlines() == [
        f"{places.reference('15_sample')}: {advice}",
        f"{places.released('15_sample')}: {advice}",
        "15_sample: 2 to mend",
    ]


def test_release_fills_a_folder(minitorch, places, tmp_path):
    out = tmp_path / "for students"
    assert minitorch("course", "release", "15", "--out", out, "--root", places.root)[:2] == (
        0,
        f"released {out / '15_sample.ipynb'}\n",
    )
    code, _, err = minitorch("course", "release", "15", "--out", out, "--root", places.root)
    assert code == 1 and "exists: remove it, or give another folder." in err


def test_wrong_usage_ends_with_2_and_unknown_notebooks_with_1(minitorch, places):
    assert minitorch("course", "verify", "--jobs", "0", "--root", places.root)[0] == 2
    assert minitorch("course", "new")[0] == 2
    code, _, err = minitorch("course", "build", "07", "--root", places.root)
    assert code == 1 and err == "minitorch: No notebook is called '07'. There are: 15_sample.\n"


@pytest.mark.parametrize("command", ["build", "verify", "new", "release"])
def test_help_says_what_a_command_does(minitorch, command):
    code, out, _ = minitorch("course", command, "--help")
    assert code == 0
    assert "--root" in out and len(out.splitlines()) > 8
