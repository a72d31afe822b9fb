import { odata, type TableClient } from '@azure/data-tables';
import type { Outbox, OutboxEntry } from '../../webhooks/outbox.ts';
import { translateStorageErrors, undefinedOn } from '../storage-errors.ts';
import { type Columns, toProperties } from './columns.ts';
import { readEntities, readEntity, toTagged } from './read-entities.ts';

const columns: Columns<OutboxEntry> = {
  customerId: 'text',
  source: 'text',
  id: 'text',
  notedAt: 'instant',
  connectionId: 'text',
  line: 'number',
};

/** The partition of all entries. They are few: each is gone minutes after it was published. No customer has this ID. */
export const OUTBOX = 'outbox';
const rowKeyOf = ({ source, id }: Pick<OutboxEntry, 'source' | 'id'>) => `${source}:${id}`;

/** The outbox, in the table of webhooks. */
export function tableOutbox(table: TableClient): Outbox {
  const toEntity = (entry: OutboxEntry) => ({
    partitionKey: OUTBOX,
    rowKey: rowKeyOf(entry),
    ...toProperties(columns, entry),
  });
  return {
    async note(entry) {
      await translateStorageErrors(table.upsertEntity(toEntity(entry), 'Replace'));
    },
    async begin(entry) {
      await undefinedOn([409], table.createEntity(toEntity(entry)));
    },
    get: (key) => readEntity(table, columns, OUTBOX, rowKeyOf(key)),
    async update(entry, tag) {
      const written = await undefinedOn([404, 412], table.updateEntity(toEntity(entry), 'Replace', { etag: tag }));
      return written?.etag;
    },
    async remove(key, tag) {
      await undefinedOn([404, 412], table.deleteEntity(OUTBOX, rowKeyOf(key), { etag: tag }));
    },
    async list(until, limit) {
      const filter = odata`PartitionKey eq ${OUTBOX} and notedAt le ${until.toISOString()}`;
      const { items } = await readEntities(table, filter, { limit });
      return items.map((entity) => toTagged(columns, entity));
    },
  };
}
