import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addFunctions, type FunctionDeps } from '../../functions/add-functions.ts';
import { operatorKeys } from '../../shared/adapters/operator-key.ts';
import { createApiKey } from '../../shared/api-keys/create-api-key.ts';
import { createApiKeyVerifier } from '../../shared/api-keys/verify-api-key.ts';
import { createReadiness } from '../../shared/health/readiness.ts';
import { createImportWatches } from '../../shared/imports/events/watch-imports.ts';
import type { LedgerChange } from '../../shared/imports/ledger/ledger.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { createApiDeps, OPERATOR_KEY } from '../support/api.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { openCountedTables } from '../support/counted-tables.ts';
import { createFunctionCaller } from '../support/function-caller.ts';
import {
  aCertificate,
  aClientSecret,
  aConnection,
  aCustomer,
  aMailbox,
  anApiKey,
  anImport,
  aPlan,
  aRow,
  aTally,
  RECORDS_NOW,
} from '../support/records.ts';
import { aDelivery, aWebhook } from '../support/webhook-records.ts';

/**
 * Storage requests that one GET makes, at most, whatever the size of what it is about. Every GET needs a number here.
 *
 * A key that is not cached costs 2: the key, and whether its customer is disabled. An operator that names a customer pays
 * 1 for it. A page of a list costs up to 4, because storage may find nothing in the rows that it scans for one request.
 *
 * Only a report (`readsAll`) costs more for a larger import: one request for 1,000 rows.
 */
