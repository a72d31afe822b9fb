import { afterEach, describe, expect, it } from 'vitest';
import type { ScenarioTenantInput } from '../../../local/microsoft365/scenario.ts';
import { type ErrorBody, startSimulatedTenant } from '../../support/simulator-client.ts';
import { at, wingtip, wingtipApp, wingtipTenant } from '../../support/wingtip.ts';

interface User extends ErrorBody {
  id: string;
  userPrincipalName: string;
  [property: string]: unknown;
}

interface Page extends ErrorBody {
  value: User[];
  '@odata.count'?: number;
  '@odata.nextLink'?: string;
}

const eventual = { ConsistencyLevel: 'eventual' };
const allGrants = ['User.Read.All', 'Group.ReadBasic.All', 'OrgContact.Read.All', 'Application.Read.All', 'Mail.Send'];

const tenant = (grants: string[], more: Partial<ScenarioTenantInput> = {}) =>
  wingtipTenant({
    domains: [wingtip.domain, 'wingtip.onmicrosoft.example'],
    apps: [wingtipApp({ grants, displayName: 'Outreach' })],
    mailboxes: [
      { address: at('jane'), upn: at('jdoe'), displayName: 'Jane Doe', aliases: [at('j.doe')] },
      { address: at('support'), kind: 'shared' },
      { address: at('projector'), kind: 'equipment' },
      { generate: 2500, address: at('user{n}'), upn: at('u{n}'), aliases: [at('alias{n}')], displayName: 'User {n}' },
    ],
    recipients: [
      { address: at('sales'), kind: 'group', groupType: 'microsoft365' },
      { address: at('security'), kind: 'group', groupType: 'security' },
      { address: at('supplier'), kind: 'contact' },
      { address: 'visitor@elsewhere.example', kind: 'guest' },
      { address: at('newcomer'), kind: 'unlicensed' },
      { address: at('factory'), kind: 'onPremises' },
      { address: at('deleted'), kind: 'softDeleted' },
      { address: at('inactive'), kind: 'inactive' },
    ],
    ...more,
  });

const client = await startSimulatedTenant({ tenants: [tenant(allGrants)] });
afterEach(() => client.put(tenant(allGrants)));

const get = <T = Page>(path: string, headers: Record<string, string> = {}) => client.graph<T>('GET', path, { headers });
const filterBy = (filter: string, more = '') => `?$filter=${encodeURIComponent(filter)}${more}`;
const upns = ({ value }: Page) => value.map(({ userPrincipalName }) => userPrincipalName);

describe('a user', () => {
  it('has the default properties, and others only if $select names them', async () => {
    const { body } = await get<User>(`/users/${at('jdoe')}`);
    expect(body).toEqual({
      '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#users/$entity',
      businessPhones: [],
      displayName: 'Jane Doe',
      givenName: null,
      jobTitle: null,
      mail: at('jane'),
      mobilePhone: null,
      officeLocation: null,
      preferredLanguage: null,
      surname: null,
      userPrincipalName: at('jdoe'),
      id: body.id,
    });
    const more = await get<User>(`/users/${body.id}?$select=proxyAddresses,userType,accountEnabled,assignedPlans`);
    expect(more.body).toMatchObject({
      proxyAddresses: [`SMTP:${at('jane')}`, `smtp:${at('j.doe')}`],
      userType: 'Member',
      accountEnabled: true,
      assignedPlans: [{ service: 'exchange', capabilityStatus: 'Enabled' }],
    });
  });

  it.each([at('jane'), at('j.doe'), at('sales'), at('deleted'), at('inactive')])(
    'is found only by id and UPN: 404 for %s',
    async (name) => {
      expect(await get(`/users/${name}`)).toMatchObject({
        status: 404,
        body: { error: { code: 'Request_ResourceNotFound' } },
      });
    },
  );

  it.each([
    [at('support'), { accountEnabled: false, assignedLicenses: [], userType: 'Member' }],
    [at('newcomer'), { accountEnabled: true, assignedLicenses: [], assignedPlans: [] }],
    [at('factory'), { onPremisesSyncEnabled: true, assignedPlans: [] }],
  ])('%s has the properties of its kind', async (name, expected) => {
    const select = Object.keys(expected).join(',');
    expect((await get<User>(`/users/${name}?$select=${select}`)).body).toMatchObject(expected);
  });

  it('has only the basic properties for an app with User.ReadBasic.All', async () => {
    client.put(tenant(['User.ReadBasic.All']));
    const { body } = await get<User>(`/users/${at('jdoe')}?$select=displayName,proxyAddresses`);
    expect(body.displayName).toBe('Jane Doe');
    expect(body).not.toHaveProperty('proxyAddresses');
  });
});

