import { DEFAULT_UID_POOL, planConfinement } from '../../lib/confinement/plan';
import { GUARANTEE_NAMES } from '../../lib/guarantee-names';
import { hostFacts } from '../../lib/host/host';
import type { RunResult } from '../../lib/run/conclusion';
import { proveCells } from '../../lib/warm/proof';
import { FakeTemplate, type FakeCell } from '../support/fake-template';

const [confinement] = planConfinement(
  { allowExec: false, profile: undefined, user: undefined, uidPool: DEFAULT_UID_POOL },
  hostFacts(),
);

/** Its cells let whatever runs in them come to its own end. */
class LaxTemplate extends FakeTemplate {
  override async makeCell(...args: Parameters<FakeTemplate['makeCell']>): Promise<FakeCell> {
    const cell = await super.makeCell(...args);
    cell.finish.resolve({
      result: {
        stdout: Buffer.from('end\n'),
        stderr: Buffer.alloc(0),
        outcome: 'exited',
        status: 0,
      },
    } as RunResult);
    return cell;
  }
}

it('the proof of cells is no proof for a jail that has given up less', async () => {
  const template = new LaxTemplate();
  const prove = async (mechanisms: readonly string[]) =>
    proveCells(template, confinement!, mechanisms, 'cells of a lax template');
  const givenUp = GUARANTEE_NAMES.map((name) => `missing:${name}`);
  const checks = await prove(givenUp);
  expect(checks.map(({ held }) => held)).toContain(false);
  const { cellsMade } = template;
  expect(await prove(givenUp)).toBe(checks);
  expect(template.cellsMade).toBe(cellsMade);
  await expect(prove([])).rejects.toThrow('prove the cells');
  expect(template.cellsMade).toBe(2 * cellsMade);
});
