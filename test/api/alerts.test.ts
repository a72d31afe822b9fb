import { beforeEach, describe, expect, it } from 'vitest';
import { tellExpiringSecrets } from '../../shared/alerts/tell-expiring-secrets.ts';
import { deliverEvent } from '../../shared/webhooks/deliver-event.ts';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { createApi, DOMAIN } from '../support/api.ts';
import { noFailure } from '../support/no-failure.ts';

let api: ReturnType<typeof createApi>;
let acme: { id: string; key: string };
let connectionId: string;

interface Answer {
  id: string;
  code: string;
  clientSecret: { acknowledgedAt: string | null; snoozedUntil: string | null };
  items: object[];
  errors: { path: string }[];
}

async function call<T = Answer>(method: string, path: string, body?: object, key = acme.key) {
  const response = await api.request(method, path, { key, ...(body && { body }) });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return { status: response.status, headers: response.headers, text, body: (isJson ? JSON.parse(text) : {}) as T };
}

beforeEach(async () => {
  api = createApi();
  acme = await api.customer();
  const registration = {
    name: 'Tailspin, "the" company',
    tenant: DOMAIN,
    clientId: 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37',
    clientSecret: GOOD_SECRET,
    clientSecretExpiresAt: '2026-06-20T12:30:00Z',
  };
  ({ id: connectionId } = (await call('POST', '/v1/connections', registration)).body);
});

const secretPath = () => `/v1/connections/${connectionId}/client-secret`;

describe('/v1/expiry-alerts', () => {
  it('200: has defaults, and what was put', async () => {
    expect((await call('GET', '/v1/expiry-alerts')).body).toEqual({
      daysBefore: [60, 30, 14, 7, 1],
      lifetimeLeft: [20],
      contacts: [],
      sendFrom: null,
    });
    const settings = {
      daysBefore: [10, 3],
      lifetimeLeft: [],
      contacts: ['admin@contoso.com'],
      sendFrom: { connectionId, address: 'alerts@contoso.com' },
    };
    expect((await call('PUT', '/v1/expiry-alerts', settings)).body).toEqual(settings);
    expect((await call('GET', '/v1/expiry-alerts')).body).toEqual(settings);
    const globex = await api.customer({ name: 'Globex' });
    expect((await call('GET', '/v1/expiry-alerts', undefined, globex.key)).body).toMatchObject({ contacts: [] });
    const foreign = await call('PUT', '/v1/expiry-alerts', settings, globex.key);
    expect(foreign.status).toBe(404);
  });

  it('400: names every wrong field', async () => {
    const { status, body } = await call('PUT', '/v1/expiry-alerts', {
      daysBefore: [7, 7],
      lifetimeLeft: [100],
      contacts: ['nobody'],
    });
    expect(status).toBe(400);
    expect(body.errors.map(({ path }) => path).sort()).toEqual(['contacts.0', 'daysBefore', 'lifetimeLeft.0']);
  });

  it('decides when people are told', async () => {
    await call('PUT', '/v1/expiry-alerts', { daysBefore: [10], lifetimeLeft: [], contacts: [] });
    expect(await tellExpiringSecrets(api.deps, noFailure)).toBe(0);
    api.deps.time.now = new Date('2026-06-11T06:00:00Z');
    expect(await tellExpiringSecrets(api.deps, noFailure)).toBe(1);
    expect(await tellExpiringSecrets(api.deps, noFailure)).toBe(0);
    const stored = (await api.deps.connections.get(acme.id, connectionId))?.value;
    expect(stored?.happenings).toMatchObject([{ type: 'secret.expiring', expiry: { daysLeft: 9 } }]);
  });
});

describe('snooze and acknowledge', () => {
  it('200: are shown with the connection and in the feed, until they end', async () => {
    const snoozed = await call('POST', `${secretPath()}/snooze`, { until: '2026-06-10T00:00:00Z' });
    expect(snoozed.body.clientSecret).toMatchObject({ snoozedUntil: '2026-06-10T00:00:00.000Z', acknowledgedAt: null });
    await call('POST', `${secretPath()}/acknowledge`);
    const feed = async () => (await call('GET', '/v1/expiring-secrets')).body.items;
    const acknowledgedAt = '2026-06-01T00:00:00.000Z';
    expect(await feed()).toMatchObject([{ connectionId, acknowledgedAt, snoozedUntil: '2026-06-10T00:00:00.000Z' }]);
    api.deps.time.now = new Date('2026-06-11T00:00:00Z');
    await call('POST', `${secretPath()}/acknowledge`);
    expect(await feed()).toMatchObject([{ acknowledgedAt, snoozedUntil: null }]);
    const resumed = await call('DELETE', `${secretPath()}/snooze`);
    expect(resumed.body.clientSecret).toMatchObject({ acknowledgedAt: null, snoozedUntil: null });
    expect(await feed()).toMatchObject([{ acknowledgedAt: null, snoozedUntil: null }]);
  });

  it('400 and 404: refuse the past, and connections of others', async () => {
    const past = await call('POST', `${secretPath()}/snooze`, { until: '2026-05-01T00:00:00Z' });
    expect([past.status, past.body.errors]).toMatchObject([400, [{ path: 'until' }]]);
    const globex = await api.customer({ name: 'Globex' });
    const body = { until: '2026-06-10T00:00:00Z' };
    expect((await call('POST', `${secretPath()}/snooze`, body, globex.key)).status).toBe(404);
    expect((await call('POST', `${secretPath()}/acknowledge`, undefined, globex.key)).status).toBe(404);
    expect((await call('DELETE', `${secretPath()}/snooze`, undefined, globex.key)).status).toBe(404);
  });
});

