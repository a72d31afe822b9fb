import { z } from 'zod';
import { createCustomer } from '../../../shared/customers/create-customer.ts';
import { type DeleteCustomerDeps, deleteCustomer, restoreCustomer } from '../../../shared/customers/delete-customer.ts';
import { type CustomerWithSlots, listCustomers, readCustomer } from '../../../shared/customers/read-customers.ts';
import { updateCustomer } from '../../../shared/customers/update-customer.ts';
import { pageOf } from '../../../shared/edge/answers/response-fields.ts';
import { nameField } from '../../../shared/edge/requests/fields.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import type { NewId } from '../../../shared/kernel/ids.ts';
import type { Slots } from '../../../shared/plans/slots.ts';
import { customerSchema } from './customer-schemas.ts';

interface CustomerRouteDeps
  extends EndpointDeps,
    Omit<DeleteCustomerDeps, 'apiKeys' | 'customers' | 'answers' | 'auditLog'> {
  auditLog: EndpointDeps['auditLog'] & DeleteCustomerDeps['auditLog'];
  apiKeys: EndpointDeps['apiKeys'] & DeleteCustomerDeps['apiKeys'];
  customers: DeleteCustomerDeps['customers'];
  slots: Slots;
  newId: NewId;
  fields: { nameMaxLength: number };
}

const SLOTS_MAX = 10_000_000;

export function addCustomerRoutes(api: Api, deps: CustomerRouteDeps): void {
  const name = nameField(deps.fields.nameMaxLength);
  const mailboxSlots = z.int().min(0).max(SLOTS_MAX);

  api.route({
    name: 'customers-create',
    method: 'POST',
    path: 'v1/customers',
    tag: 'Customers',
    summary: 'Create a customer',
    responses: {
      201: {
        description: 'The new customer.',
        schema: customerSchema,
        headers: { Location: 'The path of the customer.' },
      },
    },
    permission: 'operate',
    customer: 'none',
    body: z.strictObject({ name, mailboxSlots }),
    async handle({ body, newId }) {
      const created = await createCustomer({ ...deps, newId }, body);
      const headers = { location: `/v1/customers/${created.customer.id}` };
      return { status: 201, headers, jsonBody: present(created) };
    },
  });

  api.route({
    name: 'customers-list',
    method: 'GET',
    path: 'v1/customers',
    tag: 'Customers',
    summary: 'List all customers',
    responses: { 200: { description: 'One page of customers.', schema: pageOf(customerSchema) } },
    permission: 'operate',
    customer: 'none',
    list: true,
    handle: async ({ page, answerPage }) => answerPage(await listCustomers(deps, page), present),
  });

  api.route({
    name: 'customers-get',
    method: 'GET',
    path: 'v1/customers/{customerId}',
    tag: 'Customers',
    summary: 'Get a customer',
    responses: { 200: { description: 'The customer.', schema: customerSchema } },
    permission: 'read',
    customer: 'none',
    handle: async ({ actor, params: { customerId = '' } }) => ({
      jsonBody: present(await readCustomer(deps, actor, customerId)),
    }),
  });

  api.route({
    name: 'customers-update',
    method: 'PATCH',
    path: 'v1/customers/{customerId}',
    tag: 'Customers',
    summary: 'Change a customer',
    responses: { 200: { description: 'The changed customer.', schema: customerSchema } },
    permission: 'administer',
    customer: 'none',
    body: z.strictObject({ name: name.optional(), mailboxSlots: mailboxSlots.optional() }),
    async handle({ actor, body, params: { customerId = '' }, requireMatch }) {
      const updated = await updateCustomer(deps, actor, customerId, body, (current) => requireMatch(present(current)));
      return { jsonBody: present(updated) };
    },
  });

  api.route({
    name: 'customers-delete',
    method: 'DELETE',
    path: 'v1/customers/{customerId}',
    tag: 'Customers',
    summary: 'Delete a customer and all its data',
    description:
      'Its keys stop working and its imports are cancelled. All data is deleted after a grace period, in which an operator can restore the customer. With `purge=now`, which only operators may send, everything is deleted immediately.',
    refusals: ['vault_unavailable'],
    responses: { 204: { description: 'The customer is disabled, or deleted with `purge=now`.' } },
    permission: 'administer',
    customer: 'none',
    query: z.strictObject({ purge: z.literal('now').optional() }),
    async handle({ actor, params: { customerId = '' }, query, requestId, requireMatch }) {
      const options = { purgeNow: query.purge === 'now', requestId };
      await deleteCustomer(deps, actor, customerId, options, (current) => requireMatch(present(current)));
      return { status: 204 };
    },
  });

  api.route({
    name: 'customers-restore',
    method: 'POST',
    path: 'v1/customers/{customerId}/restore',
    tag: 'Customers',
    summary: 'Restore a deleted customer during the grace period',
    description: 'Its data and keys work again. Its imports stay cancelled.',
    refusals: ['wrong_state'],
    responses: { 200: { description: 'The customer.', schema: customerSchema } },
    // The keys of a disabled customer do not work, so only operators can restore it.
    permission: 'operate',
    customer: 'none',
    handle: async ({ params: { customerId = '' } }) => ({
      jsonBody: present(await restoreCustomer(deps, customerId)),
    }),
  });
}

function present({ customer, slots }: CustomerWithSlots): z.infer<typeof customerSchema> {
  return {
    id: customer.id,
    name: customer.name,
    mailboxSlots: slots.limit,
    slotsUsed: slots.used,
    createdAt: customer.createdAt.toISOString(),
  };
}
