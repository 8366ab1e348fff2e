"""The settings of a run, and the model, optimizer and layout that they describe.

The defaults describe a small transformer that trains in minutes on a laptop (nanoGPT's settings for a CPU).
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp

from .. import optim
from .._suggest import did_you_mean
from ..models import GPT, GPTConfig, Llama, LlamaConfig, Transformer, TransformerConfig
from ..models.config import Config
from ..nn import paths
from .layout import Replicated, Sharded

CUSTOM = "custom"
# The layout that suits each optimizer.
OPTIMIZERS = {"adamw": Sharded, "lion": Sharded, "muon": Replicated, "adafactor": Replicated, CUSTOM: Replicated}
DTYPES = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}
MODELS = ("gpt", "llama")
BETAS = (0.9, 0.99)  # of AdamW and Lion; for small batches, the second moment averages 100 steps instead of 1,000
MUON_TO_ADAM = 20.0  # Muon's learning rate divided by that of AdamW, which trains the embeddings, norms and head


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig(Config):
    """The settings of a run. With the same data and library versions, they give the same weights.

    Args:
      data: a name or a path for `data.load_text`, with its `field` and `limit`.
      tokenizer: `char`, `byte` or `bpe:N`.
      batch: sequences of `context` tokens per step, over all devices together.
      optimizer: a name, or `custom` for a pair that is passed to `train` and includes clipping and a schedule.
      lr: peak learning rate, decayed to a tenth by a cosine. Use about 2e-2 for Muon, 3e-4 for Lion.
      warmup: warm-up in steps; by default 100, or a tenth of the steps if that is less.
      clip: largest gradient norm; 0 for no limit.
      weight_decay: of matrices; biases and norms do not decay.
      dtype: dtype of the computation; weights and optimizer are always float32.
      eval_every: steps between two evaluations.
      checkpoint_every: steps between two checkpoints.

    Raises:
      ValueError: a setting is invalid; the message says what to write instead.
    """

    data: str
    field: str = "text"
    limit: int | None = None
    tokenizer: str = "char"
    model: str = "gpt"
    layers: int = 4
    heads: int = 4
    kv_heads: int | None = None
    width: int = 128
    context: int = 64
    batch: int = 12
    steps: int = 2000
    optimizer: str = "adamw"
    lr: float = 1e-3
    warmup: int | None = None
    weight_decay: float = 0.1
    clip: float = 1.0
    seed: int = 0
    dtype: str = "float32"
    eval_every: int = 250
    checkpoint_every: int = 250

    def __post_init__(self) -> None:
        super().__post_init__()
        self.model_config(vocab=1)  # Raises ValueError if the sizes do not fit together.

    def validate(self) -> list[str]:
        bad = self.check_positive("batch", "steps", "eval_every", "checkpoint_every")
        for name, choices in (("model", MODELS), ("optimizer", OPTIMIZERS), ("dtype", DTYPES)):
            if (value := getattr(self, name)) not in choices:
                near = did_you_mean(value, choices)
                bad.append(f"{name} must be one of {', '.join(choices)}, not {value!r}{near and '.' + near}")
        if not 0 < self.lr < math.inf:
            bad.append(f"lr must be a positive number, such as 1e-3, not {self.lr}")
        for name in ("clip", "weight_decay"):
            if not 0 <= getattr(self, name) < math.inf:
                bad.append(f"{name} must be 0 or a positive number, not {getattr(self, name)}")
        if not 0 <= self.seed < 2**32:
            bad.append(f"seed must be a whole number from 0 to 2**32 - 1, not {self.seed}")
        if not bad and not 0 <= self.warmup_steps < self.steps:
            bad.append(f"warmup must be 0 or more and less than the {self.steps} steps, not {self.warmup}")
        if self.kv_heads is not None and self.model != "llama":
            bad.append("kv_heads needs model='llama': choose that, or leave kv_heads out")
        return bad

    @property
    def warmup_steps(self) -> int:
        """Steps up to the peak learning rate: `warmup`, or by default the smaller of 100 and a tenth of the steps."""
        return min(100, self.steps // 10) if self.warmup is None else self.warmup

    def model_config(self, vocab: int) -> TransformerConfig:
        """Return the sizes of the model, for a tokenizer of `vocab` ids."""
        sizes: dict[str, Any] = {name: getattr(self, name) for name in ("context", "layers", "heads", "width")}
        if self.model == "gpt":
            return GPTConfig(vocab=vocab, **sizes)
        return LlamaConfig(vocab=vocab, kv_heads=self.kv_heads, **sizes)

    def init_model(self, vocab: int) -> Transformer:
        """Return the model with its initial weights."""
        config = self.model_config(vocab)
        init: Any = GPT.init if isinstance(config, GPTConfig) else Llama.init
        return init(jax.random.key(self.seed), config)

    def schedule(self) -> optim.Schedule:
        """Return the learning rate as a function of the number of completed steps."""
        return optim.warmup_cosine_decay_schedule(0.0, self.lr, self.warmup_steps, self.steps, self.lr / 10)


def make_layout(config: RunConfig, model: Any, devices: int) -> Sharded | Replicated:
    """Return the layout for `model`: sharded if the optimizer is elementwise and there are several devices."""
    return OPTIMIZERS[config.optimizer](model, devices) if devices > 1 else Replicated(model, devices)


def make_optimizer(config: RunConfig, model: Transformer, layout: Sharded | Replicated) -> optim.Transform:
    """Return clipping and the optimizer that `config` names, for the weights of `model` as `layout` packs them."""
    rate, decay = config.schedule(), config.weight_decay
    is_matrix = jax.tree.map(lambda p: float(p.ndim > 1), model)

    def mask(weights: Any) -> Any:  # A function: XLA computes the mask instead of storing a constant of its size.
        return layout.pack(is_matrix)

    optimizer = {
        "adamw": lambda: optim.adamw(rate, *BETAS, weight_decay=decay, mask=mask),
        "lion": lambda: optim.lion(rate, *BETAS, weight_decay=decay, mask=mask),
        "adafactor": lambda: optim.adafactor(rate),
        "muon": lambda: _muon(rate, decay, model),
    }[config.optimizer]()
    return optim.chain(optim.clip_by_global_norm(config.clip), optimizer) if config.clip else optimizer


def _muon(rate: optim.Schedule, decay: float, model: Transformer) -> optim.Transform:
    """Return Muon for the matrices inside the blocks, and AdamW for all other weights."""
    hidden = paths.map_with_path(lambda path, p: path.startswith("blocks.") and p.ndim == 2, model)
    rest = optim.adamw(lambda step: rate(step) / MUON_TO_ADAM, *BETAS, weight_decay=0.0)
    return optim.partition(hidden, optim.muon(rate, weight_decay=decay), rest)
