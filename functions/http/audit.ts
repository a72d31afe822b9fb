import type { app } from '@azure/functions';
import { z } from 'zod';
import { readAuditLog } from '../../shared/audit/read-audit-log.ts';
import { namedCustomer } from '../../shared/edge/authenticate.ts';
import { createEndpoint, type EndpointDeps } from '../../shared/edge/endpoint.ts';
import { instantField } from '../../shared/edge/fields.ts';
import type { AuditLog, AuditRecord } from '../../shared/kernel/audit-log.ts';

interface Deps extends EndpointDeps {
  auditLog: AuditLog;
}

const action = z.string().regex(/^[a-z-]+\.[a-z-]+$/, 'must be a resource and a verb, such as "connections.update"');

export function addAuditRoutes(host: Pick<typeof app, 'http'>, deps: Deps): void {
  host.http('audit-list', {
    methods: ['GET'],
    route: 'v1/audit',
    authLevel: 'anonymous',
    handler: createEndpoint(deps)({
      permission: 'administer',
      // An operator reads the records of all customers or of the one it names, everyone else only their own.
      customer: 'none',
      query: z.strictObject({ from: instantField.optional(), action: action.optional() }),
      list: true,
      async handle({ actor, query, page, answerPage, request }) {
        const filter = { ...query, customerId: namedCustomer(request) };
        return answerPage(await readAuditLog(deps, actor, filter, page), present);
      },
    }),
  });
}

function present(record: AuditRecord) {
  return {
    id: record.id,
    at: record.at.toISOString(),
    actor: { keyId: record.keyId, role: record.role },
    customerId: record.customerId ?? null,
    action: record.action,
    object: record.object ?? null,
    result: record.result,
    status: record.status ?? null,
    requestId: record.requestId,
    address: record.address ?? null,
  };
}
