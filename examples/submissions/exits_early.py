# expect: tampered 0/7
"""No test can fail that is never run."""
import os

os._exit(0)
