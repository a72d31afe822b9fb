import { expect, it } from 'vitest';
import { killAfter } from '../support/killed-process.ts';
import { csvOf, plainAddresses, plainTenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';
import { useReceiver } from '../support/webhook-receiver.ts';

/** When the process is killed: before the receiver has answered, or this many milliseconds after the import has ended. */
const MOMENTS = ['before the answer', 0, 60, 150] as const;
const running = useRunningStack(plainTenant(MOMENTS.length), { settings: { WEBHOOKS_TO_LOCAL: 'true' } });
const receiver = useReceiver();

it('killed between an event and its deliveries: each event arrives, and is recorded once', async () => {
  const { connections, imports, webhooks } = running.muster;
  const events = ['connection.failing', 'import.completed', 'mailbox.activated'] as const;
  const webhook = await webhooks.create({ url: receiver.url, events: [...events] });
  receiver.secret = webhook.secret;
  receiver.delayMs = 80;
  const { id: connectionId } = await running.connect();

  const started: string[] = [];
  for (const [i, moment] of MOMENTS.entries()) {
    const killed = Promise.withResolvers<void>();
    if (typeof moment === 'string') receiver.beforeAnswer = () => killed.resolve(killAfter(running, 0));
    const { id } = await running.startImport(connectionId, csvOf(plainAddresses(MOMENTS.length).slice(i, i + 1)));
    started.push(id);
    await expect.poll(async () => (await imports.get(id)).status, { timeout: 60_000, interval: 15 }).toBe('completed');
    if (typeof moment === 'string') await killed.promise;
    else await killAfter(running, moment);
  }
  // The secret is wrong, and the process that notices it dies at several moments.
  await running.changeTenant((tenant) => {
    for (const app of tenant.apps ?? []) app.secrets = [{ value: 'another-secret' }];
  });
  await connections.test(connectionId);
  await killAfter(running, 40);

  const expected = [
    ...started.flatMap((id) => [`import.completed ${id}`, `mailbox.activated ${id}`]),
    `connection.failing ${connectionId}`,
  ].sort();
  const about = ({ type, data }: { type: string; data: unknown }) => {
    const { importId, connectionId: connection } = data as { importId?: string; connectionId?: string };
    return `${type} ${importId ?? connection}`;
  };
  const arrived = () => [...new Set(receiver.received.map(({ event }) => about(event)))].sort();
  // What a dead process had in hand is found after one minute if it was not published, and after two if it was.
  await expect.poll(arrived, { timeout: 300_000, interval: 1_000 }).toEqual(expected);

  const recorded = () => Array.fromAsync(webhooks.deliveries(webhook.id));
  await expect
    .poll(async () => (await recorded()).map(({ status }) => status), { timeout: 300_000, interval: 1_000 })
    .toEqual(expected.map(() => 'succeeded'));
  // A repetition has the ID of the first try, so that the receiver can tell.
  const ids = (await recorded()).map(({ id }) => id).sort();
  expect([...new Set(receiver.received.map(({ id }) => id))].sort()).toEqual(ids);
  expect(ids).toHaveLength(expected.length);
  // The first one was killed after the event had arrived: that attempt is known, and the event came again.
  const attempts = (await recorded()).flatMap((delivery) => delivery.attempts.map(({ result }) => result));
  expect(attempts).toContain('interrupted');
  expect(receiver.received.length).toBeGreaterThan(ids.length);
  expect(receiver.refused).toEqual([]);
}, 420_000);
