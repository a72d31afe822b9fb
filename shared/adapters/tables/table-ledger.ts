import { odata, type TableClient } from '@azure/data-tables';
import type { CommitResult, Ledger, RowQuery } from '../../imports/ledger/ledger.ts';
import { type Mailbox, statusOf } from '../../mailboxes/mailbox.ts';
import { toStorageError, undefinedOn } from '../storage-errors.ts';
import { fromProperties } from './columns.ts';
import { toAction } from './ledger-actions.ts';
import {
  after,
  batchColumns,
  batchesFrom,
  between,
  identityColumns,
  identityKey,
  mailboxColumns,
  mailboxKey,
  planColumns,
  planKey,
  rowColumns,
  rowFilter,
  rowKey,
  talliesFrom,
  tallyColumns,
} from './ledger-entities.ts';
import { peekKnownEntities } from './peek-known-entities.ts';
import { purgePage, purgePartition } from './purge-partition.ts';
import {
  type Entity,
  eachEntity,
  PAGE_MAX,
  PAGE_REQUESTS_MAX,
  readEntities,
  readEntity,
  readPage,
  toTagged,
} from './read-entities.ts';
import { readKnownEntities } from './read-known-entities.ts';
import { transactionFailure } from './transaction-failure.ts';

/**
 * The ledgers of all connections in one table, with a partition for each.
 *
 * @param table a client that never repeats a write by itself: if the answer to a commit is lost, the repeated commit
 * would fail with a conflict.
 */
