// The whole command line, put together.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { printableMessage } from '../text/printable';
import { addBuild } from './build';
import { addDoctor } from './doctor';
import { addEnv } from './env';
import { addMcp } from './mcp';
import { addProfile } from './profile';
import { addRun } from './run';
import { colorsOf } from './terminal';
import { addVerify } from './verify';

function packageVersion(): string {
  const text = readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/**
 * Makes the command `codejail`.
 * @param end told the status to end with
 */
export function makeProgram(end: (status: number) => void): Command {
  const version = packageVersion();
  const program = new Command('codejail')
    .description('Runs untrusted programs in a locked-down process.')
    .version(version)
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp({ showGlobalOptions: false, sortSubcommands: false })
    .configureOutput({
      outputError: (text, write) => {
        write(printableMessage(text).replace(/^error:/, colorsOf(process.stderr).red('codejail:')));
      },
    })
    .addHelpText(
      'after',
      `
Examples:
  codejail doctor                      what this host guarantees
  codejail run --cpu 2 solution.py     runs a Python file in a jail
  codejail run --help                  all that can be set for a run`,
    );
  addRun(program, end);
  addDoctor(program, end);
  addVerify(program, end);
  addEnv(program, end);
  addProfile(program, end);
  addMcp(program, end, version);
  addBuild(program, end);
  return program;
}
