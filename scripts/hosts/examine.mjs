// One line of the matrix: what a host says is missing, whether calls keep to it, and what attacks on the rest came to.
import { runOn } from './simulate.mjs';
import { runSuites } from './suites.mjs';

/** What is wrong with how the host's calls keep to what it says is missing. */
function contradictions({ missing, canBeGivenUp, strict, lenient }) {
  const names = missing.map(({ guarantee }) => guarantee).sort();
  if (names.length === 0) {
    return strict === null ? [] : [`nothing is missing, and a call was refused: ${strict.message}`];
  }
  const found = [];
  if (strict?.code !== 'ERR_CODEJAIL_UNCONFINED') {
    found.push(`${names.join(', ')}: missing, and a call was not refused for it: ${strict?.code}`);
  } else if (names.some((name) => !strict.missing.includes(name))) {
    found.push(`${names.join(', ')}: missing, and a call named ${strict.missing.join(', ')}`);
  }
  if (canBeGivenUp && lenient !== null) {
    found.push(`${names.join(', ')}: given up, and the call was refused: ${lenient.message}`);
  }
  return [
    ...found,
    ...missing
      .filter(({ why, cure }) => why === '' || cure === '')
      .map(({ guarantee }) => `${guarantee}: missing without a reason and a cure`),
  ];
}

function refused(host, { code, message }) {
  const isTyped = code?.startsWith('ERR_CODEJAIL_') === true;
  return {
    host,
    refusal: message,
    cells: {},
    failures: isTyped ? [] : [`without a code: ${message}`],
    passed: isTyped ? 1 : 0,
  };
}

async function askHost(host, home) {
  const { stdout, stderr } = await runOn(host, home, [
    process.execPath,
    'scripts/hosts/ask.cjs',
    JSON.stringify(host.python ?? {}),
  ]);
  try {
    return JSON.parse(stdout);
  } catch {
    const message = `it could not be asked: ${stderr}${stdout}`;
    return { refusal: { code: undefined, message } };
  }
}

/**
 * Asks a host, and attacks what it says it holds.
 * @param {import('./plan.mjs').Host} host
 * @param {string} home a folder that everybody may write
 * @param {readonly string[]} guarantees all that there are
 * @param {boolean} withSuites whether test/escape is to run there too
 */
export async function examine(host, home, guarantees, withSuites) {
  const answer = await askHost(host, home);
  if (answer.refusal !== undefined) {
    return refused(host, answer.refusal);
  }
  const failures = contradictions(answer);
  let passed = failures.length === 0 ? 1 : 0;
  const missing = answer.missing.map(({ guarantee }) => guarantee);
  const runs = missing.length === 0 || answer.canBeGivenUp;
  const held = guarantees.filter((name) => !missing.includes(name));
  const suites =
    withSuites && host.python === undefined && runs && failures.length === 0
      ? await runSuites(host, home, { held, missing })
      : [];
  const cells = Object.fromEntries(
    guarantees.map((name) => [name, missing.includes(name) ? 'missing' : 'no jail']),
  );
  for (const guarantee of runs ? held : []) {
    const attempts = answer.attempts.filter((each) => each.guarantee === guarantee);
    const reached = attempts.filter((each) => !each.held);
    const suite = suites.find((each) => each.guarantee === guarantee);
    const broken = [
      ...(attempts.length === 0 ? ['nothing was tried'] : []),
      ...reached.map(({ attempt, seen }) => `${attempt}: ${seen}`),
      ...(suite?.failures ?? []),
    ];
    const count = attempts.length - reached.length + (suite?.passed ?? 0);
    passed += count;
    failures.push(...broken.map((text) => `${guarantee}: ${text}`));
    cells[guarantee] = broken.length === 0 ? `held ${count}` : `FAILED ${broken.length}`;
  }
  return { host, cells, failures, passed, missing: answer.missing };
}

/**
 * The attempts of denials.py where there is no jail: each has to succeed.
 * @param {import('./plan.mjs').Host} host one with all privileges
 * @param {string} home a folder that everybody may write
 */
export async function examineWithout(host, home) {
  const { stdout, stderr } = await runOn(host, home, [
    process.execPath,
    'scripts/hosts/denials.cjs',
  ]);
  let found;
  try {
    found = JSON.parse(stdout);
  } catch {
    return { host, cells: {}, passed: 0, failures: [`no attempt was made: ${stderr}`] };
  }
  const denied = found.filter(({ held, attempt }) => held || attempt === 'end the attempts early');
  const cells = {};
  for (const { guarantee } of found) {
    const own = found.filter((each) => each.guarantee === guarantee);
    cells[guarantee] = `reached ${own.filter(({ held }) => !held).length}`;
  }
  return {
    host,
    cells,
    passed: found.length - denied.length,
    failures: denied.map(
      ({ attempt, seen }) => `${attempt}: ${seen}, so it shows nothing in a jail`,
    ),
  };
}
