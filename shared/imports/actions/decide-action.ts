import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Import } from '../import.ts';

/** Why an action leaves a mailbox out. The codes are part of the API. */
export const skipCodes = [
  'not_in_connection',
  'being_checked',
  'disconnected',
  'already_connected',
  'changed',
] as const;
export type SkipCode = (typeof skipCodes)[number];

const messages: Record<SkipCode, string> = {
  not_in_connection: 'This connection has no mailbox with this address.',
  being_checked: 'This mailbox is already being checked.',
  disconnected: 'This mailbox is disconnected. Reconnect it to have it checked.',
  already_connected: 'This mailbox is already connected.',
  changed: 'This mailbox has changed since you read it. Nothing was done with it.',
};

export type ActionDecision =
  | { kind: 'skip'; code: SkipCode; message: string }
  /** The mailbox gets a check. */
  | { kind: 'check'; mailbox: Tagged<Mailbox> };

/** What an action does with a mailbox. `undefined` stands for an address that the connection does not have. */
export function decideAction(
  { action, target }: Pick<Import, 'action' | 'target'>,
  mailbox: Tagged<Mailbox> | undefined,
): ActionDecision {
  if (!mailbox) return skip('not_in_connection');
  if (target?.tag !== undefined && target.tag !== mailbox.tag) return skip('changed');
  const { status, openRow, slotClaimedBy } = mailbox.value;
  if (openRow !== undefined) return skip('being_checked');
  if (action === 'reconnect') {
    return slotClaimedBy === undefined ? { kind: 'check', mailbox } : skip('already_connected');
  }
  return status === 'disconnected' ? skip('disconnected') : { kind: 'check', mailbox };
}

function skip(code: SkipCode): ActionDecision {
  return { kind: 'skip', code, message: messages[code] };
}
