import { LimitTable, type Limits } from '../../lib/limits';
import { Verdict, type NativeReport } from '../../lib/native/report';
import { endingOf, signalOf, type StopReason } from '../../lib/run/outcome';

const LIMITS: Limits = new LimitTable().effective(null, {
  cpu: 2,
  realtime: 3,
  fsize: 100,
  memory: 1000,
  disk: 2000,
  files: 10,
  output: 500,
});

const QUIET: NativeReport = {
  status: 0,
  verdict: Verdict.none,
  userMs: 10,
  systemMs: 5,
  cpuMs: 15,
  peakRssBytes: 900,
  peakMemoryBytes: 950,
  peakDataBytes: 900,
  peakStackBytes: 130,
  overDataBytes: 0,
  overAddressBytes: 0,
  diskBytes: 0,
  diskFiles: 0,
  diskFull: false,
  filesFull: false,
  profileLost: false,
};

function ending(
  report: Partial<NativeReport> | undefined,
  stopped?: StopReason,
  seen: Parameters<typeof endingOf>[3] = { wallMs: 1500, outputBytes: 7 },
): ReturnType<typeof endingOf> {
  return endingOf(
    stopped,
    report === undefined ? undefined : { ...QUIET, ...report },
    LIMITS,
    seen,
  );
}

describe('signalOf', () => {
  it.each([
    [0, null],
    [1, null],
    [255, null],
    [-9, 'SIGKILL'],
    [-24, 'SIGXCPU'],
    [-31, 'SIGSYS'],
    // A real-time signal: Node has no name for it.
    [-40, null],
  ])('names the signal of %d', (status, name) => {
    expect(signalOf(status)).toBe(name);
  });
});

const FILE_TOO_LARGE = Buffer.from(
  'Traceback (most recent call last):\n  File "a", line 1, in <module>\nOSError: [Errno 27] File too large\n',
);

