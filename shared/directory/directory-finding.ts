import { classify } from '../causes/classify.ts';
import type { Refusal } from '../causes/refusal.ts';
import type { DirectoryFinding, ReadPhase } from './directory-record.ts';

/** What reading the users of a tenant needs at least. Delta queries and licences need it, too. */
export const DIRECTORY_PERMISSION = 'User.Read.All';

/**
 * Whether Microsoft does not take its own link any more, so that a full read has to begin. That is 400
 * `syncStateNotFound`, 400 `Directory_ExpiredPageToken`, 410 and others: Microsoft documents no complete list, and a link
 * that is refused for any such reason does not work later either.
 * https://learn.microsoft.com/graph/delta-query-overview
 */
export function isExpiredLink({ service, status }: Refusal): boolean {
  return service === 'graph' && (status === 400 || status === 404 || status === 410);
}

/** Whether a token that was requested after a change of the grants may help. */
export function needsFreshToken(refusal: Refusal): boolean {
  return isPermissionRefusal(refusal) || (refusal.service === 'graph' && refusal.status === 401);
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
