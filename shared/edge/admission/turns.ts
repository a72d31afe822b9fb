import { setTimeout as pause } from 'node:timers/promises';
import pLimit, { type LimitFunction } from 'p-limit';

/** Serves the requests of each caller a few at a time, so that no caller takes the time of the others. */
export interface Turns {
  /**
   * Does the work when it is the caller's turn. Nobody waits for work of another caller.
   *
   * @returns `undefined` without doing anything, if too many requests of the caller wait already
   */
  take<T>(caller: string, work: () => Promise<T>): Promise<T> | undefined;
  /**
   * Resolves when the caller may get its refusal. Refusals go out one after the other with a pause between them, so that
   * a client that repeats refused requests without a pause spends its time and not ours. If many of the caller's refusals
   * wait already, it resolves immediately.
   */
  holdRefusal(caller: string): Promise<void>;
}

export interface TurnSettings {
  /** How many requests of one caller are served at the same time. */
  requestsAtOnce: number;
  /** How many more may wait for their turn. */
  requestsWaiting: number;
}

/** The pause between two refusals of one caller, and how many of them may wait: together, a refusal waits 1.6 s at most. */
const REFUSAL_PAUSE_MS = 50;
const REFUSALS_WAITING_MAX = 32;

/** Turns in this process. Other processes take theirs on their own. */
export function createTurns(
  { requestsAtOnce, requestsWaiting }: TurnSettings,
  pauseFor: (ms: number) => Promise<unknown> = pause,
): Turns {
  const requests = createLines(requestsAtOnce, requestsWaiting);
  const refusals = createLines(1, REFUSALS_WAITING_MAX);
  return {
    take: (caller, work) => requests(caller, work),
    async holdRefusal(caller) {
      await refusals(caller, () => pauseFor(REFUSAL_PAUSE_MS));
    },
  };
}

/** A line for each caller that has something in it. */
function createLines(atOnce: number, waitingMax: number) {
  const lines = new Map<string, { limit: LimitFunction; length: number }>();

  return <T>(caller: string, work: () => Promise<T>): Promise<T> | undefined => {
    const line = lines.get(caller) ?? { limit: pLimit(atOnce), length: 0 };
    if (line.length >= atOnce + waitingMax) return undefined;
    line.length++;
    lines.set(caller, line);
    return line.limit(work).finally(() => {
      line.length--;
      if (line.length === 0) lines.delete(caller);
    });
  };
}
