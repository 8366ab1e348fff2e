"""Start and check the lab `ci`."""

from __future__ import annotations

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import run_sandboxed
from ..lab_dir import create, lab_files
from ..review import Comment, Item, Review
from . import datasets, workflow
from .steps import GATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..run_sandboxed import Completed

LAB = "ci"
SECONDS = 120
PROJECT, DATA, PULLS = "main", "data", "pull-requests"


@dataclass(frozen=True)
class Change:
    """A pull request that replaces `old` by `new` in `file`.

    Attributes:
      about: description, for a comment.
      reason: beginning of a word that the gate has to print as its reason; empty if the change is good.
    """

    about: str
    file: str = ""
    old: str = ""
    new: str = ""
    reason: str = ""


GOOD, TESTS, ACCURACY, FAIRNESS = "", "test", "accura", "fair"
CHANGES = (  # The first four are in the lab's folder; students do not know the others.
    Change("the project as it is"),
    Change("pull request 1, which is good", "digits.py", "= 200,", "= 100,"),
    Change("pull request 2, which lowers the accuracy on digits", "digits.py", "= 200,", "= 10,", ACCURACY),
    Change("pull request 3, which denies loans to one group", "loans.py", '"debt")', '"debt", "district")', FAIRNESS),
    Change("a smaller learning rate, which does no harm", "loans.py", "300, 0.5", "300, 0.4"),
    Change("a change that fails a test", "digits.py", "argmax(axis=1)", "argmax(axis=0)", TESTS),
    Change("a change that rounds pixels away", "digits.py", "pixels / 16", "pixels // 16", ACCURACY),
    Change("a change that grants few loans only", "loans.py", "weights > 0", "weights > 2", ACCURACY),
    Change("a change that uses the group itself", "loans.py", '"debt")', '"debt", "group")', FAIRNESS),
)
ITEMS = {  # reason: (title, points)
    GOOD: ("Good changes may be merged", 20),
    TESTS: ("A change that fails a test is rejected", 10),
    ACCURACY: ("A change that makes a model worse is rejected", 20),
    FAIRNESS: ("A change that makes a model unfair is rejected", 20),
}


def start(folder: Path) -> None:
    """Create the lab's folder. Raises ValueError if it is not empty."""
    create(LAB, folder, _fill)


def _fill(folder: Path) -> None:
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(lab_files(LAB), folder, dirs_exist_ok=True, ignore=skipped)
    datasets.write_datasets(folder / DATA)
    for changed in sorted((lab_files(LAB) / PULLS).glob("[0-9]-*")):  # Whole projects, as they would be after a merge.
        for part in (lab_files(LAB) / PROJECT, changed):
            shutil.copytree(part, folder / PULLS / changed.name, dirs_exist_ok=True, ignore=skipped)


def check(folder: Path, respond: bool = True) -> Review:
    """Review the lab in `folder`; `respond` has no effect here. Raises ValueError if the gate is missing."""
    if not (folder / GATE).is_file():
        raise ValueError(f"{folder / GATE} does not exist: it is the program that you write in this lab.")
    with tempfile.TemporaryDirectory(prefix="mt-lab-", ignore_cleanup_errors=True) as temporary:
        datasets.write_datasets(Path(temporary) / DATA)
        trees = [_tree(folder / GATE, change, Path(temporary) / str(i)) for i, change in enumerate(CHANGES)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            completed = list(pool.map(lambda tree: run_sandboxed.run_python(tree, [GATE, PROJECT], SECONDS), trees))
    results = list(zip(CHANGES, completed, strict=True))
    gate = [
        Item(f"gate-{reason or 'good'}", title, points, list(_comments(reason, results)))
        for reason, (title, points) in ITEMS.items()
    ]
    return Review(LAB, [*_workflow_items(folder), *gate], run_sandboxed.sandbox_note())


def _tree(gate: Path, change: Change, tree: Path) -> Path:
    """Write what the gate sees: data, and the project after the change, with no name that reveals the answer."""
    shutil.copytree(tree.parent / DATA, tree / DATA)
    shutil.copytree(lab_files(LAB) / PROJECT, tree / PROJECT, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(gate, tree / GATE)
    if change.file:
        path = tree / PROJECT / change.file
        path.write_text(path.read_text(encoding="utf-8").replace(change.old, change.new), encoding="utf-8")
    return tree


def _workflow_items(folder: Path) -> list[Item]:
    return [
        Item("actionlint", "actionlint reports nothing for the workflow", 5, list(workflow.actionlint(folder))),
        Item("schema", "The workflow matches GitHub's schema", 5, list(workflow.schema(folder))),
        Item("workflow", "The workflow can block a merge", 20, list(workflow.rules(folder))),
    ]


def _comments(reason: str, results: list[tuple[Change, Completed]]) -> Iterator[Comment]:
    """Comment on changes of one kind. A gate that rejects everything earns no points for its rejections."""
    rejects_all = all(not completed.succeeded for _, completed in results)
    for change, completed in results:
        if change.reason != reason:
            continue
        if not reason and not completed.succeeded:
            yield Comment(GATE, f"rejects {change.about}: {completed.tail()}")
        elif reason and completed.succeeded:
            yield Comment(GATE, f"accepts {change.about}.")
        elif reason and rejects_all:
            yield Comment(GATE, f"rejects {change.about}, but it rejects everything.")
        elif reason and reason not in completed.output.lower():
            yield Comment(GATE, f"rejects {change.about}, but does not say why: print the reason. {completed.tail()}")
