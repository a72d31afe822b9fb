import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { findExpiringSecrets } from '../../shared/connections/expiry/expiring-secrets.ts';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { allPagesOf } from '../support/all-pages.ts';
import { createApi, DOMAIN } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';
import { noFailure } from '../support/no-failure.ts';

const fixture = (name: string) => readFileSync(new URL(`../fixtures/certificates/${name}`, import.meta.url));
const pem = fixture('rsa-2048.pem').toString();
const THUMBPRINT = new X509Certificate(pem).fingerprint.replaceAll(':', '');
const pfx = (name: string, password?: string) => ({
  source: 'pfx',
  pfx: fixture(name).toString('base64'),
  ...(password !== undefined && { password }),
});
const secret = { clientSecret: GOOD_SECRET, clientSecretExpiresAt: '2026-12-01' };
const registration = { name: 'Tailspin', tenant: DOMAIN, clientId: 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37' };

interface Shown {
  id: string;
  status: string;
  clientSecret: { state: string; previous?: object } | null;
  certificate: { thumbprint: string; expiresAt: string; state: string; previous?: object } | null;
  nextCertificate: { thumbprint: string } | null;
  finding: { cause: string } | null;
}

let api: ReturnType<typeof createApi>;
let key: string;

beforeEach(async () => {
  api = createApi();
  ({ key } = await api.customer());
});

const call = async <Body = Shown>(method: string, path: string, body?: object) => {
  const answer = await api.request(method, path, { key, ...(body && { body }) });
  return { status: answer.status, body: await jsonOf<Body>(answer) };
};
const register = async (credential: object) => {
  const answer = await call('POST', '/v1/connections', { ...registration, ...credential });
  expect(answer.status).toBe(201);
  return answer.body;
};
const at = (id: string, rest = '') => `/v1/connections/${id}/certificate${rest}`;
const accept = (thumbprint = THUMBPRINT) => api.deps.tenant.answers.set(thumbprint, ['Mail.ReadWrite', 'Mail.Send']);
const vaultNames = async () => [
  ...api.deps.vault.names(),
  ...(await allPagesOf(api.deps.certificates)).map(({ connectionId }) => connectionId),
];

describe('registering', () => {
  it('201: with a certificate that our vault makes, whose public part can be downloaded and added to the app', async () => {
    const made = await register({ certificate: { source: 'made', validMonths: 6 } });
    expect(made).toMatchObject({
      status: 'awaitingConsent',
      clientSecret: null,
      certificate: { origin: 'made', expiresAt: '2026-12-01T00:00:00.000Z', daysLeft: 183, state: 'valid' },
      nextCertificate: null,
    });
    const refused = await call('POST', `/v1/connections/${made.id}/test`);
    expect(refused.body).toMatchObject({ verdict: 'failed' });
    expect(JSON.stringify(refused.body)).toContain('certificate_not_registered');

    const text = await (await api.request('GET', at(made.id), { key })).text();
    expect(new X509Certificate(text).fingerprint.replaceAll(':', '')).toBe(made.certificate?.thumbprint);
    expect(text).not.toContain('PRIVATE');
    const cer = await api.request('GET', at(made.id, '?format=cer'), { key });
    expect(cer.headers.get('content-type')).toBe('application/pkix-cert');
    expect(cer.headers.get('content-disposition')).toMatch(/^attachment; filename="muster-[0-9a-f]{8}\.cer"$/);
    const der = new X509Certificate(Buffer.from(await cer.arrayBuffer()));
    expect(der.fingerprint.replaceAll(':', '')).toBe(made.certificate?.thumbprint);

    accept(made.certificate?.thumbprint);
    await call('POST', `/v1/connections/${made.id}/test`);
    expect((await call('GET', `/v1/connections/${made.id}`)).body).toMatchObject({ status: 'ready', finding: null });
  });

  it.each([
    ['PEM', { source: 'pem', pem }],
    ['PFX', pfx('triple-des.pfx', 'hunter2')],
    ['PFX without a password', pfx('no-password.pfx')],
  ])('201: with an uploaded %s, whose expiry is read from it, and which is never shown', async (_, certificate) => {
    accept();
    const answer = await api.request('POST', '/v1/connections', { key, body: { ...registration, certificate } });
    const text = await answer.text();
    expect(answer.status).toBe(201);
    const shown = JSON.parse(text) as Shown;
    expect(shown.certificate).toMatchObject({ thumbprint: THUMBPRINT, expiresAt: '2036-01-01T00:00:00.000Z' });
    const logged = JSON.stringify(api.logs);
    for (const hidden of ['PRIVATE KEY', 'hunter2', pem.slice(-300, -200)]) {
      expect(text).not.toContain(hidden);
      expect(logged).not.toContain(hidden);
    }
    expect((await call('POST', `/v1/connections/${shown.id}/test`)).body).toMatchObject({ verdict: 'passed' });
  });

  it.each([
    ['no credential', {}, ['clientSecret', 'clientSecretExpiresAt']],
    ['a secret without its expiry', { clientSecret: GOOD_SECRET }, ['clientSecretExpiresAt']],
    ['two credentials', { ...secret, certificate: { source: 'made' } }, ['clientSecret', 'clientSecretExpiresAt']],
    ['a wrong password', { certificate: pfx('triple-des.pfx', 'wrong') }, ['certificate.password']],
    ['no base64', { certificate: { source: 'pfx', pfx: '***' } }, ['certificate.pfx']],
    [
      'an expired certificate',
      { certificate: { source: 'pem', pem: fixture('expired.pem').toString() } },
      ['certificate.pem'],
    ],
    ['an unknown source', { certificate: { source: 'store' } }, ['certificate.source']],
  ])('400: refuses %s, and stores nothing in the vault', async (_, credential, paths) => {
    const answer = await call<{ errors: { path: string }[] }>('POST', '/v1/connections', {
      ...registration,
      ...credential,
    });
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map(({ path }) => path)).toEqual(paths);
    expect(await vaultNames()).toEqual([]);
  });

  it('409: refuses the same tenant twice, and leaves no orphaned certificate behind', async () => {
    const { id } = await register(secret);
    const again = { ...registration, certificate: { source: 'made' } };
    expect((await call('POST', '/v1/connections', again)).status).toBe(409);
    expect(await vaultNames()).toEqual([id]);
  });
});

