import { setTimeout as pause } from 'node:timers/promises';
import type { ApiClient } from '../../local/api-client.ts';
import { createCustomer } from '../../local/customer.ts';

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

export const clientSecretExpiresAt = '2035-12-31T00:00:00Z';

/** Creates a customer with a connection, and imports some mailboxes. */
export async function createBenchCustomer(
  operator: ApiClient,
  apiUrl: string,
  name: string,
  tenant: Tenant,
): Promise<BenchCustomer> {
  const { id: customerId, key, api } = await createCustomer(operator, { name, mailboxSlots: 100_000 });
  const spare = await api.expect<{ id: string }>(201, 'POST', `/v1/customers/${customerId}/api-keys`, {
    body: { name: 'spare', role: 'viewer' },
  });
  const { clientId, clientSecret } = tenant;
  const connection = await api.expect<{ id: string }>(201, 'POST', '/v1/connections', {
    body: { name, tenant: tenant.tenant, clientId, clientSecret, clientSecretExpiresAt, cloud: 'simulator' },
  });
  await api.expect(200, 'POST', `/v1/connections/${connection.id}/test`);
  const path = `/v1/connections/${connection.id}/imports`;
  const { id: importId } = await api.expect<{ id: string }>(202, 'POST', path, {
    body: csvOf(tenant.domain, 1, 50),
    contentType: 'text/csv',
  });
  let status = '';
  while (status !== 'completed') {
    await pause(500);
    ({ status } = await api.expect<{ status: string }>(200, 'GET', `/v1/imports/${importId}`));
  }
  const ids = { customerId, keyId: spare.id, connectionId: connection.id, importId, address: `user1@${tenant.domain}` };
  return { apiUrl, key, ids, tenant };
}

/** A CSV of the mailboxes `user<from>` to `user<to>`. */
export function csvOf(domain: string, from: number, to: number): string {
  const addresses = Array.from({ length: to - from + 1 }, (_, i) => `user${from + i}@${domain}`);
  return `email\n${addresses.join('\n')}\n`;
}
