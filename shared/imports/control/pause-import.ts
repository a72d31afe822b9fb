import { explain } from '../../causes/explain.ts';
import type { ConnectionFinding } from '../../causes/verdict.ts';
import type { ConnectionStore } from '../../connections/connection-store.ts';
import { markConnectionFailing } from '../../connections/readiness/mark-failing.ts';
import type { Clock } from '../../kernel/clock.ts';
import { fromConnectionFinding, type Import, type ImportFinding } from '../import.ts';
import { changeImport, type ImportStore } from '../import-store.ts';

/**
 * Pauses a running import. Its open rows stay open, and its messages are dropped when they arrive. A finding from
 * before the last resume (an older `epoch`) does not pause it again. Resolves to `undefined` if nothing changed.
 */
export async function pauseImport(
  deps: { imports: ImportStore; clock: Clock },
  customerId: string,
  importId: string,
  found?: { finding: ImportFinding; epoch: number },
): Promise<Import | undefined> {
  return changeImport(deps.imports, customerId, importId, (current) => {
    if (current.status !== 'running' || (found && found.epoch < current.epoch)) return undefined;
    const { lease: _ended, wakeUpAt: _unset, waitingFor: _wait, finding: _old, ...rest } = current;
    const pausedAt = deps.clock.now();
    const finding = found && { finding: found.finding };
    // Webhooks know imports only. What is wrong with the connection is announced as its own event.
    const announced = current.action === undefined && { pauseToAnnounce: { pausedAt, ...finding } };
    return { ...rest, status: 'paused', epoch: current.epoch + 1, pausedAt, ...finding, ...announced };
  });
}

/**
 * Records one finding for a refusal that concerns every mailbox: the connection becomes `failing`, and the import
 * pauses with that finding. No mailbox fails. Any number of workers may call this at the same time.
 *
 * The connection is written first. Someone who sees the paused import can then test the connection and resume, and a
 * late worker cannot undo that.
 */
export async function pauseForConnection(
  deps: { imports: ImportStore; connections: ConnectionStore; clock: Clock },
  target: { customerId: string; connectionId: string; importId: string; epoch: number },
  finding: ConnectionFinding,
  askedAt: Date,
  how: { isRepeatedRefusal?: true } = {},
): Promise<void> {
  const { fix, link } = explain(finding.cause, finding);
  await markConnectionFailing(deps, target.customerId, target.connectionId, finding, askedAt);
  await pauseImport(deps, target.customerId, target.importId, {
    finding: { ...fromConnectionFinding(finding, fix, link), ...how },
    epoch: target.epoch,
  });
}
