from minitorch_course.labs.registry import LABS
from minitorch_course.student.homework import exercises, released_names, released_path
from minitorch_course.student.progress import State
from minitorch_course.student.skills import SKILLS, skill_progress


def test_every_notebook_except_the_tour_and_every_lab_trains_a_skill():
    named = {name for names in SKILLS.values() for name in names.split()}
    assert named == {name[:2] for name in released_names()} - {"00"} | set(LABS)


def test_a_right_exercise_counts_for_each_skill_of_its_notebook():
    name = next(name for name in released_names() if name.startswith("02"))
    of = sum(not task.released.stretch for task in exercises(released_path(name)))
    nothing = skill_progress({})
    one = skill_progress(
        {name: [State("record", False, True), State("backward", False, None), State("jvp", True, True)]}
    )
    gained = {skill: one[skill][0] - nothing[skill][0] for skill in SKILLS}
    assert gained == {skill: int("02" in names.split()) for skill, names in SKILLS.items()}
    assert nothing["machine learning in depth"][1] > of > 0 == nothing["machine learning in depth"][0]
