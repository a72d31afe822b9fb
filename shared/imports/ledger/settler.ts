import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import { identityKeysOf } from '../../mailboxes/identity.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import {
  countClaims,
  type IdentityClaim,
  identityChanges,
  removeFormerKeys,
  resolveClaims,
} from './claim-identities.ts';
import { CHANGES_MAX, CHANGES_OF_IMPORT, type Ledger, type LedgerChange, type Patch } from './ledger.ts';
import type { ReportBook } from './report-book.ts';
import { isSettled, openRowOf, type Row, type SettledState } from './row.ts';
import type { SerialByKey } from './serial-by-key.ts';
import type { SettledMailbox } from './settled-mailbox.ts';
import { addCounts, type TallyCounts, zeroCounts } from './tally.ts';
import type { TallyBook, TallyEntry } from './tally-book.ts';

/** What a result writes into its row and its mailbox. */
export interface SettledResult {
  state: SettledState | 'waiting';
  row: Patch<Row>;
  mailbox: Patch<Mailbox>;
  /** What the tally counts besides the state. */
  counts?: Partial<TallyCounts>;
}

/** The result of one row's check, ready to be written. */
interface Settlement extends SettledResult {
  connectionId: string;
  importId: string;
  line: number;
  address: string;
  /** The tag the row had when it was put on the queue. */
  rowTag: string;
  attempt: number;
  /** Which mailbox it is, if the connection is to look after it from now on. */
  claim?: IdentityClaim<SettledResult> | undefined;
  /** The keys of another mailbox, which the address reached before. */
  formerKeys?: readonly string[];
  /** When the message was sent, if this result shows how long messages are under way. */
  sentAt?: Date;
  /** Bad news about the tenant, which is written without waiting for other results. */
  urgent?: boolean;
}

/**
 * Writes results so that each counts exactly once.
 *
 * Results of one connection that finish together share a transaction: each row (conditional on its tag), its mailbox and
 * the identity of that, and this process's tally. Resolves to `written` once that is committed, or to `dropped` once it is certain that the
 * row needs nothing from this delivery: another delivery settled it, it waits, or it is gone. Delete the message only
 * after that. Rejects with `storage_unavailable` if the row may still be pending.
 */
export interface Settler {
  settle(settlement: Settlement): Promise<'written' | 'dropped'>;
  /** Writes this process's tally of an import alone, for the report in it. Does nothing if storage is unavailable. */
  writeReport(connectionId: string, importId: string): Promise<void>;
}

interface SettlerDeps {
  ledger: Ledger;
  serialByKey: SerialByKey;
  tallies: TallyBook;
  reports: Pick<ReportBook, 'landed'>;
  clock: Clock;
  sleep: (ms: number) => Promise<void>;
}

interface QueuedSettlement extends Settlement {
  queuedAt: number;
  identityTags?: ReadonlyMap<string, string> | undefined;
  isMailboxGone: boolean;
  resolve(result: 'written' | 'dropped'): void;
  reject(error: unknown): void;
}

interface Queue {
  items: QueuedSettlement[];
  isFlushing: boolean;
  /** When the newest timer ends. Older timers do nothing. */
  timerEndsAt: number | undefined;
}

const COMMITS_MAX = 12;
const RETRY_PAUSE_MS = 250;
const RETRY_PAUSE_MAX_MS = 4_000;

/**
 * @param options.together write as soon as this many results of a connection have finished
 * @param options.withinMs write after this time, however few there are
 */
