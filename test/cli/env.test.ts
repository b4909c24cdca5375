// `codejail env`: Python environments for jails. Nothing here needs a network.
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { codejail, ending, start } from '../support/command-line';
import { useSuite } from '../support/suite';

const suite = useSuite();
jest.setTimeout(120_000);

const tinyExample: unknown = expect.stringMatching(/^tiny[-_]example$/);

const hasVenv = (() => {
  try {
    execFileSync('python3', ['-I', '-c', 'import venv, ensurepip'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

// A wheel is a zip file with a list of itself.
const MAKE_WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1] + "/tiny_example-1.2-py3-none-any.whl", "w") as wheel:
    wheel.writestr("tiny_example.py", "answer = 42")
    info = "tiny_example-1.2.dist-info/"
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: tiny-example\\nVersion: 1.2\\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(info + "RECORD", "tiny_example.py,,\\n" + "".join(info + n + ",,\\n" for n in ("METADATA", "WHEEL", "RECORD")))
`;

async function env(...words: string[]) {
  return codejail(['env', ...words], { cwd: suite.folder });
}

const whereVenv = hasVenv ? it : it.skip;

describe(`codejail env${hasVenv ? '' : ' (python3-venv is missing here)'}`, () => {
  whereVenv('makes an environment, fills it, lists it; a jail then has its packages', async () => {
    const directory = join(suite.folder, 'grader');
    const before = process.umask(0o077);
    const made = await env('create', 'grader').finally(() => process.umask(before));
    expect(made.stderr).toBe('');
    expect(made.stdout).toContain(`Made the Python environment ${directory}`);
    expect(made.status).toBe(0);
    // A jail's uid is another one than ours.
    expect(statSync(join(directory, 'lib')).mode & 0o005).toBe(0o005);

    execFileSync('python3', ['-c', MAKE_WHEEL, suite.folder]);
    const installed = await env(
      ...['install', '--in', 'grader', 'tiny-example', '--'],
      ...['--no-index', '--find-links', suite.folder],
    );
    expect(installed.stdout).toBe(`Installed into ${directory}\n`);
    expect(installed.status).toBe(0);

    expect((await env('list', 'grader')).stdout).toMatch(/^tiny[-_]example +1\.2$/m);
    const { stdout } = await env('list', 'grader', '--json');
    expect(JSON.parse(stdout)).toContainEqual({
      name: tinyExample,
      version: '1.2',
    });

    const run = await codejail(
      [
        ...['run', '--realtime', '25', '--cpu', '15', '--python', 'grader', '-c'],
        'import sys, tiny_example; print(tiny_example.answer, sys.prefix)',
      ],
      { cwd: suite.folder },
    );
    expect(run).toMatchObject({ status: 0, stderr: '', stdout: `42 ${directory}\n` });

    const again = await env('create', 'grader');
    expect(again.status).toBe(0);
    expect(again.stdout).toContain('is there already: nothing was changed');
  });

  whereVenv('puts it beside the project, where jails find it by themselves', async () => {
    suite.file('project/package.json', '{}');
    const cwd = join(suite.folder, 'project');
    const made = await codejail(['env', 'create'], { cwd });
    expect(made).toMatchObject({ status: 0, stderr: '' });
    const code = 'import sys; print(sys.prefix)';
    const { stdout } = await codejail(['run', '--realtime', '25', '-c', code], {
      cwd,
      env: { CODEJAIL_TEST_VENV: '' },
    });
    expect(stdout).toBe(`${join(suite.folder, 'project-sandbox')}\n`);
  });

  whereVenv('says that pip failed, after what pip said', async () => {
    await env('create', 'grader');
    const words = ['install', '--in', 'grader', 'no-such-package', '--', '--no-index'];
    const { status, stdout, stderr } = await env(...words);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('No matching distribution');
    expect(stderr).toContain('codejail: pip could not install');
  });

  whereVenv('makes one anew whose making was ended half-way', async () => {
    const directory = join(suite.folder, 'grader');
    const half = start(['env', 'create', 'grader'], { cwd: suite.folder });
    while (!existsSync(join(directory, 'bin'))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    half.kill('SIGKILL');
    await ending(half);
    expect((await env('list', 'grader')).stderr).toContain('was not finished');
    const made = await env('create', 'grader');
    expect(made.stdout).toContain(`Made the Python environment ${directory}`);
    expect((await env('list', 'grader')).stdout).toMatch(/^pip +/m);
    expect((await env('create', 'grader')).stdout).toContain('is there already');
  });

  it('says what to install where Python has no venv, and leaves nothing', async () => {
    const python = suite.file(
      'python3',
      '#!/bin/sh\necho "ModuleNotFoundError: No module named \'ensurepip\'" >&2; exit 1',
      0o755,
    );
    const { status, stderr } = await env('create', 'grader', '--python', python);
    expect(status).toBe(1);
    expect(stderr).toContain("No module named 'ensurepip'");
    expect(stderr).toContain('apt-get install -y python3-venv');
    expect(existsSync(join(suite.folder, 'grader'))).toBe(false);
  });

  it('says that there is no such Python', async () => {
    const { status, stderr } = await env('create', 'grader', '--python', 'python-of-nobody');
    expect([status, stderr]).toEqual([1, 'codejail: there is no python-of-nobody on this host\n']);
  });

  it('touches no directory that holds something else', async () => {
    suite.file('taken/file');
    const { status, stderr } = await env('create', 'taken');
    expect(status).toBe(1);
    expect(stderr).toContain('neither empty nor a Python environment');
  });

  it.each([
    [['install', '--in', 'missing', 'numpy'], 1, 'Make it first: codejail env create'],
    [['list', 'missing'], 1, 'is no Python environment'],
    [['install'], 64, 'name a package'],
    [['create'], 64, 'name the directory'],
  ])('explains %j', async (words, status, said) => {
    const ended = await env(...words);
    expect(ended.stderr).toContain(said);
    expect(ended.status).toBe(status);
  });
});
