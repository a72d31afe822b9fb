import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import { type Ledger, type LedgerChange, PAIRS_MAX } from '../ledger/ledger.ts';
import type { PlanRecord } from '../ledger/plan-record.ts';
import { openRowOf } from '../ledger/row.ts';
import type { ParsedRow } from '../upload/parsed-row.ts';
import { addFindingExample } from './finding-examples.ts';
import type { KnownMailbox, KnownMailboxes } from './known-mailboxes.ts';
import { openMailbox } from './open-mailbox.ts';
import { toRow } from './planned-row.ts';

interface Group {
  record: Import;
  plan: Tagged<PlanRecord>;
  /** The lines after the checkpoint. */
  group: readonly ParsedRow[];
  known: KnownMailboxes;
  isLast: boolean;
  /** Whether the connection had most of the addresses that were asked for last. */
  mostAreKnown: boolean;
}

interface Written {
  plan: Tagged<PlanRecord>;
  mostAreKnown: boolean;
}

/** Other planners of the connection may cause a conflict for each mailbox, but not more of them. */
const COMMITS_MAX = 2 * PAIRS_MAX;

/**
 * Writes rows, mailboxes and checkpoint in one transaction. Resolves to `undefined` if another planner is at work.
 *
 * A refused transaction names only one mailbox that is not as expected. The first conflict may be the only one, so only
 * that mailbox is read again. After a second one, or where most mailboxes are known, all of the transaction are read.
 */
export async function writeGroup(deps: { ledger: Ledger; clock: Clock }, target: Group): Promise<Written | undefined> {
  const { record, known } = target;
  let { mostAreKnown } = target;
  let readAllNext = mostAreKnown;
  for (let commits = 1; commits <= COMMITS_MAX; commits++) {
    const { plan, changes, opened } = toTransaction(target, deps.clock.now());
    const result = await deps.ledger.commit(record.connectionId, changes);
    if (result.committed) {
      for (const [index, { address, mailbox }] of opened) {
        known.set(address, { value: mailbox, tag: result.tags[index] ?? '' });
      }
      return { plan: { value: plan, tag: result.tags.at(-1) ?? '' }, mostAreKnown };
    }
    const conflicting = opened.get(result.index);
    // A row that exists or a checkpoint that moved: another planner wrote it, or we did and the answer was lost.
    if (!conflicting) return undefined;
    if (readAllNext) mostAreKnown = await known.read([...opened.values()].map(({ address }) => address));
    else await known.read([conflicting.address]);
    readAllNext = !readAllNext;
  }
  throw new DomainError('storage_unavailable', `A group of rows met ${COMMITS_MAX} conflicts in a row.`);
}

interface Transaction {
  plan: PlanRecord;
  changes: LedgerChange[];
  /** The mailboxes that it opens, by the index of their change. */
  opened: Map<number, { address: string; mailbox: KnownMailbox['value'] }>;
}

/** What to write for a group by what is known of its mailboxes. */
function toTransaction({ record, plan, group, known, isLast }: Group, now: Date): Transaction {
  const findingCounts = { ...plan.value.findingCounts };
  const next: PlanRecord = { ...plan.value, findingCounts, movedAt: now, done: isLast };
  const changes: LedgerChange[] = [];
  const opened: Transaction['opened'] = new Map();
  const openedByAddress = new Map<string, KnownMailbox['value']>();
  for (const parsed of group) {
    const mailbox = known.get(parsed.address);
    const row = toRow(record.id, parsed, openedByAddress.get(parsed.address) ?? mailbox?.value);
    next.line = row.line;
    next.rows++;
    changes.push({ op: 'createRow', row });
    const finding = row.code ?? (parsed.ok ? parsed.warning?.code : undefined);
    if (finding !== undefined) {
      findingCounts[finding] = (findingCounts[finding] ?? 0) + 1;
      next.findingExamples = addFindingExample(next.findingExamples ?? {}, finding, parsed);
    }
    if (row.state === 'rejected') next.rejected++;
    else if (row.state === 'duplicate') next.duplicates++;
    else {
      next.accepted++;
      const slotClaimedBy = mailbox?.value.slotClaimedBy ?? record.id;
      if (!mailbox?.value.slotClaimedBy) next.slotsNeeded++;
      const { line, importId } = row;
      const written = { status: 'pending' as const, importId, line, openRow: openRowOf(row), slotClaimedBy };
      openedByAddress.set(row.address, written);
      opened.set(changes.length, { address: row.address, mailbox: written });
      changes.push(openMailbox(row, mailbox, now));
    }
  }
  const { importId: _same, ...patch } = next;
  changes.push({ op: 'mergePlan', importId: record.id, patch, tag: plan.tag });
  return { plan: next, changes, opened };
}
