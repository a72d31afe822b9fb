import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ApiAnswer, type ApiClient, createApiClient } from '../support/api-client.ts';
import { plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const running = useRunningStack(plainTenant(3));
let connectionId: string;
let viewer: ApiClient;
let stranger: ApiClient;
let strangersConnection: string;

const registration = {
  name: 'Tailspin',
  tenant: tenant.domain,
  clientId: 'e2e0c1d4-7b3f-4a68-8d95-000000000001',
  clientSecret: 'simulated-Tailspin-8Q~value-of-a-client-secret',
  clientSecretExpiresAt: '2035-12-31T00:00:00Z',
  cloud: 'simulator',
};

async function keyOf(customerId: string, role: string): Promise<ApiClient> {
  const path = `/v1/customers/${customerId}/api-keys`;
  const { key } = await running.operator.expect<{ key: string }>(201, 'POST', path, { body: { name: role, role } });
  return running.operator.as(key);
}

beforeAll(async () => {
  ({ id: connectionId } = await running.connect());
  const me = await running.owner.expect<{ customer: { id: string } }>(200, 'GET', '/v1/me');
  viewer = await keyOf(me.customer.id, 'viewer');
  const body = { name: 'Globex', mailboxSlots: 2 };
  const other = await running.operator.expect<{ id: string }>(201, 'POST', '/v1/customers', { body });
  stranger = await keyOf(other.id, 'owner');
  const theirs = await stranger.expect<{ id: string }>(201, 'POST', '/v1/connections', { body: registration });
  strangersConnection = theirs.id;
});

/** Expects a problem with this code and a helpful sentence, and an app that keeps working. */
async function expectProblem(answer: ApiAnswer<object>, status: number, code: string): Promise<void> {
  expect(answer.headers.get('content-type'), answer.text).toBe('application/problem+json');
  expect(answer.body).toMatchObject({
    status,
    code,
    title: expect.any(String),
    detail: expect.stringMatching(/.{21}/),
    requestId: expect.any(String),
  });
  expect(answer.status).toBe(status);
  expect((await running.owner.call('GET', '/v1/me')).status).toBe(200);
}

const upload = (body: string | Uint8Array) =>
  running.owner.call('POST', `/v1/connections/${connectionId}/imports`, { body, contentType: 'text/csv' });

it('401: refuses a missing and a wrong key', async () => {
  const { apiUrl } = running.stack.local();
  for (const key of [undefined, 'nonsense', `${running.ownerKey}x`]) {
    await expectProblem(
      await createApiClient(apiUrl, key, running.fetch).call('GET', '/v1/connections'),
      401,
      'unauthenticated',
    );
  }
});

it('403: refuses a role without the permission', async () => {
  await expectProblem(await viewer.call('POST', '/v1/connections', { body: registration }), 403, 'forbidden');
  await expectProblem(await running.owner.call('GET', '/v1/customers'), 403, 'forbidden');
});

// A different answer for ids of others would reveal which ids exist.
it('404: gives the same answer for another customer’s ids and unknown ids, except for the request id', async () => {
  const absent = `${strangersConnection.slice(0, -4)}zzzz`;
  const paths = (id: string) => [
    ['GET', `/v1/connections/${id}`],
    ['DELETE', `/v1/connections/${id}`],
    ['POST', `/v1/connections/${id}/test`],
    ['GET', `/v1/connections/${id}/mailboxes`],
    ['GET', `/v1/connections/${id}/imports`],
  ];
  for (const [i, [method = '', path = '']] of paths(strangersConnection).entries()) {
    const theirs = await running.owner.call(method, path);
    const none = await running.owner.call(method, paths(absent)[i]?.[1] ?? '');
    await expectProblem(theirs, 404, 'not_found');
    expect(theirs.text.replace(String(theirs.body.requestId), '')).toBe(
      none.text.replace(String(none.body.requestId), ''),
    );
  }
});

describe('registering a connection', () => {
  const register = <Body = Record<string, unknown>>(body: unknown) =>
    running.owner.call<Body>('POST', '/v1/connections', { body });

  it('400: refuses malformed JSON', async () => {
    const call = { body: '{"name": "x', contentType: 'application/json' };
    await expectProblem(await running.owner.call('POST', '/v1/connections', call), 400, 'malformed_request');
  });
  it('400: lists all wrong and unknown fields together', async () => {
    const wrong = { ...registration, clientId: 'no guid', tenant: '', surprise: true };
    const answer = await register<{ errors: { path: string }[] }>(wrong);
    await expectProblem(answer, 400, 'validation_failed');
    expect(answer.body.errors.map(({ path }) => path).sort()).toEqual(['clientId', 'surprise', 'tenant']);
  });
  it('400: refuses a secret that has already expired', async () => {
    const answer = await register({ ...registration, clientSecretExpiresAt: '2020-01-01T00:00:00Z' });
    await expectProblem(answer, 400, 'validation_failed');
    expect(answer.body.errors).toMatchObject([{ path: 'clientSecretExpiresAt' }]);
  });
  it('400: refuses the id of a secret, and says where its value is', async () => {
    const answer = await register({ ...registration, clientSecret: '3f0c1f8e-7c1b-4d0a-9b58-0f4f4f1f9a11' });
    await expectProblem(answer, 400, 'validation_failed');
    expect(answer.body).toMatchObject({ cause: 'secret_id_pasted', fix: expect.stringContaining('Value') });
  });
  it('413: refuses a body of 20 MB', async () => {
    const body = JSON.stringify({ ...registration, name: 'x'.repeat(20_000_000) });
    const call = { body, contentType: 'application/json' };
    await expectProblem(await running.owner.call('POST', '/v1/connections', call), 413, 'payload_too_large');
  });
});

describe('hostile bodies', () => {
  const levels = (count: number) => `${'{"a":'.repeat(count)}1${'}'.repeat(count)}`;
  const ones = `[${Array(500_000).fill(1).join(',')}]`;

  it.each([
    ['1 MiB of wrong mailboxes', `{"mailboxes":${ones}}`, 'validation_failed'],
    ['1 MiB of wrong items in a small list', `{"probes":${ones}}`, 'validation_failed'],
    ['a field with a name of 1 MB', `{"${'k'.repeat(1_000_000)}":1}`, 'validation_failed'],
    ['20 levels', levels(20), 'validation_failed'],
    ['__proto__', '{"__proto__":{"mailboxes":[]}}', 'validation_failed'],
    ['100,000 levels', levels(100_000), 'malformed_request'],
    ['a field twice', '{"name":"a","name":"b"}', 'malformed_request'],
    ['half of a surrogate pair', '{"name":"\\ud800"}', 'malformed_request'],
  ])('400: %s', async (_, body, code) => {
    for (const path of ['/v1/connections', `/v1/connections/${connectionId}/imports`]) {
      const answer = await running.owner.call('POST', path, { body, contentType: 'application/json' });
      await expectProblem(answer, 400, code);
      expect(answer.text.length).toBeLessThan(20_000);
    }
  });

  it('415: a compressed body', async () => {
    for (const path of ['/v1/connections', `/v1/connections/${connectionId}/imports`]) {
      const body = gzipSync(Buffer.alloc(1_000_000));
      const call = { body, contentType: 'text/csv', headers: { 'content-encoding': 'gzip' } };
      await expectProblem(await running.owner.call('POST', path, call), 415, 'unsupported_media_type');
    }
  });

  it('400: a form of 10,000 parts', async () => {
    const form = new FormData();
    for (let i = 0; i < 10_000; i++) form.append(`f${i}`, 'x');
    const answer = await running.owner.call('POST', `/v1/connections/${connectionId}/imports`, { body: form });
    await expectProblem(answer, 400, 'validation_failed');
  });
});

it('404: ids that cannot exist, on every kind of route', async () => {
  const ids = ['x'.repeat(2_000), `conn_${'0'.repeat(2_000)}`, 'conn_%00', 'conn_a%2Fb', 'conn_%ED%A0%80'];
  for (const id of ids) {
    for (const path of ['connections/?', 'connections/?/mailboxes', 'imports/?', 'imports/?/rows', 'customers/?']) {
      await expectProblem(await running.owner.call('GET', `/v1/${path.replace('?', id)}`), 404, 'not_found');
    }
  }
});

describe('uploading', () => {
  it('400: refuses a file without an address column', async () => {
    await expectProblem(await upload('name,limit\nJane,5\n'), 400, 'file_no_address_column');
  });
  it('400: refuses an unclosed quote, with its line number', async () => {
    const answer = await upload(
      'email_address,display_name\na@tailspin.example,A\nb@tailspin.example,"B\nc@tailspin.example,C\n',
    );
    await expectProblem(answer, 400, 'file_malformed');
    expect(answer.body.line).toBe(3);
  });
  it('400: refuses an empty file and a file with only a header', async () => {
    await expectProblem(await upload('email_address\n'), 400, 'file_empty');
    await expectProblem(await upload('\n'), 400, 'file_empty');
  });
  it('400: refuses a binary file', async () => {
    const png = Uint8Array.from({ length: 5_000 }, (_, i) => (i * 7919) % 256);
    await expectProblem(await upload(png), 400, 'file_not_text');
  });
  it('415: refuses other media types', async () => {
    const call = { body: '<a/>', contentType: 'application/xml' };
    const answer = await running.owner.call('POST', `/v1/connections/${connectionId}/imports`, call);
    await expectProblem(answer, 415, 'unsupported_media_type');
  });
  it('409: refuses more mailboxes than free slots, with both numbers', async () => {
    const { id } = await stranger.expect<{ id: string }>(201, 'POST', '/v1/connections', {
      body: { ...registration, clientId: tenant.clientId },
    });
    await stranger.expect(200, 'POST', `/v1/connections/${id}/test`);
    const answer = await stranger.call('POST', `/v1/connections/${id}/imports`, {
      body: 'email\na@tailspin.example\nb@tailspin.example\nc@tailspin.example\n',
      contentType: 'text/csv',
    });
    await expectProblem(answer, 409, 'slot_limit_reached');
    expect(answer.body).toMatchObject({ needed: 3, free: 2 });
  });
  it('leaves no import behind', async () => {
    const list = await running.owner.expect<{ items: unknown[] }>(
      200,
      'GET',
      `/v1/connections/${connectionId}/imports`,
    );
    expect(list.items).toEqual([]);
  });
});
