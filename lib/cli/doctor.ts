// codejail doctor: what this host guarantees.
import type { Command } from 'commander';
import { NO_JAIL } from '../errors';
import {
  inspectHost,
  type GuaranteeReport,
  type HostReport,
  type MissingGuarantee,
} from '../index';
import { ExitStatus } from './exit-status';
import { missingLines, usageError } from './failure';
import { fix, look } from './fix';
import { colorsOf, say, sayJson } from './terminal';

const KINDS: Readonly<Record<HostReport['kind'], string>> = {
  root: 'as root: each jail has a uid of its own',
  user: 'as an ordinary user: each jail has a user namespace',
  container: 'as root of a container, without the capability for namespaces',
};

const NAME_WIDTH = 10;

function guaranteeLines({ guarantee, cannot, servedBy, missing }: GuaranteeReport): string[] {
  const paint = colorsOf(process.stdout);
  const name = paint.bold(guarantee.padEnd(NAME_WIDTH));
  return missing === null
    ? [
        `  ${paint.green('✓')} ${name} ${cannot}`,
        `    ${' '.repeat(NAME_WIDTH)} ${paint.dim(servedBy.join(', '))}`,
      ]
    : [`  ${paint.red('✗')} ${name} ${cannot} ${paint.red('(not guaranteed)')}`];
}

function missingOf(report: HostReport): MissingGuarantee[] {
  return report.guarantees.flatMap(({ guarantee, missing: lack }) =>
    lack === null ? [] : [{ guarantee, ...lack }],
  );
}

function doctorLines(report: HostReport): string[] {
  const paint = colorsOf(process.stdout);
  const missing = missingOf(report);
  return [
    paint.bold('A jailed program on this host cannot'),
    '',
    ...report.guarantees.flatMap(guaranteeLines),
    '',
    ...(missing.length === 0 ? [] : [...missingLines(missing), '']),
    paint.dim(`Linux ${report.kernel}, ${KINDS[report.kind]}.`),
    paint.dim(
      report.cgroup.directory === null
        ? `No cgroup for each jail, which no guarantee needs: ${report.cgroup.why}; ${report.cgroup.cure}.`
        : `Each jail has a cgroup below ${report.cgroup.directory}.`,
    ),
    missing.length === 0
      ? paint.green('Every guarantee holds: each was tried from inside a jail just now.')
      : paint.red(
          report.canBeGivenUp
            ? 'Nothing runs here until what is missing is cured or given up by name.'
            : NO_JAIL,
        ),
  ];
}

interface DoctorOptions {
  json?: boolean;
  fix?: boolean;
  yes?: boolean;
}

/** Adds `doctor` to the program. */
export function addDoctor(program: Command, end: (status: number) => void): void {
  program
    .command('doctor')
    .summary('say what this host guarantees, and what cures what is missing')
    .description(
      'Says what this host guarantees, each guarantee by which mechanisms. What is missing is told with ' +
        'its reason and its cure. Each guarantee is tried from inside a jail.',
    )
    .option('--json', 'the report as JSON')
    .option(
      '--fix',
      'offer to type what cures it, each after a question; without a terminal, say it',
    )
    .option('--yes', 'with --fix: type it without a question')
    .addHelpText(
      'after',
      `
Exit status: ${ExitStatus.ok} when every guarantee holds, ${ExitStatus.failed} when one is missing.

Examples:
  codejail doctor
  codejail doctor --fix
  codejail doctor --json | jq -r '.guarantees[] | select(.missing) | .guarantee'`,
    )
    .action(async ({ json, fix: wantsFix, yes }: DoctorOptions) => {
      if (wantsFix === true ? json === true : yes === true) {
        throw usageError(json === true ? '--fix takes no --json' : '--yes is for --fix');
      }
      const report = await inspectHost();
      if (json) {
        sayJson(report);
      } else {
        say(...doctorLines(report));
      }
      if (wantsFix === true && !report.confined && (await fix(missingOf(report), yes === true))) {
        // What was proved before holds for this process: another one looks anew.
        end(await look());
        return;
      }
      end(report.confined ? ExitStatus.ok : ExitStatus.failed);
    });
}
