import { beforeEach, expect, it } from 'vitest';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { createApi, DOMAIN } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';

let api: ReturnType<typeof createApi>;
let key: string;
let id: string;

beforeEach(async () => {
  api = createApi();
  ({ key } = await api.customer({ mailboxSlots: 2 }));
  const body = {
    name: 'Tailspin',
    tenant: DOMAIN,
    clientId: 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37',
    clientSecret: GOOD_SECRET,
    clientSecretExpiresAt: '2026-12-01T00:00:00Z',
  };
  ({ id } = await jsonOf<{ id: string }>(await api.request('POST', '/v1/connections', { key, body })));
  api.deps.organizations.read = async () => ({ displayName: 'Contoso', verifiedDomains: ['Tailspin.example'] });
});

const passTest = () => api.request('POST', `/v1/connections/${id}/test`, { key });
const readDomains = async () =>
  (await jsonOf<{ verifiedDomains: string[] | null }>(await api.request('GET', `/v1/connections/${id}`, { key })))
    .verifiedDomains;
const upload = (addresses: string[], query = '') =>
  api.request('POST', `/v1/connections/${id}/imports${query}`, {
    key,
    body: { mailboxes: addresses.map((address) => ({ address })) },
  });
const FILE = ['a@tailspin.example', 'b@tailspinn.example', 'c@gmail.com', 'd@fabrikam.example', 'e@tailspin.example'];

it('200: a passed test notes the verified domains of the tenant; the next one that cannot read them forgets them', async () => {
  expect((await passTest()).status).toBe(200);
  expect(await readDomains()).toEqual(['tailspin.example']);
  api.deps.organizations.read = async () => undefined;
  await passTest();
  expect(await readDomains()).toBeNull();
});

it('200: a test that fails leaves them as they were', async () => {
  await passTest();
  api.deps.tenant.answers.set(GOOD_SECRET, 'AADSTS7000222');
  const body = await jsonOf(await api.request('POST', `/v1/connections/${id}/test`, { key }));
  expect(body).toMatchObject({ verdict: 'failed' });
  expect(await readDomains()).toEqual(['tailspin.example']);
});

it('200: the dry run rejects every other domain, and names the one that may be meant', async () => {
  await passTest();
  expect(await jsonOf(await upload(FILE, '?dryRun=true'))).toMatchObject({
    rows: 5,
    accepted: 2,
    rejected: 3,
    slots: { needed: 2 },
    findings: [
      { line: 2, result: 'rejected', code: 'foreign_domain', suggestion: 'b@tailspin.example' },
      { line: 3, result: 'rejected', code: 'consumer_domain' },
      { line: 4, result: 'rejected', code: 'foreign_domain' },
    ],
    findingCounts: { foreign_domain: 2, consumer_domain: 1 },
  });
});

it('202: rows of other domains take no slot', async () => {
  await passTest();
  expect((await upload(FILE)).status).toBe(202);
  expect((await upload(['a@tailspin.example', 'b@tailspin.example', 'c@tailspin.example'])).status).toBe(409);
});

it('200: if the domains are not known, only personal mailboxes are rejected, and near misses get a warning', async () => {
  api.deps.organizations.read = async () => undefined;
  await passTest();
  expect(await jsonOf(await upload(FILE, '?dryRun=true'))).toMatchObject({
    accepted: 4,
    findings: [
      { line: 2, result: 'accepted', code: 'domain_misspelled', suggestion: 'b@tailspin.example' },
      { line: 3, result: 'rejected', code: 'consumer_domain' },
    ],
  });
});
