// `codejail doctor --fix`, where a command cures what is missing: a package that others may write.
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codejail, ending, type Ended } from '../support/command-line';
import { watchLeftovers } from '../support/leftovers';

const root = join(__dirname, '../..');
watchLeftovers();

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'fix-'));
  for (const part of [
    'dist',
    'package.json',
    'node_modules/commander',
    'node_modules/picocolors',
  ]) {
    cpSync(join(root, part), join(home, part), { recursive: true });
  }
  cpSync(join(root, 'build/Release'), join(home, 'build/Release'), {
    recursive: true,
    filter: (path) => !path.includes('obj.target'),
  });
  chmodSync(join(home, 'dist/python'), 0o777);
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

const isCured = (): boolean => (statSync(join(home, 'dist/python')).mode & 0o022) === 0;

const words = (...more: string[]): string[] => [
  process.execPath,
  join(home, 'dist/cli/codejail.js'),
  'doctor',
  '--fix',
  ...more,
];

async function doctor(...more: string[]): Promise<Ended> {
  const [program = '', ...args] = words(...more);
  const child = spawn(program, args, { env: { ...process.env, NO_COLOR: '1' } });
  child.stdin.end();
  return ending(child);
}

/** The same on a terminal, where this is typed when it asks. */
async function onTerminal(answer: string): Promise<Ended> {
  const child = spawn('script', ['-qec', words().join(' '), '/dev/null'], {
    env: { ...process.env, NO_COLOR: '1' },
  });
  let seen = '';
  let answered = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
    const asked = seen.split('[y/N]').length - 1;
    for (; answered < asked; answered += 1) child.stdin.write(`${answer}\n`);
  });
  return ending(child);
}

it('types nothing where there is no terminal to ask on, and says what it would', async () => {
  const { status, stdout } = await doctor();
  expect(status).toBe(1);
  expect(stdout).toContain(`chown -R ${process.getuid!()} `);
  expect(stdout).toContain('not typed: there is no terminal to ask on; --yes types it');
  expect(isCured()).toBe(false);
});

it('types it with --yes, and looks again', async () => {
  const { status, stdout } = await doctor('--yes');
  expect(stdout).toContain('No jail could be made at all');
  expect(stdout).toMatch(/chmod -R go-w \S+\n[^]*Every guarantee holds/);
  expect(status).toBe(0);
  expect(isCured()).toBe(true);
});

it.each(['n', '', 'yes please'])('types nothing where the answer is "%s"', async (answer) => {
  const { status, stdout } = await onTerminal(answer);
  expect(stdout).toContain('Type it? [y/N]');
  expect(stdout).toContain('not typed');
  expect(status).toBe(1);
  expect(isCured()).toBe(false);
});

it('types what is agreed to, one after the other', async () => {
  const { status, stdout } = await onTerminal('y');
  expect(stdout.split('[y/N]')).toHaveLength(3);
  expect(stdout).toContain('Every guarantee holds');
  expect(status).toBe(0);
  expect(isCured()).toBe(true);
});

it('refuses options that make no sense together', async () => {
  expect((await codejail(['doctor', '--yes'])).status).toBe(64);
  expect((await codejail(['doctor', '--fix', '--json'])).status).toBe(64);
});

it('has nothing to do where every guarantee holds', async () => {
  const { status, stdout } = await codejail(['doctor', '--fix', '--yes']);
  expect(status).toBe(0);
  expect(stdout.match(/Every guarantee holds/g)).toHaveLength(1);
});
