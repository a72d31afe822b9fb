import { retryLostRaces } from '../../kernel/change-tagged.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import { decideAction } from '../actions/decide-action.ts';
import type { Ledger, Patch } from '../ledger/ledger.ts';
import { requireMailbox } from './require-mailbox.ts';

interface Deps {
  ledger: Pick<Ledger, 'getMailbox' | 'commit'>;
}

/**
 * Changes a mailbox so that no concurrent change is lost. `change` may run several times. It returns `undefined` to leave
 * the mailbox as it is, and may throw to refuse. Resolves to the mailbox as it is afterwards.
 *
 * @throws DomainError `not_found`
 */
export async function changeMailbox(
  deps: Deps,
  connectionId: string,
  address: string,
  change: (current: Tagged<Mailbox>) => Promise<Patch<Mailbox> | undefined>,
): Promise<Mailbox> {
  return retryLostRaces(async () => {
    const current = await requireMailbox(deps, connectionId, address);
    const patch = await change(current);
    if (!patch) return current.value;
    const own = current.value.address;
    const written = { op: 'mergeMailbox', address: own, patch, tag: current.tag } as const;
    const result = await deps.ledger.commit(connectionId, [written]);
    return result.committed ? (await requireMailbox(deps, connectionId, own)).value : undefined;
  });
}

/**
 * What pauses or resumes a mailbox. `undefined` if it is so already.
 *
 * @throws DomainError `wrong_state` if it is not in use
 */
export function pausePatch(
  action: 'pause' | 'resume',
  mailbox: Tagged<Mailbox>,
  now: Date,
): Patch<Mailbox> | undefined {
  const decision = decideAction({ id: '', action }, mailbox, now);
  if (decision.kind === 'skip') throw new DomainError('wrong_state', decision.message);
  return decision.kind === 'change' ? decision.patch : undefined;
}
