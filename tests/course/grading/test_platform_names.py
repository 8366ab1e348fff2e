"""Students are found in the names that platforms give to what they pack."""

import pytest

from minitorch_course.grading.collect import collect, find_submissions
from minitorch_course.grading.platform_names import read_name

NAMES = {  # name: (student, platform, late)
    "doejane_12345_67890_02_autodiff.ipynb": ("doejane_12345", "Canvas", False),
    "doejane_LATE_12345_67890_02_autodiff-submission.zip": ("doejane_12345", "Canvas", True),
    "doejane_LATE_12345_67890_02_autodiff-1.ipynb": ("doejane_12345", "Canvas", True),
    "müller-lüdenscheidtzoë_7_8_x.zip": ("müller-lüdenscheidtzoë_7", "Canvas", False),
    "юлия_12345_67890_x.zip": ("юлия_12345", "Canvas", False),
    "de_la_cruzana_12_34_x.zip": ("de_la_cruzana_12", "Canvas", False),
    "anonymous_12345_67890_x.ipynb": ("anonymous_12345", "Canvas", False),
    "Jane Doe_12345_assignsubmission_file_": ("Jane Doe_12345", "Moodle", False),
    "Jane Doe_12345_assignsubmission_file": ("Jane Doe_12345", "Moodle", False),
    "Jane Doe_12345_assignsubmission_file_02_autodiff.ipynb": ("Jane Doe_12345", "Moodle", False),
    "Ana María Núñez_9_assignsubmission_onlinetext_": ("Ana María Núñez_9", "Moodle", False),
    "Participant_12345_assignsubmission_file_x.zip": ("Participant_12345", "Moodle", False),
    "Jane Doe - 02_autodiff.ipynb": ("Jane Doe", "Google Classroom", False),
    "Anne-Marie O'Neil - Copy of 02_autodiff.ipynb": ("Anne-Marie O'Neil", "Google Classroom", False),
    "s01": ("s01", "", False),
    "s_01": ("s_01", "", False),
    "anna_02": ("anna_02", "", False),
    "02_autodiff_1": ("02_autodiff_1", "", False),
    "2026_11_30": ("2026_11_30", "", False),
    "Jane Doe": ("Jane Doe", "", False),
    "Jane - Doe": ("Jane - Doe", "", False),
    " - .ipynb": (" - .ipynb", "", False),
    "_1_2_": ("_1_2_", "", False),
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items(), ids=NAMES)
def test_a_name_is_read(name, expected):
    found = read_name(name)
    assert (found.student, found.platform, found.late) == expected


def test_github_classroom_names_repositories_by_the_folder():
    assert read_name("autodiff-jane-doe", "autodiff-submissions").student == "jane-doe"
    assert read_name("autodiff-jane-doe", "elsewhere").student == "autodiff-jane-doe"
    assert read_name("autodiff-", "autodiff-submissions").student == "autodiff-"
    assert read_name("s01", "-submissions").student == "s01"


def test_several_files_of_a_platform_are_one_submission(tmp_path):
    jane = ("doejane_12_34_02.ipynb", "doejane_12_35_notes.pdf", "doejane_12_36_manifest.json")
    for name in (*jane, "doejohn_13_37_02.ipynb", "doejane_14_38_02.ipynb"):
        (tmp_path / name).write_bytes(b"{}")
    found = find_submissions(tmp_path)
    assert list(found) == ["doejane_12", "doejane_14", "doejohn_13"]
    files = collect("doejane_12", found["doejane_12"])
    assert (files.reason, list(files.files)) == (None, ["02.ipynb"])
    assert len(files.flags) == 2


def test_two_archives_of_a_platform_are_compared_by_their_times(tmp_path):
    for number in (1, 2):
        (tmp_path / f"doejane_12_{number}_x.zip").write_bytes(b"?")  # The same name twice.
    files = collect("doejane_12", find_submissions(tmp_path)["doejane_12"])
    assert (files.reason, len(files.files)) == (None, 2)
