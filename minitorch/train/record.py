"""The record of a run, `config.json`: its settings, its provenance, and the SHA-256 of its other files.

The record vouches for itself, too: its last line is the SHA-256 of the rest. So a byte that changed on a disk or in a
copy is an error that names the file, and never another model.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .._files import atomic_write
from .._suggest import did_you_mean_path
from .config import RunConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

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
FILES = (TOKENIZER, STRUCTURE, DATASHEET, METRICS, PLOT, CARD)  # all but the trained weights, which a task names
DRAFTS = (DATASHEET, CARD)  # People complete them, so a change is a warning.
NOT_NEEDED = (*DRAFTS, METRICS, PLOT)  # to load the model
PARTS, HASHES = {"config", "provenance"}, {"files", "sha256"}


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
    files: dict[str, str] | None  # SHA-256 by file name; None in a run of an older version

    @property
    def finished(self) -> bool:
        """Whether the run has written its weights; always false for a run of an older version."""
        return not set(self.files or ()) <= set(FILES)


def software_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages on which the weights depend."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def write_record(folder: Path, record: Record) -> None:
    """Write `config.json`, and create `folder` if it does not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    parts: dict[str, Any] = {name: dataclasses.asdict(getattr(record, name)) for name in ("config", "provenance")}
    text = _dumps(parts) if record.files is None else _sealed(parts | {"files": record.files})
    atomic_write(folder / CONFIG, text)


def record_hashes(folder: Path, record: Record, names: Iterable[str] = FILES) -> Record:
    """Write `record` with the SHA-256 of those of the named files that are in `folder`, and return it."""
    files = {name: _sha256(folder / name) for name in names if (folder / name).is_file()}
    record = record._replace(files=files)
    write_record(folder, record)
    return record


def read_record(folder: str | Path) -> Record:
    """Read the `config.json` that `write_record` wrote.

    Raises:
      FileNotFoundError: there is no run in `folder`.
      ValueError: `config.json` cannot be read, or was changed.
    """
    path = Path(folder) / CONFIG
    if not path.is_file():
        advice = f"Give the --out folder of a run.{did_you_mean_path(path.parent)}"
        raise FileNotFoundError(f"there is no run in {folder}: it has no {CONFIG}. {advice}")
    try:
        text = path.read_bytes().decode()
        parts = json.loads(text)
        if set(parts) not in (PARTS, PARTS | HASHES):
            raise KeyError(f"it has the parts {', '.join(parts)}")
        record = Record(RunConfig(**parts["config"]), Provenance(**parts["provenance"]), parts.get("files"))
        sealed = record.files is None or text == _sealed(parts)
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"cannot read {path} ({error}): it was changed, or written by another version. Restore it, or train again."
        ) from error
    if not sealed:
        raise ValueError(
            f"{path} was changed after the run wrote it: its content does not have the SHA-256 in its last line,"
            f" {parts['sha256'][:12]}.... Restore it from a copy; if you changed it on purpose, delete its parts"
            ' "files" and "sha256", and no file of the run is checked any more.'
        )
    return record


def check_files(folder: Path, record: Record, *, resuming: bool = False) -> None:
    """Check that the files of a run are those that it wrote; if `resuming`, missing ones are written again.

    Warn if the run is of a version that recorded no hashes, or if a text that people complete has changed.

    Raises:
      FileNotFoundError: a file that the model needs is missing.
      ValueError: a file was changed.
    """
    if record.files is None:
        warnings.warn(
            f"the run in {folder} is of an older version, which recorded no SHA-256 of its files: a file that was"
            " damaged since would not be noticed.",
            stacklevel=3,
        )
        return
    for name, expected in record.files.items():
        path = folder / name
        if not path.is_file():
            if not resuming and name not in NOT_NEEDED:
                raise FileNotFoundError(
                    f"{path} is missing, and the run wrote it: restore it from a copy (SHA-256 {expected[:12]}...), or"
                    " resume the run, which writes it again."
                )
        elif (found := _sha256(path)) != expected:
            differs = f"{path} is not as the run wrote it: its SHA-256 is {found[:12]}..., and was {expected[:12]}...."
            if name not in DRAFTS:
                raise ValueError(
                    f"{differs} It is damaged, or belongs to another run: restore it from a copy, or delete it and"
                    " resume the run, which writes it again."
                )
            warnings.warn(
                f'{differs} If you completed it, delete its line under "files" in {CONFIG}; otherwise restore it.',
                stacklevel=3,
            )


def _sealed(parts: dict[str, Any]) -> str:
    """Return the text of `parts`, with their SHA-256 as its last line; it leaves out the texts that people complete."""
    files = {name: digest for name, digest in parts["files"].items() if name not in DRAFTS}
    sealed = _dumps({"config": parts["config"], "provenance": parts["provenance"], "files": files})
    return _dumps(parts | {"sha256": hashlib.sha256(sealed.encode()).hexdigest()})


def _dumps(parts: dict[str, Any]) -> str:
    return json.dumps(parts, indent=2, ensure_ascii=False) + "\n"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
