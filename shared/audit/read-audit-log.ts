import type { Actor } from '../kernel/actor.ts';
import type { AuditLog, AuditQuery, AuditRecord } from '../kernel/audit-log.ts';
import type { Page, PageRequest } from '../kernel/page.ts';

/**
 * Lists audit records, newest first. An operator reads those of all customers, or of the one it names, also of one that
 * is being deleted. Once that one is purged, only the proof of its deletion is left. Everyone else reads its own customer's, whatever it names.
 */
export function readAuditLog(
  deps: { auditLog: Pick<AuditLog, 'list'> },
  actor: Actor,
  query: AuditQuery,
  page: PageRequest,
): Promise<Page<AuditRecord>> {
  if (actor.role === 'operator') return deps.auditLog.list(query, page);
  if (actor.customerId === undefined) throw new Error(`the key ${actor.keyId} belongs to no customer`);
  return deps.auditLog.list({ ...query, customerId: actor.customerId }, page);
}