describe('replacing', () => {
  it('422: a made certificate that the app does not list yet changes nothing; 200 once it does', async () => {
    const { id } = await register(secret);
    await call('POST', `/v1/connections/${id}/test`);
    const made = await call('POST', at(id, '/next'), { validMonths: 12 });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ clientSecret: { state: 'valid' }, certificate: null });
    const { thumbprint = '' } = made.body.nextCertificate ?? {};

    const early = await call('PUT', at(id), { certificate: { source: 'made' } });
    expect(early).toMatchObject({ status: 422, body: { cause: 'certificate_not_registered' } });
    expect(JSON.stringify(early.body)).toContain('The client secret in use stays in use.');

    accept(thumbprint);
    const replaced = await call('PUT', at(id), { certificate: { source: 'made' } });
    expect(replaced).toMatchObject({
      status: 200,
      body: {
        status: 'ready',
        clientSecret: null,
        certificate: { thumbprint, previous: { credential: 'clientSecret' } },
        nextCertificate: null,
      },
    });
    expect((await call('PUT', at(id), { certificate: { source: 'made' } })).status).toBe(409);
  });

  it('200: an expired certificate by an uploaded one, which ends the finding; and back again', async () => {
    const first = await register({ certificate: { source: 'made' } });
    const { id } = first;
    const firstThumbprint = first.certificate?.thumbprint ?? '';
    accept(firstThumbprint);
    await call('POST', `/v1/connections/${id}/test`);
    api.deps.tenant.answers.set(firstThumbprint, 'AADSTS700021');
    await call('POST', `/v1/connections/${id}/test`);
    expect((await call('GET', `/v1/connections/${id}`)).body).toMatchObject({
      status: 'failing',
      finding: { cause: 'certificate_wrong' },
    });

    accept();
    const replaced = await call('PUT', at(id), { certificate: pfx('aes-256.pfx', 'hunter2-ü') });
    expect(replaced).toMatchObject({
      status: 200,
      body: { status: 'ready', finding: null, certificate: { thumbprint: THUMBPRINT, origin: 'uploaded' } },
    });

    expect((await call('POST', at(id, '/restore'))).status).toBe(422);
    accept(firstThumbprint);
    expect((await call('POST', at(id, '/restore'))).body).toMatchObject({
      certificate: { thumbprint: firstThumbprint },
    });
    expect((await call('POST', at(id, '/restore'))).body).toMatchObject({ certificate: { thumbprint: THUMBPRINT } });
  });

  it('200: a certificate by a client secret, and each credential is restored by its own route', async () => {
    accept();
    const { id } = await register({ certificate: { source: 'pem', pem } });
    const answer = await call('PUT', `/v1/connections/${id}/client-secret`, secret);
    expect(answer.body).toMatchObject({ certificate: null, clientSecret: { previous: { credential: 'certificate' } } });
    expect((await call('POST', `/v1/connections/${id}/client-secret/restore`)).status).toBe(409);
    expect((await call('POST', at(id, '/restore'))).body).toMatchObject({ certificate: { thumbprint: THUMBPRINT } });
    expect((await call('POST', at(id, '/restore'))).status).toBe(409);
  });

  it('201: making another one, and 200: discarding it, leaves no key in the vault', async () => {
    const { id } = await register(secret);
    const first = await call('POST', at(id, '/next'), {});
    const second = await call('POST', at(id, '/next'), {});
    expect(second.body.nextCertificate?.thumbprint).not.toBe(first.body.nextCertificate?.thumbprint);
    expect(await vaultNames()).toEqual([id, id]);
    expect((await call('DELETE', at(id, '/next'))).body).toMatchObject({ nextCertificate: null });
    expect(await vaultNames()).toEqual([id]);
    expect((await call('DELETE', at(id, '/next'))).status).toBe(409);
  });

  it('404: there is nothing to download without a certificate', async () => {
    const { id } = await register(secret);
    expect((await call('GET', at(id))).status).toBe(404);
    await call('POST', at(id, '/next'), {});
    expect((await api.request('GET', at(id), { key })).status).toBe(200);
    expect((await api.request('GET', at(id, '?which=next'), { key })).status).toBe(200);
    expect((await call('GET', at(id, '?which=current'))).status).toBe(404);
  });
});

