from tinyscore import text


def test_edit_distance_counts_letters():
    assert text.edit_distance("kitten", "sitting") == 3


def test_edit_distance_of_lists():
    assert text.edit_distance(["a", "b"], ["a", "c", "b"]) == 1
