import { beforeEach, describe, expect, it } from 'vitest';
import { runRemovals } from '../../shared/imports/retention/run-removals.ts';
import { previewImport } from '../../shared/imports/starting/preview-import.ts';
import { startKeptImport } from '../../shared/imports/starting/start-kept-import.ts';
import { absentId, createApi } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';
import { aConnection } from '../support/records.ts';
import { chunksOf } from '../support/upload-bytes.ts';

interface Answer {
  id: string;
  uploadId: string | null;
  expiresAt: string | null;
  code: string;
  detail: string;
  importId: string;
}

let api: ReturnType<typeof createApi>;
let acme: { id: string; key: string };

beforeEach(async () => {
  api = createApi();
  acme = await api.customer();
  const clientIds = { conn_1: aConnection().clientId, conn_2: '0b0e5c1d-2f6a-4b83-8e97-3d4a6c8b1f02' };
  for (const [id, clientId] of Object.entries(clientIds)) {
    await api.deps.connections.insert(aConnection({ id, clientId, customerId: acme.id }));
  }
});

const CSV = 'email\na@tailspin.example\nb@tailspin.example\nnobody\n';
const path = (connectionId = 'conn_1') => `/v1/connections/${connectionId}/imports`;

async function preview(csv = CSV, connectionId?: string) {
  const response = await api.request('POST', `${path(connectionId)}?dryRun=true`, {
    key: acme.key,
    raw: chunksOf(csv),
    headers: { 'content-type': 'text/csv' },
  });
  expect(response.status).toBe(200);
  const answer = await jsonOf<Answer>(response);
  return { ...answer, uploadId: answer.uploadId ?? '' };
}

const post = (uploadId: string, { key = acme.key, connectionId = 'conn_1', idempotencyKey = '', query = '' } = {}) =>
  api.request('POST', `${path(connectionId)}${query}`, {
    key,
    body: { uploadId },
    headers: idempotencyKey ? { 'idempotency-key': idempotencyKey } : {},
  });
const start = async (...args: Parameters<typeof post>) => {
  const response = await post(...args);
  return { ...(await jsonOf<Answer>(response)), status: response.status };
};
const pass = (ms: number) => {
  api.deps.time.now = new Date(api.deps.time.now.getTime() + ms);
};
const HOUR = 3_600_000;

it('202: starts an import from the upload of a dry run, with the same bytes', async () => {
  const { uploadId, expiresAt } = await preview();
  expect(expiresAt).toBe(new Date(api.deps.time.now.getTime() + HOUR).toISOString());
  pass(HOUR - 1);
  const started = await start(uploadId);
  expect(started).toMatchObject({ status: 202, counts: { rows: 3 } });
  expect(started.id).toBe(uploadId.replace('upl_', 'imp_'));
  const stored = api.deps.uploads.stored.get(`${acme.id}/${started.id}`);
  expect(stored?.bytes.toString()).toBe(CSV);
  expect(api.deps.sent).toEqual([{ v: 1, customerId: acme.id, importId: started.id }]);
  expect((await api.deps.imports.listOpen()).map(({ importId }) => importId)).toEqual([started.id]);
});

it('202: a list in JSON is kept as well', async () => {
  const body = { mailboxes: [{ address: 'a@tailspin.example' }] };
  const response = await api.request('POST', `${path()}?dryRun=true`, { key: acme.key, body });
  const { uploadId } = await jsonOf<Answer>(response);
  expect(await start(uploadId ?? '')).toMatchObject({ status: 202, counts: { rows: 1 } });
});

it('200: another dry run of a kept upload judges it again, and does not keep it for longer', async () => {
  const { uploadId, expiresAt } = await preview();
  pass(HOUR / 2);
  const again = await jsonOf(await post(uploadId, { query: '?dryRun=true' }));
  expect(again).toMatchObject({ rows: 3, accepted: 2, uploadId, expiresAt });
});

