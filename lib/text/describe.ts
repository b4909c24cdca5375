/** A value in an error's text: short, on one line, and without running any of the value's own code. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'string':
      return value.length > 160 ? `${JSON.stringify(value.slice(0, 160))}…` : JSON.stringify(value);
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'boolean':
      return String(value);
    case 'bigint':
      return 'a bigint';
    case 'undefined':
      return 'undefined';
    case 'function':
      return 'a function';
    case 'symbol':
      return 'a symbol';
    default:
      return describeObject(value);
  }
}

function describeObject(value: object): string {
  try {
    if (Array.isArray(value)) return 'an array';
    const prototype = Object.getPrototypeOf(value) as object | null;
    const constructor: unknown =
      prototype && Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
    if (typeof constructor === 'function' && constructor !== Object && constructor.name !== '') {
      return `an object of class ${constructor.name.slice(0, 40)}`;
    }
  } catch {
    // A Proxy may throw at any question.
  }
  return 'an object';
}
