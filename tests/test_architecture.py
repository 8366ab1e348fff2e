"""The drawing in ARCHITECTURE.md, checked: imports point one way."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import minitorch as mt

ROOT = Path(mt.__file__).parents[1]
LIBRARY = {  # What each part of `minitorch` may import; every part may import the utilities `_files`, `_optional`, ...
    "autodiff": set(),
    "ops": {"autodiff"},
    "nn": {"autodiff", "ops"},
    "optim": set(),
    "text": set(),
    "data": {"text"},
    "models": {"autodiff", "ops", "nn"},
    "train": {"autodiff", "ops", "nn", "optim", "text", "data", "models"},
    "compress": {"autodiff", "ops", "nn", "optim", "text", "data", "models", "train"},
    "finetune": {"autodiff", "ops", "nn", "optim", "text", "data", "models", "train", "compress"},
    "infer": {"autodiff", "ops", "nn", "text", "data", "models", "train", "compress"},
    "cli": {"autodiff", "ops", "nn", "optim", "text", "data", "models", "train", "compress", "finetune", "infer"},
}
COURSE = {  # The same for `minitorch_course`, which may import all of `minitorch`.
    "figures": set(),
    "answers": set(),
    "notebook": {"answers"},
    "author": {"answers", "notebook"},
    "student": {"answers", "notebook"},
    "gradebook": set(),
    "grading": {"answers", "notebook", "author", "gradebook", "root"},  # A kernel imports what notebooks import.
    "labs": {"grading"},  # whose sandbox it uses
    "cli": {"answers", "notebook", "author", "student", "gradebook", "grading", "labs"},
}
PACKAGES = {"minitorch": LIBRARY, "minitorch_course": COURSE}


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


@pytest.mark.parametrize("package", PACKAGES)
def test_every_part_is_in_the_drawing(package):
    assert {p.name for p in (ROOT / package).iterdir() if (p / "__init__.py").exists()} == set(PACKAGES[package])


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package):
    wrong = {
        str(path.relative_to(ROOT)): extra
        for path in (ROOT / package).glob("*/**/*.py")
        if (extra := imported_parts(path) - PACKAGES[package][path.relative_to(ROOT).parts[1]])
    }
    assert wrong == {}


def test_the_library_never_imports_the_course():
    wrong = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "minitorch").rglob("*.py")
        if any(name[0] == "minitorch_course" for name in imported_modules(path))
    ]
    assert wrong == []


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
