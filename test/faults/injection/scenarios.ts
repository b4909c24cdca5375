// What is done while a system call fails: calls whose programs say how they are confined.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GuaranteeName } from '../../../lib/guarantee-names';
import { createJail, JailError, type Jail, type JailResult } from '../../../lib/index';

/** What a call came to. */
export interface Outcome {
  /** What the program said of its confinement; empty where it did not run. */
  facts: string;
  /** Where the call resolved: how, and what the result says of its confinement. */
  result?: string;
  error?: unknown;
}

/** Something that can be done again and again. */
export interface Scenario {
  /** The roles whose system calls are made to fail here. */
  roles: readonly string[];
  /** Before each repetition, and again after one that something failed in. */
  ready(): Promise<void>;
  run(): Promise<Outcome[]>;
  /** A call to which nothing happens. */
  check(): Promise<Outcome>;
  /** The other ways that calls may go. */
  otherwise(): Promise<Outcome[]>;
  /** The roles of the processes that stay between repetitions. */
  standing: readonly string[];
  /** Ends all that stands. */
  end(): Promise<void>;
}

const LIMITS = { realtime: 60, cpu: 30, fsize: 100_000 };

/** Without what differs from call to call: a leased uid, and numbers of processes. */
function withoutNumbers(facts: string): string {
  return facts
    .replace(/19\d{8}(?!\d)/g, 'UID')
    .replace(/codejail-[A-Za-z0-9]{8}/g, 'codejail-NAME')
    .replace(
      /^(NSpid|NSsid):.*$/gm,
      (line) => `${line.split('\t').length - 1} ${line.split(':')[0]}`,
    );
}

async function outcomeOf(
  call: (say: (chunk: Buffer) => void) => Promise<JailResult>,
): Promise<Outcome> {
  const said: Buffer[] = [];
  const facts = (): string => withoutNumbers(Buffer.concat(said).toString());
  try {
    const { outcome, status, confinement, collected, stderr } = await call((chunk) =>
      said.push(chunk),
    );
    const files = collected.map(({ path, content }) => `${path}=${content.toString()}`).sort();
    return {
      facts: facts(),
      result: withoutNumbers([outcome, status, stderr, ...files, ...confinement].join(' ')),
    };
  } catch (error) {
    return { facts: facts(), error };
  }
}

function coldScenario(witness: string, allowMissing: readonly GuaranteeName[]): Scenario {
  let jail: Jail | undefined;
  const call = async (): Promise<Outcome> =>
    outcomeOf(async (say) =>
      (jail ??= createJail({
        commands: { witness },
        limits: LIMITS,
        allowMissing: [...allowMissing],
      })).jailCode('witness', {
        argv: ['one', 'two'],
        env: { NAME: 'value' },
        stdin: 'hello',
        extraFiles: [
          ['note.txt', 'a note'],
          ['folder/inner.txt', 'another'],
        ],
        files: [__filename],
        collect: ['**/*.txt'],
        onStdout: say,
      }),
    );
  return {
    roles: [
      'event-loop',
      'worker',
      'spawn-thread',
      'spawn-child',
      'outer-launcher',
      'launcher',
      'supervisor',
      'program',
    ],
    standing: [],
    ready: async () => Promise.resolve(),
    run: async () => [await call()],
    check: call,
    otherwise: async () => Promise.resolve([]),
    end: async () => {
      await jail?.close();
      jail = undefined;
    },
  };
}

const PYTHON_WITNESS = readFileSync(join(__dirname, 'witness.py'), 'utf8');

class WarmJail {
  #jail: Jail | undefined;

  get jail(): Jail {
    return (this.#jail ??= createJail({
      commands: { python: { bin: 'python3', warm: { size: 1, memoryReserve: 0 } } },
      limits: LIMITS,
    }));
  }

  async close(): Promise<void> {
    const jail = this.#jail;
    this.#jail = undefined;
    await jail?.close();
  }

  async call(limits: { proxy?: number } = {}): Promise<Outcome> {
    const globals: Record<string, unknown> = {};
    return outcomeOf(async (say) => {
      const result = await this.jail.safeExec(PYTHON_WITNESS, globals, {
        collect: ['*.txt'],
        limits,
      });
      say(Buffer.from(JSON.stringify(globals['facts'], null, 1)));
      return result;
    });
  }

  /** Waits a moment for the cell that takes the place of one that has served; none is made in a hurry then. */
  async refilled(): Promise<void> {
    const until = Date.now() + 1000;
    while (this.jail.stats().pools['python']?.cellsReady !== 1 && Date.now() < until) {
      await sleep(2);
    }
  }

  /** Whether something waits for calls, or why not. */
  async warmUp(): Promise<Outcome> {
    try {
      await this.jail.warmUp();
      return { facts: '', result: 'warm' };
    } catch (error) {
      return { facts: '', error };
    }
  }
}

/** A cell serves a call, another one is made, and serves the next. */
function cellScenario(): Scenario {
  const warm = new WarmJail();
  return {
    roles: [
      'event-loop',
      'worker',
      'nursery',
      'supervisor-keeper',
      'cell-supervisor',
      'cell-supervisor-watching',
      'cell-keeper',
      'between',
      'cell',
      'cell-limits',
    ],
    standing: [
      'nursery',
      'template',
      'template-supervisor',
      'cell-supervisor-watching',
      'cell-keeper',
      'cell',
    ].sort(),
    ready: async () => {
      await warm.jail.warmUp();
    },
    run: async () => {
      const first = await warm.call();
      await warm.refilled();
      return [first, await warm.call(), await warm.warmUp()];
    },
    check: async () => warm.call(),
    otherwise: async () => [await warm.call({ proxy: 0 })],
    end: async () => warm.close(),
  };
}

/** A template is started, and a cell of it serves a call. */
function templateScenario(): Scenario {
  const warm = new WarmJail();
  return {
    roles: [
      'spawn-thread',
      'spawn-child',
      'outer-launcher',
      'template-launcher',
      'template-supervisor',
      'nursery',
      'template-program',
      'template',
      'scout',
    ],
    standing: [],
    ready: async () => Promise.resolve(),
    run: async () => {
      const outcomes = [await warm.warmUp(), await warm.call()];
      await warm.close();
      return outcomes;
    },
    check: async () => {
      const outcome = await warm.call();
      await warm.close();
      return outcome;
    },
    otherwise: async () => {
      const outcomes = [await warm.call({ proxy: 0 })];
      await warm.close();
      return outcomes;
    },
    end: async () => warm.close(),
  };
}

/** @param witness the program of cold calls */
export function scenarioOf(name: string, witness: string): Scenario {
  switch (name) {
    case 'cold':
      return coldScenario(witness, []);
    // Without namespaces `tmp` is a directory of the host's, and has no size.
    case 'bare':
      return coldScenario(witness, ['metadata', 'disk']);
    case 'cell':
      return cellScenario();
    case 'template':
      return templateScenario();
    default:
      throw new Error(`no scenario ${name}`);
  }
}

export { JailError };
