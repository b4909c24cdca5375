// A configured command, made ready: its program found, its confinement decided and proved.
import {
  LIBRARY_MECHANISMS,
  lookUpUser,
  planConfinement,
  type ConfinementWishes,
  type UidPool,
} from '../confinement/plan';
import { InvalidArgumentError, SetupError, UnconfinedError } from '../errors';
import type { UnconfinedPlan } from '../exec/unconfined';
import type { GuaranteeName } from '../guarantee-names';
import { serverCgroup, type CgroupWish } from '../host/cgroup';
import { hostFacts } from '../host/host';
import { isPythonName } from '../host/python-tree';
import { discoverRuntime, type Runtime } from '../host/runtime';
import { requireHeeded } from '../options/python-variables';
import type { CommandArguments } from '../options/types';
import type { Proof } from '../proof/probe';
import { bestProved, type ProvedPlan } from '../proof/proved-plan';
import type { JailPlan } from '../spec/spec';
import { once } from '../time/once';
import { withLibrary } from './output-library';
import { askPython } from './python-question';

/** What of the host a jail may take. */
export interface HostShare {
  uidPool: UidPool;
  cgroup: CgroupWish;
}

/** A command that may be run, and how its jails are made. */
export interface ReadyCommand extends ProvedPlan, JailPlan {
  options: CommandArguments;
  runtime: Runtime;
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

/** One command of a jail; what it takes to be ready is done at its first use. */
export class Command {
  readonly name: string;
  readonly options: CommandArguments;

  constructor(name: string, options: CommandArguments) {
    this.name = name;
    this.options = options;
  }

  async #findRuntime(wishes: ConfinementWishes): Promise<Runtime> {
    const { bin, readPaths, python, allowExec } = this.options;
    // A profile or a user may keep a Python from its library.
    const { profile, user } = wishes;
    const path = process.env['PATH'];
    const key = JSON.stringify([bin, readPaths, python, allowExec, path, profile, user]);
    const runtime = await once(runtimes, key, async () =>
      discoverRuntime(
        { bin, readPaths, python, allowExec },
        { argument: `commands.${this.name}.bin`, ask: async (it) => askPython(it, wishes) },
      ),
    );
    if (runtime.isGuessed) {
      // No jail could be made to ask in, which may be cured by the next time.
      runtimes.delete(key);
    }
    return runtime;
  }

  #user(): { uid: number; gid: number } | undefined {
    const { user } = this.options;
    // Only a privileged caller can become another user; any other is kept from its own files by the
    // user namespace.
    if (user === undefined || hostFacts().kind !== 'root') {
      return undefined;
    }
    const argument = `commands.${this.name}.user`;
    const ids = lookUpUser(user);
    if (ids === undefined) {
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
    const state = await serverCgroup(cgroup);
    const required = cgroup !== 'auto' && cgroup !== false;
    if (state.directory === null && required) {
      throw new SetupError('make the cgroup', 0, { detail: `${state.why}; ${state.cure}` });
    }
    const wishes: ConfinementWishes = {
      allowExec: this.options.allowExec,
      profile: this.options.profile,
      user: this.#user(),
      uidPool,
      cgroup: state.directory === null ? undefined : { directory: state.directory, required },
    };
    const runtime = await this.#findRuntime(wishes);
    const proved = await bestProved(planConfinement(wishes), runtime.view);
    return {
      ...proved,
      options: this.options,
      runtime,
      view: runtime.view,
      program: runtime.program,
      words: this.#words(runtime),
      environment: (own) => this.environment(runtime, own),
      mayExec: this.options.allowExec,
      mechanisms: [...proved.confinement.mechanisms, ...LIBRARY_MECHANISMS],
    };
  }

  /**
   * Finds the program, and what its jails show of the host.
   * @param uidPool what the jail in which a Python is asked may take
   * @throws InvalidArgumentError where it is missing, or does not run
   */
  async runtime(uidPool: UidPool): Promise<Runtime> {
    const { allowExec } = this.options;
    return this.#findRuntime({ allowExec, uidPool, profile: undefined, user: undefined });
  }

  /** How its program is started without confinement, and whether it is a Python. */
  async unconfined({ uidPool }: HostShare): Promise<UnconfinedPlan & { python: boolean }> {
    const runtime = await this.runtime(uidPool);
    const { program, python } = runtime;
    return {
      ...{ program, python, words: this.#words(runtime) },
      environment: (own) => this.environment({ python, outputLibrary: undefined }, own),
    };
  }

  get #args(): readonly string[] {
    return this.options.args ?? (this.name === 'python' ? PYTHON_ARGUMENTS : []);
  }

  #words(runtime: Runtime): string[] {
    return [runtime.program, ...runtime.prefix, ...this.#args];
  }

  /**
   * Refuses variables that the command would ignore, as far as its configuration tells.
   * @throws InvalidArgumentError
   */
  requireHeeded(env: Readonly<Record<string, string>>, argument = 'options.env'): void {
    const { python, bin } = this.options;
    if (python === undefined ? isPythonName(bin) : python !== false) {
      requireHeeded(env, { name: this.name, args: this.#args }, argument);
    }
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
      prepared.forgetProof();
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
    { python, outputLibrary }: Pick<Runtime, 'python' | 'outputLibrary'>,
    own: Readonly<Record<string, string>> = {},
  ): Record<string, string> {
    const env = { ...(python ? PYTHON_ENVIRONMENT : {}), ...this.options.env, ...own };
    return outputLibrary === undefined ? env : withLibrary(env, outputLibrary);
  }
}
