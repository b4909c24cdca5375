// A run whose native half is played: what an abort does at which moment.
import type { NativeJail } from '../../lib/native/addon';
import { ZERO_LIMITS } from '../../lib/limits';
import type { OutputListener } from '../../lib/run/output';
import { Outputs } from '../../lib/run/outputs';
import type { Ended } from '../../lib/run/conclusion';
import { Run } from '../../lib/run/run';
import type { RunCall } from '../../lib/run/run-call';

const addon = { kill: jest.fn(), stop: jest.fn(), readRest: jest.fn(), disown: jest.fn() };
const closed: number[] = [];
jest.mock('node:fs', () => ({
  ...jest.requireActual<object>('node:fs'),
  close: (descriptor: number, done: () => void) => {
    closed.push(descriptor);
    done();
  },
}));
jest.mock('../../lib/native/addon', () => ({ native: () => ({ addon }) }));
jest.mock('../../lib/run/input', () => ({ InputWriter: jest.fn(() => ({ destroy: jest.fn() })) }));

const PLAN = { mechanisms: [], mayExec: false };
const ENDED: Ended = { type: 'ended', tmpDirectory: -1 };

let controller: AbortController;
let call: RunCall;
let outputs: Outputs;
let run: Run;
let overflow: () => void;

beforeEach(() => {
  jest.useFakeTimers();
  jest.clearAllMocks();
  controller = new AbortController();
  const stdout = {
    bound: (_limit: number, { onOver }: OutputListener) => {
      overflow = onOver;
    },
  };
  const stderr = { bound: () => undefined };
  outputs = {
    ...{ stdout, stderr },
    drain: () => undefined,
    haveEnded: true,
    areJoined: true,
  } as unknown as Outputs;
  const limits = { ...ZERO_LIMITS, realtime: 10 };
  call = { limits, collect: [], signals: [controller.signal] };
  run = new Run({ id: 7 } as NativeJail, outputs, call, PLAN, 0);
  run.started(0, '/tmp/jail');
});

afterEach(() => {
  jest.useRealTimers();
});

describe('an abort', () => {
  it('kills the jail, and once more where it has not ended in time', () => {
    controller.abort();
    expect(addon.kill.mock.calls).toEqual([[7]]);
    jest.advanceTimersByTime(1000);
    expect(addon.kill.mock.calls).toEqual([[7], [7]]);
  });

  it('of a jail that is over, whose outputs are still read, holds the event loop no longer', () => {
    run.ended(ENDED);
    controller.abort();
    expect([jest.getTimerCount(), addon.kill.mock.calls]).toEqual([0, []]);
  });
});

it('gives back what it holds, also where its end fails', async () => {
  const removeListener = jest.spyOn(controller.signal, 'removeEventListener');
  const cgroup = Promise.reject(new Error('no such cgroup'));
  run.ended({ ...ENDED, tmpDirectory: 42, cgroup });
  await expect(run.finish()).rejects.toThrow('no such cgroup');
  expect([addon.disown.mock.calls, closed]).toEqual([[[42]], [42]]);
  expect(removeListener).toHaveBeenCalledTimes(1);
});

describe('outputs that the addon has read and closed', () => {
  const jail = { stdout: 10, stderr: 11, result: 12 } as NativeJail;

  it('are kept, and are over', async () => {
    const outputs = new Outputs(jail);
    outputs.take({ type: 'outputs', ended: 2, stdout: Buffer.from('out') });
    outputs.take({
      type: 'outputs',
      ended: 5,
      stdout: Buffer.from('put'),
      result: Buffer.from('G'),
    });
    await outputs.ended();
    expect(
      [outputs.stdout, outputs.stderr, outputs.channel].map((each) => each?.bytes().toString()),
    ).toEqual(['output', '', 'G']);
  });

  it('are not read by their numbers again, whatever became of what came', () => {
    const outputs = new Outputs(jail);
    const onFailure = jest.fn();
    outputs.stdout.bound(0, {
      onOver: () => undefined,
      onFailure,
      onChunk: () => {
        throw new RangeError('no memory');
      },
    });
    outputs.take({
      ...{ type: 'outputs', ended: 7 },
      ...{ stdout: Buffer.from('x'), stderr: Buffer.from('y') },
    });
    expect(onFailure).toHaveBeenCalledTimes(1);
    outputs.drain();
    expect(addon.readRest).not.toHaveBeenCalled();
    expect(outputs.stderr.bytes().toString()).toBe('y');
  });
});

describe('output for which there is no memory', () => {
  const jail = { id: 7, stdout: 10, stderr: 11, result: -1 } as NativeJail;

  it('kills the jail, whose call rejects with what was thrown', async () => {
    outputs = new Outputs(jail);
    run = new Run(jail, outputs, call, PLAN, 0);
    run.started(0, '/tmp/jail');
    outputs.take({ type: 'outputs', ended: 0, stdout: Buffer.from('x') });
    const alloc = jest.spyOn(Buffer, 'alloc').mockImplementationOnce(() => {
      throw new RangeError('no memory');
    });
    try {
      outputs.take({ type: 'outputs', ended: 7, stdout: Buffer.from('y') });
    } finally {
      alloc.mockRestore();
    }
    expect(addon.kill.mock.calls).toEqual([[7]]);
    run.ended(ENDED);
    await expect(run.finish()).rejects.toThrow(new RangeError('no memory'));
  });

  it('lets no call wait for ever where it comes last', async () => {
    jest.spyOn(outputs, 'drain').mockImplementationOnce(() => {
      throw new RangeError('no memory');
    });
    run.ended(ENDED);
    await expect(run.finish()).rejects.toThrow(new RangeError('no memory'));
  });
});

describe('too much output', () => {
  it('stops the jail, and kills it where it has not ended in time', () => {
    overflow();
    expect([addon.stop.mock.calls, addon.kill.mock.calls]).toEqual([[[7]], []]);
    jest.advanceTimersByTime(600);
    expect(addon.kill.mock.calls).toEqual([[7]]);
  });

  it('of a jail that is over stops nothing', () => {
    run.ended(ENDED);
    overflow();
    expect([jest.getTimerCount(), addon.stop.mock.calls]).toEqual([0, []]);
  });
});
