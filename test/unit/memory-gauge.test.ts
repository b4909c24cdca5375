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

it.each([
  ['is short', Number.MAX_SAFE_INTEGER, true],
  ['is not short', 0, false],
])('%s with a reserve of %p bytes', (_what, reserve, short) => {
  // On a host under pressure only the first can be said.
  if (short || new MemoryGauge(0).isShort() === short) {
    expect(new MemoryGauge(reserve).isShort()).toBe(short);
  }
});
