import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { WebhookEvent } from '../../clients/typescript/src/index.ts';
import { freePort } from '../../local/ports.ts';
import { plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const DAY_MS = 86_400_000;
const [own = '', contact = ''] = plainAddresses(2);
const smtpPort = await freePort();
/** The timer of expiring secrets runs every three seconds here, and once a day by default. */
const running = useRunningStack(plainTenant(2), {
  settings: {
    EXPIRY_SCHEDULE: '*/3 * * * * *',
    WEBHOOKS_TO_LOCAL: 'true',
    SMTP_URL: `smtp://127.0.0.1:${smtpPort}?ignoreTLS=true`,
    EMAIL_FROM: 'Muster <alerts@muster.example>',
  },
});

const emails: string[] = [];
const events: WebhookEvent[] = [];
let secret = '';
let smtp: SMTPServer;
let receiver: Server;

beforeAll(async () => {
  smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        emails.push(Buffer.concat(chunks).toString());
        callback();
      });
    },
  });
  smtp.listen(smtpPort, '127.0.0.1');
  receiver = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString();
    events.push(new Webhook(secret).verify(body, request.headers as Record<string, string>) as WebhookEvent);
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
});
afterAll(async () => {
  receiver?.close();
  await new Promise<void>((resolve) => smtp.close(() => resolve()));
});

interface SimulatedMailbox {
  messages: { subject: string }[];
}
const inboxOf = async (address: string) =>
  JSON.stringify(await running.simulator<SimulatedMailbox>('GET', `/_simulator/mailboxes/${address}`));

it('tells people that a client secret expires: by webhook, from their own mailbox, and by the mail server', async () => {
  const { port } = receiver.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  secret = (await running.muster.webhooks.create({ url, events: ['secret.expiring'] })).secret;
  const inDays = (days: number) => new Date(Date.now() + days * DAY_MS + 3_600_000).toISOString();
  const { id } = await running.connect({ clientSecretExpiresAt: inDays(400) });
  const settings = { daysBefore: [7], lifetimeLeft: [], contacts: [contact] };
  const put = (body: object) => running.owner.expect(200, 'PUT', '/v1/expiry-alerts', { body });
  await put({ ...settings, sendFrom: { connectionId: id, address: own } });

  const replace = (days: number) =>
    running.muster.connections.replaceClientSecret(id, {
      clientSecret: tenant.clientSecret,
      clientSecretExpiresAt: inDays(days),
    });
  await replace(5);
  await expect.poll(() => events.map(({ type }) => type), { timeout: 20_000 }).toEqual(['secret.expiring']);
  expect(events[0]?.data).toMatchObject({ connectionId: id, daysLeft: 5, threshold: { daysBefore: 7 } });
  await expect.poll(() => inboxOf(contact), { timeout: 20_000 }).toContain('expires in 5 days');
  expect(emails).toEqual([]);

  await put({ ...settings, sendFrom: null });
  await replace(3);
  await expect.poll(() => emails.length, { timeout: 20_000 }).toBe(1);
  expect(emails[0]).toContain('expires in 3 days');
  // The timer has run several times by now, and told nothing twice.
  await new Promise((resolve) => setTimeout(resolve, 7_000));
  expect([events.length, emails.length]).toEqual([2, 1]);
  // Operators may see a line again if two processes publish at the same moment. It has the ID of the event.
  const lines = running.stack.logs.filter((line) => line.includes('"event":"secret_expiring"'));
  expect(new Set(lines.map((line) => /"eventId":"(\w+)"/.exec(line)?.[1])).size).toBe(2);
}, 120_000);

it('reads from Entra when the secret really expires, and tells people once of that and of a newer secret', async () => {
  const at = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
  const real = `${at(300).slice(0, 19)}Z`;
  await running.changeTenant((changed) => {
    for (const app of changed.apps ?? []) {
      app.grants = [...(app.grants ?? []), 'Application.Read.All'];
      app.secrets = [
        { value: tenant.clientSecret, startsAt: at(-60), expiresAt: real },
        { value: 'xY8Q~of-the-next-secret', startsAt: at(-1), expiresAt: at(700), name: 'Muster 2' },
      ];
    }
  });
  const [connection] = await Array.fromAsync(running.muster.connections.list());
  const id = connection?.id ?? '';
  expect(connection?.entra).toMatchObject({ isReadable: false });
  await running.muster.connections.test(id);
  expect(await running.muster.connections.get(id)).toMatchObject({
    clientSecret: { expiresAt: real.replace('Z', '.000Z'), state: 'valid' },
    entra: {
      isReadable: true,
      enteredExpiresAt: connection?.clientSecret?.expiresAt,
      newerSecret: { name: 'Muster 2', hint: 'xY8' },
    },
  });
  const checked = async () =>
    (await Array.fromAsync(running.muster.expiryAlerts.emails({ status: 'succeeded' }))).filter(
      ({ type }) => type === 'secret.checked',
    );
  await expect.poll(checked, { timeout: 20_000 }).toMatchObject([{ attempts: [{ sentBy: 'mailServer' }] }]);
  expect(await checked()).toHaveLength(1);
}, 90_000);
