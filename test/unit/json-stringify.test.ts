import { spawnSync } from 'node:child_process';
import { parseJson } from '../../lib/json/parse';
import { stringifyJson } from '../../lib/json/stringify';
import type { JsonValue } from '../../lib/json/value';

describe('stringifyJson', () => {
  test.each<[JsonValue, string]>([
    [null, 'null'],
    [[1, 'x', true, 1.5], '[1,"x",true,1.5]'],
    [{ a: { b: [] } }, '{"a":{"b":[]}}'],
    [2n ** 64n, '18446744073709551616'],
    [{ a: -5n }, '{"a":-5}'],
    [[NaN, Infinity, -Infinity], '[NaN,Infinity,-Infinity]'],
    [-0, '-0.0'],
    [2 ** 53, '9007199254740992.0'],
    [1e20, '100000000000000000000.0'],
    [1e21, '1e+21'],
    [5e-324, '5e-324'],
    ['\ud800', '"\\ud800"'],
    [{ '\udc00': NaN }, '{"\\udc00":NaN}'],
  ])('writes %p as %s', (value, text) => {
    expect(stringifyJson(value)).toBe(text);
  });

  test('writes __proto__ as a key like any other', () => {
    const value = parseJson('{"__proto__": 1, "n": NaN}');
    expect(stringifyJson(value)).toBe('{"__proto__":1,"n":NaN}');
  });

  test('is read by Python as what it was, and comes back', () => {
    const value: JsonValue = {
      text: 'é😀"\\\u2028\ud800',
      numbers: [0, -1, 2 ** 53 - 1, 2n ** 53n, -(10n ** 400n), 0.1, 1e20, 1e300, NaN, Infinity, -0],
      nested: [[], {}, [null, true, false]],
    };
    const program = `
import json, sys
value = json.load(sys.stdin)
numbers = value['numbers']
assert [type(n).__name__[0] for n in numbers] == list('iiiiifffff' + 'f'), numbers
assert numbers[4] == -10**400 and numbers[3] == 2**53 and str(numbers[-1]) == '-0.0'
assert value['text'] == 'é😀"\\\\\\u2028\\ud800'
print(json.dumps(value))
`;
    const { stdout, stderr } = spawnSync('python3', ['-X', 'utf8', '-c', program], {
      input: stringifyJson(value),
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(parseJson(stdout)).toStrictEqual(value);
  });

  test('denies a cycle, and nesting beyond 1000 levels', () => {
    const cycle: JsonValue[] = [];
    cycle.push(cycle);
    expect(() => stringifyJson(cycle)).toThrow(RangeError);
    expect(() => stringifyJson([NaN, cycle])).toThrow(RangeError);
  });

  test.each([[undefined], [() => 1], [Symbol('s')], [[undefined]], [new Array(2)]])(
    'denies %p',
    (value) => {
      expect(() => stringifyJson(value as JsonValue)).toThrow(TypeError);
    },
  );
});
