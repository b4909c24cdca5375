// What is read of a JSON text, put together: each array and object that is still open, and how many there may be.
import { defineOwn } from './define';
import { JsonSyntaxError } from './syntax-error';
import type { JsonValue } from './value';

type JsonObject = Record<string, JsonValue>;

/** An array or object that is still open, with the key that its next value belongs to. */
type Open = { array: JsonValue[] } | { object: JsonObject; key: string; names: number };

/** What a reader takes, and makes of it. */
export interface ReaderBounds {
  /** How many arrays and objects may be open at once. */
  maxDepth: number;
  /** How many names the value may have, where it is an object; those of what it holds don't count. */
  maxNames?: number | undefined;
  /** How many names each object in it may have: to make room for more takes a turn of its own, and a long one. */
  maxInnerNames?: number | undefined;
  /** How many items each array may have, for the same reason. */
  maxItems?: number | undefined;
  /** How many arrays and objects there may be: each takes some ten times as much memory as its text. */
  maxContainers?: number | undefined;
  /** Whether it is only checked: the value that comes is empty, of the kind that was read. No number of names or items is too many. */
  isOnlyChecked?: boolean | undefined;
}

/** V8 makes room for so many items of an array that is not empty; most of what hostile code nests has one. */
const FIRST_ROOM = 17;

function fitted(array: JsonValue[]): JsonValue[] {
  return array.length > 0 && array.length < FIRST_ROOM ? array.slice() : array;
}

/** Puts values together, within bounds. Positions are those of the text, for errors. */
export class ValueBuilder {
  /** The names of the value, where it is an object, each once, in the order in which they came first. */
  readonly names: string[] = [];
  readonly isBuilt: boolean;
  /** All of it, once it is whole. */
  value: JsonValue | undefined;
  readonly #open: Open[] = [];
  readonly #maxDepth: number;
  readonly #maxNames: number;
  readonly #maxInnerNames: number;
  readonly #maxItems: number;
  readonly #maxContainers: number;
  #containers = 0;

  constructor(bounds: ReaderBounds) {
    const { maxDepth, maxNames, maxInnerNames, maxItems, maxContainers, isOnlyChecked } = bounds;
    this.isBuilt = isOnlyChecked !== true;
    this.#maxDepth = maxDepth;
    this.#maxNames = maxNames ?? Number.POSITIVE_INFINITY;
    this.#maxInnerNames = maxInnerNames ?? Number.POSITIVE_INFINITY;
    this.#maxItems = maxItems ?? Number.POSITIVE_INFINITY;
    this.#maxContainers = maxContainers ?? Number.POSITIVE_INFINITY;
  }

  /** Whether an array is what is filled now. */
  get isInArray(): boolean {
    return 'array' in (this.#open.at(-1) as Open);
  }

  openArray(position: number): void {
    this.#push({ array: [] }, position);
  }

  openObject(position: number): void {
    this.#push({ object: {}, key: '', names: 0 }, position);
  }

  #push(container: Open, position: number): void {
    if (this.#open.length >= this.#maxDepth) {
      throw new JsonSyntaxError(`nesting deeper than ${this.#maxDepth} levels`, position);
    }
    this.#containers++;
    if (this.isBuilt && this.#containers > this.#maxContainers) {
      throw new JsonSyntaxError(`more than ${this.#maxContainers} lists and objects`, position);
    }
    this.#open.push(container);
  }

  /** Closes what was opened last, and takes it. */
  close(position: number): boolean {
    const container = this.#open.pop() as Open;
    return this.take('array' in container ? fitted(container.array) : container.object, position);
  }

  /**
   * Puts a whole value where it belongs.
   * @returns whether that is all
   */
  take(value: JsonValue, position: number): boolean {
    const container = this.#open.at(-1);
    if (container === undefined) {
      this.value = value;
      return true;
    }
    if (!this.isBuilt) {
      return false;
    }
    if ('array' in container) {
      if (container.array.length >= this.#maxItems) {
        throw new JsonSyntaxError(`more than ${this.#maxItems} items in one list`, position);
      }
      container.array.push(value);
    } else if (container.key === '__proto__') {
      defineOwn(container.object, container.key, value);
    } else {
      container.object[container.key] = value;
    }
    return false;
  }

  /** Takes the name of the next value. */
  takeName(name: string, position: number): void {
    if (!this.isBuilt) {
      return;
    }
    const container = this.#open.at(-1) as Extract<Open, { key: string }>;
    container.key = name;
    const isOutermost = this.#open.length === 1;
    const most = isOutermost ? this.#maxNames : this.#maxInnerNames;
    const isCounted = isOutermost || most !== Number.POSITIVE_INFINITY;
    if (!isCounted || Object.hasOwn(container.object, name)) {
      return;
    }
    container.names++;
    if (container.names > most) {
      throw new JsonSyntaxError(
        `more than ${most} names${isOutermost ? '' : ' in one object'}`,
        position,
      );
    }
    if (isOutermost) {
      this.names.push(name);
    }
  }
}
