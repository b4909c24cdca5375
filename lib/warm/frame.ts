// What a cell reads when its call begins, byte for byte as native/core/cell.h has it.
import type { Confinement } from '../confinement/plan';
import { sizeOf, type JsonText } from '../json/text-buffers';
import type { Limits } from '../limits';
import { LongContent, parents, type Content, type JailFile } from '../spec/files';
import { nativeLimits, type NativeLimits } from '../spec/limits';
import { RLIMIT_NAMES, type Bound } from '../spec/rlimits';

/** How a cell takes its call. */
export const CallKind = { exec: 0, script: 1, probe: 2, execWithWords: 4, session: 5 } as const;

/** What a frame is made of. */
export interface Frame {
  kind: (typeof CallKind)[keyof typeof CallKind];
  limits: Limits;
  files: readonly JailFile[];
  words: readonly string[];
  /** What stays in the pipe, for the program's runner. */
  request: JsonText | undefined;
}

const MAGIC = 0x4c4c4143;
const RLIMITS_AT = 24;
const COUNTS_AT = RLIMITS_AT + 8 * RLIMIT_NAMES.length;
const HEADER_BYTES = COUNTS_AT + 16;
const PART_BYTES = 16;
const REQUEST_SIZE_AT = 16;
// In UTF-8 three times as many bytes at most, which the addon has room for.
const MAXIMUM_APPENDED = 16 * 1024;

/** A directory, a file or a word, as it is encoded. */
interface Part {
  name: string;
  nameBytes: number;
  content: Content;
  contentBytes: number;
}

function partOf(name: string, content: Content = ''): Part {
  return {
    name,
    nameBytes: Buffer.byteLength(name),
    content,
    contentBytes: typeof content === 'string' ? Buffer.byteLength(content) : content.length,
  };
}

// Not by BigInts, each of which would be made anew.
function writeLength(frame: Buffer, value: number, at: number): void {
  frame.writeUInt32LE(value % 2 ** 32, at);
  frame.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

function writeLimit(frame: Buffer, value: Bound, at: number): void {
  if (value === undefined) {
    frame.fill(0xff, at, at + 8);
  } else {
    writeLength(frame, value, at);
  }
}

function writeContent(frame: Buffer, content: Content, start: number): void {
  if (typeof content === 'string') {
    frame.write(content, start);
  } else if (content instanceof LongContent) {
    let at = start;
    for (const piece of content.pieces) {
      frame.set(piece, at);
      at += piece.length;
    }
  } else {
    frame.set(content, start);
  }
}

function writePart(frame: Buffer, part: Part, start: number): number {
  const name = start + PART_BYTES;
  const content = name + part.nameBytes + 1;
  const end = content + part.contentBytes + 1;
  writeLength(frame, part.nameBytes, start);
  writeLength(frame, part.contentBytes, start + 8);
  frame.write(part.name, name);
  frame[content - 1] = 0;
  writeContent(frame, part.content, content);
  frame[end - 1] = 0;
  return end;
}

interface Head extends Pick<Frame, 'kind' | 'files' | 'words'> {
  limits: NativeLimits;
}

/** A frame on its way to the addon. */
export interface EncodedFrame {
  bytes: Buffer;
  /** What the addon appends, where it is not in `bytes` already. */
  request: string | undefined;
  /** What follows all of these. */
  pieces?: readonly Buffer[];
}

/** The last bytes of a frame, as many as are left to write. */
export function lastBytes({ bytes, request }: EncodedFrame, left: number): Buffer {
  const all = request === undefined || left === 0 ? bytes : withRequest(bytes, request);
  return all.subarray(all.length - left);
}

function withRequest(head: Buffer, request: string): Buffer {
  const requestBytes = Buffer.byteLength(request);
  const frame = Buffer.allocUnsafe(head.length + requestBytes);
  frame.set(head);
  writeLength(frame, requestBytes, REQUEST_SIZE_AT);
  frame.write(request, head.length);
  return frame;
}

/** All of a frame but its request. */
function encodeHead({ kind, limits, files, words }: Head): Buffer {
  const directories = [...new Set(files.flatMap(({ name }) => parents(name)))];
  const parts = [
    ...directories.map((name) => partOf(name)),
    ...files.map(({ name, content }) => partOf(name, content)),
    ...words.map((word) => partOf(word)),
  ];
  const bodyBytes = parts.reduce(
    (bytes, { nameBytes, contentBytes }) => bytes + PART_BYTES + nameBytes + contentBytes + 2,
    0,
  );
  const frame = Buffer.allocUnsafe(HEADER_BYTES + bodyBytes);
  frame.writeUInt32LE(MAGIC, 0);
  frame.writeUInt32LE(kind, 4);
  writeLength(frame, bodyBytes, 8);
  writeLength(frame, 0, REQUEST_SIZE_AT);
  for (const [index, name] of RLIMIT_NAMES.entries()) {
    writeLimit(frame, limits.rlimits[name], RLIMITS_AT + 8 * index);
  }
  frame.writeUInt32LE(directories.length, COUNTS_AT);
  frame.writeUInt32LE(files.length, COUNTS_AT + 4);
  frame.writeUInt32LE(words.length, COUNTS_AT + 8);
  frame.writeUInt32LE(0, COUNTS_AT + 12);
  let end = HEADER_BYTES;
  for (const part of parts) {
    end = writePart(frame, part, end);
  }
  return frame;
}

/** What follows from a call's limits alone. */
interface Known {
  limits: NativeLimits;
  /** A frame's head where there are no files and no words, as of most calls of safeExec. */
  head: Buffer;
}

/** Writes the frames of a template's cells. What most calls have in common is written once. */
export class Frames {
  readonly #confinement: Confinement;
  readonly #known = new WeakMap<Limits, Known>();

  /** @param confinement the cells' */
  constructor(confinement: Confinement) {
    this.#confinement = confinement;
  }

  #of(limits: Limits): Known {
    let known = this.#known.get(limits);
    if (known === undefined) {
      const native = nativeLimits(limits, this.#confinement);
      const head = encodeHead({ kind: CallKind.exec, limits: native, files: [], words: [] });
      known = { limits: native, head };
      this.#known.set(limits, known);
    }
    return known;
  }

  /** The limits of a cell's call, as numbers. */
  limits(limits: Limits): NativeLimits {
    return this.#of(limits).limits;
  }

  /** The bytes of a frame. A short request is the addon's to encode, which takes a third of the time. */
  encode(frame: Frame): EncodedFrame {
    const { kind, limits, files, words, request } = frame;
    const known = this.#of(limits);
    const isBare = kind === CallKind.exec && files.length === 0 && words.length === 0;
    if (isBare && typeof request !== 'object' && (request?.length ?? 0) <= MAXIMUM_APPENDED) {
      return { bytes: known.head, request };
    }
    const head = isBare ? known.head : encodeHead({ kind, limits: known.limits, files, words });
    if (typeof request === 'object') {
      const bytes = Buffer.from(head);
      writeLength(bytes, sizeOf(request), REQUEST_SIZE_AT);
      return { bytes, request: undefined, pieces: request };
    }
    return {
      bytes: request === undefined ? head : withRequest(head, request),
      request: undefined,
    };
  }
}
