"""Checks of a workflow for GitHub Actions: the published linters, and the rules that make it a gate."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minitorch._optional import require

from ..review import Comment

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = ".github/workflows/gate.yml"
GATE = "gate.py"
IGNORED = r"\|\|\s*(true|:|exit 0)|;\s*(true|exit 0)\s*$|set \+e"
FORM = "{{range $ := .}}{{json $}}\n{{end}}"


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
    return subprocess.run([found, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def rules(folder: Path) -> Iterator[Comment]:
    """Report what keeps the workflow from blocking a merge, and what is insecure in it."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except OSError:
        yield Comment(FILE, "does not exist.")
        return
    yaml = require("yaml", "Reading a workflow", "pip install pyyaml")
    try:
        loaded = yaml.load(text, Loader=yaml.BaseLoader)  # keeps `on` a string, and 3.10 from becoming 3.1
    except yaml.YAMLError as error:
        yield Comment(FILE, f"is not valid YAML: {' '.join(str(error).split())[:200]}")
        return
    if not isinstance(loaded, dict) or not isinstance(loaded.get("jobs"), dict):
        yield Comment(FILE, "has no jobs.")
        return
    yield from _triggers(loaded, text)
    yield from _permissions(loaded, text)
    yield from _jobs(loaded["jobs"], text)


def _triggers(loaded: dict[str, Any], text: str) -> Iterator[Comment]:
    events = loaded.get("on", "")
    if "pull_request_target" in events:
        yield _comment(
            text,
            "pull_request_target",
            "gives the code of strangers access to the repository's secrets: use pull_request instead.",
        )
    elif "pull_request" not in ([events] if isinstance(events, str) else events):
        yield _comment(
            text, "on:", "does not run on pull requests, so nothing is checked before a merge: add pull_request."
        )


def _permissions(loaded: dict[str, Any], text: str) -> Iterator[Comment]:
    given = loaded.get("permissions")
    if given is None:
        advice = "sets no permissions, so it gets the repository's default: add `permissions: {contents: read}`."
        yield _comment(text, "jobs:", advice)
    elif given != "read-all" and (not isinstance(given, dict) or "write" in given.values()):
        yield _comment(
            text, "permissions", "may write to the repository, which a check does not need: use contents: read."
        )


def _jobs(jobs: dict[str, Any], text: str) -> Iterator[Comment]:
    jobs = {name: job for name, job in jobs.items() if isinstance(job, dict)}
    steps = [(job, step) for job in jobs.values() for step in job.get("steps") or [] if isinstance(step, dict)]
    gates = [(job, step) for job, step in steps if GATE in step.get("run", "")]
    if not gates:
        yield _comment(text, "steps:", f"never runs the gate: add the step `run: python {GATE} main`.")
    for job, step in gates:
        if re.search(IGNORED, step["run"], re.MULTILINE):
            yield _comment(text, GATE, "runs the gate and ignores its result. Remove what follows the command.")
        if "true" in (step.get("continue-on-error"), job.get("continue-on-error")):
            yield _comment(text, "continue-on-error", "lets the job pass when the gate rejects a change: remove it.")
        if "if" in step or "if" in job:
            yield _comment(text, "if:", "runs the gate on a condition, and a skipped job counts as passed: remove it.")
    for name, job in jobs.items():
        if "timeout-minutes" not in job:
            yield _comment(
                text, f"{name}:", "may run for six hours if training never ends: add timeout-minutes to the job."
            )


def _comment(text: str, word: str, advice: str) -> Comment:
    """Comment on the last line that begins with a word, or else contains it."""
    lines = list(enumerate(text.splitlines(), 1))
    begin = [number for number, line in lines if line.strip(" -").startswith(word)]
    found = begin or [number for number, line in lines if word in line] or [1]
    return Comment(f"{FILE}:{found[-1]}", advice)
