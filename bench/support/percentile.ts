/** The smallest value that is at least as large as this percentage of all values. NaN if there are none. */
export function percentile(values: readonly number[], percentage: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil((percentage / 100) * sorted.length) - 1] ?? Number.NaN;
}
