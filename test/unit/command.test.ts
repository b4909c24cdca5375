// When a command's confinement is proved, and when it is proved again.
import { DEFAULT_UID_POOL } from '../../lib/confinement/plan';
import { Command } from '../../lib/command/command';
import { parseCommandOptions } from '../../lib/options/command';
import type * as probeModule from '../../lib/proof/probe';
import type { Proof } from '../../lib/proof/probe';

const CHECK = { guarantee: 'files', check: 'read', held: true, seen: '' } as const;
const DISK = { guarantee: 'disk', why: 'no tmpfs', cure: 'mount one' } as const;

let missing: Proof['missing'];
const prove = jest.fn(async (): Promise<Proof> => Promise.resolve({ checks: [CHECK], missing }));
jest.mock('../../lib/proof/probe', () => ({
  ...jest.requireActual<typeof probeModule>('../../lib/proof/probe'),
  prove: async () => prove(),
}));

const share = { uidPool: DEFAULT_UID_POOL, cgroup: false } as const;
// Each test has a view of its own, and so proofs of its own.
const command = (readPath: string) =>
  new Command('sh', parseCommandOptions({ bin: '/bin/sh', readPaths: [readPath] }));

beforeEach(() => {
  prove.mockClear();
  missing = [];
});

it('is proved once', async () => {
  await command('/usr/share').ready(share, []);
  await command('/usr/share').ready(share, []);
  expect(prove).toHaveBeenCalledTimes(1);
});

it('is proved once where something is missing that was given up', async () => {
  missing = [DISK];
  const first = await command('/usr/bin').ready(share, ['disk']);
  const { length } = prove.mock.calls;
  const second = await command('/usr/bin').ready(share, ['disk']);
  expect(prove).toHaveBeenCalledTimes(length);
  for (const { mechanisms } of [first, second]) {
    expect(mechanisms).toContain('missing:disk');
  }
});

it('is proved again after it was refused: it may be cured by then', async () => {
  missing = [DISK];
  const refused = { missing: [DISK] };
  await expect(command('/var/lib').ready(share, [])).rejects.toMatchObject(refused);
  missing = [];
  const { mechanisms } = await command('/var/lib').ready(share, []);
  expect(mechanisms).not.toContain('missing:disk');
});
