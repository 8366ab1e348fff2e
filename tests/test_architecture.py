"""The drawing in ARCHITECTURE.md, checked: imports point one way."""

import ast
import subprocess
import sys
from pathlib import Path

import minitorch as mt

ROOT = Path(mt.__file__).parent
ABOVE = {  # What each part may import.
    "autodiff": set(),
    "ops": {"autodiff"},
    "nn": {"autodiff", "ops"},
    "optim": set(),
    "text": set(),
    "data": {"text"},
    "models": {"autodiff", "ops", "nn"},
    "train": {"autodiff", "ops", "nn", "optim", "text", "data", "models"},
    "compress": {"autodiff", "ops", "nn", "optim", "text", "data", "models", "train"},
    "infer": {"autodiff", "ops", "nn", "text", "data", "models", "train", "compress"},
    "course": {"autodiff", "ops", "nn", "optim", "text", "data", "models", "train", "compress", "infer"},
    "cli": {"autodiff", "ops", "nn", "optim", "text", "data", "models", "train", "compress", "infer", "course"},
}
COURSE_ABOVE = {  # The same for the rooms of the course; `figures` only draws.
    "figures": set(),
    "answers": set(),
    "notebook": {"answers"},
    "author": {"answers", "notebook"},
    "student": {"answers", "notebook", "author"},
    "report": set(),
    "grading": {"answers", "notebook", "author", "report"},
    "labs": {"grading"},  # whose sandbox it uses
}


def imported_modules(path: Path) -> set[tuple[str, ...]]:
    """What a file imports of minitorch, as dotted names taken apart, as far as the file names modules."""
    package = ["minitorch", *path.relative_to(ROOT).parts[:-1]]
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
        modules |= {tuple(name) for name in names if name[0] == "minitorch"}
    return modules


def imported_parts(path: Path) -> set[str]:
    """The parts of minitorch that a file imports; "root" where it imports the package itself."""
    parts = {name[1] if len(name) > 1 else "root" for name in imported_modules(path)}
    return parts - {path.relative_to(ROOT).parts[0]}


def test_every_part_is_in_the_drawing():
    assert {p.name for p in ROOT.iterdir() if (p / "__init__.py").exists()} == set(ABOVE)


def test_imports_point_one_way():
    wrong = {
        str(path.relative_to(ROOT)): extra
        for path in ROOT.rglob("*.py")
        if path.parent != ROOT
        if (extra := imported_parts(path) - ABOVE[path.relative_to(ROOT).parts[0]])
    }
    assert wrong == {}


def test_imports_inside_the_course_point_one_way():
    course = ROOT / "course"
    assert {p.name for p in course.iterdir() if (p / "__init__.py").exists()} == set(COURSE_ABOVE)
    wrong = {}
    for path in course.rglob("*.py"):
        if path.parent == course:
            continue
        room = path.relative_to(course).parts[0]
        rooms = {name[2] for name in imported_modules(path) if len(name) > 2 and name[1] == "course"}
        if extra := (rooms & set(COURSE_ABOVE)) - COURSE_ABOVE[room] - {room}:
            wrong[str(path.relative_to(ROOT))] = extra
    assert wrong == {}


def test_the_walk_sees_an_import_of_each_form(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "nn").mkdir()
    file = tmp_path / "nn" / "x.py"
    file.write_text(
        "from .. import ops\nfrom ..train.step import Step\nimport minitorch.cli\nfrom minitorch import text\n"
    )
    assert imported_parts(file) == {"ops", "train", "cli", "text"}
    file.write_text("import minitorch\n")
    assert imported_parts(file) == {"root"}


def test_importing_minitorch_loads_nothing_heavy():
    code = "import sys, minitorch; print([m for m in HEAVY if m in sys.modules])"
    heavy = ["orbax", "matplotlib", "rich", "typer", "safetensors", "sklearn", "optax", "flax", "minitorch.train"]
    out = subprocess.run(
        [sys.executable, "-c", code.replace("HEAVY", repr(heavy))], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"


def test_the_public_names_are_there():
    for name in mt.__all__:
        assert getattr(mt, name) is not None
