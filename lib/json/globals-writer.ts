// Writes many globals as JSON, a slice at a time: all of them at once would take the event loop for longer than a turn may.
import { types } from 'node:util';
import { Budget } from '../time/budget';
import { isPlain, isTooLong, MAX_SAFE_DEPTH, NotCarried } from './safe';
import { writeNumber } from './stringify';
import { endOfSlice, TextBuffers } from './text-buffers';

/** Values, or parts of long texts, between two looks at the clock. */
const SLICE_STEPS = 256;
/** Code units, or bytes, of a part of a long text. */
const PART_LENGTH = 16 * 1024;

type Steps = Generator<undefined, void>;

/**
 * What `stringifyJson(jsonSafe(globals))` gives, in UTF-8 and in pieces; the event loop goes on meanwhile, and what is
 * changed of the globals then may or may not be among it.
 */
export async function writeGlobalsInSlices(
  globals: Readonly<Record<string, unknown>>,
): Promise<readonly Buffer[]> {
  const writer = new GlobalsWriter();
  await inSlices(writer.write(globals));
  return writer.finish();
}

/** A long text as a JSON string, in UTF-8 and in pieces; the event loop goes on meanwhile. */
export async function writeTextInSlices(text: string): Promise<readonly Buffer[]> {
  const writer = new GlobalsWriter();
  await inSlices(writer.string(text));
  return writer.finish();
}

async function inSlices(steps: Steps): Promise<void> {
  const budget = new Budget();
  while (steps.next().done !== true) {
    if (budget.isSpent()) {
      await budget.nextTurn();
    }
  }
}

class GlobalsWriter {
  readonly #text = new TextBuffers();
  #steps = 0;

  finish(): readonly Buffer[] {
    return this.#text.finish();
  }

  *write(globals: Readonly<Record<string, unknown>>): Steps {
    this.#text.push('{');
    let separator = '';
    for (const key of Object.keys(globals)) {
      if (key === '__builtins__') {
        continue;
      }
      const mark = this.#text.mark();
      try {
        this.#text.push(`${separator}${JSON.stringify(key)}:`);
        yield* this.#value(globals[key], key, new Set());
        separator = ',';
      } catch {
        // What JSON can't carry, or a getter that throws, takes the whole item with it.
        this.#text.reset(mark);
      }
    }
    this.#text.push('}');
  }

  /** Counts work; whether it is time to let somebody look at the clock. */
  #isDue(steps = 1): boolean {
    this.#steps += steps;
    if (this.#steps < SLICE_STEPS) {
      return false;
    }
    this.#steps = 0;
    return true;
  }

  *#value(value: unknown, key: string, ancestors: Set<object>): Steps {
    if (this.#isDue()) {
      yield;
    }
    switch (typeof value) {
      case 'boolean':
        this.#text.push(String(value));
        return;
      case 'number':
        this.#text.push(writeNumber(value));
        return;
      case 'string':
        yield* this.string(value);
        return;
      case 'bigint':
        if (isTooLong(value)) {
          throw new NotCarried();
        }
        this.#text.push(value.toString());
        return;
      case 'object':
        if (value === null) {
          this.#text.push('null');
        } else {
          yield* this.#object(value, key, ancestors);
        }
        return;
      default:
        throw new NotCarried();
    }
  }

  *string(value: string): Steps {
    if (value.length <= PART_LENGTH) {
      this.#text.push(JSON.stringify(value));
      return;
    }
    this.#text.push('"');
    for (let start = 0; start < value.length;) {
      // Halves of a character would each be escaped.
      const end = endOfSlice(value, start, PART_LENGTH);
      this.#text.push(JSON.stringify(value.slice(start, end)).slice(1, -1));
      start = end;
      yield;
    }
    this.#text.push('"');
  }

  *#bytes(value: Uint8Array): Steps {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    this.#text.push('"');
    for (let start = 0; start < value.length; start += PART_LENGTH) {
      const part = decoder.decode(value.subarray(start, start + PART_LENGTH), { stream: true });
      this.#text.push(JSON.stringify(part).slice(1, -1));
      yield;
    }
    decoder.decode();
    this.#text.push('"');
  }

  *#object(value: object, key: string, ancestors: Set<object>): Steps {
    if (types.isUint8Array(value)) {
      yield* this.#bytes(value);
      return;
    }
    if (types.isBoxedPrimitive(value)) {
      yield* this.#value(value.valueOf(), key, ancestors);
      return;
    }
    if (ancestors.has(value) || ancestors.size >= MAX_SAFE_DEPTH) {
      throw new NotCarried();
    }
    ancestors.add(value);
    if ('toJSON' in value && typeof value.toJSON === 'function') {
      const carried = (value as { toJSON(key: string): unknown }).toJSON(key);
      yield* this.#value(carried, key, ancestors);
    } else if (Array.isArray(value)) {
      yield* this.#array(value, ancestors);
    } else if (isPlain(value)) {
      yield* this.#members(value, ancestors);
    } else {
      throw new NotCarried();
    }
    ancestors.delete(value);
  }

  *#array(array: readonly unknown[], ancestors: Set<object>): Steps {
    this.#text.push('[');
    for (let index = 0; index < array.length; index += 1) {
      if (index > 0) {
        this.#text.push(',');
      }
      const item = array[index];
      // A generator for each number would take several times as long.
      if (typeof item === 'number') {
        this.#text.push(writeNumber(item));
        if (this.#isDue()) {
          yield;
        }
      } else {
        // Only an object's toJSON is told where it stands.
        yield* this.#value(item, typeof item === 'object' ? String(index) : '', ancestors);
      }
    }
    this.#text.push(']');
  }

  *#members(object: Readonly<Record<string, unknown>>, ancestors: Set<object>): Steps {
    this.#text.push('{');
    let separator = '';
    for (const name of Object.keys(object)) {
      this.#text.push(`${separator}${JSON.stringify(name)}:`);
      yield* this.#value(object[name], name, ancestors);
      separator = ',';
    }
    this.#text.push('}');
  }
}
