import { type Entry, hasMailbox } from '../directory.ts';
import type { Trace } from '../http.ts';
import { exchangeAudience } from '../resources.ts';
import type { Tenant, TenantApp } from '../tenant.ts';
import type { TokenClaims } from '../token-issuer.ts';
import type { World } from '../world.ts';
import type { Protocol } from './protocol-faults.ts';

/** Who signs in, and as which of the tenant's addresses. */
export interface ProtocolCaller {
  tenant: Tenant;
  app: TenantApp;
  claims: TokenClaims;
  /** `undefined`: no such address in the app's tenant. */
  entry: Entry | undefined;
}

/** Resolves to `undefined` for a token that is not Exchange Online's, not alive, or of an app that may not sign in. */
export async function identify(world: World, user: string, token: string): Promise<ProtocolCaller | undefined> {
  const claims = await world.verifyToken(token, exchangeAudience).catch(() => undefined);
  const tenant = claims && world.tenant(claims.tid);
  const app = tenant?.app(claims?.appid ?? '');
  if (!claims || !tenant || !app) return undefined;
  const { consent, enabled, identityMissing } = app.scenario;
  if (consent === 'absent' || !enabled || identityMissing) return undefined;
  return { tenant, app, claims, entry: tenant.directory.byAddress(user) };
}

/** `user=<mailbox> auth=Bearer <token>`, as XOAUTH2 has it, each field ended by a byte 1. */
export function readXoauth2(base64: string): { user: string; token: string } | undefined {
  const fields = Buffer.from(base64, 'base64').toString('utf8').split('\u0001');
  const [, user] = /^user=(.+)$/i.exec(fields[0] ?? '') ?? [];
  const [, token] = /^auth=Bearer (.+)$/i.exec(fields[1] ?? '') ?? [];
  return user && token && fields.slice(2).join() === ',' ? { user, token } : undefined;
}

/** A role counts while the token shows it and the tenant still grants it. */
export function hasRole({ claims, app }: ProtocolCaller, permission: string): boolean {
  return (claims.roles ?? []).includes(permission) && app.grants.includes(permission);
}

/**
 * Whether an administrator ran `Add-MailboxPermission` for the app. The object id is the Enterprise application's: with
 * the registration's it does nothing.
 */
export function hasFullAccess({ app }: ProtocolCaller, entry: Entry): boolean {
  const names = [app.scenario.clientId, app.objectId].map((name) => name.toLowerCase());
  return entry.fullAccess.some((name) => names.includes(name.toLowerCase()));
}

/** Whether Exchange Online opens a mailbox for the address; that of a disabled account stays shut. */
export const isOpenMailbox = (entry: Entry): boolean => hasMailbox(entry) && entry.kind !== 'disabled';

export function traceOf(service: Protocol, caller: ProtocolCaller | undefined): Omit<Trace, 'route'> {
  if (!caller) return { service };
  return {
    service,
    tenantId: caller.tenant.id,
    clientId: caller.app.scenario.clientId,
    mailbox: caller.entry?.address,
  };
}
