"""A Dockerfile, read by Docker's own parser: stages, and their instructions with line numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from minitorch._optional import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "Dockerfile"


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
      words: its arguments; a shell command is one word.
      exec: whether the arguments are a JSON list.
    """

    line: int
    name: str
    words: tuple[str, ...]
    flags: tuple[str, ...]
    exec: bool
    text: str

    @property
    def where(self) -> str:
        """File and line, for a comment."""
        return f"{FILE}:{self.line}"

    def flag(self, name: str) -> str | None:
        """Return the value of `--name=value`, or None."""
        return next((flag.partition("=")[2] for flag in self.flags if flag.startswith(f"--{name}=")), None)


@dataclass(frozen=True)
class Stage:
    """A FROM, the image or earlier stage that it is based on, and its instructions."""

    line: int
    image: str
    name: str
    body: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[Instruction]:
        """Return all instructions of a kind."""
        return [instruction for instruction in self.body if instruction.name == name]

    def last(self, name: str) -> Instruction | None:
        """Return the last instruction of a kind, or None."""
        return next(reversed(self.all(name)), None)


@dataclass(frozen=True)
class Dockerfile:
    """The stages in order; the last one is the image."""

    stages: list[Stage]

    @property
    def final(self) -> Stage:
        """The last stage."""
        return self.stages[-1]

    def upto(self, name: str) -> Dockerfile:
        """Return the Dockerfile as `--target` with the name of a stage would build it."""
        number = next(i for i, stage in enumerate(self.stages) if stage.name == name)
        return Dockerfile(self.stages[: number + 1])

    def chain(self) -> Iterator[Stage]:
        """Yield the last stage, and the stages that it is based on."""
        names = {stage.name: stage for stage in self.stages if stage.name}
        stage: Stage | None = self.final
        while stage is not None:
            yield stage
            below = names.get(stage.image)
            stage = below if below is not stage else None

    def last(self, name: str) -> Instruction | None:
        """Return the instruction of a kind that applies to the image, inherited or not; None if there is none."""
        return next((found for stage in self.chain() if (found := stage.last(name))), None)

    def external(self) -> list[Stage]:
        """Return the stages that are based on an external image."""
        names = {stage.name for stage in self.stages}
        return [stage for stage in self.stages if stage.image not in names and stage.image != "scratch"]


def read(path: Path) -> Dockerfile:
    """Parse a Dockerfile. Raises ValueError if it cannot be read or parsed."""
    parser = require("dockerfile", "Reading a Dockerfile", "pip install 'minitorch-course[course]'")
    try:
        commands = parser.parse_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, parser.GoParseError) as error:
        raise ValueError(f"{path} cannot be read as a Dockerfile: {error}") from error
    stages: list[Stage] = []
    arguments: dict[str, str] = {}  # set by ARG before the first FROM
    for command in commands:
        name, words = command.cmd.upper(), tuple(command.value)
        if name == "FROM":
            stages.append(_stage(command.start_line, words, arguments))
        elif stages:
            text = command.original + "".join(heredoc.content for heredoc in command.heredocs)
            instruction = Instruction(command.start_line, name, words, tuple(command.flags), command.json, text)
            stages[-1].body.append(instruction)
        elif name == "ARG":
            key, _, value = words[0].partition("=")
            arguments[key] = value.strip("\"'")
    if not stages:
        raise ValueError(f"{path} has no FROM: begin with the image that yours is based on.")
    return Dockerfile(stages)


def _stage(line: int, words: tuple[str, ...], arguments: dict[str, str]) -> Stage:
    image = re.sub(r"\$\{?(\w+)(?::-([^}]*))?\}?", lambda m: arguments.get(m[1]) or m[2] or "", words[0])
    return Stage(line, image, words[2] if len(words) > 2 else "")


def pairs(instruction: Instruction) -> dict[str, str]:
    """Return keys and values of a LABEL or an ENV, which the parser lists one after the other."""
    words = [word.strip("\"'") for word in instruction.words if word != "="]
    return dict(zip(words[::2], words[1::2], strict=False))
