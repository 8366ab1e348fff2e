import pytest
from tinyscore import classify

PREDICTED = [1, 1, 0, 0, 1]
TRUE = [1, 0, 0, 1, 1]


def test_accuracy_is_the_share_of_correct_labels():
    assert classify.accuracy(PREDICTED, TRUE) == pytest.approx(3 / 5)


def test_precision_divides_by_the_predicted_positives():
    assert classify.precision(PREDICTED, TRUE) == pytest.approx(2 / 3)


def test_recall_divides_by_the_actual_positives():
    assert classify.recall([1, 0, 0, 0], [1, 1, 1, 0]) == pytest.approx(1 / 3)


def test_f1_is_between_precision_and_recall():
    assert classify.f1([1, 0, 0, 0], [1, 1, 1, 0]) == pytest.approx(1 / 2)


def test_specificity_divides_by_the_actual_negatives():
    assert classify.specificity([1, 0, 0, 0], [0, 0, 0, 1]) == pytest.approx(2 / 3)
