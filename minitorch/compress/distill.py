"""Knowledge distillation: a small student learns from the probabilities of a large teacher.

Text shows one token in each place; the teacher's probabilities also show which other tokens were likely (Hinton,
Vinyals and Dean, arXiv 1503.02531). `logits_loss` compares probabilities, `hidden_loss` compares hidden states. The
student reads the text (`distill`), text that the teacher generates (`distill_on_samples`), or in part text that it
generates itself (`distill_on_policy`). Each of the three functions returns a task for `train.train`.

Axes: B batch, T time, D model width, V vocabulary.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

import jax
import jax.numpy as jnp

from .. import nn, ops
from .._numbers import normalize
from ..autodiff import stop_gradient
from ..nn import Linear, at_least_float32
from ..train import RunConfig, Task, TaskFactory, language_modelling
from ..train.config import DTYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from .._types import Array, Key, PyTree
    from ..models import Transformer
    from ..text import Tokenizer

Divergence = Literal["forward", "reverse"]
ROWS_PER_CALL = 256  # Texts that a teacher generates at once, each with its own key/value cache.
ORIGIN = "Distilled from a larger model"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DistillConfig:
    """The losses of a distillation.

    Args:
      temperature: divides the logits of both models; above 1, unlikely tokens weigh more.
      alpha: the share of the teacher's loss; the rest is the cross entropy with the text's own tokens.
      divergence: `forward` is KL(teacher || student), which covers all that the teacher finds likely; `reverse` is
        KL(student || teacher), which avoids what the teacher finds unlikely.
      hidden: the weight of the loss between hidden states, which is added to the others; 0 leaves it out.
    """

    temperature: float = 1.0
    alpha: float = 1.0
    divergence: Divergence = "forward"
    hidden: float = 0.0

    def __post_init__(self) -> None:
        if problems := normalize(self):
            raise ValueError(f"this distillation is not possible: {'; '.join(problems)}.")
        if not 0 < self.temperature < float("inf"):
            raise ValueError(f"a temperature divides logits, so {self.temperature} is not possible: give 1 or more.")
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha is the share of the teacher's loss, a number from 0 to 1, and not {self.alpha}.")
        if self.divergence not in ("forward", "reverse"):
            raise ValueError(f"divergence is 'forward' or 'reverse', and not {self.divergence!r}.")
        if not 0 <= self.hidden < float("inf"):
            raise ValueError(f"hidden is the weight of a loss, a number from 0 up, and not {self.hidden}.")


def kl_divergence(student: Array, teacher: Array, temperature: float = 1.0, kind: Divergence = "forward") -> Array:
    """Return temperature^2 x the KL divergence between the distributions of logits (..., V), in nats: (...).

    The factor keeps the size of the gradient, which shrinks as 1 / temperature^2 (section 2.1 of the paper).
    """
    p = ops.log_softmax(at_least_float32(teacher) / temperature)
    q = ops.log_softmax(at_least_float32(student) / temperature)
    p, q = (p, q) if kind == "forward" else (q, p)
    weight = ops.exp(p)
    difference = ops.where(weight == 0, 0, p - q)  # A class at -inf, which p rules out, adds 0 and not 0 x inf.
    return ops.sum(weight * difference, axis=-1) * temperature**2


def logits_loss(student: Array, teacher: Array, targets: Array, config: DistillConfig) -> Array:
    """Return alpha x KL divergence + (1 - alpha) x cross entropy, for logits (B, T, V) of both and targets (B, T)."""
    soft = ops.mean(kl_divergence(student, teacher, config.temperature, config.divergence))
    return mix(config.alpha, soft, nn.cross_entropy(student, targets))


def mix(alpha: float, soft: Array, hard: Array) -> Array:
    """Return alpha x soft + (1 - alpha) x hard, without a loss whose share is 0, which may be infinite."""
    return hard if alpha == 0 else soft if alpha == 1 else alpha * soft + (1 - alpha) * hard


def hidden_loss(projections: Sequence[Linear], student: Sequence[Array], teacher: Sequence[Array]) -> Array:
    """Return the mean squared distance between hidden states (B, T, D), the student's projected to the teacher's width.

    The states are normalized first, because the residual stream grows from block to block. Romero et al., arXiv
    1412.6550, with evenly spaced layers as in Jiao et al., arXiv 1909.10351.
    """
    parts = zip(projections, student, teacher, strict=True)
    losses = [nn.mse(project(_normalize(ours)), _normalize(theirs)) for project, ours, theirs in parts]
    return sum(losses[1:], losses[0]) / len(losses)


def _normalize(x: Array) -> Array:
    x = at_least_float32(x)
    return ops.layer_norm(x, jnp.ones(x.shape[-1], x.dtype))


def matched_states(states: Sequence[Array], layers: int) -> list[Array]:
    """Return the hidden states after `layers` evenly spaced blocks. `states` starts with those of the embedding."""
    return [states[round((i + 1) * (len(states) - 1) / layers)] for i in range(layers)]


def distill(
    teacher: Transformer, config: DistillConfig | None = None, *, tokenizer: Tokenizer | None = None
) -> TaskFactory:
    """Return the task of training a new student on the run's text and the teacher's logits (and hidden states).

    Args:
      teacher: a model with the student's vocabulary.
      config: the losses.
      tokenizer: the teacher's tokenizer; by default, the one that the run's settings lead to.

    Raises:
      ValueError: the teacher has another vocabulary or a shorter context, or is smaller than the student.
    """
    losses = config or DistillConfig()

    def task(config: RunConfig, out: Path) -> Task:
        plain = language_modelling(config, out, tokenizer)
        check_teacher(plain.start, teacher)
        dtype = DTYPES[config.dtype]

        def loss(model: Transformer, inputs: Array, targets: Array, teacher: Transformer) -> Array:
            return logits_loss(nn.cast(model, dtype)(inputs), nn.cast(teacher, dtype)(inputs), targets, losses)

        if not losses.hidden:
            return dataclasses.replace(plain, loss=loss, frozen=(teacher,), origin=ORIGIN)
        return _with_hidden_loss(plain, teacher, losses, dtype)

    return task


def _with_hidden_loss(plain: Task, teacher: Transformer, losses: DistillConfig, dtype: Any) -> Task:
    """Return the task that also trains a projection for each layer of the student. They are not saved."""
    student = plain.start
    key, sizes = jax.random.key(0), (student.config.width, teacher.config.width)
    projections = [Linear.init(jax.random.fold_in(key, i), *sizes, bias=False) for i in range(len(student.blocks))]

    def loss(trained: PyTree, inputs: Array, targets: Array, teacher: Transformer) -> Array:
        (model, projections), teacher = nn.cast(trained, dtype), nn.cast(teacher, dtype)
        ours, theirs = model.hidden_states(inputs), teacher.hidden_states(inputs)
        loss = logits_loss(model.unembed(ours[-1]), teacher.unembed(theirs[-1]), targets, losses)
        return loss + losses.hidden * hidden_loss(projections, ours[1:], matched_states(theirs, len(projections)))

    return dataclasses.replace(
        plain,
        start=(student, projections),
        loss=loss,
        frozen=(teacher,),
        model=lambda trained, teacher: trained[0],
        save=lambda trained, out: plain.save(trained[0], out),
        origin=ORIGIN,
    )


def distill_on_samples(
    teacher: Transformer,
    generate: Callable[[Transformer, Array, int], Any],
    tokens: int,
    *,
    tokenizer: Tokenizer | None = None,
) -> TaskFactory:
    """Return the task of training a new student on text that the teacher generates. Kim and Rush, arXiv 1606.07947.

    The prompts are parts of the run's text, an eighth of the context long; the teacher fills the context.

    Args:
      teacher: a model with the student's vocabulary.
      generate: `generate(teacher, ids (B, T), n)` returns n more tokens (B, n), such as `infer.generate`. It is called
        once for every 256 rows and must use a new random key in each call.
      tokens: the approximate number of tokens to generate.
      tokenizer: the teacher's tokenizer; by default, the one that the run's settings lead to.
    """

    def task(config: RunConfig, out: Path) -> Task:
        plain = language_modelling(config, out, tokenizer)
        check_teacher(plain.start, teacher)
        length = max(1, config.context // 8)
        rows = max(1, tokens // (config.context - length))
        starts = jax.random.randint(jax.random.key(config.seed), (rows, 1), 0, plain.data.size - length)
        prompts = plain.data[starts + jnp.arange(length)].astype(jnp.int32)  # (rows, length)
        parts = [prompts[i : i + ROWS_PER_CALL] for i in range(0, rows, ROWS_PER_CALL)]
        generated = [jnp.asarray(generate(teacher, part, config.context - length)) for part in parts]
        text = jnp.concatenate([prompts, jnp.concatenate(generated)], axis=1).reshape(-1)
        return dataclasses.replace(plain, data=text.astype(plain.data.dtype), origin=ORIGIN)

    return task


def distill_on_policy(
    teacher: Transformer, config: DistillConfig | None = None, share: float = 0.5, *, tokenizer: Tokenizer | None = None
) -> TaskFactory:
    """Return the task of training a new student in part on text that it generates itself, to correct its mistakes.

    Agarwal et al., arXiv 2306.13649 (GKD). In `share` of the rows the student reads the first half, generates the
    second, and learns the teacher's probabilities there. The other rows are the run's text. No gradient passes through
    sampling, as in the paper.

    Args:
      teacher: a model with the student's vocabulary.
      config: the losses, without hidden states; by default the reverse divergence.
      share: the share of rows that the student continues.
      tokenizer: the teacher's tokenizer; by default, the one that the run's settings lead to.
    """
    losses = config or DistillConfig(divergence="reverse")
    if losses.hidden:
        raise ValueError("distillation on policy compares logits, and not hidden states: leave out hidden.")
    if not 0 < share <= 1:
        raise ValueError(
            f"share is that of the rows which the student generates, above 0 and up to 1, and not {share}."
        )

    def task(config: RunConfig, out: Path) -> Task:
        plain = language_modelling(config, out, tokenizer)
        check_teacher(plain.start, teacher)
        dtype = DTYPES[config.dtype]

        def get_batch(data: Array, step: Array) -> tuple[Array, ...]:
            rows = jnp.arange(config.batch)
            own = rows < max(1, round(share * config.batch))
            return *plain.get_batch(data, step), jnp.where(own, step * config.batch + rows, -1)

        def loss(model: Transformer, inputs: Array, targets: Array, seeds: Array, teacher: Transformer) -> Array:
            half = inputs.shape[1] // 2
            keys = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(config.seed), seeds)
            constant = jax.tree.map(stop_gradient, model)  # JAX's own loops accept it while a tape records.
            generated = continue_text(constant, inputs[:, :half], inputs.shape[1] - half, keys)
            is_own = seeds[:, None] >= 0  # (B, 1)
            inputs = jnp.where(is_own, jnp.concatenate([inputs[:, :half], generated], axis=1), inputs)
            ours, theirs = nn.cast(model, dtype)(inputs), nn.cast(teacher, dtype)(inputs)  # (B, T, V)
            divergence = kl_divergence(ours, theirs, losses.temperature, losses.divergence)  # (B, T)
            counted = ~is_own | (jnp.arange(inputs.shape[1]) >= half - 1)  # In own rows, only the generated tokens.
            soft = nn.masked_mean(divergence, counted)
            hard = nn.cross_entropy(ours, targets, where=jnp.broadcast_to(~is_own, targets.shape))
            return mix(losses.alpha, soft, hard)

        return dataclasses.replace(plain, get_batch=get_batch, loss=loss, frozen=(teacher,), origin=ORIGIN)

    return task


def continue_text(model: Transformer, ids: Array, tokens: int, keys: Key) -> Array:
    """Sample `tokens` tokens after ids (B, T), inside `jax.jit`, with a random key for each row: int32 (B, tokens)."""
    logits, cache = model.decode(ids, model.init_cache(len(ids), ids.shape[1] + tokens))

    def sample(carry: Any, i: Array) -> Any:
        logits, cache = carry
        token_keys = jax.vmap(jax.random.fold_in, (0, None))(keys, i)
        token = jax.vmap(jax.random.categorical)(token_keys, logits).astype(jnp.int32)  # (B,)
        logits, cache = model.decode(token[:, None], cache)
        return (logits[:, -1], cache), token

    _, sampled = jax.lax.scan(sample, (logits[:, -1], cache), jnp.arange(tokens))  # (tokens, B)
    return sampled.T


def check_teacher(student: Transformer, teacher: Transformer) -> None:
    """Raise ValueError if the student cannot learn from this teacher."""
    ours, theirs = student.config, teacher.config
    if ours.vocab != theirs.vocab:
        raise ValueError(
            f"the teacher has {theirs.vocab} tokens and the student {ours.vocab}, so their probabilities cannot be"
            " compared: give the student the teacher's tokenizer."
        )
    if ours.context > theirs.context:
        raise ValueError(
            f"the student reads {ours.context} tokens and the teacher only {theirs.context}: give the student a context"
            f" of {theirs.context} or less."
        )
    sizes = [nn.paths.count(model) for model in (student, teacher)]
    if sizes[0] > sizes[1] or ours.width > theirs.width:
        raise ValueError(
            f"the student has {sizes[0]:,} parameters and a width of {ours.width}, and its teacher {sizes[1]:,} and"
            f" {theirs.width}, but a student must not be larger or wider: choose a smaller width or fewer layers, or"
            " exchange the two."
        )
