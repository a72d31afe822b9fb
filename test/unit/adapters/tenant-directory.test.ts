import { afterEach, describe, expect, it, vi } from 'vitest';
import { createClouds } from '../../../shared/adapters/entra/clouds.ts';
import { openIdTenantDirectory } from '../../../shared/adapters/entra/tenant-directory.ts';
import type { Cloud } from '../../../shared/connections/connection.ts';

const TENANT_ID = '5a1c6f3e-0b7d-4e29-9c84-2f6e8d1b7a50';
const simulator = {
  loginUrl: 'https://login.simulated.test',
  graphUrl: 'https://x.test',
  imap: undefined,
  smtp: undefined,
};
const directory = openIdTenantDirectory({
  clouds: createClouds(simulator),
  clock: { now: () => new Date(0) },
  timeoutMs: 1_000,
});

type Named = { cloud_instance_name?: string; tenant_region_sub_scope?: string | null };

/** Answers for each host of an authority: what it says of the tenant, or a status. */
function given(hosts: Record<string, Named | number>): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (input: string) => {
    const { host, pathname } = new URL(input);
    asked.push(host);
    expect(pathname).toMatch(/^\/[^/]+\/v2\.0\/\.well-known\/openid-configuration$/);
    const answer = hosts[host] ?? 400;
    if (typeof answer === 'number') return new Response('{}', { status: answer, headers: { 'retry-after': '7' } });
    return Response.json({ issuer: `https://${host}/${TENANT_ID.toUpperCase()}/v2.0`, ...answer });
  });
  return asked;
}
afterEach(() => vi.unstubAllGlobals());

const GLOBAL = 'login.microsoftonline.com';
const GOV = 'login.microsoftonline.us';
const CHINA = 'login.chinacloudapi.cn';
const global = { cloud_instance_name: 'microsoftonline.com' };
const gccHigh = { cloud_instance_name: 'microsoftonline.us', tenant_region_sub_scope: 'DODCON' };
const dod = { cloud_instance_name: 'microsoftonline.us', tenant_region_sub_scope: 'DOD' };
const china = { cloud_instance_name: 'partner.microsoftonline.cn' };

describe('find', () => {
  it.each<[Cloud, Record<string, Named | number>, Cloud]>([
    ['global', { [GLOBAL]: global }, 'global'],
    ['global', { [GLOBAL]: { ...global, tenant_region_sub_scope: 'GCC' } }, 'global'],
    ['global', { [GLOBAL]: gccHigh }, 'usgov'],
    ['global', { [GLOBAL]: dod }, 'usgovdod'],
    ['global', { [GLOBAL]: china }, 'china'],
    ['global', { [CHINA]: china }, 'china'],
    ['global', { [GOV]: dod }, 'usgovdod'],
    ['usgov', { [GOV]: gccHigh }, 'usgov'],
    ['usgov', { [GOV]: { cloud_instance_name: 'microsoftonline.us' } }, 'usgov'],
    ['usgov', { [GOV]: dod }, 'usgovdod'],
    ['usgovdod', { [GOV]: gccHigh }, 'usgov'],
    ['usgov', { [GLOBAL]: global }, 'global'],
    ['china', { [GLOBAL]: global, [GOV]: 503 }, 'global'],
    ['china', { [CHINA]: { cloud_instance_name: 'some.new.name' } }, 'china'],
    ['simulator', { 'login.simulated.test': { cloud_instance_name: 'login.simulated.test' } }, 'simulator'],
  ])('looks in %s first, and names the cloud of the tenant', async (cloud, hosts, expected) => {
    given(hosts);
    expect(await directory.find(cloud, 'contoso.com')).toEqual({ tenantId: TENANT_ID, cloud: expected });
  });

  it('resolves to nothing if no cloud knows the tenant', async () => {
    const asked = given({});
    expect(await directory.find('usgov', 'contoso.com')).toBeUndefined();
    expect(asked.sort()).toEqual([CHINA, GLOBAL, GOV].sort());
  });

  it('asks no cloud of Microsoft about a simulated tenant', async () => {
    const asked = given({});
    expect(await directory.find('simulator', 'contoso.com')).toBeUndefined();
    expect(asked).toEqual(['login.simulated.test']);
  });

  it('rejects if the cloud of the tenant is throttled or unavailable', async () => {
    given({ [GLOBAL]: 429 });
    await expect(directory.find('global', 'a.com')).rejects.toMatchObject({
      code: 'microsoft_throttled',
      retryAfterSeconds: 7,
    });
    given({ [GLOBAL]: 503 });
    await expect(directory.find('global', 'a.com')).rejects.toMatchObject({ code: 'microsoft_unavailable' });
  });

  it.each([
    ['Thu, 01 Jan 1970 00:05:00 GMT', undefined, 300_000],
    // A proxy has kept the answer for five minutes.
    ['Thu, 01 Jan 1970 00:00:00 GMT', '300', 300_000],
    ['yesterday', undefined, undefined],
  ])('tells how far the clock of Microsoft is ahead: %s, kept for %s seconds', async (date, age, expected) => {
    const headers = { date, ...(age && { age }) };
    vi.stubGlobal('fetch', async () =>
      Response.json({ issuer: `https://${GLOBAL}/${TENANT_ID}/v2.0`, ...global }, { headers }),
    );
    expect((await directory.find('global', 'contoso.com'))?.clockAheadMs).toBe(expected);
  });
});
