import type { TableClient } from '@azure/data-tables';
import { retryLostRaces } from '../../kernel/change-tagged.ts';
import type { Lease, LeaseStore } from '../../kernel/lease-store.ts';
import { undefinedOn } from '../storage-errors.ts';
import { type Columns, toProperties } from './columns.ts';
import { readEntity } from './read-entities.ts';

interface LeaseKeys {
  partitionKey: string;
  rowKey: string;
}

/** Leases as rows of a table. `keysOf` tells which right a lease is about. */
export function tableLeases<L extends Lease>(
  table: TableClient,
  columns: Columns<L>,
  keysOf: (lease: L) => LeaseKeys,
): LeaseStore<L> {
  const toEntity = (lease: L) => ({ ...keysOf(lease), ...toProperties(columns, lease) });
  const read = (lease: L) => {
    const { partitionKey, rowKey } = keysOf(lease);
    return readEntity(table, columns, partitionKey, rowKey);
  };
  const replace = async (lease: L, tag: string) =>
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
    async release(lease, tag) {
      const { partitionKey, rowKey } = keysOf(lease);
      await undefinedOn([404, 412], table.deleteEntity(partitionKey, rowKey, { etag: tag }));
    },
  };
}
