import { beforeEach, describe, expect, it } from 'vitest';
import { readDirectory } from '../../shared/directory/read-directory.ts';
import { SEARCH_MAX_MS } from '../../shared/directory/selection-search.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { createApi, DOMAIN } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';
import { aConnection, aMailbox } from '../support/records.ts';
import { chunksOf } from '../support/upload-bytes.ts';

interface Answer {
  id: string;
  code: string;
  items: { address: string; connected: boolean }[];
  nextCursor?: string;
  rows: number;
  readAt: string | null;
  reading: boolean;
  selection?: object;
  errors?: object[];
}

let api: ReturnType<typeof createApi>;
let acme: { id: string; key: string };
const path = '/v1/connections/conn_1';
const at = (name: string) => `${name}@${DOMAIN}`;

beforeEach(async () => {
  api = createApi();
  acme = await api.customer({ mailboxSlots: 5 });
  await api.deps.connections.insert(aConnection({ id: 'conn_1', customerId: acme.id }));
  api.deps.tenantUsers.pageSize = 100;
  api.deps.tokens.get = async () => ({
    granted: true,
    value: { token: new Secret('token'), expiresAt: new Date(8e15), claims: { roles: [] } },
  });
});

const user = (name: string, more: object = {}) => ({
  id: `id-${name}`,
  primaryAddress: at(name),
  displayName: name,
  ...more,
});
const get = async (query = '') =>
  jsonOf<Answer>(await api.request('GET', `${path}/directory${query}`, { key: acme.key }));
const refresh = () => api.request('POST', `${path}/directory/refresh`, { key: acme.key });
const read = () => readDirectory(api.deps, { customerId: acme.id, connectionId: 'conn_1' });
const post = async (body: object, { query = '', idempotencyKey = '' } = {}) => {
  const headers = idempotencyKey ? { 'idempotency-key': idempotencyKey } : {};
  const response = await api.request('POST', `${path}/imports${query}`, { key: acme.key, body, headers });
  return { ...(await jsonOf<Answer>(response)), status: response.status };
};
const csv = (query = '') => api.request('GET', `${path}/directory.csv${query}`, { key: acme.key });

async function readTenant(): Promise<void> {
  api.deps.tenantUsers.put(user('ann'));
  api.deps.tenantUsers.put(user('bob', { displayName: '=Bob' }));
  api.deps.tenantUsers.put(user('support', { isLicensed: false }));
  api.deps.tenantUsers.put(user('gone', { isLicensed: false }));
  api.deps.tenantUsers.put(user('visitor', { isGuest: true }));
  api.deps.tenantUsers.mailboxes.set('id-gone', { reason: 'mailbox_unlicensed_or_on_premises' });
  await refresh();
  await read();
  await api.deps.ledger.commit('conn_1', [
    { op: 'createMailbox', mailbox: aMailbox({ address: at('ann'), status: 'active' }) },
    { op: 'createMailbox', mailbox: aMailbox({ address: at('bob'), status: 'failed' }) },
  ]);
}

/** Bob is looked after, under the address that he had before. */
async function bobIsConnectedUnderAnotherName(): Promise<void> {
  const address = at('robert.before');
  const identity = { objectId: 'id-bob' };
  await api.deps.ledger.commit('conn_1', [
    { op: 'createMailbox', mailbox: aMailbox({ address, status: 'active', slotClaimedBy: 'imp_1', identity }) },
    { op: 'writeIdentity', identity: { key: 'object:id-bob', address } },
  ]);
}