describe('is refused', () => {
  it('404: once it has expired, also before it is removed', async () => {
    const { uploadId } = await preview();
    pass(HOUR);
    expect(await start(uploadId)).toMatchObject({
      status: 404,
      code: 'not_found',
      detail: 'This upload expired at 2026-06-01T01:00:00.000Z. Send the file again.',
    });
  });

  it('404: for another customer, for another connection, and if there is no such upload', async () => {
    const { uploadId } = await preview();
    const globex = await api.customer({ name: 'Globex' });
    const connection = aConnection({ id: 'conn_3', customerId: globex.id });
    await api.deps.connections.insert(connection);
    const unknown = { status: 404, detail: 'There is no such upload, or it has expired. Send the file again.' };
    expect(await start(uploadId, { key: globex.key, connectionId: 'conn_3' })).toMatchObject(unknown);
    for (const id of [absentId('upl'), 'upl_', 'imp_1', '../x', '']) expect(await start(id)).toMatchObject(unknown);
    const other = { status: 404, detail: 'This upload belongs to another connection.' };
    expect(await start(uploadId, { connectionId: 'conn_2' })).toMatchObject(other);
    expect((await start(uploadId)).status).toBe(202);
    expect(await start(uploadId, { connectionId: 'conn_2' })).toMatchObject(other);
  });

  it('409: if an import was started from it, and names the import', async () => {
    const { uploadId } = await preview();
    const { id } = await start(uploadId);
    expect(await start(uploadId)).toMatchObject({ status: 409, code: 'upload_used', importId: id });
    pass(2 * HOUR);
    expect(await start(uploadId)).toMatchObject({ status: 409, code: 'upload_used', importId: id });
    expect(api.deps.sent).toHaveLength(1);
  });

  it('400: together with anything else, or if it is no text', async () => {
    const { uploadId } = await preview();
    for (const body of [{ uploadId, mailboxes: [{ address: 'a@tailspin.example' }] }, { uploadId: 7 }]) {
      expect((await api.request('POST', path(), { key: acme.key, body })).status).toBe(400);
    }
  });

  it('409: if the slots are too few by now; it can be started later', async () => {
    const { uploadId } = await preview();
    await api.deps.slots.claim(acme.id, 'imp_other', 9);
    expect(await start(uploadId)).toMatchObject({ status: 409, code: 'slot_limit_reached', needed: 2, free: 1 });
    await api.deps.slots.trim(acme.id, 'imp_other', 9);
    expect((await start(uploadId)).status).toBe(202);
  });
});

it('202: two requests at the same time start one import', async () => {
  const { uploadId } = await preview();
  const answers = await Promise.all(Array.from({ length: 4 }, () => start(uploadId)));
  expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409]);
  expect(api.deps.sent).toHaveLength(1);
  expect(await api.deps.imports.listOpen()).toHaveLength(1);
});

it('starts one import, whatever the lease of uploads does: the insert of the import decides', async () => {
  const { uploadId } = await preview();
  const actor = { customerId: acme.id, keyId: 'key_1', role: 'owner' } as const;
  const connection = aConnection({ customerId: acme.id });
  const started = await Promise.allSettled(
    Array.from({ length: 4 }, () => startKeptImport(api.deps, actor, connection, uploadId)),
  );
  const refused = started.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  expect(refused.map(({ code }) => code)).toEqual(['upload_used', 'upload_used', 'upload_used']);
  expect(api.deps.sent).toHaveLength(1);
});

it('202: repeated with its Idempotency-Key, it resolves to its own import, also after a crash', async () => {
  const { uploadId } = await preview();
  const insert = api.deps.imports.insert;
  api.deps.imports.insert = async (...args) => {
    await insert(...args);
    throw new Error('killed after the import was stored');
  };
  expect((await start(uploadId, { idempotencyKey: 'one' })).status).toBe(500);
  api.deps.imports.insert = insert;
  const retried = await start(uploadId, { idempotencyKey: 'one' });
  expect(retried.status).toBe(202);
  expect(await start(uploadId, { idempotencyKey: 'one' })).toEqual(retried);
  expect(await start(uploadId, { idempotencyKey: 'two' })).toMatchObject({ status: 409, importId: retried.id });
});

it('409: while another file is uploaded to the connection, which is not remembered for the Idempotency-Key', async () => {
  const { uploadId } = await preview();
  const until = new Date(api.deps.time.now.getTime() + 15_000);
  const lease = { customerId: acme.id, connectionId: 'conn_1', holder: 'another', until };
  const tag = await api.deps.uploadLeases.take(lease, api.deps.time.now);
  const refused = await start(uploadId, { idempotencyKey: 'one' });
  expect(refused).toMatchObject({ status: 409, code: 'upload_in_progress' });
  await api.deps.uploadLeases.release(lease, tag ?? '');
  expect((await start(uploadId, { idempotencyKey: 'one' })).status).toBe(202);
});

