"""The lab of the gate: a good solution, the one it begins with, and others that do not hold."""

import shutil
from pathlib import Path

import pytest

from minitorch_course.labs.ci import check, workflow

pytestmark = pytest.mark.slow

GOOD = Path(__file__).parent / "gate"


@pytest.fixture(scope="session")
def begun(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ci") / "lab"
    check.start(folder)
    return folder


@pytest.fixture
def folder(begun, tmp_path):
    return Path(shutil.copytree(begun, tmp_path / "lab"))


def said(folder):
    report = check.check(folder)
    return report.earned, {item.name: " ".join(map(str, item.comments)) for item in report.items}


def change(path, *changes):
    text = path.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


def about(text, tmp_path):
    """What the rules say of a workflow, each remark without its file."""
    path = tmp_path / workflow.FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return [str(comment).removeprefix(workflow.FILE) for comment in workflow.rules(tmp_path)]


def test_a_good_gate_has_every_point(folder):
    shutil.copytree(GOOD, folder, dirs_exist_ok=True)
    assert said(folder) == (100, dict.fromkeys(said_names(), ""))


def said_names():
    return ["actionlint", "schema", "workflow", "gate-good", "gate-test", "gate-accura", "gate-fair"]


@pytest.mark.slow
def test_the_gate_it_begins_with_looks_at_tests_only(folder):
    points, found = said(folder)
    assert points == 35
    assert "node20" in found["actionlint"]
    assert "lets through pull request 2" in found["gate-accura"]
    assert "lets through pull request 3" in found["gate-fair"]
    assert all(
        words in found["workflow"]
        for words in ("gate.yml:2: does not run on pull", "ignores", "permissions", "timeout")
    )


@pytest.mark.slow
def test_a_gate_with_loose_bounds_in_a_workflow_that_shrugs(folder):
    """It knows the pull requests that lie there, and others only by their tests."""
    shutil.copytree(GOOD, folder, dirs_exist_ok=True)
    change(folder / "gate.py", ("0.92, 0.75, 0.10", "0.92, 0.60, 0.25"), ("unfair: the", "the"))
    change(
        folder / workflow.FILE,
        ("      - run: python gate.py main", "      - run: python gate.py main\n        if: github.event.number > 9"),
    )
    points, found = said(folder)
    assert "lets through a change that grants few loans only" in found["gate-accura"]
    assert "lets through pull request 3" in found["gate-fair"]
    assert "does not say so" in found["gate-fair"]
    assert "on a condition" in found["workflow"]
    assert points == 40


def test_a_gate_that_refuses_everything(folder):
    shutil.copytree(GOOD, folder, dirs_exist_ok=True)
    (folder / "gate.py").write_text("print('tests, accuracy, fairness')\nraise SystemExit(1)\n", "utf-8")
    change(folder / workflow.FILE, ("pull_request:", "pull_reqest:"), ("ubuntu-latest", "[ubuntu"))
    points, found = said(folder)
    assert points == 0
    assert "as it refuses everything" in found["gate-test"]
    assert "refuses the project as it is: tests, accuracy" in found["gate-good"]
    assert found["actionlint"]
    assert found["schema"]
    assert "is no YAML" in found["workflow"]


def test_a_workflow_is_read_by_what_it_does(tmp_path):
    good = (GOOD / workflow.FILE).read_text("utf-8")
    assert about(good, tmp_path) == []
    for old, new, remark in (
        ("  pull_request:\n", "  pull_request_target:\n", ":3: gives a stranger's code"),
        ("contents: read", "contents: write", ":6: may write"),
        ("gate.py main", "gate.py main || true", "ignores what it says"),
        ("gate.py main", "-m pytest", "never runs the gate"),
        ("    timeout-minutes: 10\n", "    continue-on-error: true\n", ":11: lets the job pass"),
        (good, "- 1", ": has no jobs."),
        (good, "jobs: {", ": is no YAML"),
    ):
        assert any(remark in text for text in about(good.replace(old, new), tmp_path)), remark
    shutil.rmtree(tmp_path / ".github")
    assert [str(comment) for comment in workflow.rules(tmp_path)] == [f"{workflow.FILE}: is not there."]
