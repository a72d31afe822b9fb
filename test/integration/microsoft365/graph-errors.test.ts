import { afterEach, describe, expect, it } from 'vitest';
import { knownErrors } from '../../../local/microsoft365/graph/known-errors.ts';
import { graphCodes } from '../../../shared/causes/graph-codes.ts';
import { type CallName, errorRows } from '../../support/graph-error-rows.ts';
import {
  clientRequestId,
  type ExpectedRefusal,
  expectCommonHeaders,
  expectRefusal,
  outlookJson,
} from '../../support/graph-refusal.ts';
import {
  type ErrorBody,
  type HttpResult,
  type RequestOptions,
  startSimulatedTenant,
} from '../../support/simulator-client.ts';
import { type AppInput, at, wingtip, wingtipApp, wingtipTenant } from '../../support/wingtip.ts';

const apps = {
  usual: wingtip.clientId,
  withoutGrants: 'b2e5a8d3-7c4f-4a69-8d1e-8f309c6b5d72',
  underPolicy: 'c3f6b9e4-8d50-4b7a-9e2f-90410d7c6e83',
  unknownIdentity: 'd407caf5-9e61-4c8b-af30-a1521e8d7f94',
  requiresRoles: 'e518db06-af72-4d9c-b041-b2632f9e80a5',
  changing: 'f629ec17-b083-4ead-8152-c374300f91b6',
} as const;

const unknownMessageId = `AAMkAGI1${'0'.repeat(28)}AAA=`;

const app = (clientId: string, more: Partial<AppInput> = {}) => ({ ...wingtipApp(more), clientId });
/** `changingApp` is what the app `changing` has that differs from the usual. */
const tenant = (changingApp: Partial<AppInput> = {}) =>
  wingtipTenant({
    apps: [
      app(apps.usual, { grants: ['Mail.ReadWrite', 'Mail.Send', 'User.Read.All'] }),
      app(apps.withoutGrants, { grants: ['Calendars.Read'] }),
      app(apps.underPolicy, { accessPolicy: { deny: [at('jane')] } }),
      app(apps.unknownIdentity, { identityMissing: true }),
      app(apps.requiresRoles, { grants: [], refusesRolelessToken: true, rbac: [{ role: 'Mail.Send' }] }),
      app(apps.changing, changingApp),
    ],
    mailboxes: [
      { address: at('jane'), aliases: [at('alias')] },
      { address: at('empty'), fault: 'emptyAnswer' },
      { address: at('page'), fault: 'gatewayPage' },
      { address: at('garbled'), fault: 'garbage' },
      { address: at('odd'), fault: { code: 'ErrorOfTomorrow', status: 418, message: 'Tomorrow.' } },
      { address: at('once'), fault: { code: 'ErrorServerBusy', times: 2 } },
      ...errorRows.map(({ known, fault }, n) => ({
        address: at(`row${n}`),
        fault: fault ?? (`error:${known}` as const),
      })),
    ],
    recipients: [
      { address: at('group'), kind: 'group' },
      { address: at('contact'), kind: 'contact' },
      { address: 'visitor@elsewhere.example', kind: 'guest' },
      { address: at('factory'), kind: 'onPremises' },
      { address: at('newcomer'), kind: 'unlicensed' },
      { address: at('deleted'), kind: 'softDeleted' },
      { address: at('inactive'), kind: 'inactive' },
      { address: at('leaver'), kind: 'disabled' },
      { address: at('undiscovered'), kind: 'unlicensed', code: 'ResourceNotFound' },
      { address: at('unsupported'), kind: 'unlicensed', code: 'MailboxNotSupportedForRESTAPI' },
      { address: at('gone'), kind: 'unlicensed', code: 'ErrorNonExistentMailbox' },
      { address: at('denied'), kind: 'unlicensed', code: 'ErrorAccessDenied' },
    ],
  });

const client = await startSimulatedTenant({ tenants: [tenant()] });

