import type { SecretName, StoredSecret } from '../../connections/credentials/secret-vault.ts';

/** The name of a credential in the vault. Names there may contain only letters, digits and hyphens. */
export function nameOf(connectionId: string, version: string): string {
  return `${connectionId.replaceAll('_', '-')}-${version}`;
}

/** Tags that say whose a credential is. */
export function toTags({ customerId, connectionId, version }: SecretName): Record<string, string> {
  return { customer: customerId, connection: connectionId, version };
}

/** `undefined` for what is not a connection's, such as a secret of the deployment. */
export function ownedName(
  name: string | undefined,
  tags: Record<string, string> | undefined,
  storedAt: Date | undefined,
): StoredSecret | undefined {
  const { customer: customerId, connection: connectionId, version } = tags ?? {};
  if (!customerId || !connectionId || !version || !storedAt) return undefined;
  return name === nameOf(connectionId, version) ? { customerId, connectionId, version, storedAt } : undefined;
}
