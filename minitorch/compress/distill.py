"""How does a small model learn from a large one? The teacher says of each place how likely every token is there.

A text says of each place which token came; a teacher's probabilities say as well which would have done almost as well
(Hinton, Vinyals and Dean, arXiv 1503.02531, who call it dark knowledge). `logits_loss` follows them, `hidden_loss` the
vectors between the teacher's blocks. What the student reads can be the text, what the teacher writes
(`learn_from_samples`), or what it writes itself (`learn_on_policy`).

Each of the three functions `learn_...` makes a task for `train.train`.

Axes: B batch, T time, D model width, V vocabulary.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp

from .. import nn, ops
from ..autodiff import stop_gradient
from ..models import Transformer
from ..nn import Linear, full_precision
from ..text import Tokenizer
from ..train import MakeTask, RunConfig, Task, language_modelling
from ..train.config import DTYPES

Array = jax.Array
Divergence = Literal["forward", "reverse"]
AT_ONCE = 256  # texts that a teacher writes side by side, each with a cache of its own


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """How much of which loss.

    Args:
      temperature: divides the logits of both models; above 1 the unlikely tokens weigh more.
      soft: the share of the teacher's loss; the rest is that of the text's own tokens.
      divergence: `forward` is KL(teacher || student), which covers all that the teacher might say; `reverse` is
        KL(student || teacher), which says nothing that the teacher would not.
      hidden: the weight of the loss between hidden states, added to the others; 0 leaves it out.
    """

    temperature: float = 1.0
    soft: float = 1.0
    divergence: Divergence = "forward"
    hidden: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.temperature < float("inf"):
            raise ValueError(f"a temperature divides logits, so {self.temperature} is not possible: give 1 or more.")
        if not 0 <= self.soft <= 1:
            raise ValueError(f"soft is the share of the teacher's loss, a number from 0 to 1, and not {self.soft}.")
        if self.divergence not in ("forward", "reverse"):
            raise ValueError(f"divergence is 'forward' or 'reverse', and not {self.divergence!r}.")
        if not 0 <= self.hidden < float("inf"):
            raise ValueError(f"hidden is the weight of a loss, a number from 0 up, and not {self.hidden}.")


def divergence(student: Array, teacher: Array, temperature: float = 1.0, kind: Divergence = "forward") -> Array:
    """KL divergence between the distributions that logits (..., V) stand for, (...), in nats, times temperature^2.

    The factor keeps the gradient's size, which shrinks as 1 / temperature^2 (section 2.1 of the paper).
    """
    p = ops.log_softmax(full_precision(teacher) / temperature)
    q = ops.log_softmax(full_precision(student) / temperature)
    p, q = (p, q) if kind == "forward" else (q, p)
    return ops.sum(ops.exp(p) * (p - q), axis=-1) * temperature**2


def logits_loss(student: Array, teacher: Array, targets: Array, recipe: Recipe) -> Array:
    """soft x divergence + (1 - soft) x cross entropy: logits (B, T, V) of both and targets (B, T) to a scalar."""
    loss = recipe.soft * ops.mean(divergence(student, teacher, recipe.temperature, recipe.divergence))
    return loss if recipe.soft == 1 else loss + (1 - recipe.soft) * nn.cross_entropy(student, targets)


def hidden_loss(projections: Sequence[Linear], student: Sequence[Array], teacher: Sequence[Array]) -> Array:
    """Mean squared distance between the teacher's states and the student's, each brought to the teacher's width.

    The states (B, T, D) are normalized first, since a stream grows from block to block. Romero et al., arXiv
    1412.6550, with the layers spread evenly as in Jiao et al., arXiv 1909.10351.
    """
    losses = [
        nn.mse(projection(_normalized(ours)), _normalized(theirs))
        for projection, ours, theirs in zip(projections, student, teacher, strict=True)
    ]
    return sum(losses[1:], losses[0]) / len(losses)


def _normalized(x: Array) -> Array:
    x = full_precision(x)
    return ops.layer_norm(x, jnp.ones(x.shape[-1], x.dtype))


def matched_states(states: Sequence[Array], layers: int) -> list[Array]:
    """Of a model's states after the embedding and each block, `layers` after as many evenly spaced blocks."""
    return [states[round((i + 1) * (len(states) - 1) / layers)] for i in range(layers)]


