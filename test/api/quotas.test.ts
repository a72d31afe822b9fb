import { beforeEach, expect, it } from 'vitest';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { createApi, DOMAIN } from '../support/api.ts';
import type { RequestOptions } from '../support/function-caller.ts';

let api: ReturnType<typeof createApi>;
let acme: { id: string; key: string };

beforeEach(async () => {
  api = createApi();
  acme = await api.customer();
});

async function post(path: string, options: RequestOptions) {
  const response = await api.request('POST', path, { key: acme.key, ...options });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

const register = (clientId: string) =>
  post('/v1/connections', {
    body: {
      name: 'T',
      tenant: DOMAIN,
      clientId,
      clientSecret: GOOD_SECRET,
      clientSecretExpiresAt: '2026-12-01T00:00:00Z',
    },
  });

it('409: one API key too many, with the limit', async () => {
  api.deps.quotas.keysMax = 2;
  const make = () => post(`/v1/customers/${acme.id}/api-keys`, { body: { name: 'ci', role: 'member' } });
  expect((await make()).status).toBe(201);
  expect(await make()).toMatchObject({ status: 409, body: { code: 'quota_reached', limit: 2 } });
});

it('409: one connection too many, with the limit, and no orphaned secret', async () => {
  api.deps.quotas.connectionsMax = 1;
  const { body } = await register('e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37');
  const puts: string[] = [];
  const { put } = api.deps.vault;
  api.deps.vault.put = (id, ...rest) => {
    puts.push(id);
    return put(id, ...rest);
  };
  const refused = await register('0b0e5c1d-2f6a-4b83-8e97-3d4a6c8b1f02');
  expect(refused).toMatchObject({ status: 409, body: { code: 'quota_reached', limit: 1 } });
  expect(puts).toHaveLength(1);
  for (const id of puts) await expect(api.deps.vault.get(id, 'v1')).resolves.toBeUndefined();
  const deleted = await api.request('DELETE', `/v1/connections/${body.id}`, { key: acme.key });
  expect(deleted.status).toBe(204);
  expect((await register('0b0e5c1d-2f6a-4b83-8e97-3d4a6c8b1f02')).status).toBe(201);
});

it('409: one running import too many, with the limit, and its upload is removed', async () => {
  api.deps.quotas.runningImportsMax = 1;
  const { body } = await register('e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37');
  await post(`/v1/connections/${body.id}/test`, {});
  const removed: string[] = [];
  const { remove } = api.deps.uploads;
  api.deps.uploads.remove = (customerId, importId) => {
    removed.push(importId);
    return remove(customerId, importId);
  };
  const start = () => {
    const options = { raw: 'email\na@tailspin.example\n', headers: { 'content-type': 'text/csv' } };
    return post(`/v1/connections/${body.id}/imports`, options);
  };
  const first = await start();
  expect(first.status).toBe(202);
  expect(await start()).toMatchObject({ status: 409, body: { code: 'quota_reached', limit: 1 } });
  expect(removed).toHaveLength(1);
  await api.deps.imports.closePointer(first.body.id ?? '');
  expect((await start()).status).toBe(202);
});
