"""System calls that a sandboxed kernel does not need, refused by the operating system (seccomp).

Namespaces do not cover everything. Refused are calls that reach beyond them (the kernel's keyrings, other processes),
that hide memory from the limits (memory files, System V and POSIX IPC), that take a larger share of the processor, and
that make a larger part of the operating system reachable. They fail with EPERM. Source of the numbers: the tables
arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of Linux.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # names of the audit architectures
REFUSED = {  # numbers on x86_64 and on aarch64
    "add_key": (248, 217),
    "bpf": (321, 280),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "request_key": (249, 218),
    "sched_setaffinity": (203, 122),
    "semget": (64, 190),
    "setns": (308, 268),
    "shmget": (29, 194),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}
NEW_PROGRAMS = {"execve": (59, 221), "execveat": (322, 281)}
SECCOMP = {"x86_64": 317, "aarch64": 277}
X32 = 0x40000000  # Numbers from here on are a second name of each call on x86_64.
EPERM = 1
# Instructions of classic BPF, and what a filter returns (linux/filter.h, linux/seccomp.h).
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, ERROR, KILL = 0x7FFF0000, 0x00050000 | EPERM, 0x80000000


def seccomp_filter(machine: str = "", refused: Mapping[str, tuple[int, int]] = REFUSED) -> bytes:
    """Return the program that refuses system calls; empty for processors that are not in `MACHINES`.

    A program for another architecture, such as 32-bit x86 on x86_64, is killed: its calls have other numbers.
    """
    machine = machine or platform.machine()
    if machine not in MACHINES:
        return b""
    numbers = [pair[list(MACHINES).index(machine)] for pair in refused.values()]
    checks = [(JUMP_EQUAL, number) for number in numbers]
    if machine == "x86_64":
        checks.append((JUMP_AT_LEAST, X32))
    program = [(LOAD, 0, 0, 4), (JUMP_EQUAL, 1, 0, MACHINES[machine]), (RETURN, 0, 0, KILL), (LOAD, 0, 0, 0)]
    # A match jumps over the other checks and over the first return, to the second.
    program += [(check, len(checks) - i, 0, number) for i, (check, number) in enumerate(checks)]
    program += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, ERROR)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def refuse_new_programs() -> None:
    """Refuse to start programs, in all threads of this process from now on. In a sandbox only: it cannot be undone.

    A Python of its own would find every function that is hidden in this one.

    Raises:
      OSError: the operating system does not take the filter.
    """
    program = seccomp_filter(refused=NEW_PROGRAMS)
    if not program:
        return
    libc, code = ctypes.CDLL(None, use_errno=True), ctypes.create_string_buffer(program, len(program))
    pointer = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))  # struct sock_fprog
    set_mode_filter, all_threads = ctypes.c_long(1), ctypes.c_long(1)
    if libc.syscall(ctypes.c_long(SECCOMP[platform.machine()]), set_mode_filter, all_threads, pointer):
        raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")
