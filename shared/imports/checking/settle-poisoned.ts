import { causes } from '../../causes/causes.ts';
import type { MailboxChecker } from '../../checks/mailbox-checker.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { CheckMessage } from '../import-queues.ts';
import type { Settler } from '../ledger/settler.ts';
import type { Seen } from './caches.ts';
import { markerOf } from './cleanup-message.ts';
import { placeOf } from './row-location.ts';
import { fillIn, fromFindings } from './row-result.ts';

interface Needs {
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
export async function settlePoisoned(needs: Needs, message: CheckMessage): Promise<void> {
  const connection = await needs.seen.connection(message);
  if (!connection) return;
  await needs.checker.removeLeftovers(connection, message.address, markerOf(message)).catch(() => undefined);
  if (message.broom) return;
  const { verdict } = causes.internal_error;
  const findings = fillIn(message.shown ?? {}, connection.probes, {
    verdict,
    cause: 'internal_error',
    at: needs.clock.now(),
  });
  await needs.settler.settle({ ...placeOf(message), ...fromFindings(findings, 'unknown') });
}