describe('endingOf', () => {
  it.each<[string, Partial<NativeReport>, Buffer, string]>([
    ['says so and fails', { status: 1 }, FILE_TOO_LARGE, 'disk-limit'],
    ['says so and goes on', {}, FILE_TOO_LARGE, 'exited'],
    ['fails for something else', { status: 1 }, Buffer.from('File too large\n'), 'exited'],
  ])('takes a Python’s word that a file is too large: it %s', (_name, report, stderr, outcome) => {
    const remains = { stdout: Buffer.alloc(0), stderr, isWarm: false };
    const found = ending(report, undefined, { wallMs: 1500, outputBytes: 7, remains });
    expect(found).toEqual({
      outcome,
      exceeded: outcome === 'exited' ? null : { limit: 'fsize', allowed: 100, measured: null },
    });
  });

  it.each<[string, Partial<NativeReport>, string]>([
    ['a program that ended well', {}, 'exited'],
    ['one that failed', { status: 3 }, 'exited'],
    ['one that crashed', { status: -11 }, 'signaled'],
    ['one that killed itself', { status: -9 }, 'signaled'],
    ['one that raised SIGXCPU itself', { status: -24, cpuMs: 30 }, 'signaled'],
    ['a full disk that nobody minded', { diskFull: true, filesFull: true }, 'exited'],
  ])('is no limit: %s', (_name, report, outcome) => {
    expect(ending(report)).toEqual({ outcome, exceeded: null });
  });

  it.each<[string, Partial<NativeReport>, string, unknown]>([
    [
      'the sum of the CPU',
      { status: -9, verdict: Verdict.cpu, cpuMs: 2100 },
      'cpu-limit',
      { limit: 'cpu', allowed: 2, measured: 2.1 },
    ],
    [
      'the kernel’s own SIGXCPU',
      { status: -24, cpuMs: 2000 },
      'cpu-limit',
      { limit: 'cpu', allowed: 2, measured: 2 },
    ],
    [
      'the kernel’s SIGKILL, a second later',
      { status: -9, cpuMs: 3000 },
      'cpu-limit',
      { limit: 'cpu', allowed: 2, measured: 3 },
    ],
    [
      'the sum of the memory',
      { status: -9, verdict: Verdict.memory, peakMemoryBytes: 1200 },
      'memory-limit',
      { limit: 'memory', allowed: 1000, measured: 1200, how: 'counted' },
    ],
    [
      'the size of a file',
      { status: -25 },
      'disk-limit',
      { limit: 'fsize', allowed: 100, measured: null },
    ],
    [
      'a full disk',
      { status: 1, diskFull: true, diskBytes: 2000 },
      'disk-limit',
      { limit: 'disk', allowed: 2000, measured: 2000 },
    ],
    [
      'the number of files',
      { status: 1, filesFull: true, diskFiles: 10 },
      'disk-limit',
      { limit: 'files', allowed: 10, measured: 10 },
    ],
  ])('names %s, with the evidence', (_name, report, outcome, exceeded) => {
    expect(ending(report)).toEqual({ outcome, exceeded });
  });

  it('names the time, with what was measured', () => {
    const report = { status: -9, verdict: Verdict.stopped };
    expect(ending(report, 'time', { wallMs: 3050, outputBytes: 0 })).toEqual({
      outcome: 'time-limit',
      exceeded: { limit: 'realtime', allowed: 3, measured: 3.05 },
    });
  });

  it('names the time when the launcher had to be killed and could not report', () => {
    expect(ending(undefined, 'time').outcome).toBe('time-limit');
  });

  it('lets a program that ended just before it was to be stopped have ended by itself', () => {
    expect(ending({ status: 0 }, 'time')).toEqual({ outcome: 'exited', exceeded: null });
  });

  it('names the output, whatever the program made of it', () => {
    for (const status of [0, 1, -9, -13]) {
      expect(ending({ status }, 'output', { wallMs: 1, outputBytes: 501 })).toEqual({
        outcome: 'output-limit',
        exceeded: { limit: 'output', allowed: 500, measured: 501 },
      });
    }
  });

  it('tells of what took extra time, however it ended', () => {
    const limits = { ...LIMITS, extraTime: 5 };
    const seen = { wallMs: 3200, outputBytes: 0 };
    const slow = { ...QUIET, status: 0, cpuMs: 2345 };
    expect(endingOf(undefined, slow, limits, seen)).toEqual({
      outcome: 'cpu-limit',
      exceeded: { limit: 'cpu', allowed: 2, measured: 2.345 },
    });
    expect(endingOf(undefined, { ...slow, cpuMs: 1999 }, limits, seen)).toEqual({
      outcome: 'time-limit',
      exceeded: { limit: 'realtime', allowed: 3, measured: 3.2 },
    });
    expect(
      endingOf(undefined, { ...slow, cpuMs: 1999 }, limits, { ...seen, wallMs: 2999 }),
    ).toEqual({
      outcome: 'exited',
      exceeded: null,
    });
    expect(endingOf(undefined, slow, LIMITS, seen).outcome).toBe('exited');
  });

  it('does not blame the CPU where it has no limit', () => {
    const report = { ...QUIET, status: -9, cpuMs: 99_000 };
    const limits = { ...LIMITS, cpu: 0 };
    expect(endingOf(undefined, report, limits, { wallMs: 1, outputBytes: 0 }).outcome).toBe(
      'signaled',
    );
  });
});

describe('endingOf a jail with a cgroup', () => {
  const cgroup = { overLimit: true, oomKills: 3, peakBytes: 1234, userMs: 1, systemMs: 1 };
  const seen = (end: Partial<typeof cgroup>) => ({
    wallMs: 1,
    outputBytes: 0,
    cgroup: { ...cgroup, ...end },
  });

  it('takes the kernel’s word for the limit of memory, without a report', () => {
    expect(ending(undefined, undefined, seen({}))).toEqual({
      outcome: 'memory-limit',
      exceeded: { limit: 'memory', allowed: 1000, measured: 1234, how: 'counted' },
    });
    expect(ending(undefined, 'time', seen({})).outcome).toBe('memory-limit');
  });

  it('has no measure where the kernel keeps no peak', () => {
    expect(ending(undefined, undefined, seen({ peakBytes: 0 })).exceeded?.measured).toBeNull();
  });

  it('blames no jail for memory that ran out outside of it', () => {
    expect(ending(undefined, 'time', seen({ overLimit: false })).outcome).toBe('time-limit');
  });

  it('ends as ever where nothing was killed', () => {
    expect(ending({}, undefined, seen({ overLimit: false, oomKills: 0 })).outcome).toBe('exited');
  });
});
