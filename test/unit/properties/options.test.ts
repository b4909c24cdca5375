// Any value is either an option or refused by a typed error that names the argument.
import fc from 'fast-check';
import {
  parseCloseOptions,
  parseJailCodeOptions,
  parseSafeExecOptions,
  parseWaitOptions,
} from '../../../lib/options/call';
import { parseCommandName, parseCommandOptions } from '../../../lib/options/command';
import { InvalidArgumentError } from '../../../lib/errors';
import { readJsonObject, requireCode, requireGlobals } from '../../../lib/options/exec';
import { parseBounds, parseJailOptions } from '../../../lib/options/jail';
import { LIMIT_NAMES, parseLimit } from '../../../lib/limits';
import { parseLimits } from '../../../lib/options/limits';
import { parseSettings } from '../../../lib/options/settings';
import { parseWarm } from '../../../lib/options/warm';
import { anything, optionsOf } from '../../support/arbitraries';

jest.setTimeout(120_000);

// A part of them is CI's: of a thousand the arguments alone take minutes to be made.
const RUNS = { numRuns: process.env['CODEJAIL_QUICK'] === undefined ? 1000 : 200 };

const path = fc.constantFrom('a', 'sub/b.txt', '/etc/hosts', '../x', '', 'tmp/x', 'a\0b', '/');
const content = fc.oneof(fc.string(), fc.uint8Array());
const word = fc.string({ unit: 'binary' });
const limits = optionsOf(
  Object.fromEntries(
    [...LIMIT_NAMES, 'CPU', 'other'].map((name) => [name, fc.oneof(fc.nat(), fc.double())]),
  ),
);
const environment = fc.dictionary(word, word);
const run = {
  files: fc.array(path),
  extraFiles: fc.array(fc.tuple(path, content)),
  limits,
  limitOverridesContext: word,
  collect: fc.array(path),
  explain: fc.boolean(),
  slug: word,
  tenant: word,
  signal: fc.constant(new AbortController().signal),
};
const warm = optionsOf({
  size: fc.integer(),
  lowWater: fc.integer(),
  maxWaiting: fc.integer(),
  preload: fc.array(word),
  pythonPath: fc.array(path),
  rehearsal: word,
  recycleCells: fc.nat(),
  memoryReserve: fc.double(),
});
const command = optionsOf({
  bin: path,
  args: fc.array(word),
  user: word,
  profile: word,
  readPaths: fc.array(path),
  env: environment,
  warm,
  allowExec: fc.boolean(),
});
const bounds = { maxRunning: fc.integer(), maxQueue: fc.integer(), maxWaitMs: fc.integer() };

/** What must not throw anything else: with an argument's name that the error begins with. */
function checks(
  name: string,
  values: fc.Arbitrary<unknown>,
  parse: (value: unknown) => unknown,
): void {
  it(`are fine or refused by name: ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(values, async (value) => {
        try {
          await parse(value);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidArgumentError);
          const { argument, message } = error as InvalidArgumentError;
          expect(argument).toMatch(/^the-argument|^settings|^code$|^globals/);
          expect(message.length).toBeLessThan(2000);
        }
      }),
      RUNS,
    );
  });
}

describe('options', () => {
  checks(
    'jailCode',
    optionsOf({
      ...run,
      code: content,
      argv: fc.array(word),
      stdin: content,
      env: environment,
      onStdout: fc.func(fc.anything()),
    }),
    (value) => parseJailCodeOptions(value, 'the-argument'),
  );
  checks('safeExec', optionsOf({ ...run, command: word, pythonPath: fc.array(path) }), (value) =>
    parseSafeExecOptions(value, 'the-argument'),
  );
  checks('commands', command, (value) => parseCommandOptions(value, 'the-argument'));
  checks('a command’s name', anything, (value) => parseCommandName(value, 'the-argument'));
  checks('warm', warm, (value) => parseWarm(value, 'the-argument'));
  checks(
    'createJail',
    optionsOf({
      ...bounds,
      allowMissing: fc.array(fc.constantFrom('network', 'disk', 'x')),
      alwaysBeUnsafe: fc.boolean(),
      uidPool: optionsOf({ first: fc.nat(), count: fc.nat() }),
      cgroup: fc.constantFrom('auto', false, '/x', 'x'),
      commands: fc.dictionary(word, command),
      limits,
      logger: fc.func(fc.anything()),
    }),
    (value) => parseJailOptions(value, 'the-argument'),
  );
  checks('setBounds', optionsOf(bounds), (value) => parseBounds(value, 'the-argument'));
  checks('limits', limits, (value) => parseLimits(value, 'the-argument'));
  checks('a limit', fc.tuple(fc.constantFrom(...LIMIT_NAMES), anything), (pair) => {
    const [name, value] = pair as [(typeof LIMIT_NAMES)[number], unknown];
    return parseLimit(name, value, 'the-argument');
  });
  checks(
    'applySettings',
    optionsOf({
      python_bin: path,
      user: word,
      limits,
      limit_overrides: fc.dictionary(word, limits),
    }),
    parseSettings,
  );
  checks('wait', optionsOf({ signal: run.signal }), (value) =>
    parseWaitOptions(value, 'the-argument'),
  );
  checks('close', optionsOf({ drain: fc.boolean(), timeoutMs: fc.integer() }), (value) =>
    parseCloseOptions(value, 'the-argument'),
  );
  checks('code', anything, requireCode);
  checks('globals', anything, requireGlobals);
  checks('globalsJson', fc.oneof(anything, fc.json(), fc.string()), readJsonObject);
});
