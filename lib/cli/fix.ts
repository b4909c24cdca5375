// codejail doctor --fix: what cures a host, typed for its administrator, who is asked before each command.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { byCause } from '../errors';
import type { MissingGuarantee } from '../index';
import { printable } from '../text/printable';
import { complain, CommandLineError } from './failure';
import { colorsOf, say } from './terminal';

const SCRIPT = join(__dirname, 'codejail.js');

type Words = readonly string[];

/** A command as a person types it; what is no plain word is quoted. */
function typed(words: Words): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}

/** What is started for it: this command itself for `npx codejail`, and no sudo where this is root already. */
function program(words: Words): Words {
  const [first, ...rest] = words;
  if (first === 'sudo') {
    return process.getuid?.() === 0 ? program(rest) : [first, ...program(rest)];
  }
  return first === 'npx' && rest[0] === 'codejail'
    ? [process.execPath, SCRIPT, ...rest.slice(1)]
    : words;
}

/** Runs it on this command's own terminal: sudo may ask for a password. */
async function run(words: Words): Promise<number> {
  const [name = '', ...args] = words;
  const child = spawn(name, args, { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      reject(new CommandLineError(`${name} can't be started: ${error.message}`));
    });
    child.once('close', (status) => {
      resolve(status ?? 1);
    });
  });
}

async function agrees(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Whoever ends the input has not agreed.
  const ended = new Promise<string>((resolve) => {
    terminal.once('close', () => {
      resolve('');
    });
  });
  try {
    const answer = await Promise.race([terminal.question(`${question} [y/N] `), ended]);
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

/** @returns whether all was typed, and went well */
async function type(commands: readonly Words[], isAgreed: boolean): Promise<boolean> {
  const paint = colorsOf(process.stdout);
  for (const words of commands) {
    const line = typed(words);
    const canAsk = process.stdin.isTTY && process.stdout.isTTY;
    say('', `  ${paint.bold(printable(line))}`);
    if (!isAgreed && !(canAsk && (await agrees('  Type it?')))) {
      say(canAsk ? '  not typed' : '  not typed: there is no terminal to ask on; --yes types it');
      return false;
    }
    const status = await run(program(words));
    if (status !== 0) {
      complain(`${line} ended with status ${status}`);
      return false;
    }
  }
  return true;
}

/**
 * Offers each command that cures something, and types those that are wanted.
 * @param isAgreed whether no question is asked
 * @returns whether anything was cured
 */
export async function fix(
  missing: readonly MissingGuarantee[],
  isAgreed: boolean,
): Promise<boolean> {
  let hasTyped = false;
  for (const { guarantees } of byCause(missing)) {
    const commands = missing.find(({ guarantee }) => guarantees.includes(guarantee))?.commands;
    if (commands === undefined) {
      say('', `No command cures ${guarantees.join(', ')}: see above.`);
    } else if (await type(commands, isAgreed)) {
      hasTyped = true;
    }
  }
  return hasTyped;
}

/** What the host guarantees now, by another process: its exit status. */
export async function look(): Promise<number> {
  say('');
  return run([process.execPath, SCRIPT, 'doctor']);
}
