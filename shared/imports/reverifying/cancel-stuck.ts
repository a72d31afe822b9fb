import type { Clock } from '../../kernel/clock.ts';
import { cancelImport } from '../control/cancel-import.ts';
import type { Import, ImportFinding } from '../import.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { ImportStore } from '../import-store.ts';

interface CancelStuckDeps {
  imports: ImportStore;
  importQueues: ImportQueues;
  clock: Clock;
}

/** A re-verification that has given way to imports for longer is cancelled, so that its slots are free for them. */
const GIVES_WAY_MAX_MS = 3_600_000;

/**
 * Cancels a re-verification that paused with a finding, or that has given way to imports for an hour. Its mailboxes are as
 * they were before, and a later walk finds them due again.
 *
 * Resuming what has paused would be a decision to take the refusals for those of single mailboxes, and nobody has taken it.
 * It would also keep its slots until then.
 */
export async function cancelIfStuck(deps: CancelStuckDeps, open: Import): Promise<void> {
  const { customerId, id } = open;
  const isRefused = ({ status, finding }: Import) => status === 'paused' && finding !== undefined;
  if (isRefused(open)) await cancelImport(deps, customerId, id, 'cancelled', undefined, isRefused);
  const now = deps.clock.now();
  const isBehind = (record: Import) => now.getTime() - (givesWaySince(record) ?? now.getTime()) >= GIVES_WAY_MAX_MS;
  if (isBehind(open)) await cancelImport(deps, customerId, id, 'cancelled', behindImports(now), isBehind);
}

/** In milliseconds since the epoch. */
function givesWaySince({ isReverification, status, waitingFor, flow }: Import): number | undefined {
  const isWaiting = isReverification && status === 'running' && waitingFor?.cause === 'imports_first';
  return isWaiting ? flow?.gaveWayAt : undefined;
}

function behindImports(seenAt: Date): ImportFinding {
  return {
    code: 'imports_first',
    detail:
      'Imports of this tenant had gone first for an hour, so this check was cancelled. Mailboxes that were already checked keep their results, and the others stay as they were.',
    fix: 'Nothing needs to be done. The others are checked by themselves after the imports.',
    seenAt,
  };
}
