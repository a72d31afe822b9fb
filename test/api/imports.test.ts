import { beforeEach, describe, expect, it } from 'vitest';
import type { Import } from '../../shared/imports/import.ts';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { createApi, DOMAIN } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';
import { countedLedger } from '../support/planning-world.ts';
import { aMailbox, anImport, aRow } from '../support/records.ts';
import { inlineRow, workbookOf, zipOf } from '../support/workbook.ts';

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
});

const passTest = () => api.request('POST', `/v1/connections/${connectionId}/test`, { key });
const upload = (raw: string | Uint8Array, query = '', type = 'text/csv') =>
  api.request('POST', `/v1/connections/${connectionId}/imports${query}`, {
    key,
    raw: (async function* () {
      yield Buffer.from(raw);
    })(),
    headers: { 'content-type': type },
  });
const uploadOf = async (importId: string) => api.deps.uploads.read(customerId, importId);

it('409: refuses an import until the connection is ready, and says what to do', async () => {
  const response = await upload('email\na@tailspin.example\n');
  expect(response.status).toBe(409);
  expect(await response.json()).toMatchObject({
    code: 'connection_not_ready',
    detail: expect.stringContaining('test'),
  });
});

it('202: stores the file, opens the import and sends one plan message', async () => {
  await passTest();
  const response = await upload('email\na@tailspin.example\n');
  expect(response.status).toBe(202);
  const body = await jsonOf<{ id: string }>(response);
  expect(response.headers.get('location')).toBe(`/v1/imports/${body.id}`);
  expect(body).toMatchObject({ status: 'accepted', percent: 0, finding: null, connectionId, counts: { rows: 1 } });
  expect(api.deps.sent).toEqual([{ v: 1, customerId, importId: body.id }]);
  expect((await api.deps.imports.listOpen()).map(({ importId }) => importId)).toEqual([body.id]);
  expect(await uploadOf(body.id)).toBeDefined();
});

it('200, 202: tell how the file was read: its columns, the ignored ones too, its separator and its encoding', async () => {
  await passTest();
  const file = Buffer.from('E-Mail;Team;Vorname;Name\na@tailspin.example;x;J\xfcrgen;Gro\xdf\n', 'latin1');
  const columns = {
    used: { address: 'E-Mail', displayName: 'Vorname + Name' },
    ignored: ['Team'],
    hasHeader: true,
    delimiter: ';',
    encoding: 'windows-1252',
  };
  const preview = await jsonOf(await upload(file, '?dryRun=true'));
  expect(preview).toMatchObject({ columns, sample: [{ displayName: 'Jürgen Groß' }] });
  const { id, ...started } = await jsonOf<{ id: string }>(await upload(file));
  expect(started).toMatchObject({ columns });
  expect(await jsonOf(await api.request('GET', `/v1/imports/${id}`, { key }))).toMatchObject({ columns });
});

