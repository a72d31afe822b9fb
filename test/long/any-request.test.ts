import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { idOfInstant } from '../../shared/kernel/ids.ts';
import { type AnyRequest, anyRequestOf, type Document, type Who } from '../support/fuzz/any-request.ts';
import type { KnownValues } from '../support/fuzz/arbitrary-of-schema.ts';
import { createInputCheck, expectTrueAnswer } from '../support/fuzz/expect-true-answer.ts';
import { sendExact } from '../support/fuzz/send-exact.ts';
import { createDocumentCheck } from '../support/openapi-check.ts';
import { plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

/** How many requests are sent in all. More with `RUNS=10000 npm run test:long -- any-request`. */
const REQUESTS = Number(process.env.RUNS ?? 3_000);
/** Requests to one customer, one after the other. Then its data has become too strange, or it is deleted. */
const REQUESTS_PER_WORLD = 50;
/** A run prints its seed. `SEED=…` repeats it. */
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_000);

const unlimited = '1000000';
const running = useRunningStack(plainTenant(5), {
  settings: {
    // Refusals for their number would hide all other answers.
    REQUESTS_PER_KEY: unlimited,
    REQUESTS_PER_CUSTOMER: unlimited,
    CONNECTION_TESTS_PER_MINUTE: unlimited,
    CERTIFICATES_PER_MINUTE: unlimited,
    FAILED_KEYS_PER_MINUTE: unlimited,
    PUBLIC_REQUESTS_PER_MINUTE: unlimited,
  },
});

/** An offset moves them out of the years with four digits. */
const edges = ['9999-12-31T23:59:59-14:00', '0000-01-01T00:00:00+14:00'];
const known: KnownValues = {
  tenant: fc.constantFrom(tenant.domain, tenant.id, 'nobody.example'),
  clientId: fc.oneof(fc.constant(tenant.clientId), fc.uuid()),
  clientSecret: fc.constantFrom(tenant.clientSecret, tenant.clientSecret, 'another value'),
  clientSecretExpiresAt: fc.constantFrom(
    '2035-12-31T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '2020-01-01T00:00:00Z',
    ...edges,
  ),
  expiresAt: fc.constantFrom('2035-01-01T00:00:00Z', '2035-01-01T00:00:00.123+14:00', ...edges),
  from: fc.constantFrom('2020-01-01T00:00:00Z', ...edges),
  cloud: fc.constantFrom('simulator', 'simulator', 'simulator', 'simulator', 'global'),
  address: fc.constantFrom(`user1@${tenant.domain}`, `User2@${tenant.domain}`, 'nobody@bücher.example'),
  defaultMailbox: fc.constantFrom(`user1@${tenant.domain}`, 'nobody@bücher.example'),
  mailboxSlots: fc.nat(1_000),
  action: fc.constantFrom('connections.create', 'customers.update'),
  dryRun: fc.constantFrom('true', 'false'),
  cursor: fc.constant('CURSOR'),
};

let apiUrl: string;
let document: Document;
let check: ReturnType<typeof createDocumentCheck>;
let input: ReturnType<typeof createInputCheck>;

beforeAll(async () => {
  apiUrl = running.stack.local().apiUrl;
  document = (await (await fetch(new URL('/v1/openapi.json', apiUrl))).json()) as Document;
  check = createDocumentCheck(document as object);
  // The module is CommonJS: its default export is the namespace for TypeScript.
  input = createInputCheck(document, addFormatsModule.default(new Ajv2020({ strict: false })));
});

/** A customer with a key for each role, a connection and an import. */
async function createWorld() {
  const { operator, stack } = running;
  const { operatorKey } = stack.local();
  const customer = await operator.expect<{ id: string }>(201, 'POST', '/v1/customers', {
    body: { name: 'Any', mailboxSlots: 1_000 },
  });
  const keys: Record<Who, string | undefined> = {
    operator: operatorKey,
    owner: undefined,
    member: undefined,
    viewer: undefined,
    nobody: undefined,
  };
  for (const role of ['owner', 'member', 'viewer'] as const) {
    const body = { name: role, role };
    const path = `/v1/customers/${customer.id}/api-keys`;
    keys[role] = (await operator.expect<{ key: string }>(201, 'POST', path, { body })).key;
  }
  const owner = operator.as(keys.owner ?? '');
  const { id: _id, domain, ...credentials } = tenant;
  const connection = await owner.expect<{ id: string }>(201, 'POST', '/v1/connections', {
    body: {
      name: 'Tailspin',
      tenant: domain,
      ...credentials,
      clientSecretExpiresAt: '2035-12-31T00:00:00Z',
      cloud: 'simulator',
    },
  });
  await owner.expect(200, 'POST', `/v1/connections/${connection.id}/test`);
  const started = await owner.expect<{ id: string }>(202, 'POST', `/v1/connections/${connection.id}/imports`, {
    body: { mailboxes: [1, 2, 3].map((n) => ({ address: `user${n}@${domain}` })) },
  });
  return { customerId: customer.id, keys, seen: [customer.id, connection.id, started.id] };
}

