"""The structure of a run's model: `structure.json`, if the settings do not describe it, or a model of the caller's."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import jax

from .._files import atomic_write
from ..nn import structure
from .record import STRUCTURE, Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def write_structure(folder: Path, record: Record, model: Any) -> None:
    """Write `structure.json` if `model` differs from the model that `record` describes: pruned or quantized.

    Warn if it has classes that are not of this package, which `load_run` does not create.
    """
    described = jax.eval_shape(lambda: record.config.init_model(record.provenance.vocab))
    if jax.tree.structure(described) == jax.tree.structure(model) and _shapes(described) == _shapes(model):
        return
    try:
        description = structure.to_json(model)
        atomic_write(folder / STRUCTURE, json.dumps(description) + "\n")
        structure.from_json(description)
    except (ValueError, TypeError, AttributeError) as error:
        warnings.warn(
            f"this model can be trained and saved, but load_run cannot create it again ({error.__cause__ or error})."
            f" Keep its code, and load it with train.load_run({str(folder)!r}, like=model), where `model` has the same"
            " structure.",
            stacklevel=2,
        )


def _shapes(model: Any) -> list[tuple[Any, str]]:
    return [(leaf.shape, str(leaf.dtype)) for leaf in jax.tree.leaves(model)]


def abstract_model(folder: Path, record: Record) -> Any:
    """Return the model of a run as shapes and dtypes. Raises ValueError if its `structure.json` cannot be read."""
    if not (folder / STRUCTURE).is_file():
        return jax.eval_shape(lambda: record.config.init_model(record.provenance.vocab))
    try:
        return structure.from_json(_read_structure(folder))
    except ValueError as error:
        raise ValueError(
            f"cannot read {folder / STRUCTURE}: {error} If the model has classes of your own, give one of the same"
            " structure: load_run(folder, like=model)."
        ) from error


def _read_structure(folder: Path) -> Any:
    return json.loads((folder / STRUCTURE).read_text(encoding="utf-8"))


def check_like(folder: Path, record: Record, like: Any) -> None:
    """Raise ValueError if `like` is another model than that of the run, as far as its structure was written."""
    try:
        has_own = (folder / STRUCTURE).is_file()
        written = _read_structure(folder) if has_own else structure.to_json(abstract_model(folder, record))
        given = structure.to_json(like)
    except (TypeError, AttributeError):
        return  # It has settings that JSON cannot hold: the shapes alone are compared.
    for path, (a, b) in _differences(written, given):
        place = path.replace("parts.", "") or "the root"
        raise ValueError(
            f"`like` is not the model of the run in {folder}: at {place} it has {b}, and the run has {a}."
            " Create it with the classes and settings with which the run was trained."
        )


def _differences(a: Any, b: Any, path: str = "") -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield the places where two descriptions differ; the module of a class does not count, because code moves."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        for name in a:
            yield from _differences(a[name], b[name], f"{path}.{name}".strip("."))
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, pair in enumerate(zip(a, b, strict=True)):
            yield from _differences(*pair, f"{path}.{i}")
    elif path.rpartition(".")[2] == structure.CLASS and isinstance(a, str) and isinstance(b, str):
        if a.rpartition(".")[2] != b.rpartition(".")[2]:
            yield path, (a, b)
    elif a != b:
        yield path, (a, b)
