"""Checks of the files next to the Dockerfile: lock, SBOM, compose.yaml, .dockerignore, server and model."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from minitorch._optional import require

from ..review import Comment
from . import ignore_file
from .compose import run_read_only as run_read_only
from .sigterm import handles_sigterm as handles_sigterm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

LOCK, SBOM, IGNORE = "requirements.lock", "sbom.cdx.json", ".dockerignore"
# What .dockerignore must exclude: files that show whether it does, and what to write.
LEFT_OUT = {
    ".git": ((".git/HEAD", ".git/config", ".git/objects/ab/cd", ".git/hooks/pre-commit"), ".git"),
    "__pycache__": (
        ("__pycache__/a.pyc", "minitorch/__pycache__/a.pyc", "minitorch/nn/__pycache__/a.pyc"),
        "**/__pycache__",
    ),
}
MAX_PATH = 60
HASHES = ("sha256:", "sha384:", "sha512:")  # that pip accepts with --require-hashes
CARD, LICENCE, WEIGHTS = "model/model-card.md", "LICENSE", "model/model.safetensors"


def lock(folder: Path) -> Iterator[Comment]:
    """Check that every package has one version and its hashes."""
    path = folder / LOCK
    if not path.is_file():
        yield Comment(
            LOCK,
            "does not exist. Create it with `uv pip compile requirements.in --generate-hashes --universal -o"
            " requirements.lock`.",
        )
        return
    try:
        file = _requirements(path)
    except ValueError as error:
        yield Comment(LOCK, f"is not a file that pip can read: {error}")
        return
    if not file.requirements and not file.invalid_lines:
        yield Comment(LOCK, "pins no package. Create it with `uv pip compile requirements.in --generate-hashes`.")
    for line in file.invalid_lines:
        yield Comment(f"{LOCK}:{line.line_number}", f"is not a requirement: {line.line.strip()[:80]}")
    for option in (option for option in file.options if option.options.keys() & {"requirements", "constraints"}):
        yield Comment(f"{LOCK}:{option.line_number}", "names another file, which is not read here: write one lock.")
    for required in file.requirements:
        where, name = f"{LOCK}:{required.line_number}", required.name or required.line.strip()[:80]
        version = str(required.specifier or "")
        exact = re.fullmatch(r"===?[^,*]+", version) or (required.link and not required.is_editable)
        if not exact:
            yield Comment(where, f"{name}{version} has no version: a lock pins one (==).")
        elif not any(value.startswith(HASHES) for value in required.hash_options):
            yield Comment(where, f"{name} has no hash: create the lock with --generate-hashes.")


def _requirements(path: Path) -> Any:
    """Return a requirements file as pip reads it, in the encoding of its byte-order mark. Raises ValueError."""
    require("pip_requirements_parser", "Reading a lock", "pip install 'minitorch-course[course]'")
    from pip_requirements_parser import InstallationError, RequirementsFile, RequirementsFileParseError

    try:
        return RequirementsFile.from_file(str(path))
    except (InstallationError, RequirementsFileParseError, OSError, ValueError) as error:
        raise ValueError(str(error).strip().partition("\n")[0][:200] or type(error).__name__) from error


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
    locked = _locked(folder / LOCK)
    missing = [f"{name} {version}" for name, version in locked if (_name(name), version) not in listed]
    if missing:
        rest = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        yield Comment(
            SBOM, f"does not list {', '.join(missing[:3])}{rest} of the lock: create it again after each change."
        )


def _locked(path: Path) -> list[tuple[str, str]]:
    """Return names and versions of a lock; none if it cannot be read."""
    try:
        found = _requirements(path).requirements
    except ValueError:
        return []
    return [(each.name, version[2:]) for each in found if each.name and (version := str(each.specifier))[:2] == "=="]


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


def left_out(folder: Path) -> Iterator[Comment]:
    """Check that .dockerignore excludes what does not belong in an image."""
    try:
        patterns = _ignored(folder)
    except ValueError as error:
        yield Comment(IGNORE, f"cannot be used: {error}. Docker refuses to build.")
        return
    exceptions = [re.sub(r"[*?]+", "x", pattern.text) for pattern in patterns if pattern.exception]
    for name, (paths, advice) in LEFT_OUT.items():
        examples = [*paths, *(path for path in exceptions if name in path.split("/") and len(path) < MAX_PATH)]
        if sent := next((path for path in examples if not ignore_file.is_ignored(path, patterns)), None):
            yield Comment(
                IGNORE,
                f"does not exclude {name}: {sent} would be sent to the builder, and could end up in a layer. Add"
                f" {advice}, and no exception (!) for it.",
            )


def sent(folder: Path, paths: Iterable[str]) -> Iterator[Comment]:
    """Check that .dockerignore does not exclude files that the image needs."""
    try:
        patterns = _ignored(folder)
    except ValueError:
        return  # `left_out` comments on that.
    for path in paths:  # The context may be the folder above.
        if all(ignore_file.is_ignored(name, patterns) for name in (path, f"{folder.resolve().name}/{path}")):
            yield Comment(IGNORE, f"excludes {path}, so it cannot be copied: add the exception !{path}.")


def _ignored(folder: Path) -> list[ignore_file.Pattern]:
    """Return the patterns for the build context. A file named after the Dockerfile takes precedence, as in BuildKit."""
    own = folder / f"Dockerfile{IGNORE}"
    return ignore_file.parse(_text(own if own.is_file() else folder / IGNORE))


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
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return ""
