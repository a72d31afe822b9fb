import { classify, concernsConnection } from '../causes/classify.ts';
import type { MailboxAccess } from './graph-answer.ts';
import type { GraphMail, Left, Where } from './graph-mail.ts';
import { longer, type Wait, waitFor } from './judge-answers.ts';

/** How often the look for leftovers is repeated when it finds something. */
const SWEEPS_MOST = 5;

export interface Cleaned {
  /** What to wait for, when it could not be made sure that nothing is left. */
  wait?: Wait;
  /** The whole connection is refused just now: whatever is asked next is told so too. */
  isShutOut?: boolean;
  /** What was found by its draft subject, and removed. */
  removed: ReadonlySet<Left['what']>;
}

/** Removes for good what carries the draft subject, and looks again until nothing is found. */
export async function cleanMailbox(
  graph: GraphMail,
  access: MailboxAccess,
  draftSubject: string,
  where: Where,
  ids: readonly string[] = [],
): Promise<Cleaned> {
  const removed = new Set<Left['what']>();
  let left = ids;
  for (let turn = 0; turn < SWEEPS_MOST; turn++) {
    const { removals, found } = await graph.clear(access, draftSubject, left, where);
    let wait: Wait | undefined;
    let isShutOut = false;
    for (const answer of [...removals, found]) {
      if (answer.kind === 'lost') wait = longer(wait, { cause: 'microsoft_unavailable' });
      // Gone already, or not let in: either way there is nothing of ours that this app can reach.
      else if (answer.kind === 'refused' && answer.refusal.status !== 404 && answer.refusal.status !== 403) {
        const cause = classify(answer.refusal);
        if (concernsConnection(cause)) isShutOut = true;
        const known = cause === 'throttled' || cause === 'mailbox_moving' ? cause : 'microsoft_unavailable';
        wait = longer(wait, waitFor(known, answer.refusal));
      }
    }
    if (found.kind === 'accepted') for (const { what } of found.value) removed.add(what);
    if (wait) return { wait, removed, isShutOut };
    if (found.kind !== 'accepted' || found.value.length === 0) return { removed };
    left = found.value.map(({ id }) => id);
  }
  return { wait: { cause: 'microsoft_unavailable' }, removed };
}
