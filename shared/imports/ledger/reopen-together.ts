import pLimit from 'p-limit';
import { DomainError } from '../../kernel/errors.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Slots } from '../../plans/slots.ts';
import { type Ledger, type LedgerChange, PAIRS_MAX, type Patch } from './ledger.ts';
import { openRowOf, type Row } from './row.ts';
import type { SerialByKey } from './serial-by-key.ts';
import type { TallyBook } from './tally-book.ts';

export interface ReopenRowDeps {
  ledger: Ledger;
  serialByKey: SerialByKey;
  tallies: TallyBook;
  slots: Pick<Slots, 'reclaim' | 'undoReclaim'>;
  clock: { now(): Date };
}

/** A row, and the attempt in which it failed. */
export interface Reopening {
  line: number;
  attempt: number;
}

/** What became of a row, by line. */
export type ReopenedRow = [line: number, outcome: 'reopened' | 'nothingToDo' | 'noSlot'];

interface Ready {
  wanted: Reopening;
  row: Tagged<Row>;
  mailbox: Tagged<Mailbox>;
}

interface HeldImport {
  readonly record: { id: string; customerId: string; connectionId: string };
  keep(): Promise<boolean>;
}

const SLOTS_AT_ONCE = 4;
const COMMITS_MAX = 10;

/** Whether a row failed with a defect of ours in this attempt. */
export function isReopenable(row: Row | undefined, { attempt }: Reopening): boolean {
  return row?.state === 'failed' && row.cause === 'internal_error' && row.attempt === attempt;
}

/** Opens rows again under the lease of their import, a transaction's worth at a time. Each takes a slot first. */
export async function reopenTogether(
  deps: ReopenRowDeps,
  lease: HeldImport,
  rows: readonly Reopening[],
): Promise<ReopenedRow[]> {
  const done: ReopenedRow[] = [];
  for (let from = 0; from < rows.length; from += PAIRS_MAX) {
    if (!(await lease.keep())) {
      throw new DomainError('storage_unavailable', 'Somebody else changed the import. Try again.');
    }
    done.push(...(await reopenGroup(deps, lease.record, rows.slice(from, from + PAIRS_MAX))));
  }
  return done;
}

async function reopenGroup(
  deps: ReopenRowDeps,
  record: HeldImport['record'],
  wanted: readonly Reopening[],
): Promise<ReopenedRow[]> {
  const limit = pLimit(SLOTS_AT_ONCE);
  const claims = await Promise.all(
    wanted.map((row) => limit(() => deps.slots.reclaim(record.customerId, record.id, reclaimId(record.id, row)))),
  );
  const withSlot = wanted.filter((_, i) => claims[i] !== 'limit');
  const opened = await commitReopened(deps, record, withSlot);
  const lines = new Set(opened);
  const unopened = withSlot.filter(({ line }) => !lines.has(line));
  await undoReclaims(deps, record.customerId, record.id, unopened);
  return wanted.map((row, i): ReopenedRow => {
    return [row.line, claims[i] === 'limit' ? 'noSlot' : lines.has(row.line) ? 'reopened' : 'nothingToDo'];
  });
}

/** Gives back the slots of rows that are not opened, if a call took them. Repeatable. */
export async function undoReclaims(
  { slots }: Pick<ReopenRowDeps, 'slots'>,
  customerId: string,
  importId: string,
  rows: readonly Reopening[],
): Promise<void> {
  const limit = pLimit(SLOTS_AT_ONCE);
  const undone = rows.map((row) => limit(() => slots.undoReclaim(customerId, importId, reclaimId(importId, row))));
  await Promise.all(undone);
}

/** The same for every call, so that a row takes one slot for each attempt that it is opened for. */
function reclaimId(importId: string, { line, attempt }: Reopening): string {
  return `${importId}:${line}:${attempt}`;
}

