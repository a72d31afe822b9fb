import { isTaken } from '../../mailboxes/mailbox.ts';
import type { Row } from '../ledger/row.ts';
import type { ParsedRow } from '../upload/parsed-row.ts';
import { type RowFault, rowFaults } from '../upload/row-findings.ts';
import type { KnownMailbox } from './known-mailboxes.ts';

type Decision = { state: 'pending' } | ({ state: 'rejected' | 'duplicate' } & RowFault);

/**
 * Decides whether a line becomes a check, a rejected row or a duplicate.
 *
 * While an import is being planned, each mailbox that it has accepted names the row that opened it, also if that row was
 * cancelled in the meantime. So the mailbox itself tells on which earlier line of the file its address is, and the planner
 * need not remember the lines it has planned.
 */
function decide(importId: string, parsed: ParsedRow, mailbox: KnownMailbox['value'] | undefined): Decision {
  if (!parsed.ok) return { state: 'rejected', ...faultOf(parsed) };
  const firstLine = mailbox?.importId === importId ? mailbox.line : undefined;
  if (firstLine !== undefined) return { state: 'duplicate', ...rowFaults.duplicateInFile(firstLine) };
  if (isTaken(mailbox)) return { state: 'duplicate', ...rowFaults.duplicateInConnection() };
  return { state: 'pending' };
}

/** The row that a line of the upload becomes. `mailbox` is the connection's, if it has one for the address. */
export function toRow(importId: string, parsed: ParsedRow, mailbox: KnownMailbox['value'] | undefined): Row {
  const decision = decide(importId, parsed, mailbox);
  const row: Row = { importId, line: parsed.line, address: parsed.address, state: decision.state, attempt: 0 };
  if (decision.state === 'pending' && !mailbox?.slotClaimedBy) row.takesSlot = true;
  if (decision.state === 'pending' && mailbox?.history) row.historyBefore = mailbox.history;
  if (decision.state === 'pending' && mailbox?.identity) row.knownAs = mailbox.identity;
  if (decision.state !== 'pending') Object.assign(row, faultOf(decision));
  else if (parsed.ok && parsed.warning?.suggestion !== undefined) row.suggestion = parsed.warning.suggestion;
  if (parsed.reference !== undefined) row.reference = parsed.reference;
  if (parsed.displayName !== undefined) row.displayName = parsed.displayName;
  if (parsed.ok && parsed.dailyLimit !== undefined) row.dailyLimit = parsed.dailyLimit;
  if (!parsed.ok && parsed.dailyLimitAsSent !== undefined) row.dailyLimitAsSent = parsed.dailyLimitAsSent;
  return row;
}

function faultOf({ code, message, firstLine, suggestion }: RowFault): RowFault {
  return {
    code,
    message,
    ...(firstLine !== undefined && { firstLine }),
    ...(suggestion !== undefined && { suggestion }),
  };
}
