"""The page of test coverage, and the numbers on it."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("coverage_page", ROOT / "docs" / "hooks" / "coverage_page.py")
coverage_page = importlib.util.module_from_spec(spec)
spec.loader.exec_module(coverage_page)


def summary(statements, lines, branches, taken):
    keys = ("num_statements", "covered_lines", "num_branches", "covered_branches")
    return {"summary": dict(zip(keys, (statements, lines, branches, taken), strict=True))}


MEASURED = {
    "meta": {"version": "7.1", "timestamp": "2026-12-01T11:22:33"},
    "files": {
        "minitorch/ops/reduce.py": summary(30, 30, 4, 3),
        "minitorch/nn/linear.py": summary(10, 8, 4, 3),
        "minitorch_course/cli/lab.py": summary(8, 4, 2, 1),
    },
}


def test_lines_and_branches_are_added_up_for_each_package():
    assert coverage_page.totals(MEASURED) == {"minitorch": (95, 75), "minitorch_course": (50, 50)}


def test_a_package_without_branches_has_zero_percent_of_none():
    assert coverage_page.totals({**MEASURED, "files": {}})["minitorch"] == (0, 0)


def test_the_page_names_the_day_and_both_packages():
    page = coverage_page.page(MEASURED)
    assert "on 2026-12-01 with coverage.py 7.1" in page
    assert "| `minitorch` | the library | 95.0 % | 75.0 % |" in page
    assert "| `minitorch_course` | the course | 50.0 % | 50.0 % |" in page


@pytest.mark.skipif(not coverage_page.PAGE.exists(), reason="No page yet: `make test`, then `make coverage`.")
def test_the_page_in_the_docs_was_written_by_the_command():
    text = coverage_page.PAGE.read_text(encoding="utf-8")
    (date, version) = re.search(r"measured on (\d{4}-\d\d-\d\d) with coverage\.py ([\d.]+)\.", text).groups()
    rows = re.findall(r"^\| `(\w+)` \| ([\w ]+) \| ([\d.]+) % \| ([\d.]+) % \|$", text, re.MULTILINE)
    assert {package: words for package, words, *_ in rows} == coverage_page.PACKAGES
    assert all(0 < float(percent) <= 100 for *_, lines, branches in rows for percent in (lines, branches))
    empty = coverage_page.TEXT.format(date=date, version=version, rows="ROWS")
    assert text == empty.replace("ROWS", "\n".join(line for line in text.splitlines() if line.startswith("| `")))


def test_without_a_measurement_the_command_says_what_to_run(tmp_path, monkeypatch):
    import runpy

    script = tmp_path / "docs" / "hooks" / "coverage_page.py"
    script.parent.mkdir(parents=True)
    script.write_bytes((ROOT / "docs" / "hooks" / "coverage_page.py").read_bytes())
    with pytest.raises(SystemExit, match="run `make test`"):
        runpy.run_path(str(script), run_name="__main__")
