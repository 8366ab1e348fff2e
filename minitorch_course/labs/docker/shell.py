"""The commands of a shell script or of a JSON list: programs with their arguments, whatever starts them."""

from __future__ import annotations

import itertools
import posixpath
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SHELLS = {"sh", "ash", "bash", "dash", "ksh", "mksh", "zsh", "yash", "fish"}
MULTICALL = {"busybox", "toybox"}  # `busybox sh` is sh
KEYWORDS = {"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "esac", "{", "}", "!", "time"}
# Programs that start another one in their place, or forward signals to it: how many words come before that one, and
# which of their options take a value.
WRAPPERS = {
    "exec": (0, {"-a"}),
    "command": (0, set()),
    "builtin": (0, set()),
    "nice": (0, {"-n"}),
    "nohup": (0, set()),
    "stdbuf": (0, {"-i", "-o", "-e"}),
    "env": (0, {"-u", "-C", "--unset", "--chdir"}),
    "sudo": (0, {"-u", "-g"}),
    "gosu": (1, set()),
    "su-exec": (1, set()),
    "timeout": (1, {"-s", "-k"}),
    "tini": (0, {"-p", "-e"}),
    "tini-static": (0, {"-p", "-e"}),
    "docker-init": (0, {"-p", "-e"}),
    "catatonit": (0, set()),
    "dumb-init": (0, {"-r", "--rewrite"}),
}
MODULES = (["pip"], ["uv"], ["poetry"], ["pipenv"])  # `python -m pip` is pip
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=", re.ASCII)
MAX_VALUE = 256  # characters of a variable's value


@dataclass(frozen=True)
class Command:
    """A program with its arguments, and the variables that are set for it."""

    words: list[str]
    env: dict[str, str] = field(default_factory=dict)

    @property
    def program(self) -> str:
        """The name of the program, without its folder."""
        return posixpath.basename(self.words[0])

    @property
    def arguments(self) -> list[str]:
        """All words but the first."""
        return self.words[1:]


def commands(script: str, env: dict[str, str] | None = None) -> Iterator[Command]:
    """Yield the commands of a script, also those of `sh -c '...'` in it; `env` holds the variables that are known."""
    known = dict(env or {})
    for words in split(substitute(script, known)):
        for command in unwrap(words, known):
            if command.program == "export":
                known |= dict(word.split("=", 1) for word in command.arguments if ASSIGNMENT.match(word))
            yield command


def substitute(script: str, env: dict[str, str]) -> str:
    """Return a script with the values of the variables that are known, as far as they are short."""

    def value(found: re.Match[str]) -> str:
        known = env.get(found[1] or found[2], found[0])
        return known if len(known) <= MAX_VALUE else found[0]

    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", value, script)


def split(script: str) -> list[list[str]]:
    """Split a script at `;`, `&`, `|`, parentheses and line ends, into lists of words without quotes."""
    script = re.sub(r"^[ \t]*#.*$", "", script.replace("\\\n", " "), flags=re.MULTILINE)
    lexer = shlex.shlex(script, posix=True, punctuation_chars=";&|()\n")
    lexer.whitespace, lexer.commenters, lexer.whitespace_split = " \t\r", "", True
    try:
        tokens = list(lexer)
    except ValueError:  # A quote is not closed, or it belongs to a document inside the script.
        tokens = re.findall(r"[;&|()\n]+|[^\s;&|()]+", script)
    groups = itertools.groupby(tokens, key=lambda token: bool(token) and set(token) <= set(";&|()\n"))
    lists = (
        list(itertools.takewhile(lambda word: not word.startswith("#"), words)) for end, words in groups if not end
    )
    return [words for words in lists if words]


def unwrap(words: Sequence[str], env: dict[str, str] | None = None) -> Iterator[Command]:
    """Yield the command in `words` without what stands before it; if it is `sh -c SCRIPT`, those of the script."""
    rest, known = unwrapped(words, env or {})
    script = script_of(rest)
    if script is not None:
        yield from commands(script, known)
    elif rest:
        yield Command(rest, known)


def unwrapped(words: Sequence[str], env: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return a command without keywords, assignments and wrappers, and its variables."""
    rest, known = list(words), dict(env)
    while rest:
        name = posixpath.basename(rest[0])
        if name in KEYWORDS:
            rest = rest[1:]
        elif ASSIGNMENT.match(rest[0]):
            known |= dict([rest.pop(0).split("=", 1)])
        elif name in WRAPPERS and len(rest) > 1:
            rest = _inside(name, rest[1:])
        elif re.fullmatch(r"python[\d.]*", name) and rest[1:2] == ["-m"] and rest[2:3] in MODULES:
            rest = rest[2:]
        else:
            break
    return rest, known


def _inside(name: str, words: list[str]) -> list[str]:
    """Return the command that a wrapper starts."""
    before, valued = WRAPPERS[name]
    while words and words[0].startswith("-") and words[0] != "--":
        option = words.pop(0)
        if name == "env" and option in ("-S", "--split-string") and words:
            return [*(split(words[0]) or [[]])[0], *words[1:]]
        if name == "env" and option.startswith("-S"):
            return [*(split(option[2:]) or [[]])[0], *words]
        if option in valued:
            words = words[1:]
    return (words[1:] if words[:1] == ["--"] else words)[before:]


def shell_words(words: Sequence[str]) -> list[str] | None:
    """Return the arguments of the shell that `words` start, or None if it is not a shell."""
    rest = list(words)
    if rest and posixpath.basename(rest[0]) in MULTICALL:
        rest = rest[1:]
    return rest[1:] if rest and posixpath.basename(rest[0]) in SHELLS else None


def script_of(words: Sequence[str]) -> str | None:
    """Return the script of `sh -c SCRIPT`, or None if `words` are something else."""
    rest, is_script = shell_words(words) or [], False
    while rest and rest[0][:1] in ("-", "+"):
        option = rest.pop(0)
        if not option.startswith("--") and option[:1] == "-":
            is_script |= "c" in option
        if option[-1:] in ("o", "O") and not option.startswith("--"):
            rest = rest[1:]
    return rest[0] if is_script and rest else None


def script_file(words: Sequence[str]) -> str | None:
    """Return the file of `sh FILE`, or None if `words` are something else."""
    arguments = shell_words(words)
    if arguments is None or script_of(words) is not None:
        return None
    return next((word for word in arguments if word[:1] not in ("-", "+")), None)


def replaced_by(script: str) -> list[str] | None:
    """Return the command that replaces the shell at the end of a script (`exec ...`), or None if there is none."""
    lists = [[word for word in words if word not in KEYWORDS] for words in split(script)]
    last = next((words for words in reversed(lists) if words), [])
    return _inside("exec", last[1:]) or None if last[:1] == ["exec"] else None
