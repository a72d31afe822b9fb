import { beforeEach, expect, it } from 'vitest';
import { timerNames } from '../../shared/health/timers.ts';
import { newPlanRecord } from '../../shared/imports/ledger/plan-record.ts';
import { queues } from '../../shared/kernel/storage-names.ts';
import { archivePoison } from '../../shared/operations/archive-poison.ts';
import { watch } from '../../shared/operations/watch.ts';
import { failDelivery } from '../../shared/webhooks/deliver-event.ts';
import { createApi, NOW, OPERATOR_KEY } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';
import { storePlannedImport } from '../support/planned-import.ts';
import { aCheckMessage, aConnection, anImport } from '../support/records.ts';
import { aDelivery, aWebhook } from '../support/webhook-records.ts';

let api: ReturnType<typeof createApi>;
beforeEach(() => {
  api = createApi();
});

interface Answer {
  items: { name: string; id: string }[];
  nextCursor: string;
  code: string;
}

async function call(method: string, path: string, key = OPERATOR_KEY) {
  const response = await api.request(method, `/v1/operations/${path}`, { key });
  return { status: response.status, body: await jsonOf<Answer>(response) };
}

const pass = (ms: number) => {
  api.deps.time.now = new Date(api.deps.time.now.getTime() + ms);
};
const put = (queue: string, key: string, message: unknown, more: object = {}) =>
  archivePoison({ ...api.deps, isOwnerGone: async () => false }, { queue, key, message, poisonedAt: NOW, ...more });

it('200: lists every queue with depth, poison messages and the age of the oldest message', async () => {
  api.deps.lookAtQueue = async (queue: string) =>
    queue === 'check-mailbox' ? { depth: 3, oldestSince: new Date(NOW.getTime() - 5_000) } : { depth: 0 };
  await put('check-mailbox', 'imp_1:2', {});
  const { status, body } = await call('GET', 'queues');
  expect(status).toBe(200);
  expect(body.items.map(({ name }) => name).sort()).toEqual(Object.values(queues).sort());
  expect(body.items).toContainEqual({ name: 'check-mailbox', depth: 3, poisonDepth: 1, oldestAgeSeconds: 5 });
  expect(body.items).toContainEqual({ name: 'plan-import', depth: 0, poisonDepth: 0, oldestAgeSeconds: null });
});

it('200: lists poison messages with cause, error, import and message, in pages', async () => {
  const message = JSON.parse(JSON.stringify(aCheckMessage({ line: 2 })));
  await put('check-mailbox', 'imp_1:2', message, { error: 'TypeError: x\n    at check-row.ts' });
  await put('check-mailbox', 'imp_1:3', { ...message, line: 3 });
  await put('check-mailbox', 'zz', 'no object', { isMalformed: true });
  const first = await call('GET', 'queues/check-mailbox/poison?limit=2');
  expect(first.body.items).toEqual([
    {
      id: 'imp_1:2',
      cause: 'failed',
      error: 'TypeError: x\n    at check-row.ts',
      importId: 'imp_1',
      customerId: 'cust_1',
      connectionId: 'conn_1',
      state: 'open',
      archivedAt: NOW.toISOString(),
      message,
    },
    expect.objectContaining({ id: 'imp_1:3', cause: 'process_ended', error: null }),
  ]);
  const next = await call('GET', `queues/check-mailbox/poison?limit=2&cursor=${first.body.nextCursor}`);
  expect(next.body.items).toMatchObject([{ cause: 'message_malformed', importId: null, message: 'no object' }]);
});

it('200: a requeued check opens its row again, and a second request does nothing', async () => {
  await api.deps.connections.insert(aConnection());
  const defect = { 'graph.send': { verdict: 'failed', cause: 'internal_error', checkedAt: NOW } } as const;
  await storePlannedImport(api.deps, [{ rows: 1, state: 'failed', checks: defect }]);
  await put('check-mailbox', 'imp_1:2', JSON.parse(JSON.stringify(aCheckMessage({ line: 2 }))));
  const path = 'queues/check-mailbox/poison/imp_1:2/requeue';
  expect(await call('POST', path)).toEqual({ status: 200, body: { result: 'requeued' } });
  expect((await api.deps.ledger.getRow('conn_1', 'imp_1', 2))?.value).toMatchObject({ state: 'waiting', attempt: 1 });
  expect(await call('POST', path)).toEqual({ status: 200, body: { result: 'nothingToDo' } });
  expect((await call('GET', 'queues/check-mailbox/poison')).body.items).toEqual([]);
});

