"""A Dockerfile taken apart by Docker's own parser: stages, and their instructions with line numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from minitorch._optional import require

FILE = "Dockerfile"


@dataclass(frozen=True)
class Instruction:
    """One instruction. `words` are its arguments, a shell command in one piece; `exec` means a JSON list."""

    line: int
    name: str
    words: tuple[str, ...]
    flags: tuple[str, ...]
    exec: bool
    text: str

    @property
    def where(self) -> str:
        return f"{FILE}:{self.line}"

    def flag(self, name: str) -> str | None:
        """The value of `--name=value`."""
        return next((flag.partition("=")[2] for flag in self.flags if flag.startswith(f"--{name}=")), None)


@dataclass(frozen=True)
class Stage:
    """What begins with a FROM: on which image or earlier stage it stands, and what it does."""

    line: int
    image: str
    name: str
    body: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[Instruction]:
        return [instruction for instruction in self.body if instruction.name == name]

    def last(self, name: str) -> Instruction | None:
        return next(reversed(self.all(name)), None)


@dataclass(frozen=True)
class Dockerfile:
    """The stages in order; the image is the last one."""

    stages: list[Stage]

    @property
    def final(self) -> Stage:
        return self.stages[-1]

    def upto(self, name: str) -> Dockerfile:
        """What is built when `--target` names a stage."""
        number = next(i for i, stage in enumerate(self.stages) if stage.name == name)
        return Dockerfile(self.stages[: number + 1])

    def chain(self) -> Iterator[Stage]:
        """The last stage, and those that it stands on."""
        names = {stage.name: stage for stage in self.stages if stage.name}
        stage: Stage | None = self.final
        while stage is not None:
            yield stage
            below = names.get(stage.image)
            stage = below if below is not stage else None

    def last(self, name: str) -> Instruction | None:
        """The instruction that holds for the image, inherited or not."""
        return next((found for stage in self.chain() if (found := stage.last(name))), None)

    def external(self) -> list[Stage]:
        """The stages that stand on an image from elsewhere."""
        names = {stage.name for stage in self.stages}
        return [stage for stage in self.stages if stage.image not in names and stage.image != "scratch"]


def read(path: Path) -> Dockerfile:
    """Parse a file. Raises ValueError if it is none, or no Dockerfile."""
    parser = require("dockerfile", "Reading a Dockerfile", "pip install 'minitorch-course[course]'")
    try:
        commands = parser.parse_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, parser.GoParseError) as error:
        raise ValueError(f"{path} cannot be read as a Dockerfile: {error}") from error
    stages: list[Stage] = []
    given: dict[str, str] = {}  # what ARG sets before the first FROM
    for command in commands:
        name, words = command.cmd.upper(), tuple(command.value)
        if name == "FROM":
            stages.append(_stage(command.start_line, words, given))
        elif stages:
            text = command.original + "".join(heredoc.content for heredoc in command.heredocs)
            made = Instruction(command.start_line, name, words, tuple(command.flags), command.json, text)
            stages[-1].body.append(made)
        elif name == "ARG":
            key, _, value = words[0].partition("=")
            given[key] = value.strip("\"'")
    if not stages:
        raise ValueError(f"{path} has no FROM: begin with the image that yours stands on.")
    return Dockerfile(stages)


def _stage(line: int, words: tuple[str, ...], given: dict[str, str]) -> Stage:
    image = re.sub(r"\$\{?(\w+)(?::-([^}]*))?\}?", lambda m: given.get(m[1]) or m[2] or "", words[0])
    return Stage(line, image, words[2] if len(words) > 2 else "")


def pairs(instruction: Instruction) -> dict[str, str]:
    """Keys and values of a LABEL or an ENV, which the parser gives one after the other."""
    words = [word.strip("\"'") for word in instruction.words if word != "="]
    return dict(zip(words[::2], words[1::2], strict=False))
