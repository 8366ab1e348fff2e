"""`minitorch merge`: add trained adapters to the weights of their base model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from .derived_run import load
from .options import option


def merge(
    run: Annotated[Path, option("Folder of the run that was fine-tuned.")],
    adapter: Annotated[Path, option("Folder of the fine-tuning run, or its adapter.safetensors.")],
    out: Annotated[Path, option("Folder for the merged run; it must be empty or new.")],
) -> None:
    """Merge adapters into their base model. The result is a run like any other."""
    from ..finetune import lora
    from ..nn import paths
    from ..text import load_tokenizer
    from ..train import save_run
    from ..train.record import TOKENIZER

    file = adapter / lora.ADAPTER if adapter.is_dir() else adapter
    if not file.is_file():
        raise FileNotFoundError(
            f"there are no adapters at {file}: give the --out folder of `minitorch finetune --lora`."
        )
    loaded, adapters = load(run), lora.load_adapters(file)
    model = lora.merge(lora.attach(loaded.model, adapters))
    own = file.parent / TOKENIZER
    tokenizer = load_tokenizer(own) if own.is_file() else loaded.tokenizer
    if tokenizer.vocab_size != model.config.vocab:
        raise ValueError(
            f"the tokenizer has {tokenizer.vocab_size} ids, but the merged model has {model.config.vocab}: keep"
            f" {TOKENIZER} of the fine-tuning run next to {lora.ADAPTER}."
        )
    save_run(out, run, model, tokenizer, origin=f"Merged with {len(adapters)} adapters from `{file.parent}`")
    print(f"final parameters={paths.count(model)} adapters={len(adapters)}")
