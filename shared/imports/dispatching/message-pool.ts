import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { ImportQueues } from '../import-queues.ts';

/** An import that has messages to send and takes part in the sharing. */
export interface PoolClaim {
  importId: string;
  customerId: string;
  at: Date;
  /** Messages under way, and how long each takes. */
  outstanding: number;
  flightMs: number;
  /** It would send more if its share were larger. */
  isLimited: boolean;
  /** A re-verification. Its messages are none of an import's share. */
  givesWay?: boolean;
}

/** How many messages all imports together may have on the queue. */
export interface PoolSize {
  total: number;
  at: Date;
}

/** Stores the pool's size and claims. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface MessagePoolStore {
  /** One range query. */
  read(): Promise<{ size: Tagged<PoolSize> | undefined; claims: PoolClaim[] }>;
  /** Without a tag the record is created. Resolves to the new tag, or to `undefined` if another writer was faster. */
  putSize(size: PoolSize, tag: string | undefined): Promise<string | undefined>;
  putClaim(claim: PoolClaim): Promise<void>;
  removeClaim(importId: string): Promise<void>;
}

/** Divides the messages on the queue among imports: customers share equally, then the imports of each, oldest first. */
export interface MessagePool {
  /** How many messages an import may have under way. Notes its claim while it `wants` more than it has. */
  shareOf(claim: Omit<PoolClaim, 'at'>, wants: boolean): Promise<number>;
  /** The import no longer takes part in this process. Costs nothing if it did not. */
  leave(importId: string): Promise<void>;
  /** Removes the claim of an import, also one that another process has noted. Repeatable. */
  remove(importId: string): Promise<void>;
}

const SIZE_MIN = 48;
const SIZE_FIRST = 256;
/** Each import that takes part gets this many at least. With more imports than that, younger ones wait. */
const SHARE_MIN = 4;
const READ_EVERY_MS = 1_000;
/** How often the pool is measured: soon while it limits an import, and otherwise often enough to notice a long queue. */
const MEASURE_EVERY_MS = 1_000;
const MEASURE_UNLIMITED_EVERY_MS = 3_000;
const CLAIM_EVERY_MS = 3_000;
const CLAIM_KEPT_MS = 10_000;
/** The process that noted such a claim has died: it renews its claims every few seconds, and removes them. */
const CLAIM_LEFT_BEHIND_MS = 300_000;
/** Messages may wait in the queue for about this long. */
const AGE_MAX_MS = 800;
const AGE_WANTED_MS = 750;
const HANDLING_MIN_MS = 200;
const FLIGHT_UNKNOWN_MS = 1_000;
const SHRINK_STEP = 0.3;
const GROWTH = 1.15;
const GROWTH_ALONE = 1.5;

interface PoolDeps {
  store: MessagePoolStore;
  importQueues: Pick<ImportQueues, 'getOldestCheckSentAt'>;
  clock: Clock;
}

