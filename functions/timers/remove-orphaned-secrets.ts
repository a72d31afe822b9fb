import type { app } from '@azure/functions';
import { type OrphanedSecretsDeps, removeOrphanedSecrets } from '../../shared/connections/remove-orphaned-secrets.ts';
import type { CustomerStore } from '../../shared/customers/customer-store.ts';
import { createTimer, type TimerDeps } from '../../shared/edge/timer.ts';
import { inOrder, type RunProgressStore, runInSteps } from '../../shared/kernel/resumable-run.ts';
import {
  type OrphanedSigningSecretsDeps,
  removeOrphanedSigningSecrets,
} from '../../shared/webhooks/remove-orphaned-signing-secrets.ts';

interface Deps extends TimerDeps, OrphanedSecretsDeps, OrphanedSigningSecretsDeps {
  customers: OrphanedSecretsDeps['customers'] & Pick<CustomerStore, 'list'>;
  orphanSearchProgress: RunProgressStore;
}

/** Secrets of connections that one step looks at. */
const STEP_MAX = 100;

/**
 * Once a day: removes the secrets in the vault that nothing can use any more. A long search goes on the next day.
 * Removes nothing while there is no customer.
 */
export function addRemoveOrphanedSecretsTimer(host: Pick<typeof app, 'timer'>, deps: Deps): void {
  host.timer('remove-orphaned-secrets', {
    schedule: '%EXPIRY_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'remove-orphaned-secrets',
      async handle({ log }) {
        if (!(await isAnyCustomer(deps.customers))) {
          // Then every secret looks like an orphan, and it is more likely that the tables are lost or are others.
          log('warn', 'orphan_search_skipped', { reason: 'There is no customer. The tables may be lost.' });
          return;
        }
        const sums = { secrets: 0, removed: 0 };
        const add = ({ secrets, removed }: typeof sums) => {
          sums.secrets += secrets;
          sums.removed += removed;
        };
        const ofConnections = async (cursor: string | undefined) => {
          const report = ({ customerId, connectionId }: { customerId: string; connectionId: string }) =>
            log('warn', 'orphaned_secret_removed', { customerId, connectionId });
          const found = await removeOrphanedSecrets(deps, report, { cursor, max: STEP_MAX });
          add(found);
          return found.cursor;
        };
        const ofWebhooks = async (cursor: string | undefined) => {
          const found = await removeOrphanedSigningSecrets(deps, cursor, ({ customerId, webhookId }) =>
            log('warn', 'orphaned_secret_removed', { customerId, webhookId }),
          );
          add(found);
          return found.cursor;
        };
        const progress = deps.orphanSearchProgress;
        const run = await runInSteps({ progress, clock: deps.clock }, inOrder([ofConnections, ofWebhooks]));
        if (run) log('info', 'orphaned_secrets_searched', { ...sums, ...run });
      },
    }),
  });
}

async function isAnyCustomer(customers: Pick<CustomerStore, 'list'>): Promise<boolean> {
  let cursor: string | undefined;
  do {
    const page = await customers.list({ limit: 1, ...(cursor !== undefined && { cursor }) });
    if (page.items.length > 0) return true;
    cursor = page.cursor;
  } while (cursor !== undefined);
  return false;
}
