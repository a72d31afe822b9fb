import { randomUUID } from 'node:crypto';
import type { LeaseStore } from '../../kernel/lease-store.ts';
import { type RemoveExpiredDeps, type RemoveExpiredResult, removeExpired } from './remove-expired.ts';

export interface RunRemovalsDeps extends RemoveExpiredDeps {
  removalLease: LeaseStore;
}

/** Far below the ten minutes after which the host ends a function. */
const RUN_MS = 240_000;
/** Longer than any run, so that the lease needs no renewal. */
const LEASE_MS = 600_000;

/**
 * Removes what has been kept for long enough, in one process at a time and for a limited time. The next run goes on.
 * Resolves to `undefined` if another process is at work.
 */
export async function runRemovals(deps: RunRemovalsDeps): Promise<RemoveExpiredResult | undefined> {
  const now = deps.clock.now();
  const lease = { holder: randomUUID(), until: new Date(now.getTime() + LEASE_MS) };
  const tag = await deps.removalLease.take(lease, now);
  if (tag === undefined) return undefined;
  try {
    return await removeExpired(deps, now.getTime() + RUN_MS);
  } finally {
    // If this fails, the lease ends by itself.
    await deps.removalLease.release(lease, tag).catch(() => undefined);
  }
}
