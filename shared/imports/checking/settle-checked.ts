import { type CauseCode, causes } from '../../causes/causes.ts';
import { canBePropagation } from '../../causes/denial.ts';
import type { ConnectionFinding, DenialHints } from '../../causes/verdict.ts';
import type { CheckOutcome, MailboxChecker } from '../../checks/mailbox-checker.ts';
import type { Connection } from '../../connections/connection.ts';
import type { ConnectionStore } from '../../connections/connection-store.ts';
import { holdChecks } from '../../connections/hold-checks.ts';
import type { PropagationSteps } from '../../connections/propagation.ts';
import type { Import } from '../import.ts';
import type { ImportStore } from '../import-store.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { CheckMessage } from '../messages.ts';
import { pauseForConnection } from '../pause-import.ts';
import { sendCleanupForLateArrival } from './cleanup-message.ts';
import type { ConnectionCache } from './connection-cache.ts';
import type { ImportCache } from './import-cache.ts';
import { recheckPassedMailbox } from './recheck-passed-mailbox.ts';
import type { RefusalScope, RefusalWatch } from './refusal-watch.ts';
import { rowLocationOf } from './row-location.ts';
import { rowResultOf } from './row-result.ts';
import { type WaitDeps, waitForGrants } from './wait-row.ts';

export interface SettleCheckedDeps extends WaitDeps {
  checker: MailboxChecker;
  refusals: RefusalWatch;
  propagation: PropagationSteps;
  ledger: Ledger;
  imports: ImportStore;
  connections: ConnectionStore;
  importCache: ImportCache;
  connectionCache: ConnectionCache;
}

/**
 * Acts on a check's findings. Usually it writes them as the row's result. While grants may still be propagating, the
 * row waits. If the refusal concerns every mailbox, the import pauses with one finding and the row stays pending.
 */
export async function settleChecked(
  deps: SettleCheckedDeps,
  message: CheckMessage,
  { record, connection, startedAt }: { record: Import; connection: Connection; startedAt: Date },
  outcome: Extract<CheckOutcome, { kind: 'checked' }>,
): Promise<void> {
  const { findings } = outcome;
  const scope: RefusalScope = record.ignoresRepeatedRefusals
    ? { everywhere: false }
    : await deps.refusals.observe({
        connectionId: connection.id,
        importId: record.id,
        address: message.address,
        findings,
        startedAt: startedAt.getTime(),
        recheck: (probe, address) => recheckPassedMailbox(deps, message, connection, probe, address),
      });
  const isRefused = Object.values(findings).some(canBePropagation);
  const nextCheckAt = isRefused ? deps.propagation.nextAfter(connection.grantsChangedAt, deps.clock.now()) : undefined;
  if (nextCheckAt) {
    if (scope.everywhere || message.canary) {
      await holdChecks(deps, message.customerId, connection.id, nextCheckAt, startedAt);
      forgetCached(deps, message);
    }
    return waitForGrants(deps, message, findings, nextCheckAt);
  }
  if (scope.everywhere) {
    forgetCached(deps, message);
    const finding = repeatedRefusalFinding(scope, deps.clock.now());
    return pauseForConnection(deps, message, finding, startedAt, { isRepeatedRefusal: true });
  }
  await sendCleanupForLateArrival(deps.importQueues, message, findings, deps.limits.cleanupAfterMs);
  await deps.settler.settle({ ...rowLocationOf(message), ...rowResultOf(findings, outcome.mailboxKind) });
}

/** Call this after changing the import or the connection, so that the next check reads both again. */
export function forgetCached(
  deps: { importCache: ImportCache; connectionCache: ConnectionCache },
  message: { importId: string; connectionId: string },
): void {
  deps.importCache.forget(message.importId);
  deps.connectionCache.forget(message.connectionId);
}

/** A denial of every mailbox has a cause of its own: consent or a permission is missing, even if the token shows it. */
function causeOfDenialEverywhere({ byPolicy, token, mailboxOpened }: DenialHints): CauseCode | undefined {
  if (byPolicy) return undefined;
  return mailboxOpened || token === 'lacks' ? 'permission_missing' : 'consent_missing';
}

function repeatedRefusalFinding(
  { refusedInARow, finding }: Extract<RefusalScope, { everywhere: true }>,
  seenAt: Date,
): ConnectionFinding {
  const cause = (finding.denial && causeOfDenialEverywhere(finding.denial)) ?? finding.cause ?? 'unknown_refusal';
  const detail = cause === finding.cause ? finding.detail : undefined;
  return {
    cause,
    detail: `Microsoft refused ${refusedInARow} mailboxes in a row in the same way, and none passed in between. ${detail ?? causes[cause].sentence}`,
    seenAt,
    ...(finding.microsoftCode !== undefined && { microsoftCode: finding.microsoftCode }),
    ...(finding.requestId !== undefined && { requestId: finding.requestId }),
  };
}
