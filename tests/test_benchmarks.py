"""Benchmarks are run by hand and seldom; what they ask of the library must still be there."""

from pathlib import Path

import numpy as np

SMALL = dict(vocab=11, context=8, layers=1, heads=2, width=8, batch=2, steps=2)


def test_the_step_that_is_measured_is_the_librarys(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1])
    from benchmarks.train_step import jax_step, minitorch_step

    ours, facts = minitorch_step(SMALL, cores=1)
    theirs, _ = jax_step(SMALL)
    np.testing.assert_allclose([ours(), ours()], [theirs(), theirs()], rtol=1e-4)
    assert facts["memory"] > 0
