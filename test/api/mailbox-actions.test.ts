import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { sumTallies } from '../../shared/imports/ledger/tally.ts';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { createApi, DOMAIN } from '../support/api.ts';
import { eventsOf } from '../support/events-of.ts';
import { jsonOf } from '../support/json-of.ts';
import { aMailbox, anImport, aPlan, aRow } from '../support/records.ts';

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
  const jane = aMailbox({ address: 'jane@tailspin.example', status: 'active', slotClaimedBy: 'imp_1' });
  const mailboxes = [
    jane,
    aMailbox({ address: 'kim@tailspin.example', status: 'failed' }),
    aMailbox({ address: 'lee@tailspin.example', status: 'disconnected' }),
    aMailbox({ ...jane, address: 'max@tailspin.example', openRow: 'imp_1:9' }),
  ];
  const changes = mailboxes.map((mailbox) => ({ op: 'createMailbox', mailbox }) as const);
  await api.deps.ledger.commit(connectionId, changes);
});

const act = (body: object, headers?: Record<string, string>) =>
  api.request('POST', `/v1/connections/${connectionId}/mailbox-actions`, { key, body, ...(headers && { headers }) });
const noCounts = {
  ...{ rows: 0, accepted: 0, rejected: 0, duplicates: 0, pending: 0, waiting: 0 },
  ...{ passed: 0, failed: 0, inconclusive: 0, cancelled: 0 },
};
const get = (path: string) => api.request('GET', path, { key });
const storedAddresses = async (id: string) => {
  const bytes = await Array.fromAsync((await api.deps.uploads.read(customerId, id)) ?? []);
  return Buffer.concat(bytes)
    .toString()
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { address: string }).address);
};

it('200: tells the actions of the customer from the checks that Muster has started by itself', async () => {
  for (const [id, change] of [
    ['act_1', {}],
    ['act_2', { isReverification: true, waitingFor: { cause: 'imports_first', until: new Date('2100-01-01') } }],
  ] as const) {
    await api.deps.imports.insert(anImport({ id, customerId, connectionId, action: 'check', ...change }));
  }
  const list = async (query: string) =>
    (
      await jsonOf<{ items: { id: string; startedBy: string }[] }>(
        await get(`/v1/connections/${connectionId}/mailbox-actions${query}`),
      )
    ).items.map(({ id, startedBy }) => `${id} ${startedBy}`);
  expect(await list('')).toEqual(['act_2 schedule', 'act_1 customer']);
  expect(await list('?startedBy=customer')).toEqual(['act_1 customer']);
  expect(await list('?startedBy=schedule')).toEqual(['act_2 schedule']);
  expect((await get(`/v1/connections/${connectionId}/mailbox-actions?startedBy=me`)).status).toBe(400);
  expect(await jsonOf(await get('/v1/mailbox-actions/act_2'))).toMatchObject({
    startedBy: 'schedule',
    waitingFor: { cause: 'imports_first', message: expect.stringContaining('go first'), until: null },
  });
});