const kinds: Record<string, string> = { customerId: 'cust', connectionId: 'conn', importId: 'imp', keyId: 'key' };
const statuses: Record<string, number> = {};
const refusedAlthoughDocumented: Record<string, number> = {};

async function play(requests: AnyRequest[]): Promise<void> {
  let world = await createWorld();
  let cursor = 'none';
  for (const sent of requests) {
    const { operation, params, query, body, who } = sent;
    const idOf = (name: string, chosen: string | number | undefined) => {
      if (typeof chosen === 'string') return chosen.toWellFormed();
      if (name === 'address') return `user${(chosen ?? 0) + 1}@${tenant.domain}`;
      const kind = kinds[name] ?? 'x';
      const found = world.seen.filter((one) => one.startsWith(`${kind}_`)).at(-1 - (chosen ?? 0));
      return found ?? idOfInstant('cust', new Date(0)).replace('cust', kind);
    };
    const ids = operation.pathNames.map((name, at) => [name, encodeURIComponent(idOf(name, params[at]))] as const);
    const plain = ids.reduce((path, [name, id]) => path.replace(`{${name}}`, () => id), operation.template);
    const search = query.map(([name, value]) => {
      const real = name === 'cursor' && value === 'CURSOR' ? cursor : value;
      return `${encodeURIComponent(name)}=${encodeURIComponent(real)}`;
    });
    const path = sent.twist(plain) + (search.length > 0 ? `?${search.join('&')}` : '');
    const key = world.keys[who];
    const answer = await sendExact(apiUrl, {
      method: sent.method,
      path,
      ...(body && { body: body.raw }),
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(who === 'operator' && { 'muster-customer': world.customerId }),
        ...(body?.type !== undefined && { 'content-type': body.type }),
        ...sent.headers,
      },
    }).catch((cause) => {
      throw new Error(`${sent.method} ${path} ${JSON.stringify({ ...sent.headers, body })} got no answer`, { cause });
    });
    try {
      expectTrueAnswer(sent, path, answer, check, input);
    } catch (error) {
      const requestId = answer.headers.get('x-request-id') ?? 'none';
      console.log(running.stack.logs.filter((line) => line.includes(requestId)).join('\n'));
      throw error;
    }
    note(sent, plain === path.split('?')[0], answer);
    const type = answer.headers.get('content-type') ?? '';
    if (!type.includes('json') || type.includes('ndjson') || answer.text === '') continue;
    const found = [...answer.text.matchAll(/"id":"((?:conn|imp|key)_[0-9a-z]+)"/g)].map(([, id = '']) => id);
    world.seen.push(...found.filter((id) => !world.seen.includes(id)));
    cursor = (JSON.parse(answer.text) as { nextCursor?: string }).nextCursor ?? cursor;
    const isGone = (await running.operator.call('GET', `/v1/customers/${world.customerId}`)).status === 404;
    if (isGone) world = await createWorld();
  }
}

/** Counts what was answered, and which requests are refused although the document allows them. */
function note(
  { operation, method, query, body, headers }: AnyRequest,
  isPlain: boolean,
  { status, text }: Awaited<ReturnType<typeof sendExact>>,
): void {
  statuses[status] = (statuses[status] ?? 0) + 1;
  if (status !== 400 || method !== operation.method || !isPlain || Object.keys(headers).length > 0) return;
  if (!text.startsWith('{')) return;
  const isDocumented =
    (operation.json === undefined) === (body === undefined) &&
    (body === undefined || 'value' in body) &&
    (body === undefined || input.isDocumentedBody(operation, JSON.parse(String(body.raw)))) &&
    input.isDocumentedQuery(operation, query);
  if (!isDocumented) return;
  const { errors = [], detail } = JSON.parse(text) as { detail: string; errors?: { path: string; message: string }[] };
  const why = errors.map(({ path, message }) => `${path} ${message}`)[0] ?? detail;
  const line = `${operation.operationId}: ${why}`;
  refusedAlthoughDocumented[line] = (refusedAlthoughDocumented[line] ?? 0) + 1;
}

it(
  `${REQUESTS} requests of any kind, made from the document, get no 5xx and no answer that it does not have`,
  async () => {
    const requests = fc.array(anyRequestOf(document, known), {
      minLength: REQUESTS_PER_WORLD,
      maxLength: REQUESTS_PER_WORLD,
      size: 'max',
    });
    // Every answer depends on those before it, so a shorter list of requests rarely fails in the same way.
    const numRuns = Math.ceil(REQUESTS / REQUESTS_PER_WORLD);
    const startedAt = performance.now();
    try {
      for (const list of fc.sample(requests, { numRuns, seed: SEED })) await play(list);
    } finally {
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      console.log(JSON.stringify({ seed: SEED, seconds, statuses, refusedAlthoughDocumented }, undefined, 2));
    }
    expect(Object.keys(statuses)).toEqual(expect.arrayContaining(['200', '201', '202', '204', '400', '404', '405']));
  },
  60_000 + REQUESTS * 60,
);
