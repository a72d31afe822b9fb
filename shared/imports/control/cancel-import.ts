import { type Import, type ImportFinding, isEnded } from '../import.ts';
import type { ImportQueues } from '../import-queues.ts';
import { changeImport, type ImportStore } from '../import-store.ts';

/**
 * Marks an import as `cancelling`. The next holder of its lease settles its open rows as `cancelled` and then ends the import as
 * `endsAs`. Resolves to `undefined` if the import has ended or is already being cancelled.
 *
 * @param isCancellable asked about the import as it is when it is changed. By default every import may be cancelled
 */
export async function cancelImport(
  deps: { imports: ImportStore; importQueues: ImportQueues },
  customerId: string,
  importId: string,
  endsAs: 'cancelled' | 'failed',
  finding?: ImportFinding,
  isCancellable: (current: Import) => boolean = () => true,
): Promise<Import | undefined> {
  const changed = await changeImport(deps.imports, customerId, importId, (current) => {
    if (isEnded(current.status) || current.status === 'cancelling' || !isCancellable(current)) return undefined;
    const { lease: _ended, flow: _flow, waitingFor: _wait, ending: _other, pausedAt: _over, ...rest } = current;
    return { ...rest, status: 'cancelling', endsAs, epoch: current.epoch + 1, ...(finding && { finding }) };
  });
  if (changed) await deps.importQueues.sendDispatch({ v: 1, customerId, importId });
  return changed;
}

/**
 * Cancels an import for its customer. Resolves to the import as it is if it is already cancelled or being cancelled, so
 * that a client can repeat the request. Resolves to `undefined` if the import has ended in another way.
 */
export async function requestCancel(
  deps: { imports: ImportStore; importQueues: ImportQueues },
  { customerId, id }: Pick<Import, 'customerId' | 'id'>,
): Promise<Import | undefined> {
  const changed = await cancelImport(deps, customerId, id, 'cancelled');
  if (changed) return changed;
  const current = (await deps.imports.get(customerId, id))?.value;
  return current?.status === 'cancelling' || current?.status === 'cancelled' ? current : undefined;
}

/** Cancels every unfinished import of a customer. Repeatable. */
export async function cancelCustomerImports(
  deps: { imports: ImportStore; importQueues: ImportQueues },
  customerId: string,
): Promise<void> {
  for (const pointer of await deps.imports.listOpen()) {
    if (pointer.customerId === customerId) await cancelImport(deps, customerId, pointer.importId, 'cancelled');
  }
}
