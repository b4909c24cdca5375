// Which cgroup a server may divide: decided on trees that are told, not found.
import fs from 'node:fs';
import { dirname } from 'node:path';
import { findDelegation, type CgroupTree } from '../../lib/host/delegation';

const PID = 4321;
const V2_ALONE = '25 30 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw';
const V1_BESIDE = [
  '33 30 0:30 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
  '40 30 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
].join('\n');

interface Told {
  own: string;
  /** Processes by cgroup; every cgroup of the tree is named here. */
  processes: Record<string, number[]>;
  uid?: number;
  owners?: Record<string, number>;
  systemd?: boolean;
  marked?: string[];
  mounts?: string;
  controllers?: string;
  readOnly?: boolean;
}

/** The machine's root is /sys/fs/cgroup unless the tree is a container's. */
function tree(told: Told, machineRoot = '/sys/fs/cgroup'): CgroupTree {
  const owners = told.owners ?? {};
  const ownerOf = (path: string): number => owners[path] ?? owners[dirname(path)] ?? 0;
  const uid = told.uid ?? 0;
  return {
    pid: PID,
    uid,
    systemd: told.systemd ?? false,
    membership: `1:name=systemd:/x\n0::${told.own}\n`,
    mounts: told.mounts ?? V2_ALONE,
    read(path) {
      if (path.endsWith('/cgroup.controllers')) {
        return `${told.controllers ?? 'cpuset cpu io memory pids'}\n`;
      }
      const processes = told.processes[dirname(path)];
      return processes === undefined ? undefined : processes.map((pid) => `${pid}\n`).join('');
    },
    exists: (path) =>
      path in told.processes ||
      (dirname(path) in told.processes &&
        (path.endsWith('/cgroup.controllers') ||
          (path.endsWith('/cgroup.type') && dirname(path) !== machineRoot))),
    writable: (path) => told.readOnly !== true && (uid === 0 || ownerOf(path) === uid),
    owner: (path) => ownerOf(path),
    isMarked: (path) => (told.marked ?? []).includes(path),
  };
}

const UNIT = '/sys/fs/cgroup/system.slice/grader.service';

describe('a host with systemd', () => {
  const systemd = (told: Partial<Told>): CgroupTree =>
    tree({
      systemd: true,
      own: '/system.slice/grader.service',
      processes: { [UNIT]: [PID] },
      ...told,
    });

  it('takes the unit that has Delegate=, and moves the server out of its way', () => {
    expect(findDelegation('auto', systemd({ marked: [UNIT] }))).toEqual({
      base: UNIT,
      holdsServer: true,
    });
  });

  it('takes the unit whose DelegateSubgroup= holds the server', () => {
    const found = findDelegation(
      'auto',
      systemd({
        own: '/system.slice/grader.service/server',
        processes: { [UNIT]: [], [`${UNIT}/server`]: [1, PID] },
        marked: [UNIT],
      }),
    );
    expect(found).toEqual({ base: UNIT, holdsServer: false });
  });

  it('touches no unit without Delegate=, and says which lines to add', () => {
    const found = findDelegation('auto', systemd({}));
    expect(found).toMatchObject({ base: undefined, why: expect.stringContaining(UNIT) as string });
    expect(found).toMatchObject({
      cure: expect.stringContaining('Delegate=cpu memory pids') as string,
    });
  });

  it('touches nothing of a user’s own manager without Delegate=, though the user owns it', () => {
    const scope = '/sys/fs/cgroup/user.slice/app.slice/run.scope';
    const found = findDelegation(
      'auto',
      systemd({
        uid: 1000,
        own: '/user.slice/app.slice/run.scope',
        processes: { [scope]: [PID] },
        owners: { [scope]: 1000 },
      }),
    );
    expect(found.base).toBeUndefined();
  });

  it('moves no process but the server’s own', () => {
    const found = findDelegation(
      'auto',
      systemd({ marked: [UNIT], processes: { [UNIT]: [77, PID] } }),
    );
    expect(found).toMatchObject({ base: undefined, why: expect.stringContaining('77') as string });
    expect(found).toMatchObject({ cure: expect.stringContaining('DelegateSubgroup') as string });
  });
});

