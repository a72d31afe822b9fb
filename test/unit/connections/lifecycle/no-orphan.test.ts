import { beforeEach, describe, expect, it } from 'vitest';
import type { Connection } from '../../../../shared/connections/connection.ts';
import { credentialsOf } from '../../../../shared/connections/credentials/credential-vaults.ts';
import type { SecretName } from '../../../../shared/connections/credentials/secret-vault.ts';
import {
  deleteConnection,
  finishDeletion,
  sweepDeletions,
} from '../../../../shared/connections/lifecycle/delete-connection.ts';
import { registerConnection } from '../../../../shared/connections/lifecycle/register-connection.ts';
import { removeOrphanedSecrets } from '../../../../shared/connections/lifecycle/remove-orphaned-secrets.ts';
import { makeNextCertificate } from '../../../../shared/connections/replacing/make-certificate.ts';
import { useNextCertificate } from '../../../../shared/connections/replacing/replace-certificate.ts';
import { replaceClientSecret } from '../../../../shared/connections/replacing/replace-client-secret.ts';
import { restoreCredential } from '../../../../shared/connections/replacing/replace-credential.ts';
import { Secret } from '../../../../shared/kernel/secret.ts';
import { GOOD_SECRET } from '../../../fakes/simulated-tenant.ts';
import { allPagesOf } from '../../../support/all-pages.ts';
import { createApiDeps, DOMAIN } from '../../../support/api.ts';

const NEW_SECRET = 'newer-8Q~secret-value-that-entra-accepts';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const actor = { keyId: 'key_1', role: 'owner', customerId: 'cust_1' } as const;

type ApiDeps = ReturnType<typeof createApiDeps>;
let deps: ApiDeps;

beforeEach(async () => {
  deps = createApiDeps();
  await deps.customers.insert({ id: 'cust_1', name: 'Acme', createdAt: deps.time.now });
  deps.tenant.answers.set(NEW_SECRET, ['Mail.ReadWrite', 'Mail.Send']);
});

const input = {
  name: 'Tailspin',
  tenant: DOMAIN,
  clientId: 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37',
  credential: {
    kind: 'clientSecret',
    clientSecret: new Secret(GOOD_SECRET),
    clientSecretExpiresAt: new Date('2027-01-01T00:00:00Z'),
  },
  cloud: 'global',
  probes: ['graph.send'] as Connection['probes'],
  sendProbe: 'noDelivery',
} as const;
const renewal = { clientSecret: new Secret(NEW_SECRET), clientSecretExpiresAt: new Date('2028-01-01T00:00:00Z') };

/** Stores whose every call is a step: `before` runs before it, and may throw. */
function stepping(all: ApiDeps, before: (step: number) => Promise<void>): ApiDeps {
  let steps = 0;
  const wrap = <T extends object>(store: T): T =>
    new Proxy(store, {
      get(target, name, receiver) {
        const value = Reflect.get(target, name, receiver);
        if (typeof value !== 'function' || name === 'page' || name === 'listAll' || name === 'forget') return value;
        return async (...args: unknown[]) => {
          await before(++steps);
          return value.apply(target, args);
        };
      },
    });
  const { vault, certificates, connections, expiryIndex, customers, consents, tokens } = all;
  return {
    ...all,
    ...{
      vault: wrap(vault),
      certificates: wrap(certificates),
      connections: wrap(connections),
      expiryIndex: wrap(expiryIndex),
    },
    ...{ customers: wrap(customers), consents: wrap(consents), tokens: wrap(tokens) },
  };
}

/** Runs the work as a process that dies before its step `deathAt`. Resolves to whether it has lived. */
async function untilDeath(deathAt: number, work: (dying: ApiDeps) => Promise<unknown>): Promise<boolean> {
  // A dead process does nothing more, whatever it tries.
  const dying = stepping(deps, async (step) => {
    if (step >= deathAt) throw new Error('the process is dead');
  });
  return work(dying).then(
    () => true,
    () => false,
  );
}

const secrets = async () => [...(await allPagesOf(deps.vault)), ...(await allPagesOf(deps.certificates))];
const pass = (ms: number) => {
  deps.time.now = new Date(deps.time.now.getTime() + ms);
};

