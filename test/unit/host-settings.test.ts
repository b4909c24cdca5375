import { DEFAULT_UID_POOL, planConfinement } from '../../lib/confinement/plan';
import { hostFacts } from '../../lib/host/host';
import { coreHandlerOf, hidesProcessesIn, hostSettings } from '../../lib/confinement/host-settings';

describe('coreHandlerOf', () => {
  it.each([
    ['core', 'file'],
    ['/var/cores/%e.%p', 'file'],
    ['', 'file'],
    ['|/usr/lib/systemd/systemd-coredump %P', 'pipe'],
    ['@/run/coredump.socket', 'socket'],
    ['@@/run/coredump.socket', 'socket'],
    [undefined, 'pipe'],
  ] as const)('takes %j for a %s', (pattern, handler) => {
    expect(coreHandlerOf(pattern)).toBe(handler);
  });
});

describe('hidesProcessesIn', () => {
  const mount = (options: string, at = '/proc'): string =>
    `28 1 0:25 / ${at} rw,nosuid,relatime shared:14 - proc proc ${options}`;

  it.each([
    ['rw', false],
    ['rw,hidepid=0', false],
    ['rw,hidepid=off', false],
    ['rw,hidepid=1', true],
    ['rw,hidepid=2', true],
    ['rw,hidepid=invisible', true],
    ['rw,gid=10,hidepid=ptraceable', true],
  ])('reads %s as %s', (options, hides) => {
    expect(hidesProcessesIn(mount(options))).toBe(hides);
  });

  it('goes by the mount that is on top', () => {
    expect(hidesProcessesIn(`${mount('rw,hidepid=2')}\n${mount('rw')}\n`)).toBe(false);
    expect(hidesProcessesIn(`${mount('rw')}\n${mount('rw,hidepid=2', '/other/proc')}`)).toBe(false);
  });

  it('takes what it can not tell for hidden', () => {
    expect(hidesProcessesIn(undefined)).toBe(true);
    expect(hidesProcessesIn('')).toBe(true);
  });
});

describe('hostSettings', () => {
  it('does not ask about /proc where jails have one of their own, or execute nothing', () => {
    const facts = { ...hostFacts(), kind: 'container' } as const;
    const wishes = { profile: undefined, user: undefined, uidPool: DEFAULT_UID_POOL };
    const plans = [true, false].flatMap((allowExec) =>
      planConfinement({ ...wishes, allowExec }, facts),
    );
    const here = plans.map((plan) => hostSettings(plan).hidesProcesses);
    expect(here).toHaveLength(4);
    // Of the plan without namespaces alone, and with others' programs.
    expect(here).toEqual([false, expect.any(Boolean), false, false]);
  });
});
