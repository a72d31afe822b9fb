import { odata, type TableClient, type TransactionAction } from '@azure/data-tables';
import type { DirectoryEntry } from '../../directory/directory-entry.ts';
import type { DirectoryRecord } from '../../directory/directory-record.ts';
import type { DirectoryNote, DirectoryStore, EntryChange, NoteKind } from '../../directory/directory-store.ts';
import type { PageRequest } from '../../kernel/page.ts';
import { toStorageError, translateStorageErrors, undefinedOn } from '../storage-errors.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { escapeKey } from './keys.ts';
import { purgePartition, TRANSACTION_MAX } from './purge-partition.ts';
import { eachEntity, PAGE_MAX, PAGE_REQUESTS_MAX, readEntities, readEntity } from './read-entities.ts';
import { readKnownEntities } from './read-known-entities.ts';
import { transactionFailure } from './transaction-failure.ts';

const recordColumns: Columns<DirectoryRecord> = {
  connectionId: 'text',
  customerId: 'text',
  round: 'text',
  changesLink: 'text',
  readAt: 'instant',
  read: 'json',
  finding: 'json',
  lease: 'json',
};

const entryColumns: Columns<DirectoryEntry> = {
  id: 'text',
  address: 'text',
  displayName: 'text',
  kind: 'text',
  isEligible: 'flag',
  reason: 'text',
  judgement: 'text',
  judgedAt: 'instant',
  round: 'text',
};

const noteColumns: Columns<DirectoryNote> = { customerId: 'text', connectionId: 'text', at: 'instant' };

/** Partitions of notes. No connection has one of these IDs. */
const noteKinds = ['reading', 'kept'] as const satisfies NoteKind[];

const RECORD = 'record';
/** Of the address in a key. A key has at most 512 characters. */
const KEY_MAX_LENGTH = 400;
/** Each entry twice: by its ID, and in the order of addresses. A space sorts before every character of an address. */
const idKey = (id: string) => `i:${escapeKey(id)}`;
const addressKey = ({ address, id }: Pick<DirectoryEntry, 'address' | 'id'>) =>
  `a:${escapeKey(address).slice(0, KEY_MAX_LENGTH)} ${escapeKey(id)}`;
const BY_ADDRESS = { from: 'a:', to: 'a;' };
const ENTRIES = { from: BY_ADDRESS.from, to: 'i;' };

/** Rows that a transaction writes beside the record. */
const ROWS_MAX = TRANSACTION_MAX - 1;

/**
 * @param table a client that never repeats a write by itself: if the answer to a commit is lost, the repeated commit
 * would look like another writer
 */