export function createSettler(deps: SettlerDeps, options: { together: number; withinMs: number }): Settler {
  const queues = new Map<string, Queue>();
  const now = () => deps.clock.now().getTime();

  function schedule(connectionId: string, queue: Queue): void {
    if (queue.isFlushing) return;
    const [oldest] = queue.items;
    if (!oldest) return void queues.delete(connectionId);
    const isDue = queue.items.length >= options.together || queue.items.some(({ urgent }) => urgent);
    const dueAt = isDue ? now() : Math.max(now(), oldest.queuedAt + options.withinMs);
    if (queue.timerEndsAt !== undefined && queue.timerEndsAt <= dueAt) return;
    queue.timerEndsAt = dueAt;
    void deps.sleep(dueAt - now()).then(() => {
      if (queue.timerEndsAt === dueAt && !queue.isFlushing) void flush(connectionId, queue);
    });
  }

  // What finishes while a flush waits for its turn joins this flush or the next.
  async function flush(connectionId: string, queue: Queue): Promise<void> {
    queue.isFlushing = true;
    queue.timerEndsAt = undefined;
    let group: QueuedSettlement[] = [];
    try {
      await deps.serialByKey.run(connectionId, async () => {
        group = takeGroup(queue.items);
        for (const { importId, sentAt } of group) if (sentAt) deps.reports.landed(importId, sentAt);
        await commit(deps, connectionId, group);
      });
    } catch (error) {
      for (const item of group) item.reject(error);
    } finally {
      queue.isFlushing = false;
      schedule(connectionId, queue);
    }
  }

  return {
    settle(settlement) {
      return new Promise((resolve, reject) => {
        const queue = queues.get(settlement.connectionId) ?? { items: [], isFlushing: false, timerEndsAt: undefined };
        queues.set(settlement.connectionId, queue);
        queue.items.push({ ...settlement, queuedAt: now(), isMailboxGone: false, resolve, reject });
        schedule(settlement.connectionId, queue);
      });
    },
    async writeReport(connectionId, importId) {
      await deps.serialByKey.run(connectionId, async () => {
        const entry = deps.tallies.add(importId, {});
        const written = await deps.ledger.commit(connectionId, entry.changes).catch(() => undefined);
        if (written?.committed) entry.committed(written.tags[0] ?? '');
        else entry.abandon();
      });
    },
  };
}

/**
 * Takes what fits into one transaction: a row, a mailbox and its identity for each result, and a tally and a batch for
 * each import. A row, mailbox or identity may occur in it only once, so a second one stays in the queue.
 */
function takeGroup(queue: QueuedSettlement[]): QueuedSettlement[] {
  const group: QueuedSettlement[] = [];
  const rows = new Set<string>();
  const mailboxes = new Set<string>();
  const identities = new Set<string>();
  const imports = new Set<string>();
  let size = 0;
  for (let i = 0; i < queue.length; ) {
    const item = queue[i];
    if (!item) break;
    const row = openRowOf(item);
    const keys = item.claim ? identityKeysOf(item.claim.identity) : [];
    if (rows.has(row) || mailboxes.has(item.address) || keys.some((key) => identities.has(key))) {
      i++;
      continue;
    }
    imports.add(item.importId);
    size += 2 + countClaims(item);
    if (size + CHANGES_OF_IMPORT * imports.size > CHANGES_MAX) break;
    rows.add(row);
    for (const key of keys) identities.add(key);
    mailboxes.add(item.address);
    group.push(item);
    queue.splice(i, 1);
  }
  return group;
}

