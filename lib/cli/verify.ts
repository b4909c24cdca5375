// codejail verify: the probes, inside the jail of one program.
import type { Command } from 'commander';
import type { ProbeCheck, VerifyReport } from '../index';
import { printable } from '../text/printable';
import { ExitStatus } from './exit-status';
import { missingLines, usageError } from './failure';
import { addProgramOptions, prepareJail, type ProgramOptions } from './program-options';
import { colorsOf, say, sayJson } from './terminal';

function checkLines(checks: readonly ProbeCheck[]): string[] {
  const paint = colorsOf(process.stdout);
  const names = [...new Set(checks.map(({ guarantee }) => guarantee))];
  return names.flatMap((name) =>
    checks
      .filter(({ guarantee }) => guarantee === name)
      .map(({ check, held, seen }, index) => {
        const mark = held ? paint.green('✓') : paint.red('✗');
        const title = paint.bold((index === 0 ? name : '').padEnd(10));
        const result = printable(seen);
        return `  ${mark} ${title} ${check}${result === '' ? '' : paint.dim(`: ${result}`)}`;
      }),
  );
}

function verdictOn({ confined, checks }: VerifyReport, isAccepted: boolean): string {
  const paint = colorsOf(process.stdout);
  if (confined) {
    return paint.green(`The jail held against all ${checks.length} attempts.`);
  }
  if (checks.length === 0) {
    return paint.red('The jail could not be made: nothing runs here.');
  }
  const failed = checks.filter(({ held }) => !held).length;
  const found = `The jail did not hold against ${failed} of ${checks.length} attempts`;
  return isAccepted
    ? paint.yellow(`${found}, all of them given up by name.`)
    : paint.red(`${found}: nothing runs here.`);
}

function verifyLines(what: string, report: VerifyReport, isAccepted: boolean): string[] {
  const paint = colorsOf(process.stdout);
  return [
    paint.bold(`In a jail of ${what}, a probe tried to`),
    '',
    ...checkLines(report.checks),
    '',
    ...(report.missing.length === 0 ? [] : [...missingLines(report.missing), '']),
    paint.dim(`Confined by ${report.confinement.join(', ')}.`),
    verdictOn(report, isAccepted),
  ];
}

/** Adds `verify` to the program. */
export function addVerify(program: Command, end: (status: number) => void): void {
  const command = program
    .command('verify')
    .argument('[program]', 'a program, by path or by name (default: the Python)')
    .summary('try every guarantee from inside the jail of a program')
    .description(
      "Runs the probes inside a jail that is built exactly as the program's own would be, and lists " +
        'each attempt. The program itself is not run.',
    )
    .option('--json', 'the report as JSON');
  addProgramOptions(command);
  command
    .addHelpText(
      'after',
      `
Exit status: ${ExitStatus.ok} when the jail held, or only lacked what --allow-missing names; else ${ExitStatus.failed}.

Examples:
  codejail verify
  codejail verify --python /opt/grader --profile codejail-python
  codejail verify /usr/bin/node`,
    )
    .action(async (name: string | undefined, options: ProgramOptions & { json?: boolean }) => {
      if (name !== undefined && options.python !== undefined) {
        throw usageError('give either a program or --python, not both');
      }
      const prepared = prepareJail(name, options);
      try {
        const report = await prepared.jail.verify(prepared.command);
        const given = new Set(options.allowMissing);
        const isAccepted =
          report.checks.length > 0 && report.missing.every(({ guarantee }) => given.has(guarantee));
        if (options.json) {
          sayJson(report);
        } else {
          say(...verifyLines(name ?? options.python ?? 'python', report, isAccepted));
        }
        end(report.confined || isAccepted ? ExitStatus.ok : ExitStatus.failed);
      } finally {
        await prepared.jail.close();
      }
    });
}
