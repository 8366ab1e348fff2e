"""A Dockerfile as BuildKit reads it: stages, and their instructions with the values that Docker gives to their words.

Docker's own parser splits the text. Variables are expanded, names of stages are resolved, and a stage inherits from the
earlier stage that it is based on, as in https://docs.docker.com/reference/dockerfile/.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minitorch._optional import require

from .expand import expand

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "Dockerfile"
MAX_INSTRUCTIONS = 1000
# Docker expands the words of these. A shell expands those of the others, or nobody does.
EXPANDED = {"ADD", "COPY", "ENV", "EXPOSE", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}
UNEXPANDED = {"ARG", "CMD", "ENTRYPOINT", "HEALTHCHECK", "MAINTAINER", "ONBUILD", "RUN", "SHELL"}


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
      words: its arguments, expanded; a shell command is one word, as it is written.
      exec: whether the arguments are a JSON list.
      documents: the texts of its heredocs.
      unset: the variables in it without a value in the file: an ARG without a default, or set by the base image.
      variables: the values of ARG and ENV before it.
    """

    line: int
    name: str
    words: tuple[str, ...]
    flags: tuple[str, ...]
    exec: bool
    text: str
    documents: tuple[str, ...] = ()
    unset: frozenset[str] = frozenset()
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """File and line, for a comment."""
        return f"{FILE}:{self.line}"

    def all_flags(self, name: str) -> list[str]:
        """Return the values of each `--name=value`."""
        return [flag.partition("=")[2] for flag in self.flags if flag.startswith(f"--{name}=")]

    def flag(self, name: str) -> str | None:
        """Return the value of `--name=value`, or None."""
        return next(iter(self.all_flags(name)), None)

    def mounts(self) -> list[dict[str, str]]:
        """Return the fields of each `RUN --mount`."""
        rows = [row for value in self.all_flags("mount") for row in csv.reader([value])]
        return [{key.lower(): value for key, _, value in (field.partition("=") for field in row)} for row in rows]


@dataclass(frozen=True)
class Stage:
    """A FROM, the image or earlier stage that it is based on, and its instructions.

    Attributes:
      body: its instructions, after those that the earlier stage has for it (ONBUILD).
      env: the environment variables of its image, except those of an external base.
    """

    line: int
    image: str
    name: str
    base: Stage | None = None
    end: int = 0
    body: list[Instruction] = field(default_factory=list)
    unset: frozenset[str] = frozenset()
    arguments: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)

    def all(self, name: str) -> list[Instruction]:
        """Return all instructions of a kind."""
        return [instruction for instruction in self.body if instruction.name == name]

    def last(self, name: str) -> Instruction | None:
        """Return the last instruction of a kind, or None."""
        return next(reversed(self.all(name)), None)


@dataclass(frozen=True)
class Source:
    """What a COPY or RUN takes files from.

    Attributes:
      stage: the earlier stage; None if `name` is an external image.
      problem: why Docker refuses it; empty if it does not.
    """

    instruction: Instruction
    name: str
    stage: Stage | None = None
    problem: str = ""


@dataclass(frozen=True)
class Dockerfile:
    """The stages in order; the last one is the image. `folder` is that of the file."""

    stages: list[Stage]
    folder: Path = Path()

    @property
    def final(self) -> Stage:
        """The last stage."""
        return self.stages[-1]

    def upto(self, name: str) -> Dockerfile:
        """Return the Dockerfile as `--target` with the name of a stage would build it."""
        number = next(i for i, stage in enumerate(self.stages) if stage.name == name.lower())
        return Dockerfile(self.stages[: number + 1], self.folder)

    def chain(self) -> Iterator[Stage]:
        """Yield the last stage, and the stages that it is based on. It ends: a base is an earlier stage."""
        stage: Stage | None = self.final
        while stage is not None:
            yield stage
            stage = stage.base

    def inherited(self) -> Iterator[tuple[Stage, Instruction]]:
        """Yield the instructions that create the image, in the order in which Docker runs them."""
        for stage in reversed(list(self.chain())):
            yield from ((stage, instruction) for instruction in stage.body)

    def last(self, name: str) -> Instruction | None:
        """Return the instruction of a kind that applies to the image, inherited or not; None if there is none."""
        return next((found for stage in self.chain() if (found := stage.last(name))), None)

    def external(self) -> list[Stage]:
        """Return the stages that are based on an external image."""
        return [stage for stage in self.stages if stage.base is None and stage.image != "scratch"]

    def sources(self) -> Iterator[tuple[Stage, Source]]:
        """Yield, with its stage, what each COPY and RUN takes files from, except the build context."""
        for number, stage in enumerate(self.stages):
            for instruction in stage.body:
                if instruction.name == "COPY" and (name := instruction.flag("from")):
                    yield stage, self._source(instruction, name, number)
                for mount in instruction.mounts() if instruction.name == "RUN" else ():
                    if mount.get("from"):
                        yield stage, self._source(instruction, mount["from"], number)

    def _source(self, instruction: Instruction, name: str, number: int) -> Source:
        if "$" in name:
            return Source(instruction, name, problem="variables are not expanded here: name a stage, FROM ${...} AS it")
        named = [i for i, stage in enumerate(self.stages) if stage.name == name.lower()]
        if instruction.name == "COPY" and re.fullmatch(r"[+-]?[0-9]{1,9}", name):
            named = [int(name)]
        if not named:
            return Source(instruction, name)
        if not 0 <= named[-1] < len(self.stages):
            return Source(instruction, name, problem="there is no stage of that number, the first is 0")
        if named[-1] >= number:
            return Source(instruction, name, problem="it names a stage that does not come earlier")
        return Source(instruction, name, self.stages[named[-1]])


