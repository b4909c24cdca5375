// A call that is explained: what its program tried in vain, beside the same result.
import type { Attempt, JailResult } from '../../lib/index';
import { createJail } from '../support/jail';
import { UNHURRIED, useSuite } from '../support/suite';

const suite = useSuite();
const LIMITS = { nproc: 64, fsize: 1 << 20 };

async function explained(code: string, command = 'python'): Promise<JailResult> {
  suite.jail.configure('bash', '/bin/bash');
  suite.jail.configure('may exec', {
    bin: '/bin/bash',
    allowExec: true,
    readPaths: ['/usr/bin', '/bin'],
  });
  return suite.jail.jailCode(command, { code, limits: LIMITS, explain: true });
}

const tried = (call: Attempt['call'], what: string | RegExp, error: string): unknown =>
  expect.arrayContaining([
    {
      call,
      what: typeof what === 'string' ? what : (expect.stringMatching(what) as unknown),
      error,
    },
  ]);

/** What a program does though it is refused, so that nothing of it is on its standard error. */
const quiet = (statement: string): string =>
  `import os, socket, subprocess\ntry: ${statement}\nexcept OSError: pass\nraise SystemExit(1)`;

describe('an explained call', () => {
  it.each<[string, string, Attempt['call'], string | RegExp, string]>([
    ['opens', 'open("/etc/passwd")', 'open', '/etc/passwd', 'ENOENT'],
    ['opens, by a relative path', 'open("data.csv")', 'open', 'data.csv', 'ENOENT'],
    ['makes', 'open("out.txt", "w")', 'open', 'out.txt', 'EACCES'],
    ['makes directories', 'os.mkdir("out")', 'mkdir', 'out', 'EACCES'],
    ['runs', 'os.execv("/bin/ls", ["ls"])', 'exec', '/bin/ls', 'EACCES'],
    ['runs as children', 'subprocess.run(["/bin/ls"])', 'exec', '/bin/ls', 'EACCES'],
    ['asks for of the network', 'socket.socket()', 'socket', 'family 2, type 1', 'EACCES'],
    [
      'connects to',
      'socket.socket(socket.AF_UNIX).connect("/run/none")',
      'connect',
      '/run/none',
      'ENOENT',
    ],
  ])('tells what a program %s in vain', async (_what, statement, call, what, error) => {
    const { attempts, stderr, status } = await explained(quiet(statement));
    expect({ stderr: stderr.toString(), status }).toEqual({ stderr: '', status: 1 });
    const found = attempts.filter((attempt) => attempt.call === call);
    expect(found).toEqual(tried(call, what, error));
  });

  it('tells what programs of a shell try', async () => {
    const { attempts } = await explained('cat /root/x; exit 3', 'may exec');
    expect(attempts).toEqual(tried('open', '/root/x', 'ENOENT'));
  });

  it('hints at what nothing was printed of', async () => {
    const { hints } = await explained(quiet('socket.socket()'));
    expect(hints).toMatchObject([{ by: 'network', option: null }]);
  });

  it('gives the same result', async () => {
    const code = [
      'import subprocess, tempfile, threading',
      'with tempfile.TemporaryDirectory() as d: open(d + "/x", "w").write("text")',
      'threading.Thread(target=print, args=("thread",)).start()',
      'try: subprocess.run(["/bin/ls"])',
      'except PermissionError as error: print(error.strerror)',
      'try: open("/etc/passwd")',
      'except OSError as error: print(error.strerror)',
    ].join('\n');
    const plain = await suite.python(code, { limits: LIMITS });
    const told = await explained(code);
    expect(told.stdout.toString()).toBe(plain.stdout.toString());
    expect(told).toMatchObject({ status: plain.status, outcome: plain.outcome, hints: [] });
    expect(plain.attempts).toEqual([]);
    expect(told.confinement).not.toContain('warm');
  });

  it('tells of so many and no more', async () => {
    const code = `
for name, mode in (("absent", "r"), ("made", "w")):
    for i in range(500):
        try: open(f"{name}{i}", mode)
        except OSError: pass
`;
    const { attempts, status } = await explained(code);
    expect(status).toBe(0);
    expect(attempts).toHaveLength(256);
    expect(attempts.filter(({ error }) => error === 'ENOENT')).toHaveLength(192);
  });

  it('denies what is denied without', async () => {
    const { stdout } = await explained(
      `
import os, socket
def attempt(action, *arguments):
    try: action(*arguments); print("done", action.__name__, *arguments)
    except OSError as error: print(error.strerror)
attempt(open, "/etc/passwd")
attempt(open, "/etc/shadow")
attempt(os.listdir, "/root")
attempt(open, "result", "w")
attempt(socket.socket)
attempt(os.execv, "/bin/ls", ["ls"])
`,
    );
    expect(stdout.toString()).not.toContain('done');
  });

  it('is a boolean', async () => {
    await using jail = createJail({ limits: UNHURRIED });
    await expect(
      jail.jailCode('python', { code: '1', explain: 1 as unknown as boolean }),
    ).rejects.toMatchObject({ argument: 'options.explain' });
  });

  it('serves safeExec', async () => {
    await expect(
      suite.jail.safeExec('open("/etc/passwd")', {}, { explain: true }),
    ).rejects.toMatchObject({
      result: { attempts: tried('open', '/etc/passwd', 'ENOENT') },
    });
  });
});
