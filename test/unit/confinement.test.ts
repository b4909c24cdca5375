import { execFileSync } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import {
  DEFAULT_UID_POOL,
  LIBRARY_MECHANISMS,
  lookUpUser,
  planConfinement,
} from '../../lib/confinement/plan';
import { GUARANTEE_NAMES } from '../../lib/guarantee-names';
import { servedBy } from '../../lib/confinement/guarantees';
import type { HostFacts, HostKind } from '../../lib/host/host';
import { native } from '../../lib/native/addon';
import { IdMap, Namespace, SpecFlag } from '../../lib/native/spec';

const ADDON = join(__dirname, '..', '..', 'build', 'Release', 'codejail.node');

const WISHES = {
  allowExec: false,
  profile: undefined,
  user: undefined,
  uidPool: DEFAULT_UID_POOL,
};

function facts(kind: HostKind, more: Partial<HostFacts> = {}): HostFacts {
  return {
    kind,
    kernel: '6.1.0',
    uid: kind === 'user' ? 1234 : 0,
    gid: kind === 'user' ? 1234 : 0,
    userNamespaces: { allowed: true, why: '', setting: undefined },
    landlock: 0,
    appArmor: false,
    ...more,
  };
}

function best(kind: HostKind, more: Partial<HostFacts> = {}, wishes = {}) {
  const [plan] = planConfinement({ ...WISHES, ...wishes }, facts(kind, more));
  if (plan === undefined) {
    throw new Error('no plan');
  }
  return plan;
}

const ALL =
  Namespace.mount |
  Namespace.cgroup |
  Namespace.uts |
  Namespace.ipc |
  Namespace.pid |
  Namespace.network;

describe('planConfinement', () => {
  it('gives root’s jails a uid of the pool in all namespaces but one of users', () => {
    expect(best('root')).toMatchObject({
      namespaces: ALL,
      idMap: IdMap.none,
      uidPool: DEFAULT_UID_POOL,
    });
    expect(best('root').flags & SpecFlag.dropGroups).not.toBe(0);
  });

  it('gives an ordinary user’s jails a user namespace with another uid inside', () => {
    const plan = best('user');
    expect(plan).toMatchObject({
      namespaces: ALL | Namespace.user,
      idMap: IdMap.caller,
      outerUid: 1234,
      outerGid: 1234,
      uidPool: undefined,
    });
    expect(plan.uid).not.toBe(1234);
    expect(plan.uid).not.toBe(0);
  });

  it('takes the sandbox user where root names one', () => {
    const plan = best('root', {}, { user: { uid: 2001, gid: 2002 } });
    expect(plan).toMatchObject({ uid: 2001, gid: 2002, outerUid: 2001, uidPool: undefined });
    expect(plan.mechanisms).toContain('sandbox-user');
  });

  it('tries user namespaces first in a container, then a uid with Landlock', () => {
    const plans = planConfinement(WISHES, facts('container', { landlock: 4 }));
    expect(plans.map(({ namespaces }) => namespaces !== 0)).toEqual([true, false]);
    const last = plans.at(-1);
    expect(last?.mechanisms).toEqual(expect.arrayContaining(['uid-pool', 'landlock-4']));
    expect((last?.flags ?? 0) & SpecFlag.noUnixSockets).not.toBe(0);
  });

  it.each(['root', 'user', 'container'] as const)('always filters system calls: %s', (kind) => {
    for (const plan of planConfinement(WISHES, facts(kind))) {
      expect(plan.flags & SpecFlag.seccomp).not.toBe(0);
      expect(plan.mechanisms).toEqual(
        expect.arrayContaining(['seccomp', 'no-new-privs', 'no-capabilities', 'exec-listener']),
      );
    }
  });

  it.each(['root', 'user'] as const)('serves every guarantee: %s', (kind) => {
    const inForce = [...best(kind).mechanisms, ...LIBRARY_MECHANISMS];
    expect(GUARANTEE_NAMES.filter((name) => servedBy(name, inForce).length === 0)).toEqual([]);
  });

  it('adds Landlock and AppArmor where they are there and asked for', () => {
    const plan = best('root', { landlock: 6 }, { profile: 'sandbox' });
    expect(plan.flags & SpecFlag.landlock).not.toBe(0);
    expect(plan.appArmorProfile).toBe('sandbox');
    expect(plan.mechanisms).toEqual(expect.arrayContaining(['landlock-6', 'apparmor:sandbox']));
    expect(best('root').flags & SpecFlag.landlock).toBe(0);
  });

  it('lets a program execute others only when that was asked for', () => {
    expect(best('root').flags & SpecFlag.allowExec).toBe(0);
    const plan = best('root', {}, { allowExec: true });
    expect(plan.flags & SpecFlag.allowExec).not.toBe(0);
    expect(plan.mechanisms).not.toContain('exec-listener');
  });

  it('makes the root read-only where only that keeps an owner from writing', () => {
    expect(best('user').flags & SpecFlag.readOnlyRoot).not.toBe(0);
    expect(best('user', { landlock: 3 }).flags & SpecFlag.readOnlyRoot).toBe(0);
  });
});

