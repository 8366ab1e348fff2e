"""The reference: a page for each part of the library, for the course and for the command line, from docstrings.

A public name without a docstring fails the build. Public names are those in a part's `__all__`, and the methods and
properties of its classes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import griffe
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[2]
ORDER = ("autodiff", "ops", "nn", "optim", "text", "data", "models", "train", "compress", "finetune", "infer")
PAGE = """---
title: {path}
---
# `{path}`

::: {path}
    options:
      show_root_toc_entry: false
      members: {members}
"""
INDEX = """# Reference

Every public name with its docstring and its source, one page for each part, in the order in which to read them.
You can use a name without reading the rest of its page: the docstring states shapes, units, errors and the paper.

| part | what it holds | names |
|---|---|---|
{rows}

The [command line](command-line.md) has its own page. The [architecture](../contribute/architecture.md) shows how the
parts depend on each other.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages, if every public name has a docstring."""
    modules = parts(load("minitorch")) | {"course": load("minitorch_course")}
    if missing := sorted(line for module in modules.values() for line in undocumented(module)):
        raise PluginError("Public names without a docstring; give each one:\n  " + "\n  ".join(missing))
    rows = [f"| [`{m.path}`]({part}.md) | {_summary(m)} | {len(m.exports)} |" for part, m in modules.items()]
    pages = {part: PAGE.format(path=m.path, members=[str(name) for name in m.exports]) for part, m in modules.items()}
    pages |= {"index": INDEX.format(rows="\n".join(rows)), "command-line": _command_line()}
    for name, content in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=content))
    return files


def load(package: str) -> Any:
    """Load a package with griffe."""
    extensions = griffe.load_extensions(str(Path(__file__).with_name("primitives.py")))
    return griffe.load(package, search_paths=[str(ROOT)], extensions=extensions)


def parts(package: Any) -> Mapping[str, Any]:
    """Return the subpackages with an `__all__`, in reading order; new ones come last."""
    found = {name: module for name, module in package.modules.items() if module.is_init_module and module.exports}
    return dict(
        sorted(found.items(), key=lambda part: (ORDER.index(part[0]) if part[0] in ORDER else len(ORDER), part[0]))
    )


def undocumented(module: Any) -> Iterator[str]:
    """Yield the file, line and path of each public name of a module that has no docstring."""
    for name in module.exports:
        found = module[str(name)]
        found = found.final_target if found.is_alias else found
        own = [m for m in found.members.values() if found.is_class and not m.name.startswith("_") and _callable(m)]
        for thing in (found, *own):
            if not (thing.has_docstring or _overrides(thing, found)):
                yield f"{thing.relative_package_filepath}:{thing.lineno}: {thing.path}"


def _callable(member: Any) -> bool:
    return not member.is_alias and (member.is_function or "property" in member.labels)


def _overrides(thing: Any, owner: Any) -> bool:
    """Return whether a base class documents the same name."""
    return owner.is_class and any(thing.name in base.members and base[thing.name].has_docstring for base in owner.mro())


def _summary(module: Any) -> str:
    return module.docstring.value.partition("\n")[0].rstrip(".")


def _command_line() -> str:
    import typer
    from typer.cli import get_docs_for_click

    from minitorch.cli import app

    command = typer.main.get_command(app)
    return get_docs_for_click(obj=command, ctx=typer.Context(command), name="minitorch", title="Command line")
