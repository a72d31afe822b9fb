import type { RpcCookie } from './core-types.ts';

const sameSite = { lax: 'Lax', strict: 'Strict', explicitNone: 'None' } as const;

/** The `Set-Cookie` value of a cookie that a function returned over RPC. */
export function serializeCookie(cookie: RpcCookie): string {
  const parts = [`${cookie.name ?? ''}=${encodeURIComponent(cookie.value ?? '')}`];
  if (cookie.maxAge) parts.push(`Max-Age=${Math.floor(cookie.maxAge.value)}`);
  if (cookie.domain) parts.push(`Domain=${cookie.domain.value}`);
  if (cookie.path) parts.push(`Path=${cookie.path.value}`);
  if (cookie.expires) parts.push(`Expires=${new Date(cookie.expires.value.seconds * 1000).toUTCString()}`);
  if (cookie.httpOnly?.value) parts.push('HttpOnly');
  if (cookie.secure?.value) parts.push('Secure');
  if (cookie.sameSite && cookie.sameSite !== 'none') parts.push(`SameSite=${sameSite[cookie.sameSite]}`);
  return parts.join('; ');
}
