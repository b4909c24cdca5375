// JSON as Python's json.dumps writes it: exact integers, NaN and the infinities, any key.

/** What JSON can carry, with integers of any size. */
export type JsonValue =
  null | boolean | number | bigint | string | JsonValue[] | { [key: string]: JsonValue };

/** The text is not JSON, or more than is taken from a stranger. */
export class JsonSyntaxError extends Error {
  /** Where in the text, counted from 0. */
  readonly position: number;

  constructor(problem: string, position: number) {
    super(`${problem} at position ${position}`);
    this.name = 'JsonSyntaxError';
    this.position = position;
  }
}

/** Deeper nesting is refused: Python's own encoder stops at about this depth too. */
export const MAX_DEPTH = 1000;
/** Longer integers are refused: converting one takes quadratic time. Python's own bound. */
export const MAX_DIGITS = 4300;

// What JSON.parse would refuse, round or lose: the constants, long integers, a negative zero.
const NEEDS_CARE = /NaN|Infinity|-0|\d{16}/;

const SPACE = new Set([' ', '\t', '\n', '\r']);
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
// eslint-disable-next-line no-control-regex -- JSON forbids control characters in strings
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const CONSTANTS: readonly [string, number][] = [
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
];

/** Sets an own property whatever its name: plain assignment to `__proto__` would set the prototype. */
export function setOwn(target: object, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  } else {
    (target as Record<string, unknown>)[key] = value;
  }
}

type Container = { items: JsonValue[] } | { members: { [key: string]: JsonValue }; key: string };

// A loop with a stack of its own: hostile nesting must not reach the engine's.
class Parser {
  readonly #text: string;
  readonly #maxDepth: number;
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  parse(): JsonValue {
    const stack: Container[] = [];
    for (;;) {
      this.#skipSpace();
      let value = this.#open(stack);
      if (value === undefined) {
        continue;
      }
      // Hands a finished value up, as long as it finishes its container.
      for (;;) {
        const container = stack.at(-1);
        this.#skipSpace();
        if (container === undefined) {
          if (this.#at < this.#text.length) {
            this.#fail('unexpected text after the value');
          }
          return value;
        }
        const finished = this.#store(container, value);
        if (finished === undefined) {
          break;
        }
        stack.pop();
        value = finished;
      }
    }
  }

  /** A complete value, or undefined after an opening bracket that has content. */
  #open(stack: Container[]): JsonValue | undefined {
    const character = this.#text[this.#at];
    if (character !== '[' && character !== '{') {
      return this.#scalar();
    }
    if (stack.length >= this.#maxDepth) {
      this.#fail(`nested deeper than ${this.#maxDepth}`);
    }
    this.#at += 1;
    this.#skipSpace();
    if (character === '[') {
      if (this.#take(']')) {
        return [];
      }
      stack.push({ items: [] });
      return undefined;
    }
    if (this.#take('}')) {
      return {};
    }
    stack.push({ members: {}, key: this.#key() });
    return undefined;
  }

  /** The container, when this value was its last. */
  #store(container: Container, value: JsonValue): JsonValue | undefined {
    if ('items' in container) {
      container.items.push(value);
      if (this.#take(',')) {
        return undefined;
      }
      this.#expect(']');
      return container.items;
    }
    setOwn(container.members, container.key, value);
    if (this.#take(',')) {
      this.#skipSpace();
      container.key = this.#key();
      return undefined;
    }
    this.#expect('}');
    return container.members;
  }

  #key(): string {
    const key = this.#string();
    this.#skipSpace();
    this.#expect(':');
    return key;
  }

  #scalar(): JsonValue {
    const text = this.#text;
    switch (text[this.#at]) {
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        for (const [word, value] of CONSTANTS) {
          if (text.startsWith(word, this.#at)) {
            this.#at += word.length;
            return value;
          }
        }
        return this.#number();
    }
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) {
      this.#fail('unexpected text');
    }
    this.#at += word.length;
    return value;
  }

  #number(): number | bigint {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) {
      this.#fail(this.#at < this.#text.length ? 'unexpected text' : 'unexpected end');
    }
    const [digits, fraction, exponent] = match;
    const start = this.#at;
    this.#at = NUMBER.lastIndex;
    const value = Number(digits);
    if (fraction !== undefined || exponent !== undefined || Number.isSafeInteger(value)) {
      return value;
    }
    if (digits.length > MAX_DIGITS + 1) {
      this.#at = start;
      this.#fail(`an integer of more than ${MAX_DIGITS} digits`);
    }
    return BigInt(digits);
  }

  #string(): string {
    if (!this.#take('"')) {
      this.#fail('a string was expected');
    }
    const parts: string[] = [];
    for (;;) {
      PLAIN.lastIndex = this.#at;
      const plain = PLAIN.exec(this.#text)?.[0] ?? '';
      parts.push(plain);
      this.#at += plain.length;
      const character = this.#text[this.#at];
      if (character === '"') {
        this.#at += 1;
        return parts.join('');
      }
      if (character !== '\\') {
        this.#fail(character === undefined ? 'an unfinished string' : 'a control character');
      }
      parts.push(this.#escape());
    }
  }

  #escape(): string {
    const character = this.#text[this.#at + 1] ?? '';
    if (character === 'u') {
      const hex = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) {
        this.#fail('a bad escape');
      }
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const meaning = Object.hasOwn(ESCAPES, character) ? ESCAPES[character] : undefined;
    if (meaning === undefined) {
      this.#fail('a bad escape');
    }
    this.#at += 2;
    return meaning;
  }

  #skipSpace(): void {
    while (SPACE.has(this.#text[this.#at] ?? '')) {
      this.#at += 1;
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) {
      return false;
    }
    this.#at += 1;
    return true;
  }

  #expect(character: string): void {
    if (!this.#take(character)) {
      this.#fail(
        this.#at < this.#text.length
          ? `${JSON.stringify(character)} was expected`
          : 'unexpected end',
      );
    }
  }

  #fail(problem: string): never {
    throw new JsonSyntaxError(problem, this.#at);
  }
}

function isDeep(text: string, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (inString) {
      if (unit === 0x5c) {
        at += 1;
      } else if (unit === 0x22) {
        inString = false;
      }
    } else if (unit === 0x22) {
      inString = true;
    } else if (unit === 0x5b || unit === 0x7b) {
      depth += 1;
      if (depth > maxDepth) {
        return true;
      }
    } else if (unit === 0x5d || unit === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}

/**
 * Parses JSON as Python writes it. Integers beyond ±(2^53 - 1) become bigint; `NaN`, `Infinity` and
 * `-Infinity` are taken; `__proto__` is a key like any other; of equal keys the last wins.
 * @param options.maxDepth how deep arrays and objects may be nested; default 1000
 * @throws JsonSyntaxError also for an integer of more than 4300 digits
 */
export function parseJson(text: string, options: { maxDepth?: number } = {}): JsonValue {
  const maxDepth = options.maxDepth ?? MAX_DEPTH;
  if (!NEEDS_CARE.test(text) && !isDeep(text, maxDepth)) {
    try {
      return JSON.parse(text) as JsonValue;
    } catch {
      // The parser below says where it is wrong, in words that don't change with the engine.
    }
  }
  return new Parser(text, maxDepth).parse();
}
