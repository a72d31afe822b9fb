import { causes } from '../causes/causes.ts';
import type { Probe } from '../causes/verdict.ts';
import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import { DomainError } from '../kernel/errors.ts';
import type { NewId } from '../kernel/ids.ts';
import type { Quotas } from '../kernel/quota.ts';
import type { Secret } from '../kernel/secret.ts';
import { secretState } from './client-secret.ts';
import type { Cloud, Connection, SendProbe } from './connection.ts';
import { isTenantId } from './connection-fields.ts';
import type { ConnectionStore } from './connection-store.ts';
import { expiryOf } from './expiring-secrets.ts';
import type { ExpiryIndex } from './expiry-index.ts';
import type { SecretVault } from './secret-vault.ts';
import type { TenantDirectory } from './tenant-directory.ts';

interface Deps {
  connections: Pick<ConnectionStore, 'get' | 'insert'>;
  expiryIndex: Pick<ExpiryIndex, 'put' | 'remove'>;
  vault: Pick<SecretVault, 'put' | 'remove'>;
  tenants: TenantDirectory;
  quotas: Pick<Quotas, 'connectionsMax'>;
  clock: Clock;
  newId: NewId;
  expiringWithinDays: number;
}

/** Validated by the fields in `connection-fields.ts`. */
interface NewConnection {
  name: string;
  /** The tenant's GUID or one of its domains. */
  tenant: string;
  clientId: string;
  clientSecret: Secret;
  clientSecretExpiresAt: Date;
  cloud: Cloud;
  probes: Probe[];
  sendProbe: SendProbe;
  defaultMailbox?: string;
}

/**
 * Registers a tenant. The connection then awaits the admin's consent.
 *
 * The secret is stored before the record. A record without a secret would look connected, whereas an orphaned secret is
 * harmless. It is removed if the record is refused. After a failure in doubt it stays, because the record may exist.
 *
 * Repeatable with the same `newId`: a retry resolves to the connection that an earlier try has registered.
 *
 * @throws DomainError `credentials_rejected` with the cause `tenant_not_found`, `conflict` if the customer already has a
 * connection to this tenant with this app, `quota_reached` if it has too many connections
 */
export async function registerConnection(deps: Deps, actor: CustomerActor, input: NewConnection): Promise<Connection> {
  const now = deps.clock.now();
  const { tenantId, tenantDomain } = await resolveTenant(deps, input);

  const id = deps.newId('conn');
  const registered = await deps.connections.get(actor.customerId, id);
  if (registered) return registered.value;
  const clientSecretVersion = await deps.vault.put(id, input.clientSecret, input.clientSecretExpiresAt);
  const connection: Connection = {
    id,
    customerId: actor.customerId,
    name: input.name,
    cloud: input.cloud,
    tenantId,
    ...(tenantDomain !== undefined && { tenantDomain }),
    clientId: input.clientId.toLowerCase(),
    clientSecretVersion,
    clientSecretExpiresAt: input.clientSecretExpiresAt,
    clientSecretState: secretState(input.clientSecretExpiresAt, now, deps.expiringWithinDays),
    probes: input.probes,
    sendProbe: input.sendProbe,
    ...(input.defaultMailbox !== undefined && { defaultMailbox: input.defaultMailbox }),
    status: 'awaitingConsent',
    grantsChangedAt: now,
    createdAt: now,
  };
  await deps.expiryIndex.put({ ...expiryOf(connection), notedAt: now });
  try {
    return await deps.connections.insert(connection, deps.quotas.connectionsMax);
  } catch (error) {
    const isRefused = error instanceof DomainError && (error.code === 'conflict' || error.code === 'quota_reached');
    // Orphans are harmless, so a failed cleanup must not hide why the record was refused.
    if (isRefused) {
      await deps.vault.remove(id).catch(() => undefined);
      await deps.expiryIndex.remove(expiryOf(connection)).catch(() => undefined);
    }
    throw error;
  }
}

async function resolveTenant(deps: Deps, input: NewConnection): Promise<{ tenantId: string; tenantDomain?: string }> {
  if (isTenantId(input.tenant)) return { tenantId: input.tenant.toLowerCase() };
  const tenantDomain = input.tenant.toLowerCase();
  const tenantId = await deps.tenants.resolve(input.cloud, tenantDomain);
  if (tenantId !== undefined) return { tenantId, tenantDomain };
  const { sentence, fix, link } = causes.tenant_not_found;
  throw new DomainError('credentials_rejected', `${sentence} ${fix}`, {
    members: { cause: 'tenant_not_found', fix, link },
    fields: [{ path: 'tenant', message: 'does not belong to any tenant in this cloud' }],
  });
}
