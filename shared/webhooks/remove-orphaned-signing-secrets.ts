import pLimit from 'p-limit';
import type { AuditLog } from '../kernel/audit-log.ts';
import type { Clock } from '../kernel/clock.ts';
import type { NewId } from '../kernel/ids.ts';
import type { SigningSecrets, StoredSigningSecret } from './signing-secrets.ts';
import type { Webhook } from './webhook.ts';
import type { WebhookStore } from './webhook-store.ts';

export interface OrphanedSigningSecretsDeps {
  webhooks: Pick<WebhookStore, 'get'>;
  customers: {
    /** Also finds a customer that is being deleted. */
    get(customerId: string): Promise<object | undefined>;
  };
  signingSecrets: Pick<SigningSecrets, 'page' | 'remove'>;
  auditLog: Pick<AuditLog, 'insert'>;
  clock: Clock;
  newId: NewId;
  /** A younger secret may belong to a record that is about to be written. */
  orphanedSecretAfterMs: number;
}

const LOOKUPS_AT_ONCE = 16;

/**
 * Removes the signing secrets in one part of the vault that sign nothing any more: those that an interrupted request has
 * left, those of webhooks that are gone, and those whose overlap has ended. Repeatable. Resolves to where the next part
 * begins.
 *
 * @param report receives each secret without an owner, after it was removed. It is also in the audit log
 */
export async function removeOrphanedSigningSecrets(
  deps: OrphanedSigningSecretsDeps,
  cursor: string | undefined,
  report: (orphan: StoredSigningSecret) => void,
): Promise<{ secrets: number; removed: number; cursor?: string }> {
  const limit = pLimit(LOOKUPS_AT_ONCE);
  const { items, ...rest } = await deps.signingSecrets.page(cursor);
  const removed = await Promise.all(items.map((secret) => limit(() => removeIfUnused(deps, secret, report))));
  return { ...rest, secrets: items.length, removed: removed.filter(Boolean).length };
}

/** Resolves to whether it has removed the secret. */
async function removeIfUnused(
  deps: OrphanedSigningSecretsDeps,
  secret: StoredSigningSecret,
  report: (orphan: StoredSigningSecret) => void,
): Promise<boolean> {
  const { customerId, webhookId, version, storedAt } = secret;
  const now = deps.clock.now();
  if (now.getTime() - storedAt.getTime() < deps.orphanedSecretAfterMs) return false;
  const webhook = (await deps.webhooks.get(customerId, webhookId))?.value;
  if (webhook && signs(webhook, version, now)) return false;
  await deps.signingSecrets.remove(webhookId, version);
  const hasEnded = webhook?.previousSecrets?.some((previous) => previous.version === version);
  if (!hasEnded) {
    report(secret);
    await recordRemoval(deps, secret);
  }
  return true;
}

function signs({ secretVersion, previousSecrets = [] }: Webhook, version: string, now: Date): boolean {
  return version === secretVersion || previousSecrets.some((one) => one.version === version && one.endsAt > now);
}

async function recordRemoval(
  deps: OrphanedSigningSecretsDeps,
  { customerId, webhookId }: StoredSigningSecret,
): Promise<void> {
  // Nothing may be written for a customer that is purged.
  const isCustomer = (await deps.customers.get(customerId)) !== undefined;
  const id = deps.newId('aud');
  await deps.auditLog.insert({
    id,
    at: deps.clock.now(),
    keyId: 'system',
    role: 'operator',
    ...(isCustomer && { customerId }),
    action: 'webhooks.remove-orphaned-secret',
    object: webhookId,
    result: 'succeeded',
    requestId: id,
  });
}
