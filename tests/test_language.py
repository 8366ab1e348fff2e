"""Words that do not occur in code, docs, notebooks, lectures and labs, because a plainer word says the same."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SUFFIXES = {".py", ".md", ".toml", ".yml", ".yaml", ".sh", ".html", ".j2", ".css", ".js", ".in", ".txt", ""}
SKIPPED = re.compile(r"LICENSE|constraints\.txt|tests/test_language\.py|tests/course/attacks/|docker/.*\.lock")

# A word that does not occur: what to write instead. A space stands for any white space, also across lines of a comment.
WORDS = {
    r"mend(s|ed|ing)?": "fix, close or repair",
    r"anew": "again, or the verb with re-: rebuild, redraw",
    r"beside": "next to, besides or alongside",
    r"hand(s|ed|ing)? back": "return",
    r"so many": "the number, or as many",
    r"with an ear": "with a hook",
    r"in the open": "unsandboxed",
    r"likeliest": "most likely, or greedy",
    r"what came of": "the result of",
    r"(?<!there\s)(is|are) no (?!longer|more|less|fewer|one\b|\w+er than)\w+": "is not a",
    r"made of": "created from, built from or consists of",
    r"asked for": "required, requested or given",
    r"tells?|told": "report, say, state or show; to tell apart is to distinguish",
}

# Lines in which such a word is right: a pattern of the file, and one of the text around the word.
ALLOWED = [
    (r".*\.py", r"\.tell\(\)"),  # the position in a file
]


def files():
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [
        name for name in names if Path(name).suffix in SUFFIXES and not SKIPPED.match(name) and (ROOT / name).is_file()
    ]


def find(word, name, text):
    """Yield the lines of a text in which a word occurs, unless they are allowed: file, line number, line."""
    words = word.replace(" ", r"(?:\s|#)+")
    pattern = re.compile(rf"(?<![\w-])({words})(?![\w-])", re.IGNORECASE)
    lines = text.splitlines()
    for found in pattern.finditer(text):
        number = text.count("\n", 0, found.start())
        around = "\n".join(lines[number : number + 2])
        if not any(re.fullmatch(file, name) and re.search(right, around) for file, right in ALLOWED):
            yield f"{name}:{number + 1}: {lines[number].strip()}"


@pytest.fixture(scope="module")
def texts():
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in files()}


@pytest.mark.parametrize("word", WORDS)
def test_a_word_does_not_occur(word, texts):
    found = [line for name, text in texts.items() for line in find(word, name, text)]
    assert not found, f"Write {WORDS[word]} instead:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("# Mend it.", 1),
        ("# handed\n# back", 1),
        ("x is no number", 1),
        ("there is no number", 0),
        ("it is no longer here", 0),
        ("besides", 0),
        ("recommended", 0),
        ("made_of = 1", 0),
        ("size = file.tell()", 0),
        ("Tell us.", 1),
    ],
)
def test_whole_words_are_found_and_what_contains_them_is_not(text, count):
    assert sum(len(list(find(word, "minitorch/a.py", text))) for word in WORDS) == count


def test_every_allowed_line_occurs(texts):
    for file, right in ALLOWED:
        assert any(re.fullmatch(file, name) and re.search(right, text) for name, text in texts.items()), right
