// Who runs Python code with globals, and how.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createJail } from 'codejail';
import { runSpawned } from '../spawned.mjs';
import { Pipe } from './pipe.mjs';

/**
 * @typedef {object} Task
 * @property {string} name
 * @property {string[]} preload what a warm Python has imported already
 * @property {string} code which sets `a`
 */

/** @type {Task[]} */
export const TASKS = [
  { name: 'a = 17', preload: [], code: 'a = 17' },
  {
    name: 'numpy',
    preload: ['numpy'],
    code: 'import numpy\na = int(numpy.arange(6).reshape(2, 3).sum()) + 2',
  },
];

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const UNHURRIED = { realtime: 20, cpu: 15 };

/** A jail whose Python is warm. */
export async function warmJail(python, task, warm = {}) {
  const jail = createJail({
    commands: {
      python: { bin: python, warm: { preload: task.preload, rehearsal: task.code, ...warm } },
    },
    limits: UNHURRIED,
  });
  await jail.warmUp();
  return jail;
}

/** A contender of a jail: `run` makes one call, `stop` ends it. */
export function ofJail(name, jail) {
  return {
    name,
    jail,
    async run(code, globals = {}) {
      await jail.safeExec(code, globals);
      return globals;
    },
    stop: () => jail.close(),
  };
}

async function ofPipe(name, python, args) {
  const pipe = new Pipe(python, args);
  await pipe.ready();
  return { name, run: (code, globals = {}) => pipe.call(code, globals), stop: () => pipe.stop() };
}

const BARE = {
  persistent: 'persistent Python',
  waiting: 'waiting fork',
  fork: 'bare fork',
};

/** A warm Python without confinement, as `python.py` says. */
export function bare(python, task, mode) {
  return ofPipe(BARE[mode], python, [file('python.py'), mode, ...task.preload]);
}

/** A bare fork, with the least that a confined call takes of the kernel, as `confinement.cc` says. */
export function leastConfined(python, task, { library, program }) {
  const args = [file('python.py'), 'confined', library, program, ...task.preload];
  return ofPipe('least confined fork', python, args);
}

function spawned(python) {
  return {
    name: 'spawn',
    run: async (code) => ({
      a: Number(await runSpawned(python, ['-E', '-B', '-c', `${code}\nprint(a)`])),
    }),
    stop: () => undefined,
  };
}

/** Python's CodeJail, where it is installed and its sandbox is named; else why not. */
async function codejailPeer() {
  try {
    execFileSync('python3', ['-c', 'import codejail'], { stdio: 'ignore' });
  } catch {
    return 'it is not installed for python3';
  }
  if (!process.env.CODEJAIL_TEST_VENV || !process.env.CODEJAIL_TEST_USER) {
    return 'CODEJAIL_TEST_VENV and CODEJAIL_TEST_USER do not name its sandbox';
  }
  return ofPipe('CodeJail (sudo)', 'python3', [file('codejail_peer.py')]);
}

/** Everyone who is compared in the latency of one call; warm first. */
export async function latencyContenders(python, task) {
  const cold = createJail({ commands: { python }, limits: { ...UNHURRIED, proxy: 0 } });
  const peer = await codejailPeer();
  const contenders = [
    ofJail('warm', await warmJail(python, task)),
    await bare(python, task, 'persistent'),
    await bare(python, task, 'waiting'),
    await bare(python, task, 'fork'),
    ofJail('cold', cold),
    spawned(python),
    ...(typeof peer === 'string' ? [] : [peer]),
  ];
  return { contenders, missing: typeof peer === 'string' ? [`CodeJail (sudo): ${peer}`] : [] };
}
