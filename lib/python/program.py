"""The namespace that a program has, the source of its lines, and its modules. A part of the runner (`runner.py`)."""


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
