import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createApi } from '../support/api.ts';

const calls = [...readFileSync('requests.http', 'utf8').matchAll(/^([A-Z]+) \{\{api\}\}(\/[^?\s]*)/gm)].map(
  ([, method = '', path = '']) => ({ method, path }),
);
// Pages for browsers are outside /v1.
const routes = createApi()
  .routes.filter(({ route }) => route?.startsWith('v1/'))
  .map(({ name, methods = [], route = '' }) => ({
    name,
    method: String(methods[0]),
    pattern: new RegExp(`^/${route.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  }));

it('requests.http has a call for every route of the API, and no call without a route', () => {
  const routeOf = (call: (typeof calls)[number]) =>
    routes.find(({ method, pattern }) => method === call.method && pattern.test(call.path))?.name;
  const called = new Set(calls.map(routeOf));
  expect(calls.filter((call) => routeOf(call) === undefined)).toEqual([]);
  expect(routes.map(({ name }) => name).filter((name) => !called.has(name))).toEqual([]);
});
