# expect: time limit 0/7
"""Forgets to move on when two intervals don't meet."""


def merge_intervals(intervals):
    merged = sorted(intervals)
    i = 0
    while i < len(merged):
        if i + 1 < len(merged) and merged[i + 1][0] <= merged[i][1]:
            merged[i][1] = max(merged[i][1], merged[i + 1][1])
            del merged[i + 1]
    return merged
