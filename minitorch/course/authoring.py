"""What the author of a notebook can get wrong, each as one line with file and line number."""

from __future__ import annotations

import ast
import re
import symtable
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .cells import BEGIN, END, KINDS, MUTANT_OK, Cell, Notebook, unsolved
from .forbidden import forbidden_calls

OTHER_TAGS = ("stretch", "nbval-ignore-output")
NAME = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
LONGEST_NAME = 64  # of a cell id in nbformat
# The options of each kind of cell, and their types; those in NEEDED must be given.
OPTIONS: dict[str, dict[str, type]] = {
    "setup": {},
    "demo": {},
    "exercise": {"forbids": list},
    "check": {"exercise": str},
    "probe": {"exercise": str, "points": int, "hint": str},
}
NEEDED = {"check": ("exercise",), "probe": ("exercise", "points", "hint")}

Problems = Iterator[tuple[int, str]]


class AuthoringError(ValueError):
    """What is wrong with a source: one line each, with file and line number."""

    def __init__(self, problems: Sequence[str]):
        super().__init__("\n".join(problems))
        self.problems = list(problems)


def problems(notebook: Notebook) -> list[str]:
    """All that is wrong, in the order of the file; nothing for a notebook that can be built."""
    found = [problem for look in LOOKS for problem in look(notebook)]
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
        elif len(name) > LONGEST_NAME or (cell.kind != "markdown" and not NAME.fullmatch(name)):
            yield (
                line,
                f"{name!r} cannot be a cell's name: use lower-case letters, digits, - and _, at most {LONGEST_NAME}.",
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
        if cell.stretch and cell.kind not in ("exercise", "check", "probe"):
            yield cell.line, "only an exercise, and its checks and probes, can be tagged stretch."


def _options(notebook: Notebook) -> Problems:
    for cell in notebook.of("setup", *KINDS):
        allowed = OPTIONS[cell.kind]
        for option, value in cell.options.items():
            if option not in allowed:
                known = f"takes {', '.join(allowed)}" if allowed else "takes no options"
                yield cell.line, f"{option!r} is no option of this cell: a {cell.kind} cell {known}."
            elif type(value) is not allowed[option]:
                yield cell.line, f"{option}={value!r} must be of type {allowed[option].__name__}."
        for option in NEEDED.get(cell.kind, ()):
            if option not in cell.options:
                yield cell.line, f"a {cell.kind} cell needs {option}=..."


def _belonging(notebook: Notebook) -> Problems:
    """Checks and probes come after their exercise, and are optional if it is."""
    exercises: dict[str, Cell] = {}
    for cell in notebook.cells:
        if cell.kind == "exercise":
            exercises[cell.name] = cell
        elif cell.kind in ("check", "probe") and "exercise" in cell.options:
            if cell.exercise not in exercises:
                yield cell.line, f"no exercise above is called {cell.exercise!r}."
            elif cell.kind == "probe" and exercises[cell.exercise].stretch and cell.points:
                yield cell.line, f"the exercise {cell.exercise!r} is stretch, so its probes have points=0."


def _points(notebook: Notebook) -> Problems:
    probes = [cell for cell in notebook.of("probe") if isinstance(cell.points, int)]
    for cell in probes:
        if cell.points < 0:
            yield cell.line, f"points={cell.points}: points are not negative."
    checked = {cell.exercise for cell in notebook.of("check")}
    pointed = {cell.exercise for cell in probes if cell.points > 0}
    for cell in notebook.of("exercise"):
        if cell.name not in checked:
            yield cell.line, f"the exercise {cell.name!r} has no check cell."
        if not cell.stretch and cell.name not in pointed:
            yield cell.line, f"the exercise {cell.name!r} has no probe with points; tag it stretch if it is optional."


def _solutions(notebook: Notebook) -> Problems:
    for cell in notebook.of("setup", *KINDS):
        if cell.kind == "exercise":
            yield from _markers(cell)
            continue
        for number, line in enumerate(cell.source.splitlines(), cell.line):
            if BEGIN.match(line) or END.match(line):
                yield number, "a solution marker stands outside of an exercise cell."


def _markers(cell: Cell) -> Problems:
    begun = None
    for number, line in enumerate(cell.source.splitlines(), cell.line):
        if match := BEGIN.match(line):
            if begun:
                yield number, f"BEGIN SOLUTION again, while the one at line {begun} is still open."
            if not match[1].strip():
                yield number, "BEGIN SOLUTION needs the task in words after it: students read them."
            begun = number
        elif END.match(line):
            if not begun:
                yield number, "END SOLUTION without BEGIN SOLUTION."
            begun = None
        elif MUTANT_OK.search(line) and not begun:
            yield number, "mutant-ok stands outside of a solution."
    if begun:
        yield begun, "this BEGIN SOLUTION has no END SOLUTION."
    if not cell.regions:
        yield cell.line, f"the exercise {cell.name!r} has no solution between BEGIN SOLUTION and END SOLUTION."


def _syntax(notebook: Notebook) -> Problems:
    for cell in notebook.of("setup", "exercise", "check", "probe"):
        try:
            tree = ast.parse(cell.source)
        except SyntaxError as error:
            yield cell.line + (error.lineno or 1) - 1, f"not Python: {error.msg} (only demo cells may use magics)."
            continue
        if cell.kind == "exercise":
            yield from _places(cell, tree)


def _places(cell: Cell, tree: ast.Module) -> Problems:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for region in cell.regions:
        first, last = region.first + 1, region.last + 1
        if not any(f.lineno < first and (f.end_lineno or 0) >= last - 1 for f in functions):
            yield (
                cell.line + region.first,
                "a solution stands inside a function, so that a release can be run as it is.",
            )
    try:
        ast.parse(unsolved(cell))
    except SyntaxError as error:
        yield cell.line, f"without its solution the cell is not Python: {error.msg}."


def _cases(notebook: Notebook) -> Problems:
    """Each check names its case in words of its own: progress and feedback go by them."""
    calls = [(cell, node) for cell in notebook.of("check") for node in _calls(cell, "check")]
    named = [(cell, node, node.args[0].value) for cell, node in calls if _is_text(node)]
    counts = Counter(case for *_, case in named)
    for cell, node, case in named:
        if counts[case] > 1:
            yield (
                cell.line + node.lineno - 1,
                f"the case {case!r} is checked {counts[case]} times: give each its own words.",
            )
    for cell in notebook.of("check"):
        if not _calls(cell, "check"):
            yield cell.line, "a check cell calls check(...)."
    for cell in notebook.of("probe"):
        if not _calls(cell, "show"):
            yield cell.line, "a probe calls show(...)."


def _bindings(notebook: Notebook) -> Problems:
    """What a probe binds is not there for students, so it must not be a name that their notebook uses."""
    shared = {name: cell for cell in notebook.of("setup", "exercise") for name in _bound(cell)}
    for cell in notebook.of("probe"):
        for name in sorted(_bound(cell) & shared.keys()):
            other = shared[name]
            advice = "students have no probes, so their notebook would go another way: take another name."
            yield cell.line, f"the probe binds {name!r}, and so does the cell {other.name!r}; {advice}"


def _bound(cell: Cell) -> set[str]:
    """The names that a cell binds in the notebook: by assignment, import, def, class, for, with."""
    try:
        symbols = symtable.symtable(cell.source, cell.name, "exec").get_symbols()
    except SyntaxError:
        return set()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


def _calls(cell: Cell, name: str) -> list[Any]:
    try:
        tree = ast.parse(cell.source)
    except SyntaxError:
        return []
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == name]


def _is_text(call: Any) -> bool:
    return bool(call.args) and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)


def _forbidden(notebook: Notebook) -> Problems:
    """What is taken out of the library for grading is not there for set-up, solutions and probes either."""
    if not all(isinstance(cell.forbids, list) for cell in notebook.cells):
        return
    before: list[str] = []
    for cell in notebook.of("setup", "exercise", "probe"):
        unseen = _lines_of_mistakes(cell)
        for line, name in forbidden_calls(cell.source, notebook.forbids, before):
            if line not in unseen:
                advice = "so it is not there when this cell is graded."
                yield cell.line + line - 1, f"{name} is forbidden by an exercise, {advice}"
        before.append(cell.source)


def _lines_of_mistakes(cell: Cell) -> set[int]:
    """The lines of a probe that run in the reference only."""
    calls = _calls(cell, "show") if cell.kind == "probe" else []
    values = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "mistakes"]
    return {line for value in values for line in range(value.lineno, value.end_lineno + 1)}


LOOKS: tuple[Callable[[Notebook], Problems], ...] = (
    _file,
    _names,
    _tags,
    _options,
    _belonging,
    _points,
    _solutions,
    _syntax,
    _cases,
    _bindings,
    _forbidden,
)
