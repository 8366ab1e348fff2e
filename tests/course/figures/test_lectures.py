"""The committed figures of the lectures are those that their scripts draw."""

import runpy
from pathlib import Path

import pytest

from minitorch_course.author.source import read_source

ROOT = Path(__file__).parents[3]
FIGURES = ROOT / "lectures" / "figures"
SCRIPTS = [path for path in sorted((FIGURES / "src").glob("[0-9]*.py")) if "\nFIGURES = " in path.read_text("utf-8")]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_drawings_of_a_lecture_are_up_to_date(script, monkeypatch):
    monkeypatch.syspath_prepend(script.parent)
    for name, drawing in runpy.run_path(str(script))["FIGURES"].items():
        assert (FIGURES / f"{script.stem[:2]}_{name}.svg").read_text(encoding="utf-8") == f"{drawing}\n"


def test_every_lecture_has_a_script_and_every_figure_a_lecture_that_shows_it():
    lectures = [path.stem for path in (ROOT / "lectures").glob("[0-9]*.md")]
    assert {path.stem for path in (FIGURES / "src").glob("[0-9]*.py")} <= set(lectures)
    text = "".join(path.read_text("utf-8") for path in (ROOT / "lectures").glob("*.md"))
    assert [path.name for path in sorted(FIGURES.glob("*.svg")) if f"figures/{path.name}" not in text] == []


def test_the_picture_of_the_site_is_up_to_date():
    images = ROOT / "docs" / "images"
    drawing = runpy.run_path(str(images / "draw.py"))["resume"]()
    assert (images / "resume.svg").read_text(encoding="utf-8") == f"{drawing}\n"


@pytest.mark.parametrize("script", sorted((FIGURES / "src").glob("[0-9]*.py")), ids=lambda path: path.stem)
def test_every_plot_names_a_cell_of_the_notebook(script, monkeypatch):
    monkeypatch.syspath_prepend(script.parent)
    cells = runpy.run_path(str(script)).get("NAMES", {})
    if cells:
        (notebook,) = (ROOT / "notebooks").glob(f"{script.stem[:2]}_*.py")
        assert set(cells) <= {cell.name for cell in read_source(notebook).cells}
        assert all((FIGURES / f"{script.stem[:2]}_{name}.svg").is_file() for name in cells.values())
