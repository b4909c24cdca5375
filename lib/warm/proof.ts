// Proof before trust, for cells: the probes of a cold jail, in cells of the template that will serve.
import type { Confinement } from '../confinement/plan';
import { SetupError } from '../errors';
import { probe, PROBE_DISK, withoutIds, type ProbeCheck, type RunProbe } from '../proof/probe';
import { PLAIN_CALL } from '../spec/call';
import { runToEnd } from './cell';
import type { Template } from './template';

// Of all templates of this process: one that replaces another is made in the same way.
const proved = new Map<string, readonly ProbeCheck[]>();

/** What did not hold, and was not given up by name. */
function brokenOf(checks: readonly ProbeCheck[], mechanisms: readonly string[]): ProbeCheck[] {
  return checks.filter(
    ({ held, guarantee }) => !held && !mechanisms.includes(`missing:${guarantee}`),
  );
}

/**
 * Tries to break every guarantee in cells of this template, once for each configuration.
 * @param confinement the cold calls' of the command: a cell must hold what a cold jail holds
 * @param mechanisms in force; `missing:NAME` is a guarantee that was given up by name
 * @param key of the configuration
 * @returns what was tried
 * @throws SetupError where a cell does not hold
 */
export async function proveCells(
  template: Template,
  confinement: Confinement,
  mechanisms: readonly string[],
  key: string,
): Promise<readonly ProbeCheck[]> {
  const known = proved.get(key);
  // Another jail may have given up what this one has not.
  if (known !== undefined && brokenOf(known, mechanisms).length === 0) {
    return known;
  }
  const run: RunProbe = async (argv, limits) => {
    const cell = await template.makeCell(PROBE_DISK);
    return runToEnd(cell, { ...PLAIN_CALL, limits, argv, probe: true });
  };
  // A cell has no cgroup of its own.
  const checks = withoutIds(await probe(run, { ...confinement, cgroup: undefined }));
  const broken = brokenOf(checks, mechanisms);
  if (broken.length > 0) {
    throw new SetupError('prove the cells', 0, {
      detail: broken
        .map(({ guarantee, check, seen }) => `${guarantee}: it could ${check} (${seen})`)
        .join('; '),
    });
  }
  proved.set(key, checks);
  return checks;
}
