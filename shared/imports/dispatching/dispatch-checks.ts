import { cancelOpenRows } from '../finishing/cancel-open-rows.ts';
import { finishImport } from '../finishing/finish-import.ts';
import { isEnded } from '../import.ts';
import type { DispatchDeps } from './dispatch-deps.ts';
import { handOver, sleepUntil, type Turn, takeTurn } from './dispatch-lease.ts';
import { dispatchStep } from './dispatch-step.ts';

/**
 * Keeps a window of one import's checks on the queue until every row has been sent and settled, and then ends it.
 *
 * One dispatcher at a time holds the lease in the import's record; another returns at once. Sending comes before the
 * cursor moves: whoever takes over from a dead one sends those lines again, marked `again`. After its shift it hands
 * over by a message; while every open row waits for a later instant it leaves a delayed one as an alarm clock.
 */
export async function dispatchChecks(deps: DispatchDeps, customerId: string, importId: string): Promise<void> {
  const shiftEnds = deps.clock.now().getTime() + deps.dispatching.shiftMs;
  let turn: Turn | undefined;
  for (;;) {
    const found = await deps.imports.get(customerId, importId);
    if (!found || isEnded(found.value.status)) {
      if (found?.value.eventPending) await finishImport(deps, found.value);
      return;
    }
    if (found.value.status === 'cancelling') {
      await cancelOpenRows(deps, found.value);
      await finishImport(deps, found.value);
      return;
    }
    if (found.value.status !== 'running') {
      // Paused, but its last checks may have come in since.
      if (found.value.status === 'paused') await finishImport(deps, found.value);
      return;
    }
    const { lease } = found.value;
    if (lease && lease.until > deps.clock.now() && lease.holder !== turn?.holder) return;

    turn = await takeTurn(deps, found, turn);
    if (!turn) continue;
    const step = await dispatchStep(deps, turn);
    if (step.kind === 'settled') {
      if (await finishImport(deps, turn.record)) return;
      turn = undefined;
      continue;
    }
    if (step.kind === 'lost') {
      turn = undefined;
      continue;
    }
    if (step.kind === 'asleep') return sleepUntil(deps, turn, step.until);
    if (deps.clock.now().getTime() >= shiftEnds) return handOver(deps, turn);
    // Half a window gone means that the workers are fast: look again sooner, so that they never run dry.
    await deps.pause(
      step.outstanding < step.window / 2 && step.more ? deps.dispatching.pollMs / 4 : deps.dispatching.pollMs,
    );
  }
}
