// `codejail run` that is interrupted: nothing of the jail outlives it.
import { once } from 'node:events';
import { ending, start } from '../support/command-line';
import { watchLeftovers } from '../support/leftovers';

watchLeftovers();

const FOR_EVER = 'print("up", flush=True)\nimport time\ntime.sleep(600)';

function startForEver() {
  return start(['run', '--realtime', '600', '-c', FOR_EVER]);
}

describe('an interrupted run', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'ends the jail, then itself, by %s',
    async (name) => {
      const child = startForEver();
      const ended = ending(child);
      await once(child.stdout, 'data');
      child.kill(name);
      expect(await ended).toEqual({ status: null, signal: name, stdout: 'up\n', stderr: '' });
    },
  );

  it('leaves nothing where it is killed', async () => {
    const child = startForEver();
    const ended = ending(child);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
  });

  it('ends when nobody reads its output any more', async () => {
    const child = start([
      ...['run', '--realtime', '600', '--cpu', '600', '--output', '0', '-c'],
      'while True: print("y" * 1000)',
    ]);
    const ended = once(child, 'exit');
    await once(child.stdout, 'data');
    child.stdout.destroy();
    expect(await ended).toEqual([128 + 13, null]);
  });

  it('runs nothing where it is interrupted during set-up', async () => {
    const child = startForEver();
    const ended = ending(child);
    await once(child, 'spawn');
    setTimeout(() => child.kill('SIGINT'), 150);
    expect(await ended).toMatchObject({ signal: 'SIGINT', stdout: '' });
  });
});
