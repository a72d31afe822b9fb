import type { Probe } from '../../causes/verdict.ts';
import type { MailboxChecker } from '../../checks/mailbox-checker.ts';
import type { Connection } from '../../connections/connection.ts';
import type { CheckMessage, ImportQueues } from '../import-queues.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { markerOf, sendBroom } from './cleanup-message.ts';
import type { Witness } from './refusal-watch.ts';
import type { CheckLimits } from './wait-row.ts';

interface Needs {
  checker: MailboxChecker;
  ledger: Ledger;
  importQueues: ImportQueues;
  limits: Pick<CheckLimits, 'lastLookAfterMs'>;
}

/**
 * Asks a mailbox of the connection that has passed before whether it still does. The question carries the marker of the
 * row that gave rise to it, and a last look for leftovers is sent ahead, should this process die meanwhile.
 */
export async function askWitness(
  needs: Needs,
  message: CheckMessage,
  connection: Connection,
  probe: Probe,
  passedBefore: string | undefined,
): Promise<Witness> {
  const address = passedBefore ?? (await anyActive(needs.ledger, connection.id));
  if (address === undefined) return 'none';
  await sendBroom(needs.importQueues, { ...message, address }, needs.limits.lastLookAfterMs);
  const outcome = await needs.checker.check({
    // Nothing is sent for the sake of a comparison.
    connection: { ...connection, probes: [probe], sendProbe: 'noDelivery' },
    address,
    marker: markerOf(message),
    shown: {},
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
