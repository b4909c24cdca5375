import { InvalidArgumentError } from '../../lib/errors';
import {
  LIMIT_DEFINITIONS,
  LIMIT_NAMES,
  LimitTable,
  parseLimit,
  type LimitName,
  type Limits,
} from '../../lib/limits';
import { parseLimits } from '../../lib/options/limits';

const MEBIBYTE = 1024 * 1024;

const refused = (action: () => unknown): InvalidArgumentError => {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidArgumentError);
    return error as InvalidArgumentError;
  }
  throw new Error('it was not refused');
};

beforeEach(() => {
  delete process.env['CODEJAIL_PROXY'];
});

describe('the limits', () => {
  const OWN = {
    cpu: 1,
    realtime: 5,
    extraTime: 0,
    vmem: 0,
    fsize: 64 * MEBIBYTE,
    nproc: 15,
    memory: 512 * MEBIBYTE,
    stack: 8 * MEBIBYTE,
    openFiles: 256,
    disk: 64 * MEBIBYTE,
    files: 1024,
    output: 16 * MEBIBYTE,
    input: 256 * MEBIBYTE,
    proxy: null,
  };
  const codejail = (): LimitTable => {
    const table = new LimitTable();
    table.useDefaults('codejail');
    return table;
  };

  it('have defaults that a grader would accept', () => {
    expect(new LimitTable().effective()).toEqual(OWN);
  });

  it("have CodeJail's defaults where they are asked for, and those that CodeJail lacks", () => {
    expect(codejail().effective()).toEqual({ ...OWN, realtime: 1, fsize: 0 });
  });

  it('allow a file to be as large as all of them together', () => {
    const table = new LimitTable();
    table.set('disk', 1000);
    expect(table.effective().fsize).toBe(1000);
    expect(table.effective(null, { disk: 0 }).fsize).toBe(Number.MAX_SAFE_INTEGER);
    expect(table.effective(null, { disk: 5 }).fsize).toBe(5);
    table.override('fsize', 7, 'course');
    expect(table.effective('course').fsize).toBe(7);
    table.set('fsize', 0);
    expect(table.effective().fsize).toBe(0);
    table.set('fsize', null);
    expect(table.effective().fsize).toBe(1000);
  });

  it("have memory for CodeJail's VMEM, unless memory is set itself", () => {
    const table = codejail();
    table.set('vmem', 2 ** 31);
    expect(table.effective().memory).toBe(2 ** 31);
    expect(table.effective(null, { vmem: 2 ** 20 }).memory).toBe(512 * MEBIBYTE);
    expect(table.effective(null, { memory: 2 ** 28 }).memory).toBe(2 ** 28);
    table.override('vmem', 2 ** 32, 'course');
    expect(table.effective('course').memory).toBe(2 ** 32);
    const own = new LimitTable();
    own.set('vmem', 2 ** 31);
    expect(own.effective().memory).toBe(512 * MEBIBYTE);
  });

  it("are known by CodeJail's names too", () => {
    expect(LIMIT_NAMES.map((name) => LIMIT_DEFINITIONS[name].codejailName)).toEqual(
      LIMIT_NAMES.map((name) => name.toUpperCase()),
    );
  });

  it('say what 0 means: no limit, but nothing may be written for fsize', () => {
    expect(LIMIT_DEFINITIONS.fsize.zeroMeans).toBe('nothing may be written');
    expect(LIMIT_DEFINITIONS.cpu.zeroMeans).toBe('no limit');
    expect(LIMIT_DEFINITIONS.extraTime.zeroMeans).toBe('at once');
  });
});

