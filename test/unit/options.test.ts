import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import {
  parseCloseOptions,
  parseJailCodeOptions,
  parseSafeExecOptions,
} from '../../lib/options/call';
import { parseCommandName, parseCommandOptions } from '../../lib/options/command';
import { pythonSource } from '../../lib/python/source';
import { InvalidArgumentError } from '../../lib/errors';
import { parseBounds, parseJailOptions } from '../../lib/options/jail';
import { processors } from '../../lib/host/processors';

type Refused = [argument: string, options: unknown, message?: string | RegExp];

const refused = (parse: (options: unknown) => unknown, options: unknown): InvalidArgumentError => {
  try {
    parse(options);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidArgumentError);
    return error as InvalidArgumentError;
  }
  throw new Error('it was not refused');
};

const deniesEach = (parse: (options: unknown) => unknown, cases: Refused[]) => {
  const titled = cases.map(([argument, options, message]) => {
    const given = inspect(options, { maxStringLength: 30, maxArrayLength: 3 });
    return [argument, given, options, message] as const;
  });
  it.each(titled)('denies and names %s given %s', (argument, _given, options, message = '') => {
    const error = refused(parse, options);
    expect(error.argument).toBe(argument);
    expect(error.message.startsWith(`${argument} `)).toBe(true);
    expect(error.message).toMatch(message);
  });
};

async function* lines() {
  yield await Promise.resolve('1\n');
}

const MEBIBYTE = 1024 * 1024;
const WARM_SIZE = Math.min(2 * processors(), 16);
const WARM_DEFAULTS = {
  size: WARM_SIZE,
  lowWater: WARM_SIZE / 2,
  maxWaiting: 100,
  preload: [],
  pythonPath: [],
  rehearsal: pythonSource('rehearsal.py'),
  recycleCells: 10_000,
  recycleSeconds: 3600,
  recycleGrowth: 64 * MEBIBYTE,
  memoryReserve: 256 * MEBIBYTE,
};
const loneSurrogate = 'a\ud800b';

describe('the name of a command', () => {
  it('allows any text', () => {
    expect(parseCommandName('python 3.12')).toBe('python 3.12');
  });

  it.each([undefined, null, 5, '', 'a\0b', loneSurrogate])('denies %j', (value) => {
    expect(refused(parseCommandName, value).argument).toBe('command');
  });
});

