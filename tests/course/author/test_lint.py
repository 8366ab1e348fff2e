"""Every mistake that an author can make is found at its line."""

import pytest

from minitorch_course.author.layout import CourseLayout
from minitorch_course.author.scaffold import scaffold
from minitorch_course.author.source import AuthoringError, read_source

STRETCH = """# %% name="more" tags=["exercise", "stretch"]
def more(x):
    # BEGIN SOLUTION more
    return x
    # END SOLUTION

"""
MISTAKES = {  # name: (text in the source, text in its place, the line that is named, the message)
    "no title": ("# # Sample", "# Sample", "# %% [markdown]", "must be prose that begins with the title"),
    "no name": (' name="imports"', "", "import jax", "a code cell needs a name"),
    "bad name": ('name="imports"', 'name="The Imports"', "import jax", "'The Imports' cannot be a cell's name"),
    "long name": ('name="imports"', f'name="{"a" * 65}"', "import jax", "at most 64"),
    "name taken": ('name="proof"', 'name="imports"', "print(", "the name 'imports' is taken by the cell at line"),
    "unknown tag": ('tags=["demo"]', 'tags=["dmeo"]', "print(", "the tag 'dmeo' means nothing"),
    "two kinds": ('tags=["demo"]', 'tags=["demo", "check"]', "print(", "this one is tagged demo and check"),
    "stretch of nothing": ('tags=["demo"]', 'tags=["demo", "stretch"]', "print(", "only an exercise"),
    "unknown option": ('tags=["demo"]', 'tags=["demo"] points=3', "print(", "'points' is not an option of this cell"),
    "option of wrong type": ("points=2", 'points="2"', "square = inputs", "points='2' must be of type int"),
    "option missing": ("points=2 hint", "hint", "square = inputs", "a hidden-test cell needs points=..."),
    "exercise unknown": ('tags=["hidden-test"] exercise="centre"', 'tags=["hidden-test"] exercise="center"',
                         "square = inputs",
                         "no exercise above is called 'center'"),
    "negative points": ("points=2", "points=-2", "square = inputs", "points are not negative"),
    "no hidden test": ("points=2", "points=0", "def centre", "the exercise 'centre' has no hidden test with points"),
    "no check": ('tags=["check"] exercise="centre"', 'tags=["demo"]', "def centre", "has no check cell"),
    "points for stretch": ('tags=["exercise"]', 'tags=["exercise", "stretch"]', "square = inputs", "is stretch, so"),
    "solution left open": ("    # END SOLUTION\n", "", "    # BEGIN", "this BEGIN SOLUTION has no END SOLUTION"),
    "solution not begun": ("    # BEGIN SOLUTION subtract", "    # subtract", "    # END", "without BEGIN SOLUTION"),
    "solution begun twice": ("    return x", "    # BEGIN SOLUTION y\n    return x", "    # BEGIN SOLUTION y", "again"),
    "no task": ("SOLUTION subtract the mean along `axis`, which must stay an axis of size one", "SOLUTION",
                "    # BEGIN SOLUTION", "needs the task in words"),
    "marker elsewhere": ("print(f", "# END SOLUTION\nprint(f", "# END SOLUTION\nprint", "outside of an exercise cell"),
    "solution outside of a function": ("    # BEGIN", "# BEGIN", "# BEGIN", "stands inside a function"),
    "remark elsewhere": ('of `x`."""', 'of `x`."""  # mutant-ok: no', '    """`x` minus', "outside of a solution"),
    "not Python": ("import jax.numpy as jnp", "%load_ext x", "%load_ext", "not Python"),
    "not Python without the solution": ("    # END SOLUTION\n", "    # END SOLUTION\n    else:\n        return 0\n",
                                        "    else", "not Python"),
    "case checked twice": ('"rows of a table"', '"columns of a table"', "check(\n    \"columns of a table\"",
                           "is checked 2 times"),
    "check without check": ('tags=["demo"]', 'tags=["check"] exercise="centre"', "print(", "a check cell calls check"),
    "hidden test without report": ('tags=["demo"]', 'tags=["hidden-test"] exercise="centre" points=0 hint="x"',
                                   "print(", "a hidden test calls report"),
    "no setup": ("\nsetup()\n", "", "import jax", "the first code cell calls setup() of minitorch_course"),
    "hidden test rebinds": ("square = inputs.normal(4, 4)", "jnp = inputs.normal(4, 4)\nsquare = jnp", "jnp = inputs",
                      "the hidden test binds 'jnp', and so does the cell 'imports'"),
}  # fmt: skip


