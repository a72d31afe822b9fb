import type { Clock } from '../kernel/clock.ts';
import type { Import } from './import.ts';
import type { ImportQueues } from './import-queues.ts';
import { changeImport, type ImportStore } from './import-store.ts';

/**
 * Goes on with a paused import. The cursor stays; everything below it becomes one page that is overdue at once, so what
 * is still pending there is sent again, and messages from before the pause are dropped by their epoch. Where it paused
 * because mailbox after mailbox was refused alike, it does not do so again: whoever resumes it knows.
 * Resolves to `undefined` when the import is not paused.
 */
export async function resumeImport(
  deps: { imports: ImportStore; importQueues: ImportQueues; clock: Clock },
  customerId: string,
  importId: string,
): Promise<Import | undefined> {
  const overdue = new Date(0);
  const resumed = await changeImport(deps.imports, customerId, importId, (current) => {
    if (current.status !== 'paused') return undefined;
    const { lease: _ended, wakeUpAt: _unset, finding: _mended, ...rest } = current;
    const below = { from: 0, to: current.cursor, sentAt: overdue, dueAt: overdue, resent: 0 };
    return {
      ...rest,
      status: 'running',
      epoch: current.epoch + 1,
      batches: current.cursor > 0 ? [below] : [],
      ...(current.finding?.alike && { ignoresRepeatedRefusals: true }),
    };
  });
  // Should the message not come through, the sweep sends another.
  if (resumed) await deps.importQueues.sendDispatch({ v: 1, customerId, importId }).catch(() => undefined);
  return resumed;
}
