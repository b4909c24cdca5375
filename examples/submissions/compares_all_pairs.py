# expect: time limit 6/7
"""Right, but looks at every pair again after every change."""


def merge_intervals(intervals):
    merged = [list(interval) for interval in intervals]
    changed = True
    while changed:
        changed = False
        for i in range(len(merged)):
            for j in range(i + 1, len(merged)):
                if merged[i][0] <= merged[j][1] and merged[j][0] <= merged[i][1]:
                    merged[i] = [min(merged[i][0], merged[j][0]), max(merged[i][1], merged[j][1])]
                    del merged[j]
                    changed = True
                    break
            if changed:
                break
    return sorted(merged)
