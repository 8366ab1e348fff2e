"""The filter of system calls, in the sandbox that students' code runs in."""

import errno
import json
import platform
import subprocess
import sys

import pytest

from minitorch_course.grading.sandbox import Limits, command, seccomp_file
from minitorch_course.grading.system_calls import MACHINES, REFUSED, X32, seccomp_filter

CALL = """
import ctypes, json, os, sys
libc = ctypes.CDLL(None, use_errno=True)
found = {}
for name, number in json.loads(sys.argv[1]).items():
    ctypes.set_errno(0)
    found[name] = ctypes.get_errno() if libc.syscall(ctypes.c_long(number), 0, 0, 0, 0, 0, 0) == -1 else 0
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def errors(sandbox):
    """`errors(calls)` makes system calls in the sandbox, all arguments 0, and returns the errno of each."""
    if platform.machine() not in MACHINES:
        pytest.skip("no filter for this processor")

    def errors(calls):
        with seccomp_file() as seccomp:
            program = [sys.executable, "-I", "-c", CALL, json.dumps(calls)]
            line = command(program, [], {}, Limits(), seccomp=seccomp)
            done = subprocess.run(line, capture_output=True, text=True, env={}, cwd="/", pass_fds=[seccomp or 0])
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return errors


def number(name):
    return REFUSED[name][list(MACHINES).index(platform.machine())]


def test_every_refused_call_fails_in_the_sandbox(errors):
    assert errors({name: number(name) for name in REFUSED}) == dict.fromkeys(REFUSED, errno.EPERM)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x32 is a second set of numbers on x86_64")
def test_the_second_name_of_a_call_is_refused_too(errors):
    assert errors({"x32": X32 + number("keyctl")}) == {"x32": errno.EPERM}


def test_other_calls_are_answered(errors):
    """`sched_yield` and `getuid`."""
    assert set(errors({"yield": (24, 124)[list(MACHINES).index(platform.machine())]}).values()) == {0}


def test_a_processor_without_a_table_has_no_filter():
    assert seccomp_filter("riscv64") == b""
    assert {len(seccomp_filter(machine)) % 8 for machine in MACHINES} == {0}
