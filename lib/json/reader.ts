import type { Pieces } from './pieces';
import { JsonSyntaxError } from './syntax-error';
import { MAX_INTEGER_DIGITS, type JsonValue } from './value';
import { ValueBuilder, type ReaderBounds } from './value-builder';

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Of so many characters V8 makes no copy, but a view that keeps all of the text in memory. */
const SHORTEST_VIEW = 13;
/** A longer string is read in parts. */
const PART_LENGTH = 16 * 1024;
/** Of a number, more than any that Python writes. */
const MAX_NUMBER_LENGTH = 64 * 1024;
/** What is there of the text when a number, a literal or a part of a string begins, save at its end. */
const LOOK_AHEAD = MAX_NUMBER_LENGTH + 64;
/** `\u0000` */
const LONGEST_ESCAPE = 6;
/** To look a name up takes V8 a flat copy of it, in one go. */
const MAX_NAME_LENGTH = 1024 * 1024;

const LITERALS: readonly (readonly [string, JsonValue])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
];

/** What has to come next. */
type Next =
  | 'value'
  | 'item or end'
  | 'name or end'
  | 'name'
  | 'colon'
  | 'comma or end'
  | 'rest of string'
  | 'nothing';

/**
 * Reads one JSON text, exactly, as far as it is told at a time. What is open is on a stack of its own, so no nesting can
 * overflow the engine's, and no more of the text is kept than it is looking at.
 */
export class ExactReader {
  private text = '';
  private index = 0;
  /** Where `text` begins in the whole. */
  private start = 0;
  private hasEnded = false;
  private next: Next = 'value';
  private readonly builder: ValueBuilder;
  /** Of a string in parts. */
  private parts = '';
  private stringStart = 0;
  private isName = false;
  private readonly pieces: Pieces | undefined;

  /** @param text all of it, or where its pieces come from */
  constructor(text: string | Pieces, bounds: ReaderBounds) {
    this.builder = new ValueBuilder(bounds);
    if (typeof text === 'string') {
      this.text = text;
      this.hasEnded = true;
    } else {
      this.pieces = text;
    }
  }

  /** The names of the value, where it is an object, each once, in the order in which they came first. */
  get names(): readonly string[] {
    return this.builder.names;
  }

  /** Reads all of it. */
  read(): JsonValue {
    for (;;) {
      const value = this.readSome(Number.POSITIVE_INFINITY);
      if (value !== undefined) {
        return value;
      }
    }
  }

  /** Reads on, by `steps` tokens and one piece of the text at most; undefined where more is to come. */
  readSome(steps: number): JsonValue | undefined {
    if (!this.hasEnded && this.text.length - this.index < LOOK_AHEAD) {
      this.takePiece();
    }
    for (let step = 0; step < steps; step++) {
      if (this.next !== 'rest of string') {
        this.skipSpace();
      }
      if (!this.hasEnded && this.text.length - this.index < LOOK_AHEAD) {
        return undefined;
      }
      if (this.next === 'nothing') {
        if (this.index < this.text.length) {
          throw this.unexpected();
        }
        return this.builder.value;
      }
      this.readToken();
    }
    return undefined;
  }

  private takePiece(): void {
    const piece = this.pieces?.next() ?? null;
    if (piece === null) {
      this.hasEnded = true;
      return;
    }
    // Joined, it is flat, and no part of a longer text.
    const text = [this.text.slice(this.index), piece].join('');
    this.start += this.index;
    this.index = 0;
    this.text = text;
  }

  private readToken(): void {
    switch (this.next) {
      case 'item or end':
        if (this.skip(CLOSE_BRACKET)) {
          this.close();
        } else {
          this.readValue();
        }
        return;
      case 'name or end':
        if (this.skip(CLOSE_BRACE)) {
          this.close();
        } else {
          this.readName();
        }
        return;
      case 'name':
        this.readName();
        return;
      case 'colon':
        if (!this.skip(COLON)) {
          throw this.unexpected();
        }
        this.next = 'value';
        return;
      case 'comma or end':
        this.readCommaOrEnd();
        return;
      case 'rest of string':
        this.readPart();
        return;
      default:
        this.readValue();
    }
  }

  private readValue(): void {
    const code = this.text.charCodeAt(this.index);
    if (code === QUOTE) {
      this.readString(false);
    } else if (code === OPEN_BRACKET) {
      this.builder.openArray(this.start + this.index);
      this.index++;
      this.next = 'item or end';
    } else if (code === OPEN_BRACE) {
      this.builder.openObject(this.start + this.index);
      this.index++;
      this.next = 'name or end';
    } else if (this.isDigit(this.index)) {
      this.take(this.readNumber());
    } else {
      for (const [literal, value] of LITERALS) {
        if (this.text.startsWith(literal, this.index)) {
          this.index += literal.length;
          this.take(value);
          return;
        }
      }
      if (code !== MINUS) {
        throw this.unexpected();
      }
      this.take(this.readNumber());
    }
  }

