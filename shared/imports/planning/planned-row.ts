import { isTaken, type Mailbox } from '../../mailboxes/mailbox.ts';
import type { Row } from '../ledger/row.ts';
import type { ParsedRow } from '../upload/parsed-row.ts';

/** A line of the upload, and whether its address occurred on an earlier line. */
export interface PlannedRow {
  parsed: ParsedRow;
  isRepeated: boolean;
}

type Decision = { state: 'pending' } | { state: 'rejected' | 'duplicate'; code: string; message: string };

/** Decides whether a line becomes a check, a rejected row or a duplicate. `mailbox`: what the connection has there. */
function decide({ parsed, isRepeated }: PlannedRow, mailbox: Mailbox | undefined): Decision {
  if (!parsed.ok) return { state: 'rejected', code: parsed.code, message: parsed.message };
  if (isRepeated) {
    return {
      state: 'duplicate',
      code: 'duplicate_in_file',
      message: 'This address is already on an earlier line of the file.',
    };
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

/** The row that a line of the upload becomes. */
export function toRow(importId: string, planned: PlannedRow, mailbox: Mailbox | undefined): Row {
  const { parsed } = planned;
  const decision = decide(planned, mailbox);
  const row: Row = { importId, line: parsed.line, address: parsed.address, state: decision.state, attempt: 0 };
  if (decision.state !== 'pending') Object.assign(row, { code: decision.code, message: decision.message });
  if (parsed.reference !== undefined) row.reference = parsed.reference;
  if (parsed.ok && parsed.displayName !== undefined) row.displayName = parsed.displayName;
  if (parsed.ok && parsed.dailyLimit !== undefined) row.dailyLimit = parsed.dailyLimit;
  return row;
}
