import type { Probe } from '../../causes/verdict.ts';
import type { MailboxChecker } from '../../checks/mailbox-checker.ts';
import type { Connection } from '../../connections/connection.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { CheckMessage } from '../messages.ts';
import { draftSubjectOf, sendCleanup } from './cleanup-message.ts';

interface RecheckDeps {
  checker: MailboxChecker;
  ledger: Ledger;
  importQueues: ImportQueues;
  limits: { cleanupAfterMs: number };
}

/** Whether a mailbox that passed before still passes. `none` if the connection has no mailbox that passed. */
export type Recheck = 'passes' | 'refused' | 'none' | 'unknown';

/**
 * Asks a mailbox that passed before whether it still passes, to tell a refusal of single mailboxes from a refusal of
 * all. The draft has the draft subject of the refused row. A cleanup message is sent first, in case this process dies.
 */
export async function recheckPassedMailbox(
  deps: RecheckDeps,
  message: CheckMessage,
  connection: Connection,
  probe: Probe,
  passedBefore: string | undefined,
): Promise<Recheck> {
  const address = passedBefore ?? (await findActiveAddress(deps.ledger, connection.id));
  if (address === undefined) return 'none';
  await sendCleanup(deps.importQueues, { ...message, address }, deps.limits.cleanupAfterMs);
  const outcome = await deps.checker.check({
    // A recheck never delivers a message.
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

async function findActiveAddress(ledger: Ledger, connectionId: string): Promise<string | undefined> {
  const page = await ledger.listMailboxes(connectionId, { limit: 1 }, 'active');
  return page.items[0]?.address;
}
