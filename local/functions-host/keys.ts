import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether a request with these keys may call a function of this level. Everyone may call `anonymous` functions. All others
 * require the master key, in `x-functions-key` or else in `?code=`. Without a configured master key nobody may call them.
 */
export function canCall(
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
