import type { CauseCode } from '../../causes/causes.ts';
import { decisiveFinding } from '../../causes/findings.ts';
import { type Mailbox, type MailboxStatus, statusOf } from '../../mailboxes/mailbox.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** Which mailboxes of a connection. Without any field: all of them. */
export interface MailboxFilter {
  /** Those with one of these. */
  status?: readonly MailboxStatus[] | undefined;
  /** Those whose checks did not pass for one of these. */
  cause?: readonly CauseCode[] | undefined;
  /** Those that this import last contained. */
  importId?: string | undefined;
}

/** A mailbox that an action is for. */
export interface SelectedMailbox {
  address: string;
  /** It has no slot, and takes one if it is checked. */
  takesSlot: boolean;
}

/** Addresses that are looked up together. */
const LOOKED_UP_TOGETHER = 1_000;

/** Reads the connection once. */
export async function* selectWhere(
  ledger: Pick<Ledger, 'eachMailbox'>,
  connectionId: string,
  filter: MailboxFilter,
): AsyncGenerator<SelectedMailbox> {
  for await (const { value } of ledger.eachMailbox(connectionId)) if (matches(value, filter)) yield toSelected(value);
}

/** Each address once, in this order. An address that the connection does not have is selected too, to be told so. */
export async function* selectAddresses(
  ledger: Pick<Ledger, 'getMailboxes'>,
  connectionId: string,
  addresses: readonly string[],
): AsyncGenerator<SelectedMailbox> {
  const all = [...new Set(addresses)];
  for (let from = 0; from < all.length; from += LOOKED_UP_TOGETHER) {
    const some = all.slice(from, from + LOOKED_UP_TOGETHER);
    const found = await ledger.getMailboxes(connectionId, some);
    for (const address of some) {
      const mailbox = found.get(address);
      yield mailbox ? toSelected(mailbox.value) : { address, takesSlot: false };
    }
  }
}

function matches(mailbox: Mailbox, { status, cause, importId }: MailboxFilter): boolean {
  if (mailbox.removedBy !== undefined) return false;
  if (status && !status.includes(statusOf(mailbox))) return false;
  if (importId !== undefined && (mailbox.listedIn ?? mailbox.importId) !== importId) return false;
  if (!cause) return true;
  const found = decisiveFinding(mailbox.checks)?.cause;
  return found !== undefined && cause.includes(found);
}

function toSelected({ address, slotClaimedBy }: Mailbox): SelectedMailbox {
  return { address, takesSlot: slotClaimedBy === undefined };
}
