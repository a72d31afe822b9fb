import type { Answer } from '../checks/answer.ts';
import type { Cloud } from '../connections/connection.ts';
import type { AppToken } from '../connections/tokens.ts';
import type { MailboxJudgement } from './directory-entry.ts';

/** A user as the tenant's directory shows it. */
export interface TenantUser {
  /** The object ID in Entra. */
  id: string;
  primaryAddress?: string;
  displayName?: string;
  isGuest: boolean;
  isEnabled: boolean;
  /** Whether it has a licence for Exchange Online. */
  isLicensed: boolean;
}

/** How to reach a tenant's directory. */
export interface DirectoryAccess {
  cloud: Cloud;
  token: AppToken;
}

export interface UserPage {
  users: TenantUser[];
  /** The link to the next page. Absent on the last one. */
  next?: string;
}

export interface UserChanges {
  changed: string[];
  removed: string[];
  /** The link to more of these changes, or the one to later changes. */
  link: string;
  isLast: boolean;
}

/**
 * The users of a tenant, from Microsoft Graph. Needs the application permission User.Read.All.
 *
 * Each call is one request, also if the answer is a refusal. Links are Microsoft's own, and work for some days.
 */
export interface TenantUsers {
  /** A link to what changes from now on. */
  linkToChanges(access: DirectoryAccess): Promise<Answer<string>>;
  /** One page of all users. Without a link, the first one. */
  list(access: DirectoryAccess, link?: string): Promise<Answer<UserPage>>;
  /** One page of what has changed. It tells which users, and not what they are now. */
  changes(access: DirectoryAccess, link: string): Promise<Answer<UserChanges>>;
  /** At most `USERS_TOGETHER_MAX` users by their IDs. Those that do not exist are left out. */
  get(access: DirectoryAccess, ids: readonly string[]): Promise<Answer<TenantUser[]>>;
  /** Asks mailboxes whether they exist and what they are for: at most `JUDGED_TOGETHER_MAX`. The answers have the same order. */
  judge(access: DirectoryAccess, ids: readonly string[]): Promise<Answer<MailboxJudgement>[]>;
}

/** Graph takes 20 requests together, and 15 values in a filter. */
export const USERS_TOGETHER_MAX = 300;
export const JUDGED_TOGETHER_MAX = 20;