/** The whole search for what nothing uses, part after part. */
async function search(all: ApiDeps = deps) {
  const orphans: SecretName[] = [];
  const failed: string[] = [];
  const found = { secrets: 0, removed: 0 };
  for (const list of ['vault', 'certificates'] as const) {
    let cursor: string | undefined;
    do {
      const part = await removeOrphanedSecrets(all, list, cursor, {
        removed: (orphan) => orphans.push(orphan),
        failed: ({ connectionId }) => failed.push(connectionId),
      });
      found.secrets += part.secrets;
      found.removed += part.removed;
      cursor = part.cursor;
    } while (cursor !== undefined);
  }
  return { ...found, orphans, failed };
}

/** What the timers and the queue do once everyone is quiet. */
async function settle(): Promise<SecretName[]> {
  pass(2 * HOUR_MS);
  await sweepDeletions(deps);
  for (const message of deps.sent.splice(0)) {
    await finishDeletion(deps, message as { customerId: string; connectionId: string });
  }
  const { orphans, failed } = await search();
  expect(failed).toEqual([]);
  return orphans;
}

/** Every secret in the vault is in use, and every connection has its secret. */
async function expectNoOrphan(): Promise<Connection[]> {
  const { items } = await deps.connections.list('cust_1', { limit: 9 });
  const used = items.flatMap((connection) =>
    credentialsOf(connection).map(({ version }) => `${connection.id} ${version}`),
  );
  const kept = (await secrets()).map(({ connectionId, version }) => `${connectionId} ${version}`);
  expect(kept.sort()).toEqual(used.sort());
  expect(await deps.connections.listDeletions()).toEqual([]);
  return items;
}

async function register(): Promise<Connection> {
  return registerConnection(deps, actor, input);
}
const replace = (all: ApiDeps, as: typeof actor, id: string) => replaceClientSecret(all, as, id, renewal);
const restore = (all: ApiDeps, as: typeof actor, id: string) => restoreCredential(all, as, id, 'clientSecret');
const secretOf = async ({ id, credential }: Connection) => (await deps.vault.get(id, credential.version))?.reveal();

const STEPS_MAX = 40;

describe('a process that dies', () => {
  it('while it registers, at any step, leaves a whole connection or nothing', async () => {
    for (let deathAt = 1; deathAt <= STEPS_MAX; deathAt++) {
      const lived = await untilDeath(deathAt, (dying) => registerConnection(dying, actor, input));
      await settle();
      const [connection, ...others] = await expectNoOrphan();
      expect(others).toEqual([]);
      if (connection) {
        expect(await secretOf(connection)).toBe(GOOD_SECRET);
        await deleteConnection(deps, actor, connection.id);
        await settle();
        await expectNoOrphan();
      }
      if (lived) return;
    }
    expect.fail('it never lived');
  });

  it('while it replaces the secret, at any step, leaves the old one in use or the new one', async () => {
    const { id } = await register();
    const seen = new Set<string | undefined>();
    for (let deathAt = 1; deathAt <= STEPS_MAX; deathAt++) {
      const lived = await untilDeath(deathAt, (dying) => replaceClientSecret(dying, actor, id, renewal));
      await settle();
      const [connection] = await expectNoOrphan();
      if (!connection) throw new Error('the connection is gone');
      seen.add(await secretOf(connection));
      if (lived) {
        expect(seen).toEqual(new Set([GOOD_SECRET, NEW_SECRET]));
        return;
      }
    }
    expect.fail('it never lived');
  });

  it('while it brings the old secret back, at any step, leaves one of the two in use and the other one kept', async () => {
    const { id } = await register();
    await replaceClientSecret(deps, actor, id, renewal);
    for (let deathAt = 1; deathAt <= STEPS_MAX; deathAt++) {
      const lived = await untilDeath(deathAt, (dying) => restore(dying, actor, id));
      await settle();
      const [connection] = await expectNoOrphan();
      if (!connection?.previousCredential) throw new Error('a secret is gone');
      const kept = await secretOf({ ...connection, credential: connection.previousCredential });
      expect(new Set([await secretOf(connection), kept])).toEqual(new Set([GOOD_SECRET, NEW_SECRET]));
      if (lived) return;
    }
    expect.fail('it never lived');
  });

  it('while it registers with a certificate that is made, at any step, leaves a whole connection or nothing', async () => {
    const made = { ...input, credential: { kind: 'madeCertificate', validMonths: 12 } } as const;
    for (let deathAt = 1; deathAt <= STEPS_MAX; deathAt++) {
      const lived = await untilDeath(deathAt, (dying) => registerConnection(dying, actor, made));
      await settle();
      const [connection] = await expectNoOrphan();
      if (connection) {
        expect(connection.credential).toMatchObject({ kind: 'certificate', certificate: { origin: 'made' } });
        await deleteConnection(deps, actor, connection.id);
        await settle();
        await expectNoOrphan();
      }
      if (lived) return;
    }
    expect.fail('it never lived');
  });

  it('while it makes a certificate, and puts it into use, at any step, leaves the old credential in use or the new one', async () => {
    const { id } = await register();
    const seen = new Set<string>();
    for (let deathAt = 1; deathAt <= STEPS_MAX; deathAt++) {
      const lived = await untilDeath(deathAt, async (dying) => {
        const { nextCertificate } = await makeNextCertificate(dying, actor, id, 12);
        deps.tenant.answers.set(nextCertificate?.certificate.thumbprint ?? '', ['Mail.Send']);
        await useNextCertificate(dying, actor, id);
      });
      await settle();
      const [connection] = await expectNoOrphan();
      if (!connection) throw new Error('the connection is gone');
      seen.add(connection.credential.kind);
      if (lived) {
        expect(connection.credential.kind).toBe('certificate');
        expect(connection.nextCertificate).toBeUndefined();
        expect(seen).toEqual(new Set(['clientSecret', 'certificate']));
        return;
      }
    }
    expect.fail('it never lived');
  });

  it('while it deletes, at any step, leaves the connection whole or gone', async () => {
    for (let deathAt = 1; deathAt <= STEPS_MAX; deathAt++) {
      const { id } = await register();
      const lived = await untilDeath(deathAt, async (dying) => {
        await deleteConnection(dying, actor, id);
        await finishDeletion(dying, { customerId: 'cust_1', connectionId: id });
      });
      await settle();
      const [connection] = await expectNoOrphan();
      if (connection) {
        expect(await secretOf(connection)).toBe(GOOD_SECRET);
        await deleteConnection(deps, actor, id);
        await settle();
      }
      if (lived) return;
    }
    expect.fail('it never lived');
  });
});

