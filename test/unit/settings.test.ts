import { InvalidArgumentError } from '../../lib/errors';
import { parseSettings } from '../../lib/options/settings';

const refused = (settings: unknown): InvalidArgumentError => {
  try {
    parseSettings(settings);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidArgumentError);
    return error as InvalidArgumentError;
  }
  throw new Error('it was not refused');
};

describe("Open edX's CODE_JAIL settings", () => {
  it('allows an empty dictionary, which changes nothing', () => {
    expect(parseSettings({})).toEqual({ limits: [], overrides: [] });
  });

  it('supports the dictionary as it stands in a deployment', () => {
    const settings: unknown = JSON.parse(`{
      "python_bin": "/edx/app/edxapp/venvs/edxapp-sandbox/bin/python",
      "user": "sandbox",
      "limits": { "CPU": 3, "VMEM": 0, "FSIZE": 1048576, "PROXY": 0 },
      "limit_overrides": { "course-v1:MITx+6.00+2026": { "CPU": 10, "REALTIME": 20 } }
    }`);
    expect(parseSettings(settings)).toEqual({
      command: { bin: '/edx/app/edxapp/venvs/edxapp-sandbox/bin/python', user: 'sandbox' },
      limits: [
        { name: 'cpu', value: 3 },
        { name: 'vmem', value: 0 },
        { name: 'fsize', value: 1048576 },
        { name: 'proxy', value: 0 },
      ],
      overrides: [
        { context: 'course-v1:MITx+6.00+2026', name: 'cpu', value: 10 },
        { context: 'course-v1:MITx+6.00+2026', name: 'realtime', value: 20 },
      ],
    });
  });

  it('allows a null user: the command stays with the caller', () => {
    expect(parseSettings({ python_bin: '/bin/python', user: null }).command).toStrictEqual({
      bin: '/bin/python',
      user: undefined,
    });
  });

  it('denies a python_bin without the key user', () => {
    const error = refused({ python_bin: '/bin/python' });
    expect(error.argument).toBe('settings.user');
    expect(error.message).toContain('python_bin');
  });

  it.each([null, '', undefined])('allows the python_bin %p: no command is configured', (bin) => {
    expect(parseSettings({ python_bin: bin, user: 'sandbox' })).not.toHaveProperty('command');
  });

  it('allows null for the tables of limits', () => {
    expect(parseSettings({ limits: null, limit_overrides: null })).toEqual({
      limits: [],
      overrides: [],
    });
  });

  it('allows a null limit: the default comes back', () => {
    expect(parseSettings({ limits: { PROXY: null } }).limits).toEqual([
      { name: 'proxy', value: null },
    ]);
  });

  it.each<[string, unknown]>([
    ['settings', null],
    ['settings', []],
    ['settings', 'CODE_JAIL'],
    ['settings.limit', { limit: {} }],
    ['settings.python_bin', { python_bin: 5, user: null }],
    ['settings.python_bin', { python_bin: 'a\0b', user: null }],
    ['settings.user', { python_bin: '/bin/python', user: 1000 }],
    ['settings.limits', { limits: [] }],
    ['settings.limits.CPUS', { limits: { CPUS: 1 } }],
    ['settings.limits.cpu', { limits: { cpu: 1 } }],
    ['settings.limits.CPU', { limits: { CPU: '3' } }],
    ['settings.limits.CPU', { limits: { CPU: -1 } }],
    ['settings.limit_overrides', { limit_overrides: 5 }],
    ['settings.limit_overrides["c"]', { limit_overrides: { c: 5 } }],
    ['settings.limit_overrides["c"].CPU', { limit_overrides: { c: { CPU: 1.5e9 } } }],
    ['settings.limit_overrides[""]', { limit_overrides: { '': { CPU: 1 } } }],
  ])('denies and names %s', (argument, settings) => {
    expect(refused(settings).argument).toBe(argument);
  });

  it('suggests the setting and the limit that were meant', () => {
    expect(refused({ limit: {} }).message).toContain('Did you mean "limits"?');
    expect(refused({ limits: { cpu: 1 } }).message).toContain('Did you mean "CPU"?');
  });
});
