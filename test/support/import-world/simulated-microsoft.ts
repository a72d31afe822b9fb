import type { SimulatedClock } from './simulated-clock.ts';

/** How Microsoft treats the one tenant of a world. */
export interface MicrosoftOptions {
  /** How long one HTTP request takes. */
  latencyMs?: number;
  /** Requests in ten seconds, each part of a batch counted, refused ones as well. No limit by default. */
  limit?: number;
  /** Questions about each mailbox besides its inbox, the draft and the send probe, such as about its owner. */
  moreQuestions?: number;
  /** The share of requests that are refused at any rate. */
  noise?: number;
  /** What a refused request says in `Retry-After`. */
  retryAfterSeconds?: number;
  /** When requests are not answered (after 30 seconds), in milliseconds since the start. */
  silent?: { fromMs: number; toMs: number };
}

/** Microsoft's answer to one HTTP request. */
interface BatchAnswer {
  /** For each part, whether it was let through. */
  accepted: boolean[];
  throttled: number;
  isSilent: boolean;
  retryAfterSeconds?: number;
}

export interface SimulatedMicrosoft {
  /** One HTTP request with this many parts. */
  ask(parts: number): Promise<BatchAnswer>;
  /** HTTP requests so far. */
  requests(): number;
  options: MicrosoftOptions;
}

const WINDOW_MS = 10_000;
const SLICE_MS = 100;
const SILENCE_MS = 30_000;

export function createSimulatedMicrosoft(
  clock: SimulatedClock,
  random: () => number,
  options: MicrosoftOptions,
): SimulatedMicrosoft {
  const startedAt = clock.nowMs();
  const slices = new Map<number, number>();
  let requests = 0;

  function countInWindow(): number {
    const oldest = Math.floor((clock.nowMs() - WINDOW_MS) / SLICE_MS);
    let sum = 0;
    for (const [slice, count] of slices) {
      if (slice <= oldest) slices.delete(slice);
      else sum += count;
    }
    return sum;
  }

  function letThrough(): boolean {
    const { limit = Number.POSITIVE_INFINITY, noise = 0 } = options;
    const isWithin = countInWindow() < limit && (noise === 0 || random() >= noise);
    const slice = Math.floor(clock.nowMs() / SLICE_MS);
    slices.set(slice, (slices.get(slice) ?? 0) + 1);
    return isWithin;
  }

  return {
    options,
    requests: () => requests,
    async ask(parts) {
      const { latencyMs = 50, silent, retryAfterSeconds } = options;
      const latency = latencyMs * (0.85 + 0.3 * random());
      requests++;
      await clock.sleep(latency / 2);
      const age = clock.nowMs() - startedAt;
      if (silent && age >= silent.fromMs && age < silent.toMs) {
        await clock.sleep(SILENCE_MS);
        return { accepted: [], throttled: 0, isSilent: true };
      }
      const accepted = Array.from({ length: parts }, letThrough);
      await clock.sleep(latency / 2);
      const throttled = accepted.filter((isAccepted) => !isAccepted).length;
      const seconds = throttled > 0 && retryAfterSeconds !== undefined && { retryAfterSeconds };
      return { accepted, throttled, isSilent: false, ...seconds };
    },
  };
}