describe('the list of users', () => {
  it('comes in pages, each with a link to the next', async () => {
    const listed: string[] = [];
    let path: string | undefined =
      `/users${filterBy('mail ne null', '&$count=true&$top=999&$select=id,userPrincipalName')}`;
    const sizes: number[] = [];
    while (path) {
      const { status, body }: { status: number; body: Page } = await get(path, eventual);
      expect(status).toBe(200);
      expect(body['@odata.count']).toBe(2506);
      listed.push(...upns(body));
      sizes.push(body.value.length);
      path = body['@odata.nextLink']?.slice(`${client.simulator.graphUrl}/v1.0`.length);
    }
    expect(sizes).toEqual([999, 999, 508]);
    expect(new Set(listed).size).toBe(2506);
  });

  it.each([
    ["proxyAddresses/any(p:p eq 'smtp:j.doe@wingtip.example')", [at('jdoe')]],
    ["proxyAddresses/any(p:p eq 'SMTP:JANE@wingtip.example')", [at('jdoe')]],
    ["proxyAddresses/any(x:x eq 'smtp:alias77@wingtip.example')", [at('u77')]],
    ["mail eq 'user2500@wingtip.example'", [at('u2500')]],
    ["mail eq 'user2501@wingtip.example'", []],
    ["mail eq 'j.doe@wingtip.example'", []],
    ["userPrincipalName eq 'u3@wingtip.example' or mail eq 'jane@wingtip.example'", [at('jdoe'), at('u3')]],
    ["mail in ('jane@wingtip.example','support@wingtip.example')", [at('jdoe'), at('support')]],
    ["userType eq 'Guest'", ['visitor_elsewhere.example#EXT#@wingtip.example']],
    ["startswith(displayName,'Jane')", [at('jdoe')]],
  ])('can be filtered: %s', async (filter, expected) => {
    expect(upns((await get(`/users${filterBy(filter, '&$top=999')}`, eventual)).body)).toEqual(expected);
  });

  it.each(['mail ne null', "not startswith(mail,'u')", "endswith(mail,'example')"])(
    'requires ConsistencyLevel and $count for %s',
    async (filter) => {
      for (const [more, headers] of [
        ['', {}],
        ['&$count=true', {}],
        ['', eventual],
      ] as const) {
        expect(await get(`/users${filterBy(filter, more)}`, headers)).toMatchObject({
          status: 400,
          body: { error: { code: 'Request_UnsupportedQuery' } },
        });
      }
      expect((await get(`/users${filterBy(filter, '&$count=true')}`, eventual)).status).toBe(200);
    },
  );

  it('ignores $count without ConsistencyLevel', async () => {
    expect((await get('/users?$count=true&$top=1')).body).not.toHaveProperty('@odata.count');
  });

  it('refuses a filter that it cannot parse', async () => {
    expect(await get(`/users${filterBy('mail = x')}`)).toMatchObject({
      status: 400,
      body: { error: { code: 'Request_UnsupportedQuery' } },
    });
  });
});

