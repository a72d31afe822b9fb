import { describe, expect, it } from 'vitest';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { absentId, createApi, OPERATOR_KEY } from '../support/api.ts';

const hostile = [
  'x'.repeat(2_000),
  `conn_${'0'.repeat(2_000)}`,
  'conn_\u0000',
  'conn_a/b',
  'conn_a\\b',
  'conn_?#',
  'conn_\ud800',
  '../customers',
  '..',
  ' ',
  `${absentId('conn')} `,
  absentId('conn').toUpperCase(),
  "conn_' or PartitionKey ne '",
  '__proto__',
];

const { routes } = createApi();

describe.each(routes.filter(({ route }) => /^v1\/.*\{/.test(route ?? '')).map((route) => [route.name, route] as const))(
  '%s',
  (_, route) => {
    const names = [...(route.route ?? '').matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);

    it.each(names)('404: whatever stands in the place of {%s}, and storage is not asked for it', async (name) => {
      const api = createApi();
      const customer = await api.customer();
      const made = await api.request('POST', '/v1/connections', {
        key: customer.key,
        body: {
          name: 'Tailspin',
          tenant: 'tailspin.example',
          clientId: '8f14e45f-ceea-467a-9b36-34f6c3bb1d2a',
          clientSecret: GOOD_SECRET,
          clientSecretExpiresAt: '2027-06-01T00:00:00Z',
        },
      });
      const { id: connectionId } = (await made.json()) as { id: string };
      const asked: string[] = [];
      for (const store of [
        api.deps.connections,
        api.deps.imports,
        api.deps.customers,
        api.deps.apiKeyStore,
        api.deps.webhooks,
      ]) {
        const get = store.get as (...ids: string[]) => Promise<never>;
        store.get = (...ids: string[]) => {
          asked.push(...ids);
          return get.apply(store, ids);
        };
      }
      const good: Record<string, string> = {
        customerId: customer.id,
        connectionId,
        importId: absentId('imp'),
        webhookId: absentId('hook'),
        deliveryId: absentId('evt'),
        emailId: absentId('evt'),
        keyId: absentId('key'),
        address: 'a@tailspin.example',
      };
      const asOperator = {
        key: OPERATOR_KEY,
        headers: { 'muster-customer': customer.id },
        // Its ID is an address, which is looked up after the body was read.
        ...(route.name === 'mailboxes-update' && { body: { displayName: 'Jane' } }),
      };
      for (const id of hostile) {
        const response = await api.requestWith(route.name, { ...good, [name]: id }, asOperator);
        expect(response.status, id.slice(0, 30)).toBe(404);
        expect(await response.json()).toMatchObject({ code: 'not_found' });
      }
      expect(asked.filter((id) => hostile.includes(id))).toEqual([]);
    });
  },
);

it.each(hostile.filter((id) => /^[!-~]+$/.test(id)))('404: an operator who acts for the customer %s', async (id) => {
  const api = createApi();
  const headers = { 'muster-customer': id };
  expect((await api.request('GET', '/v1/connections', { key: OPERATOR_KEY, headers })).status).toBe(404);
  expect((await api.request('GET', '/v1/me', { key: OPERATOR_KEY, headers })).status).toBe(404);
});