def problems_of(tmp_path, edit, name="15_sample"):
    path = scaffold(CourseLayout(tmp_path), "15_sample")[0]
    text = edit(path.read_text("utf-8"))
    path = path.with_name(f"{name}.py")
    path.write_text(text, "utf-8")
    with pytest.raises(AuthoringError) as raised:
        read_source(path)
    return path, text, raised.value.problems


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_at_its_line(mistake, tmp_path):
    before, after, at, message = MISTAKES[mistake]

    def edit(text):
        assert before in text
        return text.replace(before, after, 1)

    path, text, problems = problems_of(tmp_path, edit)
    line = text[: text.index(at)].count("\n") + 1
    assert any(problem.startswith(f"{path}:{line}: ") and message in problem for problem in problems), problems


def test_the_variable_of_a_comprehension_is_local(tmp_path):
    path = scaffold(CourseLayout(tmp_path), "15_sample")[0]
    text = path.read_text("utf-8")
    path.write_text(text.replace("square = inputs", "several = [jnp for jnp in (1, 2)]\nsquare = inputs", 1), "utf-8")
    assert "several" in "".join(cell.source for cell in read_source(path).of("hidden-test"))


def test_the_name_of_the_file_says_number_and_topic(tmp_path):
    assert "a notebook's file is called NN_topic.py" in problems_of(tmp_path, lambda text: text, "sample")[2][0]


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file(tmp_path):
    def edit(text):
        return text.replace(' name="imports"', "").replace('tags=["demo"]', 'tags=["dmeo"]')

    _, _, problems = problems_of(tmp_path, edit)
    assert [problem.split(": ", 1)[1][:20] for problem in problems] == ["a code cell needs a ", "the tag 'dmeo' means"]


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("square = inputs", "square = jnp.square(inputs.normal(4, 4)) + inputs"),
        ("    return x - x.mean", "    return jnp.square(x) - x.mean"),
        ("import jax.numpy as jnp\n", "import jax.numpy as jnp\n\nsquares = jnp.square\n"),
    ],
)
def test_a_forbidden_function_may_not_be_needed_while_grading(place, code, tmp_path):
    forbids = 'name="centre" tags=["exercise"] forbids=["jax.numpy.square"]'

    def edit(text):
        return text.replace('name="centre" tags=["exercise"]', forbids).replace(place, code, 1)

    _, text, problems = problems_of(tmp_path, edit)
    line = text[: text.index("jnp.square")].count("\n") + 1
    assert len(problems) == 1
    assert f":{line}: jax.numpy.square is forbidden by an exercise" in problems[0]


@pytest.mark.parametrize("name", ["minitorch.ops.softmaxx", "jax.nn.softmaxx", "jaxx.nn.softmax"])
def test_a_forbidden_function_must_exist(name, tmp_path):
    plain = 'name="centre" tags=["exercise"]'
    _, text, problems = problems_of(tmp_path, lambda text: text.replace(plain, f'{plain} forbids=["{name}"]'))
    line = text[: text.index("forbids")].count("\n") + 2  # the first of the cell
    assert len(problems) == 1
    assert f":{line}: {name}" in problems[0]


def test_mistakes_checks_and_demos_may_use_forbidden_functions(tmp_path):
    path = scaffold(CourseLayout(tmp_path), "15_sample")[0]
    text = path.read_text("utf-8")
    text = text.replace(
        'name="centre" tags=["exercise"]', 'name="centre" tags=["exercise"] forbids=["jax.numpy.square"]'
    )
    text = text.replace("lambda: square - square.mean(),", "lambda: jnp.square(square),").replace(
        "print(", "print(jnp.square(2), "
    )
    path.write_text(text.replace("    lambda: centre(table, 0),", "    lambda: centre(jnp.square(table), 0),"), "utf-8")
    assert read_source(path).forbids == ["jax.numpy.square"]


def test_an_optional_exercise_needs_a_check_and_no_hidden_test(tmp_path):
    path = scaffold(CourseLayout(tmp_path), "15_sample")[0]
    check = '# %% name="more-check" tags=["check", "stretch"] exercise="more"\ncheck("more", lambda: more(1), 1)\n\n'
    place = "# %% [markdown]\n# ## See it"
    path.write_text(path.read_text("utf-8").replace(place, STRETCH + check + place), "utf-8")
    assert [cell.name for cell in read_source(path).of("exercise") if cell.stretch] == ["more"]
