// Warm Pythons, for what is special to them: a small pool, or templates and cells without one.
import { createJail, type Jail } from '../../lib/index';
import { Command } from '../../lib/command/command';
import type { RunResult } from '../../lib/run/conclusion';
import { DEFAULT_UID_POOL } from '../../lib/confinement/plan';
import { LimitTable, type Limits } from '../../lib/limits';
import { parseCommandOptions } from '../../lib/options/command';
import { encodeRequest } from '../../lib/exec/request';
import { PLAIN_CALL } from '../../lib/spec/call';
import { pythonSource } from '../../lib/python/source';
import { runToEnd, type Cell, type WarmCall } from '../../lib/warm/cell';
import { startTemplate } from '../../lib/warm/start';
import type { Template, TemplateOptions } from '../../lib/warm/template';
import { UNHURRIED } from './suite';

export const LIMITS: Limits = new LimitTable().effective(undefined, { realtime: 10, cpu: 5 });

/** A jail whose Python has a pool of two cells. */
export function jailOfTwoCells(): Jail {
  const jail = createJail({ limits: UNHURRIED });
  jail.configure('python', { bin: 'python3', warm: { size: 2, memoryReserve: 0 } });
  return jail;
}

/** What a template of the system's Python is made of. */
export async function templateOptions(preload: string[] = []): Promise<TemplateOptions> {
  const command = new Command('python', parseCommandOptions('python3'));
  const { runtime, confinement, words, mechanisms } = await command.ready(
    { uidPool: DEFAULT_UID_POOL, cgroup: false },
    [],
  );
  return {
    runtime,
    confinement,
    words,
    mechanisms,
    env: command.environment(runtime, {}),
    preload,
    pythonPath: [],
    rehearsal: pythonSource('rehearsal.py'),
  };
}

/** Starts a template of the system's Python. */
export async function startPython(preload: string[] = []): Promise<Template> {
  return startTemplate(await templateOptions(preload));
}

/** A template of the system's Python, for all tests of a file. */
export function useTemplate(): { readonly template: Template } {
  let template: Template | undefined;
  beforeAll(async () => {
    template = await startPython();
  });
  afterAll(async () => {
    await template?.close();
  });
  return {
    get template() {
      if (template === undefined) {
        throw new Error('the template is started before all tests, not while they are listed');
      }
      return template;
    },
  };
}

function call(more: Partial<WarmCall>): WarmCall {
  return { ...PLAIN_CALL, limits: LIMITS, argv: ['jailed_code'], ...more };
}

/** Runs a safeExec in this cell. */
export async function execIn(
  cell: Cell,
  code: string,
  more: Partial<WarmCall> = {},
): Promise<RunResult> {
  return runToEnd(cell, call({ request: encodeRequest(JSON.stringify(code), '{}', []), ...more }));
}

/** Runs a script in this cell, as jailCode does. */
export async function scriptIn(
  cell: Cell,
  code: string,
  more: Partial<WarmCall> = {},
): Promise<RunResult> {
  return runToEnd(cell, call({ files: [{ name: 'jailed_code', content: code }], ...more }));
}

/** What a script in a new cell of this template prints. */
export async function printed(template: Template, code: string): Promise<string> {
  const { result } = await scriptIn(await template.makeCell(LIMITS), code);
  return `${result.stdout.toString()}${result.stderr.toString()}`.trim();
}
