import type { TableClient } from '@azure/data-tables';
import type { ConsentRequest, ConsentStore } from '../../connections/consent-store.ts';
import { type Columns, fromProperties, toProperties } from './columns.ts';
import { unless } from './table-errors.ts';

const columns: Columns<ConsentRequest> = {
  stateHash: 'text',
  customerId: 'text',
  connectionId: 'text',
  expiresAt: 'instant',
  usedAt: 'instant',
};

const PARTITION = 'state';

/** Consent states in one table. */
export function tableConsents(table: TableClient): ConsentStore {
  const read = (stateHash: string) => unless(table.getEntity<Record<string, unknown>>(PARTITION, stateHash), 404);
  return {
    async insert(request) {
      const entity = { partitionKey: PARTITION, rowKey: request.stateHash, ...toProperties(columns, request) };
      await unless(table.createEntity(entity));
    },
    async get(stateHash) {
      const found = await read(stateHash);
      return found && fromProperties(columns, found);
    },
    async use(stateHash, at) {
      const found = await read(stateHash);
      if (!found || fromProperties(columns, found).usedAt) return false;
      const entity = { partitionKey: PARTITION, rowKey: stateHash, ...toProperties(columns, { usedAt: at }) };
      return (await unless(table.updateEntity(entity, 'Merge', { etag: found.etag }), 404, 412)) !== undefined;
    },
  };
}
