"""Checks of a workflow for GitHub Actions: the published linters, and the rules that make it a gate."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..review import Comment
from ..text import read_text
from . import document, gate_jobs
from .document import as_dict, as_list, line_of
from .gate_jobs import FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

FORM = "{{range $ := .}}{{json $}}\n{{end}}"
EVERY_CHANGE = {"opened": "opened", "synchronize": "changed", "reopened": "opened again"}  # the default of `types`
GUARDED = ("main", "master")  # names of the branch that people rely on
FEW_MINUTES = 60
LINTER_SECONDS = 60


def actionlint(folder: Path) -> Iterator[Comment]:
    """Report what actionlint finds. Raises ImportError if it is not installed."""
    done = _run("actionlint", "-no-color", "-shellcheck=", "-pyflakes=", "-format", FORM, FILE, folder=folder)
    for line in filter(None, done.stdout.splitlines()):
        problem = json.loads(line)
        yield Comment(f"{FILE}:{problem['line']}", f"{problem['message']} (actionlint)")
    if done.returncode > 1:
        yield Comment(FILE, f"actionlint cannot read it: {done.stderr.strip()[:200]}")


def schema(folder: Path) -> Iterator[Comment]:
    """Report where the workflow violates GitHub's schema."""
    done = _run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", "-o", "json", FILE, folder=folder)
    if done.returncode:
        try:
            found = [problem["path"] + ": " + problem["message"] for problem in json.loads(done.stdout)["errors"]]
        except (ValueError, KeyError, TypeError):
            found = [done.stdout.strip()[-200:] or done.stderr.strip()[-200:]]
        for text in found or ["it is not valid YAML"]:
            yield Comment(FILE, f"does not match the schema of workflows (check-jsonschema): {text[:300]}")


def _run(program: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    found = shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)
    if found is None:
        raise ImportError(f"Checking a workflow needs {program}: pip install 'minitorch-course[course]'")
    line, options = [found, *arguments], {"encoding": "utf-8", "errors": "replace", "timeout": LINTER_SECONDS}
    try:
        return subprocess.run(line, cwd=folder, capture_output=True, check=False, **options)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(line, 2, "", f"{program} did not end within {LINTER_SECONDS} seconds")


def rules(folder: Path) -> Iterator[Comment]:
    """Report what keeps the workflow from blocking a merge, and what is insecure in it."""
    if not (folder / FILE).is_file():
        yield Comment(FILE, "does not exist.")
        return
    try:
        loaded = document.load(read_text(folder / FILE))
    except ValueError as error:
        yield Comment(FILE, str(error))
        return
    if not isinstance(loaded, dict) or not as_dict(loaded.get("jobs")):
        yield Comment(FILE, "has no jobs.")
        return
    yield from _triggers(loaded)
    yield from _permissions(loaded)
    yield from gate_jobs.review(loaded, folder)
    yield from _time_limits(as_dict(loaded["jobs"]))


def _at(line: int, advice: str) -> Comment:
    return Comment(f"{FILE}:{line}", advice)


def _triggers(loaded: dict[str, Any]) -> Iterator[Comment]:
    events = loaded.get("on", "")
    names = events if isinstance(events, dict) else as_list(events)
    lines = {str(name): getattr(name, "line", line_of(loaded, "on")) for name in names}
    if "pull_request_target" in lines:
        advice = "gives the code of strangers access to the repository's secrets: use pull_request instead."
        yield _at(lines["pull_request_target"], advice)
    elif "pull_request" not in lines:
        advice = "does not run on pull requests, so nothing is checked before a merge: add pull_request."
        yield _at(line_of(loaded, "on"), advice)
    elif isinstance(events, dict):
        yield from _filters(as_dict(events["pull_request"]))


def _filters(filters: dict[str, Any]) -> Iterator[Comment]:
    """Report which pull requests into the guarded branch do not start the workflow."""
    types = as_list(filters.get("types"))
    missing = [words for name, words in EVERY_CHANGE.items() if "types" in filters and name not in types]
    if missing:
        advice = f"does not run when a pull request is {' or '.join(missing)}, so changes get past it: remove `types`."
        yield _at(line_of(filters, "types"), advice)
    for name in ("branches", "branches-ignore"):
        patterns = as_list(filters.get(name))
        if name in filters and not any(_matches(patterns, branch) == (name == "branches") for branch in GUARDED):
            advice = "leaves out pull requests into main, the branch that people rely on: remove the filter."
            yield _at(line_of(filters, name), advice)
    for name in ("paths", "paths-ignore"):
        patterns = as_list(filters.get(name))
        if name in filters and (name == "paths-ignore" or patterns != ["**"]):
            advice = "runs only if some files change, so other pull requests have no check at all: remove the filter."
            yield _at(line_of(filters, name), advice)


def _matches(patterns: list[Any], branch: str) -> bool:
    """Return whether GitHub's filter patterns match a branch: the last one that matches decides, `!` means no."""
    matched = False
    for pattern in patterns:
        text = str(pattern)
        parts = re.split(r"(\*\*|\*|\?|\+|\[[^]]*\])", text.removeprefix("!"))
        regex = "".join(
            {"**": ".*", "*": "[^/]*"}.get(part, part if i % 2 else re.escape(part)) for i, part in enumerate(parts)
        )
        try:
            if re.fullmatch(regex, branch):
                matched = not text.startswith("!")
        except re.error:
            continue
    return matched


def _permissions(loaded: dict[str, Any]) -> Iterator[Comment]:
    jobs = [job for job in as_dict(loaded["jobs"]).values() if isinstance(job, dict)]
    for place in (loaded, *jobs):
        if place.get("permissions") and _may_write(place["permissions"]):
            advice = "may write to the repository, which a check does not need: use contents: read."
            yield _at(line_of(place, "permissions"), advice)
    if any(place.get("permissions", "") == "" for place in jobs) and loaded.get("permissions", "") == "":
        advice = "sets no permissions, so it gets the repository's default: add `permissions: {contents: read}`."
        yield _at(line_of(loaded, "jobs"), advice)


def _may_write(permissions: Any) -> bool:
    if isinstance(permissions, dict):
        return any(value not in ("read", "none") for value in permissions.values())
    return permissions != "read-all"


def _time_limits(jobs: dict[str, Any]) -> Iterator[Comment]:
    """Report jobs without a short time limit. A called workflow sets its own."""
    for name, job in jobs.items():
        if not isinstance(job, dict) or "uses" in job:
            continue
        steps = [step for step in as_list(job.get("steps")) if isinstance(step, dict) and "run" in step]
        limited = [job] if "timeout-minutes" in job or not all("timeout-minutes" in step for step in steps) else steps
        for place in limited or [job]:
            given = str(place.get("timeout-minutes", ""))
            line = line_of(place, "timeout-minutes") if given else getattr(name, "line", 1)
            if not given:
                yield _at(line, "may run for six hours if training never ends: add timeout-minutes to the job.")
            elif not re.fullmatch(r"\d+(\.\d+)?", given):
                yield _at(line, f"has a time limit that cannot be decided here, {given!r}: write a number of minutes.")
            elif not 0 < float(given) <= FEW_MINUTES:
                yield _at(line, f"has a time limit of {given} minutes: the gate needs a few, at most {FEW_MINUTES}.")
