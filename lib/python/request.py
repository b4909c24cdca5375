"""What a request says, and how a result is sent. A part of the runner (`runner.py`)."""


class DecoderOptions:
    strict = True
    object_hook = object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = {
        'NaN': float('nan'), 'Infinity': float('inf'), '-Infinity': float('-inf')}.__getitem__
    memo = {}


scan = make_scanner(DecoderOptions)


def read_request(descriptor, size, stays_open=False):
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
    if not stays_open and 'functions' not in request:
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


def send(text, descriptor, stays_open=False):
    data = memoryview(text.encode())
    while data:
        data = data[write(descriptor, data):]
    if not stays_open:
        close(descriptor)
