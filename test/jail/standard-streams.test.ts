// Standard streams that a program opens anew by their names, as scripts and contest programs do.
import { accessSync, constants } from 'node:fs';
import { mode } from '../support/jail';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

const STREAMS = ['/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'];

/** What is there of the host, for programs that are no Python: those suites are cold anyway. */
function has(program: string): boolean {
  try {
    accessSync(program, constants.X_OK);
    return mode === 'cold';
  } catch {
    return false;
  }
}
const itWith = (program: string): jest.It => (has(program) ? it : it.skip);

describe('standard input', () => {
  it.each(STREAMS)('can be opened as %s', async (path) => {
    const code = `print(open('${path}').read(), end='')`;
    expect(await suite.printed(code, { stdin: 'as written\n' })).toBe('as written\n');
  });

  it.each(STREAMS)('is at its end at once as %s where nothing is given', async (path) => {
    expect(await suite.printed(`print(repr(open('${path}').read()))`)).toBe("''\n");
  });

  it('goes on where another open of it stopped', async () => {
    const code = [
      'import os',
      'print(os.read(0, 4))',
      "with open('/dev/stdin', 'rb', 0) as again: print(again.read(4))",
      'print(os.read(0, 4))',
    ].join('\n');
    expect(await suite.printed(code, { stdin: 'one two six ' })).toBe(
      "b'one '\nb'two '\nb'six '\n",
    );
  });

  it('can be opened by a child process', async () => {
    const code = [
      'import os',
      'child = os.fork()',
      "if child == 0: print(open('/dev/stdin').read(), flush=True); os._exit(0)",
      'print(os.waitpid(child, 0)[1])',
    ].join('\n');
    expect(await suite.printed(code, { stdin: 'inherited' })).toBe('inherited\n0\n');
  });
});

describe('standard output and standard error', () => {
  it.each([
    ['/dev/stdout', '/dev/stderr'],
    ['/dev/fd/1', '/dev/fd/2'],
    ['/proc/self/fd/1', '/proc/self/fd/2'],
  ])('can be opened as %s and %s', async (output, error) => {
    const code = [
      `open('${output}', 'w').write('out')`,
      `open('${error}', 'a').write('error')`,
      "print(' and more')",
    ].join('\n');
    const { status, stdout, stderr } = await suite.python(code);
    expect([status, stdout.toString(), stderr.toString()]).toEqual([0, 'out and more\n', 'error']);
  });

  it('reach each other', async () => {
    const code = [
      'import os, sys',
      "sys.stdout = open('/dev/stderr', 'w')",
      "print('to standard error')",
    ].join('\n');
    const { stdout, stderr } = await suite.python(code);
    expect([stdout.toString(), stderr.toString()]).toEqual(['', 'to standard error\n']);
  });

  it('are read to their end where the program has closed its own, and has others', async () => {
    const code = [
      'import os',
      "out, err = (os.open(f'/dev/fd/{n}', os.O_WRONLY) for n in (1, 2))",
      'os.close(1); os.close(2)',
      "os.write(out, b'out'); os.write(err, b'err')",
      'os._exit(0)',
    ].join('\n');
    const { status, stdout, stderr } = await suite.python(code);
    expect([status, stdout.toString(), stderr.toString()]).toEqual([0, 'out', 'err']);
  });
});

describe('streams in safeExec', () => {
  it('can be opened by the code', async () => {
    const code = "open('/dev/stdout', 'w').write('said'); a = open('/dev/stdin').read()";
    const { globals, stdout } = await suite.jail.safeExec(code, {});
    expect([globals, stdout.toString()]).toEqual([{ a: '' }, 'said']);
  });
});

