"""Configurations: frozen dataclasses that report all invalid values in one message, with presets by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from .._numbers import normalize
from .._suggest import did_you_mean


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Base class. A subclass adds fields and `PRESETS`, and checks its values in `validate`.

    Numbers of NumPy and JAX become Python's, so that every configuration can be written as JSON.
    """

    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def __new__(cls, *_: Any, **settings: Any) -> Self:
        """Refuse a setting that does not exist before the dataclass does, which would not name the nearest."""
        names = [field.name for field in dataclasses.fields(cls)]
        for name in settings:
            if name not in names:
                raise TypeError(f"{cls.__name__} has no setting {name!r}.{did_you_mean(name, names)}")
        return super().__new__(cls)

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """Return the preset `name` with `changes`: `GPTConfig.preset("tiny", vocab=65)`.

        Raises:
          ValueError: the preset does not exist, or the changed configuration is not valid.
        """
        if name not in cls.PRESETS:
            near = did_you_mean(name, cls.PRESETS)
            raise ValueError(f"{cls.__name__} has no preset {name!r}. It has: {', '.join(cls.PRESETS)}.{near}")
        return cls(**{**cls.PRESETS[name], **changes})

    def __post_init__(self) -> None:
        if problems := normalize(self) or self.validate():
            end = "" if problems[-1].endswith("?") else "."
            raise ValueError(f"this {type(self).__name__} cannot be built: {'; '.join(problems)}{end}")

    def validate(self) -> list[str]:
        """Return the problems, each a clause that says what to write instead."""
        return []

    def check_positive(self, *names: str) -> list[str]:
        """Return the problems of those of the fields `names` that are below 1."""
        return [
            f"{name} must be a whole number, 1 or more, and is {value}"
            for name in names
            if (value := getattr(self, name)) < 1
        ]
