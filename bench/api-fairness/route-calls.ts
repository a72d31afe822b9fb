import { clientSecretExpiresAt, csvOf } from '../support/bench-tenant.ts';
import type { BenchCustomer } from './bench-customer.ts';
import type { Call } from './send.ts';

/** The parts of docs/openapi.json that are read. */
export interface Document {
  paths: Record<string, Record<string, { operationId: string }>>;
}

export interface RouteCall extends Call {
  method: string;
  path: string;
}

/** Mailboxes of one import, and of the tenant. An import of known mailboxes is cheap, so each takes the next ones. */
const IMPORT_SIZE = 10;
export const TENANT_SIZE = 20_000;

/**
 * One call for every route of the document, the `n`th round of them. A route that needs a body gets one that it
 * accepts; one that is not listed here gets `{}`. Deletions name something that does not exist, so that there is
 * something left to call.
 */
export function callsOf(document: Document, customer: BenchCustomer, n: number): RouteCall[] {
  const bodies = bodiesOf(customer, n);
  return Object.entries(document.paths).flatMap(([template, operations]) =>
    Object.entries(operations).map(([verb, { operationId }]) => {
      const method = verb.toUpperCase();
      const path =
        method === 'DELETE' ? fill(template.replace(/\{\w+\}$/, 'absent'), customer) : fill(template, customer);
      return { method, path, ...(method !== 'GET' && method !== 'DELETE' && (bodies[operationId] ?? { body: {} })) };
    }),
  );
}

function fill(template: string, { ids }: BenchCustomer): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => (ids as Record<string, string>)[name] ?? 'absent');
}

function bodiesOf({ tenant }: BenchCustomer, n: number): Record<string, Call> {
  const { clientId, clientSecret } = tenant;
  const secret = { clientSecret, clientSecretExpiresAt };
  const from = ((n * IMPORT_SIZE) % (TENANT_SIZE - IMPORT_SIZE)) + 1;
  return {
    'customers-create': { body: { name: 'Bench', mailboxSlots: 1 } },
    'customers-update': { body: { name: `Bench ${n}` } },
    'api-keys-create': { body: { name: `key ${n}`, role: 'viewer' } },
    'connections-create': {
      body: { name: 'Bench', tenant: tenant.tenant, clientId, ...secret, cloud: 'simulator' },
    },
    'connections-update': { body: { name: `Bench ${n}` } },
    'connections-replace-client-secret': { body: secret },
    'connections-replace-certificate': { body: { certificate: { source: 'made' } } },
    // Refused: the local vault makes its keys on the processors that are measured.
    'connections-make-certificate': { body: { validMonths: 0 } },
    'imports-create': { body: csvOf(tenant.domain, from, from + IMPORT_SIZE - 1), contentType: 'text/csv' },
  };
}
