"""Decide whether a change may be merged: `python gate.py FOLDER`, where FOLDER is the project after the merge.

Exits with 0 if it may, else with 1 and a line for each reason. So far it only runs the tests, which is not enough.
"""

import subprocess
import sys


def tests_pass(folder):
    """Return whether the project's own tests pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    return subprocess.run(command, cwd=folder, check=False).returncode == 0


def main(folder):
    """Print the reasons to reject the change, and return the exit status."""
    reasons = []
    if not tests_pass(folder):
        reasons.append("tests fail")
    for reason in reasons:
        print(f"rejected: {reason}")
    return 1 if reasons else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
