"""What a process that reads a stranger's file may do: little memory, little time, no network, no other programs.

Limits hold everywhere; the filter of system calls is for Linux on x86-64 and ARM64, and needs no privileges.
"""

from __future__ import annotations

import contextlib
import ctypes
import platform
import resource
import signal
import struct
import sys

MEMORY_BYTES = 2 << 30  # of address space
CPU_SECONDS = 600
FILE_BYTES = 64 << 20  # of a file that it writes
OPEN_FILES = 64

_PARENT_DEATH_SIGNAL, _NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 1, 38, 22, 2
# (architecture, no processes: clone, none at all: clone3, and what is refused): socket, connect, execve, execveat,
# ptrace, process_vm_readv, process_vm_writev, kill, mount, unshare, setns, bpf, io_uring_setup, fork, vfork
_CALLS = {
    "x86_64": (0xC000003E, 56, 435, (41, 42, 59, 322, 101, 310, 311, 62, 165, 272, 308, 321, 425, 57, 58)),
    "aarch64": (0xC00000B7, 220, 435, (198, 203, 221, 281, 117, 270, 271, 129, 40, 97, 268, 280, 425)),
}
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _REFUSE, _UNKNOWN_CALL = 0x7FFF0000, 0x00050001, 0x00050026  # EPERM, ENOSYS
_THREAD = 0x10000


def confine(*, memory: int = MEMORY_BYTES, cpu_seconds: int = CPU_SECONDS) -> None:
    """Takes from this process, for good, what reading a file does not need."""
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_FSIZE: FILE_BYTES,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in limits.items():
        with contextlib.suppress(ValueError, OSError):  # a system that knows no such limit, or has a lower one
            resource.setrlimit(kind, (limit, limit))
    if sys.platform == "linux" and platform.machine() in _CALLS:
        _refuse_calls(*_CALLS[platform.machine()])


def end_with_parent() -> None:
    """This process is killed when the one that forked it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def _refuse_calls(architecture: int, clone: int, clone3: int, refused: tuple[int, ...]) -> None:
    """Installs a seccomp filter: no sockets, no programs, no processes; threads may be started."""
    steps = [
        (_LOAD, 0, 0, 4),  # the architecture
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, 0),  # the number of the call
        (_EQUAL, 0, 1, clone3),  # its flags lie in memory, unseen: libc falls back to clone
        (_RETURN, 0, 0, _UNKNOWN_CALL),
    ]
    for call in refused:
        steps += [(_EQUAL, 0, 1, call), (_RETURN, 0, 0, _REFUSE)]
    steps += [
        (_EQUAL, 0, 3, clone),
        (_LOAD, 0, 0, 16),  # its flags
        (_ANY_BIT, 1, 0, _THREAD),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))

    libc = ctypes.CDLL(None)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    libc.prctl(_SECCOMP, _FILTER, ctypes.byref(Program(len(steps), ctypes.addressof(program))), 0, 0)
