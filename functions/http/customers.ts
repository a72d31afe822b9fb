import type { app } from '@azure/functions';
import { z } from 'zod';
import { createCustomer } from '../../shared/customers/create-customer.ts';
import { type DeleteCustomerDeps, deleteCustomer, restoreCustomer } from '../../shared/customers/delete-customer.ts';
import { type CustomerWithSlots, listCustomers, readCustomer } from '../../shared/customers/read-customers.ts';
import { updateCustomer } from '../../shared/customers/update-customer.ts';
import { createEndpoint, type EndpointDeps } from '../../shared/edge/endpoint.ts';
import { nameField } from '../../shared/edge/fields.ts';
import type { NewId } from '../../shared/kernel/ids.ts';
import type { Slots } from '../../shared/plans/slots.ts';

export interface CustomerRouteDeps extends EndpointDeps, Omit<DeleteCustomerDeps, 'apiKeys' | 'customers' | 'answers'> {
  apiKeys: EndpointDeps['apiKeys'] & DeleteCustomerDeps['apiKeys'];
  customers: DeleteCustomerDeps['customers'];
  slots: Slots;
  newId: NewId;
  fields: { nameMaxLength: number };
}

const SLOTS_MAX = 10_000_000;

export function addCustomerRoutes(host: Pick<typeof app, 'http'>, deps: CustomerRouteDeps): void {
  const endpoint = createEndpoint(deps);
  const name = nameField(deps.fields.nameMaxLength);
  const mailboxSlots = z.int().min(0).max(SLOTS_MAX);

  host.http('customers-create', {
    methods: ['POST'],
    route: 'v1/customers',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'operate',
      customer: 'none',
      body: z.strictObject({ name, mailboxSlots }),
      async handle({ body, newId }) {
        const created = await createCustomer({ ...deps, newId }, body);
        const headers = { location: `/v1/customers/${created.customer.id}` };
        return { status: 201, headers, jsonBody: present(created) };
      },
    }),
  });

  host.http('customers-list', {
    methods: ['GET'],
    route: 'v1/customers',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'operate',
      customer: 'none',
      list: true,
      handle: async ({ page, answerPage }) => answerPage(await listCustomers(deps, page), present),
    }),
  });

  host.http('customers-get', {
    methods: ['GET'],
    route: 'v1/customers/{customerId}',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'read',
      customer: 'none',
      handle: async ({ actor, params: { customerId = '' } }) => ({
        jsonBody: present(await readCustomer(deps, actor, customerId)),
      }),
    }),
  });

  host.http('customers-update', {
    methods: ['PATCH'],
    route: 'v1/customers/{customerId}',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'administer',
      customer: 'none',
      body: z.strictObject({ name: name.optional(), mailboxSlots: mailboxSlots.optional() }),
      async handle({ actor, body, params: { customerId = '' }, requireMatch }) {
        const updated = await updateCustomer(deps, actor, customerId, body, (current) =>
          requireMatch(present(current)),
        );
        return { jsonBody: present(updated) };
      },
    }),
  });

  host.http('customers-delete', {
    methods: ['DELETE'],
    route: 'v1/customers/{customerId}',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'administer',
      customer: 'none',
      query: z.strictObject({ purge: z.literal('now').optional() }),
      async handle({ actor, params: { customerId = '' }, query, requireMatch }) {
        const options = { purgeNow: query.purge === 'now' };
        await deleteCustomer(deps, actor, customerId, options, (current) => requireMatch(present(current)));
        return { status: 204 };
      },
    }),
  });

  host.http('customers-restore', {
    methods: ['POST'],
    route: 'v1/customers/{customerId}/restore',
    authLevel: 'anonymous',
    handler: endpoint({
      // The keys of a disabled customer do not work, so only operators can restore it.
      permission: 'operate',
      customer: 'none',
      handle: async ({ params: { customerId = '' } }) => ({
        jsonBody: present(await restoreCustomer(deps, customerId)),
      }),
    }),
  });
}

function present({ customer, slots }: CustomerWithSlots) {
  return {
    id: customer.id,
    name: customer.name,
    mailboxSlots: slots.limit,
    slotsUsed: slots.used,
    createdAt: customer.createdAt.toISOString(),
  };
}
