import { isEnded } from '../imports/import.ts';
import { checkMessage, importMessage } from '../imports/messages.ts';
import { isBeingPlanned } from '../imports/planning/planning-progress.ts';
import { type ReopenDeps, reopenRows } from '../imports/reopen-rows.ts';
import { queues } from '../kernel/storage-names.ts';
import { deliveryMessage } from '../webhooks/event-queues.ts';
import { type RedeliverDeps, redeliverPoisoned } from '../webhooks/redeliver.ts';
import type { PoisonedMessage } from './poison-archive.ts';

export interface RequeueDeps extends ReopenDeps, Omit<RedeliverDeps, 'webhooks' | 'clock'> {
  /** Sends a message as it is. */
  sendRaw: (queue: string, message: unknown) => Promise<void>;
}

/** What a requeue has come to. `noSlot`: the customer has no free mailbox slot for the row. */
export type Requeued = 'requeued' | 'nothingToDo' | 'noSlot';

/**
 * Begins the work of poison messages of one queue anew. Resolves to the result of each, in the same order. Repeatable: work
 * that was begun anew, or that is no longer to be done, is left alone.
 */
export async function requeueMessages(
  deps: RequeueDeps,
  queue: string,
  entries: readonly PoisonedMessage[],
): Promise<Requeued[]> {
  if (queue === queues.checkMailbox) return requeueChecks(deps, entries);
  const results: Requeued[] = [];
  for (const entry of entries) results.push(await requeueMessage(deps, queue, entry));
  return results;
}

async function requeueMessage(deps: RequeueDeps, queue: string, entry: PoisonedMessage): Promise<Requeued> {
  if (queue === queues.deliverEvent) {
    const parsed = deliveryMessage.safeParse(entry.message);
    if (parsed.success) {
      return (await redeliverPoisoned(deps, parsed.data, entry.archivedAt)) ? 'requeued' : 'nothingToDo';
    }
  }
  if (queue === queues.planImport || queue === queues.dispatchChecks) {
    const parsed = importMessage.safeParse(entry.message);
    if (parsed.success && !(await hasWork(deps, queue, parsed.data))) return 'nothingToDo';
  }
  // What these messages ask for can be asked for twice.
  await deps.sendRaw(queue, entry.message);
  return 'requeued';
}

async function hasWork(
  { imports }: RequeueDeps,
  queue: string,
  { customerId, importId }: { customerId: string; importId: string },
): Promise<boolean> {
  const record = (await imports.get(customerId, importId))?.value;
  if (!record) return false;
  return queue === queues.planImport ? isBeingPlanned(record) : !isEnded(record.status) || record.eventPending;
}

/** The rows of an import are opened together. A message that nobody can read goes back as it is. */
async function requeueChecks(deps: RequeueDeps, entries: readonly PoisonedMessage[]): Promise<Requeued[]> {
  const results = new Map<PoisonedMessage, Requeued>();
  const checks = entries.map((entry) => ({ entry, parsed: checkMessage.safeParse(entry.message) }));
  const rows = checks.flatMap(({ entry, parsed: { data } }) => (data && !data.cleanupOnly ? [{ entry, data }] : []));
  for (const ofImport of Map.groupBy(rows, ({ data }) => data.importId).values()) {
    const [{ data: first } = { data: undefined }] = ofImport;
    if (!first) continue;
    const { customerId, connectionId, importId } = first;
    const wanted = ofImport.map(({ data: { line, attempt } }) => ({ line, attempt }));
    const reopened = await reopenRows(deps, { customerId, connectionId, importId, rows: wanted });
    for (const { entry, data } of ofImport) {
      const result = reopened.get(data.line) ?? 'nothingToDo';
      results.set(entry, result === 'reopened' ? 'requeued' : result);
    }
  }
  for (const { entry } of checks) {
    if (results.has(entry)) continue;
    await deps.sendRaw(queues.checkMailbox, entry.message);
    results.set(entry, 'requeued');
  }
  return entries.map((entry) => results.get(entry) ?? 'nothingToDo');
}
