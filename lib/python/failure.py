"""What is told of an exception. A part of the runner (`runner.py`)."""


def format_traceback(error, trace):
    import linecache
    import traceback
    sources.tell(linecache)
    if trace is None:
        return ''.join(traceback.format_exception_only(type(error), error))
    return ''.join(traceback.format_exception(type(error), error, trace))


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
