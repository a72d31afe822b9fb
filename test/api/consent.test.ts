import { describe, expect, it } from 'vitest';
import { removeOldLinks } from '../../shared/connections/consent/remove-old-links.ts';
import { DomainError } from '../../shared/kernel/errors.ts';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { TENANT_ID } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';
import { api, connectionOf, key, post, register, test, useApiOfItsOwn } from '../support/registered-connections.ts';

useApiOfItsOwn();

describe('consent', () => {
  async function linkParamsOf(id: string): Promise<URLSearchParams> {
    const { url } = await jsonOf<{ url: string }>(await post(`/v1/connections/${id}/consent`));
    expect(url).toMatch(`https://login.test/${TENANT_ID}/v2.0/adminconsent?`);
    return new URL(url).searchParams;
  }
  const callback = async (query: Record<string, string>) => {
    const response = await api.request('GET', `/v1/consent/callback?${new URLSearchParams(query)}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    return response.text();
  };
  const consentedAtOf = async (id: string) =>
    (await jsonOf<{ consentedAt: string | null }>(await api.request('GET', `/v1/connections/${id}`, { key })))
      .consentedAt;

  it('200: ends what a test before it has found missing', async () => {
    const id = await register();
    api.deps.tenant.answers.set(GOOD_SECRET, 'AADSTS7000229');
    await test(id);
    expect(await connectionOf(id)).toMatchObject({
      status: 'awaitingConsent',
      finding: { cause: 'service_principal_missing' },
    });
    const state = (await linkParamsOf(id)).get('state') ?? '';
    await callback({ state, tenant: TENANT_ID, admin_consent: 'True' });
    expect(await connectionOf(id)).toMatchObject({ status: 'awaitingConsent', finding: null });
  });

  it.each([
    [['graph.send', 'imap'], 'https://graph.microsoft.com/.default'],
    [['imap', 'smtp'], 'https://outlook.office365.com/.default'],
  ])('201: the link for %j asks for consent to what the app lists of %s', async (probes, scope) => {
    expect((await linkParamsOf(await register({ probes }))).get('scope')).toBe(scope);
  });

  it('200: is recorded once for each link; the connection still has to pass its test', async () => {
    const id = await register();
    const query = await linkParamsOf(id);
    expect(query.get('redirect_uri')).toBe('https://muster.test/v1/consent/callback');
    const state = query.get('state') ?? '';
    const answer = { state, tenant: TENANT_ID, admin_consent: 'True' };
    expect(await callback(answer)).toContain('Consent granted');
    expect(await consentedAtOf(id)).toBe('2026-06-01T00:00:00.000Z');
    expect(await callback(answer)).toContain('This link has been used');
    const read = await (await api.request('GET', `/v1/connections/${id}`, { key })).json();
    expect(read).toMatchObject({ status: 'awaitingConsent' });
  });

  it.each([
    [
      'declined, although admin_consent says True',
      { admin_consent: 'True', error: 'access_denied', error_subcode: 'cancel' },
      'not granted',
    ],
    [
      'given in another tenant',
      { admin_consent: 'True', tenant: '00000000-0000-4000-8000-000000000000' },
      'another organization',
    ],
  ])('200: changes nothing if it was %s', async (_, query, words) => {
    const id = await register();
    const state = (await linkParamsOf(id)).get('state') ?? '';
    expect(await callback({ state, ...query })).toContain(words);
    expect(await consentedAtOf(id)).toBeNull();
  });

  it.each([
    ['nothing else', {}],
    ['an empty error', { error: '' }],
    ['a tenant only', { tenant: TENANT_ID }],
    ['a consent without a tenant', { admin_consent: 'True' }],
    ['admin_consent=False', { admin_consent: 'False', tenant: TENANT_ID }],
    ['a problem of Microsoft’s own', { error: 'server_error' }],
    ['a transient error', { error: 'access_denied', error_description: 'AADSTS90033: A transient error' }],
  ])('is not used up by a callback with %s beside the state', async (_, query) => {
    const id = await register();
    const state = (await linkParamsOf(id)).get('state') ?? '';
    expect(await callback({ state, ...query } as Record<string, string>)).toContain('The link still works');
    expect(await connectionOf(id)).toMatchObject({ status: 'awaitingConsent', finding: null });
    expect(await callback({ state, tenant: TENANT_ID, admin_consent: 'True' })).toContain('Consent granted');
    expect(await consentedAtOf(id)).not.toBeNull();
  });

  it('shows the name of a connection apart, quoted, cut and without characters that could pass for our words', async () => {
    const id = await register();
    const { customer } = (await (await api.request('GET', '/v1/me', { key })).json()) as { customer: { id: string } };
    const found = await api.deps.connections.get(customer.id, id);
    if (!found) throw new Error('the connection is gone');
    // The API refuses such a name today. An old record may hold one.
    const name = `Tail”.\u202e Call\n\u0007 <b>+1 555</b> now. ${'x'.repeat(200)}`;
    await api.deps.connections.update({ ...found.value, name }, found.tag);
    const state = (await linkParamsOf(id)).get('state') ?? '';
    const page = await callback({ state, tenant: TENANT_ID, admin_consent: 'True' });
    const [, shown = ''] = /<bdi>(.*)<\/bdi>/s.exec(page) ?? [];
    const text = shown.replace(/&#(\d+);/g, (_whole, code: string) => String.fromCharCode(Number(code)));
    expect(text).toMatch(/^“Tail'. Call <b>\+1 555<\/b> now. x+…”$/);
    expect([...text]).toHaveLength(62);
    expect(page.replace(/<bdi>.*<\/bdi>/s, '')).not.toContain('555');
  });

  it('200: changes nothing if the state is unknown, missing or expired', async () => {
    const id = await register();
    const state = (await linkParamsOf(id)).get('state') ?? '';
    api.deps.time.now = new Date('2026-06-01T02:00:00Z');
    const stale: [Record<string, string>, string][] = [
      [{ state }, 'This link has expired'],
      [{ state: '<b>x</b>' }, 'This link is not known'],
      [{}, 'This link is not known'],
    ];
    for (const [query, words] of stale) {
      const page = await callback({ ...query, tenant: TENANT_ID, admin_consent: 'True' });
      expect(page).toContain(words);
      expect(page).toContain('Nothing was changed');
      expect(page).not.toContain('<b>x</b>');
    }
    expect(await consentedAtOf(id)).toBeNull();
  });

  it('an expired link is told as such for a week, and is removed after that', async () => {
    const id = await register();
    const state = (await linkParamsOf(id)).get('state') ?? '';
    for (const [day, words] of [
      ['2026-06-07', 'This link has expired'],
      ['2026-06-09', 'This link is not known'],
    ] as const) {
      api.deps.time.now = new Date(`${day}T00:00:00Z`);
      await removeOldLinks(api.deps);
      expect(await callback({ state, tenant: TENANT_ID, admin_consent: 'True' })).toContain(words);
    }
  });

  it('200: tells an admin who canceled so, also if Microsoft leaves the state out, and changes nothing', async () => {
    const id = await register();
    expect(await callback({ error: 'access_denied', error_subcode: 'cancel' })).toContain('Consent was not granted');
    expect(await connectionOf(id)).toMatchObject({ status: 'awaitingConsent', finding: null });
    expect(await callback({ state: 'forged', error: 'access_denied' })).toContain('This link is not known');
  });

  it('200: names a problem of the app, on the page and with the connection, until consent is granted', async () => {
    const id = await register();
    const state = (await linkParamsOf(id)).get('state') ?? '';
    const description = 'AADSTS650052: The organization lacks a service principal for the service.';
    const page = await callback({ state, error: 'invalid_resource', error_description: description });
    expect(page).toContain('AADSTS650052');
    expect(await connectionOf(id)).toMatchObject({ finding: { cause: 'service_missing' } });
    const again = (await linkParamsOf(id)).get('state') ?? '';
    await callback({ state: again, tenant: TENANT_ID, admin_consent: 'True' });
    expect(await connectionOf(id)).toMatchObject({ status: 'awaitingConsent', finding: null });
  });

  it('400, 503: shows an admin a page, with headers as any other problem has', async () => {
    const tooLong = await api.request('GET', `/v1/consent/callback?state=${'x'.repeat(5000)}`);
    expect([tooLong.status, tooLong.headers.get('content-type')]).toEqual([400, 'text/html; charset=utf-8']);
    expect(await tooLong.text()).toContain('This link is not known');

    const { get } = api.deps.consents;
    api.deps.consents.get = async () => {
      throw new DomainError('storage_unavailable', 'Unavailable.', { retryAfterSeconds: 7 });
    };
    const unavailable = await api.request('GET', '/v1/consent/callback?state=x');
    api.deps.consents.get = get;
    expect([unavailable.status, unavailable.headers.get('retry-after')]).toEqual([503, '7']);
    expect(unavailable.headers.get('content-security-policy')).toContain("default-src 'none'");
    const page = await unavailable.text();
    expect(page).toContain('reload this page');
    expect(page).toContain(`Request ID: ${unavailable.headers.get('x-request-id')}`);
    expect(page).not.toContain('"status"');
  });
});
