// A script in a cell behaves as `python jailed_code args` does in a process of its own.
import { execFileSync } from 'node:child_process';
import { LIMITS, scriptIn, useTemplate } from '../support/warm';
import type { WarmCall } from '../../lib/warm/cell';
import type { JailResult } from '../../lib/run/result';

const python = useTemplate();

async function run(code: string, more: Partial<WarmCall> = {}): Promise<JailResult> {
  return (await scriptIn(await python.template.makeCell(LIMITS), code, more)).result;
}

describe('a script in a cell', () => {
  it('sees its name, its arguments and its directory', async () => {
    const { stdout } = await run(
      'import os, sys\nprint(sys.argv, __name__, __file__ == os.getcwd() + "/jailed_code", sys.path[0] == os.getcwd())',
      { argv: ['jailed_code', 'x', 'y z'] },
    );
    expect(stdout.toString()).toBe("['jailed_code', 'x', 'y z'] __main__ True True\n");
  });

  it('begins with the globals that one in a process of its own has', async () => {
    const code = 'print(sorted(globals()))';
    const cold = execFileSync('python3', ['-E', '-B', '-'], { input: code, encoding: 'utf8' });
    const { stdout } = await run(code);
    expect(stdout.toString()).toBe(cold);
  });

  it('finds its TMPDIR in its own directory', async () => {
    const { stdout } = await run(
      'import os, tempfile\nprint(tempfile.gettempdir() == os.getcwd() + "/tmp" == os.environ["HOME"])',
      { limits: { ...LIMITS, fsize: 100 } },
    );
    expect(stdout.toString()).toBe('True\n');
  });

  it.each([
    ['ends with 0', 'pass', 0, ''],
    ['ends with the status of sys.exit', 'import sys; sys.exit(3)', 3, ''],
    ['prints what sys.exit was given', 'import sys; sys.exit("no")', 1, 'no\n'],
    ['dies of its own abort', 'import os; os.abort()', -6, ''],
    ['dies of its own SIGKILL', 'import os; os.kill(os.getpid(), 9)', -9, ''],
    [
      'dies of SIGINT after KeyboardInterrupt',
      'raise KeyboardInterrupt',
      -2,
      /KeyboardInterrupt\n$/,
    ],
    ['reports a syntax error', 'x = (\n', 1, /SyntaxError: '\(' was never closed\n$/],
  ])('%s', async (_name, code, status, stderr) => {
    const result = await run(code);
    expect(result.status).toBe(status);
    expect(result.stderr.toString()).toMatch(stderr);
  });

  it('prints a traceback of its own frames only', async () => {
    const { stderr } = await run('def f():\n    1/0\nf()\n');
    const lines = stderr.toString().split('\n');
    expect(lines.filter((line) => line.startsWith('  File'))).toEqual([
      expect.stringMatching(/^ {2}File "\/tmp\/codejail-\w+\/jailed_code", line 3, in <module>$/),
      expect.stringMatching(/^ {2}File "\/tmp\/codejail-\w+\/jailed_code", line 2, in f$/),
    ]);
  });

  it('runs exit handlers and flushes what it printed', async () => {
    const { stdout } = await run('import atexit\natexit.register(print, "bye")\nprint("hi")');
    expect(stdout.toString()).toBe('hi\nbye\n');
  });

  it('reads its standard input', async () => {
    const { stdout } = await run('print(input().upper())', { stdin: 'hello\n' });
    expect(stdout.toString()).toBe('HELLO\n');
  });

  it('finds its other files, read-only', async () => {
    const code =
      'print(open("a/b.txt").read())\ntry: open("a/b.txt", "a")\nexcept OSError as e: print(e)';
    const { stdout } = await run(code, {
      files: [
        { name: 'jailed_code', content: code },
        { name: 'a/b.txt', content: 'data' },
      ],
    });
    expect(stdout.toString()).toBe("data\n[Errno 13] Permission denied: 'a/b.txt'\n");
  });

  it('leaves files to collect', async () => {
    const { collected } = await run('open("tmp/x.txt", "w").write("kept")', {
      limits: { ...LIMITS, fsize: 100 },
      collect: ['*.txt'],
    });
    expect(collected.map(({ path, content }) => [path, content.toString()])).toEqual([
      ['x.txt', 'kept'],
    ]);
  });
});
