# expect: denied 0/7
"""Tries to end every process that might be the grader."""
import os
import signal


def merge_intervals(intervals):
    for process in range(2, 40_000):
        if process != os.getpid():
            try:
                os.kill(process, signal.SIGKILL)
            except OSError as error:
                refused = error
    raise refused
