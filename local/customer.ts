import type { ApiClient } from './api-client.ts';

/** Creates a customer with an owner's API key. `api` calls the API with that key. */
export async function createCustomer(
  operator: ApiClient,
  customer: { name: string; mailboxSlots: number },
): Promise<{ id: string; key: string; api: ApiClient }> {
  const { id } = await operator.expect<{ id: string }>(201, 'POST', '/v1/customers', { body: customer });
  const { key } = await operator.expect<{ key: string }>(201, 'POST', `/v1/customers/${id}/api-keys`, {
    body: { name: 'owner', role: 'owner' },
  });
  return { id, key, api: operator.as(key) };
}
