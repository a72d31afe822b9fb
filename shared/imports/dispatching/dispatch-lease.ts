import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import { endLease } from '../import-lease.ts';
import type { DispatchDeps } from './dispatch-deps.ts';

/** What the holder of an import's dispatch lease knows. */
export interface HeldLease {
  holder: string;
  record: Import;
  tag: string;
  window: number;
  /** Lines below this may have been sent by a dispatcher that died before it moved the cursor. */
  sentUpTo: number;
}

let leases = 0;

/** Acquires the lease, or renews it once half of it has passed. `undefined` if another writer was faster. */
export async function acquireLease(
  deps: DispatchDeps,
  found: Tagged<Import>,
  held: HeldLease | undefined,
): Promise<HeldLease | undefined> {
  const now = deps.clock.now().getTime();
  const { lease } = found.value;
  const mine = held !== undefined && lease?.holder === held.holder ? held : undefined;
  if (mine && lease && lease.until.getTime() - now > deps.dispatching.leaseMs / 2) {
    return { ...mine, record: found.value, tag: found.tag };
  }
  const holder = mine?.holder ?? `${deps.dispatching.holder}.${++leases}`;
  const sentUpTo = mine?.sentUpTo ?? lease?.sentUpTo ?? 0;
  const record: Import = {
    ...found.value,
    lease: {
      holder,
      until: new Date(now + deps.dispatching.leaseMs),
      sentUpTo: Math.max(found.value.cursor, sentUpTo),
    },
  };
  const tag = await deps.imports.update(record, found.tag);
  if (tag === undefined) return undefined;
  return { holder, record, tag, sentUpTo, window: held?.window ?? (await computeWindow(deps)) };
}

/**
 * An equal share of the messages that all imports together may have on the queue, so that a large one leaves room for
 * others.
 */
async function computeWindow(deps: DispatchDeps): Promise<number> {
  const { windowTotal, windowMin, windowMax } = deps.dispatching;
  const running = Math.max(1, (await deps.imports.listOpen()).length);
  return Math.min(windowMax, Math.max(windowMin, Math.floor(windowTotal / running)));
}

/** Before a step sends, writes into the lease how far it may send. `undefined` if the lease is lost. */
export async function announceSending(
  deps: DispatchDeps,
  held: HeldLease,
  upTo: number,
): Promise<{ record: Import; tag: string } | undefined> {
  const until = new Date(deps.clock.now().getTime() + deps.dispatching.leaseMs);
  const lease = { holder: held.holder, until, sentUpTo: Math.max(upTo, held.sentUpTo) };
  const record: Import = { ...held.record, lease };
  const tag = await deps.imports.update(record, held.tag);
  return tag === undefined ? undefined : { record, tag };
}

/** Ends the shift. The next message finds the lease free. */
export async function handOver(deps: DispatchDeps, held: HeldLease): Promise<void> {
  await releaseLease(deps, held, {});
  await deps.importQueues.sendDispatch({ v: 1, customerId: held.record.customerId, importId: held.record.id });
}

/**
 * Sends a delayed message that wakes the import up, unless one is due by then. If it is lost, the sweep sends another.
 */
export async function sleepUntil(deps: DispatchDeps, held: HeldLease, until: Date): Promise<void> {
  const now = deps.clock.now();
  const { wakeUpAt } = held.record;
  const isSet = wakeUpAt !== undefined && wakeUpAt > now && wakeUpAt <= until;
  await releaseLease(deps, held, isSet ? {} : { wakeUpAt: until });
  if (isSet) return;
  const { customerId, id: importId } = held.record;
  await deps.importQueues.sendDispatch({ v: 1, customerId, importId }, Math.max(0, until.getTime() - now.getTime()));
}

/** Releases the lease if it is still ours. What it announced stays known to the next dispatcher. */
async function releaseLease(deps: DispatchDeps, held: HeldLease, change: Partial<Import>): Promise<void> {
  const found = await deps.imports.get(held.record.customerId, held.record.id);
  const lease = found?.value.lease;
  if (!found || lease?.holder !== held.holder) return;
  await deps.imports.update({ ...found.value, lease: endLease(lease), ...change }, found.tag);
}
