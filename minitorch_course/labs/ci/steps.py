"""Find out whether a step of a job passes and fails as the gate does.

A shell script is not judged by its text, because no parser knows its status (`set -e`, pipes, traps, functions).
The step is run, exactly as GitHub would run it, with a gate that accepts and with one that rejects. That happens in the
sandbox only. Where there is none, only a step that consists of the one command `python gate.py main` can be judged,
since its status is the gate's in every shell.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ...grading.sandbox import why_unavailable
from .. import run_sandboxed
from . import stub_runner
from .document import as_dict, as_list, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

GATE, PROJECT = "gate.py", "main"
SHELLS = {  # What GitHub runs for a keyword; None where no shell is named.
    None: "bash -e {0}",
    "bash": "bash --noprofile --norc -eo pipefail {0}",
    "sh": "sh -e {0}",
    "python": "python {0}",
}
WINDOWS_SHELLS = ("pwsh", "powershell", "cmd")
STEP_SECONDS, SECONDS = 10, 60
MAX_FILE, SKIPPED = 100_000, {"node_modules", "venv", "__pycache__"}
SIMPLE = re.compile(r"((uv|poetry|pdm) run )?((python3?|py) (-u )?)(\./)?gate\.py (\./)?main/?")
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
KNOWN = {  # the same for every pull request into main
    "github.event_name": "pull_request",
    "github.base_ref": "main",
    "github.event.pull_request.base.ref": "main",
    "github.workspace": str(stub_runner.WORK),
    "runner.os": "Linux",
    "runner.temp": "/tmp",
}
CONSTANTS = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_BASE_REF": "main"}
CONSTANTS |= {"RUNNER_OS": "Linux"}
FILES = ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "RUNNER_TEMP")
VARIABLE = re.compile(r"\b(?:(?:GITHUB|RUNNER)_[A-Z_]+|RANDOM)\b")
HARMLESS = re.compile(r"\$\{\{\s*(github\.(actor|job|repository|run_\w+|sha|workflow)|(matrix|runner)\.\w+)\s*\}\}")
ECHO = re.compile(r"\s*(echo|printf)\b(?!.*\$\{\{)[^|&;`()]*")
OF_THE_CHANGE = re.compile(r"github\.(sha|ref|head_ref|event\.(number|pull_request\.(head|merge_commit_sha|number)))")
CHECKOUT = "actions/checkout@"
WHOLE = f"let `run: python {GATE} {PROJECT}` be the whole step"


@dataclass
class Script:
    """A `run` step: its script without expressions, and its surroundings.

    Attributes:
      unknown: what it depends on whose value differs between pull requests, or is not in the workflow.
    """

    step: dict[str, Any]
    script: str
    shell: str | None
    folder: str
    env: dict[str, str]
    unknown: list[str] = field(default_factory=list)

    @property
    def mentions_gate(self) -> bool:
        """Whether the word occurs in the script or in its variables."""
        return "gate" in " ".join((self.script, *self.env.values())).lower()


@dataclass(frozen=True)
class Result:
    """A step that has to do with the gate, and what is wrong with it; empty if it fails whenever the gate rejects."""

    step: dict[str, Any]
    problem: str = ""


def judge(workflow: dict[str, Any], job: dict[str, Any], folder: Path) -> list[Result]:
    """Return the steps of a job that run the gate, or seem to. `folder` is the repository."""
    scripts = list(_scripts(workflow, job))
    simple = [script for script in scripts if _is_simple(script)]
    mentions = [script for script in scripts if script.mentions_gate]
    if not mentions:
        return []
    checkouts = _checkouts(job, mentions[0].step)
    if not checkouts:
        problem = "has no copy of the repository, so no gate: put the step `uses: actions/checkout@v5` in front of it."
    elif not any(is_change for _, is_change in checkouts):
        problem = "checks another version than the pull request's: remove `ref` and `repository` from the checkout."
    elif simple and checkouts == [(".", True)]:
        return [Result(script.step) for script in simple]
    elif why := why_unavailable():
        problem = f"cannot be decided: its script runs in a sandbox only, and {why}. To be sure, {WHOLE}."
    else:
        return list(_run(scripts, checkouts, folder))
    return [Result(script.step, problem) for script in mentions]


def _scripts(workflow: dict[str, Any], job: dict[str, Any]) -> Iterator[Script]:
    for step in as_list(job.get("steps")):
        if not isinstance(step, dict) or not isinstance(step.get("run"), str):
            continue
        places = [step, *(as_dict(as_dict(place.get("defaults")).get("run")) for place in (job, workflow))]
        named = {
            name: next((str(place[name]) for place in places if isinstance(place.get(name), str)), None)
            for name in ("shell", "working-directory")
        }
        script = Script(step, "", named["shell"], "", {})
        for place in (workflow, job, step):
            for name, value in as_dict(place.get("env")).items():
                if isinstance(value, str):
                    script.env[str(name)] = _evaluate(str(value), script.env, [])
                    if re.search(rf"\b{re.escape(name)}\b", _without_echo(step["run"])):
                        _evaluate(str(value), script.env, script.unknown)
        script.script = _evaluate(str(step["run"]), script.env, [])
        deciding = _without_echo(str(step["run"]))
        _evaluate(deciding, script.env, script.unknown)
        script.folder = _evaluate(named["working-directory"] or ".", script.env, script.unknown)
        known = {*CONSTANTS, *FILES, *script.env}
        script.unknown += [name for name in VARIABLE.findall(deciding) if name not in known]
        script.shell = script.shell or _default_shell(job)
        yield script


def _without_echo(script: str) -> str:
    """Return a script without the lines that only print, which decide nothing, whatever the values in them are.

    Other expressions stay: the title of a pull request may be a command that GitHub pastes into the script.
    """
    lines = script.splitlines()
    return "\n".join(line for line in lines if not ECHO.fullmatch(HARMLESS.sub("x", line)))


def _evaluate(text: str, env: dict[str, str], unknown: list[str]) -> str:
    """Replace the expressions in a text; those without a known value are added to `unknown`."""

    def value(found: re.Match[str]) -> str:
        inner = found[1].strip()
        if quoted := re.fullmatch(r"'([^']*)'", inner):
            return quoted[1]
        if inner.startswith("env.") and inner[4:] in env:
            return env[inner[4:]]
        if inner.lower() not in KNOWN:
            unknown.append(found[0])
        return KNOWN.get(inner.lower(), "unknown")

    return EXPRESSION.sub(value, text)


def _default_shell(job: dict[str, Any]) -> str | None:
    """Return the keyword of the shell where none is named: a container has sh, and Windows has PowerShell."""
    if job.get("container"):
        return "sh"
    labels = job.get("runs-on")
    labels = as_list(labels) or as_list(as_dict(labels).get("labels"))
    names = " ".join(str(label) for label in labels if isinstance(label, str)).lower()
    for name in re.findall(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}", names):
        values = as_list(as_dict(as_dict(job.get("strategy")).get("matrix")).get(name))
        names += " ".join(str(value) for value in values if isinstance(value, str)).lower()
    return "pwsh" if "windows" in names else None


def _is_simple(script: Script) -> bool:
    shells = (*SHELLS, *WINDOWS_SHELLS)
    shell_is_known = script.shell in shells and script.shell != "python"
    plain = not {"BASH_ENV", "ENV", "PATH"} & set(script.env)
    return shell_is_known and plain and script.folder in (".", "./") and bool(SIMPLE.fullmatch(script.script.strip()))


def _checkouts(job: dict[str, Any], gate: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return where the steps before `gate` copy the repository to, and whether that is the change itself."""
    found = []
    for step in takewhile(lambda step: step is not gate, as_list(job.get("steps"))):
        if str(as_dict(step).get("uses", "")).lower().startswith(CHECKOUT):
            given = as_dict(step.get("with"))
            ref, repository = (str(given.get(name) or "").strip() for name in ("ref", "repository"))
            is_change = not ref or bool(OF_THE_CHANGE.search(ref.lower())) or ref.startswith("refs/pull/")
            is_ours = not repository or bool(re.search(r"github\.(repository|.*full_name)", repository.lower()))
            path = PurePosixPath(str(given.get("path") or "."))
            found.append((str(path), is_change and is_ours))
    return [(path, is_change) for path, is_change in found if ".." not in path and not path.startswith("/")]


