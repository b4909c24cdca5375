// A server, run by injector.cc: does one thing again and again, and makes one system call after the other fail in it.
// Arguments: the scenario, the witness, the file that rows are appended to, `thorough` or `sample`, which
// share of the plan (each so-manyth), and how many faults
// of the plan have been injected by a server before.
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { settledLeftovers, traces, type Traces } from '../../support/leftovers';
import { Interposer } from './interposer';
import { callNames, plan, type Case } from './plan';
import { JailError, scenarioOf, type Outcome, type Scenario } from './scenarios';
import { Tracer } from './tracer';

const interposer = new Interposer(process.env['FAULTS_SHARED'] ?? '');
const isInterposed = (fault: Case): boolean => Interposer.has(fault.role);

const [name = '', witness = '', rows = '', depth = '', every = '1', done = '0'] =
  process.argv.slice(2);

/** As long as nothing of ours may take. */
const HANG_MS = 25_000;
const PATIENCE_MS = 5_000;

/** Python's own part of a template: its error is a traceback, or what its end is told by. */
const TELL_BY_WORDS = new Set(['template', 'scout']);

/** A cell in a hurry has none. */
const MAYBE = 'supervisor-keeper';

/** What faultless runs say, each way a call can go. */
const known = new Set<string>();

const write = (row: object): void => {
  appendFileSync(rows, `${JSON.stringify(row)}\n`);
};

const text = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? '') : inspect(error);

function describe({ error, result = '' }: Outcome): string {
  if (error instanceof JailError) {
    const { code, step, errnoName, syscall, message } = error;
    return step === undefined || errnoName === undefined
      ? `${code}: ${message}`
      : `${step} (${syscall}): ${errnoName}`;
  }
  return error === undefined ? result : text(error);
}

const signature = ({ facts, result }: Outcome): string => `${result}\n${facts}`;

/** What is wrong with an outcome, or an empty text. */
function judge(outcome: Outcome, fault: Case): string {
  const { error, facts } = outcome;
  if (error === undefined) {
    return known.has(signature(outcome)) ? '' : `another result: ${difference(signature(outcome))}`;
  }
  if (facts !== '' && ![...known].some((all) => all.endsWith(`\n${facts}`))) {
    return `ran, and was not confined as ever: ${difference(facts)}`;
  }
  if (!(error instanceof JailError)) {
    return `no error of ours: ${text(error)}`;
  }
  const isOfStep = error.code === 'ERR_CODEJAIL_SETUP' || error.code === 'ERR_CODEJAIL_COLLECT';
  if (!isOfStep || error.step === undefined) {
    return `names no step: ${error.code} ${error.message}`;
  }
  const isTold = error.errnoName === fault.errnoName || TELL_BY_WORDS.has(fault.role);
  return isTold ? '' : `names another errno: ${error.message}`;
}

function difference(said: string): string {
  const lines = new Set([...known].flatMap((all) => all.split('\n')));
  const other = said.split('\n').filter((line) => !lines.has(line));
  return other.length === 0
    ? `${said.length} bytes of the same lines`
    : other.slice(0, 3).join(' | ').slice(0, 600);
}

async function withinTime<T>(work: Promise<T>): Promise<T | 'hung'> {
  const stop = new AbortController();
  const late = sleep(HANG_MS, 'hung' as const, { signal: stop.signal }).catch(
    () => 'hung' as const,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    stop.abort();
  }
}

/** Waits until only what stands is there; says what else is. */
async function settled(tracer: Tracer, standing: readonly string[]): Promise<string> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const alive = await tracer.alive();
    if (alive.filter((role) => role !== MAYBE).join() === standing.join()) {
      return '';
    }
    if (Date.now() > until) {
      return `processes are left: ${alive.length > 0 ? alive.join(', ') : 'none of those that should'}`;
    }
    await sleep(alive.length > standing.length ? 2 : 20);
  }
}

async function left(tracer: Tracer, before: Traces): Promise<string> {
  const processes = await settled(tracer, []);
  const found = Object.entries(await settledLeftovers(before));
  return [processes, ...found.map(([kind, names]) => `${kind} are left: ${names.join(', ')}`)]
    .filter(Boolean)
    .join('; ');
}

async function inject(
  tracer: Tracer,
  scenario: Scenario,
  fault: Case,
  before: Traces,
): Promise<void> {
  await scenario.ready();
  write(fault);
  if (isInterposed(fault)) {
    interposer.arm(fault);
  } else {
    await tracer.arm(fault);
  }
  const outcomes = await withinTime(scenario.run());
  const hasFired = isInterposed(fault) ? interposer.disarm() : await tracer.disarm();
  if (outcomes === 'hung') {
    write({
      ...fault,
      fired: hasFired,
      outcome: '',
      bad: `hangs; alive: ${(await tracer.alive()).join(', ')}`,
    });
    process.exit(3);
  }
  let bad = outcomes
    .map((outcome) => judge(outcome, fault))
    .filter(Boolean)
    .join('; ');
  const rejected = outcomes.filter(({ error }) => error !== undefined).map(describe);
  // Where something stands on, whether it stands well; else whether nothing is left.
  let stands = '';
  if (scenario.standing.length > 0) {
    await scenario.ready().catch(() => undefined);
    stands = await settled(tracer, scenario.standing);
  }
  if (scenario.standing.length === 0 || stands !== '') {
    await scenario.end();
    bad ||= await left(tracer, before);
  }
  const next = await withinTime(scenario.check());
  if (next === 'hung') {
    write({ ...fault, fired: hasFired, outcome: rejected.join('; '), bad: 'the next call hangs' });
    process.exit(3);
  }
  if (!known.has(signature(next))) {
    bad ||= `the next call: ${next.error === undefined ? difference(signature(next)) : describe(next)}`;
  }
  write({
    ...fault,
    fired: hasFired,
    outcome:
      rejected.length === 0
        ? stands === ''
          ? 'right'
          : `right, made anew (${stands})`
        : rejected.join('; '),
    bad,
  });
}

async function main(): Promise<void> {
  const tracer = new Tracer();
  const scenario = scenarioOf(name, witness);
  await scenario.ready();
  for (let i = 0; i < 2; i += 1) {
    await scenario.run();
    await scenario.check();
  }
  await scenario.end();
  const before = traces();
  await tracer.begin();
  interposer.begin();
  await scenario.ready();
  await tracer.record();
  interposer.record();
  const outcomes = await scenario.run();
  const counts = [...(await tracer.counts()), ...interposer.counts()];
  const names = new Map([...callNames(), ...interposer.names]);
  const cases = plan(counts, names, scenario.roles, depth === 'thorough').filter(
    (_, index) => index % Number(every) === 0,
  );
  outcomes.push(await scenario.check(), ...(await scenario.otherwise()));
  for (const outcome of outcomes) {
    if (outcome.error !== undefined) {
      throw new Error('a call without any fault failed', { cause: outcome.error });
    }
    known.add(signature(outcome));
  }
  write({ planned: cases.length, facts: [...known], alive: await tracer.alive() });
  for (const fault of cases.slice(Number(done))) {
    await inject(tracer, scenario, fault, before);
  }
  await scenario.end();
  tracer.end();
}

main().catch((error: unknown) => {
  write({ failed: text(error), stack: inspect(error) });
  process.exit(4);
});