export function createMessagePool(deps: PoolDeps, { totalMax }: { totalMax: number }): MessagePool {
  const { store, clock } = deps;
  let known: { total: number; claims: PoolClaim[] } = { total: SIZE_FIRST, claims: [] };
  let readAt = 0;
  const claimed = new Map<string, { at: number; isLimited: boolean }>();

  async function claim(own: Omit<PoolClaim, 'at'>): Promise<void> {
    const now = clock.now();
    const last = claimed.get(own.importId);
    if (last && now.getTime() - last.at < CLAIM_EVERY_MS && last.isLimited === own.isLimited) return;
    claimed.set(own.importId, { at: now.getTime(), isLimited: own.isLimited });
    await store.putClaim({ ...own, at: now });
  }

  async function refresh(importId: string): Promise<void> {
    const now = clock.now().getTime();
    const isKnown = !claimed.has(importId) || known.claims.some((one) => one.importId === importId);
    if (now - readAt < READ_EVERY_MS && isKnown) return;
    readAt = now;
    const { size, claims } = await store.read();
    const fresh = claims.filter(({ at }) => now - at.getTime() < CLAIM_KEPT_MS);
    known = { total: size?.value.total ?? SIZE_FIRST, claims: fresh };
    for (const { importId: left, at } of claims) {
      if (now - at.getTime() >= CLAIM_LEFT_BEHIND_MS) await store.removeClaim(left);
    }
    const measureEveryMs = isShort(fresh) ? MEASURE_EVERY_MS : MEASURE_UNLIMITED_EVERY_MS;
    if (fresh.length === 0 || (size && now - size.value.at.getTime() < measureEveryMs)) return;
    const head = mayWaitLong(fresh) ? await deps.importQueues.getOldestCheckSentAt() : undefined;
    const total = nextSize(known.total, fresh, head ? now - head.getTime() : 0, totalMax);
    // If another process was faster, its size is as good.
    await store.putSize({ total, at: clock.now() }, size?.tag);
    known.total = total;
  }

  async function leave(importId: string): Promise<void> {
    if (claimed.has(importId)) await remove(importId);
  }

  async function remove(importId: string): Promise<void> {
    claimed.delete(importId);
    known.claims = known.claims.filter((one) => one.importId !== importId);
    await store.removeClaim(importId);
  }

  return {
    leave,
    remove,
    async shareOf(own, wants) {
      if (wants) await claim(own);
      else await leave(own.importId);
      await refresh(own.importId);
      const share = shareOf(known.total, known.claims, own);
      // An import that does not take part is limited in another way, and must not wait for a share.
      return wants ? share : Math.max(SHARE_MIN, share);
    },
  };
}

/** Whether the pool limits anyone for whom it would grow. What gives way to imports is limited by them. */
function isShort(claims: readonly PoolClaim[]): boolean {
  const imports = claims.filter(({ givesWay }) => !givesWay);
  return (imports.length > 0 ? imports : claims).some(({ isLimited }) => isLimited);
}

/** No message waits for longer than the messages of every import are under way. 0 if that is not known yet. */
function mayWaitLong(claims: readonly PoolClaim[]): boolean {
  return claims.some(({ flightMs }) => flightMs === 0 || flightMs > AGE_MAX_MS);
}

/** Grows while imports are limited by it and messages do not wait; shrinks by Little's law when they wait too long. */
function nextSize(total: number, claims: readonly PoolClaim[], ageMs: number, totalMax: number): number {
  if (ageMs > AGE_MAX_MS) {
    const under = claims.reduce((sum, { outstanding }) => sum + Math.max(0, outstanding), 0);
    const flights = claims.reduce(
      (sum, one) => sum + Math.max(0, one.outstanding) * (one.flightMs || FLIGHT_UNKNOWN_MS),
      0,
    );
    const handlingMs = Math.max(HANDLING_MIN_MS, flights / Math.max(1, under) - ageMs);
    const wanted = (under * (handlingMs + AGE_WANTED_MS)) / (handlingMs + ageMs);
    return Math.max(SIZE_MIN, Math.min(total, total + SHRINK_STEP * (wanted - total)));
  }
  if (!isShort(claims)) return total;
  return Math.min(totalMax, total * (claims.length === 1 ? GROWTH_ALONE : GROWTH));
}

function shareOf(total: number, claims: readonly PoolClaim[], own: Omit<PoolClaim, 'at'>): number {
  const hasImports = claims.some(({ givesWay }) => !givesWay);
  if (own.givesWay && hasImports) return SHARE_MIN;
  const rivals = own.givesWay ? claims : claims.filter(({ givesWay }) => !givesWay);
  const all = rivals.some(({ importId }) => importId === own.importId) ? rivals : [...rivals, own];
  if (all.length <= 1) return Math.floor(total);
  const customers = new Set(all.map(({ customerId }) => customerId));
  const ids = all.filter(({ customerId }) => customerId === own.customerId).map(({ importId }) => importId);
  const ofCustomer = total / customers.size;
  const active = Math.max(1, Math.min(ids.length, Math.floor(ofCustomer / SHARE_MIN)));
  return ids.sort().indexOf(own.importId) < active ? Math.max(1, Math.floor(ofCustomer / active)) : 0;
}