def _run(scripts: list[Script], checkouts: list[tuple[str, bool]], folder: Path) -> Iterator[Result]:
    """Run the steps of a job in the sandbox."""
    shells = [SHELLS.get(script.shell, script.shell or "") for script in scripts]
    steps = [
        {"script": script.script, "shell": shell, "folder": script.folder, "env": CONSTANTS | script.env}
        for script, shell in zip(scripts, shells, strict=True)
    ]
    with tempfile.TemporaryDirectory(prefix="mt-lab-", ignore_cleanup_errors=True) as temporary:
        tree = Path(temporary) / "job"
        _copy(folder, tree / "repository")
        shutil.copy(stub_runner.__file__, tree / "stub_runner.py")
        (tree / "job.json").write_text(
            json.dumps({"steps": steps, "checkouts": checkouts, "seconds": STEP_SECONDS}), encoding="utf-8"
        )
        for path in (tree, *tree.rglob("*")):  # Another user runs it, whatever the umask was.
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        done = run_sandboxed.run_python(tree, ["stub_runner.py"], SECONDS)
    try:
        accepting, rejecting, failing = json.loads(done.output.strip().splitlines()[-1])
    except (ValueError, IndexError):
        accepting = rejecting = failing = [{"status": None, "calls": [], "missing": [], "output": done.tail()}] * len(
            scripts
        )
    failed = False  # whether an earlier step has failed if commands such as `git fetch` do
    for script, accepted, rejected, unlucky in zip(scripts, accepting, rejecting, failing, strict=True):
        follows = rejected["status"] != accepted["status"]
        if script.mentions_gate or accepted["calls"] or rejected["calls"] or follows:
            problem = _problem(script, accepted, rejected)
            if not problem and not unlucky["status"] and not failed:
                problem = f"passes where the gate rejects the change, if a command before the gate fails: {WHOLE}."
            yield Result(script.step, problem)
        failed = failed or (bool(unlucky["status"]) and "continue-on-error" not in script.step)


