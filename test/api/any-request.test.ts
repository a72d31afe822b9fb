import fc from 'fast-check';
import { expect, it } from 'vitest';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { absentId, createApi, DOMAIN, OPERATOR_KEY, TENANT_ID } from '../support/api.ts';

/** How many requests are sent in all. More with `RUNS=10000 npx vitest run test/api/any-request.test.ts`. */
const REQUESTS = Number(process.env.RUNS ?? 1_000);
const REQUESTS_PER_WORLD = 20;

const hostileText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme-composite' }),
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '\ud800',
    '../..',
    '%00',
    "'; --",
    '__proto__',
    'constructor',
    'null',
    'NaN',
    '-1',
    '1e999',
  ),
  fc.nat(2_000).map((length) => 'x'.repeat(length)),
);

const hostileJson = fc.oneof(
  hostileText,
  fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }),
  fc.constantFrom(null, true, 0, -1, 1.5, 1e308, Number.MAX_SAFE_INTEGER, [], {}, [[]], [null], { toString: 1 }),
  fc.integer(),
  fc.array(fc.integer(), { minLength: 100, maxLength: 1_200 }),
);

/** A valid value of each field, of every body. */
const goodFields: Record<string, fc.Arbitrary<unknown>> = {
  name: fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
  mailboxSlots: fc.nat(50),
  role: fc.constantFrom('operator', 'owner', 'member', 'viewer'),
  expiresAt: fc.constantFrom('2027-01-01T00:00:00Z', '2027-01-01T00:00:00.123+14:00'),
  tenant: fc.constantFrom(DOMAIN, TENANT_ID, 'nobody.example'),
  clientId: fc.uuid(),
  clientSecret: fc.constantFrom(GOOD_SECRET, 'another value'),
  clientSecretExpiresAt: fc.constantFrom('2026-06-05T00:00:00Z', '2030-01-01T00:00:00Z', '9999-12-31T23:59:59Z'),
  cloud: fc.constantFrom('global', 'usgov'),
  probes: fc.subarray(['graph.readWrite', 'graph.send', 'imap', 'smtp'], { minLength: 1 }),
  sendProbe: fc.constantFrom('noDelivery', 'selfAddressed'),
  defaultMailbox: fc.constantFrom(`user1@${DOMAIN}`, 'user2@bücher.example'),
  offLimits: fc.array(fc.emailAddress(), { minLength: 1, maxLength: 3 }),
  inScope: fc.constantFrom(`user1@${DOMAIN}`),
  grantsJustChanged: fc.constant(true),
  mailboxes: fc.array(
    fc.record(
      { address: fc.oneof(fc.emailAddress(), hostileText), dailyLimit: fc.integer() },
      { requiredKeys: ['address'] },
    ),
    { minLength: 1, maxLength: 5 },
  ),
};

const registration = ['name', 'tenant', 'clientId', 'clientSecret', 'clientSecretExpiresAt'];

/** The fields of each route that takes a body: those it needs, and those it also takes. */
const bodies: Record<string, { needs: string[]; takes: string[] }> = {
  'customers-create': { needs: ['name', 'mailboxSlots'], takes: [] },
  'customers-update': { needs: [], takes: ['name', 'mailboxSlots'] },
  'api-keys-create': { needs: ['name', 'role'], takes: ['expiresAt'] },
  'connections-create': { needs: registration, takes: ['cloud', 'probes', 'sendProbe', 'defaultMailbox'] },
  'connections-update': {
    needs: [],
    takes: [
      ...['name', 'defaultMailbox', 'probes', 'sendProbe', 'grantsJustChanged'],
      ...['clientId', 'clientSecretExpiresAt'],
    ],
  },
  'connections-replace-client-secret': { needs: ['clientSecret', 'clientSecretExpiresAt'], takes: [] },
  'connections-scope-check': { needs: ['offLimits'], takes: ['inScope'] },
  'imports-create': { needs: ['mailboxes'], takes: [] },
};

