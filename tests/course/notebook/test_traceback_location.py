import contextlib
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minitorch
from minitorch_course.notebook.traceback_location import describe_variable, is_library


@pytest.mark.parametrize(
    ("filename", "library"),
    [
        (json.__file__, True),
        (contextlib.__file__, True),
        (jax.__file__, True),
        (minitorch.__file__, True),
        ("/home/a/.local/lib/python3.12/site-packages/x/y.py", True),
        ("/usr/lib/python3/dist-packages/x.py", True),
        ("<frozen importlib._bootstrap>", True),
        ("<softmax>", False),
        ("/tmp/ipykernel_7/123.py", False),
        ("/home/a/my minitorch-course/helpers.py", False),
    ],
)
def test_students_files_are_distinguished_from_installed_ones(filename, library):
    assert is_library(filename) == library


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (jnp.ones((2, 3)), "float32 (2, 3)"),
        (np.arange(2), "int64 (2,)"),
        (3, "3"),
        (None, "None"),
        ("axis", "'axis'"),
        ((3, 4), "(3, 4)"),
        ([1.0] * 9, "a list of 9"),
        ((jnp.ones(2), 1), "a tuple of 2"),
        ({"a": 1}, "a dict of 1"),
        (print, ""),
        (np, ""),
        (iter([]), "a list_iterator"),
    ],
)
def test_a_variable_is_described_in_a_few_words(value, text):
    assert describe_variable(value) == text
