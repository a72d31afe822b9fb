import { beforeEach, describe, expect, it } from 'vitest';
import { knownAadsts } from '../../../local/microsoft365/entra/aadsts.ts';
import { entraCodes } from '../../../shared/causes/entra-codes.ts';
import { type EntraRefusalRow, expectEntraRefusal } from '../../support/entra-refusal.ts';
import { type SimulatorClient, startSimulatedTenant } from '../../support/simulator-client.ts';
import { type AppInput, wingtip, wingtipApp, wingtipTenant } from '../../support/wingtip.ts';

const unknownTenant = '00000000-feed-4bad-8bad-000000000404';
const correlationId = '0f7c1d52-83be-4a61-9d47-2b5e6a90c3f8';

const client = await startSimulatedTenant();
beforeEach(() => client.put(wingtipTenant()));

const putApp = (app: Partial<AppInput>, more = {}) => client.put(wingtipTenant({ apps: [wingtipApp(app)], ...more }));

const badRequest = { error: 'invalid_request', status: 400 };
const invalidClient = { error: 'invalid_client', status: 401 };
const invalidScope = { error: 'invalid_scope', status: 400 };
const transient = { error: 'temporarily_unavailable', status: 503 };
const unauthorized = { error: 'unauthorized_client', status: 400 };
const invalidGrant = { error: 'invalid_grant', status: 400 };

const federated = (claim: string): EntraRefusalRow => ({
  ...invalidClient,
  start: `No matching federated identity record found for presented assertion ${claim} `,
});

/** The refusal for each AADSTS number. */
const rows: Record<number, EntraRefusalRow> = {
  7000215: {
    ...invalidClient,
    start:
      'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app ',
  },
  7000222: {
    ...invalidClient,
    start: `The provided client secret keys for app '${wingtip.clientId}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, `,
  },
  700016: {
    ...unauthorized,
    start: `Application with identifier '${wingtip.clientId}' was not found in the directory '${wingtip.id}'. `,
  },
  7000229: {
    ...invalidClient,
    start: `The client application ${wingtip.clientId} is missing service principal in the tenant ${wingtip.id}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119`,
  },
  700011: unauthorized,
  700038: { ...unauthorized, start: `${wingtip.clientId} is not a valid application identifier.`, withoutUri: true },
  90002: {
    error: 'invalid_tenant',
    status: 400,
    start: `Tenant '${wingtip.id}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. `,
  },
  900023: badRequest,
  90038: badRequest,
  900432: badRequest,
  900382: badRequest,
  7000112: unauthorized,
  1000031: unauthorized,
  53003: {
    ...invalidGrant,
    start: 'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.',
  },
  530032: invalidGrant,
  530035: invalidGrant,
  65001: invalidGrant,
  500011: {
    error: 'invalid_resource',
    status: 400,
    start: 'The resource principal named https://graph.microsoft.com/.default was not found in the tenant named ',
  },
  650052: { error: 'invalid_client', status: 400 },
  650056: { error: 'invalid_client', status: 400 },
  650057: { error: 'invalid_resource', status: 400 },
  70011: invalidScope,
  700022: invalidScope,
  28000: invalidScope,
  28002: invalidScope,
  7000218: {
    ...invalidClient,
    start: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  },
  700027: invalidClient,
  700023: invalidClient,
  700024: invalidClient,
  700021: invalidClient,
  700211: federated('issuer'),
  700212: federated('audience'),
  700213: federated('subject'),
  70025: {
    ...invalidClient,
    start: `The client '${wingtip.clientId}' has no configured federated identity credentials`,
  },
  50013: invalidClient,
  54005: invalidGrant,
  70008: invalidGrant,
  70000: invalidGrant,
  700005: invalidGrant,
  501481: invalidGrant,
  50148: invalidGrant,
  500112: invalidClient,
  700229: { error: 'invalid_client', status: 400 },
  700025: invalidClient,
  50034: invalidGrant,
  50196: { error: 'invalid_grant', status: 429, retryAfter: '60' },
  90055: { error: 'temporarily_unavailable', status: 429, retryAfter: '60' },
  90013: badRequest,
  90014: badRequest,
  900144: badRequest,
  90023: badRequest,
  9002313: badRequest,
  90100: badRequest,
  90056: badRequest,
  70003: {
    error: 'unsupported_grant_type',
    status: 400,
    start: "The app requested an unsupported grant type '",
    withoutUri: true,
  },
  9001023: badRequest,
  1002016: badRequest,
  50128: badRequest,
  50059: badRequest,
  90019: badRequest,
  50033: transient,
  90006: transient,
  90012: transient,
  90024: transient,
  90033: transient,
  90090: transient,
  50000: transient,
};
function rowOf(code: number, more: Partial<EntraRefusalRow> = {}): EntraRefusalRow {
  const row = rows[code];
  if (!row) throw new Error(`No row for AADSTS${code}.`);
  return { ...row, ...more };
}

