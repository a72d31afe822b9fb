import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SecretClient } from '@azure/keyvault-secrets';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Certificate, obtainCertificate, trustInThisProcess } from '../../local/certificate.ts';
import { startVault, type Vault, type VaultOptions } from '../../local/key-vault/vault.ts';
import { keyVaultSecrets } from '../../shared/adapters/key-vault/key-vault-secrets.ts';
import { keyVaultSigningSecrets } from '../../shared/adapters/key-vault/key-vault-signing-secrets.ts';
import { limitCalls } from '../../shared/adapters/key-vault/limit-calls.ts';
import { tellRefusals } from '../../shared/adapters/key-vault/tell-refusals.ts';
import { keepNextLinks } from '../../shared/adapters/key-vault/vault-pages.ts';
import type { Log } from '../../shared/kernel/log.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { allPagesOf } from '../support/all-pages.ts';

const TENANT = '00000000-0000-4000-8000-0000000000aa';
const TIMEOUT_MS = 2_000;
const APP = '00000000-0000-4000-8000-0000000000bb';

let folder: string;
let certificate: Certificate;
let vault: Vault;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-vault-'));
  certificate = await obtainCertificate(folder);
  trustInThisProcess(certificate.cert);
});
afterAll(() => rm(folder, { recursive: true }));

/** An unsigned token. Signatures are tested with the simulated Entra. */
const tokenOf = (claims: object) => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
const verify: VaultOptions['verify'] = async (token, audience) => {
  const claims: Record<string, unknown> = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  if (claims.aud !== audience) throw new Error('wrong audience');
  return claims;
};

const tokenRequests: { scopes: string | string[]; tenantId: string | undefined }[] = [];

/** Use `maxRetries` 1 if the vault was restarted: a kept-alive connection may be dead. */
function clientOf(url: string, claims: object = {}, maxRetries = 0, log: Log = () => undefined): SecretClient {
  const token = tokenOf({ aud: 'https://vault.azure.net', tid: TENANT, appid: APP, ...claims });
  const credential = {
    getToken: async (scopes: string | string[], options?: { tenantId?: string }) => {
      tokenRequests.push({ scopes, tenantId: options?.tenantId });
      return { token, expiresOnTimestamp: Date.now() + 3_600_000 };
    },
  };
  return new SecretClient(url, credential, {
    disableChallengeResourceVerification: true,
    retryOptions: { maxRetries, retryDelayInMs: 1 },
    additionalPolicies: [...limitCalls(TIMEOUT_MS), ...tellRefusals(log), ...keepNextLinks],
  });
}

const open = (more: Partial<VaultOptions> = {}) =>
  startVault({
    tls: certificate,
    verify,
    loginUrl: 'https://127.0.0.1:1',
    tenantId: TENANT,
    clientIds: [APP],
    ...more,
  });

