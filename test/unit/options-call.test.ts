import { pathToFileURL } from 'node:url';
import { parseJailCodeOptions, parseSafeExecOptions } from '../../lib/options/call';
import { deniesEach, refused } from '../support/refusals';

const loneSurrogate = 'a\ud800b';

async function* lines() {
  yield await Promise.resolve('1\n');
}

describe('the options of jailCode', () => {
  it('allows none', () => {
    expect(parseJailCodeOptions({})).toEqual({
      files: [],
      extraFiles: [],
      cwd: '.',
      argv: [],
      limits: {},
      collect: [],
      explain: false,
      env: {},
    });
  });

  it('allows undefined for each option', () => {
    const names = [
      ...['code', 'files', 'extraFiles', 'cwd', 'argv', 'stdin', 'env', 'limits', 'collect'],
      ...['limitOverridesContext', 'tenant', 'slug', 'explain', 'signal', 'onStdout', 'onStderr'],
      ...['onStdoutText', 'onStderrText', 'onStdoutLine', 'onStderrLine'],
    ];
    const options = Object.fromEntries(names.map((name) => [name, undefined]));
    expect(parseJailCodeOptions(options)).toStrictEqual(parseJailCodeOptions({}));
  });

  it('allows everything at once', () => {
    const { signal } = new AbortController();
    const callbacks = {
      ...{ onStdout: jest.fn(), onStdoutText: jest.fn(), onStdoutLine: jest.fn() },
      ...{ onStderr: jest.fn(), onStderrText: jest.fn(), onStderrLine: jest.fn() },
    };
    const parsed = parseJailCodeOptions({
      code: 'print("ü")',
      files: ['/opt/a.txt', pathToFileURL('/opt/b c')],
      extraFiles: [['pkg/x.py', 'x = 1']],
      cwd: 'tmp',
      argv: ['', 'ü'],
      stdin: 'in',
      limits: { cpu: 2 },
      limitOverridesContext: 'course-1',
      tenant: 'user 7',
      slug: 'problem 1',
      collect: ['*.png', 'out/**', './plot.svg'],
      explain: true,
      env: { A: '1', B: '' },
      signal,
      ...callbacks,
    });
    expect(parsed).toEqual({
      code: Buffer.from('print("ü")'),
      files: [
        { path: '/opt/a.txt', name: 'a.txt', argument: 'options.files[0]' },
        { path: '/opt/b c', name: 'b c', argument: 'options.files[1]' },
      ],
      extraFiles: [{ name: 'pkg/x.py', content: Buffer.from('x = 1') }],
      cwd: 'tmp',
      argv: ['', 'ü'],
      stdin: Buffer.from('in'),
      limits: { cpu: 2 },
      limitOverridesContext: 'course-1',
      tenant: 'user 7',
      slug: 'problem 1',
      collect: ['*.png', 'out/**', 'plot.svg'],
      explain: true,
      env: { A: '1', B: '' },
      signal,
      ...callbacks,
    });
  });

  it.each(['', new Uint8Array()])('takes empty code (%p) for no code, as CodeJail does', (code) => {
    expect(parseJailCodeOptions({ code }).code).toBeUndefined();
  });

  it('takes an empty context for none, as CodeJail does', () => {
    expect(
      parseJailCodeOptions({ limitOverridesContext: '' }).limitOverridesContext,
    ).toBeUndefined();
  });

  it('allows bytes that are not UTF-8 for code, standard input and extraFiles', () => {
    const bytes = Uint8Array.of(0xff, 0x00, 0xfe);
    const parsed = parseJailCodeOptions({
      code: bytes,
      stdin: bytes,
      extraFiles: [['a', bytes]],
    });
    expect(parsed.code).toEqual(Buffer.from(bytes));
    expect(parsed.stdin).toEqual(Buffer.from(bytes));
    expect(parsed.extraFiles[0]?.content).toEqual(Buffer.from(bytes));
  });

  it('allows an async iterable as standard input', () => {
    const stdin = lines();
    expect(parseJailCodeOptions({ stdin }).stdin).toBe(stdin);
  });

  it('allows arguments and environment up to what the kernel takes', () => {
    const argv = ['x'.repeat(128 * 1024 - 1)];
    expect(parseJailCodeOptions({ argv }).argv).toEqual(argv);
  });

  it('allows a variable named __proto__', () => {
    const env: unknown = JSON.parse('{"__proto__": "1"}');
    expect(Object.entries(parseJailCodeOptions({ env }).env)).toEqual([['__proto__', '1']]);
  });

  it('allows options that a prototype provides', () => {
    const options: unknown = Object.create({ argv: ['-x'] });
    expect(parseJailCodeOptions(options).argv).toEqual(['-x']);
  });

  deniesEach(parseJailCodeOptions, [
    ['options', null],
    ['options', 'print(1)'],
    ['options', [1]],
    ['options.limit', { limit: { cpu: 1 } }, 'Did you mean "limits"?'],
    ['options.extra_files', { extra_files: [] }, 'Did you mean "extraFiles"?'],
    ['options.timeout', { timeout: 5 }, 'There are: '],
    ['options.__proto__', JSON.parse('{"__proto__": {}}')],
    ['options.code', { code: 5 }],
    ['options.code', { code: null }],
    ['options.code', { code: Promise.resolve('') }, 'Promise'],
    ['options.code', { code: loneSurrogate }, 'surrogate'],
    ['options.files', { files: '/etc/hosts' }],
    ['options.files[0]', { files: [5] }],
    ['options.files[0]', { files: [''] }],
    ['options.files[1]', { files: ['/a', '/b\0c'] }, 'NUL'],
    ['options.files[0]', { files: [new URL('http://example.org/a')] }, 'file: URL'],
    ['options.files[0]', { files: [{}] }],
    ['options.files[0]', { files: ['/'] }, 'root directory'],
    ['options.argv', { argv: '-x' }],
    ['options.argv[1]', { argv: ['a', 5] }],
    ['options.argv[0]', { argv: ['a\0b'] }, 'NUL'],
    ['options.argv[0]', { argv: [loneSurrogate] }, 'surrogate'],
    ['options.argv[0]', { argv: ['x'.repeat(128 * 1024)] }, '131071 bytes'],
    ['options.argv', { argv: Array<string>(20).fill('x'.repeat(100_000)) }, 'at most'],
    ['options.argv[0]', { argv: Array<string>(1) }],
    ['options.env', { env: 'A=1' }],
    ['options.env', { env: null }],
    ['options.env.A', { env: { A: 5 } }],
    ['options.env.A', { env: { A: 'a\0b' } }, 'NUL'],
    ['options.env["A=B"]', { env: { 'A=B': 'c' } }],
    ['options.env[""]', { env: { '': 'c' } }],
    ['options.env["A\\u0000"]', { env: { 'A\0': 'c' } }],
    ['options.env.A', { env: { A: 'x'.repeat(128 * 1024) } }],
    ['options.stdin', { stdin: 5 }],
    ['options.stdin', { stdin: null }],
    ['options.stdin', { stdin: ['a'] }],
    ['options.stdin', { stdin: loneSurrogate }, 'surrogate'],
    ['options.limits', { limits: 5 }],
    ['options.limits.cpu', { limits: { cpu: -1 } }],
    ['options.limits.cpus', { limits: { cpus: 1 } }, 'Did you mean "cpu"?'],
    ['options.limitOverridesContext', { limitOverridesContext: 5 }],
    ['options.slug', { slug: 5 }],
    ['options.tenant', { tenant: 5 }],
    ['options.collect', { collect: '*.png' }],
    ['options.collect[0]', { collect: [''] }],
    ['options.collect[0]', { collect: ['/etc/passwd'] }, 'relative'],
    ['options.collect[1]', { collect: ['a', '../a'] }],
    ['options.collect[0]', { collect: ['a/../../b'] }],
    ['options.collect[0]', { collect: ['a\0'] }],
    ['options.signal', { signal: {} }],
    ['options.signal', { signal: new AbortController() }, 'AbortController'],
    ['options.onStdout', { onStdout: 'print' }],
    ['options.onStderr', { onStderr: {} }],
    ['options.onStdoutText', { onStdoutText: 'utf8' }],
    ['options.onStderrText', { onStderrText: 5 }],
    ['options.onStdoutLine', { onStdoutLine: [] }],
    ['options.onStderrLine', { onStderrLine: null }],
  ]);

  it('denies before it looks at a property of an unknown option', () => {
    const options = {
      get surprise(): never {
        throw new Error('it was read');
      },
    };
    expect(refused(parseJailCodeOptions, options).argument).toBe('options.surprise');
  });

  it('names the option whose getter throws', () => {
    const options = {
      get code(): never {
        throw new Error('no code today');
      },
    };
    const error = refused(parseJailCodeOptions, options);
    expect(error.argument).toBe('options.code');
    expect(error.message).toContain('no code today');
  });

  it('reads each option once: what is checked is what is used', () => {
    let reads = 0;
    const once = <T>(good: T): T => {
      reads++;
      return reads === 1 ? good : (5 as T);
    };
    const options = {
      get argv() {
        return once(['good']);
      },
    };
    expect(parseJailCodeOptions(options).argv).toEqual(['good']);
    expect(reads).toBe(1);
  });

  it('copies arrays, bytes and objects: later changes to them change nothing', () => {
    const argv = ['good'];
    const code = Buffer.from('good');
    const env = { A: 'good' };
    const pair: [string, Buffer] = ['good', Buffer.from('good')];
    const parsed = parseJailCodeOptions({ argv, code, env, extraFiles: [pair] });
    argv[0] = 'bad';
    code.fill('x');
    env.A = 'bad';
    pair[1].fill('x');
    pair[0] = '../bad';
    expect(parsed.argv).toEqual(['good']);
    expect(parsed.code).toEqual(Buffer.from('good'));
    expect(parsed.env).toEqual({ A: 'good' });
    expect(parsed.extraFiles).toEqual([{ name: 'good', content: Buffer.from('good') }]);
  });
});

