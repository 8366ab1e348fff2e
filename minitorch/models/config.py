"""Configurations: frozen dataclasses that report all invalid values in one message, with presets by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Self


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Base class. A subclass adds fields and `PRESETS`, and checks its values in `validate`."""

    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """Return the preset `name` with `changes`: `GPTConfig.preset("tiny", vocab=65)`.

        Raises:
          ValueError: the preset does not exist, or the changed configuration is not valid.
        """
        if name not in cls.PRESETS:
            raise ValueError(f"{cls.__name__} has no preset {name!r}. It has: {', '.join(cls.PRESETS)}.")
        return cls(**{**cls.PRESETS[name], **changes})

    def __post_init__(self) -> None:
        if problems := self.validate():
            raise ValueError(f"this {type(self).__name__} cannot be built: {'; '.join(problems)}.")

    def validate(self) -> list[str]:
        """Return the problems, each a clause that says what to write instead."""
        return []

    def check_positive(self, *names: str) -> list[str]:
        """Return the problems of those of the fields `names` that are not whole numbers from 1 up."""
        return [
            f"{name} must be a whole number, 1 or more, and is {value!r}"
            for name in names
            if not isinstance(value := getattr(self, name), int) or value < 1
        ]
