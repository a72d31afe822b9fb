import { beforeEach, describe, expect, it } from 'vitest';
import type { SignedInPerson } from '../../shared/connections/consent/admin-sign-in.ts';
import { GLOBAL_ADMINISTRATOR } from '../fakes/simulated-sign-in.ts';
import { createApi, DOMAIN, OPERATOR_KEY, TENANT_ID, VENDOR_APP_ID } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';

const OTHER_TENANT = '00000000-0000-4000-8000-000000000000';
const ADMIN = { tenantId: TENANT_ID, objectId: 'admin-1', directoryRoles: [GLOBAL_ADMINISTRATOR] };

let api: ReturnType<typeof createApi>;
let key: string;
beforeEach(async () => {
  api = createApi();
  ({ key } = await api.customer({ name: 'Acme <b>& Sons' }));
});

const post = (path: string, body?: object) => api.request('POST', path, { key, ...(body && { body }) });
const body = { name: 'Tailspin', tenant: DOMAIN, app: 'vendor' };
const connectionOf = async (id: string) =>
  jsonOf<Record<string, unknown>>(await api.request('GET', `/v1/connections/${id}`, { key }));

async function register(): Promise<string> {
  const response = await post('/v1/connections', body);
  expect(response.status).toBe(201);
  return (await jsonOf<{ id: string }>(response)).id;
}

/** The admin accepts. Resolves to where the browser is sent next. */
async function accept(id: string): Promise<URL> {
  const { url } = await jsonOf<{ url: string }>(await post(`/v1/connections/${id}/consent`));
  expect(new URL(url).searchParams.get('client_id')).toBe(VENDOR_APP_ID);
  const state = new URL(url).searchParams.get('state') ?? '';
  const query = new URLSearchParams({ state, tenant: TENANT_ID, admin_consent: 'True' });
  const answer = await api.request('GET', `/v1/consent/callback?${query}`);
  expect([answer.status, answer.headers.get('referrer-policy')]).toEqual([303, 'no-referrer']);
  return new URL(answer.headers.get('location') ?? '');
}

/** The admin has signed in, and comes back with a code. */
async function comeBack(from: URL, query: Record<string, string>, state = from.searchParams.get('state') ?? '') {
  const answer = await api.request('GET', `/v1/consent/sign-in?${new URLSearchParams({ state, ...query })}`);
  expect(answer.status).toBe(200);
  return { page: await answer.text(), policy: answer.headers.get('content-security-policy') ?? '' };
}

const confirmPathOf = (page: string) => /action="([^"]+)"/.exec(page)?.[1]?.replaceAll('&#38;', '&') ?? '';
const press = async (path: string) => (await api.request('POST', path)).text();

async function confirmAll(id: string): Promise<void> {
  api.deps.adminSignIn.codes.set('code', ADMIN);
  const { page } = await comeBack(await accept(id), { code: 'code' });
  expect(await press(confirmPathOf(page))).toContain('Consent granted');
}

it('the page of the admin shows the name that an operator has given, whatever an owner has chosen since', async () => {
  const { customer } = await jsonOf<{ customer: { id: string } }>(await api.request('GET', '/v1/me', { key }));
  const rename = (name: string, by: string) =>
    api.request('PATCH', `/v1/customers/${customer.id}`, { key: by, body: { name } });
  api.deps.adminSignIn.codes.set('code', ADMIN);
  const id = await register();
  const shown = async () => (await comeBack(await accept(id), { code: 'code' })).page;

  for (const name of ['Tailspin IT', 'Tailspin Security']) expect((await rename(name, key)).status).toBe(200);
  expect(await shown()).toContain('Acme &#60;b&#62;&#38; Sons');
  expect(await shown()).not.toContain('Tailspin Security');
  expect((await rename('Acme Group', OPERATOR_KEY)).status).toBe(200);
  expect(await shown()).toContain('Acme Group');
});

