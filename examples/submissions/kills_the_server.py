# expect: denied 0/7
"""Tries to end every process that might be the grader."""
import os
import signal


def merge_intervals(intervals):
    refused = None
    for process in range(1, 40_000):
        if process != os.getpid():
            try:
                os.kill(process, signal.SIGKILL)
            except PermissionError as error:
                refused = error
            except ProcessLookupError:
                pass
    if refused:
        raise refused
