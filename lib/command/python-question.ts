// Asks a Python where its modules are: in a jail of its own, since whoever wrote it could do anything meanwhile.
import { isAbsolute } from 'node:path';
import { runCold } from '../cold/cold';
import { planConfinement, type Confinement, type ConfinementWishes } from '../confinement/plan';
import { SetupError } from '../errors';
import { pyenvVersion } from '../host/python-tree';
import type { PythonAnswer, PythonQuestion } from '../host/runtime';
import type { HostView } from '../host/view';
import { ZERO_LIMITS, type Limits } from '../limits';
import { native } from '../native/addon';
import { bestProved } from '../proof/proved-plan';
import { explainExceeded } from '../run/exceeded';
import { PLAIN_CALL } from '../spec/call';
import { isWithin } from '../text/is-within';
import { withLibrary } from './output-library';

const QUESTION = `
import json, sys
print(json.dumps({
    "executable": sys.executable,
    "prefixes": [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix],
    "path": [p for p in sys.path if p],
    "streams": "write" in vars(sys.stdout),
}))
`;

const MEBIBYTE = 1024 * 1024;
// What a Python of any size starts within; a start of a rich environment from a slow disk takes seconds.
const LIMITS: Limits = {
  ...ZERO_LIMITS,
  cpu: 20,
  realtime: 120,
  nproc: 32,
  memory: 512 * MEBIBYTE,
  disk: 8 * MEBIBYTE,
  files: 64,
  output: MEBIBYTE / 4,
};
const MOST_PATHS = 1000;

function isPath(value: unknown): value is string {
  return typeof value === 'string' && isAbsolute(value) && !value.includes('\0');
}

function pathsOf(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.length <= MOST_PATHS ? value.filter(isPath) : undefined;
}

/** The answer, where it is one. */
function parseAnswer(text: string, library: string | undefined): PythonAnswer | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  const executable = fields.get('executable');
  const prefixes = pathsOf(fields.get('prefixes'));
  const path = pathsOf(fields.get('path'));
  return isPath(executable) && prefixes !== undefined && path !== undefined
    ? {
        executable,
        prefixes,
        path,
        outputLibrary: fields.get('streams') === true ? library : undefined,
      }
    : undefined;
}

/** What a shim's manager goes by, of this process's own environment. */
async function shimEnvironment(): Promise<Record<string, string>> {
  const version = await pyenvVersion();
  return version === undefined ? {} : { PYENV_VERSION: version };
}

function withBind(view: HostView, path: string): HostView {
  return view.binds.some((bind) => isWithin(path, bind))
    ? view
    : { ...view, binds: [...view.binds, path] };
}

interface Asked {
  confinement: Confinement;
  view: HostView;
  words: PythonQuestion['words'];
  env: Record<string, string>;
  /** The library that it is given, or undefined. */
  library: string | undefined;
}

/** Runs the question. @returns the answer, or why there is none */
async function askOnce({
  confinement,
  view,
  words,
  env,
  library,
}: Asked): Promise<PythonAnswer | string> {
  const { result } = await runCold(
    // Isolated: its user's packages are no part of the answer.
    { ...PLAIN_CALL, limits: LIMITS, argv: ['-I', '-B', '-c', QUESTION] },
    {
      ...{ confinement, view, mechanisms: [], mayExec: false },
      ...{ program: words[0], words },
      environment: () => (library === undefined ? env : withLibrary(env, library)),
    },
  );
  const answer = parseAnswer(result.stdout.toString(), library);
  if (answer !== undefined && result.status === 0) {
    return answer;
  }
  if (result.exceeded !== null) {
    // Of a busy host, perhaps; it is asked again by the next call.
    throw new SetupError('ask the Python for its modules', 0, {
      detail: `${words.join(' ')}: ${explainExceeded(result.exceeded)}`,
    });
  }
  const said = result.stderr.toString().trim().split('\n').at(-1) ?? '';
  const how = result.status === 0 ? 'it gave no answer' : `it ended with status ${result.status}`;
  return said === '' ? how : `${how}: ${said}`;
}

/**
 * Runs a Python once, confined as the command's calls will be, and asks it where its modules are. Nothing of the
 * answer is to be believed but by whom the operator has named.
 * @param wishes those of the command. For a shim, which starts other programs, without profile and user: these are
 *   for what it stands for.
 * @returns the answer; why there is none, as a clause; undefined where no jail can be made on this host
 * @throws SetupError where it took too long, or too much
 */
export async function askPython(
  { words, isShim, isTrusted, view }: PythonQuestion,
  wishes: ConfinementWishes,
): Promise<PythonAnswer | string | undefined> {
  const plans = planConfinement(
    isShim
      ? { ...wishes, allowExec: true, profile: undefined, user: undefined }
      : { ...wishes, allowExec: false },
  );
  const { confinement, proof } = await bestProved(plans, view);
  if (proof.checks.length === 0) {
    return undefined;
  }
  // Nothing can be written there anyway (`fsize`), and nobody but this server is told what it sees.
  const missing = proof.missing.filter(
    ({ guarantee }) => guarantee !== 'disk' && guarantee !== 'metadata',
  );
  if (!isTrusted && missing.length > 0) {
    return 'this host does not guarantee all that it takes to ask a program that nobody vouches for';
  }
  const ask = async (library: string | undefined): Promise<PythonAnswer | string> =>
    askOnce({
      confinement,
      view: library === undefined ? view : withBind(view, library),
      words,
      env: isShim ? await shimEnvironment() : {},
      library,
    });
  const answer = await ask(native().output);
  // Of another libc, for one: a Python that does not take the library runs without it.
  return typeof answer === 'string' ? ask(undefined) : answer;
}
