import { Cursor } from './cursor';
import { isDigit, readNumber } from './number';
import type { Pieces } from './pieces';
import { JsonSyntaxError } from './syntax-error';
import type { JsonValue } from './value';
import { ValueBuilder, type ReaderBounds } from './value-builder';

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
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
/** `\u0000` */
const LONGEST_ESCAPE = 6;
/** To look a name up takes V8 a flat copy of it, in one go. */
const MAX_NAME_LENGTH = 1024 * 1024;

/** By the code of their first characters. */
const LITERALS = new Map<number, readonly [literal: string, value: JsonValue]>(
  (
    [
      ['null', null],
      ['true', true],
      ['false', false],
      ['NaN', NaN],
      ['Infinity', Infinity],
      ['-Infinity', -Infinity],
    ] as const
  ).map((each) => [each[0].charCodeAt(0), each]),
);

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
  private next: Next = 'value';
  private readonly cursor: Cursor;
  private readonly builder: ValueBuilder;
  /** Of a string in parts. */
  private parts = '';
  private stringStart = 0;
  private isName = false;

  /** @param text all of it, or where its pieces come from */
  constructor(text: string | Pieces, bounds: ReaderBounds) {
    this.builder = new ValueBuilder(bounds);
    this.cursor = new Cursor(text);
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
    const { cursor } = this;
    if (cursor.isShort) {
      cursor.takePiece();
    }
    for (let step = 0; step < steps; step++) {
      if (this.next !== 'rest of string') {
        cursor.skipSpace();
      }
      if (cursor.isShort) {
        return undefined;
      }
      if (this.next === 'nothing') {
        if (cursor.index < cursor.text.length) {
          throw cursor.unexpected();
        }
        return this.builder.value;
      }
      this.readToken();
    }
    return undefined;
  }

  private readToken(): void {
    switch (this.next) {
      case 'item or end':
        if (this.cursor.skip(CLOSE_BRACKET)) {
          this.close();
        } else {
          this.readValue();
        }
        return;
      case 'name or end':
        if (this.cursor.skip(CLOSE_BRACE)) {
          this.close();
        } else {
          this.readName();
        }
        return;
      case 'name':
        this.readName();
        return;
      case 'colon':
        if (!this.cursor.skip(COLON)) {
          throw this.cursor.unexpected();
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
    const { cursor } = this;
    const code = cursor.text.charCodeAt(cursor.index);
    if (code === QUOTE) {
      this.readString(false);
    } else if (code === OPEN_BRACKET) {
      this.builder.openArray(cursor.start + cursor.index);
      cursor.index++;
      this.next = 'item or end';
    } else if (code === OPEN_BRACE) {
      this.builder.openObject(cursor.start + cursor.index);
      cursor.index++;
      this.next = 'name or end';
    } else if (isDigit(code)) {
      this.take(readNumber(cursor));
    } else {
      const literal = LITERALS.get(code);
      if (literal !== undefined && cursor.text.startsWith(literal[0], cursor.index)) {
        cursor.index += literal[0].length;
        this.take(literal[1]);
        return;
      }
      if (code !== MINUS) {
        throw cursor.unexpected();
      }
      this.take(readNumber(cursor));
    }
  }

  private readCommaOrEnd(): void {
    const isArray = this.builder.isInArray;
    if (this.cursor.skip(COMMA)) {
      this.next = isArray ? 'value' : 'name';
    } else if (this.cursor.skip(isArray ? CLOSE_BRACKET : CLOSE_BRACE)) {
      this.close();
    } else {
      throw this.cursor.unexpected();
    }
  }

  private close(): void {
    const isAll = this.builder.close(this.cursor.start + this.cursor.index);
    this.next = isAll ? 'nothing' : 'comma or end';
  }

  private take(value: JsonValue): void {
    const isAll = this.builder.take(value, this.cursor.start + this.cursor.index);
    this.next = isAll ? 'nothing' : 'comma or end';
  }

  private readName(): void {
    if (this.cursor.text.charCodeAt(this.cursor.index) !== QUOTE) {
      throw this.cursor.unexpected();
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
    const { cursor } = this;
    this.builder.takeName(name, cursor.start + start);
    if (cursor.text.charCodeAt(cursor.index) === COLON) {
      cursor.index++;
      this.next = 'value';
    } else {
      this.next = 'colon';
    }
  }

  private readString(isName: boolean): void {
    const { cursor } = this;
    this.isName = isName;
    const end = cursor.text.indexOf('"', cursor.index + 1);
    const start = cursor.index;
    const length = end - start - 1;
    if (
      length >= SHORTEST_VIEW &&
      length < PART_LENGTH &&
      cursor.text.charCodeAt(end - 1) !== BACKSLASH
    ) {
      const value = this.copy(start, end + 1);
      if (value !== undefined) {
        cursor.index = end + 1;
        this.takeString(value, start);
        return;
      }
    }
    this.stringStart = cursor.start + start;
    this.parts = '';
    cursor.index++;
    this.readPart();
  }

  /** The string that stands there, in a memory of its own; undefined where it is none. */
  private copy(start: number, end: number): string | undefined {
    try {
      return JSON.parse(this.cursor.text.slice(start, end)) as string;
    } catch {
      return undefined;
    }
  }

  /** Reads on in a string: to its end, or a part of it. */
  private readPart(): void {
    const { text } = this.cursor;
    const first = this.cursor.index;
    const last = Math.min(text.length, first + PART_LENGTH);
    let escape = -LONGEST_ESCAPE;
    let index = first;
    while (index < last) {
      const code = text.charCodeAt(index);
      if (code === QUOTE) {
        break;
      }
      if (code < 0x20) {
        throw this.cursor.error('unescaped control character', index);
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
    this.cursor.index = isWhole ? index + 1 : index;
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
    this.takeString(parts + part, this.stringStart - this.cursor.start);
  }

  private partOf(first: number, end: number, isEscaped: boolean): string {
    if (!isEscaped && (!this.builder.isBuilt || end - first < SHORTEST_VIEW)) {
      return this.cursor.text.slice(first, end);
    }
    try {
      const part = JSON.parse(`"${this.cursor.text.slice(first, end)}"`) as string;
      return this.builder.isBuilt ? part : '';
    } catch {
      throw new JsonSyntaxError('invalid escape in the string', this.stringStart);
    }
  }
}
