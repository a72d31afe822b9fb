import { compareIdentities, inboxKeyOf, type MailboxIdentity } from '../mailboxes/identity.ts';
import type { Answers } from './graph-mail.ts';
import type { Recipient, UsersRead } from './recipients.ts';

/** Each of these shows every property of users, aliases among them. Least first. */
const SHOWS_ALIASES = ['User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'];
const SHOWS_NAMES = 'User.ReadBasic.All';

/** How much of the users the permissions in a token let an app read. The directory knows no other permissions. */
export function usersReadWith(roles: readonly string[]): UsersRead | undefined {
  if (SHOWS_ALIASES.some((permission) => roles.includes(permission))) return 'full';
  return roles.includes(SHOWS_NAMES) ? 'basic' : undefined;
}

/** Which mailbox has answered, with what earlier tries have found out. */
export function identityIn({ inbox, owner }: Answers, prior: MailboxIdentity | undefined): MailboxIdentity {
  return {
    ...prior,
    ...(inbox.kind === 'accepted' && inbox.value && { inboxKey: inboxKeyOf(inbox.value) }),
    ...(owner?.kind === 'accepted' && namesOf(owner.value)),
  };
}

function namesOf(recipient: Recipient): MailboxIdentity {
  if (recipient.kind !== 'user') return {};
  const { objectId, primaryAddress, signInName } = recipient;
  return {
    ...(objectId !== undefined && { objectId }),
    ...(primaryAddress !== undefined && { primaryAddress }),
    ...(signInName !== undefined && { signInName }),
  };
}

/** Whether the connection knows this mailbox already under the address that was asked for. It may have been renamed. */
export function isKnownMailbox(identity: MailboxIdentity, knownAs: MailboxIdentity | undefined): boolean {
  return knownAs !== undefined && compareIdentities(identity, knownAs) === 'same';
}

/**
 * The address under which a mailbox can be asked that no longer has the address of the connection's record: its primary
 * address, which the directory knows by the object ID.
 */
export function renamedTo(recipient: Recipient, address: string, knownAs: MailboxIdentity | undefined) {
  if (recipient.kind !== 'user' || recipient.objectId === undefined) return undefined;
  const { objectId, primaryAddress } = recipient;
  if (objectId !== knownAs?.objectId || primaryAddress === undefined || primaryAddress === address) return undefined;
  return primaryAddress;
}
