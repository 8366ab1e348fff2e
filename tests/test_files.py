"""A write that fails at any step leaves the old content and no partial file."""

import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from minitorch import _files
from minitorch._files import atomic_write, clear_partial


class FullDisk(io.FileIO):
    """A file on a disk that has no space after half of the content."""

    def write(self, data):
        super().write(data[: len(data) // 2])
        raise OSError("No space left on device")


def fail(*_):
    raise OSError("failed")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "config.json"
    path.write_bytes(b"old")
    return path


@pytest.mark.parametrize(("content", "written"), [("é\n", "é\n".encode()), (b"\xff\r\n", b"\xff\r\n"), ("", b"")])
def test_text_is_written_as_utf8_with_its_line_ends_and_bytes_as_they_are(file, content, written):
    atomic_write(file, content)
    assert file.read_bytes() == written
    assert os.listdir(file.parent) == [file.name]


def test_a_new_file_is_created(tmp_path):
    atomic_write(tmp_path / "new.txt", "new")
    assert (tmp_path / "new.txt").read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize(
    ("owner", "step", "replacement"),
    [
        (Path, "open", fail),
        (Path, "open", lambda path, mode: FullDisk(path, "w")),
        (os, "fsync", fail),
        (Path, "replace", fail),
    ],
    ids=["open", "write", "fsync", "rename"],
)
def test_a_failure_at_any_step_leaves_the_old_content_and_no_partial_file(monkeypatch, file, owner, step, replacement):
    with monkeypatch.context() as patch:
        patch.setattr(owner, step, replacement)
        with pytest.raises(OSError, match=r"failed|No space left"):
            atomic_write(file, "new content")
    assert file.read_bytes() == b"old"
    assert os.listdir(file.parent) == [file.name]


def test_the_content_is_on_disk_before_the_rename(monkeypatch, file):
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append((file.read_bytes(), partial_of(file).read_bytes())))
    atomic_write(file, "new")
    assert seen == [(b"old", b"new")]


def partial_of(path):
    (partial,) = path.parent.glob(".*.partial")
    return partial


def test_a_killed_process_leaves_the_old_content_and_a_partial_file_that_is_cleared(file):
    kill = (
        "import os, pathlib, runpy, sys; os.fsync = lambda _: os._exit(9); "
        "runpy.run_path(sys.argv[1])['atomic_write'](pathlib.Path(sys.argv[2]), 'new')"
    )
    assert subprocess.run([sys.executable, "-c", kill, _files.__file__, file], check=False).returncode == 9
    assert file.read_bytes() == b"old"
    assert partial_of(file).read_bytes() == b"new"
    atomic_write(file, "newer")
    (file.parent / "a.partial").touch()
    clear_partial(file.parent)
    assert sorted(os.listdir(file.parent)) == ["a.partial", file.name]
    assert file.read_bytes() == b"newer"


def test_clearing_a_folder_without_partial_files_changes_nothing(file):
    clear_partial(file.parent)
    assert os.listdir(file.parent) == [file.name]


@pytest.mark.parametrize("folder", ["missing", "config.json"])
def test_a_folder_that_does_not_exist_raises(file, folder):
    with pytest.raises((FileNotFoundError, NotADirectoryError)):
        atomic_write(file.parent / folder / "new.txt", "new")
    assert os.listdir(file.parent) == [file.name]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_file_has_the_permissions_of_any_new_file(file):
    file.chmod(0o600)
    other = file.parent / "other"
    other.touch()
    atomic_write(file, "new")
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


@pytest.mark.skipif(os.name == "nt", reason="Windows lets only administrators create links")
def test_a_link_is_replaced_and_its_target_keeps_its_content(file):
    link = file.parent / "link"
    link.symlink_to(file)
    atomic_write(link, "new")
    assert not link.is_symlink()
    assert (link.read_bytes(), file.read_bytes()) == (b"new", b"old")