describe('the list', () => {
  it('200: has nothing before the first read, and asks nobody', async () => {
    expect(await get()).toEqual({ items: [], readAt: null, reading: false, finding: null });
    expect(api.deps.tenantUsers.requests).toEqual([]);
    expect(api.deps.sent).toEqual([]);
  });

  it('202: a refresh reads in the background, once', async () => {
    const first = await refresh();
    expect(first.status).toBe(202);
    expect(await jsonOf(first)).toEqual({ readAt: null, reading: true, finding: null });
    expect((await refresh()).status).toBe(202);
    expect(await get()).toMatchObject({ reading: true });
    expect(api.deps.tenantUsers.requests).toEqual([]);
    await read();
    await read();
    expect(api.deps.tenantUsers.requests).toEqual(['linkToChanges', 'list', 'changes']);
  });

  it('200: tells the kind, what is connected, what can be imported and why not', async () => {
    await readTenant();
    expect(await get()).toEqual({
      items: [
        { address: at('ann'), displayName: 'ann', objectId: 'id-ann', kind: 'user', connected: true, eligible: true },
        { address: at('bob'), displayName: '=Bob', objectId: 'id-bob', kind: 'user', connected: false, eligible: true },
        {
          address: at('gone'),
          displayName: 'gone',
          objectId: 'id-gone',
          kind: 'unknown',
          connected: false,
          eligible: false,
          reason: 'mailbox_unlicensed_or_on_premises',
        },
        {
          address: at('support'),
          displayName: 'support',
          objectId: 'id-support',
          kind: 'shared',
          connected: false,
          eligible: true,
        },
        {
          address: at('visitor'),
          displayName: 'visitor',
          objectId: 'id-visitor',
          kind: 'unknown',
          connected: false,
          eligible: false,
          reason: 'address_is_guest',
        },
      ],
      readAt: api.deps.time.now.toISOString(),
      reading: false,
      finding: null,
    });
  });

  it.each([
    ['?connected=true', ['ann']],
    ['?connected=false&eligible=true', ['bob', 'support']],
    ['?kind=shared', ['support']],
    ['?eligible=false', ['gone', 'visitor']],
  ])('200: filters by %s', async (query, names) => {
    await readTenant();
    expect((await get(query)).items.map(({ address }) => address)).toEqual(names.map(at));
  });

  it('200: goes on with a cursor, and a cursor is for its own filters', async () => {
    await readTenant();
    const seen: string[] = [];
    let cursor = '';
    do {
      const page: Answer = await get(`?limit=2${cursor}`);
      seen.push(...page.items.map(({ address }) => address));
      cursor = page.nextCursor ? `&cursor=${encodeURIComponent(page.nextCursor)}` : '';
    } while (cursor !== '');
    expect(seen).toEqual(['ann', 'bob', 'gone', 'support', 'visitor'].map(at));
    const { nextCursor = '' } = await get('?limit=2');
    const other = await api.request('GET', `${path}/directory?eligible=true&cursor=${encodeURIComponent(nextCursor)}`, {
      key: acme.key,
    });
    expect(other.status).toBe(400);
  });

  it('names the least permission that is missing', async () => {
    const denied = {
      kind: 'refused',
      refusal: { service: 'graph', status: 403, code: 'Authorization_RequestDenied', message: '' },
    } as const;
    api.deps.tenantUsers.nextAnswers.push(denied, denied);
    await refresh();
    await read();
    expect(await get()).toMatchObject({
      readAt: null,
      reading: false,
      finding: {
        cause: 'permission_missing',
        permission: 'User.Read.All',
        fix: expect.stringContaining('User.Read.All'),
      },
    });
    expect(await post({ select: 'allUnconnected' })).toMatchObject({
      status: 409,
      code: 'directory_unavailable',
      cause: 'permission_missing',
      permission: 'User.Read.All',
    });
  });

  it('404: is not for another customer', async () => {
    const other = await api.customer({ name: 'Other' });
    expect((await api.request('GET', `${path}/directory`, { key: other.key })).status).toBe(404);
    expect((await api.request('POST', `${path}/directory/refresh`, { key: other.key })).status).toBe(404);
    expect((await api.request('GET', `${path}/directory.csv`, { key: other.key })).status).toBe(404);
  });

  it('409: a connection that is not ready is not read', async () => {
    await api.deps.connections.insert(
      aConnection({ id: 'conn_2', customerId: acme.id, status: 'failing', clientId: 'other' }),
    );
    const response = await api.request('POST', '/v1/connections/conn_2/directory/refresh', { key: acme.key });
    expect(await jsonOf<Answer>(response)).toMatchObject({ code: 'connection_not_ready' });
  });
});

