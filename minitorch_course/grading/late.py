"""Points for late work: a rule such as `10%/day, grace 15 min, cut-off 3 days`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

UNITS = {"min": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_LENGTH = r"(\d+(?:\.\d+)?)\s*(min|hour|day|week)(?:ute)?s?"
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*%\s*(?:/|per)\s*(min|hour|day|week)", re.IGNORECASE)
_GRACE = re.compile(rf"grace\s+{_LENGTH}", re.IGNORECASE)
_CUT_OFF = re.compile(rf"cut-?off\s+{_LENGTH}", re.IGNORECASE)


@dataclass(frozen=True)
class LateRule:
    """What late work loses.

    Attributes:
      percent: of the points, for each `per` that has begun since the deadline.
      grace: a submission that is not later than this loses nothing.
      cut_off: a submission that is later than this earns nothing.
    """

    percent: float
    per: timedelta
    grace: timedelta = timedelta()
    cut_off: timedelta | None = None

    def part(self, late: timedelta) -> float:
        """Return which part of the points remains."""
        if late <= self.grace:
            return 1.0
        if self.cut_off is not None and late > self.cut_off:
            return 0.0
        return max(0.0, 1 - self.percent * ceil(late / self.per) / 100)


def parse_late_rule(text: str) -> LateRule:
    """Return the rule that a text such as `10%/day, grace 15 min, cut-off 3 days` states.

    Raises:
      ValueError: it is not such a rule.
    """
    rate, *parts = [part.strip() for part in text.split(",")]
    found = _RATE.fullmatch(rate)
    lengths: dict[str, timedelta] = {}
    for part in parts:
        for name, pattern in (("grace", _GRACE), ("cut_off", _CUT_OFF)):
            if (length := pattern.fullmatch(part)) and name not in lengths:
                lengths[name] = float(length[1]) * UNITS[length[2].lower()]
    if not found or len(lengths) != len(parts) or float(found[1]) > 100:
        raise ValueError(f"{text!r} is not a rule for late work: write it as '10%/day, grace 15 min, cut-off 3 days'.")
    return LateRule(float(found[1]), UNITS[found[2].lower()], **lengths)


def in_words(late: timedelta) -> str:
    """Return a length of time as in `1 day 3 h` or `20 min`, rounded down to minutes."""
    minutes = int(late.total_seconds() // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{days} day{'s' if days > 1 else ''}" if days else "", f"{hours} h" if hours else ""]
    parts.append(f"{minutes} min" if minutes and not days else "")
    return " ".join(part for part in parts if part) or "less than a minute"
