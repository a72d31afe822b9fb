import { Webhook } from 'standardwebhooks';
import { beforeEach, describe, expect, it } from 'vitest';
import { deliverEvent } from '../../shared/webhooks/deliver-event.ts';
import type { DeliveryMessage } from '../../shared/webhooks/event-queues.ts';
import { purgeWebhooks } from '../../shared/webhooks/remove-webhook.ts';
import { absentId, createApi } from '../support/api.ts';
import type { RequestOptions } from '../support/function-caller.ts';

let api: ReturnType<typeof createApi>;
let acme: { id: string; key: string };
beforeEach(async () => {
  api = createApi();
  acme = await api.customer();
});

interface Shown {
  id: string;
  secret?: string;
  status: string;
}
interface Answer {
  id: string;
  code: string;
  secret?: string;
  errors: { path: string; message: string }[];
  items: Shown[];
  status: string;
}

async function call(method: string, path: string, options: RequestOptions = {}) {
  const response = await api.request(method, path, { key: acme.key, ...options });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: JSON.parse(text || '{}') as Answer };
}

const input = { url: 'https://hooks.contoso.example/muster', events: ['import.completed', 'import.paused'] };
const create = async (more: object = {}) => (await call('POST', '/v1/webhooks', { body: { ...input, ...more } })).body;

async function deliverAll(): Promise<void> {
  for (const message of api.deps.sent.splice(0)) {
    await deliverEvent(api.deps, message as DeliveryMessage, () => undefined);
  }
}

describe('POST /v1/webhooks', () => {
  it('201: shows the secret once, and never again', async () => {
    const { status, headers, body } = await call('POST', '/v1/webhooks', { body: { ...input, description: 'Ours' } });
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/v1/webhooks/${body.id}`);
    expect(body).toMatchObject({ ...input, description: 'Ours', status: 'enabled', disabledReason: null });
    expect(body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(() => new Webhook(body.secret ?? '')).not.toThrow();
    const { secret, ...rest } = body;
    expect((await call('GET', `/v1/webhooks/${body.id}`)).body).toEqual(rest);
    expect((await call('GET', '/v1/webhooks')).body.items).toEqual([rest]);
    expect(JSON.stringify(await api.deps.webhooks.all(acme.id))).not.toContain(secret);
  });

  it('201: a repeated request makes one webhook, and its replay has no secret', async () => {
    const options = { body: input, headers: { 'idempotency-key': 'one' } };
    const first = await call('POST', '/v1/webhooks', options);
    const second = await call('POST', '/v1/webhooks', options);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    const { secret: _once, ...rest } = first.body;
    expect(second.body).toEqual(rest);
    expect((await call('GET', '/v1/webhooks')).body.items).toHaveLength(1);
  });

  it('400: names every wrong field', async () => {
    const body = { url: 'http://user@hooks.test/#x', events: ['import.completed', 'import.completed'], more: 1 };
    const { status, body: problem } = await call('POST', '/v1/webhooks', { body });
    expect(status).toBe(400);
    expect(problem.errors.map(({ path }) => path).sort()).toEqual(['events', 'more', 'url']);
    for (const url of ['hooks', 'ftp://hooks.test/', 'http://hooks.test/', `https://h.test/${'x'.repeat(2000)}`]) {
      expect((await call('POST', '/v1/webhooks', { body: { ...input, url } })).body.errors, url).toMatchObject([
        { path: 'url' },
      ]);
    }
    expect(api.deps.signingSecrets.owners()).toEqual([]);
  });

  it('409: refuses one more than the quota, and leaves no secret behind', async () => {
    api.deps.quotas.webhooksMax = 2;
    await create();
    const { id } = await create();
    const { status, body } = await call('POST', '/v1/webhooks', { body: input });
    expect([status, body]).toMatchObject([409, { code: 'quota_reached', limit: 2 }]);
    expect(api.deps.signingSecrets.owners()).toHaveLength(2);
    expect((await call('DELETE', `/v1/webhooks/${id}`)).status).toBe(204);
    expect((await call('POST', '/v1/webhooks', { body: input })).status).toBe(201);
  });

  it('404: leaves neither a webhook nor a secret behind when its customer is deleted at the same time', async () => {
    const { insert } = api.deps.webhooks;
    api.deps.webhooks.insert = async (...args) => {
      await insert(...args);
      api.deps.customers.exists = async () => false;
    };
    expect((await call('POST', '/v1/webhooks', { body: input })).status).toBe(404);
    expect(api.deps.signingSecrets.owners()).toEqual([]);
    expect(await api.deps.webhooks.all(acme.id)).toEqual([]);
  });
});

