import { createHash } from 'node:crypto';
import { DomainError } from '../kernel/errors.ts';

/** A strong tag of exactly this representation. */
export function etagOf(body: string): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
}

/** Whether `If-None-Match` names this tag, compared weakly as RFC 9110 has it. */
export function isKnown(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  return ifNoneMatch.trim() === '*' || tagsIn(ifNoneMatch).some((tag) => tag.replace(/^W\//, '') === etag);
}

/**
 * Holds `If-Match`, where it was sent, against the representation as it is now.
 *
 * @throws DomainError `precondition_failed`
 */
export function requireMatch(ifMatch: string | null, representation: unknown): void {
  if (ifMatch === null || ifMatch.trim() === '*') return;
  if (tagsIn(ifMatch).includes(etagOf(JSON.stringify(representation)))) return;
  throw new DomainError('precondition_failed', 'It has changed since you read it. Read it again, then decide.');
}

function tagsIn(header: string): string[] {
  return header.match(/(?:W\/)?"[^"]*"/g) ?? [];
}