def _copy(folder: Path, repository: Path) -> None:
    """Copy the small files of a repository, so that scripts and Makefiles of the student are there."""
    (repository / PROJECT).mkdir(parents=True)
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in SKIPPED and not name.startswith(".")]
        for path in (Path(parent) / name for name in files):
            if not path.is_symlink() and path.is_file() and path.stat().st_size <= MAX_FILE:
                target = repository / path.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)


def _problem(script: Script, accepted: dict[str, Any], rejected: dict[str, Any]) -> str:
    """Return what is wrong with a step, from its ends with both gates."""
    calls = {*accepted["calls"], *rejected["calls"]}
    if script.unknown:
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(script.unknown))
        return f"cannot be decided: whether the gate is obeyed depends on {names}. To be sure, {WHOLE}."
    if None in (accepted["status"], rejected["status"]):
        return f"cannot be decided: {accepted['output'] or rejected['output']}. To be sure, {WHOLE}."
    if rejected["status"] and not accepted["status"]:
        return ""
    if calls == {"other"}:
        return f"runs the gate, but not on the project of the pull request: {WHOLE}."
    if missing := accepted["missing"] or rejected["missing"]:
        return f"cannot be decided: `{missing[0][:30]}` is not installed here. To be sure, {WHOLE}."
    if accepted["status"]:
        return f"fails even where the gate accepts the change ({accepted['output']}): {WHOLE}."
    if not calls:
        return f"never runs the gate, or does not wait for it: {WHOLE}."
    return f"runs the gate and ignores its result, so the step passes where the gate rejects the change: {WHOLE}."


def where(result: Result) -> int:
    """Return the line of a step's script."""
    return line_of(result.step, "run")
