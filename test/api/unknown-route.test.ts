import { describe, expect, it } from 'vitest';
import { createApi } from '../support/api.ts';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

describe.each(methods)('%s', (method) => {
  it.each(['/', '/v1', '/v1/nothing', '/v1/connections/conn_1/nothing', '/v2/connections', '/favicon.ico'])(
    '404: %s is not a route, and the answer is a problem',
    async (path) => {
      const response = await createApi().request(method, path);
      expect(response.status).toBe(404);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(response.headers.get('allow')).toBeNull();
      expect(await response.json()).toMatchObject({
        type: 'https://muster.test/problems/not_found',
        code: 'not_found',
        status: 404,
        requestId: expect.any(String),
      });
    },
  );
});

it.each([
  ['PUT', '/v1/customers', 'GET, POST'],
  ['POST', '/v1/customers/cust_1', 'DELETE, GET, PATCH'],
  ['OPTIONS', '/v1/health', 'GET'],
  ['HEAD', '/v1/me', 'GET'],
  ['DELETE', '/V1/Health/', 'GET'],
  ['POST', '/problems/not_found', 'GET'],
  ['PATCH', '/docs', 'GET'],
])('405: %s %s answers with a problem and allows %s', async (method, path, allow) => {
  const response = await createApi().request(method, path);
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe(allow);
  expect(await response.json()).toMatchObject({
    type: 'https://muster.test/problems/method_not_allowed',
    code: 'method_not_allowed',
    detail: `This address does not accept ${method}. It accepts ${allow}.`,
  });
});

it('405: says nothing about who is asking, and needs no key', async () => {
  const api = createApi();
  const { key } = await api.customer();
  const withKey = (await (await api.request('PUT', '/v1/me', { key })).json()) as object;
  expect(await (await api.request('PUT', '/v1/me')).json()).toEqual({ ...withKey, requestId: expect.any(String) });
});
