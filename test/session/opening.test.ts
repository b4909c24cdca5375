// What happens while a session is being opened.
import { execFileSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdirSync, truncateSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { CHANNELS, type Session, type SessionMessage } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

const told: SessionMessage[] = [];
const listen = (message: unknown): void => {
  told.push(message as SessionMessage);
};
beforeEach(() => {
  told.length = 0;
  subscribe(CHANNELS.session, listen);
});
afterEach(() => {
  unsubscribe(CHANNELS.session, listen);
});

/** Nobody is told of the end of what was never opened. */
function expectAllEnded(): void {
  const opened = told.filter(({ type }) => type === 'opened').length;
  expect(told).toHaveLength(2 * opened);
  expect(suite.jail.stats().sessions).toMatchObject({ open: 0, opened });
}

/** What comes of it where that is done after so many milliseconds. */
async function endedAfter(
  delay: number,
  opening: Promise<Session>,
  end: () => void | Promise<void>,
): Promise<Session | Error> {
  const settled = opening.catch((error: unknown) => error as Error);
  await pause(delay);
  await end();
  return settled;
}

describe('while it is opened, a session', () => {
  it.each([0, 1, 3, 10, 30, 100, 300])('is given up by its signal, after %d ms', async (delay) => {
    await suite.ready();
    const controller = new AbortController();
    const outcome = await endedAfter(
      delay,
      suite.jail.openSession({ signal: controller.signal }),
      () => {
        controller.abort(new Error('given up'));
      },
    );
    if (outcome instanceof Error) {
      expect(outcome.message).toBe('given up');
    } else {
      // It was open before.
      expect(outcome.isOpen).toBe(false);
      await expect(outcome.run('1')).rejects.toThrow('given up');
    }
    await suite.jail.close();
    expectAllEnded();
  });

  it.each([0, 1, 3, 10, 30, 100, 300])('ends with its jail, after %d ms', async (delay) => {
    await suite.ready();
    const outcome = await endedAfter(delay, suite.jail.openSession(), async () =>
      suite.jail.close(),
    );
    if (outcome instanceof Error) {
      expect(outcome).toMatchObject({ code: 'ERR_CODEJAIL_CLOSED' });
    } else {
      expect(outcome.isOpen).toBe(false);
    }
    expectAllEnded();
  });

  it('is not counted where it can not be', async () => {
    await suite.ready();
    await expect(
      suite.jail.openSession({
        globals: { text: 'x'.repeat(2 ** 25) },
        limits: { memory: 2 ** 25 },
      }),
    ).rejects.toMatchObject({ code: 'ERR_CODEJAIL_SESSION_LOST' });
    expectAllEnded();
  });
});

describe('a fork of a session', () => {
  it.each([0, 1, 3, 10, 30])(
    'ends with their signal while it is made, after %d ms',
    async (delay) => {
      await suite.ready();
      const controller = new AbortController();
      const session = await suite.jail.openSession({ signal: controller.signal });
      const outcome = await endedAfter(delay, session.fork(), () => {
        controller.abort(new Error('given up'));
      });
      if (outcome instanceof Error) {
        expect(outcome.message).toBe('given up');
      } else {
        expect(outcome.isOpen).toBe(false);
      }
      expect(session.isOpen).toBe(false);
      expectAllEnded();
    },
  );
});

describe('the files of the host that a session is opened with', () => {
  it('are refused before they are read, where they are over the limit `input`', async () => {
    const path = suite.file('large.bin');
    truncateSync(path, 8 * 2 ** 30);
    await expect(suite.jail.openSession({ files: [path] })).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
      argument: 'options.files[0]',
      message: expect.stringContaining('limits.input') as string,
    });
  });

  it('count to it together with extraFiles, each directory too', async () => {
    const path = suite.file('folder/one.txt', 'x'.repeat(100_000)).replace(/\/one\.txt$/, '');
    const extraFiles: [string, string][] = [['two.txt', 'y'.repeat(100_000)]];
    const limits = { input: 150_000 };
    await suite.ready();
    await (await suite.jail.openSession({ files: [path], limits })).close();
    await (await suite.jail.openSession({ extraFiles, limits })).close();
    await expect(
      suite.jail.openSession({ files: [path], extraFiles, limits }),
    ).rejects.toMatchObject({ argument: 'options.files[0]' });
    for (let i = 0; i < 50; i += 1) {
      mkdirSync(`${path}/${i}`);
    }
    await expect(suite.jail.openSession({ files: [path], limits })).rejects.toMatchObject({
      argument: 'options.files[0]',
    });
  });

  it('are refused where one is neither a file, a directory nor a link', async () => {
    const path = suite.file('folder/one.txt', 'x').replace(/\/one\.txt$/, '');
    execFileSync('mkfifo', [`${path}/fifo`]);
    await expect(suite.jail.openSession({ files: [path] })).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
      message: expect.stringContaining('fifo') as string,
    });
  });
});