describe('a program that opens the wrong end of its streams', () => {
  it('holds up nobody by its standard input, which then has no end', async () => {
    const code = [
      'import os',
      "writing = os.open('/dev/stdin', os.O_WRONLY)",
      "os.write(writing, b'own')",
      'print(os.read(0, 100))',
    ].join('\n');
    expect(await suite.printed(code)).toBe("b'own'\n");
  });

  it('does not keep the server from giving it the rest of a large input', async () => {
    const code = [
      'import os',
      "writing = os.open('/dev/stdin', os.O_WRONLY | os.O_NONBLOCK)",
      "print('done')",
    ].join('\n');
    expect(await suite.printed(code, { stdin: Buffer.alloc(5_000_000) })).toBe('done\n');
  });

  it('takes by its standard output only what it has written itself', async () => {
    const code = [
      'import os',
      "reading = os.open('/dev/stdout', os.O_RDONLY | os.O_NONBLOCK)",
      "os.write(1, b'lost')",
      'try: os.read(reading, 100)',
      'except BlockingIOError: pass',
      "os.write(1, b'kept')",
    ].join('\n');
    const { status, stdout } = await suite.python(code);
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(/^(lost)?kept$/);
  });

  it('ends all the same where a descendant keeps its output open', async () => {
    const code = [
      'import os, time',
      'if os.fork() == 0:',
      "    held = os.open('/dev/stdout', os.O_RDWR)",
      '    os.close(1)',
      '    time.sleep(100)',
      "print('parent')",
    ].join('\n');
    expect(await suite.printed(code)).toBe('parent\n');
  });

  it('denies it larger pipes and signals of them', async () => {
    const code = [
      'import fcntl, os',
      "again = os.open('/dev/stdout', os.O_RDWR)",
      'for command, value in ((1031, 1 << 20), (1031, 4096), (fcntl.F_SETFL, os.O_ASYNC)):',
      '    try: fcntl.fcntl(again, command, value); print("done")',
      '    except PermissionError: print("denied")',
      'os.set_blocking(again, False)',
      "print('x' * 300_000)",
    ].join('\n');
    expect(await suite.printed(code)).toBe(`${'denied\n'.repeat(3)}${'x'.repeat(300_000)}\n`);
  });
});

describe('other programs', () => {
  it('open them in bash', async () => {
    suite.jail.configure('bash', '/bin/bash');
    const code = [
      'read -r line < /dev/stdin; echo "got $line" > /dev/stdout; echo oops > /dev/stderr',
      'read -r line < /dev/fd/0; echo "and $line" >> /proc/self/fd/1',
    ].join('\n');
    const { status, stdout, stderr } = await suite.jail.jailCode('bash', {
      code,
      stdin: 'one\ntwo\n',
    });
    expect([status, stdout.toString(), stderr.toString()]).toEqual([
      0,
      'got one\nand two\n',
      'oops\n',
    ]);
  });

  itWith('/usr/bin/node')('open them in Node', async () => {
    suite.jail.configure('node', '/usr/bin/node');
    const code = [
      "const { readFileSync, writeFileSync } = require('node:fs');",
      "writeFileSync('/dev/stdout', readFileSync('/dev/stdin', 'utf8').toUpperCase());",
      "writeFileSync('/dev/stderr', 'error');",
    ].join('\n');
    const { status, stdout, stderr } = await suite.jail.jailCode('node', {
      code,
      stdin: 'shouted',
      limits: { nproc: 64, memory: 1024 ** 3 },
    });
    expect([stderr.toString(), stdout.toString(), status]).toEqual(['error', 'SHOUTED', 0]);
  });

  itWith('/usr/bin/perl')('open them in Perl', async () => {
    suite.jail.configure('perl', '/usr/bin/perl');
    const code =
      "open(my $in, '<', '/dev/stdin'); open(my $out, '>', '/dev/stdout'); print $out reverse <$in>;";
    const { stdout } = await suite.jail.jailCode('perl', { code, stdin: 'a\nb\n' });
    expect(stdout.toString()).toBe('b\na\n');
  });

  it('open them by freopen of C', async () => {
    const code = [
      'import ctypes',
      'libc = ctypes.CDLL(None)',
      'libc.freopen.restype = libc.fdopen.restype = ctypes.c_void_p',
      "for name, mode in ((b'stdin', b'r'), (b'stdout', b'w')):",
      '    stream = ctypes.c_void_p.in_dll(libc, name.decode())',
      "    assert libc.freopen(b'/dev/' + name, mode, stream)",
      'line = ctypes.create_string_buffer(20)',
      "libc.fgets(line, 20, ctypes.c_void_p.in_dll(libc, 'stdin'))",
      'libc.puts(line)',
      'libc.fflush(None)',
    ].join('\n');
    expect(await suite.printed(code, { stdin: 'from C' })).toBe('from C\n');
  });
});
