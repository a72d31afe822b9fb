import type { Probe } from '../../causes/verdict.ts';
import type { MailboxChecker } from '../../checks/mailbox-checker.ts';
import type { Connection } from '../../connections/connection.ts';
import { draftSubjectOf, sendCleanup } from '../cleanup-message.ts';
import type { Import } from '../import.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Row } from '../ledger/row.ts';

interface RecheckDeps {
  checker: MailboxChecker;
  ledger: Ledger;
  importQueues: ImportQueues;
  limits: { cleanupAfterMs: number };
}

/** An action checks at most 1,000 mailboxes. */
const PAGE = 500;
const PAGES_MAX = 3;

/** Whether a mailbox that passed before still passes. `none` if the connection has no mailbox that passed. */
type Recheck = 'passes' | 'refused' | 'none' | 'unknown';

/**
 * Asks a mailbox that passed before whether it still passes, to tell a refusal of single mailboxes from a refusal of
 * all. The draft has the draft subject of a refused row. A cleanup message is sent first, in case this process dies.
 */
export async function recheckPassedMailbox(
  deps: RecheckDeps,
  { record, row }: { record: Import; row: Row },
  connection: Connection,
  probe: Probe,
): Promise<Recheck> {
  const address = await findPassedAddress(deps.ledger, record);
  if (address === undefined) return 'none';
  const refused = { customerId: record.customerId, connectionId: connection.id, importId: record.id, line: row.line };
  await sendCleanup(deps.importQueues, { ...refused, address }, deps.limits.cleanupAfterMs);
  const outcome = await deps.checker.check({
    // A recheck never delivers a message.
    connection: { ...connection, probes: [probe], sendProbe: 'noDelivery' },
    address,
    draftSubject: draftSubjectOf(refused),
    priorFindings: {},
    cleanFirst: false,
  });
  switch (outcome.kind) {
    case 'checked':
      return outcome.findings[probe]?.verdict === 'passed' ? 'passes' : 'refused';
    case 'connectionRefused':
      return 'refused';
    case 'wait':
      return 'unknown';
  }
}

/** A mailbox that this import has passed, or one that passed before. */
async function findPassedAddress(ledger: Ledger, { connectionId, id, cursor }: Import): Promise<string | undefined> {
  const query = { fromLine: 0, toLine: cursor, states: ['passed'] as const, limit: 1 };
  const [row] = await ledger.findRows(connectionId, id, query);
  if (row) return row.value.address;
  // A mailbox that this check is about has its old status until the check ends, so it proves nothing.
  for (let pages = 0, from: string | undefined; pages < PAGES_MAX; pages++) {
    const page = await ledger.findMailboxes(
      connectionId,
      { limit: PAGE, ...(from !== undefined && { cursor: from }) },
      { status: 'active' },
    );
    const found = page.items.find(({ value }) => !value.openRow?.startsWith(`${id}:`));
    if (found) return found.value.address;
    if (page.cursor === undefined) return undefined;
    from = page.cursor;
  }
  return undefined;
}
