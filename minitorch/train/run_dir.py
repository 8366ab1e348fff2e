"""A run is a folder: the names of its files, its record `config.json`, and how to save and load it."""

from __future__ import annotations

import dataclasses
import json
import platform
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax

from .._files import atomic_write
from ..nn import paths, structure
from ..text import Tokenizer, load_tokenizer
from . import checkpoint
from .config import RunConfig, make_layout
from .layout import usable_devices

if TYPE_CHECKING:
    from ..models import Transformer

CONFIG = "config.json"
METRICS = "metrics.jsonl"
CHECKPOINTS = "checkpoints"
TOKENIZER = "tokenizer.json"
DATASHEET = "datasheet.md"
WEIGHTS = "model.safetensors"
STRUCTURE = "structure.json"  # only of a model that `config.json` does not describe
CARD = "model-card.md"
PLOT = "loss.png"

PACKAGES = ("minitorch-course", "jax", "jaxlib", "numpy")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Provenance:
    """The data, software and hardware of a run: with the settings, all that is needed to repeat it."""

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
    provenance: Provenance


class LoadedRun(NamedTuple):
    """A trained model, ready to use."""

    config: RunConfig
    model: Transformer
    tokenizer: Tokenizer
    step: int  # completed updates


def software_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages on which the weights depend."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def write_record(folder: Path, record: Record) -> None:
    """Write `config.json`, and create `folder` if it does not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {name: dataclasses.asdict(part) for name, part in record._asdict().items()}
    atomic_write(folder / CONFIG, json.dumps(parts, indent=2, ensure_ascii=False) + "\n")


def write_structure(folder: Path, record: Record, model: Transformer) -> None:
    """Write `structure.json` if `model` differs from the model that `record` describes: pruned or quantized."""
    described = jax.eval_shape(lambda: record.config.init_model(record.provenance.vocab))
    if jax.tree.structure(described) != jax.tree.structure(model) or _shapes(described) != _shapes(model):
        atomic_write(folder / STRUCTURE, json.dumps(structure.to_json(model)) + "\n")


def _shapes(model: Any) -> list[tuple[Any, str]]:
    return [(leaf.shape, str(leaf.dtype)) for leaf in jax.tree.leaves(model)]


def abstract_model(folder: Path, record: Record) -> Any:
    """Return the model of a run as shapes and dtypes, without values.

    Raises:
      ValueError: its `structure.json` cannot be read.
    """
    if not (folder / STRUCTURE).is_file():
        return jax.eval_shape(lambda: record.config.init_model(record.provenance.vocab))
    try:
        return structure.from_json(json.loads((folder / STRUCTURE).read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(f"cannot read {folder / STRUCTURE}: {error}") from error


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

    The weights are written last, because a folder without them is not a finished run.

    Args:
      folder: the folder of the new run.
      parent: the folder of the run from which the model was derived; its settings, datasheet, plot and card are copied.
      model: the model.
      tokenizer: its tokenizer.
      origin: how the model was derived, such as "Pruned", for its card.
      config: the settings, if they differ from those of the parent.
      parameters: the number of parameters, if it differs from the number of array entries (two may share a byte).

    Raises:
      FileExistsError: `folder` is not empty.
      FileNotFoundError: there is no run in `parent`.
      ValueError: the run in `parent` cannot be read.
    """
    check_out_is_free(folder)
    before = read_record(parent)
    parameters = parameters or paths.count(model)
    provenance = dataclasses.replace(before.provenance, parameters=parameters, vocab=tokenizer.vocab_size)
    record = Record(config or before.config, provenance)
    write_record(folder, record)
    write_structure(folder, record, model)
    tokenizer.save(folder / TOKENIZER)
    for name in (DATASHEET, PLOT):
        if (parent / name).is_file():
            atomic_write(folder / name, (parent / name).read_bytes())
    if (parent / CARD).is_file():
        title, _, rest = (parent / CARD).read_text(encoding="utf-8").partition("\n")
        note = (
            f"> {origin}: {provenance.parameters:,} parameters. The rest of this card describes the run from which the"
            f" model was derived, `{parent}`.\n> Measure this model: `minitorch evaluate --run DIR --data FILE`.\n"
        )
        atomic_write(folder / CARD, f"{title}\n\n{note}{rest}")
    paths.save_safetensors(model, folder / WEIGHTS)


def read_record(folder: str | Path) -> Record:
    """Read the `config.json` that `write_record` wrote.

    Raises:
      FileNotFoundError: there is no run in `folder`.
      ValueError: `config.json` cannot be read.
    """
    path = Path(folder) / CONFIG
    if not path.is_file():
        raise FileNotFoundError(f"there is no run in {folder}: it has no {CONFIG}. Give the --out folder of a run.")
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))
        return Record(RunConfig(**parts["config"]), Provenance(**parts["provenance"]))
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"cannot read {path} ({error}): it was changed, or written by another version. Restore it, or train again."
        ) from error


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


def check_provenance(before: Provenance, now: Provenance) -> None:
    """Check that a run is resumed on the data and devices with which it started.

    Warn about other package versions or another kind of device: the run can continue, but its weights may differ in
    the last bits.

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
    """Load the model and tokenizer of a run: the final weights, or those of the last checkpoint of an unfinished run.

    Raises:
      FileNotFoundError: there is no run, or it has no checkpoint yet.
      ValueError: one of its files is damaged.
    """
    folder = Path(folder)
    record = config, provenance = read_record(folder)
    like = abstract_model(folder, record)
    if (folder / WEIGHTS).is_file():
        step, model = config.steps, paths.unflatten(like, paths.load_safetensors(folder / WEIGHTS))
    else:
        step, model = _from_checkpoint(folder, config, provenance, like)
    return LoadedRun(config, jax.tree.map(jax.numpy.asarray, model), load_tokenizer(folder / TOKENIZER), step)


def _from_checkpoint(folder: Path, config: RunConfig, provenance: Provenance, like: Any) -> tuple[int, Transformer]:
    finished = checkpoint.steps(folder / CHECKPOINTS)
    if not finished:
        raise FileNotFoundError(
            f"the run in {folder} has no checkpoint yet: wait for step {config.checkpoint_every}, or resume it."
        )
    arrays = checkpoint.restore(folder / CHECKPOINTS, finished[-1])
    weights = {name.removeprefix("weights."): x for name, x in arrays.items() if name.startswith("weights.")}
    layout = make_layout(config, like, usable_devices(config.batch, provenance.devices))
    try:
        packed = paths.unflatten(jax.eval_shape(layout.pack, like), weights)
    except ValueError as error:
        raise ValueError(
            f"the run in {folder} does not train the whole model: resume it if it is not finished, or merge its"
            " adapters into the base model."
        ) from error
    return finished[-1], layout.unpack(packed)
