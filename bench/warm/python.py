"""A warm Python without any confinement: what the cells are measured beside.

`python.py persistent MODULE...` runs each request itself: the floor.
`python.py fork MODULE...` forks a child for each, which runs it and exits: the bare price of a fork.
In: a line of JSON each, {"id", "code", "globals"}. Out: a line, {"id", "globals"}.
"""
import gc
import importlib
import json
import os
import sys

mode, modules = sys.argv[1], sys.argv[2:]
gc.disable()
for module in modules:
    importlib.import_module(module)


def answer(request):
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
    data = (json.dumps({'id': request['id'], 'globals': found}) + '\n').encode()
    # At once, as long as it fits into a pipe: children write side by side.
    while data:
        data = data[os.write(1, data):]


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        pass


answer({'id': -1, 'code': 'a = 17', 'globals': {}})
gc.collect()
gc.freeze()
for line in sys.stdin:
    if mode == 'persistent':
        answer(json.loads(line))
    else:
        if os.fork() == 0:
            answer(json.loads(line))
            os._exit(0)
        reap()
