// The profiles that the suites change to and are called under, in the kernel while they run.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

/** A caller that may do anything but what `rules` leave out of the policy's newer classes. */
const caller = (name, rules) => `profile ${name} flags=(attach_disconnected) {
  file,
  capability,
  network,
  unix,
  mount,
  remount,
  umount,
  pivot_root,
  signal,
  ptrace,
${rules.map((rule) => `  ${rule}\n`).join('')}}
`;

function parse([parser, ...options], action, text) {
  const child = spawn(parser, [...options, action, '--skip-cache'], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  child.stdin.end(text);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve();
      else reject(new Error(`${parser} ${action}: status ${status}\n${text}`));
    });
  });
}

/**
 * Loads them; resolves to a function that removes them.
 * @param project where the package is, as the suites see it
 * @param newParser the words that start a parser of policy 4.0, or null where there is none
 */
export async function loadProfiles(project, newParser) {
  const profiles = require('../../dist/apparmor/profile.js');
  const launcher = join(realpathSync(project), 'build/Release/codejail-launcher');
  const { Command } = require('../../dist/command/command.js');
  const { DEFAULT_UID_POOL } = require('../../dist/confinement/plan.js');
  const { parseCommandOptions } = require('../../dist/options/command.js');
  const python = new Command('python', parseCommandOptions({ bin: '/usr/bin/python3' }));
  const options = await profiles.profileOptionsFor(await python.runtime(DEFAULT_UID_POOL), {
    ...{ name: 'codejail-test-python', launcher, abi: '3.0', allowExec: false },
  });
  const change = (target) => `change_profile -> ${target},`;
  const jail = profiles.renderProfile(options);
  const complaining = profiles
    .renderProfile({ ...options, name: 'codejail-test-complain' })
    .replace('flags=(', 'flags=(complain, ');
  const old = [
    'abi <abi/3.0>,\n',
    caller('codejail-test-caller', []),
    caller('codejail-test-caller-changes', [change('codejail-test-python')]),
    caller('codejail-test-caller-stacks', [change('&codejail-test-python')]),
  ];
  const loaded = [
    [['apparmor_parser', ...profiles.PARSER_OPTIONS], jail],
    [['apparmor_parser', ...profiles.PARSER_OPTIONS], complaining],
    [['apparmor_parser'], old.join('')],
  ];
  if (newParser !== null) {
    const newer = profiles.renderProfile({ ...options, name: 'codejail-test-4', abi: '4.0' });
    const toLauncher = `"${launcher}" px -> codejail-test-launcher,`;
    const isolating = change('codejail-test-4');
    loaded.push(
      [[...newParser, ...profiles.PARSER_OPTIONS], newer],
      [
        [...newParser, ...profiles.PARSER_OPTIONS],
        profiles.renderLauncherProfile({ launcher, name: 'codejail-test-launcher' }),
      ],
      [
        newParser,
        'abi <abi/4.0>,\n' +
          caller('codejail-test-no-userns', [isolating]) +
          caller('codejail-test-launcher-caller', [isolating, toLauncher]),
      ],
    );
  }
  for (const [parser, text] of loaded) {
    await parse(parser, '--replace', text);
  }
  return async () => {
    for (const [parser, text] of loaded) {
      await parse(parser, '--remove', text);
    }
  };
}

/** The words that start a parser which knows policy 4.0: this host's, or the one that was brought along. */
export function findNewParser(folder) {
  if (existsSync('/etc/apparmor.d/abi/4.0')) {
    return ['apparmor_parser'];
  }
  const libraries = join(folder, 'usr/lib/x86_64-linux-gnu');
  const loader = join(libraries, 'ld-linux-x86-64.so.2');
  if (!existsSync(loader)) {
    return null;
  }
  const policy = join(folder, 'etc/apparmor.d');
  const parser = join(folder, 'usr/sbin/apparmor_parser');
  return [loader, '--library-path', libraries, parser, '--base', policy, '--Include', policy];
}