it('knows a mailbox that is looked after under another address: in the list, in the export and in selections', async () => {
  await readTenant();
  await bobIsConnectedUnderAnotherName();
  expect((await get('?connected=true')).items.map(({ address }) => address)).toEqual([at('ann'), at('bob')]);
  expect(await (await csv()).text()).toContain(`\r\n${at('bob')},'=Bob,user,true,true,\r\n`);
  const preview = await post({ select: 'allUnconnected' }, { query: '?dryRun=true' });
  expect(preview).toMatchObject({ accepted: 1, sample: [{ address: at('support') }] });
  const users = [{ id: 'id-bob', address: at('bob'), displayName: 'Bob', isGuest: false, isReadable: true }];
  const pages = [{ users, groups: [], others: 0 }];
  api.deps.tenantGroups.groups.set(at('sales'), { id: 'group-1', name: 'Sales', pages });
  expect(await post({ group: at('sales') })).toMatchObject({ status: 409, code: 'nothing_selected' });
});

describe('the export', () => {
  it('409: needs a directory that was read', async () => {
    expect(await jsonOf<Answer>(await csv())).toMatchObject({ status: 409, code: 'directory_unavailable' });
  });

  it('200: is a file that an import takes as it is, and that is harmless in a spreadsheet', async () => {
    await readTenant();
    const response = await csv();
    const text = await response.text();
    expect(response.headers.get('muster-read-at')).toBe(api.deps.time.now.toISOString());
    expect(text.split('\r\n')).toEqual([
      'email_address,display_name,kind,connected,eligible,reason',
      `${at('ann')},ann,user,true,true,`,
      `${at('bob')},'=Bob,user,false,true,`,
      `${at('support')},support,shared,false,true,`,
      '',
    ]);
    const preview = await api.request('POST', `${path}/imports?dryRun=true`, {
      key: acme.key,
      raw: chunksOf(text),
      headers: { 'content-type': 'text/csv' },
    });
    expect(await jsonOf<Answer>(preview)).toMatchObject({
      rows: 3,
      accepted: 2,
      duplicates: 1,
      rejected: 0,
      sample: [{ address: at('bob'), displayName: '=Bob' }, { address: at('support') }],
    });
    expect((await (await csv('?eligible=any&connected=false')).text()).split('\r\n')).toHaveLength(6);
  });
});

