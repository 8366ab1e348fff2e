"""A model's configuration: a frozen dataclass that refuses nonsense in one message, with presets by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Self


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Base class. A subclass adds fields, `PRESETS`, and what can be wrong with it in `problems`."""

    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """The configuration called `name`, with `changes`: `GPTConfig.preset("tiny", vocab=65)`.

        Raises:
          ValueError: no preset has the name, or the changed configuration is not valid.
        """
        if name not in cls.PRESETS:
            raise ValueError(f"{cls.__name__} has no preset {name!r}. It has: {', '.join(cls.PRESETS)}.")
        return cls(**{**cls.PRESETS[name], **changes})

    def __post_init__(self) -> None:
        if problems := self.validate():
            raise ValueError(f"this {type(self).__name__} cannot be built: {'; '.join(problems)}.")

    def validate(self) -> list[str]:
        """What is wrong, each in a clause that says what to write instead."""
        return []

    def check_positive(self, *names: str) -> list[str]:
        """Problems of those fields that must be whole numbers from 1 up."""
        return [
            f"{name} must be a whole number, 1 or more, and is {value!r}"
            for name in names
            if not isinstance(value := getattr(self, name), int) or value < 1
        ]