describe('registering with the app of the service', () => {
  it('201: needs neither a client ID nor a credential', async () => {
    expect(await connectionOf(await register())).toMatchObject({
      app: 'vendor',
      clientId: VENDOR_APP_ID,
      confirmedByAdmin: null,
      clientSecret: null,
      certificate: null,
      status: 'awaitingConsent',
    });
    expect(await Array.fromAsync(api.deps.vault.names())).toEqual([]);
  });

  it('400: takes no client ID and no credential, and names each of them', async () => {
    const own = { clientId: VENDOR_APP_ID, clientSecret: 'value-8Q~of-a-secret', clientSecretExpiresAt: '2027-01-01' };
    const { errors } = await jsonOf<{ errors: { path: string }[] }>(
      await post('/v1/connections', { ...body, ...own, certificate: { source: 'made' } }),
    );
    expect(errors.map(({ path }) => path).sort()).toEqual([
      'certificate',
      'clientId',
      'clientSecret',
      'clientSecretExpiresAt',
    ]);
  });

  it('400: requires a client ID and a credential for an app of one’s own', async () => {
    const { errors } = await jsonOf<{ errors: { path: string }[] }>(
      await post('/v1/connections', { ...body, app: 'own' }),
    );
    expect(errors.map(({ path }) => path)).toEqual(['clientId', 'clientSecret', 'clientSecretExpiresAt']);
  });

  it('400: says so if the app is in another cloud', async () => {
    const response = await post('/v1/connections', { ...body, cloud: 'usgov' });
    expect(await response.json()).toMatchObject({ status: 400, errors: [{ path: 'cloud' }] });
  });

  it('409: two of them for one tenant', async () => {
    await register();
    expect((await post('/v1/connections', body)).status).toBe(409);
  });

  it.each([
    ['PUT', 'client-secret', { clientSecret: 'value-8Q~of-a-secret', clientSecretExpiresAt: '2027-01-01' }],
    ['POST', 'client-secret/restore', undefined],
    ['POST', 'certificate/next', {}],
    ['PATCH', '', { clientId: VENDOR_APP_ID }],
    ['PATCH', '', { clientSecretExpiresAt: '2027-01-01' }],
  ])('409: %s %s has nothing to change', async (method, path, changed) => {
    const id = await register();
    const url = `/v1/connections/${id}${path === '' ? '' : `/${path}`}`;
    const response = await api.request(method, url, { key, ...(changed && { body: changed }) });
    expect(await response.json()).toMatchObject({ status: 409, code: 'wrong_state' });
  });

  it('204: is deleted like any other', async () => {
    const id = await register();
    expect((await api.request('DELETE', `/v1/connections/${id}`, { key })).status).toBe(204);
  });
});

