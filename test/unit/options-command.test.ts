import { processors } from '../../lib/host/processors';
import { parseCommandName, parseCommandOptions } from '../../lib/options/command';
import { pythonSource } from '../../lib/python/source';
import { deniesEach, refused } from '../support/refusals';

const MEBIBYTE = 1024 * 1024;
const WARM_SIZE = Math.min(2 * processors(), 16);
const WARM_DEFAULTS = {
  size: WARM_SIZE,
  lowWater: WARM_SIZE / 2,
  maxWaiting: 100,
  preload: [],
  pythonPath: [],
  rehearsal: pythonSource('rehearsal.py'),
  recycleCells: 10_000,
  recycleSeconds: 3600,
  recycleGrowth: 64 * MEBIBYTE,
  memoryReserve: 256 * MEBIBYTE,
};
const loneSurrogate = 'a\ud800b';

describe('the name of a command', () => {
  it('allows any text', () => {
    expect(parseCommandName('python 3.12')).toBe('python 3.12');
  });

  it.each([undefined, null, 5, '', 'a\0b', loneSurrogate])('denies %j', (value) => {
    expect(refused(parseCommandName, value).argument).toBe('command');
  });
});

describe('the options of a command', () => {
  it('allows a path alone', () => {
    expect(parseCommandOptions('/bin/true')).toStrictEqual({
      bin: '/bin/true',
      readPaths: [],
      env: {},
      warm: false,
      allowExec: false,
    });
  });

  it('allows everything at once', () => {
    const options = {
      bin: '/usr/bin/python3',
      args: ['-I'],
      user: 'sandbox',
      profile: 'codejail//python',
      readPaths: ['/opt/data/', '/opt/data'],
      env: { OPENBLAS_NUM_THREADS: '1' },
      warm: {
        size: 2,
        lowWater: 1,
        maxWaiting: 0,
        preload: ['numpy', 'scipy.linalg'],
        pythonPath: ['/opt/modules'],
        rehearsal: 'import numpy',
        recycleCells: 500,
        recycleSeconds: 60,
        recycleGrowth: 1024 * 1024,
        memoryReserve: 0,
      },
      allowExec: true,
    };
    expect(parseCommandOptions(options)).toEqual({
      ...options,
      readPaths: ['/opt/data'],
    });
  });

  it.each([
    [true, WARM_DEFAULTS],
    [{}, WARM_DEFAULTS],
    [
      { size: 5, preload: ['json'] },
      { ...WARM_DEFAULTS, size: 5, lowWater: 3, preload: ['json'] },
    ],
    [false, false],
    [undefined, false],
  ])('allows warm to be %p', (warm, parsed) => {
    expect(parseCommandOptions({ bin: 'python3', warm }).warm).toEqual(parsed);
  });

  deniesEach(parseCommandOptions, [
    ['options', null],
    ['options', 5],
    ['options', []],
    ['options', ''],
    ['options', '/bin/a\0b', 'NUL'],
    ['options.bin', {}],
    ['options.bin', { bin: '' }],
    ['options.bin', { bin: 5 }],
    ['options.bins', { bin: 'a', bins: 'b' }, 'Did you mean "bin"?'],
    ['options.args', { bin: 'a', args: '-x' }],
    ['options.args[1]', { bin: 'a', args: ['-x', 5] }],
    ['options.args[0]', { bin: 'a', args: ['\0'] }],
    ['options.args', { bin: 'a', args: Array<string>(9).fill('x'.repeat(100_000)) }, 'at most'],
    ['options.user', { bin: 'a', user: '' }],
    ['options.user', { bin: 'a', user: 1000 }],
    ['options.profile', { bin: 'a', profile: '' }],
    ['options.profile', { bin: 'a', profile: 'a\nb' }, 'line break'],
    ['options.readPaths[0]', { bin: 'a', readPaths: ['opt/data'] }, 'absolute'],
    ['options.readPaths[0]', { bin: 'a', readPaths: ['/'] }, 'whole host'],
    ['options.readPaths[0]', { bin: 'a', readPaths: ['/opt/..'] }, 'whole host'],
    ['options.readPaths[1]', { bin: 'a', readPaths: ['/opt', '/proc'] }, '/proc'],
    ['options.readPaths[0]', { bin: 'a', readPaths: ['/opt/../proc/1'] }, '/proc'],
    ['options.readPaths[0]', { bin: 'a', readPaths: ['/sys/kernel'] }, '/sys'],
    ['options.readPaths[0]', { bin: 'a', readPaths: ['/dev//kvm'] }, '/dev'],
    ['options.env', { bin: 'a', env: ['A=1'] }],
    ['options.env.A', { bin: 'a', env: { A: 1 } }],
    ['options.env["A=B"]', { bin: 'a', env: { 'A=B': '1' } }],
    ['options.warm', { bin: 'a', warm: 5 }],
    ['options.warm', { bin: 'a', warm: null }],
    ['options.warm.siz', { bin: 'a', warm: { siz: 1 } }, 'Did you mean "size"?'],
    ['options.warm.size', { bin: 'a', warm: { size: 0 } }],
    ['options.warm.size', { bin: 'a', warm: { size: 1.5 } }],
    ['options.warm.size', { bin: 'a', warm: { size: 1001 } }],
    ['options.warm.lowWater', { bin: 'a', warm: { size: 2, lowWater: 3 } }, 'from 0 to 2'],
    ['options.warm.maxWaiting', { bin: 'a', warm: { maxWaiting: -1 } }],
    ['options.warm.rehearsal', { bin: 'a', warm: { rehearsal: 1 } }],
    ['options.warm.rehearsal', { bin: 'a', warm: { rehearsal: '#'.repeat(16_385) } }, 'at most'],
    ['options.warm.recycleCells', { bin: 'a', warm: { recycleCells: 0 } }],
    ['options.warm.recycleSeconds', { bin: 'a', warm: { recycleSeconds: 0 } }],
    ['options.warm.recycleGrowth', { bin: 'a', warm: { recycleGrowth: 1 } }],
    ['options.warm.memoryReserve', { bin: 'a', warm: { memoryReserve: '1G' } }],
    ['options.warm.preload[0]', { bin: 'a', warm: { preload: ['os; import sys'] } }],
    ['options.warm.pythonPath[0]', { bin: 'a', warm: { pythonPath: ['lib'] } }],
    ['options.warm.pythonPath[0]', { bin: 'a', warm: { pythonPath: ['/tmp/lib'] } }, 'below /tmp'],
    ['options.allowExec', { bin: 'a', allowExec: 'yes' }],
  ]);

  it('allows readPaths that only begin like a directory of the kernel', () => {
    expect(parseCommandOptions({ bin: 'a', readPaths: ['/device', '/procs'] }).readPaths).toEqual([
      '/device',
      '/procs',
    ]);
  });
});
