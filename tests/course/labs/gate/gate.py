"""Decide whether a change may be merged: `python gate.py FOLDER`, where FOLDER is the project after the merge."""

import subprocess
import sys
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data"
DIGITS, LOANS, GAP = 0.92, 0.75, 0.10


def table(name):
    return np.genfromtxt(DATA / f"{name}.csv", delimiter=",", names=True)


def rows(name):
    both = np.loadtxt(DATA / f"{name}.csv", delimiter=",", skiprows=1)
    return both[:, :-1], both[:, -1].astype(int)


def tests(folder):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    if subprocess.run(command, cwd=folder, check=False).returncode:
        yield "tests fail"


def quality(digits):
    pixels, labels = rows("digits-held-out")
    accuracy = np.mean(digits.predict(digits.train(*rows("digits-train")), pixels) == labels)
    if accuracy < DIGITS:
        yield f"accuracy on digits is {accuracy:.3f}, and {DIGITS} is needed"


def fairness(loans):
    train, held_out = table("loans-train"), table("loans-held-out")
    granted = loans.predict(loans.train(train, train["repaid"]), held_out)
    accuracy = np.mean(granted == (held_out["repaid"] == 1))
    if accuracy < LOANS:
        yield f"accuracy on loans is {accuracy:.3f}, and {LOANS} is needed"
    gap = abs(granted[held_out["group"] == 0].mean() - granted[held_out["group"] == 1].mean())
    if gap > GAP:
        yield f"unfair: the shares that are granted differ by {gap:.3f} between the groups, and {GAP} is allowed"


def main(folder):
    reasons = list(tests(folder))
    if not reasons:
        sys.path.insert(0, folder)
        import digits
        import loans

        reasons = [*quality(digits), *fairness(loans)]
    for reason in reasons:
        print(f"rejected: {reason}")
    return 1 if reasons else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
