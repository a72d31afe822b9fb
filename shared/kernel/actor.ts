/**
 * What an API key may do. A `viewer` reads; a `member` also imports and manages mailboxes; an `owner` does everything
 * for its customer; an `operator` is one of ours and acts for any customer.
 */
export type Role = 'operator' | 'owner' | 'member' | 'viewer';

/** What a route asks of its caller, from least to most. */
export type Permission = 'read' | 'manage' | 'administer' | 'operate';

const GRANTS: Record<Role, readonly Permission[]> = {
  viewer: ['read'],
  member: ['read', 'manage'],
  owner: ['read', 'manage', 'administer'],
  operator: ['read', 'manage', 'administer', 'operate'],
};

/** Who is asking. An operator has no customer of its own until it names one. */
export interface Actor {
  keyId: string;
  role: Role;
  customerId?: string;
}

/** An actor on behalf of one customer: what every use case on a customer's things takes. */
export interface CustomerActor extends Actor {
  customerId: string;
}

export function isAllowed(role: Role, permission: Permission): boolean {
  return GRANTS[role].includes(permission);
}
