"""A class of forty for notebook 02, built from its source: what each student submits, and the grade that it must get.

Right answers in several styles, wrong answers, unfinished, empty, broken and late work, and attacks.

    python tests/course/grading/class_of_forty.py FOLDER    writes the submissions, to try grading with
"""

from __future__ import annotations

import copy
import hashlib
import io
import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from minitorch_course.author.build import as_text
from minitorch_course.author.cells import solved
from minitorch_course.author.layout import CourseLayout
from minitorch_course.author.source import read_source, release
from minitorch_course.author.wrong_answers import read_wrong_answers

NAME = "02_autodiff"
ROOT = Path(__file__).parents[3]
DUE = datetime(2026, 11, 30, 17, tzinfo=UTC)
ON_TIME, LATE = "2026-11-29T20:15:00Z", "2026-12-01T08:00:00Z"
STYLES, ATTACKS = Path(__file__).parent / "forty", Path(__file__).parents[1] / "attacks"
NO_TIME = "no manifest, so no time of submission"

Edit = Callable[[list[dict[str, Any]]], None]  # changes the cells of a notebook


@dataclass(frozen=True)
class Made:
    """The files of one student, and the result that they must get.

    Attributes:
      files: by their path in the folder of submissions.
      loses: names of hidden tests; all where there is a `reason`.
      reason: the beginning of the reason why nothing could be graded.
      says: words that must occur in the messages of lost tests.
      flags: all flags.
    """

    about: str
    files: Mapping[str, bytes]
    loses: tuple[str, ...] = ()
    reason: str = ""
    late: bool = False
    says: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    student: str = ""


def cells_of(path: Path) -> dict[str, str]:
    """The cells of a file by their titles: of `# %% output -> too much` the part before the arrow."""
    found = re.findall(r"^# %% (.+)\n((?:(?!# %% ).*\n)+)", path.read_text("utf-8"), re.MULTILINE)
    return {title.partition(" -> ")[0]: code.strip() for title, code in found}


def attack(kind: str, title: str) -> str:
    """An attack of the tests. Those that stand in for their exercise stand in for `central_difference` here."""
    code = cells_of(ATTACKS / f"{kind}.py")[title]
    code = re.sub(r"^def softmax\(x\)", "def central_difference(f, x, v, h)", code, flags=re.MULTILINE)
    return re.sub(r"^softmax = lambda x:", "central_difference = lambda f, x, v, h:", code, flags=re.MULTILINE)


def archive(notebook: bytes, submitted: str = ON_TIME) -> bytes:
    """Return an archive as `minitorch course submit` writes it."""
    manifest = {"notebook": NAME, "sha256": hashlib.sha256(notebook).hexdigest(), "submitted": submitted}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"{NAME}.ipynb", notebook)
        file.writestr("manifest.json", json.dumps(manifest))
    return content.getvalue()


