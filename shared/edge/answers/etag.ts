import { createHash } from 'node:crypto';
import { DomainError } from '../../kernel/errors.ts';

/** A strong tag of this exact representation. */
export function etagOf(body: string): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
}

/** Whether `If-None-Match` names this tag, by the weak comparison of RFC 9110. */
export function isCached(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  return ifNoneMatch.trim() === '*' || tagsIn(ifNoneMatch).some((tag) => tag.replace(/^W\//, '') === etag);
}

/**
 * Compares `If-Match`, if it was sent, with the current representation.
 *
 * @throws DomainError `precondition_failed`
 */
export function requireMatch(ifMatch: string | null, representation: unknown): void {
  if (ifMatch === null || ifMatch.trim() === '*') return;
  if (tagsIn(ifMatch).includes(etagOf(JSON.stringify(representation)))) return;
  throw new DomainError(
    'precondition_failed',
    'This resource has changed since you read it. Read it again, then repeat your change if it still applies.',
  );
}

function tagsIn(header: string): string[] {
  return header.match(/(?:W\/)?"[^"]*"/g) ?? [];
}
