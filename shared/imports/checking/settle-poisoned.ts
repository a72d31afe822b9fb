import { causes } from '../../causes/causes.ts';
import { fillMissingFindings } from '../../causes/findings.ts';
import type { MailboxChecker } from '../../checks/mailbox-checker.ts';
import type { Clock } from '../../kernel/clock.ts';
import { draftSubjectOf } from '../cleanup-message.ts';
import { rowResultOf } from '../ledger/row-result.ts';
import type { Settler } from '../ledger/settler.ts';
import type { CheckMessage } from '../messages.ts';
import type { ConnectionCache } from './connection-cache.ts';
import { rowLocationOf } from './row-location.ts';

interface SettlePoisonedDeps {
  checker: Pick<MailboxChecker, 'removeLeftovers'>;
  connectionCache: ConnectionCache;
  settler: Settler;
  clock: Clock;
}

/**
 * Settles a row whose check met a defect of ours on every delivery: `failed` with `internal_error`, so that the import
 * can end. Removes what the tries left in the mailbox, as far as possible. Rejects if the row could not be written. The
 * row is then still pending, and the dispatcher finds that it has no message.
 */
export async function settlePoisoned(deps: SettlePoisonedDeps, message: CheckMessage): Promise<void> {
  const connection = await deps.connectionCache.get(message);
  if (!connection) return;
  await deps.checker.removeLeftovers(connection, message.address, draftSubjectOf(message)).catch(() => undefined);
  if (message.cleanupOnly) return;
  const findings = fillMissingFindings(message.priorFindings ?? {}, connection.probes, {
    verdict: causes.internal_error.verdict,
    cause: 'internal_error',
    at: deps.clock.now(),
  });
  await deps.settler.settle({ ...rowLocationOf(message), ...rowResultOf(findings, 'unknown', message) });
}
