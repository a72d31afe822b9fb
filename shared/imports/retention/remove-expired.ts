import type { Clock } from '../../kernel/clock.ts';
import { isEnded } from '../import.ts';
import { changeImport, type ImportStore } from '../import-store.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { KeptUploadStore } from '../upload/kept-upload.ts';
import type { UploadStore } from '../upload/upload-store.ts';
import type { Removal, RemovalSchedule } from './removal-schedule.ts';

export interface RemoveExpiredDeps {
  removals: RemovalSchedule;
  imports: Pick<ImportStore, 'get' | 'update' | 'recount'>;
  ledger: Pick<Ledger, 'purgeImport'>;
  uploads: Pick<UploadStore, 'remove'>;
  keptUploads: Pick<KeptUploadStore, 'get' | 'remove'>;
  clock: Clock;
}

export interface RemoveExpiredResult {
  removed: number;
  /** The run ended before everything that is due was removed. The next one goes on. */
  isUnfinished: boolean;
  /** The errors of removals that failed. The next run tries them again. */
  failed: unknown[];
}

/**
 * Removes uploads and rows that have been kept for long enough, the longest overdue first. One that cannot be removed does
 * not hold up the others.
 *
 * Every step is repeatable, and harmless if two processes take it at the same time. What is left when the time is over, or
 * when the process dies, is removed by the next run.
 *
 * @param until when to stop, in milliseconds
 */
export async function removeExpired(deps: RemoveExpiredDeps, until: number): Promise<RemoveExpiredResult> {
  const hasTime = () => deps.clock.now().getTime() < until;
  const result: RemoveExpiredResult = { removed: 0, isUnfinished: false, failed: [] };
  for await (const removal of deps.removals.eachDue(deps.clock.now())) {
    try {
      const step = hasTime() ? await remove(deps, removal, hasTime) : 'timeIsOver';
      if (step === 'timeIsOver') return { ...result, isUnfinished: true };
      if (step === 'notYet') continue;
      await deps.removals.remove(removal);
      result.removed++;
    } catch (error) {
      result.failed.push(error);
    }
  }
  return result;
}

type Step = 'removed' | 'notYet' | 'timeIsOver';

function remove(deps: RemoveExpiredDeps, removal: Removal, hasTime: () => boolean): Promise<Step> {
  switch (removal.kind) {
    case 'preview':
      return removePreview(deps, removal);
    case 'upload':
      return removeUpload(deps, removal);
    case 'rows':
      return removeRows(deps, removal, hasTime);
  }
}

/** An import that was started from the preview owns the upload. It has a removal of its own. */
async function removePreview(deps: RemoveExpiredDeps, { customerId, importId, removeAt }: Removal): Promise<Step> {
  const kept = await deps.keptUploads.get(customerId, importId);
  // The dry run was repeated after a lost answer. The later removal counts.
  if (kept && kept.expiresAt > removeAt) return 'removed';
  const isStarted = (await deps.imports.get(customerId, importId)) !== undefined;
  if (!isStarted) await deps.uploads.remove(customerId, importId);
  await deps.keptUploads.remove(customerId, importId);
  return 'removed';
}

/** An import that is still being planned needs its upload. */
async function removeUpload(deps: RemoveExpiredDeps, { customerId, importId }: Removal): Promise<Step> {
  const status = (await deps.imports.get(customerId, importId))?.value.status;
  if (status === 'accepted' || status === 'planning') return 'notYet';
  await deps.uploads.remove(customerId, importId);
  return 'removed';
}

/** Marks the import first, so that nobody reads a list of rows that has gaps. */
async function removeRows(
  deps: RemoveExpiredDeps,
  { customerId, connectionId, importId }: Removal,
  hasTime: () => boolean,
): Promise<Step> {
  const found = await deps.imports.get(customerId, importId);
  // The rows of a deleted connection are purged with it.
  if (!found) return 'removed';
  if (!isEnded(found.value.status)) return 'notYet';
  await changeImport(deps.imports, customerId, importId, (current) =>
    current.rowsRemovedAt ? undefined : { ...current, rowsRemovedAt: deps.clock.now() },
  );
  while (!(await deps.ledger.purgeImport(connectionId, importId))) if (!hasTime()) return 'timeIsOver';
  // Rows that are gone no longer count for the quota.
  await deps.imports.recount(customerId, importId, 0);
  return 'removed';
}
