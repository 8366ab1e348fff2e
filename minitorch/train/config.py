"""The settings of a run, and what they build: a model, its optimizer, and how its weights are laid out.

The defaults are a small transformer that trains in minutes on a laptop (nanoGPT's settings for a CPU).
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp

from .. import optim
from ..models import GPT, GPTConfig, Llama, LlamaConfig, Transformer, TransformerConfig
from ..models.config import Config
from ..nn import paths
from .step import Sharded, Tree

OWN = "own"
OPTIMIZERS = {
    "adamw": Sharded,
    "lion": Sharded,
    "muon": Tree,
    "adafactor": Tree,
    OWN: Tree,
}  # and the layout that suits it
DTYPES = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}
MODELS = ("gpt", "llama")
BETAS = (0.9, 0.99)  # of AdamW and Lion: with small batches the squares are averaged over 100 steps and not 1,000
MUON_TO_ADAM = 20.0  # what Muon does not train (embeddings, norms, head), AdamW does, at this fraction of the rate


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig(Config):
    """What somebody chose for a run. With the same data and library versions it gives the same weights.

    Args:
      data: a name or a path for `data.load_text`, with its `field` and `limit`.
      tokenizer: `char`, `byte` or `bpe:N`.
      batch: sequences of `context` tokens in one step, over all devices together.
      optimizer: `own` is one that `train` is given, an `(init, update)` pair of ours or optax's with clipping and all.
      lr: the peak, after `warmup` steps; a cosine leads down to a tenth of it. Muon wants about 2e-2, Lion 3e-4.
      warmup: in steps; where not given 100, or a tenth of a run shorter than 1,000.
      clip: the largest norm that a gradient may have; 0 for no limit.
      weight_decay: of matrices; biases and norms keep theirs.
      dtype: of the computation; weights and optimizer are always float32.
      eval_every, checkpoint_every: in steps.

    Raises:
      ValueError: what is wrong, and what to write instead.
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
        self.model_config(vocab=1)  # Raises where the sizes do not fit together.

    def problems(self) -> list[str]:
        bad = self.not_positive("batch", "steps", "eval_every", "checkpoint_every")
        for name, choices in (("model", MODELS), ("optimizer", OPTIMIZERS), ("dtype", DTYPES)):
            if getattr(self, name) not in choices:
                bad.append(f"{name} is one of {', '.join(choices)}, and not {getattr(self, name)!r}")
        if not 0 < self.lr < math.inf:
            bad.append(f"lr is a positive number, such as 1e-3, and not {self.lr}")
        for name in ("clip", "weight_decay"):
            if not 0 <= getattr(self, name) < math.inf:
                bad.append(f"{name} is a number from 0 up, and not {getattr(self, name)}")
        if not (isinstance(self.seed, int) and 0 <= self.seed < 2**32):
            bad.append(f"seed is a whole number from 0 to 2**32 - 1, and not {self.seed}")
        if not isinstance(self.data, str):
            bad.append(f"data is a str, and not {self.data!r}")
        if not bad and not 0 <= self.warmup_steps < self.steps:
            bad.append(f"warmup leaves at least one of the {self.steps} steps, so {self.warmup} does not fit")
        if self.kv_heads is not None and self.model != "llama":
            bad.append("kv_heads are Llama's: choose model='llama' or leave them out")
        return bad

    @property
    def warmup_steps(self) -> int:
        """Steps up to the peak learning rate: `warmup`, or where it is None 100, or a tenth of a shorter run."""
        return min(100, self.steps // 10) if self.warmup is None else self.warmup

    def model_config(self, vocab: int) -> TransformerConfig:
        """Sizes of the model, for a tokenizer of `vocab` ids."""
        sizes: dict[str, Any] = {name: getattr(self, name) for name in ("context", "layers", "heads", "width")}
        if self.model == "gpt":
            return GPTConfig(vocab=vocab, **sizes)
        return LlamaConfig(vocab=vocab, kv_heads=self.kv_heads, **sizes)

    def init_model(self, vocab: int) -> Transformer:
        """The model with its first weights."""
        config = self.model_config(vocab)
        init: Any = GPT.init if isinstance(config, GPTConfig) else Llama.init
        return init(jax.random.key(self.seed), config)

    def schedule(self) -> optim.Schedule:
        """The learning rate by the number of finished steps."""
        return optim.warmup_cosine_decay_schedule(0.0, self.lr, self.warmup_steps, self.steps, self.lr / 10)


def make_layout(config: RunConfig, model: Any, devices: int) -> Sharded | Tree:
    """How the weights lie on the devices: in shares, where the optimizer treats every number alike.

    On one device there is nothing to share, and the tree saves the copies.
    """
    return OPTIMIZERS[config.optimizer](model, devices) if devices > 1 else Tree(model, devices)


def make_optimizer(config: RunConfig, model: Transformer, layout: Sharded | Tree) -> optim.Transform:
    """Clipping, and the optimizer that `config` names, for the weights of `model` as `layout` packs them."""
    rate, decay = config.schedule(), config.weight_decay
    is_matrix = jax.tree.map(lambda p: float(p.ndim > 1), model)

    def mask(weights: Any) -> Any:  # A function, so that it is compiled in and not stored as a constant of that size.
        return layout.pack(is_matrix)

    made = {
        "adamw": lambda: optim.adamw(rate, *BETAS, weight_decay=decay, mask=mask),
        "lion": lambda: optim.lion(rate, *BETAS, weight_decay=decay, mask=mask),
        "adafactor": lambda: optim.adafactor(rate),
        "muon": lambda: _muon(rate, decay, model),
    }[config.optimizer]()
    return optim.chain(optim.clip_by_global_norm(config.clip), made) if config.clip else made


def _muon(rate: optim.Schedule, decay: float, model: Transformer) -> optim.Transform:
    """Muon for the matrices inside the blocks, and AdamW for all else."""
    hidden = paths.map(lambda path, p: path.startswith("blocks.") and p.ndim == 2, model)
    rest = optim.adamw(lambda step: rate(step) / MUON_TO_ADAM, *BETAS, weight_decay=0.0)
    return optim.partition(hidden, optim.muon(rate, weight_decay=decay), rest)
