import { InvalidArgumentError } from './errors';
import { describe } from './text/describe';
import { printable } from './text/printable';
import { suggestionSentence } from './text/suggestion';

/** What one jail may use. 0 means no limit, except for `fsize`, where it means that nothing may be written. */
export interface Limits {
  /** CPU seconds, over all of the jail's processes. Fractions are allowed, to the millisecond. Default 1. */
  cpu: number;
  /** Seconds by the clock on the wall. Fractions are allowed, to the millisecond. Default 5; CodeJail's 1. */
  realtime: number;
  /**
   * Seconds for which a program that is over `cpu` or `realtime` may go on before it is ended. The verdict is the same
   * with and without; with it the result shows by how much the program was too slow. Default 0.
   */
  extraTime: number;
  /** Bytes of address space of each process. Default 0: no limit. */
  vmem: number;
  /** Bytes of each file that is written; 0: nothing may be written. Default: as many as `disk`; CodeJail's 0. */
  fsize: number;
  /** Processes and threads, counted for this jail alone. Default 15. */
  nproc: number;
  /** Bytes of memory of all of the jail's processes together. Default 512 MiB. */
  memory: number;
  /**
   * Bytes of each process's stack, as far as `memory` goes, to which it counts; also that of a thread which the
   * program asks for without a size. Default 8 MiB.
   */
  stack: number;
  /** Files, sockets and pipes that a process has open at a time; not more than the server may have. Default 256. */
  openFiles: number;
  /** Bytes of all files in the writable directory together. Default 64 MiB. */
  disk: number;
  /** Files and directories in the writable directory. Default 1024. */
  files: number;
  /** Bytes of standard output, of standard error and of the result, each. Default 16 MiB. */
  output: number;
  /**
   * Bytes of all that is put into the jail's directory: what `files`, `pythonPath` and `extraFiles` name, together.
   * Each file counts in whole pages of 4 KiB, each directory and link as one. Default 256 MiB.
   */
  input: number;
  /**
   * Whether warm Python may serve the call: 0 never; another number, or null, where the command is
   * configured `warm`. Default: the environment variable `CODEJAIL_PROXY`, else null.
   */
  proxy: number | null;
}

/** What a jail's writable directory is limited to. */
export type DiskLimits = Pick<Limits, 'disk' | 'files'>;

/** Every limit 0: what a call's own limits are set over later. */
export const ZERO_LIMITS: Limits = Object.freeze({
  cpu: 0,
  realtime: 0,
  extraTime: 0,
  vmem: 0,
  fsize: 0,
  nproc: 0,
  memory: 0,
  stack: 0,
  openFiles: 0,
  disk: 0,
  files: 0,
  output: 0,
  input: 0,
  proxy: 0,
});

/** The name of a limit. */
export type LimitName = keyof Limits;

/** Whose defaults a jail has: this library's, or those of Python's CodeJail. */
export type LimitDefaults = 'own' | 'codejail';

/** What is known of one limit. */
export interface LimitDefinition {
  readonly unit: 'seconds' | 'bytes' | 'count' | 'switch';
  /** `disk`: whatever that limit is. */
  readonly default: number | null | 'disk';
  /** CodeJail's, where it is another. */
  readonly codejailDefault?: number;
  /** The limit's name in CodeJail and in Open edX's settings. */
  readonly codejailName: Uppercase<LimitName>;
  readonly maximum: number;
  readonly fractional: boolean;
  readonly zeroMeans: 'no limit' | 'nothing may be written' | 'never' | 'at once';
}

const MEBIBYTE = 1024 * 1024;
const MAXIMUM_SECONDS = 1_000_000;
/** The kernel's own default (fs.nr_open). */
const MOST_OPEN_FILES = 1024 * 1024;

const seconds = { unit: 'seconds', maximum: MAXIMUM_SECONDS, fractional: true } as const;
const bytes = { unit: 'bytes', maximum: Number.MAX_SAFE_INTEGER, fractional: false } as const;
const count = { unit: 'count', fractional: false } as const;
const none = { zeroMeans: 'no limit' } as const;

