import { isEnded } from '../imports/import.ts';
import { type CheckMessage, checkMessage, importMessage } from '../imports/messages.ts';
import { isBeingPlanned } from '../imports/planning/planning-progress.ts';
import { type ReopenDeps, reopenRows } from '../imports/recovering/reopen-rows.ts';
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
 * Begins the work of poison messages of one queue anew. Resolves to the result of each, in the same order: one that fails
 * does not stop the others. Repeatable: work that was begun anew, or that is no longer to be done, is left alone.
 */
export async function requeueMessages(
  deps: RequeueDeps,
  queue: string,
  entries: readonly PoisonedMessage[],
): Promise<PromiseSettledResult<Requeued>[]> {
  if (queue === queues.checkMailbox) return requeueChecks(deps, entries);
  const results: PromiseSettledResult<Requeued>[] = [];
  for (const entry of entries) results.push(await settled(requeueMessage(deps, queue, entry)));
  return results;
}

async function settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [result] = await Promise.allSettled([work]);
  return result;
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

type Check = { entry: PoisonedMessage; data: CheckMessage };

/** The rows of an import are opened together. A message that nobody can read goes back as it is. */
async function requeueChecks(
  deps: RequeueDeps,
  entries: readonly PoisonedMessage[],
): Promise<PromiseSettledResult<Requeued>[]> {
  const results = new Map<PoisonedMessage, PromiseSettledResult<Requeued>>();
  const checks = entries.flatMap((entry): Check[] => {
    const { data } = checkMessage.safeParse(entry.message);
    return data && !data.cleanupOnly ? [{ entry, data }] : [];
  });
  for (const ofImport of Map.groupBy(checks, ({ data }) => data.importId).values()) {
    const opened = await settled(requeueRows(deps, ofImport));
    for (const { entry, data } of ofImport) {
      if (opened.status === 'rejected') results.set(entry, opened);
      else results.set(entry, { status: 'fulfilled', value: opened.value.get(data.line) ?? 'nothingToDo' });
    }
  }
  for (const entry of entries) {
    if (results.has(entry)) continue;
    const sent = deps.sendRaw(queues.checkMailbox, entry.message).then(() => 'requeued' as const);
    results.set(entry, await settled(sent));
  }
  return entries.map((entry) => results.get(entry) ?? { status: 'fulfilled', value: 'nothingToDo' });
}

/** Resolves to the results by line. */
async function requeueRows(deps: RequeueDeps, checks: readonly Check[]): Promise<Map<number, Requeued>> {
  const [first] = checks;
  if (!first) return new Map();
  const { customerId, connectionId, importId } = first.data;
  const rows = checks.map(({ data: { line, attempt } }) => ({ line, attempt }));
  const reopened = await reopenRows(deps, { customerId, connectionId, importId, rows });
  return new Map([...reopened].map(([line, result]) => [line, result === 'reopened' ? 'requeued' : result]));
}
