// What a program that failed says at its end: the last exception of a Python, and all lines near the end.

/** A program's output is the program's own: of a long one only this much is read. */
const TAIL_BYTES = 16 * 1024;

/** How a Python says that it ended by an exception. */
export interface PythonEnd {
  /** The exception's class, with its module where it has one. */
  type: string;
  /** What follows the class; empty where nothing does. */
  message: string;
  /** The lines of the traceback before it. */
  frames: readonly string[];
  /** Whether the code that ran last is a `raise` of somebody's own. */
  isRaised: boolean;
}

/** The last lines of what a program wrote, none of them empty. */
export function lastLines(output: Buffer): string[] {
  const tail = output.subarray(Math.max(0, output.length - TAIL_BYTES)).toString();
  return tail.split('\n').filter((line) => line.trim() !== '');
}

const HEADER = 'Traceback (most recent call last):';
const EXCEPTION = /^([A-Za-z_][\w.]*)(?:: (.*))?$/;
const MARKERS = /^[\s^~]*$/;

/** The exception that a Python ended with, by the lines of its standard error; undefined where there is none. */
export function pythonEnd(lines: readonly string[]): PythonEnd | undefined {
  const header = lines.lastIndexOf(HEADER);
  const rest = lines.slice(header + 1);
  // A Python without memory can't print the frames.
  const at = header < 0 ? rest.length - 1 : rest.findIndex((line) => !/^\s/.test(line));
  const [, type, message = ''] = EXCEPTION.exec(rest[at] ?? '') ?? [];
  if (type === undefined || (header < 0 && !/(?:Error|Exception|Interrupt)$/.test(type))) {
    return undefined;
  }
  const frames = header < 0 ? [] : rest.slice(0, at);
  const last = frames.filter((line) => !MARKERS.test(line)).at(-1) ?? '';
  return {
    type,
    message: [message, ...rest.slice(at + 1)].join('\n'),
    frames,
    isRaised: /^\s+raise\b/.test(last),
  };
}