  private readCommaOrEnd(): void {
    const isArray = this.builder.isInArray;
    if (this.skip(COMMA)) {
      this.next = isArray ? 'value' : 'name';
    } else if (this.skip(isArray ? CLOSE_BRACKET : CLOSE_BRACE)) {
      this.close();
    } else {
      throw this.unexpected();
    }
  }

  private close(): void {
    const isAll = this.builder.close(this.start + this.index);
    this.next = isAll ? 'nothing' : 'comma or end';
  }

  private take(value: JsonValue): void {
    const isAll = this.builder.take(value, this.start + this.index);
    this.next = isAll ? 'nothing' : 'comma or end';
  }

  private readName(): void {
    if (this.text.charCodeAt(this.index) !== QUOTE) {
      throw this.unexpected();
    }
    this.readString(true);
  }

  private takeString(value: string, start: number): void {
    if (this.isName) {
      this.takeName(value, start);
    } else {
      this.take(value);
    }
  }

  private takeName(name: string, start: number): void {
    this.builder.takeName(name, this.start + start);
    if (this.text.charCodeAt(this.index) === COLON) {
      this.index++;
      this.next = 'value';
    } else {
      this.next = 'colon';
    }
  }

  private readString(isName: boolean): void {
    this.isName = isName;
    const end = this.text.indexOf('"', this.index + 1);
    const start = this.index;
    const length = end - start - 1;
    if (
      length >= SHORTEST_VIEW &&
      length < PART_LENGTH &&
      this.text.charCodeAt(end - 1) !== BACKSLASH
    ) {
      const value = this.copy(start, end + 1);
      if (value !== undefined) {
        this.index = end + 1;
        this.takeString(value, start);
        return;
      }
    }
    this.stringStart = this.start + start;
    this.parts = '';
    this.index++;
    this.readPart();
  }

  /** The string that stands there, in a memory of its own; undefined where it is none. */
  private copy(start: number, end: number): string | undefined {
    try {
      return JSON.parse(this.text.slice(start, end)) as string;
    } catch {
      return undefined;
    }
  }

  /** Reads on in a string: to its end, or a part of it. */
  private readPart(): void {
    const { text } = this;
    const first = this.index;
    const last = Math.min(text.length, first + PART_LENGTH);
    let escape = -LONGEST_ESCAPE;
    let index = first;
    while (index < last) {
      const code = text.charCodeAt(index);
      if (code === QUOTE) {
        break;
      }
      if (code < 0x20) {
        throw this.error('unescaped control character', index);
      }
      if (code === BACKSLASH) {
        escape = index;
        index++;
      }
      index++;
    }
    const isEscaped = escape >= 0;
    const isWhole = index < last;
    if (!isWhole) {
      if (index >= text.length) {
        throw new JsonSyntaxError('unterminated string', this.stringStart);
      }
      // No part ends within an escape.
      index = escape > index - LONGEST_ESCAPE ? escape : index;
    }
    this.index = isWhole ? index + 1 : index;
    const part = this.partOf(first, index, isEscaped);
    if (!isWhole) {
      this.next = 'rest of string';
      this.parts += part;
      if (this.isName && this.parts.length > MAX_NAME_LENGTH) {
        throw new JsonSyntaxError(
          `a name of more than ${MAX_NAME_LENGTH} characters`,
          this.stringStart,
        );
      }
      return;
    }
    const { parts } = this;
    this.parts = '';
    this.takeString(parts + part, this.stringStart - this.start);
  }

  private partOf(first: number, end: number, isEscaped: boolean): string {
    if (!isEscaped && (!this.builder.isBuilt || end - first < SHORTEST_VIEW)) {
      return this.text.slice(first, end);
    }
    try {
      const part = JSON.parse(`"${this.text.slice(first, end)}"`) as string;
      return this.builder.isBuilt ? part : '';
    } catch {
      throw new JsonSyntaxError('invalid escape in the string', this.stringStart);
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
    if (isInteger && digits > MAX_INTEGER_DIGITS) {
      throw this.error(`integer of more than ${MAX_INTEGER_DIGITS} digits`, start);
    }
    if (end - start > MAX_NUMBER_LENGTH) {
      throw this.error(`number of more than ${MAX_NUMBER_LENGTH} characters`, start);
    }
    this.index = end;
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

  private skip(code: number): boolean {
    if (this.text.charCodeAt(this.index) !== code) {
      return false;
    }
    this.index++;
    return true;
  }

  /** @param index in `text` */
  private error(problem: string, index: number): JsonSyntaxError {
    return new JsonSyntaxError(problem, this.start + index);
  }

  private unexpected(): JsonSyntaxError {
    const codePoint = this.text.codePointAt(this.index);
    return codePoint === undefined
      ? this.error('unexpected end', this.index)
      : this.error(`unexpected ${JSON.stringify(String.fromCodePoint(codePoint))}`, this.index);
  }
}