describe('a deletion', () => {
  it.each([
    ['a replacement', replace, async () => undefined],
    ['bringing the old secret back', restore, replace],
  ])('at any step of %s leaves nothing in the vault', async (_, change, prepare) => {
    for (let at = 1; at <= STEPS_MAX; at++) {
      const { id } = await register();
      await prepare(deps, actor, id);
      let isDeleted = false;
      const racing = stepping(deps, async (step) => {
        if (step !== at) return;
        isDeleted = true;
        await deleteConnection(deps, actor, id);
        await finishDeletion(deps, { customerId: 'cust_1', connectionId: id });
      });
      const replaced = await change(racing, actor, id).catch((error) => error);
      if (!isDeleted) return;
      // A replacement that succeeds came before the deletion.
      // Its secret may go first: then there is none to bring back.
      const refusals = expect.stringMatching(/^(not_found|wrong_state)$/);
      if (replaced instanceof Error) expect(replaced).toMatchObject({ code: refusals });
      // Nothing is left for the timer, except behind a process that died.
      expect(await secrets()).toEqual([]);
      expect(await settle()).toEqual([]);
    }
    expect.fail('it never ended');
  });

  it('at any step of the making of a certificate leaves nothing in the vault', async () => {
    for (let at = 1; at <= STEPS_MAX; at++) {
      const { id } = await register();
      let isDeleted = false;
      const racing = stepping(deps, async (step) => {
        if (step !== at) return;
        isDeleted = true;
        await deleteConnection(deps, actor, id);
        await finishDeletion(deps, { customerId: 'cust_1', connectionId: id });
      });
      const made = await makeNextCertificate(racing, actor, id, 12).catch((error) => error);
      if (!isDeleted) return;
      if (made instanceof Error) expect(made).toMatchObject({ code: 'not_found' });
      expect(await secrets()).toEqual([]);
      expect(await settle()).toEqual([]);
    }
    expect.fail('it never ended');
  });

  it('of a customer, at any step of a registration, leaves nothing behind', async () => {
    for (let at = 1; at <= STEPS_MAX; at++) {
      const customerId = `cust_${at + 1}`;
      await deps.customers.insert({ id: customerId, name: 'Acme', createdAt: deps.time.now });
      let isDeleted = false;
      const racing = stepping(deps, async (step) => {
        if (step !== at) return;
        isDeleted = true;
        await deps.customers.remove(customerId);
        for (const { id } of (await deps.connections.list(customerId, { limit: 9 })).items) {
          await deps.discardConnection(customerId, id);
        }
        await deps.expiryIndex.purge(customerId);
        await deps.connections.purge(customerId);
      });
      racing.discardConnection = deps.discardConnection;
      const registered = await registerConnection(racing, { ...actor, customerId }, input).catch((error) => error);
      if (!isDeleted) return;
      if (registered instanceof Error) expect(registered).toMatchObject({ code: 'not_found' });
      expect(await secrets()).toEqual([]);
      expect((await deps.connections.list(customerId, { limit: 9 })).items).toEqual([]);
      expect(await deps.connections.listDeletions()).toEqual([]);
      const entries = await Array.fromAsync(deps.expiryIndex.each());
      expect(entries.filter((entry) => entry.customerId === customerId)).toEqual([]);
    }
    expect.fail('it never ended');
  });
});