const requestsMax: Record<string, { max: number; path: string; concurrentMax?: number; readsAll?: true }> = {
  'health-get': { max: 0, path: '/v1/health' },
  'openapi-get': { max: 0, path: '/v1/openapi.json' },
  'docs-page': { max: 0, path: '/docs' },
  'docs-asset': { max: 0, path: '/docs/assets/unknown' },
  'problem-page': { max: 0, path: '/problems/not_found' },
  'unknown-route': { max: 0, path: '/v1/unknown' },
  // Storage, the heartbeats, and the key of an operator with its customer.
  'health-ready': { max: 5, path: '/v1/health/ready' },
  'consent-sign-in': { max: 4, path: '/v1/consent/sign-in?state=unknown&error=access_denied' },
  'consent-callback': { max: 4, path: '/v1/consent/callback?state=unknown&error=access_denied' },

  // A page of at most 100, and the slots of each.
  'customers-list': { max: 106, path: '/v1/customers?limit=500', concurrentMax: 16 },
  'customers-get': { max: 4, path: '/v1/customers/cust_1' },
  'api-keys-list': { max: 7, path: '/v1/customers/cust_1/api-keys?limit=500' },
  // Two for the key, one for the customer that an operator names, a page, and perhaps a shorter page.
  'audit-list': { max: 7, path: '/v1/audit?limit=500&action=connections.update' },
  'me-get': { max: 5, path: '/v1/me' },

  // Each queue: its undecided poison messages.
  'operations-queues-list': { max: 87, path: '/v1/operations/queues', concurrentMax: 16 },
  'operations-poison-list': { max: 7, path: '/v1/operations/queues/check-mailbox/poison?limit=500' },
  // The pointers, the marks, and at most 50 imports with their plans and tallies.
  'operations-imports-list': { max: 160, path: '/v1/operations/imports?limit=500', concurrentMax: 48 },
  'operations-heartbeats-list': { max: 3, path: '/v1/operations/heartbeats' },

  'connections-list': { max: 6, path: '/v1/connections?limit=500' },
  'connections-get': { max: 3, path: '/v1/connections/conn_001' },
  'connections-download-certificate': { max: 3, path: '/v1/connections/conn_001/certificate' },
  'setup-script': { max: 3, path: '/v1/setup-script' },
  // The key, the connection, the import, and five pages of its failed rows, each of which may have to be searched for.
  'connections-setup-script': { max: 29, path: '/v1/connections/conn_001/setup-script?access=imap&importId=imp_299' },
  // A page of at most 50, and the connection of each.
  'expiring-secrets-list': { max: 56, path: '/v1/expiring-secrets?limit=500&withinDays=3650', concurrentMax: 16 },

  'expiry-alerts-get': { max: 3, path: '/v1/expiry-alerts' },
  'alert-emails-list': { max: 6, path: '/v1/expiry-alerts/emails?limit=500&status=failed' },
  'alert-emails-get': { max: 3, path: '/v1/expiry-alerts/emails/evt_001' },
  'webhooks-list': { max: 6, path: '/v1/webhooks?limit=500' },
  'webhooks-get': { max: 3, path: '/v1/webhooks/hook_001' },
  'webhooks-deliveries-list': { max: 7, path: '/v1/webhooks/hook_001/deliveries?limit=500&status=failed' },
  'webhooks-deliveries-get': { max: 4, path: '/v1/webhooks/hook_001/deliveries/evt_001' },

  // The connection, a page, perhaps a shorter page, and the plan and the tallies of at most 20 imports.
  'imports-list': { max: 51, path: '/v1/connections/conn_001/imports?limit=500', concurrentMax: 16 },
  'imports-get': { max: 5, path: '/v1/imports/imp_299' },
  // As for `imports-get`. From then on, one request a second for all who watch the import.
  'imports-events': { max: 5, path: '/v1/imports/imp_299/events' },
  'imports-rows': { max: 7, path: '/v1/imports/imp_299/rows?limit=500&state=failed' },
  // The import, the connection for its name, the first row, and then 600 rows.
  'imports-report-csv': { max: 7, path: '/v1/imports/imp_299/report.csv', readsAll: true },
  'imports-report-json': { max: 7, path: '/v1/imports/imp_299/report.json', readsAll: true },
  'imports-failed-csv': { max: 7, path: '/v1/imports/imp_299/failed.csv', readsAll: true },
  // The key, the import, the plan, the tallies, and ten rows of each explanation that may have been revised.
  'imports-summary': { max: 5, path: '/v1/imports/imp_299/summary' },
  // The connection, a page, perhaps a shorter page, and at most 5 imports that check its mailboxes.
  'mailboxes-list': { max: 12, path: '/v1/connections/conn_001/mailboxes?limit=500&status=failed' },
  // The key, the connection, what was read, a page, which of its mailboxes are connected, and up to 32 to know those that
  // are connected under another address. That is one, up to a thousand mailboxes.
  'directory-list': { max: 44, path: '/v1/connections/conn_001/directory?limit=500&eligible=true' },
  'directory-export-csv': { max: 9, path: '/v1/connections/conn_001/directory.csv', readsAll: true },
  // As for imports.
  'mailbox-actions-list': { max: 51, path: '/v1/connections/conn_001/mailbox-actions?limit=500', concurrentMax: 16 },
  'mailbox-actions-get': { max: 5, path: '/v1/mailbox-actions/act_059' },
  // As for `imports-events`.
  'mailbox-actions-events': { max: 5, path: '/v1/mailbox-actions/act_059/events' },
  'mailbox-actions-rows': { max: 7, path: '/v1/mailbox-actions/act_059/rows?limit=500&state=failed' },
  'mailboxes-get': { max: 5, path: '/v1/connections/conn_001/mailboxes/user2@contoso.example' },
};

const pad = (number: number) => String(number).padStart(3, '0');
const count = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, index) => make(index));

let azurite: Azurite;
let tables: Awaited<ReturnType<typeof openCountedTables>>;
let viewerKey: string;

/** The app in a process that has nothing cached. */
function startApp() {
  const deps = createApiDeps();
  const { isOperatorKey } = operatorKeys(new Secret(OPERATOR_KEY));
  const { stores } = tables;
  const verifierDeps = { ...stores, clock: deps.clock, isOperatorKey };
  const { customers, heartbeats } = stores;
  const caller = createFunctionCaller();
  addFunctions(caller.host, {
    ...deps,
    ...stores,
    importWatches: createImportWatches({ ...stores, clock: deps.clock, sleep: pause, log: () => undefined }),
    apiKeys: createApiKeyVerifier(verifierDeps, { cachedMs: 15_000, unknownCachedMs: 10_000 }),
    readiness: createReadiness({
      clock: deps.clock,
      heartbeats,
      schedulerSilentAfterMs: 900_000,
      parts: { storage: async () => void (await customers.exists('x')), vault: async () => undefined },
    }),
  } satisfies FunctionDeps);
  return { ...caller, deps };
}

