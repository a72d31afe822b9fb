import { describe, expect, it } from 'vitest';
import { timerNames } from '../../shared/health/timers.ts';
import { poisonQueues, queues as queueNames } from '../../shared/kernel/storage-names.ts';
import { createApi } from '../support/api.ts';

/** The public routes. Add a new one here by hand. */
const open = [
  'health-get',
  'health-ready',
  'consent-callback',
  'consent-sign-in',
  'consent-confirm',
  'openapi-get',
  'docs-page',
  'docs-asset',
  'problem-page',
  'unknown-route',
];

/** Routes for operators only. */
const operatorOnly = ['customers-create', 'customers-list', 'customers-restore'];

// The app and this test register the same list of functions, so no route can be missing here.
const { routes, queues, timers } = createApi();
const pathOf = (route: string | undefined) => `/${route?.replaceAll(/\{\w+\}/g, 'some_id')}`;

it('registers every route once, with one method and no key of the Functions host', () => {
  expect(new Set(routes.map(({ name }) => name)).size).toBe(routes.length);
  expect(routes.filter(({ authLevel }) => authLevel !== 'anonymous')).toEqual([]);
  const severalMethods = routes.filter(({ methods }) => methods?.length !== 1).map(({ name }) => name);
  expect(severalMethods).toEqual(['unknown-route']);
  expect(routes.map(({ name }) => name)).toEqual(expect.arrayContaining([...open, ...operatorOnly]));
});

it('names every function in kebab-case, and each queue function like its queue', () => {
  const expected = [...Object.values(queueNames), ...Object.values(poisonQueues)].sort();
  expect(queues.map(({ name }) => name).sort()).toEqual(expected);
  for (const { name, queueName } of queues) expect(name).toBe(queueName);
  // The heartbeats tell of each of them whether it is late.
  expect(timerNames.toSorted()).toEqual(timers.map(({ name }) => name).sort());
  expect(timers.map(({ name }) => name).sort()).toEqual([
    'find-expiring-secrets',
    'reconcile-slots',
    'remove-expired-data',
    'remove-orphaned-secrets',
    'reverify-mailboxes',
    'sweep-deletions',
    'sweep-directories',
    'sweep-events',
    'sweep-imports',
    'tidy-up',
    'watch-queues',
  ]);
  for (const { name } of [...routes, ...queues, ...timers]) expect(name).toMatch(/^[a-z]+(-[a-z]+)+$/);
});

describe.each(routes.filter(({ name }) => !open.includes(name)).map((route) => [route.name, route] as const))(
  '%s',
  (name, route) => {
    const method = route.methods?.[0] ?? 'GET';
    const path = pathOf(route.route);

    it('401: refuses a missing, malformed or wrong key', async () => {
      const api = createApi();
      const { key } = await api.customer();
      for (const headers of [{}, { authorization: 'Bearer nonsense' }, { authorization: `Basic ${key}` }]) {
        const response = await api.request(method, path, { headers });
        expect(response.status).toBe(401);
        expect(response.headers.get('www-authenticate')).toBe('Bearer');
        expect(await response.json()).toMatchObject({ code: 'unauthenticated', requestId: expect.any(String) });
      }
      expect(
        (await api.request(method, path, { key: `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}` })).status,
      ).toBe(401);
    });

    if (method !== 'GET') {
      it('403: refuses a viewer’s key', async () => {
        const api = createApi();
        const { key } = await api.customer({ role: 'viewer' });
        const response = await api.request(method, path, { key });
        expect(response.status).toBe(403);
        expect(await response.json()).toMatchObject({ code: 'forbidden' });
      });
    }

    if (operatorOnly.includes(name)) {
      it('403: refuses an owner’s key', async () => {
        const api = createApi();
        const { key } = await api.customer({ role: 'owner' });
        expect((await api.request(method, path, { key })).status).toBe(403);
      });
    }

    it('503: answers with Retry-After if storage is unavailable', async () => {
      const api = createApi();
      const { key } = await api.customer();
      const { DomainError } = await import('../../shared/kernel/errors.ts');
      api.deps.apiKeyStore.get = async () => {
        throw new DomainError('storage_unavailable', 'Unavailable.', { retryAfterSeconds: 5 });
      };
      const response = await api.request(method, path, { key });
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('5');
    });
  },
);
