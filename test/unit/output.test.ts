// A reader whose memory runs out: it tells, and neither throws into the event loop nor waits for ever.
import { PassThrough } from 'node:stream';
import { OutputReader, type OutputListener } from '../../lib/run/output';

const addon = { readRest: jest.fn(), closeDescriptor: jest.fn() };
jest.mock('../../lib/native/addon', () => ({ native: () => ({ addon }) }));
let pipe: PassThrough;
jest.mock('../../lib/native/pipe-socket', () => ({
  pipeSocket: () => Object.assign(pipe, { ref: jest.fn(), unref: jest.fn() }),
}));

const NO_MEMORY = new RangeError('Array buffer allocation failed');
const DESCRIPTOR = 10;

let listener: jest.Mocked<Required<Omit<OutputListener, 'sift'>>>;
let reader: OutputReader;

/** From now on there is no memory for a larger buffer. */
function exhaustMemory(): void {
  jest.spyOn(Buffer, 'alloc').mockImplementation((size) => {
    if (size > 0) {
      throw NO_MEMORY;
    }
    return Buffer.from([]);
  });
}

beforeEach(() => {
  jest.clearAllMocks();
  pipe = new PassThrough();
  listener = { onOver: jest.fn(), onFailure: jest.fn(), onChunk: jest.fn(), onKept: jest.fn() };
  reader = new OutputReader(DESCRIPTOR);
  reader.bound(0, listener);
});

afterEach(() => {
  jest.restoreAllMocks();
});

it('tells it once, keeps nothing, and counts on', () => {
  reader.take(Buffer.from('kept'));
  exhaustMemory();
  reader.take(Buffer.from('x'.repeat(5000)));
  reader.take(Buffer.from('more'));
  expect(listener.onFailure.mock.calls).toEqual([[NO_MEMORY]]);
  expect(listener.onChunk).toHaveBeenCalledTimes(1);
  expect([reader.bytes().length, reader.seen]).toEqual([0, 5008]);
});

it('still tells that more came than the limit allows', () => {
  reader.bound(4, listener);
  exhaustMemory();
  reader.take(Buffer.from('abcdef'));
  expect(listener.onFailure).toHaveBeenCalledTimes(1);
  expect(listener.onOver).toHaveBeenCalledTimes(1);
});

it('reads a pipe to its end all the same', async () => {
  reader.start();
  exhaustMemory();
  pipe.end('written by a program');
  await reader.ended;
  expect(listener.onFailure.mock.calls).toEqual([[NO_MEMORY]]);
});

it('ends, and closes its pipe, where not even the rest can be read', async () => {
  addon.readRest.mockImplementationOnce(() => {
    throw NO_MEMORY;
  });
  reader.drain();
  await reader.ended;
  expect(listener.onFailure.mock.calls).toEqual([[NO_MEMORY]]);
  expect(addon.closeDescriptor.mock.calls).toEqual([[DESCRIPTOR]]);
});

describe('of more than one memory', () => {
  const MEBI = 1 << 20;

  it.each([3, 17, 40])('gives all %i MiB, joined', async (mebibytes) => {
    const chunk = Buffer.alloc(65_521);
    let seen = 0;
    while (seen < mebibytes * MEBI) {
      chunk.fill(seen % 251);
      reader.take(Buffer.from(chunk));
      seen += chunk.length;
    }
    expect(reader.isJoined).toBe(mebibytes <= 16);
    await reader.join();
    expect(reader.isJoined).toBe(true);
    const bytes = reader.bytes();
    expect(bytes).toHaveLength(seen);
    for (let at = 0; at < seen; at += chunk.length) {
      expect([bytes[at], bytes[at + chunk.length - 1]]).toEqual([at % 251, at % 251]);
    }
  });

  it('takes no more memory than the limit, and a moment', () => {
    reader.bound(3 * MEBI, listener);
    for (let index = 0; index < 64; index++) {
      reader.take(Buffer.alloc(65_536, index));
    }
    expect(reader.bytes()).toHaveLength(3 * MEBI);
    expect(reader.bytes().buffer.byteLength).toBe(3 * MEBI);
    expect(listener.onOver).toHaveBeenCalledTimes(1);
  });

  it('tells where there is no memory to join them', async () => {
    for (let index = 0; index < 17 * 16; index++) {
      reader.take(Buffer.alloc(65_536));
    }
    exhaustMemory();
    await reader.join();
    expect(listener.onFailure.mock.calls).toEqual([[NO_MEMORY]]);
    expect([reader.isJoined, reader.bytes().length]).toEqual([true, 0]);
  });
});
