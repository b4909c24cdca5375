"""A warm Python: imports what calls will need, then makes cells, each of which runs one call. Run by `template.py`, which
gives it RUNNER_CODE and SESSION_CODE, `runner.py` and `session.py` compiled, and SCRIPT_IS_SEARCHED, whether a file's directory is the first of the path,
and in a cell then calls `serve(call)`.

In:   descriptor 3, read to its end: {"library": str, "preload": [module, ...], "python_path": [path,
      ...], "rehearsal": str, "environment": [name, ...]}: `environment` is what only this process's start needed. All of it is the operator's; nothing of a call is ever read here.
Out:  descriptor 4: "ready", or a traceback.
Then: descriptor 5, where the descriptors of each new cell come. What follows `make_cells` runs in a
      cell, confined, with the cell's own descriptors 0 to 4.
"""
import sys

standard_path = list(sys.path)
standard_modules = set(sys.modules)

import gc

# A collection would write into every object's header, and so copy the page in each cell.
gc.disable()

# Not `ctypes`, `json` or `types`: each cell copies the page tables of all that they leave behind, and finds what it
# needs spread over more pages.
import _ctypes
import os
from _json import encode_basestring_ascii, make_scanner

CONFIGURATION = 3
ANSWER = 4
HANDOVER = 5
LONGEST_REHEARSAL_MS = 60000
TEMPLATE = 0
URGENT_CELL = 2
SCOUT = 3
SCRIPT = -1
PROBE = -2
ANNOUNCED = -3
EXEC_WITH_WORDS = -4
SESSION = -5
NOTHING = b'{"code": "a = 17", "globals": {"b": [1.5, "c", null]}, "python_path": []}'
PROGRAM = 'jailed_code'
BLOCKS_OF_A_SIZE = 4
# What a main module begins with: until Python 3.13 (Python/pylifecycle.c, add_main_module).
HAS_ANNOTATIONS = '__annotations__' in vars(sys.modules['__main__'])

Module = type(sys)


class Int(_ctypes._SimpleCData):
    _type_ = 'i'


class LongLong(_ctypes._SimpleCData):
    _type_ = 'q'


class CharPointer(_ctypes._SimpleCData):
    _type_ = 'z'


class Function(_ctypes.CFuncPtr):
    # As those of a ctypes.PyDLL, which keep the interpreter's lock: the only thread forks in it.
    _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_PYTHONAPI
    _restype_ = Int


FUNCTIONS = {
    'begin_template': Int,
    'report_of_scout': Int,
    'make_cells': Int,
    'stand_by': None,
    'await_call': LongLong,
    'has_one_thread': Int,
    'request_size': LongLong,
    'word_count': Int,
    'word': CharPointer,
    'run_probe': None,
    'run_script': Int,
    'exit': None,
    'session_state': Int,
    'session_take': Int,
    'session_begin': Int,
    'session_done': Int,
    'session_hold': Int,
}


class Library:
    def __init__(self, path):
        handle = _ctypes.dlopen(path, 0)
        for name, restype in FUNCTIONS.items():
            function = Function(_ctypes.dlsym(handle, 'codejail_' + name))
            function.restype = restype
            setattr(self, name, function)


def read_configuration():
    options = type(sys.implementation)(
        strict=True, object_hook=None, object_pairs_hook=None, parse_float=float, parse_int=int,
        parse_constant=float, memo={})
    with open(CONFIGURATION, 'rb') as file:
        return make_scanner(options)(file.read().decode(), 0)[0]


def forget_own_imports():
    """A json.py that comes with a program is the json it imports, as in a new process."""
    for name in set(sys.modules) - standard_modules:
        # A second one of this would be half of the first (single-phase initialization).
        if name != '_ctypes':
            del sys.modules[name]


def answer(text):
    with open(ANSWER, 'w') as file:
        file.write(text)


def make_runner():
    """The module that runs a safeExec, as it stands before its first line of a call."""
    runner = Module('jailed_code')
    runner.__file__ = RUNNER_CODE.co_filename
    exec(RUNNER_CODE, vars(runner))
    runner.stand_by(__name__='__main__')
    return runner


def prepare_sessions(library, runner):
    """What a session imports takes it longer than all else that its beginning does. No program finds it imported."""
    imported = set(sys.modules)
    runner.prepare_sessions(library, SESSION_CODE)
    for name in set(sys.modules) - imported:
        del sys.modules[name]


def random_sources():
    """Every generator of random numbers that exists already: cells must not share their numbers."""
    found = []
    random = sys.modules.get('random')
    numpy_random = sys.modules.get('numpy.random')
    if random is None and numpy_random is None:
        return found
    kinds = () if random is None else (random.Random,)
    if numpy_random is not None:
        kinds += (numpy_random.RandomState, numpy_random.Generator)
    seen = set()
    level = gc.get_objects()
    for candidate in level + gc.get_referents(*level):
        if id(candidate) not in seen and isinstance(candidate, kinds):
            seen.add(id(candidate))
            found.append(candidate)
    return found


def reseed(sources):
    for source in sources:
        bits = getattr(source, 'bit_generator', None)
        if bits is not None:
            bits.state = type(bits)().state
        else:
            source.seed()


def enter_cell(place, runner, sources):
    """What only a new process knows. All else is done before there is one, since here it takes page faults: so a cell's
    directory, in mounts of its own, has the path of the template's."""
    runner.stand_by(process=os.getpid())
    if sources:
        reseed(sources)
    if place != URGENT_CELL:
        rehearse(runner)
        take_blocks()


