import { cancelImport } from './cancel-import.ts';
import type { ImportQueues } from './import-queues.ts';
import type { ImportStore } from './import-store.ts';

/** Cancels every unfinished import of a customer. Repeatable. */
export async function cancelCustomerImports(
  deps: { imports: ImportStore; importQueues: ImportQueues },
  customerId: string,
): Promise<void> {
  for (const pointer of await deps.imports.listOpen()) {
    if (pointer.customerId === customerId) await cancelImport(deps, customerId, pointer.importId, 'cancelled');
  }
}
