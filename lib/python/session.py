"""A session: code that runs step by step, each step in a fork of what was kept so far. Run by `runner.py` in a template,
in a copy of its names, of which `library` is the cells'; in a waiting cell `begin` is called then.

Each step has descriptors of its own, which the cell's PID 1 puts into the process that runs it:
In:  descriptor 3: its length and a line break, then {"code": str, "name": str, "globals": {...}, "get": [name, ...],
     "apart": bool}, and "functions" as the runner has them; or {"fork": true}, of what is to be another state; or
     {"path": str, "content": base64}, a file to write below `tmp`, of which the answer's globals have "errno".
Out: descriptor 4: 'S' and {"value": str or null, "display": [{"mime", "data"}], "globals": {...}, "omitted": [...],
     "exception": {...} or null}; calls of functions come before.

The state waits, and its fork, made ahead, waits too: for the next step. A step that is kept is the state from then on.
No signal reaches either while it waits. What code does to this file's names it does to its own session.
"""
from _ast import Expr, Expression
from _signal import SIG_SETMASK
from _stat import S_ISREG
from binascii import a2b_base64, b2a_base64
from errno import EEXIST
from posix import O_CLOEXEC, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR, O_WRONLY, dup2, fstat, ftruncate, mkdir, unlink
from posix import open as open_file
from time import sleep
from _thread import _count as python_threads

DOMAIN = 5
FORK = 0
NAP = 0.0005
MOST_NAPS = 10
ONLY_AST = 0x400
MAX_VALUE = 1 << 20
MAX_SOURCES = 256
NOTHING_BUT = 'S{"value":null,"display":[],"globals":{"errno":%(errno)d},"omitted":[],"exception":null}'
REHEARSED = (
    b'{"code":"def f(a):\\n    return [a, {\\"b\\": 1.5}]\\nc = f(17)\\nc","name":"<rehearsal>","get":["c"],'
    b'"apart":false,"globals":{"d":[1.5,"e",null]}}')
# What a value has beside its repr, as notebooks ask for it.
RICH = (
    ('text/html', '_repr_html_'), ('image/svg+xml', '_repr_svg_'), ('image/png', '_repr_png_'),
    ('image/jpeg', '_repr_jpeg_'), ('text/markdown', '_repr_markdown_'), ('text/latex', '_repr_latex_'))

functions_code = None
other_threads = 0


class StepSources(SourceFinder):
    """The lines of all steps, of which later ones may show a frame."""

    def __init__(self):
        super().__init__()
        self.codes = {}
        # Of each that has been asked for, whether it is Python.
        self.parsed = {}

    def keep(self, name, code):
        self.codes[name] = code
        if len(self.codes) > MAX_SOURCES:
            oldest = next(iter(self.codes))
            del self.codes[oldest]
            self.parsed.pop(oldest, None)
        self.withdraw()
        self.offer(code)

    def tell(self, linecache):
        for name, code in self.codes.items():
            linecache.cache[name] = self.entry_of(code, name)
        # A class knows its module's file only (inspect.getfile). The first of a name is found there, so the newest comes
        # first; code that is no Python would hide all others.
        newest_first = [self.codes[name] for name in reversed(self.codes) if self.is_parsed(name)]
        linecache.cache[PROGRAM] = self.entry_of('\n'.join(newest_first), PROGRAM)

    def is_parsed(self, name):
        if name not in self.parsed:
            self.parsed[name] = is_python(self.codes[name])
        return self.parsed[name]

    @staticmethod
    def entry_of(code, name):
        lines = code.replace('\r\n', '\n').replace('\r', '\n').split('\n')
        return (len(code), None, [line + '\n' for line in lines], name)


def is_python(code):
    try:
        compile(code, PROGRAM, 'exec', ONLY_AST, True)
        return True
    except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
        return False


step_sources = StepSources()


def show(data, mime, shown):
    if isinstance(data, tuple):
        data = data[0]
    if isinstance(data, (bytes, bytearray)):
        data = b2a_base64(data, newline=False).decode()
    if isinstance(data, str):
        shown.append({'mime': mime, 'data': data})


def show_value(value, shown):
    for mime, name in RICH:
        try:
            method = getattr(type(value), name, None)
            data = None if method is None else method(value)
        except Exception:
            data = None
        if data is not None:
            show(data, mime, shown)


