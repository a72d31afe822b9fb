import type { z } from 'zod';
import { DomainError, FIELDS_MAX, type FieldError } from './errors.ts';
import { faultMessage } from './fault-messages.ts';

/** Collects everything that is wrong with one request, so that one answer names it all. */
export interface FieldFaults {
  add(path: string, message: string): void;
  /**
   * Parses a value from outside. Adds its faults, with `path` in front of theirs, and returns `undefined` if there are any.
   */
  read<T>(schema: z.ZodType<T>, value: unknown, path?: string): T | undefined;
  /** @throws DomainError `validation_failed` if there are any faults */
  refuse(): void;
}

/** Keeps the first 100 faults and only counts the rest: a body of 1 MiB can have hundreds of thousands. */
export function createFieldFaults(): FieldFaults {
  const fields: FieldError[] = [];
  let members: Record<string, string | number> = {};
  let count = 0;

  function add(path: string, message: string): void {
    count++;
    if (fields.length < FIELDS_MAX) fields.push({ path, message });
  }

  return {
    add,
    read(schema, value, path = '') {
      const result = schema.safeParse(value, { error: faultMessage });
      if (result.success) return result.data;
      for (const issue of result.error.issues) {
        const at = [...(path === '' ? [] : [path]), ...issue.path];
        if (issue.code !== 'unrecognized_keys') add(at.map(String).join('.'), issue.message);
        else for (const key of issue.keys) add([...at, key].map(String).join('.'), issue.message);
        if (issue.code === 'custom') members = { ...members, ...membersOf(issue) };
      }
      return undefined;
    },
    refuse() {
      if (count === 0) return;
      throw new DomainError('validation_failed', 'Some fields are missing, invalid or unknown. See `errors`.', {
        fields,
        fieldsOmitted: count - fields.length,
        members,
      });
    },
  };
}

/** More members of the problem, which a schema's own rule passes on in `params: { members }`. */
function membersOf({ params }: z.core.$ZodIssueCustom): Record<string, string | number> {
  return (params?.members ?? {}) as Record<string, string | number>;
}
