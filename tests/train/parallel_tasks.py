"""Print, for every task that trains, how far a step on 1, 2 and 4 devices is from the definition on one.

Run by `test_data_parallel` in a process of its own, because the number of CPU devices is fixed when JAX starts.
"""

import dataclasses
import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from minitorch import compress, models, nn, ops, optim, train
from minitorch.compress import distill, moe, prune
from minitorch.compress.scheme import Scheme
from minitorch.finetune import LoRAConfig, chat_data
from minitorch.finetune.dpo import dpo
from minitorch.finetune.sft import sft
from minitorch.text import ByteTokenizer

LONG = "an answer of many words, far longer than"
TEXT = "".join(f"{i} the cat sat on the mat, the dog on rug {i * i}\n" for i in range(60))
SIZES = dict(tokenizer="byte", layers=1, heads=2, width=8, context=24, batch=4, steps=2)


def gpt(layers=1, width=8):
    sizes = models.GPTConfig(vocab=256, context=96, layers=layers, heads=2, width=width)
    return models.GPT.init(jax.random.key(layers), sizes)


def questions(folder):
    """Return conversations, and preferences, whose answers have very different lengths."""
    answers = [f"{LONG} {i}" if i % 3 == 0 else str(i) for i in range(20)]
    ask = [[{"role": "user", "content": f"q{i}"}] for i in range(20)]
    talk = folder / "talk.jsonl"
    talk.write_text(
        "\n".join(
            json.dumps({"messages": [*q, {"role": "assistant", "content": a}]})
            for q, a in zip(ask, answers, strict=True)
        )
    )
    pairs = folder / "pairs.jsonl"
    rows = [{"messages": q, "chosen": a, "rejected": "no"} for q, a in zip(ask, answers, strict=True)]
    pairs.write_text("\n".join(map(json.dumps, rows)))
    return talk, pairs


def text_tasks(folder):
    text = folder / "text.txt"
    text.write_text(TEXT)
    config = train.RunConfig(data=str(text), **SIZES)
    plain, teacher = train.language_modelling(config, folder), gpt(2)
    recipe = compress.QuantRecipe({"blocks.*": Scheme(bits=4, group="channel")})
    masks = prune.magnitude(plain.start, 0.5)
    mixed = distill.DistillConfig(alpha=0.5, temperature=2.0)

    def generate(model, ids, n):
        return jnp.full((len(ids), n), 97)

    yield "pretraining", plain, config
    for capacity in (1.25, None):
        mixture = moe.train_moe(moe.MoEConfig(capacity=capacity, balance=1.0, z=0.1))(config, folder)
        yield f"mixture of experts, capacity {capacity}", mixture, config
    hidden = distill.DistillConfig(alpha=0.5, hidden=1.0)
    yield "distillation of hidden states", distill.distill(teacher, hidden)(config, folder), config
    yield "distillation on samples", distill.distill_on_samples(teacher, generate, 400)(config, folder), config
    yield "distillation on policy", distill.distill_on_policy(teacher, mixed, share=0.25)(config, folder), config
    learner = compress.prepare_qat(plain.start, recipe)
    yield "quantization-aware training", train.next_token_task(config, plain.prepared, learner), config
    pruned = train.next_token_task(config, plain.prepared, prune.apply_masks(plain.start, masks))
    yield "recovery from pruning", pruned, config, optim.chain(optim.sgd(1.0), prune.keep_zeros(masks))


def chat_tasks(folder):
    talk, pairs = questions(folder)
    config = train.RunConfig(data=str(talk), **SIZES | dict(context=96))
    conversations, preferences = chat_data.read_conversations(talk), chat_data.read_preferences(pairs)
    lora = LoRAConfig(rank=2, dora=True)
    yield "fine-tuning", sft(gpt(), ByteTokenizer(), conversations)(config, folder), config
    yield "fine-tuning of adapters", sft(gpt(), ByteTokenizer(), conversations, lora)(config, folder), config
    yield "preferences", dpo(gpt(), ByteTokenizer(), preferences, lora)(config, folder), config


@dataclasses.dataclass
class Own:
    """What `Step` needs of a task."""

    start: object
    data: tuple
    loss: object
    frozen: tuple = ()

    def get_batch(self, data, step):
        """Return other rows in each step."""
        return tuple(jnp.roll(x, step, axis=0) for x in data)


