"""Which files a .dockerignore keeps out of the build: the patterns of Docker, which are not those of git.

A pattern is anchored at the root of the context, `**` matches any number of folders, and the last pattern that matches
a file or one of its folders decides: https://docs.docker.com/build/concepts/context/#dockerignore-files.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

MAX_WILDCARDS = 10  # in a pattern: the time of a match grows with their number


@dataclass(frozen=True)
class Pattern:
    """One line: a regular expression, and whether it is an exception (`!`)."""

    regex: re.Pattern[str]
    text: str
    exception: bool


def parse(text: str) -> list[Pattern]:
    """Read a .dockerignore. Raises ValueError with the first pattern that Docker refuses."""
    found = []
    for line in text.removeprefix("\ufeff").split("\n"):
        pattern = line.strip()
        if line.startswith("#") or not pattern:
            continue
        exception = pattern.startswith("!")
        pattern = pattern.removeprefix("!").strip() if exception else pattern
        if not pattern:
            raise ValueError("! names no file")
        # A path that climbs out of the context matches nothing, but a leading slash is that of the context.
        pattern = posixpath.normpath(pattern).lstrip("/")
        if pattern not in (".", ""):
            found.append(Pattern(_compile(pattern), pattern, exception))
    return found


def is_ignored(path: str, patterns: list[Pattern]) -> bool:
    """Return whether a file, by its path from the root of the context, is kept out."""
    candidates = [path, *(str(parent) for parent in PurePosixPath(path).parents if parent.name)]
    ignored = False
    for pattern in patterns:
        if pattern.exception == ignored and any(pattern.regex.fullmatch(candidate) for candidate in candidates):
            ignored = not pattern.exception
    return ignored


def _compile(pattern: str) -> re.Pattern[str]:
    pattern = re.sub(r"(\*\*/)+", "**/", pattern)
    tokens = re.findall(r"\*\*/?|\*|\?|\\.|\[\^?(?:\\.|[^\]\\])+\]|.", pattern, re.DOTALL)
    if sum(token in ("**", "**/", "*", "?") for token in tokens) > MAX_WILDCARDS:
        raise ValueError(f"{pattern[:40]!r}... has more than {MAX_WILDCARDS} wildcards")
    parts = [_regex(token) for token in tokens]
    if tokens[-1] in ("**", "**/"):
        parts[-1] = ".*"
    if tokens[0] == "**" and not any(_is_special(token) for token in tokens[1:]):
        parts[0] = ".*"
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a pattern: {error}") from error


def _is_special(token: str) -> bool:
    return len(token) > 1 or token in "*?"


def _regex(token: str) -> str:
    if token in ("**", "**/"):
        return "(?:.*/)?"
    if token in ("[", "\\"):
        raise ValueError(f"{token} begins a part of a pattern that does not end")
    if token[0] == "[" and len(token) > 1:
        inverted = "^" if token.startswith("[^") else ""
        characters = re.sub(r"[\[&|~]", r"\\\g<0>", token[1 + len(inverted) : -1]).replace("--", "-")
        return f"[{inverted}{characters}]"
    return {"*": "[^/]*", "?": "[^/]"}.get(token) or re.escape(token[-1])
