import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { SMTPServer } from 'smtp-server';
import { afterEach, describe, expect, it } from 'vitest';
import { smtpEmail } from '../../shared/adapters/email/smtp-email.ts';
import type { EmailSender } from '../../shared/alerts/email.ts';
import { sendNotice } from '../../shared/alerts/send-notice.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { connectionEvent } from '../../shared/webhooks/event-data.ts';
import { eventSchema } from '../../shared/webhooks/event-schemas.ts';
import { bodyOf } from '../../shared/webhooks/event-types.ts';
import { inMemoryAlertSettings } from '../fakes/in-memory-alert-settings.ts';
import { aClientSecret, aConnection, RECORDS_NOW } from '../support/records.ts';

interface Received {
  from: string;
  to: string[];
  raw: string;
}

const servers: SMTPServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise<void>((resolve) => server.close(() => resolve()));
});

/** A real mail server. It refuses recipients whose address begins with `nobody`. */
async function mailServer(): Promise<{ sender: EmailSender; received: Received[] }> {
  const received: Received[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: ({ address }, _session, callback) =>
      callback(
        address.startsWith('nobody') ? Object.assign(new Error('no such mailbox'), { responseCode: 550 }) : undefined,
      ),
    onData(stream, { envelope }, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const from = envelope.mailFrom ? envelope.mailFrom.address : '';
        received.push({
          from,
          to: envelope.rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString(),
        });
        callback();
      });
    },
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  const url = new Secret(`smtp://127.0.0.1:${port}?ignoreTLS=true`);
  return { sender: smtpEmail({ url, from: 'Muster <alerts@muster.example>', timeoutMs: 2_000 }), received };
}

/** The decoded parts of a multipart message, by media type. */
function partsOf(raw: string): Record<string, string> {
  const boundary = /boundary="([^"]+)"/.exec(raw)?.[1] ?? '';
  const parts = raw.split(`--${boundary}`).slice(1, -1);
  return Object.fromEntries(
    parts.map((part) => {
      const [head = '', ...rest] = part.split('\r\n\r\n');
      const body = rest.join('\r\n\r\n');
      const type = /Content-Type: ([^;\r\n]+)/i.exec(head)?.[1] ?? '';
      return [type, /quoted-printable/i.test(head) ? decodeQuotedPrintable(body) : body];
    }),
  );
}