describe('parseLimit', () => {
  it.each<[LimitName, number]>([
    ['cpu', 0],
    ['cpu', 0.25],
    ['realtime', 1.5],
    ['cpu', 1_000_000],
    ['nproc', 100_000],
    ['memory', Number.MAX_SAFE_INTEGER],
    ['fsize', 0],
    ['extraTime', 0.001],
    ['stack', 512 * MEBIBYTE],
    ['openFiles', 1_048_576],
  ])('allows %s to be %p', (name, value) => {
    expect(parseLimit(name, value, 'value')).toBe(value);
  });

  it.each<[LimitName, unknown]>([
    ['cpu', -1],
    ['cpu', Number.NaN],
    ['cpu', Number.POSITIVE_INFINITY],
    ['cpu', 1_000_001],
    ['cpu', '1'],
    ['cpu', 1n],
    ['cpu', true],
    ['cpu', null],
    ['cpu', undefined],
    ['nproc', 1.5],
    ['nproc', 100_001],
    ['openFiles', 1_048_577],
    ['stack', 0.5],
    ['extraTime', -1],
    ['vmem', 0.5],
    ['memory', Number.MAX_SAFE_INTEGER + 1],
    ['disk', -0.1],
    ['files', {}],
    ['output', [1]],
    ['proxy', 'yes'],
  ])('denies %s to be %p', (name, value) => {
    const error = refused(() => parseLimit(name, value, 'value'));
    expect(error.argument).toBe('value');
    expect(error.message).toMatch(/^value must be a (whole )?number/);
  });

  it('makes -0 to 0', () => {
    expect(Object.is(parseLimit('cpu', -0, 'value'), 0)).toBe(true);
  });

  it('allows proxy to be null', () => {
    expect(parseLimit('proxy', null, 'value')).toBeNull();
  });
});

describe('parseLimits', () => {
  it('copies the limits and leaves out what is undefined', () => {
    const given = { cpu: 2, vmem: undefined };
    const parsed = parseLimits(given, 'options.limits');
    given.cpu = 99;
    expect(parsed).toEqual({ cpu: 2 });
    expect(Object.keys(parsed)).toEqual(['cpu']);
  });

  it('denies an unknown limit, with the name that was meant', () => {
    const error = refused(() => parseLimits({ CPU: 1 }, 'options.limits'));
    expect(error.argument).toBe('options.limits.CPU');
    expect(error.message).toContain('Did you mean "cpu"?');
  });

  it.each(['__proto__', 'constructor', 'toString'])('denies a limit named %s', (name) => {
    const limits: unknown = JSON.parse(`{"${name}": 1}`);
    expect(refused(() => parseLimits(limits, 'options.limits')).argument).toBe(
      `options.limits.${name}`,
    );
  });

  it('names the limit whose value is wrong', () => {
    expect(refused(() => parseLimits({ cpu: -1 }, 'options.limits')).argument).toBe(
      'options.limits.cpu',
    );
  });

  it.each([[null], [5], ['cpu'], [[1]]])('denies %p in place of an object', (value) => {
    expect(refused(() => parseLimits(value, 'options.limits')).argument).toBe('options.limits');
  });

  it('reads a value once', () => {
    let reads = 0;
    const limits = {
      get cpu() {
        return reads++ === 0 ? 2 : -1;
      },
    };
    expect(parseLimits(limits, 'options.limits').cpu).toBe(2);
  });
});

