import type { CommitResult, Ledger, LedgerChange } from '../../shared/imports/ledger/ledger.ts';
import { CHANGES_MAX } from '../../shared/imports/ledger/ledger.ts';
import type { PlanRecord } from '../../shared/imports/ledger/plan-record.ts';
import type { Row } from '../../shared/imports/ledger/row.ts';
import type { Tally } from '../../shared/imports/ledger/tally.ts';
import type { Page, PageRequest } from '../../shared/kernel/page.ts';
import type { Tagged } from '../../shared/kernel/tagged.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';

type Kept = Mailbox | Row | PlanRecord | Tally;

const lineKey = (importId: string, line: number) => `r:${importId}:${String(line).padStart(9, '0')}`;

/** Ledgers in memory, with the same transactions, tags and orders as the table. */
export function inMemoryLedger(): Ledger {
  const partitions = new Map<string, Map<string, Tagged<Kept>>>();
  let tags = 0;
  const partition = (connectionId: string) => {
    let found = partitions.get(connectionId);
    if (!found) {
      found = new Map();
      partitions.set(connectionId, found);
    }
    return found;
  };
  const read = <T extends Kept>(connectionId: string, key: string) => {
    const found = partition(connectionId).get(key);
    return found && (structuredClone(found) as Tagged<T>);
  };
  const range = <T extends Kept>(connectionId: string, prefix: string): Tagged<T>[] =>
    [...partition(connectionId).entries()]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, kept]) => structuredClone(kept) as Tagged<T>);
  const page = <T>(items: { key: string; value: T }[], { limit, cursor }: PageRequest): Page<T> => {
    const rest = items.filter((item) => cursor === undefined || item.key > cursor);
    const last = rest[limit - 1];
    return {
      items: rest.slice(0, limit).map((item) => item.value),
      ...(rest.length > limit && last && { cursor: last.key }),
    };
  };

  return {
    async getMailbox(connectionId, address) {
      return read<Mailbox>(connectionId, `m:${address}`);
    },
    async *eachMailbox(connectionId) {
      yield* range<Mailbox>(connectionId, 'm:');
    },
    async listMailboxes(connectionId, request, status) {
      const all = range<Mailbox>(connectionId, 'm:').map(({ value }) => ({ key: value.address, value }));
      return page(
        all.filter(({ value }) => status === undefined || value.status === status),
        request,
      );
    },
    async getRow(connectionId, importId, line) {
      return read<Row>(connectionId, lineKey(importId, line));
    },
    async findRows(connectionId, importId, { fromLine, toLine, states, dueBy, limit }) {
      return range<Row>(connectionId, `r:${importId}:`)
        .filter(({ value: row }) => row.line >= fromLine && (toLine === undefined || row.line < toLine))
        .filter(({ value: row }) => states === undefined || states.includes(row.state))
        .filter(({ value: row }) => dueBy === undefined || (row.nextCheckAt !== undefined && row.nextCheckAt <= dueBy))
        .slice(0, limit);
    },
    async listRows(connectionId, importId, request, state) {
      const rows = range<Row>(connectionId, `r:${importId}:`).map(({ value }) => ({
        key: lineKey(importId, value.line),
        value,
      }));
      return page(
        rows.filter(({ value }) => state === undefined || value.state === state),
        request,
      );
    },
    async getPlan(connectionId, importId) {
      return read<PlanRecord>(connectionId, `p:${importId}`);
    },
    async listTallies(connectionId, importId) {
      return range<Tally>(connectionId, `t:${importId}:`).map(({ value }) => value);
    },
    async commit(connectionId, changes): Promise<CommitResult> {
      const kept = partition(connectionId);
      const keys = changes.map(keyOf);
      if (changes.length > CHANGES_MAX || new Set(keys).size < keys.length) throw new Error('not a valid transaction');
      for (const [index, change] of changes.entries()) {
        const current = kept.get(keys[index] ?? '');
        const tag = 'tag' in change ? change.tag : undefined;
        const isCreate = change.op.startsWith('create') || (change.op === 'writeTally' && tag === undefined);
        if (isCreate && current) return { committed: false, index, why: 'exists' };
        if (!isCreate && !current) return { committed: false, index, why: 'absent' };
        if (tag !== undefined && tag !== current?.tag) return { committed: false, index, why: 'changed' };
      }
      return {
        committed: true,
        tags: changes.map((change, index) => {
          const key = keys[index] ?? '';
          const tag = `tag-${++tags}`;
          const next = apply(kept.get(key)?.value, change);
          kept.set(key, { value: structuredClone(next), tag });
          return tag;
        }),
      };
    },
    async purge(connectionId) {
      partitions.delete(connectionId);
    },
  };
}

function keyOf(change: LedgerChange): string {
  switch (change.op) {
    case 'createMailbox':
      return `m:${change.mailbox.address}`;
    case 'mergeMailbox':
      return `m:${change.address}`;
    case 'createRow':
      return lineKey(change.row.importId, change.row.line);
    case 'mergeRow':
      return lineKey(change.importId, change.line);
    case 'createPlan':
      return `p:${change.plan.importId}`;
    case 'mergePlan':
      return `p:${change.importId}`;
    case 'writeTally':
      return `t:${change.tally.importId}:${change.tally.writer}`;
  }
}

function apply(current: Kept | undefined, change: LedgerChange): Kept {
  switch (change.op) {
    case 'createMailbox':
      return change.mailbox;
    case 'createRow':
      return change.row;
    case 'createPlan':
      return change.plan;
    case 'writeTally':
      return change.tally;
    default:
      return merge(current, change.patch);
  }
}

/** `null` clears a field. A field that a record must have is never cleared, so the result is a record again. */
function merge(current: Kept | undefined, patch: object): Kept {
  const fields = Object.entries({ ...current, ...patch }).filter(([, value]) => value !== null);
  return Object.fromEntries(fields) as Kept;
}
