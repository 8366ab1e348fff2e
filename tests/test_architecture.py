"""The drawing in ARCHITECTURE.md, checked: imports point one way."""

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import minitorch as mt

ROOT = Path(mt.__file__).parents[1]
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def table(title: str) -> dict[str, tuple[set[str], list[str]]]:
    """The parts of a package as ARCHITECTURE.md lists them: the parts that each imports, and its files."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)
    return {part: (set(imports.split(", ")) - {"-"}, files.split(", ")) for part, imports, files in rows}


PACKAGES = {"minitorch": table("The library"), "minitorch_course": table("The course")}


def imported_modules(path: Path) -> set[tuple[str, ...]]:
    """The modules of the two packages that a file imports, as dotted names split at the dots."""
    package = list(path.relative_to(ROOT).parts[:-1])
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = [*base, *(node.module.split(".") if node.module else [])]
            names = [[*module, alias.name] for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        else:
            continue
        modules |= {tuple(name) for name in names if name[0] in PACKAGES}
    return modules


def imported_parts(path: Path) -> set[str]:
    """The other parts of its own package that a file imports; "root" if it imports the package itself."""
    package, part = path.relative_to(ROOT).parts[:2]
    parts = {name[1] if len(name) > 1 else "root" for name in imported_modules(path) if name[0] == package}
    return {name for name in parts if name == "root" or not name.startswith("_")} - {part}


def folders(package: str) -> list[Path]:
    return [path for path in (ROOT / package).iterdir() if (path / "__init__.py").exists()]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_part_and_every_file_is_in_the_table(package):
    assert {folder.name for folder in folders(package)} == set(PACKAGES[package])
    for folder in folders(package):
        names = [path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
        assert sorted(PACKAGES[package][folder.name][1]) == sorted({*names} - {"__init__"}), folder


@pytest.mark.parametrize("package", PACKAGES)
def test_the_table_lists_exactly_what_each_part_imports(package):
    imported = {
        folder.name: set().union(*(imported_parts(path) for path in folder.rglob("*.py")))
        for folder in folders(package)
    }
    assert imported == {part: imports for part, (imports, _) in PACKAGES[package].items()}


def test_in_the_drawing_every_part_stands_above_those_that_it_imports():
    drawing = PAGE.partition("```\n")[2].partition("```")[0].splitlines()
    row = {
        word: i
        for i, line in enumerate(drawing)
        for word in re.findall(r"[a-z]+", re.split(r" {9,}minitorch ", line)[0])
    }
    parts = PACKAGES["minitorch"]
    assert set(row) == set(parts)
    for part, (imports, _) in parts.items():
        assert all(row[part] < row[name] for name in imports), part


def test_the_library_never_imports_the_course():
    wrong = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "minitorch").rglob("*.py")
        if any(name[0] == "minitorch_course" for name in imported_modules(path))
    ]
    assert wrong == []


def import_graph(package: str) -> dict[str, set[str]]:
    """The modules of a package, each with those that it imports, also inside of functions and for type checkers."""
    paths = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (ROOT / package).rglob("*.py")
    }
    graph: dict[str, set[str]] = {}
    for module, path in paths.items():
        graph[module] = set()
        for name in imported_modules(path):
            while name and ".".join(name) not in paths:  # The last part is a function or a class.
                name = name[:-1]
            graph[module] |= {".".join(name)} - {"", module}
    return graph


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_do_not_import_each_other_in_a_circle(package):
    try:
        graphlib.TopologicalSorter(import_graph(package)).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"imports go in a circle: {' <- '.join(error.args[1])}")


def test_a_circle_of_imports_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "minitorch" / "nn").mkdir(parents=True)
    files = {
        "__init__": "",
        "a": "def f():\n    from .b import g\n",
        "b": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import c\n",
        "c": "from minitorch.nn.a import f\n",
    }
    for name, code in files.items():
        (tmp_path / "minitorch" / "nn" / f"{name}.py").write_text(code)
    assert import_graph("minitorch")["minitorch.nn.a"] == {"minitorch.nn.b"}
    with pytest.raises(pytest.fail.Exception, match=r"minitorch\.nn\.\w <- minitorch\.nn\.\w"):
        test_modules_do_not_import_each_other_in_a_circle("minitorch")


def test_the_walk_sees_an_import_of_each_form(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "minitorch" / "nn").mkdir(parents=True)
    file = tmp_path / "minitorch" / "nn" / "x.py"
    file.write_text(
        "from .. import ops\nfrom ..train.step import Step\nimport minitorch.cli\nfrom minitorch import text\n"
    )
    assert imported_parts(file) == {"ops", "train", "cli", "text"}
    file.write_text("import minitorch\n")
    assert imported_parts(file) == {"root"}
    file.write_text("from minitorch_course import check\n")
    assert imported_modules(file) == {("minitorch_course", "check")}


def test_importing_minitorch_loads_nothing_heavy():
    code = "import sys, minitorch; print([m for m in HEAVY if m in sys.modules])"
    heavy = [
        "orbax",
        "matplotlib",
        "rich",
        "typer",
        "safetensors",
        "sklearn",
        "optax",
        "flax",
        "minitorch.train",
        "minitorch_course",
    ]
    out = subprocess.run(
        [sys.executable, "-c", code.replace("HEAVY", repr(heavy))], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("module", ["minitorch", "minitorch_course", "minitorch.cli", "minitorch_course.cli.course"])
def test_help_does_not_wait_for_jax(module):
    code = f"import sys, {module}; print('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_public_names_are_there():
    for name in mt.__all__:
        assert getattr(mt, name) is not None