describe('the options of safeExec', () => {
  it('allows none: the command is python', () => {
    expect(parseSafeExecOptions({})).toEqual({
      command: 'python',
      files: [],
      extraFiles: [],
      cwd: '.',
      pythonPath: [],
      searched: [],
      functions: [],
      limits: {},
      collect: [],
      explain: false,
      argv: [],
      env: {},
    });
  });

  it('copies in what pythonPath names on the host', () => {
    const parsed = parseSafeExecOptions({
      pythonPath: ['/opt/pylib', pathToFileURL('/opt/x.zip')],
    });
    expect(parsed.pythonPath).toEqual(['pylib', 'x.zip']);
    expect(parsed.files).toEqual([
      { path: '/opt/pylib', name: 'pylib', argument: 'options.pythonPath[0]' },
      { path: '/opt/x.zip', name: 'x.zip', argument: 'options.pythonPath[1]' },
    ]);
    expect(parsed.searched).toEqual(parsed.files);
  });

  it('copies in once what files and pythonPath both name', () => {
    const parsed = parseSafeExecOptions({ files: ['/opt/pylib'], pythonPath: ['/opt/pylib'] });
    expect(parsed.pythonPath).toEqual(['pylib']);
    expect(parsed.files).toHaveLength(1);
    expect(parsed.searched).toEqual([]);
  });

  it.each([
    ['a zip file', 'lib.zip', 'lib.zip'],
    ['a directory', 'lib', 'lib/module.py'],
  ])('copies nothing in for %s that extraFiles provides', (_what, entry, written) => {
    const parsed = parseSafeExecOptions({ pythonPath: [entry], extraFiles: [[written, '']] });
    expect(parsed.pythonPath).toEqual([entry]);
    expect(parsed.files).toEqual([]);
  });

  deniesEach(parseSafeExecOptions, [
    ['options', null],
    ['options.python_path', { python_path: [] }, 'Did you mean "pythonPath"?'],
    ['options.code', { code: '' }],
    ['options.argv', { argv: '-x' }],
    ['options.argv', { argv: Array<string>(20).fill('x'.repeat(100_000)) }, 'at most'],
    ['options.env.A', { env: { A: 5 } }],
    ['options.stdin', { stdin: ['a'] }],
    ['options.onStdout', { onStdout: 'print' }],
    ['options.onStderrLine', { onStderrLine: {} }],
    ['options.command', { command: '' }],
    ['options.command', { command: 5 }],
    ['options.pythonPath', { pythonPath: '/opt/pylib' }],
    ['options.pythonPath[0]', { pythonPath: [5] }],
    ['options.pythonPath[0]', { pythonPath: ['/'] }],
    ['options.pythonPath[0]', { files: ['/a/pylib'], pythonPath: ['/b/pylib'] }, 'taken'],
    ['options.pythonPath[0]', { pythonPath: ['/opt/tmp'] }, 'writable directory'],
    ['options.files[0]', { files: ['/opt/jailed_code'] }, 'code itself'],
    ['options.extraFiles[0][0]', { extraFiles: [['jailed_code', '']] }, 'code itself'],
    ['options.limits.cpu', { limits: { cpu: '1' } }],
  ]);
});
