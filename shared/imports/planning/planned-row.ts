import { isTaken, type Mailbox } from '../../mailboxes/mailbox.ts';
import type { Row } from '../ledger/row.ts';
import type { ParsedRow } from '../upload/parsed-row.ts';
import { type RowFault, rowFaults } from '../upload/row-findings.ts';

/** A line of the upload, and the earlier line with the same address, if there is one. */
export interface PlannedRow {
  parsed: ParsedRow;
  firstLine?: number | undefined;
}

type Decision = { state: 'pending' } | ({ state: 'rejected' | 'duplicate' } & RowFault);

/**
 * Decides whether a line becomes a check, a rejected row or a duplicate. `mailbox` is the connection's, if it has one.
 */
function decide({ parsed, firstLine }: PlannedRow, mailbox: Mailbox | undefined): Decision {
  if (!parsed.ok) return { state: 'rejected', code: parsed.code, message: parsed.message };
  if (firstLine !== undefined) return { state: 'duplicate', ...rowFaults.duplicateInFile(firstLine) };
  if (isTaken(mailbox)) return { state: 'duplicate', ...rowFaults.duplicateInConnection() };
  return { state: 'pending' };
}

/** The row that a line of the upload becomes. */
export function toRow(importId: string, planned: PlannedRow, mailbox: Mailbox | undefined): Row {
  const { parsed } = planned;
  const decision = decide(planned, mailbox);
  const row: Row = { importId, line: parsed.line, address: parsed.address, state: decision.state, attempt: 0 };
  if (decision.state === 'pending' && !mailbox?.slotClaimedBy) row.takesSlot = true;
  if (decision.state !== 'pending') Object.assign(row, { code: decision.code, message: decision.message });
  if (parsed.reference !== undefined) row.reference = parsed.reference;
  if (parsed.ok && parsed.displayName !== undefined) row.displayName = parsed.displayName;
  if (parsed.ok && parsed.dailyLimit !== undefined) row.dailyLimit = parsed.dailyLimit;
  return row;
}
