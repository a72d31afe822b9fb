import { z } from 'zod';
import { DomainError, type FieldError } from '../../kernel/errors.ts';
import type { RawRow } from './parse-row.ts';

const mailbox = z.strictObject({
  address: z.string(),
  displayName: z.string().optional(),
  dailyLimit: z.number().optional(),
  reference: z.string().optional(),
});

/** A list of mailboxes as JSON. Its shape only: what is wrong with a value is a finding of its row, as in a CSV. */
export const mailboxList = z.strictObject({ mailboxes: z.array(mailbox).min(1, 'Name at least one mailbox.') });

/**
 * Takes the rows out of a body in JSON, not judged yet: `writeCanonical` makes an upload of them.
 *
 * @throws DomainError `validation_failed`, naming every wrong and every unknown field at once
 */
export function parseMailboxList(body: unknown): RawRow[] {
  const result = mailboxList.safeParse(body);
  if (result.success) return result.data.mailboxes;
  throw new DomainError('validation_failed', 'Some fields are missing, malformed or unknown; see errors.', {
    fields: result.error.issues.flatMap(toFields),
  });
}

function toFields(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...issue.path, key].join('.'), message: 'is not a known field' }));
  }
  return [{ path: issue.path.join('.'), message: issue.message }];
}
