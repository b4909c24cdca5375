// A configured command, made ready: its program found, its confinement decided and proved.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { serverCgroup, type CgroupWish } from './cgroup';
import {
  LIBRARY_MECHANISMS,
  lookUpUser,
  planConfinement,
  type Confinement,
  type UidPool,
} from './confinement';
import { InvalidArgumentError, SetupError, UnconfinedError } from './errors';
import type { GuaranteeName } from './guarantee-name';
import { hostFacts } from './host';
import { parseCommandOptions } from './command-options';
import type { CommandArguments } from './option-types';
import { prove, type Proof } from './probe';
import { discoverRuntime, type Runtime } from './runtime';

/** What of the host a jail may take. */
export interface HostShare {
  uidPool: UidPool;
  cgroup: CgroupWish;
}

/** A command that may be run. */
export interface ReadyCommand {
  options: CommandArguments;
  runtime: Runtime;
  confinement: Confinement;
  /** The words before the call's own, the program's name first. */
  words: string[];
  proof: Proof;
  /** What results name as being in force. */
  mechanisms: string[];
  /** Has a proof that found something missing done anew the next time: it may be cured by then. */
  lookAgain: () => void;
}

const PYTHON_ARGUMENTS = ['-E', '-B'];
// Threads of a numeric library would count as tasks, and fail to start.
const PYTHON_ENVIRONMENT = {
  OPENBLAS_NUM_THREADS: '1',
  OMP_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
};

// Of all jails of this process: making another jail costs nothing.
const runtimes = new Map<string, Promise<Runtime>>();
const proofs = new Map<string, Promise<Proof>>();

/** What `make` gives, made once for each key; a failure is tried again, since it may be cured. */
async function once<T>(
  made: Map<string, Promise<T>>,
  key: string,
  make: () => Promise<T>,
): Promise<T> {
  const known = made.get(key) ?? make();
  made.set(key, known);
  try {
    return await known;
  } catch (error) {
    made.delete(key);
    throw error;
  }
}

/** What keeps a command from being run: what is missing and was not given up. */
export function refusedOf(
  { missing, checks }: Proof,
  allowMissing: readonly GuaranteeName[],
): Proof['missing'] {
  // Without a single check there is no jail at all: nothing that could be given up.
  return missing.filter(
    ({ guarantee }) => checks.length === 0 || !allowMissing.includes(guarantee),
  );
}

type Proved = Pick<ReadyCommand, 'confinement' | 'proof' | 'lookAgain'>;

/** The plan that lacks least, the first of them where several do. */
async function bestProved(plans: readonly Confinement[], runtime: Runtime): Promise<Proved> {
  const tried: string[] = [];
  let best: Omit<Proved, 'lookAgain'> | undefined;
  for (const confinement of plans) {
    const key = JSON.stringify([confinement, runtime.view]);
    tried.push(key);
    const proof = await once(proofs, key, async () => prove(confinement, runtime.view));
    // Without a single check the jail could not even be made.
    const isBetter =
      best === undefined ||
      (proof.checks.length > 0 &&
        (best.proof.checks.length === 0 || proof.missing.length < best.proof.missing.length));
    if (isBetter) {
      best = { confinement, proof };
    }
    if (best?.proof.missing.length === 0) {
      break;
    }
  }
  if (best === undefined) {
    throw new TypeError('a host of no known kind');
  }
  const { missing } = best.proof;
  return {
    ...best,
    lookAgain: () => {
      for (const key of missing.length > 0 ? tried : []) {
        proofs.delete(key);
      }
    },
  };
}

/** One command of a jail; what it takes to be ready is done at its first use. */
export class Command {
  readonly name: string;
  readonly options: CommandArguments;

  constructor(name: string, options: CommandArguments) {
    this.name = name;
    this.options = options;
  }

