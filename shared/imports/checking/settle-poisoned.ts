import { causes } from '../../causes/causes.ts';
import type { MailboxChecker } from '../../checks/mailbox-checker.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { CheckMessage } from '../import-queues.ts';
import type { Settler } from '../ledger/settler.ts';
import type { Seen } from './caches.ts';
import { draftSubjectOf } from './cleanup-message.ts';
import { rowLocationOf } from './row-location.ts';
import { fillMissingFindings, rowResultOf } from './row-result.ts';

interface Deps {
  checker: Pick<MailboxChecker, 'removeLeftovers'>;
  seen: Seen;
  settler: Settler;
  clock: Clock;
}

/**
 * Ends a row whose check failed on a defect of ours again and again: `failed` with `internal_error`, so that the import
 * comes to its end. What the tries left in the mailbox is removed as far as it can be. Rejects when the row could not be
 * written; it is then still pending and the sweep sends it again.
 */
export async function settlePoisoned(deps: Deps, message: CheckMessage): Promise<void> {
  const connection = await deps.seen.connection(message);
  if (!connection) return;
  await deps.checker.removeLeftovers(connection, message.address, draftSubjectOf(message)).catch(() => undefined);
  if (message.cleanupOnly) return;
  const { verdict } = causes.internal_error;
  const findings = fillMissingFindings(message.priorFindings ?? {}, connection.probes, {
    verdict,
    cause: 'internal_error',
    at: deps.clock.now(),
  });
  await deps.settler.settle({ ...rowLocationOf(message), ...rowResultOf(findings, 'unknown') });
}