describe('with Microsoft’s client library', () => {
  let client: SecretClient;
  beforeEach(async () => {
    vault = await open();
    client = clientOf(vault.url);
  });
  afterEach(() => vault.stop());

  it('names the authority and the resource in a challenge, which the client uses to get its token', async () => {
    tokenRequests.length = 0;
    await client.setSecret('a', '1');
    expect(tokenRequests).toEqual([{ scopes: ['https://vault.azure.net/.default'], tenantId: TENANT }]);
  });

  it('returns what was set: value, content type, tags, and times to the second', async () => {
    const expiresOn = new Date('2027-06-01T00:00:00Z');
    const notBefore = new Date('2026-06-01T00:00:00Z');
    const properties = { expiresOn, notBefore, contentType: 'text/plain', tags: { connection: 'con_1' } };
    await client.setSecret('Conn-1', 'hush ÄÖ', properties);
    const read = await client.getSecret('conn-1');
    expect(read.value).toBe('hush ÄÖ');
    expect(read.name).toBe('Conn-1');
    expect(read.properties).toMatchObject({ ...properties, enabled: true, recoverableDays: 90, vaultUrl: vault.url });
    expect(read.properties.createdOn?.getTime()).toBeGreaterThan(Date.now() - 60_000);
  });

  it('keeps every version, and returns the newest if none is named', async () => {
    const first = await client.setSecret('a', 'one');
    const second = await client.setSecret('a', 'two');
    expect(first.properties.version).toMatch(/^[0-9a-f]{32}$/);
    expect((await client.getSecret('a')).properties.version).toBe(second.properties.version);
    expect((await client.getSecret('a', { version: first.properties.version ?? '' })).value).toBe('one');
    const versions = await Array.fromAsync(client.listPropertiesOfSecretVersions('a'));
    expect(versions.map((one) => one.version)).toEqual([first.properties.version, second.properties.version]);
  });

  it('changes attributes without touching the value', async () => {
    const { properties } = await client.setSecret('a', 'one', { tags: { kept: 'yes' } });
    await client.updateSecretProperties('a', properties.version ?? '', { expiresOn: new Date('2027-01-01T00:00:00Z') });
    const read = await client.getSecret('a');
    expect(read.value).toBe('one');
    expect(read.properties).toMatchObject({ tags: { kept: 'yes' }, expiresOn: new Date('2027-01-01T00:00:00Z') });
  });

  it('keeps the value and a future expiry of a client secret that lives longer than 32-bit time', async () => {
    for (const expiresAt of ['2037-01-01T00:00:00Z', '2038-01-20T00:00:00Z', '9999-12-31T23:59:59Z']) {
      const name = { customerId: 'cust_1', connectionId: 'conn_1', version: `v${Date.parse(expiresAt)}` };
      await keyVaultSecrets(client).put(name, new Secret('hush'), new Date(expiresAt), 'clientSecret');
      const { value, properties } = await client.getSecret(`conn-1-${name.version}`);
      expect(value).toBe('hush');
      const latest = new Date('2038-01-19T03:14:07Z');
      expect(properties.expiresOn).toEqual(new Date(expiresAt) < latest ? new Date(expiresAt) : latest);
    }
  });

  it('lists signing secrets part by part, and goes on from a cursor in another process', async () => {
    const signing = keyVaultSigningSecrets(client);
    await client.setSecret('operator-key', 'x');
    const made = [];
    for (let i = 0; i < 30; i++) made.push(await signing.create({ id: `hook_${i % 20}`, customerId: 'cust_1' }));
    const first = await signing.page();
    const rest = await keyVaultSigningSecrets(clientOf(vault.url)).page(first.cursor);
    expect(rest.cursor).toBeUndefined();
    const listed = [...first.items, ...rest.items];
    expect(listed.map(({ version }) => version).sort()).toEqual(made.map(({ version }) => version).sort());
    expect(listed[0]).toMatchObject({ customerId: 'cust_1', storedAt: expect.any(Date) });
    // A cursor that the vault refuses begins anew.
    expect((await signing.page(first.cursor?.replace(/skiptoken=\d+/, 'skiptoken=x'))).items).toEqual(first.items);
    const [one] = listed;
    await signing.remove(one?.webhookId ?? '', one?.version ?? '');
    expect(await keyVaultSigningSecrets(client).get(one?.webhookId ?? '', one?.version ?? '')).toBeUndefined();
  });

  it('a signing secret that is disabled or removed is none, in this process as well as in others', async () => {
    const signing = keyVaultSigningSecrets(client);
    const { version } = await signing.create({ id: 'hook_1', customerId: 'cust_1' });
    expect((await signing.get('hook_1', version))?.reveal()).toMatch(/^whsec_/);
    await client.updateSecretProperties(`hook-1-${version}`, '', { enabled: false });
    expect(await keyVaultSigningSecrets(client).get('hook_1', version)).toBeUndefined();
    await signing.remove('hook_1', version);
    expect(await signing.get('hook_1', version)).toBeUndefined();
  });

  describe('keyVaultSecrets', () => {
    const name = { customerId: 'cust_1', connectionId: 'conn_1', version: 'a1' };
    const expiresAt = new Date('2030-01-01T00:00:00Z');
    const store = (change = {}) =>
      keyVaultSecrets(client).put({ ...name, ...change }, new Secret('hush'), expiresAt, 'clientSecret');

    it('lists the secrets of connections with their owners, and no other secret', async () => {
      await client.setSecret('operator-key', 'x');
      await client.setSecret('copy', 'x', { tags: { customer: 'cust_1', connection: 'conn_1', version: 'a1' } });
      await store();
      await store({ version: 'b2' });
      const listed = await allPagesOf(keyVaultSecrets(client));
      expect(listed).toEqual(['a1', 'b2'].map((version) => ({ ...name, version, storedAt: expect.any(Date) })));
    });

    it('goes on with the list where another process has stopped', async () => {
      for (let i = 0; i < 30; i++) await store({ version: `v${i}` });
      const { items, cursor } = await keyVaultSecrets(client).page();
      const rest = await keyVaultSecrets(clientOf(vault.url)).page(cursor);
      expect([items.length, rest.items.length, rest.cursor]).toEqual([25, 5, undefined]);
    });

    it('resolves to no secret if it is disabled, removed or was never there', async () => {
      const secrets = keyVaultSecrets(client);
      await store();
      expect((await secrets.get('conn_1', 'a1'))?.reveal()).toBe('hush');
      await client.updateSecretProperties('conn-1-a1', '', { enabled: false });
      expect(await secrets.get('conn_1', 'a1')).toBeUndefined();
      await secrets.remove('conn_1', 'a1');
      await secrets.remove('conn_1', 'a1');
      expect(await secrets.get('conn_1', 'a1')).toBeUndefined();
      expect(await secrets.get('conn_1', 'none')).toBeUndefined();
    });

    it('never brings back what was removed: that name is unavailable, which waiting may help', async () => {
      await store();
      await keyVaultSecrets(client).remove('conn_1', 'a1');
      await expect(store()).rejects.toMatchObject({ code: 'vault_unavailable', retryAfterSeconds: 10 });
      expect(await keyVaultSecrets(client).get('conn_1', 'a1')).toBeUndefined();
    });

    it('tells a missing right from a disabled secret', async () => {
      await store();
      vault.fail('forbidden', 1);
      const error = { code: 'vault_unavailable', retryAfterSeconds: 10 };
      await expect(keyVaultSecrets(client).get('conn_1', 'a1')).rejects.toMatchObject(error);
    });
  });

  it('a vault that does not answer is unavailable after the time limit, and works again afterwards', async () => {
    const secrets = keyVaultSecrets(clientOf(vault.url, {}, 1));
    const name = { customerId: 'cust_1', connectionId: 'conn_1', version: 'a1' };
    await secrets.put(name, new Secret('x'), new Date(8e14), 'clientSecret');
    for (const call of [() => secrets.get('conn_1', 'a1'), () => secrets.remove('conn_1', 'a2')]) {
      vault.fail('noAnswer', 1);
      await expect(call()).rejects.toMatchObject({ code: 'vault_unavailable' });
    }
    expect((await secrets.get('conn_1', 'a1'))?.reveal()).toBe('x');
  });

  it('a log line tells that the vault has refused the app, but neither a challenge nor a disabled secret', async () => {
    const told: unknown[] = [];
    const watched = clientOf(vault.url, {}, 0, (...line) => void told.push(line));
    await watched.setSecret('off', 'x', { enabled: false });
    await expect(watched.getSecret('off')).rejects.toMatchObject({ statusCode: 403 });
    expect(told).toEqual([]);
    vault.fail('forbidden', 1);
    await expect(watched.getSecret('off')).rejects.toMatchObject({ statusCode: 403 });
    expect(told).toEqual([['error', 'vault_refused', { status: 403, code: expect.any(String) }]]);
  });

  it('returns an expired secret but not a disabled one', async () => {
    await client.setSecret('old', 'x', { expiresOn: new Date('2020-01-01T00:00:00Z') });
    expect((await client.getSecret('old')).value).toBe('x');
    await client.setSecret('off', 'x', { enabled: false });
    await expect(client.getSecret('off')).rejects.toMatchObject({ statusCode: 403, code: 'Forbidden' });
  });

  it('404: refuses an unknown name or version', async () => {
    await client.setSecret('a', '1');
    const missing = { statusCode: 404, code: 'SecretNotFound' };
    await expect(client.getSecret('nothing')).rejects.toMatchObject(missing);
    await expect(client.getSecret('a', { version: '0'.repeat(32) })).rejects.toMatchObject(missing);
    await expect(client.getDeletedSecret('a')).rejects.toMatchObject(missing);
    await expect(client.beginDeleteSecret('nothing')).rejects.toMatchObject(missing);
  });

  it('409: refuses a deleted name until it is recovered with its versions', async () => {
    await client.setSecret('a', 'one');
    const poller = await client.beginDeleteSecret('a');
    const deleted = await poller.pollUntilDone();
    expect(deleted.recoveryId).toBe(`${vault.url}/deletedsecrets/a`);
    expect(deleted.scheduledPurgeDate?.getTime()).toBeGreaterThan(Date.now() + 89 * 86_400_000);
    await expect(client.getSecret('a')).rejects.toMatchObject({ statusCode: 404 });
    const conflict = { statusCode: 409, code: 'Conflict', message: expect.stringContaining('deleted but recoverable') };
    await expect(client.setSecret('a', 'two')).rejects.toMatchObject(conflict);

    const recovering = await client.beginRecoverDeletedSecret('a');
    await recovering.pollUntilDone();
    expect((await client.getSecret('a')).value).toBe('one');
  });

  it('frees a name when it is purged, and forgets the old value', async () => {
    await client.setSecret('a', 'one');
    await (await client.beginDeleteSecret('a')).pollUntilDone();
    await client.purgeDeletedSecret('a');
    await client.setSecret('a', 'two');
    const versions = await Array.fromAsync(client.listPropertiesOfSecretVersions('a'));
    expect(versions).toHaveLength(1);
  });

  it('lists secrets in pages, deleted ones separately, and never a value', async () => {
    for (let index = 10; index < 40; index += 1) await client.setSecret(`s-${index}`, 'hush');
    await client.beginDeleteSecret('s-15');
    const pages = await Array.fromAsync(client.listPropertiesOfSecrets().byPage({ maxPageSize: 10 }));
    expect(pages.map((page) => page.length)).toEqual([10, 10, 9]);
    const deleted = await Array.fromAsync(client.listDeletedSecrets());
    expect(deleted.map((secret) => secret.name)).toEqual(['s-15']);
    expect(JSON.stringify([pages, deleted])).not.toContain('hush');
  });

  it('400: refuses an invalid name, a value that is too long and an expiry before the start, and does not repeat the value', async () => {
    const bad = { statusCode: 400, code: 'BadParameter' };
    await expect(client.setSecret('a_b', '1')).rejects.toMatchObject(bad);
    await expect(client.setSecret('a', 'x'.repeat(25_601))).rejects.toSatisfy(
      (error: Error) => !String(error).includes('xxx') && !JSON.stringify(error).includes('xxx'),
    );
    const times = { notBefore: new Date('2027-01-01'), expiresOn: new Date('2026-01-01') };
    await expect(client.setSecret('a', '1', times)).rejects.toMatchObject(bad);
  });

  it('fails as often as requested, and then works', async () => {
    await client.setSecret('a', '1');
    vault.fail('throttled', 2);
    vault.fail('forbidden', 1);
    const codes = [];
    for (let call = 0; call < 4; call += 1) {
      codes.push(
        await client.getSecret('a').then(
          ({ value }) => value,
          ({ code }) => code,
        ),
      );
    }
    expect(codes).toEqual(['Throttled', 'Throttled', 'Forbidden', '1']);
  });

  it('counts requests by route without secret names, challenged requests included', async () => {
    await client.setSecret('a', '1');
    await client.getSecret('a');
    expect(vault.counts()).toEqual([
      { service: 'vault', method: 'PUT', route: '/secrets/{name}', status: 401, count: 1 },
      { service: 'vault', method: 'PUT', route: '/secrets/{name}', status: 200, count: 1 },
      { service: 'vault', method: 'GET', route: '/secrets/{name}', status: 200, count: 1 },
    ]);
    vault.resetCounts();
    expect(vault.counts()).toEqual([]);
  });

  it('keeps its port and its secrets through an outage', async () => {
    await client.setSecret('a', '1');
    await vault.stop();
    await expect(client.getSecret('a')).rejects.toMatchObject({
      code: expect.stringMatching(/^ECONN(REFUSED|RESET)$/),
    });
    await vault.start();
    expect((await client.getSecret('a')).value).toBe('1');
  });

  it.each([
    ['for another audience', { aud: 'https://graph.microsoft.com' }, { statusCode: 401, message: /AKV10022/ }],
    ['of another tenant', { tid: APP }, { statusCode: 401, message: /AKV10032/ }],
    ['of another app', { appid: TENANT }, { statusCode: 403, message: /not authorized/ }],
  ])('refuses a token %s', async (_, claims, { statusCode, message }) => {
    await expect(clientOf(vault.url, claims).getSecret('a')).rejects.toMatchObject({
      statusCode,
      message: expect.stringMatching(message),
    });
  });
});

