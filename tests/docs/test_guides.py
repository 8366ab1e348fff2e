"""Every command and every snippet of the guides, run as a reader would, in a folder with the reader's files.

Only `--steps` is smaller than a reader's.
"""

import json
import random
import re
import shlex
import tomllib
from itertools import pairwise
from pathlib import Path

import jax
import pytest

from minitorch.cli import main

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GUIDES = {path.stem: path for path in sorted((DOCS / "how-to").glob("*.md"))}
EXPLANATIONS = {path.stem: path for path in sorted((DOCS / "explanation").glob("*.md"))}
STEPS = "6"
FIRST = "own-text"  # The others use its run.


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands(page):
    return [line.strip() for block in blocks(page, "sh") for line in block.splitlines() if line.strip()]


def run(command):
    program, *arguments = shlex.split(command)
    if program == "pip":
        extra = re.fullmatch(r"install minitorch-course\[(\w+)\]", " ".join(arguments))[1]
        assert extra in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
        return
    assert program == "minitorch", command
    with pytest.raises(SystemExit) as stop:
        main([STEPS if before == "--steps" else argument for before, argument in pairwise(["", *arguments])])
    assert stop.value.code == 0, command


def words(seed, lines):
    """Return invented text whose lines all begin alike and which repeats no passage."""
    rng = random.Random(seed)
    known = ["".join(rng.choices("abcdefghij", k=rng.randint(2, 7))) for _ in range(200)]
    return "\n".join(f"Once {' '.join(rng.choices(known, k=10))}." for _ in range(lines)) + "\n"


def chats():
    rng = random.Random(0)
    for _ in range(40):
        a, b = rng.randint(0, 99), rng.randint(0, 99)
        yield {
            "messages": [
                {"role": "user", "content": f"{a} and {b}?"},
                {"role": "assistant", "content": f"Once {a + b}."},
            ]
        }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A reader's folder after the first guide."""
    jax.devices()  # Commands set up devices for their process. These share the process of the tests.
    folder = tmp_path_factory.mktemp("reader")
    (folder / "my.txt").write_text(words(0, 300), encoding="utf-8")
    (folder / "other.txt").write_text(words(1, 20), encoding="utf-8")
    (folder / "chats.jsonl").write_text("".join(json.dumps(chat) + "\n" for chat in chats()), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in commands(GUIDES[FIRST]):
            run(command)
    return folder


@pytest.mark.filterwarnings("ignore:this model can be trained and saved:UserWarning")  # own-model says so
@pytest.mark.costly
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_works(name, folder, monkeypatch):
    monkeypatch.chdir(folder)
    if name != FIRST:
        for command in commands(GUIDES[name]):
            run(command)
    names = {}
    for block in blocks(GUIDES[name], "python"):
        exec(block, names)
    assert {"model.safetensors", "model-card.md", "datasheet.md"} <= {path.name for path in Path("runs/mine").iterdir()}


@pytest.mark.parametrize("name", EXPLANATIONS)
def test_the_claims_of_an_explanation_hold(name):
    names = {}
    for block in blocks(EXPLANATIONS[name], "python"):
        assert "assert" in block or name == "xla"
        exec(block, names)
