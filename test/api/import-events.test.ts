import { beforeEach, expect, it } from 'vitest';
import { createApi } from '../support/api.ts';
import { eventsOf } from '../support/events-of.ts';
import { anImport, aPlan, aTally } from '../support/records.ts';

let api: ReturnType<typeof createApi>;
let key: string;
let customerId: string;
const counts = { rows: 2, accepted: 2, rejected: 0, duplicates: 0, pending: 0, waiting: 0 };
const final = { ...counts, passed: 1, failed: 1, inconclusive: 0, cancelled: 0 };

beforeEach(async () => {
  api = createApi();
  ({ id: customerId, key } = await api.customer());
  const ended = { status: 'completed', counts: final, finishedAt: api.deps.time.now } as const;
  await api.deps.imports.insert(anImport({ id: 'imp_ended', customerId, ...ended }));
  await api.deps.imports.insert(anImport({ id: 'imp_running', customerId }));
  await api.deps.ledger.commit('conn_1', [
    { op: 'createPlan', plan: aPlan({ importId: 'imp_running', rows: 4, accepted: 4, done: true }) },
    { op: 'writeTally', tally: aTally({ importId: 'imp_running', counts: { passed: 1 } }) },
  ]);
});

const watch = (importId: string, headers: Record<string, string> = {}, by = key) =>
  api.request('GET', `/v1/imports/${importId}/events`, { key: by, headers });

it('200: tells the last progress and the end of an import that has ended, as GET shows it', async () => {
  const response = await watch('imp_ended');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('x-accel-buffering')).toBe('no');
  expect(response.headers.get('etag')).toBeNull();
  const body = await (await api.request('GET', '/v1/imports/imp_ended', { key })).json();
  expect(await eventsOf(response)).toEqual([
    { event: 'progress', id: expect.any(String), data: body },
    { event: 'done', id: 'end', data: body },
  ]);
});

it('200: tells the progress of a running import immediately, for a viewer as well', async () => {
  const viewer = await api.keyFor(customerId, 'viewer');
  const body = await (await api.request('GET', '/v1/imports/imp_running', { key })).json();
  const [progress, ...rest] = await eventsOf(await watch('imp_running', {}, viewer));
  expect(progress).toMatchObject({ event: 'progress', data: body });
  expect(rest).toEqual([]);
});

it('200: goes on after the event that the client has seen, and begins anew after anything else', async () => {
  const [first] = await eventsOf(await watch('imp_running'));
  const mailboxes = [
    { line: 2, address: 'jane@contoso.example', state: 'failed', cause: 'mailbox_not_found' },
  ] as const;
  const entry = api.deps.tallies.add('imp_running', { failed: 1 }, mailboxes);
  await api.deps.ledger.commit('conn_1', entry.changes);
  // The next read of the log is due within two seconds.
  const times = api.deps.eventTimes();
  api.deps.eventTimes = () => ({ ...times, lastsMs: 2_500 });
  const later = await eventsOf(await watch('imp_running', { 'last-event-id': first?.id ?? '' }));
  expect(later).toMatchObject([
    { event: 'mailbox', data: { mailboxes } },
    { event: 'progress', data: { percent: 50, counts: { passed: 1, failed: 1, pending: 2 } } },
  ]);
  api.deps.eventTimes = () => times;
  for (const unknown of ['nonsense', 'end', '1.x', 'x'.repeat(5_000)]) {
    expect(await eventsOf(await watch('imp_running', { 'last-event-id': unknown }))).toMatchObject([
      { event: 'progress', data: { percent: 50 } },
    ]);
  }
});

it('204: tells a client that has seen the end not to come back', async () => {
  expect((await watch('imp_ended', { 'last-event-id': 'end' })).status).toBe(204);
});

it('404: an import of another customer is not there', async () => {
  const other = await api.customer();
  expect((await watch('imp_running', {}, other.key)).status).toBe(404);
  expect((await watch('imp_absent')).status).toBe(404);
});

it('429: refuses one stream too many, and other requests go on while all streams are open', async () => {
  const streams = Array.from({ length: 17 }, () => watch('imp_running'));
  const startedAt = performance.now();
  expect((await api.request('GET', '/v1/me', { key })).status).toBe(200);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  const answers = await Promise.all(streams);
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(1);
  expect(await refused[0]?.json()).toMatchObject({
    code: 'rate_limited',
    detail: expect.stringContaining('event streams'),
  });
  expect(refused[0]?.headers.get('retry-after')).toBe('5');
  expect((await watch('imp_running')).status).toBe(200);
});

it('200: ends the stream of a key that was revoked, once its cache is over', async () => {
  const times = api.deps.eventTimes();
  api.deps.eventTimes = () => ({ ...times, heartbeatMs: 10_000, lastsMs: 10_000 });
  const viewer = await api.keyFor(customerId, 'viewer');
  const response = await watch('imp_running', {}, viewer);
  const listed = await api.request('GET', `/v1/customers/${customerId}/api-keys`, { key });
  const { items } = (await listed.json()) as { items: { id: string; role: string }[] };
  const id = items.find(({ role }) => role === 'viewer')?.id;
  await api.request('DELETE', `/v1/customers/${customerId}/api-keys/${id}`, { key });
  const startedAt = performance.now();
  await response.text();
  expect(performance.now() - startedAt).toBeLessThan(20_000);
  expect((await watch('imp_running', {}, viewer)).status).toBe(401);
});
