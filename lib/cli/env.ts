// codejail env: Python environments for jails.
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { projectRoot } from '../command/default-python';
import { createEnvironment, installPackages, listPackages } from './environment';
import { ExitStatus } from './exit-status';
import { usageError } from './failure';
import { withProgress } from './progress';
import { colorsOf, columns, say, sayJson } from './terminal';

/** The environment that the library finds by itself: beside the project. */
function besideProject(): string {
  const root = projectRoot();
  if (root === undefined) {
    throw usageError(
      'name the directory: there is no package.json here, so no project to put it beside',
    );
  }
  return join(dirname(root), `${basename(root)}-sandbox`);
}

function directoryOf(directory: string | undefined): string {
  return directory === undefined ? besideProject() : resolve(directory);
}

const DEFAULT_DIRECTORY =
  'default: <project>-sandbox beside the project, which jails find by themselves';

function addCreate(group: Command, end: (status: number) => void): void {
  group
    .command('create')
    .argument('[dir]', `where (${DEFAULT_DIRECTORY})`)
    .summary('make one')
    .description(
      'Makes an environment with python3 -m venv. No copied interpreter is needed, and no profile: the ' +
        'jail finds what it starts.',
    )
    .option('--python <path>', 'the interpreter that it will start', 'python3')
    .addHelpText(
      'after',
      `
Examples:
  codejail env create
  codejail env create /opt/grader --python /usr/bin/python3.12`,
    )
    .action(async (dir: string | undefined, { python }: { python: string }) => {
      const directory = directoryOf(dir);
      const made = await withProgress('making the environment', async () =>
        createEnvironment(directory, python),
      );
      const paint = colorsOf(process.stdout);
      const named = dir === undefined ? '' : ` --in ${directory}`;
      say(
        made
          ? paint.green(`Made the Python environment ${directory}`)
          : `${directory} is there already: nothing was changed`,
        `  add packages:  codejail env install${named} numpy`,
        `  try it:        codejail run${dir === undefined ? '' : ` --python ${directory}`} -c 'import sys; print(sys.prefix)'`,
      );
      end(ExitStatus.ok);
    });
}

function addInstall(group: Command, end: (status: number) => void): void {
  group
    .command('install')
    .argument('[packages...]', 'what to install, as pip takes it; options for pip after --')
    .summary('install packages into one')
    .description(
      "Installs packages by the environment's own pip. That runs as you and is not confined: install only " +
        'what you trust. Jails that run meanwhile are not disturbed in their confinement.',
    )
    .option('--in <dir>', `the environment (${DEFAULT_DIRECTORY})`)
    .option('-r, --requirement <file>', 'install what a requirements file lists')
    .addHelpText(
      'after',
      `
Examples:
  codejail env install numpy sympy==1.13.3
  codejail env install --in /opt/grader -r requirements.txt
  codejail env install numpy -- --only-binary :all:`,
    )
    .action(
      async (
        packages: string[],
        { in: dir, requirement }: { in?: string; requirement?: string },
      ) => {
        const words = [...(requirement === undefined ? [] : ['-r', requirement]), ...packages];
        if (words.length === 0) {
          throw usageError('name a package: codejail env install numpy');
        }
        const directory = directoryOf(dir);
        await installPackages(directory, words);
        say(colorsOf(process.stdout).green(`Installed into ${directory}`));
        end(ExitStatus.ok);
      },
    );
}

function addList(group: Command, end: (status: number) => void): void {
  group
    .command('list')
    .argument('[dir]', `the environment (${DEFAULT_DIRECTORY})`)
    .summary('list the packages of one')
    .option('--json', 'the list as JSON')
    .action(async (dir: string | undefined, { json }: { json?: boolean }) => {
      const packages = await listPackages(directoryOf(dir));
      if (json) {
        sayJson(packages);
      } else {
        say(
          ...columns(
            packages.map(({ name, version }) => [name, version]),
            '',
          ),
        );
      }
      end(ExitStatus.ok);
    });
}

/** Adds `env` to the program. */
export function addEnv(program: Command, end: (status: number) => void): void {
  const group = program
    .command('env')
    .summary('make Python environments for jails, and fill them')
    .description('Makes Python environments for jails, installs packages into them, lists them.');
  addCreate(group, end);
  addInstall(group, end);
  addList(group, end);
}
