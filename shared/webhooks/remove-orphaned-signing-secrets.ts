import { type OwnActionDeps, recordOwnAction } from '../kernel/record-own-action.ts';
import { removeUnusedSecrets } from '../kernel/remove-unused-secrets.ts';
import type { SigningSecrets, StoredSigningSecret } from './signing-secrets.ts';
import type { Webhook } from './webhook.ts';
import type { WebhookStore } from './webhook-store.ts';

export interface OrphanedSigningSecretsDeps extends OwnActionDeps {
  webhooks: Pick<WebhookStore, 'get'>;
  signingSecrets: Pick<SigningSecrets, 'page' | 'remove'>;
  /** A younger secret may belong to a record that is about to be written. */
  orphanedSecretAfterMs: number;
}

/** What a search tells. */
export interface OrphanedSigningSecretReports {
  /** Receives each secret without an owner, after it was removed. It is also in the audit log. */
  removed(orphan: StoredSigningSecret): void;
  /** Receives each secret that could not be looked up or removed. The next search tries it again. */
  failed(secret: StoredSigningSecret, error: unknown): void;
}

/**
 * Removes the signing secrets in one part of the vault that sign nothing any more: those that an interrupted request has
 * left, those of webhooks that are gone, and those whose overlap has ended. Repeatable. One that fails does not hold up the
 * others. Resolves to where the next part begins.
 */
export async function removeOrphanedSigningSecrets(
  deps: OrphanedSigningSecretsDeps,
  cursor: string | undefined,
  reports: OrphanedSigningSecretReports,
): Promise<{ secrets: number; removed: number; cursor?: string }> {
  const page = await deps.signingSecrets.page(cursor);
  return removeUnusedSecrets(
    page,
    (secret) => removeIfUnused(deps, secret, reports),
    (secret, error) => reports.failed(secret, error),
  );
}

/** Resolves to whether it has removed the secret. */
async function removeIfUnused(
  deps: OrphanedSigningSecretsDeps,
  secret: StoredSigningSecret,
  reports: OrphanedSigningSecretReports,
): Promise<boolean> {
  const { customerId, webhookId, version, storedAt } = secret;
  const now = deps.clock.now();
  if (now.getTime() - storedAt.getTime() < deps.orphanedSecretAfterMs) return false;
  const webhook = (await deps.webhooks.get(customerId, webhookId))?.value;
  if (webhook && signs(webhook, version, now)) return false;
  await deps.signingSecrets.remove(webhookId, version);
  const hasEnded = webhook?.previousSecrets?.some((previous) => previous.version === version);
  if (!hasEnded) {
    reports.removed(secret);
    await recordOwnAction(deps, { customerId, action: 'webhooks.remove-orphaned-secret', object: webhookId });
  }
  return true;
}

function signs({ secretVersion, previousSecrets = [] }: Webhook, version: string, now: Date): boolean {
  return version === secretVersion || previousSecrets.some((one) => one.version === version && one.endsAt > now);
}