describe('the options of a command', () => {
  it('allows a path alone', () => {
    expect(parseCommandOptions('/bin/true')).toStrictEqual({
      bin: '/bin/true',
      readPaths: [],
      env: {},
      warm: false,
      allowExec: false,
    });
  });

  it('allows everything at once', () => {
    const options = {
      bin: '/usr/bin/python3',
      args: ['-I'],
      user: 'sandbox',
      profile: 'codejail//python',
      readPaths: ['/opt/data/', '/opt/data'],
      env: { OPENBLAS_NUM_THREADS: '1' },
      warm: {
        size: 2,
        lowWater: 1,
        maxWaiting: 0,
        preload: ['numpy', 'scipy.linalg'],
        pythonPath: ['/opt/modules'],
        rehearsal: 'import numpy',
        recycleCells: 500,
        recycleSeconds: 60,
        recycleGrowth: 1024 * 1024,
        memoryReserve: 0,
      },
      allowExec: true,
    };
    expect(parseCommandOptions(options)).toEqual({
      ...options,
      readPaths: ['/opt/data'],
    });
  });

  it.each([
    [true, WARM_DEFAULTS],
    [{}, WARM_DEFAULTS],
    [
      { size: 5, preload: ['json'] },
      { ...WARM_DEFAULTS, size: 5, lowWater: 3, preload: ['json'] },
    ],
    [false, false],
    [undefined, false],
  ])('allows warm to be %p', (warm, parsed) => {
    expect(parseCommandOptions({ bin: 'python3', warm }).warm).toEqual(parsed);
  });

  deniesEach(parseCommandOptions, [
    ['options', null],
    ['options', 5],
    ['options', []],
    ['options', ''],
    ['options', '/bin/a\0b', 'NUL'],
    ['options.bin', {}],
    ['options.bin', { bin: '' }],
    ['options.bin', { bin: 5 }],
    ['options.bins', { bin: 'a', bins: 'b' }, 'Did you mean "bin"?'],
    ['options.args', { bin: 'a', args: '-x' }],
    ['options.args[1]', { bin: 'a', args: ['-x', 5] }],
    ['options.args[0]', { bin: 'a', args: ['\0'] }],
    ['options.args', { bin: 'a', args: Array<string>(9).fill('x'.repeat(100_000)) }, 'at most'],
    ['options.user', { bin: 'a', user: '' }],
    ['options.user', { bin: 'a', user: 1000 }],
    ['options.profile', { bin: 'a', profile: '' }],
    ['options.profile', { bin: 'a', profile: 'a\nb' }, 'line break'],
    ['options.readPaths[0]', { bin: 'a', readPaths: ['opt/data'] }, 'absolute'],
    ['options.readPaths[0]', { bin: 'a', readPaths: ['/'] }, 'whole host'],
    ['options.readPaths[0]', { bin: 'a', readPaths: ['/opt/..'] }, 'whole host'],
    ['options.readPaths[1]', { bin: 'a', readPaths: ['/opt', '/proc'] }, '/proc'],
    ['options.readPaths[0]', { bin: 'a', readPaths: ['/opt/../proc/1'] }, '/proc'],
    ['options.readPaths[0]', { bin: 'a', readPaths: ['/sys/kernel'] }, '/sys'],
    ['options.readPaths[0]', { bin: 'a', readPaths: ['/dev//kvm'] }, '/dev'],
    ['options.env', { bin: 'a', env: ['A=1'] }],
    ['options.env.A', { bin: 'a', env: { A: 1 } }],
    ['options.env["A=B"]', { bin: 'a', env: { 'A=B': '1' } }],
    ['options.warm', { bin: 'a', warm: 5 }],
    ['options.warm', { bin: 'a', warm: null }],
    ['options.warm.siz', { bin: 'a', warm: { siz: 1 } }, 'Did you mean "size"?'],
    ['options.warm.size', { bin: 'a', warm: { size: 0 } }],
    ['options.warm.size', { bin: 'a', warm: { size: 1.5 } }],
    ['options.warm.size', { bin: 'a', warm: { size: 1001 } }],
    ['options.warm.lowWater', { bin: 'a', warm: { size: 2, lowWater: 3 } }, 'from 0 to 2'],
    ['options.warm.maxWaiting', { bin: 'a', warm: { maxWaiting: -1 } }],
    ['options.warm.rehearsal', { bin: 'a', warm: { rehearsal: 1 } }],
    ['options.warm.rehearsal', { bin: 'a', warm: { rehearsal: '#'.repeat(16_385) } }, 'at most'],
    ['options.warm.recycleCells', { bin: 'a', warm: { recycleCells: 0 } }],
    ['options.warm.recycleSeconds', { bin: 'a', warm: { recycleSeconds: 0 } }],
    ['options.warm.recycleGrowth', { bin: 'a', warm: { recycleGrowth: 1 } }],
    ['options.warm.memoryReserve', { bin: 'a', warm: { memoryReserve: '1G' } }],
    ['options.warm.preload[0]', { bin: 'a', warm: { preload: ['os; import sys'] } }],
    ['options.warm.pythonPath[0]', { bin: 'a', warm: { pythonPath: ['lib'] } }],
    ['options.warm.pythonPath[0]', { bin: 'a', warm: { pythonPath: ['/tmp/lib'] } }, 'below /tmp'],
    ['options.allowExec', { bin: 'a', allowExec: 'yes' }],
  ]);

  it('allows readPaths that only begin like a directory of the kernel', () => {
    expect(parseCommandOptions({ bin: 'a', readPaths: ['/device', '/procs'] }).readPaths).toEqual([
      '/device',
      '/procs',
    ]);
  });
});

