"""Classes with rings of copies and with honest look-alikes, to measure which pairs the comparison of submissions flags.

Honest students choose among the five styles of notebook 02, the same ones often, and write each in their own way. A
copy takes over a whole notebook, and changes names, comments, layout and some lines, or moves code to other cells.

    python tests/course/grading/rings.py    prints precision and recall by the size of the ring
"""

from __future__ import annotations

import ast
import random
import sys
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from class_of_forty import STYLES, Maker, cells_of

from minitorch_course.author.cells import unsolved
from minitorch_course.grading.similarity import Class, fingerprint

STYLE_NAMES = ("named", "loops", "dense", "classes")
POPULARITY = (8, 5, 3, 2, 2)  # of the reference's way, and of the four styles
HONEST, COPIED = 0.25, 0.02  # of the expressions and statements that one writer writes in another way


class Rewrite(ast.NodeTransformer):
    """Write some expressions and statements in another way, with the same meaning."""

    def __init__(self, rng: random.Random, rate: float):
        self.rng, self.rate = rng, rate

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if self.rng.random() < self.rate and isinstance(node.op, ast.Add | ast.Mult):
            node.left, node.right = node.right, node.left
        return node

    def visit_Compare(self, node):
        self.generic_visit(node)
        if self.rng.random() < self.rate:
            return ast.UnaryOp(ast.Not(), node)
        return node

    def visit_Assign(self, node):
        self.generic_visit(node)
        if self.rng.random() < self.rate and isinstance(node.targets[0], ast.Name):
            return [ast.Assign([ast.Name("temporary", ast.Store())], node.value),
                    ast.Assign(node.targets, ast.Name("temporary", ast.Load()))]  # fmt: skip
        return node

    def visit_Return(self, node):
        self.generic_visit(node)
        if self.rng.random() < self.rate and node.value:
            return [ast.Assign([ast.Name("answer", ast.Store())], node.value),
                    ast.Return(ast.Name("answer", ast.Load()))]  # fmt: skip
        return node


class Rename(ast.NodeTransformer):
    """Rename every variable and parameter."""

    def visit_Name(self, node):
        node.id = f"my_{node.id}"
        return node

    def visit_arg(self, node):
        node.arg = f"my_{node.arg}"
        return node


def rewritten(code: str, rng: random.Random, rate: float) -> str:
    return ast.unparse(ast.fix_missing_locations(Rewrite(rng, rate).visit(ast.parse(code))))


class ClassMaker:
    def __init__(self):
        maker = Maker()
        self.styles = [maker.right, *(cells_of(STYLES / f"{name}.py") for name in STYLE_NAMES)]
        self.exercises = list(self.styles[1])
        stubs = [unsolved(cell) for cell in maker.notebook.of("exercise")]
        self.reference, self.stubs = maker.right, stubs

    def compare(self, students):
        prints = {name: fingerprint(sources) for name, sources in students.items()}
        return Class(prints, fingerprint(self.stubs), fingerprint(self.reference.values()))

    def honest(self, rng: random.Random) -> dict[str, str]:
        """One student's exercises; some write nearly all of them as the reference does, and leave some out."""
        weights = (30, *POPULARITY[1:]) if rng.random() < 0.3 else POPULARITY
        done = self.exercises[: rng.choice([4, 8, 11, 11, 11, 11])]
        return {name: rewritten(rng.choices(self.styles, weights)[0][name], rng, HONEST) for name in done}

    def copy(self, original: dict[str, str], rng: random.Random) -> list[str]:
        """A copy of a notebook, disguised."""
        code = {name: rewritten(source, rng, COPIED) for name, source in original.items()}
        for name in rng.sample(list(code), rng.choice([0, 0, 1])):  # One exercise of their own.
            code[name] = rewritten(rng.choices(self.styles, POPULARITY)[0][name], rng, HONEST)
        disguise = rng.choice(["names", "magics", "moved", "padded", "none"])
        cells = list(code.values())
        if disguise == "names":
            cells = [ast.unparse(Rename().visit(ast.parse(cell))) for cell in cells]
        elif disguise == "magics":
            cells = [f"%%time\n{cell}\n%matplotlib inline" for cell in cells]
        elif disguise == "moved":
            cells = ["\n".join(cells)]
        elif disguise == "padded":
            cells.append("\n".join(f"unused_{i} = [n ** {i} for n in range({i}) if n > {i}]" for i in range(12)))
        return cells

    def make(self, size: int, rings: tuple[int, ...], seed: int) -> tuple[dict[str, list[str]], set[frozenset[str]]]:
        """Return a class of `size` students, and the pairs that copied."""
        rng = random.Random(seed)
        students = {f"s{i:03}": self.honest(rng) for i in range(size - sum(rings))}
        made = {name: list(code.values()) for name, code in students.items()}
        pairs: set[frozenset[str]] = set()
        for number, length in enumerate(rings):
            original = self.honest(rng)
            while len(original) < 8:
                original = self.honest(rng)
            ring = {f"r{number}-{i}": self.copy(original, rng) for i in range(length)}
            made |= ring
            pairs |= {frozenset(pair) for pair in combinations(ring, 2)}
        return made, pairs

    def measure(self, size: int, rings: tuple[int, ...], seeds: range) -> tuple[float, float, float]:
        """Return the precision and the recall over pairs, and the recall over students, of some classes."""
        right = flagged = wanted = found = copied = 0
        for seed in seeds:
            students, pairs = self.make(size, rings, seed)
            similar = self.compare(students).similar()
            got = {frozenset((a, b)) for a, others in similar.items() for b, _ in others}
            right, flagged, wanted = right + len(got & pairs), flagged + len(got), wanted + len(pairs)
            copied += sum(rings)
            found += len({name for pair in got & pairs for name in pair})
        return right / flagged if flagged else 1.0, right / wanted if wanted else 1.0, found / copied if copied else 1.0


if __name__ == "__main__":
    maker = ClassMaker()
    print("class  ring  precision  recall of pairs  recall of students")
    for size, ring in [(14, 2), (14, 4), (14, 10), (40, 2), (40, 3), (40, 4), (40, 6), (40, 8), (40, 10), (120, 10)]:
        print(f"{size:5} {ring:5} " + "".join(f"{x:12.3f}" for x in maker.measure(size, (ring,), range(10))))
    students = sum(
        len({n for n, o in maker.compare(maker.make(40, (), seed)[0]).similar().items() if o}) for seed in range(25)
    )
    print(f"honest: {students} of {25 * 40} flagged")
