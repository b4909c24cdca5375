// Whether nobody but the server's own user may change what makes jails.
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SetupError, type MissingGuarantee } from '../errors';
import { GUARANTEE_NAMES } from '../guarantee-names';
import { openToStrangers } from '../host/ownership';
import { native } from '../native/addon';
import { BINARIES } from '../native/platforms';
import { PYTHON_FILES } from '../python/source';
import { isWithin } from '../text/is-within';

/** What this process itself loads, a directory a room. */
const CODE = dirname(__dirname);

/** Who wrote the program that this process runs can do all that it can anyway: a checkout that root runs. */
function authors(): number[] {
  const [, program] = process.argv;
  const status = program === undefined ? undefined : statSync(program, { throwIfNoEntry: false });
  return status === undefined ? [] : [status.uid];
}

function rooms(): string[] {
  return readdirSync(CODE, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(CODE, name));
}

function parts(): string[] {
  const { directory, launcher, probe, cell, output } = native();
  return [
    ...[CODE, ...rooms(), join(directory, BINARIES.addon), launcher, probe, cell, output],
    ...PYTHON_FILES.map((name) => join(CODE, 'python', name)),
  ];
}

/** @returns as `openToStrangers`; undefined also where there is nothing: the step that needs it tells of that */
async function strangerOf(part: string, trusted: readonly number[]): Promise<string | undefined> {
  try {
    return await openToStrangers(part, trusted);
  } catch (cause) {
    const { code, errno, syscall } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      return undefined;
    }
    throw new SetupError('look at the package', -(errno ?? 0), { syscall, detail: part, cause });
  }
}

/**
 * Looks at the package's directories, its programs, and the Python that it runs in jails.
 * @returns every guarantee, where somebody else may change one of them, with the cure; else nothing
 * @throws SetupError as `native`
 */
export async function missingByStrangers(): Promise<MissingGuarantee[]> {
  const trusted = authors();
  for (const part of parts()) {
    const stranger = await strangerOf(part, trusted);
    if (stranger !== undefined) {
      const why = `what makes jails could be replaced by others: ${stranger}`;
      const own = dirname(CODE);
      const root = isWithin(part, own) ? own : native().directory;
      const commands = [
        ['chown', '-R', String(process.getuid?.()), root],
        ['chmod', '-R', 'go-w', root],
      ];
      const cure =
        `let nobody but root and this process's user own and write it, and each directory on the way: ` +
        `chown -R $(id -u) ${root} && chmod -R go-w ${root}`;
      return GUARANTEE_NAMES.map((guarantee) => ({ guarantee, why, cure, commands }));
    }
  }
  return [];
}
