import { describe, expect, it } from 'vitest';
import { findExpiringSecrets } from '../../shared/connections/expiry/expiring-secrets.ts';
import { OPERATOR_KEY } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';
import { noFailure } from '../support/no-failure.ts';
import { api, finishDeletions, key, register, useApiOfItsOwn } from '../support/registered-connections.ts';

useApiOfItsOwn();

describe('expiring secrets', () => {
  it('200: lists this customer’s secrets that expire within the given days, the soonest first', async () => {
    const soon = await register({ clientSecretExpiresAt: '2026-06-20T00:00:00Z' });
    const sooner = await register({
      clientId: '00000000-0000-4000-8000-000000000001',
      clientSecretExpiresAt: '2026-06-05T00:00:00Z',
    });
    await register({ clientId: '00000000-0000-4000-8000-000000000002' });
    const list = async (reader: string) =>
      (
        await jsonOf<{ items: { connectionId: string }[] }>(
          await api.request('GET', '/v1/expiring-secrets?withinDays=30', { key: reader }),
        )
      ).items.map(({ connectionId }) => connectionId);
    expect(await list(key)).toEqual([sooner, soon]);
    expect(await list((await api.customer({ name: 'Globex' })).key)).toEqual([]);
  });

  const read = async (query: string, options: { key: string; headers?: Record<string, string> }) => {
    const response = await api.request('GET', `/v1/expiring-secrets?${query}`, options);
    const body = (await response.json()) as { items: { connectionId: string }[]; nextCursor?: string };
    return { status: response.status, ids: body.items?.map(({ connectionId }) => connectionId), ...body };
  };
  const owner = () => ({ key });

  it('are listed in pages', async () => {
    const soon = await register({ clientSecretExpiresAt: '2026-06-20T00:00:00Z' });
    const clientId = '00000000-0000-4000-8000-000000000001';
    const sooner = await register({ clientId, clientSecretExpiresAt: '2026-06-05T00:00:00Z' });
    const first = await read('limit=1', owner());
    expect(first.ids).toEqual([sooner]);
    const second = await read(`limit=1&cursor=${encodeURIComponent(first.nextCursor ?? '')}`, owner());
    expect(second).toMatchObject({ ids: [soon] });
    expect(second.nextCursor).toBeUndefined();
  });

  it('404: an operator names a customer that does not exist; 200 for one that does, and for all customers', async () => {
    const id = await register({ clientSecretExpiresAt: '2026-06-05T00:00:00Z' });
    const { customer } = (await (await api.request('GET', '/v1/me', { key })).json()) as { customer: { id: string } };
    const globex = await api.customer({ name: 'Globex' });
    const asOperator = (name: string) => read('', { key: OPERATOR_KEY, headers: { 'muster-customer': name } });
    expect((await asOperator('cust_absent')).status).toBe(404);
    expect(await asOperator(customer.id)).toMatchObject({ status: 200, ids: [id] });
    expect(await asOperator(globex.id)).toMatchObject({ status: 200, ids: [] });
    expect(await read('', { key: OPERATOR_KEY })).toMatchObject({ status: 200, ids: [id] });
    // Nobody else can name a customer.
    expect(await read('', { key: globex.key, headers: { 'muster-customer': customer.id } })).toMatchObject({ ids: [] });
  });

  it('follow a replaced secret and a removed connection, and skip what a dead process has left', async () => {
    const id = await register({ clientSecretExpiresAt: '2026-06-05T00:00:00Z' });
    const { expiryIndex } = api.deps;
    const entries = () => Array.fromAsync(expiryIndex.each());
    const [first] = await entries();
    if (!first) throw new Error('no entry');
    api.deps.tenant.answers.set('better-8Q~value', ['Mail.Send']);
    const body = { clientSecret: 'better-8Q~value', clientSecretExpiresAt: '2026-06-10T00:00:00Z' };
    await api.request('PUT', `/v1/connections/${id}/client-secret`, { key, body });
    expect((await entries()).map(({ expiresAt }) => expiresAt)).toEqual([new Date('2026-06-10T00:00:00Z')]);
    await expiryIndex.put(first);
    expect((await read('', owner())).items).toMatchObject([
      { connectionId: id, expiresAt: '2026-06-10T00:00:00.000Z' },
    ]);
    const search = () => findExpiringSecrets(api.deps, { expiring: () => undefined, failed: noFailure });
    // A young entry may belong to a record that is about to be written.
    await search();
    expect(await entries()).toHaveLength(2);
    api.deps.time.now = new Date('2026-06-01T01:00:00Z');
    await search();
    expect(await entries()).toHaveLength(1);
    await api.request('DELETE', `/v1/connections/${id}`, { key });
    expect((await read('', owner())).items).toEqual([]);
    await finishDeletions();
    expect(await entries()).toEqual([]);
  });

  it('of a connection from before the index are listed after the next daily search', async () => {
    const id = await register({ clientSecretExpiresAt: '2026-06-05T00:00:00Z' });
    for (const entry of await Array.fromAsync(api.deps.expiryIndex.each())) await api.deps.expiryIndex.remove(entry);
    expect((await read('', owner())).ids).toEqual([]);
    await findExpiringSecrets(api.deps, { expiring: () => undefined, failed: noFailure });
    expect((await read('', owner())).ids).toEqual([id]);
  });

  it('are marked and reported by the daily search', async () => {
    const id = await register({ clientSecretExpiresAt: '2026-06-20T00:00:00Z' });
    const reported: string[] = [];
    const search = () =>
      findExpiringSecrets(api.deps, { expiring: ({ state }) => void reported.push(state), failed: noFailure });
    await search();
    api.deps.time.now = new Date('2026-06-21T00:00:00Z');
    await search();
    expect(reported).toEqual(['expiring', 'expired']);
    expect(await (await api.request('GET', `/v1/connections/${id}`, { key })).json()).toMatchObject({
      clientSecret: { state: 'expired', daysLeft: -1 },
    });
  });
});
