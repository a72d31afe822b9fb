import type { CustomerStore } from '../../../shared/customers/customer-store.ts';
import { readCustomer } from '../../../shared/customers/read-customers.ts';
import { actForCustomer, namedCustomer } from '../../../shared/edge/admission/authenticate.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import type { Slots } from '../../../shared/plans/slots.ts';
import { meSchema } from './customer-schemas.ts';

interface MeRouteDeps extends EndpointDeps {
  customers: Pick<CustomerStore, 'exists' | 'get'>;
  slots: Pick<Slots, 'get'>;
}

export function addMeRoutes(api: Api, deps: MeRouteDeps): void {
  api.route({
    name: 'me-get',
    method: 'GET',
    path: 'v1/me',
    tag: 'Customers',
    summary: 'Show who the API key belongs to',
    refusals: ['not_found'],
    responses: { 200: { description: 'The customer, its plan and the role of the key.', schema: meSchema } },
    permission: 'read',
    customer: 'none',
    mayNameCustomer: true,
    async handle({ actor, request }) {
      // An operator can call this route without naming a customer.
      if (actor.role === 'operator' && namedCustomer(request) === undefined) {
        return { jsonBody: { customer: null, role: actor.role, mailboxSlots: null, slotsUsed: null } };
      }
      const { customerId } = await actForCustomer(deps, actor, request);
      const { customer, slots } = await readCustomer(deps, actor, customerId);
      return {
        jsonBody: {
          customer: { id: customer.id, name: customer.name },
          role: actor.role,
          mailboxSlots: slots.limit,
          slotsUsed: slots.used,
        },
      };
    },
  });
}
