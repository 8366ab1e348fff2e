"""What do we learn from? Real text and pictures with no download, checked, split, and drawn in seeded batches.

Read in this order: `digits` and `corpus` (with `readers` and `stdlib` behind it) get the data; `validate` (with
`problems` and `leakage`) refuses what would make a run lie; `batches` feeds the training step; `synthetic` makes tasks
with known answers; `datasheet` writes down what the data is.
"""

from .batches import epochs, evaluation_windows, sample_batch, sample_starts, step_key, token_array, windows
from .corpus import Corpus, load_text, split
from .datasheet import datasheet
from .digits import load_digits, stratified_split
from .problems import DataError, Problem, ValidationReport
from .readers import read_jsonl
from .synthetic import copying, modular_addition, moons, reversing, spirals, xor
from .validate import check, deduplicate, validate

__all__ = [
    "Corpus",
    "DataError",
    "Problem",
    "ValidationReport",
    "check",
    "copying",
    "datasheet",
    "deduplicate",
    "epochs",
    "evaluation_windows",
    "load_digits",
    "load_text",
    "modular_addition",
    "moons",
    "read_jsonl",
    "reversing",
    "sample_batch",
    "sample_starts",
    "spirals",
    "split",
    "step_key",
    "stratified_split",
    "token_array",
    "validate",
    "windows",
    "xor",
]