/** Resolves to the lines that are open now. Reads again after a conflict, and after an answer that was lost. */
async function commitReopened(
  deps: ReopenRowDeps,
  { id: importId, connectionId }: HeldImport['record'],
  wanted: readonly Reopening[],
): Promise<number[]> {
  for (let commits = 1; commits <= COMMITS_MAX; commits++) {
    const read = await Promise.all(wanted.map((row) => readPair(deps.ledger, connectionId, importId, row)));
    const opened = read.flatMap((pair) => (pair === 'opened' || pair === undefined ? [] : [pair]));
    const before = wanted.filter((_, i) => read[i] === 'opened').map(({ line }) => line);
    if (opened.length === 0) return before;
    const isCommitted = await deps.serialByKey.run(connectionId, () =>
      commitOnce(deps, connectionId, importId, opened),
    );
    if (isCommitted) return [...before, ...opened.map(({ wanted: { line } }) => line)];
  }
  throw new DomainError('storage_unavailable', `Opening rows again met ${COMMITS_MAX} conflicts in a row.`);
}

/** `opened` if the row was opened by an earlier try, or another process. `undefined` if it is not to be opened. */
async function readPair(
  ledger: Ledger,
  connectionId: string,
  importId: string,
  wanted: Reopening,
): Promise<Ready | 'opened' | undefined> {
  const row = await ledger.getRow(connectionId, importId, wanted.line);
  if (!row) return undefined;
  // A row that has failed in this attempt can only get another attempt by being opened again.
  if (row.value.attempt > wanted.attempt) return 'opened';
  if (!isReopenable(row.value, wanted)) return undefined;
  const mailbox = await ledger.getMailbox(connectionId, row.value.address);
  if (!mailbox) return undefined;
  const { status, openRow, importId: lastImport, line } = mailbox.value;
  const isOurs = lastImport === importId && line === wanted.line && openRow === undefined && status === 'failed';
  return isOurs ? { wanted, row, mailbox } : undefined;
}

async function commitOnce(
  deps: ReopenRowDeps,
  connectionId: string,
  importId: string,
  pairs: readonly Ready[],
): Promise<boolean> {
  const now = deps.clock.now();
  const changes = pairs.flatMap(({ row, mailbox }): LedgerChange[] => [
    { op: 'mergeRow', importId, line: row.value.line, tag: row.tag, patch: reopenedRow(row.value, mailbox.value, now) },
    {
      op: 'mergeMailbox',
      address: row.value.address,
      tag: mailbox.tag,
      patch: {
        status: 'waiting',
        openRow: openRowOf(row.value),
        slotClaimedBy: importId,
        nextCheckAt: now,
        waitCause: null,
      },
    },
  ]);
  const explained = pairs.map(({ row: { value } }) => {
    const { line, address, cause } = value;
    return { line, address, from: cause, to: undefined };
  });
  const count = pairs.length;
  const counts = { waiting: count, failed: -count, reopened: count };
  const entry = deps.tallies.add(importId, counts, [], explained);
  try {
    const result = await deps.ledger.commit(connectionId, [...changes, ...entry.changes]);
    if (result.committed) entry.committed(result.tags.at(-1) ?? '');
    else if (result.index >= changes.length) entry.abandon();
    return result.committed;
  } catch {
    // It may have been committed. The rows tell.
    entry.abandon();
    return false;
  }
}

/** Due now, in its next attempt. Earlier tries may have left something in the mailbox, and its history has got longer. */
function reopenedRow({ attempt }: Row, { history, identity }: Mailbox, now: Date): Patch<Row> {
  return {
    state: 'waiting',
    attempt: attempt + 1,
    nextCheckAt: now,
    takesSlot: true,
    mayHaveLeftovers: true,
    cause: null,
    detail: null,
    microsoftCode: null,
    requestId: null,
    checkedAt: null,
    verdicts: null,
    tries: null,
    heldAt: null,
    firstDeferredAt: null,
    priorFindings: null,
    ...(history && { historyBefore: history }),
    ...(identity && { knownAs: identity }),
  };
}
