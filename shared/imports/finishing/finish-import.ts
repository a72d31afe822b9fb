import type { Import } from '../import.ts';
import { isEnded } from '../import.ts';
import type { HeldLease } from '../import-lease.ts';
import type { ImportStore } from '../import-store.ts';
import { type AnnounceDeps, announceEnd } from './announce-end.ts';
import { type FinishStepDeps, finishStep, readFinalCounts } from './finish-step.ts';

export interface FinishDeps extends FinishStepDeps, AnnounceDeps {
  imports: ImportStore;
}

type Finish =
  | 'ended'
  /** Rows still need a verdict. */
  | 'open'
  /** The shift is over. The next holder of the lease continues at the checkpoint. */
  | 'unfinished'
  /** Another writer changed the import. */
  | 'lost';

/**
 * Ends an import that is being cancelled, or whose rows are all settled, and announces its end.
 *
 * The work is done in bounded steps that save how far they have got. If the process dies or storage fails, the next
 * holder of the lease repeats one step at most.
 *
 * @param until when the shift ends, in milliseconds
 */
export async function finishImport(deps: FinishDeps, lease: HeldLease, until: number): Promise<Finish> {
  while (!isEnded(lease.record.status)) {
    if (deps.clock.now().getTime() >= until) return 'unfinished';
    const step = await finishStep(deps, lease);
    if (step === 'open' || step === 'lost') return step;
  }
  await announceEnd(deps, lease.record);
  return 'ended';
}

/** Whether there is something to do for an import that sends no checks: its end, or a part of it. */
export async function hasEndToReach(deps: Pick<FinishDeps, 'ledger'>, record: Import): Promise<boolean> {
  const { status, ending } = record;
  if (status === 'accepted' || status === 'planning') return false;
  return status !== 'paused' || ending !== undefined || (await readFinalCounts(deps, record)) !== undefined;
}
