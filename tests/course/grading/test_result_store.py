"""Results are stored, and are not mixed with those of another grading."""

import json
from datetime import UTC, datetime

import pytest

from minitorch_course.grading.collect import SubmissionFiles
from minitorch_course.grading.grade_submission import failed
from minitorch_course.grading.result_store import ResultStore

ONE = SubmissionFiles("s01", {"07_tiny.ipynb": b"{}"})


@pytest.fixture
def open_store(tmp_path, tiny):
    def make(seed=None, sandboxed=True, resume=False, notebook=tiny, due=None):
        return ResultStore(tmp_path / "out", notebook, seed, sandboxed, resume, due)

    return make


def test_a_seed_is_drawn_and_stored(open_store):
    drawn = open_store().seed
    assert open_store(resume=True).seed == drawn == open_store(seed=drawn, resume=True).seed


def test_the_due_date_is_stored_until_another_is_given(open_store):
    due, later = datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 26, tzinfo=UTC)
    assert open_store().due is None
    assert open_store(resume=True, due=due).due == open_store(resume=True).due == due
    assert open_store(resume=True, due=later).due == open_store(resume=True).due == later


def test_a_result_is_stored_and_found_again(open_store, tiny):
    open_store(seed=1).save(failed(ONE, tiny, "because"))
    store = open_store(resume=True)
    assert store.is_current(ONE)
    assert store.load("s01").row["reason"] == "because"


def test_another_submission_of_the_same_student_is_not_current(open_store, tiny):
    store = open_store(seed=1)
    store.save(failed(ONE, tiny, "because"))
    assert not store.is_current(SubmissionFiles("s01", {"07_tiny.ipynb": b"[]"}))
    assert not store.is_current(SubmissionFiles("S01", dict(ONE.files)))


def test_what_failed_for_no_fault_of_its_own_is_graded_again(open_store, tiny):
    from dataclasses import replace

    store = open_store(seed=1)
    store.save(replace(failed(ONE, tiny, "because"), settled=False))
    assert not store.is_current(ONE)


def test_results_are_not_written_over(open_store):
    open_store()
    with pytest.raises(ValueError, match="holds results already: continue with --resume"):
        open_store()


@pytest.mark.parametrize("changed", [{"seed": 2}, {"sandboxed": False}])
def test_another_grading_is_not_resumed(open_store, changed):
    open_store(seed=1)
    with pytest.raises(ValueError, match="another notebook, another seed, or of a source that has changed"):
        open_store(resume=True, **changed)


def test_a_changed_source_is_not_resumed(open_store, tiny, tmp_path):
    from dataclasses import replace

    (tmp_path / "07_tiny.py").write_bytes(tiny.path.read_bytes() + b"\n")
    open_store(seed=1)
    with pytest.raises(ValueError, match="a source that has changed"):
        open_store(resume=True, notebook=replace(tiny, path=tmp_path / "07_tiny.py"))


def test_a_damaged_result_is_named(open_store, tiny, tmp_path):
    open_store(seed=1).save(failed(ONE, tiny, "because"))
    (tmp_path / "out" / "results" / "s01.json").write_text("{")
    with pytest.raises(ValueError, match=r"s01.json is damaged .* remove it"):
        open_store(resume=True).is_current(ONE)


def test_a_half_written_result_is_removed(open_store, tiny, tmp_path):
    open_store(seed=1).save(failed(ONE, tiny, "because"))
    partial = tmp_path / "out" / "results" / ".s02.json.123.partial"
    partial.write_text("{")
    store = open_store(resume=True)
    assert store.is_current(ONE)
    assert not partial.exists()
    assert json.loads((tmp_path / "out" / "run.json").read_text())["seed"] == 1


def test_inputs_change_when_students_may_have_seen_results_and_not_before(open_store):
    """What leaves a sandbox by the feedback page is of no use in a later submission."""
    store = open_store(seed=7)
    seeds = [store.seed, store.input_seed]
    assert open_store(resume=True).input_seed == store.input_seed  # An interrupted run goes on.
    for _ in range(2):
        store.end_round()
        store = open_store(resume=True)
        seeds.append(store.input_seed)
    assert len(set(seeds)) == 4


def test_a_drawn_seed_cannot_be_found_by_trying(open_store):
    assert open_store().seed > 2**64
