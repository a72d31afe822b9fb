import type { CauseCode } from '../../causes/causes.ts';
import type { Connection } from '../connection.ts';

/**
 * The rights that a scope check asks about, by the application permission that gives them. `Mail.Read` stands for every
 * permission to read: `Mail.ReadBasic.All` and `Mail.ReadWrite` pass it as well.
 */
export const scopePermissions = [
  'Mail.Read',
  'Mail.ReadWrite',
  'Mail.Send',
  'IMAP.AccessAsApp',
  'SMTP.SendAsApp',
] as const;
export type ScopePermission = (typeof scopePermissions)[number];

export const scopeAnswers = ['refused', 'allowed', 'inconclusive'] as const;
export type ScopeAnswer = (typeof scopeAnswers)[number];

/** What was seen of one right at one mailbox. */
export interface ScopeFinding {
  permission: ScopePermission;
  answer: ScopeAnswer;
  /** Microsoft’s message names a policy of the tenant. Only if refused. */
  byPolicy?: true;
  /** Only if inconclusive. */
  cause?: CauseCode;
  microsoftCode?: string;
  requestId?: string;
}

export interface ScopedMailbox {
  address: string;
  findings: ScopeFinding[];
}

/** A role of RBAC for Applications that the app has. */
export interface RoleAssignment {
  /** Such as `Application Mail.Send`. */
  role: string;
  permissions: ScopePermission[];
  /** Whether it is for some mailboxes only. */
  isScoped: boolean;
}

/**
 * - `scoped`: every address is refused, and a mailbox in scope is not.
 * - `scopeTooWide`: the same right is refused at one of the addresses and allowed at another, or it is given by roles
 *   with a scope only.
 * - `scopePresentButUnscopedGrant`: one right is refused there although it works in scope, and another one is allowed. Or
 *   the app has a role with a scope, and a right is allowed all the same.
 * - `tenantWide`: the addresses are allowed, and nothing shows a scope.
 * - `inconclusive`: nothing is allowed, but it is not proven that a scope is the reason for the refusals.
 */
export const scopeVerdicts = [
  'scoped',
  'scopeTooWide',
  'scopePresentButUnscopedGrant',
  'tenantWide',
  'inconclusive',
] as const;
export type ScopeVerdict = (typeof scopeVerdicts)[number];

/** The result of a scope check, as it is kept on its connection. */
export interface ScopeCheck {
  /** When it began. */
  checkedAt: Date;
  verdict: ScopeVerdict;
  /** Why it is inconclusive. Absent if no mailbox is known that the app may use. */
  cause?: CauseCode;
  offLimits: ScopedMailbox[];
  /** A mailbox that the app should be able to use, asked in the same way. Without it, refusals prove no scope. */
  inScope?: ScopedMailbox;
  /** The permissions that the tokens show. They explain the verdict, and never decide it. */
  roles: string[];
  /** Absent if the app may not read them. */
  assignments?: RoleAssignment[];
}

/**
 * The connection after a scope check. A check of another credential or app, or one that began before the last one, is out
 * of date. It changes nothing.
 *
 * @param checked the connection as it was checked
 */
export function applyScopeCheck(current: Connection, checked: Connection, result: ScopeCheck): Connection | undefined {
  const isOlder = current.lastScopeCheck !== undefined && result.checkedAt < current.lastScopeCheck.checkedAt;
  if (current.status === 'disconnected' || current.clientId !== checked.clientId || isOlder) return undefined;
  return { ...current, lastScopeCheck: toStored(result) };
}

/** Below the 32,768 characters that a text in a table can have. */
const STORED_MAX_LENGTH = 30_000;

/** As it is stored: without Microsoft’s codes and IDs if they are far longer than Microsoft’s are. */
function toStored(check: ScopeCheck): ScopeCheck {
  if (JSON.stringify(check).length <= STORED_MAX_LENGTH) return check;
  const shorten = ({ address, findings }: ScopedMailbox): ScopedMailbox => ({
    address,
    findings: findings.map(({ microsoftCode: _code, requestId: _id, ...finding }) => finding),
  });
  const { offLimits, inScope } = check;
  return { ...check, offLimits: offLimits.map(shorten), ...(inScope && { inScope: shorten(inScope) }) };
}

/** The last scope check, unless grants have changed since it began. */
export function currentScopeCheck(connection: Connection): ScopeCheck | undefined {
  const { lastScopeCheck: last, grantsChangedAt } = connection;
  return last && grantsChangedAt <= last.checkedAt ? last : undefined;
}

/** The longest that a change in Exchange or Entra takes until Microsoft answers by it. */
const PROPAGATION_MAX_MS = 2 * 3_600_000;

/** Until when another answer is possible although nobody changes anything, because of a change that we know of. */
export function mayChangeUntil({ grantsChangedAt }: Pick<Connection, 'grantsChangedAt'>, now: Date): Date | undefined {
  const until = new Date(grantsChangedAt.getTime() + PROPAGATION_MAX_MS);
  return until > now ? until : undefined;
}
