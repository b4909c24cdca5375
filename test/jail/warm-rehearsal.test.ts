// What a rehearsal does for calls, and that nothing else of it reaches them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createJail, type Jail } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { withModule } from '../support/modules';
import { UNHURRIED } from '../support/suite';

let jail: Jail;

afterEach(async () => {
  await jail.close();
});

watchLeftovers();

async function warmJail(rehearsal?: string): Promise<void> {
  jail = createJail({ limits: UNHURRIED });
  jail.configure('python', { bin: 'python3', warm: { size: 1, memoryReserve: 0, rehearsal } });
  await jail.warmUp();
}

// Every object's count of references is written to, so that every page of them is copied.
const TOUCH_ALL = `
import sys
found = [value for module in list(sys.modules.values()) for value in list(vars(module).values())]
found = [vars(value) if hasattr(value, '__dict__') else value for value in found]
`;
const COUNT = `
import resource
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
${TOUCH_ALL}
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
del found
`;

async function faults(): Promise<number> {
  const { globals, confinement } = await jail.safeExec(COUNT, {});
  expect(confinement).toContain('warm');
  return globals['faults'] as number;
}

it('spares calls the page faults that it has taken', async () => {
  await warmJail();
  const without = await faults();
  await jail.close();
  await warmJail(TOUCH_ALL);
  expect(await faults()).toBeLessThan(without / 2);
});

const HUGE_PAGES = '/sys/kernel/mm/transparent_hugepage/enabled';
const givesHugePages =
  existsSync(HUGE_PAGES) && !/\[never\]/.test(readFileSync(HUGE_PAGES, 'utf8'));

(givesHugePages ? it : it.skip)(
  `has the interpreter’s code in huge pages${givesHugePages ? '' : ' (not shown: this kernel gives none)'}`,
  async () => {
    await warmJail();
    const { globals } = await jail.safeExec(
      `
import re
found = re.findall(r'AnonHugePages: +(\\d+)', open('/proc/self/smaps').read())
kilobytes = sum(map(int, found))
`,
      {},
    );
    expect(globals['kilobytes']).toBeGreaterThanOrEqual(2048);
  },
);

it('leaves nothing to calls but that', async () => {
  await warmJail(`
import builtins, decimal, os, random, sys, threading
builtins.trace = sys.trace = os.environ['TRACE'] = 'trace'
random.seed(1)
open('tmp/trace', 'w').write('trace')
sys.path.append('/trace')
os.chdir('tmp')
threading.Thread(target=print).start()
print('trace')
`);
  const { globals, stdout, stderr } = await jail.safeExec(
    `
import builtins, os, sys
seen = [hasattr(builtins, 'trace'), hasattr(sys, 'trace'), 'TRACE' in os.environ, 'decimal' in sys.modules,
        os.listdir('tmp'), '/trace' in sys.path, os.path.basename(os.getcwd()) == 'tmp']
`,
    {},
  );
  expect(globals['seen']).toEqual([false, false, false, false, [], false, false]);
  expect([stdout.toString(), stderr.toString()]).toEqual(['', '']);
});

/** Processes of templates that block every signal and are not confined. */
function blocking(): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      const isPython = readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('template.py');
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      return isPython && /SigBlk:\tf{5}/.test(status) && /Seccomp:\t0/.test(status);
    } catch {
      return false;
    }
  });
}

it('ends with all that it has started', async () => {
  await warmJail(`
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
        time.sleep(600)
`);
  expect((await jail.safeExec('a = 17', {})).confinement).toContain('warm');
  // It would be in the template's namespaces, and privileged there.
  const found = blocking();
  // So is a keeper, until it is confined a moment after it was forked.
  await sleep(200);
  expect(blocking().filter((name) => found.includes(name))).toEqual([]);
});

it.each(['é', '𝄞', '"'])('may be of 16,000 characters such as %s', async (character) => {
  await warmJail(`# ${character.repeat(16_000 / character.length)}`);
  expect((await jail.safeExec('a = 17', {})).confinement).toContain('warm');
});

it('imports from where its template did', async () => {
  await withModule('own_module.py', 'VALUE = 7', async (path) => {
    jail = createJail({ limits: UNHURRIED });
    const warm = { size: 1, memoryReserve: 0, pythonPath: [path], rehearsal: 'import own_module' };
    jail.configure('python', { bin: 'python3', warm });
    await jail.warmUp();
    expect((await jail.safeExec('a = 17', {})).confinement).toContain('warm');
  });
});

it('by default takes another module that is called numpy as it is', async () => {
  await withModule('numpy.py', 'VALUE = 7', async (path) => {
    jail = createJail({ limits: UNHURRIED });
    const warm = { size: 1, memoryReserve: 0, pythonPath: [path], preload: ['numpy'] };
    // Without what is installed for this Python, among which numpy may be.
    jail.configure('python', { bin: 'python3', args: ['-E', '-B', '-S'], warm });
    await jail.warmUp();
    const globals: Record<string, unknown> = {};
    await jail.safeExec('import numpy\na = numpy.VALUE', globals);
    expect(globals).toEqual({ a: 7 });
  });
});

it('that fails is told, with what Python said', async () => {
  await expect(warmJail('import no_such_module')).rejects.toThrow(
    /the rehearsal failed[^]*No module named 'no_such_module'/,
  );
});

it('that ends its process badly is told too', async () => {
  await expect(warmJail('import os; os.abort()')).rejects.toThrow(/the rehearsal failed/);
});
