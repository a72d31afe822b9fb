import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeEach, expect, it } from 'vitest';
import { composeNotice } from '../../shared/alerts/compose-notice.ts';
import type { RegisteredCertificate } from '../../shared/connections/expiry/app-registration.ts';
import { readRegistrations } from '../../shared/connections/expiry/read-registrations.ts';
import { connectionEvent } from '../../shared/webhooks/event-data.ts';
import { eventSchema } from '../../shared/webhooks/event-schemas.ts';
import { bodyOf } from '../../shared/webhooks/event-types.ts';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { createApi, DOMAIN } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';

const DAY_MS = 86_400_000;
const READER = ['Mail.ReadWrite', 'Mail.Send', 'Application.Read.All'];
const pem = readFileSync(new URL('../fixtures/certificates/rsa-2048.pem', import.meta.url)).toString();
const THUMBPRINT = new X509Certificate(pem).fingerprint.replaceAll(':', '');

interface Shown {
  id: string;
  certificate: { thumbprint: string; expiresAt: string };
  nextCertificate: { thumbprint: string };
  entra: { newerCertificate: object | null } | null;
  items: object[];
}

let api: ReturnType<typeof createApi>;
let customer: { id: string; key: string };

beforeEach(async () => {
  api = createApi();
  customer = await api.customer();
  api.deps.tenant.answers.set(THUMBPRINT, READER);
});

const call = async (method: string, path: string, body?: object) =>
  jsonOf<Shown>(await api.request(method, path, { key: customer.key, ...(body && { body }) }));
const register = async (credential: object) => {
  const clientId = 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37';
  const { id } = await call('POST', '/v1/connections', { name: 'Tailspin', tenant: DOMAIN, clientId, ...credential });
  return `/v1/connections/${id}`;
};
const entraShows = (...certificates: RegisteredCertificate[]) => {
  api.deps.registrations.answer = { kind: 'read', secrets: [], certificates };
};
const inYears = (years: number) => new Date(`${2026 + years}-05-01T00:00:00Z`);
const NEWER = {
  keyId: 'key-2',
  name: 'Muster 2',
  thumbprint: 'c'.repeat(40),
  startsAt: inYears(0),
  expiresAt: inYears(90),
};
const calendar = async () => {
  const response = await api.request('GET', '/v1/expiring-secrets?withinDays=3650&format=ics', { key: customer.key });
  return (await response.text()).replace(/\r\n[ \t]/g, '');
};
const feed = async () => (await call('GET', '/v1/expiring-secrets?withinDays=3650')).items;

it('200: a newer certificate is named by the connection, the feed and the calendar, after the daily run', async () => {
  const path = await register({ certificate: { source: 'made', validMonths: 1 } });
  const { certificate } = await call('GET', path);
  api.deps.tenant.answers.set(certificate.thumbprint, READER);
  entraShows();
  await call('POST', `${path}/test`);
  expect(await call('GET', path)).toMatchObject({ entra: { isReadable: true, newerCertificate: null } });
  expect(await feed()).toMatchObject([{ credential: 'certificate', newerSecret: null, newerCertificate: null }]);

  api.deps.time.now = new Date(api.deps.time.now.getTime() + DAY_MS);
  entraShows({ ...NEWER, startsAt: api.deps.time.now });
  expect(await readRegistrations(api.deps, () => undefined)).toMatchObject({ read: 1, corrected: 0 });
  const newerCertificate = {
    certificateId: 'key-2',
    name: 'Muster 2',
    thumbprint: 'C'.repeat(40),
    expiresAt: '2116-05-01T00:00:00.000Z',
    isNext: false,
  };
  expect((await call('GET', path)).entra).toMatchObject({ secretId: null, newerSecret: null, newerCertificate });
  expect(await feed()).toMatchObject([{ newerSecret: null, newerCertificate }]);
  expect(await calendar()).toContain('A newer certificate “Muster 2” exists in Microsoft Entra\\, until 2116-05-01.');
});

it('200: the next certificate is named once the app has it, whatever is in use', async () => {
  const path = await register({ clientSecret: GOOD_SECRET, clientSecretExpiresAt: '2026-12-01' });
  api.deps.tenant.answers.set(GOOD_SECRET, READER);
  await call('POST', `${path}/certificate/next`, {});
  const { nextCertificate } = await call('GET', path);
  entraShows({ ...NEWER, thumbprint: nextCertificate.thumbprint.toLowerCase() });
  await call('POST', `${path}/test`);
  expect((await call('GET', path)).entra).toMatchObject({ newerCertificate: { isNext: true } });
  expect(await calendar()).toContain('The app already has the next certificate of this connection');

  // What was read says nothing about the credential that follows.
  api.deps.tenant.answers.set(nextCertificate.thumbprint, READER);
  api.deps.registrations.answer = { kind: 'unavailable' };
  await call('PUT', `${path}/certificate`, { certificate: { source: 'made' } });
  expect(await feed()).toMatchObject([{ credential: 'certificate', newerCertificate: null }]);
});

it('200: a newer client secret is named by the feed and the calendar as well', async () => {
  const path = await register({ clientSecret: GOOD_SECRET, clientSecretExpiresAt: '2026-12-01' });
  api.deps.tenant.answers.set(GOOD_SECRET, READER);
  const inUse = { keyId: 'key-1', hint: GOOD_SECRET.slice(0, 3), startsAt: inYears(-1), expiresAt: inYears(1) };
  const secrets = [inUse, { keyId: 'key-2', hint: 'xY8', startsAt: inYears(0), expiresAt: inYears(2) }];
  api.deps.registrations.answer = { kind: 'read', secrets, certificates: [] };
  await call('POST', `${path}/test`);
  const newerSecret = { secretId: 'key-2', name: null, hint: 'xY8', expiresAt: '2028-05-01T00:00:00.000Z' };
  expect(await feed()).toMatchObject([{ newerSecret, newerCertificate: null }]);
  expect(await calendar()).toContain('A newer client secret exists in Microsoft Entra\\, until 2028-05-01.');
});

it('people are told once of a newer certificate, by webhook and by e-mail', async () => {
  const path = await register({ certificate: { source: 'made', validMonths: 1 } });
  const { certificate, id } = await call('GET', path);
  api.deps.tenant.answers.set(certificate.thumbprint, READER);
  entraShows({ ...NEWER, startsAt: new Date(api.deps.time.now.getTime() + DAY_MS) });
  await call('POST', `${path}/test`);
  await call('POST', `${path}/test`);
  const found = await api.deps.connections.get(customer.id, id);
  const checked = (found?.value.happenings ?? []).filter(({ type }) => type === 'secret.checked');
  expect(checked).toHaveLength(1);
  const [happening] = checked;
  if (!found || !happening) throw new Error('nothing was told');
  const body = bodyOf(connectionEvent(found.value, happening));
  expect(eventSchema('secret.checked').safeParse(JSON.parse(body)).error).toBeUndefined();
  const { subject, text } = composeNotice(body) ?? {};
  expect(subject).toBe('The certificate of Tailspin has a successor in Microsoft Entra');
  expect(text).toContain('1. A newer certificate “Muster 2” exists in Microsoft Entra, until 2116-05-01.');
});
