"""An unconfined Python that runs steps: what sessions are measured beside.

`python.py persistent`: each step runs in this process: the floor.
`python.py fork`: each step runs in a fork of this process, which becomes the state: its parent exits when it is done.
`python.py bare`: each step is a fork that does nothing, and is waited for.
In: a line of JSON each, {"code"}. Out: a line, {"value", "milliseconds"}.
"""
import ast
import gc
import json
import os
import sys
from time import perf_counter

mode = sys.argv[1]
namespace = {}


def run(code):
    tree = ast.parse(code)
    last = tree.body.pop()
    exec(compile(tree, '<step>', 'exec'), namespace)
    return repr(eval(compile(ast.Expression(last.value), '<step>', 'eval'), namespace))


def answer(value, begun):
    line = json.dumps({'value': value, 'milliseconds': (perf_counter() - begun) * 1000}) + '\n'
    os.write(1, line.encode())


def fork_step(code, begun):
    """The child goes on as the state."""
    child = os.fork()
    if child != 0:
        os._exit(0)
    answer(run(code), begun)


def bare_fork(begun):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    answer('None', begun)


def stay():
    """Node closes the input of a process that has ended: the first one waits until the last step's has."""
    import ctypes
    pr_set_child_subreaper = 36
    if ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0) != 0:
        sys.exit('no processes are given to this one')
    if os.fork() == 0:
        return
    try:
        while True:
            os.wait()
    except ChildProcessError:
        os._exit(0)


if mode == 'fork':
    stay()
gc.collect()
gc.freeze()
buffered = b''
os.write(1, b'{"value": "ready", "milliseconds": 0}\n')
while True:
    while b'\n' not in buffered:
        data = os.read(0, 1 << 16)
        if not data:
            os._exit(0)
        buffered += data
    line, buffered = buffered.split(b'\n', 1)
    begun = perf_counter()
    code = json.loads(line)['code']
    if mode == 'persistent':
        answer(run(code), begun)
    elif mode == 'fork':
        fork_step(code, begun)
    else:
        bare_fork(begun)
