"""`minitorch finetune` and `minitorch merge`: a trained model learns to answer, and takes up what it learned."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .derived_run import cores_of, settings, run_training


def _option(text: str, **limits: Any) -> Any:
    return typer.Option(help=text, **limits)


def finetune(
    run: Annotated[Path, typer.Option(help="Folder of a run.")],
    data: Annotated[Path, _option('Conversations: lines of JSON, {"messages": [...]}.')],
    out: Annotated[Path, _option("Folder for everything about the new run.")],
    lora: Annotated[
        str | None, _option("Train adapters beside the layers of this path only, such as 'blocks.*'.")
    ] = None,
    rank: Annotated[int, _option("Rank of the adapters.")] = 8,
    alpha: Annotated[
        float | None, _option("Adapters count alpha / rank; if not given, alpha is twice the rank.")
    ] = None,
    dora: Annotated[bool, typer.Option("--dora", help="Learn the lengths of columns apart (DoRA).")] = False,
    preferences: Annotated[
        bool, typer.Option("--preferences", help='Learn from pairs, "chosen" and "rejected" (DPO).')
    ] = False,
    beta: Annotated[float, _option("How hard DPO holds the model to what it was.")] = 0.1,
    steps: Annotated[int, _option("Updates of the weights.", min=1)] = 200,
    batch: Annotated[int | None, _option("Conversations in one step; if not given, as in the run.")] = None,
    lr: Annotated[
        float | None, _option("Peak learning rate; if not given, a third of the run's, or all with --lora.")
    ] = None,
    seed: Annotated[int, _option("Adapters and batches follow from it.", min=0, max=2**32 - 1)] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out; all else as before.")] = False,
) -> None:
    """Train a model on conversations, with the loss on the assistant's words alone.

    With --lora, --out holds adapter.safetensors, which `minitorch merge` adds to the model; else a run as any other.
    """
    cores_of(run)
    from ..finetune import LoRAConfig, chat_data
    from ..finetune.dpo import dpo
    from ..finetune.sft import sft
    from ..train import load_run

    loaded = load_run(run)
    adapters = LoRAConfig(pattern=lora, rank=rank, alpha=alpha, dora=dora) if lora else None
    rate = lr or loaded.config.lr / (1 if lora else 3)
    config = settings(loaded.config, data=str(data), steps=steps, batch=batch, lr=rate, seed=seed)
    if preferences:
        task = dpo(loaded.model, loaded.tokenizer, chat_data.read_preferences(data), adapters, beta)
    else:
        task = sft(loaded.model, loaded.tokenizer, chat_data.read_conversations(data), adapters)
    run_training(config, out, resume, task)


def merge(
    run: Annotated[Path, typer.Option(help="Folder of the run that was fine-tuned.")],
    adapter: Annotated[Path, typer.Option(help="Folder of the fine-tuning run, or its adapter.safetensors.")],
    out: Annotated[Path, _option("Folder for the merged model.")],
) -> None:
    """Add adapters to the model that they were trained beside. The result is a run as any other."""
    from ..finetune import lora
    from ..nn import paths
    from ..text import load_tokenizer
    from ..train import load_run, save_run
    from ..train.run_dir import TOKENIZER

    file = adapter / lora.ADAPTER if adapter.is_dir() else adapter
    if not file.is_file():
        raise FileNotFoundError(
            f"there are no adapters at {file}: give the --out folder of `minitorch finetune --lora`."
        )
    loaded, adapters = load_run(run), lora.load_adapters(file)
    model = lora.merge(lora.attach(loaded.model, adapters))
    beside = file.parent / TOKENIZER
    tokenizer = load_tokenizer(beside) if beside.is_file() else loaded.tokenizer
    if tokenizer.vocab_size != model.config.vocab:
        raise ValueError(
            f"the tokenizer has {tokenizer.vocab_size} ids and the merged model {model.config.vocab}: keep"
            f" {TOKENIZER} of the fine-tuning run beside {lora.ADAPTER}."
        )
    save_run(out, run, model, tokenizer, origin=f"Merged with {len(adapters)} adapters from `{file.parent}`")
    print(f"final parameters={paths.count(model)} adapters={len(adapters)}")
