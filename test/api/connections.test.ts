import { describe, expect, it } from 'vitest';
import { sweepDeletions } from '../../shared/connections/lifecycle/delete-connection.ts';
import { DomainError } from '../../shared/kernel/errors.ts';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { absentId, DOMAIN, TENANT_ID } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';
import {
  api,
  connectionOf,
  finishDeletions,
  key,
  post,
  register,
  registration,
  test,
  useApiOfItsOwn,
} from '../support/registered-connections.ts';

useApiOfItsOwn();

describe('registering', () => {
  it('201: resolves the domain, waits for consent, and never shows the secret again', async () => {
    const response = await post('/v1/connections', registration);
    const text = await response.text();
    expect(response.status).toBe(201);
    expect(response.headers.get('location')).toMatch(/^\/v1\/connections\/conn_/);
    expect(JSON.parse(text)).toMatchObject({
      tenantId: TENANT_ID,
      tenantDomain: DOMAIN,
      clientId: registration.clientId.toLowerCase(),
      status: 'awaitingConsent',
      clientSecret: { expiresAt: '2026-12-01T00:00:00.000Z', daysLeft: 183, state: 'valid' },
    });
    expect(text).not.toContain(GOOD_SECRET);
    expect(api.logs.filter((line) => line.text.includes(GOOD_SECRET))).toEqual([]);
  });

  it('400: lists all wrong fields together', async () => {
    const wrong = { name: ' ', clientId: 'x', probes: ['pop'], clientSecretExpiresAt: 'soon', extra: 1 };
    const response = await post('/v1/connections', { ...registration, ...wrong });
    const { errors } = await jsonOf<{ errors: { path: string }[] }>(response);
    expect(response.status).toBe(400);
    expect(new Set(errors.map(({ path }) => path))).toEqual(
      new Set(['name', 'clientId', 'probes.0', 'clientSecretExpiresAt', 'extra']),
    );
  });

  it.each([
    ['a right-to-left override', 'Tailspin \u202egro.elpmaxe'],
    ['a directional isolate', 'Tail\u2066spin'],
    ['a line break', 'Tail\nspin'],
    ['another control character', 'Tail\u0007spin'],
  ])('400: refuses a name with %s, at registration and in a change', async (_, name) => {
    const id = await register();
    const refused = { code: 'validation_failed', errors: [{ path: 'name' }] };
    const created = await post('/v1/connections', { ...registration, name });
    expect(created.status).toBe(400);
    expect(await created.json()).toMatchObject(refused);
    const changed = await api.request('PATCH', `/v1/connections/${id}`, { key, body: { name } });
    expect(changed.status).toBe(400);
    expect(await changed.json()).toMatchObject(refused);
  });

  it.each([
    ['an expiry in the past', { clientSecretExpiresAt: '2026-05-31T00:00:00Z' }, 'clientSecretExpiresAt'],
    ['a secret id', { clientSecret: '3f0c1f8e-7c1b-4d0a-9b58-0f4f4f1f9a11' }, 'clientSecret'],
    ['a domain of personal accounts', { tenant: 'outlook.com' }, 'tenant'],
    ['a cloud that is not configured', { cloud: 'simulator' }, 'cloud'],
  ])('400: refuses %s, and stores nothing in the vault', async (_, change, path) => {
    const response = await post('/v1/connections', { ...registration, ...change });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'validation_failed', errors: [{ path }] });
    expect(api.deps.vault.names()).toEqual([]);
  });

  it.each([DOMAIN, TENANT_ID])('422: names the cloud of the tenant %s if it is in another one', async (tenant) => {
    api.deps.tenants.find = async () => ({ tenantId: TENANT_ID, cloud: 'usgov' });
    const response = await post('/v1/connections', { ...registration, tenant });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      cause: 'wrong_cloud',
      fix: expect.stringContaining('"cloud": "usgov"'),
      errors: [{ path: 'cloud' }],
    });
    expect(api.deps.vault.names()).toEqual([]);
  });

  it('201: takes a GUID as it is if Microsoft does not know it or does not answer', async () => {
    const tenant = '00000000-0000-4000-8000-000000000404';
    api.deps.tenants.find = async () => undefined;
    await register({ tenant });
    api.deps.tenants.find = () => Promise.reject(new DomainError('microsoft_unavailable', 'No answer.'));
    await register({ tenant: TENANT_ID });
    expect((await post('/v1/connections', registration)).status).toBe(503);
  });

  it('422: refuses a domain that no tenant has', async () => {
    const response = await post('/v1/connections', { ...registration, tenant: 'nobody.example' });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: 'credentials_rejected', cause: 'tenant_not_found' });
  });

  it('409: refuses the same tenant twice, and leaves no orphaned secret behind', async () => {
    const id = await register();
    const response = await post('/v1/connections', { ...registration, name: 'Again' });
    expect(response.status).toBe(409);
    expect(api.deps.vault.names()).toEqual([id]);
  });
});

