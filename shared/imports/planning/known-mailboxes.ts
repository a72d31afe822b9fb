import { LRUCache } from 'lru-cache';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** What planning has to know of a mailbox. A whole one takes about a kilobyte of memory. */
export type KnownMailbox = Tagged<
  Pick<Mailbox, 'status' | 'openRow' | 'slotClaimedBy' | 'pausedAt' | 'history' | 'identity' | 'importId' | 'line'>
>;

/**
 * The mailboxes of a connection that a planner has met lately, at most `KNOWN_MAX`. A mailbox that is not here may exist
 * all the same. A transaction that takes it for new meets a conflict then.
 */
export interface KnownMailboxes {
  get(address: string): KnownMailbox | undefined;
  set(address: string, mailbox: KnownMailbox): void;
  /** Reads these mailboxes again. Resolves to whether most of them exist. */
  read(addresses: readonly string[]): Promise<boolean>;
}

/** More than one reading ahead, so that a later line still finds what it has read. */
const KNOWN_MAX = 2_000;

export function createKnownMailboxes(ledger: Ledger, connectionId: string): KnownMailboxes {
  const known = new LRUCache<string, KnownMailbox>({ max: KNOWN_MAX });
  return {
    get: (address) => known.get(address),
    set: (address, mailbox) => void known.set(address, mailbox),
    async read(addresses) {
      const found = await ledger.getMailboxes(connectionId, addresses);
      for (const address of addresses) {
        const mailbox = found.get(address);
        if (mailbox) known.set(address, toKnown(mailbox));
        else known.delete(address);
      }
      return found.size > 0 && found.size * 2 >= addresses.length;
    },
  };
}

function toKnown({ value, tag }: Tagged<Mailbox>): KnownMailbox {
  const { status, openRow, slotClaimedBy, pausedAt, history, identity, importId, line } = value;
  return {
    value: {
      status,
      importId,
      line,
      ...(openRow !== undefined && { openRow }),
      ...(slotClaimedBy !== undefined && { slotClaimedBy }),
      ...(pausedAt && { pausedAt }),
      ...(history && { history }),
      ...(identity && { identity }),
    },
    tag,
  };
}
