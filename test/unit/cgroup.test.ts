// The server's own cgroup on a kernel that is played: when it is made, and when it is tried again.
import { constants } from 'node:os';
import type * as cgroupModule from '../../lib/host/cgroup';
import type * as delegationModule from '../../lib/host/delegation';

const BASE = '/sys/fs/cgroup/grader';
const DELEGATED = { base: BASE, holdsServer: false };
const REFUSED = { base: undefined, why: 'nobody has given it', cure: 'delegate it' };
const { EMFILE, ENOENT } = constants.errno;

let cgroups: Set<string>;
let made: number;
let nowMs: number;
const addon = { lockCgroup: jest.fn(), unlockCgroup: jest.fn() };
const findDelegation = jest.fn();
const readFile = jest.fn();

jest.mock('../../lib/time/clock', () => ({ now: () => nowMs }));
jest.mock('../../lib/native/addon', () => ({ native: () => ({ addon }) }));
jest.mock('../../lib/host/delegation', () => ({
  ...jest.requireActual<typeof delegationModule>('../../lib/host/delegation'),
  findDelegation: (wish: string): unknown => findDelegation(wish),
}));
jest.mock('node:fs/promises', () => ({
  mkdir: async (path: string) => {
    cgroups.add(path);
    made += 1;
  },
  rmdir: async (path: string) => {
    cgroups.delete(path);
  },
  readdir: async () => [],
  readFile: async (path: string): Promise<unknown> => readFile(path),
  realpath: async (path: string) => path,
  stat: async () => ({}),
  writeFile: async () => undefined,
}));

// New for each test: what is made is kept as long as the module.
let serverCgroup: typeof cgroupModule.serverCgroup;

beforeEach(() => {
  jest.resetAllMocks();
  cgroups = new Set();
  made = 0;
  nowMs = 0;
  addon.lockCgroup.mockReturnValue(0);
  findDelegation.mockReturnValue(DELEGATED);
  readFile.mockReturnValue('memory pids\n');
  jest.isolateModules(() => {
    ({ serverCgroup } = jest.requireActual<typeof cgroupModule>('../../lib/host/cgroup'));
  });
});

function noDescriptors(): never {
  throw new Error('EMFILE: too many open files');
}

async function why(state: Promise<cgroupModule.CgroupState>): Promise<string | null> {
  const found = await state;
  return found.directory === null ? found.why : null;
}

describe.each(['auto', BASE] as const)('a cgroup of the wish %s', (wish) => {
  it('is made once, also for calls that come together', async () => {
    const states = await Promise.all([serverCgroup(wish), serverCgroup(wish)]);
    states.push(await serverCgroup(wish));
    const [directory] = cgroups;
    expect(states).toEqual([{ directory }, { directory }, { directory }]);
    expect(made).toBe(1);
  });
});

describe('a cgroup that is named by its path', () => {
  it('is tried again at the next call: it may be cured by then', async () => {
    findDelegation.mockReturnValueOnce(REFUSED);
    expect(await why(serverCgroup(BASE))).toBe(REFUSED.why);
    expect(await why(serverCgroup(BASE))).toBeNull();
  });

  it('is tried again where there was no descriptor to look with', async () => {
    findDelegation.mockImplementationOnce(noDescriptors);
    expect(await why(serverCgroup(BASE))).toMatch('EMFILE');
    expect(await why(serverCgroup(BASE))).toBeNull();
  });
});

describe('a cgroup that is found by itself', () => {
  it('is looked for after pauses that grow up to a minute, not at each call', async () => {
    findDelegation.mockReturnValue(REFUSED);
    const looks: number[] = [];
    for (nowMs = 0; nowMs < 200_000; nowMs += 500) {
      findDelegation.mockClear();
      expect(await why(serverCgroup('auto'))).toBe(REFUSED.why);
      if (findDelegation.mock.calls.length > 0) {
        looks.push(nowMs / 1000);
      }
    }
    expect(looks).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
  });

  it('is looked for once by calls that come together after the pause', async () => {
    findDelegation.mockReturnValue(REFUSED);
    await serverCgroup('auto');
    nowMs = 1000;
    await Promise.all([serverCgroup('auto'), serverCgroup('auto')]);
    expect(findDelegation).toHaveBeenCalledTimes(2);
  });

  it('is had by later calls where descriptors had run out at the first', async () => {
    readFile.mockImplementationOnce(noDescriptors);
    expect(await why(serverCgroup('auto'))).toMatch('EMFILE');
    nowMs = 1000;
    expect(await why(serverCgroup('auto'))).toBeNull();
    nowMs = 100_000;
    expect(await why(serverCgroup('auto'))).toBeNull();
    expect(made).toBe(1);
  });
});

describe('a new cgroup', () => {
  it('that can never be locked is given up after a few, of which none is left', async () => {
    addon.lockCgroup.mockImplementation(() => {
      if (made > 100) {
        throw new Error('no end of cgroups');
      }
      return EMFILE;
    });
    expect(await why(serverCgroup(BASE))).toMatch(
      /grader can't be divided: .*grader\/codejail-\w{8} could not be locked \(EMFILE\)$/,
    );
    expect([made, cgroups.size]).toEqual([3, 0]);
  });

  it('that another server has swept away is followed by another one', async () => {
    addon.lockCgroup.mockReturnValueOnce(ENOENT);
    expect(await why(serverCgroup(BASE))).toBeNull();
    expect([made, cgroups.size]).toEqual([2, 1]);
  });

  it('that can not be divided is not kept', async () => {
    readFile.mockReturnValueOnce('memory pids').mockImplementationOnce(noDescriptors);
    expect(await why(serverCgroup(BASE))).toMatch('EMFILE');
    expect(cgroups.size).toBe(0);
    expect(addon.unlockCgroup).toHaveBeenCalledTimes(1);
  });
});
