import { DomainError } from '../../kernel/errors.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Ledger, LedgerChange, Patch } from './ledger.ts';
import type { Row, SettledState } from './row.ts';
import type { SerialByKey } from './serial-by-key.ts';
import type { TallyCounts } from './tally.ts';
import type { TallyBook, TallyEntry } from './tally-book.ts';

/** What a check found out about one row, ready to be written. */
export interface Settlement {
  connectionId: string;
  importId: string;
  line: number;
  address: string;
  /** The tag of the row as it was when it was put on the queue. */
  rowTag: string;
  attempt: number;
  state: SettledState | 'waiting';
  row: Patch<Row>;
  mailbox: Patch<Mailbox>;
}

/**
 * Writes results so that each counts exactly once.
 *
 * Results of one connection that finish together share a transaction: each row conditional on its tag, its mailbox, and
 * this process's tally. Resolves once that is committed (`written`), or once it is known that the row needs nothing more
 * from this delivery (`dropped`: settled by another one, waiting, gone). Only then may the message be deleted. Rejects
 * with `storage_unavailable` when the row may still be pending.
 */
export interface Settler {
  settle(settlement: Settlement): Promise<'written' | 'dropped'>;
}

interface Deps {
  ledger: Ledger;
  serialByKey: SerialByKey;
  tallies: TallyBook;
}

interface Waiting extends Settlement {
  since: number;
  mailboxGone: boolean;
  resolve(result: 'written' | 'dropped'): void;
  reject(error: unknown): void;
}

/** 49 rows with their mailboxes, and the tallies of the imports they belong to. */
const PAIRS_MAX = 49;
const ATTEMPTS_MAX = 12;

export function createSettler(deps: Deps, options: { together: number; withinMs: number }): Settler {
  const queues = new Map<string, Waiting[]>();
  const timers = new Map<string, NodeJS.Timeout>();

  function schedule(connectionId: string): void {
    const queue = queues.get(connectionId);
    if (!queue || timers.has(connectionId)) return;
    const oldest = queue[0];
    if (!oldest) return void queues.delete(connectionId);
    const due = queue.length >= options.together ? 0 : Math.max(0, oldest.since + options.withinMs - Date.now());
    timers.set(
      connectionId,
      setTimeout(() => void flush(connectionId), due),
    );
  }

  // While a flush waits for its lane the timer stays set, so what finishes meanwhile joins it or the next one.
  async function flush(connectionId: string): Promise<void> {
    let taken: Waiting[] = [];
    try {
      await deps.serialByKey.run(connectionId, async () => {
        taken = take(queues.get(connectionId) ?? []);
        await commit(deps, connectionId, taken);
      });
    } catch (error) {
      for (const item of taken) item.reject(error);
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
        queue.push({ ...settlement, since: Date.now(), mailboxGone: false, resolve, reject });
        if (queue.length === options.together) {
          clearTimeout(timers.get(settlement.connectionId));
          timers.delete(settlement.connectionId);
        }
        schedule(settlement.connectionId);
      });
    },
  };
}

/** Takes what one transaction can hold; a row or mailbox may stand in it only once, so a second one waits its turn. */
function take(queue: Waiting[]): Waiting[] {
  const taken: Waiting[] = [];
  const rows = new Set<string>();
  const mailboxes = new Set<string>();
  for (let i = 0; i < queue.length && taken.length < PAIRS_MAX; ) {
    const item = queue[i];
    if (!item) break;
    const row = `${item.importId}:${item.line}`;
    if (rows.has(row) || mailboxes.has(item.address)) {
      i++;
      continue;
    }
    rows.add(row);
    mailboxes.add(item.address);
    taken.push(item);
    queue.splice(i, 1);
  }
  return taken;
}

async function commit(deps: Deps, connectionId: string, taken: Waiting[]): Promise<void> {
  let items = taken;
  let rowConflicts = 0;
  for (let attempt = 1; items.length > 0; attempt++) {
    if (attempt > ATTEMPTS_MAX) {
      throw new DomainError('storage_unavailable', `Results met ${ATTEMPTS_MAX} conflicts in a row.`);
    }
    const { changes, owners, entries } = toChanges(deps.tallies, items);
    let result: Awaited<ReturnType<Ledger['commit']>>;
    try {
      result = await deps.ledger.commit(connectionId, changes);
    } catch {
      // It may have been committed all the same: nothing is known until the rows are read again.
      for (const { entry } of entries) entry.abandon();
      items = await stillOurs(deps.ledger, connectionId, items);
      continue;
    }
    if (result.committed) {
      for (const { entry, index } of entries) entry.committed(result.tags[index] ?? '');
      for (const item of items) item.resolve(item.mailboxGone ? 'dropped' : 'written');
      return;
    }
    const owner = owners[result.index];
    if (!owner) throw new Error(`a transaction failed at ${result.index}, where nothing was`);
    if (owner.kind === 'tally') {
      // Someone holds a tally of ours: a lost answer, sent again by the client library. Its rows may be settled already.
      owner.entry.abandon();
      items = await stillOurs(deps.ledger, connectionId, items);
    } else if (owner.kind === 'mailbox' && result.why === 'absent') {
      owner.item.mailboxGone = true;
    } else {
      // A refused transaction names one row only. Where a second one follows, messages were sent twice on a large scale.
      const doubtful = ++rowConflicts > 1 ? items : [owner.item];
      const kept = await stillOurs(deps.ledger, connectionId, doubtful);
      items = [...items.filter((item) => !doubtful.includes(item)), ...kept];
    }
  }
}

type Owner = { kind: 'row' | 'mailbox'; item: Waiting } | { kind: 'tally'; entry: TallyEntry };

function toChanges(tallies: TallyBook, items: readonly Waiting[]) {
  const changes: LedgerChange[] = [];
  const owners: Owner[] = [];
  const counts = new Map<string, Partial<TallyCounts>>();
  for (const item of items) {
    // A mailbox that is gone was removed by its customer: there is nothing left to have a verdict about.
    const state = item.mailboxGone ? 'cancelled' : item.state;
    const row: Patch<Row> = item.mailboxGone ? { state } : { ...item.row, state };
    changes.push({ op: 'mergeRow', importId: item.importId, line: item.line, patch: row, tag: item.rowTag });
    owners.push({ kind: 'row', item });
    if (!item.mailboxGone) {
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

/** Reads the rows again: those still pending in the same attempt get their present tag, the others are done with. */
async function stillOurs(ledger: Ledger, connectionId: string, items: readonly Waiting[]): Promise<Waiting[]> {
  const kept: Waiting[] = [];
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
