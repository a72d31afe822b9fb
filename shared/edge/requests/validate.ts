import type { z } from 'zod';
import { createFieldFaults, type FieldFaults } from '../../kernel/field-faults.ts';

/** More items than any array of a body has. The list of mailboxes is read elsewhere, one mailbox at a time. */
const ITEMS_MAX = 1000;

/**
 * Parses a value from outside with a schema.
 *
 * @throws DomainError `validation_failed`, which names the wrong and the unknown fields
 */
export function validate<T>(schema: z.ZodType<T>, value: unknown): T {
  const faults = createFieldFaults();
  const data = faults.read(schema, value);
  faults.refuse();
  return data as T;
}

/**
 * Parses the body of a request with a schema, and adds what is wrong with it to `faults`.
 *
 * A long array is refused before its items are checked: the validator makes one fault of each wrong item, which costs
 * several hundred times the memory of the body.
 */
export function readFields<T>(faults: FieldFaults, schema: z.ZodType<T>, value: unknown): T | undefined {
  if (typeof value !== 'object' || value === null) return faults.read(schema, value);
  const short = Object.entries(value).map(([name, field]) => {
    if (!Array.isArray(field) || field.length <= ITEMS_MAX) return [name, field];
    faults.add(name, `must have at most ${ITEMS_MAX} items`);
    return [name, field.slice(0, 1)];
  });
  return faults.read(schema, Array.isArray(value) ? value : Object.fromEntries(short));
}
