import { isTaken, type Mailbox } from '../../mailboxes/mailbox.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type AddressMap, createAddressMap } from '../upload/address-map.ts';
import type { ExistingMailbox, FindExisting } from '../upload/preview-upload.ts';

/** Addresses that are looked up in the ledger. With more, reading the whole connection once is cheaper. */
export const LOOKED_UP_MAX = 5_000;

const IS_TAKEN = 1;
const HOLDS_SLOT = 2;
/** `AddressMap` cannot keep 0. */
const EXISTS = 4;

/**
 * Finds the mailboxes that a connection has, for uploads of any size. Looks the first `LOOKED_UP_MAX` addresses up. When
 * it is asked for more, it reads the connection once, and keeps 18 to 36 bytes of each mailbox.
 */
export function createExistingMailboxes(ledger: Ledger, connectionId: string): FindExisting {
  let lookedUp = 0;
  let all: AddressMap | undefined;
  return async (addresses) => {
    lookedUp += addresses.length;
    if (lookedUp > LOOKED_UP_MAX) {
      all ??= await readAll(ledger, connectionId);
      return pick(all, addresses);
    }
    const found = await ledger.getMailboxes(connectionId, addresses);
    return new Map([...found].map(([address, { value }]) => [address, toExisting(value)]));
  };
}

function toExisting(mailbox: Mailbox): ExistingMailbox {
  return { isTaken: isTaken(mailbox), holdsSlot: mailbox.slotClaimedBy !== undefined };
}

async function readAll(ledger: Ledger, connectionId: string): Promise<AddressMap> {
  const all = createAddressMap();
  for await (const { value } of ledger.eachMailbox(connectionId)) {
    const existing = toExisting(value);
    all.add(value.address, EXISTS + (existing.isTaken ? IS_TAKEN : 0) + (existing.holdsSlot ? HOLDS_SLOT : 0));
  }
  return all;
}

function pick(all: AddressMap, addresses: readonly string[]): Map<string, ExistingMailbox> {
  const found = new Map<string, ExistingMailbox>();
  for (const address of addresses) {
    const flags = all.get(address);
    if (flags === undefined) continue;
    found.set(address, { isTaken: (flags & IS_TAKEN) !== 0, holdsSlot: (flags & HOLDS_SLOT) !== 0 });
  }
  return found;
}