it('409: a requeued check whose customer has no free slot', async () => {
  await api.deps.connections.insert(aConnection());
  const defect = { 'graph.send': { verdict: 'failed', cause: 'internal_error', checkedAt: NOW } } as const;
  await storePlannedImport(api.deps, [{ rows: 1, state: 'failed', checks: defect }]);
  await api.deps.slots.trim('cust_1', 'imp_1', 1);
  await api.deps.slots.setLimit('cust_1', 0);
  await put('check-mailbox', 'imp_1:2', JSON.parse(JSON.stringify(aCheckMessage({ line: 2 }))));
  const { status, body } = await call('POST', 'queues/check-mailbox/poison/imp_1:2/requeue');
  expect([status, body.code]).toEqual([409, 'slot_limit_reached']);
  expect((await call('GET', 'queues/check-mailbox/poison')).body.items).toHaveLength(1);
});

it('200: discards one or all, which then can no longer be requeued', async () => {
  for (const key of ['a', 'b', 'c']) await put('publish-events', key, { v: 1 });
  const path = 'queues/publish-events/poison';
  expect((await call('POST', `${path}/a/discard`)).body).toEqual({ result: 'discarded' });
  expect((await call('POST', `${path}/a/discard`)).body).toEqual({ result: 'nothingToDo' });
  expect((await call('POST', `${path}/a/requeue`)).body).toEqual({ result: 'nothingToDo' });
  expect((await call('POST', `${path}/discard`)).body).toEqual({ discarded: 2, nothingToDo: 0, hasMore: false });
  expect((await call('POST', `${path}/requeue`)).body).toMatchObject({ requeued: 0, nothingToDo: 0 });
  expect(api.deps.sent).toEqual([]);
});

it('200: decides about 500 messages at most, and says that there are more', async () => {
  for (let i = 0; i < 501; i++) await put('publish-events', `k${i}`, { v: 1, i });
  const first = await call('POST', 'queues/publish-events/poison/requeue');
  const nextCursor = expect.any(String);
  expect(first.body).toEqual({ requeued: 500, nothingToDo: 0, noSlot: 0, hasMore: true, nextCursor });
  const second = await call('POST', `queues/publish-events/poison/requeue?cursor=${first.body.nextCursor}`);
  expect(second.body).toEqual({ requeued: 1, nothingToDo: 0, noSlot: 0, hasMore: false });
  expect(new Set(api.deps.sent.map((message) => (message as { i: number }).i)).size).toBe(501);
});

it('200: sends a message of planning or dispatching only while there is something to do', async () => {
  const of = { v: 1, customerId: 'cust_1' };
  await api.deps.imports.insert(anImport({ id: 'imp_1', status: 'planning' }));
  await api.deps.imports.insert(anImport({ id: 'imp_2', status: 'completed' }));
  for (const importId of ['imp_1', 'imp_2', 'imp_gone']) {
    await put('plan-import', importId, { ...of, importId });
    await put('dispatch-checks', importId, { ...of, importId });
  }
  expect((await call('POST', 'queues/plan-import/poison/requeue')).body).toMatchObject({ requeued: 1, nothingToDo: 2 });
  expect((await call('POST', 'queues/dispatch-checks/poison/requeue')).body).toMatchObject({ requeued: 1 });
  expect(api.deps.sent).toEqual([1, 2].map(() => ({ ...of, importId: 'imp_1' })));
});

