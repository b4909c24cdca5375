# expect: right 7/7
"""Walk over all ends in order and count how many intervals are open."""
from collections import Counter


def merge_intervals(intervals):
    opened = Counter(start for start, _ in intervals)
    closed = Counter(end for _, end in intervals)
    merged = []
    depth = 0
    for point in sorted(opened.keys() | closed.keys()):
        if depth == 0:
            begin = point
        depth += opened[point] - closed[point]
        if depth == 0:
            merged.append((begin, point))
    print('merged', len(intervals), 'into', len(merged))
    return merged