/** All limits, in the order in which they are listed to people. */
export const LIMIT_DEFINITIONS: Readonly<Record<LimitName, LimitDefinition>> = Object.freeze({
  cpu: { ...seconds, ...none, default: 1, codejailName: 'CPU' },
  realtime: { ...seconds, ...none, default: 5, codejailDefault: 1, codejailName: 'REALTIME' },
  extraTime: { ...seconds, default: 0, codejailName: 'EXTRATIME', zeroMeans: 'at once' },
  vmem: { ...bytes, ...none, default: 0, codejailName: 'VMEM' },
  fsize: {
    ...bytes,
    default: 'disk',
    codejailDefault: 0,
    codejailName: 'FSIZE',
    zeroMeans: 'nothing may be written',
  },
  nproc: { ...count, ...none, default: 15, codejailName: 'NPROC', maximum: 100_000 },
  memory: { ...bytes, ...none, default: 512 * MEBIBYTE, codejailName: 'MEMORY' },
  stack: { ...bytes, ...none, default: 8 * MEBIBYTE, codejailName: 'STACK' },
  openFiles: {
    ...count,
    ...none,
    default: 256,
    codejailName: 'OPENFILES',
    maximum: MOST_OPEN_FILES,
  },
  disk: { ...bytes, ...none, default: 64 * MEBIBYTE, codejailName: 'DISK' },
  files: { ...count, ...none, default: 1024, codejailName: 'FILES', maximum: 1_000_000_000 },
  output: { ...bytes, ...none, default: 16 * MEBIBYTE, codejailName: 'OUTPUT' },
  input: { ...bytes, ...none, default: 256 * MEBIBYTE, codejailName: 'INPUT' },
  proxy: {
    unit: 'switch',
    default: null,
    codejailName: 'PROXY',
    maximum: Number.MAX_SAFE_INTEGER,
    fractional: false,
    zeroMeans: 'never',
  },
});

/**
 * Bytes of memory that one process of a jail with this limit can have: the wall behind the sum of all, which decides. It
 * leaves room, so that the sum sees what is too much.
 */
export function memoryWall(memory: number): number {
  return memory + Math.max(32 * MEBIBYTE, Math.ceil(memory / 4));
}

/** The names of all limits, in the order in which they are listed to people. */
export const LIMIT_NAMES = Object.freeze(Object.keys(LIMIT_DEFINITIONS) as LimitName[]);

/**
 * Checks a limit's name.
 * @throws InvalidArgumentError naming `argument`, with the name that was probably meant
 */
export function parseLimitName(name: unknown, argument: string): LimitName {
  if (typeof name === 'string' && Object.hasOwn(LIMIT_DEFINITIONS, name)) {
    return name as LimitName;
  }
  throw new InvalidArgumentError(
    argument,
    `must be the name of a limit, not ${describe(name)}. ${suggestionSentence(typeof name === 'string' ? name : '', LIMIT_NAMES)}`,
  );
}

/**
 * Checks one limit's value: a number from 0 to the limit's maximum, whole unless the limit is in
 * seconds; null only for `proxy`.
 * @throws InvalidArgumentError naming `argument`
 */
export function parseLimit(name: LimitName, value: unknown, argument: string): number | null {
  const { unit, maximum, fractional, zeroMeans } = LIMIT_DEFINITIONS[name];
  if (value === null && name === 'proxy') {
    return null;
  }
  if (
    typeof value !== 'number' ||
    !(value >= 0 && value <= maximum) ||
    !(fractional || Number.isInteger(value))
  ) {
    const kind = `${fractional ? 'a number' : 'a whole number'}${unit === 'seconds' || unit === 'bytes' ? ` of ${unit}` : ''}`;
    throw new InvalidArgumentError(
      argument,
      `must be ${kind} from 0 (${zeroMeans}) to ${maximum}, not ${describe(value)}`,
    );
  }
  return value === 0 ? 0 : value;
}

function proxyOfEnvironment(): number | null {
  const text = process.env['CODEJAIL_PROXY'];
  if (text === undefined || text === '') {
    return null;
  }
  if (!/^\s*[+-]?\d+\s*$/.test(text)) {
    throw new InvalidArgumentError(
      'CODEJAIL_PROXY',
      `(environment variable) must be a whole number, not ${describe(text)}`,
    );
  }
  return Number(text) === 0 ? 0 : 1;
}

/** A jail's limits: the defaults, what was set over them, and what each context overrides. */
export class LimitTable {
  #defaults: LimitDefaults = 'own';
  readonly #set = new Map<LimitName, number | null>();
  readonly #overrides = new Map<string, Map<LimitName, number | null>>();
  /** What calls without limits of their own have; most have none. */
  #common: Limits | undefined;
  readonly #warn: (message: string) => void;