def own_losses():
    """Yield losses as a user would write them, on rows of which few count, and none on most devices."""
    x, labels = jax.random.normal(jax.random.key(0), (8, 5)), jnp.arange(8) % 3
    few, classes = jnp.arange(8) < 3, 0.1 * jnp.arange(3)
    model = nn.Linear.init(jax.random.key(1), 5, 3)
    plain = Own(model, (x, labels), lambda m, x, y, shift: nn.cross_entropy(m(x) + shift, y), (classes,))
    adamw = optim.chain(optim.clip_by_global_norm(0.1), optim.adamw(1e-2))
    yield "classification", plain, 8, adamw
    masked = Own(model, (x, labels, few), lambda m, x, y, counted: nn.cross_entropy(m(x), y, where=counted))
    yield "classification of padded rows", masked, 8, adamw

    def root(m, x, y, counted):
        squares = ops.mean(ops.square(m(x) - ops.astype(y, x.dtype)[:, None]), axis=-1)
        return ops.sqrt(nn.masked_mean(squares, counted)) + 0.5 * nn.masked_mean(squares, ~counted) ** 2

    yield "functions of masked means", Own(model, (x, labels, few), root), 8, optim.sgd(0.1)


def by_definition(task, optimizer, steps):
    """Return the losses (steps,), and the weights after the last step, from `jax.grad` on the whole batch."""

    @jax.jit
    def step(weights, state, i):
        loss, gradient = jax.value_and_grad(task.loss)(weights, *task.get_batch(task.data, i), *task.frozen)
        updates, state = optimizer.update(gradient, state, weights)
        return optim.apply_updates(weights, updates), state, loss, optim.global_norm(gradient)

    weights, state, rows = task.start, optimizer.init(task.start), []
    for i in range(steps):
        weights, state, *row = step(weights, state, jnp.int32(i))
        rows.append([float(x) for x in row])
    return rows, ravel_pytree(weights)[0]


def compare(task, batch, optimizer=None, steps=1, step_class=train.Step):
    """Return losses and gradient norms (1 + 3, steps, 2), by definition and on 1, 2 and 4 devices, and an error.

    The error is the largest difference between the weights after the last step, relative to the largest change.
    """
    replicated = optimizer is not None and steps == 1  # `keep_zeros` needs whole matrices.
    optimizer = optimizer or optim.sgd(1.0)
    expected, weights = by_definition(task, optimizer, steps)
    rows, errors = [expected], []
    for devices in (1, 2, 4):
        chosen = train.Replicated if replicated or devices == 2 else train.Sharded
        mesh = train.device_mesh(batch, jax.devices()[:devices])
        rows_seen = set()

        def loss(weights, *batch, rows_seen=rows_seen):
            rows_seen.add(len(batch[0]))
            return task.loss(weights, *batch)

        step = step_class(loss, optimizer, task.get_batch, chosen(task.start, devices), mesh)
        data, frozen = step.replicate((task.data, task.frozen))
        before = step.init(task.start)
        placed = jax.tree.map(lambda x: x.sharding, before)
        state, metrics = step.run(before, data, steps, frozen)
        assert rows_seen == {batch // devices}
        rows.append(jnp.stack(metrics, axis=1).tolist())
        errors.append(float(jnp.max(jnp.abs(ravel_pytree(step.model(state))[0] - weights))))
        sharded = devices > 1 and chosen is train.Sharded
        assert all(x.is_fully_replicated != sharded for x in jax.tree.leaves(placed.weights))
        assert all(x.sharding.is_fully_replicated != sharded for x in jax.tree.leaves(state.weights))
        for x in jax.tree.leaves((step.model(state), data, frozen)):
            assert x.sharding.is_fully_replicated
            assert len(x.sharding.device_set) == devices
        assert int(state.step) == steps
    return rows, max(errors) / float(jnp.max(jnp.abs(weights - ravel_pytree(task.start)[0])))


def main(folder):
    train.use_cpu_cores(4)
    train.layout.LARGE = 200  # Small matrices are sharded, too.
    results = {}
    for name, task, config, *optimizer in (*text_tasks(folder), *chat_tasks(folder)):
        results[name] = compare(task, config.batch, *optimizer)
    for name, task, batch, optimizer in own_losses():
        results[name] = compare(task, batch, optimizer, steps=5)
    print(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
