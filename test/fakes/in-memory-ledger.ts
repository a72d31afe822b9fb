import {
  CHANGES_MAX,
  type CommitResult,
  type IdentityRecord,
  type Ledger,
  type LedgerChange,
} from '../../shared/imports/ledger/ledger.ts';
import type { PlanRecord } from '../../shared/imports/ledger/plan-record.ts';
import type { Row } from '../../shared/imports/ledger/row.ts';
import type { SettledBatch } from '../../shared/imports/ledger/settled-batch.ts';
import type { Tally } from '../../shared/imports/ledger/tally.ts';
import type { Page, PageRequest } from '../../shared/kernel/page.ts';
import type { Tagged } from '../../shared/kernel/tagged.ts';
import { type Mailbox, statusOf } from '../../shared/mailboxes/mailbox.ts';
import { copyOf } from './copy-of.ts';

type Records<T> = Map<string, Tagged<T>>;

/** What the ledger holds for one connection. Rows, plans, tallies and batches have keys that sort within their import. */
interface Partition {
  mailboxes: Records<Mailbox>;
  identities: Records<IdentityRecord>;
  rows: Records<Row>;
  plans: Records<PlanRecord>;
  tallies: Records<Tally>;
  batches: Records<SettledBatch>;
}

/** A ledger in memory, with the same transactions, tags and orders as the table. */
export function inMemoryLedger(): Ledger {
  const partitions = new Map<string, Partition>();
  let tags = 0;
  const partition = (connectionId: string): Partition => {
    const found = partitions.get(connectionId) ?? newPartition();
    partitions.set(connectionId, found);
    return found;
  };

  return {
    async getMailbox(connectionId, address) {
      return copyOf(partition(connectionId).mailboxes.get(address));
    },
    async getMailboxes(connectionId, addresses) {
      const { mailboxes } = partition(connectionId);
      const found = addresses.flatMap((address) => copyOf(mailboxes.get(address)) ?? []);
      return new Map(found.map((mailbox) => [mailbox.value.address, mailbox]));
    },
    async removeIdentity(connectionId, key, tag) {
      const { identities } = partition(connectionId);
      if (identities.get(key)?.tag === tag) identities.delete(key);
    },
    async getIdentities(connectionId, keys) {
      const { identities } = partition(connectionId);
      const found = keys.flatMap((key) => copyOf(identities.get(key)) ?? []);
      return new Map(found.map((identity) => [identity.value.key, identity]));
    },
    async peekIdentified(connectionId, keys) {
      const { identities, mailboxes } = partition(connectionId);
      const found = keys.flatMap((key) => {
        const mailbox = mailboxes.get(identities.get(key)?.value.address ?? '');
        return mailbox ? [[key, copyOf(mailbox.value)] as const] : [];
      });
      return { mailboxes: new Map(found), answered: keys.length };
    },
    async peekMailboxes(connectionId, addresses) {
      const { mailboxes } = partition(connectionId);
      const found = addresses.flatMap((address) => copyOf(mailboxes.get(address)?.value) ?? []);
      return { mailboxes: new Map(found.map((mailbox) => [mailbox.address, mailbox])), answered: addresses.length };
    },
    async *eachMailbox(connectionId) {
      yield* sorted(partition(connectionId).mailboxes);
    },
    async countSlots(connectionId) {
      const all = [...partition(connectionId).mailboxes.values()];
      return all.filter(({ value }) => value.slotClaimedBy !== undefined).length;
    },
    async listMailboxes(connectionId, request, status) {
      const all = sorted(partition(connectionId).mailboxes).map(({ value }) => ({ key: value.address, value }));
      return pageAfterKey(
        all.filter(({ value }) => !value.removedBy && (status === undefined || statusOf(value) === status)),
        request,
      );
    },
    async removeMailbox(connectionId, address, tag) {
      const { mailboxes } = partition(connectionId);
      if (mailboxes.get(address)?.tag === tag) mailboxes.delete(address);
    },
    async findMailboxes(connectionId, request, { importId, status }) {
      const found = sorted(partition(connectionId).mailboxes)
        .filter(({ value }) => importId === undefined || value.importId === importId)
        .filter(({ value }) => status === undefined || value.status === status);
      return pageAfterKey(
        found.map((mailbox) => ({ key: mailbox.value.address, value: mailbox })),
        request,
      );
    },
    async getRow(connectionId, importId, line) {
      return copyOf(partition(connectionId).rows.get(lineKey(importId, line)));
    },
    async findRows(connectionId, importId, { fromLine, toLine, states, dueBy, held, limit }) {
      return sorted(partition(connectionId).rows, `${importId}:`)
        .filter(({ value: row }) => row.line >= fromLine && (toLine === undefined || row.line < toLine))
        .filter(({ value: row }) => states === undefined || states.includes(row.state))
        .filter(({ value: row }) => held === undefined || row.heldAt !== undefined)
        .filter(({ value: row }) => dueBy === undefined || (row.nextCheckAt !== undefined && row.nextCheckAt <= dueBy))
        .slice(0, limit);
    },
    async scanRows(connectionId, importId, { fromLine, states, limit }) {
      const found = sorted(partition(connectionId).rows, `${importId}:`)
        .map(({ value }) => value)
        .filter((row) => row.line >= fromLine && states.includes(row.state));
      const rows = found.slice(0, limit);
      const last = rows.at(-1);
      return { rows, ...(found.length > limit && last && { nextLine: last.line + 1 }) };
    },
    async listRows(connectionId, importId, request, state) {
      const rows = sorted(partition(connectionId).rows, `${importId}:`).map(({ value }) => ({
        key: lineKey(importId, value.line),
        value,
      }));
      return pageAfterKey(
        rows.filter(({ value }) => state === undefined || value.state === state),
        request,
      );
    },
    async getPlan(connectionId, importId) {
      return copyOf(partition(connectionId).plans.get(importId));
    },
    async listTallies(connectionId, importId) {
      return sorted(partition(connectionId).tallies, `${importId}:`).map(({ value }) => value);
    },
    async readSettled(connectionId, importId, from) {
      const { batches, tallies } = partition(connectionId);
      const all = sorted(batches, `${importId}:`).map(({ value }) => value);
      const found = all.filter(({ settledAt }) => settledAt >= from);
      if (found.length > PAGE_MAX) return { batches: found.slice(0, PAGE_MAX) };
      return { batches: found, tallies: sorted(tallies, `${importId}:`).map(({ value }) => value) };
    },
    async commit(connectionId, changes): Promise<CommitResult> {
      const writes = changes.map((change) => toWrite(partition(connectionId), change));
      const records = new Set(writes.map(({ record }) => record));
      if (changes.length > CHANGES_MAX || records.size < changes.length) throw new Error('not a valid transaction');
      for (const [index, { refusal }] of writes.entries()) {
        if (refusal) return { committed: false, index, why: refusal };
      }
      return {
        committed: true,
        tags: writes.map(({ apply }) => {
          const tag = `tag-${++tags}`;
          apply(tag);
          return tag;
        }),
      };
    },
    async purgeImport(connectionId, importId) {
      const { plans, ...others } = partition(connectionId);
      plans.delete(importId);
      const ofImport = [others.rows, others.tallies, others.batches].flatMap((records) =>
        [...records.keys()].filter((key) => key.startsWith(`${importId}:`)).map((key) => ({ records, key })),
      );
      for (const { records, key } of ofImport.slice(0, 1_000)) records.delete(key);
      return ofImport.length === 0;
    },
    async purge(connectionId) {
      partitions.delete(connectionId);
    },
  };
}

