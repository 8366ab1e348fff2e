"""What has been graded so far, a file a student in the folder of the results: nothing is done twice, nothing lost."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from minitorch._files import atomic_write, clear_partial

from ..author.cells import Notebook
from ..report.sanitize import file_name
from .collect import SubmissionFiles
from .grade_submission import GradedSubmission

RUN, KEPT, TIMING = "run.json", "results", "timing.json"


class Record:
    """The folder `out`, for one grading of one notebook. `seed` is the one that was given, or kept, or drawn; `due` is
    the one that was given, or kept.

    Raises ValueError if another grading is there, or one that is not to be resumed.
    """

    def __init__(
        self,
        out: Path,
        notebook: Notebook,
        seed: int | None,
        sandboxed: bool,
        resume: bool,
        due: datetime | None = None,
    ):
        self.out, self.kept = out, out / KEPT
        run = {
            "notebook": notebook.name,
            "source": hashlib.sha256(notebook.path.read_bytes()).hexdigest(),
            "sandboxed": sandboxed,
        }
        before = _run_in(out, resume)
        self.seed: int = before.get("seed", secrets.randbelow(2**31) if seed is None else seed)
        if before and (run.items() - before.items() or seed not in (None, self.seed)):
            raise ValueError(
                f"{out} holds results of another notebook, another seed, or of a source that has changed since: give"
                " another folder with --out."
            )
        self.kept.mkdir(parents=True, exist_ok=True)
        clear_partial(self.kept)
        kept = before.get("due")
        self.due = due or (datetime.fromisoformat(kept) if kept else None)
        _write(out / RUN, run | {"seed": self.seed, "due": self.due.isoformat() if self.due else None})

    def has(self, handed: SubmissionFiles) -> bool:
        """Has this been graded, exactly as it was handed in?"""
        path = self._path(handed.student)
        return path.exists() and (kept := _read(path))["settled"] and kept["digest"] == handed.digest

    def finished(self, student: str) -> bool:
        return self._path(student).exists()

    def keep(self, marked: GradedSubmission) -> None:
        _write(self._path(marked.row["student"]), asdict(marked))

    def of(self, student: str) -> GradedSubmission:
        return GradedSubmission(**_read(self._path(student)))

    def _path(self, student: str) -> Path:
        return self.kept / f"{file_name(student)}.json"


def _run_in(out: Path, resume: bool) -> dict[str, Any]:
    if not (out / RUN).exists():
        return {}
    if not resume:
        raise ValueError(
            f"{out} holds results already: go on with them with --resume, or give another folder with --out."
        )
    return _read(out / RUN)


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): remove it, and grade again with --resume.") from None


def _write(path: Path, content: dict[str, Any]) -> None:
    atomic_write(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
