import { describe, expect, it } from 'vitest';
import { createApi } from '../support/api.ts';

async function createTagged() {
  const api = createApi();
  const { id, key } = await api.customer();
  const path = `/v1/customers/${id}`;
  const etag = (await api.request('GET', path, { key })).headers.get('etag') ?? '';
  const call = (method: string, headers: Record<string, string>, body?: object) =>
    api.request(method, path, { key, headers, ...(body && { body }) });
  return { api, path, key, etag, call };
}

describe('ETag', () => {
  it('304: sends no body to a reader who already has this version', async () => {
    const { call, etag } = await createTagged();
    expect(etag).toMatch(/^"[\w-]{27}"$/);
    for (const known of [etag, `"other", ${etag}`, `W/${etag}`, '*']) {
      const response = await call('GET', { 'if-none-match': known });
      expect([response.status, await response.text(), response.headers.get('etag')]).toEqual([304, '', etag]);
    }
    expect((await call('GET', { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('412: refuses a write to an older version, and changes nothing', async () => {
    const { call, etag } = await createTagged();
    const renamed = await call('PATCH', { 'if-match': etag }, { name: 'second' });
    expect(renamed.status).toBe(200);
    const stale = await call('PATCH', { 'if-match': etag }, { name: 'third' });
    expect(await stale.json()).toMatchObject({ status: 412, code: 'precondition_failed' });
    expect((await call('DELETE', { 'if-match': etag })).status).toBe(412);
    const read = await call('GET', {});
    expect(await read.json()).toMatchObject({ name: 'second' });
    expect(read.headers.get('etag')).toBe(renamed.headers.get('etag'));
  });

  it('200: accepts a write with * or with a list that names the current version', async () => {
    const { call, etag } = await createTagged();
    expect((await call('PATCH', { 'if-match': `"other", ${etag}` }, { name: 'second' })).status).toBe(200);
    expect((await call('PATCH', { 'if-match': '*' }, { name: 'third' })).status).toBe(200);
    // A weak tag never matches If-Match: RFC 9110 §13.1.1.
    const tag = (await call('GET', {})).headers.get('etag');
    expect((await call('PATCH', { 'if-match': `W/${tag}` }, { name: 'fourth' })).status).toBe(412);
  });

  it('201: sends no ETag with an answer that is given only once', async () => {
    const { api, path, key } = await createTagged();
    const made = await api.request('POST', `${path}/api-keys`, { key, body: { name: 'x', role: 'viewer' } });
    expect([made.headers.get('etag'), made.headers.get('cache-control')]).toEqual([null, 'no-store']);
  });
});