describe('an import by selection', () => {
  it('202: takes every eligible mailbox that is not connected', async () => {
    await readTenant();
    const started = await post({ select: 'allUnconnected' });
    expect(started).toMatchObject({
      status: 202,
      counts: { rows: 2 },
      selection: { from: 'directory', selected: 2, hasMore: false },
    });
    const stored = api.deps.uploads.stored.get(`${acme.id}/${started.id}`)?.bytes.toString();
    expect(stored).toBe(
      `{"address":"${at('bob')}","displayName":"=Bob"}\n{"address":"${at('support')}","displayName":"support"}\n`,
    );
    const shown = await api.request('GET', `/v1/imports/${started.id}`, { key: acme.key });
    expect(await jsonOf<Answer>(shown)).toMatchObject({ selection: started.selection });
  });

  it('takes at most as many as a selection may have, and says that there are more', async () => {
    await readTenant();
    api.deps.selectionMax = 1;
    expect(await post({ select: 'allUnconnected' })).toMatchObject({ selection: { selected: 1, hasMore: true } });
  });

  it('409: looks through a tenant of any size in several requests, and skips nobody', async () => {
    await readTenant();
    const { list } = api.deps.directory;
    // Storage is slow, and returns one entry at a time.
    api.deps.directory.list = async (connectionId, request, filter) => {
      api.deps.time.now = new Date(api.deps.time.now.getTime() + SEARCH_MAX_MS);
      return list(connectionId, { ...request, limit: 1 }, filter);
    };
    const first = await post({ select: 'allUnconnected' });
    expect(first).toMatchObject({ status: 409, code: 'selection_incomplete', nextCursor: expect.any(String) });
    const query = `?cursor=${first.nextCursor}`;
    const second = await post({ select: 'allUnconnected' }, { query });
    expect(second).toMatchObject({ status: 202, selection: { selected: 1, hasMore: true } });
    const stored = api.deps.uploads.stored.get(`${acme.id}/${second.id}`)?.bytes.toString();
    expect(stored).toContain(at('bob'));
    await api.deps.ledger.commit('conn_1', [
      { op: 'mergeMailbox', address: at('bob'), patch: { status: 'active' } },
      { op: 'createMailbox', mailbox: aMailbox({ address: at('support'), status: 'active' }) },
    ]);
    const third = await post({ select: 'allUnconnected' }, { query });
    expect(third).toMatchObject({ code: 'selection_incomplete' });
    expect(await post({ select: 'allUnconnected' }, { query: `?cursor=${third.nextCursor}` })).toMatchObject({
      code: 'nothing_selected',
    });
  });

  it('409: there is nothing to select, or there are too few slots', async () => {
    await readTenant();
    await api.deps.ledger.commit('conn_1', [
      { op: 'createMailbox', mailbox: aMailbox({ address: at('support'), status: 'active' }) },
      { op: 'mergeMailbox', address: at('bob'), patch: { status: 'waiting' } },
    ]);
    expect(await post({ select: 'allUnconnected' })).toMatchObject({ status: 409, code: 'nothing_selected' });
    for (let n = 0; n < 9; n++) api.deps.tenantUsers.put(user(`more${n}`));
    await refresh();
    await read();
    expect(await post({ select: 'allUnconnected' })).toMatchObject({
      status: 409,
      code: 'slot_limit_reached',
      needed: 9,
      free: 5,
    });
    expect(api.deps.uploads.stored.size).toBe(0);
  });

  it('200: a dry run tells what it would take, and an import can start from it', async () => {
    await readTenant();
    const preview = await post({ select: 'allUnconnected' }, { query: '?dryRun=true' });
    expect(preview).toMatchObject({ status: 200, accepted: 2, slots: { needed: 2, free: 5 } });
  });

  it('resolves to the first import when the request is repeated, although its mailboxes are connected by then', async () => {
    await readTenant();
    const first = await post({ select: 'allUnconnected' }, { idempotencyKey: 'once' });
    api.deps.answers.purge(acme.id);
    await api.deps.ledger.commit('conn_1', [
      { op: 'mergeMailbox', address: at('bob'), patch: { status: 'pending', openRow: `${first.id}:1` } },
      { op: 'createMailbox', mailbox: aMailbox({ address: at('support'), status: 'pending' }) },
    ]);
    expect(await post({ select: 'allUnconnected' }, { idempotencyKey: 'once' })).toMatchObject({ status: 202 });
  });

  it.each([
    [{ select: 'everything' }, 'select'],
    [{ group: '' }, 'group'],
    [{ select: 'allUnconnected', more: 1 }, 'more'],
  ])('400: refuses %o', async (body, field) => {
    expect(await post(body)).toMatchObject({ status: 400, errors: [{ path: field }] });
  });
});