const calls: Record<CallName, (user: string, options?: RequestOptions) => Promise<HttpResult<ErrorBody>>> = {
  inbox: (user, options) => ask('GET', `/users/${user}/mailFolders/inbox?$select=id`, options),
  draft: (user, options) => ask('POST', `/users/${user}/messages`, { body: { subject: 'x' }, ...options }),
  send: (user, options) =>
    ask('POST', `/users/${user}/sendMail`, { body: { message: { toRecipients: [] } }, ...options }),
  remove: async (user, options) => {
    const draft = await client.graph<{ id?: string }>('POST', `/users/${user}/messages`, { body: { subject: 'x' } });
    return ask('POST', `/users/${user}/messages/${draft.body.id}/permanentDelete`, options);
  },
};

function ask(
  method: string,
  path: string,
  { headers, ...options }: RequestOptions = {},
): Promise<HttpResult<ErrorBody>> {
  return client.graph(method, path, { ...options, headers: { 'client-request-id': clientRequestId, ...headers } });
}

describe('a scenario can name the error of a mailbox:', () => {
  it.each(errorRows.map((row, n) => ({ ...row, code: row.code ?? row.known, n })))(
    '$known, $status ($n)',
    async ({ n, call = 'inbox', ...row }) => {
      const user = at(`row${n}`);
      const message = row.message?.replace('{user}', user);
      expectRefusal(await calls[call](user), { ...row, ...(message === undefined ? {} : { message }) });
    },
  );

  it('the cases above cover every error that the simulator or Muster knows', () => {
    const covered = new Set(errorRows.flatMap(({ known, code }) => [known, code ?? known]));
    expect(Object.keys(knownErrors).filter((name) => !covered.has(name))).toEqual([]);
    // An error of the directory and not of a mailbox; tested below.
    covered.add('Request_ResourceNotFound');
    expect(Object.keys(graphCodes).filter((code) => !covered.has(code))).toEqual([]);
  });
});

const denied = 'Access is denied. Check credentials and try again.';
const notEnabled = 'The mailbox is either inactive, soft-deleted, or is hosted on-premise.';
const invalidUser = (user: string): ExpectedRefusal => ({
  code: 'ErrorInvalidUser',
  status: 404,
  message: `The requested user '${user}' is invalid.`,
});
const noMailbox: ExpectedRefusal = { code: 'MailboxNotEnabledForRESTAPI', status: 404, message: notEnabled };
const badRequest = { code: 'BadRequest', status: 400, inner: true } as const;
const emptyBody = { ...badRequest, message: 'Empty Payload. JSON content expected.' };
const unreadable = {
  ...badRequest,
  message:
    'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
};
const jane = at('jane');
const asApp = async (name: keyof typeof apps): Promise<RequestOptions> => ({
  token: await client.token(undefined, apps[name]),
});
const sendAs = (message: object): RequestOptions => ({ body: { message, saveToSentItems: false } });
const to = (address: string) => ({ toRecipients: [{ emailAddress: { address } }] });

