import { finishImport } from '../finishing/finish-import.ts';
import type { DispatchDeps } from './dispatch-deps.ts';
import { acquireLease, type HeldLease, handOver, sleepUntil } from './dispatch-lease.ts';
import { dispatchStep } from './dispatch-step.ts';

/**
 * Keeps a window of one import's check messages on the queue until every row is sent and settled. Then ends the import.
 *
 * One dispatcher at a time holds the lease in the import's record; a second one returns immediately. A dispatcher sends
 * before it moves the cursor. If it dies in between, its successor sends those lines again with `mayHaveLeftovers`.
 * After its shift it hands over by a message. While every open row waits for a later time, it leaves a delayed message
 * instead.
 */
export async function dispatchChecks(deps: DispatchDeps, customerId: string, importId: string): Promise<void> {
  const shiftEnds = deps.clock.now().getTime() + deps.dispatching.shiftMs;
  let held: HeldLease | undefined;
  for (;;) {
    const found = await deps.imports.get(customerId, importId);
    if (!found) return;
    // A paused import may still end: its last checks can settle after the pause.
    if (found.value.status !== 'running') return finish(deps, found.value, shiftEnds);
    const { lease } = found.value;
    if (lease && lease.until > deps.clock.now() && lease.holder !== held?.holder) return;

    held = await acquireLease(deps, found, held);
    if (!held) continue;
    const step = await dispatchStep(deps, held);
    if (step.kind === 'settled') return finish(deps, held.record, shiftEnds, held.holder);
    if (step.kind === 'lost') {
      held = undefined;
      continue;
    }
    if (step.kind === 'asleep') return sleepUntil(deps, held, step.until);
    if (deps.clock.now().getTime() >= shiftEnds) return handOver(deps, held);
    // The workers have emptied half of the window: look again sooner, so that they do not run dry.
    const isRunningLow = step.outstanding < step.window / 2 && step.more;
    await deps.sleep(isRunningLow ? deps.dispatching.pollMs / 4 : deps.dispatching.pollMs);
  }
}

async function finish(
  deps: DispatchDeps,
  target: { customerId: string; id: string },
  until: number,
  holder?: string,
): Promise<void> {
  const { customerId, id: importId } = target;
  const result = await finishImport(deps, target, { until, ...(holder !== undefined && { holder }) });
  if (result === 'unfinished') await deps.importQueues.sendDispatch({ v: 1, customerId, importId });
}
