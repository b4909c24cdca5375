# expect: denied 0/7
"""Leaves the work to another program."""
import subprocess


def merge_intervals(intervals):
    return subprocess.check_output(['/bin/sh', '-c', 'id; ls -la /home'], text=True)
