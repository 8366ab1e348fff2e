"""Notebooks as pages: the executed reference with its outputs and figures, and each exercise as a student gets it.

Solutions and checks are folded. Hidden tests are left out: their names and inputs belong to grading.
"""

from __future__ import annotations

import ast
import base64
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig

ROOT = Path(__file__).parents[2]
FIGURES = "minitorch_course.figures"
HEADER = """---
title: "{title}"
---
<p class="kind" markdown>Notebook · `minitorch course start {number}` · {lecture}</p>

"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each notebook, and a file for each of its figures."""
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        for uri, content in pages(path):
            files.append(File.generated(config, uri, content=content))
    return files


def pages(path: Path) -> Iterator[tuple[str, str | bytes]]:
    """Yield the address and the content of each file generated from a notebook."""
    cells = _cells(path)
    released = {cell["id"]: _source(cell) for cell in _cells(ROOT / "notebooks" / "released" / path.name)}
    described = _Descriptions(cells)
    parts = [_header(path, _source(cells[0]))]
    for cell in cells:
        kind = cell["metadata"].get("minitorch", {}).get("kind", "")
        if cell["cell_type"] == "markdown":
            parts.append(_source(cell))
        elif kind == "exercise":
            if cell["id"] not in released:
                raise PluginError(f"{path} and its release differ: run `minitorch course build {path.stem[:2]}`.")
            parts += [_code(released[cell["id"]]), _folded("success", "A solution", _code(_source(cell)))]
        elif kind == "check":
            parts.append(_folded("question", "The check", _code(_source(cell))))
        elif kind != "hidden-test":
            parts.append(_code(_source(cell)))
            for i, output in enumerate(cell["outputs"]):
                shown, figure = _output(output, f"{path.stem}/{cell['id']}-{i}", described.of(cell, i))
                parts.append(shown)
                if figure:
                    yield "notebooks/" + figure[0], figure[1]
    yield f"notebooks/{path.stem}.md", "\n\n".join(parts) + "\n"


def _cells(path: Path) -> list[Any]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def _source(cell: Any) -> str:
    return "".join(cell["source"]).strip("\n")


def _header(path: Path, first: str) -> str:
    number = path.stem[:2]
    title = re.sub(r"^# (\d\d )?|: .*", "", first.splitlines()[0])
    there = (ROOT / "lectures" / f"{path.stem}.md").exists()
    lecture = f"[its lecture](../lectures/{path.stem}.md)" if there else "no lecture yet"
    return HEADER.format(title=f"{number} {title}", number=number, lecture=lecture)


def _code(source: str, language: str = "python") -> str:
    return f"````{language}\n{source}\n````"


def _folded(kind: str, title: str, text: str) -> str:
    return f'??? {kind} "{title}"\n\n' + re.sub(r"^(?=.)", "    ", text, flags=re.MULTILINE)


def _output(output: Any, name: str, description: str) -> tuple[str, tuple[str, str | bytes] | None]:
    """Return the output of a cell as Markdown, and the file of its figure."""
    data = {k: "".join(v) for k, v in output.get("data", {}).items() if k.startswith(("image/", "text/"))}
    if "image/svg+xml" in data:
        title = data["text/plain"].removeprefix("Drawing: ")
        return _figure(title, f"{name}.svg"), (f"{name}.svg", data["image/svg+xml"])
    if "image/png" in data:
        return _figure(description, f"{name}.png"), (f"{name}.png", base64.b64decode(data["image/png"]))
    text = "".join(output.get("text", "")) or data.get("text/plain", "")
    return _code(text.rstrip(), "{ .text .output }"), None


def _figure(description: str, uri: str) -> str:
    escaped = re.sub(r"([][])", r"\\\1", description)
    return f"![{escaped}]({uri}){{ .figure loading=lazy }}"


class _Descriptions:
    """The descriptions of a notebook's plots: the first docstring line of the function that drew each."""

    def __init__(self, cells: list[Any]) -> None:
        trees = [ast.parse(_source(cell)) for cell in cells if cell["cell_type"] == "code"]
        imports = [n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == FIGURES]
        self.modules = {alias.asname or alias.name: alias.name for node in imports for alias in node.names}

    def of(self, cell: Any, output: int) -> str:
        """Return the description of an output. The last call of a cell describes the plots that have none."""
        plots = [i for i, shown in enumerate(cell["outputs"]) if "image/png" in shown.get("data", {})]
        calls = list(self._calls(ast.parse(_source(cell))))
        if output not in plots or not calls:
            return "Plot of the code above"
        return calls[min(plots.index(output), len(calls) - 1)]

    def _calls(self, tree: ast.AST) -> Iterator[str]:
        called = [n.func for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
        for function in sorted(called, key=lambda node: (node.lineno, node.col_offset)):
            module = self.modules.get(function.value.id) if isinstance(function.value, ast.Name) else None
            if module and (text := _docstring(module, function.attr)):
                yield text.splitlines()[0].replace("`", "")


def _docstring(module: str, function: str) -> str | None:
    tree = ast.parse((ROOT / FIGURES.replace(".", "/") / f"{module}.py").read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
    return ast.get_docstring(found[0]) if found else None
