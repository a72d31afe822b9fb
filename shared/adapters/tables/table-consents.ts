import { odata, type TableClient } from '@azure/data-tables';
import type { ConsentRequest, ConsentStore } from '../../connections/consent/consent-store.ts';
import { undefinedOn } from '../storage-errors.ts';
import { type Columns, toProperties } from './columns.ts';
import { purgePartition } from './purge-partition.ts';
import { readEntity } from './read-entities.ts';

const columns: Columns<ConsentRequest> = {
  step: 'text',
  stateHash: 'text',
  customerId: 'text',
  connectionId: 'text',
  expiresAt: 'instant',
  usedAt: 'instant',
  signIn: 'json',
  adminId: 'text',
};

const PARTITION = 'state';

/** Consent links, all in one partition. */
export function tableConsents(table: TableClient): ConsentStore {
  const read = (stateHash: string) => readEntity(table, columns, PARTITION, stateHash);
  return {
    async insert(request) {
      const entity = { partitionKey: PARTITION, rowKey: request.stateHash, ...toProperties(columns, request) };
      // The hash is of a new random state. A row with it can only be this one, whose answer was lost.
      await undefinedOn([409], table.createEntity(entity));
    },
    async get(stateHash) {
      const found = (await read(stateHash))?.value;
      // Before there were steps, each was a consent link.
      return found && { ...found, step: found.step ?? 'consent' };
    },
    async use(stateHash, at) {
      const found = await read(stateHash);
      if (!found || found.value.usedAt) return false;
      const entity = { partitionKey: PARTITION, rowKey: stateHash, ...toProperties(columns, { usedAt: at }) };
      const written = await undefinedOn([404, 412], table.updateEntity(entity, 'Merge', { etag: found.tag }));
      return written !== undefined;
    },
    remove: (connectionId) => purgePartition(table, PARTITION, odata`connectionId eq ${connectionId}`),
    removeExpired: (before) => purgePartition(table, PARTITION, odata`expiresAt lt ${before.toISOString()}`),
    purge: (customerId) => purgePartition(table, PARTITION, odata`customerId eq ${customerId}`),
  };
}
