import type { Answer } from '../checks/answer.ts';
import type { DirectoryAccess } from './tenant-users.ts';

export interface TenantGroup {
  id: string;
  name: string;
}

export interface GroupMember {
  /** The object ID in Entra. */
  id: string;
  address?: string;
  displayName?: string;
  isGuest: boolean;
  /** `false` if the app may only see the ID. */
  isReadable: boolean;
}

export interface MemberPage {
  /** Members that are users. Without an address if the app may not read users. */
  users: GroupMember[];
  groups: TenantGroup[];
  /** Contacts, devices and apps. */
  others: number;
  /** The link to the next page. Absent on the last one. */
  next?: string;
}

/**
 * The groups of a tenant, from Microsoft Graph. Needs the application permission GroupMember.Read.All, and to see more of
 * a member than its ID also User.ReadBasic.All or User.Read.All.
 */
export interface TenantGroups {
  /** By object ID or by address. `null` if there is none. */
  find(access: DirectoryAccess, name: string): Promise<Answer<TenantGroup | null>>;
  /** One page of the direct members. Without a link, the first one. */
  members(access: DirectoryAccess, groupId: string, link?: string): Promise<Answer<MemberPage>>;
}
