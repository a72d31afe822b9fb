import type { TableClient } from '@azure/data-tables';
import type { UploadLease, UploadLeaseStore } from '../../imports/upload/upload-lease-store.ts';
import { retryLostRaces } from '../../kernel/change-tagged.ts';
import { undefinedOn } from '../storage-errors.ts';
import { type Columns, toProperties } from './columns.ts';
import { readEntity } from './read-entities.ts';

const columns: Columns<UploadLease> = {
  customerId: 'text',
  connectionId: 'text',
  holder: 'text',
  until: 'instant',
};

const keyOf = (connectionId: string) => `upload:${connectionId}`;

/** Leases in the table of imports, in the partition of the customer. They are purged with its imports. */
export function tableUploadLeases(table: TableClient): UploadLeaseStore {
  const toEntity = (lease: UploadLease) => ({
    partitionKey: lease.customerId,
    rowKey: keyOf(lease.connectionId),
    ...toProperties(columns, lease),
  });
  const read = ({ customerId, connectionId }: UploadLease) =>
    readEntity(table, columns, customerId, keyOf(connectionId));
  const replace = async (lease: UploadLease, tag: string) =>
    (await undefinedOn([404, 412], table.updateEntity(toEntity(lease), 'Replace', { etag: tag })))?.etag;

  return {
    async take(lease, now) {
      const created = await undefinedOn([409], table.createEntity(toEntity(lease)));
      if (created?.etag !== undefined) return created.etag;
      const { tag } = await retryLostRaces(async () => {
        const found = await read(lease);
        if (!found) {
          const again = await undefinedOn([409], table.createEntity(toEntity(lease)));
          return again?.etag === undefined ? undefined : { tag: again.etag };
        }
        // Our own: the answer to an earlier try was lost.
        if (found.value.holder === lease.holder) return { tag: found.tag };
        if (found.value.until > now) return { tag: undefined };
        const taken = await replace(lease, found.tag);
        return taken === undefined ? undefined : { tag: taken };
      });
      return tag;
    },
    async renew(lease, tag) {
      const renewed = await replace(lease, tag);
      if (renewed !== undefined) return renewed;
      // The tag may be outdated only because the answer to our own renewal was lost.
      const found = await read(lease);
      return found?.value.holder === lease.holder ? found.tag : undefined;
    },
    async release({ customerId, connectionId }, tag) {
      await undefinedOn([404, 412], table.deleteEntity(customerId, keyOf(connectionId), { etag: tag }));
    },
  };
}
