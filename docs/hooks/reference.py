"""The reference: a page for each part of the library, and one for the command line, both made from docstrings.

A public name without a docstring ends the build. Public is what a part's `__all__` names, and the methods and
properties of those classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
ORDER = ("autodiff", "ops", "nn", "optim", "text", "data", "models", "train", "compress", "infer", "course")
PAGE = """---
title: minitorch.{part}
---
# `minitorch.{part}`

::: minitorch.{part}
    options:
      show_root_toc_entry: false
      members: {members}
"""
INDEX = """# Reference

Every public name with its docstring and its source, a page for each part, in the order in which to read them.
A name may be used without its part's page being read: shapes, units, errors and the paper stand with it.

| part | question it answers | names |
|---|---|---|
{rows}

The [command line](command-line.md) has a page of its own. How the parts depend on each other is drawn in the
[architecture](../contribute/architecture.md).
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages, if every public name has its docstring."""
    package = load()
    if missing := sorted(undocumented(package)):
        raise PluginError("Public names without a docstring; give each one:\n  " + "\n  ".join(missing))
    there = parts(package)
    rows = [f"| [`{part}`]({part}.md) | {_question(package[part])} | {len(package[part].exports)} |" for part in there]
    made = {part: PAGE.format(part=part, members=[str(name) for name in package[part].exports]) for part in there}
    made |= {"index": INDEX.format(rows="\n".join(rows)), "command-line": _command_line()}
    for name, content in made.items():
        files.append(File.generated(config, f"reference/{name}.md", content=content))
    return files


def load() -> Any:
    """The package as griffe reads it."""
    extensions = griffe.load_extensions(str(Path(__file__).with_name("primitives.py")))
    return griffe.load("minitorch", search_paths=[str(ROOT)], extensions=extensions)


def parts(package: Any) -> list[str]:
    """The folders of the library that say in `__all__` what is public, in the order of reading; new ones last."""
    there = [name for name, module in package.modules.items() if module.is_init_module and module.exports]
    return sorted(there, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def undocumented(package: Any) -> Iterator[str]:
    """Where each public name without a docstring stands."""
    for part in parts(package):
        for name in package[part].exports:
            found = package[part][str(name)]
            found = found.final_target if found.is_alias else found
            own = [m for m in found.members.values() if found.is_class and not m.name.startswith("_") and _callable(m)]
            for thing in (found, *own):
                if not (thing.has_docstring or _overrides(thing, found)):
                    yield f"{thing.relative_package_filepath}:{thing.lineno}: {thing.path}"


def _callable(member: Any) -> bool:
    return not member.is_alias and (member.is_function or "property" in member.labels)


def _overrides(thing: Any, owner: Any) -> bool:
    """Does a class above say it already?"""
    return owner.is_class and any(thing.name in base.members and base[thing.name].has_docstring for base in owner.mro())


def _question(module: Any) -> str:
    return module.docstring.value.split("?")[0].replace("\n", " ") + "?" if "?" in module.docstring.value else ""


def _command_line() -> str:
    import typer
    from typer.cli import get_docs_for_click

    from minitorch.cli import app

    command = typer.main.get_command(app)
    return get_docs_for_click(obj=command, ctx=typer.Context(command), name="minitorch", title="Command line")
