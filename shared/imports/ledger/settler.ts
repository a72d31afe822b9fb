import { DomainError } from '../../kernel/errors.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import { CHANGES_MAX, type Ledger, type LedgerChange, type Patch } from './ledger.ts';
import { openRowOf, type Row, type SettledState } from './row.ts';
import type { SerialByKey } from './serial-by-key.ts';
import type { TallyCounts } from './tally.ts';
import type { TallyBook, TallyEntry } from './tally-book.ts';

/** The result of one row's check, ready to be written. */
interface Settlement {
  connectionId: string;
  importId: string;
  line: number;
  address: string;
  /** The tag the row had when it was put on the queue. */
  rowTag: string;
  attempt: number;
  state: SettledState | 'waiting';
  row: Patch<Row>;
  mailbox: Patch<Mailbox>;
}

/**
 * Writes results so that each counts exactly once.
 *
 * Results of one connection that finish together share a transaction: each row (conditional on its tag), its mailbox,
 * and this process's tally. Resolves to `written` once that is committed, or to `dropped` once it is certain that the
 * row needs nothing from this delivery: another delivery settled it, it waits, or it is gone. Delete the message only
 * after that. Rejects with `storage_unavailable` if the row may still be pending.
 */
export interface Settler {
  settle(settlement: Settlement): Promise<'written' | 'dropped'>;
}

interface SettlerDeps {
  ledger: Ledger;
  serialByKey: SerialByKey;
  tallies: TallyBook;
}

interface QueuedSettlement extends Settlement {
  queuedAt: number;
  isMailboxGone: boolean;
  resolve(result: 'written' | 'dropped'): void;
  reject(error: unknown): void;
}

const COMMITS_MAX = 12;

/**
 * @param options.together write as soon as this many results of a connection have finished
 * @param options.withinMs write after this time, however few there are
 */
export function createSettler(deps: SettlerDeps, options: { together: number; withinMs: number }): Settler {
  const queues = new Map<string, QueuedSettlement[]>();
  const timers = new Map<string, NodeJS.Timeout>();

  function schedule(connectionId: string): void {
    const queue = queues.get(connectionId);
    if (!queue || timers.has(connectionId)) return;
    const oldest = queue[0];
    if (!oldest) return void queues.delete(connectionId);
    const dueInMs = queue.length >= options.together ? 0 : Math.max(0, oldest.queuedAt + options.withinMs - Date.now());
    timers.set(
      connectionId,
      setTimeout(() => void flush(connectionId), dueInMs),
    );
  }

  // The timer stays set while a flush waits for its turn. What finishes in that time joins this flush or the next.
  async function flush(connectionId: string): Promise<void> {
    let group: QueuedSettlement[] = [];
    try {
      await deps.serialByKey.run(connectionId, async () => {
        group = takeGroup(queues.get(connectionId) ?? []);
        await commit(deps, connectionId, group);
      });
    } catch (error) {
      for (const item of group) item.reject(error);
    } finally {
      timers.delete(connectionId);
      schedule(connectionId);
    }
  }

  return {
    settle(settlement) {
      return new Promise((resolve, reject) => {
        const queue = queues.get(settlement.connectionId) ?? [];
        queues.set(settlement.connectionId, queue);
        queue.push({ ...settlement, queuedAt: Date.now(), isMailboxGone: false, resolve, reject });
        if (queue.length === options.together) {
          clearTimeout(timers.get(settlement.connectionId));
          timers.delete(settlement.connectionId);
        }
        schedule(settlement.connectionId);
      });
    },
  };
}

/**
 * Takes what fits into one transaction: a row and a mailbox for each result, and a tally for each import. A row or
 * mailbox may occur in it only once, so a second one stays in the queue.
 */
function takeGroup(queue: QueuedSettlement[]): QueuedSettlement[] {
  const group: QueuedSettlement[] = [];
  const rows = new Set<string>();
  const mailboxes = new Set<string>();
  const imports = new Set<string>();
  for (let i = 0; i < queue.length; ) {
    const item = queue[i];
    if (!item) break;
    const row = openRowOf(item);
    if (rows.has(row) || mailboxes.has(item.address)) {
      i++;
      continue;
    }
    imports.add(item.importId);
    if (2 * (group.length + 1) + imports.size > CHANGES_MAX) break;
    rows.add(row);
    mailboxes.add(item.address);
    group.push(item);
    queue.splice(i, 1);
  }
  return group;
}

async function commit(deps: SettlerDeps, connectionId: string, group: QueuedSettlement[]): Promise<void> {
  let items = group;
  let rowConflicts = 0;
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

type ChangeOwner = { kind: 'row' | 'mailbox'; item: QueuedSettlement } | { kind: 'tally'; entry: TallyEntry };

function toChanges(tallies: TallyBook, items: readonly QueuedSettlement[]) {
  const changes: LedgerChange[] = [];
  const owners: ChangeOwner[] = [];
  const counts = new Map<string, Partial<TallyCounts>>();
  for (const item of items) {
    // The customer removed this mailbox, so a verdict has nothing to apply to.
    const state = item.isMailboxGone ? 'cancelled' : item.state;
    const row: Patch<Row> = item.isMailboxGone ? { state } : { ...item.row, state };
    changes.push({ op: 'mergeRow', importId: item.importId, line: item.line, patch: row, tag: item.rowTag });
    owners.push({ kind: 'row', item });
    if (!item.isMailboxGone) {
      changes.push({ op: 'mergeMailbox', address: item.address, patch: item.mailbox });
      owners.push({ kind: 'mailbox', item });
    }
    const count = counts.get(item.importId) ?? {};
    count[state] = (count[state] ?? 0) + 1;
    counts.set(item.importId, count);
  }
  const entries: { entry: TallyEntry; index: number }[] = [];
  for (const [importId, count] of counts) {
    const entry = tallies.add(importId, count);
    entries.push({ entry, index: changes.length });
    changes.push(entry.change);
    owners.push({ kind: 'tally', entry });
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
