import type { app } from '@azure/functions';
import pLimit from 'p-limit';
import { z } from 'zod';
import { createCustomer } from '../../shared/customers/create-customer.ts';
import type { Customer } from '../../shared/customers/customer.ts';
import { type DeleteCustomerDeps, deleteCustomer } from '../../shared/customers/delete-customer.ts';
import { noSuchCustomer, requireCustomer } from '../../shared/customers/require-customer.ts';
import { updateCustomer } from '../../shared/customers/update-customer.ts';
import { createEndpoint, type EndpointDeps } from '../../shared/edge/endpoint.ts';
import { nameField } from '../../shared/edge/fields.ts';
import type { NewId } from '../../shared/kernel/ids.ts';
import type { SlotCount, Slots } from '../../shared/plans/slots.ts';

export interface CustomerRouteDeps extends EndpointDeps, Omit<DeleteCustomerDeps, 'apiKeys' | 'customers' | 'answers'> {
  apiKeys: EndpointDeps['apiKeys'] & DeleteCustomerDeps['apiKeys'];
  customers: DeleteCustomerDeps['customers'];
  slots: Slots;
  newId: NewId;
  fields: { nameMaxLength: number };
}

const SLOTS_MAX = 10_000_000;
const READS_AT_ONCE = 16;

export function addCustomerRoutes(host: Pick<typeof app, 'http'>, deps: CustomerRouteDeps): void {
  const endpoint = createEndpoint(deps);
  const name = nameField(deps.fields.nameMaxLength);
  const mailboxSlots = z.int().min(0).max(SLOTS_MAX);
  const slotsOf = async (customerId: string) => {
    const slots = await deps.slots.get(customerId);
    if (!slots) throw noSuchCustomer();
    return slots;
  };

  host.http('customers-create', {
    methods: ['POST'],
    route: 'v1/customers',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'operate',
      customer: 'none',
      body: z.strictObject({ name, mailboxSlots }),
      async handle({ body }) {
        const { customer, slots } = await createCustomer(deps, body);
        const headers = { location: `/v1/customers/${customer.id}` };
        return { status: 201, headers, jsonBody: present(customer, slots) };
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
      async handle({ page, answerPage }) {
        const { items, ...rest } = await deps.customers.list(page);
        const atOnce = pLimit(READS_AT_ONCE);
        const counted = await Promise.all(
          items.map((one) => atOnce(async () => ({ one, slots: await deps.slots.get(one.id) }))),
        );
        // Without slots: deleted while we were reading.
        const live = counted.flatMap(({ one, slots }) => (slots ? [{ one, slots }] : []));
        return answerPage({ ...rest, items: live }, ({ one, slots }) => present(one, slots));
      },
    }),
  });

  host.http('customers-get', {
    methods: ['GET'],
    route: 'v1/customers/{customerId}',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'read',
      customer: 'none',
      async handle({ actor, params: { customerId = '' } }) {
        const customer = await requireCustomer(deps, actor, customerId);
        return { jsonBody: present(customer, await slotsOf(customerId)) };
      },
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
        const { customer, slots } = await updateCustomer(deps, actor, customerId, body, (...current) =>
          requireMatch(present(...current)),
        );
        return { jsonBody: present(customer, slots) };
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
      async handle({ actor, params: { customerId = '' }, requireMatch }) {
        await deleteCustomer(deps, actor, customerId, async (customer) =>
          requireMatch(present(customer, await slotsOf(customerId))),
        );
        return { status: 204 };
      },
    }),
  });
}

function present(customer: Customer, slots: SlotCount) {
  return {
    id: customer.id,
    name: customer.name,
    mailboxSlots: slots.limit,
    slotsUsed: slots.used,
    createdAt: customer.createdAt.toISOString(),
  };
}
