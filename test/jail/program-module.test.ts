// What looks for the code by the name of its module, or by its lines, finds it, as in a file of its own; and none of that
// is among the globals that come back.
import { spawnSync } from 'node:child_process';
import { autoConfiguredPython } from '../../lib/command/default-python';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

jest.setTimeout(180_000);

const LIMITS = { realtime: 50, cpu: 30, nproc: 32 };
const MAIN = { __name__: '__main__' };

async function globalsOf(
  code: string,
  given: Record<string, unknown> = {},
): Promise<Record<string, unknown>> {
  const { globals } = await suite.jail.safeExec(code, { ...given }, { limits: LIMITS });
  return globals;
}

const TESTED = `
import unittest
class Tests(unittest.TestCase):
    def test_right(self): self.assertEqual(1, 1)
    def test_wrong(self): self.assertEqual(1, 2)
result = unittest.main(exit=False).result
run, failed = result.testsRun, len(result.failures)
del result
`;
const DOCUMENTED = `
def one():
    """
    >>> one()
    2
    """
    return 1
import doctest
failed, run = doctest.testmod()
`;

describe('a main module', () => {
  it.each([
    ['named', MAIN],
    ['without a name', {}],
  ])('has the tests of unittest, %s', async (_name, given) => {
    expect(await globalsOf(TESTED, given)).toEqual({ ...given, run: 2, failed: 1 });
  });

  it.each([
    ['named', MAIN],
    ['without a name', {}],
  ])('has the examples of doctest, %s', async (_name, given) => {
    expect(await globalsOf(DOCUMENTED, given)).toEqual({ ...given, run: 1, failed: 1 });
  });

  it('is the one of multiprocessing', async () => {
    const code = `
import multiprocessing
def work(end): end.send([multiprocessing.current_process().name])
here, there = multiprocessing.Pipe()
process = multiprocessing.Process(target=work, args=(there,), name='child')
process.start()
said = here.recv()
process.join()
`;
    expect(await globalsOf(code, MAIN)).toEqual({ ...MAIN, said: ['child'] });
  });

  it('supports an import of multiprocessing alone', async () => {
    expect(await globalsOf('import multiprocessing\na = 1')).toEqual({ a: 1 });
  });
});

it.each(['__main__', 'submission'])(
  'supports what looks a class up in its module, %s',
  async (name) => {
    const code = `
from __future__ import annotations
import dataclasses, enum, pickle, typing
class Colour(enum.Enum): RED = 1
@dataclasses.dataclass
class Point:
    x: typing.List[int]
    colour: Colour = Colour.RED
back = pickle.loads(pickle.dumps(Point([3])))
same = back == Point([3])
hint = str(typing.get_type_hints(Point)['x'])
shown = repr(back)
`;
    expect(await globalsOf(code, { __name__: name })).toEqual({
      __name__: name,
      same: true,
      hint: 'typing.List[int]',
      shown: 'Point(x=[3], colour=<Colour.RED: 1>)',
    });
  },
);

it('replaces no module that is there', async () => {
  expect(await globalsOf('import os\na = hasattr(os, "getpid")', { __name__: 'os' })).toEqual({
    __name__: 'os',
    a: true,
  });
});

it('has no globals but those of the code', async () => {
  const code = `
import __main__, warnings
warnings.warn('told')
names = sorted(globals())
same = vars(__main__) is globals()
`;
  expect(await globalsOf(code)).toEqual({
    names: ['__builtins__', '__main__', '__warningregistry__', 'warnings'],
    same: true,
  });
});

it('has its lines, for inspect and for tracebacks', async () => {
  const code = `
import inspect, traceback
def double(x):
    return 2 * x
class Empty:
    pass
sources = [inspect.getsource(double), inspect.getsource(Empty)]
try:
    double()
except TypeError:
    line = traceback.format_exc().splitlines()[2].strip()
`;
  expect(await globalsOf(code, MAIN)).toEqual({
    ...MAIN,
    sources: ['def double(x):\n    return 2 * x\n', 'class Empty:\n    pass\n'],
    line: 'double()',
  });
});

it('supports a linecache of the code’s own', async () => {
  const { globals } = await suite.jail.safeExec(
    'import linecache\na = linecache.mine',
    {},
    {
      extraFiles: [['linecache.py', 'mine = 1']],
      limits: LIMITS,
    },
  );
  expect(globals).toEqual({ a: 1 });
});

it('supports a byte order mark and a declared encoding', async () => {
  expect(await globalsOf('\ufeff# -*- coding: latin-1 -*-\na = "é"')).toEqual({ a: 'é' });
});

const python = autoConfiguredPython()?.bin ?? 'python3';
const lacking =
  spawnSync(python, ['-c', 'import numpy']).status === 0 ? '' : ' (needs numpy beside this Python)';
(lacking === '' ? it : it.skip)(`brings back the numbers of numpy${lacking}`, async () => {
  const code = `
import numpy as np
scalars = [np.int64(-3), np.uint8(255), np.bool_(True), np.float32(1.5), np.float64(0.1), np.str_('é'), np.array(7)]
whole = np.int64(2) ** 60
truth = np.array([1, 2]).all()
keyed = {np.int64(3): np.float16(0.5)}
vector, moment, complex_number = np.array([1]), np.datetime64('2020-01-01'), np.complex128(1)
`;
  expect(await globalsOf(code)).toEqual({
    scalars: [-3, 255, true, 1.5, 0.1, 'é', 7],
    whole: 2n ** 60n,
    truth: true,
    keyed: { 3: 0.5 },
  });
});