describe('the daily search', () => {
  const name = (change: Partial<SecretName>) => ({
    ...{ customerId: 'cust_1', connectionId: 'conn_none', version: 'v1' },
    ...change,
  });
  const put = (change: Partial<SecretName> = {}) =>
    deps.vault.put(name(change), new Secret('x'), new Date(8e15), 'clientSecret');

  it('removes a secret without an owner, and writes it to the audit log, once it is an hour old', async () => {
    await put();
    expect(await search()).toEqual({ secrets: 1, removed: 0, orphans: [], failed: [] });
    pass(HOUR_MS);
    expect(await search()).toEqual({ secrets: 1, removed: 1, orphans: [name({})], failed: [] });
    const { items } = await deps.auditLog.list({ customerId: 'cust_1' }, { limit: 9 });
    expect(items).toMatchObject([
      { keyId: 'system', action: 'connections.remove-orphaned-secret', object: 'conn_none', result: 'succeeded' },
    ]);
  });

  it('goes on with the others when one secret cannot be looked up or removed, and removes it the next time', async () => {
    for (const id of ['conn_a', 'conn_b', 'conn_c', 'conn_d', 'conn_e']) await put({ connectionId: id });
    pass(HOUR_MS);
    const unavailable = async () => {
      throw new Error('unavailable');
    };
    const failing: ApiDeps = {
      ...deps,
      vault: {
        ...deps.vault,
        remove: (id, version) => (id === 'conn_a' ? unavailable() : deps.vault.remove(id, version)),
      },
      connections: {
        ...deps.connections,
        get: (...at) => (at[1] === 'conn_d' ? unavailable() : deps.connections.get(...at)),
      },
    };
    expect(await search(failing)).toMatchObject({ secrets: 5, removed: 3, failed: ['conn_a', 'conn_d'] });
    expect(deps.vault.names()).toEqual(['conn_a', 'conn_d']);
    expect(await search()).toMatchObject({ removed: 2, failed: [] });
  });

  it('names no purged customer in the audit log', async () => {
    await put({ customerId: 'cust_purged' });
    pass(HOUR_MS);
    await search();
    const { items } = await deps.auditLog.list({}, { limit: 9 });
    expect(items).toHaveLength(1);
    expect(JSON.stringify(items)).not.toContain('cust_purged');
  });

  it('removes a connection that outlived its customer', async () => {
    await register();
    await deps.customers.remove('cust_1');
    pass(HOUR_MS);
    await search();
    await expectNoOrphan();
    expect((await deps.connections.list('cust_1', { limit: 9 })).items).toEqual([]);
  });

  it('leaves the connections of a customer alone that can still be restored', async () => {
    const { id } = await register();
    const found = await deps.customers.get('cust_1');
    if (found) await deps.customers.update({ ...found.value, deletingSince: deps.time.now }, found.tag);
    pass(HOUR_MS);
    expect(await search()).toMatchObject({ secrets: 1, removed: 0 });
    expect(await deps.connections.get('cust_1', id)).toBeDefined();
  });

  it('removes a replaced secret after its time, and not before', async () => {
    const { id } = await register();
    await replaceClientSecret(deps, actor, id, renewal);
    pass(deps.replacedSecretKeptMs - 1);
    expect(await search()).toMatchObject({ secrets: 2, removed: 0 });
    pass(DAY_MS);
    expect(await search()).toMatchObject({ secrets: 2, removed: 1 });
    const [connection] = await expectNoOrphan();
    expect(connection).toBeDefined();
    expect(connection).not.toHaveProperty('previousCredential');
  });
});
