// Whatever a jail runs weighs less for the scheduler than its server, and can't change that: read from the host, since
// no clock would prove it on a machine that is shared.
import { readdirSync } from 'node:fs';
import { mode } from '../support/jail';
import { watchLeftovers } from '../support/leftovers';
import { autogroup, isOurs, nice, statusField } from '../support/processes';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

/** What a program can try, and what it then says of itself. */
const ATTEMPTS = `
import ctypes, json, os, sys, time
said = {}
def attempt(name, act):
    try:
        act()
        said[name] = 'done'
    except OSError as error:
        said[name] = 'denied'
def write(path, text):
    with open(path, 'w') as file: file.write(text)
attempt('a lower nice value', lambda: os.setpriority(os.PRIO_PROCESS, 0, 9))
attempt('one of its group', lambda: os.setpriority(os.PRIO_PGRP, 0, 9))
attempt('real time', lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
attempt('weight for its scheduler group', lambda: write('/proc/self/autogroup', '0'))
child = os.fork()
if child == 0:
    attempt('a session', os.setsid)
    os.write(1, json.dumps(said).encode() + b'\\n')
    time.sleep(600)
sys.stdin.read()
`;

interface Weight {
  /** Whether it is a launcher or a supervisor. */
  isWatching: boolean;
  nice: number;
  autogroup: string;
}

function weights(): Weight[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && isOurs(name))
    .map((name) => ({
      isWatching: statusField(name, 'Name')?.startsWith('codejail-launch') === true,
      nice: nice(name),
      autogroup: autogroup(name),
    }))
    .filter((weight) => !Number.isNaN(weight.nice));
}

it('weighs less than the server, launcher, program and children, whatever the program tries', async () => {
  const before = { nice: nice('self'), autogroup: autogroup('self') };
  let seen: Weight[] = [];
  let up = (): void => undefined;
  const isUp = new Promise<void>((resolve) => {
    up = resolve;
  });
  const result = await suite.python(ATTEMPTS, {
    onStdout: up,
    stdin: (async function* () {
      await isUp;
      seen = weights();
      yield '';
    })(),
  });
  expect(result.stderr.toString()).toBe('');
  expect(JSON.parse(result.stdout.toString())).toEqual({
    'a lower nice value': 'denied',
    'one of its group': 'denied',
    'real time': 'denied',
    'weight for its scheduler group': 'denied',
    'a session': 'done',
  });
  expect(seen.filter(({ isWatching }) => isWatching)).not.toEqual([]);
  // The program and its child.
  expect(seen.filter((weight) => weight.nice === before.nice + 10).length).toBeGreaterThanOrEqual(
    2,
  );
  for (const weight of seen) {
    // Warm, templates weigh as much as who watches, since calls wait for the cells that they make; keepers less than all.
    expect(weight.nice).toBeGreaterThanOrEqual(before.nice + 5);
    if (mode === 'cold') {
      expect(weight.nice).toBe(before.nice + (weight.isWatching ? 5 : 10));
    }
    // In the server's own group they share what it leaves. A session's own would weigh as much as the server's.
    expect(weight.autogroup).toBe(before.autogroup);
  }
  expect({ nice: nice('self'), autogroup: autogroup('self') }).toEqual(before);
});

describe('programs that ask for a session of their own go on', () => {
  it('daemons', async () => {
    const printed = await suite.printed(`
import os, time
r, w = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() > 0: os._exit(0)
    os.write(w, b'up')
    os._exit(0)
os.wait()
print(os.read(r, 2).decode())
`);
    expect(printed).toBe('up\n');
  });

  it('and what Python starts so', async () => {
    suite.jail.configure('grader', { bin: 'python3', allowExec: true });
    const { stdout, stderr } = await suite.jail.jailCode('grader', {
      code: `
import subprocess, sys
done = subprocess.run([sys.executable, '-c', 'print(6 * 7)'], capture_output=True, start_new_session=True)
sys.stdout.buffer.write(done.stdout + done.stderr)
`,
    });
    expect(Buffer.concat([stdout, stderr]).toString()).toBe('42\n');
  });
});
