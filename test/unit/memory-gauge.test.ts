import { availableBytes, MemoryGauge, stalledPercent } from '../../lib/warm/memory-gauge';

it('reads what /proc/meminfo says is available', () => {
  expect(availableBytes('MemTotal: 8 kB\nMemAvailable:   5 kB\nBuffers: 1 kB\n')).toBe(5120);
});

it('reads how long tasks stalled from /proc/pressure/memory', () => {
  const text =
    'some avg10=12.50 avg60=1.00 avg300=0.00 total=1\nfull avg10=3.00 avg60=0.00 avg300=0.00 total=1\n';
  expect(stalledPercent(text)).toBe(12.5);
});

it('takes the host to have memory where it says nothing', () => {
  expect(availableBytes('')).toBe(Number.POSITIVE_INFINITY);
  expect(stalledPercent('')).toBe(0);
});

it('is short with a reserve that no host has', () => {
  expect(new MemoryGauge(Number.MAX_SAFE_INTEGER).isShort()).toBe(true);
});

it.each([
  ['is short with less than the reserve', 1023, 0, true],
  ['is not short with the reserve', 1024, 0, false],
  ['is not short while tasks hardly wait', 2048, 10, false],
  ['is short while tasks wait for memory', 2048, 10.5, true],
])('%s', (_what, available, stalled, short) => {
  const texts: Record<string, string> = {
    '/proc/meminfo': `MemAvailable: ${available} kB\n`,
    '/proc/pressure/memory': `some avg10=${stalled} avg60=0 avg300=0 total=1\n`,
  };
  expect(new MemoryGauge(1024 * 1024, (path) => texts[path] ?? '').isShort()).toBe(short);
});
