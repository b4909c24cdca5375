import { defineOwn } from './define';
import { JsonSyntaxError } from './syntax-error';
import { MAX_INTEGER_DIGITS, type JsonValue } from './value';

type JsonObject = Record<string, JsonValue>;

/** An array or object that is still open, with the key that its next value belongs to. */
type Open = { array: JsonValue[] } | { object: JsonObject; key: string };

const QUOTE = 0x22;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;

/** Of so many characters V8 makes no copy, but a view that keeps all of the text in memory. */
const SHORTEST_VIEW = 13;

const LITERALS: readonly (readonly [string, JsonValue])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
];

/** Reads one JSON text, exactly. Keeps its own stack, so no nesting can overflow the engine's. */
export class ExactReader {
  private index = 0;
  private readonly open: Open[] = [];
  private names = 0;

  constructor(
    private readonly text: string,
    private readonly maxDepth: number,
    private readonly maxNames = Number.POSITIVE_INFINITY,
  ) {}

  /** Reads all of it. */
  read(): JsonValue {
    for (;;) {
      const value = this.readSome(Number.POSITIVE_INFINITY);
      if (value !== undefined) {
        return value;
      }
    }
  }

  /** Reads on, by `steps` values and openings at most; undefined where more is to come. */
  readSome(steps: number): JsonValue | undefined {
    for (let step = 0; step < steps; step++) {
      let value = this.readValueOrOpen();
      if (value === undefined) {
        continue;
      }
      // A value ends its container as long as no comma follows.
      for (;;) {
        const container = this.open.at(-1);
        if (container === undefined) {
          this.skipSpace();
          if (this.index < this.text.length) {
            throw this.unexpected();
          }
          return value;
        }
        this.store(container, value);
        if (this.skipPunctuation(',')) {
          if ('object' in container) {
            container.key = this.readKey(container.object);
          }
          break;
        }
        value = this.close(container);
      }
    }
    return undefined;
  }

  /** A whole value, or undefined after the opening of an array or object that has an element. */
  private readValueOrOpen(): JsonValue | undefined {
    this.skipSpace();
    const code = this.text.charCodeAt(this.index);
    if (code === QUOTE) {
      return this.readString();
    }
    if (this.skipPunctuation('[')) {
      this.push({ array: [] });
      return this.skipPunctuation(']') ? this.popped() : undefined;
    }
    if (this.skipPunctuation('{')) {
      const container = { object: {}, key: '' };
      this.push(container);
      if (this.skipPunctuation('}')) {
        return this.popped();
      }
      container.key = this.readKey(container.object);
      return undefined;
    }
    for (const [literal, value] of LITERALS) {
      if (this.text.startsWith(literal, this.index)) {
        this.index += literal.length;
        return value;
      }
    }
    if (code === MINUS || this.isDigit(this.index)) {
      return this.readNumber();
    }
    throw this.unexpected();
  }

  private push(container: Open): void {
    if (this.open.length >= this.maxDepth) {
      throw new JsonSyntaxError(`nesting deeper than ${this.maxDepth} levels`, this.index - 1);
    }
    this.open.push(container);
  }

  private popped(): JsonValue | undefined {
    const container = this.open.pop();
    return container && ('array' in container ? container.array : container.object);
  }

  private close(container: Open): JsonValue {
    const isArray = 'array' in container;
    if (!this.skipPunctuation(isArray ? ']' : '}')) {
      throw this.unexpected();
    }
    this.open.pop();
    return isArray ? container.array : container.object;
  }

  private store(container: Open, value: JsonValue): void {
    if ('array' in container) {
      container.array.push(value);
    } else if (container.key === '__proto__') {
      defineOwn(container.object, container.key, value);
    } else {
      container.object[container.key] = value;
    }
  }

