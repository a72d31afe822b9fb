import { beforeEach, expect, it } from 'vitest';
import { createWebhook } from '../../../shared/webhooks/create-webhook.ts';
import { removeOrphanedSigningSecrets } from '../../../shared/webhooks/remove-orphaned-signing-secrets.ts';
import { rotateSecret } from '../../../shared/webhooks/rotate-secret.ts';
import { createApi } from '../../support/api.ts';

const HOUR_MS = 3_600_000;
const input = { url: 'https://hooks.test/', events: ['import.completed' as const] };

let deps: ReturnType<typeof createApi>['deps'];
let actor: { customerId: string; keyId: string; role: 'owner' };
beforeEach(async () => {
  const api = createApi();
  deps = api.deps;
  actor = { customerId: (await api.customer()).id, keyId: 'key_1', role: 'owner' };
});

const pass = (ms: number) => {
  deps.time.now = new Date(deps.time.now.getTime() + ms);
};
/** The request as a process makes it that dies when it calls this store. */
const dying = <T>(method: keyof typeof deps.webhooks, request: (deps: T) => Promise<unknown>) => {
  const webhooks = { ...deps.webhooks, [method]: () => new Promise<never>(() => undefined) };
  void request({ ...deps, webhooks } as T);
  return new Promise((resolve) => setTimeout(resolve, 20));
};

/** The whole search, part after part. */
async function search(all = deps) {
  const orphans: string[] = [];
  const failed: string[] = [];
  let removed = 0;
  let cursor: string | undefined;
  do {
    const found = await removeOrphanedSigningSecrets(all, cursor, {
      removed: ({ webhookId }) => orphans.push(webhookId),
      failed: ({ webhookId }) => failed.push(webhookId),
    });
    removed += found.removed;
    cursor = found.cursor;
  } while (cursor !== undefined);
  return { orphans, removed, failed };
}

it('removes the secret of a POST whose process has died, once it is an hour old, and says so', async () => {
  const { webhook } = await createWebhook(deps, actor, input);
  for (let i = 0; i < 5; i++) await dying('insert', (mine: typeof deps) => createWebhook(mine, actor, input));
  expect(deps.signingSecrets.owners()).toHaveLength(6);
  expect(await search()).toEqual({ orphans: [], removed: 0, failed: [] });
  pass(HOUR_MS);
  expect((await search()).orphans).toHaveLength(5);
  expect(deps.signingSecrets.owners()).toEqual([webhook.id]);
  const { items } = await deps.auditLog.list({ customerId: actor.customerId }, { limit: 9 });
  expect(items).toHaveLength(5);
  expect(items[0]).toMatchObject({ keyId: 'system', action: 'webhooks.remove-orphaned-secret', result: 'succeeded' });
});

it('goes on with the others when one secret cannot be removed', async () => {
  for (let i = 0; i < 5; i++) await dying('insert', (mine: typeof deps) => createWebhook(mine, actor, input));
  pass(HOUR_MS);
  const [stubborn] = deps.signingSecrets.owners();
  const remove = async (id: string, version: string) => {
    if (id === stubborn) throw new Error('unavailable');
    await deps.signingSecrets.remove(id, version);
  };
  const found = await search({ ...deps, signingSecrets: { ...deps.signingSecrets, remove } });
  expect(found).toMatchObject({ removed: 4, failed: [stubborn] });
  expect(deps.signingSecrets.owners()).toEqual([stubborn]);
});

it('lets the same POST be repeated after that, with a secret of its own', async () => {
  const id = deps.newId('hook');
  const repeated = { newId: () => id };
  await dying('insert', (mine: typeof deps) => createWebhook({ ...mine, ...repeated }, actor, input));
  pass(HOUR_MS);
  await search();
  const { webhook, secret } = await createWebhook({ ...deps, ...repeated }, actor, input);
  expect((await deps.signingSecrets.get(webhook.id, webhook.secretVersion))?.reveal()).toBe(secret);
});

it('removes the new secret of a rotation whose process has died, and never one that signs', async () => {
  const { webhook } = await createWebhook(deps, actor, input);
  await dying('update', (mine: typeof deps) => rotateSecret(mine, actor, webhook.id, HOUR_MS));
  const rotated = await rotateSecret(deps, actor, webhook.id, 48 * HOUR_MS);
  pass(HOUR_MS);
  expect(await search()).toEqual({ orphans: [webhook.id], removed: 1, failed: [] });
  expect(deps.signingSecrets.owners()).toEqual([webhook.id, webhook.id]);
  pass(48 * HOUR_MS);
  // The overlap is over: nothing that anybody has to be told.
  expect(await search()).toEqual({ orphans: [], removed: 1, failed: [] });
  expect(await deps.signingSecrets.get(webhook.id, rotated.webhook.secretVersion)).toBeDefined();
});
