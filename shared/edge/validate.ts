import type { z } from 'zod';
import { DomainError, type FieldError } from '../kernel/errors.ts';

/**
 * Parses a value from outside with a schema.
 *
 * @throws DomainError `validation_failed`, which lists every wrong and every unknown field
 */
export function validate<T>(schema: z.ZodType<T>, value: unknown): T {
  return validateAll([[schema, value]])[0] as T;
}

/** Like `validate`, for several values: one error lists the wrong fields of all of them. */
export function validateAll(pairs: readonly (readonly [z.ZodType<unknown>, unknown])[]): unknown[] {
  const results = pairs.map(([schema, value]) => schema.safeParse(value));
  const issues = results.flatMap((result) => result.error?.issues ?? []);
  if (issues.length === 0) return results.map((result) => result.data);
  throw new DomainError('validation_failed', 'Some fields are missing, invalid or unknown. See `errors`.', {
    fields: issues.flatMap(toFields),
  });
}

function toFields(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: pathOf([...issue.path, key]), message: 'is not a known field' }));
  }
  return [{ path: pathOf(issue.path), message: issue.message }];
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}