describe('a webhook', () => {
  it('404: is hidden from another customer', async () => {
    const { id } = await create();
    const globex = await api.customer({ name: 'Globex' });
    for (const [method, path] of [
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/rotate'],
      ['POST', '/ping'],
      ['GET', '/deliveries'],
      ['GET', `/deliveries/${absentId('evt')}`],
      ['POST', `/deliveries/${absentId('evt')}/redeliver`],
    ] as const) {
      const options = { key: globex.key, ...(method === 'PATCH' || path === '/rotate' ? { body: {} } : {}) };
      expect((await call(method, `/v1/webhooks/${id}${path}`, options)).status, `${method} ${path}`).toBe(404);
    }
    expect((await call('GET', '/v1/webhooks', { key: globex.key })).body.items).toEqual([]);
  });

  it('200: can be changed, disabled and enabled', async () => {
    const { id } = await create();
    const patch = async (body: object) => (await call('PATCH', `/v1/webhooks/${id}`, { body })).body;
    expect(await patch({ events: ['mailbox.failed'] })).toMatchObject({ events: ['mailbox.failed'], url: input.url });
    expect(await patch({ enabled: false })).toMatchObject({ status: 'disabled', disabledReason: 'byCustomer' });
    const ping = await call('POST', `/v1/webhooks/${id}/ping`);
    expect([ping.status, ping.body.code]).toEqual([409, 'wrong_state']);
    expect(await patch({ enabled: true })).toMatchObject({ status: 'enabled', disabledReason: null, disabledAt: null });
    const headers = { 'if-match': '"other"' };
    expect((await call('PATCH', `/v1/webhooks/${id}`, { body: {}, headers })).status).toBe(412);
  });

  it('200: its secret is rotated with overlap. Rotating again after a lost answer keeps the one that the receiver has', async () => {
    const { id, secret: first } = await create();
    const rotate = async (overlapSeconds: number) =>
      (await call('POST', `/v1/webhooks/${id}/rotate`, { body: { overlapSeconds } })).body;
    const signing = async () => {
      await call('POST', `/v1/webhooks/${id}/ping`);
      await deliverAll();
      return api.deps.webhookSender.received.at(-1)?.secrets.map((secret) => secret.reveal());
    };
    const second = await rotate(60);
    expect(second).toMatchObject({ previousSecretEndsAt: '2026-06-01T00:01:00.000Z' });
    const third = await rotate(3600);
    expect(await signing()).toEqual([third.secret, first, second.secret]);
    api.deps.time.now = new Date(api.deps.time.now.getTime() + 60_000);
    expect(await signing()).toEqual([third.secret, second.secret]);
    const fourth = await rotate(0);
    expect(fourth).toMatchObject({ previousSecretEndsAt: null });
    expect(await signing()).toEqual([fourth.secret]);
  });

  it('204: goes with its secret and its deliveries, also with its customer', async () => {
    const { id } = await create();
    await call('POST', `/v1/webhooks/${id}/ping`);
    expect((await call('DELETE', `/v1/webhooks/${id}`)).status).toBe(204);
    expect((await call('DELETE', `/v1/webhooks/${id}`)).status).toBe(404);
    expect(api.deps.deliveries.everything()).toEqual([]);
    const other = await create();
    await call('POST', `/v1/webhooks/${other.id}/ping`);
    await purgeWebhooks(api.deps, acme.id);
    expect(api.deps.signingSecrets.owners()).toEqual([]);
    expect(api.deps.deliveries.everything()).toEqual([]);
    expect(await api.deps.webhooks.all(acme.id)).toEqual([]);
  });
});

describe('deliveries', () => {
  it('202: a ping is delivered and logged', async () => {
    const { id } = await create();
    const { status, headers, body } = await call('POST', `/v1/webhooks/${id}/ping`);
    expect([status, headers.get('location')]).toEqual([202, `/v1/webhooks/${id}/deliveries/${body.id}`]);
    expect(body).toMatchObject({ type: 'webhook.ping', status: 'pending', attempts: [] });
    await deliverAll();
    expect(api.deps.webhookSender.received).toMatchObject([{ id: body.id, url: input.url }]);
    const shown = (await call('GET', headers.get('location') ?? '')).body;
    expect(shown).toMatchObject({ status: 'succeeded', attemptCount: 1, attempts: [{ httpStatus: 200 }] });
    expect((await call('GET', `/v1/webhooks/${id}/deliveries`)).body.items).toEqual([shown]);
    expect((await call('GET', `/v1/webhooks/${id}/deliveries?status=failed`)).body.items).toEqual([]);
    expect((await call('GET', `/v1/webhooks/${id}/deliveries?status=lost`)).status).toBe(400);
  });

  it('202: a failed delivery is delivered again with the same ID and body', async () => {
    const { id } = await create();
    const { body } = await call('POST', `/v1/webhooks/${id}/ping`);
    api.deps.webhookSender.answer = { result: 'refused', httpStatus: 500, detail: 'No.' };
    for (const wait of [0, 10_000, 100_000]) {
      api.deps.time.now = new Date(api.deps.time.now.getTime() + wait);
      await deliverAll();
    }
    const path = `/v1/webhooks/${id}/deliveries/${body.id}`;
    expect((await call('GET', path)).body).toMatchObject({ status: 'failed', attemptCount: 3, nextAttemptAt: null });
    api.deps.webhookSender.answer = { result: 'succeeded', httpStatus: 200 };
    expect((await call('POST', `${path}/redeliver`)).body).toMatchObject({ status: 'pending' });
    await deliverAll();
    expect((await call('GET', path)).body).toMatchObject({ status: 'succeeded', attemptCount: 4 });
    const sent = api.deps.webhookSender.received.map((request) => `${request.id} ${request.body}`);
    expect([sent.length, new Set(sent).size]).toEqual([4, 1]);
    expect((await call('POST', `/v1/webhooks/${id}/deliveries/${absentId('evt')}/redeliver`)).status).toBe(404);
  });
});
