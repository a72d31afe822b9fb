import { z } from 'zod';
import { readAuditLog } from '../../../shared/audit/read-audit-log.ts';
import { namedCustomer } from '../../../shared/edge/admission/authenticate.ts';
import { instant, pageOf } from '../../../shared/edge/answers/response-fields.ts';
import { instantField } from '../../../shared/edge/requests/fields.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import { roles } from '../../../shared/kernel/actor.ts';
import type { AuditLog, AuditRecord } from '../../../shared/kernel/audit-log.ts';

interface Deps extends EndpointDeps {
  auditLog: AuditLog;
}

const action = z.string().regex(/^[a-z-]+\.[a-z-]+$/, 'must be a resource and a verb, such as "connections.update"');

const auditRecordSchema = z
  .strictObject({
    id: z.string().meta({ example: 'aud_01k2m8qj4vabcdefghjkmnp' }),
    at: instant,
    actor: z.strictObject({ keyId: z.string(), role: z.enum(roles) }).meta({
      description:
        'The API key, and its role. The ID is `deleted` for the key of a customer that is deleted itself, `system` for what Muster does on its own, and `admin:` with an object ID for an admin of the tenant who confirms a connection.',
    }),
    customerId: z.string().nullable(),
    action: z.string().meta({ description: 'A resource and a verb.', example: 'connections.update' }),
    object: z.string().nullable().meta({ description: 'The ID of what was changed or created.' }),
    result: z.string().meta({
      description:
        '`succeeded`, the `code` of the problem, or `internal_error`. `unknown` while the request is running, and for good if our process stopped before it was done.',
    }),
    status: z.int().nullable().meta({ description: 'The HTTP status of the answer.' }),
    requestId: z.string(),
    address: z
      .string()
      .nullable()
      .meta({ description: 'The IP address of the caller. `null` in the record that proves a deletion.' }),
  })
  .meta({ id: 'AuditRecord' });

export function addAuditRoutes(api: Api, deps: Deps): void {
  api.route({
    name: 'audit-list',
    method: 'GET',
    path: 'v1/audit',
    tag: 'Audit log',
    summary: 'List changes, newest first',
    description:
      'One record for every attempt to change something. With `action`, a page can be short or empty although more follow: continue while there is a `nextCursor`. Operators see all customers, or the one they name in `Muster-Customer`. The records of a deleted customer can be read until it is purged. Then one record remains, which proves the deletion.',
    responses: { 200: { description: 'One page of records.', schema: pageOf(auditRecordSchema) } },
    permission: 'administer',
    customer: 'none',
    mayNameCustomer: true,
    query: z.strictObject({ from: instantField.optional(), action: action.optional() }),
    list: true,
    async handle({ actor, query, page, answerPage, request }) {
      const filter = { ...query, customerId: namedCustomer(request) };
      return answerPage(await readAuditLog(deps, actor, filter, page), present);
    },
  });
}

function present(record: AuditRecord): z.infer<typeof auditRecordSchema> {
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
