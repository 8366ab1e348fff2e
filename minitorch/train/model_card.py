"""The model card of a run: details, intended use, evaluation, and training data.

Its sections are those of Mitchell et al., "Model Cards for Model Reporting", 2019 (arXiv 1810.03993), filled from the
run. The card says so where something was not measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..models import LanguageModel, Transformer
from .flops import flops_per_token
from .record import CONFIG, DATASHEET, PLOT, TOKENIZER, WEIGHTS, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .evaluate import Evaluation
    from .tracking import Row

KINDS = {
    "gpt": "GPT-2's architecture (learned positions, LayerNorm, GELU)",
    "llama": "Llama's architecture (rotary positions, RMSNorm, gated feed-forward layers)",
}
# These texts hold for every model that is trained here.
USE = """\
* For: learning how language models work, experiments with small models, comparisons on the same data.
* Not for: products, advice, decisions about people, or as a source of facts. A model of this size imitates the style
  of its training data and makes up the content."""
FACTORS = """\
Its loss depends mainly on how similar a text is to the training data: in language, subject, form and writing system.
Differences between groups of people, as authors or as subjects, were not measured."""
METRICS = """\
The mean negative log-likelihood of the next token, in nats; perplexity is its exponential. Bits per byte divide the
total among the bytes of the text, and compare models with different tokenizers. The model's knowledge and how people
rate its text were not tested."""
ETHICS = """\
The model can repeat parts of its training data word for word, including names and addresses, and any prejudice in
them. Nothing was done to remove either. Read its output before you share it."""
CAVEATS = """\
* It reads at most {context} tokens, and ignores all earlier text.
* This is one run with one seed: differences of a few hundredths of a nat between two runs can be chance.
* Measure it on your own text before you rely on a number above: `minitorch evaluate --run DIR --data FILE`."""


def model_card(
    record: Record,
    model: LanguageModel,
    rows: Sequence[Row],
    evaluation: Evaluation,
    tokens_per_s: float,
    origin: str = "Trained from scratch",
) -> str:
    """Return the card of a finished run as Markdown.

    `evaluation` is that on the whole validation text, `tokens_per_s` the training throughput, 0 if unknown.
    """
    config, provenance, _ = record
    sections = {
        "Model details": _details(record, model, tokens_per_s, origin),
        "Intended use": USE,
        "Factors": FACTORS,
        "Metrics": METRICS,
        "Evaluation data": (
            f"The last part of the source, {provenance.validation_tokens:,} tokens, which were not used for training\n"
            "and were checked for copies of the training text; see the datasheet. All of it was evaluated, in windows\n"
            f"of {config.context} tokens without overlap."
        ),
        "Training data": (
            f"`{config.data}`: {provenance.train_tokens:,} tokens. SHA-256 of the whole text:"
            f" `{provenance.data_sha256}`.\nFor its source, licence and known problems, see [{DATASHEET}]({DATASHEET})."
        ),
        "Quantitative analyses": _numbers(rows, evaluation),
        "Ethical considerations": ETHICS,
        "Caveats and recommendations": CAVEATS.format(context=config.context),
    }
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"# Model card: {config.model} trained on {config.data}\n\n{body}\n"


def _details(record: Record, model: LanguageModel, tokens_per_s: float, origin: str) -> str:
    c, provenance, _ = record
    tokens = c.steps * c.batch * c.context
    heads = f"{c.heads} heads" + (f" with {c.kv_heads} key/value heads" if c.kv_heads else "")
    sizes = f"{c.layers} layers, {heads}, width {c.width}, context {c.context}, vocabulary {provenance.vocab:,}"
    kind = f"A transformer decoder of {KINDS[c.model]}"
    cost = f" At {tokens_per_s:,.0f} tokens/s." if tokens_per_s else ""
    if isinstance(model, Transformer):
        flops = flops_per_token(model)
        cost = f" {_si(flops * tokens)}FLOP." + cost.replace("s.", f"s: {_si(flops * tokens_per_s)}FLOP/s.")
    else:  # a model of one's own, of which the settings say little
        kind, sizes = f"A `{type(model).__name__}`", f"context {model.config.context}, vocabulary {provenance.vocab:,}"
    rate = f"peak learning rate {c.lr:g} after {c.warmup_steps} steps of warm-up, then cosine decay to a tenth"
    clip = f"gradients clipped to a norm of {c.clip:g}" if c.clip else "gradients not clipped"
    software = ", ".join(f"{name} {number}" for name, number in provenance.versions.items())
    lines = [
        f"{kind}, {provenance.parameters:,} parameters: {sizes} (tokenizer `{c.tokenizer}`).",
        f"{origin}: {c.steps:,} steps of {c.batch} x {c.context} tokens, {tokens:,} in total, or"
        f" {tokens / provenance.train_tokens:.2g} epochs.{cost}",
        f"Optimizer {c.optimizer}: {rate}; weight decay {c.weight_decay:g}; {clip}; {c.dtype}; seed {c.seed}.",
        f"Hardware: {provenance.devices} x {provenance.device}. Software: {software}.",
        f"Files: weights `{WEIGHTS}`, tokenizer `{TOKENIZER}`, all settings `{CONFIG}`.",
        "Licence: the person who trained it decides; the licence of the training data may restrict it.",
    ]
    return "\n".join(f"* {line}" for line in lines)


def _numbers(rows: Sequence[Row], e: Evaluation) -> str:
    best = min((row for row in rows if "val_loss" in row), key=lambda row: row["val_loss"])
    late = [row["loss"] for row in rows[-100:]]
    table = {
        "measure": "value",
        "---": "---:",
        "validation loss, nats per token": f"{e.loss:.4f}",
        "perplexity, per token": f"{e.perplexity:.3f}",
        "bits per byte": f"{e.bits_per_byte:.4f}",
        "bits per character": f"{e.bits_per_character:.4f}",
        f"training loss, mean of the last {len(late)} batches": f"{sum(late) / len(late):.4f}",
        f"lowest validation loss, at step {best['step']:,} (estimated on a sample before the end)": (
            f"{best['val_loss']:.4f}"
        ),
    }
    return "\n".join(f"| {name} | {value} |" for name, value in table.items()) + f"\n\n![Loss by step]({PLOT})"


def _si(value: float) -> str:
    """Format with three digits and the prefix of the unit that follows: `1.23 T`."""
    prefixes = ["", "k", "M", "G", "T", "P", "E"]
    while value >= 1000 and len(prefixes) > 1:
        value /= 1000
        prefixes.pop(0)
    return f"{value:.3g} {prefixes[0]}"
