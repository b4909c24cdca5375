// Ordinary programs in other languages, with the result that they have outside of a jail.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CommandOptions } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { PROGRAMS, program } from '../support/programs';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

const MEBIBYTE = 1024 * 1024;
const LIMITS = {
  realtime: 60,
  cpu: 40,
  fsize: 8 * MEBIBYTE,
  nproc: 80,
  memory: 1024 * MEBIBYTE,
};

type Command = CommandOptions & { readonly bin: string };

interface Language {
  readonly name: string;
  /** What has to be in PATH. */
  readonly needs: string;
  readonly file: string;
  /** Makes of the file what is run; without it, what is needed runs the file. `folder` is the test's own. */
  readonly build?: (file: string, folder: string) => Command;
  /** What else its interpreter is configured with. */
  readonly options?: Partial<CommandOptions>;
}

function build(compiler: string, ...flags: readonly string[]) {
  return (file: string, folder: string): Command => {
    const bin = join(folder, 'program');
    const env = { ...process.env, GO111MODULE: 'off', GOCACHE: join(folder, 'cache') };
    const stdio = ['ignore', 'ignore', 'inherit'] as const;
    execFileSync(compiler, [...flags, '-o', bin, file], { env, stdio: [...stdio] });
    return { bin };
  };
}

function buildJava(file: string, folder: string): Command {
  const classes = join(folder, 'classes');
  execFileSync('javac', ['-d', classes, file]);
  // Debian has links to a JDK's settings, which are below /etc.
  const javac = execFileSync('sh', ['-c', 'command -v javac'], { encoding: 'utf8' }).trim();
  const conf = join(dirname(realpathSync(javac)), '../conf');
  const settings = dirname(realpathSync(join(conf, 'security/java.security')));
  return {
    bin: 'java',
    args: ['-Xmx128m', '-cp', classes, 'Breadth'],
    readPaths: [classes, settings],
  };
}

const LANGUAGES: readonly Language[] = [
  { name: 'C', needs: 'gcc', file: 'breadth.c', build: build('gcc', '-O1', '-pthread') },
  { name: 'C++', needs: 'g++', file: 'breadth.cc', build: build('g++', '-std=c++17', '-pthread') },
  { name: 'Go', needs: 'go', file: 'breadth.go', build: build('go', 'build') },
  { name: 'Java', needs: 'javac', file: 'Breadth.java', build: buildJava },
  { name: 'Ruby', needs: 'ruby', file: 'breadth.rb' },
  { name: 'Perl', needs: 'perl', file: 'breadth.pl' },
  { name: 'Lua', needs: 'lua5.4', file: 'breadth.lua' },
  {
    name: 'Bash, and what it starts',
    needs: 'bash',
    file: 'breadth.sh',
    options: { allowExec: true, readPaths: ['/usr/bin', '/bin'] },
  },
  { name: 'Node', needs: 'node', file: 'breadth.mjs' },
];

function inPath(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

describe('ordinary programs', () => {
  for (const { name, needs, file, build: make, options = {} } of LANGUAGES) {
    const lacking = inPath(needs) ? '' : ` (needs ${needs})`;
    (lacking === '' ? it : it.skip)(
      `supports ${name}${lacking}`,
      async () => {
        const folder = realpathSync(suite.folder);
        chmodSync(folder, 0o755);
        mkdirSync(join(folder, 'tmp'));
        const source = join(PROGRAMS, file);
        const command = make?.(source, folder) ?? { bin: needs, ...options };
        const words = make === undefined ? [source] : [...(command.args ?? [])];
        const free = spawnSync(command.bin, words, { cwd: folder, encoding: 'utf8' });
        expect([free.status, free.stderr]).toEqual([0, '']);

        suite.jail.configure('it', { ...command, args: make === undefined ? [] : words });
        const result = await suite.jail.jailCode('it', {
          ...(make === undefined ? { extraFiles: [[file, program(file)]], argv: [file] } : {}),
          limits: LIMITS,
          env: { PATH: '/usr/bin:/bin' },
        });
        expect(result.stderr.toString()).toBe('');
        expect([result.outcome, result.status]).toEqual(['exited', 0]);
        expect(result.stdout.toString()).toBe(free.stdout);
      },
      180_000,
    );
  }
});
