"""Library functions that an exercise may not use, found in its syntax tree.

Objects are forbidden, not names: `jax.jacobian` is `jax.jacrev`. With a function go those that do the same (`FAMILIES`)
and the library's own modules (`INTERNALS`), which hold it under other names. What Python looks up by a string at run
time is not seen here: `reflection` finds the means of doing so.
"""

from __future__ import annotations

import ast
import re
import sys
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# The usual aliases, for code without its own imports: cells use the imports of cells before them.
USUAL = {"jnp": "jax.numpy", "np": "numpy", "mt": "minitorch", "jsp": "jax.scipy"}
UNREADABLE = "code that Python cannot read"

_JAX = "grad value_and_grad vjp jvp linearize linear_transpose jacrev jacfwd jacobian hessian fwd_and_bwd"
_MINITORCH = "grad value_and_grad vjp jvp from_jax"
# Who forbids one of a family means all: each gives the others' results in a line.
FAMILIES = (
    frozenset([*(f"jax.{name}" for name in _JAX.split()), *(f"minitorch.{name}" for name in _MINITORCH.split())]),
)
INTERNALS = {
    "jax": ("jax._src", "jax.interpreters", "jax.extend", "jax.experimental", "jaxlib", "opt_einsum"),
    "numpy": ("numpy._core", "numpy.core", "opt_einsum"),
}

# Means of reaching a function by a string, or past the names of the code.
BUILTINS = {"eval", "exec", "compile", "__import__", "globals", "breakpoint", "get_ipython", "__builtins__"}
LOOKUPS = {"getattr", "setattr", "delattr", "vars"}  # harmless on one's own objects, not on a module
COMPUTED = "an attribute with a computed name"  # usual in honest code, so it is worth a look and no more
_ATTRIBUTES = (
    "__builtins__ __closure__ __code__ __func__ __getattr__ __getattribute__ __globals__ __loader__ __reduce_ex__"
    " __self__ __spec__ __subclasses__ __wrapped__ cell_contents f_back f_builtins f_globals f_locals gi_frame tb_frame"
    " user_ns run_cell run_cell_magic run_line_magic"
)
_MODULES = (
    "IPython _imp _pickle bdb builtins cProfile cffi cloudpickle code codeop concurrent ctypes dill doctest gc imp"
    " importlib inspect ipykernel joblib lib2to3 logging.config marshal mmap multiprocessing numba operator.attrgetter"
    " os.exec os.fork os.popen os.posix_spawn os.spawn os.startfile os.system pdb pickle pickletools pkgutil profile"
    " pydoc runpy shelve signal site socket string.Formatter subprocess sys._getframe sys.executable sys.meta_path"
    " sys.modules sys.path sys.setprofile sys.settrace timeit trace traitlets types.CodeType types.FunctionType"
    " types.ModuleType typing.get_type_hints unittest zipimport"
)
ATTRIBUTES, MODULES = set(_ATTRIBUTES.split()), set(_MODULES.split())
MAGICS = {"autoreload", "load_ext", "matplotlib", "pip", "precision", "time", "timeit", "who", "whos", "xmode"}


def forbidden_calls(source: str, names: Sequence[str], context: Sequence[str] = ()) -> list[tuple[int, str]]:
    """Return where `source` uses one of the functions `names` (dotted), called or not: pairs of line and name.

    The imports of the cells in `context` count. Source that does not parse is not known to be clean: it is one use, of
    `UNREADABLE`.
    """
    if not names:
        return []
    tree = _parsed(source)
    if tree is None:
        return [(1, UNREADABLE)]
    known = _known_in(tree, names, context)
    return sorted({(line, found) for line, name in _uses(tree, known) if (found := _forbidden(name, tuple(names)))})


def reflection(source: str, context: Sequence[str] = ()) -> list[tuple[int, str]]:
    """Return where `source` could reach functions by a string or past Python's names: pairs of line and means.

    `COMPUTED` among them proves nothing.
    """
    tree = _parsed(source)
    if tree is None:
        return [(1, UNREADABLE)]
    known = _known_in(tree, (), context)
    found = {(line, means) for line, name in _uses(tree, known) if (means := _means(name))}
    judged: set[ast.AST] = set()  # parts of calls that were judged as a whole
    for node in ast.walk(tree):
        if node not in judged:
            found |= {(getattr(node, "lineno", 1), name) for name in _means_of_node(node, known, judged)}
    return sorted(found)


