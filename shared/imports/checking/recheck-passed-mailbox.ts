import type { Probe } from '../../causes/verdict.ts';
import type { MailboxChecker } from '../../checks/mailbox-checker.ts';
import type { Connection } from '../../connections/connection.ts';
import type { CheckMessage, ImportQueues } from '../import-queues.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { draftSubjectOf, sendCleanup } from './cleanup-message.ts';
import type { Recheck } from './refusal-watch.ts';
import type { CheckLimits } from './wait-row.ts';

interface Deps {
  checker: MailboxChecker;
  ledger: Ledger;
  importQueues: ImportQueues;
  limits: Pick<CheckLimits, 'cleanupAfterMs'>;
}

/**
 * Asks a mailbox of the connection that has passed before whether it still does. The question carries the draft subject of the
 * row that gave rise to it, and a last look for leftovers is sent ahead, should this process die meanwhile.
 */
export async function recheckPassedMailbox(
  deps: Deps,
  message: CheckMessage,
  connection: Connection,
  probe: Probe,
  passedBefore: string | undefined,
): Promise<Recheck> {
  const address = passedBefore ?? (await anyActive(deps.ledger, connection.id));
  if (address === undefined) return 'none';
  await sendCleanup(deps.importQueues, { ...message, address }, deps.limits.cleanupAfterMs);
  const outcome = await deps.checker.check({
    // Nothing is sent for the sake of a comparison.
    connection: { ...connection, probes: [probe], sendProbe: 'noDelivery' },
    address,
    draftSubject: draftSubjectOf(message),
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

async function anyActive(ledger: Ledger, connectionId: string): Promise<string | undefined> {
  const page = await ledger.listMailboxes(connectionId, { limit: 1 }, 'active');
  return page.items[0]?.address;
}
