import { causes } from '../../causes/causes.ts';
import type { Probe } from '../../causes/verdict.ts';
import type { CustomerActor } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import { DomainError, isTransient } from '../../kernel/errors.ts';
import { type NewId, notFound } from '../../kernel/ids.ts';
import type { Quotas } from '../../kernel/quota.ts';
import type { Secret } from '../../kernel/secret.ts';
import { type Cloud, type Connection, hasOwnApp, type SendProbe } from '../connection.ts';
import type { ConnectionStore } from '../connection-store.ts';
import type { CertificateVault } from '../credentials/certificate-vault.ts';
import { type Credential, credentialState, deploymentCredential } from '../credentials/credential.ts';
import { removeCredential } from '../credentials/credential-vaults.ts';
import { newSecretVersion, type SecretVault } from '../credentials/secret-vault.ts';
import { toCredential, type UploadedCertificate } from '../credentials/uploaded-certificate.ts';
import { expiryOf } from '../expiry/expiring-secrets.ts';
import type { ExpiryIndex } from '../expiry/expiry-index.ts';
import { commonNameOf } from '../replacing/make-certificate.ts';
import type { TenantDirectory } from '../tenant/tenant-directory.ts';
import { isTenantId } from './connection-fields.ts';

interface Deps {
  connections: Pick<ConnectionStore, 'get' | 'insert'>;
  customers: {
    /** `false` for a customer whose deletion has begun. */
    exists(customerId: string): Promise<boolean>;
  };
  /** Deletes a connection that should not exist. Repeatable. */
  discardConnection: (customerId: string, connectionId: string) => Promise<void>;
  expiryIndex: Pick<ExpiryIndex, 'put' | 'remove'>;
  vault: Pick<SecretVault, 'put' | 'remove'>;
  certificates: Pick<CertificateVault, 'make' | 'remove'>;
  tenants: TenantDirectory;
  quotas: Pick<Quotas, 'connectionsMax'>;
  clock: Clock;
  newId: NewId;
  expiringWithinDays: number;
}

/** What the app of a new connection proves itself with. */
export type NewCredential =
  | { kind: 'clientSecret'; clientSecret: Secret; clientSecretExpiresAt: Date }
  | { kind: 'uploadedCertificate'; uploaded: UploadedCertificate }
  | { kind: 'madeCertificate'; validMonths: number }
  /** The vendor's app, with the credential of the deployment. */
  | { kind: 'deployment' };

/** Validated by the fields in `connection-fields.ts`. */
interface NewConnection {
  name: string;
  /** The tenant's GUID or one of its domains. */
  tenant: string;
  clientId: string;
  credential: NewCredential;
  cloud: Cloud;
  probes: Probe[];
  sendProbe: SendProbe;
  defaultMailbox?: string;
}

/**
 * Registers a tenant. The connection then awaits the admin's consent.
 *
 * The credential is stored before the record. A record without one would look connected, whereas an orphaned credential
 * is found by the daily timer. It is removed if the record is refused. After a failure in doubt it stays, because the
 * record may exist.
 *
 * The customer is looked up after the writes: a deletion that began before them does not see what they left.
 *
 * Repeatable with the same `newId`: a retry resolves to the connection that an earlier try has registered.
 *
 * @throws DomainError `credentials_rejected` with the cause `tenant_not_found` or `wrong_cloud`, `conflict` if the customer already has a
 * connection to this tenant with this app, `quota_reached` if it has too many connections, `not_found` if the customer is
 * being deleted
 */
export async function registerConnection(deps: Deps, actor: CustomerActor, input: NewConnection): Promise<Connection> {
  const now = deps.clock.now();
  const { tenantId, tenantDomain } = await resolveTenant(deps, input);

  const id = deps.newId('conn');
  const registered = await deps.connections.get(actor.customerId, id);
  if (registered) return registered.value;
  const { customerId } = actor;
  const credential = await storeCredential(deps, { customerId, connectionId: id }, input.credential);
  const connection: Connection = {
    id,
    customerId,
    name: input.name,
    cloud: input.cloud,
    tenantId,
    ...(tenantDomain !== undefined && { tenantDomain }),
    clientId: input.clientId.toLowerCase(),
    credential,
    credentialState:
      credential.kind === 'deployment' ? 'valid' : credentialState(credential.expiresAt, now, deps.expiringWithinDays),
    probes: input.probes,
    sendProbe: input.sendProbe,
    ...(input.defaultMailbox !== undefined && { defaultMailbox: input.defaultMailbox }),
    status: 'awaitingConsent',
    grantsChangedAt: now,
    createdAt: now,
  };
  if (hasOwnApp(connection)) await deps.expiryIndex.put({ ...expiryOf(connection), notedAt: now });
  const stored = await insert(deps, connection);
  if (!(await deps.customers.exists(customerId))) {
    await deps.discardConnection(customerId, id);
    throw notFound('cust');
  }
  return stored;
}

