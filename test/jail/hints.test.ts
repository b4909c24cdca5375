// What a program that failed was kept from, by name, and the option that would allow it.
import { spawnSync } from 'node:child_process';
import type { JailResult } from '../../lib/index';
import { DENIALS, type Denial } from '../support/denials';
import { mode } from '../support/jail';
import { useSuite } from '../support/suite';

const suite = useSuite();
const LIMITS = { nproc: 30, fsize: 1 << 20, cpu: 30, realtime: 60 };

const isThere = (program: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

async function run({ code, command, limits }: Denial): Promise<JailResult> {
  const own = { ...LIMITS, ...limits };
  if (command === undefined) {
    return suite.python(code, { limits: own });
  }
  suite.jail.configure('bash', '/bin/bash');
  suite.jail.configure('may exec', {
    bin: '/bin/bash',
    allowExec: true,
    readPaths: ['/usr/bin', '/bin'],
  });
  suite.jail.configure('node', 'node');
  suite.jail.configure('perl', 'perl');
  return suite.jail.jailCode(command, { code, limits: { ...own, nproc: 64 } });
}

const runnable = DENIALS.filter(
  ({ command }) =>
    command === undefined || (mode === 'cold' && (command === 'may exec' || isThere(command))),
);

it('has forty kinds of denials at least', () => {
  expect(DENIALS.length).toBeGreaterThanOrEqual(40);
});

describe('a hint', () => {
  it.each(runnable.map((denial) => [denial.what, denial] as const))(
    'names what denies %s',
    async (_what, denial) => {
      const { hints, stderr, outcome } = await run(denial);
      const { by, option, path } = denial;
      expect({ outcome, stderr: stderr.toString().slice(-400), hints }).toMatchObject({
        hints: expect.arrayContaining([
          expect.objectContaining({
            by,
            option,
            ...(path === undefined ? {} : { tried: expect.objectContaining({ path }) as unknown }),
          }),
        ]) as unknown,
      });
      for (const { message } of hints) {
        expect(message).not.toMatch(/\n|undefined|NaN/);
      }
    },
  );

  it('is there for no program that ends well', async () => {
    const { hints } = await suite.python('import sys; print("Permission denied", file=sys.stderr)');
    expect(hints).toEqual([]);
  });

  it('is there for no failure of the program’s own', async () => {
    expect((await suite.python('raise ValueError("no")')).hints).toEqual([]);
    expect((await suite.python('raise SystemExit(3)')).hints).toEqual([]);
  });

  it('comes with the error of a safeExec', async () => {
    await expect(suite.jail.safeExec('open("/etc/passwd")', {})).rejects.toMatchObject({
      result: { hints: [{ by: 'files', option: 'readPaths', tried: { path: '/etc/passwd' } }] },
    });
  });
});
