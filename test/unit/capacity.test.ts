import { capacityOf, descriptorLimit, readHostSupply } from '../../lib/gate/capacity';
import { cgroupProcessors, processors } from '../../lib/host/processors';

const GIBIBYTE = 2 ** 30;
const AMPLE = { processors: 8, memoryBytes: 64 * GIBIBYTE, descriptors: 1_048_576 };

describe('how many calls a host is fit for', () => {
  it.each([
    ['four for each processor', {}, { usual: 32 }],
    ['eight at least, however few processors', { processors: 1 }, { usual: 8 }],
    ['fewer where memory is scarce', { memoryBytes: GIBIBYTE / 2 }, { usual: 4 }],
    ['never more than there are descriptors for', { descriptors: 256 }, { usual: 8, most: 8 }],
    ['one at least', { descriptors: 20, memoryBytes: 1 }, { usual: 1, most: 1 }],
    ['any number with no limit of descriptors', { descriptors: Infinity }, { most: Infinity }],
  ])('is %s', (_name, supply, expected) => {
    expect(capacityOf({ ...AMPLE, ...supply })).toMatchObject(expected);
  });

  it('is told by what this host has', () => {
    const supply = readHostSupply();
    expect(supply.processors).toBe(processors());
    expect(supply.memoryBytes).toBeGreaterThan(0);
    expect(supply.descriptors).toBeGreaterThan(0);
  });

  it.each([
    ['Max open files            1024                 524288               files', 1024],
    ['Max open files            unlimited            unlimited            files', Infinity],
    ['', Infinity],
  ])('reads the soft limit of descriptors: %s', (text, expected) => {
    expect(descriptorLimit(`Max processes  5  5  processes\n${text}\n`)).toBe(expected);
  });
});

describe('the processors of a cgroup', () => {
  const reading =
    (files: Record<string, string>) =>
    (path: string): string =>
      files[path] ?? '';

  it.each([
    ['none where no file says any', {}, Infinity],
    ['its own quota', { '/sys/fs/cgroup/a/b/cpu.max': '150000 100000\n' }, 1.5],
    [
      'the least of those above it',
      {
        '/sys/fs/cgroup/a/b/cpu.max': '400000 100000\n',
        '/sys/fs/cgroup/a/cpu.max': '50000 100000\n',
        '/sys/fs/cgroup/cpu.max': 'max 100000\n',
      },
      0.5,
    ],
    [
      'that of version 1',
      {
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
      2,
    ],
    [
      'none where version 1 sets none',
      {
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
      Infinity,
    ],
  ])('are %s', (_name, files, expected) => {
    expect(cgroupProcessors(reading({ '/proc/self/cgroup': '0::/a/b\n', ...files }))).toBe(
      expected,
    );
  });
});
