import { isTransient } from '../../kernel/errors.ts';
import { type Import, isEnded } from '../import.ts';
import { type ImportLeaseDeps, isHeldByAnother, type LeasedImport, leaseImport } from '../import-lease.ts';
import type { ImportStore } from '../import-store.ts';
import { announceEnd, type ImportEvents } from './announce-end.ts';
import { type FinishStepDeps, finishStep, readFinalCounts } from './finish-step.ts';

export interface FinishDeps extends FinishStepDeps {
  imports: ImportStore;
  importEvents: ImportEvents;
  sleep: (ms: number) => Promise<void>;
  dispatching: ImportLeaseDeps['dispatching'] & { holder: string; pollMs: number };
}

type Finish =
  | 'ended'
  /** Rows still need a verdict. */
  | 'open'
  /** Another process works on the import. */
  | 'held'
  /** The shift is over. The next one continues at the checkpoint. */
  | 'unfinished';

/** After this many transient failures in a row, the lease is released and the message is delivered again later. */
const FAILURES_MAX = 5;

let finishers = 0;

/**
 * Ends an import that is being cancelled, or whose rows are all settled. Acquires the import's lease first, so that one
 * process at a time does the work.
 *
 * The work is done in bounded steps that save how far they have got: a process that dies costs the rest of its lease
 * and one step. A transient failure of storage costs a pause and one step.
 *
 * @param options `holder` continues a lease that the caller has. `until` ends the shift
 */
export async function finishImport(
  deps: FinishDeps,
  { customerId, id }: Pick<Import, 'customerId' | 'id'>,
  { until, holder = `${deps.dispatching.holder}.f${++finishers}` }: { until: number; holder?: string },
): Promise<Finish> {
  for (let failures = 0; ; ) {
    let leased: LeasedImport | undefined;
    try {
      const found = await deps.imports.get(customerId, id);
      if (!found) return 'ended';
      if (isEnded(found.value.status)) {
        await announceEnd(deps, found.value);
        return 'ended';
      }
      if (!(await hasEndToReach(deps, found.value))) return 'open';
      if (isHeldByAnother(found.value, holder, deps.clock.now())) return 'held';
      leased = await leaseImport(deps, found, holder);
      while (leased) {
        if (deps.clock.now().getTime() >= until) {
          await leased.release();
          return 'unfinished';
        }
        const step = await finishStep(deps, leased);
        if (step === 'lost' || step === 'ended') break;
        if (step === 'open') {
          await leased.release();
          return 'open';
        }
        failures = 0;
      }
    } catch (error) {
      if (!isTransient(error) || ++failures > FAILURES_MAX) {
        // The lease ends by itself if this fails as well.
        await leased?.release().catch(() => undefined);
        throw error;
      }
      await deps.sleep(deps.dispatching.pollMs);
    }
  }
}

async function hasEndToReach(deps: FinishDeps, record: Import): Promise<boolean> {
  if (record.status === 'cancelling' || record.ending) return true;
  if (record.status === 'accepted' || record.status === 'planning') return false;
  return (await readFinalCounts(deps, record)) !== undefined;
}
