import type { app } from '@azure/functions';
import {
  type CredentialList,
  type OrphanedSecretsDeps,
  removeOrphanedSecrets,
} from '../../shared/connections/lifecycle/remove-orphaned-secrets.ts';
import type { CustomerStore } from '../../shared/customers/customer-store.ts';
import { createTimer, type TimerDeps } from '../../shared/edge/background/timer.ts';
import { inOrder, type RunProgressStore, type RunStep, runInSteps } from '../../shared/kernel/resumable-run.ts';
import {
  type OrphanedSigningSecretsDeps,
  removeOrphanedSigningSecrets,
} from '../../shared/webhooks/remove-orphaned-signing-secrets.ts';

interface Deps extends TimerDeps, OrphanedSecretsDeps, OrphanedSigningSecretsDeps {
  customers: OrphanedSecretsDeps['customers'] & Pick<CustomerStore, 'list'>;
  orphanSearchProgress: RunProgressStore;
}

/**
 * Once a day: removes the secrets in the vault that nothing can use any more. A long search goes on the next day.
 * Removes nothing while there is no customer. One secret that fails does not hold up the others: the run fails at its end.
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
        const sums = { secrets: 0, removed: 0, failed: 0 };
        let firstError: unknown;
        const reports = {
          removed: (secret: Owner) => log('warn', 'orphaned_secret_removed', ownerOf(secret)),
          failed(secret: Owner, error: unknown) {
            firstError ??= error;
            sums.failed++;
            log('warn', 'orphan_search_failed', { ...ownerOf(secret), error });
          },
        };
        const counted = (search: (cursor: string | undefined) => ReturnType<typeof removeOrphanedSecrets>): RunStep => {
          return async (from) => {
            const { secrets, removed, cursor } = await search(from);
            sums.secrets += secrets;
            sums.removed += removed;
            return cursor;
          };
        };
        const credentials = (list: CredentialList) =>
          counted((cursor) => removeOrphanedSecrets(deps, list, cursor, reports));
        const everything = inOrder({
          secrets: credentials('vault'),
          certificates: credentials('certificates'),
          webhooks: counted((cursor) => removeOrphanedSigningSecrets(deps, cursor, reports)),
        });
        const run = await runInSteps({ progress: deps.orphanSearchProgress, clock: deps.clock }, everything);
        if (run) log('info', 'orphaned_secrets_searched', { ...sums, ...run });
        if (firstError !== undefined) throw firstError;
      },
    }),
  });
}

type Owner = { customerId: string; connectionId?: string; webhookId?: string };

function ownerOf({ customerId, connectionId, webhookId }: Owner): Owner {
  return { customerId, ...(connectionId && { connectionId }), ...(webhookId && { webhookId }) };
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
