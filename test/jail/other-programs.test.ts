// Programs that are no Python.
import { chmodSync } from 'node:fs';
import { watchLeftovers } from '../support/leftovers';
import { UNHURRIED, useSuite } from '../support/suite';
import { createJail } from '../support/jail';

const suite = useSuite();
watchLeftovers();

describe('a binary', () => {
  it('supports one without any argument', async () => {
    suite.jail.configure('true', '/bin/true');
    suite.jail.configure('false', '/bin/false');
    expect(await suite.jail.jailCode('true')).toMatchObject({ status: 0, outcome: 'exited' });
    expect(await suite.jail.jailCode('false')).toMatchObject({ status: 1, outcome: 'exited' });
  });

  it('supports a name that is looked up in PATH', async () => {
    suite.jail.configure('cat', 'cat');
    const { stdout } = await suite.jail.jailCode('cat', { stdin: 'through a pipe' });
    expect(stdout.toString()).toBe('through a pipe');
  });

  it('starts in a directory of another name in each call', async () => {
    suite.jail.configure('pwd', '/bin/pwd');
    const [one, another] = await Promise.all([1, 2].map(async () => suite.jail.jailCode('pwd')));
    expect(one?.stdout.toString()).toMatch(/^\/tmp\/codejail-\w{8}\n$/);
    expect(another?.stdout.toString()).not.toBe(one?.stdout.toString());
  });

  it('supports code for it, as its first argument', async () => {
    suite.jail.configure('cat', '/bin/cat');
    const { stdout } = await suite.jail.jailCode('cat', {
      code: 'the code\n',
      argv: ['-'],
      stdin: 'x',
    });
    expect(stdout.toString()).toBe('the code\nx');
  });

  it('denies what the caller may read and the jail does not show', async () => {
    suite.jail.configure('cat', '/bin/cat');
    const secret = suite.file('secret', 'secret');
    const { stdout, status } = await suite.jail.jailCode('cat', { argv: [secret] });
    expect([stdout.toString(), status]).toEqual(['', 1]);
  });

  it('allows what readPaths shows, and denies changing it', async () => {
    const shown = suite.file('shown/file', 'shown');
    chmodSync(suite.folder, 0o755);
    chmodSync(shown, 0o666);
    suite.jail.configure('python', { bin: 'python3', readPaths: [`${suite.folder}/shown`] });
    const code = [
      'import sys',
      'print(open(sys.argv[1]).read())',
      'try: open(sys.argv[1], "w")',
      'except OSError as error: print("denied")',
    ].join('\n');
    const { stdout } = await suite.python(code, { argv: [shown] });
    expect(stdout.toString()).toBe('shown\ndenied\n');
  });
});