describe('a scenario can name the error of an app:', () => {
  it.each(Object.keys(rows).map(Number))('AADSTS%i', async (code) => {
    putApp({ tokenError: `AADSTS${code}` });
    expectEntraRefusal(await client.askToken(), code, rowOf(code));
  });

  it('the cases above cover every number that the simulator or Muster knows', () => {
    const covered = new Set(Object.keys(rows));
    expect(knownAadsts.filter((code) => !covered.has(String(code)))).toEqual([]);
    const named = Object.keys(entraCodes).filter((code) => code.startsWith('AADSTS'));
    expect(named.filter((code) => !covered.has(code.slice('AADSTS'.length)))).toEqual([]);
  });

  it('an unknown number is a plain refusal', async () => {
    putApp({ tokenError: 999_999 });
    expectEntraRefusal(await client.askToken(), 999_999, badRequest);
  });

  it('throttled has a Retry-After of 60, of the seconds in the scenario, or none', async () => {
    putApp({ tokenError: 'throttled' });
    expectEntraRefusal(await client.askToken(), 90055, rowOf(90055));
    putApp({ tokenError: 'throttled' }, { throttle: { retryAfterSeconds: 7 } });
    expectEntraRefusal(await client.askToken(), 90055, rowOf(90055, { retryAfter: '7' }));
    putApp({ tokenError: 'throttled' }, { throttle: { omitRetryAfter: true } });
    const { retryAfter: _, ...withoutRetryAfter } = rowOf(90055);
    expectEntraRefusal(await client.askToken(), 90055, withoutRetryAfter);
  });

  it('down is a transient error', async () => {
    putApp({ tokenError: 'down' });
    expectEntraRefusal(await client.askToken(), 90033, transient);
  });
});

describe('a request is refused for', () => {
  type TokenRequest = Parameters<SimulatorClient['askToken']>;
  const expired = [{ value: wingtip.clientSecret, expiresAt: '2026-01-01T00:00:00Z' }];
  const zeroId = '00000000-0000-0000-0000-000000000000';
  const graph = 'https://graph.microsoft.com/.default';
  const exchange = 'https://outlook.office365.com/.default';
  const unknownApp = 'c3f6b9e4-8d50-4b7a-9e2f-90410d7c6e83';
  const cases: [string, number, TokenRequest, Partial<EntraRefusalRow>?, Partial<AppInput>?, object?][] = [
    ['a wrong secret', 7000215, [{ client_secret: 'guess' }]],
    ['an app without a secret', 7000215, [], {}, { secrets: [] }],
    ['an expired secret', 7000222, [], {}, { secrets: expired }],
    ['a wrong secret when the right one has expired', 7000215, [{ client_secret: 'x' }], {}, { secrets: expired }],
    [
      'an app that the tenant does not know',
      700016,
      [{ client_id: unknownApp }],
      { start: `Application with identifier '${unknownApp}'` },
    ],
    ['an app without a service principal in the tenant', 7000229, [], {}, { consent: 'absent' }],
    ['an invalid app id', 700038, [{ client_id: 'outreach' }], { start: 'outreach is not a valid' }],
    ['an app id of zeros', 700038, [{ client_id: zeroId }], { start: `${zeroId} is not a valid` }],
    ['an unknown tenant', 90002, [{}, { tenant: unknownTenant }], { start: `Tenant '${unknownTenant}' not found.` }],
    ['an unknown domain', 90002, [{}, { tenant: 'nobody.example' }], { start: "Tenant 'nobody.example' not found." }],
    ['a tenant that is neither an id nor a domain', 900023, [{}, { tenant: 'wingtip' }]],
    ['a disabled app', 7000112, [], {}, { enabled: false }],
    [
      'a service that the tenant does not have',
      500011,
      [{ scope: exchange }],
      { start: 'The resource principal named https://outlook.office365.com was not found' },
      {},
      { missingResources: ['https://outlook.office365.com'] },
    ],
    [
      'an unknown resource',
      500011,
      [{ scope: 'https://nowhere.example/.default' }],
      { start: 'The resource principal named https://nowhere.example was not found' },
    ],
    ['a scope that names one permission', 70011, [{ scope: 'https://graph.microsoft.com/Mail.Send' }]],
    ['two resources', 28000, [{ scope: `${graph} ${exchange}` }]],
    ['no secret', 7000218, [{ client_secret: undefined }]],
    ['an invalid assertion', 700027, [{ client_secret: undefined, client_assertion: 'x' }]],
    [
      'another grant type',
      70003,
      [{ grant_type: 'password' }],
      { start: "The app requested an unsupported grant type 'password'." },
    ],
    ['no grant type', 900144, [{ grant_type: undefined }]],
    ['no app id', 900144, [{ client_id: undefined }]],
    ['no scope', 900144, [{ scope: undefined }]],
    ['/common', 9001023, [{}, { tenant: 'common' }]],
    ['/consumers', 9001023, [{}, { tenant: 'consumers' }]],
    ['/organizations', 50059, [{}, { tenant: 'organizations' }]],
  ];
  it.each(cases)('%s: AADSTS%i', async (_, code, request, row = {}, app = {}, more = {}) => {
    putApp(app, more);
    const { start: __, ...usual } = rowOf(code);
    expectEntraRefusal(await client.askToken(...request), code, { ...usual, ...row });
  });
});

it('returns the caller’s correlation id', async () => {
  const headers = { 'client-request-id': correlationId };
  const result = await client.askToken({ client_secret: 'guess' }, { headers });
  expect(result.body.correlation_id).toBe(correlationId);
});

it('accepts id and secret in a Basic header', async () => {
  const authorization = (secret: string) =>
    `Basic ${Buffer.from(`${wingtip.clientId}:${encodeURIComponent(secret)}`).toString('base64')}`;
  const fields = { client_id: undefined, client_secret: undefined };
  const right = await client.askToken(fields, { headers: { authorization: authorization(wingtip.clientSecret) } });
  expect(right.status).toBe(200);
  const wrong = await client.askToken(fields, { headers: { authorization: authorization('100%') } });
  expectEntraRefusal(wrong, 7000215, rowOf(7000215));
});
