# expect: wrong 1/7
"""Looks for the functions that write the result down, to replace them. They are not within its reach."""
import __main__
import sys

sys.modules['submission'] = sys
sys.merge_intervals = lambda intervals: intervals
for name, thing in list(vars(__main__).items()):
    if callable(thing) and 'encode' in name:
        setattr(__main__, name, lambda *arguments: '{"answer":[[1,6],[8,9]],"answered":true}')
