import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Import } from '../import.ts';
import { isWaitCause, waitReasons } from '../import-wait.ts';
/** Why nobody asks about a mailbox at the moment that is to be checked. */
export const mailboxWaitReasons = [
  ...waitReasons,
  'undecided',
  'service_unavailable',
  'import_paused',
  'slot_needed',
] as const;

export interface MailboxWait {
  reason: (typeof mailboxWaitReasons)[number];
  /** A sentence for customers. */
  message: string;
  /** When it is asked next, at the earliest. */
  until?: Date;
}

const messages: Record<Exclude<MailboxWait['reason'], 'slot_needed'>, string> = {
  throttled: 'Microsoft limits how many requests this tenant may get. We check this mailbox as soon as it allows.',
  microsoft_unavailable: 'Microsoft does not answer. We ask again.',
  propagating:
    'Consent, a credential or a permission changed recently, and Microsoft may need up to two hours. We ask again.',
  imports_first: 'Imports of this tenant go first. This mailbox is checked after them.',
  undecided: 'Microsoft refused this mailbox. We are finding out whether it refuses all mailboxes of the connection.',
  service_unavailable: 'One of our services is unavailable. We check this mailbox as soon as possible.',
  import_paused: 'The import or action that checks this mailbox is paused. Resume it.',
};

/**
 * Why the check of a mailbox does not go on. `undefined` if it goes on, or if there is none.
 *
 * @param within the import or action of its open row. While that waits for Microsoft, no mailbox is asked earlier
 */
export function explainMailboxWait(
  { openRow, status, waitCause, nextCheckAt }: Pick<Mailbox, 'openRow' | 'status' | 'waitCause' | 'nextCheckAt'>,
  within: Pick<Import, 'status' | 'finding' | 'waitingFor'> | undefined,
  now: Date,
): MailboxWait | undefined {
  if (openRow === undefined) return undefined;
  if (within?.status === 'paused') {
    const because = within.finding && ` ${within.finding.detail}`;
    return { reason: 'import_paused', message: `${messages.import_paused}${because ?? ''}` };
  }
  const ofImport = within?.status === 'running' ? within.waitingFor : undefined;
  if (isWaitCause(waitCause)) {
    const isOfTenant = waitCause !== 'propagating' && ofImport?.until;
    return waitOf(waitCause, latest(nextCheckAt, isOfTenant || undefined), now);
  }
  if (nextCheckAt) return waitOf('service_unavailable', nextCheckAt, now);
  if (status === 'waiting') return waitOf('undecided', undefined, now);
  return ofImport && waitOf(ofImport.cause, ofImport.cause === 'imports_first' ? undefined : ofImport.until, now);
}

function waitOf(reason: keyof typeof messages, until: Date | undefined, now: Date): MailboxWait {
  return { reason, message: messages[reason], ...(until && until > now && { until }) };
}

function latest(one: Date | undefined, other: Date | undefined): Date | undefined {
  return one && other ? (one > other ? one : other) : (one ?? other);
}
