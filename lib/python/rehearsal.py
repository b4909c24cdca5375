# A bit of everything that small programs do, and no import but numpy. What memory it takes is what cells are made
# with a copy of, where the operator names no program of their own.
class Thing:
    def __init__(self, name, *more, size=1.5):
        self.name, self.more, self.size = name, more, size

    def __repr__(self):
        return f'<{self.name!r}: {self.size:.2f}>'


def measure(things, least=0):
    total = least
    for index, thing in enumerate(things):
        total += len(thing.name) * index if index % 2 else thing.size ** 2
    return {'mean': total / max(1, len(things)), 'names': [thing.name.upper() for thing in things]}


things = [Thing(name, 1, size=len(name)) for name in 'one two three four'.split()]
sizes = {thing.name: thing.size for thing in sorted(things, key=lambda thing: thing.name)}
try:
    measured = measure(things)
    int('x')
except ValueError as error:
    message = str(error)
names, number = set(measured['names']), 10 ** 20 // 7
letters = ''.join(reversed('abc'))[1:] + 'd'
while number > 5:
    number >>= 3
print(things, sizes, names, '%s %d' % (letters, number), message)

# What is preloaded most often is used a little too.
import sys

if 'numpy' in sys.modules:
    import numpy

    try:
        grid = numpy.arange(6.0).reshape(2, 3)
        chosen = numpy.sqrt(grid)[grid > 1].tolist()
        print(grid, (grid @ grid.T).sum(axis=0).mean(), numpy.array([1, 2]) + 1, chosen)
    except Exception:
        # Another module of that name.
        pass
