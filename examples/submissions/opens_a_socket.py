# expect: denied 0/7
"""Asks a friend for the answer."""
import json
import socket


def merge_intervals(intervals):
    friend = socket.create_connection(('192.0.2.1', 80))
    friend.sendall(json.dumps(intervals).encode())
    return json.loads(friend.makefile().read())
