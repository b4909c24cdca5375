// A template: one Python process, confined, that has imported what calls will need, and from which cells
// are forked. It never sees a byte of a call.
import { planWarm, type Confinement } from '../confinement/plan';
import { SetupError } from '../errors';
import type { Runtime } from '../host/runtime';
import { ZERO_LIMITS, type DiskLimits } from '../limits';
import { native, type NativeEvent, type NativeJail } from '../native/addon';
import { setupError } from '../native/failure';
import { spawnJail } from '../native/spawn';
import type { ProbeCheck } from '../proof/probe';
import { RUNNER } from '../python/runner-file';
import { pythonSource } from '../python/source';
import { Outputs } from '../run/outputs';
import type { Ended } from '../run/conclusion';
import { PLAIN_CALL } from '../spec/call';
import { buildSpec } from '../spec/spec';
import { isWithin } from '../text/is-within';
import { now } from '../time/clock';
import { ForkedCell, type Cell } from './cell';
import { CellSpecs } from './cell-specs';
import { Frames } from './frame';
import { WAITING_OPEN_FILES, WAITING_STACK } from './rule';
import { treeBytes } from './tree-bytes';

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
  /** A program that a child of the template runs once, to learn which memory calls use. */
  rehearsal: string;
  /** What every result says was in force, without the mechanism `warm`, which is added here. */
  mechanisms: readonly string[];
}

/** A running template. */
export interface Template {
  /** Resolves when the template and all its cells are dead. */
  readonly ended: Promise<void>;
  /** How many cells it has made. */
  readonly cellsMade: number;
  /** What was tried in cells of this configuration, before any served a call. */
  readonly checks: readonly ProbeCheck[];
  /** When it was ready, in milliseconds of `process.hrtime`. */
  readonly startedAt: number;
  /** What its own processes hold in memory now: launcher, nursery and Python. */
  residentBytes(): number;
  /**
   * Makes one cell, ready to run a call.
   * @param limits the size of the cell's `tmp`, which can't be changed afterwards
   * @param isUrgent whether it is wanted at once: then it is ready sooner, and its call takes longer, less than that
   * @throws SetupError where the template has ended or a step failed
   */
  makeCell(limits: DiskLimits, isUrgent?: boolean): Promise<Cell>;
  /** Ends the template and every cell of it, and waits until nothing is left. */
  close(): Promise<void>;
}

// Else each cell looks up anew each function of libc's that only it uses (ld.so(8)). The template takes it away again.
const EARLY_BINDING = { LD_BIND_NOW: '1' };
const SCRIPT_NAME = 'template.py';
const CELLS_NAME = 'cells.py';
const SESSION_NAME = 'session.py';
const START_LIMIT_MS = 120_000;
const LONGEST_COMPLAINT = 4096;

/** A template from its start on; it is `ready` later, and has not been tried in cells yet. */
export class RunningTemplate implements Template {
  readonly ended: Promise<void>;
  /** Settles when everything is imported. */
  readonly ready: Promise<void>;
  checks: readonly ProbeCheck[] = [];
  startedAt = 0;
  cellsMade = 0;
  readonly #frames: Frames;
  readonly #mechanisms: readonly string[];
  readonly #jail: NativeJail;
  readonly #outputs: Outputs;
  readonly #cells = new Set<ForkedCell>();
  readonly #directory: string;
  readonly #specs: CellSpecs;
  #hasEnded = false;
  #closed = false;
  #settleEnded: () => void = () => undefined;

