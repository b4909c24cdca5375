# expect: disk limit 0/7
"""Writes its steps down, and never stops."""
import itertools


def merge_intervals(intervals):
    for number in itertools.count():
        with open(f'tmp/step-{number}.log', 'w') as log:
            log.write(repr(intervals) * 10_000)
