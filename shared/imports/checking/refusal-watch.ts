import { LRUCache } from 'lru-cache';
import { canBePropagation } from '../../causes/denial.ts';
import { type Findings, type Probe, type ProbeFinding, probes } from '../../causes/verdict.ts';
import type { Recheck } from './recheck-passed-mailbox.ts';

/** The findings of one finished check. */
export interface Observation {
  connectionId: string;
  importId: string;
  address: string;
  findings: Findings;
  /** When the check began, in milliseconds. A pass only counts against refusals that are older than this. */
  startedAt: number;
  /**
   * Checks a mailbox again that passed this probe before. `address` is the last one that this process saw pass, if any.
   */
  recheck(probe: Probe, address: string | undefined): Promise<Recheck>;
}

/** Whether a refusal concerns only this mailbox, or every mailbox of the connection. */
export type RefusalScope = { everywhere: false } | { everywhere: true; refusedInARow: number; finding: ProbeFinding };

/**
 * Tells refusals of single mailboxes from one refusal that concerns them all.
 *
 * A refusal that could be either is held back for `holdMs`. It counts as the mailbox's own once another mailbox passes
 * a later check, or once that time is over. After many refusals of one kind with no pass in between, a mailbox that
 * passed before is checked again. If it is refused too, or if there is no such mailbox, every refusal that is held back
 * is `everywhere`. Otherwise the refusals are the mailboxes' own.
 */
export interface RefusalWatch {
  /** Resolves once the scope of the observation's refusal is known. Rejects if `recheck` rejects. */
  observe(observation: Observation): Promise<RefusalScope>;
}

interface HeldRefusal {
  refusedAt: number;
  decide(scope: RefusalScope): void;
}

/** Refusals of one kind, in one import, with no pass in between. */
interface Streak {
  probe: Probe;
  connectionId: string;
  /** Refusals since the last pass, those no longer held included. */
  refusedInARow: number;
  /** At this many, a mailbox that passed before is checked again. */
  recheckAt: number;
  held: Set<HeldRefusal>;
  isRechecking: boolean;
  /** Checks that began before this time belong to the refusals that were decided then. */
  everywhereSince: number;
}

const OWN: RefusalScope = { everywhere: false };
const STREAKS_MAX = 2_000;
const LAST_PASSED_MAX = 5_000;

export function createRefusalWatch(options: {
  /** How many refusals of one kind in a row lead to a recheck. */
  refusedInARowMax: number;
  /** How long a refusal is held back. */
  holdMs: number;
  now: () => number;
}): RefusalWatch {
  const streaks = new LRUCache<string, Streak>({ max: STREAKS_MAX });
  const lastPassed = new LRUCache<string, string>({ max: LAST_PASSED_MAX });

  function notePasses({ connectionId, address, findings, startedAt }: Observation): void {
    for (const probe of probes) {
      if (findings[probe]?.verdict !== 'passed') continue;
      lastPassed.set(`${connectionId} ${probe}`, address);
      for (const streak of streaks.values()) {
        if (streak.connectionId !== connectionId || streak.probe !== probe) continue;
        for (const held of streak.held) if (held.refusedAt <= startedAt) held.decide(OWN);
        streak.refusedInARow = streak.held.size;
      }
    }
  }

  async function recheck(streak: Streak, observation: Observation, finding: ProbeFinding): Promise<void> {
    streak.isRechecking = true;
    try {
      const { refusedInARow } = streak;
      const lastAddress = lastPassed.get(`${observation.connectionId} ${streak.probe}`);
      const result = await observation.recheck(streak.probe, lastAddress);
      if (result === 'refused' || result === 'none') {
        streak.everywhereSince = options.now();
        for (const held of streak.held) held.decide({ everywhere: true, refusedInARow, finding });
      } else {
        for (const held of streak.held) held.decide(OWN);
        // A streak that continues is rechecked less and less often.
        if (result === 'passes') streak.recheckAt *= 2;
      }
      streak.refusedInARow = 0;
    } finally {
      streak.isRechecking = false;
    }
  }

  return {
    async observe(observation) {
      notePasses(observation);
      const suspect = suspectIn(observation.findings);
      if (!suspect) return OWN;
      const { probe, finding } = suspect;
      const { connectionId, importId } = observation;
      const key = `${connectionId} ${importId} ${probe} ${finding.microsoftCode ?? finding.cause}`;
      const streak: Streak = streaks.get(key) ?? {
        probe,
        connectionId,
        refusedInARow: 0,
        recheckAt: options.refusedInARowMax,
        held: new Set(),
        isRechecking: false,
        everywhereSince: 0,
      };
      streaks.set(key, streak);
      streak.refusedInARow++;
      if (observation.startedAt < streak.everywhereSince) {
        return { everywhere: true, refusedInARow: streak.refusedInARow, finding };
      }
      return await new Promise<RefusalScope>((resolve, reject) => {
        const held: HeldRefusal = {
          refusedAt: options.now(),
          decide(scope) {
            clearTimeout(timer);
            streak.held.delete(held);
            resolve(scope);
          },
        };
        // While a recheck is under way, every held refusal waits for its result.
        const timeIsUp = () => {
          if (streak.isRechecking) timer = setTimeout(timeIsUp, options.holdMs);
          else held.decide(OWN);
        };
        let timer = setTimeout(timeIsUp, options.holdMs);
        streak.held.add(held);
        if (streak.refusedInARow < streak.recheckAt || streak.isRechecking) return;
        recheck(streak, observation, finding).catch((error: unknown) => {
          for (const other of streak.held) if (other !== held) other.decide(OWN);
          clearTimeout(timer);
          streak.held.delete(held);
          reject(error);
        });
      });
    },
  };
}

/** The first finding that every mailbox of the connection could get. */
function suspectIn(findings: Findings): { probe: Probe; finding: ProbeFinding } | undefined {
  for (const probe of probes) {
    const finding = findings[probe];
    if (finding && finding.verdict !== 'passed' && mayConcernAll(finding)) return { probe, finding };
  }
  return undefined;
}

function mayConcernAll(finding: ProbeFinding): boolean {
  return (
    canBePropagation(finding) || finding.cause === 'smtp_auth_disabled_tenant' || finding.cause === 'unknown_refusal'
  );
}