class Maker:
    """Makes notebooks as students leave them: the release with code in its exercises."""

    def __init__(self, root: Path = ROOT):
        layout = CourseLayout(root)
        self.notebook = read_source(layout.source(NAME))
        self.released = json.loads(as_text(release(self.notebook)))
        self.right = {cell.name: solved(cell.source) for cell in self.notebook.of("exercise")}
        self.wrong_answers = read_wrong_answers(self.notebook, layout.wrong_answers(NAME))
        self.tests = [cell.name for cell in self.notebook.of("hidden-test")]

    def written(self, code: Mapping[str, str], edit: Edit = lambda cells: None) -> bytes:
        """A notebook with `code` in the exercises that it names; the others are empty."""
        made = copy.deepcopy(self.released)
        for cell in made["cells"]:
            if cell["id"] in code:
                cell["source"] = code[cell["id"]].splitlines(keepends=True)
        edit(made["cells"])
        return json.dumps(made, ensure_ascii=False, indent=1).encode()

    def all_but(self, code: Mapping[str, str], edit: Edit = lambda cells: None) -> bytes:
        """The reference, with other code in some exercises."""
        return self.written({**self.right, **code}, edit)

    def lost(self, *exercises: str) -> tuple[str, ...]:
        """The hidden tests of some exercises."""
        return tuple(cell.name for cell in self.notebook.of("hidden-test") if cell.exercise in exercises)

    def wrong(self, *wanted: tuple[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
        """The code of wrong answers, each given by exercise and words, and all that they lose."""
        chosen = [answer for answer in self.wrong_answers if (answer.exercise, answer.says) in wanted]
        assert len(chosen) == len(wanted), wanted
        lost = {name for p in chosen for name in p.loses}
        return {p.exercise: p.source for p in chosen}, tuple(name for name in self.tests if name in lost)


def forty(maker: Maker) -> list[Made]:
    """The class, in the order of its names."""
    kinds = (right, partly_right, unfinished, empty, broken, late, hostile)
    rows = [row for kind in kinds for row in kind(maker)]
    return [_named(row, f"s{number:02}") for number, row in enumerate(rows, 1)]


def _named(row: Made, student: str) -> Made:
    files = {path.replace("NAME", student): content for path, content in row.files.items()}
    unarchived = not row.reason and not any(path.endswith(".zip") for path in files)
    reason, flags = row.reason.replace("NAME", student), (*((NO_TIME,) if unarchived else ()), *row.flags)
    return replace(row, student=student, files=files, reason=reason, flags=flags)


def right(maker: Maker) -> Iterator[Made]:
    yield Made("the reference", {"NAME.zip": archive(maker.all_but({}))})
    for style in ("named", "loops", "dense"):
        yield Made(f"own style: {style}", {"NAME.zip": archive(maker.all_but(cells_of(STYLES / f"{style}.py")))})
    classes = cells_of(STYLES / "classes.py")
    copied = ("same answers as s31 (100 %)",)
    yield Made("own style: classes", {"NAME/my work.zip": archive(maker.all_but(classes))}, flags=copied)
    yield Made("an editor that gives cells new names", {"NAME.zip": archive(maker.all_but({}, _renamed))})
    helped = {"unbroadcast": "def unbroadcast(g, shape):\n    return reduce(once, gone(g, shape), g).reshape(shape)"}
    yield Made(
        "a helper in a cell of their own, and an import", {"NAME.zip": archive(maker.all_but(helped, _with_helper))}
    )
    timed = {"central_difference": "%%time\n" + maker.right["central_difference"]}
    yield Made("magics, and outputs of their own", {"NAME.ipynb": maker.all_but(timed, _with_outputs)})
    yield Made(
        "a copy of a download, without checks, text and metadata",
        {f"NAME/{NAME} (1).ipynb": b"\xef\xbb\xbf" + maker.all_but({}, _bare)},
    )


def _renamed(cells: list[dict[str, Any]]) -> None:
    for number, cell in enumerate(cells):
        cell["id"] = f"{number:08x}"


def _with_helper(cells: list[dict[str, Any]]) -> None:
    imports = next(cell for cell in cells if cell["id"] == "imports")
    imports["source"] = ["from functools import reduce\n", *imports["source"]]
    place = next(i for i, cell in enumerate(cells) if cell["id"] == "unbroadcast")
    helper = (
        "def gone(g, shape):\n    aligned = (1,) * (g.ndim - len(shape)) + tuple(shape)\n"
        "    return [i for i, n in enumerate(g.shape) if n != aligned[i]]\n\n\n"
        "def once(g, axis):\n    return g.sum(axis=axis, keepdims=True)"
    )
    cells.insert(place, _cell("mine", helper))


def _cell(name: str, code: str) -> dict[str, Any]:
    source = code.splitlines(keepends=True)
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def _with_outputs(cells: list[dict[str, Any]]) -> None:
    for number, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["passed\n"] * 200}]
            cell["execution_count"] = number


def _bare(cells: list[dict[str, Any]]) -> None:
    cells[:] = [cell for cell in cells if cell["metadata"].get("minitorch", {}).get("kind") == "exercise"]
    for cell in cells:
        cell["metadata"] = {}


