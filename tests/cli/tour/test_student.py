import pytest

from minitorch.cli.tour.student import STUDENT, distill_student
from minitorch.nn import paths
from minitorch.train import load_run

pytestmark = pytest.mark.costly


def test_a_student_is_smaller_shares_the_vocabulary_and_is_trained_once(finished, tmp_path):
    teacher = load_run(finished)
    student = distill_student(teacher, tmp_path)
    assert student.tokenizer == teacher.tokenizer
    assert student.step == 4
    assert paths.count(student.model) < paths.count(teacher.model)
    written = (tmp_path / STUDENT / "model.safetensors").stat().st_mtime_ns
    assert distill_student(teacher, tmp_path).step == 4
    assert (tmp_path / STUDENT / "model.safetensors").stat().st_mtime_ns == written
