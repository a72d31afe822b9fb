import { LRUCache } from 'lru-cache';
import { fitsPropagation } from '../../causes/denial.ts';
import { type Findings, type Probe, type ProbeFinding, probes } from '../../causes/verdict.ts';

/** One mailbox's findings, as the watch weighs them. */
export interface Weighed {
  connectionId: string;
  importId: string;
  address: string;
  findings: Findings;
  /** When the check began, in milliseconds: only a pass that was asked for after a refusal speaks against it. */
  startedAt: number;
  /**
   * Asks a mailbox that has passed before: `true` if it passes still, `false` if it is refused too, `undefined` where that
   * cannot be told.
   */
  recheckPassedMailbox(probe: Probe, address: string | undefined): Promise<Recheck>;
}

export type Recheck = 'passes' | 'refused' | 'none' | 'unknown';

/** Whose affair a refusal is: the mailbox's own, or one that hits every mailbox of the connection. */
export type Ruling = { everywhere: false } | { everywhere: true; alike: number; finding: ProbeFinding };

/**
 * Tells refusals of single mailboxes from one refusal that hits them all.
 *
 * A refusal that could be either is held back for a moment. A pass that was asked for later makes it the mailbox's own;
 * so does time. When so many alike have come with no pass between, a mailbox that is known to work is asked once more:
 * if it still passes they are the mailboxes' own, otherwise all of those held back are ruled `everywhere`.
 */
export interface RefusalWatch {
  weigh(weighed: Weighed): Promise<Ruling>;
}

interface Held {
  refusedAt: number;
  rule(ruling: Ruling): void;
}

interface Streak {
  probe: Probe;
  connectionId: string;
  /** Refusals alike since the last pass, those that are held no longer included. */
  alike: number;
  most: number;
  held: Set<Held>;
  isAsking: boolean;
  /** Checks that began before this instant belong to what was ruled then. */
  ruledEverywhereAt: number;
}

const OWN: Ruling = { everywhere: false };

export function createRefusalWatch(options: {
  /** So many alike in a row are looked into. */
  alikeMax: number;
  holdMs: number;
  now: () => number;
}): RefusalWatch {
  const streaks = new LRUCache<string, Streak>({ max: 2_000 });
  const lastPassed = new LRUCache<string, string>({ max: 5_000 });

  function notePasses({ connectionId, address, findings, startedAt }: Weighed): void {
    for (const probe of probes) {
      if (findings[probe]?.verdict !== 'passed') continue;
      lastPassed.set(`${connectionId} ${probe}`, address);
      for (const streak of streaks.values()) {
        if (streak.connectionId !== connectionId || streak.probe !== probe) continue;
        for (const held of streak.held) if (held.refusedAt <= startedAt) held.rule(OWN);
        streak.alike = streak.held.size;
      }
    }
  }

  async function lookInto(
    streak: Streak,
    { recheckPassedMailbox, connectionId }: Weighed,
    finding: ProbeFinding,
  ): Promise<void> {
    streak.isAsking = true;
    try {
      const { alike } = streak;
      const witness = await recheckPassedMailbox(streak.probe, lastPassed.get(`${connectionId} ${streak.probe}`));
      if (witness === 'refused' || witness === 'none') {
        streak.ruledEverywhereAt = options.now();
        for (const held of streak.held) held.rule({ everywhere: true, alike, finding });
      } else {
        for (const held of streak.held) held.rule(OWN);
        // One that goes on for long is looked into ever more seldom.
        if (witness === 'passes') streak.most *= 2;
      }
      streak.alike = 0;
    } finally {
      streak.isAsking = false;
    }
  }

  return {
    async weigh(weighed) {
      notePasses(weighed);
      const suspect = suspectIn(weighed.findings);
      if (!suspect) return OWN;
      const { probe, finding } = suspect;
      const key = `${weighed.connectionId} ${weighed.importId} ${probe} ${finding.microsoftCode ?? finding.cause}`;
      const streak: Streak = streaks.get(key) ?? {
        probe,
        connectionId: weighed.connectionId,
        alike: 0,
        most: options.alikeMax,
        held: new Set(),
        isAsking: false,
        ruledEverywhereAt: 0,
      };
      streaks.set(key, streak);
      streak.alike++;
      if (weighed.startedAt < streak.ruledEverywhereAt) return { everywhere: true, alike: streak.alike, finding };
      return await new Promise<Ruling>((resolve, reject) => {
        const held: Held = {
          refusedAt: options.now(),
          rule(ruling) {
            clearTimeout(timer);
            streak.held.delete(held);
            resolve(ruling);
          },
        };
        // Whoever waits for the witness waits until it has spoken.
        const timeIsUp = () => {
          if (streak.isAsking) timer = setTimeout(timeIsUp, options.holdMs);
          else held.rule(OWN);
        };
        let timer = setTimeout(timeIsUp, options.holdMs);
        streak.held.add(held);
        if (streak.alike < streak.most || streak.isAsking) return;
        lookInto(streak, weighed, finding).catch((error: unknown) => {
          for (const other of streak.held) if (other !== held) other.rule(OWN);
          clearTimeout(timer);
          streak.held.delete(held);
          reject(error);
        });
      });
    },
  };
}

/** The first finding that every mailbox of the connection could meet. */
function suspectIn(findings: Findings): { probe: Probe; finding: ProbeFinding } | undefined {
  for (const probe of probes) {
    const finding = findings[probe];
    if (finding && finding.verdict !== 'passed' && mayHitAll(finding)) return { probe, finding };
  }
  return undefined;
}

function mayHitAll(finding: ProbeFinding): boolean {
  return (
    fitsPropagation(finding) || finding.cause === 'smtp_auth_disabled_tenant' || finding.cause === 'unknown_refusal'
  );
}
