"""The server's functions, as a program calls them. Run by `runner.py`, in a copy of its names, where a call brings some.

Out: the result channel, before the result, for each call: 'C', its number, that of the function and how many bytes
     follow, with spaces between and a line break behind, then so many: {"call": [[positional, ...], {named}]}.
In:  the request pipe, behind the request, for each call in any order: its number, 'V' or 'E' and how many bytes follow,
     as above, then so many: {"value": ...}, or {"message": str}, what the function failed with.

Of the threads that wait for an answer one reads, for all of them; when it has its own, it wakes another one.
"""
from _signal import (
    SIG_SETMASK, SIGCHLD, SIGHUP, SIGQUIT, SIGTERM, SIGXCPU, default_int_handler, getsignal)
from _thread import allocate_lock, get_ident
from select import POLLIN, poll

# The server takes no more at a time; further threads wait for their turn here.
MOST_AT_A_TIME = 16
# Those that a program may have a handler for which raises.
SIGNALS = HELD_SIGNALS + [SIGCHLD, SIGHUP, SIGQUIT, SIGTERM, SIGXCPU]
NO_WAY = 'the server can not be asked: the way to it is closed'


class HostError(Exception):
    """A function of the server's failed. Its message is all that is told."""


HostError.__module__ = 'codejail'


main_thread = get_ident()


def is_interruptible():
    """Whether a handler of the program's could run in this thread."""
    if get_ident() != main_thread:
        return False
    for number in SIGNALS:
        handler = getsignal(number)
        if callable(handler) and handler is not default_int_handler:
            return True
    return False


def undisturbed(work, *arguments):
    """Does what no handler may cut in two. What sets the mask runs handlers itself, and so may raise: what to go back to
    is known before."""
    mask = pthread_sigmask(SIG_BLOCK, ())
    try:
        pthread_sigmask(SIG_BLOCK, SIGNALS)
        work(*arguments)
    finally:
        pthread_sigmask(SIG_SETMASK, mask)


class Call:
    def __init__(self):
        self.number = self.kind = self.text = None
        self.is_sent = False
        self.is_awaited = True
        self.thread = get_ident()
        # Held until there is something to do.
        self.wake = allocate_lock()
        self.wake.acquire()

    def is_answered(self):
        return self.kind is not None

    def wake_up(self):
        if self.wake.locked():
            self.wake.release()


