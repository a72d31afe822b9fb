import type { app } from '@azure/functions';
import type { CustomerStore } from '../../shared/customers/customer-store.ts';
import { readCustomer } from '../../shared/customers/read-customers.ts';
import { actForCustomer, namedCustomer } from '../../shared/edge/authenticate.ts';
import { createEndpoint, type EndpointDeps } from '../../shared/edge/endpoint.ts';
import type { Slots } from '../../shared/plans/slots.ts';

interface MeRouteDeps extends EndpointDeps {
  customers: Pick<CustomerStore, 'exists' | 'get'>;
  slots: Pick<Slots, 'get'>;
}

export function addMeRoutes(host: Pick<typeof app, 'http'>, deps: MeRouteDeps): void {
  const endpoint = createEndpoint(deps);

  host.http('me-get', {
    methods: ['GET'],
    route: 'v1/me',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'read',
      customer: 'none',
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
    }),
  });
}
