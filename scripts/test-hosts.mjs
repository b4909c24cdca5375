// What each kind of host holds: on every one, simulated here, a call that does not give up what is missing has to refuse,
// and each guarantee that is not missing is attacked: by the probe, by test/hosts/denials.py cold and warm, and by its
// suite of test/escape. Prints a table, and as the last line `N passed, N failed`. As root.
//   --host NAME     this one only; may be given more than once
//   --quick         without the suites, two hosts at a time
//   --list          what there is
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { main, root, ScriptError, step } from './console.mjs';
import { examine, examineWithout } from './hosts/examine.mjs';
import { hosts } from './hosts/plan.mjs';
import { TRACER } from './hosts/simulate.mjs';

const require = createRequire(import.meta.url);
const { GUARANTEE_NAMES } = require('../dist/guarantee-names.js');
const { findDelegation } = require('../dist/host/delegation.js');
const { hostFacts } = require('../dist/host/host.js');

const { values } = parseArgs({
  options: {
    host: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

function chosen() {
  return (values.host ?? hosts.map(({ name }) => name)).map((name) => {
    const host = hosts.find((other) => other.name === name);
    if (host === undefined) {
      throw new ScriptError(`there is no host "${name}"; --list says which there are`);
    }
    return host;
  });
}

/** What this machine lacks to simulate a host, or null. */
function lacking({ needs, landlock }) {
  const { appArmor, landlock: own } = hostFacts();
  if (needs === 'AppArmor' && !appArmor) return 'needs AppArmor';
  if (needs === 'cgroup v2' && findDelegation('auto').base === null) return 'needs cgroup v2';
  if (landlock !== undefined && process.arch !== 'x64') return 'needs x86-64';
  return landlock !== undefined && landlock > own ? `needs Landlock ${landlock}` : null;
}

/** A folder that is everybody's, with what hosts need. */
function prepareHome() {
  const home = mkdtempSync(join(tmpdir(), 'hosts-'));
  chmodSync(home, 0o777);
  if (process.arch === 'x64') {
    const words = ['-std=c++17', '-O1', '-static', '-o', join(home, TRACER)];
    execFileSync('g++', [...words, join(root, 'test/hosts/older_landlock.cc')]);
  }
  return home;
}

function tableOf(rows) {
  const table = new Table({
    head: ['host', ...GUARANTEE_NAMES],
    style: { head: [], border: [], compact: true },
  });
  for (const { host, cells, refusal, lack } of rows) {
    if (lack !== undefined) {
      table.push([host.name, { content: lack, colSpan: GUARANTEE_NAMES.length }]);
    } else {
      const otherwise = refusal === undefined ? '' : 'refused';
      table.push([host.name, ...GUARANTEE_NAMES.map((name) => cells[name] ?? otherwise)]);
    }
  }
  return table.toString();
}

const LONGEST = 160;
const shortened = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

/** Each reason once, with the hosts that gave it. */
function reasonsOf(rows) {
  const reasons = new Map();
  for (const { host, missing = [], refusal } of rows) {
    const own =
      refusal === undefined
        ? missing.map(
            ({ guarantee, why, cure }) => `${guarantee}: ${shortened(why)}\n    cure: ${cure}`,
          )
        : [refusal];
    for (const text of own) reasons.set(text, [...(reasons.get(text) ?? []), host.name]);
  }
  return [...reasons].map(([text, names]) => `${names.join(', ')}:\n  ${text}`).join('\n');
}

/** `work` of each, some at a time, in order. */
async function eachOf(list, atATime, work) {
  const results = [];
  const queue = [...list.entries()];
  const next = async () => {
    for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
      const [index, item] = entry;
      results[index] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: atATime }, next));
  return results;
}

await main(async () => {
  if (values.list) {
    console.log(hosts.map(({ name, is }) => `${name.padEnd(24)}${is}`).join('\n'));
    return;
  }
  if (process.getuid() !== 0) {
    throw new ScriptError('test:hosts makes other hosts by mounts and filters: run it as root');
  }
  const home = prepareHome();
  const rows = [];
  try {
    const without = { ...hosts[0], name: 'no jail', is: 'what the attempts come to without one' };
    rows.push(await step(without.is, async () => examineWithout(without, home)));
    const others = await eachOf(chosen(), values.quick ? 2 : 1, async (host) => {
      const lack = lacking(host);
      return lack === null
        ? step(`${host.name}: ${host.is}`, async () =>
            examine(host, home, GUARANTEE_NAMES, !values.quick),
          )
        : { host, lack, cells: {}, failures: [], passed: 0 };
    });
    rows.push(...others);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  for (const { host, failures } of rows) {
    for (const text of failures) console.log(`${host.name}: ${text}\n`);
  }
  console.log(tableOf(rows));
  console.log(reasonsOf(rows));
  const failed = rows.reduce((sum, { failures }) => sum + failures.length, 0);
  const passed = rows.reduce((sum, row) => sum + row.passed, 0);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
});
