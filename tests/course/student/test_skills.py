from minitorch_course.labs.registry import LABS
from minitorch_course.student.homework import exercises, released, released_names
from minitorch_course.student.progress import State
from minitorch_course.student.skills import SKILLS, filled


def test_every_notebook_and_lab_trains_a_skill_but_the_one_that_only_shows_around():
    named = {name for names in SKILLS.values() for name in names.split()}
    assert named == {name[:2] for name in released_names()} - {"00"} | set(LABS)


def test_an_exercise_that_is_right_fills_each_skill_that_its_notebook_trains():
    name = next(name for name in released_names() if name.startswith("02"))
    of = sum(not task.released.stretch for task in exercises(released(name)))
    nothing = filled({})
    one = filled({name: [State("record", False, True), State("backward", False, None), State("jvp", True, True)]})
    gained = {skill: one[skill][0] - nothing[skill][0] for skill in SKILLS}
    assert gained == {skill: int("02" in names.split()) for skill, names in SKILLS.items()}
    assert nothing["machine learning in depth"][1] > of > 0 == nothing["machine learning in depth"][0]
