# expect: crashed 0/7
"""Handed in without having been run."""


def merge_intervals(intervals)
    return sorted(intervals)
