// Renders the sample profiles of apparmor-profiles/ from their templates; with --check, only says which differ.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './console.mjs';

const require = createRequire(import.meta.url);
const { renderLauncherProfile, renderProfile } = require('../dist/apparmor/profile.js');

const launcher = '/srv/app/node_modules/@codejail/linux-x64-glibc/codejail-launcher';
const samples = {
  'codejail-python': renderProfile({
    name: 'codejail-python',
    kind: 'python',
    // AppArmor sees the file behind an environment's bin/python.
    executables: ['/usr/bin/python3.12'],
    environment: '/srv/grader',
    launcher,
    abi: '4.0',
  }),
  'codejail-sort': renderProfile({
    name: 'codejail-sort',
    kind: 'program',
    executables: ['/usr/bin/sort'],
    launcher,
    abi: '4.0',
  }),
  'codejail-launcher': renderLauncherProfile({ launcher }),
};

const isCheck = process.argv.includes('--check');
for (const [name, text] of Object.entries(samples)) {
  const file = fileURLToPath(new URL(`../apparmor-profiles/samples/${name}`, import.meta.url));
  if (!isCheck) {
    writeFileSync(file, text);
  } else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${relative(root, file)} is not as rendered: node scripts/render-profiles.mjs`);
    process.exitCode = 1;
  }
}
