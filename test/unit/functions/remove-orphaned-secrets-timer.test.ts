import { InvocationContext, type Timer, type TimerHandler } from '@azure/functions';
import { expect, it, vi } from 'vitest';
import { addRemoveOrphanedSecretsTimer } from '../../../functions/timers/remove-orphaned-secrets.ts';

async function* listed(...items: object[]) {
  yield* items;
}

/** Runs the timer over a vault with one old secret that no record names. */
async function run(customers: { pages: { items: object[]; cursor?: string }[] }) {
  const remove = vi.fn(async () => undefined);
  const old = { customerId: 'cust_1', connectionId: 'conn_1', version: 'v1', storedAt: new Date(0) };
  let handler: TimerHandler = () => undefined;
  const pages = [...customers.pages];
  const deps = {
    clock: { now: () => new Date('2026-05-01T00:00:00Z') },
    heartbeats: { beat: async () => undefined },
    customers: { get: async () => undefined, list: async () => pages.shift() ?? { items: [] } },
    connections: { get: async () => undefined, update: async () => undefined },
    discardConnection: async () => undefined,
    vault: { each: () => listed(old), remove },
    certificates: { each: () => listed(), remove },
    webhooks: { get: async () => undefined },
    signingSecrets: { page: async () => ({ items: [{ ...old, webhookId: 'whk_1' }] }), remove },
    orphanSearchProgress: { get: async () => undefined, put: async () => 'tag', remove: async () => undefined },
    auditLog: { insert: async () => undefined },
    newId: () => 'aud_1',
    orphanedSecretAfterMs: 1,
  };
  const host = {
    timer(_name: string, options: { handler: TimerHandler }) {
      handler = options.handler;
    },
  };
  addRemoveOrphanedSecretsTimer(host as never, deps as never);
  const logged: unknown[] = [];
  const context = new InvocationContext({
    functionName: 'remove-orphaned-secrets',
    logHandler: (...args) => void logged.push(args),
  });
  await handler({ isPastDue: false } as Timer, context);
  return { removed: remove.mock.calls.length, logged: JSON.stringify(logged) };
}

it('removes nothing from the vault while there is no customer, because the tables may be lost', async () => {
  const { removed, logged } = await run({ pages: [{ items: [], cursor: 'more' }, { items: [] }] });
  expect(removed).toBe(0);
  expect(logged).toContain('orphan_search_skipped');
});

it('removes what has no owner as soon as there is a customer', async () => {
  const { removed } = await run({ pages: [{ items: [], cursor: 'more' }, { items: [{}] }] });
  expect(removed).toBeGreaterThan(0);
});
