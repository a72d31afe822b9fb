import type { Clock } from '../kernel/clock.ts';
import type { Tagged } from '../kernel/tagged.ts';
import { type Import, isEnded } from './import.ts';
import type { ImportQueues } from './import-queues.ts';
import type { ImportStore } from './import-store.ts';
import type { ImportMessage } from './messages.ts';

/**
 * The right to send for an import, to cancel its rows and to end it. One process at a time holds it, in the import's
 * record.
 *
 * Steps that run under it call `keep` between pieces of work that take a second or more, and stop when it resolves to
 * `false`: then the lease expired, or someone paused, resumed or cancelled the import.
 */
export interface HeldLease {
  /** The import as this holder last read or wrote it. */
  readonly record: Import;
  /** Renews the lease if more than a part of its time has passed. Resolves to whether it is still held. */
  keep(): Promise<boolean>;
  /** Writes the changed record once, without reading it, and renews the lease if needed. `false` if the lease is lost. */
  write(change: (current: Import) => Import): Promise<boolean>;
  /** Keeps the lease while work runs that can take longer than it lasts, and that does not write the import. */
  during<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Adds a change to the write that releases the lease. */
  onRelease(change: (current: Import) => Import): void;
}

export interface LeaseDeps {
  imports: Pick<ImportStore, 'get' | 'update'>;
  importQueues: Pick<ImportQueues, 'sendDispatch'>;
  clock: Clock;
  sleep: (ms: number) => Promise<void>;
  leasing: LeaseSettings;
}

export interface LeaseSettings {
  /** Names this process in leases. */
  holder: string;
  /** How long a lease lasts unless it is renewed. */
  leaseMs: number;
}

/** The lease is renewed once this share of it has passed. */
const RENEW_AFTER = 0.5;
/** A guard message arrives this long after the lease that it guards would end. */
const GUARD_MARGIN_MS = 2_000;
const RELEASE_TRIES_MAX = 4;
const RELEASE_PAUSE_MS = 250;

let leases = 0;

/**
 * Runs `work` while holding the lease of the import that was just read, and releases the lease on every way out.
 *
 * Before the lease is taken or renewed, a guard message goes on the queue that arrives after the lease would end. If
 * this process dies, another dispatcher continues then. Resolves to `undefined` if another writer was faster.
 */
export async function withLease<Result>(
  deps: LeaseDeps,
  found: Tagged<Import>,
  work: (lease: HeldLease) => Promise<Result>,
): Promise<{ result: Result } | undefined> {
  const { customerId, id: importId } = found.value;
  const { leaseMs } = deps.leasing;
  const holder = `${deps.leasing.holder}.${++leases}`;

  async function renewed(): Promise<{ holder: string; until: Date }> {
    const until = new Date(deps.clock.now().getTime() + leaseMs);
    await deps.importQueues.sendDispatch({ v: 1, customerId, importId, guards: holder }, leaseMs + GUARD_MARGIN_MS);
    return { holder, until };
  }

  const first: Import = { ...found.value, lease: await renewed() };
  const firstTag = await deps.imports.update(first, found.tag);
  if (firstTag === undefined) return undefined;

  let held: Tagged<Import> | undefined = { value: first, tag: firstTag };
  let record = first;
  let releaseWith = (current: Import) => current;

  const isFresh = (until: Date | undefined) =>
    until !== undefined && until.getTime() - deps.clock.now().getTime() > (1 - RENEW_AFTER) * leaseMs;

  async function write(change: (current: Import) => Import): Promise<boolean> {
    if (!held) return false;
    const { lease: current, ...changed } = change(held.value);
    const lease = current && isFresh(current.until) ? current : isEnded(changed.status) ? undefined : await renewed();
    const next: Import = isEnded(changed.status) || !lease ? changed : { ...changed, lease };
    const tag = await deps.imports.update(next, held.tag);
    held = tag === undefined || isEnded(next.status) ? undefined : { value: next, tag };
    if (tag !== undefined) record = next;
    return tag !== undefined;
  }

  const lease: HeldLease = {
    get record() {
      return record;
    },
    write,
    async keep() {
      return isFresh(held?.value.lease?.until) || write((current) => current);
    },
    async during(work) {
      let isRunning = true;
      const result = work().finally(() => {
        isRunning = false;
      });
      const settled = result.then(
        () => undefined,
        () => undefined,
      );
      while (isRunning) {
        await Promise.race([settled, deps.sleep(leaseMs / 4)]);
        if (isRunning) await lease.keep();
      }
      return result;
    },
    onRelease(change) {
      const before = releaseWith;
      releaseWith = (current) => change(before(current));
    },
  };

  try {
    return { result: await work(lease) };
  } finally {
    await release(deps, record, holder, (current) => releaseWith(current));
  }
}

/**
 * Whether a message has nothing to do, because another process holds the lease and does the work. A guard message of a
 * lease that was released only has work to do if nothing else will wake the import up: the holder may have failed, and
 * its next message may be lost.
 */
export function isLeftToHolder(deps: Pick<LeaseDeps, 'clock'>, message: ImportMessage, record: Import): boolean {
  const { lease, status, wakeUpAt } = record;
  const now = deps.clock.now();
  if (lease !== undefined && lease.until > now) return true;
  if (message.guards === undefined) return false;
  const isUnfinished = status === 'running' || status === 'cancelling';
  return !isUnfinished || (wakeUpAt !== undefined && wakeUpAt > now);
}

/**
 * Releases the lease if it is still ours. Never rejects: if storage is unavailable for longer than a few tries, the lease
 * expires and its guard message finds it.
 */
async function release(
  deps: LeaseDeps,
  { customerId, id }: Import,
  holder: string,
  change: (current: Import) => Import,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const found = await deps.imports.get(customerId, id);
      if (found?.value.lease?.holder !== holder) return;
      const { lease: _mine, ...rest } = change(found.value);
      if ((await deps.imports.update(rest, found.tag)) !== undefined) return;
    } catch {
      // Storage is unavailable. Try again below.
    }
    if (tries >= RELEASE_TRIES_MAX) return;
    await deps.sleep(RELEASE_PAUSE_MS * 2 ** (tries - 1));
  }
}