PARTLY = [
    [("scalar_rules", "Look at the sign of the second rule")],
    [("scalar_backward", "do not overwrite")],
    [("elementwise_rules", "compare with > and not with >=")],
    [("unbroadcast", "keep the axis of length 1")],
    [("matrix_rules", "That is the rule of the mean")],
    [("record", "The outer tape saw nothing")],
    [("backward", "look before you read")],
    [("vjp", "It starts with g at the result")],
    [("value_and_grad", "The gradient must have the structure of params")],
    [("central_difference", "sign"), ("softmax_rules", "but its logarithm")],
    [
        ("scalar_backward", "go backwards"),
        ("elementwise_rules", "log: the slope is 1 / a"),
        ("unbroadcast", "That is the mean"),
        ("backward", "kept only what it received last"),
    ],
]


def partly_right(maker: Maker) -> Iterator[Made]:
    for answers in PARTLY:
        code, lost = maker.wrong(*answers)
        said = tuple(words for _, words in answers)
        yield Made(f"wrong: {', '.join(code)}", {"NAME.zip": archive(maker.all_but(code))}, lost, says=said)


def unfinished(maker: Maker) -> Iterator[Made]:
    for done in (3, 6):
        code = dict(list(maker.right.items())[:done])
        lost = maker.lost(*list(maker.right)[done:])
        submitted = archive(maker.written(code))
        yield Made(f"the first {done} exercises", {"NAME.zip": submitted}, lost, says=("Not written yet: Exercise 7",))


def empty(maker: Maker) -> Iterator[Made]:
    yield Made("nothing written", {"NAME.zip": archive(maker.written({}))}, tuple(maker.tests))
    nothing = maker.written({}, lambda cells: cells.clear())
    yield Made("no cell left", {"NAME.zip": archive(nothing)}, reason=f"No exercise of {NAME} is in it")


