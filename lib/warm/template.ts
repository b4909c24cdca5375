// A template: one Python process, confined, that has imported what calls will need, and from which cells
// are forked. It never sees a byte of a call.
import type { Confinement } from '../confinement';
import { SetupError } from '../errors';
import type { Limits } from '../limits';
import type { Runtime } from '../runtime';
import type { Cell } from './cell';

/** What a template is made of: the operator's configuration, nothing of a call. */
export interface TemplateOptions {
  runtime: Runtime;
  /** How the cold calls of this command are confined; the template's and the cells' follow from it. */
  confinement: Confinement;
  /** The program and the words before a call's own, as `ReadyCommand.words`. */
  words: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Modules that are imported once, in this order. */
  preload: readonly string[];
  /** Directories and zip files of the host to import from, shown read-only. */
  pythonPath: readonly string[];
  /** What every result says was in force, without the mechanism `warm`, which is added here. */
  mechanisms: readonly string[];
}

/** A running template. */
export interface Template {
  /** Resolves when the template and all its cells are dead. */
  readonly ended: Promise<void>;
  /** How many cells it has made. */
  readonly cellsMade: number;
  /** When it was ready, in milliseconds of `process.hrtime`. */
  readonly startedAt: number;
  /** What its own processes hold in memory now: launcher, nursery and Python. */
  residentBytes(): number;
  /**
   * Makes one cell, ready to run a call.
   * @param limits the size of the cell's `tmp`, which can't be changed afterwards
   * @throws SetupError where the template has ended or a step failed
   */
  makeCell(limits: Pick<Limits, 'disk' | 'files'>): Promise<Cell>;
  /** Ends the template and every cell of it, and waits until nothing is left. */
  close(): Promise<void>;
}

/**
 * Starts a template and waits until it has imported everything.
 * @throws SetupError where a step or an import failed, with what Python said
 */
export async function startTemplate(options: TemplateOptions): Promise<Template> {
  return Promise.reject(
    new SetupError('start the template', 0, {
      detail: `no warm Python in this version (${options.runtime.program})`,
    }),
  );
}