it('200: a requeued delivery begins a new round of attempts, once', async () => {
  await api.deps.webhooks.insert(aWebhook(), 5);
  const { customerId, webhookId, id: deliveryId } = aDelivery();
  await api.deps.deliveries.insert(aDelivery());
  const message = { v: 1 as const, customerId, webhookId, deliveryId };
  await failDelivery(api.deps, message);
  pass(60_000);
  await put('deliver-event', 'k', message, { poisonedAt: api.deps.time.now });
  pass(60_000);
  expect((await call('POST', 'queues/deliver-event/poison/k/requeue')).body).toEqual({ result: 'requeued' });
  expect((await api.deps.deliveries.get({ customerId, webhookId, id: deliveryId }))?.value.status).toBe('pending');
  expect((await call('POST', 'queues/deliver-event/poison/k/requeue')).body).toEqual({ result: 'nothingToDo' });
  expect(api.deps.sent).toEqual([message]);
});

it('404: a queue or a message that does not exist, whatever its name is', async () => {
  await put('check-mailbox', 'imp_1:2', {});
  for (const path of ['queues/other/poison/requeue', 'queues/check-mailbox-poison/poison/discard']) {
    expect((await call('POST', path)).status).toBe(404);
  }
  for (const id of ['imp_1:3', 'x'.repeat(3_000), '%00', '..%2F..']) {
    expect((await call('POST', `queues/check-mailbox/poison/${id}/requeue`)).status, id).toBe(404);
  }
});

it('200: lists the imports that make no progress, and no others', async () => {
  for (const [id, status] of [
    ['imp_a', 'running'],
    ['imp_b', 'running'],
    ['imp_c', 'paused'],
    ['imp_d', 'planning'],
  ] as const) {
    const record = anImport({ id, status });
    await api.deps.imports.insert(record);
    const { customerId, connectionId } = record;
    await api.deps.imports.openPointer({ customerId, connectionId, importId: id, openedAt: NOW });
  }
  await watch(api.deps, () => undefined);
  expect((await call('GET', 'imports')).body.items).toEqual([]);
  pass(16 * 60_000);
  await api.deps.ledger.commit('conn_1', [{ op: 'createPlan', plan: { ...newPlanRecord('imp_d', NOW), line: 5 } }]);
  const first = await call('GET', 'imports?limit=1');
  expect(first.body.items).toEqual([
    {
      id: 'imp_a',
      customerId: 'cust_1',
      connectionId: 'conn_1',
      status: 'running',
      silentSince: NOW.toISOString(),
      createdAt: expect.any(String),
    },
  ]);
  const next = await call('GET', `imports?cursor=${first.body.nextCursor}`);
  expect(next.body.items.map(({ id }) => id)).toEqual(['imp_b']);
});

it('200: lists the heartbeats of all timers, and which of them are late', async () => {
  await api.deps.heartbeats.beat({ timer: 'sweep-imports', ranAt: NOW, dueAt: new Date(NOW.getTime() + 60_000) });
  pass(17 * 60_000);
  const { items } = (await call('GET', 'heartbeats')).body;
  expect(items).toHaveLength(timerNames.length);
  expect(items).toContainEqual({
    timer: 'sweep-imports',
    lastRanAt: NOW.toISOString(),
    dueAt: new Date(NOW.getTime() + 60_000).toISOString(),
    isLate: true,
  });
});

it('200: a timer that never ran is late once it should have run, also when processes live shortly', async () => {
  const lateTimers = async () => {
    const response = await api.request('GET', '/v1/operations/heartbeats', { key: OPERATOR_KEY });
    const { items } = await jsonOf<{ items: { timer: string; lastRanAt: string | null; isLate: boolean }[] }>(response);
    return items.filter(({ lastRanAt, isLate }) => lastRanAt === null && isLate).map(({ timer }) => timer);
  };
  await watch(api.deps, () => undefined);
  pass(16 * 60_000);
  expect(await lateTimers()).toEqual([]);
  pass(60_000);
  expect(await lateTimers()).toEqual([
    'sweep-imports',
    'sweep-deletions',
    'sweep-events',
    'sweep-directories',
    'watch-queues',
  ]);
  pass(24 * 3_600_000);
  api.deps.startedAt = api.deps.time.now;
  expect(await lateTimers()).toContain('tidy-up');
});

it('403: not for a customer, whatever its role', async () => {
  const { key } = await api.customer();
  for (const path of ['queues', 'imports', 'heartbeats', 'queues/check-mailbox/poison']) {
    expect((await call('GET', path, key)).status).toBe(403);
  }
});
