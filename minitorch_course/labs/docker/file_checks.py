"""The files beside the Dockerfile: lock, bill of materials, how it is to be run, what is left out, and the server."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minitorch._optional import require

from ..review import Comment

LOCK, BILL, COMPOSE, IGNORE, SERVER = "requirements.lock", "sbom.cdx.json", "compose.yaml", ".dockerignore", "serve.py"
LEFT_OUT = (".git", "__pycache__")
CARD, LICENCE, WEIGHTS = "model/model-card.md", "LICENSE", "model/model.safetensors"


def lock(folder: Path) -> Iterator[Comment]:
    """Every package has one version and its hashes."""
    text = _text(folder / LOCK)
    if not text:
        yield Comment(
            LOCK,
            "is not there. `uv pip compile requirements.in --generate-hashes --universal -o requirements.lock` writes"
            " it.",
        )
        return
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"[A-Za-z0-9]", line) and "==" not in line:
            yield Comment(f"{LOCK}:{number}", f"{line.split()[0]} has no version: a lock names one (==).")
        elif re.match(r"[A-Za-z0-9]", line) and "--hash=" not in _entry(text, number):
            yield Comment(f"{LOCK}:{number}", f"{line.split()[0]} has no hash: make the lock with --generate-hashes.")


def _entry(text: str, number: int) -> str:
    """A line of the lock with those that go on from it."""
    lines = text.splitlines()[number - 1 :]
    end = next((i for i, line in enumerate(lines[1:], 1) if not line.startswith((" ", "\t"))), len(lines))
    return "\n".join(lines[:end])


def bill(folder: Path) -> Iterator[Comment]:
    """A CycloneDX bill of materials that holds what the lock holds."""
    text = _text(folder / BILL)
    if not text:
        yield Comment(BILL, f"is not there. `cyclonedx-py requirements {LOCK} --of JSON -o {BILL}` writes it.")
        return
    if problem := _invalid(text):
        yield Comment(BILL, f"is no valid CycloneDX: {problem}. Write it anew with cyclonedx-py.")
        return
    listed = {(_name(c["name"]), c.get("version")) for c in json.loads(text).get("components", [])}
    locked = re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", _text(folder / LOCK), re.MULTILINE)
    missing = [f"{name} {version}" for name, version in locked if (_name(name), version) not in listed]
    if missing:
        rest = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        yield Comment(
            BILL, f"does not list {', '.join(missing[:3])}{rest} of the lock: write it anew after each change."
        )


def _invalid(text: str) -> str | None:
    require("cyclonedx", "Reading a bill of materials", "pip install 'minitorch-course[course]'")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    try:
        bill = json.loads(text)
        version = SchemaVersion.from_version(bill["specVersion"])
        problem = JsonStrictValidator(version).validate_str(text, all_errors=False)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{type(error).__name__} {error}"
    return str(getattr(problem, "data", problem)).splitlines()[0][:200] if problem else None


def _name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def run_read_only(folder: Path) -> Iterator[Comment]:
    """compose.yaml says that the container cannot write to itself, and may do no more than it must."""
    services = _services(_text(folder / COMPOSE))
    if not services:
        yield Comment(COMPOSE, "is not there, or has no service. It says how the image is to be run: write it.")
    for service in services:
        yield from _restricted(folder, service)


def _restricted(folder: Path, service: dict[str, Any]) -> Iterator[Comment]:
    wanted = {
        "read_only": (service.get("read_only") is True, "read_only: true, so that an intruder leaves nothing behind"),
        "tmpfs": (bool(service.get("tmpfs")), "tmpfs: [/tmp], since a little place to write is needed"),
        "cap_drop": ("ALL" in (service.get("cap_drop") or []), "cap_drop: [ALL]: a server needs none of root's powers"),
        "security_opt": (
            any("no-new-privileges" in str(option) for option in service.get("security_opt") or []),
            'security_opt: ["no-new-privileges:true"]',
        ),
    }
    for name, (right, advice) in wanted.items():
        if not right:
            yield Comment(f"{COMPOSE}:{_line(_text(folder / COMPOSE), name)}", f"add {advice}.")


def _services(text: str) -> list[dict[str, Any]]:
    yaml = require("yaml", "Reading compose.yaml", "pip install pyyaml")
    try:
        return [service for service in yaml.safe_load(text)["services"].values() if isinstance(service, dict)]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError):
        return []


def _line(text: str, word: str) -> int:
    return next((number for number, line in enumerate(text.splitlines(), 1) if word in line), 1)


def left_out(folder: Path) -> Iterator[Comment]:
    """.dockerignore keeps out what has no place in an image."""
    text = _text(folder / IGNORE) or _text(folder / f"Dockerfile{IGNORE}")  # the latter where the context is not here
    patterns = [line.strip().strip("/") for line in text.splitlines()]
    if "*" in patterns:  # All but what is let in again.
        return
    for name in LEFT_OUT:
        if not any(pattern.endswith(name) for pattern in patterns):
            yield Comment(IGNORE, f"does not name {name}: it would be sent to the builder, and end up in a layer.")


def handles_sigterm(folder: Path) -> Iterator[Comment]:
    """The server ends when it is told to."""
    text = _text(folder / SERVER)
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        yield Comment(f"{SERVER}:{error.lineno}", f"is no Python: {error.msg}.")
        return
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if not any(re.search(r"\bsignal\($", ast.unparse(c.func) + "(") and "SIGTERM" in ast.unparse(c) for c in calls):
        yield Comment(
            f"{SERVER}:{_line(text, 'serve_forever')}",
            "nobody catches SIGTERM, and a container's first process ignores what it does not catch. Use"
            " signal.signal, and let it shut the server down from another thread.",
        )


def model(folder: Path) -> Iterator[Comment]:
    """The trained model, its card, and a licence."""
    for path, advice in (
        (
            WEIGHTS,
            "copy the folder of a finished run to model/: your own of notebook 08, or `minitorch train --out model`",
        ),
        (CARD, "every run writes one: copy it with the model"),
        (LICENCE, "choose a licence for the image, and put its text there"),
    ):
        if not (folder / path).is_file():
            yield Comment(path, f"is not there: {advice}.")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
