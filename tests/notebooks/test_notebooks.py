"""`minitorch course verify` as tests: a failure names the notebook, the exercise and the mistake."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

import minitorch
from minitorch_course.author.jit_cache import environment
from minitorch_course.author.layout import CourseLayout
from minitorch_course.author.lint import AuthoringError
from minitorch_course.author.mutate import mutants, problems_of_mutant
from minitorch_course.author.runner import Runner
from minitorch_course.author.source import parse_source, read_source
from minitorch_course.author.verify import differences, failures_of_reference, points_of_empty_notebook
from minitorch_course.author.wrong_answers import problems_of_wrong_answer, read_wrong_answers

LAYOUT = CourseLayout(Path(minitorch.__file__).parents[1])
NAMES = LAYOUT.names()


def read(name):
    """Return a notebook and its wrong answers; None and an empty list if they cannot be read, which has its own test.

    Mistakes of the source have their own test, too: finding them takes most of the time.
    """
    try:
        notebook = parse_source(LAYOUT.source(name))
        return notebook, read_wrong_answers(notebook, LAYOUT.wrong_answers(name))
    except AuthoringError:
        return None, []


def inspections(name):
    """Yield the inspections of a notebook: functions that take a runner and return the problems."""
    notebook, answers = READ[name]
    if notebook is None:
        return
    yield pytest.param(name, failures_of_reference, id=f"{name}: the reference earns full marks")
    yield pytest.param(name, points_of_empty_notebook, id=f"{name}: an empty notebook earns nothing")
    for answer in answers:
        yield pytest.param(
            name, partial(problems_of_wrong_answer, answer), id=f"{name}: {answer.exercise}: {answer.says}"
        )
    for exercise in notebook.of("exercise"):
        every_mutant = partial(problems_of_mutants, exercise)
        yield pytest.param(name, every_mutant, id=f"{name}: {exercise.name}: mutants")


def problems_of_mutants(exercise, runner):
    return [line for mutant in mutants(exercise) for line in problems_of_mutant(exercise, mutant, runner)]


READ = {name: read(name) for name in NAMES}


@pytest.fixture(scope="module")
def runner_of():
    """`runner_of(name)` grades a notebook. There is one at a time, since each is a process that holds JAX."""
    current = {}

    def runner_of(name):
        if name not in current:
            close()
            current[name] = Runner(READ[name][0], limit=300)
        return current[name]

    def close():
        while current:
            current.popitem()[1].close()

    yield runner_of
    close()


@pytest.mark.parametrize("name", NAMES)
def test_the_source_can_be_built_and_the_committed_notebooks_are_built_from_it(name):
    notebook = read_source(LAYOUT.source(name))
    read_wrong_answers(notebook, LAYOUT.wrong_answers(name))
    assert list(differences(LAYOUT, notebook)) == []


@pytest.mark.slow
@pytest.mark.parametrize(("name", "inspect"), [case for name in NAMES for case in inspections(name)])
def test_there_are_no_problems(name, inspect, runner_of):
    assert inspect(runner_of(name)) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("--nbval-lax", NAMES[0]),
        *(pytest.param("--nbval", name, marks=pytest.mark.costly) for name in reversed(NAMES)),
    ],
)
def test_plain_nbval_is_green(option, name, outside):
    """As an instructor types it; lax looks at less, so one notebook shows that it works."""
    command = [sys.executable, "-m", "pytest", option, f"notebooks/{name}.ipynb", "-p", "no:cacheprovider", "-n0"]
    done = subprocess.run(
        command, cwd=LAYOUT.root, env=environment(outside), capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout[-5000:]