it('keeps secrets across restarts in a file that only its owner can read, and leaves no temporary file', async () => {
  const file = join(folder, 'vault.json');
  vault = await open({ file });
  await clientOf(vault.url).setSecret('a', '1', { expiresOn: new Date('2027-01-01T00:00:00Z') });
  await vault.stop();
  const { port } = vault;
  vault = await open({ file, port });
  expect(vault.port).toBe(port);
  expect((await clientOf(vault.url, {}, 1).getSecret('a')).properties.expiresOn).toEqual(
    new Date('2027-01-01T00:00:00Z'),
  );
  await vault.stop();
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await readdir(folder)).sort()).toEqual(['ca-key.pem', 'ca.pem', 'vault.json']);
});

it('409: refuses a name while its deletion takes time, and does not list it as deleted', async () => {
  vault = await open({ deletionMs: 60_000 });
  const client = clientOf(vault.url);
  await client.setSecret('a', '1');
  await client.beginDeleteSecret('a');
  await expect(client.getDeletedSecret('a')).rejects.toMatchObject({ statusCode: 404 });
  await expect(client.setSecret('a', '2')).rejects.toMatchObject({ statusCode: 409, message: /being deleted/ });
  await vault.stop();
});

it('429: refuses more requests than allowed in ten seconds', async () => {
  vault = await open({ requestsPer10sMax: 3 });
  const client = clientOf(vault.url);
  const codes = [];
  for (let call = 0; call < 8; call += 1) codes.push(await client.getSecret('a').catch(({ code }) => code));
  expect(codes).toContain('Throttled');
  await vault.stop();
});