describe('a shell', () => {
  it('supports what it does itself, and denies other programs', async () => {
    suite.jail.configure('sh', '/bin/sh');
    const { stdout, stderr, status } = await suite.jail.jailCode('sh', {
      code: 'x=$((6 * 7)); echo "$x $1"; /bin/ls; echo "$?"',
      argv: ['argument'],
    });
    expect(stdout.toString()).toMatch(/^42 argument\n12[67]\n$/);
    expect(stderr.toString()).not.toBe('');
    expect(status).toBe(0);
  });

  it('denies starting itself anew', async () => {
    suite.jail.configure('sh', '/bin/sh');
    const { stdout, status } = await suite.jail.jailCode('sh', {
      code: 'exec /bin/sh -c "echo no"',
    });
    expect(stdout.toString()).toBe('');
    expect(status).not.toBe(0);
  });

  it('allows the programs that readPaths shows, where the command allows execution', async () => {
    suite.jail.configure('sh', {
      bin: '/bin/sh',
      allowExec: true,
      readPaths: ['/bin/echo', '/bin/sort'],
    });
    const { stdout, stderr } = await suite.jail.jailCode('sh', {
      code: '/bin/echo b > tmp/list; /bin/echo a >> tmp/list; /bin/sort tmp/list; /bin/cat tmp/list',
      limits: { fsize: 1000 },
    });
    expect(stdout.toString()).toBe('a\nb\n');
    expect(stderr.toString()).toMatch(/cat: (not found|Permission denied)/);
  });

  it('supports long pipelines, one after the other', async () => {
    suite.jail.configure('sh', { bin: '/bin/sh', allowExec: true, readPaths: ['/bin/cat'] });
    const pipeline = ['echo $number', ...Array.from({ length: 29 }, () => '/bin/cat')].join(' | ');
    const { stdout, stderr } = await suite.jail.jailCode('sh', {
      code: `for number in 1 2 3; do ${pipeline}; done`,
      limits: { nproc: 40, cpu: 20, realtime: 25 },
    });
    expect(stderr.toString()).toBe('');
    expect(stdout.toString()).toBe('1\n2\n3\n');
  });

  it('keeps a jail with execution as tight in everything else', async () => {
    suite.jail.configure('sh', { bin: '/bin/sh', allowExec: true, readPaths: ['/bin/cat'] });
    const { stdout } = await suite.jail.jailCode('sh', {
      code: '/bin/cat /etc/passwd; echo x > outside; echo x > tmp/x; /bin/cat tmp/x; echo "ended"',
      limits: { fsize: 10 },
    });
    expect(stdout.toString()).toBe('x\nended\n');
  });
});

describe('a script', () => {
  it('supports one whose first line names its interpreter', async () => {
    const script = suite.file(
      'greet',
      '#!/bin/sh -e\necho "hello $1"\nfalse\necho "not here"\n',
      0o755,
    );
    chmodSync(suite.folder, 0o755);
    suite.jail.configure('greet', script);
    const { stdout, status } = await suite.jail.jailCode('greet', { argv: ['you'] });
    expect([stdout.toString(), status]).toEqual(['hello you\n', 1]);
  });

  it('supports one that finds its interpreter by env', async () => {
    const script = suite.file('greet.py', '#!/usr/bin/env python3\nprint("hello")\n', 0o755);
    chmodSync(suite.folder, 0o755);
    suite.jail.configure('greet', script);
    const { stdout } = await suite.jail.jailCode('greet');
    expect(stdout.toString()).toBe('hello\n');
  });
});

describe('a program that can not be run', () => {
  it.each([
    ['missing', '/no/such/program', /no\/such\/program/],
    ['missing in PATH', 'no-such-program-in-path', /no-such-program-in-path/],
    ['a directory', '/usr/lib', /not an executable file/],
    ['not executable', '/etc/passwd', /not an executable file/],
    ['a relative path', './here', /absolute path/],
  ])('is refused when it is first used: %s', async (_what, bin, message) => {
    await using jail = createJail({ limits: UNHURRIED, commands: { it: bin } });
    const refused = jail.jailCode('it', { code: 'x' });
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
      argument: 'commands.it.bin',
    });
    await expect(refused).rejects.toThrow(message);
  });

  it('is refused where nobody configured it', async () => {
    await expect(suite.jail.jailCode('ruby', { code: 'puts 1' })).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_NOT_CONFIGURED',
    });
    expect(suite.jail.isConfigured('ruby')).toBe(false);
  });

  it('is refused where its interpreter is missing', async () => {
    const script = suite.file('broken', '#!/no/such/interpreter\n', 0o755);
    suite.jail.configure('broken', script);
    await expect(suite.jail.jailCode('broken')).rejects.toThrow('/no/such/interpreter');
  });

  it('is used once it is there', async () => {
    const path = `${suite.folder}/later`;
    chmodSync(suite.folder, 0o755);
    suite.jail.configure('later', path);
    await expect(suite.jail.jailCode('later')).rejects.toThrow('later');
    suite.file('later', '#!/bin/sh\necho "now"\n', 0o755);
    expect((await suite.jail.jailCode('later')).stdout.toString()).toBe('now\n');
  });
});
