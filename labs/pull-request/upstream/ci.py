"""Run all checks that a change has to pass before it is merged: `python ci.py`."""

import doctest
import pathlib
import subprocess
import sys

LONGEST_LINE = 120


def style():
    """Yield complaints about the format of the Python files."""
    for path in [*pathlib.Path("tinyscore").glob("*.py"), *pathlib.Path("tests").glob("*.py")]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if len(line) > LONGEST_LINE:
                yield f"{path}:{number}: longer than {LONGEST_LINE} characters"
            if line != line.rstrip():
                yield f"{path}:{number}: white space at the end of the line"


def main():
    complaints = list(style())
    print(*complaints, sep="\n")
    tests = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"], check=False)
    examples = doctest.testfile("README.md", module_relative=False, encoding="utf-8")
    return bool(complaints or tests.returncode or examples.failed)


if __name__ == "__main__":
    sys.path.insert(0, ".")
    sys.exit(main())
