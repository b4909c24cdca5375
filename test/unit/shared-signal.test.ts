import { getEventListeners } from 'node:events';
import { shareSignal } from '../../lib/jail/shared-signal';

it('is one for all who share a signal, and listens to it once while anybody listens', () => {
  const controller = new AbortController();
  const { signal } = controller;
  const shared = shareSignal(signal);
  expect(shareSignal(signal)).toBe(shared);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  const [one, other] = [jest.fn(), jest.fn()];
  shared.addEventListener('abort', one, { once: true });
  shared.addEventListener('abort', other, { once: true });
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  shared.removeEventListener('abort', one);
  shared.removeEventListener('abort', one);
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  shared.removeEventListener('abort', other);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  controller.abort();
  expect([one.mock.calls, other.mock.calls]).toEqual([[], []]);
});

it('tells each once, with the reason, but none that was taken away meanwhile', () => {
  const controller = new AbortController();
  const shared = shareSignal(controller.signal);
  const told: string[] = [];
  const last = (): void => {
    told.push('last');
  };
  shared.addEventListener('abort', () => told.push('first'), { once: true });
  const removeLast = (): void => {
    shared.removeEventListener('abort', last);
  };
  shared.addEventListener('abort', removeLast, { once: true });
  shared.addEventListener('abort', last, { once: true });
  expect(shared.aborted).toBe(false);
  controller.abort('why');
  expect([shared.aborted, shared.reason, told]).toEqual([true, 'why', ['first']]);
  expect(() => {
    shared.throwIfAborted();
  }).toThrow('why');
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
});
