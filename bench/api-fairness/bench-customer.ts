import { createMuster, type Muster } from '../../clients/typescript/src/index.ts';
import { createCustomer } from '../../local/customer.ts';
import { clientSecretExpiresAt, csvOf } from '../support/bench-tenant.ts';

/** A customer with everything that a route can ask for. Plain data, because it is sent to a worker thread. */
export interface BenchCustomer {
  apiUrl: string;
  key: string;
  /** Values for the parameters of paths. `keyId` is a key that nobody uses. */
  ids: Record<'customerId' | 'keyId' | 'connectionId' | 'importId' | 'address', string>;
  tenant: Tenant;
}

export interface Tenant {
  tenant: string;
  domain: string;
  clientId: string;
  clientSecret: string;
}

/** Creates a customer with a connection, and imports some mailboxes. */
export async function createBenchCustomer(
  operator: Muster,
  apiUrl: string,
  name: string,
  tenant: Tenant,
): Promise<BenchCustomer> {
  const { id: customerId, key } = await createCustomer(operator, { name, mailboxSlots: 100_000 });
  const muster = createMuster({ url: apiUrl, key });
  const spare = await muster.apiKeys.create(customerId, { name: 'spare', role: 'viewer' });
  const { clientId, clientSecret } = tenant;
  const connection = await muster.connections.create({
    name,
    tenant: tenant.tenant,
    clientId,
    clientSecret,
    clientSecretExpiresAt,
    cloud: 'simulator',
  });
  await muster.connections.test(connection.id);
  const { id: importId } = await muster.imports.start(connection.id, csvOf(tenant.domain, 1, 50));
  await muster.waitForImport(importId);
  const ids = { customerId, keyId: spare.id, connectionId: connection.id, importId, address: `user1@${tenant.domain}` };
  return { apiUrl, key, ids, tenant };
}
