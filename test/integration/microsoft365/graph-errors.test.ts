import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
  type Asked,
  at,
  type ErrorBody,
  openSimulator,
  type SimulatorClient,
  type Told,
  wingtip,
  wingtipApp,
  wingtipTenant,
} from '../../support/simulator-client.ts';

const apps = {
  usual: wingtip.clientId,
  withoutGrants: 'b2e5a8d3-7c4f-4a69-8d1e-8f309c6b5d72',
  underPolicy: 'c3f6b9e4-8d50-4b7a-9e2f-90410d7c6e83',
  unknownIdentity: 'd407caf5-9e61-4c8b-af30-a1521e8d7f94',
  rolesWanted: 'e518db06-af72-4d9c-b041-b2632f9e80a5',
  leaver: 'f629ec17-b083-4ead-8152-c374300f91b6',
} as const;

const absentId = `AAMkAGI1${'0'.repeat(28)}AAA=`;

let client: SimulatorClient;

const app = (clientId: string, more = {}) => ({ ...wingtipApp(more), clientId });
const tenant = (leavers: object = {}) =>
  wingtipTenant({
    apps: [
      app(apps.usual, { grants: ['Mail.ReadWrite', 'Mail.Send', 'User.Read.All'] }),
      app(apps.withoutGrants, { grants: ['Calendars.Read'] }),
      app(apps.underPolicy, { accessPolicy: { deny: [at('jane')] } }),
      app(apps.unknownIdentity, { identityMissing: true }),
      app(apps.rolesWanted, { grants: [], refusesRolelessToken: true, rbac: [{ role: 'Mail.Send' }] }),
      app(apps.leaver, leavers),
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

beforeAll(async () => {
  client = await openSimulator({ tenants: [tenant()] });
});
afterAll(() => client.close());

const calls: Record<CallName, (user: string, asked?: Asked) => Promise<Told<ErrorBody>>> = {
  inbox: (user, asked) => ask('GET', `/users/${user}/mailFolders/inbox?$select=id`, asked),
  draft: (user, asked) => ask('POST', `/users/${user}/messages`, { body: { subject: 'x' }, ...asked }),
  send: (user, asked) => ask('POST', `/users/${user}/sendMail`, { body: { message: { toRecipients: [] } }, ...asked }),
  remove: async (user, asked) => {
    const made = await client.graph<{ id?: string }>('POST', `/users/${user}/messages`, { body: { subject: 'x' } });
    return ask('POST', `/users/${user}/messages/${made.body.id}/permanentDelete`, asked);
  },
};

function ask(method: string, path: string, { headers, ...asked }: Asked = {}): Promise<Told<ErrorBody>> {
  return client.graph(method, path, { ...asked, headers: { 'client-request-id': clientRequestId, ...headers } });
}

describe('a mailbox whose scenario names the error', () => {
  it.each(errorRows.map((row, n) => ({ ...row, code: row.code ?? row.known, n })))(
    '$known, $status ($n)',
    async ({ n, call = 'inbox', ...row }) => {
      const user = at(`row${n}`);
      const message = row.message?.replace('{user}', user);
      expectRefusal(await calls[call](user), { ...row, ...(message === undefined ? {} : { message }) });
    },
  );

  it('has a case for every error that the simulator knows, and for every code that Muster names', () => {
    const covered = new Set(errorRows.flatMap(({ known, code }) => [known, code ?? known]));
    expect(Object.keys(knownErrors).filter((name) => !covered.has(name))).toEqual([]);
    // Directory's own; it comes about by itself below.
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
const empty = { ...badRequest, message: 'Empty Payload. JSON content expected.' };
const unreadable = {
  ...badRequest,
  message:
    'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
};
const jane = at('jane');
const asApp = async (name: keyof typeof apps): Promise<Asked> => ({
  token: await client.token(undefined, apps[name]),
});
const sendAs = (message: object): Asked => ({ body: { message, saveToSentItems: false } });
const to = (address: string) => ({ toRecipients: [{ emailAddress: { address } }] });

describe('what comes about by itself', () => {
  const rows: [string, () => Promise<Told<ErrorBody>>, ExpectedRefusal][] = [
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
    ['a typing error', () => calls.inbox(at('jnae')), invalidUser(at('jnae'))],
    ['a group', () => calls.inbox(at('group')), invalidUser(at('group'))],
    ['a contact', () => calls.inbox(at('contact')), invalidUser(at('contact'))],
    ['a guest', () => calls.inbox('visitor@elsewhere.example'), noMailbox],
    ['a mailbox on premises', () => calls.inbox(at('factory')), noMailbox],
    ['no licence', () => calls.inbox(at('newcomer')), noMailbox],
    ['a soft-deleted mailbox', () => calls.inbox(at('deleted')), noMailbox],
    ['an inactive mailbox', () => calls.inbox(at('inactive')), noMailbox],
    ['a disabled account', () => calls.inbox(at('leaver')), { code: 'ErrorAccountDisabled', status: 403 }],
    [
      'an account without a mailbox to discover',
      () => calls.inbox(at('undiscovered')),
      { code: 'ResourceNotFound', status: 404, message: 'Resource could not be discovered.' },
    ],
    [
      'a mailbox of a type not served',
      () => calls.inbox(at('unsupported')),
      { code: 'MailboxNotSupportedForRESTAPI', status: 404 },
    ],
    ['an address that is no account', () => calls.inbox(at('gone')), { code: 'ErrorNonExistentMailbox', status: 404 }],
    [
      'no licence, told as a denial',
      () => calls.inbox(at('denied')),
      { code: 'ErrorAccessDenied', status: 403, message: denied },
    ],
    [
      'a directory object that is not there',
      () => ask('GET', `/users/${at('nobody')}`),
      {
        code: 'Request_ResourceNotFound',
        status: 404,
        message: `Resource '${at('nobody')}' does not exist or one of its queried reference-property objects are not present.`,
        inner: true,
      },
    ],
    [
      'a directory role that is lacking',
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
      'a token without roles where roles are wanted, whatever RBAC grants',
      async () => calls.send(jane, await asApp('rolesWanted')),
      {
        code: 'NoPermissionsInAccessToken',
        status: 401,
        message: 'The token contains no permissions, or permissions can not be understood.',
        inner: true,
        challenge: 'plain',
      },
    ],
    [
      'an item that is not there',
      () => ask('DELETE', `/users/${jane}/messages/${absentId}`),
      { code: 'ErrorItemNotFound', status: 404, message: 'The specified object was not found in the store.' },
    ],
    [
      'a folder that is not there',
      () => ask('GET', `/users/${jane}/mailFolders/AAMkfolder`),
      { code: 'ErrorFolderNotFound', status: 404 },
    ],
    [
      'an id that is none',
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
      'a recipient that is no address',
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
    ['no body', () => ask('POST', `/users/${jane}/sendMail`), empty],
    ['broken JSON', () => calls.send(jane, { body: '{"message":' }), unreadable],
    ['JSON that is no object', () => calls.send(jane, { body: '[]' }), unreadable],
    [
      'a path that Graph does not have',
      () => ask('GET', `/users/${jane}/mailfolder`),
      { ...badRequest, message: "Resource not found for the segment 'mailfolder'." },
    ],
    [
      'a code that nobody knows',
      () => calls.inbox(at('odd')),
      { code: 'ErrorOfTomorrow', status: 418, message: 'Tomorrow.' },
    ],
  ];
  it.each(rows)('%s', async (_, call, expected) => {
    expectRefusal(await call(), expected);
  });

  it('strikes as often as the scenario says', async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 3; n += 1) statuses.push((await calls.inbox(at('once'))).status);
    expect(statuses).toEqual([503, 503, 200]);
  });

  it('answers 503 without a body, a page of a proxy, and broken JSON, as the way to Graph does at times', async () => {
    const nothing = await calls.inbox(at('empty'));
    expect([nothing.status, nothing.text, nothing.headers.get('content-length')]).toEqual([503, '', '0']);
    const page = await calls.inbox(at('page'));
    expect([page.status, page.headers.get('content-type')]).toEqual([502, 'text/html']);
    expect(page.text).toMatch(/^<html>/);
    const garbled = await calls.inbox(at('garbled'));
    expect(garbled.status).toBe(200);
    expect(() => JSON.parse(garbled.text)).toThrow();
  });
});

describe('a token', () => {
  const invalid = (message: string): ExpectedRefusal => ({
    code: 'InvalidAuthenticationToken',
    status: 401,
    message,
    inner: true,
    challenge: 'plain',
  });
  const claims = { aud: 'https://graph.microsoft.com', iss: '', tid: wingtip.id, appid: apps.usual };
  const soon = () => Math.floor(Date.now() / 1000) + 60;
  const sign = (more: object) => client.simulator.world.tokens.sign({ ...claims, exp: soon(), ...more });
  const rows: [string, () => Promise<string> | string, string][] = [
    ['none', () => '', 'Access token is empty.'],
    [
      'that is none',
      () => 'abc',
      'IDX14100: JWT is not well formed, there are no dots (.). The token needs to be in JWS or JWE Compact Serialization Format.',
    ],
    ['that has expired', () => sign({ exp: 1 }), 'Lifetime validation failed, the token is expired.'],
    [
      'for another service',
      () => client.token('https://outlook.office365.com'),
      'Access token validation failure. Invalid audience.',
    ],
    [
      'that was forged',
      async () => {
        const [header, , signature] = (await client.token()).split('.');
        const forged = Buffer.from(JSON.stringify({ ...claims, exp: soon(), roles: ['Mail.Send'] })).toString(
          'base64url',
        );
        return `${header}.${forged}.${signature}`;
      },
      'Access token validation failure. Invalid signature.',
    ],
    [
      'of a tenant that is not there',
      () => sign({ tid: '00000000-1111-4222-8333-444444444444' }),
      'Access token validation failure. Invalid issuer.',
    ],
  ];
  it.each(rows)('%s', async (_, token, message) => {
    expectRefusal(await calls.inbox(jane, { token: await token() }), invalid(message));
  });

  it('whose app was switched off meanwhile', async () => {
    const asked = await asApp('leaver');
    client.put(tenant({ enabled: false }));
    expectRefusal(await calls.inbox(jane, asked), { code: 'Authorization_IdentityDisabled', status: 403, inner: true });
    client.put(tenant());
  });

  it('whose credential was removed meanwhile: a claims challenge', async () => {
    const asked = await asApp('leaver');
    client.put(tenant({ secrets: [{ value: 'another-8Q~value' }] }));
    expectRefusal(await calls.inbox(jane, asked), {
      code: 'InvalidAuthenticationToken',
      status: 401,
      inner: true,
      challenge: 'claims',
    });
    client.put(tenant());
  });
});

it('gives its own id as the client request id where the caller sent none, or none that is a GUID', async () => {
  for (const sent of [{}, { 'client-request-id': 'mine' }]) {
    const { headers } = await client.graph('GET', `/users/${jane}/mailFolders/inbox`, {
      headers: sent as Record<string, string>,
    });
    expect(headers.get('client-request-id')).toBe(headers.get('request-id'));
  }
});

it('refuses everybody in a tenant that is marked for removal', async () => {
  client.put({ ...tenant(), organizationBlocked: true });
  expectRefusal(await calls.inbox(jane), { code: 'ErrorOrganizationAccessBlocked', status: 403 });
  client.put(tenant());
});

it('answers a plain question with the headers of Outlook', async () => {
  const told = await calls.inbox(jane);
  expect(told.status).toBe(200);
  expect(told.headers.get('content-type')).toBe(outlookJson);
  expectCommonHeaders(told.headers);
});
