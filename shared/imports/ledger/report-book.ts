import { LRUCache } from 'lru-cache';
import type { Clock } from '../../kernel/clock.ts';
import { noGenerationCounts, type WorkerReport } from './worker-report.ts';

/** Something that a worker has seen and the dispatcher should know. */
export interface Observation {
  /** The generation of the tenant's pace that the message belongs to. */
  generation: number;
  accepted?: number;
  throttled?: number;
  unanswered?: number;
  /** A check was answered as a whole in one try, and needed this many requests. */
  wholeRequests?: number;
  /** The row went back to waiting without being asked, because this process had just been throttled. */
  returned?: number;
  retryAt?: Date;
  /** When a check that passed had begun. */
  passStartedAt?: Date;
}

/** What this process reports about each import it works on. */
export interface ReportBook {
  /** Notes that a message of this line is in hand. Resolves to the call that ends that. */
  take(importId: string, line: number): () => void;
  observe(importId: string, observation: Observation): void;
  /** A message that was sent at this time is settled now. */
  landed(importId: string, sentAt: Date): void;
  /** The report to write now. `undefined` if this process has never had a message of the import. */
  write(importId: string): WorkerReport | undefined;
  hasHand(importId: string): boolean;
  /** Whether bad news about the tenant is worth a write of its own. `true` at most once a second. */
  isNews(importId: string): boolean;
  lastWrittenAt(importId: string): number;
}

interface Kept {
  report: Omit<WorkerReport, 'writtenAt' | 'hand' | 'running'>;
  /** The same row can be in hand twice, if its message is delivered twice. */
  hand: Map<number, number>;
  writtenAt: number;
  newsAt: number;
}

const NEWS_MS = 1_000;
const IMPORTS_MAX = 1000;

/** @param running how many checks run in this process now */
export function createReportBook({ clock, running }: { clock: Clock; running: () => number }): ReportBook {
  const kept = new LRUCache<string, Kept>({ max: IMPORTS_MAX });

  function of(importId: string): Kept {
    const found = kept.get(importId);
    if (found) return found;
    const fresh: Kept = {
      report: {
        accepted: 0,
        throttled: 0,
        unanswered: 0,
        wholeChecks: 0,
        wholeRequests: 0,
        generation: 0,
        ofGeneration: { ...noGenerationCounts },
        flightMs: 0,
        flights: 0,
      },
      hand: new Map(),
      writtenAt: 0,
      newsAt: 0,
    };
    kept.set(importId, fresh);
    return fresh;
  }

  return {
    take(importId, line) {
      const { hand } = of(importId);
      hand.set(line, (hand.get(line) ?? 0) + 1);
      return () => {
        const left = (hand.get(line) ?? 1) - 1;
        if (left > 0) hand.set(line, left);
        else hand.delete(line);
      };
    },
    observe(importId, { generation, accepted = 0, throttled = 0, unanswered = 0, returned = 0, ...times }) {
      const { report } = of(importId);
      report.accepted += accepted;
      report.throttled += throttled;
      report.unanswered += unanswered;
      if (times.wholeRequests !== undefined) {
        report.wholeChecks++;
        report.wholeRequests += times.wholeRequests;
      }
      if (generation > report.generation) {
        report.generation = generation;
        report.ofGeneration = { ...noGenerationCounts };
      }
      if (generation === report.generation) {
        report.ofGeneration.accepted += accepted;
        report.ofGeneration.throttled += throttled;
        report.ofGeneration.returned += returned;
      }
      const { retryAt, passStartedAt } = times;
      if (retryAt) report.retryAt = laterOf(report.retryAt, retryAt);
      if (passStartedAt) report.passStartedAt = laterOf(report.passStartedAt, passStartedAt);
    },
    landed(importId, sentAt) {
      const { report } = of(importId);
      report.flights++;
      report.flightMs += Math.max(0, clock.now().getTime() - sentAt.getTime());
    },
    write(importId) {
      const found = kept.get(importId);
      if (!found) return undefined;
      const now = clock.now();
      found.writtenAt = now.getTime();
      return {
        ...structuredClone(found.report),
        writtenAt: now,
        hand: [...found.hand.keys()],
        running: running(),
      };
    },
    hasHand: (importId) => (kept.get(importId)?.hand.size ?? 0) > 0,
    isNews(importId) {
      const found = of(importId);
      const now = clock.now().getTime();
      if (now - found.newsAt < NEWS_MS) return false;
      found.newsAt = now;
      return true;
    },
    lastWrittenAt: (importId) => kept.get(importId)?.writtenAt ?? 0,
  };
}

function laterOf(one: Date | undefined, other: Date): Date {
  return one && one > other ? one : other;
}
