"""Contestants that take turns: each in a process of its own, warmed up once, asked in rounds, so that a busy moment of
the machine hits all of them alike, and what one library sets (threads, flags, devices) touches no other.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median, quantiles
from typing import Any

ROOT = Path(__file__).parent.parent


class Contestant:
    """A process that runs `python -m MODULE NAME SETTINGS`, and answers each line on its standard input with one of
    JSON."""

    def __init__(self, module: str, name: str, settings: Any):
        command = [sys.executable, "-W", "ignore", "-m", module, name, json.dumps(settings)]
        pipes: Any = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
        self.name = name
        self.process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"}, **pipes)
        self.ready = self._read()

    def ask(self) -> Any:
        self.process.stdin.write("go\n")  # pyright: ignore[reportOptionalMemberAccess]
        self.process.stdin.flush()  # pyright: ignore[reportOptionalMemberAccess]
        return self._read()

    def _read(self) -> Any:
        line = self.process.stdout.readline()  # pyright: ignore[reportOptionalMemberAccess]
        if not line:
            raise RuntimeError(f"{self.name} ended with exit code {self.process.wait()}: see its error above.")
        return json.loads(line)

    def close(self) -> None:
        self.process.stdin.close()  # pyright: ignore[reportOptionalMemberAccess]
        self.process.wait()


def serve(ready: Any, answer: Callable[[], Any]) -> None:
    """The contestant's side: say what it is, then answer each line."""
    print(json.dumps(ready), flush=True)
    for _ in sys.stdin:
        print(json.dumps(answer()), flush=True)


def take_turns(module: str, names: Sequence[str], settings: Any, rounds: int) -> dict[str, tuple[Any, list[Any]]]:
    """For each name, what it said when ready, and its answer in each round."""
    contestants = [Contestant(module, name, settings) for name in names]
    answers: dict[str, list[Any]] = {name: [] for name in names}
    for i in range(rounds):
        print(f"\rround {i + 1} of {rounds}", end="", file=sys.stderr, flush=True)
        for contestant in contestants:
            answers[contestant.name].append(contestant.ask())
    print("\r", end="", file=sys.stderr)
    for contestant in contestants:
        contestant.close()
    return {c.name: (c.ready, answers[c.name]) for c in contestants}


def spread(values: Sequence[float], unit: str = "") -> str:
    """Median, and the range of the middle half."""
    low, _, high = quantiles(values, n=4)
    return f"{median(values):.3g} ({low:.3g}-{high:.3g}){unit}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a Markdown table, the first its head."""
    head, *body = rows
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *body])


def machine(*packages: str) -> str:
    """What was measured on what."""
    versions = []
    for package in packages:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"{package} not installed")
    return f"Python {platform.python_version()}, {', '.join(versions)}; {os.cpu_count()} cores, {platform.machine()}"