beforeAll(async () => {
  azurite = await startAzurite('table');
  tables = await openCountedTables(azurite.connectionString);
  const { stores } = tables;
  const { clock, newId, quotas } = createApiDeps();
  const inGroups = async <T>(items: readonly T[], write: (item: T) => Promise<unknown>) => {
    for (let from = 0; from < items.length; from += 25) await Promise.all(items.slice(from, from + 25).map(write));
  };
  await inGroups(
    count(130, (i) => aCustomer({ id: `cust_${i}` })),
    async (customer) => {
      await stores.slots.open(customer.id, 10);
      await stores.customers.insert(customer);
    },
  );
  await inGroups(
    count(60, (i) => anApiKey({ id: `key_${i}` })),
    (key) => stores.apiKeyStore.insert(key, 100),
  );
  await inGroups(
    count(80, (i) =>
      aConnection({
        id: `conn_${pad(i)}`,
        clientId: `client-${i}`,
        credential: aClientSecret({ expiresAt: new Date(RECORDS_NOW.getTime() + i * 3_600_000) }),
        nextCertificate: aCertificate(),
      }),
    ),
    async (connection) => {
      const { id: connectionId, customerId, credential } = connection;
      await stores.expiryIndex.put({ customerId, connectionId, expiresAt: credential.expiresAt, notedAt: RECORDS_NOW });
      await stores.connections.insert(connection);
    },
  );
  // One after the other: each one counts the others.
  for (const webhook of count(12, (i) => aWebhook({ id: `hook_${pad(i)}` })))
    await stores.webhooks.insert(webhook, 100);
  await inGroups(
    ['hook_001', 'email'].flatMap((webhookId) =>
      count(75, (i) => aDelivery({ id: `evt_${pad(i)}`, webhookId, status: 'failed' })),
    ),
    (delivery) => stores.deliveries.insert(delivery),
  );
  // One after the other: each one counts its rows in the same record of their customer.
  for (const record of count(300, (i) => anImport({ id: `imp_${pad(i)}`, connectionId: 'conn_001' }))) {
    await stores.imports.insert(record);
  }
  for (const action of count(60, (i) => anImport({ id: `act_${pad(i)}`, connectionId: 'conn_001', action: 'check' }))) {
    await stores.imports.insert(action);
  }
  const changes: LedgerChange[] = [
    ...count(600, (i): LedgerChange => ({ op: 'createRow', row: aRow({ importId: 'imp_299', line: i + 2 }) })),
    ...count(
      200,
      (i): LedgerChange => ({ op: 'createMailbox', mailbox: aMailbox({ address: `user${i}@contoso.example` }) }),
    ),
    ...count(8, (i): LedgerChange => ({ op: 'writeTally', tally: aTally({ importId: 'imp_299', writer: `p.${i}` }) })),
  ];
  for (let from = 0; from < changes.length; from += 100) {
    await stores.ledger.commit('conn_001', changes.slice(from, from + 100));
  }
  const directory = { connectionId: 'conn_001', customerId: 'cust_1', round: 'one', readAt: RECORDS_NOW };
  const begun = await stores.directory.put(directory, undefined);
  const entries = count(700, (i) => ({
    ...({ id: `id-${i}`, address: `user${i}@contoso.example`, kind: 'user', isEligible: true } as const),
    ...({ judgement: 'done', round: 'one' } as const),
  }));
  const puts = entries.map((entry) => ({ op: 'put', entry }) as const);
  await stores.directory.commit(directory, directory, begun ?? '', puts);
  const operator = { keyId: 'operator', role: 'operator' } as const;
  const keyDeps = { ...stores, clock, newId, quotas };
  viewerKey = (await createApiKey(keyDeps, operator, 'cust_1', { name: 'viewer', role: 'viewer' })).text;
});
afterAll(() => azurite?.stop());

