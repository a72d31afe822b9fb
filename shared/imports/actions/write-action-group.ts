import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Import } from '../import.ts';
import type { Ledger, LedgerChange } from '../ledger/ledger.ts';
import type { PlanRecord } from '../ledger/plan-record.ts';
import type { Row } from '../ledger/row.ts';
import type { SerialByKey } from '../ledger/serial-by-key.ts';
import type { SettledMailbox } from '../ledger/settled-mailbox.ts';
import { type TallyCounts, zeroCounts } from '../ledger/tally.ts';
import type { TallyBook } from '../ledger/tally-book.ts';
import { announceClosing, type ClosedOfImport, type CloseRowsDeps, closeRow, readOpenRows } from './close-open-rows.ts';
import { type ActionDecision, decideAction } from './decide-action.ts';
import { mailboxToCheck, rowToCheck } from './open-for-check.ts';

export interface WriteActionDeps extends CloseRowsDeps {
  ledger: Ledger;
  serialByKey: SerialByKey;
  tallies: TallyBook;
  clock: Clock;
}

/** A mailbox of an action. */
export interface ActionLine {
  line: number;
  address: string;
}

interface Group {
  record: Import;
  plan: Tagged<PlanRecord>;
  /** The lines after the checkpoint, each with another address. */
  group: readonly ActionLine[];
  isLast: boolean;
}

/** Each conflict means that another writer has changed a mailbox or its row. Then all of the group are read again. */
const COMMITS_MAX = 20;

/**
 * Writes the rows of some mailboxes, what becomes of the mailboxes, their open rows in other imports, the tallies that
 * count all that, and the checkpoint in one transaction. Resolves to the new checkpoint, or to `undefined` if another
 * planner is at work.
 */
export async function writeActionGroup(deps: WriteActionDeps, target: Group): Promise<Tagged<PlanRecord> | undefined> {
  const { record, group } = target;
  const { connectionId } = record;
  const addresses = group.map(({ address }) => address);
  for (let commits = 1; commits <= COMMITS_MAX; commits++) {
    const mailboxes = await deps.ledger.getMailboxes(connectionId, addresses);
    const now = deps.clock.now();
    const decided = group.map((line) => ({
      ...line,
      decision: decideAction(record, mailboxes.get(line.address), now),
    }));
    const ending = decided.flatMap(({ decision }) => (decision.kind === 'end' ? [decision.mailbox.value] : []));
    const openRows = await readOpenRows(deps, connectionId, ending);
    const rows = [...openRows.values()].map(({ value }) => value);
    if (rows.length > 0) await announceClosing(deps, record, rows);
    const transaction = toTransaction(target, decided, openRows, now);
    const result = await deps.serialByKey.run(connectionId, () => commit(deps, record, transaction));
    if (result.kind === 'committed') return { value: transaction.plan, tag: result.planTag };
    if (result.kind === 'superseded') return undefined;
  }
  throw new DomainError('storage_unavailable', `A group of mailboxes met ${COMMITS_MAX} conflicts in a row.`);
}

interface Transaction {
  plan: PlanRecord;
  /** The checkpoint is the last of them. */
  changes: LedgerChange[];
  /** What this action has done, and with which mailboxes. */
  counts: TallyCounts;
  done: SettledMailbox[];
  closed: Map<string, ClosedOfImport>;
}

interface Decided extends ActionLine {
  decision: ActionDecision;
}

function toTransaction(
  { record, plan, isLast }: Group,
  decided: readonly Decided[],
  openRows: ReadonlyMap<string, Tagged<Row>>,
  now: Date,
): Transaction {
  const findingCounts = { ...plan.value.findingCounts };
  const next: PlanRecord = { ...plan.value, findingCounts, movedAt: now, done: isLast };
  const changes: LedgerChange[] = [];
  const counts = { ...zeroCounts };
  const done: SettledMailbox[] = [];
  const closed: Transaction['closed'] = new Map();
  for (const { line, address, decision } of decided) {
    next.line = line;
    next.rows++;
    const row: Row = { importId: record.id, line, address, state: 'passed', attempt: 0 };
    switch (decision.kind) {
      case 'skip': {
        const { code, message } = decision;
        next.rejected++;
        findingCounts[code] = (findingCounts[code] ?? 0) + 1;
        changes.push({ op: 'createRow', row: { ...row, state: 'rejected', code, message } });
        continue;
      }
      case 'check': {
        const { value: mailbox, tag } = decision.mailbox;
        const opened = rowToCheck(record.id, line, mailbox);
        next.accepted++;
        if (opened.takesSlot) next.slotsNeeded++;
        changes.push({ op: 'createRow', row: opened });
        changes.push({ op: 'mergeMailbox', address, tag, patch: mailboxToCheck(opened, mailbox) });
        continue;
      }
      case 'end':
        counts.slotsFreed += endMailbox(decision.mailbox.value, openRows.get(address), changes, closed);
        break;
    }
    next.accepted++;
    counts.passed++;
    done.push({ line, address, state: 'passed' });
    const reference = 'mailbox' in decision ? decision.mailbox.value.reference : undefined;
    changes.push({ op: 'createRow', row: { ...row, ...(reference !== undefined && { reference }) } });
    if ('patch' in decision) {
      changes.push({ op: 'mergeMailbox', address, tag: decision.mailbox.tag, patch: decision.patch });
    }
  }
  const { importId: _same, ...patch } = next;
  changes.push({ op: 'mergePlan', importId: record.id, patch, tag: plan.tag });
  return { plan: next, changes, counts, done, closed };
}

/** Cancels the open row of a mailbox. Returns how many slots this action gives back. */
function endMailbox(
  { slotClaimedBy }: Mailbox,
  openRow: Tagged<Row> | undefined,
  changes: LedgerChange[],
  closed: Transaction['closed'],
): number {
  if (openRow) changes.push(closeRow(openRow, closed));
  return slotClaimedBy === undefined || openRow?.value.takesSlot ? 0 : 1;
}

type Commit = { kind: 'committed'; planTag: string } | { kind: 'superseded' | 'conflict' };

/** Runs alone for its connection in this process, as tallies require. */
async function commit(
  deps: WriteActionDeps,
  record: Import,
  { changes, counts, done, closed }: Transaction,
): Promise<Commit> {
  const own = done.length > 0 ? [deps.tallies.addDone(record.id, counts, done)] : [];
  const others = [...closed].map(([importId, of]) => deps.tallies.add(importId, of.counts, of.settled));
  const entries = [...own, ...others];
  const all = [...changes, ...entries.flatMap((entry) => entry.changes)];
  const result = await deps.ledger.commit(record.connectionId, all).catch((error) => {
    for (const entry of entries) entry.abandon();
    throw error;
  });
  if (result.committed) {
    let end = changes.length;
    for (const entry of entries) {
      end += entry.changes.length;
      entry.committed(result.tags[end - 1] ?? '');
    }
    return { kind: 'committed', planTag: result.tags[changes.length - 1] ?? '' };
  }
  const refused = changes[result.index];
  if (!refused) for (const entry of entries) entry.abandon();
  const isOthers = !refused || refused.op === 'mergeMailbox' || refused.op === 'mergeRow';
  return { kind: isOthers ? 'conflict' : 'superseded' };
}
