import type { Muster, NewCustomer } from '../clients/typescript/src/index.ts';

/** Creates a customer with an owner's API key. */
export async function createCustomer(operator: Muster, customer: NewCustomer): Promise<{ id: string; key: string }> {
  const { id } = await operator.customers.create(customer);
  const { key } = await operator.apiKeys.create(id, { name: 'owner', role: 'owner' });
  return { id, key };
}
