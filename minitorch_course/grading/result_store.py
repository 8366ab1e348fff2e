"""The results so far, one file for each student: nothing is graded twice, nothing is lost."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from minitorch._files import atomic_write, clear_partial

from ..gradebook.html import FEEDBACK
from ..gradebook.sanitize import file_name
from .grade_submission import GradedSubmission

if TYPE_CHECKING:
    from pathlib import Path

    from ..author.cells import Notebook
    from .collect import SubmissionFiles

RUN, RESULTS, TIMING = "run.json", "results", "timing.json"


class ResultStore:
    """The folder `out`, for one grading of one notebook.

    `seed` is the one that was given, or stored, or drawn; `due` is the one that was given, or stored.

    Raises:
      ValueError: the folder holds another grading, or one that is not to be resumed.
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
        self.out, self.results = out, out / RESULTS
        run = {
            "notebook": notebook.name,
            "source": hashlib.sha256(notebook.path.read_bytes()).hexdigest(),
            "sandboxed": sandboxed,
        }
        before = _stored_run(out, resume)
        self.seed: int = before.get("seed", secrets.randbits(128) if seed is None else seed)
        if before and (run.items() - before.items() or seed not in (None, self.seed)):
            raise ValueError(
                f"{out} holds results of another notebook, another seed, or of a source that has changed since: give"
                " another folder with --out."
            )
        self.results.mkdir(parents=True, exist_ok=True)
        for folder in (out, self.results, out / FEEDBACK):
            clear_partial(folder)
        stored = before.get("due")
        self.due = due or (datetime.fromisoformat(stored) if stored else None)
        self._round: int = before.get("round", 0)
        self._run = run | {"seed": self.seed, "due": self.due.isoformat() if self.due else None}
        self._write_run()

    @property
    def input_seed(self) -> int:
        """The seed of the inputs in this round. It reveals neither `seed` nor the inputs of other rounds."""
        digest = hmac.digest(str(self.seed).encode(), f"round {self._round}".encode(), "sha256")
        return int.from_bytes(digest[:8])

    def end_round(self) -> None:
        """Store that the results so far may be read by students: what is submitted after it gets other inputs."""
        self._round += 1
        self._write_run()

    def _write_run(self) -> None:
        _write(self.out / RUN, self._run | {"round": self._round})

    def is_current(self, files: SubmissionFiles) -> bool:
        """Return whether exactly these files have been graded."""
        path = self._path(files.student)
        return path.exists() and (stored := _read(path))["settled"] and stored["digest"] == files.digest

    def has(self, student: str) -> bool:
        return self._path(student).exists()

    def save(self, graded: GradedSubmission) -> None:
        _write(self._path(graded.row["student"]), asdict(graded))

    def load(self, student: str) -> GradedSubmission:
        return GradedSubmission(**_read(self._path(student)))

    def _path(self, student: str) -> Path:
        return self.results / f"{file_name(student)}.json"


def _stored_run(out: Path, resume: bool) -> dict[str, Any]:
    if not (out / RUN).exists():
        return {}
    if not resume:
        raise ValueError(f"{out} holds results already: continue with --resume, or give another folder with --out.")
    return _read(out / RUN)


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): remove it, and grade again with --resume.") from None


def _write(path: Path, content: dict[str, Any]) -> None:
    atomic_write(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
