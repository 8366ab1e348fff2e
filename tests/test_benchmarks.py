"""Benchmarks are run by hand and rarely; these tests keep what they use of the library, and how they report."""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
SMALL = dict(vocab=11, context=8, layers=1, heads=2, width=8, batch=2, steps=2)
MODULES = sorted(path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py") if path.stem not in ("harness", "peers"))


@pytest.fixture
def benchmark(monkeypatch):
    """`benchmark(name)` imports a module of `benchmarks`."""
    monkeypatch.syspath_prepend(ROOT)
    return lambda name: importlib.import_module(f"benchmarks.{name}")


def test_the_measured_step_is_that_of_the_library(benchmark):
    train_step = benchmark("train_step")
    ours, facts = train_step.minitorch_step(SMALL, cores=1)
    theirs, _ = train_step.jax_step(SMALL)
    np.testing.assert_allclose([ours(), ours()], [theirs(), theirs()], rtol=1e-4)
    assert facts["memory"] > 0


def test_spread_is_the_median_with_the_middle_half_and_a_single_value_has_none(benchmark):
    harness = benchmark("harness")
    assert harness.spread([1.234]) == "1.23"
    assert harness.spread([1500.4], " tokens", ",.0f") == "1,500 tokens"
    assert harness.spread([2.0, 1.0], "x") == "1.5 (1.25-1.75)x"
    assert harness.spread([5.0, 1.0, 3.0, 2.0, 4.0]) == "3 (2-4)"
    assert harness.describe_rounds(1) == "a single round"
    assert harness.describe_rounds(3) == "median (middle half) of 3 rounds"


def one_round(module, monkeypatch, ready):
    """Replace the contestants of `module`: each is ready with `ready` and takes half a second, in a single round."""
    monkeypatch.setattr(module, "take_turns", lambda _, names, settings, rounds: dict.fromkeys(names, (ready, [0.5])))


def page_of_bpe(module, monkeypatch):
    tasks = module.make_texts()
    monkeypatch.setattr(module, "equal_merges", lambda text: 1000)
    monkeypatch.setattr(module, "make_texts", lambda: tasks)
    return module.report([{c: {t: (0.5, 7) for t in (module.TRAIN, *tasks)} for c in module.CONTESTANTS}])


def page_of_compress(module, monkeypatch):
    one_round(module, monkeypatch, {"bytes": 100, "tokens": 60, "largest": 4096, "steps": ["dot"]})
    return written_page(module, monkeypatch, 1)


def page_of_distill(module, monkeypatch):
    measured = ("2 and 1", [40.0], {name: [30.0] for name in module.RECIPES}, [20.0])
    monkeypatch.setattr(module, "measure", lambda folder, seeds: measured)
    monkeypatch.setattr("minitorch.train.use_cpu_cores", lambda **options: 1)
    return written_page(module, monkeypatch, 1)


def page_of_generate(module, monkeypatch):
    one_round(module, monkeypatch, {"first": 1.0})
    monkeypatch.setattr(module, "agreement", lambda batch, facts: "All contestants generate the same tokens.")
    return written_page(module, monkeypatch, 1)


def page_of_grading(module, monkeypatch):
    notebook = module.read_source(module.CourseLayout(ROOT).source(module.NAME))
    return module.report(
        notebook, module.make_class(notebook, 10), {name: [50.0] for name in module.CONTESTANTS}, [0.9], set()
    )


def page_of_quality(module, monkeypatch):
    for name in ("train_minitorch", "train_torch"):
        monkeypatch.setattr(module, name, lambda *arguments: 1.5)
    monkeypatch.setattr(module, "characters", lambda source: (np.zeros(9), np.zeros(9), 3, "a text"))
    monkeypatch.setattr("minitorch.train.devices.use_cpu_cores", lambda: 1)
    return written_page(module, monkeypatch, "stdlib", 1)


def page_of_train_step(module, monkeypatch):
    one_round(module, monkeypatch, {"compile": 1.0, "memory": 1e6, "loss": 2.0})
    return written_page(module, monkeypatch, 1)


def written_page(module, monkeypatch, *arguments):
    pages = []
    monkeypatch.setattr(module, "write_page", lambda file, page: pages.append(page))
    module.main(*arguments)
    return pages[-1]


@pytest.mark.parametrize("name", MODULES)
def test_a_page_of_a_single_round_has_no_ranges_and_says_so(benchmark, monkeypatch, name):
    page = globals()[f"page_of_{name}"](benchmark(name), monkeypatch)
    assert page.startswith("# ")
    assert re.search(r"a single round|for 1 seed\b", page)
    cells = [cell for line in page.splitlines() if line.startswith("|") for cell in line.split("|")]
    assert not [cell for cell in cells if re.search(r"\(\d[\d.,e+]*-\d", cell)]
    assert not [cell for cell in cells if re.search(r"% to ", cell)]
