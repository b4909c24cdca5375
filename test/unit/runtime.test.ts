import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isWithin } from '../../lib/text/is-within';
import { find } from '../support/runtime';

const PYTHON = '/usr/bin/python3';

let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'runtime-')));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function executable(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

async function refusal(bin: string, readPaths: string[] = []): Promise<unknown> {
  return find(bin, { readPaths, argument: 'commands.x.bin' }).catch((error: unknown) => error);
}

describe('discoverRuntime', () => {
  it('shows a binary, the libraries and nothing that is anybody’s own', async () => {
    const { program, prefix, python, view } = await find('/bin/true');
    expect({ program, prefix, python }).toEqual({
      program: '/bin/true',
      prefix: [],
      python: false,
    });
    const shows = (path: string): boolean => view.binds.some((bind) => isWithin(path, bind));
    expect(shows(realpathSync('/bin/true'))).toBe(true);
    for (const path of [
      '/',
      '/etc/passwd',
      '/root',
      '/home',
      '/usr/bin/env',
      '/proc',
      '/sys',
      '/run',
      '/tmp',
      '/var',
      '/usr/local/bin',
    ]) {
      expect([path, shows(path)]).toEqual([path, false]);
    }
  });

  it.each(['/sys', '/proc', '/dev', '/', '/sys/kernel', '/proc/self/root'])(
    'refuses to show %s by a link, or by a link on the way',
    async (target) => {
      symlinkSync(target, join(folder, 'first'));
      symlinkSync('first', join(folder, 'second'));
      symlinkSync('/', join(folder, 'root'));
      for (const name of ['first', 'second', `root/${target}`]) {
        await expect(find('/bin/true', { readPaths: [join(folder, name)] })).rejects.toMatchObject({
          code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
          message: expect.stringContaining('must not be') as string,
        });
      }
    },
  );

  it('never shows one tree twice', async () => {
    const { view } = await find(PYTHON, { readPaths: ['/usr/lib', '/usr/lib/os-release'] });
    for (const bind of view.binds) {
      expect(view.binds.filter((other) => isWithin(bind, other))).toEqual([bind]);
    }
  });

  it('finds a name in PATH', async () => {
    const { program } = await find('true');
    expect(program).toMatch(/^\/.*\/true$/);
  });

  it('asks a Python for its modules', async () => {
    const { python, view } = await find(PYTHON);
    expect(python).toBe(true);
    const modules = execFileSync(PYTHON, ['-c', 'import os; print(os.path.realpath(os.__file__))']);
    expect(view.binds.some((bind) => isWithin(modules.toString().trim(), bind))).toBe(true);
  });

  it('keeps the link of a virtual environment, and shows the environment', async () => {
    const environment = join(folder, 'environment');
    execFileSync(PYTHON, ['-m', 'venv', '--without-pip', environment]);
    const bin = join(environment, 'bin', 'python');
    const { program, python, view } = await find(bin);
    expect({ program, python }).toEqual({ program: bin, python: true });
    expect(view.binds.some((bind) => isWithin(join(environment, 'lib'), bind))).toBe(true);
  });

  it('follows a shim of a Python to the binary behind it', async () => {
    const shim = executable('python3', `#!/bin/sh\nexec ${PYTHON} "$@"\n`);
    const { program, python } = await find(shim);
    expect(python).toBe(true);
    expect(realpathSync(program)).toBe(realpathSync(PYTHON));
  });

  it.each([
    ['#!/bin/sh', '/bin/sh', []],
    ['#! /bin/sh -e', '/bin/sh', ['-e']],
    ['#!/usr/bin/env sh', null, []],
  ] as const)('starts a script %j by its interpreter', async (line, interpreter, options) => {
    const script = executable('script', `${line}\necho hello\n`);
    const { program, prefix } = await find(script);
    if (interpreter === null) {
      expect(program).toMatch(/\/sh$/);
    } else {
      expect(program).toBe(interpreter);
    }
    expect(prefix).toEqual([...options, script]);
  });

  it('shows /bin where that leads to what is shown, and to nothing else', async () => {
    const isMerged = lstatSync('/bin').isSymbolicLink();
    const linked = async (readPaths: string[]): Promise<boolean> =>
      (await find(realpathSync('/bin/true'), { readPaths })).view.links.some(
        ({ path }) => path === '/bin',
      );
    expect(await linked(['/usr/bin'])).toBe(isMerged);
    expect(await linked(['/usr/share'])).toBe(false);
  });

  it('shows more of the host where it is told to, with the links that lead there', async () => {
    mkdirSync(join(folder, 'data'));
    symlinkSync('data', join(folder, 'link'));
    const { view } = await find('/bin/true', { readPaths: [join(folder, 'link')] });
    expect(view.binds).toContain(join(folder, 'data'));
    expect(view.links).toContainEqual({ path: join(folder, 'link'), target: 'data' });
  });

  it.each<[string, () => string, RegExp]>([
    ['a path that is missing', () => join(folder, 'missing'), /can't be used: ENOENT/],
    ['a directory', () => folder, /not an executable file/],
    ['a name that is not in PATH', () => 'no-such-program-here', /which is not in PATH/],
    ['a relative path', () => './true', /must be an absolute path or a name in PATH/],
    [
      'a broken Python',
      () => executable('python3.99', '#!/bin/sh\nexit 3\n'),
      /does not run as a Python/,
    ],
  ])('rejects %s, naming the argument', async (_name, bin, problem) => {
    const error = await refusal(bin());
    expect(error).toMatchObject({
      code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
      argument: 'commands.x.bin',
    });
    expect((error as Error).message).toMatch(problem);
  });

  it('rejects a program below a directory that is closed to this user, naming the directory', async () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed);
    const path = executable('closed/python3', '#!/bin/sh\n');
    chmodSync(folder, 0o755);
    chmodSync(closed, 0);
    const isRoot = process.geteuid?.() === 0;
    // To root no directory is closed.
    if (isRoot) process.seteuid?.(65_534);
    try {
      expect(String(await refusal(path))).toContain(
        `the directory ${closed} is closed to this process's user`,
      );
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(closed, 0o755);
    }
  });

  it('rejects a file that is not executable', async () => {
    const path = executable('plain', 'text');
    chmodSync(path, 0o644);
    expect(await refusal(path)).toMatchObject({ argument: 'commands.x.bin' });
  });

  it('rejects a path to show that is missing, naming which', async () => {
    expect(await refusal('/bin/true', ['/usr/lib', join(folder, 'missing')])).toMatchObject({
      code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
      argument: 'commands.x.readPaths[1]',
    });
  });
});
