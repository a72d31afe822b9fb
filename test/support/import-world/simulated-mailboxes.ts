import type { Findings, ProbeFinding } from '../../../shared/causes/verdict.ts';
import type { CheckInput, CheckResult, MailboxChecker } from '../../../shared/checks/mailbox-checker.ts';
import { inboxKeyOf } from '../../../shared/mailboxes/identity.ts';
import type { Faults } from './faults.ts';
import type { Lifetime } from './lifetime.ts';
import { hash } from './random.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import type { SimulatedMicrosoft } from './simulated-microsoft.ts';

/** Microsoft's mailboxes, as checks see them. */
export interface SimulatedMailboxes {
  /** The true verdict of a mailbox, once the grants have propagated. */
  verdictOf(address: string): 'passed' | 'failed' | 'inconclusive';
  /** How many drafts checks have left, by subject. */
  drafts: Map<string, number>;
  /** How often each mailbox was asked. */
  asked: Map<string, number>;
  /** The checker as one process uses it. */
  usedBy(lifetime: Lifetime): MailboxChecker;
}

/** Why mailboxes fail: for a reason that every mailbox could have, or for one of their own. */
export type FailureCause = 'permission_missing' | 'mailbox_not_found';

type Verdict = ReturnType<SimulatedMailboxes['verdictOf']>;

const kinds = ['passed', 'passed', 'passed', 'failed', 'inconclusive'] as const;

/** Verdicts in which failures and passes are mixed. */
export const mixedVerdicts = (address: string): Verdict => kinds[hash(address) % kinds.length] ?? 'passed';

export function createSimulatedMailboxes(
  {
    faults,
    clock,
    random,
    microsoft,
  }: {
    faults: Faults;
    clock: SimulatedClock;
    random: () => number;
    microsoft: SimulatedMicrosoft;
  },
  verdictOf: (address: string) => Verdict,
  failsAs: FailureCause = 'permission_missing',
  inboxOf: (address: string) => string = (address) => address,
): SimulatedMailboxes {
  const drafts = new Map<string, number>();
  const asked = new Map<string, number>();
  const grantMs = faults.grantSeconds * 1000;
  let grantedAt = clock.nowMs() + grantMs;
  // As with Microsoft, propagation ends at some time. Here it ends before the last step.
  const grantedLatestAt = clock.nowMs() + 4 * grantMs;

  function answerFor(address: string): ProbeFinding {
    const checkedAt = clock.now();
    const now = checkedAt.getTime();
    const isGranted = now >= grantedAt;
    if (!isGranted) grantedAt = Math.max(grantedAt, Math.min(grantedLatestAt, now + grantMs));
    const verdict = isGranted ? verdictOf(address) : 'failed';
    if (verdict !== 'failed') return { verdict, checkedAt };
    if (isGranted && failsAs === 'mailbox_not_found') return { verdict, checkedAt, cause: failsAs };
    return {
      verdict,
      checkedAt,
      cause: 'permission_missing',
      microsoftCode: 'ErrorAccessDenied',
      denial: { byPolicy: false, token: 'lacks', mailboxOpened: false },
    };
  }

  /**
   * Asks as the real checker does: inbox, draft and send, then removal of the draft and a look for more. A try that has
   * every answer only removes what an earlier one has left.
   */
  async function check(input: CheckInput, stillAlive: () => Promise<void>): Promise<CheckResult> {
    const { address, draftSubject, cleanFirst } = input;
    const counts = { accepted: 0, throttled: 0 };
    const findings: Findings = { ...input.priorFindings };
    const ask = async (parts: number) => {
      const answer = await microsoft.ask(parts);
      counts.throttled += answer.throttled;
      counts.accepted += answer.accepted.length - answer.throttled;
      await stillAlive();
      return answer;
    };
    const checked = (): CheckResult => ({
      kind: 'checked',
      findings,
      mailboxKind: 'user',
      identity: { inboxKey: inboxKeyOf(inboxOf(address)) },
      counts,
    });
    const wait = (
      answer: Awaited<ReturnType<typeof ask>>,
      mayHaveLeftovers: boolean,
      isAnswered = false,
    ): CheckResult => ({
      kind: 'wait',
      cause: answer.isSilent ? 'microsoft_unavailable' : 'throttled',
      ...(answer.retryAfterSeconds !== undefined && { seconds: answer.retryAfterSeconds }),
      priorFindings: findings,
      ...(mayHaveLeftovers && { mayHaveLeftovers }),
      ...(isAnswered && { priorKind: 'user' as const }),
      counts,
    });

    asked.set(address, (asked.get(address) ?? 0) + 1);
    const wantsDraft = !findings['graph.readWrite'];
    const wantsSend = !findings['graph.send'];
    if (input.priorKind && !wantsDraft && !wantsSend) {
      const cleaned = cleanFirst && (await ask(1));
      if (cleaned && (cleaned.isSilent || cleaned.throttled > 0)) return wait(cleaned, true, true);
      drafts.delete(draftSubject);
      return checked();
    }
    const isDraftWritten = wantsDraft;
    if (isDraftWritten) drafts.set(draftSubject, (drafts.get(draftSubject) ?? 0) + 1);
    const { moreQuestions = 0 } = microsoft.options;
    const answer = await ask(1 + Number(wantsDraft) + Number(wantsSend) + moreQuestions);
    if (answer.isSilent) return wait(answer, isDraftWritten || cleanFirst);
    const [, ...parts] = answer.accepted;
    const isDraftAccepted = wantsDraft && parts.shift() === true;
    const isSendAccepted = wantsSend && parts.shift() === true;
    if (isDraftWritten && !isDraftAccepted && !cleanFirst) drafts.delete(draftSubject);
    const finding = answerFor(address);
    if (isDraftAccepted) findings['graph.readWrite'] = finding;
    if (isSendAccepted) findings['graph.send'] = finding;
    // An app that is refused writes nothing, so there is nothing to remove.
    if ((isDraftAccepted && finding.verdict !== 'failed') || cleanFirst) {
      const isAnswered = answer.throttled === 0;
      const removed = await ask(2);
      if (removed.isSilent || removed.accepted[0] !== true) return wait(removed, true, isAnswered);
      drafts.delete(draftSubject);
      if (removed.throttled > 0) return wait(removed, true, isAnswered);
    } else drafts.delete(draftSubject);
    if (faultyRandom(faults.defects)) throw new Error('a defect in the check');
    if (faultyRandom(faults.throttled)) {
      const seconds = random() < 0.5 ? 5 : 90;
      return { kind: 'wait', cause: 'throttled', seconds, priorFindings: input.priorFindings, counts };
    }
    if (answer.throttled > 0) return wait(answer, false);
    return checked();
  }

  const faultyRandom = (rate: number) => rate > 0 && random() < rate;

  return {
    verdictOf,
    drafts,
    asked,
    usedBy: ({ whileAlive }) => ({
      check: (input) =>
        check(
          input,
          whileAlive(async () => undefined),
        ),
      removeLeftovers: whileAlive(async (_connection, _address, draftSubject) => void drafts.delete(draftSubject)),
    }),
  };
}
