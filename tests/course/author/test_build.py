import nbformat
import pytest

from minitorch_course.author.build import build, execute, release_to
from minitorch_course.author.layout import CourseLayout
from minitorch_course.author.scaffold import scaffold
from minitorch_course.author.source import AuthoringError, parse_source

FAULTS = """# %% [markdown]
# # Faults

# %% name="fails" tags=["demo"]
1 / 0

# %% name="warns" tags=["demo"]
import warnings

warnings.warn("beware")

# %% name="address" tags=["demo"]
object()

# %% name="path" tags=["demo"]
from pathlib import Path

print("home is", Path.home())

# %% name="fine" tags=["demo"]
print("one")
print("two")
3
"""


@pytest.fixture
def layout(tmp_path):
    """A new notebook, in a folder with a space and other letters."""
    layout = CourseLayout(tmp_path / "mein Kurs é")
    scaffold(layout, "15_sample")
    return layout


@pytest.mark.slow
def test_building_twice_gives_the_same_bytes(layout):
    calls = []
    files = [layout.reference("15_sample"), layout.released("15_sample")]
    build(layout, "15_sample", lambda *call: calls.append(call))
    first = [file.read_bytes() for file in files]
    build(layout, "15_sample")
    assert [file.read_bytes() for file in files] == first
    assert calls == [(n, 5) for n in range(1, 6)]

    reference, release = (nbformat.read(file, 4) for file in files)
    outputs = {cell.id: cell.outputs for cell in reference.cells if cell.cell_type == "code"}
    assert [output.data["text/plain"] for output in outputs["centre-check"]] == [
        "ok: columns of a table",
        "ok: rows of a table",
    ]
    assert outputs["proof"][0].text == "means of the centred columns: [0.0, 0.0, 0.0]\n"
    assert sorted(reference.metadata) == sorted(release.metadata) == ["kernelspec", "language_info", "minitorch"]
    assert str(layout.root).encode() not in first[0]
    assert b"execution" not in first[0].replace(b"execution_count", b"")


@pytest.mark.slow
def test_what_should_not_be_published_is_refused_at_its_line(tmp_path):
    path = tmp_path / "16_faults.py"
    path.write_text(FAULTS, "utf-8")
    with pytest.raises(AuthoringError) as raised:
        execute(parse_source(path))
    found = [problem.removeprefix(f"{path}:") for problem in raised.value.problems]
    assert found[0].startswith("5: the cell 'fails' fails: ZeroDivisionError")
    assert found[1].startswith("8: the cell 'warns' writes a warning or other text to standard error: ")
    assert found[2].startswith("13: the cell 'address' shows a memory address (0x")
    assert found[3].startswith("16: the cell 'path' shows a path of this machine (")
    assert len({problem.partition(":")[0] for problem in found}) == 4


def test_a_release_is_written_to_a_folder_and_replaces_nothing(layout, tmp_path):
    path = release_to(layout, "15_sample", tmp_path / "out")
    assert path == tmp_path / "out" / "15_sample.ipynb"
    assert "keepdims=True)" not in nbformat.read(path, 4).cells[3].source
    with pytest.raises(ValueError, match="exists: remove it, or give another folder"):
        release_to(layout, "15_sample", tmp_path / "out")