describe('a call is refused for', () => {
  const rows: [string, () => Promise<HttpResult<ErrorBody>>, ExpectedRefusal][] = [
    [
      'no grant',
      async () => calls.draft(jane, await asApp('withoutGrants')),
      { code: 'ErrorAccessDenied', status: 403, message: denied },
    ],
    [
      'an access policy',
      async () => calls.send(jane, await asApp('underPolicy')),
      {
        code: 'ErrorAccessDenied',
        status: 403,
        message: 'Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.',
      },
    ],
    ['a misspelt address', () => calls.inbox(at('jnae')), invalidUser(at('jnae'))],
    ['a group', () => calls.inbox(at('group')), invalidUser(at('group'))],
    ['a contact', () => calls.inbox(at('contact')), invalidUser(at('contact'))],
    ['a guest', () => calls.inbox('visitor@elsewhere.example'), noMailbox],
    ['a mailbox on premises', () => calls.inbox(at('factory')), noMailbox],
    ['an account without a licence', () => calls.inbox(at('newcomer')), noMailbox],
    ['a soft-deleted mailbox', () => calls.inbox(at('deleted')), noMailbox],
    ['an inactive mailbox', () => calls.inbox(at('inactive')), noMailbox],
    ['a disabled account', () => calls.inbox(at('leaver')), { code: 'ErrorAccountDisabled', status: 403 }],
    [
      'an account whose resource cannot be discovered',
      () => calls.inbox(at('undiscovered')),
      { code: 'ResourceNotFound', status: 404, message: 'Resource could not be discovered.' },
    ],
    [
      'a mailbox that the REST API does not support',
      () => calls.inbox(at('unsupported')),
      { code: 'MailboxNotSupportedForRESTAPI', status: 404 },
    ],
    ['an address without a mailbox', () => calls.inbox(at('gone')), { code: 'ErrorNonExistentMailbox', status: 404 }],
    [
      'an account without a licence, reported as a denial',
      () => calls.inbox(at('denied')),
      { code: 'ErrorAccessDenied', status: 403, message: denied },
    ],
    [
      'an unknown directory object',
      () => ask('GET', `/users/${at('nobody')}`),
      {
        code: 'Request_ResourceNotFound',
        status: 404,
        message: `Resource '${at('nobody')}' does not exist or one of its queried reference-property objects are not present.`,
        inner: true,
      },
    ],
    [
      'a missing directory permission',
      async () => ask('GET', '/organization', await asApp('withoutGrants')),
      {
        code: 'Authorization_RequestDenied',
        status: 403,
        message: 'Insufficient privileges to complete the operation.',
        inner: true,
      },
    ],
    [
      'an app that the tenant does not know yet',
      async () => calls.inbox(jane, await asApp('unknownIdentity')),
      {
        code: 'Authorization_IdentityNotFound',
        status: 401,
        message: 'The identity of the calling application could not be established.',
        inner: true,
        challenge: 'plain',
      },
    ],
    [
      'a token without roles where roles are required, even if RBAC grants the permission',
      async () => calls.send(jane, await asApp('requiresRoles')),
      {
        code: 'NoPermissionsInAccessToken',
        status: 401,
        message: 'The token contains no permissions, or permissions can not be understood.',
        inner: true,
        challenge: 'plain',
      },
    ],
    [
      'an unknown message',
      () => ask('DELETE', `/users/${jane}/messages/${unknownMessageId}`),
      { code: 'ErrorItemNotFound', status: 404, message: 'The specified object was not found in the store.' },
    ],
    [
      'an unknown folder',
      () => ask('GET', `/users/${jane}/mailFolders/AAMkfolder`),
      { code: 'ErrorFolderNotFound', status: 404 },
    ],
    [
      'a malformed id',
      () => ask('GET', `/users/${jane}/messages/none`),
      { code: 'ErrorInvalidIdMalformed', status: 400, message: 'Id is malformed.' },
    ],
    [
      'no recipient',
      () => calls.send(jane),
      {
        code: 'ErrorInvalidRecipients',
        status: 400,
        message: "At least one recipient is not valid., A message can't be sent because it contains no recipients.",
      },
    ],
    [
      'a recipient that is not an address',
      () => calls.send(jane, sendAs(to('x'))),
      {
        code: 'ErrorInvalidRecipients',
        status: 400,
        message:
          "At least one recipient is not valid., Recipient 'x' is not resolved. All recipients must be resolved before a message can be submitted.",
      },
    ],
    [
      'another sender',
      () => calls.send(jane, sendAs({ ...to(jane), from: { emailAddress: { address: at('boss') } } })),
      { code: 'ErrorSendAsDenied', status: 403 },
    ],
    [
      'MIME that is not base64',
      () => calls.send(jane, { body: 'Subject: x', headers: { 'Content-Type': 'text/plain' } }),
      {
        code: 'ErrorMimeContentInvalidBase64String',
        status: 400,
        message: 'Invalid base64 string for MIME content.',
      },
    ],
    ['no body', () => ask('POST', `/users/${jane}/sendMail`), emptyBody],
    ['broken JSON', () => calls.send(jane, { body: '{"message":' }), unreadable],
    ['JSON that is not an object', () => calls.send(jane, { body: '[]' }), unreadable],
    [
      'an unknown path',
      () => ask('GET', `/users/${jane}/mailfolder`),
      { ...badRequest, message: "Resource not found for the segment 'mailfolder'." },
    ],
    [
      'a fault with an unknown code',
      () => calls.inbox(at('odd')),
      { code: 'ErrorOfTomorrow', status: 418, message: 'Tomorrow.' },
    ],
  ];
  it.each(rows)('%s', async (_, call, expected) => {
    expectRefusal(await call(), expected);
  });
});

