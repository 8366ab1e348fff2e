"""What has been graded is kept, and is not mixed with another grading."""

import json
from datetime import UTC, datetime

import pytest

from minitorch_course.grading.collect import SubmissionFiles
from minitorch_course.grading.grade_submission import failed
from minitorch_course.grading.result_store import ResultStore

ONE = SubmissionFiles("s01", {"07_tiny.ipynb": b"{}"})


@pytest.fixture
def open_record(tmp_path, tiny):
    def make(seed=None, sandboxed=True, resume=False, notebook=tiny, due=None):
        return ResultStore(tmp_path / "out", notebook, seed, sandboxed, resume, due)

    return make


def test_a_seed_is_drawn_and_kept(open_record):
    drawn = open_record().seed
    assert open_record(resume=True).seed == drawn == open_record(seed=drawn, resume=True).seed


def test_when_it_was_due_is_kept_until_it_is_said_anew(open_record):
    due, later = datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 26, tzinfo=UTC)
    assert open_record().due is None
    assert open_record(resume=True, due=due).due == open_record(resume=True).due == due
    assert open_record(resume=True, due=later).due == open_record(resume=True).due == later


def test_a_result_is_kept_and_is_known_again(open_record, tiny):
    open_record(seed=1).keep(failed(ONE, tiny, "because"))
    record = open_record(resume=True)
    assert record.has(ONE)
    assert record.of("s01").row["reason"] == "because"


def test_another_submission_of_the_same_student_is_not_known(open_record, tiny):
    record = open_record(seed=1)
    record.keep(failed(ONE, tiny, "because"))
    assert not record.has(SubmissionFiles("s01", {"07_tiny.ipynb": b"[]"}))
    assert not record.has(SubmissionFiles("S01", dict(ONE.files)))


def test_what_failed_for_no_fault_of_its_own_is_graded_again(open_record, tiny):
    from dataclasses import replace

    record = open_record(seed=1)
    record.keep(replace(failed(ONE, tiny, "because"), settled=False))
    assert not record.has(ONE)


def test_results_are_not_written_over(open_record):
    open_record()
    with pytest.raises(ValueError, match="holds results already: go on with them with --resume"):
        open_record()


@pytest.mark.parametrize("changed", [{"seed": 2}, {"sandboxed": False}])
def test_another_grading_is_not_gone_on_with(open_record, changed):
    open_record(seed=1)
    with pytest.raises(ValueError, match="another notebook, another seed, or of a source that has changed"):
        open_record(resume=True, **changed)


def test_a_changed_source_is_not_gone_on_with(open_record, tiny, tmp_path):
    from dataclasses import replace

    (tmp_path / "07_tiny.py").write_bytes(tiny.path.read_bytes() + b"\n")
    open_record(seed=1)
    with pytest.raises(ValueError, match="a source that has changed"):
        open_record(resume=True, notebook=replace(tiny, path=tmp_path / "07_tiny.py"))


def test_a_damaged_result_is_named(open_record, tiny, tmp_path):
    open_record(seed=1).keep(failed(ONE, tiny, "because"))
    (tmp_path / "out" / "results" / "s01.json").write_text("{")
    with pytest.raises(ValueError, match=r"s01.json is damaged .* remove it"):
        open_record(resume=True).has(ONE)


def test_a_half_written_result_is_not_there(open_record, tiny, tmp_path):
    open_record(seed=1).keep(failed(ONE, tiny, "because"))
    partial = tmp_path / "out" / "results" / ".s02.json.123.partial"
    partial.write_text("{")
    record = open_record(resume=True)
    assert record.has(ONE) and not partial.exists()
    assert json.loads((tmp_path / "out" / "run.json").read_text())["seed"] == 1
