import { retryLostRaces } from '../kernel/change-tagged.ts';
import type { PoisonArchive, PoisonedMessage } from './poison-archive.ts';
import { textOf } from './poison-owner.ts';

/** What is known of a message that failed for the last time, or that is on the poison queue. */
export interface Poisoning extends Pick<PoisonedMessage, 'queue' | 'key' | 'message' | 'isMalformed' | 'error'> {
  /** When it failed for the last time, or when it was put on the poison queue. */
  poisonedAt: Date;
}

export interface ArchivePoisonDeps {
  poisonArchive: Pick<PoisonArchive, 'get' | 'insert' | 'update' | 'remove'>;
  /** Whether what a message is about was deleted. */
  isOwnerGone(queue: string, message: unknown): Promise<boolean>;
}

/**
 * Archives a poison message. Repeatable: what is known of the same work is put together, with its newest message.
 *
 * Work that was decided and is poisoned anew is open again. A poison message from before the decision is the same one,
 * delivered twice, and changes nothing.
 *
 * Resolves to `false` if nothing stays, because what the message is about was deleted. It may have been deleted in the
 * meantime, so its owner is looked up again after the write.
 */
export async function archivePoison(
  { poisonArchive, isOwnerGone }: ArchivePoisonDeps,
  poisoning: Poisoning,
): Promise<boolean> {
  const { poisonedAt, ...known } = poisoning;
  if (await isOwnerGone(known.queue, known.message)) return false;
  await retryLostRaces(async () => {
    const found = await poisonArchive.get(known.queue, known.key);
    if (!found) {
      return (await poisonArchive.insert({ ...known, archivedAt: poisonedAt, state: 'open' })) ? 'done' : undefined;
    }
    const next = joined(found.value, poisoning);
    return !next || (await poisonArchive.update(next, found.tag)) !== undefined ? 'done' : undefined;
  });
  if (!(await isOwnerGone(known.queue, known.message))) return true;
  // The whole archive is searched, which is rare: it was deleted between the two looks.
  for (const field of ['importId', 'connectionId', 'customerId']) {
    const id = textOf(known.message, field);
    if (id === undefined) continue;
    await poisonArchive.remove(id);
    break;
  }
  return false;
}

/** `undefined` if there is nothing new. */
function joined(current: PoisonedMessage, { poisonedAt, ...known }: Poisoning): PoisonedMessage | undefined {
  const isUndecided = current.decidedAt === undefined;
  // The newest message names the attempt that failed last. Only that one can begin anew.
  if (poisonedAt > (current.decidedAt ?? current.archivedAt)) {
    const error = known.error ?? (isUndecided ? current.error : undefined);
    return { ...known, ...(error !== undefined && { error }), archivedAt: poisonedAt, state: 'open' };
  }
  if (!isUndecided || current.error !== undefined || known.error === undefined) return undefined;
  return { ...current, error: known.error };
}