describe('a fault', () => {
  it('occurs as often as the scenario says', async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 3; n += 1) statuses.push((await calls.inbox(at('once'))).status);
    expect(statuses).toEqual([503, 503, 200]);
  });

  it('can be a 503 without a body, the error page of a proxy, or broken JSON', async () => {
    const empty = await calls.inbox(at('empty'));
    expect([empty.status, empty.text, empty.headers.get('content-length')]).toEqual([503, '', '0']);
    const page = await calls.inbox(at('page'));
    expect([page.status, page.headers.get('content-type')]).toEqual([502, 'text/html']);
    expect(page.text).toMatch(/^<html>/);
    const broken = await calls.inbox(at('garbled'));
    expect(broken.status).toBe(200);
    expect(() => JSON.parse(broken.text)).toThrow();
  });
});

describe('a token is refused if', () => {
  afterEach(() => client.put(tenant()));

  const invalid = (message: string): ExpectedRefusal => ({
    code: 'InvalidAuthenticationToken',
    status: 401,
    message,
    inner: true,
    challenge: 'plain',
  });
  const claims = { aud: 'https://graph.microsoft.com', iss: '', tid: wingtip.id, appid: apps.usual };
  const inAMinute = () => Math.floor(Date.now() / 1000) + 60;
  const sign = (more: object) => client.simulator.world.tokens.sign({ ...claims, exp: inAMinute(), ...more });
  const rows: [string, () => Promise<string> | string, string][] = [
    ['it is missing', () => '', 'Access token is empty.'],
    [
      'it is not a token',
      () => 'abc',
      'IDX14100: JWT is not well formed, there are no dots (.). The token needs to be in JWS or JWE Compact Serialization Format.',
    ],
    ['it has expired', () => sign({ exp: 1 }), 'Lifetime validation failed, the token is expired.'],
    [
      'it is for another service',
      () => client.token('https://outlook.office365.com'),
      'Access token validation failure. Invalid audience.',
    ],
    [
      'it is forged',
      async () => {
        const [header, , signature] = (await client.token()).split('.');
        const forged = Buffer.from(JSON.stringify({ ...claims, exp: inAMinute(), roles: ['Mail.Send'] })).toString(
          'base64url',
        );
        return `${header}.${forged}.${signature}`;
      },
      'Access token validation failure. Invalid signature.',
    ],
    [
      'it is from an unknown tenant',
      () => sign({ tid: '00000000-1111-4222-8333-444444444444' }),
      'Access token validation failure. Invalid issuer.',
    ],
  ];
  it.each(rows)('%s', async (_, token, message) => {
    expectRefusal(await calls.inbox(jane, { token: await token() }), invalid(message));
  });

  it('its app was disabled after the token was issued', async () => {
    const options = await asApp('changing');
    client.put(tenant({ enabled: false }));
    expectRefusal(await calls.inbox(jane, options), {
      code: 'Authorization_IdentityDisabled',
      status: 403,
      inner: true,
    });
  });

  it('its credential was removed after the token was issued: a claims challenge', async () => {
    const options = await asApp('changing');
    client.put(tenant({ secrets: [{ value: 'another-8Q~value' }] }));
    expectRefusal(await calls.inbox(jane, options), {
      code: 'InvalidAuthenticationToken',
      status: 401,
      inner: true,
      challenge: 'claims',
    });
  });
});

it('uses the request id as the client request id if the caller sent no GUID', async () => {
  const sentHeaders: Record<string, string>[] = [{}, { 'client-request-id': 'mine' }];
  for (const sent of sentHeaders) {
    const { headers } = await client.graph('GET', `/users/${jane}/mailFolders/inbox`, { headers: sent });
    expect(headers.get('client-request-id')).toBe(headers.get('request-id'));
  }
});

it('refuses every call in a blocked organization', async () => {
  client.put({ ...tenant(), organizationBlocked: true });
  expectRefusal(await calls.inbox(jane), { code: 'ErrorOrganizationAccessBlocked', status: 403 });
  client.put(tenant());
});

it('answers a successful call with the headers of Outlook', async () => {
  const result = await calls.inbox(jane);
  expect(result.status).toBe(200);
  expect(result.headers.get('content-type')).toBe(outlookJson);
  expectCommonHeaders(result.headers);
});
