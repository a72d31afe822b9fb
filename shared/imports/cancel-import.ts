import { type Import, type ImportFinding, isEnded } from './import.ts';
import type { ImportQueues } from './import-queues.ts';
import { changeImport, type ImportStore } from './import-store.ts';

/**
 * Sends an import towards its end: whoever dispatches next settles what is open as `cancelled` and then ends it as given.
 * Resolves to `undefined` when it has ended or is being cancelled already.
 */
export async function cancelImport(
  deps: { imports: ImportStore; importQueues: ImportQueues },
  customerId: string,
  importId: string,
  endsAs: 'cancelled' | 'failed',
  finding?: ImportFinding,
): Promise<Import | undefined> {
  const changed = await changeImport(deps.imports, customerId, importId, (current) => {
    if (isEnded(current.status) || current.status === 'cancelling') return undefined;
    const { lease: _ended, ...rest } = current;
    return { ...rest, status: 'cancelling', endsAs, epoch: current.epoch + 1, ...(finding && { finding }) };
  });
  if (changed) await deps.importQueues.sendDispatch({ v: 1, customerId, importId });
  return changed;
}