describe('many mailboxes', () => {
  it('202: starts a check of the mailboxes that a filter describes, and tells where to watch it', async () => {
    const response = await act({ action: 'check', where: { status: ['active'] } });
    expect(response.status).toBe(202);
    const body = await jsonOf<{ id: string }>(response);
    expect(body).toMatchObject({
      action: 'check',
      status: 'accepted',
      percent: 0,
      counts: { mailboxes: 2, pending: 2 },
    });
    expect(response.headers.get('location')).toBe(`/v1/mailbox-actions/${body.id}`);
    expect(await storedAddresses(body.id)).toEqual(['jane@tailspin.example', 'max@tailspin.example']);
    expect(api.deps.sent).toContainEqual({ v: 1, customerId, importId: body.id });
    const watched = await get(`/v1/mailbox-actions/${body.id}`);
    expect(watched.headers.get('retry-after')).toBe('2');
    expect(await jsonOf(watched)).toMatchObject({ id: body.id, connectionId, status: 'accepted' });
  });

  it('takes the actions of docs/mailboxes.md as they are: 202, or 409 where no mailbox matches', async () => {
    const [, block = ''] = /```json\n([\s\S]*?)```/.exec(readFileSync('docs/mailboxes.md', 'utf8')) ?? [];
    const bodies = block.replace('imp_…', 'imp_01k2m8qj4vabcdefghjkmnp').trim().split('\n');
    expect(bodies.length).toBeGreaterThan(2);
    for (const body of bodies) expect([202, 409], body).toContain((await act(JSON.parse(body))).status);
  });

  it('202: takes a list of addresses, each once', async () => {
    const addresses = ['Jane@tailspin.example', 'nobody@tailspin.example', 'jane@tailspin.example'];
    const { id } = await jsonOf<{ id: string }>(await act({ action: 'check', addresses }));
    expect(await storedAddresses(id)).toEqual(['jane@tailspin.example', 'nobody@tailspin.example']);
  });

  it('202: a repeated request starts one action', async () => {
    const headers = { 'idempotency-key': 'check-all-of-today' };
    const first = await jsonOf<{ id: string }>(await act({ action: 'check', where: {} }, headers));
    const second = await jsonOf<{ id: string }>(await act({ action: 'check', where: {} }, headers));
    expect(second.id).toBe(first.id);
    expect(await api.deps.imports.listOpen()).toHaveLength(1);
  });

  it('200: lists actions, and not among the imports', async () => {
    const { id } = await jsonOf<{ id: string }>(await act({ action: 'check', where: {} }));
    await api.deps.imports.insert(anImport({ id: 'imp_x', customerId, connectionId }));
    const actions = await jsonOf<{ items: { id: string }[] }>(
      await get(`/v1/connections/${connectionId}/mailbox-actions`),
    );
    const imports = await jsonOf<{ items: { id: string }[] }>(await get(`/v1/connections/${connectionId}/imports`));
    expect(actions.items.map((one) => one.id)).toEqual([id]);
    expect(imports.items.map((one) => one.id)).toEqual(['imp_x']);
    expect((await get(`/v1/imports/${id}`)).status).toBe(404);
  });

  it('200: pauses and cancels an action', async () => {
    const { id } = await jsonOf<{ id: string }>(await act({ action: 'check', where: {} }));
    expect((await api.request('POST', `/v1/mailbox-actions/${id}/pause`, { key })).status).toBe(409);
    const cancelled = await api.request('POST', `/v1/mailbox-actions/${id}/cancel`, { key });
    expect(await jsonOf(cancelled)).toMatchObject({ id, status: 'cancelling' });
  });

  it('200: tells its progress as an event, as GET shows it', async () => {
    const { id } = await jsonOf<{ id: string }>(await act({ action: 'pause', where: {} }));
    const body = await jsonOf(await get(`/v1/mailbox-actions/${id}`));
    expect(await eventsOf(await get(`/v1/mailbox-actions/${id}/events`))).toMatchObject([
      { event: 'progress', data: body },
    ]);
  });

  it('200: tells the end of an action that has ended, and 204 to a client that has seen it', async () => {
    const counts = { ...noCounts, rows: 4, accepted: 2, rejected: 2, passed: 2 };
    const ended = { action: 'pause', status: 'completed', counts, finishedAt: api.deps.time.now } as const;
    await api.deps.imports.insert(anImport({ id: 'act_ended', customerId, connectionId, ...ended }));
    const body = await jsonOf(await get('/v1/mailbox-actions/act_ended'));
    expect(body).toMatchObject({ percent: 100, counts: { mailboxes: 4, done: 2, skipped: 2 } });
    expect(await eventsOf(await get('/v1/mailbox-actions/act_ended/events'))).toEqual([
      { event: 'progress', id: expect.any(String), data: body },
      { event: 'done', id: 'end', data: body },
    ]);
    const headers = { 'last-event-id': 'end' };
    const again = await api.request('GET', '/v1/mailbox-actions/act_ended/events', { key, headers });
    expect(again.status).toBe(204);
  });

  it('200: names the mailboxes that are done, as its rows do', async () => {
    await api.deps.imports.insert(anImport({ id: 'act_1', action: 'pause', customerId, connectionId }));
    await api.deps.ledger.commit(connectionId, [
      { op: 'createPlan', plan: aPlan({ importId: 'act_1', rows: 2, accepted: 2, done: true }) },
    ]);
    const path = '/v1/mailbox-actions/act_1/events';
    const [first] = await eventsOf(await get(path));
    const jane = { line: 2, address: 'jane@tailspin.example', state: 'passed' } as const;
    await api.deps.ledger.commit(connectionId, api.deps.tallies.addDone('act_1', { passed: 1 }, [jane]).changes);
    const times = api.deps.eventTimes();
    // The next read of the log is due within two seconds.
    api.deps.eventTimes = () => ({ ...times, lastsMs: 2_500 });
    const headers = { 'last-event-id': first?.id ?? '' };
    const [event] = await eventsOf(await api.request('GET', path, { key, headers }));
    const mailboxes = [{ address: jane.address, state: 'done' }];
    expect(event).toEqual({ event: 'mailbox', id: expect.any(String), data: { mailboxes } });
  });

  it('409: nothing matches, and too few slots', async () => {
    expect(await jsonOf(await act({ action: 'check', where: { status: ['paused'] } }))).toMatchObject({
      code: 'nothing_selected',
    });
    await api.deps.slots.setLimit(customerId, 1);
    expect(
      await jsonOf(await act({ action: 'reconnect', where: { status: ['failed', 'disconnected'] } })),
    ).toMatchObject({
      code: 'slot_limit_reached',
      needed: 2,
      free: 1,
    });
    expect(await api.deps.imports.listOpen()).toEqual([]);
  });

  it('400: refuses a request with both a list and a filter, with neither, and with an address that is none', async () => {
    expect((await act({ action: 'check' })).status).toBe(400);
    expect((await act({ action: 'check', where: {}, addresses: ['jane@tailspin.example'] })).status).toBe(400);
    expect((await act({ action: 'check', addresses: ['jane'] })).status).toBe(400);
  });

  it('404: another customer sees no action', async () => {
    const { id } = await jsonOf<{ id: string }>(await act({ action: 'check', where: {} }));
    const { key: other } = await api.customer();
    for (const part of ['', '/rows', '/events']) {
      const path = `/v1/mailbox-actions/${id}${part}`;
      expect((await api.request('GET', path, { key: other })).status).toBe(404);
    }
  });
});

