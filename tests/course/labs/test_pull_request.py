"""The lab `pull-request`, as students do it: the right way, and three wrong ones."""

import shutil
import subprocess

import pytest

from minitorch_course.labs import git as quiet
from minitorch_course.labs.pull_request import description, issues
from minitorch_course.labs.pull_request.check import check
from minitorch_course.labs.pull_request.upstream import make_upstream, start

pytestmark = pytest.mark.costly

STUDENT = {
    "GIT_AUTHOR_NAME": "Student",
    "GIT_AUTHOR_EMAIL": "student@school.example",
    "GIT_COMMITTER_NAME": "Student",
    "GIT_COMMITTER_EMAIL": "student@school.example",
}
REQUEST = """Branch: {branch}
Closes: #{number}

# Settle issue {number}

## What changes for users

The function that the issue requires.

## How it is tested

By a test that failed before the change.
"""
EDGES = """

def test_nothing_to_divide_by_is_zero():
    assert classify.precision([0, 0], [0, 1]) == 0.0
    assert classify.recall([0, 1], [0, 0]) == 0.0
    assert classify.f1([1, 0], [0, 1]) == 0.0
"""
SPECIFICITY = "    assert classify.specificity([1, 0], [1, 1]) == 0.0\n"
RATES = """

def test_word_error_rate():
    assert text.word_error_rate("the cat sat down", "the bat sat") == 0.5
    assert text.word_error_rate("a", "b c d") == 3.0


def test_nothing_said_has_no_rate():
    with pytest.raises(ValueError):
        text.word_error_rate(" ", "a")
"""


class Student:
    """A student who works on the lab in `folder`."""

    def __init__(self, folder):
        self.folder, self.clone = folder, folder / "tinyscore"
        self.git = quiet.Git(self.clone)

    def branch(self, name):
        self.git("fetch", "-q", "upstream")
        self.git("switch", "-q", "-c", name, "--no-track", "upstream/main")

    def edit(self, path, change):
        file = self.clone / path
        before = file.read_text("utf-8")
        after = change(before)
        assert after != before
        file.write_text(after, "utf-8")

    def commit(self, message, *options):
        self.git("commit", "-q", "-a", "-s", *options, "-m", message, env=STUDENT)

    def request(self, number, branch, text=REQUEST):
        self.git("push", "-q", "--force", "origin", branch)
        (self.folder / "pull-requests" / f"{number}.md").write_text(text.format(branch=branch, number=number), "utf-8")

    def review(self, respond=True):
        report = check(self.folder, respond)
        return report, {item.name: " ".join(map(str, item.comments)) for item in report.items}


def append(text):
    return lambda before: before + text


def guarded(before):
    return issues.guarded(before, {"precision", "recall", "f1", "specificity"})


def note(line):
    return lambda before: before.replace("distance`.\n", f"distance`.\n* {line}\n")


