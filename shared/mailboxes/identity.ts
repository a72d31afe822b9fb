import { createHash } from 'node:crypto';

/** What Microsoft has said about which mailbox an address reaches. Empty if the app may ask nothing that tells it. */
export interface MailboxIdentity {
  /** The object ID of the mailbox's user in the directory. It outlives every change of name. */
  objectId?: string;
  /** Made of the ID of its inbox. The same under every name of the mailbox, and different for every mailbox. */
  inboxKey?: string;
  /** Lower case. */
  primaryAddress?: string;
  /** Lower case. Microsoft calls it user principal name. */
  signInName?: string;
}

/** What identifies a mailbox, the best of what is known: its user, its inbox, or nothing but the address. */
export const identifiers = ['objectId', 'inbox', 'address'] as const;
type Identifier = (typeof identifiers)[number];

/**
 * Folders keep their ID for good, and the ID begins with the mailbox's own, so two names of a mailbox show the same inbox.
 * The key has one length for IDs of any length, and is safe in every storage key.
 */
export function inboxKeyOf(inboxId: string): string {
  return createHash('sha256').update(inboxId).digest('base64url');
}

/** The keys under which a connection finds this mailbox, whatever it is called. None if only the address is known. */
export function identityKeysOf({ objectId, inboxKey }: MailboxIdentity): string[] {
  return [
    ...(objectId === undefined ? [] : [`object:${objectId.toLowerCase()}`]),
    ...(inboxKey === undefined ? [] : [`inbox:${inboxKey}`]),
  ];
}

export function identifierOf({ objectId, inboxKey }: MailboxIdentity): Identifier {
  if (objectId !== undefined) return 'objectId';
  return inboxKey === undefined ? 'address' : 'inbox';
}

/**
 * What is known of a mailbox after another look. What this look could not see stays known if it is the same mailbox:
 * permissions come and go.
 */
export function addToIdentity(before: MailboxIdentity, seen: MailboxIdentity): MailboxIdentity {
  if (compareIdentities(before, seen) !== 'same') return seen;
  const { objectId, inboxKey } = before;
  return { ...(objectId !== undefined && { objectId }), ...(inboxKey !== undefined && { inboxKey }), ...seen };
}

/** The keys under which an address was found, and no longer is. */
export function formerKeysOf(before: MailboxIdentity, now: MailboxIdentity): string[] {
  const keys = new Set(identityKeysOf(now));
  return identityKeysOf(before).filter((key) => !keys.has(key));
}

/** Whether two identities are of one mailbox. `unknown` if they have nothing to compare. */
export function compareIdentities(one: MailboxIdentity, other: MailboxIdentity): 'same' | 'different' | 'unknown' {
  const keys = new Set(identityKeysOf(one));
  if (identityKeysOf(other).some((key) => keys.has(key))) return 'same';
  const haveBoth = (field: 'objectId' | 'inboxKey') => one[field] !== undefined && other[field] !== undefined;
  return haveBoth('objectId') || haveBoth('inboxKey') ? 'different' : 'unknown';
}
