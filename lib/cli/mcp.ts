// codejail mcp: Python as a tool for a language model's client.
import { Option, type Command } from 'commander';
import { loadSdk, SDK } from '../mcp/sdk';
import { serve } from '../mcp/server';
import { ExitStatus } from './exit-status';
import { CommandLineError } from './failure';
import { Interruption } from './interruption';
import { addLimitOptions, limitsOf } from './limit-options';
import {
  addProgramOptions,
  collectWords,
  prepareJail,
  type ProgramOptions,
} from './program-options';
import { parseCount, parseSeconds } from './units';
import { variablesOf } from './variables';

interface McpOptions extends ProgramOptions {
  file?: string[];
  env?: string[];
  idle: number;
  maxText: number;
}

const IDLE_SECONDS = 900;
const MOST_TEXT = 30_000;

async function serveMcp(version: string, options: McpOptions): Promise<number> {
  const sdk = loadSdk();
  if (sdk === undefined) {
    throw new CommandLineError(
      `the package ${SDK} is not installed, which speaks the protocol\nInstall it beside codejail: npm install ${SDK}`,
    );
  }
  const env = variablesOf(options.env ?? []);
  const interruption = new Interruption();
  const { jail, command } = prepareJail(undefined, options, limitsOf({ ...options }));
  try {
    await serve({
      ...{ sdk, version, jail, mostText: options.maxText, signal: interruption.signal },
      session: { command, files: options.file, env, idleSeconds: options.idle },
    });
  } finally {
    process.stdin.destroy();
    await jail.close();
  }
  return interruption.end() ?? ExitStatus.ok;
}

/** Adds `mcp` to the program. */
export function addMcp(program: Command, end: (status: number) => void, version: string): void {
  const command = program
    .command('mcp')
    .summary('serve Python in a jail to a language model (MCP)')
    .description(
      'A server of the Model Context Protocol over standard input and output, for clients to start: the tools run_python, reset, ' +
        `list_files and read_file, on a Python session in a jail. Needs the package ${SDK}.`,
    )
    .option('--file <path>', 'copy this file or directory in (again for more)', collectWords)
    .option('--env <name=value>', 'an environment variable (again for more)', collectWords)
    .addOption(
      new Option('--idle <seconds>', 'forget the state after so long without a call; 0: never')
        .argParser(parseSeconds)
        .default(IDLE_SECONDS),
    )
    .addOption(
      new Option('--max-text <characters>', 'how much of each text an answer has')
        .argParser(parseCount)
        .default(MOST_TEXT),
    );
  addLimitOptions(command);
  addProgramOptions(command);
  command
    .addHelpText(
      'after',
      `
--cpu, --realtime and --output are each call's, the other limits the session's.

Examples:
  codejail mcp
  codejail mcp --memory 1G --realtime 60 --cpu 60 --python /opt/analysis --file data/`,
    )
    .action(async (options: McpOptions) => {
      end(await serveMcp(version, options));
    });
}
