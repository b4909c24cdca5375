// Medians and percentiles.

/**
 * @param {readonly number[]} values at least one
 * @param {number} share from 0 to 1
 * @returns {number} the smallest value that at least this share of the values doesn't exceed
 */
function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/**
 * @param {readonly number[]} values at least one
 * @returns {{ median: number, p95: number, p99: number }}
 */
export function summaryOf(values) {
  return {
    median: quantile(values, 0.5),
    p95: quantile(values, 0.95),
    p99: quantile(values, 0.99),
  };
}
