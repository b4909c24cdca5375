// The AppArmor profiles that ship, rendered from their templates.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InvalidArgumentError } from '../errors';
import { resolvePath } from '../host/paths';
import type { Runtime } from '../host/runtime';
import { isSystemData, systemDataPatterns } from '../host/runtime-data';
import { isWithin } from '../text/is-within';
import { checkProfileName, checkProfilePath, checkReadablePath } from './value';

/** Versions of AppArmor's policy: 3.0 since AppArmor 3.0, 4.0 since AppArmor 4.0. */
export const ABIS = ['3.0', '4.0'] as const;

/** A version of AppArmor's policy. */
export type Abi = (typeof ABIS)[number];

/** What is filled into the template of a jail's profile. */
export interface ProfileOptions {
  /** The profile's name, which the command's `profile` names too. */
  name: string;
  /** What the profile is for: programs of a Python environment, or one general program. */
  kind: 'python' | 'program';
  /** The configured binary, by its real path: AppArmor sees no symlinks. A script's interpreter counts. */
  executables: readonly string[];
  /** The directory of a Python environment, readable with its C extensions. */
  environment?: string | undefined;
  /** More files and directories to read. */
  readPaths?: readonly string[];
  /** Where codejail's launcher is; the probe beside it may run under the profile too. */
  launcher: string;
  /** Whether programs may run what they have written or brought along. Default false. */
  allowExec?: boolean;
  abi: Abi;
}

const TEMPLATES = join(__dirname, '..', '..', 'apparmor-profiles');

/**
 * The options with which apparmor_parser must take a rendered profile. A kernel without AppArmor's own mediation
 * of Unix sockets (any but Ubuntu's, before Linux 6.17) enforces that rule for the family as a whole, which the
 * parser calls a downgrade.
 */
export const PARSER_OPTIONS = ['--warn=all', '--warn=no-rule-downgraded', '--Werror'] as const;

function fill(template: string, values: Readonly<Record<string, string>>): string {
  const text = readFileSync(join(TEMPLATES, `${template}.template`), 'utf8');
  const filled = text.replaceAll(/@@([A-Z_]+)@@/g, (_all, key: string) => {
    const value = values[key];
    if (value === undefined) {
      throw new TypeError(`${template}.template asks for ${key}`);
    }
    return value;
  });
  // A place that stays empty leaves more than one empty line.
  return filled.replaceAll(/\n{3,}/g, '\n\n');
}

function readRules(path: string): string[] {
  return [`"${path}" r,`, `"${path}/" r,`, `"${path}/**" r,`, `"${path}/**.so*" mr,`];
}

/** Of what may be a file or a directory: a gem's extension is mapped. */
function dataRules(pattern: string): string[] {
  return [`${pattern} r,`, `${pattern}/{,**} r,`, `${pattern}/**.so* mr,`];
}

function lines(rules: readonly string[]): string {
  return rules.map((rule) => `  ${rule}`).join('\n');
}

const JAIL = '/tmp/codejail-????????';

function writtenCode(allowExec: boolean): string[] {
  return allowExec
    ? [
        '# By allowExec: what it has written, or brought along, it may also run.',
        `${JAIL}/** mrix,`,
      ]
    : [
        '# What a program has written never becomes code, whatever a local addition allows.',
        `audit deny ${JAIL}/tmp/** mx,`,
      ];
}

/**
 * Renders the profile of a command's jails.
 * @returns the text for a file of /etc/apparmor.d, or for `apparmor_parser --replace`
 * @throws InvalidArgumentError where a value can't be filled in without changing the profile's meaning
 * @example
 * renderProfile({
 *   name: 'codejail-python', kind: 'python', executables: ['/usr/bin/python3.12'],
 *   environment: '/srv/grader-env', launcher: '/srv/app/node_modules/@codejail/linux-x64-glibc/codejail-launcher', abi: '4.0',
 * })
 */
export function renderProfile(options: ProfileOptions): string {
  const { kind, abi, environment, allowExec = false } = options;
  const name = checkProfileName('name', options.name);
  const launcher = checkProfilePath('launcher', options.launcher);
  if (!ABIS.includes(abi)) {
    throw new InvalidArgumentError('abi', `must be one of ${ABIS.join(', ')}`);
  }
  if (options.executables.length === 0) {
    throw new InvalidArgumentError('executables', 'must name the program that the profile is for');
  }
  const executables = options.executables.map((path, index) =>
    checkProfilePath(`executables[${index}]`, path),
  );
  const readable = [
    ...(environment === undefined ? [] : [checkReadablePath('environment', environment)]),
    ...(options.readPaths ?? []).map((path, index) =>
      checkReadablePath(`readPaths[${index}]`, path),
    ),
  ];
  const probe = join(dirname(launcher), 'codejail-probe');
  // By which what it prints comes at once.
  const library = `"${join(dirname(launcher), 'codejail-output.so')}" mr,`;
  return fill('profile', {
    SUBJECT: kind === 'python' ? 'Python programs' : 'one program',
    ABI: abi,
    NAME: name,
    WRITTEN_CODE: lines(writtenCode(allowExec)),
    EXECUTABLES: lines([
      ...[...new Set([...executables, probe])].map((path) => `"${path}" mrix,`),
      ...(kind === 'python' ? [library] : []),
    ]),
    READABLE:
      readable.length === 0
        ? ''
        : lines([
            kind === 'python'
              ? '# Its environment, and what else the command was given to read.'
              : '# What the command was given to read.',
            ...readable.flatMap(readRules),
          ]),
    DATA: lines(systemDataPatterns(kind === 'python').flatMap(dataRules)),
    NEWER_DENIALS: abi === '4.0' ? lines(['audit deny userns,']) : '',
  });
}

/**
 * Renders the profile that lets the launcher make user namespaces where the host denies them to programs in general.
 * @param options.launcher where codejail's launcher is
 * @param options.name the profile's name; default `codejail-launcher`
 * @throws InvalidArgumentError as `renderProfile` does
 */
export function renderLauncherProfile(options: { launcher: string; name?: string }): string {
  return fill('launcher', {
    NAME: checkProfileName('name', options.name ?? 'codejail-launcher'),
    LAUNCHER: checkProfilePath('launcher', options.launcher),
  });
}

// The template has these, for every profile.
const IN_TEMPLATE =
  /^(?:\/usr)?\/lib(?:32|64|x32)?(?:\/|$)|^\/usr\/local\/lib(?:64)?(?:\/|$)|^\/etc\/(?:alternatives|localtime|ld\.so\.cache)$/;

/** What the profile of a command has to name: its real binary, and all that its jails show of the host. */
export async function profileOptionsFor(
  runtime: Pick<Runtime, 'program' | 'python' | 'view' | 'outputLibrary'>,
  rest: Pick<ProfileOptions, 'name' | 'launcher' | 'abi' | 'allowExec'>,
): Promise<ProfileOptions> {
  const { real } = await resolvePath(runtime.program);
  return {
    ...rest,
    kind: runtime.python ? 'python' : 'program',
    executables: [real],
    readPaths: runtime.view.binds.filter(
      (path) =>
        !IN_TEMPLATE.test(path) &&
        !isSystemData(path, runtime.python) &&
        !isWithin(real, path) &&
        path !== runtime.outputLibrary,
    ),
  };
}
