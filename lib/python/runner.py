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


class Program(Module):
    """The module that the program is: pickle, doctest and unittest find the code there by its name. What tools ask of a
    module is of the class, so that none of it is among the program's globals."""
    __name__ = '__main__'
    __file__ = PROGRAM
    __doc__ = __loader__ = __package__ = __spec__ = None


def make_program(given):
    """The namespace of a new program, registered under the name that its globals carry, and as the main module: a
    test runner that looks there must not find nothing to run. No module that is there already is replaced."""
    program = Program('__main__')
    namespace = vars(program)
    namespace.clear()
    namespace.update(given)
    namespace['__builtins__'] = vars(builtins)
    sys.modules['__main__'] = program
    name = given.get('__name__')
    if isinstance(name, str):
        sys.modules.setdefault(name, program)
    return namespace


class SourceFinder:
    """Gives linecache the program's lines, for inspect and for tracebacks, when and if it is imported: to import it takes
    as long as a small program."""

    def __init__(self):
        self.code = ''

    def offer(self, code):
        self.code = code
        linecache = sys.modules.get('linecache')
        if linecache is None:
            sys.meta_path.insert(0, self)
        else:
            self.tell(linecache)

    def find_spec(self, name, path=None, target=None):
        if name != 'linecache':
            return None
        self.withdraw()
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                execute = spec.loader.exec_module

                def exec_module(module):
                    execute(module)
                    # One of the program's own may have no cache.
                    if hasattr(module, 'cache'):
                        self.tell(module)
                spec.loader.exec_module = exec_module
                return spec
        return None

    def tell(self, linecache):
        lines = self.code.replace('\r\n', '\n').replace('\r', '\n').split('\n')
        linecache.cache[PROGRAM] = (len(self.code), None, [line + '\n' for line in lines], PROGRAM)

    def withdraw(self):
        if self in sys.meta_path:
            sys.meta_path.remove(self)


sources = SourceFinder()


class DecoderOptions:
    strict = True
    object_hook = object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = {
        'NaN': float('nan'), 'Infinity': float('inf'), '-Infinity': float('-inf')}.__getitem__
    memo = {}


scan = make_scanner(DecoderOptions)


def read_request(descriptor, size):
    chunks = []
    while size > 0:
        # What a pipe holds at most. More would be memory that is mapped and unmapped for each read, and all that is
        # not needed is memory that this process has to take first.
        chunk = read(descriptor, size if size < PIPE_SIZE else PIPE_SIZE)
        if not chunk:
            break
        if size == sys.maxsize and chunk[:1] != b'{':
            length, _, chunk = chunk.partition(b'\n')
            size = int(length)
        chunks.append(chunk)
        size -= len(chunk)
    request = scan(b''.join(chunks).decode(), 0)[0]
    if 'functions' not in request:
        close(descriptor)
    return request


def connect(request):
    """What asks the server, and its functions by name."""
    names = dict(globals(), described=request['functions'])
    exec(compile(request['source'], __file__, 'exec', 0, True), names)
    return names['exchange'], names['functions']


def prepare_sessions(library, code):
    """Has the names of sessions ready, as they are before any is open: `code` is `session.py`."""
    global session_names
    session_names = dict(globals(), library=library)
    exec(code, session_names)


def open_session(size):
    """Runs steps until this process is killed."""
    known = globals()
    session_names.update({name: known[name] for name in KNOWN_BETTER})
    session_names['begin'](read_request(REQUEST, size))


def send(text, descriptor):
    data = memoryview(text.encode())
    while data:
        data = data[write(descriptor, data):]
    close(descriptor)


def plain(value):
    """What JSON can carry of a value of another type: text of bytes, and numbers of numpy's scalars and arrays of no
    dimension."""
    if isinstance(value, bytes):
        return bytes.decode(value)
    if type(value).__module__ == 'numpy' and value.ndim == 0:
        kind = value.dtype.kind
        if kind == 'b':
            return bool(value)
        if kind in 'iu':
            return int(value)
        if kind == 'f':
            return float(value)
        if kind == 'U':
            return str(value)
    raise TypeError(NO_JSON % type_name(value))


def encode(value):
    return ''.join(make_encoder(
        {}, plain, encode_basestring_ascii, None, ':', ',', False, False, True)(value, 0))


def plain_key(key):
    return key if key is None or isinstance(key, (str, int, float)) else plain(key)


def with_plain_keys(value):
    if isinstance(value, dict):
        return {plain_key(key): with_plain_keys(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_plain_keys(item) for item in value]
    return value


def too_deep(value):
    level = [[value]]
    for _ in range(MAX_DEPTH + 1):
        level = [
            item for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, (list, tuple, dict))]
        if not level:
            return False
    return True


