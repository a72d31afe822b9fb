import type { TableClient } from '@azure/data-tables';
import type { PoisonArchive, PoisonedMessage } from '../../operations/poison-archive.ts';
import { translateStorageErrors, undefinedOn } from '../storage-errors.ts';
import { type Columns, toProperties } from './columns.ts';
import { escapeKey } from './keys.ts';
import { eachEntity } from './read-entities.ts';

const columns: Columns<PoisonedMessage> = {
  queue: 'text',
  key: 'text',
  message: 'json',
  error: 'text',
  archivedAt: 'instant',
};

/** A property holds up to 32 Ki characters. */
const ERROR_MAX_LENGTH = 16_000;

/** The archive in one table, with a partition for each queue. */
export function tablePoisonArchive(table: TableClient): PoisonArchive {
  /** Reads the whole archive. It is small, and a malformed message may name its customer anywhere. */
  async function removeNaming(id: string): Promise<void> {
    for await (const { partitionKey = '', rowKey = '', message, error } of eachEntity(table, "PartitionKey gt ''")) {
      if (!`${message} ${error}`.includes(id)) continue;
      await undefinedOn([404], table.deleteEntity(partitionKey, rowKey));
    }
  }

  return {
    async put({ error, ...entry }) {
      const known = error === undefined ? entry : { ...entry, error: error.slice(0, ERROR_MAX_LENGTH) };
      const entity = { partitionKey: entry.queue, rowKey: escapeKey(entry.key), ...toProperties(columns, known) };
      await translateStorageErrors(table.upsertEntity(entity, 'Merge'));
    },
    remove: removeNaming,
    purge: removeNaming,
  };
}
