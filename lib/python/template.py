"""A warm Python's first lines: `cells.py` is all that it does.

In:  as `cells.py`; beside this file lie `cells.py` and `jailed_code`, which runs a safeExec.

Both are compiled in a child. What a compiler leaves behind would lie in the memory of every cell, between the objects
that calls need: half a megabyte, whose page tables each cell copies.
"""
import sys

# The directory of a program that is a file is the first.
if not (sys.flags.isolated or getattr(sys.flags, 'safe_path', False)):
    sys.path.pop(0)

import marshal
import os


def compiled(file, name):
    with open(file, 'rb') as source:
        return compile(source.read(), name, 'exec', dont_inherit=True)


def compiled_by_child(files):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            code = marshal.dumps([compiled(file, name) for file, name in files])
            with open(writing, 'wb') as pipe:
                pipe.write(code)
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)
    os.close(writing)
    with open(reading, 'rb') as pipe:
        code = pipe.read()
    _, status = os.waitpid(child, 0)
    if status != 0:
        sys.exit(1)
    return marshal.loads(code)


cells, runner = compiled_by_child([('cells.py', 'cells.py'), ('jailed_code', '<codejail>')])
exec(cells, {'__name__': '__main__', 'RUNNER_CODE': runner})
