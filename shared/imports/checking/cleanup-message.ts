import type { Findings } from '../../causes/verdict.ts';
import type { CheckMessage, ImportQueues } from '../import-queues.ts';

/** Names what a try leaves in a mailbox, the same for every try at one row. */
export function draftSubjectOf(message: { importId: string; line: number }): string {
  return `Muster check ${message.importId} ${message.line}`;
}

/** What a mailbox sent to itself and nobody has seen yet may come in after its row is settled: one more look, later. */
export async function sendCleanupForLateArrival(
  queues: Pick<ImportQueues, 'sendCheck'>,
  message: CheckMessage,
  findings: Findings,
  afterMs: number,
): Promise<void> {
  const isAwaited = Object.values(findings).some(({ cause }) => cause === 'message_not_delivered');
  if (isAwaited) await sendCleanup(queues, message, afterMs);
}

/**
 * Two deliveries of one row may be at work at once. Should the slower one die between its draft and its removal after
 * the faster one has settled the row, no later try would come and clean up. So whoever may be one of two sends a last
 * look for leftovers ahead, before it touches the mailbox.
 */
export async function sendCleanup(
  queues: Pick<ImportQueues, 'sendCheck'>,
  message: CheckMessage,
  afterMs: number,
): Promise<void> {
  await queues.sendCheck({ ...message, cleanupOnly: true }, afterMs);
}
