"""Runs a command whose system calls somebody may answer already, as in a container of LXD or sysbox: under a seccomp
filter that allows all, and has a listener."""

import ctypes
import os
import platform
import struct
import sys

SECCOMP = 277 if platform.machine() != "x86_64" else 317
SET_MODE_FILTER = 1
NEW_LISTENER = 8
NO_NEW_PRIVS = 38
RETURN, ALLOW = 0x06, 0x7FFF0000

code = ctypes.create_string_buffer(struct.pack("HBBI", RETURN, 0, 0, ALLOW))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 1, ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0)
listener = libc.syscall(SECCOMP, SET_MODE_FILTER, NEW_LISTENER, program)
if listener < 0:
    raise OSError(ctypes.get_errno(), "seccomp")
os.set_inheritable(listener, True)
os.execvp(sys.argv[1], sys.argv[1:])