  async #findRuntime(): Promise<Runtime> {
    return once(
      runtimes,
      JSON.stringify([this.options.bin, this.options.readPaths, process.env['PATH']]),
      async () =>
        discoverRuntime(this.options.bin, this.options.readPaths, `commands.${this.name}.bin`),
    );
  }

  #user(): { uid: number; gid: number } | undefined {
    const { user } = this.options;
    // Only a privileged caller can become another user; any other is kept from its own files by the
    // user namespace.
    if (user === null || hostFacts().kind !== 'root') {
      return undefined;
    }
    const argument = `commands.${this.name}.user`;
    const ids = lookUpUser(user);
    if (ids === null) {
      throw new InvalidArgumentError(
        argument,
        `names ${JSON.stringify(user)}, whom this host does not know`,
      );
    }
    if (ids.uid === 0) {
      throw new InvalidArgumentError(argument, 'must not be root');
    }
    return ids;
  }

  /**
   * Finds the program and proves the confinement, without regard to what may be missing.
   * @throws InvalidArgumentError where the program or the user is missing
   * @throws SetupError where a cgroup that was named by its path can't be used
   */
  async prepare({ uidPool, cgroup }: HostShare): Promise<ReadyCommand> {
    const runtime = await this.#findRuntime();
    const state = await serverCgroup(cgroup);
    const required = cgroup !== 'auto' && cgroup !== false;
    if (state.directory === null && required) {
      throw new SetupError('make the cgroup', 0, { detail: `${state.why}; ${state.cure}` });
    }
    const plans = planConfinement({
      allowExec: this.options.allowExec,
      profile: this.options.profile ?? undefined,
      user: this.#user(),
      uidPool,
      cgroup: state.directory === null ? undefined : { directory: state.directory, required },
    });
    const proved = await bestProved(plans, runtime);
    return {
      ...proved,
      options: this.options,
      runtime,
      words: this.#words(runtime),
      mechanisms: [...proved.confinement.mechanisms, ...LIBRARY_MECHANISMS],
    };
  }

  /** The program and its words, for a run without confinement. */
  async unconfined(): Promise<{ program: string; words: string[]; python: boolean }> {
    const runtime = await this.#findRuntime();
    return { program: runtime.program, words: this.#words(runtime), python: runtime.python };
  }

  #words(runtime: Runtime): string[] {
    const args = this.options.args ?? (this.name === 'python' ? PYTHON_ARGUMENTS : []);
    return [runtime.program, ...runtime.prefix, ...args];
  }

  /**
   * @param allowMissing the guarantees that may be missing
   * @throws UnconfinedError where another one is
   */
  async ready(share: HostShare, allowMissing: readonly GuaranteeName[]): Promise<ReadyCommand> {
    const prepared = await this.prepare(share);
    const { missing } = prepared.proof;
    const refused = refusedOf(prepared.proof, allowMissing);
    if (refused.length > 0) {
      prepared.lookAgain();
      throw new UnconfinedError(refused, prepared.proof.checks.length > 0);
    }
    return {
      ...prepared,
      mechanisms: [
        ...prepared.mechanisms,
        ...missing.map(({ guarantee }) => `missing:${guarantee}`),
      ],
    };
  }

  /** The environment of a call: what a Python needs, the command's own, the call's own. */
  environment(
    { python }: Pick<Runtime, 'python'>,
    own: Record<string, string> = {},
  ): Record<string, string> {
    return { ...(python ? PYTHON_ENVIRONMENT : {}), ...this.options.env, ...own };
  }
}

/** The directory of the nearest package.json, upwards from the working directory. */
export function projectRoot(): string | null {
  let directory = process.cwd();
  for (;;) {
    if (existsSync(join(directory, 'package.json'))) {
      return directory;
    }
    const parent = dirname(directory);
    if (parent === directory) {
      return null;
    }
    directory = parent;
  }
}

/**
 * The command `python` where nobody configured it: the environment that CodeJail's own tests name by
 * CODEJAIL_TEST_USER and CODEJAIL_TEST_VENV; else an environment `<project root>-sandbox` beside the
 * project; else the system's python3. Null where there is none of them.
 */
export function autoConfiguredPython(): CommandArguments | null {
  const user = process.env['CODEJAIL_TEST_USER'];
  const environment = process.env['CODEJAIL_TEST_VENV'];
  if (user !== undefined && user !== '' && environment !== undefined && environment !== '') {
    return parseCommandOptions({ bin: join(environment, 'bin', 'python'), user });
  }
  const root = projectRoot();
  const beside = root === null ? null : join(`${root}-sandbox`, 'bin', 'python');
  if (beside !== null && existsSync(beside)) {
    const hasUser = /^sandbox:/m.test(readFileSync('/etc/passwd', 'utf8'));
    return parseCommandOptions({ bin: beside, ...(hasUser ? { user: 'sandbox' } : {}) });
  }
  const found = (process.env['PATH'] ?? '/usr/bin:/bin')
    .split(':')
    .some((directory) => directory !== '' && existsSync(join(directory, 'python3')));
  return found ? parseCommandOptions('python3') : null;
}
