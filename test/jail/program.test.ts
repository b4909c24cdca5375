// How a program is started, and what it finds.
import { watchLeftovers } from '../support/leftovers';
import { UNHURRIED, useSuite } from '../support/suite';
import { createJail } from '../support/jail';

const suite = useSuite();
watchLeftovers();

describe('a program in a jail', () => {
  it('supports code as bytes', async () => {
    expect(await suite.printed('', { code: Buffer.from('print("é")') })).toBe('é\n');
  });

  it('supports code that comes by standard input, where there is no code', async () => {
    const { stdout, status } = await suite.jail.jailCode('python', {
      code: '',
      stdin: 'print("from standard input")',
    });
    expect([stdout.toString(), status]).toEqual(['from standard input\n', 0]);
  });

  it('supports arguments of every kind', async () => {
    const argv = ['', ' ', 'a b', '"quoted"', "it's", '$HOME', '`id`', ';', '--', 'é', '\n', '*'];
    const shown = await suite.printed('import json, sys; print(json.dumps(sys.argv))', { argv });
    expect(JSON.parse(shown)).toEqual(['jailed_code', ...argv]);
  });

  it('starts in its own directory, which is first in the search for modules', async () => {
    const code = [
      'import os, sys',
      'print(os.getcwd() == os.path.dirname(os.path.abspath(__file__)) == sys.path[0])',
      'print(os.getcwd())',
      'print(os.environ["TMPDIR"] == os.getcwd() + "/tmp")',
    ].join('\n');
    expect(await suite.printed(code)).toMatch(/^True\n\/tmp\/codejail-\w{8}\nTrue\n$/);
  });

  it('has a directory of its own in each call', async () => {
    const code = [
      'import os',
      'print(sorted(os.listdir(".")), os.listdir("tmp"))',
      'open("tmp/left", "w").write("behind")',
    ].join('\n');
    const seen = [await suite.printed(code), await suite.printed(code)];
    expect(seen).toEqual(["['jailed_code', 'tmp'] []\n", "['jailed_code', 'tmp'] []\n"]);
  });

  it('starts the command "python" with -E and -B, and any other with nothing', async () => {
    const flags = 'import sys; print(sys.flags.ignore_environment, sys.flags.dont_write_bytecode)';
    expect(await suite.printed(flags)).toBe('1 1\n');
    suite.jail.configure('python3', 'python3');
    const { stdout } = await suite.jail.jailCode('python3', { code: flags });
    expect(stdout.toString()).toBe('0 0\n');
  });

  it('supports arguments of the command, before those of the call', async () => {
    suite.jail.configure('python', { bin: 'python3', args: ['-I', '-X', 'utf8'] });
    const code = 'import sys; print(sys.flags.isolated, sys.flags.utf8_mode, sys.argv[1:])';
    expect(await suite.printed(code, { argv: ['x'] })).toBe("1 1 ['x']\n");
  });

  it("supports an environment of the command, and the call's own over it", async () => {
    suite.jail.configure('python', { bin: 'python3', env: { LEVEL: 'command', KEPT: 'yes' } });
    const code = 'import os; print(os.environ["LEVEL"], os.environ["KEPT"])';
    expect(await suite.printed(code, { env: { LEVEL: 'call' } })).toBe('call yes\n');
  });

  it('keeps a HOME and a TMPDIR that the command has', async () => {
    const env = { HOME: '/nonexistent', TMPDIR: '/tmp' };
    suite.jail.configure('python', { bin: 'python3', env });
    const code = 'import os; print(os.environ["HOME"], os.environ["TMPDIR"])';
    expect(await suite.printed(code)).toBe('/nonexistent /tmp\n');
  });

  it('denies every variable of the server but what it was given', async () => {
    const code = 'import os; print(" ".join(sorted(os.environ)))';
    expect(await suite.printed(code)).toBe(
      'HOME LANG LOGNAME MKL_NUM_THREADS OMP_NUM_THREADS OPENBLAS_NUM_THREADS PATH TMPDIR USER\n',
    );
  });

  it('gives the program nothing but its three streams', async () => {
    const code = [
      'import os',
      'found = []',
      'for number in range(256):',
      '    try: os.fstat(number); found.append(number)',
      '    except OSError: pass',
      'print(found)',
    ].join('\n');
    expect(await suite.printed(code)).toBe('[0, 1, 2]\n');
  });

  it('gives the program default signals, none of them blocked', async () => {
    const code = [
      'import signal',
      'print(signal.pthread_sigmask(signal.SIG_BLOCK, []))',
      'for line in open("/proc/self/status"):',
      '    if line.startswith("SigBlk"): print(line.split()[1])',
    ].join('\n');
    expect(await suite.printed(code)).toBe(`set()\n${'0'.repeat(16)}\n`);
  });

  it('shows the line of a syntax error', async () => {
    const { status, stderr } = await suite.python('x = 1\ny = = 2');
    expect(status).toBe(1);
    expect(stderr.toString()).toMatch(/jailed_code", line 2\n[^]*SyntaxError/);
  });

  it.each([0, 1, 3, 127, 255])('gives the exit status %d', async (status) => {
    const result = await suite.python(`import sys; sys.exit(${status})`);
    expect(result).toMatchObject({ status, signal: null, outcome: 'exited', exceeded: null });
  });

  it('supports numpy, where the Python has it', async () => {
    const probe = await suite.python('import importlib.util as u; print(u.find_spec("numpy"))');
    if (probe.stdout.toString() === 'None\n') {
      console.warn('The Python of this host has no numpy: that it works in a jail is not shown.');
      return;
    }
    const code = 'import numpy; print(numpy.dot(numpy.eye(3), [1, 2, 3]).tolist())';
    expect(await suite.printed(code)).toBe('[1.0, 2.0, 3.0]\n');
  });

  it('keeps what else a command has when settings of Open edX name its Python', async () => {
    await using jail = createJail({ limits: UNHURRIED });
    jail.configure('python', { bin: 'python3', env: { KEPT: 'yes' } });
    jail.applySettings({ python_bin: '/usr/bin/python3', user: null });
    const code = 'import os, sys; print(os.environ["KEPT"], sys.executable)';
    const { stdout } = await jail.jailCode('python', { code });
    expect(stdout.toString()).toMatch(/^yes \/usr\/bin\/python3/);
  });

  it('supports a default jail that is configured by settings of Open edX', async () => {
    await using jail = createJail({ limits: UNHURRIED });
    jail.applySettings({
      python_bin: '/usr/bin/python3',
      user: null,
      limits: { FSIZE: 50 },
      limit_overrides: { 'course-v1:large': { FSIZE: 5000 } },
    });
    const write = async (limitOverridesContext: string): Promise<number> => {
      const code = 'f = open("tmp/x", "w"); f.write("x" * 100); f.close()';
      return (await jail.jailCode('python', { code, limitOverridesContext })).status;
    };
    expect(await write('course-v1:small')).toBe(1);
    expect(await write('course-v1:large')).toBe(0);
  });
});