it('200, 202: reads an Excel workbook under its own media type, as text/csv and in a form, and stores it as CSV', async () => {
  await passTest();
  const file = workbookOf({ sheetData: inlineRow(1, ['E-Mail', 'Team']) + inlineRow(3, ['a@tailspin.example', 'x']) });
  const columns = { used: { address: 'E-Mail' }, ignored: ['Team'], hasHeader: true, sheet: 'Mailboxes' };
  for (const type of ['text/csv', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet']) {
    const preview = await jsonOf<object>(await upload(file, '?dryRun=true', type));
    expect(preview).toMatchObject({ sample: [{ line: 3, address: 'a@tailspin.example' }] });
    expect(preview).toHaveProperty('columns', columns);
  }
  const head = '--b\r\ncontent-disposition: form-data; name="file"; filename="a.xlsx"\r\n\r\n';
  const form = Buffer.concat([Buffer.from(head), file, Buffer.from('\r\n--b--\r\n')]);
  const started = await jsonOf<{ id: string }>(await upload(form, '', 'multipart/form-data; boundary=b'));
  expect(started).toHaveProperty('columns', columns);
  const stored = await Array.fromAsync((await uploadOf(started.id)) ?? []);
  expect(Buffer.concat(stored).toString()).toBe('"E-Mail","Team"\n\n"a@tailspin.example","x"');
});

it('400: refuses an archive that is no workbook; 413: refuses by the stated length. Neither leaves anything behind', async () => {
  await passTest();
  const archive = await upload(zipOf([{ name: 'mailboxes.csv', content: 'email\na@tailspin.example\n' }]));
  expect(archive.status).toBe(400);
  expect(await archive.json()).toMatchObject({
    code: 'file_not_text',
    detail: expect.stringContaining('mailboxes.csv'),
  });
  let sent = 0;
  const tooLarge = await api.request('POST', `/v1/connections/${connectionId}/imports`, {
    key,
    raw: (async function* () {
      for (; sent < 200; sent++) yield Buffer.alloc(1_000, 'x');
    })(),
    headers: { 'content-type': 'text/csv', 'content-length': '200000' },
  });
  expect(tooLarge.status).toBe(413);
  expect(await tooLarge.json()).toMatchObject({ code: 'payload_too_large', maxBytes: 100_000 });
  expect(await api.deps.imports.listOpen()).toEqual([]);
});

it('202: also accepts JSON and a form', async () => {
  await passTest();
  const json = JSON.stringify({ mailboxes: [{ address: 'a@tailspin.example', dailyLimit: 5 }] });
  expect((await upload(json, '', 'application/json')).status).toBe(202);
  const part =
    '--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\ncontent-type: text/csv\r\n\r\nemail\nb@tailspin.example\n\r\n--b--\r\n';
  expect((await upload(part, '', 'multipart/form-data; boundary=b')).status).toBe(202);
});

it('409: refuses an upload that needs more slots than are free, with both numbers, and leaves nothing behind', async () => {
  await passTest();
  const response = await upload('email\na@x.example\nb@x.example\nb@x.example\nc@x.example\nd@x.example\n');
  expect(response.status).toBe(409);
  expect(await response.json()).toMatchObject({ code: 'slot_limit_reached', needed: 4, free: 3 });
  expect(await api.deps.imports.listOpen()).toEqual([]);
  expect(api.deps.sent).toEqual([]);
});

describe('the mailboxes of the connection', () => {
  const count = () => {
    const { ledger, calls } = countedLedger({ ...api.deps.ledger });
    Object.assign(api.deps.ledger, ledger);
    return calls;
  };

  it('202: are not read if there are slots enough for every address', async () => {
    await passTest();
    const calls = count();
    expect((await upload('email\na@x.example\nb@x.example\n')).status).toBe(202);
    expect(calls).toMatchObject({ getMailbox: 0, getMailboxes: 0, eachMailbox: 0 });
  });

  it('400: are not read for a file that turns out to be unreadable at its end', async () => {
    await passTest();
    const calls = count();
    const rows = Array.from({ length: 500 }, (_, i) => `user${i}@x.example\n`).join('');
    expect((await upload(`email\n${rows}"a@x.example\n`)).status).toBe(400);
    expect(calls).toMatchObject({ getMailbox: 0, getMailboxes: 0, eachMailbox: 0 });
  });

  it('202: are looked up if the slots may be too few; those that hold slots need no others', async () => {
    await passTest();
    for (const address of ['a@x.example', 'b@x.example']) {
      const mailbox = aMailbox({ address, status: 'inconclusive', slotClaimedBy: 'imp_0' });
      await api.deps.ledger.commit(connectionId, [{ op: 'createMailbox', mailbox }]);
    }
    const calls = count();
    const addresses = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@x.example\n`).join('');
    expect((await upload(`email\n${addresses}`)).status).toBe(202);
    expect(calls).toMatchObject({ getMailboxes: 1, eachMailbox: 0 });
  });
});

describe('a dry run', () => {
  it('400: is asked for with true, or not with false, as the document says', async () => {
    await passTest();
    const answer = await upload('email\na@x.example\n', '?dryRun=yes');
    expect([answer.status, await answer.json()]).toMatchObject([400, { errors: [{ path: 'dryRun' }] }]);
    expect((await upload('email\na@x.example\n', '?dryRun=false')).status).toBe(202);
  });

  it('200: shows what would happen to each row, and starts nothing', async () => {
    await passTest();
    const csv = 'Email;Name;Department\na@x.example;A;Sales\nno address;B;\na@x.example;A again;\n';
    const response = await upload(csv, '?dryRun=true');
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      rows: 3,
      accepted: 1,
      rejected: 1,
      duplicates: 1,
      slots: { needed: 1, free: 3 },
      columns: { ignored: ['Department'] },
      findings: [
        { line: 3, code: 'address_malformed' },
        { line: 4, code: 'duplicate_in_file' },
      ],
    });
    expect(api.deps.sent).toEqual([]);
  });
  it('400: refuses a misspelt query, and starts nothing', async () => {
    await passTest();
    expect((await upload('email\na@x.example\n', '?dryrun=true')).status).toBe(400);
    expect(api.deps.sent).toEqual([]);
  });
});

it.each([
  ['no address column', 'name\nJane\n', 'file_no_address_column'],
  ['an unclosed quote', 'email,name\na@x.example,"A\n', 'file_malformed'],
  ['no content', '', 'file_empty'],
  ['bytes that are not text', 'email\n\u0000\u0001\u0002\n', 'file_not_text'],
])('400: refuses a file with %s, and stores nothing of it', async (_, csv, code) => {
  await passTest();
  const response = await upload(csv);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code });
  expect(await api.deps.imports.listOpen()).toEqual([]);
});

it('200: lists imports newest first; 304: answers a reader who already has an import', async () => {
  await passTest();
  const ids: string[] = [];
  for (const address of ['a', 'b']) {
    api.deps.time.now = new Date(api.deps.time.now.getTime() + 1_000);
    ids.unshift((await jsonOf<{ id: string }>(await upload(`email\n${address}@x.example\n`))).id);
  }
  const list = await jsonOf<{ items: { id: string }[] }>(
    await api.request('GET', `/v1/connections/${connectionId}/imports`, { key }),
  );
  expect(list.items.map(({ id }) => id)).toEqual(ids);
  const path = `/v1/imports/${ids[0]}`;
  const first = await api.request('GET', path, { key });
  expect(first.headers.get('retry-after')).toMatch(/^\d+$/);
  const second = await api.request('GET', path, { key, headers: { 'if-none-match': first.headers.get('etag') ?? '' } });
  expect(second.status).toBe(304);
});

it('404: hides another customer’s import and its rows', async () => {
  await passTest();
  const { id } = await jsonOf<{ id: string }>(await upload('email\na@x.example\n'));
  const stranger = (await api.customer({ name: 'Globex' })).key;
  for (const path of [`/v1/imports/${id}`, `/v1/imports/${id}/rows`]) {
    expect((await api.request('GET', path, { key: stranger })).status).toBe(404);
  }
});

it('200: cancelling twice answers with the import as it is, and sends nothing more', async () => {
  await passTest();
  const { id } = (await (await upload('email\na@x.example\n')).json()) as { id: string };
  const cancel = async () => {
    const response = await api.request('POST', `/v1/imports/${id}/cancel`, { key });
    return [response.status, await response.json()];
  };
  const first = await cancel();
  const sent = api.deps.sent.length;
  expect(first).toMatchObject([200, { status: 'cancelling' }]);
  expect(await cancel()).toEqual(first);
  expect(api.deps.sent).toHaveLength(sent);
  const found = await api.deps.imports.get(customerId, id);
  if (!found) throw new Error('the import is gone');
  await api.deps.imports.update({ ...found.value, status: 'cancelled' }, found.tag);
  expect(await cancel()).toMatchObject([200, { status: 'cancelled' }]);
});

it('409: a completed import cannot be cancelled', async () => {
  await passTest();
  await api.deps.imports.insert(anImport({ id: 'imp_9', customerId, connectionId, status: 'completed' }));
  const response = await api.request('POST', '/v1/imports/imp_9/cancel', { key });
  expect([response.status, await response.json()]).toMatchObject([409, { code: 'wrong_state' }]);
});

it('200: rows are filtered by `state`, or by its earlier name `verdict`; 400 for both', async () => {
  await passTest();
  await api.deps.imports.insert(anImport({ customerId, connectionId }));
  const rows = [aRow(), aRow({ line: 3, state: 'failed', cause: 'mailbox_not_found' })];
  await api.deps.ledger.commit(
    connectionId,
    rows.map((row) => ({ op: 'createRow', row })),
  );
  const read = (query: string) => api.request('GET', `/v1/imports/imp_1/rows?${query}`, { key });
  const expected = { items: [{ line: 3, state: 'failed', cause: 'mailbox_not_found' }] };
  for (const query of ['state=failed', 'verdict=failed'])
    expect(await (await read(query)).json()).toMatchObject(expected);
  expect((await read('state=failed&verdict=passed')).status).toBe(400);
});

describe('what an import waits for', () => {
  const until = () => new Date(api.deps.time.now.getTime() + 60_000);
  const show = async (path = '') => (await api.request('GET', `/v1/imports/imp_1${path}`, { key })).json();
  const store = async (change: Partial<Import> = {}) => {
    const waitingFor = { cause: 'throttled' as const, until: until() };
    await api.deps.imports.insert(anImport({ customerId, connectionId, waitingFor, ...change }));
  };

  it('200: is named with a sentence, and until when', async () => {
    await store();
    const message = expect.stringContaining('go on at the time in `until`');
    expect(await show()).toMatchObject({ waitingFor: { cause: 'throttled', message, until: until().toISOString() } });
  });

  it.each([
    ['no time', { waitingFor: { cause: 'throttled' } }, { cause: 'throttled', until: null }],
    ['a time that is over', { waitingFor: { cause: 'throttled', until: new Date(0) } }, { until: null }],
    ['nothing while it is paused', { status: 'paused' }, null],
    ['nothing once it has ended', { status: 'completed' }, null],
  ] as const)('200: %s', async (_what, change, waitingFor) => {
    await store(change);
    expect(await show()).toMatchObject({ waitingFor });
  });

  it('200: rows say why they wait, and when they are checked again at the earliest', async () => {
    await store();
    const soon = new Date(api.deps.time.now.getTime() + 1_000);
    const later = new Date(api.deps.time.now.getTime() + 90_000);
    const rows = [
      aRow({ line: 2, state: 'waiting', cause: 'throttled', nextCheckAt: soon }),
      aRow({ line: 3, state: 'waiting', cause: 'microsoft_unavailable', nextCheckAt: later }),
      aRow({ line: 4, state: 'waiting', cause: 'propagating', nextCheckAt: soon }),
      aRow({ line: 5, state: 'waiting', heldAt: soon }),
      aRow({ line: 6, state: 'waiting', nextCheckAt: soon }),
      aRow({ line: 7, state: 'pending', cause: 'throttled' }),
    ];
    for (const row of rows) await api.deps.ledger.commit(connectionId, [{ op: 'createRow', row }]);
    const { items } = (await show('/rows')) as { items: object[] };
    expect(items).toMatchObject([
      { cause: 'throttled', nextCheckAt: until().toISOString() },
      { cause: 'microsoft_unavailable', nextCheckAt: later.toISOString() },
      { cause: 'propagating', nextCheckAt: soon.toISOString() },
      { message: expect.stringContaining('all mailboxes') },
      { message: expect.stringContaining('our services'), nextCheckAt: soon.toISOString() },
      { state: 'pending' },
    ]);
    expect(items[5]).not.toHaveProperty('cause');
  });
});

it('names what stopped an import by its `cause`', async () => {
  await passTest();
  const finding = { code: 'secret_expired', detail: 'The secret has expired.', seenAt: api.deps.time.now };
  await api.deps.imports.insert(anImport({ customerId, connectionId, status: 'paused', finding }));
  const shown = await (await api.request('GET', '/v1/imports/imp_1', { key })).json();
  expect(shown).toMatchObject({ finding: { cause: 'secret_expired' } });
  expect(shown).not.toHaveProperty('finding.code');
});

describe('resuming an import whose connection does not work', () => {
  const refuseSecret = () => api.deps.tenant.answers.set(GOOD_SECRET, 'AADSTS7000222');

  async function pausedImport(): Promise<string> {
    await passTest();
    const { id } = await jsonOf<{ id: string }>(await upload('email\na@x.example\n'));
    const found = await api.deps.imports.get(customerId, id);
    if (found) await api.deps.imports.update({ ...found.value, status: 'paused' }, found.tag);
    refuseSecret();
    await passTest();
    return id;
  }
  const resume = (id: string) => api.request('POST', `/v1/imports/${id}/resume`, { key });

  it('200: tests it first, so that one call is enough after a fix', async () => {
    const id = await pausedImport();
    api.deps.tenant.answers.set(GOOD_SECRET, ['Mail.Send']);
    expect(await (await resume(id)).json()).toMatchObject({ status: 'running' });
    expect(await (await api.request('GET', `/v1/connections/${connectionId}`, { key })).json()).toMatchObject({
      status: 'ready',
    });
  });

  it('409: says what the test has found', async () => {
    const id = await pausedImport();
    api.deps.tenant.answers.set(GOOD_SECRET, 'AADSTS7000112');
    const answer = await resume(id);
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({
      code: 'connection_not_ready',
      cause: 'app_disabled',
      detail: expect.stringContaining('The app is disabled in this tenant.'),
      fix: expect.any(String),
    });
  });

  it('409: does not test for an import that is not paused', async () => {
    await passTest();
    const { id } = await jsonOf<{ id: string }>(await upload('email\na@x.example\n'));
    refuseSecret();
    await passTest();
    api.deps.tokens.get = () => Promise.reject(new Error('it was tested'));
    expect(await (await resume(id)).json()).toMatchObject({ code: 'wrong_state' });
  });
});

it('409: refuses to pause or resume an import that is not running; 200: cancels it', async () => {
  await passTest();
  const { id } = await jsonOf<{ id: string }>(await upload('email\na@x.example\n'));
  expect((await api.request('POST', `/v1/imports/${id}/pause`, { key })).status).toBe(409);
  expect((await api.request('POST', `/v1/imports/${id}/resume`, { key })).status).toBe(409);
  expect(await (await api.request('POST', `/v1/imports/${id}/cancel`, { key })).json()).toMatchObject({
    status: 'cancelling',
  });
});
