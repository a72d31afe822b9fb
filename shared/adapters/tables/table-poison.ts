import { odata, type TableClient } from '@azure/data-tables';
import type { PoisonArchive, PoisonedMessage } from '../../operations/poison-archive.ts';
import { undefinedOn } from '../storage-errors.ts';
import { type Columns, toProperties } from './columns.ts';
import { escapeKey } from './keys.ts';
import { eachEntity, PAGE_MAX, PAGE_REQUESTS_MAX, readEntities, readEntity, readPage } from './read-entities.ts';

const columns: Columns<PoisonedMessage> = {
  queue: 'text',
  key: 'text',
  message: 'json',
  isMalformed: 'flag',
  error: 'text',
  archivedAt: 'instant',
  state: 'text',
  decidedAt: 'instant',
};

/** A property holds up to 32 Ki characters. */
const ERROR_MAX_LENGTH = 16_000;
const UNDECIDED = "(state eq 'open' or state eq 'requeuing')";

/** The archive in one table, with a partition for each queue. */
export function tablePoisonArchive(table: TableClient): PoisonArchive {
  const toEntity = (entry: PoisonedMessage) => ({
    partitionKey: entry.queue,
    rowKey: escapeKey(entry.key),
    ...toProperties(columns, { ...entry, ...(entry.error && { error: entry.error.slice(0, ERROR_MAX_LENGTH) }) }),
  });

  /** Reads the whole archive. It is small, and a malformed message may name its customer anywhere. */
  async function removeNaming(id: string): Promise<void> {
    for await (const { partitionKey = '', rowKey = '', message, error } of eachEntity(table, "PartitionKey gt ''")) {
      if (!`${message} ${error}`.includes(id)) continue;
      await undefinedOn([404], table.deleteEntity(partitionKey, rowKey));
    }
  }

  return {
    // Storage refuses a key that is too long with 400.
    get: (queue, key) => readEntity(table, columns, queue, escapeKey(key), [404, 400]),
    insert: async (entry) => (await undefinedOn([409], table.createEntity(toEntity(entry)))) !== undefined,
    async update(entry, tag) {
      const written = await undefinedOn([404, 412], table.updateEntity(toEntity(entry), 'Replace', { etag: tag }));
      return written?.etag;
    },
    list: (queue, page) => readPage(table, columns, `${odata`PartitionKey eq ${queue}`} and ${UNDECIDED}`, page),
    async count(queue, max) {
      const filter = `${odata`PartitionKey eq ${queue}`} and ${UNDECIDED}`;
      const requestsMax = Math.ceil(max / PAGE_MAX) + PAGE_REQUESTS_MAX;
      const { items } = await readEntities(table, filter, { limit: max, select: ['PartitionKey'], requestsMax });
      return items.length;
    },
    listRequeuing: (before, page) =>
      readPage(table, columns, odata`state eq ${'requeuing'} and decidedAt lt ${before.toISOString()}`, page),
    async removeOld({ decided, archived }, max) {
      const isDecided = "(state eq 'requeued' or state eq 'discarded')";
      const isOld = odata`archivedAt lt ${archived.toISOString()}`;
      const filter = `(${isDecided} and ${odata`decidedAt lt ${decided.toISOString()}`}) or ${isOld}`;
      const { items } = await readEntities(table, filter, { limit: max, select: ['PartitionKey', 'RowKey'] });
      for (const { partitionKey = '', rowKey = '' } of items) {
        await undefinedOn([404], table.deleteEntity(partitionKey, rowKey));
      }
      return items.length;
    },
    remove: removeNaming,
    purge: removeNaming,
  };
}
