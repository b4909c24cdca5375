// What a rehearsal does for calls, and that nothing else of it reaches them.
import { createJail, type Jail } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
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

it('that fails is told, with what Python said', async () => {
  await expect(warmJail('import no_such_module')).rejects.toThrow(
    /the rehearsal failed[^]*No module named 'no_such_module'/,
  );
});

it('that ends its process badly is told too', async () => {
  await expect(warmJail('import os; os.abort()')).rejects.toThrow(/the rehearsal failed/);
});
