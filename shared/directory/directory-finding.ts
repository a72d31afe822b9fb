import { classify } from '../causes/classify.ts';
import type { Refusal } from '../causes/refusal.ts';
import type { DirectoryFinding, ReadPhase } from './directory-record.ts';

/** What reading the users of a tenant needs at least. Delta queries and licences need it, too. */
export const DIRECTORY_PERMISSION = 'User.Read.All';

/** Microsoft's codes for a link that is too old. */
const EXPIRED_LINK_CODES: ReadonlySet<string> = new Set([
  'syncStateNotFound',
  'SyncStateNotFound',
  'resyncRequired',
  'Directory_ExpiredPageToken',
  'Directory_BadRequestExpiredPageToken',
]);

/** Whether a link has expired, so that a full read has to begin. https://learn.microsoft.com/graph/delta-query-overview */
export function isExpiredLink({ status, code, innerCode }: Refusal): boolean {
  return status === 410 || EXPIRED_LINK_CODES.has(code) || EXPIRED_LINK_CODES.has(innerCode ?? '');
}

/** Whether Graph's directory says that the app lacks a permission. */
export function isPermissionRefusal({ service, status, code }: Refusal): boolean {
  return service === 'graph' && status === 403 && code === 'Authorization_RequestDenied';
}

export function findingOf(refusal: Refusal, phase: ReadPhase, seenAt: Date): DirectoryFinding {
  const isPermission = isPermissionRefusal(refusal) && phase !== 'judge';
  return {
    cause: isPermission ? 'permission_missing' : classify(refusal),
    ...(isPermission && { permission: DIRECTORY_PERMISSION }),
    ...(refusal.code !== '' && { microsoftCode: refusal.code }),
    ...(refusal.requestId !== undefined && { requestId: refusal.requestId }),
    seenAt,
  };
}
