"""How a worker process is cut off from the machine: limits, no network, no new programs, no life of its own.

Linux offers two ways to take the network away. A seccomp filter needs no privilege and also forbids starting programs;
where a kernel or a container denies it, an empty network namespace does. Elsewhere the answer is ``none``, said
truthfully on ``/readyz``; limits on memory and time hold on every POSIX system.
"""

import ctypes
import errno
import os
import resource
import signal
import struct
import sys
from typing import Literal

Isolation = Literal["seccomp", "namespace", "none"]

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_CLONE_NEWNET = 0x40000000
_CLONE_NEWUSER = 0x10000000

# Numbers from the kernel's tables: architecture → (AUDIT_ARCH, forbidden calls).
_CALLS: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        {
            "socket": 41, "connect": 42, "accept": 43, "sendto": 44, "sendmsg": 46, "bind": 49, "listen": 50,
            "socketpair": 53, "accept4": 288, "sendmmsg": 307, "execve": 59, "execveat": 322,
            "ptrace": 101, "kill": 62, "tkill": 200, "process_vm_readv": 310, "process_vm_writev": 311,
            "pidfd_open": 434, "pidfd_getfd": 438, "io_uring_setup": 425, "bpf": 321, "unshare": 272, "setns": 308,
            "mount": 165, "chroot": 161,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "socket": 198, "socketpair": 199, "bind": 200, "listen": 201, "accept": 202, "connect": 203, "sendto": 206,
            "sendmsg": 211, "accept4": 242, "sendmmsg": 269, "execve": 221, "execveat": 281, "ptrace": 117, "kill": 129,
            "tkill": 130, "process_vm_readv": 270, "process_vm_writev": 271, "pidfd_open": 434, "pidfd_getfd": 438,
            "io_uring_setup": 425, "bpf": 280, "unshare": 97, "setns": 268, "mount": 40, "chroot": 51,
        },
    ),
}  # fmt: skip

_PROGRAMS = frozenset({"execve"})
"""What a process needs that starts a program."""

_X32 = 0x40000000
"""Bit of the x32 twin of each x86-64 call; the filter forbids them all."""


def die_with_parent(parent: int) -> None:
    """End this process when its parent ends, even while a parser is busy. Elsewhere than on Linux: end of input does."""
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the line above
            os._exit(0)


def limit(memory_mb: int) -> None:
    """Cap the address space, forbid files, core dumps and a full table of descriptors, and step behind the service."""
    size = memory_mb * 2**20
    caps = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, 64)]
    if sys.platform == "linux":  # macOS does not know address space limits
        caps.append((resource.RLIMIT_AS, size))
    for name, value in caps:
        _, hard = resource.getrlimit(name)
        capped = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (capped, capped))
    os.nice(5)


def grant_cpu(seconds: float) -> None:
    """Let this process burn ``seconds`` more of CPU; then the kernel ends it with SIGXCPU. Whole seconds, rounded up."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(
        resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard)
    )


def isolate(*, programs: bool = False) -> Isolation:
    """Take the network away from this process, by the strongest means that works here.

    With ``programs`` it may start others; what it cannot do itself, they cannot either.
    """
    if sys.platform != "linux":
        return "none"
    if _seccomp(_PROGRAMS if programs else frozenset()):
        return "seccomp"
    libc = _libc()
    if libc.unshare(_CLONE_NEWNET) == 0 or libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0:
        return "namespace"
    return "none"


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_char_p)]


def _seccomp(allowed: frozenset[str] = frozenset()) -> bool:
    known = _CALLS.get(os.uname().machine)
    if known is None:
        return False
    architecture, calls = known
    program = _program(architecture, sorted(call for name, call in calls.items() if name not in allowed))
    libc = _libc()
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    shown = _Filter(len(program) // 8, program)
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(shown), 0, 0) == 0)


def _program(architecture: int, forbidden: list[int]) -> bytes:
    """Berkeley packet filter: forbidden calls fail with EPERM, those of a foreign architecture all do."""

    def step(code: int, yes: int, no: int, value: int) -> bytes:
        return struct.pack("=HBBI", code, yes, no, value)

    load, equal, above, answer = 0x20, 0x15, 0x35, 0x06
    allow, deny = 0x7FFF0000, 0x00050000 | errno.EPERM
    size = len(forbidden)
    return b"".join(
        [
            step(load, 0, 0, 4),  # the architecture
            step(equal, 0, size + 3, architecture),
            step(load, 0, 0, 0),  # the number of the call
            step(above, size + 1, 0, _X32),
            *(step(equal, size - at, 0, call) for at, call in enumerate(forbidden)),
            step(answer, 0, 0, allow),
            step(answer, 0, 0, deny),
        ]
    )


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
