import { type CauseCode, causes } from '../../causes/causes.ts';
import { fitsPropagation } from '../../causes/denial.ts';
import type { ConnectionFinding, DenialHints } from '../../causes/verdict.ts';
import type { CheckOutcome, MailboxChecker } from '../../checks/mailbox-checker.ts';
import type { Connection } from '../../connections/connection.ts';
import type { ConnectionStore } from '../../connections/connection-store.ts';
import { holdChecks } from '../../connections/hold-checks.ts';
import type { PropagationSteps } from '../../connections/propagation.ts';
import type { Import } from '../import.ts';
import type { CheckMessage } from '../import-queues.ts';
import type { ImportStore } from '../import-store.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { pauseForConnection } from '../pause-import.ts';
import type { Seen } from './caches.ts';
import { lookForLateArrival } from './cleanup-message.ts';
import { askWitness } from './recheck-passed-mailbox.ts';
import type { RefusalWatch, Ruling } from './refusal-watch.ts';
import { placeOf } from './row-location.ts';
import { fromFindings } from './row-result.ts';
import { type WaitNeeds, waitForGrants } from './wait-row.ts';

export interface SettleCheckedNeeds extends WaitNeeds {
  checker: MailboxChecker;
  refusals: RefusalWatch;
  propagation: PropagationSteps;
  ledger: Ledger;
  imports: ImportStore;
  connections: ConnectionStore;
  seen: Seen;
}

/**
 * Does what a check's findings call for: writes them down as the row's result, lets the row wait while grants may still
 * be on their way, or, when the refusal hits every mailbox alike, pauses the import with one finding and leaves the row
 * pending.
 */
export async function settleChecked(
  needs: SettleCheckedNeeds,
  message: CheckMessage,
  { record, connection, startedAt }: { record: Import; connection: Connection; startedAt: number },
  outcome: Extract<CheckOutcome, { kind: 'checked' }>,
): Promise<void> {
  const { findings } = outcome;
  const askedAt = new Date(startedAt);
  const ruling: Ruling = record.despiteRefusals
    ? { everywhere: false }
    : await needs.refusals.weigh({
        connectionId: connection.id,
        importId: record.id,
        address: message.address,
        findings,
        startedAt,
        askWitness: (probe, address) => askWitness(needs, message, connection, probe, address),
      });
  const isRefused = Object.values(findings).some(fitsPropagation);
  const nextCheckAt = isRefused
    ? needs.propagation.nextAfter(connection.grantsChangedAt, needs.clock.now())
    : undefined;
  if (nextCheckAt) {
    if (ruling.everywhere || message.canary) {
      await holdChecks(needs, message.customerId, connection.id, nextCheckAt, askedAt);
      needs.seen.forget(message.importId, connection.id);
    }
    return waitForGrants(needs, message, findings, nextCheckAt);
  }
  if (ruling.everywhere) {
    needs.seen.forget(message.importId, connection.id);
    return pauseForConnection(needs, message, findingOf(ruling, needs.clock.now()), askedAt, { alike: true });
  }
  await lookForLateArrival(needs.importQueues, message, findings, needs.limits.lastLookAfterMs);
  await needs.settler.settle({ ...placeOf(message), ...fromFindings(findings, outcome.mailboxKind) });
}

/** Refused everywhere it is no mailbox's own affair, whatever an older token still shows: the consent, or one permission. */
function everywhereCause({ byPolicy, token, mailboxOpened }: DenialHints): CauseCode | undefined {
  if (byPolicy) return undefined;
  return mailboxOpened || token === 'lacks' ? 'permission_missing' : 'consent_missing';
}

function findingOf({ alike, finding }: Extract<Ruling, { everywhere: true }>, seenAt: Date): ConnectionFinding {
  const cause = (finding.denial && everywhereCause(finding.denial)) ?? finding.cause ?? 'unknown_refusal';
  const detail = cause === finding.cause ? finding.detail : undefined;
  return {
    cause,
    detail: `${alike} mailboxes in a row were refused alike, and none passed meanwhile. ${detail ?? causes[cause].sentence}`,
    seenAt,
    ...(finding.microsoftCode !== undefined && { microsoftCode: finding.microsoftCode }),
    ...(finding.requestId !== undefined && { requestId: finding.requestId }),
  };
}
