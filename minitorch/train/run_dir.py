"""A run is a folder: what is written down about it, and how to open it again."""

from __future__ import annotations

import dataclasses
import json
import platform
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import jax

from .._files import atomic_write
from ..models import Transformer
from ..nn import paths, structure
from ..text import Tokenizer, load_tokenizer
from . import checkpoint
from .config import RunConfig, make_layout
from .layout import CARD, CHECKPOINTS, CONFIG, DATASHEET, PLOT, STRUCTURE, TOKENIZER, WEIGHTS
from .prepare import Prepared
from .step import usable_devices

PACKAGES = ("minitorch-course", "jax", "jaxlib", "numpy")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Facts:
    """What a run found: with the settings, all that is needed to repeat it."""

    data_sha256: str
    train_tokens: int
    validation_tokens: int
    vocab: int
    parameters: int
    devices: int
    device: str
    versions: dict[str, str]


class Record(NamedTuple):
    """The content of `config.json`."""

    config: RunConfig
    facts: Facts


class LoadedRun(NamedTuple):
    """A trained model, ready to use."""

    config: RunConfig
    model: Transformer
    tokenizer: Tokenizer
    step: int  # updates that the weights have seen


def find_facts(prepared: Prepared, model: Transformer) -> Facts:
    """The facts of a run that begins here and now."""
    devices = jax.devices()
    return Facts(
        data_sha256=prepared.corpus.sha256,
        train_tokens=prepared.train.size,
        validation_tokens=prepared.validation.size,
        vocab=prepared.tokenizer.vocab_size,
        parameters=paths.count(model),
        devices=len(devices),
        device=devices[0].device_kind,
        versions={"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
    )


def write_record(folder: Path, record: Record) -> None:
    """Write `config.json`, into a new folder if there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {name: dataclasses.asdict(part) for name, part in record._asdict().items()}
    atomic_write(folder / CONFIG, json.dumps(parts, indent=2, ensure_ascii=False) + "\n")


def write_structure(folder: Path, record: Record, model: Transformer) -> None:
    """Write `structure.json` if `model` is not what the settings in `record` make: pruned, say, or quantized."""
    made = jax.eval_shape(lambda: record.config.init_model(record.facts.vocab))
    if jax.tree.structure(made) != jax.tree.structure(model) or _shapes(made) != _shapes(model):
        atomic_write(folder / STRUCTURE, json.dumps(structure.describe(model)) + "\n")


def _shapes(model: Any) -> list[tuple[Any, str]]:
    return [(leaf.shape, str(leaf.dtype)) for leaf in jax.tree.leaves(model)]


def shapes_of_model(folder: Path, record: Record) -> Any:
    """The model of a run as shapes without values. Raises ValueError if its `structure.json` cannot be read."""
    if not (folder / STRUCTURE).is_file():
        return jax.eval_shape(lambda: record.config.init_model(record.facts.vocab))
    try:
        return structure.build(json.loads((folder / STRUCTURE).read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(f"cannot read {folder / STRUCTURE}: {error}") from error


def save_run(
    folder: Path,
    parent: Path,
    model: Transformer,
    tokenizer: Tokenizer,
    *,
    made: str,
    config: RunConfig | None = None,
    parameters: int | None = None,
) -> None:
    """Write a finished run of a model that came about otherwise than by training: pruned, say, quantized, or merged.

    Settings, datasheet and card are those of the run `parent`; the card says that they are, and how the model was
    `made` of it. The weights come last: without them nothing takes the folder for a whole run.

    Args:
      config: the settings, where they are no longer those of the parent.
      parameters: how many the model has, where that is not the number of its arrays' entries: two may be in one byte.

    Raises:
      FileExistsError: there is something in `folder` already.
      FileNotFoundError, ValueError: there is no run in `parent`, or it cannot be read.
    """
    refuse_existing(folder)
    before = read_record(parent)
    facts = dataclasses.replace(before.facts, parameters=parameters or paths.count(model), vocab=tokenizer.vocab_size)
    record = Record(config or before.config, facts)
    write_record(folder, record)
    write_structure(folder, record, model)
    tokenizer.save(folder / TOKENIZER)
    for name in (DATASHEET, PLOT):
        if (parent / name).is_file():
            atomic_write(folder / name, (parent / name).read_bytes())
    if (parent / CARD).is_file():
        title, _, rest = (parent / CARD).read_text(encoding="utf-8").partition("\n")
        note = (
            f"> {made}: {facts.parameters:,} parameters. What follows describes the run it was made from, `{parent}`.\n"
        )
        measure = "> Measure this one: `minitorch evaluate --run DIR --data FILE`.\n"
        atomic_write(folder / CARD, f"{title}\n\n{note}{measure}{rest}")
    paths.save_safetensors(model, folder / WEIGHTS)


def read_record(folder: str | Path) -> Record:
    """What `write_record` wrote.

    Raises:
      FileNotFoundError: `folder` holds no run.
      ValueError: its `config.json` is no such record.
    """
    path = Path(folder) / CONFIG
    if not path.is_file():
        raise FileNotFoundError(f"there is no run in {folder}, for it has no {CONFIG}: give the --out folder of a run.")
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))
        return Record(RunConfig(**parts["config"]), Facts(**parts["facts"]))
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"cannot read {path} ({error}): it was changed, or written by another version; restore it or train again."
        ) from error


def refuse_existing(out: Path) -> None:
    """Raise FileExistsError if a new run in `out` would mix with what is there."""
    if (out / CONFIG).is_file():
        raise FileExistsError(
            f"there is a run in {out} already: go on with it by resuming it, or choose another folder."
        )
    if out.exists() and (not out.is_dir() or any(not p.name.startswith(".") for p in out.iterdir())):
        raise FileExistsError(f"{out} exists and is no empty folder: choose another one for the run.")


def record_to_resume(out: Path, config: RunConfig) -> Record:
    """The record of the run in `out`. Raises ValueError, naming them, if settings in `config` are others."""
    record = read_record(out)
    before, now = dataclasses.asdict(record.config), dataclasses.asdict(config)
    if differ := [f"{name} is {now[name]!r} and was {before[name]!r}" for name in before if now[name] != before[name]]:
        raise ValueError(
            f"cannot resume {out} with other settings: {', '.join(differ)}. Leave these out, or begin a run in another"
            " folder."
        )
    return record


def check_facts(before: Facts, now: Facts) -> None:
    """Is what a run finds when it is resumed what it found at its beginning?

    Raises:
      ValueError: the data is another, or there are too few devices.

    Warns of other versions or another kind of device: the run can go on, but not bit for bit as it would have.
    """
    if now.data_sha256 != before.data_sha256:
        raise ValueError(
            f"the data is not what the run began with (SHA-256 {now.data_sha256[:12]}..., and was"
            f" {before.data_sha256[:12]}...): bring the old text back, or begin a run in another folder."
        )
    if now.devices < before.devices:
        raise ValueError(
            f"the run began on {before.devices} devices, and here are {now.devices}: bring as many."
            f" On CPU cores, call train.use_cpu_cores({before.devices}) before anything else."
        )
    changed = [
        f"{name} {now.versions.get(name)}, not {v}"
        for name, v in before.versions.items()
        if now.versions.get(name) != v
    ]
    if now.device != before.device:
        changed.append(f"{now.device}, not {before.device}")
    if changed:
        warnings.warn(f"resuming with {', '.join(changed)}: the weights may differ in the last bits.", stacklevel=2)


def load_run(folder: str | Path) -> LoadedRun:
    """The model of a run, finished or not, with its tokenizer: of a run under way, as of its last checkpoint.

    Raises:
      FileNotFoundError: there is no run, or it has no checkpoint yet.
      ValueError: a file of it is damaged.
    """
    folder = Path(folder)
    record = config, facts = read_record(folder)
    like = shapes_of_model(folder, record)
    if (folder / WEIGHTS).is_file():
        step, model = config.steps, paths.unflatten(like, paths.load_safetensors(folder / WEIGHTS))
    else:
        step, model = _from_checkpoint(folder, config, facts, like)
    return LoadedRun(config, jax.tree.map(jax.numpy.asarray, model), load_tokenizer(folder / TOKENIZER), step)


def _from_checkpoint(folder: Path, config: RunConfig, facts: Facts, like: Any) -> tuple[int, Transformer]:
    finished = checkpoint.steps(folder / CHECKPOINTS)
    if not finished:
        raise FileNotFoundError(
            f"the run in {folder} has no checkpoint yet: wait for step {config.checkpoint_every}, or resume it."
        )
    arrays = checkpoint.restore(folder / CHECKPOINTS, finished[-1])
    weights = {name.removeprefix("weights."): x for name, x in arrays.items() if name.startswith("weights.")}
    layout = make_layout(config, like, usable_devices(config.batch, facts.devices))
    try:
        packed = paths.unflatten(jax.eval_shape(layout.pack, like), weights)
    except ValueError as error:
        raise ValueError(
            f"the run in {folder} trains something else than the whole model: resume it if it is not finished, or merge"
            " its adapters into the model that it began with."
        ) from error
    return finished[-1], layout.unpack(packed)
