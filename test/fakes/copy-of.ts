/**
 * A deep copy of what stores keep, at a small part of the cost of `structuredClone`, which is half the work of a
 * simulated import. What is neither a plain object, an array nor a date is left to `structuredClone`.
 */
export function copyOf<Value>(value: Value): Value;
export function copyOf(value: unknown): unknown {
  if (typeof value === 'function') return structuredClone(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return new Date(value);
  if (Array.isArray(value)) return value.map((item) => copyOf(item));
  return Object.getPrototypeOf(value) === Object.prototype ? copyFields(value) : structuredClone(value);
}

function copyFields(record: object): object {
  const copy: Record<string, unknown> = { ...record };
  for (const key in copy) if (typeof copy[key] !== 'string') copy[key] = copyOf(copy[key]);
  return copy;
}
