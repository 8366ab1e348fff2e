"""Fixtures that several tests of the course share."""

import copy
import dataclasses
import json
import os
import random
import sys

import pytest

EXERCISES = {  # name: (points of its hidden tests, the reference's code, messages of wrong answers)
    "topological_order": (
        [1, 1],
        'def topological_order(node):\n    """The nodes that `node` depends on, inputs first."""\n'
        "    order, seen = [], set()\n\n    def visit(n):\n        if id(n) not in seen:\n"
        "            seen.add(id(n))\n            for parent in n.parents:\n"
        "                visit(parent)\n            order.append(n)\n\n    visit(node)\n    return order\n",
        ["A node comes before one of its inputs: append a node after its inputs, not before."],
    ),
    "multiply_rule": (
        [1, 1, 1],
        "def multiply_rule(g, x, y):\n    return g * y, g * x\n",
        ["Each input has the other's gradient: the derivative with respect to x is y, not x."],
    ),
    "unbroadcast": (
        [2, 1, 1],
        "def unbroadcast(g, shape):\n    extra = g.ndim - len(shape)\n    g = g.sum(axis=tuple(range(extra)))\n"
        "    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] > 1)\n"
        "    return g.sum(axis=stretched, keepdims=True)\n",
        [
            "An axis of length 1 has vanished: sum with keepdims=True, so that the gradient keeps its shape.",
            "The new axes in front are still there: sum over them too.",
        ],
    ),
    "matmul_rule": (
        [2, 2],
        "def matmul_rule(g, a, b):\n    return g @ b.T, a.T @ g\n",
        ["The shape is transposed: (4, 3) where (3, 4) was expected."],
    ),
    "softmax": (
        [2, 1],
        "def softmax(x, axis=-1):\n    shifted = x - x.max(axis=axis, keepdims=True)  # so that exp cannot overflow\n"
        "    e = jnp.exp(shifted)\n    return e / e.sum(axis=axis, keepdims=True)\n",
        [
            "The sum runs over axis 0: it must run over `axis`.",
            "NaN for large inputs: subtract the maximum before exp.",
        ],
    ),
    "backward": (
        [3, 2, 1],
        "def backward(tape, g):\n    grads = {id(tape[-1].out): g}\n    for step in reversed(tape):\n"
        "        for x, dx in zip(step.inputs, step.rule(grads.pop(id(step.out)))):\n"
        "            grads[id(x)] = grads.get(id(x), 0) + dx\n    return grads\n",
        ["A value used twice has only its last gradient: add gradients, do not overwrite them."],
    ),
}
ERROR = (
    "The loss is an array of shape (3,), and only a single number has a gradient here. Sum it, or take the mean, before"
    " you ask for the gradient.\nTypeError: Gradient only defined for scalar-output functions. Output had shape: (3,)."
)


def hidden_tests():
    return [
        {
            "name": f"{name.replace('_', '-')}-{i}",
            "exercise": name,
            "points": points,
            "hint": f"Try {name} by hand on an array of shape (2, 3)." if i == 1 else None,
        }
        for name, (all_points, _, _) in EXERCISES.items()
        for i, points in enumerate(all_points, 1)
    ]


def outcome(test, status, message):
    row = {"name": test["name"], "earned": 0, "status": status, "message": None, "given": None, "expected": None}
    if status == "passed":
        row |= {"earned": test["points"], "given": "float32 (3, 5)", "expected": "float32 (3, 5)"}
    elif status == "wrong":
        row |= {"message": message, "given": "float32 (5, 3)", "expected": "float32 (3, 5)"}
    return row | {"error": ERROR if status == "error" else None}


def student(number, rng):
    skill = min(rng.betavariate(4, 1.6), 0.995)
    rows, code = [], {}
    for name, (_, reference, messages) in EXERCISES.items():
        right = rng.random() < skill
        message = rng.choice(messages)
        code[name] = reference if right else reference.replace("return", "return  # mine:\n    return", 1)
        for test in (p for p in hidden_tests() if p["exercise"] == name):
            status = "passed" if right or rng.random() < 0.3 else rng.choice(["wrong"] * 6 + ["error", "timeout"])
            rows.append(outcome(test, status, message))
    return {
        "student": f"s{number:02}",
        "status": "graded",
        "reason": None,
        "points": sum(row["earned"] for row in rows),
        "submitted": f"2026-11-{10 + number % 13:02}T{8 + number % 12:02}:{number:02}:00Z",
        "late": number % 11 == 0,
        "flags": [],
        "tests": rows,
        "exercises": code | {"vmap": ""},
    }