describe('the way of the admin', () => {
  it('leads from consent through the sign-in to a page that names the customer, and only its button connects', async () => {
    const id = await register();
    const signIn = await accept(id);
    expect(signIn.origin + signIn.pathname).toBe(`https://login.test/${TENANT_ID}/oauth2/v2.0/authorize`);
    expect(signIn.searchParams.get('redirect_uri')).toBe('https://muster.test/v1/consent/sign-in');
    api.deps.adminSignIn.codes.set('code', ADMIN);
    const { page, policy } = await comeBack(signIn, { code: 'code' });
    expect(page).toContain('Who may use your organization’s mailboxes?');
    expect(page).toContain('Acme &#60;b&#62;&#38; Sons');
    expect(page).toContain(DOMAIN);
    expect(policy).toContain("form-action 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    // A browser sends the form only when the box is checked: a click that another site has led here is not enough.
    expect(page).toMatch(/<form [^>]+><label><input type="checkbox" required> [^<]+<\/label><button>Confirm<\/button>/);

    // Nobody has confirmed yet.
    expect(await connectionOf(id)).toMatchObject({ consentedAt: null, confirmedByAdmin: null });
    const before = await jsonOf<object>(await post(`/v1/connections/${id}/test`));
    expect(before).toMatchObject({
      verdict: 'failed',
      steps: expect.arrayContaining([
        expect.objectContaining({ step: 'credential', cause: 'admin_confirmation_missing' }),
      ]),
    });
    expect(await connectionOf(id)).toMatchObject({ status: 'awaitingConsent' });

    expect(await press(confirmPathOf(page))).toContain('Consent granted');
    expect(await connectionOf(id)).toMatchObject({
      consentedAt: '2026-06-01T00:00:00.000Z',
      confirmedByAdmin: { at: '2026-06-01T00:00:00.000Z', objectId: 'admin-1' },
      finding: null,
    });
    const { items } = await jsonOf<{ items: object[] }>(await api.request('GET', '/v1/audit', { key }));
    const record = { action: 'connections.confirm-tenant', object: id, result: 'succeeded' };
    expect(items).toContainEqual(
      expect.objectContaining({ ...record, actor: { keyId: 'admin:admin-1', role: 'viewer' } }),
    );
    expect(await jsonOf<object>(await post(`/v1/connections/${id}/test`))).toMatchObject({ verdict: 'passed' });
    expect(await connectionOf(id)).toMatchObject({ status: 'ready' });
    expect(await press(confirmPathOf(page))).toContain('This link has been used');
  });

  it.each<[string, SignedInPerson, string]>([
    [
      'a person without a role',
      { ...ADMIN, directoryRoles: ['b79fbf4d-3ef9-4689-8143-76b194e85509'] },
      'An administrator must confirm',
    ],
    [
      'an admin of another kind',
      { ...ADMIN, directoryRoles: ['9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3'] },
      'An administrator must confirm',
    ],
    [
      'a person whose roles Microsoft does not tell',
      { tenantId: TENANT_ID, objectId: 'x' },
      'We could not see your role',
    ],
    ['an admin of another tenant', { ...ADMIN, tenantId: OTHER_TENANT }, 'another organization'],
  ])('ends without a confirmation for %s', async (_who, person, words) => {
    const id = await register();
    api.deps.adminSignIn.codes.set('code', person);
    const signIn = await accept(id);
    const { page } = await comeBack(signIn, { code: 'code' });
    expect(page).toContain(words);
    expect(confirmPathOf(page)).toBe('');
    expect(await connectionOf(id)).toMatchObject({ status: 'awaitingConsent', confirmedByAdmin: null });
    expect((await comeBack(signIn, { code: 'code' })).page).toContain('This link has been used');
  });

  it('a code of somebody else’s sign-in is refused, and so is one without its sign-in', async () => {
    const id = await register();
    api.deps.adminSignIn.codes.set('code', ADMIN);
    const signIn = await accept(id);
    expect((await comeBack(signIn, { code: 'forged' })).page).toContain('The sign-in could not be completed');
    expect((await comeBack(signIn, { code: 'code' }, 'forged')).page).toContain('This link is not known');
    expect(await press('/v1/consent/confirm?state=forged')).toContain('This link is not known');
    expect(await press('/v1/consent/confirm')).toContain('This link is not known');
    expect(await connectionOf(id)).toMatchObject({ confirmedByAdmin: null });
  });

  it('a state counts for its own step only', async () => {
    const id = await register();
    api.deps.adminSignIn.codes.set('code', ADMIN);
    const signIn = await accept(id);
    const state = signIn.searchParams.get('state') ?? '';
    expect(await press(`/v1/consent/confirm?state=${state}`)).toContain('This link is not known');
    const query = new URLSearchParams({ state, tenant: TENANT_ID, admin_consent: 'True' });
    const callback = await api.request('GET', `/v1/consent/callback?${query}`);
    expect(await callback.text()).toContain('This link is not known');
    const { page } = await comeBack(signIn, { code: 'code' });
    const confirm = new URL(confirmPathOf(page), 'https://muster.test').searchParams.get('state') ?? '';
    expect((await comeBack(signIn, { code: 'code' }, confirm)).page).toContain('This link is not known');
  });

  it('a sign-in that Microsoft did not answer can be repeated by reloading the page', async () => {
    const id = await register();
    api.deps.adminSignIn.codes.set('code', 'unavailable');
    const signIn = await accept(id);
    expect((await comeBack(signIn, { code: 'code' })).page).toContain('reload this page');
    api.deps.adminSignIn.codes.set('code', ADMIN);
    expect((await comeBack(signIn, { code: 'code' })).page).toContain('Who may use');
  });

  it('an admin who reloads a page before the confirmation is not told to be done, and one who has confirmed is', async () => {
    const id = await register();
    api.deps.adminSignIn.codes.set('code', ADMIN);
    const { url } = await jsonOf<{ url: string }>(await post(`/v1/connections/${id}/consent`));
    const state = new URL(url).searchParams.get('state') ?? '';
    const callback = `/v1/consent/callback?${new URLSearchParams({ state, tenant: TENANT_ID, admin_consent: 'True' })}`;
    const granted = await api.request('GET', callback);
    const signIn = new URL(granted.headers.get('location') ?? '');
    const { page } = await comeBack(signIn, { code: 'code' });
    const reloads = async () => [
      await (await api.request('GET', callback)).text(),
      (await comeBack(signIn, { code: 'code' })).page,
    ];
    for (const reloaded of await reloads()) {
      expect(reloaded).toContain('This link has been used');
      expect(reloaded).toContain('choose Confirm');
      expect(reloaded).not.toContain('you are done');
    }
    await press(confirmPathOf(page));
    for (const reloaded of [...(await reloads()), await press(confirmPathOf(page))])
      expect(reloaded).toContain('you are done');
  });

  it.each([
    ['had a problem', { error: 'server_error', error_description: 'AADSTS90033: A transient error.' }],
    ['did not say who the person is', {}],
  ])('a sign-in at which Microsoft %s asks for a new link, because the first one is used up', async (_what, query) => {
    const signIn = await accept(await register());
    const { page } = await comeBack(signIn, query);
    expect(page).toContain('The sign-in was not finished');
    expect(page).toContain('for a new link');
    expect(page).not.toContain('The link still works');
  });

  it('a sign-in that was canceled is shown with the connection', async () => {
    const id = await register();
    const { page } = await comeBack(await accept(id), { error: 'access_denied', error_subcode: 'cancel' });
    expect(page).toContain('Consent was not granted');
    expect(await connectionOf(id)).toMatchObject({ finding: { cause: 'consent_declined' } });
  });

  it('each step expires', async () => {
    const id = await register();
    api.deps.adminSignIn.codes.set('code', ADMIN);
    const late = await accept(id);
    api.deps.time.now = new Date('2026-06-01T00:20:00Z');
    const { page: expired } = await comeBack(late, { code: 'code' });
    expect(expired).toContain('This link has expired');
    expect(expired).toContain('choose Confirm');
    const { page } = await comeBack(await accept(id), { code: 'code' });
    api.deps.time.now = new Date('2026-06-01T00:40:00Z');
    expect(await press(confirmPathOf(page))).toContain('This link has expired');
    expect(await connectionOf(id)).toMatchObject({ confirmedByAdmin: null });
  });

  it('a later consent keeps what an admin has confirmed', async () => {
    const id = await register();
    await confirmAll(id);
    await accept(id);
    expect(await connectionOf(id)).toMatchObject({ confirmedByAdmin: { objectId: 'admin-1' } });
  });
});

it('a tenant that has consented for one customer is closed to another one until its admin confirms', async () => {
  await confirmAll(await register());
  const { key: attacker } = await api.customer({ name: 'Mallory' });
  const { id } = await jsonOf<{ id: string }>(await api.request('POST', '/v1/connections', { key: attacker, body }));
  const result = await api.request('POST', `/v1/connections/${id}/test`, { key: attacker });
  expect(await result.json()).toMatchObject({ verdict: 'failed', roles: [] });
  const started = await api.request('POST', `/v1/connections/${id}/imports`, {
    key: attacker,
    headers: { 'content-type': 'text/csv' },
    body: `email\njane@${DOMAIN}\n`,
  });
  expect(await started.json()).toMatchObject({ status: 409, code: 'connection_not_ready' });
});