def take_blocks():
    """Has blocks of each size that Python keeps pools of (Objects/obmalloc.c). The blocks that are freed last are those
    that a program is given first: they are in memory of this process's own then."""
    sizes = range(0, 480, 16)
    [[bytes(size) for size in sizes] for _ in range(BLOCKS_OF_A_SIZE)]


def words_of(library):
    return [os.fsdecode(library.word(index)) for index in range(library.word_count())]


def take_words(words):
    # Since Python 3.10. The last one was the program's.
    if hasattr(sys, 'orig_argv'):
        sys.orig_argv = sys.orig_argv[:-1] + words


def become_runner(runner):
    """What a call of a safeExec finds. A script's own call changes it."""
    take_words([PROGRAM])
    sys.argv = [PROGRAM]
    sys.modules['__main__'] = runner


def run_script(library):
    words = words_of(library)
    take_words(words)
    # A new process has its three streams only.
    for descriptor in (CONFIGURATION, ANSWER):
        try:
            os.close(descriptor)
        except OSError:
            pass
    directory = os.getcwd()
    sys.argv = words
    if SCRIPT_IS_SEARCHED:
        sys.path.insert(0, directory)
    main = sys.modules['__main__'] = Module('__main__')
    if HAS_ANNOTATIONS:
        main.__annotations__ = {}
    status = library.run_script(os.fsencode(os.path.join(directory, words[0])))
    error = getattr(sys, 'last_type', None) if status else None
    library.exit(status, 1 if error is not None and issubclass(error, KeyboardInterrupt) else 0)


def piped(text):
    reading, writing = os.pipe()
    os.write(writing, text)
    os.close(writing)
    return reading


def filed(text):
    """For what no pipe may hold while nobody reads it."""
    file = os.open('tmp/request', os.O_RDWR | os.O_CREAT | os.O_EXCL)
    os.unlink('tmp/request')
    os.write(file, text)
    os.lseek(file, 0, os.SEEK_SET)
    return file


def rehearse(runner):
    """Goes the way of a call that does nothing. What a call writes to is this process's own memory afterwards,
    and all of its way was gone once."""
    path = list(sys.path)
    null = os.open('/dev/null', os.O_WRONLY)
    _, namespace = runner.perform(piped(NOTHING), len(NOTHING), null)
    runner.let_go(namespace)
    runner.unsettle()
    sys.path[:] = path


def request_of(configuration):
    text = encode_basestring_ascii
    return '{"code":%s,"globals":{},"python_path":[%s]}' % (
        text(configuration['rehearsal']), ','.join(map(text, configuration['python_path'])))


def exit_of_scout(library):
    def leave(status):
        library.report_of_scout()
        os._exit(status)
    return leave


def main():
    configuration = read_configuration()
    library = Library(configuration['library'])
    if not library.begin_template():
        raise RuntimeError('this Python does not give what a warm Python needs')
    forget_own_imports()
    for name in configuration['environment']:
        del os.environ[name]
    sys.path += configuration['python_path']
    for name in configuration['preload']:
        __import__(name)
    # A call finds there what it asks for, and only then.
    sys.path[:] = standard_path
    runner = make_runner()
    become_runner(runner)
    runner.enter()
    prepare_sessions(library, runner)
    runner.stand_by(
        has_one_thread=library.has_one_thread,
        script_path=[os.getcwd()] if SCRIPT_IS_SEARCHED else [])
    tempfile = sys.modules.get('tempfile')
    if tempfile is not None:
        tempfile.tempdir = None
    rehearse(runner)
    sources = random_sources()
    file = filed(request_of(configuration).encode())
    leave = exit_of_scout(library)
    gc.collect()
    gc.freeze()
    # Nothing of Python's runs any more in this process.
    gc.enable()
    return library, runner, sources, file, leave


def fail_without_cells(outcome):
    raise RuntimeError({
        -1: 'a process can not be forked: a preloaded module may have started a thread',
        -4: 'a preloaded module has mapped memory that processes share, as mmap.mmap(-1, n) and multiprocessing do: '
            'every call would see what another one writes there',
        -5: 'what is mapped could not be read from /proc/self/maps',
        -2: 'the rehearsal has not ended after %d seconds' % (LONGEST_REHEARSAL_MS / 1000),
    }.get(outcome, 'the rehearsal failed'))


try:
    library, runner, sources, file, leave = main()
    place = library.make_cells(file, LONGEST_REHEARSAL_MS, HANDOVER, ANSWER)
    if place < 0:
        fail_without_cells(place)
except BaseException:
    import traceback
    answer(traceback.format_exc())
    sys.exit(1)
if place == TEMPLATE:
    os._exit(0)
if place == SCOUT:
    runner.stand_by(end=leave)

# In a cell, or in the scout.
enter_cell(place, runner, sources)
library.stand_by()
call = library.await_call()
while call == ANNOUNCED:
    runner.prime(NOTHING)
    call = library.await_call()
if call == PROBE:
    def serve(_):
        library.run_probe()
elif call == SCRIPT:
    def serve(_):
        run_script(library)
elif call == EXEC_WITH_WORDS:
    def serve(_):
        sys.argv = words_of(library)
        take_words(sys.argv)
        runner.run(library.request_size())
elif call == SESSION:
    def serve(_):
        runner.open_session(library.request_size())
else:
    serve = runner.run
