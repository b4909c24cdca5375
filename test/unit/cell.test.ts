// A cell whose native half is played: what it makes of events that come in another order than one would expect.
import type { Confinement } from '../../lib/confinement/plan';
import { ZERO_LIMITS } from '../../lib/limits';
import type { NativeEvent } from '../../lib/native/addon';
import { PLAIN_CALL } from '../../lib/spec/call';
import { ForkedCell } from '../../lib/warm/cell';
import { CellLostError } from '../../lib/warm/cell-lost';
import { Frames } from '../../lib/warm/frame';

let tell: (event: NativeEvent) => void;
const addon = {
  makeCell: jest.fn((_template: number, _spec: number, onEvent: typeof tell) => {
    tell = onEvent;
    return { id: 7, stdin: 10, stdout: 11, stderr: 12, result: 13, request: 14 };
  }),
  ...{ kill: jest.fn(), holdLoop: jest.fn(), announceCall: jest.fn(), beginCall: jest.fn() },
  ...{ closeDescriptor: jest.fn(), letGo: jest.fn(), isGone: jest.fn(() => false) },
};
jest.mock('../../lib/native/addon', () => ({ native: () => ({ addon }) }));

const READY: NativeEvent = { type: 'ready', processor: 0 };

function makeCell(): ForkedCell {
  jest.clearAllMocks();
  return new ForkedCell(1, 2, '/jail', new Frames({} as Confinement), []);
}

it('that was killed with its template before it was ready is never ready, though it had said so', async () => {
  const cell = makeCell();
  cell.onTemplateEnded();
  tell(READY);
  tell({ type: 'ended', tmpDirectory: -1 });
  await expect(cell.ready).rejects.toThrow('it ended before it was ready');
  expect(addon.kill.mock.calls).toEqual([[7]]);
});

it('that was ready before its template ended is left to its call', async () => {
  const cell = makeCell();
  tell(READY);
  await cell.ready;
  cell.onTemplateEnded();
  expect(addon.kill).not.toHaveBeenCalled();
});

it('that was discarded begins no call, though it may still live', async () => {
  const cell = makeCell();
  tell(READY);
  await cell.ready;
  void cell.discard();
  cell.announce();
  const call = { ...PLAIN_CALL, limits: ZERO_LIMITS };
  await expect(cell.run(call, 0)).rejects.toThrow(CellLostError);
  expect([addon.announceCall.mock.calls, addon.beginCall.mock.calls]).toEqual([[], []]);
});