describe('other recipients', () => {
  it.each([
    ['groups', 'sales', { groupTypes: ['Unified'], mailEnabled: true, securityEnabled: false }],
    ['groups', 'security', { groupTypes: [], securityEnabled: true }],
    ['contacts', 'supplier', { displayName: 'supplier' }],
  ])('%s can be found by mail: %s', async (collection, name, expected) => {
    const { body } = await get(`/${collection}${filterBy(`mail eq '${at(name)}'`, '&$count=true')}`, eventual);
    expect(body).toMatchObject({ '@odata.count': 1, value: [{ mail: at(name), ...expected }] });
  });

  it('deleted users are in the recycle bin', async () => {
    const { body } = await get('/directory/deletedItems/microsoft.graph.user');
    expect(body.value).toMatchObject([{ mail: at('deleted') }]);
  });
});

describe('the tenant and its apps', () => {
  it('can be read', async () => {
    const organization = await get('/organization');
    expect(organization.body.value).toMatchObject([
      {
        id: wingtip.id,
        displayName: 'Wingtip',
        verifiedDomains: [
          { name: wingtip.domain, isDefault: true },
          { name: 'wingtip.onmicrosoft.example', isDefault: false },
        ],
        assignedPlans: [{ service: 'exchange', capabilityStatus: 'Enabled' }],
      },
    ]);
    const principal = await get<User>(`/servicePrincipals(appId='${wingtip.clientId}')?$select=id,accountEnabled`);
    expect(principal.body).toMatchObject({ accountEnabled: true });
    const assignments = await get<Page>(`/servicePrincipals/${principal.body.id}/appRoleAssignments`);
    expect(assignments.body.value).toContainEqual(
      expect.objectContaining({
        appRoleId: 'b633e1c5-b582-4048-a93e-9f11b44c7e96',
        principalDisplayName: 'Outreach',
        principalType: 'ServicePrincipal',
        resourceDisplayName: 'Microsoft Graph',
      }),
    );
    const application = await get<User>(`/applications(appId='${wingtip.clientId}')?$select=passwordCredentials`);
    expect(application.body.passwordCredentials).toMatchObject([{ hint: 'sim', secretText: null }]);
    expect(application.text).not.toContain(wingtip.clientSecret);
  });

  it('have the name and the verified domains of the scenario', async () => {
    client.put(tenant(allGrants, { organization: { displayName: 'Wingtip Toys', verifiedDomains: ['toys.example'] } }));
    expect((await get('/organization')).body.value).toMatchObject([
      { displayName: 'Wingtip Toys', verifiedDomains: [{ name: 'toys.example' }] },
    ]);
  });
});

it.each([
  ['/users', ['Mail.Send']],
  [`/users/${at('jdoe')}`, ['Mail.Send']],
  ['/groups', ['User.Read.All']],
  ['/contacts', ['User.Read.All']],
  ['/organization', ['User.ReadBasic.All']],
  [`/servicePrincipals(appId='${wingtip.clientId}')`, ['User.Read.All']],
  [`/applications(appId='${wingtip.clientId}')`, ['User.Read.All']],
])('403: %s for an app with only %s, even if RBAC grants the permission', async (path, grants) => {
  const rbac = [{ role: 'User.Read.All' }, { role: 'Group.ReadBasic.All' }];
  client.put(tenant(grants, { apps: [wingtipApp({ grants, rbac })] }));
  expect(await get(path)).toMatchObject({ status: 403, body: { error: { code: 'Authorization_RequestDenied' } } });
});

describe('the user purpose of a mailbox', () => {
  it.each([
    ['jane', 'user'],
    ['support', 'shared'],
    ['projector', 'equipment'],
  ])('%s: %s', async (name, purpose) => {
    client.put(tenant(['MailboxSettings.Read']));
    const { body } = await get<User>(`/users/${at(name)}/mailboxSettings/userPurpose`);
    expect(body.value).toBe(purpose);
    expect((await get<User>(`/users/${at(name)}/mailboxSettings`)).body).toMatchObject({
      userPurpose: purpose,
      timeZone: 'UTC',
    });
  });
});
