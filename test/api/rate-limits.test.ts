import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRateLimits } from '../../shared/edge/admission/rate-limits.ts';
import { createApi, DOMAIN, OPERATOR_KEY } from '../support/api.ts';

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-06-01T00:00:00Z') }));
afterEach(() => void vi.useRealTimers());

/** The API with limits that a test can reach. */
function createLimitedApi() {
  const api = createApi();
  Object.assign(
    api.deps.rateLimits,
    createRateLimits({
      requestsPerKey: 3,
      requestsPerCustomer: 5,
      requestsWindowMs: 10_000,
      connectionTestsPerMinute: 2,
      madeKeysPerMinute: 1,
      failedKeysPerMinute: 3,
      publicRequestsPerMinute: 2,
    }),
  );
  const me = async (key: string, address = '192.0.2.7:50123') => {
    const response = await api.request('GET', '/v1/me', { key, headers: { 'x-forwarded-for': address } });
    return { status: response.status, headers: response.headers, body: (await response.json()) as object };
  };
  return { ...api, me };
}

describe('requests of a key and of a customer', () => {
  it('200: says on every answer what is left, refusals included', async () => {
    const api = createLimitedApi();
    const { key } = await api.customer({ role: 'viewer' });
    const first = await api.me(key);
    expect(first.headers.get('ratelimit-policy')).toBe('"key";q=3;w=10, "customer";q=5;w=10');
    expect(first.headers.get('ratelimit')).toBe('"key";r=2;t=4, "customer";r=4;t=2');
    vi.advanceTimersByTime(1_000);
    const refused = await api.request('POST', '/v1/connections', { key, body: {} });
    expect(refused.status).toBe(403);
    expect(refused.headers.get('ratelimit')).toBe('"key";r=1;t=6, "customer";r=3;t=3');
  });

  it('429: one key too often; what it has used comes back evenly over the window', async () => {
    const api = createLimitedApi();
    const acme = await api.customer();
    for (let i = 0; i < 3; i++) expect((await api.me(acme.key)).status).toBe(200);
    const refused = await api.me(acme.key);
    expect(refused.status).toBe(429);
    expect(refused.body).toMatchObject({ code: 'rate_limited', detail: expect.stringContaining('Wait 4 seconds') });
    expect(refused.headers.get('retry-after')).toBe('4');
    expect(refused.headers.get('ratelimit')).toContain('"key";r=0;t=10');
    vi.advanceTimersByTime(4_000);
    expect((await api.me(acme.key)).status).toBe(200);
    expect((await api.me(acme.key)).status).toBe(429);
    vi.advanceTimersByTime(10_000);
    for (let i = 0; i < 3; i++) expect((await api.me(acme.key)).status).toBe(200);
    expect((await api.me(acme.key)).status).toBe(429);
  });

  it('429: all keys of one customer together; another customer notices nothing', async () => {
    const api = createLimitedApi();
    const acme = await api.customer();
    const second = await api.keyFor(acme.id, 'viewer');
    const globex = await api.customer();
    for (let i = 0; i < 3; i++) await api.me(acme.key);
    for (let i = 0; i < 2; i++) expect((await api.me(second)).status).toBe(200);
    expect((await api.me(second)).status).toBe(429);
    expect((await api.me(globex.key)).status).toBe(200);
  });

  it('429: changes nothing and leaves no audit record', async () => {
    const api = createLimitedApi();
    const acme = await api.customer();
    for (let i = 0; i < 3; i++) await api.me(acme.key);
    const refused = await api.request('DELETE', `/v1/customers/${acme.id}`, { key: acme.key });
    expect(refused.status).toBe(429);
    expect(await api.deps.customers.exists(acme.id)).toBe(true);
    expect(api.deps.auditLog.records()).toEqual([]);
  });
});

