// codejail profile: the AppArmor profiles of jails.
import type { Command } from 'commander';
import { ExitStatus } from './exit-status';
import {
  addProfileOptions,
  binaryOf,
  LAUNCHER_PROFILE,
  profileName,
  renderFor,
  renderLauncher,
  wantsLauncher,
  type ProfileOptions,
} from './profile-choice';
import {
  installProfile,
  profilePath,
  removeProfile,
  requireAppArmor,
  statusOfProfile,
  type ProfileStatus,
  type RenderedProfile,
} from './profile-file';
import { colorsOf, columns, say, sayJson } from './terminal';

type End = (status: number) => void;

async function wanted(
  program: string | undefined,
  options: ProfileOptions,
): Promise<RenderedProfile[]> {
  return [await renderFor(program, options), ...(wantsLauncher(options) ? [renderLauncher()] : [])];
}

function addPrint(group: Command, end: End): void {
  const command = group
    .command('print')
    .summary('print one as it would be installed')
    .description("Prints the profile of a program's jails.");
  addProfileOptions(command);
  command
    .option('--launcher', "print the launcher's own profile instead, with the rule userns")
    .addHelpText(
      'after',
      `
Examples:
  codejail profile print --python /opt/grader
  codejail profile print --launcher | sudo apparmor_parser --replace`,
    )
    .action(async (program: string | undefined, options: ProfileOptions) => {
      const { text } = options.launcher ? renderLauncher() : await renderFor(program, options);
      say(...text.trimEnd().split('\n'));
      end(ExitStatus.ok);
    });
}

function addInstall(group: Command, end: End): void {
  const command = group
    .command('install')
    .summary('install and load one; needs root')
    .description(
      "Renders the profile of a program's jails, parses it, writes it to /etc/apparmor.d and loads it. What " +
        'was there is kept beside it. Where the host restricts user namespaces (Ubuntu 23.10 and later), ' +
        "the launcher's own profile is installed too. Does nothing where all is so already.",
    );
  addProfileOptions(command);
  command
    .option('--launcher', "install the launcher's profile too, whatever the host says")
    .option('--no-launcher', "never install the launcher's profile")
    .addHelpText(
      'after',
      `
Install again after the environment, the binary or this package has moved.

Examples:
  sudo codejail profile install --python /opt/grader
  sudo codejail profile install --name codejail-node /usr/bin/node`,
    )
    .action(async (program: string | undefined, options: ProfileOptions) => {
      requireAppArmor('install');
      const paint = colorsOf(process.stdout);
      for (const profile of await wanted(program, options)) {
        const { changed, backup } = await installProfile(profile);
        say(
          changed
            ? paint.green(`Installed and loaded ${profilePath(profile.name)}`)
            : `${profilePath(profile.name)} is installed and loaded already: nothing was changed`,
          ...(backup === undefined ? [] : [`  what was there is kept as ${backup}`]),
        );
      }
      const name = profileName(program, options);
      const bin = binaryOf(program, options);
      say(
        `  use it:  configure('${program ?? 'python'}', { bin: '${bin}', profile: '${name}' })`,
        `  try it:  codejail verify ${program ?? `--python ${bin}`} --profile ${name}`,
      );
      end(ExitStatus.ok);
    });
}

function addRemove(group: Command, end: End): void {
  group
    .command('remove')
    .argument('[program]', 'the program whose profile it is (default: the Python)')
    .summary('unload and remove one; needs root')
    .description(
      'Unloads a profile and removes its file, of which a copy is kept. End the jails that use it first: those ' +
        'that run lose this layer, and later calls that name the profile are refused.',
    )
    .option('--name <name>', "the profile's name (default: codejail-python, or codejail-PROGRAM)")
    .option('--launcher', "remove the launcher's profile instead")
    .action(async (program: string | undefined, options: ProfileOptions) => {
      requireAppArmor('remove');
      const name = options.launcher ? LAUNCHER_PROFILE : profileName(program, options);
      const { changed, backup } = await removeProfile(name);
      say(
        changed ? `Removed ${profilePath(name)}` : `There is no ${profilePath(name)}`,
        ...(backup === undefined ? [] : [`  it is kept as ${backup}`]),
      );
      end(ExitStatus.ok);
    });
}

function isGood({ mode, file }: ProfileStatus): boolean {
  // The launcher's profile confines nothing, on purpose.
  return (mode === 'enforce' || mode === 'unconfined') && file === 'as rendered';
}

function addStatus(group: Command, end: End): void {
  const command = group
    .command('status')
    .summary('say whether one is loaded, in which mode, and up to date')
    .description(
      'Says whether the profile is loaded, in which mode, and whether its file is what would be rendered now. ' +
        'Only root sees what the kernel has loaded.',
    );
  addProfileOptions(command);
  command
    .option('--launcher', "the launcher's profile too, whatever the host says")
    .option('--no-launcher', "not the launcher's profile")
    .option('--json', 'the status as JSON')
    .addHelpText(
      'after',
      `
Exit status: ${ExitStatus.ok} when all is loaded, enforced and as rendered, else ${ExitStatus.failed}.`,
    )
    .action(async (program: string | undefined, options: ProfileOptions & { json?: boolean }) => {
      const profiles = (await wanted(program, options)).map(statusOfProfile);
      if (options.json) {
        sayJson(profiles);
      } else {
        say(
          ...columns(
            profiles.map(({ name, mode, path, file }) => [name, mode, path, file]),
            '',
          ),
        );
      }
      end(profiles.every(isGood) ? ExitStatus.ok : ExitStatus.failed);
    });
}

/** Adds `profile` to the program. */
export function addProfile(program: Command, end: End): void {
  const group = program
    .command('profile')
    .summary('print, install and check AppArmor profiles')
    .description(
      'Prints, installs, removes and checks the AppArmor profiles of jails. A profile is one more layer: jails ' +
        'are confined without it too.',
    );
  addPrint(group, end);
  addInstall(group, end);
  addRemove(group, end);
  addStatus(group, end);
}
