import type { Tagged } from '../../kernel/tagged.ts';
import { cancelOpenRows } from '../finishing/cancel-open-rows.ts';
import { finishImport } from '../finishing/finish-import.ts';
import { type Import, isEnded } from '../import.ts';
import { type HeldLease, isLeftToHolder, withLease } from '../import-lease.ts';
import type { ImportMessage } from '../messages.ts';
import type { DispatchDeps } from './dispatch-deps.ts';
import { keepSending } from './keep-sending.ts';

/** What happens after a dispatcher has released its lease. */
type Next =
  | { kind: 'done' }
  /** Another message continues, after this time. */
  | { kind: 'continue'; delayMs: number }
  /** Another writer changed the import. Look again what there is to do. */
  | { kind: 'lookAgain' };

/**
 * Takes an import as far as it can get: keeps its check messages on the queue until every row is settled, cancels its
 * rows if it is being cancelled, and ends it.
 *
 * One dispatcher at a time does this, under the import's lease; a second one returns immediately. After its shift it
 * hands over by a message. While every open row waits for a later time, it leaves a delayed message instead.
 */
export async function dispatchChecks(deps: DispatchDeps, message: ImportMessage): Promise<void> {
  const { customerId, importId } = message;
  for (;;) {
    const found = await deps.imports.get(customerId, importId);
    if (!found || (isEnded(found.value.status) && !found.value.eventPending)) return;
    if (isLeftToHolder(deps, message, found.value)) return;

    const held = await withLease(deps, found, (mine) => workUnderLease(deps, found, mine));
    if (!held || held.result.kind === 'lookAgain') continue;
    const next = held.result;
    if (next.kind === 'continue') await deps.importQueues.sendDispatch({ v: 1, customerId, importId }, next.delayMs);
    return;
  }
}

async function workUnderLease(deps: DispatchDeps, found: Tagged<Import>, lease: HeldLease): Promise<Next> {
  switch (found.value.status) {
    case 'running':
      return sendAndFinish(deps, lease);
    case 'cancelling':
      await cancelOpenRows(deps, lease.record);
      await finishImport(deps, lease.record);
      return { kind: 'done' };
    default:
      // A paused import may still end: its last checks can settle after the pause.
      await finishImport(deps, lease.record);
      return { kind: 'done' };
  }
}

async function sendAndFinish(deps: DispatchDeps, lease: HeldLease): Promise<Next> {
  const end = await keepSending(deps, lease);
  switch (end.kind) {
    case 'settled':
      return (await finishImport(deps, lease.record)) ? { kind: 'done' } : { kind: 'lookAgain' };
    case 'lost':
      return { kind: 'lookAgain' };
    case 'over':
      return { kind: 'continue', delayMs: 0 };
    case 'asleep':
      return sleepUntil(deps, lease, end.until);
  }
}

/** Leaves a message that wakes the import up, unless one is due by then. If it is lost, the sweep sends another. */
function sleepUntil(deps: DispatchDeps, lease: HeldLease, until: Date): Next {
  const now = deps.clock.now();
  const { wakeUpAt } = lease.record;
  if (wakeUpAt !== undefined && wakeUpAt > now && wakeUpAt <= until) return { kind: 'done' };
  lease.onRelease((current) => ({ ...current, wakeUpAt: until }));
  return { kind: 'continue', delayMs: Math.max(0, until.getTime() - now.getTime()) };
}