def broken(maker: Maker) -> Iterator[Made]:
    whole = maker.all_but({})
    yield Made("half a notebook", {"NAME.ipynb": whole[: len(whole) // 2]}, reason="The notebook is damaged")
    yield Made("half an archive", {"NAME.zip": archive(whole)[:-2000]}, reason="The archive cannot be unpacked")
    both = {"NAME.zip": archive(whole), "NAME.ipynb": whole}
    yield Made("submitted twice", both, reason="There are 2 submissions, NAME.ipynb, NAME.zip: keep one.")
    other = Path(ROOT / "notebooks" / "released" / "00_five_minutes.ipynb").read_bytes()
    reason = f"No exercise of {NAME} is in it: is it another notebook?"
    yield Made("another notebook", {"NAME/00_five_minutes.ipynb": other}, reason=reason)
    yield Made(
        "a cell that is not Python",
        {"NAME.zip": archive(maker.all_but({"softmax_rules": "def softmax_rules():\n    return {"}))},
        maker.lost("softmax_rules"),
        says=("softmax_rules",),
    )
    yield Made(
        "a cell deleted",
        {"NAME.zip": archive(maker.all_but({}, _without("elementwise_rules")))},
        maker.lost("elementwise_rules"),
        flags=("the cell of elementwise_rules is missing",),
    )


def _without(name: str) -> Edit:
    def edit(cells: list[dict[str, Any]]) -> None:
        cells[:] = [cell for cell in cells if cell["id"] != name]

    return edit


def late(maker: Maker) -> Iterator[Made]:
    """The first is late with another's work, under other names."""
    classes = cells_of(STYLES / "classes.py")
    renamed = {
        name: re.sub(r"\b(watched|pulled|recorder|points|square|repeated|leaves)\b", r"my_\1", code)
        for name, code in classes.items()
    }
    renamed = {name: re.sub(r"class (\w+)", r"class My\1", code) for name, code in renamed.items()}
    names = re.findall(r"class My(\w+)", "\n".join(renamed.values()))
    renamed = {name: re.sub(rf"\b({'|'.join(names)})\b", r"My\1", code) for name, code in renamed.items()}
    yield Made(
        "late, and another's work",
        {"NAME.zip": archive(maker.all_but(renamed), LATE)},
        late=True,
        flags=("same answers as s05 (100 %)",),
    )
    code, lost = maker.wrong(("matrix_rules", "the two rules are exchanged"))
    twice = {
        "NAME/first.zip": archive(maker.all_but({})),
        "NAME/second.zip": archive(maker.all_but(code), LATE),
    }
    flags = ("2 submissions, and second.zip is the latest",)
    yield Made("a second time, late and worse", twice, lost, late=True, says=("exchanged",), flags=flags)


def hostile(maker: Maker) -> Iterator[Made]:
    junk = {name: f"def {name}(*args, **params):\n    return 0.0" for name in maker.right}
    junk["value_and_grad"] += "\n\n\ndef grad(fun):\n    return lambda *args: 0.0"
    forged = ("report in the notebook", "a fake entry displayed", "a hook after each cell", "results files")
    patched = ("judge", "encode", "same", "inputs of zeros", "the mode of the key", "a module of one's own")
    test = "minitorch_course.notebook.hidden_test"
    places = [f"{test}.judge", f"{test}.encode", "minitorch_course.answers.comparison.same"]
    places += [f"{test}.{name}" for name in ("describe", "same", "Inputs.normal", "Inputs.scalar")]
    seen = {
        "forges results": ["IPython", "get_ipython"],
        "patches the library": [*(f"{place} = ..." for place in places), "sys.modules", "types.ModuleType"],
    }
    for about, titles in (("forges results", forged), ("patches the library", patched)):
        flags = tuple(f"an added cell uses {name}" for name in seen[about])
        attacked = archive(maker.written(junk, _with_attacks(titles)))
        yield Made(about, {"NAME.zip": attacked}, tuple(maker.tests), flags=flags)
    numbers = "def central_difference(f, x, v, h):\n    return 12.01 if h == 0.1 else jnp.float32(2.0)"
    yield Made(
        "returns the numbers of the check",
        {"NAME.zip": archive(maker.all_but({"central_difference": numbers}))},
        maker.lost("central_difference"),
    )
    borrowed = (
        "from jax import value_and_grad\n\n\ndef grad(fun):\n    return lambda *args: value_and_grad(fun)(*args)[1]"
    )
    yield Made(
        "calls what is to be written",
        {"NAME.zip": archive(maker.all_but({"value_and_grad": borrowed}))},
        maker.lost("value_and_grad"),
        says=("jax.value_and_grad is missing while this notebook is graded",),
        flags=tuple(f"value_and_grad calls jax.value_and_grad (line {line})" for line in (1, 5)),
    )
    for about, kind, title, said in (
        ("ends Python", "ended", "os._exit", "Python itself ended here"),
        ("loops for ever", "taken", "a loop that swallows", "No end after"),
        ("prints for ever", "taken", "output", "MB were printed or shown"),
    ):
        code = {"central_difference": attack(kind, title)}
        submitted = archive(maker.all_but(code))
        yield Made(about, {"NAME.zip": submitted}, maker.lost("central_difference"), says=(said,))
    yield Made("looks around, and finds nothing", {"NAME.zip": archive(_looking(maker))})


def _with_attacks(titles: tuple[str, ...]) -> Edit:
    def edit(cells: list[dict[str, Any]]) -> None:
        cells[1:1] = [_cell(f"mine-{i}", attack("forged", title)) for i, title in enumerate(titles)]

    return edit


def _looking(maker: Maker) -> bytes:
    """Right, unless something was found that should not be within reach."""
    packages = [str(ROOT / package) for package in ("minitorch", "minitorch_course")]
    where = f"SOURCE, ROOT, PACKAGES = {str(maker.notebook.path)!r}, {str(ROOT)!r}, {packages!r}"
    titles = ("the source", "notebooks", "environment variables", "other processes", "files of the host")
    code = [where, attack("tools", "look and search"), *(attack("seen", title) for title in titles)]
    # What is installed can be read, and lies in the folder of the repository where the environment does.
    sought = f'search(ROOT, lambda f: f in ("{NAME}.py", "{NAME}.ipynb"))'
    looked = "\n".join(code).replace("search(ROOT, lambda f: True)", sought)
    body = maker.right["central_difference"].replace("    return", "    assert not found, found\n    return")

    def edit(cells: list[dict[str, Any]]) -> None:
        cells.insert(1, _cell("mine", looked))

    return maker.all_but({"central_difference": body}, edit)


def write(rows: list[Made], folder: Path) -> None:
    """Write the submissions into the folder, one entry for each student."""
    for row in rows:
        for name, content in row.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    write(forty(Maker()), Path(sys.argv[1]))
    print(f"wrote 40 submissions of {NAME} into {sys.argv[1]}")
