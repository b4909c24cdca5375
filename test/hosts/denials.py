"""What a jail must deny, tried by a plain program: `denials.py SERVER_PID FILE ABSTRACT PATH`. Prints a line of JSON
for each attempt: the guarantee, what was tried, and "reached" or the error's name. None does harm where it succeeds."""

import ctypes
import errno
import json
import os
import platform
import signal
import socket
import sys

server, shared, abstract, path = int(sys.argv[1]), sys.argv[2], "\0" + sys.argv[3], sys.argv[4]
ARM = platform.machine() != "x86_64"
libc = ctypes.CDLL(None, use_errno=True)


def call(numbers, *words):
    if libc.syscall(ctypes.c_long(numbers[ARM]), *map(ctypes.c_long, words)) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def say(guarantee, attempt, outcome):
    os.write(1, (json.dumps([guarantee, attempt, outcome]) + "\n").encode())


def attempt(guarantee, name, function, *arguments):
    """In a child, which what succeeds is to end with."""
    child = os.fork()
    if child == 0:
        code = 0
        try:
            function(*arguments)
        except OSError as error:
            code = error.errno or 255
        except BaseException:
            code = 254
        os._exit(code)
    status = os.waitpid(child, 0)[1]
    code = os.waitstatus_to_exitcode(status)
    say(guarantee, name, "reached" if code == 0 else errno.errorcode.get(code, f"status {code}"))


def sent_to(name, kind):
    own, _ = socket.socketpair(socket.AF_UNIX, kind)
    own.sendto(b"x", name)


def connected_to(name):
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).connect(name)


def executed():
    os.execv("/bin/true", ["true"])


attempt("files", "read a file of the host", open, "/etc/passwd")
attempt("files", "list a directory of the host", os.listdir, "/etc")
attempt("files", "write a file that anybody may write", open, shared, "a")
attempt("files", "make a file beside it", open, shared + "-new", "x")
attempt("files", "read its attributes", os.listxattr, shared)
attempt("files", "change its owner to what it is", os.chown, shared, -1, -1)
attempt("files", "make it empty", os.truncate, shared, 0)
attempt("files", "link it", os.link, shared, shared + "-linked")
attempt("metadata", "ask for a file", os.stat, "/etc/passwd")
attempt("metadata", "ask for a link", os.lstat, "/etc/passwd")
attempt("metadata", "open a file by O_PATH", os.open, "/etc/passwd", os.O_PATH)
attempt("metadata", "set a file's time", os.utime, shared)
attempt("metadata", "ask for the server's group", os.getpgid, server)
attempt("metadata", "ask for the server's scheduler", os.sched_getscheduler, server)
attempt("network", "make an internet socket", socket.socket, socket.AF_INET, socket.SOCK_STREAM)
attempt("network", "make a netlink socket", socket.socket, socket.AF_NETLINK, socket.SOCK_RAW)
attempt("network", "connect to an abstract name", connected_to, abstract)
attempt("network", "connect to a path", connected_to, path)
attempt("network", "send to an abstract name", sent_to, abstract + "-datagrams", socket.SOCK_DGRAM)
attempt("network", "send to a path", sent_to, path + "-datagrams", socket.SOCK_DGRAM)
attempt("processes", "signal the server", os.kill, server, 0)
attempt("processes", "read the server's environment", open, f"/proc/{server}/environ")
attempt("processes", "list what is open there", os.listdir, f"/proc/{server}/fd")
attempt("processes", "execute a program", executed)
attempt("identity", "be root", os.setuid, 0)
attempt("identity", "have groups", os.setgroups, [1])
attempt("identity", "change the root", os.chroot, ".")
attempt("identity", "go before others", os.nice, -1)
attempt("kernel", "make a namespace", call, (272, 97), 0x04000000)
attempt("kernel", "be traced", call, (101, 117), 0, 0, 0, 0)
attempt("kernel", "make a file in memory", os.memfd_create, "x")
attempt("kernel", "change its personality", call, (135, 92), 0x0040000)
attempt("memory", "hide from the sums", call, (157, 167), 4, 0, 0, 0, 0)