export function tableLedger(table: TableClient): Ledger {
  const range = (connectionId: string, prefix: string) =>
    eachEntity(table, between(connectionId, prefix, after(prefix)));
  const listTallies = (connectionId: string, importId: string) =>
    Array.fromAsync(
      eachEntity(table, between(connectionId, talliesFrom(importId), after(`t:${importId}:`))),
      (entity) => fromProperties(tallyColumns, entity),
    );

  return {
    getMailbox: (connectionId, address) => readEntity(table, mailboxColumns, connectionId, mailboxKey(address)),
    getRow: (connectionId, importId, line) => readEntity(table, rowColumns, connectionId, rowKey(importId, line)),
    getPlan: (connectionId, importId) => readEntity(table, planColumns, connectionId, planKey(importId)),
    async getMailboxes(connectionId, addresses) {
      const entities = await readKnownEntities(table, connectionId, addresses.map(mailboxKey));
      const mailboxes = entities.map((entity) => toTagged(mailboxColumns, entity));
      return new Map(mailboxes.map((mailbox) => [mailbox.value.address, mailbox]));
    },
    async getIdentities(connectionId, keys) {
      const entities = await readKnownEntities(table, connectionId, keys.map(identityKey));
      const identities = entities.map((entity) => toTagged(identityColumns, entity));
      return new Map(identities.map((identity) => [identity.value.key, identity]));
    },
    async peekIdentified(connectionId, keys, requestsMax) {
      const peek = (rowKeys: string[], columns: string[]) =>
        peekKnownEntities(table, connectionId, rowKeys, {
          requestsMax: Math.floor(requestsMax / 2),
          select: ['PartitionKey', 'RowKey', ...columns],
        });
      const identities = await peek(keys.map(identityKey), ['address']);
      const named = keys.slice(0, identities.answered).flatMap((key) => {
        const identity = identities.found.get(identityKey(key));
        return identity ? [{ key, mailbox: mailboxKey(fromProperties(identityColumns, identity).address) }] : [];
      });
      const holders = await peek(
        named.map(({ mailbox }) => mailbox),
        ['slotClaimedBy', 'identity'],
      );
      const mailboxes = new Map<string, Mailbox>();
      for (const { key, mailbox } of named) {
        const holder = holders.found.get(mailbox);
        if (holder) mailboxes.set(key, fromProperties(mailboxColumns, holder));
      }
      const beyond = named[holders.answered];
      return { mailboxes, answered: beyond ? keys.indexOf(beyond.key) : identities.answered };
    },
    async removeIdentity(connectionId, key, tag) {
      await undefinedOn([404, 412], table.deleteEntity(connectionId, identityKey(key), { etag: tag }));
    },
    async peekMailboxes(connectionId, addresses) {
      const keys = addresses.map(mailboxKey);
      const [first = ''] = keys;
      const last = keys.at(-1) ?? '';
      const filter = odata`PartitionKey eq ${connectionId} and RowKey ge ${first} and RowKey le ${last}`;
      const { items, cursor } = await readEntities(table, filter, {
        limit: PAGE_MAX * PAGE_REQUESTS_MAX,
        requestsMax: PAGE_REQUESTS_MAX,
        select: ['PartitionKey', 'RowKey', 'address', 'status', 'openRow', 'pausedAt'],
      });
      const mailboxes = items.map((entity) => fromProperties(mailboxColumns, entity));
      const reached = cursor === undefined ? last : (items.at(-1)?.rowKey ?? first);
      const beyond = keys.findIndex((key) => key > reached);
      return {
        mailboxes: new Map(mailboxes.map((mailbox) => [mailbox.address, mailbox])),
        answered: beyond === -1 ? keys.length : beyond,
      };
    },
    async *eachMailbox(connectionId) {
      for await (const entity of range(connectionId, 'm:')) yield toTagged(mailboxColumns, entity);
    },
    async countSlots(connectionId) {
      const filter = `${between(connectionId, 'm:', after('m:'))} and ${odata`slotClaimedBy gt ''`}`;
      let held = 0;
      for await (const _mailbox of eachEntity(table, filter, ['PartitionKey', 'RowKey'])) held++;
      return held;
    },
    async listMailboxes(connectionId, request, status) {
      const all = between(connectionId, 'm:', after('m:'));
      const stored = status === 'paused' ? odata`pausedAt gt ''` : odata`status eq ${status ?? ''}`;
      const filter = status === undefined ? all : `${all} and ${stored}`;
      const page = await readPage(table, mailboxColumns, filter, request);
      const isShown = (mailbox: Mailbox) => status === undefined || statusOf(mailbox) === status;
      return { ...page, items: page.items.filter((mailbox) => !mailbox.removedBy && isShown(mailbox)) };
    },
    async findMailboxes(connectionId, request, where) {
      const conditions = Object.entries(where).map(([field, value]) => `${field} ${odata`eq ${value}`}`);
      const filter = [between(connectionId, 'm:', after('m:')), ...conditions].join(' and ');
      const page = await readEntities(table, filter, { ...request, requestsMax: PAGE_REQUESTS_MAX });
      return { ...page, items: page.items.map((entity) => toTagged(mailboxColumns, entity)) };
    },
    async removeMailbox(connectionId, address, tag) {
      await undefinedOn([404, 412], table.deleteEntity(connectionId, mailboxKey(address), { etag: tag }));
    },
    async findRows(connectionId, importId, query) {
      const filter = rowFilter(connectionId, importId, query);
      const { items } = await readEntities(table, filter, { limit: query.limit });
      return items.map((entity) => toTagged(rowColumns, entity));
    },
    async scanRows(connectionId, importId, { fromLine, states, limit }) {
      const read = (query: RowQuery, requestsMax: number) =>
        readEntities(table, rowFilter(connectionId, importId, query), { limit, requestsMax });
      let page = await read({ fromLine, states, limit }, PAGE_REQUESTS_MAX);
      if (page.items.length === 0 && page.cursor !== undefined) {
        // Storage searches, and nothing tells how far it has come. Without a condition it shows every row that it reads.
        page = await read({ fromLine, limit }, 1);
      }
      const rows = page.items.map((entity) => fromProperties(rowColumns, entity));
      const last = rows.at(-1);
      return {
        rows: rows.filter(({ state }) => states.includes(state)),
        ...(page.cursor !== undefined && { nextLine: last ? last.line + 1 : fromLine }),
      };
    },
    listRows(connectionId, importId, request, state) {
      const prefix = `r:${importId}:`;
      const all = between(connectionId, prefix, after(prefix));
      const filter = state === undefined ? all : `${all} and ${odata`state eq ${state}`}`;
      return readPage(table, rowColumns, filter, request);
    },
    listTallies,
    async readSettled(connectionId, importId, from) {
      const filter = between(connectionId, batchesFrom(importId, from), after(`t:${importId}:`));
      const { items, cursor } = await readEntities(table, filter, { limit: PAGE_MAX, requestsMax: 1 });
      const isTally = ({ rowKey = '' }: Entity) => rowKey >= talliesFrom(importId);
      const batches = items.filter((item) => !isTally(item)).map((item) => fromProperties(batchColumns, item));
      if (cursor === undefined) {
        return { batches, tallies: items.filter(isTally).map((item) => fromProperties(tallyColumns, item)) };
      }
      // Storage may end a page anywhere. What it has not shown of the batches, the reader sees as a gap.
      const isAmongTallies = batches.length < items.length || items.length === 0;
      return { batches, ...(isAmongTallies && { tallies: await listTallies(connectionId, importId) }) };
    },
    async commit(connectionId, changes): Promise<CommitResult> {
      try {
        const done = await table.submitTransaction(changes.map((change) => toAction(connectionId, change)));
        return { committed: true, tags: done.subResponses.map((response) => response.etag ?? '') };
      } catch (error) {
        const failure = transactionFailure(error);
        if (!failure) throw toStorageError(error);
        return { committed: false, ...failure };
      }
    },
    async purgeImport(connectionId, importId) {
      for (const prefix of [`r:${importId}:`, `t:${importId}:`]) {
        const filter = between(connectionId, prefix, after(prefix));
        if (!(await purgePage(table, connectionId, filter))) return false;
      }
      await undefinedOn([404], table.deleteEntity(connectionId, planKey(importId)));
      return true;
    },
    purge: (connectionId) => purgePartition(table, connectionId),
  };
}