// Different answers would reveal which ids exist.
it('404: gives the same answer for an unknown connection and for another customer’s', async () => {
  const id = await register();
  const stranger = (await api.customer({ name: 'Globex' })).key;
  const read = async (path: string) => {
    const text = await (await api.request('GET', path, { key: stranger })).text();
    return text.replace(/"requestId":"[^"]*"/, '');
  };
  expect(await read(`/v1/connections/${id}`)).toBe(await read(`/v1/connections/${absentId('conn')}`));
  expect(await read(`/v1/connections/${id}`)).toContain('not_found');
});

it('200: changes only the given fields; 412: refuses if the connection has changed since it was read', async () => {
  const id = await register();
  const path = `/v1/connections/${id}`;
  const etag = (await api.request('GET', path, { key })).headers.get('etag') ?? '';
  const change = (name: string) => api.request('PATCH', path, { key, body: { name }, headers: { 'if-match': etag } });
  expect((await change('One')).status).toBe(200);
  expect((await change('Two')).status).toBe(412);
  expect(await (await api.request('GET', path, { key })).json()).toMatchObject({ name: 'One' });
});

describe('correcting', () => {
  const patch = (id: string, body: object) => api.request('PATCH', `/v1/connections/${id}`, { key, body });

  it('200: a mistyped expiry, without the secret, as a plain date', async () => {
    const id = await register({ clientSecretExpiresAt: '2026-06-10' });
    expect(await connectionOf(id)).toMatchObject({ clientSecret: { expiresAt: '2026-06-10T00:00:00.000Z' } });
    const answer = await patch(id, { clientSecretExpiresAt: '2027-05-01' });
    expect(await answer.json()).toMatchObject({
      clientSecret: { expiresAt: '2027-05-01T00:00:00.000Z', state: 'valid' },
    });
    const entries = await Array.fromAsync(api.deps.expiryIndex.each());
    expect(entries.map(({ expiresAt }) => expiresAt)).toEqual([new Date('2027-05-01T00:00:00Z')]);
    expect(api.deps.vault.names()).toEqual([id]);
  });

  it.each(['2026-06-01', '2027-02-29', '2027-5-1', 'tomorrow'])('400: refuses %s as an expiry', async (text) => {
    const answer = await patch(await register(), { clientSecretExpiresAt: text });
    expect(answer.status).toBe(400);
    const message =
      text === '2026-06-01' ? 'must be in the future' : expect.stringMatching(/a date, such as 2027-05-01,/);
    expect(await answer.json()).toMatchObject({ errors: [{ path: 'clientSecretExpiresAt', message }] });
  });

  it('200: a mistyped client ID, which is tested by itself', async () => {
    const id = await register();
    await test(id);
    const clientId = '00000000-0000-4000-8000-00000000ABCD';
    const answer = await patch(id, { clientId });
    expect(await answer.json()).toMatchObject({
      clientId: clientId.toLowerCase(),
      status: 'ready',
      lastTest: { verdict: 'passed' },
    });
    // The former app can be registered again.
    await register();
  });

  it('200: after a change of the app, what was known about the former one is gone', async () => {
    const id = await register();
    await test(id);
    api.deps.tenant.answers.set(GOOD_SECRET, 'AADSTS7000229');
    const answer = await patch(id, { clientId: '00000000-0000-4000-8000-00000000abcd' });
    expect(await answer.json()).toMatchObject({
      status: 'awaitingConsent',
      consentedAt: null,
      finding: { cause: 'service_principal_missing' },
    });
  });

  it('409: refuses a client ID that another connection to the tenant has', async () => {
    const clientId = '00000000-0000-4000-8000-00000000abcd';
    await register({ clientId });
    const answer = await patch(await register(), { clientId });
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ code: 'conflict' });
  });

  it('200: takes `null` for no default mailbox, as GET answers it', async () => {
    const id = await register({ defaultMailbox: `jane@${DOMAIN}` });
    expect(await (await patch(id, { defaultMailbox: null })).json()).toMatchObject({ defaultMailbox: null });
    await patch(id, { name: 'Other' });
    expect(await connectionOf(id)).toMatchObject({ defaultMailbox: null, name: 'Other' });
    const another = await register({ defaultMailbox: null, clientId: '00000000-0000-4000-8000-00000000abcd' });
    expect(await connectionOf(another)).toMatchObject({ defaultMailbox: null });
  });
});

