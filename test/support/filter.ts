// The jail's seccomp filter, as the sources make it, and what it answers: a program in classic BPF (seccomp(2)).
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CALLS } from './system-calls';

/** What the supervisor is asked for; a filter that asks for nothing allows them. */
export const COUNTED = {
  connect: CALLS.connect,
  epoll_create: CALLS.epoll_create,
  epoll_create1: CALLS.epoll_create1,
  epoll_ctl: CALLS.epoll_ctl,
  sendmmsg: CALLS.sendmmsg,
  sendmsg: CALLS.sendmsg,
  socket: CALLS.socket,
  socketpair: CALLS.socketpair,
} as const;

/** One line of the table: which values an argument of a call may have. */
export interface Argument {
  readonly call: number;
  readonly index: number;
  /** Whether the kernel reads all 64 bits, or the low half. */
  readonly readsAll: boolean;
  /** The errno of everything else. */
  readonly error: number;
  /** Any of the values' bits at once, not one of the values. */
  readonly isBits: boolean;
  /** Bits that may be there beside one of the values. */
  readonly beside: number;
  readonly values: readonly number[];
}

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

interface Printed {
  readonly program: readonly Instruction[];
  readonly arguments: readonly Argument[];
  readonly allowed: readonly number[];
  readonly answered: readonly number[];
  readonly refused: readonly number[];
  readonly denied: readonly number[];
}

/** What the filter does with a call: `allow`, `ask`, or the errno that it answers, 0 for success. */
export type Answer = 'allow' | 'ask' | number;

const LOAD = 0x20;
const AND = 0x54;
const RETURN = 0x06;
const JUMP = 0x05;
const TESTS: Record<number, (a: number, value: number) => boolean> = {
  0x15: (a, value) => a === value,
  0x35: (a, value) => a >= value,
  0x45: (a, value) => (a & value) !== 0,
};

const ARCHITECTURE = process.arch === 'x64' ? 0xc000003e : 0xc00000b7;

const root = join(__dirname, '..', '..');

/** The filter of a jail, and the table that it was made from. */
export class SeccompFilter {
  readonly #printed: Printed;

  /** @param printed What `test/native/filter.cc` printed. */
  constructor(printed: string) {
    this.#printed = JSON.parse(printed) as Printed;
  }

  get length(): number {
    return this.#printed.program.length;
  }

  get arguments(): readonly Argument[] {
    return this.#printed.arguments;
  }

  /** The calls of the lists. */
  get calls(): Pick<Printed, 'allowed' | 'answered' | 'refused' | 'denied'> {
    return this.#printed;
  }

  /** Whether the table permits a value, by its own words. */
  static permits(argument: Argument, value: bigint): boolean {
    if (argument.readsAll && value >> 32n !== 0n) {
      return false;
    }
    const low = Number(BigInt.asUintN(32, value));
    return argument.isBits
      ? (low & ~argument.values.reduce((all, bit) => all | bit, 0)) === 0
      : argument.values.includes((low & ~argument.beside) >>> 0);
  }

  /** Whether the answer to a call depends on its arguments: that of others the kernel keeps (seccomp_cache_prepare). */
  looksAtArguments(call: number): boolean {
    let looked = false;
    this.#run(call, [], ARCHITECTURE, (offset) => (looked ||= offset >= 16));
    return looked;
  }

  /** What the filter answers to a call. */
  answer(call: number, args: readonly bigint[], architecture = ARCHITECTURE, code = 0n): Answer {
    return this.#run(call, args, architecture, () => undefined, code);
  }