def learn_from_text(
    teacher: Transformer, recipe: Recipe | None = None, *, tokenizer: Tokenizer | None = None
) -> MakeTask:
    """A task: a new student reads the text of the run, and follows the teacher's logits, and states if asked to.

    Args:
      tokenizer: the teacher's, where the settings of the run would make another.

    Raises:
      ValueError: the teacher has another vocabulary or a shorter context, or is smaller than the student.
    """
    recipe = recipe or Recipe()

    def task(config: RunConfig, out: Path) -> Task:
        plain = language_modelling(config, out, tokenizer)
        check_teacher(plain.start, teacher)
        dtype = DTYPES[config.dtype]

        def loss(model: Transformer, inputs: Array, targets: Array, teacher: Transformer) -> Array:
            return logits_loss(nn.cast(model, dtype)(inputs), nn.cast(teacher, dtype)(inputs), targets, recipe)

        if not recipe.hidden:
            return dataclasses.replace(plain, loss=loss, frozen=(teacher,), origin=ORIGIN)
        return _with_states(plain, teacher, recipe, dtype)

    return task


ORIGIN = "Distilled from a larger model"


def _with_states(plain: Task, teacher: Transformer, recipe: Recipe, dtype: Any) -> Task:
    """What is trained is the student and a projection for each of its layers, which goes when the run is over."""
    student = plain.start
    key, sizes = jax.random.key(0), (student.config.width, teacher.config.width)
    projections = [Linear.init(jax.random.fold_in(key, i), *sizes, bias=False) for i in range(len(student.blocks))]

    def loss(trained: Any, inputs: Array, targets: Array, teacher: Transformer) -> Array:
        model, projections = nn.cast(trained, dtype)
        ours, theirs = model.states(inputs), nn.cast(teacher, dtype).states(inputs)
        soft = logits_loss(model.read_out(ours[-1]), nn.cast(teacher, dtype).read_out(theirs[-1]), targets, recipe)
        layers = len(projections)
        return soft + recipe.hidden * hidden_loss(projections, ours[1:], matched_states(theirs, layers))

    return dataclasses.replace(
        plain,
        start=(student, projections),
        loss=loss,
        frozen=(teacher,),
        model=lambda trained, teacher: trained[0],
        save=lambda trained, out: plain.save(trained[0], out),
        origin=ORIGIN,
    )


