// The options of a jail: what all of its calls share.
import { isAbsolute } from 'node:path';
import { InvalidArgumentError } from '../errors';
import { GUARANTEE_NAMES, type GuaranteeName } from '../guarantee-names';
import type { LimitDefaults } from '../limits';
import { describe } from '../text/describe';
import { suggestionSentence } from '../text/suggestion';
import { LONGEST_TIMER_MS } from '../time/clock';
import {
  anything,
  integer,
  listOf,
  nullish,
  optional,
  optionsParser,
  readBoolean,
  readRecord,
  Refusal,
  spellPath,
  type Reader,
} from './argument';
import { parseCommandName, parseCommandOptions } from './command';
import { parseLimits } from './limits';
import { readLogger } from './logger';
import type {
  BoundChanges,
  BoundOptions,
  CommandArguments,
  JailArguments,
  JailOptions,
} from './types';

const NOT_A_UID = 2 ** 32 - 1;

function readGuaranteeName(value: unknown): GuaranteeName {
  const found = GUARANTEE_NAMES.find((known) => known === value);
  if (found === undefined) {
    throw new Refusal(
      `must be the name of a guarantee, not ${describe(value)}. ` +
        suggestionSentence(typeof value === 'string' ? value : '', GUARANTEE_NAMES),
    );
  }
  return found;
}

function readDefaults(value: unknown): LimitDefaults {
  if (value !== 'own' && value !== 'codejail') {
    throw new Refusal(`must be 'own' or 'codejail', not ${describe(value)}`);
  }
  return value;
}

const parseUidPoolShape = optionsParser({
  first: integer(1, NOT_A_UID - 1),
  count: integer(1, 65_536),
});

const boundShape = {
  maxRunning: optional(integer(1, 100_000)),
  maxQueue: optional(integer(0, 1_000_000)),
  maxWaitMs: optional(integer(0, LONGEST_TIMER_MS)),
} satisfies Record<keyof BoundOptions, Reader<unknown>>;

const jailShape = {
  ...boundShape,
  allowMissing: optional(listOf(readGuaranteeName)),
  alwaysBeUnsafe: optional(readBoolean),
  uidPool: optional(anything),
  cgroup: optional(anything),
  commands: optional(readRecord),
  limits: optional(anything),
  defaults: optional(readDefaults),
  logger: optional(readLogger),
} satisfies Record<keyof JailOptions, Reader<unknown>>;

const parseJailShape = optionsParser(jailShape);
const parseBoundShape = optionsParser({
  maxRunning: nullish(boundShape.maxRunning),
  maxQueue: nullish(boundShape.maxQueue),
  maxWaitMs: nullish(boundShape.maxWaitMs),
} satisfies Record<keyof BoundOptions, Reader<unknown>>);

/**
 * Checks what `setBounds` is given: what is absent changes nothing, null puts the default back.
 * @throws InvalidArgumentError
 */
export function parseBounds(value: unknown, argument = 'bounds'): BoundChanges {
  return parseBoundShape(value, argument);
}

function parseUidPool(value: unknown, argument: string): JailArguments['uidPool'] {
  if (value === undefined) {
    return undefined;
  }
  const pool = parseUidPoolShape(value, argument);
  if (pool.first + 2 * pool.count > NOT_A_UID) {
    throw new InvalidArgumentError(
      argument,
      `goes beyond the last user id, ${NOT_A_UID - 1}: it takes count ids for programs and as many for their launchers`,
    );
  }
  return pool;
}

function parseCgroup(value: unknown, argument: string): JailArguments['cgroup'] {
  if (value === undefined || value === 'auto' || value === false) {
    return value ?? 'auto';
  }
  if (typeof value !== 'string' || !isAbsolute(value) || value.includes('\0')) {
    throw new InvalidArgumentError(
      argument,
      `must be 'auto', false, or the absolute path of a cgroup, not ${describe(value)}`,
    );
  }
  return value as `/${string}`;
}

/**
 * Checks the options of `createJail`.
 * @throws InvalidArgumentError
 */
export function parseJailOptions(value: unknown, argument = 'options'): JailArguments {
  const options = parseJailShape(value, argument);
  const { maxRunning, maxQueue, maxWaitMs } = options;
  const commands = new Map<string, CommandArguments>();
  for (const [key, command] of options.commands ?? []) {
    const here = spellPath(argument, ['commands', key]);
    commands.set(parseCommandName(key, here), parseCommandOptions(command, here));
  }
  return {
    bounds: { maxRunning, maxQueue, maxWaitMs },
    allowMissing: [...new Set(options.allowMissing ?? [])],
    alwaysBeUnsafe: options.alwaysBeUnsafe ?? false,
    uidPool: parseUidPool(options.uidPool, `${argument}.uidPool`),
    cgroup: parseCgroup(options.cgroup, `${argument}.cgroup`),
    commands,
    limits: options.limits === undefined ? {} : parseLimits(options.limits, `${argument}.limits`),
    defaults: options.defaults ?? 'own',
    logger: options.logger,
  };
}
