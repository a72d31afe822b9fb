import { beforeEach, describe, expect, it } from 'vitest';
import { finishImport } from '../../shared/imports/finishing/finish-import.ts';
import { withLease } from '../../shared/imports/import-lease.ts';
import { changeImport } from '../../shared/imports/import-store.ts';
import { sweepImports } from '../../shared/imports/recovering/sweep-imports.ts';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { createApi, DOMAIN } from '../support/api.ts';
import type { RequestOptions } from '../support/function-caller.ts';
import { aPlan, aTally } from '../support/records.ts';

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
  api.deps.vault.put = (name, ...rest) => {
    puts.push(name.connectionId);
    return put(name, ...rest);
  };
  const refused = await register('0b0e5c1d-2f6a-4b83-8e97-3d4a6c8b1f02');
  expect(refused).toMatchObject({ status: 409, body: { code: 'quota_reached', limit: 1 } });
  expect(puts).toHaveLength(1);
  expect(api.deps.vault.names()).toEqual([body.id]);
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

describe('rejected rows, which hold no slot', () => {
  let connectionId: string;
  const start = (raw: string) => {
    const options = { raw, headers: { 'content-type': 'text/csv' } };
    return post(`/v1/connections/${connectionId}/imports`, options);
  };
  const addresses = (count: number) => Array.from({ length: count }, (_, i) => `u${i}@tailspin.example\n`).join('');
  const rejected = (count: number) => `email\n${'no-address\n'.repeat(count)}`;

  beforeEach(async () => {
    const { body } = await register('e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37');
    connectionId = body.id ?? '';
    await post(`/v1/connections/${connectionId}/test`, {});
    api.deps.quotas.rejectedRowsMax = 10;
  });

  it('409: refuses an import whose rejected and duplicate rows are too many, and leaves nothing of it behind', async () => {
    expect((await start(rejected(7))).status).toBe(202);
    const open = await api.deps.imports.listOpen();
    const refused = await start(`email\na@tailspin.example\na@tailspin.example\n${'no-address\n'.repeat(3)}`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'quota_reached', limit: 10 } });
    expect(await api.deps.imports.listOpen()).toEqual(open);
    expect(api.deps.uploads.stored.size).toBe(1);
    expect((await start(`email\na@tailspin.example\n${'no-address\n'.repeat(3)}`)).status).toBe(202);
  });

  it('409: does not read on when the rejected rows of a file alone are too many', async () => {
    const refused = await start(`${rejected(11)}"a quote that is not closed, which nobody reads`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'quota_reached', limit: 10 } });
    expect(api.deps.uploads.stored.size).toBe(0);
  });

  async function finish(importId: string): Promise<void> {
    const found = await api.deps.imports.get(acme.id, importId);
    if (!found) throw new Error('the import is gone');
    await withLease(api.deps, found, (lease) => finishImport(api.deps, lease, Number.POSITIVE_INFINITY));
  }

  it('202: accepted rows do not have to fit, and count only until the import has ended', async () => {
    const first = await start(`email\n${addresses(10)}no-address\n`);
    expect(first.status).toBe(202);
    const next = () => start(rejected(9));
    expect((await next()).status).toBe(409);
    const { id = '' } = first.body;
    await api.deps.ledger.commit(connectionId, [
      { op: 'createPlan', plan: aPlan({ importId: id, rows: 11, accepted: 10, rejected: 1, done: true }) },
      { op: 'writeTally', tally: aTally({ importId: id, counts: { passed: 10 } }) },
    ]);
    await changeImport(api.deps.imports, acme.id, id, (current) => ({ ...current, status: 'running' }));
    await finish(id);
    expect((await next()).status).toBe(202);
    expect((await start(rejected(1))).status).toBe(409);
  });

  it('counts the rows of an import whose process died after its end, once the sweep has it finished', async () => {
    const { body } = await start(rejected(10));
    const { id = '' } = body;
    await api.deps.ledger.commit(connectionId, [
      { op: 'createPlan', plan: aPlan({ importId: id, rows: 10, rejected: 4, closed: true }) },
    ]);
    await changeImport(api.deps.imports, acme.id, id, (current) => ({ ...current, status: 'cancelling' }));
    const { recount } = api.deps.imports;
    api.deps.imports.recount = async () => {
      throw new Error('the process died');
    };
    await expect(finish(id)).rejects.toThrow('the process died');
    api.deps.imports.recount = recount;
    api.deps.sent.length = 0;
    await sweepImports(api.deps);
    expect(api.deps.sent).toHaveLength(1);
    await finish(id);
    expect((await start(rejected(6))).status).toBe(202);
  });

  it('202: deleting a connection gives its rows back', async () => {
    await start(rejected(10));
    await api.deps.imports.purge(acme.id, connectionId);
    expect((await start(rejected(10))).status).toBe(202);
  });
});
