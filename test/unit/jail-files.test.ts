import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError } from '../../lib/errors';
import { parseJailCodeOptions } from '../../lib/options/call';
import { checkFiles } from '../../lib/options/files';

const refused = (options: unknown): InvalidArgumentError => {
  try {
    parseJailCodeOptions(options);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidArgumentError);
    return error as InvalidArgumentError;
  }
  throw new Error('it was not refused');
};

const named = (...names: string[]) => names.map((name) => [name, ''] as const);
const namesOf = (options: unknown) => parseJailCodeOptions(options).extraFiles.map((f) => f.name);

const LONGEST = `${'x'.repeat(200)}/`.repeat(20) + 'y'.repeat(52);

describe('extraFiles', () => {
  it('allows an array, a Map and a generator of pairs', () => {
    const pairs = [
      ['a', 'one'],
      ['b', 'two'],
    ] as const;
    function* generator() {
      yield* pairs;
    }
    for (const extraFiles of [pairs, new Map(pairs), generator()]) {
      expect(namesOf({ extraFiles })).toEqual(['a', 'b']);
    }
  });

  it.each([
    'a',
    'a/b/c.txt',
    '.hidden',
    '...',
    'a b',
    'ü',
    'tmpfile',
    'a/tmp',
    'x'.repeat(255),
    LONGEST,
  ])('allows the name %j', (name) => {
    expect(namesOf({ extraFiles: named(name) })).toEqual([name]);
  });

  it.each([
    '',
    '/etc/passwd',
    '..',
    '../a',
    'a/../b',
    'a/..',
    '.',
    './a',
    'a/./b',
    'a//b',
    'a/',
    'a\0b',
    'a\ud800',
    'x'.repeat(256),
    'ü'.repeat(128),
    `${LONGEST}x`,
    'tmp',
    'tmp/',
    'tmp/../a',
  ])('denies the name %j', (name) => {
    expect(refused({ extraFiles: named('good', name) }).argument).toBe('options.extraFiles[1][0]');
  });

  it.each([5, null, undefined, {}, Buffer.from('a')])('denies %p as a name', (name) => {
    expect(refused({ extraFiles: [[name, '']] }).argument).toBe('options.extraFiles[0][0]');
  });

  it.each([5, null, undefined, {}, [], 'a\ud800', new Uint16Array(1), new ArrayBuffer(1)])(
    'denies %p as content',
    (content) => {
      expect(refused({ extraFiles: [['a', content]] }).argument).toBe('options.extraFiles[0][1]');
    },
  );

  it.each([['c'], [null], [5], [[]], [{ permissions: 1 }], [{ mode: '755' }], [{ mode: 0o1000 }]])(
    'denies %p as attributes',
    (attributes) => {
      expect(refused({ extraFiles: [['a', 'b', attributes]] }).argument).toMatch(
        /^options\.extraFiles\[0\]\[2\]/,
      );
    },
  );

  it.each([['ab'], [['a']], [['a', 'b', {}, 'd']], [null], [5], [{ name: 'a' }]])(
    'denies %p as a pair',
    (pair) => {
      expect(refused({ extraFiles: [['good', ''], pair] }).argument).toBe('options.extraFiles[1]');
    },
  );

  it.each(['ab', 5, null, {}, { a: 'b' }])('denies %p in place of an iterable', (extraFiles) => {
    expect(refused({ extraFiles }).argument).toBe('options.extraFiles');
  });

  it('denies an iterable without an end', () => {
    function* endless() {
      for (let index = 0; ; index++) yield [`f${index}`, ''];
    }
    expect(refused({ extraFiles: endless() }).message).toContain('100000');
  });
});

describe('names in the jail', () => {
  it.each([
    ['the same name twice', ['a', 'a']],
    ['a file below a file', ['a', 'a/b']],
    ['a file that is a directory already', ['a/b', 'a']],
    ['a file below a file, further down', ['a/b', 'a/b/c/d']],
    ['a file that is a directory further up', ['a/b/c/d', 'a/b']],
  ])('denies %s among extraFiles', (_what, names) => {
    const error = refused({ extraFiles: named(...names) });
    expect(error.argument).toBe('options.extraFiles[1][0]');
    expect(error.message).toContain('options.extraFiles[0][0]');
  });

  it('allows several files in one directory', () => {
    expect(namesOf({ extraFiles: named('a/b', 'a/c', 'a/d/e', 'ab') })).toHaveLength(4);
  });

  it.each([['data.txt'], ['data.txt/below']])(
    'denies the extra file %s beside a file of that name',
    (name) => {
      const error = refused({ files: ['/opt/data.txt'], extraFiles: named(name) });
      expect(error.argument).toBe('options.extraFiles[0][0]');
      expect(error.message).toContain('options.files[0]');
    },
  );

  it('denies two files of one name', () => {
    const error = refused({ files: ['/opt/a/data.txt', '/opt/b/data.txt'] });
    expect(error.argument).toBe('options.files[1]');
    expect(error.message).toContain('options.files[0]');
  });

  it('allows one file twice', () => {
    expect(parseJailCodeOptions({ files: ['/opt/a', '/opt/./a/'] }).files).toHaveLength(1);
  });

  it('denies a file called tmp', () => {
    expect(refused({ files: ['/var/tmp'] }).argument).toBe('options.files[0]');
  });

  it('denies jailed_code where there is code', () => {
    expect(refused({ code: '1', extraFiles: named('jailed_code') }).argument).toBe(
      'options.extraFiles[0][0]',
    );
    expect(refused({ code: '1', extraFiles: named('jailed_code/a') }).argument).toBe(
      'options.extraFiles[0][0]',
    );
    expect(refused({ code: '1', files: ['/opt/jailed_code'] }).argument).toBe('options.files[0]');
  });

  it('allows jailed_code where there is no code', () => {
    expect(namesOf({ extraFiles: named('jailed_code') })).toEqual(['jailed_code']);
  });

  it('takes a file by the name of its absolute path', () => {
    const [file] = parseJailCodeOptions({ files: ['lib/'] }).files;
    expect(file).toMatchObject({ path: join(process.cwd(), 'lib'), name: 'lib' });
  });
});

describe('checkFiles', () => {
  let directory: string;
  const file = (name: string) => ({
    path: join(directory, name),
    name,
    argument: 'options.files[0]',
  });

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'check-files-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('allows regular files, directories and symbolic links, dangling ones too', async () => {
    writeFileSync(join(directory, 'file'), '');
    mkdirSync(join(directory, 'directory'));
    symlinkSync('/nowhere', join(directory, 'link'));
    await expect(
      checkFiles([file('file'), file('directory'), file('link')]),
    ).resolves.toBeUndefined();
  });

  it('denies a file that is not there, naming the argument and the path', async () => {
    const error: unknown = await checkFiles([file('missing')]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error).toMatchObject({ argument: 'options.files[0]' });
    expect((error as Error).message).toContain('does not exist');
    expect((error as Error).message).toContain(join(directory, 'missing'));
  });

  it('denies a path that leads through a file', async () => {
    writeFileSync(join(directory, 'file'), '');
    await expect(checkFiles([file('file/below')])).rejects.toThrow('does not exist');
  });

  it('denies a FIFO, which would never end', async () => {
    execFileSync('mkfifo', [join(directory, 'fifo')]);
    await expect(checkFiles([file('fifo')])).rejects.toThrow('regular file');
  });

  it('denies a device', async () => {
    await expect(
      checkFiles([{ path: '/dev/null', name: 'null', argument: 'options.files[0]' }]),
    ).rejects.toThrow('regular file');
  });
});
