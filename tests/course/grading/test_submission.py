"""Every submission becomes a notebook, or a reason."""

import io
import json
import os
import stat
import tracemalloc
import zipfile

import pytest

from minitorch_course._ipynb import MAX_CELLS, MAX_NOTEBOOK_BYTES
from minitorch_course.grading.collect import MAX_BYTES, MAX_FILES, SubmissionFiles, collect, find_submissions
from minitorch_course.grading.submission import guess_notebook, parse_submission

NAME = "07_tiny"


def zipped(files, **options):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def manifest(notebook, **changed):
    import hashlib

    content = {"notebook": NAME, "sha256": hashlib.sha256(notebook).hexdigest(), "submitted": "2026-11-23T10:00:00Z"}
    return json.dumps(content | changed).encode()


def reason(files):
    return parse_submission(SubmissionFiles("s01", files), NAME).reason


def codes(files):
    submission = parse_submission(SubmissionFiles("s01", files), NAME)
    assert submission.reason is None
    return [cell.source for cell in submission.cells]


def notebook_with(*cells, **changed):
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | changed).encode()


# The files of a submission


def test_each_entry_is_a_student(tmp_path):
    (tmp_path / "s02.zip").touch()
    (tmp_path / "s01.ipynb").touch()
    (tmp_path / "s03").mkdir()
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "__MACOSX").mkdir()
    assert list(find_submissions(tmp_path)) == ["s01", "s02", "s03"]


def test_a_folder_without_submissions_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="holds no submission"):
        find_submissions(tmp_path)
    with pytest.raises(ValueError, match="nothing is not a folder: give the one with"):
        find_submissions(tmp_path / "nothing")


def test_two_entries_of_one_student_are_not_chosen_from(tmp_path):
    (tmp_path / "s01.zip").touch()
    (tmp_path / "s01.ipynb").touch()
    [(student, paths)] = find_submissions(tmp_path).items()
    assert collect(student, paths).reason == "There are 2 submissions, s01.ipynb, s01.zip: keep one."


@pytest.mark.parametrize("name", ["s01", "with space", "Юлия", "s'; rm -rf ~ #", "a" * 100])
def test_names_may_be_anything(tmp_path, name):
    (tmp_path / f"{name}.ipynb").write_bytes(b"{}")
    [(student, paths)] = find_submissions(tmp_path).items()
    assert (student, collect(student, paths).files) == (name, {f"{name}.ipynb": b"{}"})


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_name_that_is_not_utf_8_is_read(tmp_path):
    os.close(os.open(os.fsencode(tmp_path) + b"/s\xff.ipynb", os.O_CREAT | os.O_WRONLY))
    [(student, paths)] = find_submissions(tmp_path).items()
    assert (student, collect(student, paths).reason) == ("s\\xff", None)


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_names_that_differ_in_any_byte_stay_different(tmp_path):
    names = [
        b"\xff\xfe",
        b"\xfe\xff",
        b"??",
        rb"\xff\xfe",
        rb"\\xff\xfe",
        rb"\\xff\\xfe",
        b"\xff\\xfe",
        b"a\\b",
        b"\\\xff",
    ]
    for name in names:
        os.close(os.open(os.path.join(os.fsencode(tmp_path), name + b".ipynb"), os.O_CREAT | os.O_WRONLY))
    found = find_submissions(tmp_path)
    assert len(found) == len(names)
    for student, paths in found.items():
        assert [*collect(student, paths).files] == [f"{student}.ipynb"]
        student.encode()
    (tmp_path / "both").mkdir()
    for name in (b"\xff.ipynb", b"\xfe.ipynb"):
        os.close(os.open(os.path.join(os.fsencode(tmp_path), b"both", name), os.O_CREAT | os.O_WRONLY))
    assert len(collect("both", [tmp_path / "both"]).files) == 2


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("place", ["s01.ipynb", "s01.zip", "s01", "s01/07_tiny.ipynb", "s01/manifest.json"])
def test_links_are_not_followed(tmp_path, place):
    (tmp_path / "secret").write_text("{}")
    entries = tmp_path / "entries"
    (entries / place).parent.mkdir(parents=True)
    (entries / place).symlink_to(tmp_path / "secret")
    [(student, paths)] = find_submissions(entries).items()
    files = collect(student, paths)
    assert "is a link or not a file" in files.reason
    assert not files.files


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_to_a_folder_is_not_entered(tmp_path):
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / f"{NAME}.ipynb").write_bytes(b"{}")
    (tmp_path / "s01").mkdir()
    (tmp_path / "s01" / "more").symlink_to(tmp_path / "others")
    assert collect("s01", [tmp_path / "s01"]) == SubmissionFiles("s01", {})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a pipe of Unix")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "s01.ipynb")
    assert "is a link or not a file" in collect("s01", [tmp_path / "s01.ipynb"]).reason