describe('an import of a group', () => {
  const member = (name: string, more: object = {}) => ({
    id: `id-${name}`,
    address: at(name),
    displayName: name,
    isGuest: false,
    isReadable: true,
    ...more,
  });
  const group = (...pages: object[]) =>
    api.deps.tenantGroups.groups.set(at('sales'), {
      id: 'group-1',
      name: 'Sales',
      pages: pages.map((page) => ({ users: [], groups: [], others: 0, ...page })),
    });

  it('202: takes its direct members, and tells nested groups and what is left out', async () => {
    await readTenant();
    group(
      { users: [member('ann'), member('bob'), member('gone')], groups: [{ id: 'g2', name: 'Sales EMEA' }] },
      { users: [member('new'), member('visitor', { isGuest: true }), member('bob')], others: 2 },
    );
    expect(await post({ group: at('sales') })).toMatchObject({
      status: 202,
      counts: { rows: 2 },
      selection: {
        from: 'group',
        groupId: 'group-1',
        groupName: 'Sales',
        selected: 2,
        hasMore: false,
        connected: 1,
        ineligible: 4,
        nestedGroups: ['Sales EMEA'],
      },
    });
  });

  it('needs no directory, and takes the addresses from it if the app may not read members', async () => {
    group({ users: [member('bob')] });
    expect(await post({ group: at('sales') }, { query: '?dryRun=true' })).toMatchObject({ accepted: 1 });
    const { address: _address, displayName: _name, ...unreadable } = member('bob', { isReadable: false });
    group({ users: [unreadable] });
    expect(await post({ group: at('sales') })).toMatchObject({
      status: 409,
      code: 'directory_unavailable',
      permission: 'User.ReadBasic.All',
    });
    await readTenant();
    expect(await post({ group: at('sales') }, { query: '?dryRun=true' })).toMatchObject({ accepted: 1 });
  });

  /** Each page takes a quarter of the time that a search has. */
  const readSlowly = () => {
    api.deps.tenantGroups.before = () => {
      api.deps.time.now = new Date(api.deps.time.now.getTime() + SEARCH_MAX_MS / 4);
    };
  };

  it('takes what it has found when its time is over, and says that there are more', async () => {
    readSlowly();
    const empty = { users: [] };
    group({ users: [member('bob')] }, empty, empty, empty);
    expect(await post({ group: at('sales') })).toMatchObject({ selection: { selected: 1, hasMore: false } });
    group({ users: [member('new')] }, empty, empty, empty, { users: [member('late')] });
    api.deps.tenantGroups.requests = 0;
    expect(await post({ group: at('sales') })).toMatchObject({
      status: 202,
      selection: { selected: 1, hasMore: true },
    });
    expect(api.deps.tenantGroups.requests).toBe(1 + 4);
  });

  it('409: looks through a group of any size in several requests, and tells when it has seen everyone', async () => {
    readSlowly();
    const guests = { users: [member('visitor', { isGuest: true }), member('visitor2', { isGuest: true })] };
    group(...Array.from({ length: 9 }, () => guests), { users: [member('late')] }, guests);
    const first = await post({ group: at('sales') });
    expect(first).toMatchObject({
      status: 409,
      code: 'selection_incomplete',
      detail: expect.stringContaining('The 8 members that were looked at'),
      nextCursor: expect.any(String),
    });
    const second = await post({ group: at('sales') }, { query: `?cursor=${first.nextCursor}` });
    expect(second).toMatchObject({ code: 'selection_incomplete' });
    const query = `?cursor=${second.nextCursor}`;
    expect(await post({ group: at('sales') }, { query })).toMatchObject({
      status: 202,
      selection: { selected: 1, hasMore: false },
    });
    await api.deps.ledger.commit('conn_1', [
      { op: 'createMailbox', mailbox: aMailbox({ address: at('late'), status: 'active' }) },
    ]);
    expect(await post({ group: at('sales') }, { query })).toMatchObject({
      code: 'nothing_selected',
      detail: expect.stringContaining('Every member of the group'),
    });
  });

  it('400: the cursor is too old, of another selection, or for something that is no selection', async () => {
    readSlowly();
    const guests = { users: [member('visitor', { isGuest: true })] };
    group(...Array.from({ length: 5 }, () => guests));
    const { nextCursor } = await post({ group: at('sales') });
    const query = `?cursor=${nextCursor}`;
    const tooOld = { service: 'graph', status: 400, code: 'Directory_ExpiredPageToken', message: '' } as const;
    const find = api.deps.tenantGroups.before;
    api.deps.tenantGroups.before = () =>
      void api.deps.tenantGroups.nextAnswers.push({ kind: 'refused', refusal: tooOld });
    const wrongCursor = { status: 400, errors: [{ path: 'cursor' }] };
    expect(await post({ group: at('sales') }, { query })).toMatchObject(wrongCursor);
    api.deps.tenantGroups.before = find;
    await readTenant();
    expect(await post({ select: 'allUnconnected' }, { query })).toMatchObject(wrongCursor);
    expect(await post({ mailboxes: [{ address: at('bob') }] }, { query })).toMatchObject(wrongCursor);
    expect((await api.request('GET', `${path}/imports${query}`, { key: acme.key })).status).toBe(400);
  });

  it('400: there is no such group', async () => {
    expect(await post({ group: at('nobody') })).toMatchObject({ status: 400, errors: [{ path: 'group' }] });
  });

  it('409: names the least permission; 503: Microsoft is throttling', async () => {
    const refusal = { service: 'graph', status: 403, code: 'Authorization_RequestDenied', message: '' } as const;
    api.deps.tenantGroups.nextAnswers.push({ kind: 'refused', refusal }, { kind: 'refused', refusal });
    expect(await post({ group: at('sales') })).toMatchObject({ status: 409, permission: 'GroupMember.Read.All' });
    const throttled = { ...refusal, status: 429, code: 'TooManyRequests', retryAfterSeconds: 7 };
    api.deps.tenantGroups.nextAnswers.push({ kind: 'refused', refusal: throttled });
    const response = await api.request('POST', `${path}/imports`, { key: acme.key, body: { group: at('sales') } });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '7']);
  });
});
