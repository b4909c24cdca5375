// codejail run: one program, or one Python file, in a jail.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Option, type Command } from 'commander';
import type { JailCodeOptions, JailResult, StartDirectory } from '../index';
import { sayUncollected, writeCollected } from './collected';
import {
  addProgramOptions,
  collectWords,
  prepareJail,
  type ProgramOptions,
} from './program-options';
import { ExitStatus } from './exit-status';
import { usageError } from './failure';
import { Interruption } from './interruption';
import { openPictures } from './open';
import { addLimitOptions, limitsOf } from './limit-options';
import {
  sayAttempts,
  sayEnding,
  sayHints,
  sayResultJson,
  sayUsage,
  statusOfResult,
} from './run-report';
import { variablesOf } from './variables';

interface RunOptions extends ProgramOptions {
  code?: string;
  file?: string[];
  env?: string[];
  collect?: string[];
  collectInto: string;
  cwd: string;
  open?: boolean;
  explain?: boolean;
  usage?: boolean;
  json?: boolean;
}

const HELP = `
The program sees its files read-only in its working directory, and may write in ./tmp. With --cwd tmp it starts there,
and finds its files as ../name.
Standard input, output and error are passed through unchanged.

Exit status: the program's own, or
  ${ExitStatus.usage}     the arguments are wrong: nothing ran
  ${ExitStatus.cpuLimit}    it used too much CPU time
  ${ExitStatus.memoryLimit}    it used too much memory
  ${ExitStatus.diskLimit}    it wrote too much
  ${ExitStatus.outputLimit}    it printed too much
  ${ExitStatus.timeLimit}    it ran too long
  ${ExitStatus.refused}    this host lacks a guarantee: nothing ran (see codejail doctor)
  ${ExitStatus.setup}    the jail could not be made: nothing ran
  ${ExitStatus.signal}+n  signal n ended it
With each but its own, standard error says why. A program can end with these statuses too; --json tells.

Examples:
  codejail run solution.py
  codejail run --cpu 2 --file data.csv solution.py data.csv < input.txt
  codejail run -c 'print(6 * 7)'
  codejail run --memory 256M --cwd tmp --collect '*.png' --open plot.py
  codejail run --python /opt/grader --usage solution.py
  codejail run /usr/bin/sort < names.txt`;

async function readProgram(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw usageError(`the program ${path} can't be read: ${(error as Error).message}`);
  }
}

/** What is to be run, from the words of the command line. */
async function programOf(
  words: readonly string[],
  options: RunOptions,
): Promise<{ bin: string | undefined; call: JailCodeOptions }> {
  const [first, ...rest] = words;
  if (options.code !== undefined) {
    return { bin: undefined, call: { code: options.code, argv: [...words] } };
  }
  if (first === undefined) {
    throw usageError(
      'name a Python file or a program: codejail run solution.py\nSee: codejail run --help',
    );
  }
  if (options.python === undefined && !first.endsWith('.py')) {
    return { bin: first, call: { argv: rest } };
  }
  const name = basename(first);
  // Read here, not copied as a file: it may be a link, and keeps its name in tracebacks.
  return {
    bin: undefined,
    call: {
      extraFiles: [[name, await readProgram(first)]],
      argv: [options.cwd === 'tmp' ? `../${name}` : name, ...rest],
    },
  };
}

/** Standard error as the program wrote it, and whether its last line is complete. */
class ErrorStream {
  #midLine = false;

  readonly write = (chunk: Buffer): void => {
    this.#midLine = chunk.at(-1) !== 0x0a;
    process.stderr.write(chunk);
  };

  /** Begins a line of its own for what this command has to say. */
  endLine(): void {
    if (this.#midLine) {
      process.stderr.write('\n');
      this.#midLine = false;
    }
  }
}

async function run(words: readonly string[], options: RunOptions): Promise<number> {
  if (options.open === true && options.collect === undefined) {
    throw usageError("--open shows what --collect brings back: --collect '*.png' --open");
  }
  const interruption = new Interruption();
  const { bin, call } = await programOf(words, options);
  const limits = limitsOf({ ...options });
  const { jail, command } = prepareJail(bin, options, limits);
  const errors = new ErrorStream();
  let result: JailResult;
  try {
    result = await jail.jailCode(command, {
      ...call,
      files: options.file,
      env: variablesOf(options.env ?? []),
      stdin: process.stdin,
      collect: options.collect,
      cwd: options.cwd as StartDirectory,
      explain: options.explain,
      signal: interruption.signal,
      onStdout: (chunk) => {
        process.stdout.write(chunk);
      },
      onStderr: errors.write,
    });
  } catch (error) {
    const status = interruption.end();
    if (status === undefined) {
      throw error;
    }
    return status;
  } finally {
    // A terminal or a pipe that nobody reads any more would keep this process alive.
    process.stdin.destroy();
    await jail.close();
    errors.endLine();
  }
  await writeCollected(options.collectInto, result.collected);
  sayUncollected(result.uncollected);
  if (options.open) {
    openPictures(options.collectInto, result.collected);
  }
  sayEnding(result);
  sayHints(result);
  sayAttempts(result);
  if (options.usage) {
    sayUsage(result);
  }
  if (options.json) {
    sayResultJson(result);
  }
  return statusOfResult(result);
}

/** Adds `run` to the program. */
export function addRun(program: Command, end: (status: number) => void): void {
  const command = program
    .command('run')
    .argument('[program]', 'a Python file, or a program by path or by name')
    .argument('[args...]', 'its arguments')
    .summary('run a program or a Python file in a jail')
    .description(
      'Runs a Python file, or any program, in a jail of its own. Options come before the program; ' +
        'what follows it is its own.',
    )
    // What follows the program belongs to the program, --help too.
    .passThroughOptions()
    .option('-c, --code <text>', 'run this Python code; all words are its arguments')
    .option('--file <path>', 'copy this file or directory in (again for more)', collectWords)
    .option('--env <name=value>', 'an environment variable (again for more)', collectWords)
    .addOption(
      new Option('--cwd <directory>', 'where it starts; it may write in tmp alone')
        .choices(['.', 'tmp'])
        .default('.'),
    )
    .option('--collect <glob>', 'bring files back from its tmp (again for more)', collectWords)
    .option('--collect-into <dir>', 'where to put them', 'collected')
    .option('--open', 'show the pictures among them, on a desktop; elsewhere, say where they are')
    .option('--explain', 'say on standard error what it tried to open, run or connect to in vain')
    .option('--usage', 'say on standard error what it used and what confined it')
    .option(
      '--json',
      'the same, and how it ended, as one line of JSON, the last of standard error',
    );
  addLimitOptions(command);
  addProgramOptions(command);
  command
    .addHelpText('after', HELP)
    .action(async (first: string | undefined, rest: string[], options: RunOptions) => {
      end(await run(first === undefined ? [] : [first, ...rest], options));
    });
}