def test_too_large_and_too_many_files_are_not_read(tmp_path):
    with (tmp_path / "s01.zip").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert "larger than 64 MB" in collect("s01", [tmp_path / "s01.zip"]).reason
    (tmp_path / "s02").mkdir()
    for i in range(MAX_FILES + 1):
        (tmp_path / "s02" / str(i)).touch()
    assert "more than 1000 files" in collect("s02", [tmp_path / "s02"]).reason


def test_what_is_handed_in_again_has_another_digest(tmp_path):
    a, b = SubmissionFiles("s01", {"x.ipynb": b"1"}), SubmissionFiles("s01", {"x.ipynb": b"2"})
    assert a.digest == SubmissionFiles("s01", {"x.ipynb": b"1"}).digest != b.digest


# What is read


def test_a_notebook_is_found_in_archives_and_folders(answers):
    notebook = answers()
    expected = codes({f"{NAME}.ipynb": notebook})
    assert len(expected) == 3
    for files in (
        {"s01.ipynb": notebook},
        {f"{NAME} (1).ipynb": notebook, "other.ipynb": b"{}"},
        {"deep/er/07_tiny.ipynb": notebook},
        {"s01.zip": zipped({f"{NAME}.ipynb": notebook, "manifest.json": manifest(notebook)})},
        {"x.zip": zipped({"y.zip": zipped({f"{NAME}.ipynb": notebook})})},
        {"a/b.zip": zipped({f"folder/{NAME}.ipynb": notebook, "__MACOSX/07_tiny.ipynb": b"x", "notes.txt": b"x"})},
    ):
        assert codes(files) == expected


@pytest.mark.parametrize(
    "name",
    ["s01.rar", "s01.7z", "s01.tar.gz", "s01.pdf", "s01.html", "s01.py", "s01.ipynb.txt", "s01.ipynb.json",
     "s01.zip.part", "s01", "s01.IPYNB.txt"],
)  # fmt: skip
def test_a_file_of_another_kind_is_a_row_with_the_reason(tmp_path, name):
    (tmp_path / name).touch()
    (tmp_path / "s02.zip").touch()
    found = find_submissions(tmp_path)
    assert list(found) == ["s01", "s02"]
    assert collect("s01", found["s01"]).reason == (
        f"{name} is neither a notebook (.ipynb) nor an archive (.zip): hand in one of those."
    )


def test_a_file_of_another_kind_next_to_a_good_one_is_a_flag(tmp_path, answers):
    (tmp_path / "s01.pdf").touch()
    (tmp_path / "s01.ipynb").write_bytes(answers())
    submission = parse_submission(collect("s01", find_submissions(tmp_path)["s01"]), NAME)
    assert (submission.reason, submission.flags[-1]) == (None, "s01.pdf was not read")


def test_what_cannot_be_read_does_not_hide_what_can(answers):
    good = zipped({f"{NAME}.ipynb": answers(), "manifest.json": manifest(answers())})
    for files in (
        {"a.zip": good[:500], "b.zip": good},
        {"a.zip": good, "b.ipynb": b"{}"},
        {"a.zip": good, "b.ipynb": b"{}", "c.ipynb": b"{}"},
        {"a.zip": zipped({"notes.ipynb": b"x"}), "b.zip": good},
    ):
        submission = parse_submission(SubmissionFiles("s01", files), NAME)
        assert (submission.reason, submission.submitted) == (None, "2026-11-23T10:00:00Z")
        assert " was not read, " in submission.flags[0]


def test_of_several_submissions_without_times_none_is_chosen(answers):
    one, other = answers(softmax="x = 1"), answers(softmax="x = 2")
    with_time = zipped({f"{NAME}.ipynb": one, "manifest.json": manifest(one)})
    without = zipped({f"{NAME}.ipynb": other})
    for files in (
        {"a.zip": zipped({f"{NAME}.ipynb": one}), "b.zip": without},
        {"a.zip": with_time, "b.zip": without},
        {"a.zip": with_time, "b.ipynb": other},
        {"a.zip": with_time, "b.zip": zipped({f"{NAME}.ipynb": other, "manifest.json": manifest(other)})},
    ):
        assert reason(files) in [
            f"It is not clear which of {names} is the latest: keep one." for names in ("a.zip, b.zip", "b.ipynb, a.zip")
        ]


def test_the_same_answers_twice_need_no_choice(answers):
    with_time = zipped({f"{NAME}.ipynb": answers(), "manifest.json": manifest(answers())})
    submission = parse_submission(SubmissionFiles("s01", {"a.zip": with_time, f"{NAME}.ipynb": answers()}), NAME)
    assert (submission.reason, submission.submitted) == (None, "2026-11-23T10:00:00Z")


