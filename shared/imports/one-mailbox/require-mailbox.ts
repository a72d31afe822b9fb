import { parseAddress } from '../../kernel/address.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Ledger } from '../ledger/ledger.ts';

/**
 * Resolves to a mailbox of a connection.
 *
 * @param address as a caller wrote it
 * @throws DomainError `not_found`
 */
export async function requireMailbox(
  { ledger }: { ledger: Pick<Ledger, 'getMailbox'> },
  connectionId: string,
  address: string,
): Promise<Tagged<Mailbox>> {
  const parsed = parseAddress(address);
  const found = parsed.ok ? await ledger.getMailbox(connectionId, parsed.address) : undefined;
  if (!found || found.value.removedBy !== undefined) throw noSuchMailbox();
  return found;
}

export function noSuchMailbox(): DomainError {
  return new DomainError('not_found', 'This connection has no mailbox with this address.');
}
