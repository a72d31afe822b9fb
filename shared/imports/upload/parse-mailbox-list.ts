import { z } from 'zod';
import { DomainError, type FieldError } from '../../kernel/errors.ts';
import type { RawRow } from './parse-row.ts';

const mailbox = z.strictObject({
  address: z.string(),
  displayName: z.string().optional(),
  dailyLimit: z.number().optional(),
  reference: z.string().optional(),
});

/** A list of mailboxes as JSON. Checks the shape only: an invalid value becomes a finding of its row, as in a CSV. */
const mailboxList = z.strictObject({ mailboxes: z.array(mailbox).min(1, 'List at least one mailbox.') });

/**
 * Returns the rows of a JSON body, not validated yet. `writeNdjsonRows` makes an upload of them.
 *
 * @throws DomainError `validation_failed`, which lists every wrong and every unknown field
 */
export function parseMailboxList(body: unknown): RawRow[] {
  const result = mailboxList.safeParse(body);
  if (result.success) return result.data.mailboxes;
  throw new DomainError('validation_failed', 'Some fields are missing, invalid or unknown. See `errors`.', {
    fields: result.error.issues.flatMap(toFields),
  });
}

function toFields(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...issue.path, key].join('.'), message: 'is not a known field' }));
  }
  return [{ path: issue.path.join('.'), message: issue.message }];
}
