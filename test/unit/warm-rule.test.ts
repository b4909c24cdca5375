import { DEFAULT_UID_POOL, planConfinement } from '../../lib/confinement/plan';
import type { HostFacts, HostKind } from '../../lib/host/host';
import { LimitTable } from '../../lib/limits';
import { parseCommandOptions } from '../../lib/options/command';
import { waitingIsFaster, whyNeverWarm, whyNeverWarmIn, whyNotWarm } from '../../lib/warm/rule';

function confinement(kind: HostKind): { flags: number } {
  const facts: HostFacts = {
    kind,
    kernel: '6.12.0',
    uid: kind === 'root' ? 0 : 1000,
    gid: 0,
    userNamespaces: { allowed: true, why: '', setting: undefined },
    landlock: 6,
    appArmor: false,
  };
  const wishes = {
    allowExec: false,
    profile: undefined,
    user: undefined,
    uidPool: DEFAULT_UID_POOL,
  };
  return planConfinement(wishes, facts).at(-1)!;
}

describe('a command', () => {
  const runtime = (python = true, binds: string[] = [], outputLibrary?: string) => ({
    python,
    view: { binds },
    outputLibrary,
  });
  const warm = (more: object = {}) => parseCommandOptions({ bin: 'python3', warm: true, ...more });

  it.each(['root', 'user'] as const)('can be warm on a host of the kind %s', (kind) => {
    expect(whyNeverWarm(warm(), runtime(), confinement(kind), 6)).toBeUndefined();
  });

  it.each([
    ['not-warm', { warm: false }, true, 'root', 6],
    ['not-python', {}, false, 'root', 6],
    ['command-args', { args: ['-m', 'module'] }, true, 'root', 6],
    ['command-args', { args: ['-i'] }, true, 'root', 6],
    ['allow-exec', { allowExec: true }, true, 'root', 6],
    ['host', {}, true, 'container', 6],
    ['host', {}, true, 'root', 2],
    ['tmp', {}, true, 'root', 6, ['/usr/lib', '/tmp/venv']],
  ] as [string, object, boolean, HostKind, number, string[]?][])(
    'is always cold: %s',
    (reason, options, python, kind, landlock, binds: string[] = []) => {
      expect(whyNeverWarm(warm(options), runtime(python, binds), confinement(kind), landlock)).toBe(
        reason,
      );
    },
  );

  it('can be warm where only the library for its output is below /tmp: its template has that', () => {
    const found = runtime(true, ['/usr/lib', '/tmp/a.so'], '/tmp/a.so');
    expect(whyNeverWarm(warm(), found, confinement('root'), 6)).toBeUndefined();
  });

  it('is always cold where the jail has a cgroup that was named', () => {
    expect(whyNeverWarmIn('/codejail')).toBe('cgroup');
    expect(whyNeverWarmIn('auto')).toBeUndefined();
    expect(whyNeverWarmIn(false)).toBeUndefined();
  });

  it('can be warm with arguments that only change how a Python starts', () => {
    expect(
      whyNeverWarm(warm({ args: ['-I', '-BO', '-u'] }), runtime(), confinement('root'), 6),
    ).toBeUndefined();
  });
});

describe('a call', () => {
  const jail = new LimitTable();
  const demand = (call: Parameters<LimitTable['effective']>[1] = {}, more: object = {}) => ({
    limits: jail.effective(undefined, call),
    files: [],
    copies: [],
    env: {},
    cwd: '.' as const,
    explain: false,
    hasCode: true,
    ...more,
  });

  it.each([{}, { proxy: 1 }, { proxy: null }, { cpu: 7, vmem: 1e9, nproc: 1, fsize: 5 }])(
    'can be warm with the limits %j',
    (limits) => {
      expect(whyNotWarm(demand(limits), jail.effective())).toBeUndefined();
    },
  );

  it.each([
    ['proxy', { proxy: 0 }, {}],
    ['no-code', {}, { hasCode: false }],
    ['own-place', {}, { cwd: 'tmp' }],
    ['own-place', {}, { files: [{ name: 'tmp/a', content: '' }] }],
    ['own-place', {}, { files: [{ name: 'a', content: '', mode: 0o755 }] }],
    ['files', {}, { copies: [{ path: '/opt/a', name: 'a' }] }],
    ['explain', {}, { explain: true }],
    ['env', {}, { env: { A: '1' } }],
    ['big-files', {}, { files: Array(1001).fill({ name: 'a', content: '' }) }],
    ['big-files', {}, { files: [{ name: 'a', content: Buffer.alloc(4 * 1024 * 1024 + 1) }] }],
    ['disk-limits', { disk: 1024 * 1024 }, {}],
    ['stack', { stack: 16 << 20 }, {}],
    ['stack', { stack: 0 }, {}],
    ['open-files', { openFiles: 5000 }, {}],
    ['open-files', { openFiles: 0 }, {}],
    ['disk-limits', { files: 3 }, {}],
  ] as const)('is cold: %s', (reason, limits, more) => {
    expect(whyNotWarm(demand(limits, more), jail.effective())).toBe(reason);
  });

  it('is warm with disk limits that are the jail’s', () => {
    expect(whyNotWarm(demand({ disk: 5 }), { ...jail.effective(), disk: 5 })).toBeUndefined();
  });
});

describe('waiting', () => {
  it.each([
    ['the first, when a cell is nearer than a cold start', 0, 3, 25, true],
    ['the first, when a cold start is nearer', 0, 30, 25, false],
    ['many, while cells come faster than all processors could start', 200, 3, 25, true],
    ['many, when cold starts serve them sooner', 200, 20, 25, false],
  ])('%s: %p', (_what, waiting, refillMs, coldMs, faster) => {
    expect(waitingIsFaster(waiting, refillMs, coldMs, 2)).toBe(faster);
  });
});
