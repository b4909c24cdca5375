"""Runs one program with exec and hands back its globals. This is `jailed_code` of safeExec.

In:   descriptor 3: {"code": str, "globals": {...}, "python_path": [name, ...]}, to its end; where it goes on, its length
      and a line break come before. Then it has "functions" and "source" too, `functions.py`, which says how they are called.
Out:  descriptor 4: 'G' and the globals as JSON, or 'E' and {"type", "module"?, "message", "line",
      "traceback"}, or nothing when the program ended by itself (sys.exit(0), os._exit). Before 'G', where JSON
      can't carry all of the globals: 'O', a list of {"name", "type", "why"}, and a line break.
Exit: 0 with a result, 1 after an exception, the program's own status after SystemExit.

A template (`cells.py`) has it ready as a module before there is a call. That changes nothing here but by `stand_by`, the
one hook, and in a cell calls `run`.

The program has one namespace, a real stdout, and this directory first in sys.path, so a json.py
that came with it is the json it imports; what this file imports is never looked for there.
After the result is written it ends as Python does (threads joined, exit handlers, files and
streams flushed), save that the interpreter is not taken down.

This is its beginning. The other parts are joined to it, in the order in which `source.ts` has them.
"""
import sys

script_path = []
if __name__ == '__main__' and not (sys.flags.isolated or getattr(sys.flags, 'safe_path', False)):
    script_path = [sys.path.pop(0)]

import builtins
# Of its own: what a program does to the real ones reaches nothing in this file (since Python 3.10, where a function
# keeps those that it was made with).
__builtins__ = dict(vars(builtins))

# `json` imports `re`, a third of a bare Python's start; its C half does all that is needed here.
from _json import encode_basestring_ascii, make_encoder, make_scanner
from _signal import (
    SIG_BLOCK, SIG_UNBLOCK, SIGALRM, SIGINT, SIGPROF, SIGUSR1, SIGUSR2, SIGVTALRM, pthread_sigmask)
from atexit import _ncallbacks, _run_exitfuncs
from posix import _exit, close, getcwd, getpid, read, set_inheritable, stat, write

REQUEST = 3
CHANNEL = 4
PROGRAM = '<string>'
HELD_SIGNALS = [SIGALRM, SIGINT, SIGPROF, SIGUSR1, SIGUSR2, SIGVTALRM]
# Within what every supported Python's own recursion limits and the reader of the result allow.
MAX_DEPTH = 900
PIPE_SIZE = 1 << 16
MAX_MESSAGE = 1 << 16
MAX_TRACEBACK = 1 << 18
MAX_WORD = 200
NO_JSON = 'JSON has no %s'
# With the line break, less than what is read at once.
MAX_OMITTED = 60000

Module = type(sys)
Function = type(lambda: None)
standard_builtins = dict(__builtins__)
restore_builtins = vars(builtins).update
shares_builtins = sys.version_info < (3, 10)
recursion_limit = sys.getrecursionlimit()
setrecursionlimit = sys.setrecursionlimit
limit_digits = getattr(sys, 'set_int_max_str_digits', None)
settrace = sys.settrace
setprofile = sys.setprofile
has_one_thread = None
end = _exit
KNOWN_BETTER = frozenset(['__name__', 'script_path', 'process', 'has_one_thread', 'end'])


def stand_by(**known):
    """The hook: what the process around this file knows better than it, or does for it. What is named is so from now on.

    __name__        the name of the module, which is the main one where no program has taken its place
    script_path     with what a program's path begins: the directory of a program that is a file, where that is searched
    process         the number of this process, after a fork: only this one's program has a result to give
    has_one_thread  says, for less than the kernel takes, that there is no other thread; false where it is not known
    end             ends this process with a status
    """
    if not known.keys() <= KNOWN_BETTER:
        raise TypeError('not of the hook: %s' % ', '.join(known.keys() - KNOWN_BETTER))
    globals().update(known)


def enter():
    """Takes down where this process is, and what it started with."""
    global directory, process, streams, standard_path, standard_modules, last_module
    directory = getcwd()
    if __name__ == '__main__' and sys.argv[0].startswith('../'):
        directory = directory.rpartition('/')[0]
    process = getpid()
    streams = [sys.stdout, sys.stderr]
    standard_path = list(sys.path)
    standard_modules = frozenset(sys.modules)
    last_module = next(reversed(sys.modules))