describe('LimitTable', () => {
  it('sets a limit for every later call', () => {
    const table = new LimitTable();
    table.set('cpu', 5);
    expect(table.effective().cpu).toBe(5);
  });

  it('puts the default back with null', () => {
    const table = new LimitTable();
    table.set('nproc', 5);
    table.set('nproc', null);
    expect(table.effective().nproc).toBe(15);
  });

  it('overrides a limit in one context only', () => {
    const table = new LimitTable();
    table.override('cpu', 10, 'course-1');
    expect(table.effective('course-1').cpu).toBe(10);
    expect(table.effective('course-2').cpu).toBe(1);
    expect(table.effective().cpu).toBe(1);
  });

  it('overrides with 0, which is a value like any other', () => {
    const table = new LimitTable();
    table.override('cpu', 0, 'course-1');
    expect(table.effective('course-1').cpu).toBe(0);
  });

  it('takes an override away with null', () => {
    const table = new LimitTable();
    table.override('cpu', 10, 'course-1');
    table.override('cpu', null, 'course-1');
    expect(table.effective('course-1').cpu).toBe(1);
  });

  it('lets an override win over a limit set later', () => {
    const table = new LimitTable();
    table.override('cpu', 10, 'course-1');
    table.set('cpu', 3);
    expect(table.effective('course-1').cpu).toBe(10);
  });

  it("lets a call's own limits win over both", () => {
    const table = new LimitTable();
    table.override('cpu', 10, 'course-1');
    expect(table.effective('course-1', { cpu: 2 }).cpu).toBe(2);
  });

  it.each([undefined, null, '', 'unknown', '__proto__'])(
    'gives the limits of all for the context %p',
    (context) => {
      expect(new LimitTable().effective(context)).toEqual(new LimitTable().effective());
    },
  );

  it('gives a frozen object, which no later change reaches', () => {
    const table = new LimitTable();
    const limits = table.effective();
    expect(Object.isFrozen(limits)).toBe(true);
    table.set('cpu', 7);
    expect(limits.cpu).toBe(1);
    expect(table.effective().cpu).toBe(7);
  });

  it('keeps two tables apart', () => {
    const one = new LimitTable();
    one.set('cpu', 9);
    expect(new LimitTable().effective().cpu).toBe(1);
  });

  it('denies an unknown limit', () => {
    const table = new LimitTable();
    const name = 'cpus' as LimitName;
    expect(
      refused(() => {
        table.set(name, 1);
      }).argument,
    ).toBe('name');
    expect(
      refused(() => {
        table.override(name, 1, 'course-1');
      }).argument,
    ).toBe('name');
  });

  it('denies a wrong value and keeps the one before', () => {
    const table = new LimitTable();
    expect(
      refused(() => {
        table.set('cpu', -1);
      }).argument,
    ).toBe('value');
    expect(
      refused(() => {
        table.override('cpu', -1, 'course-1');
      }).argument,
    ).toBe('value');
    expect(table.effective('course-1').cpu).toBe(1);
  });

  it.each(['', null, 5])('denies the context %p for an override', (context) => {
    const table = new LimitTable();
    expect(
      refused(() => {
        table.override('cpu', 1, context as string);
      }).argument,
    ).toBe('context');
  });
});

describe('the limit proxy', () => {
  it.each([
    ['0', 0],
    ['1', 1],
    ['', null],
  ])('comes from CODEJAIL_PROXY=%p as %p where it is not set', (text, value) => {
    process.env['CODEJAIL_PROXY'] = text;
    expect(new LimitTable().effective().proxy).toBe(value);
  });

  it('is what was set, whatever CODEJAIL_PROXY says', () => {
    process.env['CODEJAIL_PROXY'] = '1';
    const table = new LimitTable();
    table.set('proxy', 0);
    expect(table.effective().proxy).toBe(0);
  });

  it('denies a CODEJAIL_PROXY that is no number', () => {
    process.env['CODEJAIL_PROXY'] = 'yes';
    expect(refused(() => new LimitTable().effective()).argument).toBe('CODEJAIL_PROXY');
  });

  it("can't be overridden by context: the override is ignored with a warning", () => {
    const warnings: string[] = [];
    const table = new LimitTable((message) => warnings.push(message));
    table.set('proxy', 0);
    table.override('proxy', 1, 'course-1');
    expect(table.effective('course-1').proxy).toBe(0);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('course-1');
  });

  it('takes an override that changes nothing without a warning', () => {
    const warnings: string[] = [];
    const table = new LimitTable((message) => warnings.push(message));
    table.set('proxy', 1);
    table.override('proxy', 1, 'course-1');
    expect(warnings).toEqual([]);
  });

  it('may be set by one call', () => {
    const limits: Limits = new LimitTable().effective(null, { proxy: 0 });
    expect(limits.proxy).toBe(0);
  });
});
