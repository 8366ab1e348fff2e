import pytest

from minitorch_course.author.layout import CourseLayout
from minitorch_course.author.scaffold import scaffold
from minitorch_course.author.source import reference


@pytest.fixture
def layout(tmp_path):
    layout = CourseLayout(tmp_path)
    scaffold(layout, "15_sample")
    return layout


def test_new_creates_a_source_and_wrong_answers_and_prints_the_next_commands(minitorch, tmp_path):
    layout = CourseLayout(tmp_path)
    code, out, err = minitorch("course", "new", "15_sample", "--root", tmp_path)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"wrote {layout.source('15_sample')}",
        f"wrote {layout.wrong_answers('15_sample')}",
        "Next: minitorch course build 15, then minitorch course verify 15",
    ]
    code, out, err = minitorch("course", "new", "15_other", "--root", tmp_path)
    assert (code, out) == (1, "")
    assert err == "minitorch: The number 15 is taken by 15_sample: give another.\n"


def test_build_prints_its_outputs(minitorch, layout, monkeypatch):
    monkeypatch.setattr("minitorch_course.author.build.execute", lambda notebook, done: reference(notebook))
    code, out, err = minitorch("course", "build", "15", "--root", layout.root)
    assert (code, err) == (0, "")
    assert out == f"built {layout.reference('15_sample')} and {layout.released('15_sample')}\n"


def test_verify_uses_the_given_number_of_processes(minitorch, layout, monkeypatch):
    calls = []
    monkeypatch.setattr("minitorch_course.author.verify.verify", lambda *arguments: calls.append(arguments[:3]) or [])
    assert minitorch("course", "verify", "--root", layout.root, "--jobs", 3) == (0, "15_sample: ok\n", "")
    assert calls == [(layout, "15_sample", 3)]


def test_an_authors_mistakes_are_printed_one_per_line(minitorch, layout):
    path = layout.source("15_sample")
    text = path.read_text("utf-8").replace(' name="imports"', "").replace('tags=["demo"]', 'tags=["dmeo"]')
    path.write_text(text, "utf-8")
    for command in (["build"], ["release", "--out", layout.root / "out"]):
        code, out, err = minitorch("course", *command, "--root", layout.root)
        assert (code, err) == (1, "")
        assert [line.split(":")[0] for line in out.splitlines()] == [str(path)] * 2
    code, out, err = minitorch("course", "verify", "--root", layout.root)
    assert (code, err) == (1, "")
    assert [line.split(":")[0] for line in out.splitlines()] == [str(path)] * 2 + ["15_sample"]
    assert out.endswith("15_sample: 2 to fix\n")


def test_verify_says_what_to_build(minitorch, layout):
    code, out, _ = minitorch("course", "verify", "15", "--jobs", 1, "--root", layout.root)
    assert code == 1
    advice = "missing: run `minitorch course build 15_sample`."
    assert out.splitlines() == [
        f"{layout.reference('15_sample')}: {advice}",
        f"{layout.released('15_sample')}: {advice}",
        "15_sample: 2 to fix",
    ]


def test_release_fills_a_folder(minitorch, layout, tmp_path):
    out = tmp_path / "for students"
    assert minitorch("course", "release", "15", "--out", out, "--root", layout.root)[:2] == (
        0,
        f"released {out / '15_sample.ipynb'}\n",
    )
    code, _, err = minitorch("course", "release", "15", "--out", out, "--root", layout.root)
    assert code == 1
    assert "exists: remove it, or give another folder." in err


def test_wrong_usage_exits_with_2_and_unknown_notebooks_with_1(minitorch, layout):
    assert minitorch("course", "verify", "--jobs", "0", "--root", layout.root)[0] == 2
    assert minitorch("course", "new")[0] == 2
    code, _, err = minitorch("course", "build", "07", "--root", layout.root)
    assert code == 1
    assert err == "minitorch: No notebook is called '07'. There are: 15_sample.\n"


@pytest.mark.parametrize("command", ["build", "verify", "new", "release"])
def test_help_describes_a_command(minitorch, command):
    code, out, _ = minitorch("course", command, "--help")
    assert code == 0
    assert "--root" in out
    assert len(out.splitlines()) > 8
