"""The three issues: files that each may change, expected results, and wrong solutions that a good test detects."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CLASSIFY, TEXT = "tinyscore/classify.py", "tinyscore/text.py"
CASES = 12
SHARES = ("precision", "recall", "f1")


@dataclass(frozen=True)
class Issue:
    """One issue of the upstream.

    Attributes:
      allowed: files that a pull request for it may change.
      code, tests: the file of the fix and the file of its tests; empty if the issue is only about text.
      touched: functions that the issue is about; all others must stay as they are.
    """

    number: int
    title: str
    allowed: tuple[str, ...]
    code: str = ""
    tests: str = ""
    touched: tuple[str, ...] = ()


ISSUES = (
    Issue(1, "A word in the guide is misspelled", ("docs/guide.md",)),
    Issue(
        2,
        "ZeroDivisionError when nothing is positive",
        (CLASSIFY, "tests/test_classify.py", "CHANGELOG.md"),
        CLASSIFY,
        "tests/test_classify.py",
        (*SHARES, "specificity", "_both"),
    ),
    Issue(
        3,
        "Word error rate",
        (TEXT, "tests/test_text.py", "CHANGELOG.md", "README.md", "docs/guide.md"),
        TEXT,
        "tests/test_text.py",
        ("word_error_rate",),
    ),
)
RATE = '''

def word_error_rate(said, recognised):
    """Return the edit distance in words, divided by the number of words said."""
    words = said.split()
    if not words:
        raise ValueError("nothing was said")
    return edit_distance(words, recognised.split()) / len(words)
'''
RATIO = "edit_distance(words, recognised.split()) / len(words)"
WRONG_RATES = {  # mistake: (text of the correct function, replacement)
    "is divided by the number of recognised words": (RATIO, RATIO.replace("(words)", "(recognised.split() or words)")),
    "counts letters instead of words": (RATIO, "edit_distance(said, recognised) / len(words)"),
    "is never more than 1": (RATIO, f"min(1.0, {RATIO})"),
    "is 0 if nothing was said": ('raise ValueError("nothing was said")', "return 0.0"),
}


def wrong_solutions(issue: Issue, old: str) -> dict[str, str]:
    """Return wrong versions of the file `issue.code`, derived from the old one, by a description of the mistake."""
    if issue.number == 2:
        return _wrong_shares(old)
    return {f"where the rate {what}": old + RATE.replace(*change) for what, change in WRONG_RATES.items()}


def _wrong_shares(old: str) -> dict[str, str]:
    names = [name for name in (*SHARES, "specificity") if f"def {name}(" in old]
    wrong = {f"that does not fix `{name}`": guarded(old, set(names) - {name}) for name in names}
    return wrong | {"that returns 1.0 instead of 0.0": guarded(old, set(names), "1.0")}


def guarded(source: str, names: set[str], value: str = "0.0") -> str:
    """Return the code of classify.py with some functions returning `value` instead of dividing by zero."""

    def guard(function: re.Match[str]) -> str:
        if function[1] not in names:
            return function[0]
        return re.sub(r"return (.+) / (.+)", rf"return (\1) / (\2) if (\2) else {value}", function[0])

    return re.sub(r"def (\w+)\(.*?(?=\n\n\n|\Z)", guard, source, flags=re.DOTALL)


@dataclass(frozen=True)
class Call:
    """A call of a function of tinyscore, and its expected result: a number, or the name of an error."""

    module: str
    function: str
    arguments: tuple[Any, ...]
    expected: float | str

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(repr, self.arguments))})"


def calls(issue: Issue, seed: int, specificity: bool) -> list[Call]:
    """Return calls with random inputs, so that only a correct function gives every expected result."""
    rng = random.Random(seed)
    if issue.number == 3:
        return [_rate(rng) for _ in range(CASES)] + [Call("text", "word_error_rate", ("  ", "a b"), "ValueError")]
    functions: Mapping[str, Callable[..., float]] = SCORES if specificity else {n: SCORES[n] for n in SHARES}
    edges = [([0, 0], [0, 1]), ([0, 1], [0, 0]), ([0, 0, 0], [0, 0, 0]), ([1, 0], [0, 1]), ([1, 1], [1, 1])]
    labels = [([rng.randint(0, 1) for _ in range(5)], [rng.randint(0, 1) for _ in range(5)]) for _ in range(CASES)]
    return [Call("classify", name, pair, score(*pair)) for pair in edges + labels for name, score in functions.items()]


def _rate(rng: random.Random) -> Call:
    said, recognised = ([rng.choice("abc") * 2 for _ in range(rng.randint(1, 6))] for _ in range(2))
    return Call(
        "text", "word_error_rate", (" ".join(said), "  ".join(recognised)), _distance(said, recognised) / len(said)
    )


def _distance(a: list[str], b: list[str]) -> int:
    if not a or not b:
        return len(a) + len(b)
    replaced = _distance(a[1:], b[1:]) + (a[0] != b[0])
    return min(replaced, 1 + _distance(a[1:], b), 1 + _distance(a, b[1:]))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _hits(predicted: list[int], true: list[int]) -> int:
    return sum(p and t for p, t in zip(predicted, true, strict=True))


SCORES: dict[str, Callable[[list[int], list[int]], float]] = {
    "precision": lambda p, t: _share(_hits(p, t), sum(p)),
    "recall": lambda p, t: _share(_hits(p, t), sum(t)),
    "f1": lambda p, t: _share(2 * _hits(p, t), sum(p) + sum(t)),
    "specificity": lambda p, t: _share(sum(not (a or b) for a, b in zip(p, t, strict=True)), t.count(0)),
}
