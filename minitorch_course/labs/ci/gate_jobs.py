"""Review whether a job fails, and blocks a merge, whenever the gate rejects a change."""

from __future__ import annotations

import re
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from ..review import Comment
from . import steps
from .document import as_dict, as_list, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = ".github/workflows/gate.yml"
# Conditions that hold on every pull request, without spaces. The first ones hold even if an earlier job failed.
AFTER_FAILURE = {"always()", "!cancelled()"}
HOLDS = {*AFTER_FAILURE, "true", "success()", "!failure()", "!false"}
HOLDS |= {"github.event_name=='pull_request'", "'pull_request'==github.event_name", "github.event_name!='push'"}
HOLDS |= {"github.base_ref=='main'", "github.event.pull_request.base.ref=='main'"}
NOT_TRUE = ("", "false", "${{false}}")
MANY = 10_000  # combinations of a matrix; GitHub allows 256


def review(workflow: dict[str, Any], folder: Path) -> Iterator[Comment]:
    """Report why no job blocks the merge of a change that the gate rejects; nothing if one does."""
    jobs = {name: job for name, job in as_dict(workflow["jobs"]).items() if isinstance(job, dict)}
    found = []
    for job in jobs.values():
        if results := steps.judge(workflow, job, folder):
            objections = [list(_about_step(job, result)) for result in results]
            of_steps = [] if [] in objections else [comment for comments in objections for comment in comments]
            found.append([*of_steps, *_about_job(job)])
    if not found:
        yield _no_gate(workflow, jobs)
    elif [] not in found:
        yield from (comment for comments in found for comment in comments)


def _at(line: int, advice: str) -> Comment:
    return Comment(f"{FILE}:{line}", advice)


def _no_gate(workflow: dict[str, Any], jobs: dict[str, Any]) -> Comment:
    for job in jobs.values():
        for place in (job, *(step for step in as_list(job.get("steps")) if isinstance(step, dict))):
            uses = str(place.get("uses", ""))
            given = " ".join(str(value) for value in as_dict(place.get("with")).values()).lower()
            if uses and (place is job or uses.startswith("./") or "gate" in given):
                advice = f"calls {uses}, and whether that runs the gate cannot be decided here: run it in a step."
                return _at(line_of(place, "uses"), advice)
    line = next((line_of(job, "steps") for job in jobs.values() if "steps" in job), line_of(workflow, "jobs"))
    return _at(line, f"never runs the gate: add the step `run: python {steps.GATE} {steps.PROJECT}`.")


def _about_step(job: dict[str, Any], result: steps.Result) -> Iterator[Comment]:
    if result.problem:
        yield _at(steps.where(result), result.problem)
    yield from _about_status(result.step)
    later = " ".join(str(as_dict(step).get("if", "")) for step in as_list(job.get("steps")))
    if "id" in result.step and f"steps.{result.step['id']}." in later:
        advice = "is read by a later step. Whether that fails the job cannot be decided here: let this step fail."
        if result.problem or _text(result.step.get("continue-on-error")) not in NOT_TRUE:
            yield _at(line_of(result.step, "id"), advice)


def _about_job(job: dict[str, Any]) -> Iterator[Comment]:
    yield from _about_status(job)
    if job.get("needs") and not _holds(job.get("if"), AFTER_FAILURE):
        yield _at(
            line_of(job, "needs"),
            f"runs the gate after {', '.join(map(str, as_list(job['needs'])))} only: if that job fails or is skipped,"
            " so is this one, and a skipped job counts as passed. Remove `needs`, or add `if: always()`.",
        )
    strategy = as_dict(job.get("strategy"))
    if "matrix" in strategy and (problem := _matrix(strategy["matrix"])):
        yield _at(line_of(strategy, "matrix"), problem)


def _about_status(place: dict[str, Any]) -> Iterator[Comment]:
    """Report what keeps a job or a step from running, or from failing."""
    if _text(place.get("continue-on-error")) not in NOT_TRUE:
        advice = "lets the job pass when the gate rejects a change: remove it."
        if _text(place["continue-on-error"]) not in ("true", "${{true}}"):
            advice = "may let the job pass when the gate rejects a change, which cannot be decided here: remove it."
        yield _at(line_of(place, "continue-on-error"), advice)
    if "if" in place and not _holds(place["if"]):
        advice = "runs the gate on a condition, and a skipped job counts as passed: remove it."
        yield _at(line_of(place, "if"), advice)


def _text(value: Any) -> str:
    return "".join(str(value if value is not None else "").split()).lower()


def _holds(condition: Any, needed: set[str] | None = None) -> bool:
    """Return whether a condition certainly holds: one of its alternatives does, and contains one that is `needed`."""
    text = _text(condition)
    if text.startswith("${{") and text.endswith("}}"):
        text = text[3:-2]
    quoted = "".join(re.findall("'[^']*'", text))
    if "${{" in text or "(" in text.replace("()", "") or "|" in quoted or "&" in quoted:
        return False
    parts = [set(alternative.split("&&")) for alternative in text.split("||")]
    return any(part <= HOLDS and (needed is None or part & needed) for part in parts)


def _matrix(matrix: Any) -> str:
    """Return why a matrix may have no combinations, with which a job does not run; empty if it has some."""
    given = as_dict(matrix)
    vectors = {name: values for name, values in given.items() if name not in ("include", "exclude")}
    excluded = given.get("exclude", [])
    if not given or not all(isinstance(values, list) for values in (*vectors.values(), excluded)):
        return "has a matrix whose size cannot be decided here, and a job without combinations is skipped: list them."
    rules = [as_dict(rule) for rule in excluded]
    combinations = islice(product(*vectors.values()), MANY) if vectors else ()
    for values in combinations:
        combination = dict(zip(vectors, values, strict=True))
        if not any(all(combination.get(name) == value for name, value in rule.items()) for rule in rules):
            return ""
    if isinstance(given.get("include"), list) and given["include"]:
        return ""
    return "has an empty matrix, so the job never runs: remove the matrix."
