"""A run is a folder: how to start, resume, save and load it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax

from .._files import atomic_write
from ..nn import paths
from ..text import Tokenizer, load_tokenizer
from . import checkpoint
from .config import RunConfig, make_layout
from .layout import usable_devices
from .model_structure import abstract_model, check_like, write_structure
from .record import (
    CARD,
    CHECKPOINTS,
    CONFIG,
    DATASHEET,
    FILES,
    METRICS,
    PLOT,
    STRUCTURE,
    TOKENIZER,
    WEIGHTS,
    Provenance,
    Record,
    check_files,
    read_record,
    record_hashes,
    write_record,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..models import Transformer
    from .prepare import Prepared

UNFINISHED = ".unfinished"  # holds the files of a derived run until all are written; hidden, so that a retry can start


class LoadedRun(NamedTuple):
    """A trained model, ready to use."""

    config: RunConfig
    model: Transformer
    tokenizer: Tokenizer
    step: int  # completed updates


def save_run(
    folder: Path,
    parent: Path,
    model: Transformer,
    tokenizer: Tokenizer,
    *,
    origin: str,
    config: RunConfig | None = None,
    parameters: int | None = None,
) -> None:
    """Write a finished run whose model was derived from another run: pruned, quantized or merged.

    The run appears with its record, at the end: if anything fails, `folder` is as free as it was.

    Args:
      folder: the folder of the new run.
      parent: the run from which the model was derived; its settings, datasheet, plot and card are copied.
      model: the model.
      tokenizer: its tokenizer.
      origin: how the model was derived, such as "Pruned", for its card.
      config: the settings, if they differ from those of the parent.
      parameters: the number of parameters, if it differs from the number of array entries (two may share a byte).

    Raises:
      FileExistsError: `folder` is not empty.
      FileNotFoundError: there is no run in `parent`.
      ValueError: the run in `parent` cannot be read, or is damaged.
    """
    check_out_is_free(folder)
    before = read_record(parent)
    check_files(parent, before)
    parameters = parameters or paths.count(model)
    provenance = dataclasses.replace(before.provenance, parameters=parameters, vocab=tokenizer.vocab_size)
    record = Record(config or before.config, provenance, {})
    with _all_at_once(folder) as partial:
        write_structure(partial, record, model)
        tokenizer.save(partial / TOKENIZER)
        for name in (DATASHEET, PLOT):
            if (parent / name).is_file():
                atomic_write(partial / name, (parent / name).read_bytes())
        if (parent / CARD).is_file():
            title, _, rest = (parent / CARD).read_text(encoding="utf-8").partition("\n")
            note = (
                f"> {origin}: {provenance.parameters:,} parameters. The rest of this card describes the run from which"
                f" the model was derived, `{parent}`.\n> Measure this model: `minitorch evaluate --run DIR --data"
                " FILE`.\n"
            )
            atomic_write(partial / CARD, f"{title}\n\n{note}{rest}")
        paths.save_safetensors(model, partial / WEIGHTS)
        record_hashes(partial, record, (*FILES, WEIGHTS))


@contextlib.contextmanager
def _all_at_once(folder: Path) -> Iterator[Path]:
    """Yield a hidden folder inside `folder`; at the end, move its files to `folder`, the record last."""
    new, partial = not folder.exists(), folder / UNFINISHED
    shutil.rmtree(partial, ignore_errors=True)  # that a killed process left
    partial.mkdir(parents=True)
    try:
        yield partial
        for path in sorted(partial.iterdir(), key=lambda path: path.name == CONFIG):
            os.replace(path, folder / path.name)
    finally:
        shutil.rmtree(partial)
        if new and not any(folder.iterdir()):
            folder.rmdir()


@contextlib.contextmanager
def removed_unless_saved(out: Path) -> Iterator[None]:
    """Remove the files of a new run that fails before its first checkpoint: the folder must not refuse the retry."""
    new = not out.exists()
    try:
        yield
    except BaseException:
        if not checkpoint.steps(out / CHECKPOINTS):
            shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
            for name in (*FILES, CONFIG):
                (out / name).unlink(missing_ok=True)
            if new and out.is_dir() and not any(out.iterdir()):
                out.rmdir()
        raise


def check_out_is_free(out: Path) -> None:
    """Raise FileExistsError if `out` holds a run or any other files."""
    if (out / CONFIG).is_file():
        raise FileExistsError(f"there is a run in {out} already: resume it, or choose another folder.")
    if out.exists() and (not out.is_dir() or any(not p.name.startswith(".") for p in out.iterdir())):
        raise FileExistsError(f"{out} is not an empty folder: choose another one for the run.")


def load_for_resume(out: Path, config: RunConfig) -> Record:
    """Return the record of the run in `out`.

    Raises:
      FileNotFoundError: there is no run in `out`.
      ValueError: settings in `config` differ from its own; the message names them.
    """
    record = read_record(out)
    before, now = dataclasses.asdict(record.config), dataclasses.asdict(config)
    if differ := [f"{name} is {now[name]!r} and was {before[name]!r}" for name in before if now[name] != before[name]]:
        raise ValueError(
            f"cannot resume {out} with other settings: {', '.join(differ)}. Leave these out, or start a new run in"
            " another folder."
        )
    return record


def begin(out: Path, config: RunConfig, record: Record | None, model: Any, prepared: Prepared) -> Record:
    """Write the record and the first files of a new run, or check those of a resumed one; return the record."""
    provenance = prepared.provenance(model)
    if record:
        check_provenance(record.provenance, provenance)
    else:
        record = Record(config, provenance, {})
        write_record(out, record)  # From here on, the run can be resumed.
    if not (out / TOKENIZER).is_file():
        prepared.tokenizer.save(out / TOKENIZER)
    if not (out / STRUCTURE).is_file():
        write_structure(out, record, model)
    if not (out / DATASHEET).is_file():
        atomic_write(out / DATASHEET, prepared.datasheet())
    if record.files:
        check_files(out, record, resuming=True)  # What was written again must be the same.
    return record_hashes(out, record, (TOKENIZER, STRUCTURE, DATASHEET))


def check_provenance(before: Provenance, now: Provenance) -> None:
    """Check that a run is resumed on the data and devices with which it started.

    Warn about other versions or another kind of device: the weights may then differ in the last bits.

    Raises:
      ValueError: the data has changed, or there are too few devices.
    """
    if now.data_sha256 != before.data_sha256:
        raise ValueError(
            f"the data has changed since the run started (SHA-256 {now.data_sha256[:12]}..., was"
            f" {before.data_sha256[:12]}...): restore the old text, or start a new run in another folder."
        )
    if now.devices < before.devices:
        raise ValueError(
            f"the run started on {before.devices} devices, but there are only {now.devices}: resume it on as many."
            f" For CPU cores, call train.use_cpu_cores({before.devices}) before anything else."
        )
    versions = {name: (old, now.versions.get(name)) for name, old in before.versions.items()}
    changed = [f"{name} {new}, not {old}" for name, (old, new) in versions.items() if new != old]
    if now.device != before.device:
        changed.append(f"{now.device}, not {before.device}")
    if changed:
        warnings.warn(f"resuming with {', '.join(changed)}: the weights may differ in the last bits.", stacklevel=2)


def is_complete(folder: Path, record: Record) -> bool:
    """Return whether the run is finished, with all files. Raises FileNotFoundError if it is, without its metrics."""
    finished = record.finished if record.files is not None else (folder / WEIGHTS).is_file()
    if finished and not (folder / METRICS).is_file():
        raise FileNotFoundError(f"{folder / METRICS} is missing, and the run is finished: restore it from a copy.")
    return finished and all((folder / name).is_file() for name in record.files or ())


def load_run(folder: str | Path, like: Any = None) -> LoadedRun:
    """Load the model and tokenizer of a run: the final weights, or those of the last checkpoint of an unfinished run.

    Args:
      folder: the folder of the run.
      like: a model of the same structure, or its shapes (`jax.eval_shape`), if the run's has classes of your own.

    Raises:
      FileNotFoundError: there is no run, one of its files is missing, or it has no checkpoint yet.
      ValueError: one of its files is damaged, or `like` is another model.
    """
    folder = Path(folder)
    record = read_record(folder)
    check_files(folder, record)
    if like is None:
        like = abstract_model(folder, record)
    else:
        check_like(folder, record, like)
    if WEIGHTS in record.files if record.files is not None else (folder / WEIGHTS).is_file():
        step, model = record.config.steps, paths.unflatten(like, paths.load_safetensors(folder / WEIGHTS))
    else:
        step, model = _from_checkpoint(folder, record, like)
    return LoadedRun(record.config, jax.tree.map(jax.numpy.asarray, model), load_tokenizer(folder / TOKENIZER), step)


def _from_checkpoint(folder: Path, record: Record, like: Any) -> tuple[int, Transformer]:
    config, saved = record.config, checkpoint.steps(folder / CHECKPOINTS)
    if not saved:
        raise FileNotFoundError(
            f"the run in {folder} has no checkpoint yet: wait for step {config.checkpoint_every}, or resume it."
        )
    arrays = checkpoint.restore(folder / CHECKPOINTS, saved[-1])
    weights = {name.removeprefix("weights."): x for name, x in arrays.items() if name.startswith("weights.")}
    layout = make_layout(config, like, usable_devices(config.batch, record.provenance.devices))
    try:
        packed = paths.unflatten(jax.eval_shape(layout.pack, like), weights)
    except ValueError as error:
        raise ValueError(
            f"the run in {folder} does not train the whole model: resume it if it is not finished, or merge its"
            " adapters into the base model."
        ) from error
    if record.files is None and saved[-1] == config.steps:
        raise FileNotFoundError(f"{folder / WEIGHTS} is missing from a finished run: resume it, which writes it again.")
    return saved[-1], layout.unpack(packed)