def without_statements(source: str, lines: Sequence[int]) -> str:
    """Return the code without the top-level statements that contain one of the lines; "" if it does not parse."""
    tree = _parsed(source)
    if tree is None:
        return ""
    left = [node for node in tree.body if not _covers(node, lines)]
    return ast.unparse(ast.Module(left, []))


def bound_names(source: str) -> set[str]:
    """Return the names that the top level of a cell binds, functions and loops included."""
    tree = _parsed(source)
    if tree is None:
        return set()
    found: set[str] = set()
    for node in _outside_functions(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case ast.Import() | ast.ImportFrom():
                found |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return found | {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}


def used_names(source: str) -> set[str]:
    """Return the names that a cell reads, in its functions too."""
    tree = _parsed(source)
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} if tree else set()


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _outside_functions(child)


def _covers(node: ast.stmt, lines: Sequence[int]) -> bool:
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return any(first <= line <= (node.end_lineno or first) for line in lines)


@lru_cache(maxsize=4096)
def _forbidden(name: str, names: tuple[str, ...]) -> str | None:
    """Return what `name` is forbidden as: itself, or its internal module; None if it is not."""
    wanted = with_families(names)
    if name in wanted:
        return name
    roots = {other.partition(".")[0] for other in names}
    inside = (module for root in sorted(roots & INTERNALS.keys()) for module in INTERNALS[root])
    if any(f"{name}.".startswith(f"{module}.") for module in inside):
        return name
    value = _value(name)
    return name if value is not None and id(value) in _objects(wanted) else None


@cache
def with_families(names: tuple[str, ...]) -> frozenset[str]:
    """Return the names, and the others of their families."""
    return frozenset(names).union(*(family for family in FAMILIES if family & set(names)))


@cache
def _objects(names: frozenset[str]) -> frozenset[int]:
    """Return the identities of the functions; constants such as True have too many names to be forbidden as objects."""
    values = (_value(name) for name in names)
    return frozenset(id(value) for value in values if callable(value))


@cache
def _value(name: str) -> Any:
    """Return the object that a dotted name of a loaded library stands for, or None. Imports nothing."""
    parts = name.split(".")
    value: Any = sys.modules.get(parts[0]) if parts[0] in ROOTS else None
    for i, part in enumerate(parts[1:], 2):
        if value is None or part.startswith("__"):
            return None
        try:
            value = getattr(value, part)
        except Exception:
            value = sys.modules.get(".".join(parts[:i]))
    return value


ROOTS = {"jax", "numpy", "minitorch", "minitorch_course", "scipy"}  # libraries in which names are followed to objects


def _known_in(tree: ast.Module, names: Sequence[str], context: Sequence[str]) -> dict[str, str]:
    known = dict(_known_after(tuple(context), tuple(names)))
    known |= _aliases(tree, known, names)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            known.pop(node.name, None)  # Their own function hides an import of that name.
    return known


@lru_cache(maxsize=512)
def _known_after(context: tuple[str, ...], names: tuple[str, ...]) -> Mapping[str, str]:
    """Return what names stand for after some cells. Cached, as they are the same for each student of a class."""
    if not context:
        return USUAL
    known, tree = _known_after(context[:-1], names), _parsed(context[-1])
    return {**known, **_aliases(tree, known, names)} if tree else known


@lru_cache(maxsize=256)
def _parsed(source: str) -> ast.Module | None:
    """Return the tree of a cell, which nobody changes. The code of `%time` and `%timeit` counts as the cell's."""
    try:
        tree = ast.parse(source)
        timed = [code for node in ast.walk(tree) if (code := _timed(node))]
        for code, line in timed:
            tree.body += [ast.increment_lineno(node, line - 1) for node in ast.parse(code).body]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tree


def _timed(node: ast.AST) -> tuple[str, int] | None:
    match node:
        case ast.Call(func=ast.Attribute(attr="run_line_magic"), args=[ast.Constant("time" | "timeit"), code, *_]):
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                return re.sub(r"^(\s*-\w+( ?\d+)?\s+)+", "", code.value), node.lineno
    return None


