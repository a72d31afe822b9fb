import { DomainError } from '../../kernel/errors.ts';
import type { Slots } from '../../plans/slots.ts';
import { cancelImport } from '../control/cancel-import.ts';
import { type Import, isEnded } from '../import.ts';
import { type LeaseDeps, withLease } from '../import-lease.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { ImportStore, ListedKind } from '../import-store.ts';
import type { UploadStore } from '../upload/upload-store.ts';
import { type FinishDeps, finishImport } from './finish-import.ts';

interface PurgeDeps extends FinishDeps, LeaseDeps {
  imports: ImportStore;
  importQueues: ImportQueues;
  slots: Pick<Slots, 'trim' | 'free'>;
  /** Where a dispatcher that has died may still have its share of messages. */
  messagePool: { remove(importId: string): Promise<void> };
  uploads: Pick<UploadStore, 'remove'>;
  /** Removes the messages about an import that could not be handled. Repeatable. */
  poisonArchive: { remove(importId: string): Promise<void> };
}

const PAGE_SIZE = 100;
/** How often a removal looks whether another process has ended an import, and for how long. */
const WAIT_MS = 1_000;
const WAITED_LEASES_MAX = 4;

/**
 * Removes everything that a connection's imports created. Cancels open imports, removes uploads and archived messages, gives the slots back,
 * then removes mailboxes, rows and imports. Each step is repeatable.
 */
export async function purgeConnection(deps: PurgeDeps, customerId: string, connectionId: string): Promise<void> {
  // A request that began before the connection was deleted may start an import until now.
  while (await endImports(deps, customerId, connectionId)) await removeAll(deps, customerId, connectionId);
  await removeAll(deps, customerId, connectionId);
}

/** Resolves to whether there was an import or an action. */
async function endImports(deps: PurgeDeps, customerId: string, connectionId: string): Promise<boolean> {
  const hasImports = await endAll(deps, customerId, connectionId, 'imports');
  return (await endAll(deps, customerId, connectionId, 'actions')) || hasImports;
}

async function endAll(deps: PurgeDeps, customerId: string, connectionId: string, of: ListedKind): Promise<boolean> {
  let isFound = false;
  let cursor: string | undefined;
  do {
    const request = { limit: PAGE_SIZE, ...(cursor !== undefined && { cursor }) };
    const page = await deps.imports.list(customerId, connectionId, request, of);
    for (const record of page.items) {
      isFound = true;
      if (!isEnded(record.status)) {
        await cancelImport(deps, customerId, record.id, 'cancelled');
        await waitForEnd(deps, record);
      }
      await deps.messagePool.remove(record.id);
      await deps.uploads.remove(customerId, record.id);
      // Most messages about an import do not name its connection.
      await deps.poisonArchive.remove(record.id);
      // Another process may have ended it, and died before it closed the pointer.
      await deps.imports.closePointer(record.id);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return isFound;
}

async function removeAll(deps: PurgeDeps, customerId: string, connectionId: string): Promise<void> {
  let slotsHeld = 0;
  for await (const { value: mailbox } of deps.ledger.eachMailbox(connectionId)) if (mailbox.slotClaimedBy) slotsHeld++;
  if (slotsHeld > 0) await deps.slots.free(customerId, `connection:${connectionId}`, slotsHeld);
  await deps.ledger.purge(connectionId);
  await deps.imports.purge(customerId, connectionId);
}

/** Ends a cancelled import here, or waits while another process does. Its lease ends soon if that process dies. */
async function waitForEnd(deps: PurgeDeps, { customerId, id }: Import): Promise<void> {
  const { leaseMs } = deps.leasing;
  for (let waitedMs = 0; waitedMs <= WAITED_LEASES_MAX * leaseMs; waitedMs += WAIT_MS) {
    const found = await deps.imports.get(customerId, id);
    if (!found || isEnded(found.value.status)) return;
    const { lease } = found.value;
    const isHeld = lease !== undefined && lease.until > deps.clock.now();
    if (!isHeld) await withLease(deps, found, (mine) => finishImport(deps, mine, Number.POSITIVE_INFINITY));
    else await deps.sleep(WAIT_MS);
  }
  throw new DomainError('storage_unavailable', 'An import of this connection is still being cancelled. Try again.', {
    retryAfterSeconds: Math.ceil(leaseMs / 1000),
  });
}
