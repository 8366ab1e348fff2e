"""How the program of an image starts: the words of its first process, and whether SIGTERM reaches the program."""

from __future__ import annotations

import itertools
import posixpath
from typing import TYPE_CHECKING

from .shell import replaced_by, script_file, script_of, shell_words, unwrap, unwrapped

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .dockerfile import Dockerfile, Instruction, Stage

MAX_NESTED = 10  # scripts that start another one
MAX_SCRIPT = 100_000  # characters


def started(file: Dockerfile) -> tuple[Instruction | None, list[str], str]:
    """Return the instruction that starts the image's program, the whole command, and what is wrong with its parts.

    A shell form is an argument of SHELL, CMD is appended to ENTRYPOINT, and ENTRYPOINT removes an inherited CMD.
    """
    shell = ["/bin/sh", "-c"]
    entry: tuple[Instruction, list[str]] | None = None
    command: tuple[Stage, Instruction, list[str]] | None = None
    for stage, instruction in file.inherited():
        words = list(instruction.words) if instruction.exec else [*shell, " ".join(instruction.words)]
        if instruction.name == "SHELL":
            shell = list(instruction.words)
        elif instruction.name == "CMD":
            command = (stage, instruction, words)
        elif instruction.name == "ENTRYPOINT":
            entry = (instruction, words) if words else None
            command = command if command and command[0] is stage else None
    arguments = command[2] if command else []
    if entry is None:
        return (command[1], arguments, "") if command and arguments else (None, [], "")
    appended = command is not None and not command[1].exec and any(unwrap(entry[1]))
    problem = "gets the CMD as the words `/bin/sh -c ...`, because it is not a JSON list." if appended else ""
    return entry[0], [*entry[1], *arguments], problem if shell_words(entry[1]) is None else ""


def problem_of_start(words: Sequence[str], folder: Path | None = None) -> str:
    """Return why SIGTERM may not reach the program that a container starts, or an empty string if it does.

    A shell does not forward signals, unless `exec` replaces it by the program.
    """
    rest: Sequence[str] | None = words
    for _ in range(MAX_NESTED):
        if not rest:
            break
        rest = _unwrapped(rest)
        script, name = script_of(rest), script_file(rest)
        if name is None and shell_words(rest) is None and rest and rest[0].endswith((".sh", ".bash")):
            name = rest[0]
        if script is None and name is not None:
            script = _script(folder, name)
            if script is None:
                return (
                    f"starts the script {name}, which is not next to the Dockerfile, so it cannot be seen whether it"
                    " ends with exec."
                )
        if script is None and shell_words(rest) is None:
            return ""
        rest = replaced_by(script or "")
    return (
        "starts a shell, which need not pass on SIGTERM: the server does not shut down, and is killed after ten"
        " seconds."
    )


def _unwrapped(words: Sequence[str]) -> Sequence[str]:
    """Return a command without `env`, `tini` and the like, but with its shell."""
    options = list(itertools.takewhile(lambda word: word.startswith("-"), words[1:]))
    if posixpath.basename(words[0]) == "dumb-init" and not {"-c", "--single-child"} & set(options):
        return ["dumb-init"]  # It signals the whole process group, with the children of a shell.
    return unwrapped(words, {})[0]


def _script(folder: Path | None, name: str) -> str | None:
    """Return the text of a script next to the Dockerfile."""
    path = folder / posixpath.basename(name) if folder else None
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:MAX_SCRIPT] if path and path.is_file() else None
    except OSError:
        return None


def writes_bytecode(words: Sequence[str], env: dict[str, str]) -> bool:
    """Return whether Python, started by `words`, would write bytecode next to the sources."""
    command = next(unwrap(words), None)
    options = command.arguments if command and command.program.startswith("python") else []
    options = "".join(itertools.takewhile(lambda word: word.startswith("-"), options))
    env = env | (command.env if command else {})
    cleared = "env" in map(posixpath.basename, words) and {"-i", "-", "PYTHONDONTWRITEBYTECODE"} & set(words)
    ignored = cleared or set("IE") & set(options)
    set_ = env.get("PYTHONDONTWRITEBYTECODE") or env.get("PYTHONPYCACHEPREFIX", "").startswith(("/tmp", "/dev/shm"))
    return "B" not in options and (bool(ignored) or not set_)
