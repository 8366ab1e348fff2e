"""The page of test coverage, `docs/contribute/coverage.md`, from what `make test` measured.

python docs/hooks/coverage_page.py
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
MEASURED = ROOT / "coverage.json"
PAGE = ROOT / "docs" / "contribute" / "coverage.md"
PACKAGES = {"minitorch": "the library", "minitorch_course": "the course"}
TEXT = """# Test coverage

The share of lines and branches that the quick tests execute, measured on {date} with coverage.py {version}. Slow tests
and other processes (notebooks, workers, commands) are not counted. After `make test`, `make coverage` writes this page.

| package | | lines | branches |
|---|---|---:|---:|
{rows}
"""


class Coverage(NamedTuple):
    """The covered percentage of a package's lines and branches."""

    lines: float
    branches: float


def totals(measured: dict) -> dict[str, Coverage]:
    """Return the coverage of each package, from the content of a `coverage.json`."""
    counts: Counter[tuple[str, str]] = Counter()
    for name, file in measured["files"].items():
        package = Path(name).parts[0]
        for key in ("num_statements", "covered_lines", "num_branches", "covered_branches"):
            counts[package, key] += file["summary"][key]
    return {
        package: Coverage(
            100 * counts[package, "covered_lines"] / max(counts[package, "num_statements"], 1),
            100 * counts[package, "covered_branches"] / max(counts[package, "num_branches"], 1),
        )
        for package in PACKAGES
    }


def page(measured: dict) -> str:
    """Return the page in Markdown."""
    rows = [
        f"| `{package}` | {PACKAGES[package]} | {covered.lines:.1f} % | {covered.branches:.1f} % |"
        for package, covered in totals(measured).items()
    ]
    about = measured["meta"]
    return TEXT.format(date=about["timestamp"][:10], version=about["version"], rows="\n".join(rows))


if __name__ == "__main__":
    if not MEASURED.exists():
        sys.exit(f"{MEASURED} does not exist: run `make test`, which measures coverage and writes it.")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(json.loads(MEASURED.read_text(encoding="utf-8"))), encoding="utf-8")