  private readKey(object: JsonObject): string {
    this.skipSpace();
    if (this.text.charCodeAt(this.index) !== QUOTE) {
      throw this.unexpected();
    }
    const start = this.index;
    const key = this.readString();
    if (this.open.length === 1 && !Object.hasOwn(object, key)) {
      this.names++;
      if (this.names > this.maxNames) {
        throw new JsonSyntaxError(`more than ${this.maxNames} names`, start);
      }
    }
    if (!this.skipPunctuation(':')) {
      throw this.unexpected();
    }
    return key;
  }

  private readString(): string {
    return this.copyString() ?? this.readStringByCharacters();
  }

  /** The string as a copy of its own; undefined where it is short, or has to be looked at more closely. */
  private copyString(): string | undefined {
    const end = this.text.indexOf('"', this.index + 1);
    const length = end - this.index - 1;
    if (length < SHORTEST_VIEW || this.text.charCodeAt(end - 1) === BACKSLASH) {
      return undefined;
    }
    try {
      const value = JSON.parse(this.text.slice(this.index, end + 1)) as string;
      this.index = end + 1;
      return value;
    } catch {
      return undefined;
    }
  }

  private readStringByCharacters(): string {
    const start = this.index;
    let escaped = false;
    let index = start + 1;
    for (;;) {
      if (index >= this.text.length) {
        throw new JsonSyntaxError('unterminated string', start);
      }
      const code = this.text.charCodeAt(index);
      if (code === QUOTE) {
        break;
      }
      if (code < 0x20) {
        throw new JsonSyntaxError('unescaped control character', index);
      }
      if (code === BACKSLASH) {
        escaped = true;
        index++;
      }
      index++;
    }
    this.index = index + 1;
    if (!escaped) {
      return this.text.slice(start + 1, this.index - 1);
    }
    try {
      return JSON.parse(this.text.slice(start, this.index)) as string;
    } catch {
      throw new JsonSyntaxError('invalid escape in the string', start);
    }
  }

  private readNumber(): number | bigint {
    const start = this.index;
    const digitsStart = this.text.charCodeAt(start) === MINUS ? start + 1 : start;
    let end = this.endOfDigits(digitsStart);
    if (this.text.charCodeAt(digitsStart) === ZERO) {
      end = digitsStart + 1;
    }
    const digits = end - digitsStart;
    let isInteger = true;
    if (this.text[end] === '.') {
      end = this.endOfDigits(end + 1);
      isInteger = false;
    }
    if (this.text[end] === 'e' || this.text[end] === 'E') {
      const sign = this.text[end + 1];
      end = this.endOfDigits(sign === '+' || sign === '-' ? end + 2 : end + 1);
      isInteger = false;
    }
    this.index = end;
    if (isInteger && digits > MAX_INTEGER_DIGITS) {
      throw new JsonSyntaxError(`integer of more than ${MAX_INTEGER_DIGITS} digits`, start);
    }
    const token = this.text.slice(start, end);
    const value = Number(token);
    return isInteger && !Number.isSafeInteger(value) ? BigInt(token) : value;
  }

  /** The index after the digits that must stand at `start`. */
  private endOfDigits(start: number): number {
    let index = start;
    while (this.isDigit(index)) {
      index++;
    }
    if (index === start) {
      this.index = start;
      throw this.unexpected();
    }
    return index;
  }

  private isDigit(index: number): boolean {
    const code = this.text.charCodeAt(index);
    return code >= ZERO && code <= NINE;
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.index);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) {
        return;
      }
      this.index++;
    }
  }

  private skipPunctuation(character: string): boolean {
    this.skipSpace();
    if (this.text[this.index] !== character) {
      return false;
    }
    this.index++;
    return true;
  }

  private unexpected(): JsonSyntaxError {
    const codePoint = this.text.codePointAt(this.index);
    return codePoint === undefined
      ? new JsonSyntaxError('unexpected end', this.index)
      : new JsonSyntaxError(
          `unexpected ${JSON.stringify(String.fromCodePoint(codePoint))}`,
          this.index,
        );
  }
}
