// What the projects run: a cold and a warm call, written as people write them. Each prints `42 42 warm`.

const BODY = `
const jail = createJail({ commands: { python: { bin: '/usr/bin/python3', warm: true } } });
const cold = await jailCode('python', { code: 'print(6 * 7)' });
await jail.warmUp();
const globals = {};
const { confinement } = await jail.safeExec('a = 6 * 7', globals);
await jail.close();
const said = [String(cold.stdout).trim(), globals.a, confinement.includes('warm') ? 'warm' : 'cold'].join(' ');
`;

export const SAID = '42 42 warm';

/** The call as a function that resolves to what is said. */
const asFunction = `async function call() {${BODY}return said;}\n`;

export const commonJs = `const { createJail, jailCode } = require('codejail');\n${asFunction}call().then(console.log);\n`;
export const esm = `import { createJail, jailCode } from 'codejail';\n${BODY}console.log(said);\n`;

export const typescript = `
import codejail, { createJail, jailCode, JailError, type Jail, type JailCodeOptions } from 'codejail';
const options: JailCodeOptions = { code: 'print(6 * 7)', limits: { cpu: 2 } };
const jail: Jail = createJail({ commands: { python: { bin: '/usr/bin/python3', warm: true } } });
const cold = await codejail.jailCode('python', options);
await jail.warmUp();
const globals: { a?: number } = {};
const { confinement } = await jail.safeExec('a = 6 * 7', globals);
await jail.close();
if ((jailCode('python', options) instanceof Promise) && (new Error() instanceof JailError)) throw new Error();
console.log(String(cold.stdout).trim(), globals.a, confinement.includes('warm') ? 'warm' : 'cold');
`;

export const worker = `
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const { createJail, jailCode } = require('codejail');
${asFunction}
if (isMainThread) new Worker(__filename).on('message', console.log);
else call().then((said) => parentPort.postMessage(said));
`;

export const cluster = `
const cluster = require('node:cluster');
const { createJail, jailCode } = require('codejail');
${asFunction}
if (cluster.isPrimary) {
  const said = [];
  for (const _ of [1, 2]) {
    cluster.fork().on('message', (text) => said.push(text)).on('exit', () => {
      if (said.length === 2) console.log([...new Set(said)].join(', '));
    });
  }
} else {
  call().then((said) => process.send(said, () => process.exit(0)));
}
`;

const asTest = `test('runs', async () => { expect(await call()).toBe('${SAID}'); }, 60_000);\n`;
export const jest = `const { createJail, jailCode } = require('codejail');\n${asFunction}${asTest}`;
export const vitest = `import { expect, test } from 'vitest';\nimport { createJail, jailCode } from 'codejail';\n${asFunction}${asTest}`;
export const nodeTest = `
import assert from 'node:assert';
import test from 'node:test';
import { createJail, jailCode } from 'codejail';
${asFunction}
test('runs', async () => { assert.equal(await call(), '${SAID}'); });
`;

export const nextRoute = `
import { createJail, jailCode } from 'codejail';
export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';
${asFunction}
export async function GET() { return new Response(await call()); }
`;