class Exchange:
    """At any moment a handler of the program's may raise: what a call has taken it gives back, wherever it was."""

    def __init__(self):
        # Over all that follows; held for moments.
        self.lock = allocate_lock()
        # Those that have a place, by number, and those that wait for one.
        self.calls = {}
        self.queue = []
        self.last = 0
        # Of those that wait, the one that reads.
        self.reader = None
        self.is_over = False
        self.received = bytearray()
        # Held while a frame is written.
        self.writing = allocate_lock()
        self.is_closed = False
        self.arrival = poll()
        self.arrival.register(REQUEST, POLLIN)

    def ask(self, function, text):
        if getpid() != process:
            raise HostError('only the process that the server has started may call its functions')
        call = Call()
        try:
            self.until(self.enter, call)
            frame = b'C%d %d %d\n%s' % (call.number, function, len(text), text)
            if is_interruptible():
                undisturbed(self.send, call, frame)
            else:
                self.send(call, frame)
            self.until(Call.is_answered, call)
        except OSError:
            self.fail()
            raise HostError(NO_WAY) from None
        except ValueError:
            self.fail()
            raise HostError('what the server answered can not be read') from None
        finally:
            self.leave(call)
        value = scan(call.text.decode(), 0)[0]
        if call.kind == b'E':
            raise HostError(value['message'])
        return value['value']

    def until(self, is_done, call):
        """Reads answers, or waits for who does, until that is so, which is asked under the lock."""
        while True:
            with self.lock:
                if is_done(call):
                    return
                if self.is_over:
                    raise HostError(NO_WAY)
                reader = self.reader
                leads = reader is None or reader is call or not reader.is_awaited
                if leads:
                    self.reader = call
                elif reader.thread == call.thread:
                    raise HostError('a handler can not ask the server while what it has interrupted does')
            if leads:
                self.read_answer()
            else:
                call.wake.acquire()

    def enter(self, call):
        """Whether there was a place; else it is in line for one. It is free again when the answer is there, whoever waits
        for it still."""
        if call in self.queue:
            self.queue.remove(call)
        if self.is_over:
            return False
        if len(self.calls) < MOST_AT_A_TIME:
            self.last += 1
            self.calls[self.last] = call
            call.number = self.last
            return True
        self.queue.append(call)
        return False

    def leave(self, call):
        """Nobody waits for it any more."""
        call.is_awaited = False
        with self.lock:
            if call in self.queue:
                self.queue.remove(call)
            if not call.is_sent and self.calls.pop(call.number, None) is not None:
                self.call_next()
            if self.reader is call:
                self.reader = None
                for other in [*self.calls.values(), *self.queue]:
                    if other.is_awaited:
                        other.wake_up()
                        break

    def call_next(self):
        """There is a place."""
        if self.queue:
            self.queue[0].wake_up()

    def send(self, call, frame):
        with self.writing:
            if self.is_closed:
                raise HostError('the program has given its result already')
            call.is_sent = True
            data = memoryview(frame)
            while data:
                data = data[write(CHANNEL, data):]

    def close(self):
        """What comes on the channel from now on is the result."""
        with self.writing:
            self.is_closed = True

    def read_answer(self):
        """Reads one answer, for whoever waits for it. Nothing of it is taken before all of it is there."""
        while True:
            start = self.received.find(b'\n') + 1
            if start > 0:
                number, kind, length = self.received[:start].split()
                end = start + int(length)
                if len(self.received) >= end:
                    break
            self.read_more()
        with self.lock:
            call = self.calls.pop(int(number), None)
            if call is not None:
                call.text = bytes(self.received[start:end])
                call.kind = bytes(kind)
            del self.received[:end]
            self.call_next()
        if call is not None:
            call.wake_up()

    def read_more(self):
        if is_interruptible():
            # What waits here can be interrupted, by a handler that raises too; what was read is never lost.
            self.arrival.poll()
            undisturbed(self.read_chunk)
        else:
            self.read_chunk()

    def read_chunk(self):
        chunk = read(REQUEST, PIPE_SIZE)
        if not chunk:
            self.fail()
            raise HostError('the server answers no more')
        self.received += chunk

    def fail(self):
        with self.lock:
            self.is_over = True
            for call in [*self.calls.values(), *self.queue]:
                call.wake_up()


def bound(name, names, args, kwargs):
    """The arguments as Python binds them to these names."""
    if len(args) > len(names):
        raise TypeError('%s() takes at most %d arguments (%d given)' % (name, len(names), len(args)))
    given = dict(zip(names, args))
    for key, value in kwargs.items():
        if key not in names:
            raise TypeError("%s() got an unexpected keyword argument '%s'" % (name, key))
        if key in given:
            raise TypeError("%s() got multiple values for argument '%s'" % (name, key))
        given[key] = value
    return given


def make_function(exchange, number, name, names):
    def function(*args, **kwargs):
        if names is not None:
            args, kwargs = (), bound(name, names, args, kwargs)
        # As globals: what JSON can't carry is a TypeError here, at the call.
        text = '{%s}' % encode_item('call', [list(args), kwargs])
        return exchange.ask(number, text.encode())
    function.__name__ = function.__qualname__ = name
    # What a traceback names.
    function.__code__ = function.__code__.replace(co_name=name)
    function.__module__ = 'codejail'
    function.__doc__ = 'A function of the server.'
    return function


set_inheritable(REQUEST, False)
exchange = Exchange()
functions = {'HostError': HostError}
for number, (name, names) in enumerate(described):
    functions[name] = make_function(exchange, number, name, names)