it('409: the expiry of a certificate cannot be typed', async () => {
  const { id } = await register({ certificate: { source: 'made' } });
  const body = { clientSecretExpiresAt: '2030-01-01' };
  expect((await call('PATCH', `/v1/connections/${id}`, body)).status).toBe(409);
});

it('200: finds that the vault no longer has the key', async () => {
  const { id } = await register({ certificate: { source: 'made' } });
  for (const { connectionId, version } of await allPagesOf(api.deps.certificates)) {
    await api.deps.certificates.remove(connectionId, version);
  }
  expect(JSON.stringify((await call('POST', `/v1/connections/${id}/test`)).body)).toContain('certificate_missing');
});

it('204: a deleted connection leaves no key in the vault', async () => {
  const { id } = await register({ certificate: { source: 'made' } });
  await call('POST', at(id, '/next'), {});
  expect((await api.request('DELETE', `/v1/connections/${id}`, { key })).status).toBe(204);
  expect(await vaultNames()).toEqual([]);
});

describe('an expiring certificate', () => {
  it('200: is listed, reported, shown in the calendar, and its notices can be silenced', async () => {
    const { id } = await register({ certificate: { source: 'made', validMonths: 1 } });
    const list = await call<{ items: object[] }>('GET', '/v1/expiring-secrets?withinDays=40');
    expect(list.body.items).toMatchObject([{ connectionId: id, credential: 'certificate', state: 'expiring' }]);
    const calendar = await api.request('GET', '/v1/expiring-secrets?withinDays=40&format=ics', { key });
    expect(await calendar.text()).toContain('SUMMARY:Certificate of Tailspin expires');
    const reported: object[] = [];
    await findExpiringSecrets(
      { ...api.deps, expiringWithinDays: 40 },
      { expiring: (one) => void reported.push(one), failed: noFailure },
    );
    expect(reported).toMatchObject([{ connectionId: id, credential: 'certificate' }]);

    const until = '2026-06-15T00:00:00Z';
    expect((await call('POST', at(id, '/snooze'), { until })).body).toMatchObject({
      certificate: { snoozedUntil: '2026-06-15T00:00:00.000Z' },
    });
    expect((await call('POST', at(id, '/acknowledge'))).body).toMatchObject({
      certificate: { acknowledgedAt: '2026-06-01T00:00:00.000Z' },
    });
    expect((await call('DELETE', at(id, '/snooze'))).body).toMatchObject({
      certificate: { snoozedUntil: null, acknowledgedAt: null },
    });
    expect((await call('POST', `/v1/connections/${id}/client-secret/snooze`, { until })).status).toBe(409);
  });
});