function decodeQuotedPrintable(text: string): string {
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

const connection = aConnection({
  name: 'Contoso <b>&"GmbH"',
  credential: aClientSecret({ expiresAt: new Date('2027-05-01T00:00:00Z') }),
});
const expiring = connectionEvent(connection, {
  id: 'evt_1',
  type: 'secret.expiring',
  happenedAt: RECORDS_NOW,
  expiry: { expiresAt: connection.credential.expiresAt, daysLeft: 7, threshold: { daysBefore: 7 } },
});
const delivery = { customerId: 'cust_1', id: 'evt_1', body: bodyOf(expiring) };

async function settingsFor(contacts: string[], sendFrom?: { connectionId: string; address: string }) {
  const alertSettings = inMemoryAlertSettings();
  await alertSettings.put({
    customerId: 'cust_1',
    daysBefore: [],
    lifetimeLeft: [],
    contacts,
    ...(sendFrom && { sendFrom }),
  });
  return alertSettings;
}

const contacts = ['admin@contoso.example', 'second@contoso.example'];
const noMailbox = async () => ({ unusable: 'Its connection is gone.' });

describe('the e-mail about an expiring client secret', () => {
  it('arrives at a real mail server as text and as HTML, with connection, days, consequence and steps', async () => {
    const { sender, received } = await mailServer();
    const deps = { alertSettings: await settingsFor(contacts), ownMailbox: noMailbox, mailServer: sender };
    expect(await sendNotice(deps, delivery)).toEqual({
      result: 'succeeded',
      sentBy: 'mailServer',
      recipients: contacts,
    });
    expect(received).toMatchObject([{ from: 'alerts@muster.example', to: contacts }]);
    const { raw = '' } = received[0] ?? {};
    expect(raw).toContain('Message-ID: <evt_1@muster.example>');
    expect(raw).toContain('Auto-Submitted: auto-generated');
    const { 'text/plain': text = '', 'text/html': html = '' } = partsOf(raw);
    expect(text.replaceAll('\r\n', '\n').trimEnd()).toBe(`The client secret of “Contoso <b>&"GmbH"” expires in 7 days

Connection: Contoso <b>&"GmbH" (conn_1)
Tenant: ${connection.tenantId}
Expires: 2027-05-01 00:00 UTC

When the client secret expires, Microsoft refuses the connection: its imports pause, and no mailbox can be checked.

What to do:
1. Open Certificates & secrets of the app in the Entra admin center.
   https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/Credentials/appId/${connection.clientId}
2. Create a new client secret and copy its Value, not its Secret ID.
   https://learn.microsoft.com/entra/identity-platform/how-to-add-credentials
3. Replace the client secret of this connection with the new Value. Muster tests it first, and running imports go on.
4. Delete the old client secret in the Entra admin center.`);
    expect(html).not.toContain('<b>');
    expect(html).toContain('Contoso &#60;b&#62;&#38;&#34;GmbH&#34;');
    expect(html).not.toMatch(/<(img|script|link)\b/);
  });

  it('tells what Microsoft Entra shows: another date than was entered, and a newer secret', async () => {
    const { sender, received } = await mailServer();
    const inUse = { keyId: 'key-1', expiresAt: new Date('2026-06-20T12:30:00Z') };
    const newer = { keyId: 'key-2', name: 'Muster 2027', hint: 'xY8', expiresAt: new Date('2028-05-01T00:00:00Z') };
    const entered = new Date('2027-05-01T00:00:00Z');
    const seen = aConnection({
      name: 'Contoso',
      credential: aClientSecret({ expiresAt: inUse.expiresAt }),
    });
    const { clientId } = seen;
    const { version } = seen.credential;
    const registration = { clientId, version, checkedAt: RECORDS_NOW, isReadable: true, inUse };
    const tell = async (more: object) => {
      const expiry = { expiresAt: inUse.expiresAt, daysLeft: 19 };
      const happening = { id: 'evt_1', type: 'secret.checked' as const, happenedAt: RECORDS_NOW, expiry };
      const event = connectionEvent({ ...seen, registration: { ...registration, ...more } }, happening);
      expect(eventSchema('secret.checked').safeParse(JSON.parse(bodyOf(event))).error).toBeUndefined();
      const deps = { alertSettings: await settingsFor(contacts), ownMailbox: noMailbox, mailServer: sender };
      await sendNotice(deps, { ...delivery, body: bodyOf(event) });
      return partsOf(received.at(-1)?.raw ?? '')['text/plain']?.replaceAll('\r\n', '\n');
    };
    const date = await tell({ enteredExpiresAt: entered });
    expect(date).toContain('The client secret of “Contoso” expires at another time than was entered\n');
    expect(date).toContain(
      'Expires: 2026-06-20 12:30 UTC\nEntered: 2027-05-01 00:00 UTC. Microsoft Entra shows the date above.',
    );
    expect(date).toContain('When the client secret expires, Microsoft refuses the connection');
    const both = await tell({ enteredExpiresAt: entered, newer });
    expect(both).toContain('The client secret of “Contoso” has a successor in Microsoft Entra\n');
    expect(both).toContain(
      '1. A newer client secret “Muster 2027” exists in Microsoft Entra, until 2028-05-01. Its Value begins with xY8. If it was made for this connection, replace the secret with its Value. Then you need no other one.',
    );
  });

  it.runIf(existsSync(process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'))(
    'fits on a phone and on a desktop, without a scroll bar',
    async () => {
      const { sender, received } = await mailServer();
      const deps = { alertSettings: await settingsFor(contacts), ownMailbox: noMailbox, mailServer: sender };
      await sendNotice(deps, delivery);
      const html = partsOf(received[0]?.raw ?? '')['text/html'] ?? '';
      const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
      const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
      const folder = process.env.SCREENSHOTS ?? (await mkdtemp(join(tmpdir(), 'muster-email-')));
      try {
        for (const width of [360, 900]) {
          const page = await browser.newPage({ viewport: { width, height: 700 } });
          await page.setContent(html);
          expect(await page.locator('h1').textContent()).toBe(
            'The client secret of “Contoso <b>&"GmbH"” expires in 7 days',
          );
          expect(await page.locator('ol > li').count()).toBe(4);
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
          const path = join(folder, `email-${width}.png`);
          await page.screenshot({ path });
          expect((await stat(path)).size).toBeGreaterThan(5_000);
        }
      } finally {
        await browser.close();
        if (!process.env.SCREENSHOTS) await rm(folder, { recursive: true });
      }
    },
  );

  it('comes from the customer’s own mailbox if it can, and by the mail server if not', async () => {
    const { sender, received } = await mailServer();
    const own = { connectionId: 'conn_1', address: 'alerts@contoso.example' };
    const sent: string[] = [];
    const mailbox = (result: 'succeeded' | 'refused'): EmailSender => ({
      async send(_to, { subject }) {
        sent.push(subject);
        return { result, ...(result === 'refused' && { detail: '403 ErrorAccessDenied' }) };
      },
    });
    const alertSettings = await settingsFor(contacts, own);
    const deps = { alertSettings, mailServer: sender };
    expect(await sendNotice({ ...deps, ownMailbox: async () => mailbox('succeeded') }, delivery)).toEqual({
      result: 'succeeded',
      sentBy: 'ownMailbox',
      recipients: contacts,
    });
    expect([sent.length, received.length]).toEqual([1, 0]);
    expect(await sendNotice({ ...deps, ownMailbox: async () => mailbox('refused') }, delivery)).toMatchObject({
      result: 'succeeded',
      sentBy: 'mailServer',
      detail: 'Your mailbox: 403 ErrorAccessDenied',
    });
    expect([sent.length, received.length]).toEqual([2, 1]);
    expect(await sendNotice({ ...deps, ownMailbox: noMailbox }, delivery)).toMatchObject({
      result: 'succeeded',
      detail: 'Your mailbox: Its connection is gone.',
    });
    expect(received).toHaveLength(2);
  });

  it('is refused or not sent, and says why, without a password', async () => {
    const { sender } = await mailServer();
    const refused = { alertSettings: await settingsFor(['nobody@contoso.example']), ownMailbox: noMailbox };
    expect(await sendNotice({ ...refused, mailServer: sender }, delivery)).toEqual({
      result: 'refused',
      detail: 'The mail server: 550 no such mailbox',
      recipients: ['nobody@contoso.example'],
    });
    const gone = smtpEmail({ url: new Secret('smtp://user:hunter2@127.0.0.1:1'), from: 'a@b.example', timeoutMs: 500 });
    const unreachable = await sendNotice({ ...refused, mailServer: gone }, delivery);
    expect(unreachable).toMatchObject({ result: 'unreachable', detail: 'The mail server: ESOCKET' });
    const noWay = await sendNotice({ ...refused, mailServer: undefined }, delivery);
    expect(noWay).toMatchObject({ result: 'refused', detail: expect.stringContaining('no way to send e-mail') });
  });

  it('tells which of the contacts the mail server has refused', async () => {
    const { sender, received } = await mailServer();
    const both = ['admin@contoso.example', 'nobody@contoso.example'];
    const deps = { alertSettings: await settingsFor(both), ownMailbox: noMailbox, mailServer: sender };
    expect(await sendNotice(deps, delivery)).toEqual({
      result: 'succeeded',
      sentBy: 'mailServer',
      detail: 'The mail server: Not accepted for nobody@contoso.example: 550 no such mailbox',
      recipients: both,
    });
    expect(received).toMatchObject([{ to: ['admin@contoso.example'] }]);
  });

  it('is not written to nobody, and not about other events', async () => {
    const { sender, received } = await mailServer();
    const deps = { alertSettings: await settingsFor([]), ownMailbox: noMailbox, mailServer: sender };
    expect(await sendNotice(deps, delivery)).toMatchObject({ result: 'succeeded' });
    const other = { ...delivery, body: JSON.stringify({ type: 'import.completed', data: {} }) };
    await sendNotice({ ...deps, alertSettings: await settingsFor(contacts) }, other);
    expect(received).toEqual([]);
  });
});