  /** @param warn told when an override is ignored; by default a warning of the process */
  constructor(warn?: (message: string) => void) {
    this.#warn =
      warn ??
      ((message) => {
        process.emitWarning(printable(message), 'CodeJailWarning');
      });
  }

  /** Has later calls get these defaults where nothing else was set. */
  useDefaults(defaults: LimitDefaults): void {
    this.#defaults = defaults;
    this.#common = undefined;
  }

  /**
   * Sets a limit for every later call; null puts the default back.
   * @throws InvalidArgumentError for `name` or `value`
   */
  set(name: LimitName, value: number | null): void {
    const limit = parseLimitName(name, 'name');
    if (value === null) {
      this.#set.delete(limit);
    } else {
      this.#set.set(limit, parseLimit(limit, value, 'value'));
    }
    this.#common = undefined;
  }

  /**
   * Overrides a limit for calls with this `limitOverridesContext`; null takes the override away.
   * `proxy` can't be overridden: a value unlike the one in force is ignored with a warning, as in CodeJail.
   * @throws InvalidArgumentError for `name`, `value` or `context`
   */
  override(name: LimitName, value: number | null, context: string): void {
    const limit = parseLimitName(name, 'name');
    if (typeof (context as unknown) !== 'string' || context === '') {
      throw new InvalidArgumentError(
        'context',
        `must be a non-empty string, not ${describe(context)}`,
      );
    }
    const parsed = value === null ? null : parseLimit(limit, value, 'value');
    if (limit === 'proxy') {
      if (parsed !== null && parsed !== this.effective().proxy) {
        this.#warn(
          `the limit "proxy" can't be overridden by context: the override for ${describe(context)} is ignored`,
        );
      }
      return;
    }
    const overrides = this.#overrides.get(context) ?? new Map<LimitName, number | null>();
    if (parsed === null) {
      overrides.delete(limit);
    } else {
      overrides.set(limit, parsed);
    }
    this.#overrides.set(context, overrides);
  }

  /** What all calls have of a limit that only this table decides. */
  get(name: 'disk' | 'files'): number {
    return this.#set.get(name) ?? (LIMIT_DEFINITIONS[name].default as number);
  }

  /**
   * The limits of one call: what was set, overridden by the context (an unknown one overrides
   * nothing), overridden by the call's own. Frozen.
   * @param callLimits as `parseLimits` returns them
   * @throws InvalidArgumentError when the variable `CODEJAIL_PROXY` is needed and is no number
   */
  effective(context?: string | null, callLimits: Partial<Limits> = {}): Limits {
    const overrides = typeof context === 'string' ? this.#overrides.get(context) : undefined;
    if (overrides === undefined && Object.keys(callLimits).length === 0) {
      const proxy = this.#set.get('proxy') ?? proxyOfEnvironment();
      const known = this.#common;
      return known?.proxy === proxy ? known : (this.#common = this.#merge(undefined, { proxy }));
    }
    return this.#merge(overrides, callLimits);
  }

  #merge(
    overrides: ReadonlyMap<LimitName, number | null> | undefined,
    callLimits: Partial<Limits>,
  ): Limits {
    const limits: Partial<Record<LimitName, number | null>> = {};
    const chosen = (name: LimitName): number | null | undefined =>
      callLimits[name] ?? overrides?.get(name) ?? this.#set.get(name);
    for (const name of LIMIT_NAMES) {
      const { default: own, codejailDefault } = LIMIT_DEFINITIONS[name];
      const standard = this.#defaults === 'codejail' ? (codejailDefault ?? own) : own;
      limits[name] = chosen(name) ?? (standard === 'disk' ? undefined : standard) ?? null;
    }
    limits.fsize ??= limits.disk === 0 ? LIMIT_DEFINITIONS.fsize.maximum : (limits.disk ?? 0);
    // CodeJail knows no limit but this one of memory: who has raised it wants as much.
    if (this.#defaults === 'codejail' && (chosen('memory') ?? null) === null) {
      limits.memory = Math.max(limits.memory ?? 0, limits.vmem ?? 0);
    }
    limits.proxy ??= proxyOfEnvironment();
    return Object.freeze(limits as Limits);
  }
}

/** Whether what was made with the one serves who asks for the other. */
export function sameDiskLimits(one: DiskLimits, other: DiskLimits): boolean {
  return one.disk === other.disk && one.files === other.files;
}