describe('connection tests', () => {
  it('429: a customer has few of them, whatever key and connection; other requests go on', async () => {
    const api = createLimitedApi();
    const acme = await api.customer();
    const test = (key: string) => api.request('POST', '/v1/connections/conn_1/test', { key });
    expect((await test(acme.key)).headers.get('ratelimit-policy')).toContain('"connection-tests";q=2;w=60');
    expect((await test(acme.key)).status).toBe(404);
    const refused = await test(await api.keyFor(acme.id, 'member'));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30']);
    expect((await api.me(acme.key)).status).toBe(200);
    const globex = await api.customer();
    expect((await test(globex.key)).status).toBe(404);
  });

  it('429: a changed client ID is tested too, and counts; another change does not', async () => {
    const api = createLimitedApi();
    const { key } = await api.customer();
    const patch = (body: object) => api.request('PATCH', '/v1/connections/conn_1', { key, body });
    const clientId = '00000000-0000-4000-8000-00000000abcd';
    const policyOf = (answer: { headers: { get(name: string): string | null } }) =>
      answer.headers.get('ratelimit-policy');
    expect(policyOf(await patch({ name: 'Contoso' }))).not.toContain('connection-tests');
    expect(policyOf(await patch({ clientId }))).toContain('"connection-tests";q=2;w=60');
    vi.advanceTimersByTime(10_000);
    await patch({ clientId });
    expect((await patch({ clientId })).status).toBe(429);
    expect((await patch({ name: 'Contoso' })).status).toBe(404);
  });

  it('400: a malformed request asks nobody, and costs none of them', async () => {
    const api = createLimitedApi();
    const { key } = await api.customer();
    for (const body of [{}, { name: 'Contoso', clientSecretExpiresAt: 'soon' }]) {
      const answer = await api.request('POST', '/v1/connections', { key, body });
      expect(answer.status).toBe(400);
      expect(answer.headers.get('ratelimit-policy')).not.toContain('connection-tests');
    }
    vi.advanceTimersByTime(10_000);
    for (const left of [1, 0]) {
      const answer = await api.request('POST', '/v1/connections/conn_1/test', { key });
      expect(answer.headers.get('ratelimit')).toContain(`"connection-tests";r=${left};`);
    }
  });
});

describe('certificates that the vault makes', () => {
  const made = { certificate: { source: 'made' } };

  it('429: a customer has fewer of them, whether it registers or replaces; other customers notice nothing', async () => {
    const api = createLimitedApi();
    const { key } = await api.customer();
    const clientId = '00000000-0000-4000-8000-00000000abcd';
    const register = { name: 'T', tenant: DOMAIN, clientId, ...made };
    const first = await api.request('POST', '/v1/connections', { key, body: register });
    expect([first.status, first.headers.get('ratelimit-policy')]).toEqual([
      201,
      expect.stringContaining('"certificates";q=1;w=60'),
    ]);
    const refused = await api.request('POST', '/v1/connections/conn_1/certificate/next', { key, body: {} });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
    const globex = await api.customer();
    const next = '/v1/connections/conn_1/certificate/next';
    expect((await api.request('POST', next, { key: globex.key, body: {} })).status).toBe(404);
  });

  it('another credential costs none of them', async () => {
    const api = createLimitedApi();
    const { key } = await api.customer();
    const answer = await api.request('PUT', '/v1/connections/conn_1/certificate', { key, body: made });
    expect(answer.status).toBe(404);
    expect(answer.headers.get('ratelimit-policy')).not.toContain('certificates');
  });
});

