import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether this request may call a function of this level. `anonymous` is open; the others want the master key, in
 * `x-functions-key` or else `?code=`, and stay shut where none is set.
 */
export function mayCall(
  level: unknown,
  presented: { header: string | undefined; code: string | null },
  masterKey: string | undefined,
): boolean {
  if (level === undefined || String(level).toLowerCase() === 'anonymous') return true;
  const key = presented.header ?? presented.code;
  if (!masterKey || !key) return false;
  return timingSafeEqual(digest(key), digest(masterKey));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
