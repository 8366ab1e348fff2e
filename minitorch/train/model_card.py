"""The card that goes with a model: what it is, what it is for, how good, and on what it was trained.

Its sections are those of Mitchell et al., "Model Cards for Model Reporting", 2019 (arXiv 1810.03993), filled from the
run. What nobody measured is said to be so.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..models import Transformer
from .evaluate import Evaluation
from .flops import flops_per_token
from .layout import CONFIG, DATASHEET, PLOT, TOKENIZER, WEIGHTS
from .run_dir import Record
from .tracking import Row

KINDS = {
    "gpt": "GPT-2's kind (learned positions, LayerNorm, GELU)",
    "llama": "Llama's kind (rotary positions, RMSNorm, gated feed-forward layers)",
}
# What holds for every model that is trained here.
USE = """\
* For: learning how language models work, experiments with small models, comparisons on the same data.
* Not for: products, advice, decisions about people, or as a source of facts. A model of this size continues text in
  the manner of its training data and makes up the content."""
FACTORS = """\
How well it does depends above all on how near a text is to the training data: in language, subject, form and writing
system. Differences between groups of people who wrote, or are written about, were not measured."""
METRICS = """\
The mean negative log-likelihood of the next token, in nats; perplexity is its exponential. Bits per byte are the same
divided among the bytes of the text, and compare models with different tokenizers. No test of what the model knows, or
of how people like its text, was made."""
ETHICS = """\
The model can repeat parts of its training data word for word, names and addresses included, and whatever prejudice is
in them. Nothing was done to remove either. Read what it writes before you pass it on."""
CAVEATS = """\
* It reads {context} tokens at most, and forgets what stood before.
* One run with one seed: differences of a few hundredths of a nat between two runs can be chance.
* Measure it on your own text before you rely on a number above: `minitorch evaluate --run DIR --data FILE`."""


def model_card(
    record: Record,
    model: Transformer,
    rows: Sequence[Row],
    evaluation: Evaluation,
    tokens_per_s: float,
    origin: str = "Trained from scratch",
) -> str:
    """The Markdown text of a finished run's card. `rows` are those of its metrics; `origin` says how it came about."""
    config, facts = record
    sections = {
        "Model details": _details(record, tokens_per_s, flops_per_token(model), origin),
        "Intended use": USE,
        "Factors": FACTORS,
        "Metrics": METRICS,
        "Evaluation data": (
            f"The last part of the training source, {facts.validation_tokens:,} tokens, kept out of the training and\n"
            f"checked for copies of it; see the datasheet. All of it was read, in windows of {config.context} tokens\n"
            "without overlap."
        ),
        "Training data": (
            f"`{config.data}`: {facts.train_tokens:,} tokens. SHA-256 of the whole text: `{facts.data_sha256}`.\n"
            f"Where it comes from, under which licence, and what is wrong with it: [{DATASHEET}]({DATASHEET})."
        ),
        "Quantitative analyses": _numbers(rows, evaluation),
        "Ethical considerations": ETHICS,
        "Caveats and recommendations": CAVEATS.format(context=config.context),
    }
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"# Model card: {config.model} trained on {config.data}\n\n{body}\n"


def _details(record: Record, tokens_per_s: float, flops: int, origin: str) -> str:
    c, facts = record
    tokens = c.steps * c.batch * c.context
    heads = f"{c.heads} heads" + (f" with {c.kv_heads} key/value heads" if c.kv_heads else "")
    sizes = f"{c.layers} layers, {heads}, width {c.width}, context {c.context}, vocabulary {facts.vocab:,}"
    speed = f" At {tokens_per_s:,.0f} tokens a second: {_si(flops * tokens_per_s)}FLOP/s." if tokens_per_s else ""
    rate = f"learning rate {c.lr:g} after {c.warmup_steps} steps of warm-up, then a cosine to a tenth"
    clip = f"gradients clipped to a norm of {c.clip:g}" if c.clip else "gradients not clipped"
    software = ", ".join(f"{name} {number}" for name, number in facts.versions.items())
    lines = [
        f"A transformer decoder of {KINDS[c.model]}, {facts.parameters:,} parameters: {sizes} (tokenizer"
        f" `{c.tokenizer}`).",
        f"{origin}: {c.steps:,} steps of {c.batch} x {c.context} tokens, {tokens:,} in all, which is"
        f" {tokens / facts.train_tokens:.2g} times the training text. {_si(flops * tokens)}FLOP.{speed}",
        f"Optimizer {c.optimizer}: {rate}; weight decay {c.weight_decay:g}; {clip}; {c.dtype}; seed {c.seed}.",
        f"Hardware: {facts.devices} x {facts.device}. Software: {software}.",
        f"Files: weights `{WEIGHTS}`, tokenizer `{TOKENIZER}`, all settings `{CONFIG}`.",
        "Licence: whoever trained it decides; the licence of the training data may bind.",
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
        f"lowest validation loss, at step {best['step']:,} (before the end, of a sample)": f"{best['val_loss']:.4f}",
    }
    return "\n".join(f"| {name} | {value} |" for name, value in table.items()) + f"\n\n![Loss by step]({PLOT})"


def _si(value: float) -> str:
    """Three digits and the prefix for the unit that follows: `1.23 T`."""
    prefixes = ["", "k", "M", "G", "T", "P", "E"]
    while value >= 1000 and len(prefixes) > 1:
        value /= 1000
        prefixes.pop(0)
    return f"{value:.3g} {prefixes[0]}"
