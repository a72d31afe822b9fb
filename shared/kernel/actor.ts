/**
 * What an API key may do. A `viewer` reads. A `member` also imports and manages mailboxes. An `owner` does everything
 * for its customer. An `operator` is one of ours and acts for any customer.
 */
export const roles = ['operator', 'owner', 'member', 'viewer'] as const;
export type Role = (typeof roles)[number];

/** What a route requires of its caller, from least to most. */
export type Permission = 'read' | 'manage' | 'administer' | 'operate';

const GRANTS: Record<Role, readonly Permission[]> = {
  viewer: ['read'],
  member: ['read', 'manage'],
  owner: ['read', 'manage', 'administer'],
  operator: ['read', 'manage', 'administer', 'operate'],
};

/** Who is asking. An operator has no customer until it names one. */
export interface Actor {
  keyId: string;
  role: Role;
  customerId?: string;
}

/** An actor that acts for one customer. Every use case on a customer's data takes one. */
export interface CustomerActor extends Actor {
  customerId: string;
}

export function isAllowed(role: Role, permission: Permission): boolean {
  return GRANTS[role].includes(permission);
}