describe('/v1/expiry-alerts/emails', () => {
  interface Email {
    id: string;
    status: string;
    attempts: { result: string; sentBy: string | null; recipients: string[]; detail: string | null }[];
    items: Email[];
  }
  const path = '/v1/expiry-alerts/emails';
  const emails = async (more = '') => (await call<Email>('GET', path + more)).body;
  const putContacts = (contacts: string[]) =>
    call('PUT', '/v1/expiry-alerts', { daysBefore: [10], lifetimeLeft: [], contacts });
  /** Makes every attempt that is due. */
  async function deliver(ms = 0) {
    api.deps.time.now = new Date(api.deps.time.now.getTime() + ms);
    const { items } = await emails('?status=pending');
    const message = { v: 1 as const, customerId: acme.id, webhookId: 'email' };
    for (const { id } of items) await deliverEvent(api.deps, { ...message, deliveryId: id }, () => undefined);
  }

  it('202: a test e-mail is sent as every notice is, and its log says to whom and by which way', async () => {
    const refused = await call('POST', path);
    expect([refused.status, refused.body.code]).toEqual([409, 'wrong_state']);
    await putContacts(['admin@contoso.com']);
    const { status, headers, body } = await call('POST', path);
    expect([status, headers.get('location')]).toEqual([202, `${path}/${body.id}`]);
    expect(body).toMatchObject({
      type: 'email.test',
      subject: 'A test of your alerts',
      status: 'pending',
      attempts: [],
    });
    api.deps.sendEmail = async () => ({ result: 'succeeded', sentBy: 'mailServer', recipients: ['admin@contoso.com'] });
    await deliver();
    const shown = await emails(`/${body.id}`);
    const attempt = { result: 'succeeded', sentBy: 'mailServer', recipients: ['admin@contoso.com'], detail: null };
    expect(shown).toMatchObject({ status: 'succeeded', attemptCount: 1, attempts: [attempt], nextAttemptAt: null });
    expect((await emails()).items).toEqual([shown]);
    expect((await emails('?status=failed')).items).toEqual([]);
  });

  it('200: shows each attempt that has failed, and why, and 202: sends it again', async () => {
    await putContacts(['admin@contoso.com']);
    const { id } = (await call('POST', path)).body;
    const detail = 'Your mailbox: 403 ErrorAccessDenied. The mail server: 535 wrong password';
    api.deps.sendEmail = async () => ({ result: 'refused', detail, recipients: ['admin@contoso.com'] });
    for (const wait of [0, 10_000, 100_000]) await deliver(wait);
    const failed = await emails(`/${id}`);
    expect(failed).toMatchObject({ status: 'failed', attemptCount: 3 });
    expect(failed.attempts).toMatchObject(Array(3).fill({ result: 'refused', sentBy: null, detail }));
    api.deps.sendEmail = async () => ({ result: 'succeeded', sentBy: 'ownMailbox', recipients: ['admin@contoso.com'] });
    expect((await call('POST', `${path}/${id}/resend`)).status).toBe(202);
    await deliver();
    expect(await emails(`/${id}`)).toMatchObject({ status: 'succeeded', attemptCount: 4 });
  });

  it('429: more than five e-mails within an hour go to nobody, whether they are tests or sent again', async () => {
    await putContacts(['admin@contoso.com']);
    api.deps.sendEmail = async () => ({ result: 'succeeded', sentBy: 'mailServer', recipients: ['admin@contoso.com'] });
    const { id } = (await call('POST', path)).body;
    await deliver();
    const again = [`${path}/${id}/resend`, path, `${path}/${id}/resend`, path];
    for (const to of again) {
      expect((await call('POST', to)).status).toBe(202);
      await deliver(1_000);
    }
    for (const to of again) {
      const { status, body, headers } = await call('POST', to);
      expect([status, body.code]).toEqual([429, 'rate_limited']);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(3_500);
    }
    api.deps.time.now = new Date(api.deps.time.now.getTime() + 3_600_000);
    expect((await call('POST', path)).status).toBe(202);
  });

  it('404: hides the e-mails of others, and leaves nothing behind for one that is absent', async () => {
    await putContacts(['admin@contoso.com']);
    const { id } = (await call('POST', path)).body;
    const globex = await api.customer({ name: 'Globex' });
    expect((await call('GET', path, undefined, globex.key)).body.items).toEqual([]);
    const pointers = api.deps.deliveries.pointers().length;
    for (const [method, to] of [
      ['GET', `/${id}`],
      ['POST', `/${id}/resend`],
    ] as const) {
      expect((await call(method, path + to, undefined, globex.key)).status).toBe(404);
    }
    expect(api.deps.deliveries.pointers()).toHaveLength(pointers);
  });
});

describe('GET /v1/expiring-secrets?format=ics', () => {
  it('200: is a calendar with the instant of each expiry in UTC', async () => {
    const { status, headers, text } = await call('GET', '/v1/expiring-secrets?format=ics');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/calendar; charset=utf-8']);
    const lines = text.replace(/\r\n[ \t]/g, '').split('\r\n');
    expect(lines[0]).toBe('BEGIN:VCALENDAR');
    expect(lines).toEqual(
      expect.arrayContaining([
        'VERSION:2.0',
        'BEGIN:VEVENT',
        `UID:${connectionId}@muster`,
        'DTSTART:20260620T123000Z',
        'SUMMARY:Client secret of Tailspin\\, "the" company expires',
        'BEGIN:VALARM',
        'END:VCALENDAR',
      ]),
    );
    expect((await call('GET', '/v1/expiring-secrets?format=pdf')).status).toBe(400);
  });
});
