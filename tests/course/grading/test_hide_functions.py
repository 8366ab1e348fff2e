"""Functions that an exercise asks students to write are hidden, and the library works without them."""

import subprocess
import sys
import textwrap

import pytest

from minitorch_course._packages import COURSE, LIBRARY
from minitorch_course.grading.hide_functions import copy_library

pytestmark = pytest.mark.slow


def said(library, code, tmp_path):
    """What code prints in a process that sees that library."""
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(code), "utf-8")
    environment = {"PYTHONPATH": str(library), "JAX_PLATFORMS": "cpu", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-P", str(script)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    names = ["minitorch.ops.softmax", "minitorch.vjp", "minitorch.autodiff.Tape.backward", "jax.nn.softmax"]
    names += ["minitorch_course.answers.diagnose.diagnose"]
    return copy_library(tmp_path_factory.mktemp("library"), names)


def test_functions_of_this_package_are_gone_and_say_why(library, tmp_path):
    code = """
        import minitorch as mt
        from minitorch.ops.fused import softmax
        assert str(LIBRARY) in mt.__file__
        for call in (mt.ops.softmax, softmax, mt.vjp, mt.autodiff.transforms.vjp, mt.autodiff.Tape().backward):
            try:
                call()
            except RuntimeError as error:
                print(error)
        """.replace("LIBRARY", repr(str(library)))
    lines = said(library, code, tmp_path).splitlines()
    assert (
        lines[:2]
        == ["minitorch.ops.softmax is missing while this notebook is graded: an exercise asks you to write it."] * 2
    )
    assert [line.split()[0] for line in lines[2:]] == ["minitorch.vjp"] * 2 + ["minitorch.autodiff.Tape.backward"]


def test_their_code_is_nowhere_in_the_copy(library):
    """Not in the source, and not in a file of compiled code either."""
    original = (LIBRARY / "autodiff" / "tape.py").read_text("utf-8")
    assert "Walk the list backwards. Takes" in original
    for file in (library / "minitorch" / "autodiff").rglob("tape*"):
        assert b"Walk the list backwards. Takes" not in file.read_bytes()


def test_functions_of_the_course_are_gone_too(library):
    original = (COURSE / "answers" / "diagnose.py").read_text("utf-8")
    assert "\ndef diagnose(\n" in original
    copy = (library / "minitorch_course" / "answers" / "diagnose.py").read_text("utf-8")
    assert "\ndef diagnose(*args, **kwargs):\n    raise RuntimeError(" in copy
    assert len(copy) < len(original)


def test_all_else_works(library, tmp_path):
    code = """
        import minitorch as mt
        from minitorch.models import GPT
        print(mt.ops.log_softmax(mt.ops.exp(0.0).reshape(1)), mt.ops.tanh(0.0))
        """
    assert said(library, code, tmp_path) == "[0.] 0.0\n"


def test_released_notebooks_are_not_copied(library):
    assert not list(library.rglob("*.ipynb"))
    assert (library / "minitorch_course" / "notebook" / "check.py").exists()


@pytest.mark.parametrize("name", ["minitorch.ops.softmaxx", "minitorch.nothing.at.all", "minitorch.Tape.backwards"])
def test_a_name_that_does_not_exist_is_an_error(name, tmp_path):
    with pytest.raises(ValueError, match=f"{name} is not in minitorch: correct the `forbids`"):
        copy_library(tmp_path, [name])


def test_functions_of_other_libraries_are_hidden_from_students_and_not_from_libraries(tmp_path):
    code = """
        from minitorch_course.grading.hide_functions import hide
        hide(["jax.nn.softmax", "jax.grad", "jax.vjp", "numpy.sum", "minitorch.ops.softmax"])
        import jax, numpy, minitorch
        for look in (lambda: jax.grad, lambda: jax.vjp, lambda: numpy.sum, lambda: getattr(jax.nn, "softmax")):
            try:
                look()
            except RuntimeError as error:
                print(error)
        try:
            from jax.nn import softmax
        except RuntimeError:
            print("not imported")
        print(minitorch.ops.softmax(jax.numpy.zeros(2)), minitorch.grad(lambda x: x * x)(1.0), numpy.mean([1.0, 3.0]))
        print(hasattr(jax, "jit"), hasattr(jax, "nothing"), hasattr(numpy, "nothing"), "grad" in dir(jax))
        """
    lines = said(LIBRARY.parent, code, tmp_path).splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["jax.grad", "jax.vjp", "numpy.sum", "jax.nn.softmax"]
    assert lines[4:] == ["not imported", "[0.5 0.5] 2.0 2.0", "True False False False"]


@pytest.mark.parametrize("name", ["jax.nothing", "nothing.at.all", "jax"])
def test_hiding_what_does_not_exist_is_an_error(name, tmp_path):
    code = f"""
        from minitorch_course.grading.hide_functions import hide
        try:
            hide([{name!r}])
        except ValueError as error:
            print(error)
        """
    assert name in said(LIBRARY.parent, code, tmp_path)


def test_a_function_is_hidden_under_each_of_its_names_and_from_code_that_claims_to_be_a_librarys(tmp_path):
    code = """
        from minitorch_course.grading.hide_functions import hide
        hide(["jax.jacrev", "jax.nn.softmax", "numpy.sum"])
        import jax, minitorch, numpy, pkgutil
        forged = [
            eval(compile("lambda: jax.jacrev", file, "eval"))
            for file in ("<frozen abc>", "<frozen importlib._bootstrap>", numpy.__file__, jax.__file__)
        ]
        looks = [lambda: jax.jacobian, lambda: jax.fwd_and_bwd, lambda: jax.grad]
        looks += [lambda: pkgutil.resolve_name("jax.nn:softmax"), *forged]
        for look in looks:
            try:
                print("found", look())
            except RuntimeError:
                pass
        print(numpy.ma.sum(numpy.ma.ones(3)), numpy.mean([1.0, 3.0]), minitorch.grad(lambda x: x * x)(1.0))
        """
    assert said(LIBRARY.parent, code, tmp_path) == "3.0 2.0 2.0\n"
