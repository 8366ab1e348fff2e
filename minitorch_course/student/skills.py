"""The six skills of an engineer of open-source AI, and the share of each that a student's exercises cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .homework import exercises, released_names, released_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .progress import State

SKILLS = {  # The notebooks (numbers) and labs (names) that train each skill.
    "machine learning in depth": "01 02 03 04 05 07 09 10 11 12",
    "software engineering": "02 05 13 14 ci pull-request",
    "data engineering": "06 08",
    "MLOps": "08 10 13 docker ci",
    "law and ethics": "06 13 docker ci",
    "community": "14 pull-request",
}


def skill_progress(states: Mapping[str, Sequence[State]]) -> dict[str, tuple[int, int]]:
    """Return for each skill how many exercises are right, and how many there are in the notebooks that train it.

    `states` holds the started notebooks by name. Stretch exercises and labs are not counted.
    """
    done, needed = {}, {}
    for name in released_names():
        number = name.partition("_")[0]
        done[number] = sum(state.done is True and not state.stretch for state in states.get(name, ()))
        needed[number] = sum(not task.released.stretch for task in exercises(released_path(name)))
    trained = {skill: [name for name in names.split() if name in needed] for skill, names in SKILLS.items()}
    return {skill: (sum(done[n] for n in names), sum(needed[n] for n in names)) for skill, names in trained.items()}
