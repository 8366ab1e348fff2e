import io
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from minitorch_course.notebook import crash_injection
from minitorch_course.notebook.crash_injection import after_each_kill


@pytest.fixture
def file(tmp_path):
    """A file with old content, alone in its folder."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    return path


def seen(file, act):
    """Return what the file holds after each kill, in order and without repeats; None where it does not exist."""
    found = after_each_kill(file.parent, act, lambda: file.read_bytes() if file.exists() else None)
    return [content for i, content in enumerate(found) if i == 0 or content != found[i - 1]]


def test_a_file_written_in_place_can_be_empty_or_half_written(file):
    assert seen(file, lambda: file.write_bytes(b"newest")) == [b"old", b"", b"new", b"newest"]
    assert seen(file, lambda: file.write_text("latest", encoding="utf-8")) == [b"newest", b"", b"lat", b"latest"]


def test_a_file_written_atomically_is_old_or_new(file):
    def act():
        temporary = file.with_name("temporary")
        with open(temporary, "wb") as opened:
            opened.write(b"newest")
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(temporary, file)

    assert seen(file, act) == [b"old", b"newest"]
    assert [path.name for path in file.parent.iterdir()] == ["file"]


def test_what_is_not_flushed_is_lost(file):
    def act():
        temporary = file.with_name("temporary")
        with temporary.open("wb") as opened:
            opened.write(b"newest")
            temporary.replace(file)

    assert seen(file, act) == [b"old", b"", b"new", b"newest"]


@pytest.mark.parametrize("remove", [os.remove, os.unlink, Path.unlink])
def test_a_file_that_is_removed_first_may_be_missing(file, remove):
    def act():
        temporary = file.with_name("temporary")
        temporary.write_bytes(b"newest")
        remove(file)
        os.rename(temporary, file)

    assert seen(file, act) == [b"old", None, b"newest"]


def test_appended_lines_come_after_the_old_content(file):
    def act():
        with file.open("a", encoding="utf-8") as opened:
            opened.write("+one")
            opened.flush()
            opened.write("+two")

    assert seen(file, act) == [b"old", b"old+o", b"old+one", b"old+one+t", b"old+one+two"]


def test_a_killed_function_cannot_clean_up(file):
    def act():
        try:
            file.write_bytes(b"newest")
        finally:
            file.write_bytes(b"tidied")

    assert b"" in seen(file, act)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: np.savez(path, a=np.arange(5.0), b=np.arange(3)),
        lambda path: np.savez(str(path), a=np.arange(5.0), b=np.arange(3)),
    ],
)
def test_writing_a_numpy_archive_can_be_killed(tmp_path, write):
    path = tmp_path / "arrays.npz"
    write(path)

    def whole():
        try:
            with np.load(io.BytesIO(path.read_bytes())) as archive:
                return [archive[name].tolist() for name in archive.files]
        except (EOFError, ValueError, zipfile.BadZipFile):
            return None

    found = after_each_kill(tmp_path, lambda: write(path), whole)
    assert None in found
    assert found[0] == found[-1] == [[0, 1, 2, 3, 4], [0, 1, 2]]


def test_files_can_be_copied_read_and_changed_in_place(file):
    other = file.with_name("other")

    def act():
        shutil.copy(file, other)
        assert other.read_bytes() == b"old"
        with open(other, "r+b") as opened:
            opened.seek(1)
            opened.write(b"f")

    found = after_each_kill(file.parent, act, lambda: other.read_bytes() if other.exists() else None)
    assert found[0] is None
    assert found[-1] == b"ofd"


def test_other_folders_are_left_alone(file, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "file"
    assert after_each_kill(file.parent, lambda: elsewhere.write_bytes(b"there"), elsewhere.read_bytes) == [b"there"]


def test_errors_of_the_function_are_raised_and_the_patches_removed(file):
    def act():
        file.write_bytes(b"newest")
        raise KeyError("theirs")

    before = open, io.open, os.replace
    with pytest.raises(KeyError, match="theirs"):
        after_each_kill(file.parent, act, lambda: None)
    assert (open, io.open, os.replace) == before


def test_endless_writing_is_an_error(file, monkeypatch):
    monkeypatch.setattr(crash_injection, "MAX_KILLS", 10)

    def act():
        while True:
            file.write_bytes(b"again")

    with pytest.raises(RuntimeError, match="write larger pieces"):
        after_each_kill(file.parent, act, lambda: None)
