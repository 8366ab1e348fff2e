"""Optimizers, schedules, clipping and averaging.

Read `transform` (what an optimizer is), `sgd`, `adam`, `schedule`, `clip`, `ema`, then `lion`, `adafactor`, and `muon`
with `partition`. `mask` and `validation` serve the others.
"""

from .adafactor import adafactor, clip_by_block_rms, scale_by_factored_rms, scale_by_param_block_rms
from .adam import adam, adamw, scale_by_adam
from .clip import clip, clip_by_global_norm, global_norm
from .ema import ema, multi_steps
from .lion import lion, scale_by_lion
from .muon import muon, newton_schulz, scale_by_muon
from .partition import partition
from .schedule import (
    constant_schedule,
    cosine_decay_schedule,
    join_schedules,
    linear_schedule,
    warmup_constant_schedule,
    warmup_cosine_decay_schedule,
    warmup_stable_decay_schedule,
)
from .sgd import sgd, trace
from .transform import Schedule, Transform, add_decayed_weights, apply_updates, chain, scale, scale_by_learning_rate

__all__ = [
    "Schedule",
    "Transform",
    "adafactor",
    "adam",
    "adamw",
    "add_decayed_weights",
    "apply_updates",
    "chain",
    "clip",
    "clip_by_block_rms",
    "clip_by_global_norm",
    "constant_schedule",
    "cosine_decay_schedule",
    "ema",
    "global_norm",
    "join_schedules",
    "linear_schedule",
    "lion",
    "multi_steps",
    "muon",
    "newton_schulz",
    "partition",
    "scale",
    "scale_by_adam",
    "scale_by_factored_rms",
    "scale_by_learning_rate",
    "scale_by_lion",
    "scale_by_muon",
    "scale_by_param_block_rms",
    "sgd",
    "trace",
    "warmup_constant_schedule",
    "warmup_cosine_decay_schedule",
    "warmup_stable_decay_schedule",
]
