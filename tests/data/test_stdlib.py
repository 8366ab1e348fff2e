"""The standard library as text: what is in, what is left out, always the same."""

from __future__ import annotations

import inspect
import itertools
import textwrap
from pathlib import Path

import pytest

from minitorch.data.stdlib import docstrings, stdlib_code, stdlib_docstrings, stdlib_licence


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))


@pytest.fixture(scope="module")
def code():
    return dict(stdlib_code())


def test_the_real_library_is_there_and_its_tests_are_not(code):
    assert {"argparse.py", "json/decoder.py", "asyncio/events.py"} <= code.keys()
    assert sum(map(len, code.values())) > 5_000_000
    parts = set(itertools.chain.from_iterable(name.split("/") for name in code))
    assert not parts & {"test", "tests", "idle_test", "site-packages", "dist-packages", "encodings", "pydoc_data"}
    assert not [name for name in code if name.startswith("_sysconfigdata")]


def test_no_module_is_empty_or_repeated(code):
    assert all(source.strip() for source in code.values())
    assert len(set(code.values())) == len(code)


def test_order_is_fixed_but_not_alphabetical(code):
    names = list(code)
    assert names == [name for name, _ in stdlib_code()]
    assert names != sorted(names)


def test_only_modules_of_the_library_are_read_and_line_ends_do_not_matter(tmp_path):
    files = {"os.py": "x = 1\n", "json/decoder.py": "y = 2\nz = 3\n", "json/__init__.py": ""}
    strangers = {"sitecustomize.py": "no", "site-packages/a.py": "no", "json/tests/t.py": "no", "json/data.txt": "no"}
    write(tmp_path / "unix", files | strangers)
    write(tmp_path / "windows", {name: text.replace("\n", "\r\n") for name, text in files.items()})
    rows = list(stdlib_code(tmp_path / "unix"))
    assert rows == list(stdlib_code(tmp_path / "windows"))
    assert dict(rows) == {"os.py": "x = 1\n", "json/decoder.py": "y = 2\nz = 3\n"}


def test_a_python_without_sources_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="this Python ships no standard library to read"):
        next(stdlib_code(tmp_path))


def test_docstrings_come_in_source_order_without_indentation():
    source = '''"""Module."""
X = "not a docstring"
if X:
    class A:
        """A class.

            Indented.
        Not indented.
        """
        def f(self):
            """Method."""
            def inner():
                "Inner."
        x = lambda: "no"
try:
    pass
except Exception:
    async def g():
        """Last."""
match X:
    case 1:
        def h(): "In a case."
'''
    assert docstrings(source) == [
        "Module.",
        "A class.\n\n    Indented.\nNot indented.",
        "Method.",
        "Inner.",
        "Last.",
        "In a case.",
    ]


def test_docstring_rows_are_prose_without_repeats(tmp_path):
    write(
        tmp_path, {"os.py": '"""Shared."""\n', "re.py": '"""Shared."""\ndef f():\n  """Own."""\n', "io.py": "x = 1\n"}
    )
    rows = dict(stdlib_docstrings(tmp_path))
    assert sorted("".join(rows.values()).split()) == ["Own.", "Shared."]


def test_docstrings_of_a_real_module_are_the_ones_python_shows():
    prose = docstrings(Path(textwrap.__file__).read_text(encoding="utf-8"))
    for documented in (textwrap, textwrap.TextWrapper, textwrap.TextWrapper.wrap, textwrap.dedent):
        assert inspect.getdoc(documented) in [text.rstrip() for text in prose]
    assert not [text for text in prose if "import re" in text]


@pytest.mark.parametrize("name", ["LICENSE.txt", "LICENSE"])
def test_the_licence_is_read_from_the_installation(monkeypatch, tmp_path, name):
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path / "lib"))
    monkeypatch.setattr("sys.base_prefix", str(tmp_path))
    (tmp_path / name).write_text("Another licence\n", encoding="utf-8")
    assert stdlib_licence().startswith("no licence file found")
    (tmp_path / name).write_text("PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2\n", encoding="utf-8")
    assert stdlib_licence() == f"PSF-2.0 (read from {name} of the Python installation)"
