# expect: output limit 0/7
"""Left its debugging in."""


def merge_intervals(intervals):
    while True:
        print('merging', intervals)
