"""A program from its request to its result. The last part of the runner (`runner.py`)."""


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
