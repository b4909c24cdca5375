// How a warm command keeps Python processes ready: the options, their ranges and their defaults.
import { InvalidArgumentError } from '../errors';
import { processors } from '../host/processors';
import { pythonSource } from '../python/source';
import { describe } from '../text/describe';
import { isWithin } from '../text/is-within';
import {
  integer,
  listOf,
  optional,
  optionsParser,
  readName,
  readText,
  Refusal,
  type Reader,
} from './argument';
import { readShownPath } from './shown-path';

/** The option `warm` of a command: how it keeps Python processes ready. */
export interface WarmOptions {
  /** How many wait for calls, 1 to 1000. Default: twice the processors, at most 16. */
  size?: number | undefined;
  /**
   * With fewer waiting than this, more are made while calls run; else once none runs. 0 to `size`.
   * Default: half of `size`.
   */
  lowWater?: number | undefined;
  /** How many calls may wait for one; more of them run cold. 0 to 10,000. Default 100. */
  maxWaiting?: number | undefined;
  /** Modules that are imported before any program runs: `['numpy']`. Default: none. */
  preload?: string[] | undefined;
  /**
   * Absolute directories and zip files of the host, not below /tmp, that `preload` is imported from, too. A call whose
   * `pythonPath` names one of them has nothing copied. Default: none.
   */
  pythonPath?: string[] | undefined;
  /**
   * A program like those to come, at most 16,384 characters of Python. A process that is then ended runs it once, when
   * a template starts, to learn which memory such programs use: each waiting process is made with a copy of its own.
   * Nothing else of it reaches a call. It runs in the template, not as calls do: trust it as `preload`. Default: a small
   * one, with functions, a class, an exception, containers and text.
   */
  rehearsal?: string | undefined;
  /** After so many programs the template is replaced, 1 to 1e9. Default 10,000. */
  recycleCells?: number | undefined;
  /** A template older than these seconds is replaced at the next call, 1 to 1e6. Default 3600. */
  recycleSeconds?: number | undefined;
  /** A template that has grown by more than these bytes is replaced, from 1 MiB on. Default 64 MiB. */
  recycleGrowth?: number | undefined;
  /**
   * With fewer bytes of memory available on the host, no process is made that no call waits for. From 0
   * on. Default 256 MiB.
   */
  memoryReserve?: number | undefined;
}

/** `WarmOptions`, checked, copied and complete. */
export type WarmArguments = { [Key in keyof WarmOptions]-?: NonNullable<WarmOptions[Key]> };

const MEBIBYTE = 1024 * 1024;
const MAXIMUM_DEFAULT_SIZE = 16;
const MAXIMUM_REHEARSAL = 16_384;

function readModuleName(value: unknown): string {
  const module = readName(value);
  if (!/^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u.test(module)) {
    throw new Refusal(`must be the dotted name of a Python module, not ${describe(module)}`);
  }
  return module;
}

function readSearchedPath(value: unknown): string {
  const path = readShownPath(value);
  if (isWithin(path, '/tmp')) {
    throw new Refusal('must not be below /tmp: a jail has its own there');
  }
  return path;
}

function readRehearsal(value: unknown): string {
  const program = readText(value);
  // It has to fit into a pipe, also where each character is escaped.
  if (program.length > MAXIMUM_REHEARSAL) {
    throw new Refusal(`must be at most ${MAXIMUM_REHEARSAL} characters, not ${program.length}`);
  }
  return program;
}

const parseWarmShape = optionsParser({
  size: optional(integer(1, 1000)),
  lowWater: optional(integer(0, 1000)),
  maxWaiting: optional(integer(0, 10_000)),
  preload: optional(listOf(readModuleName)),
  pythonPath: optional(listOf(readSearchedPath)),
  rehearsal: optional(readRehearsal),
  recycleCells: optional(integer(1, 1e9)),
  recycleSeconds: optional(integer(1, 1e6)),
  recycleGrowth: optional(integer(MEBIBYTE, Number.MAX_SAFE_INTEGER)),
  memoryReserve: optional(integer(0, Number.MAX_SAFE_INTEGER)),
} satisfies Record<keyof WarmOptions, Reader<unknown>>);

/**
 * Checks a command's `warm`: false where it is absent; true stands for the defaults.
 * @throws InvalidArgumentError
 */
export function parseWarm(value: unknown, argument: string): false | WarmArguments {
  if (value === undefined || value === false) {
    return false;
  }
  if (value !== true && (typeof value !== 'object' || value === null)) {
    throw new InvalidArgumentError(
      argument,
      `must be true, false or an object, not ${describe(value)}`,
    );
  }
  const warm = parseWarmShape(value === true ? {} : value, argument);
  const size = warm.size ?? Math.min(2 * processors(), MAXIMUM_DEFAULT_SIZE);
  const lowWater = warm.lowWater ?? Math.ceil(size / 2);
  if (lowWater > size) {
    throw new InvalidArgumentError(
      `${argument}.lowWater`,
      `must be from 0 to ${size}, the size, not ${lowWater}`,
    );
  }
  return {
    size,
    lowWater,
    maxWaiting: warm.maxWaiting ?? 100,
    preload: warm.preload ?? [],
    pythonPath: warm.pythonPath ?? [],
    rehearsal: warm.rehearsal ?? pythonSource('rehearsal.py'),
    recycleCells: warm.recycleCells ?? 10_000,
    recycleSeconds: warm.recycleSeconds ?? 3600,
    recycleGrowth: warm.recycleGrowth ?? 64 * MEBIBYTE,
    memoryReserve: warm.memoryReserve ?? 256 * MEBIBYTE,
  };
}