@pytest.fixture(scope="session")
def started(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labs") / "started"
    start(folder)
    return folder


@pytest.fixture
def student(started, tmp_path):
    shutil.copytree(started, tmp_path / "lab")
    student = Student(tmp_path / "lab")
    for name, repository in (("origin", "fork.git"), ("upstream", "upstream.git")):
        student.git("remote", "set-url", name, str(student.folder / repository))
    return student


def fix_edges(student):
    """Solve issue 2 well."""
    student.branch("no-division-by-zero")
    student.edit("tests/test_classify.py", append(EDGES))
    student.commit("Test scores where nothing is positive")
    student.edit("tinyscore/classify.py", guarded)
    student.edit("CHANGELOG.md", note("Scores are 0.0 where there is nothing to divide by."))
    student.commit("Return 0.0 where there is nothing to divide by")
    student.request(2, "no-division-by-zero")


def settle(student):
    """Rebase onto the moved main, and keep both sides of the conflict."""
    student.git("fetch", "-q", "upstream")
    while not student.git.succeeds("merge-base", "--is-ancestor", "upstream/main", "HEAD"):
        try:
            student.git("rebase", "-q", "upstream/main", env=STUDENT)
        except quiet.GitError:
            resolve(student)


def resolve(student):
    while (student.clone / ".git" / "rebase-merge").exists():
        for path in student.git.lines("diff", "--name-only", "--diff-filter=U"):
            theirs = student.git.text("upstream/main", path)
            fixed = theirs + EDGES + SPECIFICITY if path.startswith("tests") else guarded(theirs)
            (student.clone / path).write_text(fixed, "utf-8")
        student.git("add", "-u")
        env = STUDENT | {"GIT_EDITOR": "true"}
        subprocess.run(
            ["git", "rebase", "--continue"], cwd=student.clone, env=env | quiet.ISOLATION, capture_output=True
        )


@pytest.mark.costly
def test_the_way_to_three_merged_pull_requests(student):
    student.branch("spelling")
    student.edit("docs/guide.md", lambda text: text.replace("occurence", "occurrence"))
    student.commit("Spell occurrence with two r")
    student.request(1, "spelling")
    fix_edges(student)
    report, comments = student.review()
    assert {name for name, text in comments.items() if text and not name.startswith("3")} == {"2-round"}
    assert "specificity" in comments["2-round"]
    assert report.notes[0].startswith("Pull request #1 is merged")

    _, comments = student.review()
    assert "tinyscore/classify.py" in comments["2-merge"]
    assert "Rebase it" in comments["2-merge"]
    student.git("switch", "-q", "no-division-by-zero")
    settle(student)
    student.request(2, "no-division-by-zero")

    student.branch("word-error-rate")
    student.edit("tests/test_text.py", lambda text: "import pytest\n\n" + text + RATES)
    student.edit("tinyscore/text.py", append(issues.RATE))
    student.edit("CHANGELOG.md", note("`text.word_error_rate`."))
    student.commit("Add the word error rate\n\nSpeech recognition is scored by it.")
    student.request(3, "word-error-rate")
    report, comments = student.review()
    assert comments["2-round"] == ""
    assert "CHANGELOG.md" in comments["3-merge"]

    student.git("fetch", "-q", "upstream")
    with pytest.raises(quiet.GitError):
        student.git("rebase", "-q", "upstream/main", env=STUDENT)
    theirs = student.git.text("upstream/main", "CHANGELOG.md")
    (student.clone / "CHANGELOG.md").write_text(note("`text.word_error_rate`.")(theirs), "utf-8")
    student.git("add", "-u")
    student.git("rebase", "--continue", env=STUDENT | {"GIT_EDITOR": "true"})
    student.request(3, "word-error-rate")
    report, comments = student.review(respond=False)
    assert "".join(comments.values()) == ""
    assert report.done
    assert report.earned == report.points == 100


def test_code_without_a_test_and_a_message_that_says_nothing(student):
    student.branch("fix")
    student.edit("tinyscore/classify.py", lambda text: guarded(text).replace("right = sum", "right = 0 + sum"))
    student.git("commit", "-q", "-a", "-m", "fixed stuff.", env=STUDENT)
    student.request(2, "fix", "Branch: {branch}\n\n# TITLE: WHAT THIS CHANGES, AS A COMMAND\n")
    report, comments = student.review()
    assert "has no new test" in comments["2-test"]
    assert all(words in comments["2-history"] for words in ("full stop", "lower-case letter", "signed off"))
    assert "tinyscore/classify.py:4: `accuracy` is changed" in comments["2-scope"]
    assert "CHANGELOG.md:3" in comments["2-scope"]
    assert "pull-requests/2.md:3: still says" in comments["2-description"]
    assert "Closes: #2" in comments["2-description"]
    assert comments["2-merge"] == comments["2-behaviour"] == ""
    assert report.earned == 17
    assert "first round" in comments["2-round"]


def test_a_test_that_proves_nothing_and_an_unrelated_file(student):
    student.branch("word-error-rate")
    student.edit("tinyscore/text.py", append(issues.RATE.replace("len(words)", "len(recognised.split())")))
    student.commit("Add the word error rate")
    student.edit("tests/test_text.py", append("\n\ndef test_more():\n    assert text.edit_distance('a', 'b') == 1\n"))
    student.edit("README.md", append("\n>>> 1 + 1\n3\n"))
    student.edit("ci.py", lambda text: text.replace("return bool(", "return 0 and bool("))
    student.commit("Test the word error rate")
    student.request(3, "word-error-rate")
    _, comments = student.review()
    assert "the tests pass without your change" in comments["3-test"]
    assert "before there is a test" in comments["3-test"]
    assert "tinyscore/text.py:14: word_error_rate(" in comments["3-behaviour"]
    assert "ci.py:26: has nothing to do with issue #3" in comments["3-scope"]
    assert "CI fails after the merge" in comments["3-merge"]  # upstream's own ci.py decides, not the branch's


def test_a_wrong_value_a_thin_test_and_a_merge(student):
    student.branch("zero")
    student.edit("tests/test_classify.py", append("\n\ndef test_zero():\n    classify.precision([0], [1])\n"))
    student.commit("Test precision where nothing was predicted")
    student.edit("tinyscore/classify.py", lambda text: issues.guarded(text, {"precision"}, "1.0"))
    student.commit("Return a number where there is nothing to divide by")
    student.git("switch", "-q", "-c", "other", "HEAD~1")
    student.edit("CHANGELOG.md", note("Precision."))
    student.commit("Describe it to users")
    student.git("merge", "-q", "--no-edit", "zero", env=STUDENT)
    student.request(2, "other")
    _, comments = student.review()
    assert "is a merge" in comments["2-history"]
    assert "precision([0, 0], [0, 1]) returns 1.0, but the issue requires 0.0" in comments["2-behaviour"]
    assert all(f"does not fix `{name}`" in comments["2-test"] for name in ("recall", "f1"))
    assert "1.0" in comments["2-test"]


def test_upstream_is_reproducible_and_only_the_maintainers_push_to_it(student, tmp_path):
    make_upstream(tmp_path / "again.git")
    initial = quiet.Git(tmp_path / "again.git")("rev-parse", "main")
    assert initial == quiet.Git(student.folder / "upstream.git")("rev-parse", "main")
    student.branch("mine")
    student.edit("README.md", append("mine\n"))
    student.commit("Put a word into upstream")
    student.git("push", "-q", "upstream", "HEAD:main")
    with pytest.raises(ValueError, match=rf"did not make.*update-ref refs/heads/main {initial}"):
        student.review()


@pytest.mark.parametrize("client", [None, "/usr/bin/gh"])
def test_with_the_client_of_github_a_note_says_how_to_open_one_there(student, monkeypatch, client):
    which = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name, *rest, **more: client if name == "gh" else which(name, *rest, **more)
    )
    report, _ = student.review()
    assert any("gh is installed" in line for line in report.notes) == bool(client)
    assert not any("gh is installed" in line for line in student.review(respond=False)[0].notes)
    for command in ("gh repo create", "gh pr create"):
        assert command in (student.folder / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        (
            "## What changes for users \n\nNothing else than the word.\n\n## How it is tested\n\nThe docs build well.",
            [],
        ),
        (
            "## What changes for users\n### Before\nA word was wrong here.\n## How it is tested\nThe docs build well.",
            [],
        ),
        (
            "## What changes for users\n```\n## a comment in code\n```\n## How it is tested\nThe docs build well.",
            [],
        ),
        ("## What changes for users\n\n## How it is tested\n\nThe docs build well.", ["leaves `What changes"]),
        (
            "```\n## What changes for users\nA word was wrong.\n```\n## How it is tested\nAll is green now.",
            ["has no section"],
        ),
    ],
)
def test_the_sections_of_a_description_are_read_as_markdown(body, missing):
    text = f"Branch: fix-typo\nCloses: #1\n\n# Fix a typo\n\n{body}\n"
    comments = list(description.review(description.Description(1, "fix-typo", text)))
    assert len(comments) == len(missing)
    assert all(words in str(comment) for words, comment in zip(missing, comments, strict=True))
