import { randomUUID } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { Tagged } from './tagged.ts';

/** How far a run over a long list has got, and who is doing it. */
export interface RunProgress {
  holder?: string;
  until?: Date;
  /** Where the next step begins. Absent at the beginning. */
  cursor?: string;
}

/** Stores the progress record of one kind of run. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface RunProgressStore {
  get(): Promise<Tagged<RunProgress> | undefined>;
  /**
   * Without a tag the record is created, with one it replaces what was read. Resolves to the new tag, or to `undefined`
   * if another writer was faster.
   */
  put(progress: RunProgress, tag: string | undefined): Promise<string | undefined>;
}

/** Does one part of the work. Resolves to where the next one begins, or to `undefined` at the end. */
export type RunStep = (cursor: string | undefined, runId: string) => Promise<string | undefined>;

/** Renewed before each step. If the process dies, the next run begins after this time. */
const LEASE_MS = 30_000;
/** A lease that would end later was taken by a process whose clock was wrong, and would stop all runs until then. */
const CLOCK_OFF_MS = 3_600_000;
/** After this time, no more steps are begun, unless the caller says another one. */
const WORK_MS = 300_000;

/**
 * Takes one step after another, for a timer. One process at a time does it, for some minutes, and the next run goes on
 * where this one stopped. A step is repeated if its process dies, or if it takes so long that another process begins it as
 * well, so it must do no harm when it is taken twice. Resolves to `undefined` if another process is doing it.
 */
export async function runInSteps(
  { progress: store, clock }: { progress: RunProgressStore; clock: Clock },
  step: RunStep,
  workMs = WORK_MS,
): Promise<{ isComplete: boolean } | undefined> {
  const startedAt = clock.now();
  const found = await store.get();
  if (isHeld(found?.value.until, startedAt)) return undefined;
  const runId = randomUUID();
  const lease = () => ({ holder: runId, until: new Date(clock.now().getTime() + LEASE_MS) });
  let cursor = found?.value.cursor;
  let tag = await store.put({ ...lease(), ...(cursor !== undefined && { cursor }) }, found?.tag);
  if (tag === undefined) return undefined;
  try {
    while (clock.now().getTime() - startedAt.getTime() < workMs) {
      cursor = await step(cursor, runId);
      if (cursor === undefined) return { isComplete: true };
      tag = await store.put({ ...lease(), cursor }, tag);
      if (tag === undefined) return { isComplete: false };
    }
    return { isComplete: false };
  } finally {
    // If this fails, the lease ends by itself.
    if (tag !== undefined) await store.put(cursor === undefined ? {} : { cursor }, tag).catch(() => undefined);
  }
}

function isHeld(until: Date | undefined, now: Date): boolean {
  return until !== undefined && until > now && until.getTime() - now.getTime() <= LEASE_MS + CLOCK_OFF_MS;
}

/**
 * One step after another through several lists, each with cursors of its own. A cursor that names none of them, as
 * another version may have left it, begins anew.
 */
export function inOrder(lists: Readonly<Record<string, RunStep>>): RunStep {
  const names = Object.keys(lists);
  return async (cursor, runId) => {
    const [name = '', ...rest] = cursor?.split(' ') ?? [];
    const known = names.indexOf(name);
    const at = Math.max(0, known);
    const from = known === -1 || rest.length === 0 ? undefined : rest.join(' ');
    const next = await lists[names[at] ?? '']?.(from, runId);
    return next === undefined ? names[at + 1] : `${names[at]} ${next}`;
  };
}