/** As many as one page of Table Storage. */
const PAGE_MAX = 1000;

const newPartition = (): Partition => ({
  mailboxes: new Map(),
  identities: new Map(),
  rows: new Map(),
  plans: new Map(),
  tallies: new Map(),
  batches: new Map(),
});

const lineKey = (importId: string, line: number) => `${importId}:${String(line).padStart(9, '0')}`;

/** Copies of the records whose key begins with the prefix, in the order of their keys. */
function sorted<T>(records: Records<T>, prefix = ''): Tagged<T>[] {
  return [...records]
    .filter(([key]) => key.startsWith(prefix))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, record]) => copyOf(record));
}

/** One page of sorted items. The cursor is the key of the last item before it. */
function pageAfterKey<T>(items: { key: string; value: T }[], { limit, cursor }: PageRequest): Page<T> {
  const rest = items.filter((item) => cursor === undefined || item.key > cursor);
  const last = rest[limit - 1];
  return {
    items: rest.slice(0, limit).map((item) => item.value),
    ...(rest.length > limit && last && { cursor: last.key }),
  };
}

/** One change of a transaction, compared with what is stored. */
interface Write {
  /** Names the record. A transaction may write it only once. */
  record: string;
  refusal: 'exists' | 'absent' | 'changed' | undefined;
  apply(tag: string): void;
}