def encode_item(key, value):
    item = {key: value}
    try:
        text = encode(item)
    except TypeError:
        # The encoder asks for what is plain of a value, but never of a key.
        text = encode(with_plain_keys(item))
    if text.count('[') + text.count('{') > MAX_DEPTH and too_deep(value):
        raise RecursionError('nested too deeply')
    return text[1:-1]


def describe_omitted(key, value, why):
    return {
        'name': shortened(text_of(key), MAX_WORD), 'type': shortened(type_name(value), MAX_WORD),
        'why': shortened(why, MAX_WORD)}


def encode_globals(namespace, functions):
    """The globals, but for the server's functions, after what of them JSON can't carry."""
    items = []
    omitted = []
    for key, value in list(namespace.items()):
        # An item that JSON can't carry is left out whole; its methods may raise whatever they like.
        try:
            kind = type(value)
            # Most programs leave some of these, and to try takes two exceptions each.
            if kind is Module or kind is Function or kind is type:
                if functions.get(key) is value:
                    continue
                omitted.append((key, value, NO_JSON % kind.__name__))
            elif key != '__builtins__' and key != '__warningregistry__':
                items.append(encode_item(key, value))
        except BaseException as error:
            omitted.append((key, value, text_of(error)))
    return '%sG{%s}' % (encode_omitted(omitted) if omitted else '', ','.join(items))


def encode_omitted(omitted):
    texts = []
    room = MAX_OMITTED
    for index, (key, value, why) in enumerate(omitted):
        text = encode(describe_omitted(key, value, why))
        room -= len(text) + 1
        if room < 0:
            texts.append(encode({
                'name': '...', 'type': '', 'why': 'and %d more' % (len(omitted) - index)}))
            break
        texts.append(text)
    return 'O[%s]\n' % ','.join(texts)


def settle():
    """Undo what a program may have changed under this file's feet."""
    if shares_builtins:
        restore_builtins(standard_builtins)
    setrecursionlimit(recursion_limit)
    if limit_digits is not None:
        limit_digits(4300)
    # A handler of the program's could raise here. SIGXCPU stays open: it is how the limit works.
    pthread_sigmask(SIG_BLOCK, HELD_SIGNALS)
    try:
        sources.withdraw()
    except BaseException:
        pass


def unsettle():
    pthread_sigmask(SIG_UNBLOCK, HELD_SIGNALS)


def program_modules(names):
    found = {}
    for name in names:
        try:
            module = sys.modules[name]
            if vars(module).get('__file__', '').startswith(directory + '/'):
                if name != '__main__':
                    found[name] = module
        except BaseException:
            pass
    return found


def format_traceback(error, trace):
    import linecache
    import traceback
    sources.tell(linecache)
    if trace is None:
        return ''.join(traceback.format_exception_only(type(error), error))
    return ''.join(traceback.format_exception(type(error), error, trace))


def with_standard_modules(function, *arguments):
    """Calls the function where no import, now or later, finds a module of the program's."""
    program_path, sys.path = sys.path, standard_path
    hidden = program_modules(list(sys.modules))
    for name in hidden:
        del sys.modules[name]
    try:
        return function(*arguments)
    finally:
        sys.path = program_path
        sys.modules.update(hidden)


def text_of(value):
    try:
        return str(value)
    except BaseException:
        return '<%s without a printable value>' % type(value).__name__


def type_name(error):
    try:
        return str(type(error).__name__)
    except BaseException:
        return 'BaseException'


def type_module(error):
    # A class that type() made where there is no __name__ has no __module__ either.
    try:
        return str(type(error).__module__)
    except BaseException:
        return 'builtins'


def shortened(text, length):
    if len(text) <= length:
        return text
    return '%s... (%d more characters)' % (text[:length], len(text) - length)


def program_trace(error):
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return trace


def failing_line(error, trace, namespace):
    line = None if trace is not None else getattr(error, 'lineno', None)
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code.co_filename == PROGRAM and frame.f_globals is namespace:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line if isinstance(line, int) else None


def write_stderr(text):
    flush()
    data = memoryview(text.encode('utf-8', 'backslashreplace'))
    try:
        while data:
            data = data[write(2, data):]
    except OSError:
        pass


def describe(error, formatted, line):
    description = {'type': type_name(error), 'message': shortened(text_of(error), MAX_MESSAGE)}
    module = type_module(error)
    if module not in ('builtins', '__main__'):
        description['module'] = module
    description['line'] = line
    description['traceback'] = shortened(formatted, MAX_TRACEBACK)
    return encode(description)


