/** What an import was selected from, and what was left out. Addresses are in its rows. */
export interface Selection {
  from: 'directory' | 'group';
  /** The group, with its name at that time. */
  groupId?: string;
  groupName?: string;
  /** Mailboxes that the import takes. */
  selected: number;
  /** There may be more: the next selection takes them, once these are connected. */
  hasMore: boolean;
  /** Of a group: members that were left out because they are connected already. */
  connected?: number;
  /** Of a group: members that are no mailbox of the tenant that can be imported, such as guests. */
  ineligible?: number;
  /** Groups within the group. Their members are not selected. */
  nestedGroups?: string[];
  /** Groups beyond those that are named. */
  nestedGroupsOmitted?: number;
}
