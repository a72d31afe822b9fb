import { identityKeysOf, type MailboxIdentity } from '../../mailboxes/identity.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Ledger, LedgerChange } from './ledger.ts';
import { openRowOf } from './row.ts';

/**
 * The wish of a result to look after a mailbox under its address.
 *
 * A mailbox has one record and one slot, whatever names it is imported under. What decides which name it is looked after
 * under is one write: each key of its identity is a record of the connection that names the address. It is written in the
 * transaction that settles the row, and only if it is new or still as it was read. So of two names that are checked at the
 * same moment by two processes, one meets a conflict, reads again and learns of the other.
 */
export interface IdentityClaim<Result> {
  identity: MailboxIdentity;
  /** Whether the connection has seen this mailbox before, so that its identity is stored already. */
  isExpected?: boolean;
  /** What the result becomes if the connection looks after this mailbox under another address. */
  otherwise(address: string): Result;
}

interface Claiming<Result> {
  address: string;
  claim?: IdentityClaim<Result> | undefined;
  /** The tags of the identities that exist already and may be replaced, by key. */
  identityTags?: ReadonlyMap<string, string> | undefined;
}

/** How many writes a claim adds to the transaction. */
export function countClaims({ claim }: Claiming<unknown>): number {
  return claim ? identityKeysOf(claim.identity).length : 0;
}

export function identityChanges({ address, claim, identityTags }: Claiming<unknown>): LedgerChange[] {
  if (!claim) return [];
  return identityKeysOf(claim.identity).map((key) => {
    const tag = identityTags?.get(key);
    return { op: 'writeIdentity', identity: { key, address }, ...(tag !== undefined && { tag }) };
  });
}

/**
 * Reads what is stored under the keys of these results, after a transaction met an identity that it did not expect.
 *
 * A result whose mailbox is looked after under another address becomes what its claim says, and claims nothing more. The
 * others know now what they replace: an entry of their own, or one that no longer holds, because that address has lost its
 * slot or reaches another mailbox today.
 */
export async function resolveClaims<Result extends object>(
  ledger: Pick<Ledger, 'getIdentities' | 'getMailboxes'>,
  connectionId: string,
  results: readonly Claiming<Result>[],
): Promise<void> {
  const claiming = results.filter((result) => result.claim);
  const keysOf = ({ claim }: Claiming<Result>) => (claim ? identityKeysOf(claim.identity) : []);
  const stored = await ledger.getIdentities(connectionId, [...new Set(claiming.flatMap(keysOf))]);
  const others = claiming.flatMap((result) =>
    keysOf(result).flatMap((key) => {
      const named = stored.get(key)?.value.address;
      return named === undefined || named === result.address ? [] : [named];
    }),
  );
  const holders = await ledger.getMailboxes(connectionId, [...new Set(others)]);
  for (const result of claiming) {
    const { claim, address } = result;
    if (!claim) continue;
    const tags = new Map<string, string>();
    let holder: string | undefined;
    for (const key of keysOf(result)) {
      const identity = stored.get(key);
      if (!identity) continue;
      tags.set(key, identity.tag);
      const named = identity.value.address;
      if (named !== address && holdsIdentity(holders.get(named)?.value, key)) holder ??= named;
    }
    result.identityTags = tags;
    if (holder === undefined) continue;
    Object.assign(result, claim.otherwise(holder));
    result.claim = undefined;
  }
}

interface Leaving {
  importId: string;
  line: number;
  address: string;
  /** The keys of the mailbox that the address reached before, and reaches no longer. */
  formerKeys?: readonly string[] | undefined;
}

/**
 * Removes the identities that name addresses which reach another mailbox today. Nobody would find them later, because a
 * mailbox names only the keys of today.
 *
 * Call this before the transaction that settles the rows: a process that dies in between does both again. A row that was
 * settled in the meantime removes nothing, because its address may have claimed the same keys again since.
 */
export async function removeFormerKeys(
  ledger: Pick<Ledger, 'getIdentities' | 'getMailboxes' | 'removeIdentity'>,
  connectionId: string,
  results: readonly Leaving[],
): Promise<void> {
  const leaving = results.filter(({ formerKeys = [] }) => formerKeys.length > 0);
  if (leaving.length === 0) return;
  const stored = await ledger.getIdentities(connectionId, [...new Set(leaving.flatMap(keysLeftBy))]);
  // Read after the identities, so that no claim of the same address lies between them and an open row.
  const mailboxes = await ledger.getMailboxes(connectionId, [...new Set(leaving.map(({ address }) => address))]);
  for (const result of leaving) {
    if (mailboxes.get(result.address)?.value.openRow !== openRowOf(result)) continue;
    for (const key of keysLeftBy(result)) {
      const identity = stored.get(key);
      if (identity?.value.address === result.address) await ledger.removeIdentity(connectionId, key, identity.tag);
    }
  }
}

const keysLeftBy = ({ formerKeys = [] }: Leaving) => formerKeys;

/** Whether the connection looks after the mailbox with this key under the address that its identity names. */
export function holdsIdentity(mailbox: Pick<Mailbox, 'slotClaimedBy' | 'identity'> | undefined, key: string): boolean {
  if (mailbox?.slotClaimedBy === undefined) return false;
  return identityKeysOf(mailbox.identity ?? {}).includes(key);
}