def learn_from_samples(
    teacher: Transformer,
    write: Callable[[Transformer, Array, int], Any],
    tokens: int,
    *,
    tokenizer: Tokenizer | None = None,
) -> MakeTask:
    """A task: a new student learns to predict what the teacher writes. Kim and Rush, arXiv 1606.07947.

    The teacher is shown beginnings from the text of the run, an eighth of a context each, and fills up the context.

    Args:
      write: `write(teacher, ids (B, T), n)` continues ids by n tokens, (B, n): `infer.generate` with a key, another one
        in each call, for it is called once for every 256 rows.
      tokens: how many to have written, about.
    """

    def task(config: RunConfig, out: Path) -> Task:
        plain = language_modelling(config, out, tokenizer)
        check_teacher(plain.start, teacher)
        shown = max(1, config.context // 8)
        rows = max(1, tokens // (config.context - shown))
        starts = jax.random.randint(jax.random.key(config.seed), (rows, 1), 0, plain.data.size - shown)
        prompts = plain.data[starts + jnp.arange(shown)].astype(jnp.int32)
        parts = [prompts[i : i + AT_ONCE] for i in range(0, rows, AT_ONCE)]
        written = [jnp.asarray(write(teacher, part, config.context - shown)) for part in parts]
        text = jnp.concatenate([prompts, jnp.concatenate(written)], axis=1).reshape(-1)
        return dataclasses.replace(plain, data=text.astype(plain.data.dtype), origin=ORIGIN)

    return task


def learn_on_policy(
    teacher: Transformer, recipe: Recipe | None = None, share: float = 0.5, *, tokenizer: Tokenizer | None = None
) -> MakeTask:
    """A task: of `share` of the rows the student reads only the first half, writes the second itself, and is corrected
    by the teacher on what it wrote, so that it learns from its own mistakes. Agarwal et al., arXiv 2306.13649 (GKD).

    The other rows are text as it is. No gradient passes through the drawing of tokens, as in the paper.
    """
    recipe = recipe or Recipe(divergence="reverse")
    if recipe.hidden:
        raise ValueError("on its own text a student learns from the teacher's logits alone: leave out hidden.")
    if not 0 < share <= 1:
        raise ValueError(f"share is that of the rows which the student writes, above 0 and up to 1, and not {share}.")

    def task(config: RunConfig, out: Path) -> Task:
        plain = language_modelling(config, out, tokenizer)
        check_teacher(plain.start, teacher)
        dtype = DTYPES[config.dtype]

        def draw(data: Array, step: Array) -> tuple[Array, ...]:
            rows = jnp.arange(config.batch)
            own = rows < max(1, round(share * config.batch))
            return *plain.draw(data, step), jnp.where(own, step * config.batch + rows, -1)

        def loss(model: Transformer, inputs: Array, targets: Array, seeds: Array, teacher: Transformer) -> Array:
            half = inputs.shape[1] // 2
            keys = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(config.seed), seeds)
            written = continue_text(stop_gradient_of(model), inputs[:, :half], inputs.shape[1] - half, keys)
            is_own = seeds[:, None] >= 0
            inputs = jnp.where(is_own, jnp.concatenate([inputs[:, :half], written], axis=1), inputs)
            ours, theirs = nn.cast(model, dtype)(inputs), nn.cast(teacher, dtype)(inputs)
            soft = divergence(ours, theirs, recipe.temperature, recipe.divergence)
            counted = ~is_own | (
                jnp.arange(inputs.shape[1]) >= half - 1
            )  # Of own rows, what stands after what it wrote.
            total = ops.sum(ops.where(counted, soft, 0)) / jnp.sum(counted)
            hard = nn.cross_entropy(ours, targets, where=jnp.broadcast_to(~is_own, targets.shape))
            return recipe.soft * total + (1 - recipe.soft) * hard

        return dataclasses.replace(plain, draw=draw, loss=loss, frozen=(teacher,), origin=ORIGIN)

    return task


def continue_text(model: Transformer, ids: Array, tokens: int, keys: Array) -> Array:
    """`tokens` tokens after ids (B, T), drawn with one key for each row: int32 (B, tokens). Inside of `jax.jit`."""
    logits, cache = model.decode(ids, model.init_cache(len(ids), ids.shape[1] + tokens))

    def one(carry: Any, i: Array) -> Any:
        logits, cache = carry
        fresh = jax.vmap(jax.random.fold_in, (0, None))(keys, i)
        token = jax.vmap(jax.random.categorical)(fresh, logits).astype(jnp.int32)  # (B,)
        logits, cache = model.decode(token[:, None], cache)
        return (logits[:, -1], cache), token

    _, drawn = jax.lax.scan(one, (logits[:, -1], cache), jnp.arange(tokens))
    return drawn.T


def stop_gradient_of(tree: Any) -> Any:
    """`tree` as constants, so that JAX's own loops may use it inside of a differentiated function."""
    return jax.tree.map(stop_gradient, tree)


def check_teacher(student: Transformer, teacher: Transformer) -> None:
    """Raise ValueError where there is nothing to learn from this teacher."""
    ours, theirs = student.config, teacher.config
    if ours.vocab != theirs.vocab:
        raise ValueError(
            f"the teacher knows {theirs.vocab} tokens and the student {ours.vocab}: probabilities of other tokens do"
            " not compare; give the student the teacher's tokenizer."
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
            f" {theirs.width}: a student is no larger and no wider; choose a smaller width or fewer layers, or exchange"
            " the two."
        )
