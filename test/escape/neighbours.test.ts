// Two jails at once: neither sees, signals or reaches the other.
import type { JailCodeOptions } from '../../lib/index';
import type { JailResult } from '../../lib/run/result';
import { mode } from '../support/jail';
import { useAttackedJail, expectDenied, outcomes, run } from './attack';

const attacked = useAttackedJail();

interface Neighbour {
  /** What it printed first. */
  greeting: string;
  leave(): Promise<JailResult>;
}

/** A program that runs until it is told to leave. */
async function neighbour(attack: string, options: JailCodeOptions = {}): Promise<Neighbour> {
  let tell: () => void = () => undefined;
  const told = new Promise<void>((resolve) => {
    tell = resolve;
  });
  async function* input(): AsyncGenerator<string> {
    await told;
    yield 'leave\n';
  }
  let greet: (text: string) => void = () => undefined;
  const greeting = new Promise<string>((resolve) => {
    greet = resolve;
  });
  const running = run(attacked.jail, `${attack}\nsys.stdin.readline()\n`, {
    ...options,
    stdin: input(),
    onStdout: (chunk) => {
      greet(chunk.toString().trim());
    },
  });
  const first = await Promise.race([
    greeting,
    running.then((result) => {
      throw new Error(`the neighbour ended early: ${result.stderr.toString()}`);
    }),
  ]);
  return {
    greeting: first,
    leave: async () => {
      tell();
      return running;
    },
  };
}

describe('two jails', () => {
  it('denies seeing and signalling the other', async () => {
    const other = await neighbour(`
signal.signal(signal.SIGTERM, lambda *_: os._exit(99))
print('up', flush=True)
`);
    const found = await outcomes(
      attacked.jail,
      `
signal.signal(signal.SIGTERM, signal.SIG_IGN)
say('processes', len([name for name in os.listdir('/proc') if name.isdigit()]))
attempt('everybody else', os.kill, -1, signal.SIGTERM)
for process in range(2, 300):
    if process != os.getpid():
        try: os.kill(process, signal.SIGTERM)
        except OSError: pass
`,
    );
    expect(found).toEqual({ processes: 2, 'everybody else': 'ESRCH' });
    expect((await other.leave()).status).toBe(0);
  });

  it('denies reaching the other’s files', async () => {
    const other = await neighbour(`
open('tmp/secret', 'w').write('of the neighbour')
print(os.getcwd(), flush=True)
`);
    const found = await outcomes(
      attacked.jail,
      `
its = ${JSON.stringify(other.greeting)}
attempt('open its secret', os.open, its + '/tmp/secret', os.O_RDONLY)
attempt('list', os.listdir, '/tmp')
attempt('make', os.mkdir, its)
say('another path', its != os.getcwd())
if its == os.getcwd():
    say('its program', 'of the ' + 'neighbour' in open(its + '/jailed_code').read())
    say('in tmp', os.listdir(its + '/tmp'))
else:
    for name in ('', '/tmp', '/jailed_code'):
        attempt('open ' + name, os.open, its + name, os.O_RDONLY)
`,
    );
    expect(other.greeting).toMatch(/^\/tmp\/codejail-/);
    const { 'another path': isAnother, 'its program': isIts, 'in tmp': names, ...denied } = found;
    // Cells of one template have the same path, each in its own mount namespace.
    expect({ isAnother, isIts, names }).toEqual(
      mode === 'warm'
        ? { isAnother: false, isIts: false, names: [] }
        : { isAnother: true, isIts: undefined, names: undefined },
    );
    expectDenied(denied, [
      'open its secret',
      'list',
      'make',
      ...(mode === 'warm' ? [] : ['open ', 'open /tmp', 'open /jailed_code']),
    ]);
    await other.leave();
  });

  it('denies reaching the other by an abstract socket, whose name both may use', async () => {
    const bind = `
server = socket.socket(socket.AF_UNIX)
server.bind('\\0shared-name')
server.listen()
server.settimeout(0.5)
`;
    const other = await neighbour(`${bind}\nprint('up', flush=True)`);
    const found = await outcomes(
      attacked.jail,
      `
attempt('connect', lambda: socket.socket(socket.AF_UNIX).connect('\\0shared-name'))
attempt('bind', lambda: exec(${JSON.stringify(bind)}, globals()))
attempt('connect to its own', lambda: socket.socket(socket.AF_UNIX).connect('\\0shared-name'))
`,
    );
    expect(found).toEqual({
      connect: 'ECONNREFUSED',
      bind: 'reached',
      'connect to its own': 'reached',
    });
    await other.leave();
  });

  it('gives each its own uid, or its own user namespace', async () => {
    const tell = `print(os.getuid(), os.readlink('/proc/self/ns/user'), flush=True)`;
    const other = await neighbour(tell);
    const own = (await run(attacked.jail, tell)).stdout.toString().trim();
    expect(own).not.toBe(other.greeting);
    await other.leave();
  });

  it('leaves nothing behind for a later jail of the same command', async () => {
    await outcomes(
      attacked.jail,
      `
open('tmp/left', 'w').write('left')
open('/dev/null', 'w').write('x')
say('ok', True)
`,
    );
    const found = await outcomes(
      attacked.jail,
      `say('tmp', os.listdir('tmp'))\nsay('here', os.listdir('.'))`,
    );
    expect(found['tmp']).toEqual([]);
    expect((found['here'] as string[]).sort()).toEqual(['jailed_code', 'tmp']);
  });
});
