import { odata } from '@azure/data-tables';
import type { IdentityRecord, RowQuery } from '../../imports/ledger/ledger.ts';
import type { PlanRecord } from '../../imports/ledger/plan-record.ts';
import type { Row } from '../../imports/ledger/row.ts';
import type { SettledBatch } from '../../imports/ledger/settled-batch.ts';
import type { Tally } from '../../imports/ledger/tally.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Columns } from './columns.ts';
import { escapeKey } from './keys.ts';

export const mailboxColumns: Columns<Mailbox> = {
  address: 'text',
  displayName: 'text',
  dailyLimit: 'number',
  reference: 'text',
  kind: 'text',
  status: 'text',
  checks: 'json',
  nextCheckAt: 'instant',
  importId: 'text',
  line: 'number',
  openRow: 'text',
  slotClaimedBy: 'text',
  identity: 'json',
  replacedAt: 'instant',
  createdAt: 'instant',
  listedIn: 'text',
  pausedAt: 'instant',
  history: 'json',
  waitCause: 'text',
  removedBy: 'text',
  lastCheck: 'json',
};

export const rowColumns: Columns<Row> = {
  importId: 'text',
  line: 'number',
  address: 'text',
  displayName: 'text',
  dailyLimit: 'number',
  dailyLimitAsSent: 'text',
  reference: 'text',
  takesSlot: 'flag',
  state: 'text',
  code: 'text',
  message: 'text',
  firstLine: 'number',
  suggestion: 'text',
  cause: 'text',
  detail: 'text',
  microsoftCode: 'text',
  requestId: 'text',
  checkedAt: 'instant',
  verdicts: 'json',
  attempt: 'number',
  firstDeferredAt: 'instant',
  nextCheckAt: 'instant',
  sentAt: 'instant',
  priorFindings: 'json',
  priorKind: 'text',
  tries: 'number',
  mayHaveLeftovers: 'flag',
  heldAt: 'instant',
  heldEpoch: 'number',
  priorIdentity: 'json',
  knownAs: 'json',
  statusBefore: 'text',
  historyBefore: 'json',
};

export const planColumns: Columns<PlanRecord> = {
  importId: 'text',
  line: 'number',
  rows: 'number',
  accepted: 'number',
  rejected: 'number',
  duplicates: 'number',
  findingCounts: 'json',
  findingExamples: 'json',
  slotsNeeded: 'number',
  done: 'flag',
  closed: 'flag',
  movedAt: 'instant',
};

export const tallyColumns: Columns<Tally> = {
  importId: 'text',
  writer: 'text',
  counts: 'json',
  causes: 'json',
  report: 'json',
  settledBatches: 'number',
  settledAt: 'instant',
};

export const batchColumns: Columns<SettledBatch> = {
  importId: 'text',
  writer: 'text',
  serial: 'number',
  settledAt: 'instant',
  mailboxes: 'json',
};

export const identityColumns: Columns<IdentityRecord> = { key: 'text', address: 'text' };

export const identityKey = (key: string) => `i:${key}`;
export const mailboxKey = (address: string) => escapeKey(`m:${address}`);
export const rowKey = (importId: string, line: number) => `r:${importId}:${String(line).padStart(9, '0')}`;
export const planKey = (importId: string) => `p:${importId}`;
export const tallyKey = (tally: Pick<Tally, 'importId' | 'writer'>) => `t:${tally.importId}:${tally.writer}`;
/** The first key of a tally: writers begin with a letter or a digit. */
export const talliesFrom = (importId: string) => `t:${importId}:0`;
/** Batches are right before the tallies, in the order of time. So one range has the newest batches and all tallies. */
export const batchesFrom = (importId: string, at: Date) => `t:${importId}:-${String(at.getTime()).padStart(14, '0')}`;
export const batchKey = ({ importId, settledAt, writer }: SettledBatch) =>
  `${batchesFrom(importId, settledAt)}.${writer}`;

/** The first key after all keys with this prefix. Prefixes end in `:`, and `;` is the next character. */
export function after(prefix: string): string {
  return `${prefix.slice(0, -1)};`;
}

export function between(connectionId: string, from: string, to: string): string {
  return odata`PartitionKey eq ${connectionId} and RowKey ge ${from} and RowKey lt ${to}`;
}

export function rowFilter(connectionId: string, importId: string, query: RowQuery): string {
  const to = query.toLine === undefined ? after(`r:${importId}:`) : rowKey(importId, query.toLine);
  const parts = [between(connectionId, rowKey(importId, query.fromLine), to)];
  if (query.states) parts.push(`(${query.states.map((state) => odata`state eq ${state}`).join(' or ')})`);
  if (query.held) parts.push(odata`heldAt gt ''`);
  if (query.dueBy) parts.push(odata`nextCheckAt gt '' and nextCheckAt le ${query.dueBy.toISOString()}`);
  return parts.join(' and ');
}
