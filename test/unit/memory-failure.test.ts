// Which evidence makes a failure one of memory.
import { memoryWall, LimitTable } from '../../lib/limits';
import type { NativeReport } from '../../lib/native/report';
import { memoryFailure } from '../../lib/run/memory-failure';

const MEBIBYTE = 1 << 20;
const LIMITS = new LimitTable().effective(null, { memory: 64 * MEBIBYTE });
const FAILED: NativeReport = {
  ...{ status: 1, verdict: 0, userMs: 1, systemMs: 1, cpuMs: 2 },
  ...{ peakRssBytes: 9 * MEBIBYTE, peakMemoryBytes: 5 * MEBIBYTE, peakDataBytes: 5 * MEBIBYTE },
  ...{ peakStackBytes: 0, overDataBytes: 0, overAddressBytes: 0 },
  ...{ diskBytes: 0, diskFiles: 0, diskFull: false, filesFull: false, profileLost: false },
};

function evidence(report: Partial<NativeReport>, stderr = '', more: object = {}, isWarm = false) {
  return memoryFailure(
    { ...FAILED, ...report },
    { ...LIMITS, ...more },
    {
      stdout: Buffer.alloc(0),
      stderr: Buffer.from(stderr),
      isWarm,
    },
  );
}

const traceback = (source: string, exception: string): string =>
  `Traceback (most recent call last):\n  File "x", line 1, in <module>\n    ${source}\n    ^^^^\n${exception}\n`;

const ALLOCATION = { limit: 'memory', allowed: 64 * MEBIBYTE, how: 'allocation' };

it('is what the kernel refused, with the bytes that it was asked for', () => {
  expect(evidence({ status: -11, overDataBytes: 1000 })).toEqual({
    ...ALLOCATION,
    measured: memoryWall(64 * MEBIBYTE) + 1000,
  });
});

it('is of the limit vmem where that refused', () => {
  expect(
    evidence({ overAddressBytes: 5 }, 'Cannot allocate memory', { memory: 0, vmem: 1000 }),
  ).toEqual({ limit: 'vmem', allowed: 1000, measured: 1005, how: 'allocation' });
});

it.each([
  traceback('x = bytearray(10**9)', 'MemoryError'),
  'MemoryError',
  traceback('numpy.zeros(1)', 'numpy.core._exceptions._ArrayMemoryError: Unable to allocate 7 GiB'),
  traceback('os.fork()', 'OSError: [Errno 12] Cannot allocate memory'),
  'fatal error: runtime: out of memory\n\ngoroutine 1 [running]:',
  'memory allocation of 1073741824 bytes failed',
  'RangeError: Array buffer allocation failed\n    at new ArrayBuffer',
  'Out of memory in perl:repeat:memory',
  "main.rb:1:in `*': failed to allocate memory (NoMemoryError)",
])('is what a runtime says last: %j', (stderr) => {
  expect(evidence({}, stderr)).toMatchObject(ALLOCATION);
});

it.each([
  "terminate called after throwing an instance of 'std::bad_alloc'",
  'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space',
  'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
  'malloc: Cannot allocate memory',
  traceback('raise MemoryError("mine")', 'MemoryError: mine'),
])('needs more where the program may mean itself: %j', (stderr) => {
  expect(evidence({}, stderr)).toBeUndefined();
  expect(evidence({ peakMemoryBytes: 40 * MEBIBYTE }, stderr)).toMatchObject(ALLOCATION);
});

it('is no word of a template’s memory', () => {
  const stderr = traceback('raise MemoryError', 'MemoryError');
  expect(evidence({ peakRssBytes: 60 * MEBIBYTE }, stderr)).toMatchObject(ALLOCATION);
  expect(evidence({ peakRssBytes: 60 * MEBIBYTE }, stderr, {}, true)).toBeUndefined();
});

it('is a crash at the wall', () => {
  const wall = memoryWall(64 * MEBIBYTE);
  expect(evidence({ status: -11, peakDataBytes: wall - MEBIBYTE })).toMatchObject(ALLOCATION);
  expect(evidence({ status: -6, peakRssBytes: wall })).toMatchObject(ALLOCATION);
  expect(evidence({ status: -11, peakDataBytes: wall / 2 })).toBeUndefined();
  expect(evidence({ status: 1, peakDataBytes: wall - MEBIBYTE })).toBeUndefined();
});

it('is none of a program that ended well, or for another reason, or without a limit', () => {
  expect(evidence({ status: 0, overDataBytes: 1000 }, 'MemoryError')).toBeUndefined();
  expect(
    evidence({ overDataBytes: 1000 }, traceback('1 / 0', 'ZeroDivisionError: division by zero')),
  ).toBeUndefined();
  expect(evidence({ status: -11 })).toBeUndefined();
  expect(evidence({}, traceback('f()', 'ValueError: MemoryError'))).toBeUndefined();
  expect(evidence({ overDataBytes: 1000 }, 'MemoryError', { memory: 0 })).toBeUndefined();
});
