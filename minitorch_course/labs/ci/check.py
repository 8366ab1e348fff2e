"""The lab of the gate, begun and checked."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .. import run_sandboxed
from ..lab_dir import files, lay_down
from ..review import Comment, Item, Report
from ..run_sandboxed import Ended
from . import datasets, workflow
from .workflow import GATE

LAB = "ci"
SECONDS = 120
PROJECT, DATA, PULLS = "main", "data", "pull-requests"


@dataclass(frozen=True)
class Change:
    """A pull request: in `file` it writes `new` in place of `old`.

    Attributes:
      about: what it does, for a comment.
      reason: the beginning of a word in the reason for which it is to be refused; empty if it is good.
    """

    about: str
    file: str = ""
    old: str = ""
    new: str = ""
    reason: str = ""


GOOD, TESTS, ACCURACY, FAIRNESS = "", "test", "accura", "fair"
CHANGES = (  # The first four lie in the lab's folder; the others nobody has seen.
    Change("the project as it is"),
    Change("pull request 1, which is good", "digits.py", "= 200,", "= 100,"),
    Change("pull request 2, after which digits are read worse", "digits.py", "= 200,", "= 10,", ACCURACY),
    Change("pull request 3, which denies one group its loans", "loans.py", '"debt")', '"debt", "district")', FAIRNESS),
    Change("a smaller learning rate, which harms nothing", "loans.py", "300, 0.5", "300, 0.4"),
    Change("a change after which a test fails", "digits.py", "argmax(axis=1)", "argmax(axis=0)", TESTS),
    Change("a change that rounds pixels away", "digits.py", "pixels / 16", "pixels // 16", ACCURACY),
    Change("a change that grants few loans only", "loans.py", "weights > 0", "weights > 2", ACCURACY),
    Change("a change that looks at the group itself", "loans.py", '"debt")', '"debt", "group")', FAIRNESS),
)
ITEMS = {  # reason: title and points
    GOOD: ("What is good may be merged", 20),
    TESTS: ("What fails a test may not", 10),
    ACCURACY: ("What makes a model worse may not", 20),
    FAIRNESS: ("What makes a model unfair may not", 20),
}


def start(folder: Path) -> None:
    """Lay down the lab. Raises ValueError if something is there already."""
    lay_down(LAB, folder, _fill)


def _fill(folder: Path) -> None:
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(files(LAB), folder, dirs_exist_ok=True, ignore=skipped)
    datasets.write(folder / DATA)
    for changed in sorted((files(LAB) / PULLS).glob("[0-9]-*")):  # Whole projects, as they would be after the merge.
        for part in (files(LAB) / PROJECT, changed):
            shutil.copytree(part, folder / PULLS / changed.name, dirs_exist_ok=True, ignore=skipped)


def check(folder: Path, answer: bool = True) -> Report:
    """Look at the lab in `folder`; `answer` changes nothing here. Raises ValueError if there is no gate."""
    if not (folder / GATE).is_file():
        raise ValueError(f"{folder / GATE} is not there: the gate is what this lab is about.")
    with tempfile.TemporaryDirectory(prefix="mt-lab-", ignore_cleanup_errors=True) as temporary:
        datasets.write(Path(temporary) / DATA)
        trees = [_tree(folder / GATE, change, Path(temporary) / str(i)) for i, change in enumerate(CHANGES)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            said = list(pool.map(lambda tree: run_sandboxed.run(tree, [GATE, PROJECT], SECONDS), trees))
    judged = list(zip(CHANGES, said, strict=True))
    gate = [
        Item(f"gate-{reason or 'good'}", title, points, list(_judge(reason, judged)))
        for reason, (title, points) in ITEMS.items()
    ]
    return Report(LAB, [*_about_workflow(folder), *gate], run_sandboxed.sandbox_note())


def _tree(gate: Path, change: Change, tree: Path) -> Path:
    """What the gate gets to see: data and project after the change, and no name that gives the answer away."""
    shutil.copytree(tree.parent / DATA, tree / DATA)
    shutil.copytree(files(LAB) / PROJECT, tree / PROJECT, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(gate, tree / GATE)
    if change.file:
        path = tree / PROJECT / change.file
        path.write_text(path.read_text(encoding="utf-8").replace(change.old, change.new), encoding="utf-8")
    return tree


def _about_workflow(folder: Path) -> list[Item]:
    return [
        Item("actionlint", "actionlint finds nothing in the workflow", 5, list(workflow.actionlint(folder))),
        Item("schema", "The workflow fits GitHub's schema", 5, list(workflow.schema(folder))),
        Item("workflow", "The workflow stands in the way of a merge", 20, list(workflow.rules(folder))),
    ]


def _judge(reason: str, judged: list[tuple[Change, Ended]]) -> Iterator[Comment]:
    """Comments on changes of a kind. A gate that refuses all, or nothing, is no gate, and has no points for either."""
    refuses_all = all(not ended.well for _, ended in judged)
    for change, ended in judged:
        if change.reason != reason:
            continue
        if not reason and not ended.well:
            yield Comment(GATE, f"refuses {change.about}: {ended.last_words()}")
        elif reason and ended.well:
            yield Comment(GATE, f"lets through {change.about}.")
        elif reason and refuses_all:
            yield Comment(GATE, f"refuses {change.about}, as it refuses everything.")
        elif reason and reason not in ended.said.lower():
            yield Comment(GATE, f"refuses {change.about}, but does not say so: name the reason. {ended.last_words()}")