const queryNames = [
  'limit',
  'cursor',
  'status',
  'verdict',
  'state',
  'dryRun',
  'withinDays',
  'tenant',
  'error',
  'purge',
];
const goodQuery = fc.constantFrom('1', '500', 'true', 'false', 'pending', 'active', 'failed', 'passed', TENANT_ID);

const visible = fc.string({ unit: fc.constantFrom(...'aZ09"\\/,;:*= -_.%\'<>()[]{}|~') });

type Body = { raw: string | Uint8Array; type: string } | undefined;

const csv = fc
  .array(fc.array(fc.oneof(fc.emailAddress(), fc.constant('"'), hostileText), { maxLength: 3 }), { maxLength: 4 })
  .map((rows) => `email,name,limit\n${rows.map((row) => row.join(',')).join('\n')}`);
const form = fc
  .tuple(fc.constantFrom('file', 'File', '', '__proto__'), csv)
  .map(([name, text]) => `--b\r\ncontent-disposition: form-data; name="${name}"; filename="a"\r\n\r\n${text}\r\n--b--`);

function bodyOf(name: string): fc.Arbitrary<Body> {
  const { needs, takes } = bodies[name] ?? { needs: [], takes: [] };
  const good = fc.record(
    Object.fromEntries([...needs, ...takes].map((field) => [field, goodFields[field] ?? hostileJson])),
    { requiredKeys: needs },
  );
  const bad = fc
    .tuple(
      good,
      fc.dictionary(fc.constantFrom(...needs, ...takes, 'surprise', '__proto__', 'constructor'), hostileJson),
    )
    .map(([one, other]) => Object.assign({}, one, other));
  const json = fc.oneof({ weight: 8, arbitrary: good }, { weight: 3, arbitrary: bad }, hostileJson);
  if (!bodies[name])
    return fc.option(
      json.map((value) => ({ raw: JSON.stringify(value), type: 'application/json' })),
      { freq: 2, nil: undefined },
    );
  return fc.oneof(
    { weight: 12, arbitrary: json.map((value) => ({ raw: JSON.stringify(value), type: 'application/json' })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(json, fc.nat())
        .map(([value, at]) => ({ raw: JSON.stringify(value).slice(at % 50), type: 'application/json' })),
    },
    { weight: 1, arbitrary: csv.map((raw) => ({ raw, type: 'text/csv' })) },
    { weight: 1, arbitrary: form.map((raw) => ({ raw, type: 'multipart/form-data; boundary=b' })) },
    { weight: 1, arbitrary: fc.record({ raw: fc.oneof(hostileText, fc.uint8Array()), type: visible }) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
}

// Pages answer with HTML; their own tests cover them.
const routes = createApi().routes.filter(({ route }) => route?.startsWith('v1/'));

const anyRequest = fc.constantFrom(...routes).chain((route) =>
  fc.record({
    route: fc.constant(route),
    /** For each parameter of the path, an ID that an earlier answer held (by its age), or another text. */
    params: fc.array(
      fc.oneof(
        { weight: 12, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.nat(2) },
        { weight: 1, arbitrary: hostileText },
      ),
      {
        minLength: 2,
        maxLength: 2,
      },
    ),
    query: fc.oneof(
      { weight: 3, arbitrary: fc.constant({} as Record<string, string>) },
      fc.dictionary(fc.oneof(fc.constantFrom(...queryNames), hostileText), fc.oneof(goodQuery, hostileText)),
    ),
    body: route.methods?.[0] === 'GET' ? fc.constant(undefined) : bodyOf(route.name),
    who: fc.constantFrom('operator', 'operator', 'operator', 'operator', 'owner', 'owner', 'owner', 'viewer', 'nobody'),
    actsFor: fc.oneof({ weight: 9, arbitrary: fc.constant('customer') }, visible),
    headers: fc.oneof(
      { weight: 3, arbitrary: fc.constant({} as Record<string, string>) },
      fc.dictionary(
        fc.constantFrom('idempotency-key', 'if-match', 'if-none-match', 'content-encoding', 'authorization', 'x-other'),
        fc.oneof(fc.constantFrom('*', 'one', '"x"', 'W/"x"', 'identity', 'gzip'), visible),
        { maxKeys: 1 },
      ),
    ),
  }),
);

type AnyRequest = typeof anyRequest extends fc.Arbitrary<infer One> ? One : never;

const kinds: Record<string, string> = { customerId: 'cust', connectionId: 'conn', importId: 'imp', keyId: 'key' };

/** Sends the requests to one new app, each with IDs and cursors that the answers before it held. */
async function play(requests: AnyRequest[]) {
  const api = createApi();
  const { id, key } = await api.customer();
  const keys: Record<string, string | undefined> = {
    operator: OPERATOR_KEY,
    owner: key,
    viewer: await api.keyFor(id, 'viewer'),
  };
  const registered = await api.request('POST', '/v1/connections', {
    key,
    body: {
      name: 'Tailspin',
      tenant: DOMAIN,
      clientId: '8f14e45f-ceea-467a-9b36-34f6c3bb1d2a',
      clientSecret: GOOD_SECRET,
      clientSecretExpiresAt: '2027-06-01T00:00:00Z',
    },
  });
  const { id: connectionId } = (await registered.json()) as { id: string };
  await api.request('POST', `/v1/connections/${connectionId}/test`, { key });
  const started = await api.request('POST', `/v1/connections/${connectionId}/imports`, {
    key,
    body: { mailboxes: [{ address: `user1@${DOMAIN}` }] },
  });
  const { id: importId } = (await started.json()) as { id: string };
  const seen: string[] = [id, connectionId, importId];
  let cursor: string | undefined;
  for (const { route, params, query, body, who, actsFor, headers } of requests) {
    const names = [...(route.route ?? '').matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    const idOf = (name: string, chosen: string | number | undefined) => {
      if (typeof chosen === 'string') return chosen;
      if (name === 'address') return `user1@${DOMAIN}`;
      const kind = kinds[name] ?? 'x';
      return seen.filter((one) => one.startsWith(`${kind}_`)).at(-1 - (chosen ?? 0)) ?? absentId(kind);
    };
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) search.set(name, value.toWellFormed());
    if (cursor !== undefined && search.has('cursor')) search.set('cursor', cursor);
    const apiKey = keys[who];
    const response = await api.requestWith(
      route.name,
      Object.fromEntries(names.map((name, i) => [name, idOf(name, params[i])])),
      {
        query: `?${search}`,
        ...(apiKey !== undefined && { key: apiKey }),
        ...(body && { raw: body.raw }),
        headers: {
          ...(body && { 'content-type': body.type }),
          ...(who === 'operator' && { 'muster-customer': actsFor === 'customer' ? id : actsFor }),
          ...headers,
        },
      },
    );
    const text = await response.text();
    const about = `${route.name} ${response.status} ${text.slice(0, 300)} ${api.logs.at(-2)?.text.slice(0, 600)}`;
    expect(response.status, about).toBeLessThan(500);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    // The pages for people are HTML, whatever their status.
    if (response.status >= 400 && route.route?.startsWith('v1/')) {
      expect(response.headers.get('content-type'), about).toBe('application/problem+json');
      expect(JSON.parse(text), about).toMatchObject({ status: response.status, code: expect.any(String) });
      expect(text.length, about).toBeLessThan(40_000);
    }
    if (response.headers.get('content-type') !== 'application/json') continue;
    seen.push(...[...text.matchAll(/"id":"([a-z]+_[0-9a-z]+)"/g)].map(([, one = '']) => one));
    cursor = (JSON.parse(text) as { nextCursor?: string }).nextCursor ?? cursor;
  }
}

it(
  `${REQUESTS} requests of any kind, and none of them is answered with a 5xx`,
  async () => {
    const requests = fc.array(anyRequest, {
      minLength: REQUESTS_PER_WORLD,
      maxLength: REQUESTS_PER_WORLD,
      size: 'max',
    });
    await fc.assert(fc.asyncProperty(requests, play), { numRuns: Math.ceil(REQUESTS / REQUESTS_PER_WORLD) });
  },
  60_000 + REQUESTS * 30,
);
