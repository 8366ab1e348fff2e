"""Every error is the real one: JAX raises it, in code that stands where a student's would."""

import itertools
import linecache
import re

import pytest

from minitorch_course.notebook.error_table import TABLE
from minitorch_course.notebook.errors import EXPLAINED, as_html, explain, message_html
from minitorch_course.notebook.skip_if_unfinished import skip_if_unfinished

SETUP = """
import jax, jax.numpy as jnp, numpy as np, minitorch as mt
x, w, v, n = jnp.ones((3, 4)), jnp.ones((5, 6)), jnp.arange(3.0), jnp.arange(3)
def run(f, *args): return f(*args)
"""
numbers = itertools.count()


def error_of(code):
    """The exception of a cell of a student's."""
    name, namespace = f"<cell-{next(numbers)}>", {}
    exec(SETUP, namespace)
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    try:
        exec(compile(code, name, "exec"), namespace)
    except (Exception, SystemExit) as error:
        return error.with_traceback(error.__traceback__.tb_next)  # Without this function's own frame.
    pytest.fail("nothing was raised")


CASES = {  # name: (code, what the paragraph says, where it says that it happened)
    "leak": (
        "kept = []\ndef f(a):\n    kept.append(a)\n    return a\njax.jit(f)(v)\n"
        "def later():\n    return kept[0] + 1\nlater()",
        "was kept in a list, a global or an attribute, and used after the transformation had ended",
        "It happened in `later` on line 7, at `kept[0] + 1`, where `kept` is a list of 1.",
    ),
    "if": (
        "def relu(a):\n    if a > 0:\n        return a\n    return 0.0\njax.jit(relu)(1.0)",
        "`if`, `while`, `and`, `not` and `assert` need to know",
        "It happened in `relu` on line 2, at `a > 0`, where `a` is a traced float32 ().",
    ),
    "numpy": ("jax.jit(lambda a: np.sin(a))(v)",
        "A function of NumPy was given a value that JAX is tracing", "`np.sin(a)`"),
    "range": ("jax.jit(lambda k: sum(range(k)))(3)",
        "was used as a Python integer", "at `range(k)`, where `k` is a traced int32 ()"),
    "zeros": ("jax.jit(lambda k: jnp.zeros(k))(3)", "A size must be known here", "`k` is a traced int32 ()"),
    "slice": ("jax.jit(lambda a, k: a[:k])(v, 2)", "A size must be known here", "`a` is a traced float32 (3,) and `k`"),
    "arange": ("jax.jit(lambda k: jnp.arange(k))(3)", "A plain number is needed here", "`jnp.arange(k)`"),
    "float": ("jax.jit(lambda a: float(a))(1.0)", "A plain number is needed here (by float", "`float(a)`"),
    "mask": ("jax.jit(lambda a: a[a > 0])(v)", "Keep the shape: jnp.where(mask, x, 0).", "`a[a > 0]`"),
    "nonzero": ("jax.jit(jnp.nonzero)(v)", "A plain number is needed here", "on line 1"),
    "shape": ("jnp.zeros((6 / 2, 2))", "does it contain a float?", "on line 1"),
    "update": ("def f(x):\n    x[0, 1] = 2 * x[1, 1]\nf(x)",
        "`x = x.at[0, 1].set(2 * x[1, 1])`", "`x` is float32 (3, 4)"),
    "adding update": ("x[0] += v[0]", "`x = x.at[0].add(v[0])`", "line 1"),
    "update of several": ("x[0] = v[0] = 1.0", "`x = x.at[0].set(1.0)`", "line 1"),
    "update of a view": ("np.asarray(v)[0] = 1", "Copy it first: np.array(x).", "line 1"),
    "vector loss": (
        "jax.grad(lambda w: w * 2)(v)",
        "Only a function that returns one number has a gradient, and this one returned an array of shape (3,).",
        "It happened on line 1, at `jax.grad(lambda w: w * 2)(v)`, where `v` is float32 (3,).",
    ),
    "several losses": ("jax.grad(lambda w: (w.sum(), w))(v)", "returned several values. Return a sum", "line 1"),
    "vector loss of ours": ("mt.grad(lambda w: w * 2)(v)", "returned an array of shape (3,)", "line 1"),
    "integer": ("jax.grad(lambda w: w * 2.0)(3)", "this argument is int32: write 3.0 instead of 3", "line 1"),
    "integer of ours": ("mt.grad(lambda w: mt.ops.sum(w))(n)", "but this argument is int32", "`n` is int32 (3,)"),
    "jnp of a tensor": (
        "def loss(a):\n    return jnp.sin(a).sum()\nmt.grad(loss)(v)",
        "use `mt.ops.sin` instead of `jnp.sin`.",
        "It happened in `loss` on line 2, at `jnp.sin(a)`, where `a` is a Tensor float32 (3,).",
    ),
    "numpy of a tensor": ("mt.grad(lambda a: np.sum(a))(v)", "use `mt.ops.sum` instead of `np.sum`", "`np.sum(a)`"),
    "jit of a tensor": ("mt.grad(lambda a: jax.jit(lambda z: z + 1)(a))(v)", "put jax.jit outside", "line 1"),
    "float of a tensor": ("mt.grad(lambda a: float(a[0]))(v)",
        "would cut the gradient silently. Right: ", "line 1"),
    "kept tensor": (
        "kept = []\nmt.grad(lambda a: (kept.append(a), mt.ops.sum(a))[1])(v)\nmt.ops.sum(kept[0])",
        "whose tape is closed",
        "on line 3, at `mt.ops.sum(kept[0])`",
    ),
    "matmul": (
        "def f(a, b):\n    h = a @ b\n    return h\nf(x, w)",
        "they have the sizes 4 and 5. Is a transpose (.T) missing, or is the order wrong?",
        "It happened in `f` on line 2, at `a @ b`, where `a` is float32 (3, 4) and `b` is float32 (5, 6).",
    ),
    "matmul of tensors": ("mt.grad(lambda a: mt.ops.sum(a @ w))(x)",
        "the sizes 4 and 5", "`a` is a Tensor float32 (3, 4)"),
    "dot": ("jnp.dot(x, w)", "the sizes 4 and 5", "`x` is float32 (3, 4) and `w` is float32 (5, 6)"),
    "einsum": ("jnp.einsum('ij,jk->ik', x, w)", "the letter j names axes of different sizes, 5 and 4", "line 1"),
    "broadcast": ("x + v",
        "from the last one on, and size 4 does not match 3.", "where `x` is float32 (3, 4) and `v` is float32"),
    "broadcast of three": ("jnp.where(x > 0, x, v)", "The shapes (3, 4) and (3,) do not broadcast", "line 1"),
    "broadcast in NumPy": ("np.ones((3, 4)) + np.ones(3)", "size 4 does not match 3", "line 1"),
    "broadcast_to": ("jnp.broadcast_to(x, (2, 5))", "shape (3,4) cannot be broadcast to (2,5)", "line 1"),
    "concatenate": ("jnp.concatenate([x, w])", "along axis 0 needs the same sizes", "the shapes are (3, 4), (5, 6)."),
    "concatenate ranks": ("jnp.concatenate([x, v])", "different numbers of axes cannot be concatenated", "line 1"),
    "concatenate numbers": ("jnp.concatenate([jnp.sum(x), jnp.sum(v)])", "use jnp.stack", "line 1"),
    "stack": ("jnp.stack([x, w])", "needs arrays of one shape, and got (3, 4), (5, 6).", "line 1"),
    "reshape": ("x.reshape(5, 2)",
        "Reshaping keeps all numbers, but shape (3, 4) has 12, and (5, 2) would have 10.", "line 1"),
    "reshape with -1": ("x.reshape(5, -1)", "the 12 of shape (3, 4) cannot be divided into (5, -1)", "line 1"),
    "axis": ("x.sum(axis=2)", "The array has 2 axes, so it has no axis 2", "`x` is float32 (3, 4)"),
    "squeeze": ("jnp.squeeze(x, 0)", "axis 0 of shape (3, 4) is larger", "line 1"),
    "indices": ("x[0, 0, 0]", "3 indices were given, and the array has only 2 axes.", "`x[0, 0, 0]`"),
    "list": ("jnp.sum([1.0, 2.0])", "sum was given a list, but takes arrays", "line 1"),
    "None": ("y = None\njnp.sin(y)", "sin was given None: does the function", "where `y` is None"),
    "None in a sum": ("y = None\nx + y",
        "A value is None", "`x` is float32 (3, 4) and `y` is None"),
    "None called": ("y = None\ny(3)", "A value is None", "line 2"),
    "None indexed": ("y = None\ny[0]", "A value is None", "line 2"),
    "attribute of None": ("y = None\ny.shape", "None has no `.shape`", "line 2"),
    "input": (
        "from ipykernel.kernelbase import Kernel\nKernel.raw_input(Kernel())",
        "`input()` asks a person who types, and nobody does while a notebook is checked or graded",
        "on line 2",
    ),
    "text": ("jnp.sin('a')", "A function of JAX was given a str", "line 1"),
    "float of an array": ("float(x)", "float() and int() take a single number", "`x` is float32 (3, 4)"),
    "if of an array": ("if v > 0:\n    pass", "need one truth value, and this array has several", "`v > 0`"),
    "minus of a mask": ("-(x > 0)", "The operation `neg` is not defined for bool", "line 1"),
    "float index": ("x[v]", "Indices are integers, and these are float32", "`v` is float32 (3,)"),
    "list index": ("x[[0, 1]]", "An array cannot be indexed with a list", "line 1"),
    "scan": ("jax.lax.scan(lambda c, a: c + a, 0.0, v)", "must return two things", "line 1"),
    "carry": ("jax.lax.scan(lambda c, a: (jnp.stack([c, a]), None), 0.0, v)",
        "must keep its shape and dtype", "line 1"),
    "cond": ("jax.lax.cond(True, lambda: v, lambda: x)", "Both branches of jax.lax.cond", "line 1"),
    "vmap": ("jax.vmap(jnp.add)(x, w)", "these axes have different sizes", "`x` is float32 (3, 4) and `w`"),
    "vmap axis": ("jax.vmap(jnp.sin, in_axes=3)(x)", "cannot map over axis 3: shape (3, 4) does not have it", "line 1"),
    "key": ("jax.random.normal(0, (3,))", "is a key: jax.random.key(0).", "line 1"),
    "keyword": ("jnp.sum(x, keepdim=True)", "sum has no argument called `keepdim`: here it is `keepdims`.", "line 1"),
    "unknown keyword": ("run(run, foo=1)", "run has no argument called `foo`.", "line 1"),
    "arguments": ("def f(a):\n    return a\nf(1, 2)",
        "f() takes 1 positional argument but 2 were given: the call", "line 3"),
    "no argument": ("def f(a):\n    return a\nf()",
        "f() missing 1 required positional argument: 'a': the call", "line 3"),
    "local": ("def f():\n    n = n + 1\nf()", "`n` is used before it gets a value.", "in `f` on line 2"),
    "name": ("total = 3\nreturned = totl", "The name `totl` is not defined here", "There is `total`."),
    "module attribute": ("jnp.summ(x)", "The module jax.numpy has no `summ`. It has `sum`", "`jnp.summ`"),
    "array attribute": ("x.shapes", "An array has no `shapes`. It has `shape`", "line 1"),
    "syntax": ("y = (1,\nz = 2", "Python cannot read line 1, `y = (1,`: '(' was never closed. Look for", ""),
    "exit": ("raise SystemExit", "exit() was called: a function ends with `return`", "line 1"),
    "division": ("1 / 0", "A number is divided by 0.", "at `1 / 0`"),
    "recursion": ("def f(a):\n    return f(a)\nf(1)", "A function calls itself forever", "in `f` on line 2"),
    "index": ("[1][2]", "beyond the end of a list or tuple", "line 1"),
    "key of a dict": ("{'w': 1}['b']", "A dict has no key 'b'.", "line 1"),
    "anything": ("raise OSError('the disk is full')", "OSError: the disk is full.", "line 1"),
    "nothing": ("raise OSError", "OSError.", "line 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_error_is_explained(name):
    code, says, place = CASES[name]
    error = error_of(code)
    paragraph, original = explain(error)
    assert says in paragraph
    assert place in paragraph
    assert "\n" not in paragraph
    assert type(error).__name__ in original


def test_every_row_of_the_table_is_met_by_a_real_error():
    met = set()
    for code, _, _ in CASES.values():
        error = error_of(code)
        rows = (i for i, (kind, pattern, _) in enumerate(TABLE) if isinstance(error, kind))
        met.add(next((i for i in rows if re.search(TABLE[i][1], str(error), re.DOTALL)), None))
    assert [TABLE[i][:2] for i in set(range(len(TABLE))) - met] == []


def test_what_is_not_written_yet_is_said_in_the_words_of_the_task():
    assert explain(error_of("raise NotImplementedError('sum over `axis`')")) == ("Not written yet: sum over `axis`", "")
    assert explain(NotImplementedError()).paragraph == "Not written yet."
    assert explain(error_of("jax.jit(lambda a: (_ for _ in ()).throw(NotImplementedError('later')))(v)")).paragraph == (
        "Not written yet: later"
    )


@pytest.mark.parametrize(
    "code",
    [
        "jax.grad(lambda a: jnp.linalg.eig(a)[1].real.sum())(jnp.eye(2))",
        "from IPython.core.error import StdinNotImplementedError\n"
        "raise StdinNotImplementedError('raw_input was called, but this frontend does not support input requests.')",
        "from concurrent.futures import Executor\nExecutor().submit(print)",
        "import asyncio\nasyncio.AbstractEventLoop().run_forever()",
    ],
)
def test_a_librarys_error_does_not_mean_that_an_exercise_is_not_written(code):
    error = error_of(code)
    assert isinstance(error, NotImplementedError)
    assert "ritten yet" not in explain(error).paragraph
    with pytest.raises(NotImplementedError), skip_if_unfinished():
        raise error


def test_the_original_holds_the_students_own_lines_and_no_paths():
    original = explain(error_of("def f(a):\n    return a @ w\nf(x)")).original
    assert original.splitlines() == [
        "<module>, line 3: f(x)",
        "f, line 2: return a @ w",
        "TypeError: dot_general requires contracting dimensions to have the same shape, got (4,) and (5,).",
    ]


def test_named_functions_are_looked_at_first():
    error = error_of("def helper(a):\n    return a @ w\ndef task(a):\n    return helper(a)\ntask(x)")
    assert "in `helper` on line 2" in explain(error).paragraph
    assert "in `task` on line 4" in explain(error, ["task"]).paragraph


def test_code_over_several_lines_and_with_other_letters_is_quoted():
    paragraph = explain(error_of("größe = x\nfehler = (größe\n    @ w)\n")).paragraph
    assert "at `größe @ w`, where `größe` is float32 (3, 4)" in paragraph


def test_without_source_the_error_is_explained_all_the_same():
    namespace = {}
    with pytest.raises(TypeError) as raised:
        exec(SETUP + "x @ w", namespace)
    assert explain(raised.value).paragraph.endswith("It happened on line 5.")


def test_an_error_that_jax_words_otherwise_is_shown_as_it_is():
    assert explain(TypeError("shapes of tomorrow\ndetails")).paragraph == "TypeError: shapes of tomorrow."


def test_the_html_escapes_and_folds():
    page = as_html("`a < b` & more", "Traceback <x>")
    assert "<code>a &lt; b</code> &amp; more" in page
    assert "<details" in page
    assert "Traceback &lt;x&gt;" in page
    assert "<details" not in as_html("all", "")
    assert message_html("one ` only") == "one ` only"
    assert message_html("a *b* _c_ <i> [d](e) ``f`g``") == "a *b* _c_ &lt;i&gt; [d](e) <code>f`g</code>"


CELLS = [
    "from minitorch_course import setup\nimport jax.numpy as jnp\nsetup()\nx = jnp.ones((3, 4))",
    "x @ x",
    "x @",
    "raise NotImplementedError('task')",
]


@pytest.mark.slow
def test_in_a_notebook_the_paragraph_comes_first_and_the_original_is_folded():
    import nbclient
    import nbformat.v4 as v4

    notebook = v4.new_notebook(cells=[v4.new_code_cell(source) for source in CELLS])
    nbclient.NotebookClient(notebook, allow_errors=True, extra_arguments=["--log-level=ERROR"]).execute()
    assert notebook.cells[0].outputs == []
    for cell, says in zip(notebook.cells[1:], ("the sizes 4 and 3", "cannot read line 1", "yet: task"), strict=True):
        shown, error = cell.outputs
        assert says in shown.data["text/plain"]
        assert shown.data[EXPLAINED] == {"paragraph": shown.data["text/plain"]}
        assert error.output_type == "error"
        assert "Traceback" not in "".join(error.traceback)
    folded = notebook.cells[1].outputs[0].data["text/html"]
    assert "<details" in folded
    assert "dot_general requires" in folded
    assert "\x1b" not in folded


HIDDEN = "from minitorch_course import inputs, report; inputs.begin('t')\n"


@pytest.mark.parametrize(
    "code",
    [
        "secret = 1.25\nmine(secret)",
        "secret = 1.25\nsecret.attribute",
        "secret = 1.25\nmine()[secret]",
        "secret = 1.25\nrun(lambda a: a.attribute, secret)",
        "secret = 1.25\nundefined(secret)",
        "secret = 1.25\ndivided(secret)",
        "secret = 1.25\ndef test(f):\n    return f(secret, secret)\nrun(test, mine)",
    ],
)
def test_a_line_of_a_hidden_test_and_its_values_are_not_shown(code):
    own = "def mine(): return {}\ndef divided(given):\n    return given / 0\n"
    namespace = {}
    for name, text in (("<mine>", SETUP + own), ("<test>", HIDDEN + code)):
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(SETUP + own, "<mine>", "exec"), namespace)
    with pytest.raises((ArithmeticError, AttributeError, LookupError, NameError, TypeError)) as caught:
        exec(compile(HIDDEN + code, "<test>", "exec"), namespace)
    explained = "\n".join(explain(caught.value.with_traceback(caught.value.__traceback__.tb_next)))
    assert "secret" not in explained
    assert "1.25" not in explained
    own_line = "It happened on a line of the hidden test that uses your code"
    assert any(
        place in explained
        for place in (own_line, "in `divided` on line 7, at `given / 0`, where `given` is", "in `run`")
    )
