import { canBePropagation } from '../../causes/denial.ts';
import type { CheckOutcome, MailboxChecker } from '../../checks/mailbox-checker.ts';
import type { Connection } from '../../connections/connection.ts';
import type { ConnectionStore } from '../../connections/connection-store.ts';
import { holdChecks } from '../../connections/grants/hold-checks.ts';
import type { PropagationSteps } from '../../connections/grants/propagation.ts';
import { sendCleanupForLateArrival } from '../cleanup-message.ts';
import type { ImportStore } from '../import-store.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { CheckMessage } from '../messages.ts';
import { suspectIn } from '../refusals/suspect.ts';
import type { ConnectionCache } from './connection-cache.ts';
import { identifiedResultOf, learnIdentity } from './identify-mailbox.ts';
import type { ImportCache } from './import-cache.ts';
import { rowLocationOf } from './row-location.ts';
import { type WaitDeps, waitForGrants, waitingMailbox } from './wait-row.ts';

export interface SettleCheckedDeps extends WaitDeps {
  checker: MailboxChecker;
  propagation: PropagationSteps;
  ledger: Ledger;
  imports: ImportStore;
  connections: ConnectionStore;
  importCache: ImportCache;
  connectionCache: ConnectionCache;
}

interface Circumstances {
  connection: Connection;
  startedAt: Date;
  /** Someone resumed the import in spite of repeated refusals. */
  ignoresRepeatedRefusals: boolean;
}

/**
 * Acts on a check's findings. Usually it writes them as the row's result. A refusal that may concern every mailbox is
 * held back: the row waits without a verdict until the dispatcher, which sees all processes, knows what the refusal
 * means.
 */
export async function settleChecked(
  deps: SettleCheckedDeps,
  message: CheckMessage,
  { connection, startedAt, ignoresRepeatedRefusals }: Circumstances,
  outcome: Extract<CheckOutcome, { kind: 'checked' }>,
): Promise<void> {
  const { findings } = outcome;
  const isDecidedAlone = message.canary || ignoresRepeatedRefusals;
  const isRefused = Object.values(findings).some(canBePropagation);
  const nextCheckAt = isRefused ? deps.propagation.nextAfter(connection.grantsChangedAt, deps.clock.now()) : undefined;
  if (nextCheckAt && isDecidedAlone) {
    if (message.canary) {
      await holdChecks(deps, message.customerId, connection.id, nextCheckAt, startedAt);
      forgetCached(deps, message);
    }
    return waitForGrants(deps, message, findings, nextCheckAt);
  }
  await sendCleanupForLateArrival(deps.importQueues, message, findings, deps.limits.cleanupAfterMs);
  const sent = message.sentAt && { sentAt: message.sentAt };
  if (!ignoresRepeatedRefusals && suspectIn(findings)) {
    const learnt = learnIdentity(outcome.identity, message.knownAs, deps.clock.now());
    await deps.settler.settle({
      ...rowLocationOf(message),
      ...sent,
      ...(learnt && { formerKeys: learnt.formerKeys }),
      state: 'waiting',
      row: {
        attempt: message.attempt + 1,
        heldAt: deps.clock.now(),
        heldEpoch: message.epoch,
        priorFindings: findings,
        nextCheckAt: null,
        mayHaveLeftovers: null,
      },
      mailbox: {
        ...waitingMailbox(message, null, null),
        kind: outcome.mailboxKind,
        ...learnt?.mailbox,
      },
      counts: { held: 1 },
      urgent: message.isProbe === true,
    });
    return;
  }
  const result = identifiedResultOf(outcome, message, deps.clock.now());
  if (result.state === 'passed') {
    deps.reports.observe(message.importId, { generation: message.generation, passStartedAt: startedAt });
  }
  await deps.settler.settle({ ...rowLocationOf(message), ...sent, ...result, urgent: message.isProbe === true });
}

/** Call this after changing the import or the connection, so that the next check reads both again. */
export function forgetCached(
  deps: { importCache: ImportCache; connectionCache: ConnectionCache },
  message: { importId: string; connectionId: string },
): void {
  deps.importCache.forget(message.importId);
  deps.connectionCache.forget(message.connectionId);
}
