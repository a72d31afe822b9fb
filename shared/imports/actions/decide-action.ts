import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Import } from '../import.ts';
import type { Patch } from '../ledger/ledger.ts';

/** Why an action leaves a mailbox out. The codes are part of the API. */
export const skipCodes = [
  'not_in_connection',
  'being_checked',
  'disconnected',
  'already_connected',
  'not_in_use',
  'changed',
] as const;
export type SkipCode = (typeof skipCodes)[number];

const messages: Record<SkipCode, string> = {
  not_in_connection: 'This connection has no mailbox with this address.',
  being_checked: 'This mailbox is already being checked.',
  disconnected: 'This mailbox is disconnected. Reconnect it to have it checked.',
  already_connected: 'This mailbox is already connected.',
  not_in_use: 'This mailbox has failed or is disconnected, so it cannot be paused or resumed.',
  changed: 'This mailbox has changed since you read it. Nothing was done with it.',
};

export type ActionDecision =
  | { kind: 'skip'; code: SkipCode; message: string }
  /** The mailbox gets a check. */
  | { kind: 'check'; mailbox: Tagged<Mailbox> }
  | { kind: 'change'; mailbox: Tagged<Mailbox>; patch: Patch<Mailbox> }
  /** The mailbox gives its slot back, and the check that it may be waiting for is cancelled. */
  | { kind: 'end'; mailbox: Tagged<Mailbox>; patch: Patch<Mailbox> }
  /** It is already as the action would leave it. */
  | { kind: 'unchanged' };

/** What an action does with a mailbox. `undefined` stands for an address that the connection does not have. */
export function decideAction(
  { id, action, target }: Pick<Import, 'id' | 'action' | 'target'>,
  mailbox: Tagged<Mailbox> | undefined,
  now: Date,
): ActionDecision {
  if (!mailbox || mailbox.value.removedBy !== undefined) return skip('not_in_connection');
  if (target?.tag !== undefined && target.tag !== mailbox.tag) return skip('changed');
  const { status, openRow, slotClaimedBy, pausedAt } = mailbox.value;
  const isInUse = status !== 'failed' && status !== 'disconnected';
  switch (action) {
    case 'pause':
      if (!isInUse) return skip('not_in_use');
      return pausedAt ? { kind: 'unchanged' } : { kind: 'change', mailbox, patch: { pausedAt: now } };
    case 'resume':
      if (!isInUse) return skip('not_in_use');
      return pausedAt ? { kind: 'change', mailbox, patch: { pausedAt: null } } : { kind: 'unchanged' };
    case 'disconnect':
      return status === 'disconnected' && openRow === undefined
        ? { kind: 'unchanged' }
        : { kind: 'end', mailbox, patch: disconnected };
    case 'remove':
      return { kind: 'end', mailbox, patch: { ...disconnected, removedBy: id } };
    case 'reconnect':
      if (openRow !== undefined) return skip('being_checked');
      return slotClaimedBy === undefined ? { kind: 'check', mailbox } : skip('already_connected');
    default:
      if (openRow !== undefined) return skip('being_checked');
      return status === 'disconnected' ? skip('disconnected') : { kind: 'check', mailbox };
  }
}

const disconnected: Patch<Mailbox> = {
  status: 'disconnected',
  slotClaimedBy: null,
  openRow: null,
  nextCheckAt: null,
  waitCause: null,
  pausedAt: null,
};

function skip(code: SkipCode): ActionDecision {
  return { kind: 'skip', code, message: messages[code] };
}
