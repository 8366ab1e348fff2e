"""The six skills of an engineer of open-source AI, and how far a student's exercises have filled each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .homework import exercises, released, released_names
from .progress import State

SKILLS = {  # with the notebooks (numbers) and labs (names) that train each
    "machine learning in depth": "01 02 03 04 05 07 09 10 11 12",
    "software engineering": "02 05 13 14 ci pull-request",
    "data engineering": "06 08",
    "MLOps": "08 10 13 docker ci",
    "law and ethics": "06 13 docker ci",
    "community": "14 pull-request",
}


def filled(progress: Mapping[str, Sequence[State]]) -> dict[str, tuple[int, int]]:
    """Of each skill, how many exercises are right, and how many there are in all the notebooks that train it.

    `progress` has the notebooks that were started. Stretch exercises are beside the count, and labs have their own.
    """
    done, needed = {}, {}
    for name in released_names():
        number = name.partition("_")[0]
        done[number] = sum(state.done is True and not state.stretch for state in progress.get(name, ()))
        needed[number] = sum(not task.released.stretch for task in exercises(released(name)))
    trained = {skill: [name for name in names.split() if name in needed] for skill, names in SKILLS.items()}
    return {skill: (sum(done[n] for n in names), sum(needed[n] for n in names)) for skill, names in trained.items()}
