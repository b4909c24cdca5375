"""A warm Python without any confinement: what the cells are measured beside.

`python.py persistent MODULE...` runs each request itself: the floor.
`python.py fork MODULE...` forks a child for each, which runs it and exits: the bare price of a fork.
`python.py confined LIBRARY PROGRAM MODULE...` forks it as `confinement.cc` does, built as both.
`python.py waiting MODULE...` forks it ahead of its request, and answers when it is dead: what a cell without any
confinement would take.
In: a line of JSON each, {"id", "code", "globals"}. Out: a line, {"id", "globals"}.
"""
import gc
import importlib
import json
import os
import sys

mode, modules = sys.argv[1], sys.argv[2:]
fork = os.fork
if mode == 'confined':
    import ctypes
    import subprocess

    (library, program), modules = modules[:2], modules[2:]
    supervisors = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    if not supervisors.stdout.readline():
        sys.exit(1)
    # The interpreter's lock is kept: its functions for a fork are not called, which is less still.
    confined_fork = ctypes.PyDLL(library).confined_fork

    def fork():
        supervisors.stdin.write(b'1')
        child = confined_fork()
        if child < 0:
            sys.exit('a child could not be confined')
        return child

gc.disable()
for module in modules:
    importlib.import_module(module)


def run(request):
    namespace = request['globals']
    exec(compile(request['code'], '<string>', 'exec'), namespace)
    found = {}
    for key, value in namespace.items():
        if key == '__builtins__':
            continue
        try:
            json.dumps(value)
            found[key] = value
        except (TypeError, ValueError):
            pass
    return (json.dumps({'id': request['id'], 'globals': found}) + '\n').encode()


def answer(request):
    data = run(request)
    # At once, as long as it fits into a pipe: children write side by side.
    while data:
        data = data[os.write(1, data):]


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        pass


def fork_ahead():
    request, request_end = os.pipe()
    answer_end, answer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(request_end)
        os.close(answer_end)
        # Its own copies of the pages that a run writes to.
        run(FIRST)
        line = os.read(request, 1 << 16)
        if line:
            os.write(answer, run(json.loads(line)))
        os._exit(0)
    os.close(request)
    os.close(answer)
    return child, request_end, answer_end


def run_ahead(line, child, request_end, answer_end):
    os.write(request_end, line.encode())
    data = os.read(answer_end, 1 << 16)
    os.waitpid(child, 0)
    os.write(1, data)
    os.close(request_end)
    os.close(answer_end)


FIRST = {'id': -1, 'code': 'a = 17', 'globals': {}}
answer(FIRST)
gc.collect()
gc.freeze()
waiting = fork_ahead() if mode == 'waiting' else None
for line in sys.stdin:
    if mode == 'persistent':
        answer(json.loads(line))
    elif mode == 'waiting':
        run_ahead(line, *waiting)
        waiting = fork_ahead()
    else:
        if fork() == 0:
            answer(json.loads(line))
            os._exit(0)
        reap()
