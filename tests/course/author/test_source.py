import nbformat
import pytest

from minitorch_course.author.cells import solved, unsolved
from minitorch_course.author.layout import CourseLayout
from minitorch_course.author.scaffold import scaffold
from minitorch_course.author.source import AuthoringError, read_cells, read_source, reference, release


@pytest.fixture
def path(tmp_path):
    """A good source."""
    return scaffold(CourseLayout(tmp_path), "15_sample")[0]


def test_a_source_is_read_with_kinds_names_options_and_lines(path):
    notebook = read_source(path)
    assert (notebook.name, notebook.title, notebook.points) == ("15_sample", "Sample", 2)
    assert [(cell.kind, cell.name) for cell in notebook.cells if cell.kind != "markdown"] == [
        ("setup", "imports"),
        ("exercise", "centre"),
        ("check", "centre-check"),
        ("hidden-test", "centre-test"),
        ("demo", "proof"),
    ]
    lines = path.read_text("utf-8").splitlines()
    for cell in notebook.of("setup", "exercise", "check", "hidden-test", "demo"):
        assert lines[cell.line - 1] == cell.source.splitlines()[0]
    test = notebook.of("hidden-test")[0]
    assert (test.exercise, test.points) == ("centre", 2)
    assert test.options["hint"].startswith("Print the shape")
    assert notebook.exercise("centre").exercise == "centre"


def test_prose_keeps_its_ids_when_text_is_added_elsewhere(path):
    before = [cell.name for cell in read_cells(path) if cell.kind == "markdown"]
    assert before == ["top-text", "imports-text", "centre-test-text", "proof-text"]
    text = path.read_text("utf-8").replace("# %% [markdown]\n# ## Centre", "# %% [markdown]\n# More\n\n# %%%%")
    path.write_text(text.replace("# %%%%", "# %% [markdown]\n# ## Centre"), "utf-8")
    after = [cell.name for cell in read_cells(path) if cell.kind == "markdown"]
    assert after == ["top-text", "imports-text", "imports-text-2", "centre-test-text", "proof-text"]


def test_the_release_holds_the_task_and_nothing_of_solutions_and_hidden_tests(path):
    made = release(read_source(path))
    nbformat.validate(made)
    text = nbformat.writes(made)
    assert "keepdims=True)  # " not in text
    assert "SOLUTION" not in text
    assert "return x - x.mean(axis=axis, keepdims=True)" not in text
    assert [cell.id for cell in made.cells if cell.cell_type == "code"] == [
        "imports",
        "centre",
        "centre-check",
        "proof",
    ]
    assert all(not cell.outputs for cell in made.cells if cell.cell_type == "code")
    exercise = next(cell for cell in made.cells if cell.id == "centre")
    task = "subtract the mean along `axis`, which must stay an axis of size one"
    assert exercise.source.endswith(f'    raise NotImplementedError("{task}")')
    assert exercise.metadata == {"minitorch": {"kind": "exercise", "exercise": "centre"}, "tags": ["exercise"]}
    assert made.metadata["minitorch"] == {"notebook": "15_sample", "title": "Sample", "points": 2}


def test_the_reference_holds_solutions_and_hidden_tests_without_markers(path):
    made = reference(read_source(path))
    nbformat.validate(made)
    sources = {cell.id: cell.source for cell in made.cells}
    assert sources["centre"].endswith('in the shape of `x`."""\n    return x - x.mean(axis=axis, keepdims=True)')
    assert "report(" in sources["centre-test"]
    assert nbformat.writes(made) == nbformat.writes(reference(read_source(path)))


def test_remarks_on_mutants_are_in_neither_notebook(path):
    path.write_text(
        path.read_text("utf-8").replace("keepdims=True)\n    # END", "keepdims=True)  # mutant-ok: x\n    # END"),
        "utf-8",
    )
    cell = read_source(path).exercise("centre")
    assert "mutant-ok" in cell.source
    assert "mutant-ok" not in solved(cell.source) + unsolved(cell)
    assert solved(cell.source).endswith("keepdims=True)")


def test_checks_are_folded_in_the_release_only(path):
    def folded(made):
        return [cell.id for cell in made.cells if cell.metadata.get("jupyter") == {"source_hidden": True}]

    notebook = read_source(path)
    made = release(notebook)
    nbformat.validate(made)
    assert folded(made) == [cell.name for cell in notebook.of("check")] == ["centre-check"]
    assert folded(reference(notebook)) == []


def test_remarks_for_the_formatter_are_in_neither_notebook(path):
    skipped = ')  # fmt: skip\n\n# %% name="centre-test"'
    text = path.read_text("utf-8").replace(')\n\n# %% name="centre-test"', skipped)
    text = text.replace("import jax.numpy", "# fmt: off\nimport jax.numpy")
    path.write_text(text.replace("# # Sample", "# # Sample # fmt: off"), "utf-8")
    notebook = read_source(path)
    assert sum("fmt: skip" in cell.source for cell in notebook.of("check")) == 1
    for made in (reference(notebook), release(notebook)):
        code = {cell.id: cell.source for cell in made.cells if cell.cell_type == "code"}
        assert "fmt:" not in "".join(code.values())
        assert code["imports"].startswith("import jax.numpy")
        assert code["centre-check"].endswith(")")
        assert made.cells[0].source.startswith("# Sample # fmt: off")  # prose is the author's


def test_a_task_may_hold_quotes_and_backslashes(path):
    task = r'say "so", not \n'
    path.write_text(path.read_text("utf-8").replace("SOLUTION subtract", f"SOLUTION {task} subtract"), "utf-8")
    namespace = {}
    exec(unsolved(read_source(path).exercise("centre")), namespace)
    with pytest.raises(NotImplementedError, match="subtract") as raised:
        namespace["centre"](1, 0)
    assert task in str(raised.value)


def test_several_solutions_in_a_cell_each_raise_where_they_stood(path):
    solution = "        # BEGIN SOLUTION double it\n        return 2 * x\n        # END SOLUTION\n"
    more = f"def twice(x):\n    if x:\n{solution}    return 0"
    text = path.read_text("utf-8").replace("    # END SOLUTION", f"    # END SOLUTION\n\n\n{more}")
    path.write_text(text, "utf-8")
    cell = read_source(path).exercise("centre")
    assert [region.task for region in cell.regions][1] == "double it"
    assert '    if x:\n        raise NotImplementedError("double it")\n    return 0' in unsolved(cell)


def test_windows_line_ends_give_the_same_notebook(path):
    before = nbformat.writes(release(read_source(path)))
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert nbformat.writes(release(read_source(path))) == before


def test_paths_with_spaces_and_other_scripts_are_fine(tmp_path):
    path = scaffold(CourseLayout(tmp_path / "мой курс 课程"), "15_sample")[0]
    path.write_text(path.read_text("utf-8").replace("# Sample", "# Größe für π"), "utf-8")
    assert read_source(path).title == "Größe für π"


def test_cells_that_cannot_be_told_apart_are_refused(path):
    path.write_text(path.read_text("utf-8").replace("import jax.numpy as jnp", 'x = """\n# %% no\n"""'), "utf-8")
    with pytest.raises(AuthoringError, match=r"15_sample\.py:1: .* a line in a string begins with `# %%`"):
        read_cells(path)
