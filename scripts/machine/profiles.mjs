// The profiles that the suites change to, in the kernel while they run.
import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

function parse(action, text) {
  const { PARSER_OPTIONS } = require('../../dist/apparmor/profile.js');
  const child = spawn('apparmor_parser', [action, '--skip-cache', ...PARSER_OPTIONS], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  child.stdin.end(text);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve();
      else reject(new Error(`apparmor_parser ${action}: status ${status}`));
    });
  });
}

/** Loads the profile of this host's Python; resolves to a function that removes it. */
export async function loadProfiles(project) {
  const { profileOptionsFor, renderProfile } = require('../../dist/apparmor/profile.js');
  const launcher = join(realpathSync(project), 'build/Release/codejail-launcher');
  const text = renderProfile(
    await profileOptionsFor(
      { bin: '/usr/bin/python3' },
      { name: 'codejail-test-python', launcher, abi: '3.0' },
    ),
  );
  await parse('--replace', text);
  return () => parse('--remove', text);
}
