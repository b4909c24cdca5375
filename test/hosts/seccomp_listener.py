"""Runs a command under a filter that has a listener already, as system containers with intercepted calls do: the kernel
lets no filter below have one of its own (seccomp(2), EBUSY)."""

import ctypes
import os
import struct
import sys

NUMBER = {"x86_64": 317, "aarch64": 277}[os.uname().machine]
SET_MODE_FILTER, NEW_LISTENER = 1, 8
ALLOW = struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000)

libc = ctypes.CDLL(None, use_errno=True)
code = ctypes.create_string_buffer(ALLOW)
program = struct.pack("HxxxxxxP", 1, ctypes.addressof(code))
if os.getuid() != 0 and libc.prctl(38, 1, 0, 0, 0) != 0:
    raise OSError(ctypes.get_errno(), "prctl(PR_SET_NO_NEW_PRIVS)")
listener = libc.syscall(NUMBER, SET_MODE_FILTER, NEW_LISTENER, program)
if listener < 0:
    raise OSError(ctypes.get_errno(), "seccomp")
# The filter counts as one with a listener only as long as somebody holds it.
os.set_inheritable(listener, True)
os.execvp(sys.argv[1], sys.argv[1:])
