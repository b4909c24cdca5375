"""A warm Python's first and last lines; `cells.py` is what it does between.

In:  as `cells.py`; beside this file lie `cells.py`, `jailed_code`, which runs a safeExec, and `session.py`.

All are compiled in a child. What a compiler leaves behind would lie in the memory of every cell, between the objects
that calls need: a megabyte of holes, whose page tables each cell copies.
"""
import sys

# The directory of a program that is a file is the first.
script_is_searched = not (sys.flags.isolated or getattr(sys.flags, 'safe_path', False))
if script_is_searched:
    sys.path.pop(0)

# Not `os`, which a Python without `site` has not imported.
import marshal
import posix


def compiled(file, name):
    with open(file, 'rb') as source:
        return compile(source.read(), name, 'exec', dont_inherit=True)


def compiled_by_child(files):
    reading, writing = posix.pipe()
    if posix.fork() == 0:
        try:
            code = marshal.dumps([compiled(file, name) for file, name in files])
            with open(writing, 'wb') as pipe:
                pipe.write(code)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            sys.stderr.flush()
        finally:
            posix._exit(0)
    posix.close(writing)
    with open(reading, 'rb') as pipe:
        code = pipe.read()
    try:
        posix.waitpid(-1, 0)
    except ChildProcessError:
        # Where SIGCHLD is ignored, as by a file of `site`, the kernel has waited for it.
        pass
    if not code:
        sys.exit('what a template runs could not be compiled')
    return marshal.loads(code)


cells, runner, session = compiled_by_child([
    ('cells.py', 'cells.py'), ('jailed_code', '<codejail>'), ('session.py', '<codejail>')])
names = {
    '__name__': '__main__', 'RUNNER_CODE': runner, 'SESSION_CODE': session,
    'SCRIPT_IS_SEARCHED': script_is_searched}
exec(cells, names)
# In a cell. From here, so that a program has as many frames below it as in a new Python.
names['serve'](names['call'])
