const DAY_SECONDS = 86_400;

/**
 * Reads `Retry-After` as whole seconds, rounded up so that nobody retries too early. `undefined` if it has no usable
 * value.
 *
 * Microsoft sends seconds, sometimes with a fraction (`2.128`). HTTP also allows a date. If a proxy repeats the header,
 * the values arrive joined by commas, and the longest counts.
 */
export function readRetryAfter(value: string | null | undefined, now: Date): number | undefined {
  if (!value) return undefined;
  const parts = /[a-z]/i.test(value) ? value.split(/(?<=GMT)\s*,\s*/i) : value.split(',');
  const seconds = parts.map((part) => readOne(part.trim(), now)).filter((one) => one !== undefined);
  return seconds.length === 0 ? undefined : Math.min(DAY_SECONDS, Math.max(...seconds));
}

function readOne(text: string, now: Date): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text));
  const at = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now.getTime()) / 1000));
}