it('200: rows are judged again at the start, by what is known then', async () => {
  const { uploadId } = await preview();
  const found = await api.deps.connections.get(acme.id, 'conn_1');
  if (!found) throw new Error('no connection');
  await api.deps.connections.update({ ...found.value, verifiedDomains: ['contoso.example'] }, found.tag);
  await api.deps.slots.claim(acme.id, 'imp_other', 10);
  // Both addresses would need a slot, and none is free. By now they belong to a foreign domain.
  expect((await start(uploadId)).status).toBe(202);
});

describe('leaves nothing behind', () => {
  const removeAll = async (afterMs: number) => {
    pass(afterMs);
    await runRemovals(api.deps);
  };

  it('if no import is started', async () => {
    await preview();
    await removeAll(2 * HOUR);
    expect(api.deps.uploads.stored.size).toBe(0);
    expect(api.deps.removals.all()).toEqual([]);
  });

  it('if the file is refused', async () => {
    const response = await api.request('POST', `${path()}?dryRun=true`, {
      key: acme.key,
      raw: chunksOf('email\n"never closed\n'),
      headers: { 'content-type': 'text/csv' },
    });
    expect(response.status).toBe(400);
    expect(api.deps.removals.all()).toEqual([]);
  });

  it('if the process dies after it has stored the file', async () => {
    const put = api.deps.keptUploads.put;
    api.deps.keptUploads.put = async () => {
      throw new Error('killed');
    };
    const connection = aConnection({ customerId: acme.id });
    const actor = { customerId: acme.id, keyId: 'key_1', role: 'owner' } as const;
    const upload = { type: 'text/csv', bytes: chunksOf(CSV) } as const;
    await expect(previewImport(api.deps, actor, connection, upload)).rejects.toThrow('killed');
    api.deps.keptUploads.put = put;
    expect(api.deps.uploads.stored.size).toBe(1);
    await removeAll(2 * HOUR);
    expect(api.deps.uploads.stored.size).toBe(0);
  });

  it('but the upload of an import that was started from it stays for as long as other uploads', async () => {
    const { uploadId } = await preview();
    const { id } = await start(uploadId);
    await removeAll(2 * HOUR);
    expect(api.deps.uploads.stored.size).toBe(1);
    const found = await api.deps.imports.get(acme.id, id);
    if (!found) throw new Error('no import');
    await api.deps.imports.update({ ...found.value, status: 'completed' }, found.tag);
    await removeAll(30 * 24 * HOUR);
    expect(api.deps.uploads.stored.size).toBe(0);
    expect(api.deps.removals.all()).toEqual([]);
  });
});

it('200: a customer with too many kept uploads gets the same answer, and nothing is kept', async () => {
  for (let i = 0; i < 3; i++) expect((await preview()).uploadId).not.toBe('');
  expect(await preview()).toMatchObject({ rows: 3, accepted: 2, uploadId: '', expiresAt: null });
  expect(api.deps.uploads.stored.size).toBe(3);
  pass(HOUR);
  expect((await preview()).uploadId).not.toBe('');
});

describe('an import', () => {
  it('says until when its upload and its rows are there', async () => {
    const { uploadId } = await preview();
    expect(await start(uploadId)).toMatchObject({ uploadExpiresAt: '2026-07-01T00:00:00.000Z', rowsExpireAt: null });
  });

  it('410: without its rows keeps its counts, and says when the rows were deleted', async () => {
    const { uploadId } = await preview();
    const { id } = await start(uploadId);
    const found = await api.deps.imports.get(acme.id, id);
    if (!found) throw new Error('no import');
    await api.deps.imports.update({ ...found.value, status: 'completed', rowsRemovedAt: api.deps.time.now }, found.tag);
    const rows = await api.request('GET', `/v1/imports/${id}/rows`, { key: acme.key });
    expect([rows.status, await rows.json()]).toMatchObject([
      410,
      { code: 'gone', detail: expect.stringContaining('deleted on 2026-06-01') },
    ]);
    for (const file of ['report.csv', 'report.json', 'failed.csv', 'summary']) {
      expect((await api.request('GET', `/v1/imports/${id}/${file}`, { key: acme.key })).status).toBe(410);
    }
    expect((await api.request('GET', `/v1/imports/${id}`, { key: acme.key })).status).toBe(200);
  });
});
