// The end of a call, gone over before there is one.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { CHANNELS } from '../../lib/statistics/diagnostics';
import { primeEnd, rehearseEnd } from '../../lib/jail/end-rehearsal';
import { updateGlobals } from '../../lib/json/merge';
import { LimitTable } from '../../lib/limits';

jest.mock('../../lib/json/merge', () => ({ updateGlobals: jest.fn() }));

const limits = new LimitTable().effective();

it('goes all the way to the globals', async () => {
  await rehearseEnd(limits);
  expect(updateGlobals).toHaveBeenCalledWith({}, { a: 17 }, ['a']);
});

it('tells nobody of a call', async () => {
  const listener = jest.fn();
  subscribe(CHANNELS.call, listener);
  await rehearseEnd(limits);
  unsubscribe(CHANNELS.call, listener);
  expect(listener).not.toHaveBeenCalled();
});

it('fails no call where it fails itself', async () => {
  jest.mocked(updateGlobals).mockImplementationOnce(() => {
    throw new Error('broken');
  });
  primeEnd(limits);
  await new Promise(setImmediate);
  expect(updateGlobals).toHaveBeenCalled();
});
