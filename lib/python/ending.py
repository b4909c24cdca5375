"""Ends as Python does, whatever the program has changed. A part of the runner (`runner.py`)."""


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


def let_go(namespace):
    """Files that the program left open are flushed when nothing refers to them any more."""
    namespace.clear()
    for module in program_modules(new_modules()).values():
        vars(module).clear()
    flush()