describe('deleting', () => {
  const remove = async (id: string, as = key) =>
    (await api.request('DELETE', `/v1/connections/${id}`, { key: as })).status;
  const statusOf = async (method: string, path: string) => (await api.request(method, path, { key })).status;
  const upload = (id: string) =>
    api.request('POST', `/v1/connections/${id}/imports`, {
      ...{ key, raw: `email\na@${DOMAIN}\n` },
      headers: { 'content-type': 'text/csv' },
    });

  it('204: the connection and its secret are gone immediately, and its tenant can be registered again', async () => {
    const id = await register();
    expect(await remove(id)).toBe(204);
    expect(api.deps.vault.names()).toEqual([]);
    expect(await statusOf('GET', `/v1/connections/${id}`)).toBe(404);
    expect(await statusOf('GET', `/v1/connections/${id}/mailboxes`)).toBe(404);
    expect(await statusOf('POST', `/v1/connections/${id}/test`)).toBe(404);
    expect((await upload(id)).status).toBe(404);
    expect(await (await api.request('GET', '/v1/connections', { key })).json()).toEqual({ items: [] });
    await register();
  });

  it('204: for each of several requests at the same time, and until the rest is removed; then 404', async () => {
    const id = await register();
    expect(await Promise.all([remove(id), remove(id), remove(id)])).toEqual([204, 204, 204]);
    expect(await remove(id)).toBe(204);
    expect(await remove(id, (await api.customer({ name: 'Globex' })).key)).toBe(404);
    await finishDeletions();
    expect(await remove(id)).toBe(404);
    expect(await api.deps.connections.listDeletions()).toEqual([]);
  });

  it('204: also if the vault and the queue are unavailable; the sweep finishes it', async () => {
    const id = await register();
    const { deps } = api;
    const { remove: removeSecret } = deps.vault;
    deps.vault.remove = () => Promise.reject(new DomainError('vault_unavailable', 'Unavailable.'));
    expect(await remove(id)).toBe(204);
    expect(deps.vault.names()).toEqual([id]);
    deps.sent.length = 0;
    deps.vault.remove = removeSecret;
    expect(await sweepDeletions(deps)).toBe(0);
    deps.time.now = new Date(deps.time.now.getTime() + 30_000);
    expect(await sweepDeletions(deps)).toBe(1);
    await finishDeletions();
    expect(deps.vault.names()).toEqual([]);
    expect(await sweepDeletions(deps)).toBe(0);
  });

  it('404: refuses the upload that was under way, starts no import, and asks for what is left to be removed', async () => {
    const id = await register();
    await post(`/v1/connections/${id}/test`);
    const { imports, sent } = api.deps;
    const { insert } = imports;
    imports.insert = async (...args) => {
      await remove(id);
      sent.length = 0;
      return insert(...args);
    };
    expect((await upload(id)).status).toBe(404);
    expect(sent).toEqual([expect.objectContaining({ connectionId: id })]);
    expect(sent[0]).not.toHaveProperty('importId');
  });

  it('401: refuses every change with a remembered key of a customer that was deleted elsewhere', async () => {
    const id = await register();
    const { customer } = await jsonOf<{ customer: { id: string } }>(await api.request('GET', '/v1/me', { key }));
    const found = await api.deps.customers.get(customer.id);
    if (!found) throw new Error('no customer');
    await api.deps.customers.update({ ...found.value, deletingSince: api.deps.time.now }, found.tag);
    expect(await statusOf('GET', `/v1/connections/${id}`)).toBe(200);
    expect((await post('/v1/connections', { ...registration, tenant: TENANT_ID })).status).toBe(401);
    expect((await upload(id)).status).toBe(401);
    expect(api.deps.vault.names()).toEqual([id]);
  });
});
