import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { createFieldFaults } from '../../kernel/field-faults.ts';
import type { RawRow } from './parse-row.ts';

/** One mailbox of the list. Checks the shape only: an invalid value becomes a finding of its row, as in a CSV. */
const mailbox = z.strictObject({
  address: z.string().meta({ examples: ['jane@contoso.com'] }),
  displayName: z
    .string()
    .meta({ examples: ['Jane Doe'] })
    .optional(),
  dailyLimit: z
    .union([z.number(), z.string()])
    .meta({ description: 'A whole number. It may be a string, such as "50".', examples: [50] })
    .optional(),
  reference: z
    .string()
    .meta({ examples: ['crm-4711'] })
    .optional(),
});

/** The body of an import as JSON, for the documentation of the API. */
export const mailboxList = z.strictObject({ mailboxes: z.array(mailbox).min(1) }).meta({ id: 'MailboxList' });

/** The same without the mailboxes, which `parseMailboxList` checks one by one. */
const list = z.strictObject({ mailboxes: z.array(z.unknown()).min(1) });

/** How many mailboxes are checked before other requests get their turn. */
const MAILBOXES_PER_TURN = 1000;
/** Nobody corrects this many one by one. To check all of a body of 1 MiB would cost seconds. */
const WRONG_MAILBOXES_MAX = 10_000;

/**
 * Resolves to the rows of a JSON body, not validated yet. `writeNdjsonRows` makes an upload of them.
 *
 * Checks one mailbox at a time. A body of 1 MiB can hold 500,000 wrong ones, and the validator makes a fault of each. So
 * it stops after 10,000 wrong ones.
 *
 * @throws DomainError `validation_failed`, which names the wrong and the unknown fields
 */
export async function parseMailboxList(body: unknown): Promise<RawRow[]> {
  const faults = createFieldFaults();
  faults.read(list, body);
  const mailboxes: unknown = (body as { mailboxes?: unknown } | null | undefined)?.mailboxes;
  const rows: RawRow[] = [];
  let wrong = 0;
  for (const [index, value] of Array.isArray(mailboxes) ? mailboxes.entries() : []) {
    const row = faults.read(mailbox, value, `mailboxes.${index}`);
    if (row) rows.push(row);
    else if (++wrong === WRONG_MAILBOXES_MAX) break;
    if (index % MAILBOXES_PER_TURN === MAILBOXES_PER_TURN - 1) await nextTurn();
  }
  faults.refuse();
  return rows;
}
