import { type Import, type ImportFinding, isEnded } from './import.ts';
import type { ImportQueues } from './import-queues.ts';
import { changeImport, type ImportStore } from './import-store.ts';

/**
 * Marks an import as `cancelling`. The next dispatcher settles its open rows as `cancelled` and then ends the import as
 * `endsAs`. Resolves to `undefined` if the import has ended or is already being cancelled.
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
