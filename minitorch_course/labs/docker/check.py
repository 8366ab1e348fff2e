"""Start and check the lab `docker`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..._packages import LIBRARY
from ..lab_dir import create, lab_files
from ..review import Comment, Item, Review
from . import dockerfile_rules, file_checks, image_checks
from .dockerfile import FILE, Dockerfile, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LAB = "docker"
STUDENT_FILES = ("Dockerfile", "serve.py", "requirements.in", "make-base.sh")
PARTS = ("autodiff", "ops", "nn", "optim", "text", "data", "models", "train", "infer")  # all that a server needs


def start(folder: Path) -> None:
    """Create the lab's folder. Raises ValueError if it is not empty."""
    create(LAB, folder, _fill)


def _fill(folder: Path) -> None:
    for name in STUDENT_FILES:
        shutil.copy(lab_files(LAB) / name, folder / name)
    skipped = shutil.ignore_patterns("__pycache__")
    for part in PARTS:
        shutil.copytree(LIBRARY / part, folder / "minitorch" / part, ignore=skipped)
    for file in LIBRARY.glob("*.py"):
        shutil.copy(file, folder / "minitorch")


def check(folder: Path, respond: bool = True) -> Review:
    """Review the lab in `folder`; `respond` has no effect here. Raises ValueError if the Dockerfile is missing."""
    file = read(folder / FILE)
    return Review(LAB, [*check_files(file, folder), *check_model(file, folder), *image_checks.check_image(folder)])


def check_files(file: Dockerfile, folder: Path) -> list[Item]:
    """Return the items for any image: Dockerfile, lock, SBOM, and how to run it."""
    both: dict[str, tuple[str, int, Iterable[Comment]]] = {
        "hadolint": ("hadolint, a linter of Dockerfiles, reports nothing", 6, lint(folder / FILE)),
        "stages": ("Built in one stage, run in another", 5, dockerfile_rules.stages(file)),
        "base": ("The base is pinned by its digest", 5, dockerfile_rules.base(file)),
        "locked": (
            "Packages come from a lock with hashes",
            7,
            [*dockerfile_rules.locked(file), *file_checks.lock(folder)],
        ),
        "user": ("The program does not run as root", 4, dockerfile_rules.user(file)),
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
        "labels": ("OCI labels describe the image", 4, dockerfile_rules.labels(file)),
        "bill": (
            "Licence and SBOM are in the image",
            6,
            [
                *dockerfile_rules.documents(file),
                *file_checks.sbom(folder),
                *file_checks.sent(folder, (file_checks.LICENCE, file_checks.SBOM)),
            ],
        ),
    }
    return [Item(f"file-{name}", title, points, list(found)) for name, (title, points, found) in both.items()]


def check_model(file: Dockerfile, folder: Path) -> list[Item]:
    """Return the items for an image that serves a model."""
    signals = [*dockerfile_rules.signals(file), *file_checks.handles_sigterm(folder)]
    card = [
        *dockerfile_rules.carried(
            file, "model", "the model with its card", "users need to know how the model was trained"
        ),
        *file_checks.sent(folder, (file_checks.WEIGHTS, file_checks.CARD)),
        *file_checks.model(folder),
    ]
    return [
        Item("file-signals", "SIGTERM reaches the server, which shuts down", 5, signals),
        Item("file-model", "The model, its card and the licence exist", 5, card),
    ]


def lint(path: Path) -> Iterator[Comment]:
    """Report what hadolint finds. Raises ImportError if it is not installed."""
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
