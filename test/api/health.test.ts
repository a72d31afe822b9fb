import { expect, it } from 'vitest';
import { createApi, OPERATOR_KEY } from '../support/api.ts';

const ready = (api: ReturnType<typeof createApi>, key?: string) =>
  api.request('GET', '/v1/health/ready', { ...(key !== undefined && { key }) });

it('200: says that the app is alive, without a key', async () => {
  const response = await createApi().request('GET', '/v1/health');
  expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
});

it('200: tells everyone whether the app is ready, and only an operator the status of each part', async () => {
  const api = createApi();
  await api.deps.heartbeats.beat({ timer: 'sweep', ranAt: new Date('2026-05-31T23:59:00Z') });
  const acme = await api.customer();
  for (const key of [undefined, 'nonsense', acme.key])
    expect(await (await ready(api, key)).json()).toEqual({ status: 'ok' });
  expect(await (await ready(api, OPERATOR_KEY)).json()).toEqual({
    status: 'ok',
    parts: {
      storage: { status: 'ok' },
      vault: { status: 'ok' },
      scheduler: { status: 'ok', lastRanAt: '2026-05-31T23:59:00.000Z' },
    },
  });
});

it('503: answers with Retry-After if a part is unavailable', async () => {
  const api = createApi();
  api.deps.unavailable.vault = true;
  const response = await ready(api, OPERATOR_KEY);
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await response.json()).toMatchObject({ status: 'unavailable', parts: { vault: { status: 'unavailable' } } });
  expect(await (await ready(api)).json()).toEqual({ status: 'unavailable' });
});

it('503: reports the scheduler as unavailable if no timer has run for 15 minutes', async () => {
  const api = createApi();
  await api.deps.heartbeats.beat({ timer: 'sweep', ranAt: new Date('2026-05-31T00:00:00Z') });
  expect((await ready(api)).status).toBe(200);
  api.deps.time.now = new Date('2026-06-01T00:16:00Z');
  expect(await (await ready(api, OPERATOR_KEY)).json()).toMatchObject({
    parts: { scheduler: { status: 'unavailable' } },
  });
  await api.deps.heartbeats.beat({ timer: 'sweep', ranAt: new Date('2026-06-01T00:16:00Z') });
  api.deps.time.now = new Date('2026-06-01T00:16:06Z');
  expect((await ready(api)).status).toBe(200);
});

it('200: asks each part once for a burst of callers', async () => {
  const api = createApi();
  let asked = 0;
  api.deps.heartbeats.list = async () => {
    asked++;
    return [];
  };
  await Promise.all(Array.from({ length: 20 }, () => ready(api)));
  expect(asked).toBe(1);
});
