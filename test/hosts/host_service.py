"""A service of the host's that anybody may reach, for denials.py: `host_service.py ABSTRACT PATH`."""

import os
import signal
import socket
import sys

sockets = []
for name in ("\0" + sys.argv[1], sys.argv[2]):
    for kind, suffix in ((socket.SOCK_STREAM, ""), (socket.SOCK_DGRAM, "-datagrams")):
        made = socket.socket(socket.AF_UNIX, kind)
        made.bind(name + suffix)
        if kind == socket.SOCK_STREAM:
            made.listen()
        if not name.startswith("\0"):
            os.chmod(name + suffix, 0o666)
        sockets.append(made)
print("ready", flush=True)
signal.pause()
