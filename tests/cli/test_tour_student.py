import pytest
from minitorch.cli.tour.command.student import STUDENT, teach

from minitorch.nn import paths
from minitorch.train import load_run

pytestmark = pytest.mark.slow


def test_a_student_is_smaller_shares_the_vocabulary_and_is_taught_once(finished, tmp_path):
    teacher = load_run(finished)
    student = teach(teacher, tmp_path)
    assert student.tokenizer == teacher.tokenizer and student.step == 4
    assert paths.count(student.model) < paths.count(teacher.model)
    written = (tmp_path / STUDENT / "model.safetensors").stat().st_mtime_ns
    assert teach(teacher, tmp_path).step == 4
    assert (tmp_path / STUDENT / "model.safetensors").stat().st_mtime_ns == written
