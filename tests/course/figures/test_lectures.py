"""The committed figures of the lectures are those that their scripts draw."""

import runpy
from pathlib import Path

LECTURES = Path(__file__).parents[3] / "lectures" / "figures"


def test_the_figures_of_lecture_01_are_up_to_date(monkeypatch):
    monkeypatch.syspath_prepend(LECTURES)
    figures = runpy.run_path(str(LECTURES / "draw_01.py"))["FIGURES"]
    assert {path.stem for path in LECTURES.glob("01_*.svg")} == {f"01_{name}" for name in figures}
    for name, drawing in figures.items():
        assert (LECTURES / f"01_{name}.svg").read_text(encoding="utf-8") == f"{drawing}\n"
