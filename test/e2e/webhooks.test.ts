import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { WebhookEvent } from '../../clients/typescript/src/index.ts';
import { csvOf, plainAddresses, plainTenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const MAILBOXES = 120;
const running = useRunningStack(plainTenant(MAILBOXES), {
  deliverTwice: true,
  settings: { WEBHOOKS_TO_LOCAL: 'true' },
});

/** A receiver that verifies what it gets, and answers with `status`. */
const received: WebhookEvent[] = [];
const refused: string[] = [];
let status = 204;
let secret = '';
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString();
    try {
      const event = new Webhook(secret).verify(body, request.headers as Record<string, string>) as WebhookEvent;
      if (status < 300) received.push(event);
    } catch (error) {
      refused.push(String(error));
    }
    response.writeHead(status).end('seen');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/muster`;
});
afterAll(() => server?.close());

const types = () => received.map(({ type }) => type).sort();

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
  const webhook = await webhooks.create({ url, events: [...events] });
  secret = webhook.secret;
  const ping = await webhooks.ping(webhook.id);
  await expect
    .poll(() => webhooks.delivery(webhook.id, ping.id), { timeout: 10_000 })
    .toMatchObject({ status: 'succeeded', attempts: [{ result: 'succeeded', httpStatus: 204, detail: null }] });
  expect(types()).toEqual(['webhook.ping']);
  received.length = 0;

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
  const told = received.flatMap((event) => (event.type === 'mailbox.activated' ? event.data.mailboxes : []));
  expect(new Set(told.map(({ address }) => address))).toEqual(new Set(plainAddresses(MAILBOXES)));
  expect(received.find(({ type }) => type === 'import.completed')?.data).toMatchObject({
    importId: id,
    status: 'completed',
    counts: { passed: counts.passed, failed: 1 },
  });
  expect(received.find(({ type }) => type === 'mailbox.failed')?.data).toMatchObject({
    mailboxes: [{ address: addresses.at(-1), cause: 'mailbox_not_found' }],
    causes: { mailbox_not_found: { fix: expect.any(String) } },
  });

  received.length = 0;
  await running.changeTenant((tenant) => {
    for (const app of tenant.apps ?? []) app.secrets = [{ value: 'another-secret' }];
  });
  await running.muster.connections.test(connectionId);
  await expect.poll(types, { timeout: 10_000 }).toEqual(['connection.failing']);
  expect(received[0]?.data).toMatchObject({ connectionId, finding: { cause: 'secret_wrong' } });
  expect(refused).toEqual([]);
}, 120_000);

it('repeats what fails, and stops for good at 410', async () => {
  const { webhooks } = running.muster;
  const webhook = await webhooks.create({ url, events: ['import.completed'] });
  secret = webhook.secret;
  status = 500;
  const failing = await webhooks.ping(webhook.id);
  await expect
    .poll(() => webhooks.delivery(webhook.id, failing.id), { timeout: 10_000 })
    .toMatchObject({ status: 'pending', attempts: [{ result: 'refused', httpStatus: 500, detail: 'seen' }] });
  status = 204;
  await expect
    .poll(() => webhooks.delivery(webhook.id, failing.id), { timeout: 30_000, interval: 500 })
    .toMatchObject({ status: 'succeeded', attemptCount: 2 });
  status = 410;
  await webhooks.redeliver(webhook.id, failing.id);
  await expect
    .poll(() => webhooks.get(webhook.id), { timeout: 10_000 })
    .toMatchObject({ status: 'disabled', disabledReason: 'gone' });
  expect(refused).toEqual([]);
}, 60_000);
