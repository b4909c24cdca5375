// What ends all calls of a jail.
import { Closing } from '../../lib/run/end-signal';

const REASON = new Error('closed');

it('tells every listener once, and keeps the first reason', () => {
  const closing = new Closing();
  const told: string[] = [];
  closing.addEventListener('abort', () => told.push('first'));
  closing.addEventListener('abort', () => told.push('second'));
  expect(closing.aborted).toBe(false);
  closing.throwIfAborted();
  closing.abort(REASON);
  closing.abort(new Error('again'));
  expect(told).toEqual(['first', 'second']);
  expect(closing).toMatchObject({ aborted: true, reason: REASON });
  expect(() => {
    closing.throwIfAborted();
  }).toThrow(REASON);
});

it('does not tell who listens no more, a listener that leaves meanwhile included', () => {
  const closing = new Closing();
  const told: string[] = [];
  const last = (): void => void told.push('last');
  closing.addEventListener('abort', () => {
    told.push('first');
    closing.removeEventListener('abort', last);
  });
  closing.addEventListener('abort', last);
  closing.abort(REASON);
  expect(told).toEqual(['first']);
});
