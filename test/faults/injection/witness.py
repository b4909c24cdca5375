# Runs in a warm cell or in a jail, and says how it is confined: the same in each call, unless something of the
# confinement is missing.
import errno
import os
import resource
import socket


def attempt(action):
    try:
        action()
        return "done"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))


FIELDS = ("Uid:", "Gid:", "Groups:", "Cap", "NoNewPrivs:", "Seccomp", "Threads:", "SigBlk:", "Umask:")
with open("/proc/self/status") as file:
    status = [line.strip() for line in file if line.startswith(FIELDS)]

facts = {
    "status": status,
    "limits": [resource.getrlimit(number) for number in range(16) if number not in (2, 9, 10)],
    "descriptors": [number for number in range(64) if attempt(lambda: os.fstat(number)) == "done"],
    "host": os.uname().nodename,
    "root": attempt(lambda: os.listdir("/")),
    "here": sorted(os.listdir(".")),
    "passwd": attempt(lambda: open("/etc/passwd")),
    "shadow": attempt(lambda: open("/etc/shadow")),
    "memory of PID 1": attempt(lambda: open("/proc/1/mem")),
    "write /": attempt(lambda: open("/written", "w")),
    "write .": attempt(lambda: open("written", "w")),
    "write tmp": attempt(lambda: open("tmp/written.txt", "w").write("x" * 100)),
    "inet": attempt(lambda: socket.socket(socket.AF_INET)),
    "netlink": attempt(lambda: socket.socket(socket.AF_NETLINK)),
    "setuid": attempt(lambda: os.setuid(0)),
    "kill PID 1": attempt(lambda: os.kill(1, 9)),
    # Where nobody is left to be asked it is ENOSYS (seccomp_unotify(2)): refused as well.
    "exec": attempt(lambda: os.execv("/bin/true", ["true"])).replace("ENOSYS", "EACCES"),
}
