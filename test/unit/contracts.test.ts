// What TypeScript, C++ and Python have to agree on, each in its own words: read from the native half's sources.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECK_CURES } from '../../lib/confinement/guarantees';
import type { Confinement } from '../../lib/confinement/plan';
import { LimitTable } from '../../lib/limits';
import { OrderKind } from '../../lib/native/addon';
import { IdMap, RecordKind, SpecFlag } from '../../lib/native/spec';
import {
  AttemptKind,
  readReport,
  REPORT_NUMBERS,
  Verdict,
  type NativeReport,
} from '../../lib/native/report';
import { STEPS, stepOf } from '../../lib/native/steps';
import { PYTHON_FILES } from '../../lib/python/source';
import { EntryKind } from '../../lib/run/collect';
import { PAGE_BYTES } from '../../lib/spec/input-size';
import { RLIMIT_NAMES } from '../../lib/spec/rlimits';
import { CallKind, Frames } from '../../lib/warm/frame';
import {
  between,
  camelCase,
  constantOf,
  enumOf,
  layoutOf,
  rlimitNames,
  ROOT,
  sourceOf,
  without,
} from '../support/native-sources';

describe('the spec', () => {
  it('has the flags of spec.h, but that of the launcher alone', () => {
    expect(SpecFlag).toStrictEqual(without(enumOf('native/core/spec.h', 'SpecFlag'), 'sweepUid'));
  });

  it('has the maps of ids of spec.h', () => {
    expect(IdMap).toStrictEqual(enumOf('native/core/spec.h', 'IdMap'));
  });

  it('has the kinds of records of spec.h', () => {
    expect(RecordKind).toStrictEqual(enumOf('native/core/spec.h', 'RecordKind'));
  });

  it('gives each field that spec_builder.cc reads', () => {
    const fields = ['NativeConfinement', 'NativeLimits', 'NativeSpec']
      .map((name) =>
        between(
          sourceOf('lib/native/spec.ts'),
          new RegExp(`export interface ${name}\\b[^{]*\\{`),
          '\n}\n',
        ),
      )
      .join('\n')
      .matchAll(/^ {2}(\w+)\??:/gm);
    const read = sourceOf('native/addon/spec_builder.cc').matchAll(
      /\b(?:reader\.\w+|spec\.Get)\("(\w+)"/g,
    );
    const namesOf = (found: Iterable<RegExpMatchArray>): Set<string> =>
      new Set([...found].map(([, name]) => name!));
    expect(namesOf(read)).toStrictEqual(namesOf(fields));
  });

  it('has the limits of rlimits.h, in their order', () => {
    expect(RLIMIT_NAMES).toStrictEqual(rlimitNames());
  });

  it('counts files in the pages of copy.h', () => {
    expect(PAGE_BYTES).toBe(constantOf('native/core/copy.h', 'kPage'));
  });
});

describe('a step', () => {
  it('is known by its place in the list of step.h', () => {
    const steps = enumOf('native/core/step.h', 'Step');
    expect(Object.fromEntries(STEPS.map((step, number) => [step, number]))).toStrictEqual(steps);
  });

  it('is told by its number, and one that there is not by none', () => {
    expect(stepOf(STEPS.indexOf('landlock'))).toBe('landlock');
    expect([stepOf(STEPS.length), stepOf(undefined)]).toStrictEqual([undefined, undefined]);
  });
});

describe('the report', () => {
  it('has the verdicts of report.h', () => {
    expect(Verdict).toStrictEqual(enumOf('native/core/report.h', 'Verdict'));
    expect(AttemptKind).toStrictEqual(enumOf('native/core/report.h', 'AttemptKind'));
  });

  it('has the orders of report.h', () => {
    expect(OrderKind).toStrictEqual(enumOf('native/core/report.h', 'OrderKind'));
  });

  it('has its numbers in the order of jail_events.cc', () => {
    const list = between(
      sourceOf('native/addon/jail_events.cc'),
      /const double numbers\[\] = \{/,
      '};',
    );
    const sent = list
      .split(/,\n/)
      .map((line) => (line.includes('WIFSIGNALED') ? 'status' : /report\.(\w+)/.exec(line)?.[1]))
      .filter((name) => name !== undefined)
      .map((name) => camelCase(name).replace(/Us$/, 'Ms').replace('peakSum', 'peakMemory'));
    expect(sent).toHaveLength(REPORT_NUMBERS);
    const nothing = readReport(new Float64Array(REPORT_NUMBERS));
    const read = sent.map((_name, index) => {
      const report = readReport(new Float64Array(REPORT_NUMBERS).fill(1, index, index + 1));
      return (Object.keys(report) as (keyof NativeReport)[]).filter(
        (name) => report[name] !== nothing[name],
      );
    });
    expect(read).toStrictEqual(sent.map((name) => [name]));
  });
});

describe('the call of a cell', () => {
  const CELL = 'native/core/cell.h';
  const CONFINEMENT: Confinement = {
    ...{ flags: 0, namespaces: 0, idMap: IdMap.sandbox, mechanisms: [] },
    ...{ uid: 1000, gid: 1000, outerUid: 1, outerGid: 1 },
    ...{ uidPool: undefined, cgroup: undefined, appArmorProfile: undefined },
  };
  const frames = new Frames(CONFINEMENT);
  // Each unlike the others, and one that there is none of.
  const limits = new LimitTable().effective(undefined, {
    ...{
      cpu: 3,
      vmem: 0,
      memory: 5_000_000_000,
      fsize: 7_000_000_000,
      nproc: 11,
      openFiles: 300,
      proxy: 1,
    },
  });
  const { bytes } = frames.encode({
    kind: CallKind.script,
    limits,
    files: [{ name: 'a/b', content: 'four' }],
    words: ['first', 'second', 'third'],
    request: 'request',
  });

  it('has the kinds of cell.h, but the one that the addon alone sends', () => {
    expect(CallKind).toStrictEqual(without(enumOf(CELL, 'CallKind'), 'announced'));
  });

  it('begins with the head of cell.h', () => {
    const { at, widths, size } = layoutOf(CELL, 'CallHeader');
    const read = Object.fromEntries(
      Object.entries(at).map(([name, offset]): [string, bigint] => [
        name,
        widths[name] === 8 ? bytes.readBigUInt64LE(offset) : BigInt(bytes.readUInt32LE(offset)),
      ]),
    );
    const native = frames.limits(limits);
    const numberOf = (limit: number | undefined): bigint => BigInt.asUintN(64, BigInt(limit ?? -1));
    const { rlimits } = native;
    expect(read).toStrictEqual({
      magic: BigInt(constantOf(CELL, 'kCallMagic')),
      kind: BigInt(enumOf(CELL, 'CallKind')['script']!),
      size: BigInt(bytes.length - size - 'request'.length),
      request_size: BigInt('request'.length),
      ...Object.fromEntries(RLIMIT_NAMES.map((name) => [name, numberOf(rlimits[name])])),
      RLIMIT_AS: numberOf(undefined),
      directory_count: 1n,
      file_count: 1n,
      word_count: 3n,
      padding: 0n,
    });
  });

  it('goes on with parts as cell.h has them', () => {
    const { size: start } = layoutOf(CELL, 'CallHeader');
    const { at, size } = layoutOf(CELL, 'CallPart');
    const directory = start;
    const file = directory + size + 'a'.length + 2;
    const read = [directory, file].map((part) => {
      const nameLength = bytes.readUInt32LE(part + at['name_length']!);
      const name = part + size;
      const content = name + nameLength + 1;
      const contentLength = Number(bytes.readBigUInt64LE(part + at['content_length']!));
      return [name, content].map((from, index) =>
        bytes.toString('utf8', from, from + (index === 0 ? nameLength : contentLength)),
      );
    });
    expect(read).toStrictEqual([
      ['a', ''],
      ['a/b', 'four'],
    ]);
  });
});

describe('the Python of a template', () => {
  const python = readFileSync(join(ROOT, 'lib/python/cells.py'), 'utf8');
  const native = readdirSync(join(ROOT, 'native/cell'))
    .filter((name) => name.endsWith('.cc'))
    .map((name) => sourceOf(`native/cell/${name}`))
    .join('\n');

  function numberOf(name: string): number {
    const [, value] = new RegExp(`^${name} = (-?\\d+)$`, 'm').exec(python) ?? [];
    return Number(value);
  }

  it.each([
    ['TEMPLATE', 'inTemplate'],
    ['URGENT_CELL', 'inUrgentCell'],
    ['SCOUT', 'inScout'],
  ])('knows its place %s by the number of cell.cc', (name, place) => {
    expect(numberOf(name)).toBe(enumOf('native/cell/cell.cc', 'Place')[place]);
  });

  it.each(['SCRIPT', 'PROBE', 'ANNOUNCED', 'EXEC_WITH_WORDS'])(
    'knows a call %s by the number of cell.h',
    (name) => {
      const kinds = enumOf('native/core/cell.h', 'CallKind');
      expect(numberOf(name)).toBe(-kinds[camelCase(name.toLowerCase())]!);
    },
  );

  it('calls the functions that the library has, and takes what they return', () => {
    const returned: Record<string, string> = {
      void: 'None',
      int: 'Int',
      'std::int64_t': 'LongLong',
      'const char*': 'CharPointer',
    };
    const exported = [...native.matchAll(/^CODEJAIL_EXPORT (.+?) codejail_(\w+)\(/gm)].map(
      ([, type, name]) => [name, returned[type!]],
    );
    const called = [
      ...between(python, /FUNCTIONS = \{/, '}').matchAll(/^\s*'(\w+)': (\w+),$/gm),
    ].map(([, name, type]) => [name, type]);
    expect(called.length).toBeGreaterThan(0);
    expect(Object.fromEntries(called)).toStrictEqual(Object.fromEntries(exported));
  });
});

describe('a check of the probe', () => {
  it('that has a cure of its own is known by the id that check.h has', () => {
    const ids = [
      ...sourceOf('native/probe/check.h').matchAll(/^constexpr char k\w+\[\] = "([\w-]+)";$/gm),
    ].map(([, id]) => id);
    expect(ids.sort()).toStrictEqual(Object.keys(CHECK_CURES).sort());
  });

  it('names what it is for where it is told, each in some check', () => {
    const told = readdirSync(join(ROOT, 'native/probe'))
      .filter((name) => name.endsWith('.cc'))
      .map((name) => sourceOf(`native/probe/${name}`))
      .join('\n');
    for (const [, name] of sourceOf('native/probe/check.h').matchAll(
      /^constexpr char (k\w+)\[/gm,
    )) {
      expect(told).toMatch(new RegExp(`\\breport\\([^;]*,\\s+${name!}\\);`));
    }
  });
});

describe('what is listed to be collected', () => {
  it('has the kinds of entries of list_files.cc', () => {
    for (const [name, kind] of Object.entries(EntryKind)) {
      const constant = `k${name.charAt(0).toUpperCase()}${name.slice(1)}`;
      expect([name, kind]).toStrictEqual([
        name,
        constantOf('native/addon/list_files.cc', constant),
      ]);
    }
    expect(
      sourceOf('native/addon/list_files.cc').match(/^constexpr char k\w+ = '.';$/gm),
    ).toHaveLength(Object.keys(EntryKind).length);
  });
});

describe('the Python of the package', () => {
  it('is all in the list of what is run, and of what nobody else may change', () => {
    const files = readdirSync(join(ROOT, 'lib/python')).filter((name) => name.endsWith('.py'));
    expect([...PYTHON_FILES].sort()).toStrictEqual(files.sort());
  });
});
