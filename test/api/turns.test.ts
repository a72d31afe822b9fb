import { setImmediate as tick } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createTurns } from '../../shared/edge/admission/turns.ts';
import { createApi } from '../support/api.ts';

/** The API with a short line for each customer. Reads of customers wait until the test lets them go on. */
function createBusyApi() {
  const api = createApi();
  Object.assign(api.deps.turns, createTurns({ requestsAtOnce: 1, requestsWaiting: 1 }));
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const list = api.deps.connections.list;
  api.deps.connections.list = async (...args) => {
    await gate;
    return await list(...args);
  };
  const get = (key: string, path = '/v1/connections') => api.request('GET', path, { key });
  return { api, get, open };
}

it('429: one request more than a customer may have waiting; it is told so, and the others are served', async () => {
  const { api, get, open } = createBusyApi();
  const acme = await api.customer();
  const first = get(acme.key);
  const second = get(await api.keyFor(acme.id, 'viewer'));
  for (let i = 0; i < 20; i++) await tick();
  const refused = await get(acme.key);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
  expect(await refused.json()).toMatchObject({ code: 'rate_limited', detail: expect.stringContaining('are waiting') });
  open();
  expect([(await first).status, (await second).status]).toEqual([200, 200]);
  expect((await get(acme.key)).status).toBe(200);
});

it('200: another customer is served while one customer’s requests wait', async () => {
  const { api, get, open } = createBusyApi();
  const acme = await api.customer();
  const globex = await api.customer();
  const waiting = [get(acme.key), get(acme.key)];
  for (let i = 0; i < 20; i++) await tick();
  expect((await get(globex.key, '/v1/me')).status).toBe(200);
  open();
  await Promise.all(waiting);
});

it('a connection test is served while the customer’s other requests wait', async () => {
  const { api, get, open } = createBusyApi();
  const acme = await api.customer();
  const waiting = [get(acme.key), get(acme.key)];
  for (let i = 0; i < 20; i++) await tick();
  expect((await api.request('POST', '/v1/connections/conn_1/test', { key: acme.key })).status).toBe(404);
  open();
  await Promise.all(waiting);
});
