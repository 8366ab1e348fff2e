"""Checks of the files next to the Dockerfile: lock, SBOM, compose.yaml, .dockerignore, server and model."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any

from minitorch._optional import require

from ..review import Comment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK, SBOM, COMPOSE, IGNORE, SERVER = "requirements.lock", "sbom.cdx.json", "compose.yaml", ".dockerignore", "serve.py"
LEFT_OUT = (".git", "__pycache__")
CARD, LICENCE, WEIGHTS = "model/model-card.md", "LICENSE", "model/model.safetensors"


def lock(folder: Path) -> Iterator[Comment]:
    """Check that every package has one version and its hashes."""
    text = _text(folder / LOCK)
    if not text:
        yield Comment(
            LOCK,
            "does not exist. Create it with `uv pip compile requirements.in --generate-hashes --universal -o"
            " requirements.lock`.",
        )
        return
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"[A-Za-z0-9]", line) and "==" not in line:
            yield Comment(f"{LOCK}:{number}", f"{line.split()[0]} has no version: a lock pins one (==).")
        elif re.match(r"[A-Za-z0-9]", line) and "--hash=" not in _entry(text, number):
            yield Comment(f"{LOCK}:{number}", f"{line.split()[0]} has no hash: create the lock with --generate-hashes.")


def _entry(text: str, number: int) -> str:
    """Return a line of the lock with its continuation lines."""
    lines = text.splitlines()[number - 1 :]
    end = next((i for i, line in enumerate(lines[1:], 1) if not line.startswith((" ", "\t"))), len(lines))
    return "\n".join(lines[:end])


def sbom(folder: Path) -> Iterator[Comment]:
    """Check that a CycloneDX SBOM lists the packages of the lock."""
    text = _text(folder / SBOM)
    if not text:
        yield Comment(SBOM, f"does not exist. Create it with `cyclonedx-py requirements {LOCK} --of JSON -o {SBOM}`.")
        return
    if problem := _invalid(text):
        yield Comment(SBOM, f"is not valid CycloneDX: {problem}. Create it again with cyclonedx-py.")
        return
    listed = {(_name(c["name"]), c.get("version")) for c in json.loads(text).get("components", [])}
    locked = re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", _text(folder / LOCK), re.MULTILINE)
    missing = [f"{name} {version}" for name, version in locked if (_name(name), version) not in listed]
    if missing:
        rest = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        yield Comment(
            SBOM, f"does not list {', '.join(missing[:3])}{rest} of the lock: create it again after each change."
        )


def _invalid(text: str) -> str | None:
    require("cyclonedx", "Reading an SBOM", "pip install 'minitorch-course[course]'")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    try:
        sbom = json.loads(text)
        version = SchemaVersion.from_version(sbom["specVersion"])
        problem = JsonStrictValidator(version).validate_str(text, all_errors=False)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{type(error).__name__} {error}"
    return str(getattr(problem, "data", problem)).splitlines()[0][:200] if problem else None


def _name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def run_read_only(folder: Path) -> Iterator[Comment]:
    """Check that compose.yaml runs the container read-only, with minimal rights."""
    services = _services(_text(folder / COMPOSE))
    if not services:
        yield Comment(COMPOSE, "does not exist, or has no service. It describes how to run the image: write it.")
    for service in services:
        yield from _restricted(folder, service)


def _restricted(folder: Path, service: dict[str, Any]) -> Iterator[Comment]:
    wanted = {
        "read_only": (service.get("read_only") is True, "read_only: true, so that an attacker cannot write files"),
        "tmpfs": (bool(service.get("tmpfs")), "tmpfs: [/tmp], since the server needs a small writable place"),
        "cap_drop": (
            "ALL" in (service.get("cap_drop") or []),
            "cap_drop: [ALL]: a server needs no capabilities of root",
        ),
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
    """Check that .dockerignore excludes what does not belong in an image."""
    text = _text(folder / IGNORE) or _text(
        folder / f"Dockerfile{IGNORE}"
    )  # the latter if the build context is another folder
    patterns = [line.strip().strip("/") for line in text.splitlines()]
    if "*" in patterns:  # Excludes everything but the exceptions.
        return
    for name in LEFT_OUT:
        if not any(pattern.endswith(name) for pattern in patterns):
            yield Comment(
                IGNORE, f"does not exclude {name}: it would be sent to the builder, and could end up in a layer."
            )


def handles_sigterm(folder: Path) -> Iterator[Comment]:
    """Check that the server shuts down on SIGTERM."""
    text = _text(folder / SERVER)
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        yield Comment(f"{SERVER}:{error.lineno}", f"is not valid Python: {error.msg}.")
        return
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if not any(re.search(r"\bsignal\($", ast.unparse(c.func) + "(") and "SIGTERM" in ast.unparse(c) for c in calls):
        yield Comment(
            f"{SERVER}:{_line(text, 'serve_forever')}",
            "SIGTERM is not handled, and a container's first process ignores signals without a handler. Use"
            " signal.signal with a handler that shuts down the server from another thread.",
        )


def model(folder: Path) -> Iterator[Comment]:
    """Check that the trained model, its card and a licence exist."""
    for path, advice in (
        (
            WEIGHTS,
            "copy the folder of a finished run to model/: your own of notebook 08, or `minitorch train --out model`",
        ),
        (CARD, "every run writes one, copy it with the model"),
        (LICENCE, "choose a licence for the image, and write its text to this file"),
    ):
        if not (folder / path).is_file():
            yield Comment(path, f"does not exist: {advice}.")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
