import type { Findings } from '../../causes/verdict.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { CheckMessage } from '../messages.ts';

/** The subject of whatever a check writes into a mailbox. The same for every try at one row, so that later tries find it. */
export function draftSubjectOf(message: { importId: string; line: number }): string {
  return `Muster check ${message.importId} ${message.line}`;
}

/**
 * Sends a cleanup message: after `afterMs`, a worker removes what tries at this row have left.
 *
 * Two deliveries of one row can be at work at the same time. If the slower one dies after it wrote its draft, and the faster
 * one has already settled the row, no later try would clean up. So a delivery that may be one of two sends this message
 * before it touches the mailbox.
 */
export async function sendCleanup(
  queues: Pick<ImportQueues, 'sendCheck'>,
  message: CheckMessage,
  afterMs: number,
): Promise<void> {
  await queues.sendCheck({ ...message, cleanupOnly: true }, afterMs);
}

/** A self-addressed message that was accepted but not seen can arrive after its row is settled. Cleans up for it later. */
export async function sendCleanupForLateArrival(
  queues: Pick<ImportQueues, 'sendCheck'>,
  message: CheckMessage,
  findings: Findings,
  afterMs: number,
): Promise<void> {
  const isAwaited = Object.values(findings).some(({ cause }) => cause === 'message_not_delivered');
  if (isAwaited) await sendCleanup(queues, message, afterMs);
}