describe('a host without systemd', () => {
  it('takes the root of the machine’s tree for root', () => {
    const found = findDelegation(
      'auto',
      tree({ own: '/', processes: { '/sys/fs/cgroup': [1, 2, PID] } }),
    );
    expect(found).toEqual({ base: '/sys/fs/cgroup', holdsServer: false });
  });

  it('leaves a root alone that a systemd out of sight manages', () => {
    const processes = { '/sys/fs/cgroup': [PID], '/sys/fs/cgroup/init.scope': [1] };
    expect(findDelegation('auto', tree({ own: '/', processes })).base).toBeUndefined();
  });

  it('takes the root of a container’s cgroup namespace, where the server is alone in it', () => {
    const told = { own: '/', processes: { '/sys/fs/cgroup': [PID] } };
    expect(findDelegation('auto', tree(told, '/elsewhere'))).toEqual({
      base: '/sys/fs/cgroup',
      holdsServer: true,
    });
    expect(findDelegation('auto', tree({ ...told, readOnly: true }, '/elsewhere'))).toMatchObject({
      base: undefined,
      why: expect.stringContaining('not writable') as string,
    });
  });

  it('leaves root’s other cgroups alone: they may be anybody’s', () => {
    const processes = { '/sys/fs/cgroup': [1], '/sys/fs/cgroup/docker': [PID] };
    expect(findDelegation('auto', tree({ own: '/docker', processes })).base).toBeUndefined();
  });

  const OWNED = '/sys/fs/cgroup/mine';

  it('takes what an ordinary user owns', () => {
    const found = findDelegation(
      'auto',
      tree({
        uid: 1000,
        own: '/mine',
        processes: { '/sys/fs/cgroup': [1], [OWNED]: [PID] },
        owners: { [OWNED]: 1000 },
      }),
    );
    expect(found).toEqual({ base: OWNED, holdsServer: true });
  });

  it('takes the cgroup above where the server shares its own with others', () => {
    const found = findDelegation(
      'auto',
      tree({
        uid: 1000,
        own: '/mine/shell',
        processes: { '/sys/fs/cgroup': [1], [OWNED]: [], [`${OWNED}/shell`]: [55, PID] },
        owners: { [OWNED]: 1000, [`${OWNED}/shell`]: 1000 },
      }),
    );
    expect(found).toEqual({ base: OWNED, holdsServer: false });
  });

  it('finds its way back from the leaf that a server has moved into', () => {
    const found = findDelegation(
      'auto',
      tree({
        uid: 1000,
        own: '/mine/codejail-server',
        processes: { '/sys/fs/cgroup': [1], [OWNED]: [], [`${OWNED}/codejail-server`]: [PID] },
        owners: { [OWNED]: 1000, [`${OWNED}/codejail-server`]: 1000 },
      }),
    );
    expect(found).toEqual({ base: OWNED, holdsServer: false });
  });

  it('takes nothing of a user who owns nothing', () => {
    const processes = { '/sys/fs/cgroup': [1, PID] };
    expect(findDelegation('auto', tree({ uid: 1000, own: '/', processes })).base).toBeUndefined();
  });
});

it('says that the controllers are in cgroup v1 where they are', () => {
  const found = findDelegation(
    'auto',
    tree(
      {
        own: '/',
        mounts: V1_BESIDE,
        controllers: '',
        processes: { '/sys/fs/cgroup/unified': [1, PID] },
      },
      '/sys/fs/cgroup/unified',
    ),
  );
  expect(found).toEqual({
    base: undefined,
    why: '/sys/fs/cgroup/unified lacks the controllers memory and pids',
    cure: 'boot with cgroup v2 alone: systemd.unified_cgroup_hierarchy=1',
  });
});

it('says so where there is no cgroup v2 at all', () => {
  expect(findDelegation('auto', tree({ own: '/', mounts: '', processes: {} }))).toMatchObject({
    base: undefined,
    why: expect.stringContaining('no cgroup v2 tree') as string,
  });
});

it('decides nothing where it has no descriptor left to look with', () => {
  const read = jest.spyOn(fs, 'readFileSync').mockImplementationOnce(() => {
    throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
  });
  try {
    expect(() => findDelegation('auto')).toThrow('EMFILE');
  } finally {
    read.mockRestore();
  }
});

it('sees nothing of a process outside of its cgroup namespace', () => {
  const told = { own: '/../other', processes: { '/sys/fs/cgroup': [PID] } };
  expect(findDelegation('auto', tree(told)).base).toBeUndefined();
});

it('takes the cgroup that the operator names, delegated or not', () => {
  const named = '/sys/fs/cgroup/jails';
  const processes = { '/sys/fs/cgroup': [1, PID], [named]: [] };
  expect(findDelegation(named, tree({ own: '/', systemd: true, processes }))).toEqual({
    base: named,
    holdsServer: false,
  });
  expect(findDelegation('/srv', tree({ own: '/', processes }))).toMatchObject({
    base: undefined,
    why: '/srv is no cgroup of a cgroup v2 tree',
  });
});
