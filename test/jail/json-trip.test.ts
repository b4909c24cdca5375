// Values that go to Python and come back, as they are.
import fc from 'fast-check';
import { parseJson } from '../../lib/json/parse';
import { stringifyJson } from '../../lib/json/stringify';
import { expectSame, jsonGlobals } from '../support/arbitraries';
import { watchLeftovers } from '../support/leftovers';
import { UNHURRIED, useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

it('supports every value that JSON carries, there and back', async () => {
  await fc.assert(
    fc.asyncProperty(jsonGlobals, async (globals) => {
      fc.pre(!Object.hasOwn(globals, '__builtins__'));
      // An integer within ±(2^53-1) is a number in JavaScript, however it was sent.
      const expected = parseJson(stringifyJson(globals));
      await suite.jail.safeExec('', globals, { limits: UNHURRIED });
      expectSame(globals, expected);
    }),
    { numRuns: 40 },
  );
}, 120_000);
