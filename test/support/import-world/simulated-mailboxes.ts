import type { ProbeFinding } from '../../../shared/causes/verdict.ts';
import type { MailboxChecker } from '../../../shared/checks/mailbox-checker.ts';
import type { FastClock } from './fast-clock.ts';
import type { Faults } from './faults.ts';
import type { Lifetime } from './lifetime.ts';
import { hash } from './random.ts';

/** Microsoft's mailboxes, as checks see them. */
export interface SimulatedMailboxes {
  /** The true verdict of a mailbox, once the grants have propagated. */
  verdictOf(address: string): 'passed' | 'failed' | 'inconclusive';
  /** How many drafts checks have left, by subject. */
  drafts: Map<string, number>;
  /** The checker as one process uses it. */
  usedBy(lifetime: Lifetime): MailboxChecker;
}

const kinds = ['passed', 'passed', 'passed', 'failed', 'inconclusive'] as const;

export function createSimulatedMailboxes(faults: Faults, clock: FastClock, random: () => number): SimulatedMailboxes {
  const drafts = new Map<string, number>();
  const grantMs = faults.grantSeconds * 1000;
  let grantedAt = clock.nowMs() + grantMs;
  // As with Microsoft, propagation ends at some time. Here it ends before the last step, even on a slow machine.
  const grantedLatestAt = clock.nowMs() + 4 * grantMs;
  const verdictOf = (address: string) => kinds[hash(address) % kinds.length] ?? 'passed';

  function answerFor(address: string): ProbeFinding {
    const checkedAt = clock.now();
    const now = checkedAt.getTime();
    const isGranted = now >= grantedAt;
    if (!isGranted) grantedAt = Math.max(grantedAt, Math.min(grantedLatestAt, now + grantMs));
    const verdict = isGranted ? verdictOf(address) : 'failed';
    if (verdict !== 'failed') return { verdict, checkedAt };
    return {
      verdict,
      checkedAt,
      cause: 'permission_missing',
      microsoftCode: 'ErrorAccessDenied',
      denial: { byPolicy: false, token: 'lacks', mailboxOpened: false },
    };
  }

  return {
    verdictOf,
    drafts,
    usedBy: ({ whileAlive }) => ({
      async check({ address, draftSubject, cleanFirst }) {
        if (cleanFirst) drafts.delete(draftSubject);
        drafts.set(draftSubject, (drafts.get(draftSubject) ?? 0) + 1);
        await whileAlive(async () => {})();
        await clock.sleep(random() * 300);
        await whileAlive(async () => {})();
        drafts.delete(draftSubject);
        if (random() < faults.defects) throw new Error('a defect in the check');
        if (random() < faults.throttled) {
          return { kind: 'wait', cause: 'throttled', seconds: random() < 0.5 ? 5 : 90, priorFindings: {} };
        }
        const finding = answerFor(address);
        return {
          kind: 'checked',
          findings: { 'graph.readWrite': finding, 'graph.send': finding },
          mailboxKind: 'user',
        };
      },
      removeLeftovers: whileAlive(async (_connection, _address, draftSubject) => void drafts.delete(draftSubject)),
    }),
  };
}
