import type { HttpResponse } from '@azure/functions';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Import } from '../../shared/imports/import.ts';
import type { Row } from '../../shared/imports/ledger/row.ts';
import { DomainError } from '../../shared/kernel/errors.ts';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { createApi, DOMAIN } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';
import { aMailbox, anImport, aRow } from '../support/records.ts';

let api: ReturnType<typeof createApi>;
let key: string;
let customerId: string;
let connectionId: string;

beforeEach(async () => {
  api = createApi();
  ({ id: customerId, key } = await api.customer({ mailboxSlots: 3 }));
  const response = await api.request('POST', '/v1/connections', {
    key,
    body: {
      name: 'Tailspin',
      tenant: DOMAIN,
      clientId: 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37',
      clientSecret: GOOD_SECRET,
      clientSecretExpiresAt: '2026-12-01T00:00:00Z',
    },
  });
  ({ id: connectionId } = await jsonOf<{ id: string }>(response));
  await api.request('POST', `/v1/connections/${connectionId}/test`, { key });
});

const rows: Partial<Row>[] = [
  { line: 2, state: 'passed' },
  { line: 3, state: 'failed', cause: 'mailbox_not_found', displayName: 'Jane', dailyLimit: 50, reference: 'crm-1' },
  { line: 4, state: 'rejected', code: 'address_missing' },
  { line: 5, state: 'inconclusive', cause: 'throttled' },
  { line: 6, state: 'cancelled' },
  { line: 7, state: 'failed', cause: 'mailbox_full' },
];

/** An import with these rows. The mailboxes that did not fail hold slots. */
async function storeImport(change: Partial<Import> = {}): Promise<void> {
  const counts = { rows: 6, accepted: 5, rejected: 1, duplicates: 0, pending: 0, waiting: 0 };
  const results = { passed: 1, failed: 2, inconclusive: 1, cancelled: 1 };
  const record = { customerId, connectionId, status: 'completed', counts: { ...counts, ...results } } as const;
  await api.deps.imports.insert(anImport({ ...record, ...change }));
  for (const row of rows) await api.deps.ledger.commit(connectionId, [{ op: 'createRow', row: aRow(row) }]);
  const { address } = aRow({ line: 5 });
  const mailbox = aMailbox({ address, status: 'inconclusive', slotClaimedBy: 'imp_1' });
  await api.deps.ledger.commit(connectionId, [{ op: 'createMailbox', mailbox }]);
}

const retry = (body?: unknown, headers: Record<string, string> = {}) =>
  api.request('POST', '/v1/imports/imp_1/retry-failed', { key, headers, ...(body !== undefined && { body }) });

async function uploadOf(importId: string): Promise<unknown[]> {
  const stored = api.deps.uploads.stored.get(`${customerId}/${importId}`);
  const lines = stored?.bytes.toString().trimEnd().split('\n') ?? [];
  return lines.map((line) => JSON.parse(line));
}

const started = async (response: HttpResponse) => {
  expect(response.status).toBe(202);
  const body = await jsonOf<{ id: string }>(response);
  expect(response.headers.get('location')).toBe(`/v1/imports/${body.id}`);
  return body;
};

describe('202', () => {
  it('starts a new import of the failed and inconclusive rows, with names, limits and references', async () => {
    await storeImport();
    const body = await started(await retry());
    expect(body).toMatchObject({ status: 'accepted', retryOf: 'imp_1', connectionId, counts: { rows: 3 } });
    expect(await uploadOf(body.id)).toEqual([
      { address: 'user3@contoso.example', displayName: 'Jane', dailyLimit: 50, reference: 'crm-1' },
      { address: 'user5@contoso.example' },
      { address: 'user7@contoso.example' },
    ]);
    expect(api.deps.sent).toEqual([{ v: 1, customerId, importId: body.id }]);
    expect((await api.deps.imports.listOpen()).map(({ importId }) => importId)).toEqual([body.id]);
    const shown = await jsonOf(await api.request('GET', `/v1/imports/${body.id}`, { key }));
    expect(shown).toMatchObject({ retryOf: 'imp_1' });
  });

  it('starts one of the rows with the given causes only', async () => {
    await storeImport();
    const { id } = await started(await retry({ causes: ['mailbox_full', 'throttled'] }));
    expect(await uploadOf(id)).toEqual([{ address: 'user5@contoso.example' }, { address: 'user7@contoso.example' }]);
  });

  it('also retries an import that was cancelled', async () => {
    await storeImport({ status: 'cancelled' });
    await started(await retry());
  });

  it('replays its answer to a repeated request, and starts nothing more', async () => {
    await storeImport();
    const headers = { 'idempotency-key': 'once' };
    const { id } = await started(await retry(undefined, headers));
    const again = await retry(undefined, headers);
    expect([again.headers.get('idempotency-replayed'), (await started(again)).id]).toEqual(['true', id]);
    expect(api.deps.sent).toHaveLength(1);
  });

  it('leaves an audit record', async () => {
    await storeImport();
    const { id } = await started(await retry());
    const { items } = await api.deps.auditLog.list({ customerId, action: 'imports.retry-failed' }, { limit: 10 });
    expect(items).toMatchObject([{ result: 'succeeded', status: 202, object: id }]);
  });
});

