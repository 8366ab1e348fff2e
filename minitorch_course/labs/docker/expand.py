"""Words of a Dockerfile as Docker expands them: quotes, the escape character, and variables.

The syntax is that of https://docs.docker.com/reference/dockerfile/#environment-replacement.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LENGTH = 1 << 12  # of the values in a word: each `ENV A=$A$A` doubles A


def expand(word: str, variables: Mapping[str, str], escape: str = "\\") -> tuple[str, frozenset[str]]:
    """Return an expanded word, and the names of variables in it that have neither a value nor a default.

    Raises ValueError if Docker would refuse the word.
    """
    reader = _Reader(word, variables, escape)
    try:
        text = reader.until("")
    except RecursionError:
        raise ValueError("variables are nested too deeply") from None
    return text, frozenset(reader.unset)


class _Reader:
    def __init__(self, word: str, variables: Mapping[str, str], escape: str):
        self.word, self.variables, self.escape = word, variables, escape
        self.at, self.length = 0, 0
        self.unset: set[str] = set()

    def next(self) -> str:
        """Return the next character; an empty string at the end."""
        self.at += 1
        return self.word[self.at - 1 : self.at]

    def peek(self) -> str:
        return self.word[self.at : self.at + 1]

    def until(self, stop: str) -> str:
        """Return the expansion of what comes before the character `stop`, or of the rest if it is empty."""
        parts = []
        while char := self.next():
            if char == stop:
                return "".join(parts)
            if char == "'":
                parts.append(self.single_quoted())
            elif char == '"':
                parts.append(self.double_quoted())
            elif char == "$":
                parts.append(self.variable())
            else:
                parts.append(self.next() if char == self.escape else char)
        if stop:
            raise ValueError(f"a closing {stop} is missing")
        return "".join(parts)

    def single_quoted(self) -> str:
        text, quote, rest = self.word[self.at :].partition("'")
        if not quote:
            raise ValueError("a closing ' is missing")
        self.at = len(self.word) - len(rest)
        return text

    def double_quoted(self) -> str:
        parts = []
        while char := self.next():
            if char == '"':
                return "".join(parts)
            if char == "$":
                char = self.variable()
            elif char == self.escape and self.peek() in ('"', "$", self.escape):
                char = self.next()
            parts.append(char)
        raise ValueError('a closing " is missing')

    def variable(self) -> str:
        """Return the value of the variable whose `$` has just been read."""
        if self.peek() != "{":
            name = self.name()
            text = self.value(name) if name else "$"
        else:
            self.next()
            text = self.braced()
        self.length += len(text)
        if self.length > MAX_LENGTH:
            raise ValueError(f"the values of its variables have more than {MAX_LENGTH} characters")
        return text

    def name(self) -> str:
        found = re.compile(r"\d+|[@*#?\-$!]|\w+").match(self.word, self.at)
        self.at = found.end() if found else self.at
        return found[0] if found else ""

    def value(self, name: str) -> str:
        if name not in self.variables:
            self.unset.add(name)
        return self.variables.get(name, "")

    def braced(self) -> str:
        """Return what `${...}` stands for."""
        name, operator = self.name(), self.next()
        if not name:
            raise ValueError("${...} names no variable")
        if operator == "}":
            return self.value(name)
        if operator == "/":
            everywhere = self.peek() == "/" and bool(self.next())
            pattern = _regex(self.until("/"))
            replacement = self.until("}")
            return re.sub(pattern, lambda _: replacement, self.value(name), count=0 if everywhere else 1)
        may_be_empty = operator != ":"
        operator = operator if may_be_empty else self.next()
        word = self.until("}")
        value = self.variables.get(name)
        usable = value is not None and (may_be_empty or value != "")
        if operator == "-":
            return value if usable and value is not None else word
        if operator == "+":
            self.value(name)
            return word if usable else ""
        if operator == "?" and usable:
            return self.value(name)
        if operator == "?":
            raise ValueError(f"{name}: {word or 'must be set'}")
        if operator in ("#", "%") and may_be_empty:
            return _trimmed(self.value(name), operator, word)
        raise ValueError(f"${{{name}...}} has an unknown operator")


def _trimmed(value: str, operator: str, pattern: str) -> str:
    """Return a value without the shortest (`#`, `%`) or longest (`##`, `%%`) match at its begin or end."""
    longest = pattern.startswith(operator)
    regex = re.compile(_regex(pattern.removeprefix(operator)), re.DOTALL)
    ends = range(len(value) + 1)
    if operator == "#":
        cut = next((end for end in (reversed(ends) if longest else ends) if regex.fullmatch(value, 0, end)), 0)
        return value[cut:]
    starts = ends if longest else reversed(ends)
    return value[: next((start for start in starts if regex.fullmatch(value, start)), len(value))]


def _regex(pattern: str) -> str:
    return "".join(".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
