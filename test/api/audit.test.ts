import { InvocationContext } from '@azure/functions';
import { beforeEach, describe, expect, it } from 'vitest';
import { DomainError } from '../../shared/kernel/errors.ts';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { absentId, createApi, DOMAIN, OPERATOR_KEY } from '../support/api.ts';
import type { RequestOptions } from '../support/function-caller.ts';
import { aMailbox, aRow } from '../support/records.ts';

let api: ReturnType<typeof createApi>;
let acme: { id: string; key: string };

beforeEach(async () => {
  api = createApi();
  acme = await api.customer();
});

const secret = { clientSecret: GOOD_SECRET, clientSecretExpiresAt: '2026-12-01T00:00:00Z' };
const registration = { name: 'T', tenant: DOMAIN, clientId: 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37', ...secret };
const last = () => api.deps.auditLog.records()[0];
/** Later requests get later IDs. */
const pass = (ms = 1_000) => {
  api.deps.time.now = new Date(api.deps.time.now.getTime() + ms);
};

async function call<Body = Record<string, string>>(method: string, path: string, options: RequestOptions = {}) {
  pass();
  const response = await api.request(method, path, { key: acme.key, ...options });
  const text = await response.text();
  return { status: response.status, body: (text && JSON.parse(text)) as Body };
}

interface Shown {
  action: string;
  customerId: string | null;
  object: string | null;
  result: string;
  status: number | null;
}

async function read(query = '', options: RequestOptions = {}): Promise<Shown[]> {
  const { body } = await call<{ items: Shown[] }>('GET', `/v1/audit${query}`, options);
  return body.items;
}

/** Of a change that is about the customer alone. */
const NONE = 'none';

describe('every change', () => {
  it('leaves exactly one record of the customer, whichever route it takes', async () => {
    const seen = new Set<string>();
    const ran = async (name: string, method: string, path: string, object: string | undefined, options = {}) => {
      const before = api.deps.auditLog.records().length;
      const answer = await call(method, path, options);
      expect(answer.status, `${name}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
      expect(api.deps.auditLog.records().length - before, name).toBe(1);
      const action = name.replace(/^(api-keys|mailbox-actions|\w+)-/, '$1.');
      expect(last(), name).toMatchObject({ action, result: 'succeeded', status: answer.status });
      expect(last()?.object, name).toBe(object === NONE ? undefined : (object ?? answer.body.id));
      seen.add(name);
      return answer.body;
    };
    const customer = `/v1/customers/${acme.id}`;
    const asOperator = { key: OPERATOR_KEY };

    const globex = await ran('customers-create', 'POST', '/v1/customers', undefined, {
      ...asOperator,
      body: { name: 'Globex', mailboxSlots: 1 },
    });
    expect(last()).toMatchObject({ customerId: globex.id, keyId: 'operator', role: 'operator' });
    await ran('customers-update', 'PATCH', customer, acme.id, { body: { name: 'Acme 2' } });
    const key = await ran('api-keys-create', 'POST', `${customer}/api-keys`, undefined, {
      body: { name: 'ci', role: 'member' },
    });
    const body = { overlapSeconds: 60 };
    const rotated = await ran('api-keys-rotate', 'POST', `${customer}/api-keys/${key.id}/rotate`, undefined, { body });
    await ran('api-keys-delete', 'DELETE', `${customer}/api-keys/${rotated.id}`, rotated.id);

    const { id = '' } = await ran('connections-create', 'POST', '/v1/connections', undefined, { body: registration });
    const connection = `/v1/connections/${id}`;
    await ran('connections-update', 'PATCH', connection, id, { body: { name: 'U' } });
    await ran('connections-consent', 'POST', `${connection}/consent`, id);
    await ran('connections-replace-client-secret', 'PUT', `${connection}/client-secret`, id, { body: secret });
    await ran('connections-restore-client-secret', 'POST', `${connection}/client-secret/restore`, id);
    await ran('connections-test', 'POST', `${connection}/test`, id);
    const scope = { body: { offLimits: [`legal@${DOMAIN}`] } };
    await ran('connections-scope-check', 'POST', `${connection}/scope-check`, id, scope);
    const until = '2027-01-01T00:00:00Z';
    const secretPath = `${connection}/client-secret`;
    await ran('connections-snooze-alerts', 'POST', `${secretPath}/snooze`, id, { body: { until } });
    await ran('connections-acknowledge-alerts', 'POST', `${secretPath}/acknowledge`, id);
    await ran('connections-resume-alerts', 'DELETE', `${secretPath}/snooze`, id);

    const certificate = `${connection}/certificate`;
    await ran('connections-make-certificate', 'POST', `${certificate}/next`, id, { body: {} });
    await ran('connections-discard-certificate', 'DELETE', `${certificate}/next`, id);
    await call('POST', `${certificate}/next`, { body: {} });
    const made = (await api.deps.connections.get(acme.id, id))?.value.nextCertificate?.certificate.thumbprint ?? '';
    api.deps.tenant.answers.set(made, ['Mail.ReadWrite', 'Mail.Send']);
    const use = { body: { certificate: { source: 'made' } } };
    await ran('connections-replace-certificate', 'PUT', certificate, id, use);
    await ran('connections-snooze-certificate-alerts', 'POST', `${certificate}/snooze`, id, { body: { until } });
    await ran('connections-acknowledge-certificate-alerts', 'POST', `${certificate}/acknowledge`, id);
    await ran('connections-resume-certificate-alerts', 'DELETE', `${certificate}/snooze`, id);
    await call('PUT', secretPath, { body: secret });
    await ran('connections-restore-certificate', 'POST', `${certificate}/restore`, id);

    const raw = 'email\na@tailspin.example\n';
    const csv = { raw, headers: { 'content-type': 'text/csv' } };
    const started = await ran('imports-create', 'POST', `${connection}/imports`, undefined, csv);
    const importId = started.id ?? '';
    const found = await api.deps.imports.get(acme.id, importId);
    if (!found) throw new Error('the import is missing');
    await api.deps.imports.update({ ...found.value, status: 'running' }, found.tag);
    for (const verb of ['pause', 'resume', 'cancel']) {
      await ran(`imports-${verb}`, 'POST', `/v1/imports/${importId}/${verb}`, importId);
    }
    const alerts = { daysBefore: [7], lifetimeLeft: [], contacts: ['admin@contoso.example'] };
    await ran('expiry-alerts-update', 'PUT', '/v1/expiry-alerts', NONE, { body: alerts });
    const email = await ran('alert-emails-create', 'POST', '/v1/expiry-alerts/emails', undefined);
    await ran('alert-emails-resend', 'POST', `/v1/expiry-alerts/emails/${email.id}/resend`, email.id);
    const ended = await api.deps.imports.get(acme.id, importId);
    const counts = {
      rows: 1,
      accepted: 1,
      rejected: 0,
      duplicates: 0,
      pending: 0,
      waiting: 0,
      passed: 0,
      cancelled: 0,
    };
    const result = { status: 'completed' as const, counts: { ...counts, failed: 1, inconclusive: 0 } };
    if (ended) await api.deps.imports.update({ ...ended.value, ...result }, ended.tag);
    const row = aRow({ importId, line: 9, state: 'failed' });
    await api.deps.ledger.commit(ended?.value.connectionId ?? '', [{ op: 'createRow', row }]);
    await ran('imports-retry-failed', 'POST', `/v1/imports/${importId}/retry-failed`, undefined);
    const jane = aMailbox({ address: 'jane@tailspin.example', status: 'active', slotClaimedBy: importId });
    await api.deps.ledger.commit(id, [{ op: 'createMailbox', mailbox: jane }]);
    const { address } = jane;
    const mailbox = `${connection}/mailboxes/${address}`;
    await ran('mailboxes-update', 'PATCH', mailbox, address, { body: { dailyLimit: 5 } });
    for (const verb of ['pause', 'resume', 'disconnect']) {
      await ran(`mailboxes-${verb}`, 'POST', `${mailbox}/${verb}`, address);
    }
    const reconnected = await ran('mailboxes-reconnect', 'POST', `${mailbox}/reconnect`, undefined);
    const idle = aMailbox({ ...jane, address: 'kim@tailspin.example' });
    await api.deps.ledger.commit(id, [{ op: 'createMailbox', mailbox: idle }]);
    await ran('mailboxes-check', 'POST', `${connection}/mailboxes/${idle.address}/check`, undefined);
    await ran('mailboxes-remove', 'DELETE', mailbox, address);
    const acting = { body: { action: 'pause', where: {} } };
    const bulk = await ran('mailbox-actions-create', 'POST', `${connection}/mailbox-actions`, undefined, acting);
    const running = await api.deps.imports.get(acme.id, reconnected.id ?? '');
    if (running) await api.deps.imports.update({ ...running.value, status: 'running' }, running.tag);
    for (const verb of ['pause', 'resume']) {
      const path = `/v1/mailbox-actions/${reconnected.id}/${verb}`;
      await ran(`mailbox-actions-${verb}`, 'POST', path, reconnected.id);
    }
    await ran('mailbox-actions-cancel', 'POST', `/v1/mailbox-actions/${bulk.id}/cancel`, bulk.id);
    const refresh = `/v1/connections/${ended?.value.connectionId}/directory/refresh`;
    await ran('directory-refresh', 'POST', refresh, ended?.value.connectionId);
    const webhookBody = { url: 'https://hooks.contoso.example/', events: ['import.completed'] };
    const webhook = await ran('webhooks-create', 'POST', '/v1/webhooks', undefined, { body: webhookBody });
    const hook = `/v1/webhooks/${webhook.id}`;
    await ran('webhooks-update', 'PATCH', hook, webhook.id, { body: { events: ['import.paused'] } });
    const rotatedHook = await ran('webhooks-rotate', 'POST', `${hook}/rotate`, webhook.id, { body: {} });
    const ping = await ran('webhooks-ping', 'POST', `${hook}/ping`, undefined);
    const again = `${hook}/deliveries/${ping.id}/redeliver`;
    await ran('webhooks-deliveries-redeliver', 'POST', again, ping.id);
    await ran('webhooks-delete', 'DELETE', hook, webhook.id);
    const poison = '/v1/operations/queues/publish-events/poison';
    for (const name of ['one', 'two']) {
      const entry = {
        queue: 'publish-events',
        key: name,
        message: {},
        archivedAt: new Date(0),
        state: 'open',
      } as const;
      await api.deps.poisonArchive.insert(entry);
    }
    await ran('operations-poison-requeue', 'POST', `${poison}/one/requeue`, 'one', asOperator);
    await ran('operations-poison-discard', 'POST', `${poison}/two/discard`, 'two', asOperator);
    await ran('operations-poison-requeue-all', 'POST', `${poison}/requeue`, 'publish-events', asOperator);
    await ran('operations-poison-discard-all', 'POST', `${poison}/discard`, 'publish-events', asOperator);
    await ran('connections-delete', 'DELETE', connection, id);
    await ran('customers-delete', 'DELETE', customer, acme.id, asOperator);
    await ran('customers-restore', 'POST', `${customer}/restore`, acme.id, asOperator);
    expect(last()).toMatchObject({ customerId: acme.id, keyId: 'operator' });

    const changing = api.routes.filter(({ methods }) => methods?.[0] !== 'GET').map(({ name }) => name);
    // The admin who confirms has no key. Its record is tested with the app of the service.
    expect([...seen, 'consent-confirm'].sort()).toEqual(changing.sort());
    const all = JSON.stringify(api.deps.auditLog.records());
    for (const hidden of [
      GOOD_SECRET,
      acme.key.slice(-43),
      String(key.key).slice(-43),
      String(webhook.secret),
      String(rotatedHook.secret),
    ])
      expect(all).not.toContain(hidden);
  });

  it('says who, from where, for whom and under which request ID', async () => {
    const forwarded = '203.0.113.1, 192.0.2.7:50123';
    const headers = { 'muster-customer': acme.id, 'x-forwarded-for': forwarded };
    pass();
    const response = await api.request('POST', '/v1/connections', { key: OPERATOR_KEY, headers, body: registration });
    expect(await read()).toEqual([
      {
        id: expect.stringMatching(/^aud_/),
        at: '2026-06-01T00:00:01.000Z',
        actor: { keyId: 'operator', role: 'operator' },
        customerId: acme.id,
        action: 'connections.create',
        object: response.headers.get('location')?.split('/').at(-1),
        result: 'succeeded',
        status: 201,
        requestId: response.headers.get('x-request-id'),
        address: '192.0.2.7',
      },
    ]);
  });

  it('names the key and the customer in the request’s log line', async () => {
    await call('GET', '/v1/me');
    const line = api.logs.find(({ level, text }) => level === 'information' && text.includes('"event":"request"'));
    expect(JSON.parse(line?.text ?? '')).toMatchObject({
      keyId: /key_[0-9a-z]+/.exec(acme.key)?.[0],
      role: 'owner',
      customerId: acme.id,
    });
  });
});

describe('what is no change', () => {
  it('leaves no record: reads, a dry run, and requests that are refused before the work', async () => {
    const { body } = await call('POST', '/v1/connections', { body: registration });
    await call('POST', `/v1/connections/${body.id}/test`);
    const before = api.deps.auditLog.records().length;
    const csv = { raw: 'email\na@tailspin.example\n', headers: { 'content-type': 'text/csv' } };
    expect((await call('POST', `/v1/connections/${body.id}/imports?dryRun=true`, csv)).status).toBe(200);
    expect((await call('GET', '/v1/connections')).status).toBe(200);
    expect((await call('POST', '/v1/connections', { key: 'wrong', body: registration })).status).toBe(401);
    expect((await call('POST', '/v1/customers', { body: { name: 'x', mailboxSlots: 1 } })).status).toBe(403);
    expect((await call('POST', '/v1/connections', { body: {} })).status).toBe(400);
    expect(api.deps.auditLog.records()).toHaveLength(before);
  });

  it('leaves no record: an answer that is replayed', async () => {
    const options = { body: registration, headers: { 'idempotency-key': 'once' } };
    const first = await call('POST', '/v1/connections', options);
    const second = await call('POST', '/v1/connections', options);
    expect(second.body.id).toBe(first.body.id);
    expect(api.deps.auditLog.records()).toHaveLength(1);
  });
});

describe('an attempt that fails', () => {
  it('leaves its refusal: 403, 404 and 409 of the work itself', async () => {
    await call('PATCH', `/v1/customers/${acme.id}`, { body: { mailboxSlots: 99 } });
    await call('DELETE', `/v1/customers/${absentId('cust')}/api-keys/${absentId('key')}`);
    await call('POST', '/v1/connections', { body: registration });
    await call('POST', '/v1/connections', { body: registration });
    expect(await read()).toMatchObject([
      { action: 'connections.create', result: 'conflict', status: 409, object: null },
      { action: 'connections.create', result: 'succeeded', status: 201 },
      { action: 'api-keys.delete', result: 'not_found', status: 404, customerId: acme.id, object: absentId('key') },
      { action: 'customers.update', result: 'forbidden', status: 403, object: acme.id },
    ]);
  });

  it('leaves no record if the path holds a text that is no ID', async () => {
    await call('DELETE', `/v1/customers/${acme.id}/api-keys/${'k'.repeat(2_000)}`);
    expect(await read()).toEqual([]);
  });

  it('leaves internal_error for a defect', async () => {
    api.deps.connections.insert = async () => {
      throw new TypeError('a defect');
    };
    expect((await call('POST', '/v1/connections', { body: registration })).status).toBe(500);
    expect(last()).toMatchObject({ result: 'internal_error', status: 500 });
  });
});

describe('a record in danger', () => {
  it('says unknown if the process dies between the change and the answer', async () => {
    const insert = api.deps.connections.insert;
    const { promise: changed, resolve } = Promise.withResolvers<void>();
    api.deps.connections.insert = async (...args) => {
      await insert(...args);
      resolve();
      // The process goes no further.
      return new Promise<never>(() => undefined);
    };
    void call('POST', '/v1/connections', { body: registration });
    await changed;
    expect((await api.deps.connections.list(acme.id, { limit: 9 })).items).toHaveLength(1);
    expect(await read()).toMatchObject([{ action: 'connections.create', result: 'unknown', status: null }]);
  });

  it('503: nothing changes if the intent cannot be written', async () => {
    api.deps.auditLog.insert = async () => {
      throw new DomainError('storage_unavailable', 'Later.', { retryAfterSeconds: 5 });
    };
    expect((await call('POST', '/v1/connections', { body: registration })).status).toBe(503);
    expect((await api.deps.connections.list(acme.id, { limit: 9 })).items).toEqual([]);
  });

  it('201: a result that cannot be written is logged; the caller still gets the answer', async () => {
    api.deps.auditLog.complete = async () => {
      throw new DomainError('storage_unavailable', 'Later.');
    };
    expect((await call('POST', '/v1/connections', { body: registration })).status).toBe(201);
    expect(last()).toMatchObject({ result: 'unknown' });
    expect(api.logs.map(({ text }) => text).join('\n')).toContain('audit_record_not_completed');
  });
});

describe('GET /v1/audit', () => {
  it('200: an owner reads its own, an operator all or one customer’s, also of one that is gone', async () => {
    const globex = await api.customer();
    await call('PATCH', `/v1/customers/${acme.id}`, { body: { name: 'A' } });
    await call('PATCH', `/v1/customers/${globex.id}`, { key: globex.key, body: { name: 'G' } });
    await call('DELETE', `/v1/customers/${globex.id}`, { key: OPERATOR_KEY });
    const customersOf = (records: Shown[]) => records.map(({ customerId }) => customerId);
    const naming = { 'muster-customer': globex.id };
    expect(customersOf(await read('', { headers: naming }))).toEqual([acme.id]);
    expect(customersOf(await read('', { key: OPERATOR_KEY }))).toEqual([globex.id, globex.id, acme.id]);
    expect(customersOf(await read('', { key: OPERATOR_KEY, headers: naming }))).toEqual([globex.id, globex.id]);
  });

  it('403: a member cannot read it', async () => {
    expect((await call('GET', '/v1/audit', { key: await api.keyFor(acme.id, 'member') })).status).toBe(403);
  });

  it('200: filters by time and action, in pages', async () => {
    for (const name of ['A', 'B', 'C']) await call('PATCH', `/v1/customers/${acme.id}`, { body: { name } });
    await call('POST', '/v1/connections', { body: registration });
    expect(await read('?action=customers.update')).toHaveLength(3);
    expect(await read('?from=2026-06-01T00:00:03Z')).toHaveLength(2);
    const first = await call('GET', '/v1/audit?limit=3');
    expect(await read(`?limit=3&cursor=${encodeURIComponent(first.body.nextCursor ?? '')}`)).toHaveLength(1);
    expect((await call('GET', '/v1/audit?action=everything')).status).toBe(400);
  });
});

async function runTimer(name: string): Promise<void> {
  const status = { last: '', next: '', lastUpdated: '' };
  const timer = { isPastDue: false, schedule: { adjustForDST: false }, scheduleStatus: status };
  const context = new InvocationContext({ functionName: name, logHandler: () => undefined });
  await api.timers.find((one) => one.name === name)?.handler(timer, context);
}

it('the timer that reconciles slots repairs a count that has drifted, and leaves a record', async () => {
  await api.deps.slots.claim(acme.id, 'nothing holds these', 2);
  await runTimer('reconcile-slots');
  expect(await api.deps.slots.get(acme.id)).toMatchObject({ used: 0 });
  const { body } = await call('GET', '/v1/audit?action=slots.reconcile');
  expect(body.items).toMatchObject([
    { actor: { keyId: 'reconciliation' }, object: 'slotsUsed 2 to 0', result: 'succeeded', customerId: acme.id },
  ]);
  await runTimer('reconcile-slots');
  expect((await call('GET', '/v1/audit?action=slots.reconcile')).body.items).toHaveLength(1);
});

describe('the tidy-up timer', () => {
  it('removes records that have been kept for long enough, and no others', async () => {
    await call('PATCH', `/v1/customers/${acme.id}`, { body: { name: 'old' } });
    pass(api.deps.auditKeptMs);
    await call('PATCH', `/v1/customers/${acme.id}`, { body: { name: 'young' } });
    await runTimer('tidy-up');
    expect(api.deps.auditLog.records()).toHaveLength(1);
    expect(api.deps.auditLog.records()[0]?.at).toEqual(api.deps.time.now);
  });
});