def _aliases(tree: ast.AST, known: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return what names stand for: those that imports bind, and `softmax = jax.nn.softmax`."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found |= _from_import(node.module, alias, names)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target, value in _pairs(targets, node.value):
                if name := dotted(value, {**known, **found}):
                    found[target] = name
        elif isinstance(node, ast.arguments):  # def f(x, s=jax.nn.softmax)
            given = zip(node.args[len(node.args) - len(node.defaults) :], node.defaults, strict=True)
            for arg, value in [*given, *zip(node.kwonlyargs, node.kw_defaults, strict=True)]:
                if value and (name := dotted(value, {**known, **found})):
                    found[arg.arg] = name
    return found


def _pairs(targets: Sequence[ast.expr], value: ast.expr | None) -> Iterator[tuple[str, ast.expr]]:
    """Yield each name that an assignment binds, with its value; `a, b = x, y` is two assignments."""
    for target in targets:
        if isinstance(target, ast.Name) and value:
            yield target.id, value
        elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
            for one, its in zip(target.elts, value.elts, strict=False):
                yield from _pairs([one], its)


def _from_import(module: str, alias: ast.alias, names: Sequence[str]) -> dict[str, str]:
    if alias.name != "*":
        return {alias.asname or alias.name: f"{module}.{alias.name}"}
    inside = (name.rpartition(".") for name in names)
    return {last: f"{module}.{last}" for parent, _, last in inside if parent == module}


def _uses(tree: ast.AST, known: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Name | ast.Attribute | ast.Call) and (name := dotted(node, known)):
            yield node.lineno, name
        elif isinstance(node, ast.Match) and (name := dotted(node.subject, known)):  # case object(softmax=f)
            for pattern in ast.walk(node):
                if isinstance(pattern, ast.MatchClass):
                    yield from ((pattern.lineno, f"{name}.{attribute}") for attribute in pattern.kwd_attrs)


def _means(name: str) -> str | None:
    """Return the entry of `MODULES` that a dotted name belongs to; `os.exec` stands for `os.execv` and all others."""
    parts = name.split(".")
    prefixes = [".".join(parts[:i]) for i in range(1, len(parts) + 1)]
    started = [one for one in MODULES if one.startswith("os.") and name.startswith(one)]
    return next((prefix for prefix in prefixes if prefix in MODULES), next(iter(started), None))


def _means_of_node(node: ast.AST, known: Mapping[str, str], judged: set[ast.AST]) -> Iterator[str]:
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython") as shell), attr="run_line_magic") as run,
            args=[ast.Constant(value=str(magic)), *_],
        ) if magic in MAGICS:
            judged |= {shell, run}
        case ast.Call(func=ast.Name(id=name) as function, args=[owner, *rest]) if name in LOOKUPS:
            judged.add(function)
            attribute = rest[0].value if rest and isinstance(rest[0], ast.Constant) else None
            constant = attribute is not None or name == "vars"
            if (module := dotted(owner, known)) and not (name == "getattr" and constant):
                yield f"{name} of {module}"
            elif not constant:
                yield COMPUTED
            elif attribute in ATTRIBUTES:
                yield str(attribute)
        case ast.Name(id=name) if name in BUILTINS | LOOKUPS:
            yield name
        case ast.Attribute(value=value, attr="__dict__") if module := dotted(value, known):
            yield f"{module}.__dict__"
        case ast.Attribute(value=value, attr=attr, ctx=ast.Store()) if module := dotted(value, known):
            yield f"{module}.{attr} = ..."
        case ast.Attribute(attr=attr) if attr in ATTRIBUTES:
            yield attr
        case ast.ImportFrom(names=names, module=module):
            yield from (f"{module}.{alias.name}" for alias in names if alias.name in ATTRIBUTES)
        case ast.MatchClass(kwd_attrs=attributes):
            yield from (attribute for attribute in attributes if attribute in ATTRIBUTES)


def dotted(node: ast.AST, known: Mapping[str, str]) -> str | None:
    """Return `jax.nn.softmax` for `jax.nn.softmax` and `getattr(jax.nn, "softmax")`; None for other expressions."""
    match node:
        case ast.Name(id=name):
            return known.get(name)
        case ast.Attribute(value=value, attr=attr):
            parent = dotted(value, known)
        case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(attr)), *_]):
            parent = dotted(value, known)
        case _:
            return None
    return f"{parent}.{attr}" if parent else None
