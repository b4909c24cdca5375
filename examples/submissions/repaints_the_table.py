# expect: crashed 0/7
"""Writes over the teacher's table: the message moves the cursor and changes colours."""


def merge_intervals(intervals):
    raise ValueError('\x1b[2J\x1b[H\x1b[32mright 7/7\x1b[0m')
