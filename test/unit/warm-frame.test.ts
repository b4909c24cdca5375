// What a cell reads when its call begins.
import { IdMap } from '../../lib/native/spec';
import type { Confinement } from '../../lib/confinement/plan';
import { LimitTable, type Limits } from '../../lib/limits';
import { CallKind, Frames, lastBytes, type EncodedFrame, type Frame } from '../../lib/warm/frame';
import { layoutOf } from '../support/native-sources';

const CONFINEMENT: Confinement = {
  ...{ flags: 0, namespaces: 0, idMap: IdMap.sandbox, mechanisms: [] },
  ...{ uid: 1000, gid: 1000, outerUid: 1, outerGid: 1 },
  ...{ uidPool: undefined, cgroup: undefined, appArmorProfile: undefined },
};

function limits(own: Partial<Limits> = {}): Limits {
  return new LimitTable().effective(undefined, { proxy: 1, ...own });
}

function frame(request: string, more: Partial<Frame> = {}): Frame {
  return { kind: CallKind.exec, limits: limits(), files: [], words: [], request, ...more };
}

function whole(encoded: EncodedFrame): Buffer {
  const { bytes, request = '' } = encoded;
  return lastBytes(encoded, bytes.length + Buffer.byteLength(request));
}

const { at: MEMBERS, size: HEADER_BYTES } = layoutOf('native/core/cell.h', 'CallHeader');
const requestSize = (bytes: Buffer): bigint => bytes.readBigUInt64LE(MEMBERS['request_size']);
const cpuSeconds = (bytes: Buffer): bigint => bytes.readBigUInt64LE(MEMBERS['RLIMIT_CPU']);

it('ends with the call’s own request, though the rest was written before', () => {
  const frames = new Frames(CONFINEMENT);
  const common = limits();
  const written = ['first', 'a second one', 'größer', ''].map((text) => ({
    text,
    bytes: whole(frames.encode(frame(text, { limits: common }))),
  }));
  for (const { text, bytes } of written) {
    expect(requestSize(bytes)).toBe(BigInt(Buffer.byteLength(text)));
    expect(bytes.subarray(HEADER_BYTES).toString()).toBe(text);
  }
});

it('is the same, written anew or not', () => {
  const common = limits();
  const frames = new Frames(CONFINEMENT);
  frames.encode(frame('before', { limits: common }));
  expect(frames.encode(frame('text', { limits: common }))).toEqual(
    new Frames(CONFINEMENT).encode(frame('text')),
  );
});

it('has the limits of its own call', () => {
  const frames = new Frames(CONFINEMENT);
  const [one, five] = [limits({ cpu: 1 }), limits({ cpu: 5 })];
  const seconds = [one, five, one].map((own) =>
    cpuSeconds(whole(frames.encode(frame('', { limits: own })))),
  );
  // The wall behind the sums: a quarter higher, in whole seconds.
  expect(seconds).toEqual([2n, 7n, 2n]);
  expect(frames.limits(five).cpuMicroseconds).toBe(5e6);
});

it('has files and words before the request', () => {
  const frames = new Frames(CONFINEMENT);
  const files = [{ name: 'folder/data', content: Buffer.from('content') }];
  const bytes = whole(
    frames.encode(frame('request', { kind: CallKind.script, files, words: ['program', 'word'] })),
  );
  expect(requestSize(bytes)).toBe(7n);
  const text = bytes.toString('latin1');
  const places = ['folder', 'folder/data', 'content', 'program', 'word', 'request'].map((part) =>
    text.indexOf(`${part}${part === 'request' ? '' : '\0'}`),
  );
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places.every((place) => place >= HEADER_BYTES)).toBe(true);
});

it.each(['short', '€'.repeat(16 * 1024), 'x'.repeat(100_000)])(
  'gives the last bytes of a frame, however long its request is (%#)',
  (request) => {
    const encoded = new Frames(CONFINEMENT).encode(frame(request));
    const all = whole(encoded);
    expect(requestSize(all)).toBe(BigInt(Buffer.byteLength(request)));
    expect(lastBytes(encoded, 0)).toHaveLength(0);
    expect(lastBytes(encoded, 3).equals(all.subarray(-3))).toBe(true);
    expect(all.subarray(HEADER_BYTES).toString()).toBe(request);
  },
);

it('leaves no more to the addon than it has room for', () => {
  const frames = new Frames(CONFINEMENT);
  for (const length of [0, 100, 16 * 1024, 16 * 1024 + 1, 1 << 20]) {
    const { bytes, request = '' } = frames.encode(frame('€'.repeat(length)));
    expect(request === '' ? 0 : bytes.length + Buffer.byteLength(request)).toBeLessThan(65536);
  }
});
