import type { Ledger } from './ledger.ts';

/** One mailbox of the connection that passed its check, other than these. Costs one page. */
export async function findActiveMailbox(
  deps: { ledger: Pick<Ledger, 'listMailboxes'> },
  connectionId: string,
  except: readonly string[],
): Promise<string | undefined> {
  const page = await deps.ledger.listMailboxes(connectionId, { limit: except.length + 1 }, 'active');
  return page.items.find(({ address }) => !except.includes(address))?.address;
}
