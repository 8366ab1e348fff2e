"""The report of the tour: one HTML file that needs nothing else, neither network nor script."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from ..._files import atomic_write
from ...train import read_record, read_rows
from ...train.record import CARD, DATASHEET, METRICS
from .chart import loss_chart

if TYPE_CHECKING:
    from jinja2 import Template

    from ...compress import Comparison

REPORT = "report.html"


@dataclass(frozen=True)
class Sample:
    """A prompt and its continuation by the model of `heading`, such as "Before training"."""

    heading: str
    prompt: str
    text: str


def write_report(
    run: Path,
    samples: Sequence[Sample],
    commands: Mapping[str, str],
    seconds: float,
    stopped_at: int | None,
    variants: Comparison | None = None,
) -> Path:
    """Write the report of the finished run in the folder `run` into that folder, and return its path.

    Args:
      run: the folder of the run.
      samples: generated texts.
      commands: commands to try next, by their purpose.
      seconds: the duration of the tour.
      stopped_at: the step after which the run was stopped and resumed.
      variants: the model compared with smaller ones.
    """
    from markupsafe import Markup

    (config, provenance, _), rows = read_record(run), read_rows(run / METRICS)
    val_loss = rows[-1]["val_loss"]
    value, unit, short = (
        (f"{seconds / 60:.1f}", "minutes", "min") if seconds >= 90 else (f"{seconds:.0f}", "seconds", "s")
    )
    by_heading: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_heading[sample.heading].append(sample)
    page = _template().render(
        title="A language model, trained on this machine",
        parameters=provenance.parameters,
        duration=f"{value} {unit}",
        numbers={
            "parameters": f"{provenance.parameters:,}",
            "tokens of training text": f"{provenance.train_tokens:,}",
            "tokens read in training": f"{config.steps * config.batch * config.context:,}",
            "validation loss, in nats": f"{val_loss:.2f}",
            "from the start to this page": f"{value} {short}",
        },
        first_loss=rows[0]["loss"],
        vocab=provenance.vocab,
        guess=math.log(provenance.vocab),
        val_loss=val_loss,
        perplexity=math.exp(val_loss),
        chart=Markup(loss_chart(rows, provenance.vocab, stopped_at)),  # Only numbers: nothing to escape.
        stopped_at=stopped_at,
        samples=by_heading,
        comparison=variants.table() if variants else "",
        commands=commands,
        card=(run / CARD).read_text(encoding="utf-8"),
        datasheet=(run / DATASHEET).read_text(encoding="utf-8"),
        date=f"{date.today():%d %B %Y}".lstrip("0"),
        folder=run,
    )
    atomic_write(run / REPORT, page)
    return run / REPORT


def _template() -> Template:
    """Return the page as a template that escapes every value."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["markdown"] = _markdown
    package = __name__.rpartition(".")[0]
    return environment.from_string(files(package).joinpath(REPORT).read_text(encoding="utf-8"))


def _markdown(text: str) -> str:
    """Convert a card, datasheet or table to HTML, without its title and images, which the page has already."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    text = re.sub(r"^(# |!\[).*\n?", "", text, flags=re.MULTILINE)
    text = re.sub(r"^## ", "### ", text, flags=re.MULTILINE).replace(f"({DATASHEET})", "(#datasheet)")
    return Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))
