"""The tour's report: one HTML file that needs nothing else, neither network nor script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from string import Template

from ..._files import atomic_write
from ...compress import Comparison
from ...train import read_record, read_rows
from ...train.run_dir import CARD, DATASHEET, METRICS
from .chart import loss_chart

REPORT = "report.html"
VARIANTS = """<h2>How small it can be</h2>
<p>The same model with its weights rounded to fewer bits, on text that it has never seen. Perplexity says among how many
tokens it is unsure: less is better.</p>
"""


@dataclass(frozen=True)
class Sample:
    """What a model wrote after `prompt`, and which model: a heading such as "Before training"."""

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
    """Write the report of the finished run in the folder `run`, into it.

    Args:
      commands: to try next; explanation to command.
      seconds: that the tour took.
      stopped_at: the step after which it was stopped and resumed.
      variants: the model beside smaller ones made of it.
    """
    (config, provenance), rows = read_record(run), read_rows(run / METRICS)
    val_loss, minutes = (
        rows[-1]["val_loss"],
        f"{seconds / 60:.1f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds",
    )
    numbers = {
        "parameters": f"{provenance.parameters:,}",
        "tokens of text to learn from": f"{provenance.train_tokens:,}",
        "tokens read in training": f"{config.steps * config.batch * config.context:,}",
        "validation loss, in nats": f"{val_loss:.2f}",
        "from the first word to this page": minutes.replace("minutes", "min").replace("seconds", "s"),
    }
    page = Template(files(__name__.rpartition(".")[0]).joinpath("report.html").read_text(encoding="utf-8")).substitute(
        title="A language model, made on this machine",
        lead=escape(
            f"A transformer of {provenance.parameters / 1e6:.1f} million parameters, built and differentiated by minitorch,"
            f" that learned to write in {minutes} from nothing but text."
        ),
        numbers="".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in numbers.items()),
        first_loss=f"{rows[0]['loss']:.2f}",
        vocab=f"{provenance.vocab:,}",
        guess=f"{math.log(provenance.vocab):.2f}",
        val_loss=f"{val_loss:.2f}",
        perplexity=f"{math.exp(val_loss):,.0f}",
        chart=loss_chart(rows, provenance.vocab, stopped_at),
        stop_key="stopped and resumed" if stopped_at else "",
        stop=f"After step {stopped_at:,} the run was stopped on purpose, and resumed from its checkpoint."
        if stopped_at
        else "",
        samples=_samples(samples),
        variants=VARIANTS + _html(variants.table()) if variants else "",
        next="".join(f"<p>{escape(why)}</p>{_command(command)}" for why, command in commands.items()),
        card=_html((run / CARD).read_text(encoding="utf-8")),
        datasheet=_html((run / DATASHEET).read_text(encoding="utf-8")),
        date=f"{date.today():%d %B %Y}".lstrip("0"),
        folder=escape(str(run)),
    )
    atomic_write(run / REPORT, page)
    return run / REPORT


def _samples(samples: Sequence[Sample]) -> str:
    return "".join(
        f"<h3>{escape(heading)}</h3>"
        + "".join(f"<pre><b>{escape(sample.prompt)}</b>{escape(sample.text)}</pre>" for sample in group)
        for heading, group in groupby(samples, lambda sample: sample.heading)
    )


def _command(command: str) -> str:
    """Each word in an element of its own, so that a line breaks between words only, and not after a hyphen."""
    return f'<pre class="command">{" ".join(f"<span>{escape(word)}</span>" for word in command.split(" "))}</pre>'


def _html(markdown: str) -> str:
    """A card or datasheet without its title and pictures, which the page has already."""
    from markdown_it import MarkdownIt

    lines = [line for line in markdown.splitlines() if not line.startswith(("# ", "!["))]
    text = "\n".join(lines).replace(f"({DATASHEET})", "(#datasheet)").replace("\n## ", "\n### ")
    return MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