def failed(row, reason):
    rows = [outcome(test, "not run", None) for test in hidden_tests()]
    return row | {"status": "failed", "reason": reason, "points": 0, "tests": rows, "exercises": {}}


def make_class():
    rng = random.Random(7)
    students = [student(number, rng) for number in range(1, 41)]
    students[12] = failed(students[12], "The archive holds no notebook: 02_autodiff.ipynb was expected.")
    students[29] = failed(students[29], "The notebook cannot be read: it is not JSON (line 1, column 1).")
    students[6]["flags"] = ["same answers as s21 (97 %)", "softmax calls jax.nn.softmax (line 3)"]
    students[20]["flags"] = ["same answers as s07 (97 %)"]
    students[33]["flags"] = ["the student's name in the manifest is another: s35"]
    return {
        "format": 1,
        "notebook": "02_autodiff",
        "title": "Autodiff: the tape, its rules, and the walk backwards",
        "seed": 20261123,
        "points": sum(test["points"] for test in hidden_tests()),
        "sandbox": "bubblewrap",
        "versions": {"minitorch": "0.1.0", "jax": "0.10.2", "python": "3.11.9"},
        "tests": hidden_tests(),
        "students": students,
    }


@pytest.fixture(scope="session")
def class_of_40():
    """The content of a `grades.json` of 40 students: most graded, two not, two nearly the same. Read only."""
    return make_class()


@pytest.fixture
def graded_class(class_of_40):
    """A copy of it, which a test may change."""
    return copy.deepcopy(class_of_40)


def cell(name, source, **about):
    metadata = {"minitorch": about, "tags": [about["kind"], *(["stretch"] if name == "extra" else [])]} if about else {}
    return {
        "cell_type": "code",
        "id": name,
        "metadata": metadata,
        "source": source.splitlines(keepends=True),
        "outputs": [],
        "execution_count": None,
    }


SMALL_COURSE = {
    "07_small": [
        cell("imports", "import jax.numpy as jnp\nfrom minitorch_course import check, setup\n\nsetup()\nONE = 1"),
        cell("double", 'def double(x):\n    raise NotImplementedError("twice x")', kind="exercise", exercise="double"),
        cell("double-check", 'check("a number", lambda: double(2.5), 5.0)', kind="check", exercise="double"),
        cell("total", 'def total(x):\n    raise NotImplementedError("add up")', kind="exercise", exercise="total"),
        cell(
            "total-check", 'check("of three numbers", lambda: total(jnp.arange(3)), 6)', kind="check", exercise="total"
        ),
        cell("extra", 'def extra(x):\n    raise NotImplementedError("more")', kind="exercise", exercise="extra"),
        cell("picture", "raise RuntimeError", kind="demo"),
    ],
    "08_later": [cell("triple", 'raise NotImplementedError("x")', kind="exercise", exercise="triple")],
}


@pytest.fixture
def small_course(tmp_path_factory, monkeypatch):
    """A course of two small notebooks in place of the real one: the folder of their releases."""
    folder = tmp_path_factory.mktemp("released")
    for name, cells in SMALL_COURSE.items():
        notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook), "utf-8")
    monkeypatch.setattr("minitorch_course.student.homework.RELEASED", folder)
    return folder


@pytest.fixture
def write_exercise():
    """`write_exercise(path, name, code)` as a student does; None deletes the cell."""

    def write(path, name, code):
        notebook = json.loads(path.read_text("utf-8"))
        for cell in notebook["cells"]:
            if cell["id"] == name:
                cell["source"] = code
        notebook["cells"] = [cell for cell in notebook["cells"] if cell["source"] is not None]
        path.write_text(json.dumps(notebook), "utf-8")

    return write


