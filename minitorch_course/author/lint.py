"""Mistakes in the source of a notebook, each as one line with file and line number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from . import lint_code
from .cells import KINDS, Cell, Notebook

OTHER_TAGS = ("stretch", "nbval-ignore-output")
NAME = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
MAX_NAME = 64  # of a cell id in nbformat
# The options of each kind of cell, and their types; those in REQUIRED must be given.
OPTIONS: dict[str, dict[str, type]] = {
    "setup": {},
    "demo": {},
    "exercise": {"forbids": list},
    "check": {"exercise": str},
    "hidden-test": {"exercise": str, "points": int, "hint": str},
}
REQUIRED = {"check": ("exercise",), "hidden-test": ("exercise", "points", "hint")}

Problems = Iterator[tuple[int, str]]


class AuthoringError(ValueError):
    """The mistakes in a source: one line each, with file and line number."""

    def __init__(self, problems: Sequence[str]):
        super().__init__("\n".join(problems))
        self.problems = list(problems)


def lint(notebook: Notebook) -> list[str]:
    """Return all mistakes in the order of the file; none for a notebook that can be built."""
    found = [problem for rule in (*LAYOUT, *lint_code.RULES) for problem in rule(notebook)]
    return [f"{notebook.path}:{line}: {what}" for line, what in sorted(set(found))]


def _file(notebook: Notebook) -> Problems:
    if not re.fullmatch(r"\d\d_[a-z0-9_]+", notebook.name):
        yield 1, f"a notebook's file is called NN_topic.py, such as 02_autodiff.py, not {notebook.path.name}."
    if not notebook.title:
        yield 1, "the first cell must be prose that begins with the title: `# %% [markdown]`, then `# # Title`."


def _names(notebook: Notebook) -> Problems:
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        line, name = cell.line, cell.name
        if not name:
            yield line, 'a code cell needs a name: `# %% name="softmax"`.'
        elif len(name) > MAX_NAME or (cell.kind != "markdown" and not NAME.fullmatch(name)):
            yield (
                line,
                f"{name!r} cannot be a cell's name: use lower-case letters, digits, - and _, at most {MAX_NAME}.",
            )
        elif name in seen:
            yield line, f"the name {name!r} is taken by the cell at line {seen[name]}: names are unique."
        seen.setdefault(name, line)


def _tags(notebook: Notebook) -> Problems:
    for cell in notebook.cells:
        kinds = [tag for tag in cell.tags if tag in KINDS]
        if len(kinds) > 1:
            yield cell.line, f"a cell is one of {', '.join(KINDS)}; this one is tagged {' and '.join(kinds)}."
        for tag in cell.tags:
            if tag not in KINDS + OTHER_TAGS:
                yield cell.line, f"the tag {tag!r} means nothing: the tags are {', '.join(KINDS + OTHER_TAGS)}."
        if cell.stretch and cell.kind not in ("exercise", "check", "hidden-test"):
            yield cell.line, "only an exercise, and its checks and hidden tests, can be tagged stretch."


def _options(notebook: Notebook) -> Problems:
    for cell in notebook.of("setup", *KINDS):
        allowed = OPTIONS[cell.kind]
        for option, value in cell.options.items():
            if option not in allowed:
                known = f"takes {', '.join(allowed)}" if allowed else "takes no options"
                yield cell.line, f"{option!r} is not an option of this cell: a {cell.kind} cell {known}."
            elif type(value) is not allowed[option]:
                yield cell.line, f"{option}={value!r} must be of type {allowed[option].__name__}."
        for option in REQUIRED.get(cell.kind, ()):
            if option not in cell.options:
                yield cell.line, f"a {cell.kind} cell needs {option}=..."


def _belonging(notebook: Notebook) -> Problems:
    """Checks and hidden tests come after their exercise, and are optional if it is."""
    exercises: dict[str, Cell] = {}
    for cell in notebook.cells:
        if cell.kind == "exercise":
            exercises[cell.name] = cell
        elif cell.kind in ("check", "hidden-test") and "exercise" in cell.options:
            if cell.exercise not in exercises:
                yield cell.line, f"no exercise above is called {cell.exercise!r}."
            elif cell.kind == "hidden-test" and exercises[cell.exercise].stretch and cell.points:
                yield cell.line, f"the exercise {cell.exercise!r} is stretch, so its hidden tests have points=0."


def _points(notebook: Notebook) -> Problems:
    tests = [cell for cell in notebook.of("hidden-test") if isinstance(cell.points, int)]
    for cell in tests:
        if cell.points < 0:
            yield cell.line, f"points={cell.points}: points are not negative."
    checked = {cell.exercise for cell in notebook.of("check")}
    pointed = {cell.exercise for cell in tests if cell.points > 0}
    for cell in notebook.of("exercise"):
        if cell.name not in checked:
            yield cell.line, f"the exercise {cell.name!r} has no check cell."
        if not cell.stretch and cell.name not in pointed:
            yield (
                cell.line,
                f"the exercise {cell.name!r} has no hidden test with points; tag it stretch if it is optional.",
            )


LAYOUT: tuple[Callable[[Notebook], Problems], ...] = (_file, _names, _tags, _options, _belonging, _points)