  #run(
    call: number,
    args: readonly bigint[],
    architecture: number,
    onLoad: (offset: number) => void,
    code = 0n,
  ): Answer {
    const data = new DataView(new ArrayBuffer(64));
    data.setUint32(0, call, true);
    data.setUint32(4, architecture, true);
    data.setBigUint64(8, code, true);
    args.forEach((value, index) => {
      data.setBigUint64(16 + 8 * index, BigInt.asUintN(64, value), true);
    });
    let a = 0;
    for (let at = 0; ; at += 1) {
      const [code, ifTrue, ifFalse, value] = this.#printed.program[at] ?? [RETURN, 0, 0, 0];
      const test = TESTS[code];
      if (code === LOAD) {
        onLoad(value);
        a = data.getUint32(value, true);
      } else if (code === AND) {
        a = (a & value) >>> 0;
      } else if (code === JUMP) {
        at += value;
      } else if (code === RETURN) {
        return meaning(value);
      } else if (test !== undefined) {
        at += test(a, value) ? ifTrue : ifFalse;
      } else {
        throw new Error(`the filter has an instruction that nobody expects: ${String(code)}`);
      }
    }
  }
}

function meaning(value: number): Answer {
  switch (value & 0xffff0000) {
    case 0x7fff0000:
      return 'allow';
    case 0x7fc00000:
      return 'ask';
    case 0x00050000:
      return value & 0xffff;
    default:
      throw new Error(`the filter ends with 0x${value.toString(16)}`);
  }
}

/** What a filter puts to PID 1 for telling alone. */
export interface FilterMore {
  /** What is larger than this the kernel refuses anyway. */
  refusedAbove?: bigint;
  /** Where the launcher's own code begins and ends, in an explained call. */
  ownCode?: readonly [bigint, bigint];
}

/** Flags of a spec, as native/core/spec.h has them. */
export const SPEC_FLAGS = {
  ownRoot: 1 << 0,
  reaperByUid: 1 << 8,
  noUnixSockets: 1 << 10,
  noTruncation: 1 << 12,
};

// Where there is no compiler it was laid: the machine of npm run test:arm64.
const BUILT = join(root, 'build', 'filter');

/** Builds the program that prints filters, once for a suite. */
export class FilterPrinter {
  readonly #folder = mkdtempSync(join(tmpdir(), 'filter-'));
  readonly #program = existsSync(BUILT) ? BUILT : join(this.#folder, 'filter');

  constructor() {
    if (this.#program === BUILT) {
      return;
    }
    const names = ['seccomp', 'seccomp_checks', 'seccomp_rules', 'spec', 'step'];
    const sources = names.map((name) => `native/core/${name}.cc`);
    execFileSync(
      'g++',
      ['-std=c++17', '-Inative', '-o', this.#program, 'test/native/filter.cc', ...sources],
      { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
    );
  }

  /**
   * The filter of one kind of jail.
   * @param kind what becomes of an exec, or of what is counted
   * @param flags of the spec: `SPEC_FLAGS`
   * @param launcher the process that nobody may change
   * @param key by which it is known in the upper halves of arguments: `locks` of 64 bits, `memory` of 32; 0 for none
   * @param more what is put to PID 1 for telling alone
   */
  filter(
    kind: 'allow' | 'ask' | 'count' | 'deny' | 'refuse',
    flags = SPEC_FLAGS.ownRoot,
    launcher = 1,
    key = { locks: 0n, memory: 0n },
    { refusedAbove = 0n, ownCode = [0n, 0n] }: FilterMore = {},
  ): SeccompFilter {
    const args = [kind, flags, launcher, key.locks, key.memory, refusedAbove, ...ownCode].map(
      String,
    );
    return new SeccompFilter(execFileSync(this.#program, args, { encoding: 'utf8' }));
  }

  end(): void {
    rmSync(this.#folder, { recursive: true });
  }
}

/** A bit that the low half of an argument does not have. */
export const IN_HIGH_HALF = 1n << 32n;

/** Every number up to 255, those of the table and their neighbours, and every single bit. */
export function valuesToTry({ values, beside }: Argument): readonly bigint[] {
  const tried = new Set(Array.from({ length: 256 }, (_, value) => value));
  for (const value of values) {
    for (const near of [value - 1, value, value + 1, value | beside, value | (beside << 1)]) {
      tried.add(near >>> 0);
    }
  }
  for (let bit = 0; bit < 32; bit += 1) {
    tried.add((1 << bit) >>> 0);
    tried.add(((1 << bit) | (values[0] ?? 0)) >>> 0);
  }
  return [...tried].map(BigInt);
}
