import { afterEach, describe, expect, it } from 'vitest';
import type { ScenarioTenantInput } from '../../../local/microsoft365/scenario.ts';
import { type ErrorBody, startSimulatedTenant } from '../../support/simulator-client.ts';
import { at, wingtip, wingtipApp, wingtipTenant } from '../../support/wingtip.ts';

interface Item {
  id: string;
  '@odata.type'?: string;
  '@removed'?: { reason: string };
  [property: string]: unknown;
}
interface Page extends ErrorBody {
  value: Item[];
  '@odata.nextLink'?: string;
  '@odata.deltaLink'?: string;
}

const JANE = '11111111-1111-4111-8111-111111111111';
const SALES = '22222222-2222-4222-8222-222222222222';

const tenant = (grants: string[], more: Partial<ScenarioTenantInput> = {}) =>
  wingtipTenant({
    domains: [wingtip.domain],
    apps: [wingtipApp({ grants })],
    mailboxes: [
      { id: JANE, address: at('jane'), displayName: 'Jane Doe' },
      { address: at('support'), kind: 'shared' },
      { generate: 250, address: at('user{n}') },
    ],
    recipients: [
      {
        id: SALES,
        address: at('sales'),
        kind: 'group',
        members: [at('jane'), at('all'), at('supplier'), 'visitor@elsewhere.example'],
      },
      { address: at('all'), kind: 'group', members: [at('jane')] },
      { address: at('supplier'), kind: 'contact' },
      { address: 'visitor@elsewhere.example', kind: 'guest' },
    ],
    ...more,
  });

const READ_ALL = ['User.Read.All', 'GroupMember.Read.All'];
const client = await startSimulatedTenant({ tenants: [tenant(READ_ALL)] });
afterEach(() => client.put(tenant(READ_ALL)));

const get = (path: string) => client.graph<Page>('GET', path);
const pathOf = (link = '') => link.split('/v1.0')[1] ?? '';

async function round(path: string): Promise<{ items: Item[]; pages: number; deltaLink: string }> {
  const items: Item[] = [];
  for (let pages = 1; ; pages++) {
    const { status, body } = await get(path);
    expect(status).toBe(200);
    items.push(...body.value);
    if (body['@odata.deltaLink']) return { items, pages, deltaLink: pathOf(body['@odata.deltaLink']) };
    path = pathOf(body['@odata.nextLink']);
  }
}

describe('a delta query of users', () => {
  it('has every user in its first round, and then only what has changed', async () => {
    const first = await round('/users/delta?$select=displayName,mail');
    expect(first.pages).toBe(3);
    expect(new Set(first.items.map(({ id }) => id)).size).toBe(253);
    expect((await round(first.deltaLink)).items).toEqual([]);

    client.put(
      tenant(READ_ALL, {
        mailboxes: [
          { id: JANE, address: at('jane'), displayName: 'Jane Roe' },
          { address: at('newcomer') },
          { generate: 249, address: at('user{n}') },
        ],
      }),
    );
    const { items } = await round(first.deltaLink);
    expect(items).toHaveLength(4);
    // An update has the changed properties only.
    expect(items.find(({ id }) => id === JANE)).toEqual({ id: JANE, displayName: 'Jane Roe' });
    expect(items.find(({ mail }) => mail === at('newcomer'))).toMatchObject({ displayName: 'newcomer' });
    expect(items.filter((item) => item['@removed']?.reason === 'changed')).toHaveLength(2);
  });

  it('begins at the present with $deltatoken=latest', async () => {
    const latest = await round('/users/delta?$select=displayName&$deltatoken=latest');
    expect(latest).toMatchObject({ items: [], pages: 1 });
    client.put(tenant(READ_ALL, { mailboxes: [{ address: at('newcomer') }] }));
    expect((await round(latest.deltaLink)).items).toHaveLength(253);
  });

  it.each([
    { expiredAnswer: 'badRequest', status: 400 },
    { expiredAnswer: 'gone', status: 410 },
  ] as const)('refuses an expired link with $status', async ({ expiredAnswer, status }) => {
    const { deltaLink } = await round('/users/delta?$deltatoken=latest');
    client.put(tenant(READ_ALL, { deltaLinks: { validSeconds: 0, expiredAnswer } }));
    await expect.poll(async () => (await get(deltaLink)).status).toBe(status);
    expect((await get(deltaLink)).body.error?.code).toBe('syncStateNotFound');
  });

  it('needs User.Read.All, and takes no filter', async () => {
    client.put(tenant(['User.ReadBasic.All']));
    expect((await get('/users/delta')).status).toBe(403);
    client.put(tenant(READ_ALL));
    expect((await get("/users/delta?$filter=mail eq 'x'")).body.error?.code).toBe('Request_UnsupportedQuery');
  });
});

describe('the members of a group', () => {
  const typeOf = (item: Item) => item['@odata.type'];

  it('are listed with their types, page by page, without those of nested groups', async () => {
    const path = `/groups/${SALES}/members?$select=id,mail&$top=3`;
    const first = (await get(path)).body;
    const second = (await get(pathOf(first['@odata.nextLink']))).body;
    expect([...first.value, ...second.value].map(typeOf)).toEqual([
      '#microsoft.graph.user',
      '#microsoft.graph.group',
      '#microsoft.graph.orgContact',
      '#microsoft.graph.user',
    ]);
    expect(first.value[0]).toMatchObject({ id: JANE, mail: at('jane') });
    expect(second['@odata.nextLink']).toBeUndefined();
  });

  it('are limited to users by a cast', async () => {
    const { value } = (await get(`/groups/${SALES}/members/microsoft.graph.user?$select=id,mail`)).body;
    expect(value.map(({ mail }) => mail)).toEqual([at('jane'), 'visitor@elsewhere.example']);
  });

  it('have only a type and an id if the app may not read users, and are refused without GroupMember.Read.All', async () => {
    client.put(tenant(['GroupMember.Read.All']));
    expect((await get(`/groups/${SALES}/members?$select=id,mail&$top=1`)).body.value).toEqual([
      { '@odata.type': '#microsoft.graph.user', id: JANE, mail: null },
    ]);
    client.put(tenant(['User.Read.All', 'Group.ReadBasic.All']));
    expect((await get(`/groups/${SALES}/members`)).status).toBe(403);
    expect((await get(`/groups/${SALES}`)).status).toBe(200);
  });
});

it('refuses more than 15 values in a filter with `in`', async () => {
  const of = (count: number) => `id in (${Array.from({ length: count }, () => `'${JANE}'`).join(',')})`;
  const list = (count: number) => get(`/users?$filter=${encodeURIComponent(of(count))}`);
  expect((await list(15)).body.value).toHaveLength(1);
  expect((await list(16)).status).toBe(400);
});
