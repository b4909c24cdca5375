# expect: wrong 0/7
"""An answer that says it is equal to whatever it is compared with."""


class Right(list):
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False


def merge_intervals(intervals):
    return Right([[0, 0]])