def test_of_several_archives_the_latest_counts(answers):
    old, new = answers(softmax="old = 1"), answers(softmax="new = 1")
    files = {
        "x-2.zip": zipped({f"{NAME}.ipynb": new, "manifest.json": manifest(new, submitted="2026-11-24T00:00:00Z")}),
        "x.zip": zipped({f"{NAME}.ipynb": old, "manifest.json": manifest(old)}),
    }
    submission = parse_submission(SubmissionFiles("s01", files), NAME)
    assert submission.cells[1].source == "new = 1"
    assert submission.flags == ("2 submissions, and x-2.zip is the latest",)


def test_the_manifest_gives_the_time_and_shows_later_changes(answers):
    def about(**changed):
        submission = parse_submission(
            SubmissionFiles("s01", {"x.ipynb": answers(), "manifest.json": manifest(answers(), **changed)}), NAME
        )
        return submission.submitted, submission.flags

    assert about() == ("2026-11-23T10:00:00Z", ())
    assert about(submitted="2026-11-23T12:30:00+02:00") == ("2026-11-23T10:30:00Z", ())
    for bad in ("yesterday", ["x"], None, "2026-11-23T10:00:00", "2026-11-23", "9999-12-31T23:59:59-14:00", 5):
        unknown = "the manifest names no time with a zone, so it is not known whether this is late"
        assert about(submitted=bad) == (None, (unknown,))
    assert about(sha256="0")[1] == ("the notebook was changed after `minitorch course submit`",)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 100_000, b"3", b"[]", b'{"submitted": {}}'])
def test_a_bad_manifest_is_as_none(answers, content):
    submission = parse_submission(SubmissionFiles("s01", {"x.ipynb": answers(), "manifest.json": content}), NAME)
    assert (submission.reason, submission.submitted) == (None, None)
    assert [flag.split(",")[0] for flag in submission.flags] == [
        "the notebook was changed after `minitorch course submit`",
        "the manifest names no time with a zone",
    ]


def test_the_notebook_is_guessed(answers):
    named = json.dumps(json.loads(answers()) | {"metadata": {"minitorch": {"notebook": "08_other"}}}).encode()
    known = [NAME, "08_other"]
    assert guess_notebook(SubmissionFiles("s", {f"{NAME}.ipynb": b"?"}), known) == NAME
    assert guess_notebook(SubmissionFiles("s", {f"{NAME}.ipynb": answers()}), known) == NAME
    assert guess_notebook(SubmissionFiles("s", {"s.zip": zipped({f"a/{NAME}.ipynb": answers()})}), known) == NAME
    assert guess_notebook(SubmissionFiles("s", {"s.ipynb": named}), known) == "08_other"
    assert guess_notebook(SubmissionFiles("s", {"s.ipynb": answers()}), known) is None
    assert guess_notebook(SubmissionFiles("s", {"s.zip": b"?"}), known) is None


def peak_memory_of_guess(files):
    tracemalloc.start()
    try:
        return guess_notebook(SubmissionFiles("s", files), [NAME]), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "files",
    [
        {f"{i}.zip": zipped({"x.ipynb": bytes(2**25), f"{NAME}.ipynb": b""}) for i in range(4)},
        {"x.zip": zipped({f"{i}.zip": zipped({"x.ipynb": bytes(2**24)}) for i in range(4)} | {f"{NAME}.ipynb": b""})},
        {"x.zip": zipped({f"{i}.txt": b"" for i in range(20_000)})},
        {"x.ipynb": b"[" + b"[]," * 2**22 + b"1]"},
        {f"{NAME}.zip": bytes(2**25)},
    ],
    ids=["bombs", "nested bombs", "many files", "many objects", "large"],
)
def test_to_guess_the_notebook_takes_little_memory(files):
    found, peak = peak_memory_of_guess(files)
    assert found in (NAME, None)
    assert peak < 2**25


