import type { Clock } from '../kernel/clock.ts';
import { type Heartbeats, latestOf } from './heartbeats.ts';

interface PartHealth {
  status: 'ok' | 'unavailable';
  /** Only of the scheduler: when a timer last completed a run. */
  lastRanAt?: string;
}

export interface Readiness {
  status: 'ok' | 'unavailable';
  parts: { storage: PartHealth; vault: PartHealth; scheduler: PartHealth };
}

interface ReadinessDeps {
  clock: Clock;
  /** Each resolves if the part answers, and rejects otherwise. */
  parts: {
    storage(): Promise<void>;
    vault(): Promise<void>;
  };
  heartbeats: Pick<Heartbeats, 'list'>;
  /**
   * The scheduler counts as unavailable after this time without a timer run. A restart of the process starts the time
   * over.
   */
  schedulerSilentAfterMs: number;
}

/** The route needs no API key. The cache keeps a flood of requests from reaching the vault. */
const CACHED_MS = 5_000;
const TIMEOUT_MS = 4_000;

/** Creates a function that asks each part whether it answers. Callers share one answer for `CACHED_MS`. */
export function createReadiness(deps: ReadinessDeps): () => Promise<Readiness> {
  const startedAt = deps.clock.now();
  let last: { at: number; readiness: Promise<Readiness> } | undefined;

  async function askParts(): Promise<Readiness> {
    const [storage, vault, scheduler] = await Promise.all([
      healthOf(deps.parts.storage()),
      healthOf(deps.parts.vault()),
      schedulerHealth(),
    ]);
    const parts = { storage, vault, scheduler };
    const isOk = Object.values(parts).every((part) => part.status === 'ok');
    return { status: isOk ? 'ok' : 'unavailable', parts };
  }

  async function schedulerHealth(): Promise<PartHealth> {
    const heartbeats = await withTimeout(deps.heartbeats.list()).catch(() => undefined);
    if (!heartbeats) return { status: 'unavailable' };
    const ranAt = latestOf(heartbeats);
    const silentSince = Math.max(ranAt?.getTime() ?? 0, startedAt.getTime());
    const isSilent = deps.clock.now().getTime() - silentSince > deps.schedulerSilentAfterMs;
    return { status: isSilent ? 'unavailable' : 'ok', ...(ranAt && { lastRanAt: ranAt.toISOString() }) };
  }

  return () => {
    const now = deps.clock.now().getTime();
    if (!last || now - last.at >= CACHED_MS) last = { at: now, readiness: askParts() };
    return last.readiness;
  };
}

async function healthOf(answer: Promise<void>): Promise<PartHealth> {
  return withTimeout(answer).then(
    (): PartHealth => ({ status: 'ok' }),
    (): PartHealth => ({ status: 'unavailable' }),
  );
}

async function withTimeout<T>(answer: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer in time')), TIMEOUT_MS);
  try {
    return await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}
