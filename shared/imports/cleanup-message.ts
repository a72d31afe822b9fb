import type { Findings } from '../causes/verdict.ts';
import type { ImportQueues } from './import-queues.ts';
import type { CheckMessage } from './messages.ts';

/**
 * The subject of everything that a check writes into a mailbox. It is the same for every try at a row, so that later
 * tries find it.
 */
export function draftSubjectOf(message: { importId: string; line: number }): string {
  return `Muster check ${message.importId} ${message.line}`;
}

type CleanupTarget = Pick<CheckMessage, 'customerId' | 'connectionId' | 'importId' | 'line' | 'address'>;

/**
 * Sends a cleanup message: after `afterMs`, a worker removes what tries at this row have left.
 *
 * Two deliveries of one row can run at the same time. If the faster one settles the row and the slower one then dies
 * with its draft in the mailbox, no later try cleans up. So a delivery that may be one of two sends this message before
 * it touches the mailbox.
 */
export async function sendCleanup(
  queues: Pick<ImportQueues, 'sendCheck'>,
  { customerId, connectionId, importId, line, address }: CleanupTarget,
  afterMs: number,
): Promise<void> {
  const target = { customerId, connectionId, importId, line, address };
  const unused = { rowTag: '', attempt: 0, epoch: 0, generation: 0, tries: 0 };
  await queues.sendCheck({ v: 2, ...target, ...unused, cleanupOnly: true }, afterMs);
}

/**
 * Sends a cleanup message if a self-addressed message was accepted but not found: it may arrive after its row is
 * settled.
 */
export async function sendCleanupForLateArrival(
  queues: Pick<ImportQueues, 'sendCheck'>,
  message: CheckMessage,
  findings: Findings,
  afterMs: number,
): Promise<void> {
  const isAwaited = Object.values(findings).some(({ cause }) => cause === 'message_not_delivered');
  if (isAwaited) await sendCleanup(queues, message, afterMs);
}