describe('a server with a cgroup', () => {
  const cgroup = { directory: '/sys/fs/cgroup/codejail-AAAAAAAA', required: false };
  const plans = (kind: HostKind, required = false) =>
    planConfinement({ ...WISHES, cgroup: { ...cgroup, required } }, facts(kind));

  it.each(['root', 'user', 'container'] as const)(
    'has it tried first, and none next: %s',
    (kind) => {
      expect(plans(kind).map((plan) => plan.cgroup === undefined)).toEqual(
        plans(kind).map((_plan, index) => index % 2 === 1),
      );
      expect(plans(kind)[0]?.mechanisms).toEqual(
        expect.arrayContaining(['cgroup-memory', 'cgroup-pids', 'cgroup-cpu', 'cgroup-kill']),
      );
      expect(plans(kind)[1]?.mechanisms.join()).not.toContain('cgroup-memory');
    },
  );

  it('makes no jail without the one that the operator has named', () => {
    expect(plans('user', true).map((plan) => plan.cgroup)).toEqual([cgroup.directory]);
  });
});

describe('lookUpUser', () => {
  it('finds root, and nobody of an unknown name', () => {
    expect(lookUpUser('root')).toEqual({ uid: 0, gid: 0 });
    expect(lookUpUser('no-such-user-here')).toBeUndefined();
  });

  it('does not take a user who could not be looked up for an unknown one', () => {
    const script = `
      const fs = require('node:fs');
      const addon = require(process.argv[1]);
      const held = [];
      try { for (;;) held.push(fs.openSync('/dev/null')); } catch {}
      let said = '';
      try { said = JSON.stringify(addon.lookUpUser('root')); }
      catch ({ errno, syscall, detail }) { said = [errno, syscall, detail].join(); }
      held.forEach((number) => fs.closeSync(number));
      console.log(said);`;
    const said = execFileSync(
      'sh',
      ['-c', 'ulimit -n 64; exec "$0" -e "$1" "$2"', process.execPath, script, ADDON],
      { encoding: 'utf8' },
    );
    expect(said.trim()).toBe(`${constants.errno.EMFILE},getpwnam_r,root`);
  });

  it('tells so by a typed error', () => {
    const failure = Object.assign(new Error(), { errno: 24, syscall: 'getpwnam_r' });
    jest.spyOn(native().addon, 'lookUpUser').mockImplementationOnce(() => {
      throw failure;
    });
    expect(() => lookUpUser('root')).toThrow(
      expect.objectContaining({
        code: 'ERR_CODEJAIL_SETUP',
        step: 'look up the user',
        errnoName: 'EMFILE',
      }) as Error,
    );
  });
});
