"""Data: real text and images without a download, validated, split, and sampled in seeded batches.

Read in this order: `digits` and `corpus` (with `readers` and `stdlib`) load data; `validate` (with `problems` and
`leakage`) rejects data that would make a run's results wrong; `batches` feeds the training step; `synthetic` generates
tasks with known answers; `datasheet` documents a corpus.
"""

from .batches import epochs, evaluation_windows, sample_batch, sample_starts, step_key, token_array, windows
from .corpus import Corpus, load_text, split
from .datasheet import datasheet
from .digits import load_digits, stratified_split
from .problems import DataError, Problem, ValidationReport
from .readers import read_jsonl
from .synthetic import copying, modular_addition, moons, reversing, spirals, xor
from .validate import deduplicate, find_problems, validate

__all__ = [
    "Corpus",
    "DataError",
    "Problem",
    "ValidationReport",
    "copying",
    "datasheet",
    "deduplicate",
    "epochs",
    "evaluation_windows",
    "find_problems",
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
