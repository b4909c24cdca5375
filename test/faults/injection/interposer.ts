// The server's side of interposer.cc: the addon's own calls on the event loop and on the threads of libuv's pool.
import { openSync, readSync, writeSync } from 'node:fs';
import type { Count, Fault } from './tracer';

const ROLES = ['event-loop', 'worker'];
const FUNCTIONS = 64;
const COUNTS = 64;
const NAMES = 1024;
const NAME_BYTES = 32;

/** Numbers above those of system calls. */
const FIRST = 10_000;

export class Interposer {
  readonly #file: number;
  readonly names = new Map<number, string>();

  /** @param path the file that FAULTS_SHARED named when this process was started */
  constructor(path: string) {
    this.#file = openSync(path, 'r+');
    const names = Buffer.alloc(FUNCTIONS * NAME_BYTES);
    readSync(this.#file, names, 0, names.length, NAMES);
    for (let i = 0; i < FUNCTIONS; i += 1) {
      const name = names.toString('latin1', i * NAME_BYTES, (i + 1) * NAME_BYTES);
      this.names.set(FIRST + i, name.replace(/\0.*$/s, '').replace(/64$/, ''));
    }
  }

  static has(role: string): boolean {
    return ROLES.includes(role);
  }

  #write(place: number, ...numbers: number[]): void {
    const bytes = Buffer.alloc(numbers.length * 4);
    numbers.forEach((number, index) => bytes.writeInt32LE(number, index * 4));
    writeSync(this.#file, bytes, 0, bytes.length, place);
  }

  begin(): void {
    this.#write(0, 1);
  }

  /** Counts from nothing on. */
  record(): void {
    this.#write(COUNTS, ...Array.from({ length: 2 * FUNCTIONS }, () => 0));
  }

  counts(): Count[] {
    const bytes = Buffer.alloc(2 * FUNCTIONS * 4);
    readSync(this.#file, bytes, 0, bytes.length, COUNTS);
    return ROLES.flatMap((role, thread) =>
      Array.from({ length: FUNCTIONS }, (_, index) => ({
        role,
        call: FIRST + index,
        most: bytes.readUInt32LE((thread * FUNCTIONS + index) * 4),
        processes: 1,
      })).filter(({ most }) => most > 0),
    );
  }

  arm({ role, call, occurrence, errno, isMade }: Fault): void {
    this.record();
    this.#write(8, ROLES.indexOf(role), call - FIRST, occurrence, errno, isMade ? 1 : 0, 0);
    this.#write(4, 1);
  }

  disarm(): boolean {
    this.#write(4, 0);
    const fired = Buffer.alloc(4);
    readSync(this.#file, fired, 0, 4, 28);
    return fired.readUInt32LE(0) > 0;
  }
}