TINY = '''# %% [markdown]
# # 07 Tiny

# %% name="imports"
import jax
import jax.numpy as jnp
import numpy as np

from minitorch_course import check, inputs, report, setup

setup()
SCALE = 3.0

# %% name="softmax" tags=["exercise"] forbids=["jax.nn.softmax", "minitorch.ops.softmax", "numpy.cumsum"]
def softmax(x):
    """Positive numbers in proportion to exp(x), with sum 1."""
    # BEGIN SOLUTION exp, divided by its sum
    e = jnp.exp(x - x.max())
    return e / e.sum()
    # END SOLUTION

# %% name="softmax-check" tags=["check"] exercise="softmax"
check("two numbers", lambda: softmax(jnp.array([0.0, 1.0])), lambda: jax.nn.softmax(jnp.array([0.0, 1.0])))

# %% name="softmax-test" tags=["hidden-test"] exercise="softmax" points=2 hint="The exponentials, divided by their sum."
x = inputs.normal(5)
report(softmax(x), mistakes={"The exponentials are not divided by their sum.": lambda: jnp.exp(x)})

# %% name="softmax-large" tags=["hidden-test"] exercise="softmax" points=1 hint="Subtract the largest number first."
report(softmax(1000 * inputs.normal(5)))

# %% [markdown]
# The other one.

# %% name="scaled" tags=["exercise"]
def scaled(a, b):
    """SCALE times both."""
    # BEGIN SOLUTION SCALE times both
    return [SCALE * a, SCALE * b]
    # END SOLUTION

# %% name="scaled-check" tags=["check"] exercise="scaled"
check("one and two", lambda: scaled(1.0, 2.0), [3.0, 6.0])

# %% name="scaled-test" tags=["hidden-test"] exercise="scaled" points=3 hint="SCALE is 3."
report(scaled(inputs.scalar(), inputs.scalar()))
report(scaled(inputs.scalar(), 0.0))

# %% name="late" tags=["demo"]
raise RuntimeError("a demo does not run while grading")
'''
RIGHT = {
    "softmax": "def softmax(x):\n    e = jnp.exp(x - x.max())\n    return e / e.sum()",
    "scaled": "def scaled(a, b):\n    return [SCALE * a, SCALE * b]",
}


@pytest.fixture(scope="session")
def tiny_course(tmp_path_factory):
    """A repository with one small notebook, 07_tiny, of two exercises with three points each."""
    root = tmp_path_factory.mktemp("course")
    (root / "notebooks").mkdir()
    (root / "notebooks" / "07_tiny.py").write_text(TINY, "utf-8")
    return root


@pytest.fixture(scope="session")
def tiny(tiny_course):
    from minitorch_course.author.source import read_source

    return read_source(tiny_course / "notebooks" / "07_tiny.py")


@pytest.fixture(scope="session")
def answers():
    """A student's notebook 07_tiny as bytes: `answers(softmax=CODE, added=[CODE])`, with right code by default.

    None deletes a cell. Cells that are `added` come first.
    """

    setup = TINY.partition('name="imports"\n')[2].partition("\n\n# %%")[0]

    def make(added=(), **given):
        sources = {"imports": setup, **RIGHT, **given}
        cells = [cell(f"mine-{i}", code) for i, code in enumerate(added)]
        cells += [cell(name, code) for name, code in sources.items() if code is not None]
        return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()

    return make


@pytest.fixture(scope="session")
def sandbox():
    """Skip a test on a machine without a sandbox; in CI on Linux, fail."""
    from minitorch_course.grading.sandbox import why_unavailable

    if why := why_unavailable():
        if os.environ.get("CI") and sys.platform == "linux":
            pytest.fail(why)
        pytest.skip(why)


@pytest.fixture(scope="session")
def grading_env(sandbox, tiny):
    """The environment in which 07_tiny is graded, with small limits, and its answer key."""
    from minitorch_course.grading.grading_env import GradingConfig, GradingEnv
    from minitorch_course.grading.sandbox import Limits

    limits = Limits(notebook_seconds=60, memory=1500 * 2**20, output=4 * 2**20, scratch=16 * 2**20)
    with GradingEnv(GradingConfig(tiny, 11, limits)) as env:
        yield env, env.key()


def grader(grading_env, **limits):
    from minitorch_course.grading.collect import SubmissionFiles
    from minitorch_course.grading.grade_submission import grade_submission
    from minitorch_course.grading.kernel_pool import KernelPool

    env, key = grading_env
    config = env.kernel_config()
    config = dataclasses.replace(config, limits=dataclasses.replace(config.limits, **limits))

    def grade(notebook):
        files = SubmissionFiles("s01", {"07_tiny.ipynb": notebook})
        with KernelPool(config) as kernels:
            return grade_submission(files, env.config.notebook, key, kernels).row

    return grade


@pytest.fixture(scope="session")
def graded(grading_env):
    """`graded(notebook)` is the row of a student who submitted that notebook (bytes); its code runs in the sandbox."""
    return grader(grading_env)


@pytest.fixture(scope="session")
def impatient(grading_env):
    """The same, but a cell may take five seconds, and the notebook five minutes, however slowly kernels start."""
    return grader(grading_env, cell_seconds=5, notebook_seconds=300)