export function tableDirectory(table: TableClient): DirectoryStore {
  const toEntity = (record: DirectoryRecord) => ({
    partitionKey: record.connectionId,
    rowKey: RECORD,
    ...toProperties(recordColumns, record),
  });

  /** Writes the actions together with the record. Resolves to the record's new tag. */
  async function submit(
    record: DirectoryRecord,
    tag: string,
    actions: TransactionAction[],
  ): Promise<string | undefined> {
    const update: TransactionAction = ['update', toEntity(record), 'Replace', { etag: tag }];
    try {
      const response = await table.submitTransaction([update, ...actions]);
      return response.subResponses[0]?.etag;
    } catch (error) {
      // Only the record is written conditionally.
      if (transactionFailure(error)) return undefined;
      throw toStorageError(error);
    }
  }

  const store: DirectoryStore = {
    get: (connectionId) => readEntity(table, recordColumns, connectionId, RECORD),
    async put(record, tag) {
      const entity = toEntity(record);
      const written =
        tag === undefined
          ? await undefinedOn([409], table.createEntity(entity))
          : await undefinedOn([404, 412], table.updateEntity(entity, 'Replace', { etag: tag }));
      return written?.etag;
    },
    async commit(before, record, tag, changes) {
      const existing = await existingRows(record.connectionId, changes);
      const groups = inGroups(changes.map((change) => toActions(record.connectionId, change, existing)));
      const last = groups.pop() ?? [];
      let held: string | undefined = tag;
      for (const group of groups) held = held && (await submit(before, held, group));
      return held && (await submit(record, held, last));
    },
    async sweep(record, tag, cursor) {
      const { connectionId, round } = record;
      const rows = odata`PartitionKey eq ${connectionId} and RowKey ge ${ENTRIES.from} and RowKey lt ${ENTRIES.to}`;
      const page = await readEntities(table, `${rows} and ${odata`round ne ${round}`}`, {
        limit: PAGE_MAX,
        requestsMax: PAGE_REQUESTS_MAX,
        select: ['PartitionKey', 'RowKey'],
        ...(cursor !== undefined && { cursor }),
      });
      const removals = page.items.map(({ rowKey = '' }): TransactionAction[] => [
        ['delete', { partitionKey: connectionId, rowKey }],
      ]);
      let held: string | undefined = tag;
      for (const group of inGroups(removals)) held = held && (await submit(record, held, group));
      return held === undefined ? undefined : { tag: held, ...(page.cursor !== undefined && { cursor: page.cursor }) };
    },
    async getMany(connectionId, ids) {
      const entities = await readKnownEntities(table, connectionId, ids.map(idKey));
      return entities.map((entity) => fromProperties(entryColumns, entity));
    },
    list(connectionId, request, { isEligible, kind }) {
      const where = [
        ...(isEligible === undefined ? [] : [odata`isEligible eq ${isEligible}`]),
        ...(kind === undefined ? [] : [odata`kind eq ${kind}`]),
      ];
      return listByAddress(connectionId, request, where);
    },
    cursorAfter: (entry) => JSON.stringify({ after: addressKey(entry) }),
    listDue(connectionId, request, refusedBefore) {
      const refused = odata`judgement eq 'refused' and judgedAt lt ${refusedBefore.toISOString()}`;
      return listByAddress(connectionId, request, [`(judgement eq 'due' or (${refused}))`]);
    },
    async purge(connectionId) {
      // First the record: from then on no reader can add an entry.
      await undefinedOn([404], table.deleteEntity(connectionId, RECORD));
      await purgePartition(table, connectionId);
    },

    async note(kind, note) {
      const entity = { partitionKey: kind, rowKey: note.connectionId, ...toProperties(noteColumns, note) };
      await translateStorageErrors(table.upsertEntity(entity, 'Replace'));
    },
    async forget(kind, connectionId) {
      await undefinedOn([404], table.deleteEntity(kind, connectionId));
    },
    async *eachDue(kind, now) {
      const filter = odata`PartitionKey eq ${kind} and at le ${now.toISOString()}`;
      for await (const entity of eachEntity(table, filter)) yield fromProperties(noteColumns, entity);
    },
    async *eachOf(customerId) {
      for (const kind of noteKinds) {
        const filter = odata`PartitionKey eq ${kind} and customerId eq ${customerId}`;
        for await (const entity of eachEntity(table, filter)) yield fromProperties(noteColumns, entity);
      }
    },
  };
  return store;

  /** Keys of rows that are to be removed and exist. Storage refuses a whole transaction that removes an absent row. */
  async function existingRows(connectionId: string, changes: readonly EntryChange[]): Promise<Set<string>> {
    const keys = changes.flatMap((change) => removedKeys(change));
    const found = await readKnownEntities(table, connectionId, keys);
    return new Set(found.map(({ rowKey = '' }) => rowKey));
  }

  async function listByAddress(connectionId: string, { limit, cursor }: PageRequest, where: readonly string[]) {
    const { after, token } = readCursor(cursor);
    const range = odata`PartitionKey eq ${connectionId} and RowKey gt ${after} and RowKey lt ${BY_ADDRESS.to}`;
    const filter = [range, ...where].join(' and ');
    const request = { limit, requestsMax: PAGE_REQUESTS_MAX, ...(token !== undefined && { cursor: token }) };
    const page = await readEntities(table, filter, request);
    const items = page.items.map((entity) => fromProperties(entryColumns, entity));
    return page.cursor === undefined ? { items } : { items, cursor: JSON.stringify({ after, token: page.cursor }) };
  }
}

/** Where a page begins: after a row, and perhaps where storage stopped to look for rows that match. */
function readCursor(cursor: string | undefined): { after: string; token?: string } {
  return cursor === undefined ? { after: BY_ADDRESS.from } : JSON.parse(cursor);
}

/** Puts as many changes together as fit into a transaction. The rows of one change stay together. */
function inGroups(changes: readonly TransactionAction[][]): TransactionAction[][] {
  const groups: TransactionAction[][] = [];
  for (const rows of changes) {
    const group = groups.at(-1);
    if (group && group.length + rows.length <= ROWS_MAX) group.push(...rows);
    else groups.push([...rows]);
  }
  return groups;
}

function removedKeys(change: EntryChange): string[] {
  if (change.op === 'remove') return [idKey(change.id), addressKey(change)];
  const { entry, previousAddress } = change;
  if (previousAddress === undefined || previousAddress === entry.address) return [];
  return [addressKey({ id: entry.id, address: previousAddress })];
}

function toActions(partitionKey: string, change: EntryChange, existing: ReadonlySet<string>): TransactionAction[] {
  const removals = removedKeys(change)
    .filter((rowKey) => existing.has(rowKey))
    .map((rowKey): TransactionAction => ['delete', { partitionKey, rowKey }]);
  if (change.op === 'remove') return removals;
  const properties = toProperties(entryColumns, change.entry);
  const writes = [idKey(change.entry.id), addressKey(change.entry)].map(
    (rowKey): TransactionAction => ['upsert', { partitionKey, rowKey, ...properties }, 'Replace'],
  );
  return [...removals, ...writes];
}
