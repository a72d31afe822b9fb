import { classify } from '../causes/classify.ts';
import type { Answer } from './answer.ts';
import type { GraphMail } from './graph-mail.ts';
import type { ProtocolMail } from './protocol-mail.ts';

/**
 * What Microsoft said to the questions of one check, counted as its limits count them: each part of a batch is one
 * request. Questions without an answer, and those answered by a server error, are in neither number.
 */
export interface AnswerCounts {
  accepted: number;
  /** Refused because the app asks this tenant too often. */
  throttled: number;
}

/** Microsoft's codes for a limit on one mailbox. They say nothing about the tenant. */
const MAILBOX_LIMIT_CODES: ReadonlySet<string> = new Set(['ApplicationThrottled', 'MailboxConcurrency', '4.3.2']);

/** Whether this throttling concerns one mailbox only. */
export function isMailboxLimit(microsoftCode: string | undefined): boolean {
  return MAILBOX_LIMIT_CODES.has(microsoftCode ?? '');
}

/** Adds one answer to the counts. */
function count(counts: AnswerCounts, answer: Answer<unknown> | undefined): void {
  if (!answer || answer.kind === 'lost') return;
  if (answer.kind === 'accepted') {
    counts.accepted++;
    return;
  }
  const { refusal } = answer;
  if (classify(refusal) === 'throttled' && !isMailboxLimit(refusal.code)) counts.throttled++;
  else if (refusal.status < 500) counts.accepted++;
}

/** The same ways to ask Microsoft, and the counts of what they were answered. */
export function countAnswers<Deps extends { graph: GraphMail; protocols: ProtocolMail }>(
  deps: Deps,
): { deps: Deps; counts: AnswerCounts } {
  const counts: AnswerCounts = { accepted: 0, throttled: 0 };
  const { graph, protocols } = deps;
  const counted = {
    ...deps,
    graph: {
      async ask(...args: Parameters<GraphMail['ask']>) {
        const answers = await graph.ask(...args);
        for (const answer of Object.values(answers)) count(counts, answer);
        return answers;
      },
      async clear(...args: Parameters<GraphMail['clear']>) {
        const answers = await graph.clear(...args);
        for (const answer of [...answers.removals, answers.found]) count(counts, answer);
        return answers;
      },
    },
    protocols: {
      async imap(...args: Parameters<ProtocolMail['imap']>) {
        const answer = await protocols.imap(...args);
        count(counts, answer);
        return answer;
      },
      async smtp(...args: Parameters<ProtocolMail['smtp']>) {
        const answer = await protocols.smtp(...args);
        count(counts, answer);
        return answer;
      },
    },
  };
  return { deps: counted, counts };
}
