"""Bad data raises one line that names the rows; real data and ordinary repetition pass."""

from __future__ import annotations

import numpy as np
import pytest

from minitorch.data import Corpus, DataError, deduplicate, find_problems, load_text, read_jsonl, split, validate

PARAGRAPHS = [
    "\n".join(f"Paragraph {p} says in line {i} that {(p * 7919 + i * 104729) % 99991} is a number." for i in range(12))
    for p in range(120)
]


def refusal(*data, **options):
    with pytest.raises(DataError) as caught:
        validate(*data, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["stdlib", "stdlib-docstrings"])
def test_the_standard_library_passes(name):
    limit = None if name == "stdlib" else 300_000
    train, validation = split(load_text(name, limit=limit))
    report = validate(train, validation)
    assert not report.problems
    counts = [len(part.documents) for part in (train, validation)]
    assert str(report).startswith("checked {} train documents and {} validation documents: no prob".format(*counts))


def test_clean_rows_and_texts_pass():
    assert not validate(["a", "b"], ["c"]).problems
    assert not validate("some text", "another text").problems
    assert str(validate(["a", "b"])) == "checked 2 documents: no problems"


def test_empty_rows_are_named():
    assert refusal(["a", " ", "b", ""]) == (
        "2 problems (2 empty): row 2 is empty; row 4 is empty: give data that is not empty"
    )
    assert refusal([]) == "data has no documents: give data that is not empty"
    assert refusal(["a"], []).startswith("validation data has no documents")
    assert refusal("  \n").startswith("line 1 is empty")


def test_undecodable_rows_are_named():
    assert refusal([b"fine", b"caf\xe9"]).startswith("row 2 is not UTF-8 at character 3: save it as UTF-8")
    assert refusal(["fine", "one\ntwo \ud800"]).startswith("row 2, line 2 is not UTF-8 at character 8")


def test_duplicate_rows_are_named_with_the_first_of_them():
    assert refusal(["a b", "c", "a  b\n", "c"]) == (
        "2 problems (2 duplicate): row 3 repeats row 1; row 4 repeats row 2: "
        "keep one of each, as deduplicate(corpus) does"
    )


def test_many_problems_are_counted_and_the_first_few_shown():
    message = refusal(["same"] * 6 + [""])
    assert message.startswith("6 problems (1 empty, 5 duplicate): row 7 is empty; row 2 repeats row 1; row 3 rep")
    assert "; and 3 more: give data that is not empty; keep one of each" in message
    with pytest.raises(DataError) as caught:
        validate(["same"] * 6)
    assert [p.where for p in caught.value.problems] == ["row 2", "row 3", "row 4", "row 5", "row 6"]


def test_a_validation_row_that_is_also_in_train_is_a_leak():
    assert refusal(["a", "b"], ["c", "b"]) == (
        "validation row 2 is a copy of train row 2: take these out of the validation data"
    )


def test_places_of_a_file_are_its_lines(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"text": "row {i % 9}"}}\n' for i in range(10)), encoding="utf-8")
    assert refusal(load_text(path)).startswith("rows.jsonl, line 10 repeats rows.jsonl, line 1")
    assert refusal(*split(load_text(path))).startswith(
        "validation rows.jsonl, line 10 is a copy of train rows.jsonl, line 1"
    )


def test_a_file_is_checked_by_its_path_and_its_name_is_not_taken_as_a_text(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a"}\n{"text": "a"}\n', encoding="utf-8")
    assert refusal(path).startswith("rows.jsonl, line 2 repeats rows.jsonl, line 1")
    with pytest.raises(TypeError, match=r"is the name of a file: give Path\("):
        validate(str(path))


def test_rows_of_another_type_are_rejected():
    with pytest.raises(TypeError, match="rows are strings, bytes or mappings, not int: give other data as"):
        validate([1, 2])  # pyright: ignore[reportArgumentType]


def test_a_row_that_is_mostly_copied_is_a_leak():
    changed = PARAGRAPHS[3] + "\nOne more line."
    message = refusal(PARAGRAPHS[:40], [*PARAGRAPHS[40:], changed])
    assert message.startswith("validation row 81 repeats 6")
    assert "characters of train row 4" in message


def test_a_paragraph_copied_into_one_text_is_a_leak_with_both_lines():
    text = "\n".join(PARAGRAPHS)
    train, validation = split(Corpus("book", (text + "\n" + PARAGRAPHS[5],)))
    message = refusal(train, validation)
    assert message.startswith(f"validation line {120 * 12 + 1} repeats")
    assert "of train line 61:" in message


def test_a_text_pasted_twice_is_a_leak():
    text = "\n".join(PARAGRAPHS)
    assert "take these out of the validation data" in refusal(*split(Corpus("book", (text + text,))))


def test_one_short_passage_in_a_large_validation_text_only_warns():
    train, validation = "\n".join(PARAGRAPHS[:20]), "\n".join(PARAGRAPHS[19:])
    report = validate(train, validation)
    assert [w.where for w in report.warnings] == ["validation line 1"]
    assert "warnings: validation line 1 repeats" in str(report)


def test_ordinary_repetition_in_code_passes():
    notice = "".join(f"# Licensed to somebody under terms number {i} of the agreement.\n" for i in range(12))
    files = [f"{notice}\nimport os\nimport sys\n\n\ndef f{i}():\n    return {i}\n" for i in range(40)]
    assert not validate(*split(Corpus("code", ("\n".join(files),)))).problems
    assert not validate(files[:36], files[36:]).problems


def test_short_lines_repeated_pass_with_a_warning():
    report = validate(*split(Corpus("toy", ("hello world\n" * 2000,))))
    assert not report.problems
    assert "warnings: validation is 100% lines or notices that train repeats" in str(report)


def test_schema_names_missing_fields_and_wrong_types(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a", "label": 1}\n{"label": 2}\n{"text": "c", "label": "x"}\n', encoding="utf-8")
    assert refusal(read_jsonl(path), schema={"text": str, "label": int}) == (
        "2 problems (2 schema): row 2 has no field 'text'; row 3 has str in 'label', not int: "
        "correct these rows, or name another field"
    )


@pytest.mark.parametrize(
    ("value", "kind", "good"),
    [
        (1, int, True),
        (True, int, False),
        (True, bool, True),
        (1, float, True),
        (1.0, int, False),
        (None, str | None, True),
        (2, str | None, False),
    ],
)
def test_schema_types(value, kind, good):
    assert bool(find_problems([{"x": value}], schema={"x": kind}).problems) != good


@pytest.mark.parametrize("data", ["text", ["row"]])
def test_schema_needs_rows_with_fields(data):
    with pytest.raises(TypeError, match="schema checks rows with fields"):
        find_problems(data, schema={"text": str})


def test_rows_of_arrays_are_compared_too():
    rows = np.arange(12.0).reshape(4, 3)
    assert not validate(rows[:3], rows[3:]).problems
    assert refusal(rows[:3], rows[1:]).startswith("2 problems (2 leak): validation row 1 is a copy of train row 2")
    assert refusal(np.zeros((2, 3))).startswith("row 2 repeats row 1")


def test_deduplicate_keeps_the_first_of_each_with_its_place():
    corpus = Corpus("x", ("a", "b", "a ", "c", "b"), places=("p1", "p2", "p3", "p4", "p5"))
    kept = deduplicate(corpus)
    assert (kept.documents, kept.places) == (("a", "b", "c"), ("p1", "p2", "p4"))
    assert kept.notes == ("2 repeated documents left out",)
    assert not validate(kept).problems
