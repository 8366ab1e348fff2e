"""Rules for late work."""

from datetime import timedelta

import pytest

from minitorch_course.grading.late import in_words, parse_late_rule

RULES = [  # rule, lateness, part of the points that remains
    ("10%/day", timedelta(), 1.0),
    ("10%/day", timedelta(seconds=1), 0.9),
    ("10%/day", timedelta(days=1), 0.9),
    ("10%/day", timedelta(days=1, seconds=1), 0.8),
    ("10 % / day", timedelta(days=10), 0.0),
    ("10% per day", timedelta(days=100), 0.0),
    ("2.5%/hour", timedelta(minutes=90), 0.95),
    ("100%/min", timedelta(seconds=1), 0.0),
    ("0%/day", timedelta(days=9), 1.0),
    ("10%/day, grace 15 min", timedelta(minutes=15), 1.0),
    ("10%/day, grace 15 minutes", timedelta(minutes=15, seconds=1), 0.9),
    ("10%/day, cut-off 3 days", timedelta(days=3), 0.7),
    ("10%/day, cutoff 3 days", timedelta(days=3, seconds=1), 0.0),
    ("10%/DAY, CUT-OFF 1.5 hours, GRACE 1 hour", timedelta(hours=1), 1.0),
    ("10%/week, cut-off 2 weeks, grace 1 day", timedelta(days=8), 0.8),
    ("10%/day", timedelta(days=-1), 1.0),
]


@pytest.mark.parametrize(("rule", "late", "part"), RULES)
def test_a_rule_takes_its_part(rule, late, part):
    assert parse_late_rule(rule).part(late) == pytest.approx(part)


@pytest.mark.parametrize(
    "text",
    ["", "10", "10%", "ten%/day", "10%/month", "-5%/day", "101%/day", "10%/day, grace", "10%/day, grace 1 moon",
     "10%/day, grace 1 day, grace 2 days", "10%/day cut-off 3 days", "10%/day,", "nan%/day", "1e9%/day"],
)  # fmt: skip
def test_what_is_not_a_rule_is_refused(text):
    with pytest.raises(ValueError, match="is not a rule for late work: write it as"):
        parse_late_rule(text)


@pytest.mark.parametrize(
    ("late", "words"),
    [
        (timedelta(days=1, hours=3, minutes=5), "1 day 3 h"),
        (timedelta(days=2), "2 days"),
        (timedelta(hours=1, minutes=5), "1 h 5 min"),
        (timedelta(minutes=20, seconds=59), "20 min"),
        (timedelta(seconds=5), "less than a minute"),
    ],
)
def test_lateness_in_words(late, words):
    assert in_words(late) == words
