"""`minitorch finetune`: train a model on conversations or preferences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from .derived_run import load, run_training, settings, use_cores_of
from .options import Out, Resume, Run, Seed, option


def finetune(
    run: Run,
    data: Annotated[Path, option('Conversations as JSON Lines, {"messages": [...]}.')],
    out: Out,
    lora: Annotated[
        str | None, option("Train LoRA adapters on the layers of this path only, such as 'blocks.*'.")
    ] = None,
    rank: Annotated[int, option("LoRA rank.")] = 8,
    alpha: Annotated[
        float | None, option("LoRA alpha: adapters are scaled by alpha / rank; by default 2 * rank.")
    ] = None,
    dora: Annotated[bool, option("Train the norms of weight columns, too (DoRA).", "--dora")] = False,
    preferences: Annotated[
        bool, option('Train on pairs of "chosen" and "rejected" answers (DPO).', "--preferences")
    ] = False,
    beta: Annotated[float, option("KL strength (DPO's beta).")] = 0.1,
    steps: Annotated[int, option("Number of updates.", min=1)] = 200,
    batch: Annotated[int | None, option("Conversations per step; by default as in the run.")] = None,
    lr: Annotated[
        float | None, option("Peak learning rate; by default that of the run with --lora, else a third.")
    ] = None,
    seed: Seed = 0,
    resume: Resume = False,
) -> None:
    """Fine-tune a model on conversations, with the loss on the assistant's answers alone.

    With --lora, --out holds adapter.safetensors, which `minitorch merge` adds to the model; otherwise it is a run like
    any other.
    """
    use_cores_of(run)
    from ..finetune import LoRAConfig, chat_data
    from ..finetune.dpo import dpo
    from ..finetune.sft import sft

    loaded = load(run)
    adapters = LoRAConfig(pattern=lora, rank=rank, alpha=alpha, dora=dora) if lora else None
    rate = lr or loaded.config.lr / (1 if lora else 3)
    config = settings(loaded.config, data=str(data), steps=steps, batch=batch, lr=rate, seed=seed)
    if preferences:
        task = dpo(loaded.model, loaded.tokenizer, chat_data.read_preferences(data), adapters, beta)
    else:
        task = sft(loaded.model, loaded.tokenizer, chat_data.read_conversations(data), adapters)
    run_training(config, out, resume, task)