function toWrite({ mailboxes, identities, rows, plans, tallies, batches }: Partition, change: LedgerChange): Write {
  switch (change.op) {
    case 'createMailbox':
      return create('mailbox', mailboxes, change.mailbox.address, change.mailbox);
    case 'mergeMailbox':
      return replace('mailbox', mailboxes, change.address, change.tag, (mailbox) => merge(mailbox, change.patch));
    case 'createRow':
      return create('row', rows, lineKey(change.row.importId, change.row.line), change.row);
    case 'mergeRow': {
      const key = lineKey(change.importId, change.line);
      return replace('row', rows, key, change.tag, (row) => merge(row, change.patch));
    }
    case 'explainRow': {
      const { importId, line, cause, detail } = change;
      return replace('row', rows, lineKey(importId, line), undefined, (row) => merge(row, { cause, detail }));
    }
    case 'createPlan':
      return create('plan', plans, change.plan.importId, change.plan);
    case 'mergePlan':
      return replace('plan', plans, change.importId, change.tag, (plan) => merge(plan, change.patch));
    case 'createSettledBatch': {
      const { importId, settledAt, writer } = change.batch;
      const time = String(settledAt.getTime()).padStart(14, '0');
      return create('batch', batches, `${importId}:${time}.${writer}`, change.batch);
    }
    case 'writeIdentity': {
      const { identity, tag } = change;
      if (tag === undefined) return create('identity', identities, identity.key, identity);
      return replace('identity', identities, identity.key, tag, () => identity);
    }
    case 'writeTally': {
      const { tally, tag } = change;
      const key = `${tally.importId}:${tally.writer}`;
      if (tag === undefined) return create('tally', tallies, key, tally);
      return replace('tally', tallies, key, tag, () => tally);
    }
  }
}

function create<T>(kind: string, records: Records<T>, key: string, value: T): Write {
  return {
    record: `${kind} ${key}`,
    refusal: records.has(key) ? 'exists' : undefined,
    apply: (tag) => void records.set(key, { value: copyOf(value), tag }),
  };
}

/** Without an expected tag, the record only has to exist. */
function replace<T>(
  kind: string,
  records: Records<T>,
  key: string,
  expectedTag: string | undefined,
  change: (current: T) => T,
): Write {
  const record = `${kind} ${key}`;
  const current = records.get(key);
  if (!current) return { record, refusal: 'absent', apply: () => undefined };
  return {
    record,
    refusal: expectedTag !== undefined && expectedTag !== current.tag ? 'changed' : undefined,
    apply: (tag) => void records.set(key, { value: copyOf(change(current.value)), tag }),
  };
}

/** `null` clears a field. */
function merge<T extends object>(current: T, patch: object): T {
  const merged = { ...current };
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(merged, field);
    else Reflect.set(merged, field, value);
  }
  return merged;
}
