import type { ProbeFinding } from '../causes/verdict.ts';
import type { Clock } from '../kernel/clock.ts';
import { cleanMailbox } from './clean-mailbox.ts';
import type { Answer, MailboxAccess } from './graph-answer.ts';
import type { GraphMail } from './graph-mail.ts';
import { passed, type Wait } from './judge-answers.ts';

interface Deps {
  graph: GraphMail;
  clock: Clock;
  pause: (ms: number) => Promise<void>;
}

export interface Arrival {
  /** Absent when it is not known yet whether anything was sent. */
  finding?: ProbeFinding;
  wait?: Wait;
}

const LOOKS_MOST = 4;
const BETWEEN_LOOKS_MS = 500;
const LOOK_AGAIN_SECONDS = 10;
const AWAITED_MOST_MS = 300_000;

/**
 * Finds the message that a mailbox sent to itself, by its draft subject wherever it lies, and removes it for good.
 *
 * Microsoft's 202 means accepted, not delivered (https://learn.microsoft.com/graph/api/user-sendmail), so only the message
 * that has come in is a pass. One that is not there within two seconds is looked for again later; sending is not repeated
 * meanwhile.
 *
 * @param sent the answer to the send of this very attempt; absent when an earlier one sent it
 * @param awaited the finding that an earlier attempt has left: accepted, and not seen yet
 */
export async function findSent(
  needs: Deps,
  access: MailboxAccess,
  draftSubject: string,
  ids: readonly string[],
  { sent, awaited }: { sent?: Answer; awaited?: ProbeFinding | undefined },
): Promise<Arrival> {
  const requestId = sent && sent.kind !== 'refused' ? sent.requestId : awaited?.requestId;
  let left = ids;
  for (let look = 1; ; look++) {
    const { removed, wait } = await cleanMailbox(needs.graph, access, draftSubject, 'everywhere', left);
    left = [];
    const now = needs.clock.now();
    if (removed.has('report')) return { finding: notDelivered('failed', 'sending_blocked', now, requestId) };
    if (removed.has('message'))
      return wait ? { finding: passed(now, requestId), wait } : { finding: passed(now, requestId) };
    // Not delivered yet and not certain to be clean come to the same: look again.
    if (look < LOOKS_MOST && !wait) {
      await needs.pause(BETWEEN_LOOKS_MS);
      continue;
    }
    // The answer was lost, and nothing has come in: the next attempt looks once more before it sends again.
    if (sent?.kind === 'lost') return { wait: wait ?? { cause: 'microsoft_unavailable' } };
    const sentAt = awaited?.sentAt ?? now;
    const finding: ProbeFinding = { ...notDelivered('inconclusive', 'message_not_delivered', now, requestId), sentAt };
    if (now.getTime() - sentAt.getTime() > AWAITED_MOST_MS && !wait) return { finding };
    return { finding, wait: wait ?? { cause: 'microsoft_unavailable', seconds: LOOK_AGAIN_SECONDS } };
  }
}

function notDelivered(
  verdict: ProbeFinding['verdict'],
  cause: 'sending_blocked' | 'message_not_delivered',
  checkedAt: Date,
  requestId: string | undefined,
): ProbeFinding {
  return { verdict, cause, checkedAt, ...(requestId !== undefined && { requestId }) };
}
