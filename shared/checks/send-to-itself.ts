import type { ProbeFinding } from '../causes/verdict.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Answer, MailboxAccess } from './answer.ts';
import { cleanMailbox } from './clean-mailbox.ts';
import { passed, type Wait } from './evaluate-answers.ts';
import type { GraphMail } from './graph-mail.ts';

interface FindSentDeps {
  graph: GraphMail;
  clock: Clock;
  pause: (ms: number) => Promise<void>;
}

interface Arrival {
  /** Absent while it is unknown whether the message was sent. */
  finding?: ProbeFinding;
  wait?: Wait;
}

/** What was seen. Why the message came back stands in the report, which has no code that we could read. */
const UNDELIVERABLE =
  'A message from the mailbox to itself came back as undeliverable. Microsoft may block sending from the mailbox, or a rule may have rejected the message.';
const SEARCHES_MAX = 4;
const BETWEEN_SEARCHES_MS = 500;
const RETRY_AFTER_SECONDS = 10;
/** A message that has not arrived after this time no longer counts as on its way. */
const DELIVERY_MAX_MS = 300_000;

/**
 * Finds the message that a mailbox has sent to itself, in any folder, and deletes it permanently.
 *
 * Microsoft's 202 means accepted, not delivered (https://learn.microsoft.com/graph/api/user-sendmail), so the probe
 * passes only if the message arrives. If it does not arrive within two seconds, a later try looks for it again and does
 * not send another one.
 *
 * @param sent the answer to the send request of this try; absent if an earlier try sent the message
 * @param awaited the finding of an earlier try that sent a message which has not arrived yet
 */
export async function findSent(
  deps: FindSentDeps,
  access: MailboxAccess,
  draftSubject: string,
  ids: readonly string[],
  { sent, awaited }: { sent?: Answer; awaited?: ProbeFinding | undefined },
): Promise<Arrival> {
  const requestId = sent && sent.kind !== 'refused' ? sent.requestId : awaited?.requestId;
  let draftIds = ids;
  for (let search = 1; ; search++) {
    const { removed, wait } = await cleanMailbox(deps.graph, access, draftSubject, 'everywhere', draftIds);
    draftIds = [];
    const now = deps.clock.now();
    if (removed.has('report'))
      return { finding: { ...notDelivered('failed', 'sending_blocked', now, requestId), detail: UNDELIVERABLE } };
    if (removed.has('message'))
      return wait ? { finding: passed(now, requestId), wait } : { finding: passed(now, requestId) };
    if (search < SEARCHES_MAX && !wait) {
      await deps.pause(BETWEEN_SEARCHES_MS);
      continue;
    }
    // It is unknown whether the message was sent. The next try looks for it once more before it sends another one.
    if (sent?.kind === 'lost') return { wait: wait ?? { cause: 'microsoft_unavailable' } };
    const sentAt = awaited?.sentAt ?? now;
    const finding: ProbeFinding = { ...notDelivered('inconclusive', 'message_not_delivered', now, requestId), sentAt };
    if (now.getTime() - sentAt.getTime() > DELIVERY_MAX_MS && !wait) return { finding };
    return { finding, wait: wait ?? { cause: 'microsoft_unavailable', seconds: RETRY_AFTER_SECONDS } };
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
