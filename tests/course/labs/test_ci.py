"""The lab `ci`: a good solution, the initial gate, and others that are not good enough."""

import shutil
from pathlib import Path

import pytest

from minitorch_course.labs.ci import check, workflow

pytestmark = pytest.mark.costly

GOOD = Path(__file__).parent / "gate"


@pytest.fixture(scope="session")
def started(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ci") / "lab"
    check.start(folder)
    return folder


@pytest.fixture
def folder(started, tmp_path):
    return Path(shutil.copytree(started, tmp_path / "lab"))


def comments(folder):
    report = check.check(folder)
    return report.earned, {item.name: " ".join(map(str, item.comments)) for item in report.items}


def change(path, *changes):
    text = path.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


def rules(text, tmp_path):
    """The comments on a workflow, without the name of its file."""
    path = tmp_path / workflow.FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return [str(comment).removeprefix(workflow.FILE) for comment in workflow.rules(tmp_path)]


def test_a_good_gate_has_every_point(folder):
    shutil.copytree(GOOD, folder, dirs_exist_ok=True)
    assert comments(folder) == (100, dict.fromkeys(item_names(), ""))


def item_names():
    return ["actionlint", "schema", "workflow", "gate-good", "gate-test", "gate-accura", "gate-fair"]


@pytest.mark.costly
def test_the_initial_gate_checks_tests_only(folder):
    points, found = comments(folder)
    assert points == 35
    assert "node20" in found["actionlint"]
    assert "accepts pull request 2" in found["gate-accura"]
    assert "accepts pull request 3" in found["gate-fair"]
    assert all(
        words in found["workflow"]
        for words in ("gate.yml:2: does not run on pull", "ignores", "permissions", "timeout")
    )


@pytest.mark.costly
def test_a_gate_with_loose_bounds_in_a_workflow_that_skips_it(folder):
    """The known pull requests are rejected, others only if they fail a test."""
    shutil.copytree(GOOD, folder, dirs_exist_ok=True)
    change(folder / "gate.py", ("0.92, 0.75, 0.10", "0.92, 0.60, 0.25"), ("unfair: the", "the"))
    change(
        folder / workflow.FILE,
        ("      - run: python gate.py main", "      - run: python gate.py main\n        if: github.event.number > 9"),
    )
    points, found = comments(folder)
    assert "accepts a change that grants few loans only" in found["gate-accura"]
    assert "accepts pull request 3" in found["gate-fair"]
    assert "does not say why" in found["gate-fair"]
    assert "on a condition" in found["workflow"]
    assert points == 40


def test_a_gate_that_rejects_everything(folder):
    shutil.copytree(GOOD, folder, dirs_exist_ok=True)
    (folder / "gate.py").write_text("print('tests, accuracy, fairness')\nraise SystemExit(1)\n", "utf-8")
    change(folder / workflow.FILE, ("pull_request:", "pull_reqest:"), ("ubuntu-latest", "[ubuntu"))
    points, found = comments(folder)
    assert points == 0
    assert "but it rejects everything" in found["gate-test"]
    assert "rejects the project as it is: tests, accuracy" in found["gate-good"]
    assert found["actionlint"]
    assert found["schema"]
    assert "is not valid YAML" in found["workflow"]


def test_a_workflow_is_judged_by_what_it_does(tmp_path):
    good = (GOOD / workflow.FILE).read_text("utf-8")
    assert rules(good, tmp_path) == []
    for old, new, comment in (
        ("  pull_request:\n", "  pull_request_target:\n", ":3: gives the code of strangers"),
        ("contents: read", "contents: write", ":6: may write"),
        ("gate.py main", "gate.py main || true", "ignores its result"),
        ("gate.py main", "-m pytest", "never runs the gate"),
        ("    timeout-minutes: 10\n", "    continue-on-error: true\n", ":11: lets the job pass"),
        (good, "- 1", ": has no jobs."),
        (good, "jobs: {", ": is not valid YAML"),
    ):
        assert any(comment in text for text in rules(good.replace(old, new), tmp_path)), comment
    shutil.rmtree(tmp_path / ".github")
    assert [str(comment) for comment in workflow.rules(tmp_path)] == [f"{workflow.FILE}: does not exist."]
