// What a host says of itself, and whether calls keep to it, as JSON: `node ask.cjs OPTIONS`, on that host,
// with what its Python has of `CommandOptions`.
'use strict';

const { createJail } = require('../..');
const { denials } = require('./denials.cjs');

const MEBIBYTE = 1024 * 1024;

const python = { bin: '/usr/bin/python3', ...JSON.parse(process.argv[2] ?? '{}') };

const codeOf = ({ name, code, missing, message }) => ({
  name,
  code,
  missing: missing?.map(({ guarantee }) => guarantee) ?? [],
  message,
});

const hidden = 'import ctypes, os, time\nctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\n';

/** Programs that go beyond a limit, in several processes that hide where they can, and how each has to end. */
const MISBEHAVIOURS = [
  {
    guarantee: 'memory',
    code: `${hidden}os.fork(); os.fork()\nheld = bytearray(40 << 20)\ntime.sleep(8)`,
    limits: { memory: 96 * MEBIBYTE },
    outcome: 'memory-limit',
  },
  {
    guarantee: 'cpu',
    code: `${hidden}os.fork(); os.fork()\nwhile True: pass`,
    limits: { cpu: 1 },
    outcome: 'cpu-limit',
  },
  {
    guarantee: 'time',
    code: `${hidden}os.fork()\ntime.sleep(30)`,
    limits: { realtime: 1 },
    outcome: 'time-limit',
  },
  {
    guarantee: 'output',
    code: 'import os\nos.fork()\nwhile True: os.write(1, b"x" * 65536)',
    limits: { output: MEBIBYTE },
    outcome: 'output-limit',
  },
  {
    guarantee: 'tasks',
    code: 'import os, time\nwhile True:\n  if os.fork() == 0: time.sleep(8); os._exit(0)',
    limits: { nproc: 8 },
    error: 'BlockingIOError',
  },
  {
    guarantee: 'disk',
    code: 'for i in range(99): open(f"tmp/{i}", "wb").write(bytes(1 << 20))',
    limits: { disk: 8 * MEBIBYTE, fsize: 2 * MEBIBYTE },
    outcome: 'disk-limit',
  },
];

async function misbehave(jail, { guarantee, code, limits, outcome, error }) {
  // On a slow host the set-up of processes takes its own time.
  const generous = { cpu: 20, realtime: 60, ...limits };
  const result = await jail.jailCode('python', { code, limits: generous });
  const isHeld =
    error === undefined ? result.outcome === outcome : result.stderr.toString().includes(error);
  return {
    guarantee,
    attempt: `go beyond its limit of ${guarantee}`,
    held: isHeld,
    seen: `${result.outcome}, status ${result.status}: ${result.stderr.toString().slice(-200)}`,
  };
}

async function denialsIn(jail, command) {
  const found = await denials(async (code, argv) =>
    jail.jailCode(command, { code, argv, limits: { realtime: 30, cpu: 10 } }),
  );
  return found.filter(
    ({ attempt }) => python.allowExec !== true || attempt !== 'execute a program',
  );
}

/** The probe's own attempts in a process that waits for calls, where there is such a one. */
async function probeOfCells(jail) {
  const { cells } = await jail.verify('waiting');
  return (cells ?? []).map(({ check, ...rest }) => ({ ...rest, attempt: check }));
}

const ATTACKS = [
  async (jail) => denialsIn(jail, 'python'),
  async (jail) => [...(await probeOfCells(jail)), ...(await denialsIn(jail, 'waiting'))],
  ...MISBEHAVIOURS.map((each) => async (jail) => misbehave(jail, each)),
];

/** The error of a call that gives up these guarantees, and what attacks came to where there is none. */
async function ask(allowMissing, attacks) {
  const commands = { python, waiting: { ...python, warm: { size: 1, memoryReserve: 0 } } };
  const jail = createJail({ commands, allowMissing });
  try {
    try {
      await jail.jailCode('python', { code: 'pass' });
    } catch (error) {
      return { error: codeOf(error), attempts: [] };
    }
    const ends = await Promise.all(attacks.map(async (attack) => attack(jail)));
    return { error: null, attempts: ends.flat() };
  } finally {
    await jail.close();
  }
}

async function verify() {
  const jail = createJail({ commands: { python } });
  try {
    return await jail.verify('python');
  } finally {
    await jail.close();
  }
}

async function main() {
  let report;
  try {
    report = await verify();
  } catch (error) {
    return { refusal: codeOf(error) };
  }
  const { checks, missing } = report;
  // Without a check no jail could be made at all.
  const canBeGivenUp = checks.length > 0;
  const strict = await ask([], missing.length === 0 ? ATTACKS : []);
  const lenient =
    canBeGivenUp && missing.length > 0
      ? await ask(
          missing.map(({ guarantee }) => guarantee),
          ATTACKS,
        )
      : strict;
  return {
    missing,
    canBeGivenUp,
    // Of a call that gives nothing up, and of one that gives up what is missing.
    strict: strict.error,
    lenient: lenient.error,
    attempts: [
      ...checks.map(({ check, ...rest }) => ({ ...rest, attempt: check })),
      ...lenient.attempts,
    ],
  };
}

void main().then((answer) => console.log(JSON.stringify(answer)));
