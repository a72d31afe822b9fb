import type { ConnectionStore } from '../connections/connection-store.ts';
import type { ConsentStore } from '../connections/consent/consent-store.ts';
import type { ExpiryIndex } from '../connections/expiry/expiry-index.ts';
import type { CustomerPurger } from '../customers/purge-customer.ts';
import type { ImportStore } from '../imports/import-store.ts';
import type { RemovalSchedule } from '../imports/retention/removal-schedule.ts';
import type { UploadStore } from '../imports/upload/upload-store.ts';
import type { PoisonArchive } from '../operations/poison-archive.ts';
import { purgeWebhooks, type RemoveWebhookDeps } from '../webhooks/remove-webhook.ts';

interface Deps extends RemoveWebhookDeps {
  connections: Pick<ConnectionStore, 'list' | 'listDeletions' | 'purge'>;
  /** Deletes a connection now. Repeatable. */
  discardConnection: (customerId: string, connectionId: string) => Promise<void>;
  expiryIndex: Pick<ExpiryIndex, 'purge'>;
  consents: Pick<ConsentStore, 'purge'>;
  imports: Pick<ImportStore, 'purgeCustomer'>;
  uploads: Pick<UploadStore, 'purge'>;
  removals: Pick<RemovalSchedule, 'purge'>;
  poisonArchive: Pick<PoisonArchive, 'purge'>;
  purgeDirectories: CustomerPurger;
}

const PAGE_SIZE = 100;

/** What a deleted customer leaves in each part, in the order in which it is removed. */
export function buildCustomerPurgers(deps: Deps): CustomerPurger[] {
  return [
    async (customerId) => {
      for (;;) {
        const { items } = await deps.connections.list(customerId, { limit: PAGE_SIZE });
        if (items.length === 0) break;
        for (const { id } of items) await deps.discardConnection(customerId, id);
      }
      for (const deletion of await deps.connections.listDeletions()) {
        if (deletion.customerId === customerId) await deps.discardConnection(customerId, deletion.connectionId);
      }
    },
    // What interrupted requests have left: rows without a connection, pointers without an import, files without either.
    (customerId) => deps.imports.purgeCustomer(customerId),
    (customerId) => deps.uploads.purge(customerId),
    deps.purgeDirectories,
    (customerId) => deps.removals.purge(customerId),
    (customerId) => deps.expiryIndex.purge(customerId),
    (customerId) => deps.connections.purge(customerId),
    (customerId) => deps.consents.purge(customerId),
    // After the imports, whose ends are events.
    (customerId) => purgeWebhooks(deps, customerId),
    // Messages that could not be handled hold addresses.
    (customerId) => deps.poisonArchive.purge(customerId),
  ];
}
