import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { OPERATOR_KEY } from '../support/api.ts';
import { useEdgeApp } from '../support/edge-app.ts';

// Tests over fakes cannot show whether an answer reaches a client that is still sending.

const SIZE = 20 * 1024 * 1024;
const authorization = `Bearer ${OPERATOR_KEY}`;
const host = useEdgeApp();

/** Sends 20 MB, with a `Content-Length` or in chunks. */
function send(path: string, isChunked: boolean, headers: Record<string, string>) {
  const bytes = Buffer.alloc(SIZE, 0x20);
  const body = isChunked ? new Blob([bytes]).stream() : bytes;
  return fetch(`${host.url}${path}`, { method: 'POST', headers, body, duplex: 'half' });
}

describe.each([
  ['with a length', false],
  ['in chunks', true],
])('20 MB %s', (_, isChunked) => {
  it('413: refuses it where a JSON body is expected', async () => {
    const answer = await send('/v1/customers', isChunked, { authorization });
    expect(await answer.json()).toMatchObject({ status: 413, code: 'payload_too_large' });
  });

  it('401: refuses it without a key', async () => {
    for (const path of ['/v1/customers', '/v1/uploads']) {
      const answer = await send(path, isChunked, {});
      expect([answer.status, await answer.text()]).toEqual([401, expect.stringContaining('unauthenticated')]);
    }
  });

  it('400: answers an upload that is refused at its first byte', async () => {
    const answer = await send('/v1/uploads', isChunked, { authorization, 'x-refuse': 'yes' });
    expect(await answer.json()).toMatchObject({ status: 400, code: 'file_not_text' });
  });

  it('202: accepts a whole upload, and only once', async () => {
    const headers = { authorization, 'idempotency-key': `upload-${isChunked}` };
    for (const replayed of [null, 'true']) {
      const answer = await send('/v1/uploads', isChunked, headers);
      expect([answer.status, await answer.json()]).toEqual([202, { bytes: SIZE }]);
      expect(answer.headers.get('idempotency-replayed')).toBe(replayed);
    }
  });
});

it.each(['/v1/customers', '/v1/uploads'])('415: 20 MB that say they are compressed, to %s', async (path) => {
  for (const isChunked of [false, true]) {
    const answer = await send(path, isChunked, { authorization, 'content-encoding': 'gzip' });
    expect(await answer.json()).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  }
});

/** Sends a path as it is; `fetch` would tidy it up. */
async function get(path: string): Promise<number> {
  const { hostname, port } = new URL(host.url);
  const sent = request({ hostname, port, path, headers: { authorization } }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode ?? 0;
}

it.each([
  'x'.repeat(2_000),
  `cust_${'0'.repeat(2_000)}`,
  'cust_%00',
  'cust_a%2Fb',
  'cust_%2e%2e%2f',
  'cust_%ED%A0%80',
  '%2e%2e',
  'cust_%0d%0aset-cookie:x',
])('404: the id %s', async (id) => {
  expect(await get(`/v1/customers/${id}`)).toBe(404);
});

it('survives connections that close before the whole body is there', async () => {
  const { hostname, port } = new URL(host.url);
  for (const path of ['/v1/customers', '/v1/uploads']) {
    const headers = { authorization, 'content-type': 'application/json', 'content-length': 1_000_000 };
    const sent = request({ hostname, port, path, method: 'POST', headers });
    sent.on('error', () => undefined);
    sent.write('{"name":');
    await new Promise((resolve) => setTimeout(resolve, 50));
    sent.destroy();
  }
  expect(await get('/v1/customers/absent')).toBe(404);
});

it('keeps answering after 20 MB bodies', async () => {
  const body = JSON.stringify({ name: 'Acme', mailboxSlots: 1 });
  const made = await fetch(`${host.url}/v1/customers`, { method: 'POST', headers: { authorization }, body });
  expect(made.status).toBe(415);
  const headers = { authorization, 'content-type': 'application/json' };
  const right = await fetch(`${host.url}/v1/customers`, { method: 'POST', headers, body });
  expect(right.status).toBe(201);
  const etag = right.headers.get('etag') ?? '';
  const location = `${host.url}${right.headers.get('location')}`;
  const known = await fetch(location, { headers: { authorization, 'if-none-match': etag } });
  expect([known.status, known.headers.get('etag')]).toEqual([304, etag]);
});

describe('fields with the names of headers and parameters', () => {
  const json = { authorization, 'content-type': 'application/json' };

  it('400: hide no header. They are fields that the API does not know', async () => {
    for (const query of ['headers=x', 'Headers=%7B%22authorization%22%3A%22Bearer%20x%22%7D', 'HEADERS=x', 'query=x']) {
      const answer = await fetch(`${host.url}/v1/customers?${query}`, { headers: { authorization } });
      expect([answer.status, await answer.json()], query).toMatchObject([400, { code: 'validation_failed' }]);
    }
    for (const name of ['headers', 'Headers', 'HEADERS']) {
      const body = JSON.stringify({ name: 'Acme', mailboxSlots: 1, [name]: { authorization: 'Bearer x' } });
      const answer = await fetch(`${host.url}/v1/customers`, { method: 'POST', headers: json, body });
      expect([answer.status, await answer.json()], name).toMatchObject([400, { code: 'validation_failed' }]);
    }
  });

  it('401: make up no header', async () => {
    const made = encodeURIComponent(JSON.stringify({ host: 'x', authorization }));
    expect((await fetch(`${host.url}/v1/customers?Headers=${made}`)).status).toBe(401);
  });

  it('neither hide nor replace a parameter of the path', async () => {
    const body = JSON.stringify({ name: 'Acme', mailboxSlots: 1 });
    const made = await fetch(`${host.url}/v1/customers`, { method: 'POST', headers: json, body });
    const location = `${host.url}${made.headers.get('location')}`;
    const change = JSON.stringify({ name: 'Contoso', CUSTOMERID: 'cust_x' });
    const refused = await fetch(location, { method: 'PATCH', headers: json, body: change });
    expect([refused.status, await refused.json()]).toMatchObject([400, { code: 'validation_failed' }]);
    const asked = await fetch(`${location}?CustomerId=cust_x`, { headers: { authorization } });
    expect([asked.status, await asked.json()]).toMatchObject([400, { code: 'validation_failed' }]);
  });
});

describe('a request without a route of its own', () => {
  it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    '404: %s to an unknown path gets a problem',
    async (method) => {
      for (const path of ['/', '/v1/nothing', '/v1/customers/cust_1/nothing', '/%', '/administrators']) {
        const answer = await fetch(`${host.url}${path}`, { method });
        expect(answer.status, path).toBe(404);
        expect(answer.headers.get('content-type'), path).toBe('application/problem+json');
        if (method !== 'HEAD') expect(await answer.json()).toMatchObject({ code: 'not_found' });
      }
    },
  );

  it.each(['HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    '405: %s to the path of other methods names these methods',
    async (method) => {
      const answer = await fetch(`${host.url}/v1/customers`, { method });
      expect(answer.status).toBe(405);
      expect(answer.headers.get('allow')).toBe('GET, POST');
      if (method !== 'HEAD') expect(await answer.json()).toMatchObject({ code: 'method_not_allowed' });
    },
  );

  it('leaves its own routes to the host', async () => {
    expect((await fetch(`${host.url}/admin/host/status`)).status).toBe(200);
    expect((await fetch(`${host.url}/v1/customers`, { headers: { authorization } })).status).toBe(200);
  });
});
