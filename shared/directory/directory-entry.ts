import type { CauseCode } from '../causes/causes.ts';
import { type AddressFault, addressFaults, parseAddress } from '../kernel/address.ts';
import { onOneLine } from '../kernel/control-characters.ts';
import type { MailboxKind } from '../mailboxes/mailbox.ts';
import type { TenantUser } from './tenant-users.ts';

/** Why a user of the tenant cannot be imported: what Microsoft has answered, or what is wrong with the address. */
export type IneligibleReason = CauseCode | AddressFault;
export const addressReasons = addressFaults;

/**
 * - `due`: the directory cannot tell whether there is a mailbox, so the mailbox is to be asked.
 * - `refused`: the mailbox was asked, and there is none that works. It is asked again later.
 * - `done`: nothing is left to ask.
 */
type Judgement = 'due' | 'refused' | 'done';

/** A user of the tenant who has an address, as of the last read. */
export interface DirectoryEntry {
  /** The object ID in Entra. */
  id: string;
  /** The primary address, normalized. */
  address: string;
  displayName?: string;
  kind: MailboxKind;
  /** Whether an import may take it. Also true if that is not known. */
  isEligible: boolean;
  reason?: IneligibleReason;
  judgement: Judgement;
  judgedAt?: Date;
  /** The full read that this entry belongs to. */
  round: string;
}

const ADDRESS_MAX_LENGTH = 320;
/** An import takes no longer name, and none with a line break. */
const NAME_MAX_LENGTH = 200;

/**
 * What the directory alone tells about a user. `undefined` for one without an address: that is no mailbox.
 *
 * An enabled account with a licence for Exchange Online has a mailbox. Shared mailboxes, rooms and equipment usually have
 * no licence and a disabled account, as have accounts without any mailbox. So those mailboxes have to be asked.
 */
export function entryOf(user: TenantUser, round: string): DirectoryEntry | undefined {
  const raw = user.primaryAddress;
  if (raw === undefined) return undefined;
  const parsed = parseAddress(raw);
  const displayName = onOneLine(user.displayName ?? '')
    .trim()
    .slice(0, NAME_MAX_LENGTH)
    .toWellFormed();
  const known = {
    id: user.id,
    address: parsed.ok ? parsed.address : raw.slice(0, ADDRESS_MAX_LENGTH).toWellFormed().toLowerCase(),
    ...(displayName && { displayName }),
    round,
  };
  const ineligible = (reason: IneligibleReason): DirectoryEntry => {
    return { ...known, kind: 'unknown', isEligible: false, reason, judgement: 'done' };
  };
  if (user.isGuest) return ineligible('address_is_guest');
  if (!parsed.ok) return ineligible(parsed.code);
  if (user.isLicensed && user.isEnabled) return { ...known, kind: 'user', isEligible: true, judgement: 'done' };
  return { ...known, kind: 'unknown', isEligible: true, judgement: 'due' };
}

/** What a mailbox has answered about itself. */
export type MailboxJudgement =
  /** `unknown`: it exists, and the app may not ask what it is for. */
  | { kind: MailboxKind }
  | { reason: CauseCode }
  /** The app may not ask this mailbox. An import will tell. */
  | 'undecided';

export function judged(entry: DirectoryEntry, judgement: MailboxJudgement, judgedAt: Date): DirectoryEntry {
  const { reason: _reason, ...rest } = entry;
  if (judgement === 'undecided') return { ...rest, isEligible: true, judgement: 'done', judgedAt };
  if ('reason' in judgement) {
    return { ...rest, kind: 'unknown', isEligible: false, reason: judgement.reason, judgement: 'refused', judgedAt };
  }
  return { ...rest, kind: judgement.kind, isEligible: true, judgement: 'done', judgedAt };
}
