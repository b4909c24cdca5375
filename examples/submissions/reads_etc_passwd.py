# expect: denied 0/7
"""Looks around on the server."""


def merge_intervals(intervals):
    with open('/etc/passwd') as accounts:
        return accounts.read().splitlines()