/** The requests that one GET costs. */
async function costOf(path: string, key: string) {
  const { counter } = tables;
  const app = startApp();
  Object.assign(counter, { requests: 0, writes: 0, concurrent: 0 });
  const headers = key === OPERATOR_KEY ? { 'muster-customer': 'cust_1' } : {};
  const response = await app.request('GET', path, { key, headers });
  const body = response.headers.get('content-type') === 'application/json' ? await response.json() : undefined;
  return { ...counter, status: response.status, body: body as { items?: unknown[]; nextCursor?: string } };
}

it('every GET has a number', () => {
  const gets = startApp().routes.filter(({ methods }) => methods?.includes('GET'));
  expect(gets.map(({ name }) => name).sort()).toEqual(Object.keys(requestsMax).sort());
});

describe.each(Object.entries(requestsMax))('%s', (name, { max, path, concurrentMax = 4, readsAll }) => {
  const isForOperators = name === 'customers-list' || name.startsWith('operations-');

  it.each([
    ['an operator', (): string => OPERATOR_KEY],
    ...(isForOperators || ['api-keys-list', 'audit-list'].includes(name)
      ? []
      : ([['a viewer', (): string => viewerKey]] as const)),
  ] as const)(`costs at most ${max} storage requests: %s`, async (_who, keyOf) => {
    const cost = await costOf(path, keyOf());
    expect(cost.status).toBeLessThan(max === 0 ? 500 : 400);
    expect(cost.requests).toBeLessThanOrEqual(max);
    expect(cost.concurrent).toBeLessThanOrEqual(concurrentMax);
  });

  it.skipIf(readsAll)(`costs at most ${max} storage requests while storage scans and finds nothing`, async () => {
    tables.counter.isScanning = true;
    try {
      const cost = await costOf(
        path,
        isForOperators || ['api-keys-list', 'audit-list'].includes(name) ? OPERATOR_KEY : viewerKey,
      );
      expect(cost.status).toBeLessThan(max === 0 ? 500 : 400);
      expect(cost.requests).toBeLessThanOrEqual(max);
    } finally {
      tables.counter.isScanning = false;
    }
  });
});

it.each(['imports-rows', 'mailboxes-list', 'directory-list', 'imports-list', 'customers-list'])(
  '%s answers a short page with a cursor when it has not found enough yet',
  async (name) => {
    tables.counter.isScanning = true;
    try {
      const { body } = await costOf(requestsMax[name]?.path ?? '', OPERATOR_KEY);
      expect(body.items).toEqual([]);
      expect(body.nextCursor).toEqual(expect.any(String));
    } finally {
      tables.counter.isScanning = false;
    }
  },
);

it.each([
  ['imports-list', 300],
  ['expiring-secrets-list', 80],
  ['customers-list', 130],
  ['directory-list', 700],
])('%s shows everything to a client that follows the cursors', async (name, total) => {
  const path = requestsMax[name]?.path ?? '';
  const seen: string[] = [];
  let cursor = '';
  do {
    const { body }: Awaited<ReturnType<typeof costOf>> = await costOf(`${path}${cursor}`, OPERATOR_KEY);
    for (const item of body.items ?? []) seen.push(JSON.stringify(item));
    cursor = body.nextCursor ? `&cursor=${encodeURIComponent(body.nextCursor)}` : '';
  } while (cursor !== '');
  expect(seen).toHaveLength(total);
  expect(new Set(seen).size).toBe(total);
});

it('a scan of rows comes further while storage searches and finds nothing', async () => {
  tables.counter.isScanning = true;
  try {
    const query = { fromLine: 0, states: ['pending'] as const, limit: 100 };
    const { rows, nextLine } = await tables.stores.ledger.scanRows('conn_001', 'imp_299', query);
    expect(rows.map(({ line }) => line)).toEqual(count(100, (i) => i + 2));
    expect(nextLine).toBe(102);
  } finally {
    tables.counter.isScanning = false;
  }
});

