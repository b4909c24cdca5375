import { Histogram } from '../../lib/time/histogram';

it('counts durations below each bound', () => {
  const histogram = new Histogram();
  for (const milliseconds of [0.4, 0.5, 4, 400, 100_000]) {
    histogram.record(milliseconds);
  }
  const { count, sumMs, maxMs, buckets } = histogram.read();
  expect({ count, sumMs, maxMs }).toEqual({ count: 5, sumMs: 100_404.9, maxMs: 100_000 });
  const below = (leMs: number): number | undefined =>
    buckets.find((bucket) => bucket.leMs === leMs)?.count;
  expect([0.5, 3, 5, 200, 500, 60_000].map(below)).toEqual([2, 2, 3, 3, 4, 4]);
});

it('gives copies', () => {
  const histogram = new Histogram();
  histogram.read().buckets[0]!.count = 7;
  expect(histogram.read().buckets[0]!.count).toBe(0);
});