describe('one mailbox', () => {
  const verb = (address: string, name: string) =>
    api.request('POST', `/v1/connections/${connectionId}/mailboxes/${address}/${name}`, { key });

  it('202: is checked again by an action of its own, without an upload', async () => {
    const response = await verb('JANE@tailspin.example', 'check');
    expect(response.status).toBe(202);
    const { id } = await jsonOf<{ id: string }>(response);
    expect(response.headers.get('location')).toBe(`/v1/mailbox-actions/${id}`);
    expect((await api.deps.imports.get(customerId, id))?.value.target).toEqual({ address: 'jane@tailspin.example' });
    expect(await api.deps.uploads.read(customerId, id)).toBeUndefined();
    expect(api.deps.sent).toContainEqual({ v: 1, customerId, importId: id });
  });

  it('409: says why a mailbox cannot be checked or reconnected', async () => {
    expect(await jsonOf(await verb('max@tailspin.example', 'check'))).toMatchObject({
      code: 'wrong_state',
      detail: 'This mailbox is already being checked.',
    });
    expect(await jsonOf(await verb('lee@tailspin.example', 'check'))).toMatchObject({ code: 'wrong_state' });
    expect(await jsonOf(await verb('jane@tailspin.example', 'reconnect'))).toMatchObject({ code: 'wrong_state' });
    await api.deps.slots.setLimit(customerId, 0);
    expect(await jsonOf(await verb('lee@tailspin.example', 'reconnect'))).toMatchObject({ code: 'slot_limit_reached' });
  });

  it('404: for an address that the connection does not have', async () => {
    expect((await verb('nobody@tailspin.example', 'check')).status).toBe(404);
  });
});

