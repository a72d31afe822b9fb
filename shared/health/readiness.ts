import type { Clock } from '../kernel/clock.ts';

export interface PartHealth {
  status: 'ok' | 'away';
  /** Of the scheduler: when a timer last ran through. */
  lastRanAt?: string;
}

export interface Readiness {
  status: 'ok' | 'unavailable';
  parts: { storage: PartHealth; vault: PartHealth; scheduler: PartHealth };
}

interface Needs {
  clock: Clock;
  /** Each resolves when the part answers, and rejects when it does not. */
  parts: {
    storage(): Promise<void>;
    vault(): Promise<void>;
  };
  heartbeats: {
    latest(): Promise<Date | undefined>;
  };
}

/** A scheduler that has been silent for so long is away; also one that never ran since this process began. */
const SILENT_MAX_MS = 15 * 60_000;
/** The route is open to everybody: whoever hammers on it must not hammer on the vault. */
const REMEMBERED_MS = 5_000;
const TIMEOUT_MS = 4_000;

/** Makes a function that asks each part we need whether it is there; all callers within seconds share one answer. */
export function createReadiness(needs: Needs): () => Promise<Readiness> {
  const startedAt = needs.clock.now();
  let last: { at: number; readiness: Promise<Readiness> } | undefined;

  async function look(): Promise<Readiness> {
    const [storage, vault, scheduler] = await Promise.all([
      isThere(needs.parts.storage()),
      isThere(needs.parts.vault()),
      schedulerHealth(),
    ]);
    const parts = { storage, vault, scheduler };
    const isOk = Object.values(parts).every((part) => part.status === 'ok');
    return { status: isOk ? 'ok' : 'unavailable', parts };
  }

  async function schedulerHealth(): Promise<PartHealth> {
    const ranAt = await within(needs.heartbeats.latest()).catch(() => null);
    if (ranAt === null) return { status: 'away' };
    const since = Math.max(ranAt?.getTime() ?? 0, startedAt.getTime());
    const isSilent = needs.clock.now().getTime() - since > SILENT_MAX_MS;
    return { status: isSilent ? 'away' : 'ok', ...(ranAt && { lastRanAt: ranAt.toISOString() }) };
  }

  return () => {
    const now = needs.clock.now().getTime();
    if (!last || now - last.at >= REMEMBERED_MS) last = { at: now, readiness: look() };
    return last.readiness;
  };
}

async function isThere(answer: Promise<void>): Promise<PartHealth> {
  return within(answer).then(
    (): PartHealth => ({ status: 'ok' }),
    (): PartHealth => ({ status: 'away' }),
  );
}

async function within<T>(answer: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer in time')), TIMEOUT_MS);
  try {
    return await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}
