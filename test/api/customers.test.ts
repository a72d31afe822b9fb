import { describe, expect, it } from 'vitest';
import { absentId, createApi, OPERATOR_KEY } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';

const key = OPERATOR_KEY;

describe('POST /v1/customers', () => {
  it('201: creates a customer that can be read at its location', async () => {
    const api = createApi();
    const made = await api.request('POST', '/v1/customers', { key, body: { name: ' Acme ', mailboxSlots: 5 } });
    expect(made.status).toBe(201);
    const customer = await made.json();
    expect(customer).toEqual({
      id: expect.stringMatching(/^cust_[0-9a-z]{23}$/),
      name: 'Acme',
      mailboxSlots: 5,
      slotsUsed: 0,
      createdAt: '2026-06-01T00:00:00.000Z',
    });
    const read = await api.request('GET', made.headers.get('location') ?? '', { key });
    expect(await read.json()).toEqual(customer);
  });

  it('400: lists all wrong and unknown fields together', async () => {
    const api = createApi();
    const body = { name: 'a\u0000b', mailboxSlots: -1, plan: 'gold', colour: 'red' };
    const response = await api.request('POST', '/v1/customers', { key, body });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const problem = await jsonOf<{ errors: { path: string }[] }>(response);
    expect(problem).toMatchObject({
      type: 'https://muster.test/problems/validation_failed',
      code: 'validation_failed',
      status: 400,
    });
    expect(problem.errors.map(({ path }) => path).sort()).toEqual(['colour', 'mailboxSlots', 'name', 'plan']);
  });
});

describe('GET /v1/customers', () => {
  it('200: lists all customers in pages, with no cursor on the last page', async () => {
    const api = createApi();
    for (let i = 0; i < 5; i++) await api.customer({ name: `c${i}` });
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const query: string = cursor ? `&cursor=${cursor}` : '';
      const response = await api.request('GET', `/v1/customers?limit=2${query}`, { key });
      const page = await jsonOf<{ items: { name: string }[]; nextCursor?: string }>(response);
      expect('nextCursor' in page).toBe(page.nextCursor !== undefined);
      names.push(...page.items.map(({ name }) => name));
      cursor = page.nextCursor;
    } while (cursor);
    expect(names.sort()).toEqual(['c0', 'c1', 'c2', 'c3', 'c4']);
  });

  it('400: refuses a limit outside 1 to 500, an invalid cursor and an unknown query field', async () => {
    const api = createApi();
    for (const query of ['limit=501', 'limit=0', 'limit=x', 'cursor=MQ.abc', 'cursor=MQ', 'colour=red']) {
      const response = await api.request('GET', `/v1/customers?${query}`, { key });
      expect(response.status, query).toBe(400);
      expect(await response.json()).toMatchObject({ errors: [{ path: query.split('=')[0] }] });
    }
  });

  // A cursor that works for another list could reveal something of another customer.
  it('400: refuses a cursor of another list', async () => {
    const api = createApi();
    const acme = await api.customer();
    await api.keyFor(acme.id, 'member');
    await api.customer();
    const customers = await api.request('GET', '/v1/customers?limit=1', { key });
    const { nextCursor } = await jsonOf<{ nextCursor: string }>(customers);
    const keys = await api.request('GET', `/v1/customers/${acme.id}/api-keys?limit=1&cursor=${nextCursor}`, { key });
    expect(keys.status).toBe(400);
  });
});

describe('one customer', () => {
  it('200: owners and viewers can read their own customer', async () => {
    const api = createApi();
    const acme = await api.customer();
    const viewer = await api.keyFor(acme.id, 'viewer');
    for (const own of [acme.key, viewer]) {
      const response = await api.request('GET', `/v1/customers/${acme.id}`, { key: own });
      expect(await response.json()).toMatchObject({ id: acme.id, mailboxSlots: 10, slotsUsed: 0 });
    }
  });

  it.each([
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['GET', '/api-keys'],
    ['POST', '/api-keys'],
    ['DELETE', `/api-keys/${absentId('key')}`],
  ])(
    '404: %s %s gives exactly the same answer for an unknown customer and for another customer',
    async (method, rest) => {
      const api = createApi();
      const acme = await api.customer();
      const globex = await api.customer();
      const body =
        rest === '/api-keys' && method === 'POST' ? { name: 'x', role: 'member' } : method === 'PATCH' ? {} : undefined;
      const options = { key: acme.key, ...(body && { body }) };
      const [foreign, absent] = await Promise.all(
        [globex.id, absentId('cust')].map((id) => api.request(method, `/v1/customers/${id}${rest}`, options)),
      );
      expect(foreign?.status).toBe(404);
      const strip = async (response: typeof foreign) => [
        (await response?.text())?.replace(/req-\d+/, ''),
        [...(response?.headers ?? [])].filter(([name]) => name !== 'x-request-id' && name !== 'ratelimit'),
      ];
      expect(await strip(foreign)).toEqual(await strip(absent));
      expect((await api.request('GET', `/v1/customers/${globex.id}`, { key: globex.key })).status).toBe(200);
    },
  );

  it('200: an owner can rename its customer; 403: but cannot change its own slots', async () => {
    const api = createApi();
    const acme = await api.customer();
    const path = `/v1/customers/${acme.id}`;
    const renamed = await api.request('PATCH', path, { key: acme.key, body: { name: 'Acme 2' } });
    expect(await renamed.json()).toMatchObject({ name: 'Acme 2', mailboxSlots: 10 });
    const refused = await api.request('PATCH', path, { key: acme.key, body: { name: 'Acme 3', mailboxSlots: 99 } });
    expect(refused.status).toBe(403);
    const read = await api.request('GET', path, { key });
    expect(await read.json()).toMatchObject({ name: 'Acme 2', mailboxSlots: 10 });
    const changed = await api.request('PATCH', path, { key, body: { mailboxSlots: 99 } });
    expect(await changed.json()).toMatchObject({ name: 'Acme 2', mailboxSlots: 99 });
  });
});