describe('mailboxes by their identity', () => {
  const total = 2_500;
  const keys = count(total, (i) => `object:${createHash('sha256').update(String(i)).digest('hex')}`);
  const addressOf = (i: number) => `m${i}@contoso.example`;

  beforeAll(async () => {
    const changes = keys.flatMap((key, i): LedgerChange[] => [
      { op: 'writeIdentity', identity: { key, address: addressOf(i) } },
      ...(i % 2 ? [] : [{ op: 'createMailbox', mailbox: aMailbox({ address: addressOf(i) }) } as const]),
    ]);
    const parts = count(Math.ceil(changes.length / 100), (part) => changes.slice(part * 100, part * 100 + 100));
    await Promise.all(parts.map((part) => tables.stores.ledger.commit('conn_005', part)));
  });

  it.each([
    ['all of them, where they lie close together', 500, 32, 500],
    ['the first ones, where too much lies between them', 300, 6, undefined],
    ['one at least', 300, 4, undefined],
    ['a few without reading what lies between them', 3, 4, undefined],
  ])('tells %s', async (_what, asked, requestsMax, answered) => {
    const { counter, stores } = tables;
    const absent = count(asked, (i) => `object:absent${i}`);
    const some = keys.slice(0, asked).flatMap((key, i) => (i % 5 ? [key] : [key, absent[i] ?? '']));
    for (let from = 0; from < some.length; ) {
      Object.assign(counter, { requests: 0, concurrent: 0 });
      const rest = some.slice(from);
      const found = await stores.ledger.peekIdentified('conn_005', rest, requestsMax);
      expect(counter.requests).toBeLessThanOrEqual(requestsMax);
      expect(counter.concurrent).toBeLessThanOrEqual(4);
      expect(found.answered).toBeGreaterThanOrEqual(1);
      if (answered !== undefined) expect(found.answered).toBe(some.length);
      const known = rest.slice(0, found.answered);
      const expected = known.filter((key) => keys.indexOf(key) % 2 === 0);
      expect(known.filter((key) => found.mailboxes.has(key))).toEqual(expected);
      from += Math.max(found.answered, Math.ceil(rest.length / 3));
    }
  });
});

it('imports-list costs one request for each page once the imports have ended', async () => {
  const { imports } = tables.stores;
  const counts = { rows: 1, accepted: 1, rejected: 0, duplicates: 0, pending: 0, waiting: 0, passed: 1, failed: 0 };
  for (let i = 0; i < 60; i++) {
    const ended = { status: 'completed', counts: { ...counts, inconclusive: 0, cancelled: 0 } } as const;
    await imports.insert(anImport({ id: `imp_e${pad(i)}`, connectionId: 'conn_002', ...ended }));
  }
  const cost = await costOf('/v1/connections/conn_002/imports?limit=500', viewerKey);
  expect(cost.body.items).toHaveLength(60);
  expect(cost.body.items?.[0]).toMatchObject({ status: 'completed', percent: 100, counts: { passed: 1 } });
  // Two for the key, one for the connection, one for the page.
  expect(cost.requests).toBeLessThanOrEqual(4);
});

it.each([
  ['is being cancelled', { status: 'cancelling', ending: { step: 'cancel', line: 5 } }],
  ['is paused', { status: 'paused', pausedAt: RECORDS_NOW }],
  ['has only its end left', { status: 'running' }],
] as const)(
  'imports-get costs 3 requests beyond the key and changes nothing when the import %s',
  async (_when, change) => {
    const { imports, ledger } = tables.stores;
    const id = `imp_9${change.status}`;
    await imports.insert(anImport({ id, connectionId: 'conn_003', ...change }));
    await ledger.commit('conn_003', [
      { op: 'createPlan', plan: aPlan({ importId: id, accepted: 2, done: true }) },
      { op: 'writeTally', tally: aTally({ importId: id, counts: { failed: 2 } }) },
    ]);
    const before = await imports.get('cust_1', id);
    const cost = await costOf(`/v1/imports/${id}`, viewerKey);
    expect(cost.status).toBe(200);
    expect(cost.requests).toBeLessThanOrEqual(2 + 3);
    expect(cost.writes).toBe(0);
    expect(await imports.get('cust_1', id)).toEqual(before);
  },
);