describe('wrong keys', () => {
  const wrong = (i: number) => `muster_cust_x_key_${i}_${'A'.repeat(43)}`;

  it('429: an address that keeps sending wrong keys has to wait, and its guesses are not looked up', async () => {
    const api = createLimitedApi();
    for (let i = 0; i < 3; i++) expect((await api.me(wrong(i))).status).toBe(401);
    const reads = api.deps.apiKeyStore.reads;
    const refused = await api.me(wrong(9));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '20']);
    expect(api.deps.apiKeyStore.reads).toBe(reads);
    expect((await api.me(wrong(9), '192.0.2.8:50123')).status).toBe(401);
    vi.advanceTimersByTime(60_000);
    expect((await api.me(wrong(9))).status).toBe(401);
  });

  it('counts the address that App Service has seen, not the ones that the caller claims', async () => {
    const api = createLimitedApi();
    for (let i = 0; i < 3; i++) await api.me(wrong(i), `203.0.113.${i}, 192.0.2.7:4000${i}`);
    expect((await api.me(wrong(9), '203.0.113.9, 192.0.2.7:40009')).status).toBe(429);
    for (let i = 0; i < 3; i++) await api.me(wrong(i), `[2001:db8::1]:4000${i}`);
    expect((await api.me(wrong(9), '2001:db8::1')).status).toBe(429);
  });

  it('200: a key that has worked before goes on working at the same address, also when it has to be looked up again', async () => {
    const api = createLimitedApi();
    const acme = await api.customer();
    expect((await api.me(acme.key)).status).toBe(200);
    for (let i = 0; i < 4; i++) await api.me(wrong(i));
    api.deps.time.now = new Date(api.deps.time.now.getTime() + 20_000);
    expect((await api.me(acme.key)).status).toBe(200);
    expect((await api.me(OPERATOR_KEY)).status).toBe(200);
  });

  it('the readiness route is no way around the limit', async () => {
    const api = createLimitedApi();
    const ready = (i: number) => api.request('GET', '/v1/health/ready', { key: wrong(i) });
    for (let i = 0; i < 3; i++) await ready(i);
    const reads = api.deps.apiKeyStore.reads;
    expect((await ready(9)).status).toBe(200);
    expect(api.deps.apiKeyStore.reads).toBe(reads);
  });
});

describe('requests without an API key', () => {
  const pages = [
    '/docs',
    '/docs/assets/none',
    '/problems/forbidden',
    '/v1/openapi.json',
    '/v1/consent/callback?state=none',
    '/v1/health',
    '/v1/health/ready',
  ];
  const get = (api: ReturnType<typeof createLimitedApi>, path: string, address?: string) =>
    api.request('GET', path, address === undefined ? {} : { headers: { 'x-forwarded-for': address } });

  it.each(pages)('429: one address too often at %s; other addresses and other pages notice nothing', async (path) => {
    const api = createLimitedApi();
    for (const left of ['r=1;t=30', 'r=0;t=60']) {
      const answer = await get(api, path, '192.0.2.7:50123');
      expect(answer.status).not.toBe(429);
      expect(answer.headers.get('ratelimit-policy')).toBe('"address";q=2;w=60');
      expect(answer.headers.get('ratelimit')).toBe(`"address";${left}`);
    }
    // The port is new with each connection, and whatever stands before the last address is made up by the caller.
    const refused = await get(api, path, '198.51.100.1, 192.0.2.7:50999');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('30');
    // The admin who comes back from Microsoft reads a page.
    if (path.includes('/consent/')) expect(await refused.text()).toContain('<h1>Too many requests</h1>');
    else expect(await refused.json()).toMatchObject({ code: 'rate_limited' });
    expect((await get(api, path, '192.0.2.8:50123')).status).not.toBe(429);
    for (const other of pages.filter((one) => one !== path)) {
      expect((await get(api, other, '192.0.2.7:50123')).status, other).not.toBe(429);
    }
    vi.advanceTimersByTime(60_000);
    expect((await get(api, path, '192.0.2.7:50123')).status).not.toBe(429);
  });

  it('200: callers whose address is unknown are not counted, because they would lock each other out', async () => {
    const api = createLimitedApi();
    for (let i = 0; i < 5; i++) {
      const answer = await get(api, '/v1/health');
      expect([answer.status, answer.headers.get('ratelimit')]).toEqual([200, null]);
    }
  });
});
