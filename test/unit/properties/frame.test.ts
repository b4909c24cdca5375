// A call's frame, read as a cell reads it (native/cell/call_parts.cc).
import fc from 'fast-check';
import { IdMap } from '../../../lib/native/spec';
import type { Confinement } from '../../../lib/confinement/plan';
import { LimitTable } from '../../../lib/limits';
import { CallKind, Frames, lastBytes } from '../../../lib/warm/frame';
import { layoutOf } from '../../support/native-sources';

jest.setTimeout(120_000);

const CONFINEMENT: Confinement = {
  ...{ flags: 0, namespaces: 0, idMap: IdMap.sandbox, mechanisms: [] },
  ...{ uid: 1000, gid: 1000, outerUid: 1, outerGid: 1 },
  ...{ uidPool: undefined, cgroup: undefined, appArmorProfile: undefined },
};
const LIMITS = new LimitTable().effective(undefined, { proxy: 1 });
const { at: MEMBERS, size: HEADER_BYTES } = layoutOf('native/core/cell.h', 'CallHeader');

interface Part {
  name: string;
  content: Buffer;
}

function readParts(bytes: Buffer): { parts: Part[]; request: string } {
  const size = Number(bytes.readBigUInt64LE(MEMBERS['size']));
  const requestSize = Number(bytes.readBigUInt64LE(MEMBERS['request_size']));
  const counts = ['directory_count', 'file_count', 'word_count'].map((name) =>
    bytes.readUInt32LE(MEMBERS[name]),
  );
  const parts: Part[] = [];
  let at = HEADER_BYTES;
  for (let index = 0; index < counts.reduce((sum, count) => sum + count); index += 1) {
    const nameEnd = at + 16 + bytes.readUInt32LE(at);
    const contentEnd = nameEnd + 1 + Number(bytes.readBigUInt64LE(at + 8));
    expect([bytes[nameEnd], bytes[contentEnd]]).toEqual([0, 0]);
    parts.push({
      name: bytes.subarray(at + 16, nameEnd).toString(),
      content: bytes.subarray(nameEnd + 1, contentEnd),
    });
    at = contentEnd + 1;
  }
  expect(at).toBe(HEADER_BYTES + size);
  expect(bytes.length).toBe(at + requestSize);
  return { parts, request: bytes.subarray(at).toString() };
}

// As the checks of a call's arguments let them through: no NUL, no lone surrogate.
const wellFormed = fc.string({ unit: 'grapheme-composite', maxLength: 40 });
const name = fc
  .array(
    fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
      .filter((part) => !part.includes('/')),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((parts) => parts.join('/'));
const content = fc.oneof(wellFormed, fc.uint8Array({ maxLength: 200 }));

it('brings every file, directory and word, and the request, whatever they are', () => {
  const frames = new Frames(CONFINEMENT);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.record({ name, content }), { selector: (file) => file.name, maxLength: 5 }),
      fc.array(wellFormed, { maxLength: 5 }),
      fc.option(
        fc.oneof(
          wellFormed,
          fc.nat({ max: 20_000 }).map((length) => 'ä'.repeat(length)),
        ),
        { nil: undefined },
      ),
      fc.constantFrom(CallKind.exec, CallKind.script, CallKind.probe),
      (files, words, request, kind) => {
        const encoded = frames.encode({ kind, limits: LIMITS, files, words, request });
        const appended = Buffer.byteLength(encoded.request ?? '');
        const bytes = lastBytes(encoded, encoded.bytes.length + appended);
        const read = readParts(bytes);
        const directories = bytes.readUInt32LE(MEMBERS['directory_count']);
        expect(read.request).toBe(request ?? '');
        const fileParts = read.parts.slice(directories, directories + files.length);
        expect(fileParts.map((part) => [part.name, part.content])).toEqual(
          files.map((file) => [file.name, Buffer.from(file.content)]),
        );
        expect(read.parts.slice(directories + files.length).map((part) => part.name)).toEqual(
          words,
        );
        // Each directory before what is in it.
        const made = new Set(['']);
        for (const part of read.parts.slice(0, directories)) {
          expect(made).toContain(part.name.split('/').slice(0, -1).join('/'));
          made.add(part.name);
        }
        for (const file of files) {
          expect(made).toContain(file.name.split('/').slice(0, -1).join('/'));
        }
      },
    ),
    { numRuns: 500 },
  );
});
