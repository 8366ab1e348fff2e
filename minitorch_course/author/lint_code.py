"""Rules for the code in a notebook's cells: solutions, syntax, cases, names, forbidden functions.

Each rule is a function that yields pairs of a line and what is wrong there. `RULES` lists them.
"""

from __future__ import annotations

import ast
import symtable
from collections import Counter
from collections.abc import Iterator
from typing import Any

from .cells import BEGIN, END, KINDS, MUTANT_OK, Cell, Notebook, unsolved
from .forbidden import forbidden_calls
from .resolve import unresolved

Problems = Iterator[tuple[int, str]]


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
    for cell in notebook.of("setup", "exercise", "check", "hidden-test"):
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
        line = cell.source.splitlines()[region.first]
        indent = len(line) - len(line.lstrip())
        around = [f for f in functions if f.lineno <= region.first and region.last <= (f.end_lineno or 0)]
        if not any(f.col_offset < indent for f in around):
            yield (
                cell.line + region.first,
                "a solution stands inside a function, so that a release can be run as it is.",
            )
    try:
        ast.parse(unsolved(cell))
    except SyntaxError as error:
        yield cell.line, f"without its solution the cell is not Python: {error.msg}."


def _cases(notebook: Notebook) -> Problems:
    """Each check has its own words for its case: progress and feedback identify it by them."""
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
    for cell in notebook.of("hidden-test"):
        if not _calls(cell, "report"):
            yield cell.line, "a hidden test calls report(...)."


def _setup(notebook: Notebook) -> Problems:
    """The first code cell calls `setup()`, so that errors are explained from there on."""
    first = next((cell for cell in notebook.cells if cell.kind != "markdown"), None)
    if first and not _calls(first, "setup"):
        yield first.line, "the first code cell calls setup() of minitorch_course, so that errors are explained."


def _bindings(notebook: Notebook) -> Problems:
    """Students do not have the names that a hidden test binds, so their notebook must not use them."""
    shared = {name: cell for cell in notebook.of("setup", "exercise") for name in _bound(cell)}
    for cell in notebook.of("hidden-test"):
        for name in sorted(_bound(cell) & shared.keys()):
            other = shared[name]
            advice = "students have no hidden tests, so their notebook would behave differently: take another name."
            yield cell.line, f"the hidden test binds {name!r}, and so does the cell {other.name!r}; {advice}"


def _bound(cell: Cell) -> set[str]:
    """Return the names that a cell binds in the notebook: by assignment, import, def, class, for, with."""
    try:
        tree = _WithoutComprehensions().visit(ast.parse(cell.source))
        symbols = symtable.symtable(ast.unparse(tree), cell.name, "exec").get_symbols()
    except SyntaxError:
        return set()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


class _WithoutComprehensions(ast.NodeTransformer):
    """Removes comprehensions: their variables are local, though Python 3.12 lists them with the names around them."""

    def _leave_out(self, node: ast.AST) -> ast.AST:
        return ast.Constant(None)

    visit_ListComp = visit_SetComp = visit_DictComp = _leave_out  # noqa: N815 (the names of ast.NodeTransformer)


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
    """Functions that are removed for grading are missing in set-up, solutions and hidden tests, too."""
    if not all(isinstance(cell.forbids, list) for cell in notebook.cells):
        return
    for cell in notebook.cells:
        yield from ((cell.line, problem) for problem in unresolved(cell.forbids))
    before: list[str] = []
    for cell in notebook.of("setup", "exercise", "hidden-test"):
        unseen = _lines_of_mistakes(cell)
        for line, name in forbidden_calls(cell.source, notebook.forbids, before):
            if line not in unseen:
                advice = "so it is not there when this cell is graded."
                yield cell.line + line - 1, f"{name} is forbidden by an exercise, {advice}"
        before.append(cell.source)


def _lines_of_mistakes(cell: Cell) -> set[int]:
    """Return the lines of a hidden test that run in the reference only."""
    calls = _calls(cell, "report") if cell.kind == "hidden-test" else []
    values = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "mistakes"]
    return {line for value in values for line in range(value.lineno, value.end_lineno + 1)}


RULES = (_solutions, _syntax, _cases, _setup, _bindings, _forbidden)
