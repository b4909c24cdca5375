// Variables that a Python reads itself, where its arguments have it ignore them.
import { InvalidArgumentError } from '../errors';

// `python --help-env`. Others that begin so are some package's own.
const READ_BY_PYTHON =
  /^PYTHON(?:[A-Z0-9]+|_(?:BASIC_REPL|COLORS|CONTEXT_AWARE_WARNINGS|CPU_COUNT|DISABLE_REMOTE_DEBUG|FROZEN_MODULES|GIL|HISTORY|JIT|LAZY_IMPORTS|PERF_JIT_SUPPORT|PRESITE|THREAD_INHERIT_CONTEXT|TLBC))$/;
const WITH_A_VALUE = new Set(['-W', '-X', '--check-hash-based-pycs']);

/** The argument by which a Python ignores its variables, as it stands there: `-E`, `-I`, `-EB`; undefined for none. */
export function environmentIgnored(args: readonly string[]): string | undefined {
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index] ?? '';
    if (!argument.startsWith('-') || argument === '-' || /^-[A-Za-z]*[cm]/.test(argument)) {
      return undefined;
    }
    if (WITH_A_VALUE.has(argument)) {
      index += 1;
    } else if (/^-[A-VY-Za-z]*[EI]/.test(argument)) {
      return argument;
    }
  }
  return undefined;
}

/**
 * Refuses what would be ignored in silence.
 * @param args the arguments of the command, which is a Python
 * @param argument what the variables were given by
 * @throws InvalidArgumentError
 */
export function requireHeeded(
  env: Readonly<Record<string, string>>,
  { name, args }: { name: string; args: readonly string[] },
  argument: string,
): void {
  const variable = Object.keys(env).find((key) => READ_BY_PYTHON.test(key));
  const ignoring = variable === undefined ? undefined : environmentIgnored(args);
  if (variable === undefined || ignoring === undefined) {
    return;
  }
  const needless =
    variable === 'PYTHONUNBUFFERED' ? ' (what is printed comes at once without it too)' : '';
  throw new InvalidArgumentError(
    `${argument}.${variable}`,
    `would be ignored: the command ${JSON.stringify(name)} runs Python with ${ignoring}. Leave it out${needless}, or ` +
      `configure the command with arguments of its own, such as args: ['-B']`,
  );
}
