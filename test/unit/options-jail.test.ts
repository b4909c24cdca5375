import { parseCloseOptions } from '../../lib/options/call';
import { parseBounds, parseJailOptions } from '../../lib/options/jail';
import { deniesEach } from '../support/refusals';

describe('the options of a jail', () => {
  it.each([undefined, {}])('allows none (%p)', (options) => {
    expect(parseJailOptions(options ?? {})).toStrictEqual({
      defaults: 'own',
      allowMissing: [],
      alwaysBeUnsafe: false,
      cgroup: 'auto',
      uidPool: undefined,
      bounds: { maxRunning: undefined, maxQueue: undefined, maxWaitMs: undefined },
      commands: new Map(),
      limits: {},
      logger: undefined,
    });
  });

  it('allows everything at once', () => {
    const logger = jest.fn();
    const parsed = parseJailOptions({
      allowMissing: ['disk', 'disk'],
      alwaysBeUnsafe: true,
      uidPool: { first: 2_000_000_000, count: 64 },
      commands: { python: '/usr/bin/python3', ruby: { bin: '/usr/bin/ruby' } },
      limits: { cpu: 2 },
      maxRunning: 3,
      maxQueue: 0,
      maxWaitMs: 500,
      logger,
    });
    expect(parsed.bounds).toEqual({ maxRunning: 3, maxQueue: 0, maxWaitMs: 500 });
    expect(parsed.allowMissing).toEqual(['disk']);
    expect(parsed.uidPool).toEqual({ first: 2_000_000_000, count: 64 });
    expect([...parsed.commands.keys()]).toEqual(['python', 'ruby']);
    expect(parsed.commands.get('ruby')?.bin).toBe('/usr/bin/ruby');
    expect(parsed.limits).toEqual({ cpu: 2 });
    expect(parsed.logger).toBe(logger);
  });

  deniesEach(parseJailOptions, [
    ['options', 'python'],
    ['options.limit', { limit: {} }, 'Did you mean "limits"?'],
    ['options.allowMissing', { allowMissing: 'disk' }],
    ['options.allowMissing', { allowMissing: true }],
    ['options.allowMissing[1]', { allowMissing: ['disk', 'disks'] }, 'Did you mean "disk"?'],
    ['options.allowMissing[0]', { allowMissing: ['all'] }, 'There are: files, metadata, network'],
    ['options.alwaysBeUnsafe', { alwaysBeUnsafe: 1 }],
    ['options.uidPool', { uidPool: 5 }],
    ['options.uidPool.first', { uidPool: { first: 0, count: 1 } }],
    ['options.uidPool.first', { uidPool: { count: 1 } }],
    ['options.uidPool.count', { uidPool: { first: 1000 } }],
    ['options.uidPool.count', { uidPool: { first: 1000, count: 0 } }],
    ['options.uidPool.count', { uidPool: { first: 1000, count: 1.5 } }],
    ['options.uidPool', { uidPool: { first: 4_294_967_294, count: 2 } }, 'last user id'],
    ['options.uidPool', { uidPool: { first: 4_294_900_000, count: 40_000 } }, 'their launchers'],
    ['options.uidPool.last', { uidPool: { first: 1000, count: 1, last: 2 } }],
    ['options.commands', { commands: ['python'] }],
    ['options.commands.python', { commands: { python: 5 } }],
    ['options.commands.python.bin', { commands: { python: { bin: '' } } }],
    ['options.commands["my python"].bin', { commands: { 'my python': {} } }],
    ['options.commands[""]', { commands: { '': '/bin/true' } }],
    ['options.limits.cpu', { limits: { cpu: -1 } }],
    ['options.logger', { logger: 'console' }],
    ['options.logger', { logger: { info: console.info } }, 'info(fields, message)'],
    ['options.maxRunning', { maxRunning: 0 }],
    ['options.maxRunning', { maxRunning: null }],
    ['options.maxQueue', { maxQueue: -1 }],
    ['options.maxQueue', { maxQueue: Infinity }],
    ['options.maxWaitMs', { maxWaitMs: 2 ** 31 }, 'from 0 to 2147483647'],
    ['options.maxrunning', { maxrunning: 1 }, 'Did you mean "maxRunning"?'],
  ]);
});

describe('the bounds of a jail', () => {
  it('allows any of them, and null for its default', () => {
    expect(parseBounds({})).toEqual({});
    expect(parseBounds({ maxRunning: 4, maxQueue: undefined, maxWaitMs: null })).toEqual({
      maxRunning: 4,
      maxWaitMs: null,
    });
  });

  deniesEach(
    (bounds) => parseBounds(bounds),
    [
      ['bounds', undefined],
      ['bounds', 4],
      ['bounds.maxRunning', { maxRunning: '4' }],
      ['bounds.maxQueue', { maxQueue: 1.5 }],
      ['bounds.maxwaitms', { maxwaitms: 1 }, 'Did you mean "maxWaitMs"?'],
    ],
  );
});

describe('the options of close', () => {
  it('allows none, and a drain with or without an end', () => {
    expect(parseCloseOptions()).toBeUndefined();
    expect(parseCloseOptions({ drain: false })).toBeUndefined();
    expect(parseCloseOptions({ drain: true })).toStrictEqual({});
    expect(parseCloseOptions({ drain: true, timeoutMs: 0 })).toEqual({ timeoutMs: 0 });
  });

  deniesEach(
    (options) => parseCloseOptions(options),
    [
      ['options', 5000],
      ['options.drain', { drain: 1 }],
      ['options.timeoutMs', { drain: true, timeoutMs: -1 }],
      ['options.timeoutMs', { timeoutMs: 1000 }, 'drain'],
    ],
  );
});
