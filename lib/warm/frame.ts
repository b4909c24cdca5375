// What a cell reads when its call begins, byte for byte as native/core/cell.h has it.
import type { NativeLimits } from '../spec';
import { parents, type JailFile } from '../spec';

/** How a cell takes its call. */
export const CallKind = { exec: 0, script: 1, probe: 2 } as const;

/** What a frame is made of. */
export interface Frame {
  kind: (typeof CallKind)[keyof typeof CallKind];
  limits: NativeLimits;
  files: readonly JailFile[];
  words: readonly string[];
  /** What stays in the pipe, for the program's runner. */
  request: Uint8Array | undefined;
}

const MAGIC = 0x4c4c4143;
const HEADER_BYTES = 80;
const PART_BYTES = 16;
const UNLIMITED = (1n << 64n) - 1n;

function part(name: string, content: string | Uint8Array): Buffer[] {
  const nameBytes = Buffer.from(name);
  const contentBytes = typeof content === 'string' ? Buffer.from(content) : content;
  const lengths = Buffer.alloc(PART_BYTES);
  lengths.writeUInt32LE(nameBytes.length, 0);
  lengths.writeBigUInt64LE(BigInt(contentBytes.length), 8);
  const end = Buffer.alloc(1);
  return [lengths, nameBytes, end, Buffer.from(contentBytes), end];
}

/** The bytes of a frame. */
export function encodeFrame({ kind, limits, files, words, request }: Frame): Buffer {
  const directories = [...new Set(files.flatMap(({ name }) => parents(name)))];
  const body = Buffer.concat([
    ...directories.flatMap((name) => part(name, '')),
    ...files.flatMap(({ name, content }) => part(name, content)),
    ...words.flatMap((word) => part(word, '')),
  ]);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(kind, 4);
  header.writeBigUInt64LE(BigInt(body.length), 8);
  header.writeBigUInt64LE(BigInt(request?.length ?? 0), 16);
  const values = [
    limits.rlimitCpuSeconds,
    limits.rlimitAs,
    limits.rlimitData,
    limits.rlimitFsize,
    limits.rlimitNproc,
  ];
  for (const [index, value] of values.entries()) {
    header.writeBigUInt64LE(value < 0 ? UNLIMITED : BigInt(value), 24 + 8 * index);
  }
  header.writeUInt32LE(directories.length, 64);
  header.writeUInt32LE(files.length, 68);
  header.writeUInt32LE(words.length, 72);
  return Buffer.concat(request === undefined ? [header, body] : [header, body, request]);
}