BAD = {
    "nothing": ({}, "neither a notebook"),
    "no notebook": ({"manifest.json": b"{}"}, "neither a notebook"),
    "empty": ({"x.ipynb": b""}, "not JSON"),
    "not JSON": ({"x.ipynb": b"{"}, "not JSON"),
    "another encoding": ({"x.ipynb": '{"cells": "é"}'.encode("latin-1")}, "not written in UTF-8"),
    "utf-16": ({"x.ipynb": '{"cells": []}'.encode("utf-16")}, "not written in UTF-8"),
    "binary": ({"x.ipynb": bytes(range(256)) * 10}, "not written in UTF-8"),
    "a list": ({"x.ipynb": b"[]"}, "not a notebook of format 4"),
    "no cells": ({"x.ipynb": notebook_with(cells=None)}, "not a notebook of format 4"),
    "format 3": ({"x.ipynb": b'{"nbformat": 3, "worksheets": []}'}, "not a notebook of format 4"),
    "deep": ({"x.ipynb": b"[" * 1_000_000}, "nested too deep"),
    "deep outputs": ({"x.ipynb": b'{"cells": [' + b'{"a":' * 200_000}, "nested too deep"),
    "a huge number": ({"x.ipynb": b'{"nbformat": ' + b"9" * 100_000 + b"}"}, "not JSON"),
    "huge": ({"x.ipynb": b" " * (MAX_NOTEBOOK_BYTES + 1)}, "larger than 32 MB"),
    "many cells": ({"x.ipynb": notebook_with(*[{"cell_type": "code"}] * (MAX_CELLS + 1))}, "more than 2000 cells"),
    "much code": (
        {"x.ipynb": notebook_with({"cell_type": "code", "source": "x" * 2**20 + "y"})},
        "more than 1048 thousand characters",
    ),
    "two notebooks": ({"a.ipynb": b"{}", "b.ipynb": b"{}"}, "2 notebooks"),
    "no archive": ({"x.zip": b"PK but no archive"}, "cannot be unpacked"),
    "a cut archive": ({"x.zip": zipped({"x.ipynb": b"{}" * 1000})[:-40]}, "cannot be unpacked"),
    "an archive without a notebook": ({"x.zip": zipped({"x.txt": b""})}, "no 07_tiny.ipynb"),
    "a bomb": ({"x.zip": zipped({f"{NAME}.ipynb": bytes(2**27)})}, "more than 64 MB"),
    "a bomb of many": (
        {"x.zip": zipped({f"{i}.ipynb": bytes(2**23) for i in range(12)})},
        "more than 64 MB",
    ),
    "a tree of files": ({"x.zip": zipped({str(i): b"" for i in range(MAX_FILES + 1)})}, "more than 1000 files"),
    "paths that lead out": (
        {"x.zip": zipped({name: b"{}" for name in ("../07_tiny.ipynb", "/07_tiny.ipynb", "a/../../07_tiny.ipynb")})},
        "no 07_tiny.ipynb",
    ),
    "paths of Windows that lead out": ({"x.zip": zipped({"..\\07_tiny.ipynb": b"{}"})}, "no 07_tiny.ipynb"),
    "an archive in an archive in an archive": (
        {"x.zip": zipped({"y.zip": zipped({"z.zip": zipped({"07_tiny.ipynb": b"{}"})})})},
        "no 07_tiny.ipynb",
    ),
    "a bomb in an archive": ({"x.zip": zipped({"y.zip": zipped({"7.ipynb": bytes(2**27)})})}, "more than 64 MB"),
    "bombs in an archive": (
        {"x.zip": zipped({f"{i}.zip": zipped({f"{i}.ipynb": bytes(2**23)}) for i in range(12)})},
        "more than 64 MB",
    ),
}


@pytest.mark.parametrize(("files", "message"), BAD.values(), ids=BAD)
def test_what_cannot_be_read_has_a_reason(files, message):
    assert message in reason(files)


def test_a_link_in_an_archive_is_not_there():
    link = zipfile.ZipInfo("07_tiny.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "no 07_tiny.ipynb" in reason({"x.zip": content.getvalue()})


def test_an_encrypted_archive_has_a_reason():
    content = bytearray(zipped({"07_tiny.ipynb": b"{}"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    assert "encrypted" in reason({"x.zip": bytes(content)})


def test_a_rare_compression_is_refused():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("07_tiny.ipynb", "{}")
    assert "rare compression" in reason({"x.zip": content.getvalue()})


def test_the_size_that_an_archive_claims_is_not_believed():
    content = bytearray(zipped({"07_tiny.ipynb": bytes(2**27)}))
    at = content.index(b"PK\x01\x02") + 24  # The uncompressed size in the list of files.
    content[at : at + 4] = (100).to_bytes(4, "little")
    assert reason({"x.zip": bytes(content)})


def test_malformed_cells_count_as_missing():
    cells = [
        3,
        None,
        [],
        {},
        {"cell_type": "code", "id": ["x"], "source": {"a": 1}, "metadata": "bad"},
        {"cell_type": "code", "id": "good", "source": ["x = ", 7, "1"], "metadata": {"minitorch": []}},
        {"cell_type": "code", "id": None, "source": "\ud800", "metadata": {"minitorch": {"kind": "exercise"}}},
    ]
    read_back = parse_submission(
        SubmissionFiles("s01", {"x.ipynb": notebook_with(*cells, metadata={"kernelspec": {"name": "; rm -rf"}})}), NAME
    )
    assert [cell.source for cell in read_back.cells] == ["", "", "x = 1", "?"]


def test_a_byte_order_mark_is_read(answers):
    assert codes({"x.ipynb": b"\xef\xbb\xbf" + answers()}) == codes({"x.ipynb": answers()})
