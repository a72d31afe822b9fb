import { finishImport, hasEndToReach } from '../finishing/finish-import.ts';
import { type Import, isEnded } from '../import.ts';
import { type HeldLease, isLeftToHolder, withLease } from '../import-lease.ts';
import type { ImportWait } from '../import-wait.ts';
import type { ImportMessage } from '../messages.ts';
import type { DispatchDeps } from './dispatch-deps.ts';
import { giveBackSlotsOfPaused } from './give-back-slots.ts';
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
    if (found.value.status !== 'running' && !(await hasEndToReach(deps, found.value))) {
      return giveBackSlotsOfPaused(deps, found.value);
    }

    const held = await withLease(deps, found, (mine) => workUnderLease(deps, mine));
    if (!held || held.result.kind === 'lookAgain') continue;
    const next = held.result;
    if (next.kind === 'continue') await deps.importQueues.sendDispatch({ v: 1, customerId, importId }, next.delayMs);
    return;
  }
}

async function workUnderLease(deps: DispatchDeps, lease: HeldLease): Promise<Next> {
  // A paused import may still end: its last checks can settle after the pause.
  return lease.record.status === 'running' ? sendAndFinish(deps, lease) : finish(deps, lease);
}

async function finish(deps: DispatchDeps, lease: HeldLease): Promise<Next> {
  const shiftEnds = deps.clock.now().getTime() + deps.dispatching.shiftMs;
  switch (await finishImport(deps, lease, shiftEnds)) {
    case 'ended':
    case 'open':
      return { kind: 'done' };
    case 'unfinished':
      return { kind: 'continue', delayMs: 0 };
    case 'lost':
      return { kind: 'lookAgain' };
  }
}

async function sendAndFinish(deps: DispatchDeps, lease: HeldLease): Promise<Next> {
  const end = await keepSending(deps, lease);
  switch (end.kind) {
    case 'settled':
      return finish(deps, lease);
    case 'lost':
      return { kind: 'lookAgain' };
    case 'over':
      return { kind: 'continue', delayMs: 0 };
    case 'asleep':
      lease.onRelease((current) => withWait(current, end.wait));
      return sleepUntil(deps, lease, end.until);
  }
}

function withWait({ waitingFor: _before, ...current }: Import, wait: ImportWait | undefined): Import {
  return { ...current, ...(wait && { waitingFor: wait }) };
}

/** Leaves a message that wakes the import up, unless one is due by then. If it is lost, the sweep sends another. */
function sleepUntil(deps: DispatchDeps, lease: HeldLease, until: Date): Next {
  const now = deps.clock.now();
  const { wakeUpAt } = lease.record;
  if (wakeUpAt !== undefined && wakeUpAt > now && wakeUpAt <= until) return { kind: 'done' };
  lease.onRelease((current) => ({ ...current, wakeUpAt: until }));
  return { kind: 'continue', delayMs: Math.max(0, until.getTime() - now.getTime()) };
}
