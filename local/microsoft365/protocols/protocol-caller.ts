import { type Entry, hasMailbox } from '../directory.ts';
import type { Trace } from '../http.ts';
import { exchangeAudience } from '../resources.ts';
import type { Tenant, TenantApp } from '../tenant.ts';
import type { TokenClaims } from '../token-issuer.ts';
import type { World } from '../world.ts';
import type { Protocol } from './protocol-faults.ts';

/** The app that signs in, and the mailbox it signs in to. */
export interface ProtocolCaller {
  tenant: Tenant;
  app: TenantApp;
  claims: TokenClaims;
  /** `undefined` if the app's tenant has no such address. */
  entry: Entry | undefined;
}

/** Resolves to `undefined` if the token is not a valid one for Exchange Online, or if its app may not sign in. */
export async function identify(world: World, user: string, token: string): Promise<ProtocolCaller | undefined> {
  const claims = await world.verifyToken(token, exchangeAudience).catch(() => undefined);
  const tenant = claims && world.tenant(claims.tid);
  const app = tenant?.app(claims?.appid ?? '');
  if (!claims || !tenant || !app) return undefined;
  const { consent, enabled, identityMissing } = app.scenario;
  if (consent === 'absent' || !enabled || identityMissing) return undefined;
  return { tenant, app, claims, entry: tenant.directory.byAddress(user) };
}

/** Reads the XOAUTH2 form `user=<mailbox>^Aauth=Bearer <token>^A^A`, where `^A` is a byte 1. */
export function readXoauth2(base64: string): { user: string; token: string } | undefined {
  const fields = Buffer.from(base64, 'base64').toString('utf8').split('\u0001');
  const [, user] = /^user=(.+)$/i.exec(fields[0] ?? '') ?? [];
  const [, token] = /^auth=Bearer (.+)$/i.exec(fields[1] ?? '') ?? [];
  return user && token && fields.slice(2).join() === ',' ? { user, token } : undefined;
}

/** Whether the token carries the role and the tenant still grants it. */
export function hasRole({ claims, app }: ProtocolCaller, permission: string): boolean {
  return (claims.roles ?? []).includes(permission) && app.grants.includes(permission);
}

/**
 * Whether an admin ran `Add-MailboxPermission` for the app. It takes the object id of the enterprise application; the
 * object id of the app registration has no effect.
 */
export function hasFullAccess({ app }: ProtocolCaller, entry: Entry): boolean {
  const names = [app.scenario.clientId, app.objectId].map((name) => name.toLowerCase());
  return entry.fullAccess.some((name) => names.includes(name.toLowerCase()));
}

/** Whether Exchange Online opens the mailbox. It does not for a disabled account. */
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
