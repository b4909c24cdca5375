// A spec that is not whole starts nothing: the launcher ends before its first step.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RLIMIT_NAMES } from '../../lib/spec/rlimits';
import { native } from '../../lib/native/addon';
import { RecordKind, type NativeRecord, type NativeSpec } from '../../lib/native/spec';

// Statuses of native/core/report_channel.cc.
const TOLD = 1;
const NOBODY_TO_TELL = 2;

// sizeof(RecordHeader) and places in it, native/core/spec.h.
const RECORD_BYTES = 40;
const PATH_LENGTH = 24;
const DATA_LENGTH = 32;
/** How far before the end of SpecHeader its `stored_size` is. */
const BEFORE_END = 16;

/** A spec as the addon writes it, of a jail of nothing. */
function written(records: NativeRecord[]): Buffer {
  const none: NativeSpec = {
    launcher: '',
    flags: 0,
    namespaces: 0,
    idMap: 0,
    uid: 0,
    gid: 0,
    outerUid: 0,
    outerGid: 0,
    ...{ cpuMicroseconds: undefined, memoryBytes: undefined },
    rlimits: Object.fromEntries(RLIMIT_NAMES.map((name) => [name, undefined])),
    records,
  };
  const descriptor = native().addon.sealSpec(none);
  const bytes = readFileSync(`/proc/self/fd/${descriptor}`);
  native().addon.closeDescriptor(descriptor);
  return bytes;
}

const RECORDS: NativeRecord[] = [
  { kind: RecordKind.directory, path: 'path', data: 'data' },
  { kind: RecordKind.argument, data: 'word' },
];

function whole(): Buffer {
  return written(RECORDS);
}

/** The same with a change of its first record, at which the bytes begin. */
function changed(change: (record: Buffer) => void): Buffer {
  const bytes = whole();
  change(bytes.subarray(written([]).length));
  return bytes;
}

/** The same, cut or lengthened, and true in what it says of its size. */
function resized(size: number): Buffer {
  const bytes = Buffer.concat([whole(), Buffer.alloc(64)]).subarray(0, size);
  bytes.writeBigUInt64LE(BigInt(size), 8);
  return bytes;
}

/** Has its first record be another argument than the header counts. */
function counted(): Buffer {
  return changed((record) => record.writeUInt32LE(RecordKind.argument, 0));
}

/** Whose first records, so many bytes of them, are said to have been written ahead. */
function withLongFiles(bytes: bigint): Buffer {
  const spec = whole();
  spec.writeBigUInt64LE(bytes, written([]).length - BEFORE_END);
  return spec;
}

describe('a spec', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'spec-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function statusWith(bytes: Buffer): number | null {
    const path = join(folder, 'spec');
    writeFileSync(path, bytes);
    const file = openSync(path, 'r');
    const { status } = spawnSync(native().launcher, ['3', '4'], {
      // A spec that is taken makes its directory, by a relative path here.
      cwd: folder,
      stdio: ['ignore', 'ignore', 'ignore', file, 'pipe'],
    });
    closeSync(file);
    return status;
  }

  it('is taken when it is whole', () => {
    // It asks for nothing that could be done, and names no report channel: the one of its start is closed.
    expect(statusWith(whole())).toBe(NOBODY_TO_TELL);
  });

  it('is taken when its last record was written ahead of the first', () => {
    expect(
      statusWith(withLongFiles(BigInt(written([RECORDS[0]!]).length - written([]).length))),
    ).toBe(NOBODY_TO_TELL);
  });

  it.each<[string, () => Buffer]>([
    ['is empty', () => Buffer.alloc(0)],
    ['ends in its header', () => written([]).subarray(0, -1)],
    ['ends in its header, and says so', () => resized(written([]).length - 8)],
    ['is longer than it says', () => Buffer.concat([whole(), Buffer.alloc(8)])],
    ['is shorter than it says', () => whole().subarray(0, -8)],
    ['ends between two words', () => resized(whole().length + 4)],
    ['ends in a record’s header', () => resized(whole().length + 8)],
    ['ends in a record’s data', () => resized(whole().length - 8)],
    ['has long files that end within a record', () => withLongFiles(8n)],
    ['has long files beyond its end', () => withLongFiles(1n << 20n)],
    ['has the longest of long files', () => withLongFiles(2n ** 64n - 1n)],
    [
      'is of another version',
      () => {
        const bytes = whole();
        bytes.writeUInt32LE(77, 4);
        return bytes;
      },
    ],
    ['has a record of no kind', () => changed((record) => record.writeUInt32LE(1000, 0))],
    ['has another path length', () => changed((record) => record.writeUInt32LE(3, PATH_LENGTH))],
    [
      'has a path beyond its end',
      () => changed((record) => record.writeUInt32LE(500, PATH_LENGTH)),
    ],
    [
      'has the longest path',
      () => changed((record) => record.writeUInt32LE(0xffffffff, PATH_LENGTH)),
    ],
    [
      'has another data length',
      () => changed((record) => record.writeBigUInt64LE(3n, DATA_LENGTH)),
    ],
    [
      'has data beyond its end',
      () => changed((record) => record.writeBigUInt64LE(500n, DATA_LENGTH)),
    ],
    [
      'has the longest data',
      () => changed((record) => record.writeBigUInt64LE(2n ** 64n - 1n, DATA_LENGTH)),
    ],
    [
      'has data whose end runs over',
      () =>
        changed((record) =>
          record.writeBigUInt64LE(2n ** 64n - BigInt(RECORD_BYTES) - 5n, DATA_LENGTH),
        ),
    ],
    ['has an argument that it does not count', counted],
  ])('is refused when it %s', (_, make) => {
    expect(statusWith(make())).toBe(TOLD);
  });
});