def show_figures(shown):
    """Figures of matplotlib that the code left open, where it has imported that."""
    pyplot = sys.modules.get('matplotlib.pyplot')
    if pyplot is None:
        return
    from io import BytesIO
    try:
        for number in pyplot.get_fignums():
            png = BytesIO()
            pyplot.figure(number).savefig(png, format='png')
            show(png.getvalue(), 'image/png', shown)
        pyplot.close('all')
    except Exception as error:
        write_stderr('codejail: a figure could not be drawn: %s\n' % text_of(error))


def show_all(shown):
    show_figures(shown)
    flush()


def parts_of(code, name):
    """The code but for a last expression, and that: as a prompt tells them."""
    tree = compile(code, name, 'exec', ONLY_AST, True)
    last = None
    if tree.body and isinstance(tree.body[-1], Expr):
        last = compile(Expression(tree.body.pop().value), name, 'eval', 0, True)
    return compile(tree, name, 'exec', 0, True), last


def run_code(code, name, space, shown):
    """What a prompt would show of a last expression, or None."""
    body, last = parts_of(code, name)
    exec(body, space)
    if last is None:
        return None
    value = eval(last, space)
    if value is None:
        return None
    vars(builtins)['_'] = value
    text = repr(value)
    show_value(value, shown)
    return shortened(text, MAX_VALUE)


def wanted_globals(names, space):
    items = []
    omitted = []
    for name in names:
        if name not in space:
            omitted.append({'name': name, 'type': '', 'why': 'there is no such global'})
            continue
        value = space[name]
        try:
            items.append(encode_item(name, value))
        except BaseException as error:
            omitted.append(describe_omitted(name, value, text_of(error)))
    return '{%s}' % ','.join(items), encode(omitted)


def format_step(error, trace):
    import linecache
    import traceback
    step_sources.tell(linecache)
    if trace is None:
        return ''.join(traceback.format_exception_only(type(error), error))
    return ''.join(traceback.format_exception(type(error), error, trace))


def line_of_step(error, trace, name):
    line = None if trace is not None else getattr(error, 'lineno', None)
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == name:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line if isinstance(line, int) else None


def describe_step(error, name):
    trace = program_trace(error)
    line = line_of_step(error, trace, name)
    if isinstance(error, SystemExit):
        # As a prompt that goes on: what it would have told.
        if error.code is not None and not isinstance(error.code, int):
            write_stderr(text_of(error.code) + '\n')
        return describe(error, '', line)
    try:
        formatted = with_standard_modules(format_step, error, trace)
    except BaseException:
        formatted = '%s: %s\n' % (type_name(error), text_of(error))
    write_stderr(formatted)
    return describe(error, formatted, line)


def connect_step(step):
    """What asks the server, and its functions by name."""
    global functions_code
    if functions_code is None:
        functions_code = compile(step['source'], __file__, 'exec', 0, True)
    names = dict(globals(), described=step['functions'])
    exec(functions_code, names)
    return names['exchange'], names['functions']


def hold():
    """Nothing of the program's runs from here on: what a signal has called for already comes first."""
    global program_signals, program_depth
    while True:
        try:
            program_signals = pthread_sigmask(SIG_BLOCK, ())
            library.session_hold()
            # Runs the handlers of what has come (Modules/signalmodule.c).
            pthread_sigmask(SIG_BLOCK, ())
            break
        except BaseException:
            pass
    program_depth = sys.getrecursionlimit()
    settle()


def run_step(step, space, keep_source, finish):
    """Runs one step; its answer. `finish(shown)`: what is still to be shown when its code has ended."""
    code, name = step['code'], step['name']
    if code[:1] == '\ufeff':
        code = code[1:]
    exchange, functions = connect_step(step) if 'functions' in step else (None, {})
    space.update(step['globals'])
    space.update(functions)
    keep_source(name, code)
    shown = []
    value = exception = 'null'
    setrecursionlimit(program_depth)
    try:
        try:
            pthread_sigmask(SIG_SETMASK, program_signals)
            text = run_code(code, name, space, shown)
        finally:
            settrace(None)
            setprofile(None)
            hold()
        if text is not None:
            value = encode(text)
    except BaseException as error:
        exception = describe_step(error, name)
    finish(shown)
    given, omitted = wanted_globals(step['get'], space)
    for key, function in functions.items():
        if space.get(key) is function:
            del space[key]
    if exchange is not None:
        exchange.close()
    return 'S{"value":%s,"display":%s,"globals":%s,"omitted":%s,"exception":%s}' % (
        value, encode(shown), given, omitted, exception)


