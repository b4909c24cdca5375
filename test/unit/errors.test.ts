import { inspect } from 'node:util';
import {
  ClosedError,
  InvalidArgumentError,
  JailError,
  NotConfiguredError,
  SetupError,
  UnconfinedError,
} from '../../lib/errors';
import { BusyError } from '../../lib/gate/busy-error';
import { errnoName } from '../../lib/text/errno';
import { SafeExecError } from '../../lib/exec/error';
import { CollectError } from '../../lib/run/collect-error';
import type { JailResult } from '../../lib/run/result';

const disk = { guarantee: 'disk', why: 'no tmpfs can be mounted', cure: 'run as root' } as const;
const result = {
  status: 1,
  stdout: Buffer.alloc(0),
  stderr: Buffer.alloc(0),
  exceeded: null,
} as unknown as JailResult;

const BUSY = {
  reason: 'queue-full',
  ...{ running: 1, waiting: 1, maxRunning: 1, maxQueue: 1, waitedMs: 0, retryAfterMs: null },
} as const;

describe('a JailError', () => {
  const every: [string, string, JailError][] = [
    [
      'InvalidArgumentError',
      'ERR_CODEJAIL_INVALID_ARGUMENT',
      new InvalidArgumentError('options.bin', 'is bad'),
    ],
    ['NotConfiguredError', 'ERR_CODEJAIL_NOT_CONFIGURED', new NotConfiguredError('ruby')],
    ['UnconfinedError', 'ERR_CODEJAIL_UNCONFINED', new UnconfinedError([disk])],
    ['SetupError', 'ERR_CODEJAIL_SETUP', new SetupError('mounts', 1)],
    ['ClosedError', 'ERR_CODEJAIL_CLOSED', new ClosedError()],
    ['SafeExecError', 'ERR_CODEJAIL_EXEC', new SafeExecError('it failed', result, null)],
    ['CollectError', 'ERR_CODEJAIL_COLLECT', new CollectError(24, result)],
    ['BusyError', 'ERR_CODEJAIL_BUSY', BusyError.of(BUSY)],
    ['JailError', 'ERR_CODEJAIL_CLOSED', new JailError('ERR_CODEJAIL_CLOSED', 'is closed')],
  ];

  it.each(every)('shows the name %s with the code %s, as Node does', (name, code, error) => {
    expect(error).toBeInstanceOf(JailError);
    expect(error.code).toBe(code);
    expect(error.name).toBe(name);
    expect(String(error)).toBe(`${name} [${code}]: ${error.message}`);
    expect(error.stack).toContain(`${name} [${code}]: ${error.message}`);
    expect(inspect(error)).toContain(`${name} [${code}]: `);
  });

  it('has only the details that apply to it', () => {
    expect(Object.keys(new ClosedError())).toEqual(['code']);
    expect(new ClosedError()).not.toHaveProperty('argument');
    expect(new ClosedError()).not.toHaveProperty('cause');
  });

  it('keeps what caused it', () => {
    const cause = new Error('first');
    expect(new InvalidArgumentError('code', 'is bad', cause).cause).toBe(cause);
  });
});

describe('InvalidArgumentError', () => {
  it('names the argument in its message and apart from it', () => {
    const error = new InvalidArgumentError('options.limits.cpu', 'must be a number');
    expect(error.argument).toBe('options.limits.cpu');
    expect(error.message).toBe('options.limits.cpu must be a number');
  });
});

describe('NotConfiguredError', () => {
  it('says how the command is configured', () => {
    expect(new NotConfiguredError('ruby').message).toContain(`configure("ruby", `);
  });

  it('suggests the configured command that was probably meant', () => {
    expect(new NotConfiguredError('pyhton', ['python', 'ruby']).message).toContain(
      'Did you mean "python"?',
    );
  });

  it('lists the configured commands when none is near', () => {
    expect(new NotConfiguredError('haskell', ['python', 'ruby']).message).toContain('python, ruby');
  });
});

describe('UnconfinedError', () => {
  it('names each missing guarantee, why it is missing, its cure, and how to give it up', () => {
    const error = new UnconfinedError([disk, { ...disk, guarantee: 'network', why: 'no netns' }]);
    expect(error.missing.map(({ guarantee }) => guarantee)).toEqual(['disk', 'network']);
    expect(error.message).toContain('disk: no tmpfs can be mounted');
    expect(error.canBeGivenUp).toBe(true);
    expect(error.message).toContain('network: no netns');
    expect(error.message).toContain('run as root');
    expect(error.message).toContain("allowMissing: ['disk', 'network']");
  });

  it('tells together what is missing for one reason', () => {
    const error = new UnconfinedError([disk, { ...disk, guarantee: 'network' }]);
    expect(error.message).toContain('\n  disk, network: no tmpfs can be mounted\n');
  });

  it('says that nothing can be given up where no jail can be made', () => {
    const error = new UnconfinedError([disk], false);
    expect(error.canBeGivenUp).toBe(false);
    expect(error.message).toContain('No jail could be made at all');
    expect(error.message).not.toContain('allowMissing');
  });

  it('keeps a list that nobody can change', () => {
    const missing = [{ ...disk }];
    const error = new UnconfinedError(missing);
    missing.pop();
    expect(error.missing).toHaveLength(1);
    expect(Object.isFrozen(error.missing)).toBe(true);
  });
});

describe('SetupError', () => {
  it('says the step, the system call and the kernel error, by number and by name', () => {
    const error = new SetupError('mounts', 1, { syscall: 'mount', detail: '/proc' });
    expect(error).toMatchObject({ step: 'mounts', errno: 1, errnoName: 'EPERM', syscall: 'mount' });
    expect(error.message).toContain('"mounts"');
    expect(error.message).toContain('EPERM');
    expect(error.message).toContain('in mount');
    expect(error.message).toContain('/proc');
  });

  it('says where the program had been started', () => {
    const detail = 'the launcher ended';
    expect(new SetupError('supervise', 0, { detail }).message).toContain('was not started');
    expect(new SetupError('supervise', 0, { detail, hasStarted: true }).message).toBe(
      'the program was started and ended, and how can\'t be told: step "supervise" failed (the launcher ended)',
    );
  });

  it('has no errno where no system call failed', () => {
    const error = new SetupError('spec', 0, { detail: 'too short' });
    expect(error).not.toHaveProperty('errno');
    expect(error).not.toHaveProperty('errnoName');
    expect(error.message).toContain('too short');
  });
});

describe('SafeExecError', () => {
  const exception = {
    type: 'ValueError',
    module: null,
    message: 'no',
    line: 3,
    traceback: 'Traceback …',
  };

  it('carries the result and the exception', () => {
    const error = new SafeExecError('it failed', result, exception);
    expect(error.result).toBe(result);
    expect(error.exception).toBe(exception);
  });

  it('does not put the output into a log of the error', () => {
    expect(Object.keys(new SafeExecError('it failed', result, exception))).toEqual([
      'code',
      'exception',
      'exceeded',
      'reason',
    ]);
  });
});

describe('errnoName', () => {
  it.each([
    [1, 'EPERM'],
    [2, 'ENOENT'],
    [13, 'EACCES'],
    [37, 'ENOLCK'],
    [4711, 'errno 4711'],
  ])('calls %i %s', (errno, name) => {
    expect(errnoName(errno)).toBe(name);
  });
});