def read(path: Path) -> Dockerfile:
    """Parse a Dockerfile. Raises ValueError if it cannot be read, or if Docker would refuse it."""
    parser = require("dockerfile", "Reading a Dockerfile", "pip install 'minitorch-course[course]'")
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        if "\0" in text:
            raise ValueError("it contains a null character")
        commands = parser.parse_string(text)
    except (OSError, ValueError, parser.GoParseError) as error:
        raise ValueError(f"{path} cannot be read as a Dockerfile: {error}") from error
    if len(commands) > MAX_INSTRUCTIONS:
        raise ValueError(f"{path} has {len(commands)} instructions. At most {MAX_INSTRUCTIONS} are read.")
    reader = _Reader(_escape(text))
    for command in commands:
        try:
            reader.add(command)
        except ValueError as error:
            line = (command.original or "").partition("\n")[0][:60]
            raise ValueError(f"{path}:{command.start_line}: Docker refuses `{line}`: {error}.") from error
    if not reader.stages:
        raise ValueError(f"{path} has no FROM: begin with the image that yours is based on.")
    return Dockerfile(reader.stages, path.parent)


def _escape(text: str) -> str:
    """Return the escape character: a backslash, unless a directive on top of the file sets a backtick."""
    for line in text.splitlines():
        directive = re.fullmatch(r"\s*#\s*([a-zA-Z]\w*)\s*=\s*(.+?)\s*", line)
        if directive is None:
            break
        if directive[1].lower() == "escape":
            return directive[2]
    return "\\"


class _Reader:
    """Collects stages from commands."""

    def __init__(self, escape: str):
        self.escape = escape
        self.stages: list[Stage] = []
        self.named: dict[str, Stage] = {}
        self.arguments: dict[str, str] = {}  # set by ARG before the first FROM

    def add(self, command: Any) -> None:
        """Add a command of the parser. Raises ValueError if Docker would refuse it."""
        name, words = f"{command.cmd or ''} {command.sub_cmd or ''}".strip().upper(), tuple(command.value)
        if name == "FROM":
            self._add_stage(command, words)
        elif name.partition(" ")[0] not in EXPANDED | UNEXPANDED:
            raise ValueError(f"there is no instruction {name!r}")
        elif self.stages:
            documents = tuple(document.content for document in command.heredocs)
            text, flags = command.original + "".join(documents), tuple(command.flags)
            instruction = Instruction(command.start_line, name, words, flags, command.json, text, documents)
            self._add(self.stages[-1], instruction)
        elif name == "ARG":
            self._declare(words, self.arguments, {}, self.arguments)
        else:
            raise ValueError(f"{name} stands before the first FROM")

    def _add_stage(self, command: Any, words: tuple[str, ...]) -> None:
        if not (len(words) == 1 or (len(words) == 3 and words[1].upper() == "AS")):
            raise ValueError("write FROM image, or FROM image AS name")
        name = words[2].lower() if len(words) == 3 else ""
        if name and not re.fullmatch(r"[a-z][a-z0-9_.-]*", name):
            raise ValueError(f"{name!r} cannot name a stage")
        image, unset = expand(words[0], self.arguments, self.escape)
        base = self.named.get(image.lower())
        stage = Stage(command.start_line, image, name, base, command.end_line, unset=unset)
        if base:
            stage.arguments.update(base.arguments)
            stage.env.update(base.env)
            for trigger in base.body:
                if trigger.name.startswith("ONBUILD "):
                    self._add(stage, replace(trigger, name=trigger.name.removeprefix("ONBUILD ")))
        self.stages.append(stage)
        if name:
            self.named[name] = stage

    def _add(self, stage: Stage, written: Instruction) -> None:
        name, words, unset = written.name, written.words, frozenset[str]()
        variables = stage.arguments | stage.env
        if name in EXPANDED:
            if not words:
                raise ValueError(f"{name} needs an argument")
            expanded = [expand(word, variables, self.escape) for word in words]
            words, unset = tuple(word for word, _ in expanded), unset.union(*(missing for _, missing in expanded))
        stage.body.append(replace(written, words=words, unset=unset, variables=variables))
        if name == "ENV":
            stage.env.update(zip(words[::2], words[1::2], strict=False))
        elif name == "ARG":
            self._declare(words, stage.arguments, stage.env, self.arguments)

    def _declare(
        self, words: tuple[str, ...], arguments: dict[str, str], env: dict[str, str], outer: dict[str, str]
    ) -> None:
        """Add the names of an ARG to `arguments`. One without a value has that of before the first FROM, if any."""
        for word in words:
            name, given, value = word.partition("=")
            if given:
                arguments[name] = expand(value, arguments | env, self.escape)[0]
            elif name in outer:
                arguments[name] = outer[name]


def pairs(instruction: Instruction) -> dict[str, str]:
    """Return keys and values of a LABEL or an ENV, which the parser lists one after the other."""
    return dict(zip(instruction.words[::2], instruction.words[1::2], strict=False))
