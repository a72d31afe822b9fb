import { classify, isConnectionCause } from '../causes/classify.ts';
import type { MailboxAccess } from './answer.ts';
import { longerWait, toWait, type Wait } from './evaluate-answers.ts';
import type { GraphMail, Leftover, SearchScope } from './graph-mail.ts';

const ROUNDS_MAX = 5;

interface Cleaned {
  /** What to wait for, if something may be left. */
  wait?: Wait;
  /** Microsoft refuses the whole connection, so it will refuse the next request too. */
  isConnectionRefused?: boolean;
  /** What kinds of leftovers were found and removed. */
  removed: ReadonlySet<Leftover['what']>;
}

/** Permanently deletes everything with the draft subject, and repeats the search until it finds nothing. */
export async function cleanMailbox(
  graph: Pick<GraphMail, 'clear'>,
  access: MailboxAccess,
  draftSubject: string,
  scope: SearchScope,
  ids: readonly string[] = [],
): Promise<Cleaned> {
  const removed = new Set<Leftover['what']>();
  let nextIds = ids;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const { removals, found } = await graph.clear(access, draftSubject, nextIds, scope);
    let wait: Wait | undefined;
    let isConnectionRefused = false;
    for (const answer of [...removals, found]) {
      if (answer.kind === 'lost') wait = longerWait(wait, { cause: 'microsoft_unavailable' });
      // After a 404 or 403 there is nothing of ours that this app can reach.
      else if (answer.kind === 'refused' && answer.refusal.status !== 404 && answer.refusal.status !== 403) {
        const cause = classify(answer.refusal);
        if (isConnectionCause(cause)) isConnectionRefused = true;
        const waitCause = cause === 'throttled' || cause === 'mailbox_moving' ? cause : 'microsoft_unavailable';
        wait = longerWait(wait, toWait(waitCause, answer.refusal));
      }
    }
    if (found.kind === 'accepted') for (const { what } of found.value) removed.add(what);
    if (wait) return { wait, removed, isConnectionRefused };
    if (found.kind !== 'accepted' || found.value.length === 0) return { removed };
    nextIds = found.value.map(({ id }) => id);
  }
  return { wait: { cause: 'microsoft_unavailable' }, removed };
}
