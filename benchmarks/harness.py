"""The harness of the benchmarks: contestants that take turns, and the page with their results.

Each contestant has its own process, is warmed up once, and is measured once per round. So a busy moment of the machine
slows all of them, and what one library sets (threads, flags, devices) does not affect the others.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parent.parent


class Contestant:
    """A process that runs `python -m MODULE NAME SETTINGS` and answers each line of input with a line of JSON."""

    def __init__(self, module: str, name: str, settings: Any):
        command = [sys.executable, "-W", "ignore", "-m", module, name, json.dumps(settings)]
        pipes: Any = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
        self.name = name
        self.process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"}, **pipes)
        self.ready = self._read()

    def measure(self) -> Any:
        """Return the result of one round."""
        self.process.stdin.write("go\n")  # pyright: ignore[reportOptionalMemberAccess]
        self.process.stdin.flush()  # pyright: ignore[reportOptionalMemberAccess]
        return self._read()

    def _read(self) -> Any:
        line = self.process.stdout.readline()  # pyright: ignore[reportOptionalMemberAccess]
        if not line:
            raise RuntimeError(f"{self.name} exited with code {self.process.wait()}: see its error above.")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()  # pyright: ignore[reportOptionalMemberAccess]
        self.process.wait()


def serve(ready: Any, answer: Callable[[], Any]) -> None:
    """Run the contestant's side: print `ready`, then answer each line of input with the result of one round."""
    print(json.dumps(ready), flush=True)
    for _ in sys.stdin:
        print(json.dumps(answer()), flush=True)


def take_turns(module: str, names: Sequence[str], settings: Any, rounds: int) -> dict[str, tuple[Any, list[Any]]]:
    """Return what each contestant printed when it was ready, and its result in each round, by name."""
    contestants = [Contestant(module, name, settings) for name in names]
    answers: dict[str, list[Any]] = {name: [] for name in names}
    for i in range(rounds):
        print(f"\rround {i + 1} of {rounds}", end="", file=sys.stderr, flush=True)
        for contestant in contestants:
            answers[contestant.name].append(contestant.measure())
    print("\r", end="", file=sys.stderr)
    for contestant in contestants:
        contestant.close()
    return {c.name: (c.ready, answers[c.name]) for c in contestants}


def spread(values: Sequence[float], unit: str = "", form: str = ".3g") -> str:
    """Format the median of `values` and the range of their middle half; a single value has no range."""
    if len(values) == 1:
        return f"{values[0]:{form}}{unit}"
    low, _, high = quantiles(values, n=4, method="inclusive")
    return f"{median(values):{form}} ({low:{form}}-{high:{form}}){unit}"


def describe_rounds(rounds: int, range_shown: str = "middle half") -> str:
    """Return what the cells of a table are: a median with a range, or the result of a single round."""
    return "a single round" if rounds == 1 else f"median ({range_shown}) of {rounds} rounds"


def verdict(reached: bool) -> str:
    """Return whether a target was reached, as a word."""
    return "reached" if reached else "missed"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a Markdown table; the first is its header."""
    head, *body = rows
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *body])


def machine(*packages: str) -> str:
    """Return the versions of Python and `packages`, and the processor."""
    versions = []
    for package in packages:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"{package} not installed")
    return f"Python {platform.python_version()}, {', '.join(versions)}; {os.cpu_count()} cores, {platform.machine()}"


def write_page(module: str, page: str) -> None:
    """Print `page`, and write it to the Markdown file next to the file `module`."""
    print(page)
    Path(module).with_suffix(".md").write_text(page, encoding="utf-8", newline="\n")