def write_file(step):
    """Writes a file that the server gives: 0, or an error's number."""
    *parents, name = step['path'].split('/')
    place = directory + '/tmp'
    file = -1
    try:
        for parent in parents:
            place += '/' + parent
            try:
                mkdir(place)
            except FileExistsError:
                pass
        # Whatever a program has put there: not through a link, and nothing that waits for somebody.
        file = open_file(
            place + '/' + name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o644)
        if not S_ISREG(fstat(file).st_mode):
            return EEXIST
        ftruncate(file, 0)
        try:
            data = memoryview(a2b_base64(step['content']))
            while data:
                data = data[write(file, data):]
        except OSError:
            # The room that half of it takes nobody would give back.
            unlink(place + '/' + name)
            raise
        return 0
    except OSError as error:
        return error.errno
    finally:
        if file >= 0:
            close(file)


def rehearse():
    """Goes the way of a step once: what it writes to is this process's own memory then. Nothing of the program's runs."""
    global program_signals, program_depth
    signals, depth, names = program_signals, program_depth, vars(builtins)
    shown_last = names.get('_', names)
    try:
        program_signals = pthread_sigmask(SIG_BLOCK, ())
        read(REQUEST, PIPE_SIZE)
        answer = run_step(
            scan(REHEARSED.decode(), 0)[0], {'__builtins__': names}, lambda *_: None, lambda _: None)
        # Where nobody reads.
        data = memoryview(answer.encode())
        data = data[write(CHANNEL, data):]
    except BaseException:
        # No memory is left, say. The step will tell.
        pass
    finally:
        program_signals, program_depth = signals, depth
        if shown_last is not names:
            names['_'] = shown_last
        else:
            names.pop('_', None)


def leave_descriptors():
    """What a step has had is no longer anybody's: a thread of its that prints goes on. The numbers stay taken, here as
    while a step runs: the next one's take the place of whatever has them, which must be no file of the program's. Of
    standard input a step has the end."""
    try:
        null = open_file('/dev/null', O_RDWR)
        for descriptor in (0, 1, 2, REQUEST, CHANNEL, DOMAIN):
            dup2(null, descriptor)
        if null > DOMAIN:
            close(null)
    except OSError:
        pass


def outwait_threads():
    """One that was joined is there for another moment to the kernel, and a process that has two is none to be forked. Those
    that are no Python's are waited for once."""
    global other_threads
    for _ in range(MOST_NAPS):
        if is_alone():
            other_threads = 0
            return
        links = stat('/proc/self/task').st_nlink
        if python_threads() > 0 or links == other_threads:
            return
        sleep(NAP)
    other_threads = links


def live():
    global process
    is_state = True
    library.session_hold()
    while True:
        leave_descriptors()
        if is_state:
            if library.session_state() != 0:
                return
            rehearse()
        if library.session_take() != 0:
            return
        process = getpid()
        stand_by(process=process)
        step = read_request(REQUEST, sys.maxsize, True)
        if not library.session_begin(1 if step.get('apart') else 0):
            return
        if 'fork' in step:
            is_state = True
            continue
        if 'path' in step:
            answer = NOTHING_BUT % {'errno': write_file(step)}
        else:
            answer = run_step(step, namespace, step_sources.keep, show_all)
        if getpid() != process:
            # A child that the program forked, and that ran on to here, has no result to give.
            return
        send(answer, CHANNEL, True)
        answer = step = None
        try:
            outwait_threads()
        except OSError:
            pass
        is_state = library.session_done() == FORK


def begin(request):
    """Runs the steps of a session, until this process is killed."""
    global namespace, program_signals, program_depth
    namespace = make_program({'__name__': '__main__', **request['globals']})
    sys.path[:0] = script_path
    for entry in request['python_path']:
        sys.path.append(entry if entry.startswith('/') else directory + '/' + entry)
    # The program's own, between its steps.
    program_signals = pthread_sigmask(SIG_BLOCK, ())
    program_depth = recursion_limit
    live()
    _exit(1)
