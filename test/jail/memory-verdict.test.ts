// Memory that the limit did not allow is "memory-limit", however the program came to ask for it, and nothing else is.
import { join } from 'node:path';
import type { JailResult } from '../../lib/index';
import { mode } from '../support/jail';
import { useSuite } from '../support/suite';
import {
  commandFor,
  missingFor,
  OTHER_FAILURES,
  OUT_OF_MEMORY,
  type VerdictProgram,
} from '../support/verdict-programs';

const suite = useSuite();
const MEMORY = 64 << 20;
const LIMITS = { memory: MEMORY, cpu: 40, realtime: 100, nproc: 64, fsize: 1 << 20 };

// In a waiting process there is Python alone.
const runnable = (programs: readonly VerdictProgram[]): VerdictProgram[] =>
  programs.filter(
    ({ language }) => missingFor(language) === null && (mode === 'cold' || language === 'python'),
  );

async function run(program: VerdictProgram): Promise<JailResult> {
  if (program.language === 'python') {
    return suite.python(program.code, { limits: LIMITS });
  }
  suite.jail.configure('other', commandFor(program, join(suite.folder, 'built')));
  return suite.jail.jailCode('other', { limits: LIMITS });
}

describe('memory', () => {
  it.each(runnable(OUT_OF_MEMORY).map((program) => [program.language, program.what, program]))(
    'is the verdict in %s: %s',
    async (_language, _what, program) => {
      const result = await run(program);
      const { outcome, exceeded, stderr, status } = result;
      expect(`${outcome} ${status} ${stderr.toString().slice(0, 600)}`).toMatch(/^memory-limit/);
      expect(exceeded).toMatchObject({ limit: 'memory', allowed: MEMORY });
      expect(['counted', 'allocation']).toContain(exceeded?.how);
      expect(exceeded?.measured ?? Infinity).toBeGreaterThan(MEMORY);
      expect(result.hints[0]).toMatchObject({ by: 'memory', option: 'limits.memory' });
    },
  );

  it.each(runnable(OTHER_FAILURES).map((program) => [program.language, program.what, program]))(
    'is not the verdict in %s: %s',
    async (_language, _what, program) => {
      const { outcome, exceeded, status } = await run(program);
      expect(status).not.toBe(0);
      expect(['exited', 'signaled']).toContain(outcome);
      expect(exceeded).toBeNull();
    },
  );

  it('is not the verdict of a program that copes without', async () => {
    const code = 'try: x = bytearray(10**9)\nexcept MemoryError: print("coped")';
    const { outcome, exceeded, hints, stdout } = await suite.python(code, { limits: LIMITS });
    expect({ outcome, exceeded, hints }).toEqual({ outcome: 'exited', exceeded: null, hints: [] });
    expect(stdout.toString()).toBe('coped\n');
  });

  it('is the verdict of a safeExec that raises MemoryError', async () => {
    await expect(
      suite.jail.safeExec('x = bytearray(10**9)', {}, { limits: LIMITS }),
    ).rejects.toMatchObject({
      exception: { type: 'MemoryError' },
      result: {
        outcome: 'memory-limit',
        exceeded: { limit: 'memory', allowed: MEMORY, how: 'allocation' },
      },
    });
  });

  it('is not the verdict of a safeExec that raises a MemoryError of its own', async () => {
    await expect(
      suite.jail.safeExec('raise MemoryError', {}, { limits: LIMITS }),
    ).rejects.toMatchObject({ result: { outcome: 'exited', exceeded: null } });
  });

  it('that no address space was left for is the limit vmem’s', async () => {
    const { outcome, exceeded } = await suite.python('x = bytearray(900 << 20)', {
      limits: { ...LIMITS, memory: 0, vmem: 400 << 20 },
    });
    expect({ outcome, exceeded }).toMatchObject({
      outcome: 'memory-limit',
      exceeded: { limit: 'vmem', how: 'allocation' },
    });
  });
});
