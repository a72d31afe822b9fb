import { randomUUID } from 'node:crypto';
import { TableClient } from '@azure/data-tables';
import { expect, it } from 'vitest';
import { tables } from '../../shared/kernel/storage-names.ts';
import type { ApiAnswer, ApiClient } from '../support/api-client.ts';
import { csvOf, plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useStackBehindProxy } from '../support/stack-behind-proxy.ts';

// The functions process is killed after it has made a change, and before it answers.

const used = useStackBehindProxy(plainTenant(3));

interface Change {
  action: string;
  by: ApiClient;
  method: string;
  path: string;
  body?: unknown;
  contentType?: string;
}

interface AuditRecord {
  action: string;
  result: string;
  status: number | null;
  object: string | null;
}

const send = ({ by, method, path, body, contentType }: Change): Promise<ApiAnswer> =>
  by.call(method, path, {
    ...(body !== undefined && { body }),
    ...(contentType && { contentType }),
    headers: { 'idempotency-key': 'one-change' },
  });

const auditOf = async ({ action }: Change, from: string): Promise<AuditRecord[]> =>
  (await used.running.operator.expect<{ items: AuditRecord[] }>(200, 'GET', `/v1/audit?action=${action}&from=${from}`))
    .items;

/** Nobody waits until the answer of a dead request is given up: ten minutes for an upload. */
async function letLocksExpire(): Promise<void> {
  const answers = TableClient.fromConnectionString(used.storage, tables.idempotency, { allowInsecureConnection: true });
  for await (const { partitionKey = '', rowKey = '' } of answers.listEntities()) {
    await answers.updateEntity({ partitionKey, rowKey, lockedUntil: new Date(0).toISOString() }, 'Merge');
  }
}

it('the audit record of each change says unknown, and a retry with the same Idempotency-Key does not make two', async () => {
  const { running, proxy } = used;
  const { operator, owner } = running;
  const { customer } = await owner.expect<{ customer: { id: string } }>(200, 'GET', '/v1/me');
  const keys = `/v1/customers/${customer.id}/api-keys`;
  const makeKey = async (name: string) =>
    (await owner.expect<{ id: string }>(201, 'POST', keys, { body: { name, role: 'viewer' } })).id;
  const [rotated, revoked] = [await makeKey('rotated'), await makeKey('revoked')];
  const { id: connectionId } = await running.connect();
  const connection = `/v1/connections/${connectionId}`;
  const { clientId: _clientId, clientSecret } = tenant;
  const secret = { clientSecret, clientSecretExpiresAt: '2037-01-01T00:00:00Z' };
  const registration = { name: 'New', tenant: tenant.domain, clientId: randomUUID(), ...secret, cloud: 'simulator' };
  const csv = csvOf(plainAddresses(3));
  const changes: Change[] = [
    {
      action: 'customers.create',
      by: operator,
      method: 'POST',
      path: '/v1/customers',
      body: { name: 'New', mailboxSlots: 1 },
    },
    { action: 'api-keys.create', by: owner, method: 'POST', path: keys, body: { name: 'New', role: 'viewer' } },
    {
      action: 'api-keys.rotate',
      by: owner,
      method: 'POST',
      path: `${keys}/${rotated}/rotate`,
      body: { overlapSeconds: 60 },
    },
    { action: 'api-keys.delete', by: owner, method: 'DELETE', path: `${keys}/${revoked}` },
    {
      action: 'customers.update',
      by: owner,
      method: 'PATCH',
      path: `/v1/customers/${customer.id}`,
      body: { name: 'Acme 2' },
    },
    { action: 'connections.create', by: owner, method: 'POST', path: '/v1/connections', body: registration },
    { action: 'connections.test', by: owner, method: 'POST', path: `${connection}/test` },
    {
      action: 'connections.replace-client-secret',
      by: owner,
      method: 'PUT',
      path: `${connection}/client-secret`,
      body: secret,
    },
    {
      action: 'imports.create',
      by: owner,
      method: 'POST',
      path: `${connection}/imports`,
      body: csv,
      contentType: 'text/csv',
    },
  ];
  const count = async () => {
    const list = async (by: ApiClient, path: string) =>
      (await by.expect<{ items: unknown[] }>(200, 'GET', path)).items.length;
    return {
      customers: await list(operator, '/v1/customers'),
      keys: await list(owner, keys),
      connections: await list(owner, '/v1/connections'),
      imports: await list(owner, `${connection}/imports`),
    };
  };
  const before = await count();
  const from = new Date().toISOString();

  // An intent is inserted with POST. PATCH completes it, after the change.
  const held = proxy.holdBack(({ method, path }) => method === 'PATCH' && path.startsWith('/devstoreaccount1/audit('));
  const unanswered = changes.map((change) =>
    send(change).then(
      ({ status }) => status,
      () => 'no answer',
    ),
  );
  const completed = () => new Set(held.map(({ path }) => /RowKey='([^']+)'/.exec(path)?.[1])).size;
  await expect.poll(completed, { timeout: 30_000, interval: 50 }).toBe(changes.length);
  const killed = running.stack.functions.pid();
  running.stack.functions.kill('SIGKILL');
  expect(await Promise.all(unanswered)).toEqual(changes.map(() => 'no answer'));
  proxy.passAll();
  const restarted = () => ![0, killed].includes(running.stack.functions.pid());
  await expect.poll(restarted, { timeout: 20_000, interval: 50 }).toBe(true);
  const isUp = () =>
    owner.call('GET', '/v1/me').then(
      ({ status }) => status,
      () => 0,
    );
  await expect.poll(isUp, { timeout: 20_000, interval: 50 }).toBe(200);

  const after = { customers: 1, keys: 1, connections: 1, imports: 1 };
  const expected = {
    customers: before.customers + after.customers,
    // The new one and the successor of the rotated one, without the revoked one.
    keys: before.keys + 1,
    connections: before.connections + after.connections,
    imports: before.imports + after.imports,
  };
  expect(await count()).toEqual(expected);
  for (const change of changes) {
    expect(await auditOf(change, from), change.action).toMatchObject([{ result: 'unknown', status: null }]);
  }

  const posts = changes.filter(({ method }) => method === 'POST');
  for (const change of posts) {
    const answer = await send(change);
    expect([answer.status, answer.body.code], change.action).toEqual([409, 'idempotency_in_progress']);
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  }
  await letLocksExpire();
  for (const change of posts) {
    const answer = await send(change);
    expect(answer.status, `${change.action} ${answer.text}`).toBeLessThan(300);
    const records = await auditOf(change, from);
    expect(records, change.action).toMatchObject([
      { result: 'succeeded', status: answer.status },
      { result: 'unknown' },
    ]);
    // What it made has the ID that the dead process chose.
    const replayed = await send(change);
    expect(replayed.headers.get('idempotency-replayed')).toBe('true');
    expect(await auditOf(change, from)).toHaveLength(2);
  }
  expect(await count()).toEqual(expected);
}, 90_000);
