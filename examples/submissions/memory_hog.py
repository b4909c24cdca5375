# expect: memory limit 5/7
"""Notes every single point that is covered: fine until an interval is long."""


def merge_intervals(intervals):
    covered = set()
    for start, end in intervals:
        covered.update(range(start, end))
    merged = []
    for point in sorted(covered):
        if merged and merged[-1][1] == point:
            merged[-1][1] = point + 1
        else:
            merged.append([point, point + 1])
    return merged
