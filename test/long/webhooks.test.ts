import { expect, it } from 'vitest';
import { csvOf, plainAddresses, plainTenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';
import { useReceiver } from '../support/webhook-receiver.ts';

const MAILBOXES = 120;
const running = useRunningStack(plainTenant(MAILBOXES), {
  deliverTwice: true,
  settings: { WEBHOOKS_TO_LOCAL: 'true' },
});

const receiver = useReceiver();

const receivedEvents = () => receiver.received.map(({ event }) => event);
const types = () =>
  receivedEvents()
    .map(({ type }) => type)
    .sort();

it('tells a receiver what happens, each event once, although the host delivers every message twice', async () => {
  const { webhooks } = running.muster;
  const events = [
    'connection.consented',
    'connection.failing',
    'import.completed',
    'import.paused',
    'mailbox.activated',
    'mailbox.failed',
  ] as const;
  const webhook = await webhooks.create({ url: receiver.url, events: [...events] });
  receiver.secret = webhook.secret;
  const ping = await webhooks.ping(webhook.id);
  await expect
    .poll(() => webhooks.delivery(webhook.id, ping.id), { timeout: 10_000 })
    .toMatchObject({ status: 'succeeded', attempts: [{ result: 'succeeded', httpStatus: 204, detail: null }] });
  expect(types()).toEqual(['webhook.ping']);
  receiver.received.length = 0;

  const { id: connectionId } = await running.connect();
  const addresses = [...plainAddresses(MAILBOXES), `nobody@${plainAddresses(1)[0]?.split('@')[1]}`];
  const { id } = await running.startImport(connectionId, csvOf(addresses));
  const { counts } = await running.untilEnded(id, 60_000);
  const expected = [
    'connection.consented',
    'import.completed',
    'mailbox.activated',
    'mailbox.activated',
    'mailbox.failed',
  ];
  await expect.poll(types, { timeout: 20_000 }).toEqual(expected);
  const told = receivedEvents().flatMap((event) => (event.type === 'mailbox.activated' ? event.data.mailboxes : []));
  expect(new Set(told.map(({ address }) => address))).toEqual(new Set(plainAddresses(MAILBOXES)));
  expect(receivedEvents().find(({ type }) => type === 'import.completed')?.data).toMatchObject({
    importId: id,
    status: 'completed',
    counts: { passed: counts.passed, failed: 1 },
  });
  expect(receivedEvents().find(({ type }) => type === 'mailbox.failed')?.data).toMatchObject({
    mailboxes: [{ address: addresses.at(-1), cause: 'mailbox_not_found' }],
    causes: { mailbox_not_found: { fix: expect.any(String) } },
  });

  receiver.received.length = 0;
  await running.changeTenant((tenant) => {
    for (const app of tenant.apps ?? []) app.secrets = [{ value: 'another-secret' }];
  });
  await running.muster.connections.test(connectionId);
  await expect.poll(types, { timeout: 10_000 }).toEqual(['connection.failing']);
  expect(receivedEvents()[0]?.data).toMatchObject({ connectionId, finding: { cause: 'secret_wrong' } });
  expect(receiver.refused).toEqual([]);
}, 120_000);

it('repeats what fails, and stops for good at 410', async () => {
  const { webhooks } = running.muster;
  const webhook = await webhooks.create({ url: receiver.url, events: ['import.completed'] });
  receiver.secret = webhook.secret;
  receiver.status = 500;
  const failing = await webhooks.ping(webhook.id);
  await expect
    .poll(() => webhooks.delivery(webhook.id, failing.id), { timeout: 10_000 })
    .toMatchObject({ status: 'pending', attempts: [{ result: 'refused', httpStatus: 500, detail: 'seen' }] });
  receiver.status = 204;
  await expect
    .poll(() => webhooks.delivery(webhook.id, failing.id), { timeout: 30_000, interval: 500 })
    .toMatchObject({ status: 'succeeded', attemptCount: 2 });
  receiver.status = 410;
  await webhooks.redeliver(webhook.id, failing.id);
  await expect
    .poll(() => webhooks.get(webhook.id), { timeout: 10_000 })
    .toMatchObject({ status: 'disabled', disabledReason: 'gone' });
  expect(receiver.refused).toEqual([]);
}, 60_000);
