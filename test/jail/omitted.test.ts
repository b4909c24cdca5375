// Globals that JSON can't carry: none is lost in silence.
import { watchLeftovers } from '../support/leftovers';
import { UNHURRIED, useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

const CODE = `
import os
def function(): pass
class Class: pass
some, thing, big = {1}, Class(), 10 ** 5000
round = []
round.append(round)
kept = [1.5, None]
`;
const OMITTED = [
  { name: 'os', type: 'module', why: 'JSON has no module' },
  { name: 'function', type: 'function', why: 'JSON has no function' },
  { name: 'Class', type: 'type', why: 'JSON has no type' },
  { name: 'some', type: 'set', why: 'JSON has no set' },
  { name: 'thing', type: 'Class', why: 'JSON has no Class' },
  { name: 'big', type: 'int', why: expect.stringMatching(/4300 digits|too large/) as string },
  { name: 'round', type: 'list', why: 'Circular reference detected' },
];

it('lists what does not come back, and why', async () => {
  const { globals, omitted } = await suite.jail.safeExec(CODE, {}, { limits: UNHURRIED });
  expect(globals).toEqual({ kept: [1.5, null] });
  expect(omitted).toEqual(OMITTED);
});

it('lists it beside text too', async () => {
  const { globalsJson, omitted } = await suite.jail.safeExecJson(CODE, '{}', {
    limits: UNHURRIED,
  });
  expect(globalsJson).toBe('{"kept":[1.5,null]}');
  expect(omitted).toEqual(OMITTED);
});

it('lists nothing where all comes back', async () => {
  const { omitted } = await suite.jail.safeExec('a = 1', {}, { limits: UNHURRIED });
  expect(omitted).toEqual([]);
});

it('counts those that are too many to be listed', async () => {
  const code = 'for i in range(50_000): globals()["a name of some length, %d" % i] = {i}';
  const { omitted } = await suite.jail.safeExec(code, {}, { limits: UNHURRIED });
  expect(omitted.length).toBeGreaterThan(100);
  // The number of the loop comes back.
  expect(omitted.at(-1)).toEqual({
    name: '...',
    type: '',
    why: `and ${50_000 - (omitted.length - 1)} more`,
  });
});

it('supports values whose own methods fail', async () => {
  const code = `
class Name(str):
    def __str__(self): raise ValueError
class Kind(type):
    __name__ = property(lambda self: 1 / 0)
globals()[Name('x')] = {1}
odd = Kind('Odd', (), {})()
del Name, Kind
`;
  const { omitted } = await suite.jail.safeExec(code, {}, { limits: UNHURRIED });
  expect(omitted.map(({ name }) => name)).toEqual(['<Name without a printable value>', 'odd']);
});

it('takes globals of any type of object', async () => {
  interface Submission {
    points: number;
    passed?: boolean;
  }
  const submission: Submission = { points: 3 };
  await suite.jail.safeExec('passed = points > 2', submission, { limits: UNHURRIED });
  expect(submission.passed).toBe(true);
});
