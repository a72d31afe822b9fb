import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { ShownWebhook } from './create-webhook.ts';
import { noSuchWebhook, requireWebhook } from './require-webhook.ts';
import type { SigningSecrets } from './signing-secrets.ts';
import type { PreviousSecret } from './webhook.ts';
import { changeWebhook, type WebhookStore } from './webhook-store.ts';

/** Each one that is valid makes a signature. */
const PREVIOUS_MAX = 4;

/**
 * Gives a webhook a new secret. Until the overlap is over, deliveries carry signatures of both, so the receiver can
 * change its secret at any time in between. A rotation never makes an older secret last longer, and without overlap it
 * ends all of them.
 *
 * Somebody who gets no answer can rotate again: the secret that the receiver has keeps signing until its own end.
 *
 * @throws DomainError `not_found`, `vault_unavailable`
 */
export async function rotateSecret(
  deps: {
    webhooks: Pick<WebhookStore, 'get' | 'update'>;
    signingSecrets: Pick<SigningSecrets, 'create'>;
    clock: Clock;
  },
  actor: CustomerActor,
  webhookId: string,
  overlapMs: number,
): Promise<ShownWebhook> {
  const found = await requireWebhook(deps, actor, webhookId);
  const { text, version } = await deps.signingSecrets.create(found);
  const now = deps.clock.now();
  const end = new Date(now.getTime() + overlapMs);
  const endingBy = ({ version, endsAt }: PreviousSecret) => ({ version, endsAt: endsAt < end ? endsAt : end });
  const webhook = await changeWebhook(deps.webhooks, found, ({ previousSecrets = [], ...current }) => ({
    ...current,
    secretVersion: version,
    previousSecrets: [...previousSecrets.map(endingBy), { version: current.secretVersion, endsAt: end }]
      .filter(({ endsAt }) => endsAt > now)
      .slice(-PREVIOUS_MAX),
  }));
  if (!webhook) throw noSuchWebhook();
  return { webhook, secret: text };
}
