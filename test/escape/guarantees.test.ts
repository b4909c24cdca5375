// Each guarantee, attacked from inside by the probe that verify() runs, and refused where it can't hold.
import { GUARANTEE_NAMES } from '../../lib/guarantee-names';
import { GUARANTEES } from '../../lib/confinement/guarantees';
import { UnconfinedError, type VerifyReport } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { createJail } from '../support/jail';

watchLeftovers();

describe('a jail of Python', () => {
  const jail = createJail();
  let report: VerifyReport;

  beforeAll(async () => {
    report = await jail.verify('python');
  });
  afterAll(async () => {
    await jail.close();
  });

  it.each(GUARANTEE_NAMES)('holds against every attempt on %s', (guarantee) => {
    const attempts = report.checks.filter((check) => check.guarantee === guarantee);
    expect(attempts.length).toBeGreaterThan(0);
    expect(attempts.filter(({ held }) => !held)).toEqual([]);
  });

  it('is confined, by at least one mechanism for each guarantee', async () => {
    const { confined, guarantees } = await jail.inspectHost();
    expect(confined).toBe(true);
    for (const { guarantee, servedBy, cannot } of guarantees) {
      expect([guarantee, servedBy.length > 0, cannot]).toEqual([
        guarantee,
        true,
        GUARANTEES[guarantee].cannot,
      ]);
    }
  });
});

describe('a jail that can not be confined as configured', () => {
  // AppArmor is not in this kernel, or the profile is not loaded: either way it can't be changed to.
  const commands = { python: { bin: '/usr/bin/python3', profile: 'codejail-no-such-profile' } };

  it('denies every call, and says which guarantee is missing, why, and what cures it', async () => {
    let ran = false;
    const error: unknown = await createJail({ commands })
      .jailCode('python', {
        code: 'print("ran")',
        onStdout: () => {
          ran = true;
        },
      })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UnconfinedError);
    expect(error).toMatchObject({
      code: 'ERR_CODEJAIL_UNCONFINED',
      missing: [
        {
          guarantee: 'files',
          why: expect.stringContaining('AppArmor') as string,
          cure: expect.stringMatching(/AppArmor|apparmor/) as string,
        },
      ],
    });
    expect((error as Error).message).toContain('No jail could be made at all');
    expect(ran).toBe(false);
  });

  it('denies the call also where the guarantee was given up: without a jail nothing runs', async () => {
    const jail = createJail({ commands, allowMissing: ['files'] });
    await expect(jail.jailCode('python', { code: 'pass' })).rejects.toThrow(UnconfinedError);
  });

  it('denies safeExec just the same', async () => {
    const globals = { a: 1 };
    await expect(createJail({ commands }).safeExec('a = 2', globals)).rejects.toThrow(
      UnconfinedError,
    );
    expect(globals).toEqual({ a: 1 });
  });
});
