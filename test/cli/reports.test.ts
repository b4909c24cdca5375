// `codejail doctor` and `codejail verify`, and what is common to all commands.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GUARANTEE_NAMES } from '../../lib/guarantee-names';
import { CODEJAIL, codejail, ending } from '../support/command-line';
import { watchLeftovers } from '../support/leftovers';

watchLeftovers();

const text: unknown = expect.any(String);
const texts: unknown = expect.arrayContaining([text]);
const withSeccomp: unknown = expect.arrayContaining(['seccomp']);
const mountCheck: unknown = expect.arrayContaining([
  { guarantee: 'kernel', check: 'mount', held: true, seen: text },
]);

describe('codejail doctor', () => {
  it('lists every guarantee and what serves it', async () => {
    const { status, stdout, stderr } = await codejail(['doctor']);
    expect([status, stderr]).toEqual([0, '']);
    for (const name of GUARANTEE_NAMES) {
      expect(stdout).toMatch(new RegExp(`✓ ${name} `));
    }
    expect(stdout).toContain('seccomp');
    expect(stdout).toContain('Every guarantee holds');
    expect(stdout).not.toContain('\x1b');
  });

  it('says that nothing runs here, and what cures it, where something answers system calls already', async () => {
    const wrapper = join(__dirname, '..', 'support', 'listened_to.py');
    const child = spawn('python3', [wrapper, process.execPath, CODEJAIL, 'doctor'], {
      env: { ...process.env, NO_COLOR: '1' },
    });
    const { status, stdout } = await ending(child);
    expect(stdout).toContain('step "install the seccomp filter" failed (EBUSY in seccomp)');
    expect(stdout).toContain('run outside of it, or allow the command to execute programs');
    expect(stdout).toContain('No jail could be made at all');
    expect(status).toBe(1);
  });

  it('gives the same as JSON', async () => {
    const { status, stdout } = await codejail(['doctor', '--json']);
    const report = JSON.parse(stdout) as { guarantees: { guarantee: string }[] };
    expect(status).toBe(0);
    expect(report).toMatchObject({ confined: true, canBeGivenUp: true, kernel: text });
    expect(report.guarantees.map(({ guarantee }) => guarantee)).toEqual(GUARANTEE_NAMES);
    expect(report.guarantees[0]).toEqual({
      guarantee: 'files',
      cannot: text,
      servedBy: texts,
      missing: null,
    });
  });
});

describe('codejail verify', () => {
  it('lists what was tried in the jail of the Python', async () => {
    const { status, stdout } = await codejail(['verify']);
    expect(stdout).toMatch(/✓ files +read \/etc\/passwd/);
    expect(stdout).toMatch(/held against all \d+ attempts/);
    expect(status).toBe(0);
  });

  it('takes another program, and gives JSON', async () => {
    const { status, stdout } = await codejail(['verify', 'sort', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      confined: true,
      confinement: withSeccomp,
      missing: [],
      checks: mountCheck,
    });
  });

  it('says what is missing by status 1', async () => {
    const { status, stdout } = await codejail(['verify', '--profile', 'no-such-profile']);
    expect(stdout).toContain('cure:');
    expect(status).toBe(1);
  });

  it('refuses a program and a Python together', async () => {
    const { status, stderr } = await codejail(['verify', '--python', '/usr', 'sort']);
    expect([status, stderr]).toEqual([
      64,
      'codejail: give either a program or --python, not both\n',
    ]);
  });
});

describe('every command', () => {
  it.each([[], ['run'], ['doctor'], ['verify'], ['env'], ['env', 'create'], ['env', 'install']])(
    'has help: %s %s',
    async (...words) => {
      const { status, stdout, stderr } = await codejail([...words, '--help']);
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toContain(`Usage: codejail ${words.join(' ')}`.trim());
    },
  );

  it('says its version', async () => {
    const manifest = readFileSync(join(__dirname, '../../package.json'), 'utf8');
    const { stdout } = await codejail(['--version']);
    expect(stdout.trim()).toBe((JSON.parse(manifest) as { version: string }).version);
  });

  it('says what was probably meant', async () => {
    const { status, stderr } = await codejail(['docter']);
    expect(status).toBe(64);
    expect(stderr).toContain('Did you mean doctor?');
  });

  it.each([
    ['FORCE_COLOR', { FORCE_COLOR: '1' }, true],
    ['NO_COLOR over FORCE_COLOR', { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
    ['neither, on a pipe', {}, false],
    ['neither, on a pipe, in CI', { CI: 'true' }, false],
  ])('follows %s', async (_name, env, coloured) => {
    const { stdout } = await codejail(['doctor'], { env });
    expect(stdout.includes('\x1b[')).toBe(coloured);
  });

  it('is silent when its reader has seen enough', async () => {
    const shell = spawn('sh', ['-c', `"$0" "${CODEJAIL}" verify | head -1`, process.execPath], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    shell.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    await once(shell, 'close');
    expect(stderr).toBe('');
  });
});