async function commit(deps: SettlerDeps, connectionId: string, group: QueuedSettlement[]): Promise<void> {
  let items = group;
  let rowConflicts = 0;
  await removeFormerKeys(deps.ledger, connectionId, items);
  // Without the tags of what is stored, the transaction would be refused.
  if (items.some(({ claim }) => claim?.isExpected)) await resolveClaims(deps.ledger, connectionId, items);
  for (let commits = 1; items.length > 0; commits++) {
    if (commits > COMMITS_MAX) {
      throw new DomainError('storage_unavailable', `Results met ${COMMITS_MAX} conflicts in a row.`);
    }
    const { changes, owners, entries } = toChanges(deps.tallies, items);
    let result: Awaited<ReturnType<Ledger['commit']>>;
    try {
      result = await deps.ledger.commit(connectionId, changes);
    } catch {
      // The transaction may have been committed anyway. Only the rows can tell.
      for (const { entry } of entries) entry.abandon();
      await deps.sleep(Math.min(RETRY_PAUSE_MAX_MS, RETRY_PAUSE_MS * 2 ** (commits - 1)));
      items = await keepUnsettled(deps.ledger, connectionId, items);
      continue;
    }
    if (result.committed) {
      for (const { entry, index } of entries) entry.committed(result.tags[index] ?? '');
      for (const item of items) item.resolve(item.isMailboxGone ? 'dropped' : 'written');
      return;
    }
    const owner = owners[result.index];
    if (!owner) throw new Error(`the transaction failed at change ${result.index}, which does not exist`);
    if (owner.kind === 'tally') {
      // The client library repeated a transaction whose answer was lost, and met its own tally. The rows may be
      // settled.
      owner.entry.abandon();
      items = await keepUnsettled(deps.ledger, connectionId, items);
    } else if (owner.kind === 'identity') {
      // One conflict names one identity only. The others of the group are as likely to be known already.
      await resolveClaims(deps.ledger, connectionId, items);
    } else if (owner.kind === 'mailbox' && result.why === 'absent') {
      owner.item.isMailboxGone = true;
    } else {
      // A refused transaction names one row only. After a second conflict, assume that many messages were sent twice.
      const doubtful = ++rowConflicts > 1 ? items : [owner.item];
      const kept = await keepUnsettled(deps.ledger, connectionId, doubtful);
      items = [...items.filter((item) => !doubtful.includes(item)), ...kept];
    }
  }
}

type ChangeOwner =
  | { kind: 'row' | 'mailbox' | 'identity'; item: QueuedSettlement }
  | { kind: 'tally'; entry: TallyEntry };

function toChanges(tallies: TallyBook, items: readonly QueuedSettlement[]) {
  const changes: LedgerChange[] = [];
  const owners: ChangeOwner[] = [];
  const counts = new Map<string, TallyCounts>();
  const settled = new Map<string, SettledMailbox[]>();
  for (const item of items) {
    // The customer removed this mailbox, so a verdict has nothing to apply to.
    const state = item.isMailboxGone ? 'cancelled' : item.state;
    const row: Patch<Row> = item.isMailboxGone ? { state } : { ...item.row, state };
    changes.push({ op: 'mergeRow', importId: item.importId, line: item.line, patch: row, tag: item.rowTag });
    owners.push({ kind: 'row', item });
    if (!item.isMailboxGone) {
      changes.push({ op: 'mergeMailbox', address: item.address, patch: item.mailbox });
      owners.push({ kind: 'mailbox', item });
      for (const change of identityChanges(item)) {
        changes.push(change);
        owners.push({ kind: 'identity', item });
      }
    }
    const change = { [state]: 1, ...(item.isMailboxGone ? {} : item.counts) };
    counts.set(item.importId, addCounts(counts.get(item.importId) ?? zeroCounts, change));
    if (isSettled(state)) {
      const { line, address } = item;
      const mailbox = { line, address, state, ...(row.cause && { cause: row.cause }) };
      settled.set(item.importId, [...(settled.get(item.importId) ?? []), mailbox]);
    }
  }
  const entries: { entry: TallyEntry; index: number }[] = [];
  for (const [importId, count] of counts) {
    const entry = tallies.add(importId, count, settled.get(importId));
    for (const change of entry.changes) {
      changes.push(change);
      owners.push({ kind: 'tally', entry });
    }
    entries.push({ entry, index: changes.length - 1 });
  }
  return { changes, owners, entries };
}

/**
 * Reads the rows again. Rows still pending in the same attempt are kept with their current tag; the others are done.
 */
async function keepUnsettled(
  ledger: Ledger,
  connectionId: string,
  items: readonly QueuedSettlement[],
): Promise<QueuedSettlement[]> {
  const kept: QueuedSettlement[] = [];
  const read = await Promise.allSettled(items.map((item) => ledger.getRow(connectionId, item.importId, item.line)));
  for (const [i, item] of items.entries()) {
    const answer = read[i];
    if (!answer || answer.status === 'rejected') {
      item.reject(answer?.reason);
      continue;
    }
    const row = answer.value;
    if (row && row.value.state === 'pending' && row.value.attempt === item.attempt) {
      kept.push(Object.assign(item, { rowTag: row.tag }));
    } else {
      item.resolve('dropped');
    }
  }
  return kept;
}