describe('409', () => {
  it.each(['accepted', 'planning', 'running', 'paused', 'cancelling'] as const)(
    'refuses an import that is %s, and says what to do',
    async (status) => {
      const { counts: _none, ...open } = anImport({ customerId, connectionId, status });
      await api.deps.imports.insert(open);
      const response = await retry();
      expect([response.status, await response.json()]).toMatchObject([
        409,
        { code: 'wrong_state', detail: expect.stringContaining(`is ${status}. Wait`) },
      ]);
    },
  );

  it.each([
    ['without failed rows', undefined, 0],
    ['without rows of these causes', { causes: ['smtp_auth_disabled_tenant'] }, 2],
  ])('refuses an import %s, and leaves nothing behind', async (_which, body, failed) => {
    const none = { rows: 1, accepted: 1, rejected: 0, duplicates: 0, pending: 0, waiting: 0, cancelled: 0 };
    await storeImport({ ...(failed === 0 && { counts: { ...none, passed: 1, failed: 0, inconclusive: 0 } }) });
    const response = await retry(body);
    expect([response.status, await response.json()]).toMatchObject([409, { code: 'nothing_to_retry' }]);
    expect(api.deps.uploads.stored.size).toBe(0);
    expect(await api.deps.imports.listOpen()).toEqual([]);
  });

  it('refuses if the plan has too few slots: failed mailboxes need one, inconclusive ones hold theirs', async () => {
    await storeImport();
    await api.deps.slots.claim(customerId, 'imp_0', 2);
    const response = await retry();
    expect([response.status, await response.json()]).toMatchObject([
      409,
      { code: 'slot_limit_reached', needed: 2, free: 1 },
    ]);
    expect(api.deps.uploads.stored.size).toBe(0);
    expect((await retry({ causes: ['throttled'] })).status).toBe(202);
  });

  it('refuses while the connection is not ready', async () => {
    await storeImport();
    const found = await api.deps.connections.get(customerId, connectionId);
    if (found) await api.deps.connections.update({ ...found.value, status: 'failing' }, found.tag);
    expect(await (await retry()).json()).toMatchObject({ status: 409, code: 'connection_not_ready' });
  });
});

it.each([{ causes: [] }, { causes: ['no_such_cause'] }, { cause: 'throttled' }, { causes: 'throttled' }])(
  '400: refuses %j',
  async (body) => {
    await storeImport();
    expect((await retry(body)).status).toBe(400);
  },
);

it('410: says when the rows were deleted', async () => {
  await storeImport({ rowsRemovedAt: new Date('2026-05-01T00:00:00Z') });
  const response = await retry();
  expect([response.status, await response.json()]).toMatchObject([
    410,
    { code: 'gone', detail: expect.stringContaining('2026-05-01') },
  ]);
});

it('404: hides another customer’s import', async () => {
  await storeImport();
  const { key: stranger } = await api.customer({ name: 'Globex' });
  expect((await api.request('POST', '/v1/imports/imp_1/retry-failed', { key: stranger })).status).toBe(404);
});

it('503: leaves nothing behind if the rows cannot be read to their end', async () => {
  const counts = { rows: 1_500, accepted: 1_500, rejected: 0, duplicates: 0, pending: 0, waiting: 0 };
  await storeImport({ counts: { ...counts, passed: 0, failed: 1_500, inconclusive: 0, cancelled: 0 } });
  const { findRows } = api.deps.ledger;
  api.deps.ledger.findRows = async (connection, importId, query) => {
    if (query.fromLine > 0) throw new DomainError('storage_unavailable', 'Unavailable.', { retryAfterSeconds: 5 });
    // As many as a page holds: there are more.
    const found = await findRows(connection, importId, query);
    return Array.from({ length: query.limit }, (_, i) => found[i % found.length]).filter((row) => row !== undefined);
  };
  expect((await retry()).status).toBe(503);
  expect(api.deps.uploads.stored.size).toBe(0);
  expect(await api.deps.imports.listOpen()).toEqual([]);
  expect((await api.deps.imports.list(customerId, connectionId, { limit: 10 })).items).toHaveLength(1);
});