def report(error, namespace):
    # What formats it is not of this file.
    restore_builtins(standard_builtins)
    trace = program_trace(error)
    line = failing_line(error, trace, namespace)
    if isinstance(error, MemoryError):
        # What filled the memory is held by the program's globals and by its frames.
        namespace.clear()
        while trace is not None:
            try:
                trace.tb_frame.clear()
            except RuntimeError:
                pass
            trace = trace.tb_next
        trace = program_trace(error)
    try:
        formatted = with_standard_modules(format_traceback, error, trace)
    except BaseException:
        where = '' if line is None else '  File "%s", line %d\n' % (PROGRAM, line)
        formatted = 'Traceback (most recent call last):\n%s%s: %s\n' % (
            where, type_name(error), text_of(error))
    write_stderr(formatted)
    return 'E' + describe(error, formatted, line)


def leave(error, namespace):
    """SystemExit: the status, and what to tell, which is nothing when that is 0."""
    status = error.code
    if status is None:
        status = 0
    elif isinstance(status, int):
        status &= 0xFF
    else:
        write_stderr(text_of(status) + '\n')
        status = 1
    if status == 0:
        return 0, None
    return status, 'E' + describe(error, '', failing_line(error, program_trace(error), namespace))


def flush():
    for stream in [getattr(sys, 'stdout', None), getattr(sys, 'stderr', None)] + streams:
        try:
            stream.flush()
        except BaseException:
            pass


def is_alone():
    """Whether there is no other thread. Not by _thread._count(): one that no longer counts may still run code of the
    program's (Modules/_threadmodule.c, thread_run)."""
    if has_one_thread is not None and has_one_thread():
        return True
    try:
        # Two links, and one for each thread.
        return stat('/proc/self/task').st_nlink == 3
    except OSError:
        return False


def has_end(threading):
    """Whether the module has somebody to wait for or to call, or an exit handler could tell that it had not."""
    return (
        not is_alone() or _ncallbacks() > 0 or getattr(threading, '_threading_atexits', True)
        or getattr(threading._shutdown, '__globals__', None) is not vars(threading))


def shut_down():
    try:
        threading = sys.modules.get('threading')
        if threading is not None and has_end(threading):
            restore_builtins(standard_builtins)
            threading._shutdown()
    except BaseException:
        pass
    try:
        _run_exitfuncs()
    except BaseException:
        pass


def new_modules():
    """The names of what was imported since the start. As a rule the last ones: to look at a name is to write to it, in
    the count of its references."""
    names = []
    for name in reversed(sys.modules):
        if name == last_module:
            break
        names.append(name)
    if len(names) + len(standard_modules) == len(sys.modules):
        return names
    return sys.modules.keys() - standard_modules


def let_go(namespace):
    """Files that the program left open are flushed when nothing refers to them any more."""
    namespace.clear()
    for module in program_modules(new_modules()).values():
        vars(module).clear()
    flush()


def perform(request_descriptor, size, channel):
    """Runs the program of a request, of at most so many bytes, and sends its result: the status to end with, and the
    program's namespace."""
    request = read_request(request_descriptor, size)
    code = request['code']
    # A file of such code may begin with a byte order mark; compile() takes none in a text.
    if code[:1] == '\ufeff':
        code = code[1:]
    exchange, functions = connect(request) if 'functions' in request else (None, {})
    namespace = make_program(request['globals'])
    namespace.update(functions)
    sources.offer(code)
    sys.path[:0] = script_path
    for name in request['python_path']:
        sys.path.append(name if name.startswith('/') else directory + '/' + name)
    status = 0
    try:
        try:
            exec(compile(code, PROGRAM, 'exec', 0, True), namespace)
        finally:
            # Before any call here, which a trace function of the program's would see.
            settrace(None)
            setprofile(None)
        settle()
        message = encode_globals(namespace, functions)
    except SystemExit as error:
        settle()
        status, message = leave(error, namespace)
    except BaseException as error:
        settle()
        status, message = 1, report(error, namespace)
    # A child that the program forked, and that ran on to here, has no result to give.
    is_own = getpid() == process
    if exchange is not None and is_own:
        exchange.close()
    if message is not None and is_own:
        try:
            send(message, channel)
        except OSError as error:
            write_stderr('codejail: the result could not be written: %s\n' % error)
            status = 1
    return status, namespace


def prime(data):
    """What a program takes of Python before its first line, once more just before a call, so that it is in the
    processor's caches."""
    request = scan(data.decode(), 0)[0]
    namespace = request['globals']
    namespace['__builtins__'] = vars(builtins)
    exec(compile(request['code'], PROGRAM, 'exec', 0, True), namespace)


def run(size=sys.maxsize):
    status, namespace = perform(REQUEST, size, CHANNEL)
    shut_down()
    let_go(namespace)
    end(status)


if __name__ == '__main__':
    enter()
    set_inheritable(CHANNEL, False)
    run()
