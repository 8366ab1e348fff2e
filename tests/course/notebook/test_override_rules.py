import re

import pytest

import minitorch as mt
from minitorch.autodiff.tape import Primitive, Tape
from minitorch_course import override_rules


def slope(op=mt.ops.multiply):
    return float(mt.grad(lambda x: op(x, 3.0))(2.0))


def doubled(g, y, a, b):
    return 2 * g * b


def test_rules_are_the_students_inside_and_the_librarys_after():
    with override_rules({mt.ops.multiply: (doubled, lambda g, y, a, b: g * a)}):
        assert slope() == 6
    assert slope() == 3


def test_one_function_for_all_arguments_is_a_joint_rule():
    with override_rules({mt.ops.multiply: lambda g, y, a, b: (5 * g, None)}):
        assert slope() == 5
    assert slope() == 3


def test_one_function_for_a_primitive_of_one_argument_is_its_rule():
    with override_rules({mt.ops.sin: lambda g, y, x: 7 * g}):
        assert float(mt.grad(mt.ops.sin)(1.0)) == 7


def test_a_joint_rule_of_the_library_gives_way_to_rules():
    op = Primitive(lambda a, b: a * b, joint=lambda g, y, a, b: (g * b, g * a), arrays=2)
    with override_rules({op: (doubled, doubled)}):
        assert slope(op) == 6
    assert slope(op) == 3


def test_the_walk_backwards_can_be_the_students():
    walks = []

    def walk(tape, cotangents):
        walks.append(len(tape.entries))
        return library(tape, cotangents)

    library = Tape.backward
    with override_rules({"Tape.backward": walk, mt.ops.multiply: lambda g, y, a, b: (4 * g, None)}):
        assert slope() == 4
    assert walks == [1]
    assert Tape.backward is library


def test_an_exception_restores_everything():
    library, rules = Tape.backward, mt.ops.multiply.rules
    with pytest.raises(ZeroDivisionError), override_rules({mt.ops.multiply: lambda *a: 1, "Tape.backward": print}):
        raise ZeroDivisionError
    assert Tape.backward is library
    assert mt.ops.multiply.rules is rules
    assert slope() == 3


def test_they_nest():
    with override_rules({mt.ops.multiply: (doubled, doubled)}):
        with override_rules({mt.ops.multiply: lambda g, y, a, b: (9 * g, None)}):
            assert slope() == 9
        assert slope() == 6
    assert slope() == 3


@pytest.mark.parametrize(
    ("replacements", "says"),
    [
        ({mt.ops.multiply: (doubled,)}, "multiply has 2 array arguments, so it takes 2 rules; 1 were given."),
        ({mt.ops.multiply: ()}, "multiply was given (): give a function, or a tuple of functions"),
        (
            {mt.ops.multiply: 3},
            "multiply was given 3: give a function, or a tuple of functions, one for each array argument.",
        ),
        ({mt.ops.sin: (doubled, doubled)}, "sin has 1 array argument, so it takes 1 rules"),
        ({"Tape.forward": doubled}, "'Tape.forward' has no derivative rules to replace"),
        ({"Tape.backward": (doubled, doubled)}, "give one function `walk(tape, cotangents)`."),
        ({len: doubled}, "len has no derivative rules to replace: give a primitive such as mt.ops.multiply"),
    ],
)
def test_what_cannot_be_replaced_is_refused_before_anything_is(replacements, says):
    rules = mt.ops.exp.rules
    with pytest.raises(ValueError, match=re.escape(says)), override_rules({mt.ops.exp: doubled} | replacements):
        pass
    assert mt.ops.exp.rules is rules