describe('a mailbox that is looked after', () => {
  const path = (address: string) => `/v1/connections/${connectionId}/mailboxes/${address}`;
  const verb = (address: string, name: string, headers: Record<string, string> = {}) =>
    api.request('POST', `${path(address)}/${name}`, { key, headers });
  const read = async (address: string) => {
    const response = await get(path(address));
    return { etag: response.headers.get('etag') ?? '', body: await jsonOf<Record<string, unknown>>(response) };
  };
  const slotsUsed = async () => (await api.deps.slots.get(customerId))?.used;
  const audited = async (action: string) =>
    (await jsonOf<{ items: object[] }>(await get(`/v1/audit?action=${action}`))).items;

  beforeEach(async () => {
    await api.deps.slots.claim(customerId, 'imp_1', 2);
  });

  it('200: PATCH changes what is sent, null clears, and nothing else changes', async () => {
    const patch = (body: object) => api.request('PATCH', path('jane@tailspin.example'), { key, body });
    expect(await jsonOf(await patch({ displayName: ' Jane ', dailyLimit: 50 }))).toMatchObject({
      displayName: 'Jane',
      dailyLimit: 50,
      status: 'active',
    });
    const cleared = await jsonOf<object>(await patch({ dailyLimit: null }));
    expect(cleared).toMatchObject({ displayName: 'Jane' });
    expect(cleared).not.toHaveProperty('dailyLimit');
    expect((await patch({ dailyLimit: 0 })).status).toBe(400);
    expect((await patch({ status: 'failed' })).status).toBe(400);
    expect(await audited('mailboxes.update')).toHaveLength(2);
  });

  it('412: every change honours If-Match, and an answer carries the tag of the next one', async () => {
    const address = 'jane@tailspin.example';
    const { etag } = await read(address);
    const changed = await api.request('PATCH', path(address), {
      key,
      body: { dailyLimit: 9 },
      headers: { 'if-match': etag },
    });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).toBe((await read(address)).etag);
    const stale = { 'if-match': etag };
    for (const name of ['check', 'pause', 'resume', 'disconnect']) {
      expect((await verb(address, name, stale)).status, name).toBe(412);
    }
    expect((await api.request('DELETE', path(address), { key, headers: stale })).status).toBe(412);
    expect((await api.request('PATCH', path(address), { key, body: {}, headers: stale })).status).toBe(412);
    expect((await read(address)).body).toMatchObject({ status: 'active', dailyLimit: 9 });
    expect(await slotsUsed()).toBe(2);
  });

  it('200: pauses and resumes, as often as it is asked', async () => {
    const address = 'jane@tailspin.example';
    for (const name of ['pause', 'pause'])
      expect(await jsonOf(await verb(address, name))).toMatchObject({ status: 'paused' });
    const paused = await jsonOf<{ items: { address: string }[] }>(
      await get(`/v1/connections/${connectionId}/mailboxes?status=paused`),
    );
    expect(paused.items.map((one) => one.address)).toEqual([address]);
    for (const name of ['resume', 'resume'])
      expect(await jsonOf(await verb(address, name))).toMatchObject({ status: 'active' });
    expect(await slotsUsed()).toBe(2);
    expect((await verb('kim@tailspin.example', 'pause')).status).toBe(409);
    expect(await audited('mailboxes.pause')).toHaveLength(3);
  });

  it('200: disconnects, gives the slot back once, and leaves one audit record', async () => {
    const address = 'jane@tailspin.example';
    for (const _again of [1, 2]) {
      const response = await verb(address, 'disconnect');
      expect(response.status).toBe(200);
      expect(await jsonOf(response)).toMatchObject({ address, status: 'disconnected', nextCheckAt: null });
      expect(await slotsUsed()).toBe(1);
    }
    expect(await audited('mailboxes.disconnect')).toHaveLength(2);
    expect(await api.deps.imports.listOpen()).toEqual([]);
  });

  it('200: disconnects a mailbox that waits for its check: the row counts as cancelled', async () => {
    await api.deps.imports.insert(anImport({ id: 'imp_1', customerId, connectionId, status: 'running' }));
    const row = aRow({
      importId: 'imp_1',
      line: 9,
      address: 'max@tailspin.example',
      state: 'waiting',
      takesSlot: true,
    });
    await api.deps.ledger.commit(connectionId, [{ op: 'createRow', row }]);
    expect((await verb('max@tailspin.example', 'disconnect')).status).toBe(200);
    expect((await api.deps.ledger.getRow(connectionId, 'imp_1', 9))?.value).toMatchObject({
      state: 'cancelled',
      message: expect.stringContaining('disconnected'),
    });
    expect(sumTallies(await api.deps.ledger.listTallies(connectionId, 'imp_1'))).toMatchObject({
      cancelled: 1,
      waiting: -1,
      slotsFreed: 1,
    });
    expect((await api.deps.imports.get(customerId, 'imp_1'))?.value.rowsCancelledAt).toBeDefined();
  });

  it('204: removes a mailbox, and then it is not there', async () => {
    const remove = () => api.request('DELETE', path('jane@tailspin.example'), { key });
    expect((await remove()).status).toBe(204);
    expect(await slotsUsed()).toBe(1);
    expect((await get(path('jane@tailspin.example'))).status).toBe(404);
    expect((await remove()).status).toBe(404);
    expect(await api.deps.ledger.getMailbox(connectionId, 'jane@tailspin.example')).toBeUndefined();
    expect(await audited('mailboxes.remove')).toHaveLength(2);
  });

  it('200: tells why a mailbox waits and until when, in the list as well', async () => {
    const until = new Date(api.deps.clock.now().getTime() + 60_000);
    const waitingFor = { cause: 'throttled', until } as const;
    await api.deps.imports.insert(anImport({ id: 'imp_1', customerId, connectionId, status: 'running', waitingFor }));
    const mailbox = aMailbox({
      address: 'ole@tailspin.example',
      status: 'waiting',
      openRow: 'imp_1:7',
      waitCause: 'throttled',
      nextCheckAt: new Date(until.getTime() - 50_000),
    });
    await api.deps.ledger.commit(connectionId, [{ op: 'createMailbox', mailbox }]);
    const expected = { reason: 'throttled', message: expect.stringContaining('limits'), until: until.toISOString() };
    expect((await read('ole@tailspin.example')).body.waitingFor).toEqual(expected);
    const list = await jsonOf<{ items: { waitingFor: object }[] }>(
      await get(`/v1/connections/${connectionId}/mailboxes?status=waiting`),
    );
    expect(list.items.map((one) => one.waitingFor)).toEqual([expected]);
    expect((await read('kim@tailspin.example')).body.waitingFor).toBeNull();
  });
});
