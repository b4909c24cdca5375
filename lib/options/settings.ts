import { InvalidArgumentError } from '../errors';
import { LIMIT_DEFINITIONS, LIMIT_NAMES, parseLimit, type LimitName } from '../limits';
import { describe } from '../text/describe';
import { suggestionSentence } from '../text/suggestion';
import { entriesOf } from './argument';

/** Open edX's `CODE_JAIL` dictionary, as it stands in JSON. Every key may be absent. */
export interface CodeJailSettings {
  /** The Python of the sandbox. When it is given, `user` must be there too. */
  python_bin?: string | null | undefined;
  /** The sandbox user, or null to stay the caller's. */
  user?: string | null | undefined;
  /** Limits by CodeJail's names: `{ "CPU": 3, "VMEM": 268435456 }`. */
  limits?: Record<string, number | null> | null | undefined;
  /** Limits for each context: `{ "course-v1:…": { "CPU": 10 } }`. */
  limit_overrides?: Record<string, Record<string, number | null>> | null | undefined;
}

/** The settings, checked, in the terms of this package. */
export interface ParsedSettings {
  /** The command `python`, where the settings configure it. */
  command?: { bin: string; user: string | undefined };
  limits: { name: LimitName; value: number | null }[];
  overrides: { context: string; name: LimitName; value: number | null }[];
}

const KEYS = ['python_bin', 'user', 'limits', 'limit_overrides'];

const nameOf = new Map<string, LimitName>(
  LIMIT_NAMES.map((name) => [LIMIT_DEFINITIONS[name].codejailName, name]),
);

function textIfAny(value: unknown, argument: string): string | undefined {
  if (value === undefined || value === null || value === '') {
    return undefined;
  }
  if (typeof value !== 'string' || value.includes('\0')) {
    throw new InvalidArgumentError(
      argument,
      `must be a string without NUL, or null, not ${describe(value)}`,
    );
  }
  return value;
}

function parseSettingsLimits(
  value: unknown,
  argument: string,
): { name: LimitName; value: number | null }[] {
  return entriesOf(value, argument).map(([key, limit]) => {
    const name = nameOf.get(key);
    if (name === undefined) {
      throw new InvalidArgumentError(
        `${argument}.${key}`,
        `is not a limit. ${suggestionSentence(key, [...nameOf.keys()])}`,
      );
    }
    return {
      name,
      value: limit === null ? null : parseLimit(name, limit, `${argument}.${key}`),
    };
  });
}

/**
 * Checks Open edX's `CODE_JAIL` dictionary. As in CodeJail, what is absent changes nothing, and an
 * empty or null `python_bin` configures no command; a null limit puts the default back.
 * @throws InvalidArgumentError naming the setting: `settings.limits.CPU`
 */
export function parseSettings(value: unknown): ParsedSettings {
  const settings = new Map(entriesOf(value, 'settings'));
  for (const key of settings.keys()) {
    if (!KEYS.includes(key)) {
      throw new InvalidArgumentError(
        `settings.${key}`,
        `is not a setting. ${suggestionSentence(key, KEYS)}`,
      );
    }
  }
  const parsed: ParsedSettings = { limits: [], overrides: [] };

  const bin = textIfAny(settings.get('python_bin'), 'settings.python_bin');
  const user = textIfAny(settings.get('user'), 'settings.user');
  if (bin !== undefined) {
    if (settings.get('user') === undefined) {
      throw new InvalidArgumentError(
        'settings.user',
        'must be given when python_bin is: the name of the sandbox user, or null to stay the caller',
      );
    }
    parsed.command = { bin, user };
  }

  const limits = settings.get('limits');
  if (limits !== undefined && limits !== null) {
    parsed.limits = parseSettingsLimits(limits, 'settings.limits');
  }

  const overrides = settings.get('limit_overrides');
  if (overrides !== undefined && overrides !== null) {
    parsed.overrides = entriesOf(overrides, 'settings.limit_overrides').flatMap(
      ([context, contextLimits]) => {
        const argument = `settings.limit_overrides[${JSON.stringify(context)}]`;
        if (context === '') {
          throw new InvalidArgumentError(argument, 'can never apply: a context is not empty');
        }
        return parseSettingsLimits(contextLimits, argument).map((limit) => ({ context, ...limit }));
      },
    );
  }
  return parsed;
}