/** Puts the credential into its vault, or has it made there. */
async function storeCredential(
  deps: Deps,
  owner: { customerId: string; connectionId: string },
  input: NewCredential,
): Promise<Credential> {
  switch (input.kind) {
    case 'deployment':
      return deploymentCredential;
    case 'madeCertificate': {
      const request = { commonName: commonNameOf(owner.connectionId), validMonths: input.validMonths };
      return await deps.certificates.make({ ...owner, version: newSecretVersion() }, request);
    }
    case 'uploadedCertificate': {
      const credential = toCredential(input.uploaded);
      const { version, expiresAt } = credential;
      await deps.vault.put({ ...owner, version }, input.uploaded.pem, expiresAt, 'certificate');
      return credential;
    }
    case 'clientSecret': {
      const { clientSecret, clientSecretExpiresAt: expiresAt } = input;
      const version = newSecretVersion();
      await deps.vault.put({ ...owner, version }, clientSecret, expiresAt, 'clientSecret');
      return { kind: 'clientSecret', version, expiresAt };
    }
  }
}

/** Stores the record. A credential that no record names is removed. */
async function insert(deps: Deps, connection: Connection): Promise<Connection> {
  const { id, credential } = connection;
  // The daily timer finds what a failed cleanup leaves, so it must not hide why the record was refused.
  const removeSecret = async () => {
    if (credential.kind !== 'deployment') await removeCredential(deps, id, credential).catch(() => undefined);
  };
  try {
    const stored = await deps.connections.insert(connection, deps.quotas.connectionsMax);
    // An earlier try of this request has stored the record, with a secret of its own.
    if (stored.credential.version !== credential.version) await removeSecret();
    return stored;
  } catch (error) {
    const isRefused = error instanceof DomainError && (error.code === 'conflict' || error.code === 'quota_reached');
    if (isRefused) {
      await removeSecret();
      if (hasOwnApp(connection)) await deps.expiryIndex.remove(expiryOf(connection)).catch(() => undefined);
    }
    throw error;
  }
}

/** A GUID is taken as it is, unless Microsoft says that its tenant is in another cloud. */
async function resolveTenant(deps: Deps, input: NewConnection): Promise<{ tenantId: string; tenantDomain?: string }> {
  const tenant = input.tenant.toLowerCase();
  const isId = isTenantId(tenant);
  const found = await deps.tenants.find(input.cloud, tenant).catch((error: unknown) => {
    if (isId && isTransient(error)) return undefined;
    throw error;
  });
  if (found && found.cloud !== input.cloud) throw isInCloud(found.cloud, input.cloud);
  if (isId) return { tenantId: tenant };
  if (found) return { tenantId: found.tenantId, tenantDomain: tenant };
  const { sentence, fix, link } = causes.tenant_not_found;
  throw new DomainError('credentials_rejected', `${sentence} ${fix}`, {
    members: { cause: 'tenant_not_found', fix, link },
    fields: [{ path: 'tenant', message: 'does not belong to any tenant in this cloud' }],
  });
}

function isInCloud(actual: Cloud, given: Cloud): DomainError {
  const { sentence, link } = causes.wrong_cloud;
  const fix = `Register the connection with "cloud": "${actual}" instead of "${given}". The app must be registered in that cloud too.`;
  return new DomainError('credentials_rejected', `${sentence} It is in the cloud "${actual}". ${fix}`, {
    members: { cause: 'wrong_cloud', fix, link },
    fields: [{ path: 'cloud', message: `must be "${actual}", where this tenant is` }],
  });
}
