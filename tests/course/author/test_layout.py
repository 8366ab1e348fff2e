import pytest

from minitorch_course.author.layout import CourseLayout, write


@pytest.fixture
def layout(tmp_path):
    for name in ("02_autodiff", "00_five_minutes", "02b", "helpers", "03_a", "03_b"):
        write(tmp_path / "notebooks" / f"{name}.py", "")
    return CourseLayout(tmp_path)


def test_notebooks_are_named_by_number_or_in_full(layout):
    assert layout.find(["02"]) == layout.find(["02_autodiff"]) == ["02_autodiff"]
    assert layout.find([]) == ["00_five_minutes", "02_autodiff", "03_a", "03_b"]
    assert layout.find(["02", "00"]) == ["02_autodiff", "00_five_minutes"]


def test_other_names_are_refused_with_a_list_of_the_notebooks(layout, tmp_path):
    with pytest.raises(ValueError, match=r"No notebook is called '07'\. There are: 00_five_minutes, 02_autodiff"):
        layout.find(["07"])
    with pytest.raises(ValueError, match="More than one notebook is called '03'"):
        layout.find(["03"])
    with pytest.raises(ValueError, match="give the repository's folder with --root"):
        CourseLayout(tmp_path / "elsewhere").find([])


def test_files_are_written_as_they_are_on_every_system(tmp_path):
    path = tmp_path / "a folder" / "größe.txt"
    write(path, "ünï\n")
    write(path, "zwei\n")
    assert path.read_bytes() == b"zwei\n"
    assert list(path.parent.iterdir()) == [path]