  constructor(options: TemplateOptions) {
    const { cell: library } = native();
    const plan = planWarm(options.confinement);
    this.#frames = new Frames(plan.cell);
    // In a cell every exec is denied, with a listener or without: its program runs already.
    const inForce = options.mechanisms.filter((name) => name !== 'exec-listener');
    this.#mechanisms = [...inForce, 'warm'];
    const shown = [...options.pythonPath, library];
    const { binds, links } = options.runtime.view;
    const spec = buildSpec(
      {
        ...PLAIN_CALL,
        limits: ZERO_LIMITS,
        argv: [SCRIPT_NAME],
        env: EARLY_BINDING,
        files: [
          { name: SCRIPT_NAME, content: pythonSource(SCRIPT_NAME) },
          { name: CELLS_NAME, content: pythonSource(CELLS_NAME) },
          { name: SESSION_NAME, content: pythonSource(SESSION_NAME) },
          RUNNER,
        ],
        request: JSON.stringify({
          library,
          preload: options.preload,
          python_path: options.pythonPath,
          rehearsal: options.rehearsal,
          environment: Object.keys(EARLY_BINDING).filter((name) => !(name in options.env)),
        }),
      },
      {
        confinement: plan.template,
        view: {
          binds: [...binds, ...shown.filter((path) => !binds.some((bind) => isWithin(path, bind)))],
          links,
        },
        program: options.runtime.program,
        words: options.words,
        environment: (own) => ({ ...options.env, ...own }),
        ...{ mechanisms: [], mayExec: false },
      },
    );
    // The cells' are at the same place: whatever Python knows of it holds in them too.
    this.#directory = spec.directory;
    this.#specs = new CellSpecs(spec.directory, plan.cell);
    this.ended = new Promise((resolve) => {
      this.#settleEnded = resolve;
    });
    let onEnded: (ended: Ended) => void = () => undefined;
    const ended = new Promise<Ended>((resolve) => {
      onEnded = resolve;
    });
    this.#jail = spawnJail(
      {
        ...spec.native,
        rlimits: {
          ...spec.native.rlimits,
          RLIMIT_FSIZE: undefined,
          RLIMIT_NOFILE: WAITING_OPEN_FILES,
          RLIMIT_STACK: WAITING_STACK,
        },
      },
      (event) => {
        this.#onEvent(event, onEnded);
      },
    );
    native().addon.closeDescriptor(this.#jail.stdin);
    this.#outputs = new Outputs(this.#jail);
    this.#outputs.start();
    this.ready = this.#awaitReady(ended);
  }

  #onEvent(event: NativeEvent, onEnded: (ended: Ended) => void): void {
    if (event.type === 'templateEnded') {
      this.#hasEnded = true;
      for (const cell of this.#cells) {
        cell.onTemplateEnded();
      }
    } else if (event.type === 'ended') {
      this.#hasEnded = true;
      onEnded(event);
      this.#finish().then(this.#settleEnded, this.#settleEnded);
    }
  }

  async #finish(): Promise<void> {
    this.#specs.close();
    await this.#outputs.ended();
    await Promise.all([...this.#cells].map(async ({ dead }) => dead));
  }

  async #awaitReady(ended: Promise<Ended>): Promise<void> {
    const timer = setTimeout(() => {
      native().addon.kill(this.#jail.id);
    }, START_LIMIT_MS);
    // The answer's channel is closed by the template when it is ready, and by its end.
    await Promise.race([this.#outputs.channel?.ended, ended]);
    clearTimeout(timer);
    const answer = this.#outputs.channel?.bytes().toString() ?? '';
    if (answer === 'ready') {
      this.startedAt = now();
      this.#hold(false);
      return;
    }
    native().addon.kill(this.#jail.id);
    const { failure } = await ended;
    await this.ended;
    if (failure !== undefined) {
      throw setupError(failure);
    }
    const said = `${answer}${this.#outputs.stderr.bytes().toString()}`.trim();
    throw new SetupError('start the template', 0, {
      detail: said === '' ? 'it ended before it was ready' : said.slice(-LONGEST_COMPLAINT),
    });
  }

  // It keeps no process alive, but who waits for its end does.
  #hold(held: boolean): void {
    native().addon.holdLoop(this.#jail.id, held);
    this.#outputs.hold(held);
  }

  residentBytes(): number {
    return this.#hasEnded ? 0 : treeBytes(native().addon.processOf(this.#jail.id));
  }

  async makeCell(limits: DiskLimits, isUrgent = false): Promise<Cell> {
    if (this.#hasEnded || this.#closed) {
      throw new SetupError('make a cell', 0, { detail: 'the template has ended' });
    }
    const cell = new ForkedCell(
      this.#jail.id,
      this.#specs.of(limits, isUrgent),
      this.#directory,
      this.#frames,
      this.#mechanisms,
    );
    this.#cells.add(cell);
    void cell.dead.then(() => {
      this.#cells.delete(cell);
    });
    try {
      await cell.ready;
    } catch (error) {
      await cell.dead;
      throw error;
    }
    this.cellsMade += 1;
    return cell;
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#hold(true);
      native().addon.kill(this.#jail.id);
    }
    await this.ended;
  }
}
