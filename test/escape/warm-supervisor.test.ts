// A cell's PID 1 runs in the memory of a keeper, which is outside of the cell.
import { readdirSync, readlinkSync } from 'node:fs';
import { expectToGoWithItsCell, makeKeptCell, type Kept } from '../support/keepers';
import { gone, isOurs, statusField } from '../support/processes';
import { LIMITS, scriptIn, useTemplate } from '../support/warm';

const python = useTemplate();

function keepers(): string[] {
  return readdirSync('/proc').filter(
    (name) => statusField(name, 'Name') === 'codejail-keeper' && isOurs(name),
  );
}

async function makeKept(): Promise<Kept> {
  return makeKeptCell(python.template, keepers);
}

// The strict mode can't be had under a filter.
if (statusField('self', 'Seccomp') === '0') {
  it('may only read, has no capability, and is not in the cell', async () => {
    const { cell, keeper } = await makeKept();
    const sets = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'].map((set) => statusField(keeper, set));
    expect(sets.map(Number)).toEqual([0, 0, 0, 0]);
    expect(statusField(keeper, 'Seccomp')).toBe('1');
    const depth = (process: string): number =>
      statusField(process, 'NSpid')?.split(/\s+/).length ?? 0;
    expect(depth(keeper)).toBe(depth(statusField(keeper, 'PPid') ?? ''));
    const { result } = await scriptIn(
      cell,
      'print([line for line in open("/proc/1/status") if line.startswith("Name:")])',
    );
    expect(result.stdout.toString()).not.toContain('keeper');
  });

  it('lets nobody but root look at it, and holds nothing but two pipes’ ends', async () => {
    const { cell, keeper } = await makeKept();
    const held = (): string[] =>
      readdirSync(`/proc/${keeper}/fd`).map((fd) => readlinkSync(`/proc/${keeper}/fd/${fd}`));
    if (process.getuid?.() === 0) {
      // What it has told by is open, and nobody reads it.
      expect(held()).toEqual([expect.stringMatching(/^pipe:/), expect.stringMatching(/^pipe:/)]);
    } else {
      expect(held).toThrow('EACCES');
    }
    await cell.discard();
  });

  it('ends when its cell is gone, whether that served a call or not', async () => {
    await expectToGoWithItsCell(makeKept);
  });

  it('takes no cell along when it is killed, nor when it goes on', async () => {
    const { cell, keeper } = await makeKept();
    process.kill(Number(keeper), 'SIGSTOP');
    process.kill(Number(keeper), 'SIGCONT');
    expect(await gone(keeper).then((is) => (is ? 'gone' : 'there'))).toBe('there');
    process.kill(Number(keeper), 'SIGKILL');
    expect(await gone(keeper)).toBe(true);
    const { result } = await scriptIn(cell, 'print(17)');
    expect(result.stdout.toString()).toBe('17\n');
  });
} else {
  it('is not there where the server is under a filter', async () => {
    const cell = await python.template.makeCell(LIMITS);
    expect(keepers()).toEqual([]);
    await cell.discard();
  });
}

it('is not there for a cell in a hurry', async () => {
  const before = keepers();
  const cell = await python.template.makeCell(LIMITS, true);
  expect(keepers()).toEqual(before);
  await cell.discard();
});