describe('the options of a jail', () => {
  it.each([undefined, {}])('allows none (%p)', (options) => {
    expect(parseJailOptions(options ?? {})).toStrictEqual({
      defaults: 'own',
      allowMissing: [],
      alwaysBeUnsafe: false,
      cgroup: 'auto',
      uidPool: undefined,
      bounds: { maxRunning: undefined, maxQueue: undefined, maxWaitMs: undefined },
      commands: new Map(),
      limits: {},
      logger: undefined,
    });
  });

  it('allows everything at once', () => {
    const logger = jest.fn();
    const parsed = parseJailOptions({
      allowMissing: ['disk', 'disk'],
      alwaysBeUnsafe: true,
      uidPool: { first: 2_000_000_000, count: 64 },
      commands: { python: '/usr/bin/python3', ruby: { bin: '/usr/bin/ruby' } },
      limits: { cpu: 2 },
      maxRunning: 3,
      maxQueue: 0,
      maxWaitMs: 500,
      logger,
    });
    expect(parsed.bounds).toEqual({ maxRunning: 3, maxQueue: 0, maxWaitMs: 500 });
    expect(parsed.allowMissing).toEqual(['disk']);
    expect(parsed.uidPool).toEqual({ first: 2_000_000_000, count: 64 });
    expect([...parsed.commands.keys()]).toEqual(['python', 'ruby']);
    expect(parsed.commands.get('ruby')?.bin).toBe('/usr/bin/ruby');
    expect(parsed.limits).toEqual({ cpu: 2 });
    expect(parsed.logger).toBe(logger);
  });

  deniesEach(parseJailOptions, [
    ['options', 'python'],
    ['options.limit', { limit: {} }, 'Did you mean "limits"?'],
    ['options.allowMissing', { allowMissing: 'disk' }],
    ['options.allowMissing', { allowMissing: true }],
    ['options.allowMissing[1]', { allowMissing: ['disk', 'disks'] }, 'Did you mean "disk"?'],
    ['options.allowMissing[0]', { allowMissing: ['all'] }, 'There are: files, metadata, network'],
    ['options.alwaysBeUnsafe', { alwaysBeUnsafe: 1 }],
    ['options.uidPool', { uidPool: 5 }],
    ['options.uidPool.first', { uidPool: { first: 0, count: 1 } }],
    ['options.uidPool.first', { uidPool: { count: 1 } }],
    ['options.uidPool.count', { uidPool: { first: 1000 } }],
    ['options.uidPool.count', { uidPool: { first: 1000, count: 0 } }],
    ['options.uidPool.count', { uidPool: { first: 1000, count: 1.5 } }],
    ['options.uidPool', { uidPool: { first: 4_294_967_294, count: 2 } }, 'last user id'],
    ['options.uidPool', { uidPool: { first: 4_294_900_000, count: 40_000 } }, 'their launchers'],
    ['options.uidPool.last', { uidPool: { first: 1000, count: 1, last: 2 } }],
    ['options.commands', { commands: ['python'] }],
    ['options.commands.python', { commands: { python: 5 } }],
    ['options.commands.python.bin', { commands: { python: { bin: '' } } }],
    ['options.commands["my python"].bin', { commands: { 'my python': {} } }],
    ['options.commands[""]', { commands: { '': '/bin/true' } }],
    ['options.limits.cpu', { limits: { cpu: -1 } }],
    ['options.logger', { logger: console }],
    ['options.maxRunning', { maxRunning: 0 }],
    ['options.maxRunning', { maxRunning: null }],
    ['options.maxQueue', { maxQueue: -1 }],
    ['options.maxQueue', { maxQueue: Infinity }],
    ['options.maxWaitMs', { maxWaitMs: 2 ** 31 }, 'from 0 to 2147483647'],
    ['options.maxrunning', { maxrunning: 1 }, 'Did you mean "maxRunning"?'],
  ]);
});

describe('the bounds of a jail', () => {
  it('allows any of them, and null for its default', () => {
    expect(parseBounds({})).toEqual({});
    expect(parseBounds({ maxRunning: 4, maxQueue: undefined, maxWaitMs: null })).toEqual({
      maxRunning: 4,
      maxWaitMs: null,
    });
  });

  deniesEach(
    (bounds) => parseBounds(bounds),
    [
      ['bounds', undefined],
      ['bounds', 4],
      ['bounds.maxRunning', { maxRunning: '4' }],
      ['bounds.maxQueue', { maxQueue: 1.5 }],
      ['bounds.maxwaitms', { maxwaitms: 1 }, 'Did you mean "maxWaitMs"?'],
    ],
  );
});

describe('the options of close', () => {
  it('allows none, and a drain with or without an end', () => {
    expect(parseCloseOptions()).toBeUndefined();
    expect(parseCloseOptions({ drain: false })).toBeUndefined();
    expect(parseCloseOptions({ drain: true })).toStrictEqual({});
    expect(parseCloseOptions({ drain: true, timeoutMs: 0 })).toEqual({ timeoutMs: 0 });
  });

  deniesEach(
    (options) => parseCloseOptions(options),
    [
      ['options', 5000],
      ['options.drain', { drain: 1 }],
      ['options.timeoutMs', { drain: true, timeoutMs: -1 }],
      ['options.timeoutMs', { timeoutMs: 1000 }, 'drain'],
    ],
  );
});

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
