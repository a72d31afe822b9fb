import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Row } from '../ledger/row.ts';
import type { ParsedRow } from '../upload/parsed-row.ts';

/** A judged line, and whether its address stood in the file before. */
export interface PlannedRow {
  judged: ParsedRow;
  isRepeated: boolean;
}

export type Judgement = { state: 'pending' } | { state: 'rejected' | 'duplicate'; code: string; message: string };

/** A mailbox in one of these states is being looked after already; one that failed or was disconnected may come again. */
const LOOKED_AFTER: ReadonlySet<Mailbox['status']> = new Set(['pending', 'waiting', 'active', 'paused']);

/** Whether an address is taken in its connection, so that another row with it is a duplicate. */
export function isTaken(mailbox: Pick<Mailbox, 'status' | 'open'> | undefined): boolean {
  return mailbox !== undefined && (mailbox.open !== undefined || LOOKED_AFTER.has(mailbox.status));
}

/** What a line comes to, given what the connection knows of its address. */
export function judgeAgainst(planned: PlannedRow, mailbox: Mailbox | undefined): Judgement {
  const { judged } = planned;
  if (!judged.ok) return { state: 'rejected', code: judged.code, message: judged.message };
  if (planned.isRepeated) {
    return { state: 'duplicate', code: 'duplicate_in_file', message: 'This address stands further up in the file.' };
  }
  if (isTaken(mailbox)) {
    return {
      state: 'duplicate',
      code: 'duplicate_in_connection',
      message: 'This mailbox is already connected or being checked.',
    };
  }
  return { state: 'pending' };
}

export function rowOf(importId: string, { judged }: PlannedRow, judgement: Judgement): Row {
  const row: Row = { importId, line: judged.line, address: judged.address, state: judgement.state, attempt: 0 };
  if (judgement.state !== 'pending') Object.assign(row, { code: judgement.code, message: judgement.message });
  if (judged.reference !== undefined) row.reference = judged.reference;
  if (judged.ok && judged.displayName !== undefined) row.displayName = judged.displayName;
  if (judged.ok && judged.dailyLimit !== undefined) row.dailyLimit = judged.dailyLimit;
  return row;
}
