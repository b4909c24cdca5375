"""Runs a command as root has it in a stock, unprivileged container: with Docker's default capabilities, and under a
seccomp filter that answers as Docker's default profile does (moby, profiles/seccomp/default.json)."""

import ctypes
import errno
import os
import platform
import struct
import sys

ARM = platform.machine() != "x86_64"
# Each on x86-64 and on arm64; one number where they are the same.
REFUSED = [
    (272, 97),  # unshare
    (308, 268),  # setns
    (165, 40),  # mount
    (166, 39),  # umount2
    (155, 41),  # pivot_root
    (248, 217),  # add_key
    (249, 218),  # request_key
    (250, 219),  # keyctl
    (321, 280),  # bpf
    (298, 241),  # perf_event_open
    *((number, number) for number in (425, 426, 427)),  # io_uring
    *((number, number) for number in range(428, 434)),  # open_tree to fspick
    (442, 442),  # mount_setattr
    *((number, number) for number in (459, 460, 461)),  # lsm_*
]
CLONE = (56, 220)
CLONE3 = (435, 435)
NEW_NAMESPACES = 0x7E020000

LOAD, JUMP_EQUAL, JUMP_SET, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
KEPT = (
    "chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod "
    "audit_write setfcap"
)


def filter_program():
    def answer(number, error):
        return [(JUMP_EQUAL, 0, 1, number[ARM]), (RETURN, 0, 0, ERRNO | error)]

    program = [(LOAD, 0, 0, 0)]
    for number in REFUSED:
        program += answer(number, errno.EPERM)
    program += answer(CLONE3, errno.ENOSYS)
    # The flags of clone: the lower half of its first argument.
    program += [
        (JUMP_EQUAL, 0, 3, CLONE[ARM]),
        (LOAD, 0, 0, 16),
        (JUMP_SET, 0, 1, NEW_NAMESPACES),
        (RETURN, 0, 0, ERRNO | errno.EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program), len(program)


def install():
    code, count = filter_program()
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", count, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    # PR_SET_SECCOMP, SECCOMP_MODE_FILTER; by CAP_SYS_ADMIN, since Docker leaves no_new_privs unset.
    if libc.prctl(22, 2, program, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_SECCOMP)")


install()
bounding = "-all," + ",".join(f"+{name}" for name in KEPT.split())
os.execvp("setpriv", ["setpriv", "--bounding-set", bounding, "--inh-caps", "-all", *sys.argv[1:]])
