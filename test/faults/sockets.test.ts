// A host on which the event loop takes no more of a jail's pipes: the call says so, and nothing of it stays.
import net from 'node:net';
import { createJail, type Jail } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';

watchLeftovers();

const REFUSED = Object.assign(new Error('open EMFILE'), { errno: -24, syscall: 'open' });
const EXPECTED = {
  code: 'ERR_CODEJAIL_SETUP',
  step: 'read and write the pipes',
  errnoName: 'EMFILE',
};

/** Refuses one socket, after so many. */
function refuse(after: number): jest.SpyInstance {
  const { Socket } = net;
  let made = 0;
  return jest.spyOn(net, 'Socket').mockImplementation((options) => {
    made += 1;
    if (made === after + 1) throw REFUSED;
    return new Socket(options);
  });
}

describe.each([
  ['cold', false],
  ['warm', { size: 1, memoryReserve: 0 }],
] as const)('a socket that can not be made, %s', (_way, warm) => {
  async function within(work: (jail: Jail) => Promise<void>): Promise<void> {
    const jail = createJail({
      commands: { python: { bin: 'python3', warm } },
      limits: { realtime: 60, cpu: 30 },
    });
    try {
      await jail.warmUp();
      // A cold call asks the host once.
      await jail.jailCode('python', { code: '1' });
      await jail.warmUp();
      await work(jail);
    } finally {
      await jail.close();
    }
  }

  it('rejects the call that writes to its program', async () => {
    await within(async (jail) => {
      const spy = refuse(warm === false ? 2 : 0);
      try {
        await expect(
          jail.jailCode('python', { code: 'input()', stdin: 'a line' }),
        ).rejects.toMatchObject(EXPECTED);
      } finally {
        spy.mockRestore();
      }
      const { stdout } = await jail.jailCode('python', {
        code: 'print(input())',
        stdin: 'a line',
      });
      expect(stdout.toString()).toBe('a line\n');
    });
  });

  it('rejects the call whose request is longer than a pipe holds', async () => {
    await within(async (jail) => {
      const globals = { text: 'x'.repeat(300_000) };
      const spy = refuse(0);
      try {
        await expect(jail.safeExec('size = len(text)', globals)).rejects.toMatchObject(EXPECTED);
      } finally {
        spy.mockRestore();
      }
      await jail.safeExec('size = len(text)', globals);
      expect(globals).toMatchObject({ size: 300_000 });
    });
  });
});
