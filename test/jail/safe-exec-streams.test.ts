// What safeExec gives its code besides globals, and tells of it while it runs: as jailCode does.
import { InvalidArgumentError, type SafeExecOptions } from '../../lib/index';
import { mode } from '../support/jail';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

async function exec(
  code: string,
  options?: SafeExecOptions,
): Promise<{ globals: Record<string, unknown>; stdout: string; isWarm: boolean }> {
  const result = await suite.jail.safeExec(code, {}, options);
  return {
    globals: result.globals,
    stdout: result.stdout.toString(),
    isWarm: result.confinement.includes('warm'),
  };
}

describe('safeExec', () => {
  it('gives the code its arguments, after its name', async () => {
    const code = 'import sys\nwords, original = sys.argv, sys.orig_argv[-3:]';
    const { globals, isWarm } = await exec(code, { argv: ['-x', 'ž y'] });
    expect(globals).toEqual({
      words: ['jailed_code', '-x', 'ž y'],
      original: ['jailed_code', '-x', 'ž y'],
    });
    expect(isWarm).toBe(mode === 'warm');
    expect((await exec('import sys\na = sys.argv')).globals).toEqual({ a: ['jailed_code'] });
  });

  it('gives it standard input, at once or as it comes', async () => {
    async function* lines(): AsyncGenerator<string> {
      yield await Promise.resolve('one\n');
      yield 'two\n';
    }
    const code = 'import sys\na = sys.stdin.read()';
    expect((await exec(code, { stdin: 'žluť' })).globals).toEqual({ a: 'žluť' });
    expect((await exec(code, { stdin: lines() })).globals).toEqual({ a: 'one\ntwo\n' });
    expect((await exec(code)).globals).toEqual({ a: '' });
  });

  it('gives it an environment', async () => {
    const code = 'import os\na = os.environ["SEED"]\nb = "TMPDIR" in os.environ';
    expect((await exec(code, { env: { SEED: '7' } })).globals).toEqual({ a: '7', b: true });
  });

  it('has all of that beside files and globals, as JSON text too', async () => {
    const lines: string[] = [];
    const { globalsJson } = await suite.jail.safeExecJson(
      'import sys\nx = [x, sys.argv[1], input(), open("d.txt").read()]\nprint("done")',
      '{"x": 1.0}',
      {
        ...{ argv: ['word'], stdin: 'in\n', extraFiles: [['d.txt', 'data']] },
        onStdoutLine: (line) => lines.push(line),
      },
    );
    expect([globalsJson, lines]).toEqual(['{"x":[1.0,"word","in","data"]}', ['done']]);
  });

  it('tells of both streams as they come, as bytes, text and lines', async () => {
    const seen: Record<string, string[]> = { text: [], errors: [], line: [], errorLine: [] };
    const bytes: Buffer[] = [];
    const code = [
      'import os, sys, time',
      'print("žluť"); print("no end", end="")',
      'sys.stderr.write("one\\r\\ntwo")',
      'time.sleep(0.1)',
      'os.write(1, b"\\xe2"); time.sleep(0.1); os.write(1, b"\\x82\\xac")',
    ].join('\n');
    await exec(code, {
      onStdout: (chunk) => bytes.push(chunk),
      onStdoutText: (text) => seen['text']?.push(text),
      onStderrText: (text) => seen['errors']?.push(text),
      onStdoutLine: (line) => seen['line']?.push(line),
      onStderrLine: (line) => seen['errorLine']?.push(line),
    });
    expect(Buffer.concat(bytes).toString()).toBe('žluť\nno end€');
    expect(seen['text']?.join('')).toBe('žluť\nno end€');
    expect(seen['text']?.length).toBeGreaterThan(1);
    expect(seen['errors']?.join('')).toBe('one\r\ntwo');
    expect(seen['line']).toEqual(['žluť', 'no end€']);
    expect(seen['errorLine']).toEqual(['one', 'two']);
  });

  it.each(['onStdout', 'onStdoutText', 'onStdoutLine'])(
    'rejects with what %s throws, and ends the code',
    async (name) => {
      const running = suite.jail.safeExec(
        'import time\nprint("x")\ntime.sleep(600)',
        {},
        {
          [name]: () => {
            throw new RangeError('the caller is broken');
          },
        },
      );
      await expect(running).rejects.toThrow(new RangeError('the caller is broken'));
    },
  );

  it('rejects with what the callback for the last line throws', async () => {
    const running = suite.python('print("x", end="")', {
      onStdoutLine: () => {
        throw new RangeError('the caller is broken');
      },
    });
    await expect(running).rejects.toThrow(new RangeError('the caller is broken'));
  });

  it('denies a variable that Python would ignore, before anything runs', async () => {
    const env = { PYTHONHASHSEED: '0' };
    await expect(exec('a = 1', { env })).rejects.toThrow(InvalidArgumentError);
    await expect(suite.python('print(1)', { env })).rejects.toThrow(/PYTHONHASHSEED .* -E/);
    suite.jail.configure('heeding', { bin: 'python3', args: ['-B'] });
    const options = { command: 'heeding', env };
    const first = await exec('a = hash("x")', options);
    expect((await exec('a = hash("x")', options)).globals).toEqual(first.globals);
  });
});
